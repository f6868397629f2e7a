"""How problems see the rows that were kept: each on its scale, and their target as the loss takes it.

A view is small and travels to where the rows are.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array, Mask, NDArray
from gdcli.engine.column import MISSING, Column
from gdcli.engine.losses.contract import Loss
from gdcli.engine.mixing import Mixture
from gdcli.engine.row_sums import LossSums, Question, RowBlock, RowSums
from gdcli.engine.scaling import Scaling
from gdcli.fitting.target import Target
from gdcli.ingest.kept_rows import KeptRows, LocalRows, RowGroup

if TYPE_CHECKING:
    from gdcli.fitting.problem import Problem


@record(eq=False)
class RowView:
    """The view that v problems have of the rows: ``columns`` scaled by their ``scalings``, gaps filled with ``means``.

    ``roles`` (folds, v) says what the rows of a fold are to a problem. Columns that are ``constant`` (v, p) in the rows
    fitted are zero: beside an intercept they explain nothing. ``mixtures`` make polynomials of the powers in the rows.
    """

    columns: tuple[Column, ...]
    scalings: tuple[Scaling, ...]
    means: tuple[Mapping[Column, float], ...]
    constant: Mask
    target: Target
    roles: NDArray[np.int8]
    mixtures: tuple[Mixture, ...] = ()

    def blocks(self, kept: Sequence[KeptRows]) -> list[RowBlock]:
        """The rows of the folds as blocks, each with its map to the scaled columns."""
        return [
            _block(self, rows, slice(start, stop), self.roles[fold])
            for rows in kept
            for fold, start, stop in _runs(rows.bounds, self.roles)
        ]


def view_of(problems: "Sequence[Problem]", target: Target, roles: NDArray[np.int8]) -> RowView:
    """The view of problems with the same terms; ``roles`` (folds, v) as in :class:`RowView`."""
    first = problems[0]
    constant = [problem.triangle.constant[:-1] & first.scaling.intercept for problem in problems]
    return RowView(
        tuple(first.terms.columns),
        tuple(problem.scaling for problem in problems),
        tuple(problem.means for problem in problems),
        np.array(constant),
        target,
        roles,
        first.terms.mixtures,
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
    scales = np.array([scaling.target_scale for scaling in view.scalings])
    return RowSums(view.blocks(kept), loss, view.scalings[0].intercept, scales, jobs, threads)


def _runs(bounds: Sequence[int], roles: NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """The first fold of each row range, and the range (start, stop); adjacent folds with the same roles make one."""
    runs: list[tuple[int, int, int]] = []
    for fold, own in enumerate(roles):
        start, stop = bounds[fold], bounds[fold + 1]
        if start == stop or not own.any():
            continue
        if runs and runs[-1][2] == start and (roles[runs[-1][0]] == own).all():
            runs[-1] = (*runs[-1][:2], stop)
        else:
            runs.append((fold, start, stop))
    return runs


def _block(view: RowView, rows: KeptRows, taken: slice, roles: NDArray[np.int8]) -> RowBlock:
    scale, known = np.array([scaling.scale for scaling in view.scalings]), ~view.constant
    place = {column: i for i, column in enumerate(rows.columns)}
    found = np.array([place.get(column, -1) for column in view.columns], dtype=np.intp)
    shift = np.where(found >= 0, np.append(rows.shift, 0.0)[found], 0.0)
    terms = np.flatnonzero(found >= 0)
    places, factor = found[terms], 1.0 / scale[:, terms]
    for mixture in view.mixtures:
        powers = mixture.places(rows.columns)
        shifts = mixture.of_shifts(rows.shift[powers])
        for i, column in enumerate(mixture.columns):
            if column not in view.columns:
                continue
            j = view.columns.index(column)
            shift[j], other = shifts[i], terms != j
            terms = np.append(terms[other], np.full(i + 1, j))
            places = np.append(places[other], powers[: i + 1])
            factor = np.hstack([factor[:, other], mixture.matrix[: i + 1, i] / scale[:, j, np.newaxis]])
    # A filled cell is its column's mean, and 0 among the rows as they are kept: less their shift.
    for j, column in enumerate(view.columns):
        gap = place.get(Column(column.name, MISSING))
        if column.level is None and gap is not None:
            means = np.array([means[column] for means in view.means])
            terms, places = np.append(terms, j), np.append(places, gap)
            factor = np.hstack([factor, ((means - shift[j]) / scale[:, j])[:, np.newaxis]])
    offset = np.array([scaling.centered(shift) / scaling.scale for scaling in view.scalings])

    def release(first: int, last: int) -> None:
        for pages in rows.pages:
            pages.drop(taken.start + first, taken.start + last)

    return RowBlock(
        X=rows.X[taken],
        y=view.target.of(rows)[taken],
        weights=None if rows.weights is None else rows.weights[taken],
        offset=np.where(known, offset, 0.0),
        terms=terms,
        places=places,
        factor=np.where(known[:, terms], factor, 0.0),
        roles=roles,
        release=release if rows.pages else None,
    )
