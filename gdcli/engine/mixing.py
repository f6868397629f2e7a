"""Columns of triangles replaced by mixtures of them: an orthogonal basis of the powers of a column, or another origin.

With stored columns aᵢ (each less its shift sᵢ), the mixture cⱼ + Σᵢ Tᵢⱼ xᵢ is Σᵢ Tᵢⱼ aᵢ less a shift of its own,
cⱼ + Σᵢ Tᵢⱼ sᵢ; so nothing but columns of R is combined, and a cell without a value stays 0.
"""

from collections.abc import Sequence
from math import comb

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array
from gdcli.engine.column import MISSING, Column
from gdcli.engine.qr import triangularize
from gdcli.engine.triangle import Triangle

# A power that the lower ones explain up to this share is nothing but rounding.
_DEPENDENT = 1e-13


@record(eq=False)
class Mixture:
    """The powers x, x² … xᵏ of a column replaced by k polynomials: ``coefficients`` (k, k+1), that of 1 first."""

    columns: tuple[Column, ...]
    coefficients: Array

    @property
    def constants(self) -> Array:
        """The coefficients of 1 (k,)."""
        return self.coefficients[:, 0]

    @property
    def matrix(self) -> Array:
        """The matrix (k, k) of what each power (row) adds to each polynomial (column)."""
        return self.coefficients[:, 1:].T

    def places(self, columns: Sequence[Column]) -> list[int]:
        """The places (k,) of the powers within ``columns``."""
        return [columns.index(column) for column in self.columns]

    def of_shifts(self, shift: Array) -> Array:
        """The shifts (…, k) of the polynomials, given those of the powers."""
        return self.constants + shift @ self.matrix

    def of_rows(self, X: Array, columns: Sequence[Column]) -> Array:
        """The rows ``X`` (n, q) over ``columns``, with the polynomials' values in place of those of the powers."""
        places = self.places(columns)
        mixed = X.copy()
        mixed[:, places] = self.of_shifts(X[:, places])
        return mixed


def orthogonal(triangle: Triangle, columns: Sequence[Column]) -> Mixture | None:
    """The polynomials of a column's powers that are orthogonal to 1 and to each other over the rows, each of length 1.

    That is the Gram-Schmidt basis of 1, x … xᵏ, which their triangle holds. None if a power depends on lower ones.
    """
    places = [triangle.columns.index(column) for column in columns]
    ones = triangle.R[:, 0].copy()
    gaps = Column(columns[0].name, MISSING)
    if gaps in triangle.columns:
        ones -= triangle.R[:, 1 + triangle.columns.index(gaps)]  # only rows with a value count
    A = np.column_stack([ones, triangle.R[:, [1 + place for place in places]]])
    S = triangularize(A)
    lengths = np.sqrt((S**2).sum(axis=0))
    if len(S) < S.shape[1] or not (np.diagonal(S) > _DEPENDENT * lengths).all():
        return None
    inverse = np.zeros_like(S)
    for j in range(len(S)):  # back substitution, in the triangle's own precision
        unit = np.zeros(len(S), dtype=S.dtype)
        unit[j] = 1.0
        for i in range(j, -1, -1):
            inverse[i, j] = (unit[i] - S[i, i + 1 : j + 1] @ inverse[i + 1 : j + 1, j]) / S[i, i]
    inverse[0, 1:] -= triangle.shift[places] @ inverse[1:, 1:]
    return Mixture(tuple(columns), inverse[:, 1:].T.astype(np.float64))


def moved_powers(columns: Sequence[Column], offset: float, factor: float) -> Mixture:
    """The powers of ``offset`` + ``factor`` · x from those of x, by the binomial theorem."""
    k = len(columns)
    coefficients = np.zeros((k, k + 1))
    for j in range(k):
        for i in range(j + 2):
            coefficients[j, i] = comb(j + 1, i) * offset ** (j + 1 - i) * factor**i
    return Mixture(tuple(columns), coefficients)


def mixed_triangle(triangle: Triangle, mixture: Mixture) -> Triangle:
    """The triangle of the same rows, or those of many lanes, with polynomials in place of the columns of powers."""
    places = mixture.places(triangle.columns)
    R, bounds = triangle.R.copy(), (triangle.shift, triangle.minimum, triangle.maximum)
    shift, minimum, maximum = (values.copy() for values in bounds)
    along = [1 + place for place in places]
    R[..., along] = triangle.R[..., along] @ mixture.matrix.astype(R.dtype)
    shift[..., places] = mixture.of_shifts(triangle.shift[..., places])
    minimum[..., places], maximum[..., places] = _range(minimum[..., places], maximum[..., places], mixture)
    return replace(triangle, R=triangularize(R), shift=shift, minimum=minimum, maximum=maximum)


def _range(low: Array, high: Array, mixture: Mixture) -> tuple[Array, Array]:
    """The least and greatest values (…, k) of k polynomials over the range of their column.

    ``low`` and ``high`` (…, k) are the ranges of the column's powers. A column without values has the range ∞ to −∞.
    """
    first, last = low[..., 0], high[..., 0]
    none = first > last
    first, last = np.where(none, 0.0, first), np.where(none, 0.0, last)
    least, greatest = np.empty_like(low), np.empty_like(high)
    for j, coefficients in enumerate(mixture.coefficients):
        polynomial = np.polynomial.Polynomial(coefficients)
        turns = polynomial.deriv().roots()
        at = [first, last, *(np.clip(turn, first, last) for turn in turns[np.isreal(turns)].real)]
        values = np.stack([polynomial(x) for x in at])
        least[..., j] = np.where(none, np.inf, values.min(axis=0))
        greatest[..., j] = np.where(none, -np.inf, values.max(axis=0))
    return least, greatest
