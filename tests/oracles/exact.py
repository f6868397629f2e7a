"""Least squares and its descent over rows of doubles in rational numbers: no rounding at all."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

Numbers = Sequence[Fraction]


def exactly(values: Sequence[float]) -> list[Fraction]:
    """The doubles as rational numbers."""
    return [Fraction(float(value)) for value in values]


def mean(values: Numbers) -> Fraction:
    """The arithmetic mean."""
    return sum(values, Fraction(0)) / len(values)


def centered(values: Numbers) -> list[Fraction]:
    """The values less their mean."""
    middle = mean(values)
    return [value - middle for value in values]


def dot(left: Numbers, right: Numbers) -> Fraction:
    """The sum of products."""
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def least_squares(columns: Sequence[Numbers], y: Numbers) -> tuple[list[Fraction], Fraction, Fraction]:
    """Slopes, intercept and mean squared residual, by Gauss-Jordan elimination of the normal equations."""
    A, z = [centered(column) for column in columns], centered(y)
    system = [[dot(a, b) for b in A] + [dot(a, z)] for a in A]
    for i in range(len(system)):
        pivot = next(r for r in range(i, len(system)) if system[r][i])
        system[i], system[pivot] = system[pivot], system[i]
        system[i] = [value / system[i][i] for value in system[i]]
        for r in range(len(system)):
            if r != i:
                system[r] = [a - system[r][i] * b for a, b in zip(system[r], system[i], strict=True)]
    slopes = [row[-1] for row in system]
    intercept = mean(y) - dot(slopes, [mean(column) for column in columns])
    residual = [t - dot(slopes, row) for t, row in zip(z, zip(*A, strict=True), strict=True)]
    return slopes, intercept, dot(residual, residual) / len(y)


def descent(columns: Sequence[Numbers], y: Numbers, rate: float) -> Iterator[tuple[list[Fraction], Fraction]]:
    """Slopes and intercept of each iteration of gradient descent from zero on standardised columns.

    In file units a step of a slope is 2η/N · Σ(x − x̄)r / s², and that of the prediction at the means 2η/N · Σr. As
    nothing is rounded, the sums over the rows are made once: Σ(x − x̄)r is Σ(x − x̄)y less the slopes' shares.
    """
    eta, N, center = Fraction(rate), len(y), mean(y)
    A, middles = [centered(column) for column in columns], [mean(column) for column in columns]
    products, with_target = [[dot(a, b) for b in A] for a in A], [dot(a, y) for a in A]
    steps = [2 * eta / N / (products[j][j] / (N - 1)) for j in range(len(A))]
    slopes, level = [Fraction(0)] * len(A), Fraction(0)
    while True:
        yield slopes, level - dot(slopes, middles)
        sums = [c - dot(row, slopes) for c, row in zip(with_target, products, strict=True)]
        slopes = [m + step * total for m, step, total in zip(slopes, steps, sums, strict=True)]
        level += 2 * eta * (center - level)


def cost(columns: Sequence[Numbers], y: Numbers, slopes: Numbers, intercept: Fraction) -> Fraction:
    """The mean squared error."""
    residual = [t - intercept - dot(slopes, row) for t, row in zip(y, zip(*columns, strict=True), strict=True)]
    return dot(residual, residual) / len(y)
