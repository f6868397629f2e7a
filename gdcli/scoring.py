"""``score``: how well a model predicts rows whose target is known, in one pass and in constant memory.

Errors are prediction − target. With weights every mean is weighted: cost = Σ w e² / Σ w, and with ȳ the mean of the
scored target R² = 1 − Σ w e² / Σ w (y − ȳ)².
"""

import math
import os
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from gdcli import __version__
from gdcli.data.stream import check_exists
from gdcli.data.table import Block, Source
from gdcli.engine.triangle import Array
from gdcli.errors import CellError, DataError
from gdcli.groupmodel import AnyModel
from gdcli.listener import Listener
from gdcli.parallel import fold, ordered_map
from gdcli.reading import ReadOptions, open_source
from gdcli.result import Rows
from gdcli.summary import Summary
from gdcli.text import quoted


@dataclass(frozen=True, slots=True)
class Demands:
    """The limits that a score has to keep; None for no limit."""

    max_rmse: float | None = None
    min_r2: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How well a model predicts. ``cost`` (mean squared error) is in squared target units, ``mean_error`` is the bias.

    ``r2`` is None where the target is constant. A measure that overflows is infinite.
    """

    version: str
    model: str
    files: tuple[str, ...]
    target: str
    weights: str | None
    rows: Rows
    cost: float
    rmse: float
    mae: float
    r2: float | None
    mean_error: float

    def unmet(self, demands: Demands) -> list[str]:
        """Return what misses its limit, as parts of a sentence."""
        found = []
        if demands.max_rmse is not None and not self.rmse <= demands.max_rmse:
            found.append(f"RMSE {self.rmse!r} is above --max-rmse {demands.max_rmse!r}")
        if demands.min_r2 is not None and self.r2 is None:
            found.append(f"there is no R² for --min-r2 {demands.min_r2!r}, as the target is constant")
        elif demands.min_r2 is not None and self.r2 is not None and not self.r2 >= demands.min_r2:
            found.append(f"R² {self.r2!r} is below --min-r2 {demands.min_r2!r}")
        return found


class Sums(NamedTuple):
    """The sums over some rows; two of them merge to those over all (Chan, Golub & LeVeque 1983 for the variance).

    ``weight`` is Σ w, ``mean`` and ``spread`` are those of the target: ȳ and Σ w (y − ȳ)².
    """

    read: int
    used: int
    missing: Mapping[str, int]
    weight: float
    error: float
    absolute: float
    squared: float
    mean: float
    spread: float
    lowest: float
    highest: float


def score_files(
    model: AnyModel,
    name: str,
    files: Sequence[str],
    weights: str | None,
    options: ReadOptions,
    listener: Listener,
) -> Score:
    """Score all rows of all files together; ``name`` is the model's. Raises DataError, CellError, UsageError."""
    for path in files:
        check_exists(path)

    def reduce(block: Block) -> Sums:
        return sums_of(model, block, weights)

    with closing(_blocks(model, files, weights, options, listener)) as blocks:
        sums = fold(ordered_map(reduce, blocks, options.jobs or os.cpu_count() or 1), merge)
    where = quoted(files[0]) if len(files) == 1 else f"{len(files)} files"
    if sums is None:
        raise DataError(f"{where}: there is a header but no row to score")
    if not sums.weight > 0:
        why = ", ".join(f"{quoted(column)} {count:,}" for column, count in _most_first(sums.missing))
        raise DataError(f"{where}: no row can be scored; rows without a usable value: {why or 'all weights are 0'}")
    cost = sums.squared / sums.weight
    return Score(
        version=__version__,
        model=name,
        files=tuple(files),
        target=model.target,
        weights=weights,
        rows=Rows(sums.read, sums.used, sums.read - sums.used, dict(_most_first(sums.missing))),
        cost=cost,
        rmse=math.sqrt(cost),
        mae=sums.absolute / sums.weight,
        r2=None if sums.lowest == sums.highest else _r2(sums),
        mean_error=sums.error / sums.weight,
    )


