"""The objective over rows, for losses that no triangle stands for: cost(θ) = (1/N) Σ w·loss(z, y), z = c + m·x."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.objective import Point
from gdcli.engine.row_sums import DIGIT_BITS, Lanes, LossSums, Question, RowSums

# The loss counts as flat along a direction if its rise is below this share of the change of the predictions.
_NO_RISE = 1e-10

# Bytes for the cached results of the last points.
_REMEMBERED_BYTES = 1 << 18


class RowObjective:
    """The mean loss over groups of rows as a function of θ; an intercept comes first in θ.

    It is that of one problem, for θ (…, p), or of v problems on the same rows, for θ (…, v, p). Each θ is a lane: the
    rows are looked at once for all. The loss is in file units; a problem's cost is divided by its ``target_scale`` (v,)
    to the power ``degree``, the loss's. ``weight`` (v,) is N, the sum of the weights of the rows fitted, ``judged``
    (v,) that of the rows that judge the fit. The sums of groups are added in order, whichever process took them.

    A lane whose θ is not finite is not evaluated: all its figures are NaN.
    """

    def __init__(
        self, groups: Sequence[LossSums], weight: Array, judged: Array, target_scale: Array, degree: int = 2
    ) -> None:
        self._groups, self._weight, self._judged = groups, weight, judged
        self._units = target_scale**degree, target_scale ** (degree - 1)
        # A line search, the report of an iteration, and a descent by Newton's method after the search for the optimum
        # by the same come back to the same points.
        self._sums, self._hessians = _Remembered(), _Remembered()

    def value(self, theta: Array) -> Array:
        """The cost (…) at θ."""
        return self.at(theta).cost

    def at(self, theta: Array) -> Point:
        """The point at θ."""
        lanes = self._lanes(theta)
        sums, weight = self._looked(lanes), self._weight[lanes.problem]
        by_cost, by_slope = (unit[lanes.problem] for unit in self._units)
        cost = sums[:, 1] / weight / by_cost
        gradient = sums[:, 2:] / weight[:, np.newaxis] / by_slope[:, np.newaxis]
        return Point(theta, cost.reshape(theta.shape[:-1]), gradient.reshape(theta.shape))

    def judged(self, theta: Array) -> Array:
        """The mean loss (…) at θ over the rows that judge the fit, in file units."""
        lanes = self._lanes(theta)
        return (self._looked(lanes)[:, 0] / self._judged[lanes.problem]).reshape(theta.shape[:-1])

    def _looked(self, lanes: Lanes) -> Array:
        """The sums (L, 2 + p) at lanes; see :meth:`RowSums.gradient`."""
        return self._sums.at(lanes, (2 + lanes.theta.shape[1],), partial(self._total, RowSums.gradient))

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """The matrix of second derivatives (…, p, p) at θ, or that of the parabolas ``above`` the losses."""
        lanes = self._lanes(theta)
        p = theta.shape[-1]
        remembered, question = (_Remembered(), RowSums.hessian_above) if above else (self._hessians, RowSums.hessian)
        sums = remembered.at(lanes, (p, p), partial(self._total, question))
        found: Array = sums / self._weight[lanes.problem][:, np.newaxis, np.newaxis]
        return found.reshape(*theta.shape, p)

    def recedes(self, direction: Array) -> bool:
        """Whether the cost never rises along a direction (p,) of θ, however far; False if no prediction changes."""
        rise, change = self._total(RowSums.recession, self._lanes(direction))[0].tolist()
        return bool(rise <= _NO_RISE * change and change > 0)

    def median_residual(self, theta: Array) -> float:
        """The weighted median of |y − z| at θ (p,), in file units: the mean of the lower and the upper median.

        It is selected digit by digit, with one pass over the rows for each digit, so that no residual is kept.
        """
        half: float | None = None
        found, below = [0, 0], [0.0, 0.0]
        for shift in range(-(-64 // DIGIT_BITS) * DIGIT_BITS - DIGIT_BITS, -1, -DIGIT_BITS):
            prefixes = sorted(set(found))
            counts = self._total(RowSums.residuals, self._lanes(theta), prefixes=prefixes, shift=shift)
            half = float(counts.sum()) / 2.0 if half is None else half
            for k in range(2):
                row = counts[prefixes.index(found[k])]
                upto = below[k] + np.cumsum(row)
                # Rounding of the weights' sums may leave none above half: then it is the last one that is there.
                digit = min(
                    int(np.searchsorted(upto, half, side="right" if k else "left")), int(np.flatnonzero(row)[-1])
                )
                below[k] = float(upto[digit - 1]) if digit else below[k]
                found[k] = found[k] << DIGIT_BITS | digit
        return float(np.array(found, dtype=np.uint64).view(np.float64).mean())

    def _lanes(self, theta: Array) -> Lanes:
        """The lanes of θ (…, p), each with its problem: the last axis before p, if there are several."""
        v = len(self._weight)
        problem = np.zeros(theta.shape[:-1], np.intp) if v == 1 else np.broadcast_to(np.arange(v), theta.shape[:-1])
        return Lanes(theta.reshape(-1, theta.shape[-1]), problem.reshape(-1))

    def _total(self, sums: Callable[..., Array], lanes: Lanes, **more: object) -> Array:
        """The sums over all groups, by a method of :class:`RowSums`."""
        question: Question = partial(sums, lanes=lanes, **more)
        answers = [group.ask(question) for group in self._groups]
        total = answers[0]()
        for answer in answers[1:]:
            total = total + answer()
        return total


class _Remembered:
    """The values computed at the last few points."""

    def __init__(self) -> None:
        self._values: OrderedDict[tuple[int, bytes], Array] = OrderedDict()

    def at(self, lanes: Lanes, shape: tuple[int, ...], compute: Callable[[Lanes], Array]) -> Array:
        """The values (L, …) of lanes, each of a ``shape``, computed for those that are not remembered."""
        keys = [(problem, own.tobytes()) for problem, own in zip(lanes.problem.tolist(), lanes.theta, strict=True)]
        wanted = {key: i for i, key in enumerate(keys) if key not in self._values}
        if wanted:
            new = list(wanted.values())
            missing = lanes if len(new) == len(keys) else Lanes(lanes.theta[new], lanes.problem[new])
            self._values.update(zip(wanted, self._computed(missing, shape, compute), strict=True))
        for key in keys:
            self._values.move_to_end(key)  # the last to be forgotten
        found = np.array([self._values[key] for key in keys]).reshape(len(keys), *shape)
        most = max(len(keys), _REMEMBERED_BYTES * len(keys) // max(found.nbytes, 1))
        while len(self._values) > most:
            self._values.popitem(last=False)
        return found

    def _computed(self, lanes: Lanes, shape: tuple[int, ...], compute: Callable[[Lanes], Array]) -> Array:
        """The values (L, …) of lanes; NaN for those that are not finite."""
        numbers = np.isfinite(lanes.theta)
        if numbers.all():
            return compute(lanes)
        finite = np.asarray(numbers.all(axis=1))
        found = np.full((len(lanes.theta), *shape), np.nan)
        if finite.any():
            found[finite] = compute(Lanes(lanes.theta[finite], lanes.problem[finite]))
        return found
