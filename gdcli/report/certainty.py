"""How sure the coefficients are, for people: standard errors, t, p and intervals, and what they mean."""

import math
from collections.abc import Sequence

from gdcli.engine.descent import Stopped
from gdcli.fitting.results import Certainty, Fit, Inference
from gdcli.report import numbers
from gdcli.report.sentences import UNCENTERED

# What is itself uncertain is not read to more digits than this.
_MOST_DIGITS = 4

_T_DECIMALS, _LARGEST_T = 3, 1e5

# More iterations than this are no advice.
_MOST_TO_ADVISE = 10_000_000

_UNKNOWN = Certainty(None, None, None, None, None)


def certainty_cells(rows: Sequence[Certainty | None], digits: int) -> list[list[str]]:
    """Five columns of cells, one cell per coefficient: standard error, t, p, lower end and upper end.

    A cell is blank if its number does not exist.
    """
    found = [row or _UNKNOWN for row in rows]
    # One format for both ends, to compare them line by line.
    ends = numbers.mixed([end for one in found for end in (one.low, one.high)], digits)
    return [
        numbers.mixed([one.std_error for one in found], min(digits, _MOST_DIGITS)),
        _t_cells([one.t for one in found]),
        ["" if one.p is None else numbers.p_value(one.p) for one in found],
        ends[::2],
        ends[1::2],
    ]


def _t_cells(values: Sequence[float | None]) -> list[str]:
    known = [abs(value) for value in values if value is not None]
    if max(known, default=0.0) >= _LARGEST_T:
        return numbers.column(values, _MOST_DIGITS)
    return numbers.aligned(["" if value is None else numbers.decimal(value, _T_DECIMALS) for value in values])


def format_inference(found: Inference, digits: int = 6, centered: bool = True) -> list[str]:
    """R², the residual standard deviation and F, a text each; those that do not exist are left out."""
    freedom = numbers.count(found.degrees_of_freedom)
    parts = []
    if found.r2 is not None:
        adjusted = "" if found.adjusted_r2 is None else f", adjusted {numbers.decimal(found.adjusted_r2, digits)}"
        how = "" if centered else f", {UNCENTERED}"
        parts.append(f"R² {numbers.decimal(found.r2, digits)}{adjusted}{how}")
    parts.append(f"residual SD {numbers.number(found.residual_sd, digits)} on {_degrees(freedom)}")
    if found.f is not None and found.f_p is not None:
        p = numbers.p_value(found.f_p)
        p = f"p {p}" if p.startswith("<") else f"p = {p}"
        above = numbers.count(found.f_degrees_of_freedom)
        parts.append(f"F {numbers.number(found.f, digits)} on {above} and {freedom}, {p}")
    return parts


def format_interval_meaning(fit: Fit, found: Inference) -> list[str]:
    """Sentences on the limits of the standard errors and intervals; none if there is nothing to warn of.

    They say whether the fit is perfect, whether the descent is still far from the minimum that the errors belong to,
    and whether terms are collinear.
    """
    sentences = []
    if not found.residual_sd:
        sentences.append("The least-squares fit is perfect: no residual is left to judge by.")
    elif not found.applies:
        sentences.append(
            "Errors, t, p and intervals belong to the minimum, not to the coefficients of the descent, which "
            f"{_distance(fit)}. {_way_there(fit, found)}"
        )
    if fit.collinear:
        with_intercept = "" if fit.intercept is None else ", nor has the intercept beside them"
        sentences.append(
            f"Collinear terms have no standard errors of their own{with_intercept}: the data do not tell their shares "
            "apart."
        )
    return sentences


def _distance(fit: Fit) -> str:
    rows = [*fit.coefficients, *([] if fit.intercept is None else [fit.intercept])]
    apart = [
        abs(row.value - row.optimum) / row.certainty.std_error
        for row in rows
        if row.certainty is not None and row.certainty.std_error and row.value is not None and row.optimum is not None
    ]
    furthest = max(apart, default=math.nan)
    if not math.isfinite(furthest):
        return "are not there yet"
    return f"are up to {numbers.number(furthest, 2).strip()} standard errors away from it"


def _way_there(fit: Fit, found: Inference) -> str:
    """Say which -n, or which --lr, brings all coefficients within 0.01 standard errors."""
    rate, given, best = fit.learning_rate, found.iterations_to_apply, found.best_iterations_to_apply
    if fit.descent.stopped is Stopped.PATIENCE:
        return "Without --patience they would come closer."
    if fit.descent.stopped is Stopped.TOLERANCE:
        return "A smaller --tol brings them closer."
    possible = [n for n in (given, best) if n is not None and n <= _MOST_TO_ADVISE]
    if not possible and rate.behaviour is None:
        return "More iterations (-n) may bring them closer."
    if not possible:
        return "No practical number of iterations brings them there."
    if given is not None and given <= 2 * min(possible):
        return f"-n {numbers.rounded_up(given)} brings them there."
    if rate.best is None or best is None:
        return "More iterations bring them closer."
    # A rate rounded down to three digits is up to 1 % slower.
    enough = numbers.rounded_up(math.ceil(1.01 * best) + 1)
    return f"--lr {numbers.rate(numbers.rounded_rate(rate.best))} -n {enough} brings them there."


def _degrees(freedom: str) -> str:
    return f"{freedom} degree{'' if freedom == '1' else 's'} of freedom"
