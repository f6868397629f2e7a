"""``score``: how well a model predicts rows whose target is known, in one pass and in constant memory.

Errors are prediction − target. With weights every mean is weighted: cost = Σ w e² / Σ w, and with ȳ the mean of the
scored target R² = 1 − Σ w e² / Σ w (y − ȳ)². Of a logistic model y is 1 for the event and 0 for the other class.
"""

import math
import os
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from operator import add
from types import MappingProxyType

import numpy as np

from gdcli import __version__
from gdcli.base.errors import CellError, DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.base.parallel import merge_all, ordered_map, put_back
from gdcli.base.records import NamedTuple, field, record
from gdcli.data.cells import is_number
from gdcli.data.streams import check_exists
from gdcli.data.table import Block, Coded, Table
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.catalog import DEMAND_ENTRIES, SQUARED
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import REST, Loss, Measure
from gdcli.ingest.counts import RowCounts, SkippedRows, fill_phrase, skipped_of
from gdcli.ingest.inputs import Inputs, name_of_input
from gdcli.ingest.plan import draws
from gdcli.ingest.read import InputData, ReadOptions, open_source
from gdcli.models.model import Model
from gdcli.models.obstacle import first_obstacle, reading_of_model, refused
from gdcli.models.scored_rows import NO_ROWS, SAMPLE_ROWS, ScoredRows, Spread
from gdcli.models.smearing import OwnScale, own_scale, smearing_sums


class Demands:
    """The limits that a score has to keep, by the names in ``DEMAND_ENTRIES``; None for no limit."""

    def __init__(self, **limits: float | None) -> None:
        self.limits = {entry.name: limits.pop(entry.name, None) for entry in DEMAND_ENTRIES}
        if limits:
            raise TypeError(f"a score has no demand {min(limits)!r}")

    def check_loss(self, loss: str, model: str) -> None:
        """Raise UsageError for a limit of a measure that models of this loss do not have."""
        for entry in DEMAND_ENTRIES:
            losses = [one.name for one in LOSSES.values() if entry.key in {measure.key for measure in one.measures}]
            if self.limits[entry.name] is not None and losses and loss not in losses:
                raise UsageError(
                    f"{entry.option} is for models of --loss {' or '.join(losses)}; {quoted(model)} is one of {loss}"
                )


@record
class Score:
    """How well a model predicts. ``cost`` is the mean of the model's ``loss``, ``mean_error`` is the bias.

    ``r2`` is None if the target is constant, and never uncentered. A measure that overflows is infinite. ``measures``
    are those of the loss, by their keys. ``own_scale`` is there if the target is a logarithm.
    """

    version: str
    model: str
    files: tuple[str, ...]
    target: str
    weights: str | None
    rows: RowCounts
    cost: float
    rmse: float
    mae: float
    r2: float | None
    mean_error: float
    loss: str = SQUARED
    measures: Mapping[str, float | None] = field(default_factory=dict)
    intercept: bool = True
    residuals: Spread | None = None
    sample: ScoredRows | None = field(default=None, compare=False)
    own_scale: OwnScale | None = None

    def value(self, key: str) -> float | None:
        """The measure with this key, None if it does not exist; for the bias its absolute value."""
        found: float | None = self.measures[key] if key in self.measures else getattr(self, key, None)
        return abs(found) if key == "mean_error" and found is not None else found

    def unmet(self, demands: Demands) -> list[str]:
        """A clause for each limit that is not kept, such as "R² 0.4 is below --min-r2 0.5"; [] if all are."""
        found = []
        for sense, word, key, label in DEMAND_ENTRIES:
            option, limit = f"--{sense}-{word.replace('_', '-')}", demands.limits[f"{sense}_{word}"]
            if limit is None:
                continue
            value = self.value(key)
            if value is None:
                why = "the target is constant" if key == "r2" else "only one class is there"
                found.append(f"there is no {label} for {option} {limit!r}, as {why}")
            elif not (value <= limit if sense == "max" else value >= limit):
                found.append(f"{label} {value!r} is {'above' if sense == 'max' else 'below'} {option} {limit!r}")
        return found


class Sums(NamedTuple):
    """The sums over some rows; two of them merge to those over all (Chan, Golub & LeVeque 1983 for the variance).

    ``weight`` is Σ w, ``mean`` and ``spread`` are those of the target: ȳ and Σ w (y − ȳ)². ``loss`` is Σ w · loss,
    ``by_row`` the same of the loss's own measures that are means, and ``rows`` has the linear predictions, y and
    weights (3, n) for those that need all rows. ``low`` and ``high`` are the extremes of the residuals, ``sample``
    some of the rows, ``smearing`` the sums in the scale of what the target is the logarithm of. ``obstacle`` is the
    first cell in the way in a block without usable rows.
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
    loss: float = 0.0
    by_row: tuple[float, ...] = ()
    rows: tuple[Array, ...] = ()
    skipped: SkippedRows = SkippedRows()
    filled: Mapping[str, int] = MappingProxyType({})
    obstacle: str = ""
    low: float = math.inf
    high: float = -math.inf
    sample: ScoredRows = NO_ROWS
    smearing: tuple[float, ...] = ()


def score_files(
    model: Model,
    name: str,
    files: Sequence[InputData],
    weights: str | None,
    options: ReadOptions,
    listener: Listener,
) -> Score:
    """Score all rows of all files together; ``name`` is the model's. Raises DataError, CellError, UsageError."""
    return score_models({name: model}, files, weights, options, listener)[0]


