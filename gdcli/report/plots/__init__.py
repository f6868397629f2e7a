"""Pictures of results, drawn with matplotlib's objects (no pyplot) and returned as the bytes of a file.

The same record gives the same bytes. matplotlib is imported by the functions, so this module costs nothing.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from gdcli.base.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gdcli.fitting.curve import Curve
    from gdcli.fitting.group_results import GroupFits
    from gdcli.fitting.results import Fit
    from gdcli.fitting.sweep import GroupSweeps, Sweep
    from gdcli.models.score import Score

KINDS = (".png", ".svg", ".pdf")

# A page that needs no matplotlib.
PAGE = ".html"


def require_matplotlib() -> None:
    """Raise UsageError if matplotlib is not installed. Called before any data are read."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UsageError("--plot needs matplotlib: pip install 'gdfit[plot]'") from None


def picture_of_fit(fit: "Fit", kind: str) -> bytes:
    """The picture of a fit that has a ``picture``, as one of ``KINDS``."""
    from gdcli.report.plots.fit import draw_fit

    return _rendered(lambda: draw_fit(fit), kind)


def picture_of_groups(fits: "GroupFits", kind: str) -> bytes:
    """The picture of the fits of groups, as one of ``KINDS``."""
    from gdcli.report.plots.groups import draw_groups

    return _rendered(lambda: draw_groups(fits), kind)


def picture_of_sweep(sweep: "Sweep", kind: str) -> bytes:
    """The picture of a sweep, as one of ``KINDS``."""
    from gdcli.report.plots.sweep import draw_sweep

    return _rendered(lambda: draw_sweep(sweep), kind)


def picture_of_group_sweeps(found: "GroupSweeps", kind: str) -> bytes:
    """The picture of the sweeps of groups, as one of ``KINDS``."""
    from gdcli.report.plots.sweep import draw_group_sweeps

    return _rendered(lambda: draw_group_sweeps(found), kind)


def picture_of_curve(curve: "Curve", kind: str) -> bytes:
    """The picture of the walks down a curve, as one of ``KINDS``."""
    from gdcli.report.plots.curve import draw_curve

    return _rendered(lambda: draw_curve(curve), kind)


def picture_of_score(score: "Score", kind: str) -> bytes:
    """The picture of a score that has a ``sample``, as one of ``KINDS``."""
    from gdcli.report.plots.score import draw_score

    return _rendered(lambda: draw_score(score), kind)


def _rendered(draw: "Callable[[], Figure]", kind: str) -> bytes:
    from gdcli.report.plots.canvas import in_style, render_figure

    with in_style(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cramped layout is still a picture; stderr is not matplotlib's
        return render_figure(draw(), kind)
