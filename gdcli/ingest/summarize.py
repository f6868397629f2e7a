"""The making of summaries: one pass over the rows, without a target, to a file that stands for them in later fits."""

from collections.abc import Sequence
from typing import Any

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, quoted
from gdcli.data.columns import ColumnOptions
from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
from gdcli.data.paths import matched
from gdcli.ingest.counts import drop_phrase, fill_phrase
from gdcli.ingest.read import InputData, ReadOptions, check_rows, read
from gdcli.ingest.summary import Summary

_SEVERAL = ("features", "exclude", "categorical", "dates", "na")


def summarize_data(data: "InputData | Sequence[InputData]", **options: Any) -> Summary:
    """Reduce rows to a summary, which ``fit`` takes in their place.

    ``data`` is a path (or a pattern such as ``sales-*.csv``), a DataFrame, a summary, or a list of them; ``options``
    are ``features`` (default: all columns), ``exclude``, ``categorical``, ``dates``, ``max_levels``, ``weights``,
    ``na``, ``keep_na``, ``missing``, ``jobs`` and those of :class:`CsvOptions`, as on the command line.

    >>> summarize_data("sales.csv").save("sales.summary.json")
    """
    several = matched(data if isinstance(data, list | tuple) else [data])
    for name in _SEVERAL:
        value = options.get(name, ())
        options[name] = (value,) if isinstance(value, str) else tuple(value)
    csv = CsvOptions.of({name: options.pop(name) for name in CSV_FIELDS if name in options})
    reading = ReadOptions(csv, options.pop("jobs", None), dask=options.pop("dask", None))
    return run_summarize(several, ColumnOptions(target=None, **options, summary=True), reading)


def run_summarize(
    data: Sequence[InputData], columns: ColumnOptions, options: ReadOptions, listener: Listener | None = None
) -> Summary:
    """The summary of the data, read once. ``columns`` must have ``summary=True``. Raises DataError and UsageError."""
    listener = listener or Listener()
    reading = read(data, columns, options, listener)
    check_rows(reading)
    chosen, reduced = reading.design, reading.reduced
    if not reduced.triangle.count:
        raise DataError(f"{quoted(chosen.source)} has no row with a weight above 0")
    return Summary(
        name=reading.files[0],
        files=reading.files,
        names=chosen.features,
        text=chosen.text.intersection(chosen.features),
        weights=chosen.weights,
        reduced=reduced,
        missing=chosen.missing,
        marks=reading.marks,
        dates=chosen.dates,
        computed=chosen.computed,
    )


def gap_phrases(summary: Summary) -> list[str]:
    """What became of rows and cells that lack a value; nothing if none does."""
    rows = summary.reduced.rows
    return [said for said in (drop_phrase(rows), fill_phrase(rows.filled)) if said]


def summary_phrase(summary: Summary) -> str:
    """How many rows and columns were summarized, and what became of missing cells."""
    dropped = summary.reduced.rows.dropped
    lost = "; ".join([*([] if dropped else ["none dropped"]), *gap_phrases(summary)])
    return f"summarized {count_of(summary.reduced.complete, 'row')} of {count_of(len(summary.names), 'column')}, {lost}"