def score_models(
    models: Mapping[str, Model],
    files: Sequence[InputData],
    weights: str | None,
    options: ReadOptions,
    listener: Listener,
) -> list[Score]:
    """The score of each model, in order, on the same rows, which are read once; ``models`` has them by name."""
    for item in files:
        if isinstance(item, str | os.PathLike):
            check_exists(os.fspath(item))
    several = list(models.values())

    def reduce(part: tuple[int, int, Block]) -> list[Sums]:
        file, number, block = part
        return [sums_of(model, block, weights, (file, number)) for model in several]

    def merge(left: list[Sums], right: list[Sums]) -> list[Sums]:
        return [merge_sums(*both) for both in zip(left, right, strict=True)]

    inputs = Inputs(listener)
    with closing(_blocks(several, files, weights, options, listener, inputs)) as blocks:
        found = merge_all(ordered_map(reduce, blocks, options.jobs), merge)
    if found is not None and found[0].skipped.count:
        listener.warn(str(found[0].skipped))
    if found is not None and found[0].filled:
        listener.note(fill_phrase(found[0].filled))
    inputs.tell_growth(0 if found is None else found[0].read)
    if found is None:
        raise DataError(f"{_where(files)}: there is a header but no row to score")
    return [_score(sums, *one, files, weights, options) for one, sums in zip(models.items(), found, strict=True)]


def _where(files: Sequence[InputData]) -> str:
    return quoted(name_of_input(files[0])) if len(files) == 1 else f"{len(files)} files"


def _score(
    sums: Sums, name: str, model: Model, files: Sequence[InputData], weights: str | None, options: ReadOptions
) -> Score:
    """The score of a model, given its sums over all rows."""
    if not sums.weight > 0:
        why = ", ".join(f"{quoted(column)} {count:,}" for column, count in _most_first(sums.missing))
        counts = f"no row can be scored; rows without a usable value: {why or 'all weights are 0'}"
        raise refused(sums.obstacle or _where(files), counts, options.csv)
    quartiles = sums.sample.quartiles
    return Score(
        version=__version__,
        model=name,
        files=tuple(map(name_of_input, files)),
        target=model.target,
        weights=weights,
        rows=RowCounts(
            sums.read,
            sums.used,
            sums.read - sums.used,
            dict(_most_first(sums.missing)),
            sums.skipped.count,
            dict(_most_first(sums.filled)),
        ),
        cost=sums.loss / sums.weight,
        rmse=math.sqrt(sums.squared / sums.weight),
        mae=sums.absolute / sums.weight,
        r2=None if sums.lowest == sums.highest else _r2(sums),
        mean_error=sums.error / sums.weight,
        loss=model.loss,
        measures=_measures(sums, LOSSES[model.loss].measures),
        intercept=model.has_intercept,
        residuals=Spread(sums.low, *quartiles, sums.high, sums.used > SAMPLE_ROWS),
        sample=sums.sample,
        own_scale=own_scale(model.computed.get(model.target), sums.smearing, sums.weight),
    )


def sums_of(model: Model, block: Block, weights: str | None, place: tuple[int, int] = (0, 0)) -> Sums:
    """The sums over a block; its ``place``, file and number, chooses the sample.

    Rows without a prediction, a target or a weight are not used.
    """
    target_is_text = model.classes is not None
    also = [name for name in (None if target_is_text else model.target, weights) if name is not None]
    table = model.table(block, also, [model.target] if target_is_text else [])
    z = model.linear(table)
    prediction = model.predicted(z)
    y = table.numeric[model.target] if model.classes is None else _events(table.text[model.target], model.classes)
    if not (fitting := LOSSES[model.loss].domain.contains(y)).all():
        y = np.where(fitting, y, np.nan)
    w = np.ones(table.rows) if weights is None else table.numeric[weights]
    _check_weights(w, table, block, weights)
    usable = np.isfinite(prediction) & np.isfinite(y) & np.isfinite(w)
    used = int(np.count_nonzero(usable))
    values = {model.target: y} | ({} if weights is None else {weights: w})
    missing = {} if used == table.rows else {**model.missing_by_column(table), **_missing(values, list(values))}
    counted = usable & (w > 0)
    found = _sums(prediction[counted], y[counted], w[counted])._replace(
        read=table.rows, used=used, missing=missing, skipped=skipped_of(table.skipped), filled=table.filled
    )
    if table.rows and not used:
        obstacle = first_obstacle(model, block, table, [model.target, *also], model.classes or ())
        found = found._replace(obstacle=obstacle)
    sums = smearing_sums(model.computed.get(model.target), prediction[counted], y[counted], w[counted])
    found = _with_sample(found._replace(smearing=sums), z, prediction, y, w, np.flatnonzero(counted), place)
    return _with_loss(found, model.loss_of(table, counted), z[counted], y[counted], w[counted])


