"""Encodings, compression and separators: whatever the file is, the rows are the same."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import CellError, DataError, GdfitError, UsageError
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit

TEXT = 'größe,art,y\n1,"ä,b",2\n2,b,3\n3,"ä,b",7\n4,b,5\n5,c,1\n6,c,2\n'
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def terms(result: Fit) -> list[str]:
    return [c.term for c in result.coefficients]


# Encodings.


@pytest.mark.parametrize(
    ("codec", "given"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("utf-32", None),
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-8", "UTF8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32-be", "utf-32-be"),
        ("latin-1", "latin-1"),
        ("latin-1", "iso8859-1"),
        ("cp1252", "cp1252"),
        ("mac-roman", "mac-roman"),
    ],
)
def test_every_encoding_gives_the_same_names_levels_and_numbers(
    csv_file: Callable[..., str], codec: str, given: str | None
) -> None:
    plain = fit(csv_file(TEXT, "plain.csv"), target="y", iterations=20)
    other = fit(csv_file(TEXT.encode(codec), "other.csv"), target="y", iterations=20, encoding=given)
    assert terms(other) == ["größe", "art[c]", "art[ä,b]"]
    assert other.coefficients == plain.coefficients


@pytest.mark.parametrize(
    "name", ["agate_test_utf16_little.csv", "csvkit_test_utf16_big.csv", "csvkit_test_utf8_bom.csv"]
)
def test_files_with_a_byte_order_mark_have_clean_names(reference: Path, name: str) -> None:
    result = fit(reference / "messy" / name, target="b" if "utf16" in name else "foo", iterations=1, exclude=("c",)
                 if "utf16" in name else ("baz",)) if name.startswith("agate") else None  # fmt: skip
    if result is None:
        with pytest.raises(DataError) as caught:
            fit(reference / "messy" / name, target="no such")
        assert "\\ufeff" not in str(caught.value)
        assert "\ufeff" not in str(caught.value)


def test_a_byte_that_is_not_utf8_is_an_error_naming_line_byte_and_option(csv_file: Callable[..., str]) -> None:
    with pytest.raises(CellError) as caught:
        fit(csv_file(b"x,kind,y\n1,a,2\n2,b,3\n3,\xe4,5\n4,a,6\n"), target="y")
    message = str(caught.value)
    assert "line 4: byte 0xE4 at 23 is not UTF-8" in message
    assert "--encoding latin-1" in message


@pytest.mark.parametrize("size", [1, 12, 10_000])
def test_a_byte_that_is_not_utf8_is_found_in_any_block_and_in_unused_columns(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int
) -> None:
    data = b"x,note,y\n" + b"1,ok,2\n2,ok,5\n" * 20 + b"3,\xff,4\n" + b"5,ok,6\n" * 5
    blocks_of(size)
    with pytest.raises(CellError, match="line 42: byte 0xFF at "):
        fit(csv_file(data), target="y", features="x")


def test_a_byte_that_is_not_utf8_in_the_header_is_an_error(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match=r"line 1: byte 0xF6 at 2 is not UTF-8.*--encoding latin-1"):
        fit(csv_file("größe,y\n1,2\n2,3\n".encode("latin-1")), target="y")


@pytest.mark.parametrize("codec", ["ascii", "utf-16", "shift-jis"])
def test_a_byte_that_is_not_of_the_given_encoding_is_an_error(csv_file: Callable[..., str], codec: str) -> None:
    data = b"x,y\n1,2\n2,3\n3,\xff\xff5\n" if codec != "utf-16" else "x,y\n1,2\n2,3\n".encode("utf-16")[:-1]
    with pytest.raises(DataError, match=r"is not .*: byte \d+ cannot be decoded"):
        fit(csv_file(data), target="y", encoding=codec)


def test_the_byte_that_cannot_be_decoded_is_counted_from_zero(csv_file: Callable[..., str]) -> None:
    data = "x,y\n1,2\n2,3\n".encode("utf-16")[:-1]
    with pytest.raises(DataError, match=f"byte {len(data) - 1} cannot be decoded"):
        fit(csv_file(data), target="y")


@pytest.mark.parametrize("codec", ["no-such", "", "base64", "rot13", "hex", "\0"])
def test_an_encoding_that_does_not_exist_is_wrong_usage(csv_file: Callable[..., str], codec: str) -> None:
    with pytest.raises(UsageError, match="there is no text encoding"):
        fit(csv_file(TEXT), target="y", encoding=codec)


def test_utf16_without_a_mark_offers_the_option(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match=r"NUL byte in its first line.*--encoding utf-16"):
        fit(csv_file("x,y\n1,2\n2,3\n".encode("utf-16-le")), target="y")


# Compression.


@pytest.mark.parametrize("name", ["data.csv", "no suffix", "wrong.zip"])
@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compression_is_known_by_the_content_not_by_the_name(
    csv_file: Callable[..., str], kind: str, name: str
) -> None:
    plain = fit(csv_file(TEXT, "plain.csv"), target="y", iterations=20)
    other = fit(csv_file(COMPRESSORS[kind](TEXT.encode()), name), target="y", iterations=20)
    assert other.coefficients == plain.coefficients


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_files_may_be_in_another_encoding(csv_file: Callable[..., str], kind: str, codec: str) -> None:
    result = fit(csv_file(COMPRESSORS[kind](TEXT.encode(codec))), target="y", iterations=1)
    assert terms(result) == ["größe", "art[c]", "art[ä,b]"]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_archives_one_behind_the_other_are_read_to_the_end(csv_file: Callable[..., str], kind: str) -> None:
    compress = COMPRESSORS[kind]
    data = compress(b"x,y\n1,2\n2,3\n") + compress(b"3,7\n") + compress(b"4,5\n5,5\n")
    assert fit(csv_file(data), target="y").rows.read == 5


def long_table() -> bytes:
    random = np.random.default_rng(0)
    return b"x,y\n" + b"".join(b"%d,%d\n" % tuple(row) for row in random.integers(0, 10**6, (20_000, 2)))


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", COMPRESSORS)
def test_an_archive_that_ends_too_early_is_an_error(csv_file: Callable[..., str], kind: str, share: float) -> None:
    data = COMPRESSORS[kind](long_table())
    with pytest.raises(DataError, match="cannot be decompressed: it ends too early"):
        fit(csv_file(data[: int(len(data) * share)]), target="y")


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_an_archive_that_lacks_its_last_byte_is_an_error(csv_file: Callable[..., str], kind: str) -> None:
    data = COMPRESSORS[kind](long_table())
    with pytest.raises(DataError, match="cannot be decompressed"):
        fit(csv_file(data[:-1]), target="y")


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_damaged_archive_is_an_error(csv_file: Callable[..., str], kind: str) -> None:
    data = bytearray(COMPRESSORS[kind](long_table()))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(DataError, match="cannot be decompressed"):
        fit(csv_file(bytes(data)), target="y")


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_an_archive_of_nothing_is_an_error(csv_file: Callable[..., str], kind: str) -> None:
    with pytest.raises(DataError):
        fit(csv_file(COMPRESSORS[kind](b"")), target="y")


@pytest.mark.parametrize("name", ["BZh", "BZhours", "(/", "PK"])
def test_a_header_that_begins_like_an_archive_is_a_header(csv_file: Callable[..., str], name: str) -> None:
    assert terms(fit(csv_file(f"{name},y\n1,2\n2,4\n3,7\n"), target="y", iterations=1)) == [name]


# Separators.


@pytest.mark.parametrize(("separator", "word"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_separator_is_found_in_the_header_and_said_in_a_note(
    csv_file: Callable[..., str], notes: object, separator: str, word: str
) -> None:
    path = csv_file('a,b;"c;d";y\n1;2;3\n2;5;4\n4;4;9\n'.replace(";", separator))
    result = run_fit([path], FitOptions.of(target="y", iterations=1), (), notes)
    assert terms(result) == ["a,b", f"c{separator}d"]
    assert [note for note in notes.notes if word in note and "--sep" in note]


def test_the_comma_needs_no_note(csv_file: Callable[..., str], notes: object) -> None:
    run_fit([csv_file("a;b,c,y\n1,2,3\n2,5,4\n4,4,9\n")], FitOptions.of(target="y", iterations=1), (), notes)
    assert notes.notes == []


@pytest.mark.parametrize(("given", "character"), [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("~", "~"),
                                                  (":", ":"), ("#", "#")])  # fmt: skip
def test_a_separator_can_be_given(csv_file: Callable[..., str], notes: object, given: str, character: str) -> None:
    path = csv_file(f"a,1{character}y\n1{character}3\n2{character}4\n4{character}9\n")
    result = run_fit([path], FitOptions.of(target="y", iterations=1, separator=given), (), notes)
    assert terms(result) == ["a,1"]
    assert notes.notes == []


def test_a_blank_as_separator_makes_an_empty_field_between_two(csv_file: Callable[..., str]) -> None:
    for last in ("2 5 3", '2 5 3"'):  # the second is read the careful way, and must say the same
        try:
            result = fit(csv_file(f"x y z\n1 2 3\n2  3\n4 4 1\n{last}\n"), target="z", separator=" ")
        except CellError as error:
            assert "line 5" in str(error)  # noqa: PT017
        else:
            assert result.rows.dropped_by_column == {"y": 1}


@pytest.mark.parametrize("separator", ["", ",,", "a", "1", '"', "'", "\n", "\r", ".", "-", "é", "tabs"])
def test_what_cannot_be_a_separator_is_wrong_usage(csv_file: Callable[..., str], separator: str) -> None:
    with pytest.raises(UsageError, match="a separator is one character"):
        fit(csv_file(TEXT), target="y", separator=separator)


def test_a_decimal_comma_is_not_read_as_another_number(reference: Path) -> None:
    # 1,7 and 200.000.000 are 1.7 and 200000000 in German: neither 17 nor 200.0
    with pytest.raises(GdfitError):
        fit(reference / "messy" / "csvkit_test_locale.csv", target="a")


# Headers.


@pytest.mark.parametrize("before", ["\n", "\r\n\r\n", "   \n\n", "\t\n"])
def test_blank_lines_before_the_header_are_skipped_and_counted(csv_file: Callable[..., str], before: str) -> None:
    path = csv_file(before + "x,y\n1,2\n2,oops\n3,4\n4,4\n")
    with pytest.raises(CellError, match=f"line {before.count(chr(10)) + 3}, column 'y'"):
        fit(path, target="y")


def test_a_newline_inside_a_name_belongs_to_it(csv_file: Callable[..., str]) -> None:
    path = csv_file('"the\nfirst",y\n1,2\n2,oops\n3,4\n5,4\n')
    with pytest.raises(CellError, match="line 4, column 'y'"):
        fit(path, target="y")
    assert terms(fit(path, target="y", na="oops")) == ["the\nfirst"]


def test_names_are_stripped_of_blanks_and_quotes(csv_file: Callable[..., str]) -> None:
    assert terms(fit(csv_file(' a ,"b ""q""", c,y\n1,2,5,3\n2,5,1,4\n4,4,4,9\n5,1,1,2\n'), target="y")) == [
        "a",
        'b "q"',
        "c",
    ]


