"""Records as JSON and back by their annotations, every value checked; the layout of the files that gdfit writes."""

import json
import math
from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import field_names, is_record, optional_fields

Record = TypeVar("Record")

# A model of ten thousand terms takes some megabytes, one of a hundred thousand groups ten times that, and models and
# summaries are read whole. A file larger than this (bytes, decompressed) is neither.
LARGEST_FILE = 256 << 20

# Values and brackets in it: as objects in memory they are up to a hundred times as large as their text.
_MOST_VALUES = 1 << 24

_MOST_BRACKETS = 1 << 22

# json.dumps leaves these as they are: C1 controls and line separators act on a terminal, a lone surrogate
# (an undecodable byte) cannot be written as UTF-8.
_UNSAFE = pattern("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def dumps(value: Any) -> str:
    """A value as JSON on one line. Nothing in it acts on a terminal; NaN raises ValueError."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def readable(content: Mapping[str, Any]) -> str:
    """An object as JSON text that people can read too.

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
    """The JSON object in a file's bytes. Raises DataError for anything else."""
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


def to_json(value: Any, nulls: bool = False) -> Any:
    """A record as what JSON has: records, NamedTuples and mappings as objects, tuples as lists, enums as values.

    With ``nulls`` a number that is not finite becomes None, as results have it; without, writing one raises ValueError.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return None if nulls and not math.isfinite(value) else value
    if is_record(type(value)) or hasattr(value, "_fields"):
        return {name: to_json(getattr(value, name), nulls) for name in field_names(value)}
    if isinstance(value, Mapping):
        return {name: to_json(item, nulls) for name, item in value.items()}
    return [to_json(item, nulls) for item in value] if isinstance(value, list | tuple) else value


def from_json(kind: type[Record], value: Any) -> Record:
    """A record from the JSON object that holds its fields, each checked by its annotation.

    A field with a default may be missing, and unknown keys are ignored: files of other versions are read too. Raises
    ValueError with the path of the key: "terms[3].coefficient is not a number". An ``int`` field must be 0 or more.
    """
    found: Record = _record(kind, value, "")
    return found


def _record(kind: Any, value: Any, path: str) -> Any:
    content, found = _expect(value, dict, path, "an object"), {}
    for name, (annotation, optional) in _fields_of(kind).items():
        at = f"{path}.{name}" if path else name
        if name in content:
            found[name] = _checked(annotation, content[name], at)
        elif not optional:
            raise ValueError(f"'{at}' is missing")
    return kind(**found)


@cache
def _fields_of(kind: Any) -> dict[str, tuple[Any, bool]]:
    """The annotation of each field, and whether it has a default."""
    annotations = get_type_hints(kind)
    optional = optional_fields(kind)
    return {name: (annotations[name], name in optional) for name in field_names(kind)}


def _checked(kind: Any, value: Any, path: str) -> Any:
    """A value of a kind. Raises ValueError for any other."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        (other,) = (each for each in inner if each is not NoneType)
        return None if value is None else _checked(other, value, path)
    if origin is tuple:
        return _tuple(inner, value, path)
    if origin is Mapping:
        items = _expect(value, dict, path, "an object").items()
        return {name: _checked(inner[1], item, f"{path}[{quoted(name)}]") for name, item in items}
    if kind is float:
        return json_number(value, path)
    if kind is int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{path} is not a count")
        return value
    if kind in _NAMES:
        return _expect(value, kind, path, _NAMES[kind])
    if issubclass(kind, Enum):
        return kind(value)
    return _record(kind, value, path)


_NAMES = {str: "a text", bool: "true or false"}


def _tuple(inner: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    items = _expect(value, list, path, "a list")
    kinds = [inner[0]] * len(items) if inner[1:] == (Ellipsis,) else inner
    if len(items) != len(kinds):
        raise ValueError(f"{path} has the wrong size")
    if len(items) > 1 and kinds[0] is float:  # a fast way, as most of a large file is numbers
        return tuple(json_number(item, path) for item in items)
    return tuple(_checked(kind, item, f"{path}[{i}]") for i, (kind, item) in enumerate(zip(kinds, items, strict=True)))


def _expect(value: Any, kind: Any, path: str, name: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{path or 'the file'} is not {name}")
    return value


def json_number(value: Any, name: str) -> float:
    """A finite number. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is not a number")
    return float(value)
