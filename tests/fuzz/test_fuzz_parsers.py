"""The parsers of CSV text on the fuzzer's tables: what the quick ones are sure of, the exact one reads alike."""

import math
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import mutated, tables
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gdcli.base.errors import GdfitError
from gdcli.data.columns import ColumnOptions, missing_words
from gdcli.data.csv.block import CsvBlock
from gdcli.data.csv.exact import check_bad_rows, parse_carefully
from gdcli.data.csv.fast import parse_fast, parse_inferred
from gdcli.data.csv.options import CsvOptions
from gdcli.data.csv.plain import parse_plain
from gdcli.data.csv.source import CsvSource
from gdcli.data.csv.unsure import UnsureError
from gdcli.data.lenient import read_leniently
from gdcli.data.streams import open_stream
from gdcli.data.table import Coded, Table

WAYS_TO_READ = (
    *({}, {}, {}, {"decimal": ","}, {"decimal": ",", "thousands": "."}, {"thousands": ","}, {"quotechar": "'"}),
    *({"on_bad_row": "skip"}, {"header": False}, {"separator": ";"}, {"comment": "#"}),
)
WORDS = ((), ("999",), ("7", "a"), ("-", "?"), ("inf",))


def blocks(content: bytes, path: Path, options: dict) -> list[CsvBlock]:
    """The blocks of a file, as gdfit opens it; none if it refuses it."""
    path.write_bytes(content)
    try:
        stream = open_stream(str(path))
        try:
            return list(CsvSource(stream, CsvOptions(**options)).blocks())
        finally:
            stream.close()
    except GdfitError:
        return []


def texts(column: Coded) -> list[str | None]:
    return [None if code < 0 else column.levels[code] for code in column.codes.tolist()]


def bits(values) -> list[bytes]:
    """The numbers to the last bit; one NaN is like another."""
    return [b"" if math.isnan(value) else struct.pack("d", value) for value in values.tolist()]


def contents(table: Table) -> tuple:
    """All that a table holds, whatever the order of its levels."""
    numbers = {name: bits(values) for name, values in table.numeric.items()}
    return table.rows, numbers, {name: texts(one) for name, one in table.text.items()}, table.skipped, table.misquoted


def for_predictions(table: Table) -> tuple:
    """As ``contents``, with one infinity and one zero only: predictions tell no other ones apart."""
    numeric = {name: np.where(np.isinf(found), np.inf, found) + 0.0 for name, found in table.numeric.items()}
    return contents(replace(table, numeric=numeric))


def asked_of_blocks(data, path: Path, ways) -> Iterator[tuple[CsvBlock, list[str], list[str], frozenset[str]]]:
    """Blocks of a table of the fuzzer's, and for each what is asked: number columns, text columns, missing words."""
    content, _ = data.draw(st.one_of(tables(), tables(), mutated()))
    options = data.draw(st.sampled_from(ways))
    words = missing_words(ColumnOptions(None, na=data.draw(st.sampled_from(WORDS)), summary=True))
    for block in blocks(content, path, options):
        names = list(dict.fromkeys(block.dialect.names))
        kinds = data.draw(st.lists(st.sampled_from("nnntt-"), min_size=len(names), max_size=len(names)))
        numeric = [name for name, kind in zip(names, kinds, strict=True) if kind == "n"]
        text = [name for name, kind in zip(names, kinds, strict=True) if kind == "t"]
        if len(names) == len(block.dialect.names):  # which of two columns of one name is meant is refused before
            yield block, numeric, text, words


def outcome(read: Callable[[], Table]) -> tuple:
    """What a table holds, or the error in its place."""
    try:
        return contents(read())
    except GdfitError as error:
        return type(error), str(error)


def test_the_exact_parser_reads_what_a_quick_one_is_sure_of_to_the_last_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("gdcli.data.csv.block.CsvBlock._quick", lambda *asked: None)
    monkeypatch.setattr("gdcli.data.csv.block.CsvBlock.inferred", lambda *asked: None)
    compared = Counter()

    @settings(max_examples=180, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def agree(data):
        for block, numeric, text, words in asked_of_blocks(data, tmp_path / "data.csv", WAYS_TO_READ):
            asked = (block.chunk, block.dialect, numeric, text, words)
            for quick in (parse_plain, parse_fast):
                try:
                    table = quick(*asked)
                except UnsureError:
                    compared[quick, "unsure"] += 1
                else:
                    assert contents(parse_carefully(*asked)) == contents(table)
                    compared[quick, "table"] += 1
            try:
                inferred = parse_inferred(*asked)
            except UnsureError:
                continue
            assert for_predictions(read_leniently(block, numeric, text, words)) == for_predictions(inferred)
            compared["inferred"] += 1

    agree()
    for quick in (parse_plain, parse_fast):
        assert compared[quick, "table"] >= 12
        assert compared[quick, "unsure"] >= 20
    assert compared["inferred"] >= 25


def test_odd_cells_found_by_the_fast_parser_are_refused_or_skipped_as_by_the_exact_one(tmp_path, monkeypatch):
    looked_at = Counter()

    def counted(chunk, dialect, *asked):
        looked_at["refused"] += not dialect.skip_bad
        found = check_bad_rows(chunk, dialect, *asked)
        looked_at["skipped"] += bool(found)
        looked_at["refused"] -= not dialect.skip_bad  # it did not raise
        return found

    monkeypatch.setattr("gdcli.data.csv.block._is_worth_pandas", lambda *sizes: True)
    monkeypatch.setattr("gdcli.data.csv.block.check_bad_rows", counted)

    @settings(max_examples=150, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def agree(data):
        ways = (*WAYS_TO_READ, *[{"on_bad_row": "skip"}] * len(WAYS_TO_READ))
        for block, numeric, text, words in asked_of_blocks(data, tmp_path / "data.csv", ways):
            exact = outcome(lambda: parse_carefully(block.chunk, block.dialect, numeric, text, words))  # noqa: B023
            assert outcome(lambda: block.table(numeric, text, words)) == exact  # noqa: B023

    agree()
    assert looked_at["skipped"] >= 10, looked_at
    assert looked_at["refused"] >= 10, looked_at