def sums_of(model: AnyModel, block: Block, weights: str | None) -> Sums:
    """Return the sums over a block. Rows without a prediction, a target or a weight are not used."""
    also = [model.target] if weights is None else [model.target, weights]
    table = model.table(block, also)
    prediction, y = model.predict_table(table), table.numeric[model.target]
    w = np.ones(table.rows) if weights is None else table.numeric[weights]
    _check_weights(w, block, weights)
    usable = ~(np.isnan(prediction) | np.isnan(y) | np.isnan(w))
    used = int(np.count_nonzero(usable))
    missing = {} if used == table.rows else {**model.missing_by_column(table), **_missing(table.numeric, also)}
    counted = usable & (w > 0)
    return _sums(prediction[counted], y[counted], w[counted])._replace(read=table.rows, used=used, missing=missing)


def merge(left: Sums, right: Sums) -> Sums:
    """Return the sums over the rows of both."""
    weight = left.weight + right.weight
    share = right.weight / weight if weight else 0.0
    step = right.mean - left.mean
    return Sums(
        read=left.read + right.read,
        used=left.used + right.used,
        missing=Counter(left.missing) + Counter(right.missing),
        weight=weight,
        error=left.error + right.error,
        absolute=left.absolute + right.absolute,
        squared=left.squared + right.squared,
        mean=left.mean + share * step if left.weight else right.mean,
        spread=left.spread + right.spread + step * step * left.weight * share,
        lowest=min(left.lowest, right.lowest),
        highest=max(left.highest, right.highest),
    )


def _sums(prediction: Array, y: Array, w: Array) -> Sums:
    weight = float(w.sum())
    if not len(y):
        return Sums(0, 0, {}, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, math.inf, -math.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        error = prediction - y
        offset = y - y[0]  # a target far from zero keeps its digits
        mean = float((w * offset).sum()) / weight
        return Sums(
            read=0,
            used=0,
            missing={},
            weight=weight,
            error=float((w * error).sum()),
            absolute=float((w * np.abs(error)).sum()),
            squared=float((w * error * error).sum()),
            mean=float(y[0]) + mean,
            spread=float((w * (offset - mean) ** 2).sum()),
            lowest=float(y.min()),
            highest=float(y.max()),
        )


def _r2(sums: Sums) -> float | None:
    r2 = 1.0 - sums.squared / sums.spread if sums.spread > 0 else math.nan
    return r2 if math.isfinite(r2) else None


def _missing(numeric: Mapping[str, Array], names: Sequence[str]) -> dict[str, int]:
    counts = {name: int(np.count_nonzero(np.isnan(numeric[name]))) for name in names}
    return {name: count for name, count in counts.items() if count}


def _most_first(missing: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(missing.items(), key=lambda item: -item[1])


def _check_weights(w: Array, block: Block, name: str | None) -> None:
    if (w < 0).any():
        row = int(np.argmax(w < 0))
        where = f"{block.where(row)}, column {quoted(name or '')}"
        raise CellError(f"{where}: a weight is not negative, this one is {w[row]:g}")


def _blocks(
    model: AnyModel, files: Sequence[str], weights: str | None, options: ReadOptions, listener: Listener
) -> Generator[Block, None, None]:
    """Yield the blocks of all files, which are opened one after the other."""
    for path in files:
        source = _open(path, options, listener)
        with closing(source.blocks()) as blocks:
            first = next(blocks, None)  # blocks that have begun close the file, whatever happens next
            model.require_columns(source.names, source.name, [model.target, *([] if weights is None else [weights])])
            for block in blocks if first is None else chain([first], blocks):
                listener.reading(*source.progress())
                yield block


def _open(path: str, options: ReadOptions, listener: Listener) -> Source:
    source = open_source(path, options, listener)
    if isinstance(source, Summary):
        raise DataError(f"{quoted(path)} is a summary, which holds no rows to score")
    return source
