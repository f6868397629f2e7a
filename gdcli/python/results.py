"""The results that Python's functions return: the records, and how they print, draw and predict."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from gdcli.base.records import field_names
from gdcli.fitting.curve import Curve
from gdcli.fitting.group_results import GroupFits
from gdcli.fitting.results import INTERCEPT, Fit, TraceRow
from gdcli.fitting.sweep import GroupSweeps, Sweep
from gdcli.ingest.description import Description
from gdcli.models.score import Score

if TYPE_CHECKING:
    import os

    import numpy as np
    import pandas as pd

    from gdcli.models.model import Model
    from gdcli.report.report import Report

_HTML = '<pre style="font-family:monospace;line-height:1.3;white-space:pre">{code}</pre>'

DRAWS_AGAIN = "_drawn"
"""The attribute that holds the function which fits once more, for a picture."""


class Reported:
    """A result with a report: ``str`` is that of the terminal without color, and notebooks show it in HTML."""

    def _report(self) -> "Report":
        raise NotImplementedError

    def __str__(self) -> str:
        from gdcli.report.paper import Page
        from gdcli.report.writers import as_table

        return as_table(self._report(), Page()).rstrip("\n")

    def _repr_html_(self) -> str:
        """The report for a notebook, in color."""
        import io

        from rich.console import Console
        from rich.text import Text

        from gdcli.report.paper import Page
        from gdcli.report.writers import as_table

        colored = as_table(self._report(), Page(None, "utf-8", "standard"))
        console = Console(file=io.StringIO(), record=True, width=1_000_000, force_jupyter=False, legacy_windows=False)
        console.print(Text.from_ansi(colored), soft_wrap=True, highlight=False)
        return console.export_html(inline_styles=True, code_format=_HTML)


class Trace(tuple[TraceRow, ...]):
    """The iterations that the report shows (``every=1``: all), as rows and as a DataFrame."""

    terms: tuple[str, ...] = ()

    def to_frame(self) -> "pd.DataFrame":
        """A frame, a row per iteration: ``iteration``, ``m`` (1 term) or ``m[NAME]`` of each, ``c``, ``cost`` …"""
        import pandas as pd

        slopes = ["m"] if len(self.terms) == 1 else [f"m[{term}]" for term in self.terms]
        columns: dict[str, list[Any]] = {"iteration": [row.iteration for row in self]}
        columns |= {name: [row.slopes[j] for row in self] for j, name in enumerate(slopes)}
        others = {"c": "intercept", "cost": "cost", "gap": "gap", "learning_rate": "learning_rate"}
        for name, field in {**others, "validation_cost": "validation"}.items():
            values = [getattr(row, field) for row in self]
            if any(value is not None for value in values):
                columns[name] = values
        return pd.DataFrame(columns)


class Fitted(Reported):
    """A result with coefficients: it predicts, is saved, and draws."""

    __slots__ = ()

    @property
    def model(self) -> "Model":
        """The model, as if it had been saved. Raises DataError after divergence."""
        import json

        from gdcli.models.model_file import model_of

        return model_of(json.loads(self._model_text()), "the fit")

    def _model_text(self) -> str:
        from gdcli.base.errors import DataError
        from gdcli.models.model_file import model_as_json

        assert isinstance(self, Fit | GroupFits)
        if self.diverged:
            raise DataError("the descent diverged, so there is no model: fit with a smaller learning_rate, or 'auto'")
        return model_as_json(self)

    def predict(self, data: Any) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """The predictions (n,) for the rows of ``data``, of any kind that ``fit`` takes, or an array X (n, p).

        NaN if a value is missing or unknown, and for a row of an unknown group.
        """
        return self.model.predict(data)

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write the model to a file, whole or not at all, for ``load_model`` and the command line."""
        from gdcli.base.atomic import whole_file

        content = self._model_text()
        with whole_file(path) as stream:
            stream.write(content)

    def plot(self, path: "str | os.PathLike[str]") -> None:
        """Draw the fit, or the costs of the first groups, to a .png, .svg or .pdf.

        Unless it was fitted with ``picture=True``, it reads the data again.
        """
        _write_picture(self if self._report().picture is not None else getattr(self, DRAWS_AGAIN)(), path)


class FitResult(Fitted, Fit):
    """A finished fit. ``print(result)`` shows what the command line would."""

    def __repr__(self) -> str:
        slopes = ", ".join(f"{term}={value:.6g}" for term, value in list(self.coef.items())[:3] if value is not None)
        more = ", …" if len(self.coefficients) > 3 else ""
        cost = "diverged" if self.cost is None else f"cost={self.cost:.6g}"
        state = f"{self.descent.iterations} iterations, {'converged' if self.descent.converged else 'not converged'}"
        return f"<gdfit: {self.target} ~ {slopes}{more}; {cost}; {state}>"

    def _report(self) -> "Report":
        from gdcli.report.fit import fit_report

        return fit_report(self)

    @property
    def coef(self) -> Mapping[str, float | None]:
        """The slopes by the names of their terms, and the intercept as ``(intercept)``; each None after divergence."""
        found = {one.term: one.value for one in self.coefficients}
        if self.intercept is not None:
            found[INTERCEPT] = self.intercept.value
        return MappingProxyType(found)