def test_a_quote_never_closed_in_the_header_is_an_error_in_a_fresh_process(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('"x,y\n' + "1,2\n" * 50_000)
    code = (
        "import sys\nfrom gdcli import fit\nfrom gdcli.base.errors import GdfitError\n"
        "try: fit(sys.argv[1], target='y')\nexcept GdfitError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "data.csv" in done.stdout


def test_a_name_longer_than_any_limit_of_the_csv_module_is_read(csv_file: Callable[..., str]) -> None:
    path = csv_file("x" * 200_000 + ",z,y\n1,5,2\n2,1,3\n4,2,4\n")
    assert terms(fit(path, target="y", features="z")) == ["z"]
    with pytest.raises(DataError, match="of 200,000 characters, is too long"):
        fit(path, target="y")


@pytest.mark.parametrize("content", ["", "\n", "   \n \r\n", "\ufeff"])
def test_a_file_of_nothing_is_an_error(csv_file: Callable[..., str], content: str) -> None:
    with pytest.raises(DataError, match=r"is empty|nothing but blank lines"):
        fit(csv_file(content), target="y")


@pytest.mark.parametrize("content", ["x,y", "x,y\n", "x,y\r\n", "x,y\n\n\n"])
def test_a_header_without_rows_is_an_error(csv_file: Callable[..., str], content: str) -> None:
    with pytest.raises(DataError, match="has a header but no rows"):
        fit(csv_file(content), target="y")


def test_columns_without_name_and_values_are_left_out_with_a_note(csv_file: Callable[..., str], notes: object) -> None:
    result = run_fit([csv_file("x,y,\n1,2,\n2,3,\n3,7,\n")], FitOptions.of(target="y"), (), notes)
    assert terms(result) == ["x"]
    assert result.rows.used == 3
    assert [note for note in notes.notes if "column3" in note]


def test_a_column_without_name_that_has_values_is_one_of_the_features(csv_file: Callable[..., str]) -> None:
    assert terms(fit(csv_file(",x,y\n4,1,2\n1,2,3\n3,3,7\n9,4,4\n"), target="y")) == ["column1", "x"]


# Where files come from.


def test_a_missing_file_is_an_error_before_any_other_is_read(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match=r"cannot read 'no such.csv': no such file"):
        fit([csv_file("x,y\n1,oops\n"), "no such.csv"], target="y")


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a directory"):
        fit(tmp_path, target="y")


def test_no_data_is_an_error() -> None:
    with pytest.raises(GdfitError):
        fit([], target="y")


def test_a_path_with_a_nul_is_an_error() -> None:
    with pytest.raises(DataError, match="cannot read"):
        fit("a\0b.csv", target="y")


def test_a_closed_standard_input_has_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="no data on standard input"):
        fit("-", target="y")


def test_an_empty_standard_input_has_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataError, match="no data on standard input"):
        fit("-", target="y")


