"""JSON files that gdfit writes, and reads back with every value checked."""

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gdcli.base.errors import DataError
from gdcli.base.names import quoted

if TYPE_CHECKING:
    pass

# A model of ten thousand terms takes some megabytes, one of a hundred thousand groups ten times that, and models and
# summaries are read whole: what is larger than this, decompressed, is neither.
LARGEST_FILE = 256 << 20

# Values and brackets in it: as objects in memory they are up to a hundred times as large as their text.
_MOST_VALUES = 1 << 24

_MOST_BRACKETS = 1 << 22

# json.dumps leaves these as they are: C1 controls and line separators act on a terminal, a lone surrogate
# (an undecodable byte) cannot be written as UTF-8.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Return a value as JSON on one line. Nothing in it acts on a terminal; NaN raises ValueError."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def readable(content: Mapping[str, Any]) -> str:
    """Return an object as JSON text that people can read too.

    Each key has a line of its own, also in objects within it, and so has each row of a matrix and each of several
    objects in a list.
    """
    return _lines(content, "") + "\n"


def _lines(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, Mapping) and value:
        items = [f"{dumps(key)}: {_lines(item, inner)}" for key, item in value.items()]
        brackets = "{}"
    elif isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        items, brackets = [dumps(item) for item in value], "[]"
    else:
        return dumps(value)
    return brackets[0] + ",".join(f"\n{inner}{item}" for item in items) + f"\n{indent}{brackets[1]}"


def parse_json(data: bytes, path: str, kind: str) -> dict[str, Any]:
    """Return the JSON object in a file's bytes. Raises DataError for anything else."""
    if data.count(b",") > _MOST_VALUES or data.count(b"[") + data.count(b"{") > _MOST_BRACKETS:
        raise DataError(f"{quoted(path)} is not a gdfit {kind}: no {kind} has so many values")
    try:
        content = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise DataError(f"{quoted(path)} is not a gdfit {kind}: it is not complete JSON") from None
    if not isinstance(content, dict):
        raise DataError(f"{quoted(path)} is not a gdfit {kind}: it is JSON, but not an object")
    return content


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def json_number(value: Any, name: str) -> float:
    """Return a finite number, or raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is not a number")
    return float(value)


def numbers(values: Any, name: str) -> tuple[float, ...]:
    """Return a list of finite numbers as a tuple, or raise ValueError."""
    if not isinstance(values, list):
        raise ValueError(f"{name} is not a list")
    return tuple(json_number(value, name) for value in values)


def words(values: Any, name: str) -> tuple[str, ...]:
    """Return a list of texts as a tuple, or raise ValueError."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} is not a list of texts")
    return tuple(values)


def json_object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def json_list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value


def json_text(value: Any, name: str) -> str:
    return words([value], name)[0]
