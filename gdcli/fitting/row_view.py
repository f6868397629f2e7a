"""How a problem sees the rows that were kept: on its scale, and their target as its loss takes it.

A view is small and travels to where the rows are.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.column import MISSING, Column
from gdcli.engine.losses.contract import Loss
from gdcli.engine.mixing import Mixture
from gdcli.engine.row_objective import LossSums, Question, RowBlock, RowSums
from gdcli.engine.scaling import Scaling
from gdcli.fitting.target import Target
from gdcli.ingest.kept_rows import KeptRows, LocalRows, RowGroup

if TYPE_CHECKING:
    from gdcli.fitting.problem import Problem


@record(eq=False)
class RowView:
    """A problem's view of the rows in ``folds``: their ``columns`` scaled by ``scaling``, gaps filled with ``means``.

    Columns that are ``constant`` in the rows fitted are left out: beside an intercept they explain nothing.
    ``mixtures`` make polynomials of the powers in the rows.
    """

    columns: tuple[Column, ...]
    scaling: Scaling
    means: Mapping[Column, float]
    constant: NDArray[np.bool_]
    target: Target
    folds: tuple[int, ...]
    mixtures: tuple[Mixture, ...] = ()

    def blocks(self, kept: Sequence[KeptRows]) -> list[RowBlock]:
        """The rows of the folds as blocks, each with its map to the scaled columns."""
        return [_block(self, rows, start, stop) for rows in kept for start, stop in _runs(rows.bounds, self.folds)]


def view_of(problem: "Problem", target: Target, folds: Sequence[int]) -> RowView:
    """The view of the rows in ``folds`` on a problem's scale."""
    constant = (
        problem.triangle.constant[:-1] if problem.scaling.intercept else np.zeros(len(problem.terms.columns), bool)
    )
    columns = tuple(problem.terms.columns)
    return RowView(
        columns, problem.scaling, problem.means, constant, target, tuple(sorted(folds)), problem.terms.mixtures
    )


def row_sums(
    group: RowGroup, view: RowView, loss: Loss, jobs: int | None, threads: ThreadPoolExecutor | None
) -> LossSums:
    """The evaluator of a loss over one row group, in this process or on a worker."""
    if isinstance(group, LocalRows):
        return _sums(group.blocks, view, loss, jobs, threads)
    return _RemoteSums(group, view, loss)


@record
class _RemoteSums:
    """The sums over a group in another process."""

    group: RowGroup
    view: RowView
    loss: Loss

    def ask(self, question: Question) -> Callable[[], Array]:
        return self.group.ask(partial(_evaluate_on_worker, view=self.view, loss=self.loss, question=question))


def _evaluate_on_worker(kept: Sequence[KeptRows], view: RowView, loss: Loss, question: Question) -> Array:
    """The answer to a question about a loss, evaluated where the rows are."""
    return question(_sums(kept, view, loss, 1, None))


def _sums(
    kept: Sequence[KeptRows], view: RowView, loss: Loss, jobs: int | None, threads: ThreadPoolExecutor | None
) -> RowSums:
    scaling = view.scaling
    return RowSums(view.blocks(kept), loss, scaling.intercept, scaling.target_scale, jobs, threads)


def _runs(bounds: Sequence[int], folds: Sequence[int]) -> list[tuple[int, int]]:
    """The row ranges (start, stop) of some folds; adjacent folds make one range."""
    runs: list[tuple[int, int]] = []
    for fold in folds:
        start, stop = bounds[fold], bounds[fold + 1]
        if start < stop and runs and runs[-1][1] == start:
            runs[-1] = runs[-1][0], stop
        elif start < stop:
            runs.append((start, stop))
    return runs


def _block(view: RowView, rows: KeptRows, start: int, stop: int) -> RowBlock:
    scaling, constant, taken = view.scaling, view.constant, slice(start, stop)
    place = {column: i for i, column in enumerate(rows.columns)}
    found = np.array([place.get(column, -1) for column in view.columns], dtype=np.intp)
    shift = np.where(found >= 0, np.append(rows.shift, 0.0)[found], 0.0)
    terms = np.flatnonzero((found >= 0) & ~constant)
    places, factor = found[terms], 1.0 / scaling.scale[terms]
    for mixture in view.mixtures:
        powers = mixture.places(rows.columns)
        shifts = mixture.of_shifts(rows.shift[powers])
        for i, column in enumerate(mixture.columns):
            j = view.columns.index(column) if column in view.columns else -1
            if j < 0 or constant[j]:
                continue
            shift[j], other = shifts[i], terms != j
            terms = np.append(terms[other], np.full(i + 1, j))
            places = np.append(places[other], powers[: i + 1])
            factor = np.append(factor[other], mixture.matrix[: i + 1, i] / scaling.scale[j])
    # A filled cell is its column's mean, and 0 among the rows as they are kept: less their shift.
    for j, column in enumerate(view.columns):
        gap = place.get(Column(column.name, MISSING))
        if column.level is None and gap is not None and not constant[j]:
            step = (view.means[column] - shift[j]) / scaling.scale[j]
            terms, places, factor = np.append(terms, j), np.append(places, gap), np.append(factor, step)

    def release(first: int, last: int) -> None:
        for pages in rows.pages:
            pages.drop(start + first, start + last)

    return RowBlock(
        X=rows.X[taken],
        y=view.target.of(rows)[taken],
        weights=None if rows.weights is None else rows.weights[taken],
        offset=np.where(constant, 0.0, scaling.centered(shift) / scaling.scale),
        terms=terms,
        places=places,
        factor=factor,
        release=release if rows.pages else None,
    )