def _with_sample(
    sums: Sums, z: Array, prediction: Array, y: Array, w: Array, kept: NDArray[np.intp], place: tuple[int, int]
) -> Sums:
    """The sums with the extremes of the residuals of the rows ``kept``, and a sample of these rows."""
    if not len(kept):
        return sums
    residual = y[kept] - prediction[kept]
    drawn = draws(0, *place, len(y))[kept]
    sample = ScoredRows(drawn, z[kept], prediction[kept], y[kept], w[kept]).smallest(SAMPLE_ROWS)
    return sums._replace(low=float(residual.min()), high=float(residual.max()), sample=sample)


def _with_loss(sums: Sums, function: Loss, z: Array, y: Array, w: Array) -> Sums:
    """The sums completed by the loss's: its total, its measures, its rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss = float((w * function.value_and_slope(z, y)[0]).sum())
        by_row = tuple(float((w * m.by_row(z, y)).sum()) for m in function.measures if m.by_row is not None)
    whole = any(measure.over_rows is not None for measure in function.measures)
    return sums._replace(loss=loss, by_row=by_row, rows=(np.stack([z, y, w]),) if whole else ())


def _measures(sums: Sums, measures: Sequence[Measure]) -> dict[str, float | None]:
    """The loss's own measures by their keys, in their order."""
    means = iter(sums.by_row)
    return {
        measure.key: next(means) / sums.weight
        if measure.over_rows is None
        else measure.over_rows(*np.concatenate(sums.rows, axis=1))
        for measure in measures
    }


def _events(column: Coded, classes: tuple[str, str]) -> Array:
    """1 for the event, 0 for the other class, NaN for anything else; numbers are compared as numbers."""
    known = {name: float(i) for i, name in enumerate(classes)}
    rest = 0.0 if classes[0] == REST.format(classes[1]) else math.nan
    values = {float(name): float(i) for i, name in enumerate(classes) if is_number(name)}

    def value(level: str) -> float:
        return known.get(level, values.get(float(level), rest) if is_number(level) else rest)

    lookup = np.array([value(level) for level in column.levels] + [math.nan])  # the last for code −1
    found: Array = lookup[column.codes]
    return found


def merge_sums(left: Sums, right: Sums) -> Sums:
    """The sums over the rows of both ``left`` and ``right``."""
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
        loss=left.loss + right.loss,
        by_row=tuple(map(add, left.by_row, right.by_row)),
        rows=left.rows + right.rows,
        skipped=left.skipped + right.skipped,
        filled=Counter(left.filled) + Counter(right.filled),
        obstacle=left.obstacle or right.obstacle,
        low=min(left.low, right.low),
        high=max(left.high, right.high),
        sample=left.sample.with_(right.sample),
        smearing=tuple(map(add, left.smearing, right.smearing)),
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
    counts = {name: int(np.count_nonzero(~np.isfinite(numeric[name]))) for name in names}
    return {name: count for name, count in counts.items() if count}


def _most_first(missing: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(missing.items(), key=lambda item: -item[1])


def _check_weights(w: Array, table: Table, block: Block, name: str | None) -> None:
    if (w < 0).any():
        row = int(np.argmax(w < 0))
        where = f"{block.where(table.place(row))}, column {quoted(name or '')}"
        raise CellError(f"{where}: a weight is not negative, this one is {w[row]:g}")


def _blocks(
    models: Sequence[Model],
    files: Sequence[InputData],
    weights: str | None,
    options: ReadOptions,
    listener: Listener,
    inputs: Inputs,
) -> Generator[tuple[int, int, Block], None, None]:
    """Yield the blocks of all files, which are opened one after the other, with the numbers of file and block."""
    for file, path in enumerate(files):
        source = open_source(path, options, listener, inputs)
        with closing(source.blocks()) as blocks:
            taken = list(islice(blocks, 1))  # blocks that have begun close the file, whatever happens next
            try:
                for model in models:
                    also = [model.target, *([] if weights is None else [weights])]
                    model.require_columns(source.names, source.name, also)
            except DataError as error:
                raise reading_of_model(error, options.csv) from None
            for number, block in enumerate(put_back(taken, blocks)):
                listener.reading(*source.progress())
                yield file, number, block
