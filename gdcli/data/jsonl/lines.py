"""The lines of a JSON lines text, an object each: read one by one, so that a fault has its line.

Of equal keys in one object the last one counts. NaN and Infinity are not JSON.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gdcli.base.patterns import pattern
from gdcli.base.records import record

_HINT = "; an object on each line is wanted (jq -c . writes them so)"

_BLANKS = " \t\r"

_HALF = pattern("[\ud800-\udfff]")


@record
class Line:
    """A line that is not blank, counted from 1 in the file: its object; or its fault, with a hint on what to do."""

    number: int
    content: dict[str, Any] | None
    fault: str = ""
    hint: str = ""


def lines_of(text: str, first_line: int) -> Iterator[Line]:
    """Yield each line of the text that is not blank, parsed; ``first_line`` is the number of the text's first line."""
    for number, line in enumerate(text.split("\n"), first_line):
        try:
            content, end = _scan(line, 0)
        except (ValueError, RecursionError):
            end = -1
        if end == len(line) and type(content) is dict:
            yield Line(number, content)
        elif line.strip(_BLANKS):
            yield _careful(number, line.strip(_BLANKS))


def names_of(rows: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """The keys of all objects, in the order in which they are first seen."""
    return tuple(dict.fromkeys(key for row in rows for key in row))


def is_half(text: str) -> bool:
    r"""Whether a text holds half a surrogate pair, as ``"\ud83d"`` alone: it cannot be written again."""
    return not text.isascii() and _HALF.search(text) is not None


def _careful(number: int, line: str) -> Line:
    """Read a line that has blanks around it, or something wrong."""
    try:
        content, end = _scan(line, 0)
    except json.JSONDecodeError as error:
        return Line(number, None, f"broken JSON: {_lower(error.msg)} at character {error.pos + 1}", _HINT)
    except RecursionError:
        return Line(number, None, "the JSON is nested too deeply")
    except ValueError as error:
        return Line(number, None, _lower(str(error).partition(";")[0]))
    if end < len(line):
        return Line(number, None, f"more follows after the value at character {end + 1}", _HINT)
    if not isinstance(content, dict):
        return Line(number, None, "this is no object", _HINT)
    return Line(number, content)


def _refuse(word: str) -> float:
    raise ValueError(f"there is {word}, which is not JSON: null is what a missing number is there")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


_scan = json.JSONDecoder(parse_constant=_refuse).raw_decode
