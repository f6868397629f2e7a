"""The R of a QR factorization: by slices, in extended precision, of many triangles side by side."""

from collections.abc import Callable
from functools import partial

import numpy as np

from gdcli.base.parallel import several_maps
from gdcli.base.records import NamedTuple
from gdcli.engine.arrays import Array, Extended, NDArray
from gdcli.engine.blas import WIDE

# Wide enough for matrix products, and narrow enough that few zeros are worked on. Measured on 2,000 columns.
_PANEL = 64

# Columns of a stripe, which a thread works on at a time. Their number decides on the last bit, that of the threads not.
_STRIPE = 256


def with_rows_below(upper: Array, rows: Array, jobs: int | None = 1) -> Array:
    """The triangle R (q, q) of an upper triangle (q, q) and of ``rows`` (n, q) below it; its rows' signs are arbitrary.

    Rows that have zeros left of their diagonal, as those of another triangle, take less. ``jobs`` threads (all
    cores if None) share the work; the result is the same for any number.
    """
    R, S = upper.copy(), np.array(rows, order="C")
    q, n = len(R), len(S)
    dense = bool(S[1:, 0].any()) or bool(np.tril(S, -1).any())
    with several_maps(jobs if q > _STRIPE else 1) as each:
        for start in range(0, q, _PANEL):
            stop = min(start + _PANEL, q)
            height = n if dense else min(stop, n)
            raw, tau = np.linalg.qr(np.vstack([R[start:stop, start:stop], S[:height, start:stop]]), mode="raw")
            R[start:stop, start:stop] = np.triu(raw.T[: stop - start])
            reflect = partial(_reflect, _Reflections.of(raw, tau), R[start:stop], S[:height])
            each(reflect, range(stop, q, _STRIPE))
    return R


class _Reflections(NamedTuple):
    """The reflections of a panel, I − W·inverse·Wᵀ with W = [I; Vᵀ]: the upper rows were triangular.

    ``V`` (k, n) and ``inverse`` (k, k) for k columns; those with nothing to reflect have zeros.
    """

    V: Array
    inverse: Array

    @classmethod
    def of(cls, raw: Array, tau: Array) -> "_Reflections":
        """The reflections that LAPACK's ``raw`` (k, k + n) and ``tau`` (k,) stand for."""
        width = len(tau)
        V, acts = np.ascontiguousarray(raw[:, width:]), tau != 0
        V[~acts] = 0.0
        T: Array = np.triu(V @ V.T, 1)
        T[np.diag_indices(width)] = np.divide(1.0, tau, out=np.ones(width), where=acts)
        inverse = np.linalg.inv(T).T.astype(np.float64, copy=False)
        inverse[~acts] = 0.0
        return cls(V, inverse)


def _reflect(by: _Reflections, upper: Array, S: Array, start: int) -> None:
    """Reflect a stripe of columns, of ``upper`` (k, q) and of ``S`` (n, q) below it, in place."""
    stripe = slice(start, start + _STRIPE)
    inner = by.inverse @ (upper[:, stripe] + by.V @ S[:, stripe])
    upper[:, stripe] -= inner
    S[:, stripe] -= by.V.T @ inner


# A slice of 512 rows of a dozen columns stays in the L2 cache; measured 3 ms against 9 ms in one call on 65,536 × 12.
SLICE_ROWS = 512

# Bytes of rows that are reduced at a time: they stay in the cache. Measured on 12 columns, 2.4 ms against 3.6 at once.
_PART_BYTES = 3 << 19

# Up to this size a matrix is factorized in extended precision, where the platform has it (0.3 ms for 200 × 12).
_EXTENDED_ROWS, _EXTENDED_COLUMNS = SLICE_ROWS, 32


def triangularize(A: NDArray[np.floating]) -> Extended:
    """The R (q, q) of a QR factorization of ``A`` (n, q), with a non-negative diagonal; (n, q) if n < q.

    Of a stack (…, n, q), n ≥ q, that of each matrix, in double precision. The rows of one matrix are reduced in slices
    that stay in the cache, then the stacked results in the same way. What is small at the end is done in extended
    precision: textbook data keep all their digits.
    """
    if A.ndim > 2:
        return with_signs(_qr_r(A))
    n, q = A.shape
    if n >= 2 * _slice_rows(q):
        return triangularize_parts(lambda start, stop: A[start:stop], n, q)
    if small(n, q):
        return _extended(A)
    return with_signs(_qr_r(A).astype(kept_as(q), copy=False))


def triangularize_parts(part: Callable[[int, int], NDArray[np.floating]], n: int, q: int) -> Extended:
    """The R of a matrix (n, q) as of ``triangularize``, whose rows ``part(start, stop)`` gives, a few at a time."""
    slice_rows = _slice_rows(q)
    if n < 2 * slice_rows:
        return triangularize(part(0, n))
    step = max(_PART_BYTES // (8 * slice_rows * q), 1) * slice_rows
    parts = (part(start, min(start + step, n)) for start in range(0, n, step))
    return triangularize(np.vstack([rows for A in parts for rows in _reduced_slices(A, slice_rows)]))


def _slice_rows(q: int) -> int:
    return max(SLICE_ROWS, 4 * q)


def _reduced_slices(A: NDArray[np.floating], slice_rows: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The triangles of the slices of ``A`` (n, q), one below the other, and the rows that are left."""
    q, count = A.shape[1], len(A) // slice_rows
    whole = count * slice_rows
    # A view of A whether it lies in columns or in rows.
    slices = _qr_r(A[:whole].T.reshape(q, count, slice_rows).transpose(1, 2, 0))
    return slices.reshape(-1, q), A[whole:]


def with_signs(R: Extended) -> Extended:
    """The triangle ``R`` (…, q, q) with rows negated, in place, so that no number on its diagonal is negative."""
    np.negative(R, out=R, where=(np.diagonal(R, axis1=-2, axis2=-1) < 0)[..., np.newaxis])
    return R


def kept_as(q: int) -> type[np.floating]:
    """The NumPy type in which a triangle of q columns is kept: longdouble, or float64 for a wide one."""
    return np.longdouble if q <= WIDE else np.float64


def _qr_r(A: NDArray[np.floating]) -> Array:
    """R of each matrix in a stack (…, n, q), by LAPACK."""
    R: Array = np.linalg.qr(A.astype(np.float64, copy=False), mode="r")  # type: ignore[assignment]  # stubs: mode
    return R


def small(n: int, q: int) -> bool:
    """Whether a matrix (n, q) is small enough to be factorized in extended precision."""
    return n <= _EXTENDED_ROWS and q <= _EXTENDED_COLUMNS


def _extended(A: NDArray[np.floating]) -> Extended:
    """The R (q, q) of ``A`` (n, q) by Gram-Schmidt with reorthogonalisation in extended precision.

    Projecting twice is enough (Giraud, Langou, Rozložník, van den Eshof, Numer. Math. 101, 2005). A column that
    depends on those before it gets a zero row.
    """
    Q = A.astype(np.longdouble)
    q = Q.shape[1]
    R = np.zeros((q, q), dtype=np.longdouble)
    rounding = 8 * np.finfo(np.longdouble).eps
    for k in range(q):
        column = Q[:, k]
        before = np.sqrt(column @ column)
        for _ in range(2):
            shares = column @ Q[:, :k]
            R[:k, k] += shares
            column -= Q[:, :k] @ shares
        norm = np.sqrt(column @ column)
        if norm > rounding * before:
            R[k, k] = norm
            column /= norm
        else:
            column[:] = 0.0
    return R
