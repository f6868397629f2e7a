"""Inference on a fit: the certainty of each coefficient, and whether it holds for the descent's coefficients too."""

import math

from gdcli.base.errors import UsageError
from gdcli.base.records import NamedTuple, replace
from gdcli.engine import inference as engine
from gdcli.engine.arrays import Array
from gdcli.fitting.learning_rate import forecast_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem
from gdcli.fitting.results import Certainty, Coefficient, Inference, LearningRate

# A coefficient this near to its optimum, in standard errors, has the optimum's certainty.
_NEAR = 0.01


class Inferred(NamedTuple):
    """Coefficients with their certainty, and the inference on the ``whole`` fit (None without a degree of freedom)."""

    coefficients: tuple[Coefficient, ...]
    intercept: Coefficient
    whole: Inference | None


def require_scipy(option: str = "--inference") -> None:
    """Raise UsageError where scipy is not installed, before any data are read."""
    try:
        import scipy.special  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        raise UsageError(f"{option} needs scipy: pip install 'gdfit[stats]'") from None


def inference_of(
    problem: Problem,
    coefficients: tuple[Coefficient, ...],
    intercept: Coefficient,
    options: FitOptions,
    rate: LearningRate,
) -> Inferred:
    """The coefficients with their certainty at the optimum of a fit, and the inference on the whole."""
    found = engine.inference(problem.triangle, problem.optimum, options.model.intercept)
    if found is None:
        return Inferred(coefficients, intercept, None)
    all_of_them = [*coefficients, *([intercept] if options.model.intercept else [])]
    certain = [
        replace(coefficient, certainty=Certainty(*(known(values[i]) for values in _columns(found))))
        for i, coefficient in enumerate(all_of_them)
    ]
    forecast, near = forecast_of(problem, options), _near_gap(problem, found.residual_sd)
    whole = Inference(
        residual_sd=found.residual_sd,
        degrees_of_freedom=found.degrees_of_freedom,
        r2=known(found.r2),
        adjusted_r2=known(found.adjusted_r2),
        f=known(found.f),
        f_p=known(found.f_p),
        f_degrees_of_freedom=found.f_degrees_of_freedom,
        confidence=engine.CONFIDENCE,
        applies=all(_near(coefficient) for coefficient in certain),
        iterations_to_apply=forecast.iterations_to(rate.given, near),
        best_iterations_to_apply=None if rate.best is None else forecast.iterations_to(rate.best, near),
    )
    return Inferred(tuple(certain[: len(coefficients)]), certain[-1] if options.model.intercept else intercept, whole)


def _columns(found: engine.CoefficientTests) -> tuple[Array, ...]:
    return found.std_error, found.t, found.p, found.low, found.high


def _near(coefficient: Coefficient) -> bool:
    certainty, value, optimum = coefficient.certainty, coefficient.value, coefficient.optimum
    if value is None or optimum is None or certainty is None:
        return False
    return certainty.std_error is None or abs(value - optimum) <= _NEAR * certainty.std_error


def _near_gap(problem: Problem, residual_sd: float) -> float:
    """A gap at which all coefficients are near their optimum.

    No coefficient is further from it, in standard errors, than ‖R₁(θ − θ*)‖/s (by Cauchy-Schwarz, as its variance is
    s² times the squared norm of its row of R₁⁻¹).
    """
    return float((_NEAR * residual_sd / problem.scaling.target_scale) ** 2 / problem.triangle.weight)


def known(value: float) -> float | None:
    """The number; None for NaN or infinity."""
    return float(value) if math.isfinite(value) else None