def test_standard_input_can_be_read_once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x,y\n1,2\n2,3\n3,5\n")))
    with pytest.raises(DataError, match="no data on standard input"):
        fit(["-", "-"], target="y")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = "import sys\nfrom gdcli import fit\nprint(fit(sys.argv[1], target='y').rows.read)"
    reader = subprocess.Popen([sys.executable, "-c", code, str(pipe)], stdout=subprocess.PIPE, text=True)

    def write() -> None:
        with open(pipe, "wb") as file:
            file.write(b"x,y\n1,2\n2,3\n3,7\n")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        out, _ = reader.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        reader.kill()
        reader.communicate()
        pytest.fail("the reader hangs: it opened the pipe twice")
    assert out.strip() == "3"


def test_a_file_is_closed_after_an_error_in_its_header(csv_file: Callable[..., str]) -> None:
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    caught = []
    for content in (b"\xff,y\n1,2\n", b"a\0,y\n1,2\n", b"\n\n", b"x,y\n"):
        try:
            fit(csv_file(content), target="y")
        except DataError as error:
            caught.append(error)  # keeps the traceback, and with it every open file, alive
    assert len(caught) == 4
    assert (set(os.listdir("/proc/self/fd")) if before else before) == before


def test_utf_16_without_its_mark_is_refused_by_name(gdfit, csv_file):
    done = gdfit(csv_file("x,y\n1,2\n3,4\n"), "-t", "y", "--encoding", "utf-16")
    assert (done.code, done.out) == (1, "")
    assert "is not utf-16: byte 0 cannot be decoded; give the right --encoding" in done.err
