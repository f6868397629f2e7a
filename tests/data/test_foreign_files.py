"""Files of other programs are named for what they are, by their content."""

from contextlib import closing

import pytest

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.data.csv.options import CsvOptions
from gdcli.data.streams import open_stream
from gdcli.ingest.formats import format_of, open_input


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "xlsx"), (b"\xd0\xcf\x11\xe0\xa1", "xls"),
        (b"<stata_dta><header>", "dta"), (b"$FL2@(#) SPSS", "sav"), (b"ARROW1\0\0", "Feather"), (b"%PDF-1.7", "PDF"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
    ],
)  # fmt: skip
def test_a_file_of_another_program_is_named_for_what_it_is(csv_file, start, what):
    with closing(open_stream(csv_file(start, "it's.csv"))) as stream, pytest.raises(DataError, match=what) as raised:
        open_input(stream, CsvOptions(), Listener())
    assert what == "PDF" or "/it'\"'\"'s.csv'" in str(raised.value)  # there is no command for a PDF


@pytest.mark.parametrize("start", [b"a,b\n1,2\n", b"PK,b\n", b"<a>,b\n", b"%PDF,b\n", b"$FL,x\n", b"ARROW,y\n"])
def test_a_header_that_looks_a_little_like_one_is_csv(csv_file, start):
    with closing(open_stream(csv_file(start))) as stream:
        assert format_of(stream, CsvOptions()).name == "CSV"
