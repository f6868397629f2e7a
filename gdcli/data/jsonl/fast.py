"""A block of JSON lines as columns through pyarrow, if that is installed: several times as fast, and threads do
run side by side.

It refuses whatever it is not sure of to read as :mod:`gdcli.data.jsonl.lines` does, which then reads the block: values
within values, cells of several kinds in a column, blank lines, anything broken. Both agree on every block that this
one accepts, to the last bit: both round a number to the nearest float.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from gdcli.data.parquet.arrow import arrow_module, coded_texts
from gdcli.data.py_objects import without_absent
from gdcli.data.table import Table
from gdcli.engine.arrays import Array

# For less, importing the library takes as long as it spares.
LEAST_BYTES = 1 << 20


def quick_names(text: bytes) -> tuple[str, ...] | None:
    """The keys of all objects, in the order in which they are first seen; or None if that is not sure."""
    found = _read(text, (), ())
    return None if found is None else tuple(found.column_names)


def quick_table(
    text: bytes, names: tuple[str, ...], numeric: Collection[str], words: Collection[str], missing: frozenset[str]
) -> Table | None:
    """The columns ``numeric`` as numbers and ``words`` as texts.

    None if the result might be wrong, or if a row has a key that is not among ``names``.
    """
    found = _read(text, numeric, words)
    if found is None or not set(names).issuperset(found.column_names):
        return None
    numbers = {name: _numbers(found.column(name)) for name in numeric}
    if any(_is_unsure(column) for column in numbers.values()):
        return None
    return Table(
        rows=found.num_rows,
        numeric={name: without_absent(column, missing) for name, column in numbers.items()},
        text={name: coded_texts(found.column(name), missing) for name in words},
    )


def _read(text: bytes, numeric: Collection[str], words: Collection[str]) -> Any:
    """All columns as an Arrow table, or None."""
    lines = _flat_lines(text)
    if len(text) < LEAST_BYTES or not lines:
        return None
    try:
        if not text.isascii():
            text.decode("utf-8")
        json = arrow_module("pyarrow.json")
        import pyarrow
    except (ImportError, UnicodeDecodeError):
        return None
    kinds = {**dict.fromkeys(numeric, pyarrow.float64()), **dict.fromkeys(words, pyarrow.string())}
    try:
        found = json.read_json(
            pyarrow.BufferReader(text),
            read_options=json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=json.ParseOptions(explicit_schema=pyarrow.schema(list(kinds.items())) if kinds else None),
        )
    except (pyarrow.ArrowException, UnicodeDecodeError):
        return None
    if found.num_rows != lines or any(_is_lax(column) for column in found.columns):
        return None
    return found


def _flat_lines(text: bytes) -> int:
    """The number of lines if each holds one object that contains no list or object; 0 if that is unsure.

    The library takes an object for a row wherever it begins, but on a line that starts with the only ``{`` it begins
    nowhere else, and where the line ends with ``}`` it has also ended.
    """
    body = text.removesuffix(b"\n").removesuffix(b"\r")
    lines = body.count(b"{")
    if b"[" in body or not (body.startswith(b"{") and body.endswith(b"}")) or body.count(b"\n") != lines - 1:
        return 0
    return lines if body.count(b"}\r\n{" if b"\r" in body else b"}\n{") == lines - 1 else 0


def _is_lax(column: Any) -> bool:
    """Whether there is NaN, Infinity or an integer of thousands of digits: numbers for pyarrow, and no JSON for us."""
    import pyarrow

    if not pyarrow.types.is_floating(column.type):
        return False
    numbers = _numbers(column)
    return bool(np.isinf(numbers).any()) or int(np.isnan(numbers).sum()) != column.null_count


def _numbers(column: Any) -> Array:
    numbers: Array = np.asarray(column.to_numpy(), dtype=np.float64)
    return numbers


def _is_unsure(numbers: Array) -> bool:
    """Whether there is a negative zero: of ``-0``, an integer, Python makes 0, and of ``-0.0`` it does not."""
    zeros = numbers[numbers == 0]
    return bool(np.signbit(zeros).any())
