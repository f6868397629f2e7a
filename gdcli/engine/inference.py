"""Standard errors, t, p and intervals of the least-squares coefficients, from the triangle.

With X = QR the covariance of the slopes is s²(RᵀR)⁻¹ and that of the intercept follows from the means (Seber & Lee,
Linear Regression Analysis, 2nd ed., sections 3.3 and 4.3). p and the intervals come from Student's t and F
distributions of scipy, imported when used.
"""

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array, Extended
from gdcli.engine.least_squares import Solution
from gdcli.engine.qr import triangularize
from gdcli.engine.scaling import scale
from gdcli.engine.triangle import Triangle, square

CONFIDENCE = 0.95

# A residual below this share of the total sum of squares is rounding.
PERFECT_FIT = 1e-24


@record(eq=False)
class CoefficientTests:
    """Arrays with one figure for each term, then the intercept if the model has one. NaN: the figure does not exist.

    ``residual_sd`` with its ``degrees_of_freedom``, R² and F are of the whole fit.
    """

    std_error: Array
    t: Array
    p: Array
    low: Array
    high: Array
    residual_sd: float
    degrees_of_freedom: int
    r2: float
    adjusted_r2: float
    f: float
    f_p: float
    f_degrees_of_freedom: int


def inference(triangle: Triangle, best: Solution, intercept: bool) -> CoefficientTests | None:
    """The inference for a triangle whose last column is the target; None if no degree of freedom is left.

    The figures of collinear terms are NaN, because the data do not determine their coefficients. Raises ImportError
    without scipy.
    """
    from scipy import special  # type: ignore[import-untyped]

    n, rank = triangle.count, best.rank
    freedom = n - rank - int(intercept)
    if freedom <= 0:
        return None
    R, z, rest, mean = _reduced(triangle, intercept)
    determined = np.ones(len(best.slopes), dtype=bool)
    for group in best.collinear:
        determined[list(group)] = False
    determined &= np.diagonal(R) != 0
    total = float(z @ z + rest**2)
    residual = float(rest**2 + _unexplained(R, z, best))
    if residual <= PERFECT_FIT * total:
        residual = 0.0
    residual_variance = residual / freedom
    spread = _inverse(R) if rank == len(best.slopes) else _pseudo_inverse(triangle, best, intercept)
    std_error = np.sqrt(residual_variance) * np.linalg.norm(spread.astype(np.float64), axis=1)
    std_error[~determined] = np.nan
    values = best.slopes
    if intercept:
        across = float(np.linalg.norm((mean @ spread).astype(np.float64)))
        error = np.sqrt(residual_variance * (1.0 / triangle.weight + across**2))
        std_error = np.append(std_error, error if determined.all() else np.nan)
        values = np.append(values, best.intercept)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = values / std_error
        p = 2.0 * special.stdtr(freedom, -np.abs(t))
    half = special.stdtrit(freedom, 0.5 + CONFIDENCE / 2) * std_error
    explained = total - residual
    f = explained / rank / residual_variance if rank and residual_variance > 0 else np.nan
    degrees = n - int(intercept)
    return CoefficientTests(
        std_error=std_error,
        t=np.where(np.isfinite(t), t, np.nan),
        p=np.where(np.isfinite(t), p, np.nan),
        low=values - half,
        high=values + half,
        residual_sd=float(np.sqrt(residual_variance)),
        degrees_of_freedom=freedom,
        r2=explained / total if total > 0 else np.nan,
        adjusted_r2=1.0 - residual_variance / (total / degrees) if total > 0 else np.nan,
        f=float(f),
        f_p=float(special.fdtrc(rank, freedom, f)) if np.isfinite(f) else np.nan,
        f_degrees_of_freedom=rank,
    )


