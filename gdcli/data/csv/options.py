"""Options for CSV text: checked once, and trusted below."""

from collections.abc import Mapping
from typing import Any

from gdcli.base.errors import UsageError
from gdcli.base.names import quoted
from gdcli.base.records import field_names, record
from gdcli.data.number_format import NumberFormat

# The word for cells that are separated by runs of blanks and tabs, as in tables for people.
BLANKS = "blanks"

# Blanks that cannot be told from others on a screen, as hints name them.
_BLANK_MARKS = {"\\xa0": "\u00a0", "\\u202f": "\u202f"}

_NO_MARK = '+-eE\r\n"\0'


@record
class CsvOptions:
    """``separator`` (None: from the first line) is one character or ``BLANKS``; ``encoding`` (None) is UTF-8 or what
    the byte-order mark says. ``skip_rows`` lines come before the header; without a ``header`` columns are x1, x2 …
    Lines that begin with ``comment`` are left out. ``on_bad_row`` is ``error`` or ``skip``.
    ``inherited`` fields are those that a model brought along: about CSV only, and no mistake elsewhere.
    """

    separator: str | None = None
    encoding: str | None = None
    header: bool = True
    skip_rows: int = 0
    decimal: str = "."
    thousands: str | None = None
    quotechar: str = '"'
    comment: str | None = None
    on_bad_row: str = "error"
    inherited: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "separator", _separator(self.separator))
        object.__setattr__(self, "thousands", _BLANK_MARKS.get(self.thousands or "", self.thousands))
        if not isinstance(self.skip_rows, int) or self.skip_rows < 0:
            raise UsageError(f"--skip-rows takes a number of lines of 0 or more, not {self.skip_rows}")
        for option, mark in (("--decimal", self.decimal), ("--thousands", self.thousands)):
            if mark is not None and (len(mark) != 1 or mark.isalnum() or mark in _NO_MARK):
                raise UsageError(f"{option} takes one character like . or , not {quoted(mark)}")
        if not self.decimal.isascii() or self.decimal.isspace():
            raise UsageError(f"--decimal takes one character like . or , not {quoted(self.decimal)}")
        if self.decimal == self.thousands:
            raise UsageError(f"--decimal and --thousands are both {quoted(self.decimal)}: they have to differ")
        quote = self.quotechar
        if len(quote) != 1 or not quote.isascii() or quote.isalnum() or quote.isspace() or quote in "+-.\0":
            raise UsageError(f"--quotechar takes one character like \" or ' not {quoted(quote)}")
        if quote in (self.separator, self.decimal, self.thousands):
            raise UsageError(f"--quotechar {quote} has another meaning already: choose one")
        if self.comment is not None and (not self.comment.isprintable() or self.comment[:1].strip() == ""):
            raise UsageError(f"--comment takes a text that begins a line, like #, not {quoted(self.comment)}")
        if self.comment is not None and self.comment[0] in (quote, self.separator):
            raise UsageError(f"--comment {self.comment} has another meaning already: choose one")
        if self.on_bad_row not in ("error", "skip"):
            raise UsageError(f"a bad row is an error or to skip, not {quoted(self.on_bad_row)}")

    @classmethod
    def of(cls, values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> "CsvOptions":
        """The CSV options among ``values``. An option that is None there is taken from ``before``, if it is there.

        If a value gives the decimal mark or the thousands separator, neither is taken from ``before``: one alone would
        change what the other means.
        """
        given = {name: values[name] for name in CSV_FIELDS if values.get(name) is not None}
        left_out = _MARKS if _MARKS & set(given) else set()
        kept = {name: value for name, value in (before or {}).items() if name not in left_out and name not in given}
        return cls(**given, **kept, inherited=tuple(kept))

    @property
    def said(self) -> dict[str, Any]:
        """The options that differ from their defaults, by name; ``on_bad_row`` is not among them."""
        default = CsvOptions()
        return {name: getattr(self, name) for name in _WRITTEN if getattr(self, name) != getattr(default, name)}

    @property
    def numbers(self) -> NumberFormat:
        """The format of numbers."""
        return NumberFormat(self.decimal, self.thousands)


CSV_FIELDS = tuple(name for name in field_names(CsvOptions) if name != "inherited")

_WRITTEN = tuple(name for name in CSV_FIELDS if name != "on_bad_row")

_MARKS = {"decimal", "thousands"}

_TYPES = {"header": bool, "skip_rows": int}


def said_of(found: Any) -> dict[str, Any]:
    """The options that differ from their defaults (``CsvOptions.said``), from a JSON value ``found`` in a model.

    Raises ValueError if it holds anything else.
    """
    if not isinstance(found, dict) or not set(found) <= set(_WRITTEN):
        raise ValueError("csv holds something else than options of CSV")
    for name, value in found.items():
        if type(value) is not _TYPES.get(name, str):
            raise ValueError(f"csv: {name} is of another kind")
    try:
        return CsvOptions(**found).said
    except UsageError as error:
        raise ValueError(f"csv: {error}") from None


def is_separator(character: str) -> bool:
    """Whether a character can separate cells."""
    return len(character) == 1 and character.isascii() and not character.isalnum() and character not in "\r\n\"'.+-\0"


def _separator(text: str | None) -> str | None:
    """The character that ``--sep`` means: ``tab`` and ``\\t`` are a tab."""
    if text is None or text == BLANKS:
        return text
    character = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if not is_separator(character):
        raise UsageError(f"a separator is one character like , ; | or tab, or the word 'blanks', not {quoted(text)}")
    return character