class GroupsResult(Fitted, GroupFits):
    """A finished fit of each group: arrays with a row for each."""

    def __repr__(self) -> str:
        from gdcli.base.names import count_of, listed

        return f"<gdfit: {self.target} by {listed(self.by)}, {count_of(len(self.groups), 'group')}>"

    def _report(self) -> "Report":
        from gdcli.report.groups import groups_report

        return groups_report(self)


def _write_picture(result: Reported, path: "str | os.PathLike[str]") -> None:
    import os

    from gdcli.base.atomic import whole_file
    from gdcli.base.errors import UsageError
    from gdcli.report.plots import KINDS, require_matplotlib

    ending = os.path.splitext(os.fspath(path))[1].lower()
    drawn = result._report().picture
    if ending not in KINDS or drawn is None:
        raise UsageError(f"a picture's name ends in one of {' '.join(KINDS)}, not {ending!r}")
    require_matplotlib()
    with whole_file(path, "wb") as stream:
        stream.write(drawn(ending))


class SweepResult(Reported, Sweep):
    """A finished sweep of learning rates."""

    def __repr__(self) -> str:
        return f"<gdfit sweep: {self.target}, {len(self.rates)} rates; best {self.best}>"

    def _report(self) -> "Report":
        from gdcli.report.sweep import sweep_report

        return sweep_report(self)

    def plot(self, path: "str | os.PathLike[str]") -> None:
        """Draw the cost with each rate, and which rates work, to a .png, .svg or .pdf."""
        _write_picture(self, path)


class GroupSweepsResult(Reported, GroupSweeps):
    """A finished sweep of each group: ``sweeps`` in the order of ``groups``, None for a group without one."""

    __slots__ = ()

    def __repr__(self) -> str:
        from gdcli.base.names import count_of, listed

        return f"<gdfit sweep by {listed(self.by)}, {count_of(len(self.groups), 'group')}>"

    def _report(self) -> "Report":
        from gdcli.report.sweep import group_sweeps_report

        return group_sweeps_report(self)

    def plot(self, path: "str | os.PathLike[str]") -> None:
        """Draw the cost with each rate, the first groups side by side, to a .png, .svg or .pdf."""
        _write_picture(self, path)


class CurveResult(Reported, Curve):
    """A walk down a polynomial."""

    def __repr__(self) -> str:
        return f"<gdfit curve: {list(self.polynomial)} from {self.start}, {len(self.walks)} rates>"

    def _report(self) -> "Report":
        from gdcli.report.curve import curve_report

        return curve_report(self)

    def plot(self, path: "str | os.PathLike[str]") -> None:
        """Draw the curve and the steps on it, a panel for each rate, to a .png, .svg or .pdf."""
        _write_picture(self, path)


class ScoreResult(Reported, Score):
    """A model's measures on known values."""

    def __repr__(self) -> str:
        return f"<gdfit score: {self.target}, {self.rows.used} rows; RMSE {self.rmse:.6g}, R² {self.r2}>"

    def _report(self) -> "Report":
        from gdcli.models.score import Demands
        from gdcli.report.score import score_report

        return score_report(self, Demands())

    def plot(self, path: "str | os.PathLike[str]") -> None:
        """Draw predicted against actual and the residuals (logistic models: calibration and ROC): .png, .svg, .pdf."""
        _write_picture(self, path)


class DescriptionResult(Reported, Description):
    """A table, column by column."""

    def __repr__(self) -> str:
        return f"<gdfit description: {self.read} rows of {len(self.columns)} columns>"

    def _report(self) -> "Report":
        from gdcli.report.describe import describe_report

        return describe_report(self, lambda useless: f"gdcli.fit(…, exclude={list(useless)!r}, learning_rate='auto')")


R = TypeVar("R", FitResult, GroupsResult, SweepResult, GroupSweepsResult, CurveResult, ScoreResult, DescriptionResult)


def with_report(kind: type[R], record: Any, drawn: Callable[[], Any] | None = None) -> R:
    """The result of the class ``kind`` with the fields of ``record``.

    ``drawn`` is a function that fits once more, with a picture; None if no picture can be had.
    """
    values = {name: getattr(record, name) for name in field_names(record)}
    if isinstance(record, Fit):
        trace = Trace(record.trace)
        trace.terms = record.trace_terms
        values["trace"] = trace
    result = kind(**values)
    if drawn is not None:
        object.__setattr__(result, DRAWS_AGAIN, drawn)
    return result