@record
class RowSpread:
    """The uncertainty of a prediction for a row x (p,): its variance is s²·h, h = 1/W + ‖(x − mean)·factor‖².

    ``factor`` (p, rank) is R⁻¹ of the centered columns, ``weight`` W is that of all rows (None without an intercept:
    then 1/W is 0 and the mean too), ``residual_sd`` s with its ``degrees_of_freedom``.
    """

    mean: tuple[float, ...]
    factor: tuple[tuple[float, ...], ...]
    weight: float | None
    residual_sd: float
    degrees_of_freedom: int

    def leverage(self, X: Array) -> Array:
        """h (n,) for rows X (n, p)."""
        rank = len(self.factor[0]) if self.factor else 0
        across = (X - np.array(self.mean)) @ np.array(self.factor).reshape(len(self.mean), rank)
        found: Array = (across**2).sum(axis=1) + (0.0 if self.weight is None else 1.0 / self.weight)
        return found

    def half_widths(self, X: Array, confidence: float) -> tuple[Array, Array]:
        """Two arrays (n,) at rows X (n, p): half the width of the interval for the mean, and for one new value."""
        from scipy import special

        t = float(special.stdtrit(self.degrees_of_freedom, 0.5 + confidence / 2))
        h = self.leverage(X)
        return t * self.residual_sd * np.sqrt(h), t * self.residual_sd * np.sqrt(1.0 + h)


def row_spread(triangle: Triangle, best: Solution, intercept: bool) -> RowSpread | None:
    """The numbers from which a prediction's standard error and intervals are computed for any row.

    ``best`` is the least-squares optimum. None if no degree of freedom is left.
    """
    freedom = triangle.count - best.rank - int(intercept)
    if freedom <= 0:
        return None
    R, z, rest, mean = _reduced(triangle, intercept)
    total = float(z @ z + rest**2)
    residual = float(rest**2 + _unexplained(R, z, best))
    residual = 0.0 if residual <= PERFECT_FIT * total else residual
    factor = _inverse(R) if best.rank == len(best.slopes) else _pseudo_inverse(triangle, best, intercept)
    return RowSpread(
        mean=tuple(mean.astype(np.float64).tolist()),
        factor=tuple(map(tuple, factor.astype(np.float64).tolist())),
        weight=triangle.weight if intercept else None,
        residual_sd=float(np.sqrt(residual / freedom)),
        degrees_of_freedom=freedom,
    )


def _reduced(triangle: Triangle, intercept: bool) -> tuple[Extended, Extended, np.longdouble, Extended]:
    """R (p, p), z (p,), ρ of the centred columns (with the means) or, without an intercept, of the raw ones."""
    full = square(triangle.R)
    if intercept:
        R = full[1:, 1:]
        mean: Extended = triangle.mean[:-1]
    else:
        full[0, 1:] = triangle.mean * full[0, 0]
        R = triangularize(full[:, 1:])
        mean = np.zeros(len(R) - 1, dtype=np.longdouble)
    return R[:-1, :-1], R[:-1, -1], R[-1, -1], mean


def _unexplained(R: Extended, z: Extended, best: Solution) -> float:
    """The residual of z that a rank-deficient solution adds: zero with full rank."""
    if best.rank == len(z):
        return 0.0
    left = z - R @ best.slopes.astype(np.longdouble)
    return float(left @ left)


def _pseudo_inverse(triangle: Triangle, best: Solution, intercept: bool) -> Extended:
    """The pseudo-inverse (p, rank) of the columns' R, but for a rotation, which leaves the norms of its rows."""
    singular, V = best.standardized
    width = scale(triangle, "standard", intercept)[1].scale
    return ((V.T / singular) / width[:, np.newaxis]).astype(np.longdouble)


def _inverse(R: Extended) -> Extended:
    """R⁻¹ (p, p), whose rows have the norms that turn s into standard errors."""
    p = len(R)
    inverse = np.zeros((p, p), dtype=np.longdouble)
    for i in reversed(range(p)):
        inverse[i, i] = 1.0 / R[i, i]
        inverse[i, i + 1 :] = -(R[i, i + 1 :] @ inverse[i + 1 :, i + 1 :]) / R[i, i]
    return inverse
