"""The exact minimum of a quadratic with an l1 term, by an active set."""

import numpy as np

from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.least_squares import RANK_TOLERANCE, Solution
from gdcli.engine.penalty import Penalty
from gdcli.engine.quadratic import Quadratic
from gdcli.engine.scaling import Scaling

# A gradient that exceeds B by less than this share of the largest at the start does so by rounding.
_ROUNDING = 1e-14

# The steps of the active-set method for each column; each step lowers the cost, few data need more than one.
_STEPS_PER_COLUMN = 20


def penalized_optimum(problem: Quadratic, penalty: Penalty, scaling: Scaling, unpenalized: Solution) -> Solution:
    """The minimum of ``problem`` plus B·Σ|β|; the quadratic of ``problem`` contains A·Σβ² already.

    ``unpenalized`` is the solution without a penalty; it says which columns are collinear. With A > 0 all coefficients
    are determined. With B alone only the prediction of collinear columns together is.
    """
    first = 1 if penalty.intercept else 0
    # Rank is judged on columns of one length; see optimum.
    singular = np.linalg.svd(problem.R1 / _lengths(problem.R1), compute_uv=False)
    rank = int(np.count_nonzero(singular > RANK_TOLERANCE * singular.max(initial=0.0)))
    Vt = np.linalg.svd(problem.R1, full_matrices=False)[2]
    theta = lasso_minimum(problem, penalty)
    m, c = scaling.to_file(theta)
    residual = problem.z - problem.R1 @ theta
    cost = float((residual @ residual + problem.rho**2) / problem.weight + penalty.corner(theta))
    return Solution(
        slopes=m,
        intercept=float(c),
        theta=theta,
        cost=cost * scaling.target_scale**2,
        rank=rank - first if penalty.l2 else unpenalized.rank,
        row_space=(None if rank == len(theta) else Vt[:rank]) if penalty.l2 else unpenalized.row_space,
        standardized=unpenalized.standardized,
    )


def _lengths(R1: Array) -> Array:
    """The Euclidean lengths of the columns (p,), 1 in place of 0."""
    lengths: Array = np.linalg.norm(R1, axis=0)
    return np.where(lengths > 0, lengths, 1.0)


def lasso_minimum(problem: Quadratic, penalty: Penalty) -> Array:
    """The minimum θ* (p,) of ‖z − R₁θ‖²/N + B·Σ|β|, to rounding.

    An active-set method. The problem of the slopes that are not zero, with their signs, is solved exactly. The step to
    its solution ends where a slope would change its sign, and that slope becomes zero. Then the zero slope whose
    gradient exceeds B most joins (Lee, Battle, Raina & Ng, Efficient sparse coding algorithms, NIPS 2006, the
    feature-sign search).
    """
    lengths = _lengths(problem.R1)
    # With columns of length 1, and slopes that much longer, columns of very different size are told apart.
    R1, z, weight = problem.R1 / lengths, problem.z, float(problem.weight)
    p, l1 = R1.shape[1], penalty.l1 / lengths
    first = 1 if penalty.intercept else 0
    penalized = np.arange(p) >= first
    theta, signs = np.zeros(p), np.zeros(p)
    active = ~penalized | (penalty.l1 == 0)
    pull = l1 * weight / 2.0
    rounding = _ROUNDING * 2.0 / weight * float(np.abs(R1.T @ z).max(initial=0.0))
    for _ in range(_STEPS_PER_COLUMN * (p + 1)):
        theta, stepped = _step(R1, z, pull, theta, signs, active)
        dropped = active & penalized & (theta == 0) & (signs != 0)
        active, signs = active & ~dropped, np.where(dropped, 0.0, signs)
        if not stepped:
            continue
        gradient = -2.0 / weight * (R1.T @ (z - R1 @ theta))
        excess = np.where(active, 0.0, np.abs(gradient) - l1)
        worst = int(np.argmax(excess)) if p else 0
        if not p or excess[worst] <= rounding:
            break
        active[worst], signs[worst] = True, -np.sign(gradient[worst])
    # What the first solution lost to rounding.
    return _step(R1, z, pull, theta, signs, active)[0] / lengths


def _step(
    R1: Array, z: Array, pull: Array, theta: Array, signs: Array, active: NDArray[np.bool_]
) -> tuple[Array, bool]:
    """Go to the minimum of ½‖z − R₁θ‖² + Σ pull·signs·θ over the active columns; and whether it was reached.

    Otherwise the first slope to arrive at zero stops it there. Where the active columns depend on each other the
    direction that leaves the prediction and lowers Σ|β| comes first: it leads to such a zero.
    """
    chosen = np.flatnonzero(active)
    if not len(chosen):
        return theta, True
    U, singular, Vt = np.linalg.svd(R1[:, chosen], full_matrices=False)
    kept = singular > RANK_TOLERANCE * singular.max(initial=0.0)
    pulled = pull[chosen] * signs[chosen]
    free = Vt[~kept].T @ (Vt[~kept] @ pulled)
    downhill = np.linalg.norm(free) > 1e-8 * np.linalg.norm(pulled)
    if downhill:
        direction = -free
    else:
        s, V = singular[kept], Vt[kept].T
        direction = V @ ((U[:, kept].T @ (z - R1 @ theta) - (V.T @ pulled) / s) / s)
    here, sign = theta[chosen], signs[chosen]
    towards_zero = (sign != 0) & (sign * (direction if downhill else here + direction) < 0)
    if not towards_zero.any():
        moved = theta.copy()
        moved[chosen] = here + direction
        return moved, True
    shares = np.full(len(chosen), np.inf)
    shares[towards_zero] = -here[towards_zero] / direction[towards_zero]
    share = max(float(shares.min()), 0.0)
    moved = theta.copy()
    moved[chosen] = here + share * direction
    moved[chosen[shares <= share]] = 0.0
    return moved, False


def gap(problem: Quadratic, penalty: Penalty, theta: Array, best: Array) -> Array:
    """cost(θ) − cost(θ*) (…) = ‖R₁(θ − θ*)‖²/N + what the corners add: terms of which none is negative."""
    distance = np.matvec(problem.R1, theta - best)
    total: Array = np.vecdot(distance, distance) / problem.weight
    if penalty.l1:
        gradient = -2.0 / problem.weight * (problem.R1.T @ (problem.z - problem.R1 @ best))
        total = total + corner_gap(penalty, theta, best, gradient)
    return total


def corner_gap(penalty: Penalty, theta: Array, best: Array, gradient: Array) -> float:
    """B·Σ(|β| − |β*|) + g·(θ − θ*), with g (p,) the ``gradient`` of the smooth part at the minimum θ*.

    That is Σ (B·|βⱼ| + gⱼβⱼ), no term of which is negative: where β*ⱼ is not zero gⱼ is −B·sign(β*ⱼ), and elsewhere
    |gⱼ| ≤ B.
    """
    g, slopes, ideal = (penalty.slopes(values) for values in (gradient, theta, best))
    g = np.where(ideal != 0, -penalty.l1 * np.sign(ideal), np.clip(g, -penalty.l1, penalty.l1))
    return float((penalty.l1 * np.abs(slopes) + g * slopes).sum())
