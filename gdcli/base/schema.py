"""Records as JSON and back by their annotations, every value checked; the layout of the files that gdfit writes."""

import json
import math
from collections.abc import Callable, Mapping
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
    read: Any = _reader
    found: Record = read(kind)(value, "")
    return found


# What reads a value of some kind: called with the value and the path of its key.
_Reader = Callable[[Any, str], Any]


@cache
def _reader(kind: Any) -> _Reader:
    """The function that returns a value of this kind; it raises ValueError for any other."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value, path: value
    if origin in (Union, UnionType):
        (other,) = (each for each in inner if each is not NoneType)
        read = _reader(other)
        return lambda value, path: None if value is None else read(value, path)
    if origin is tuple:
        return _reader_of_tuples(inner)
    if origin is Mapping:
        return _reader_of_mappings(_reader(inner[1]))
    if kind is float:
        return json_number
    if kind is int:
        return _count
    if kind in _NAMES:
        return lambda value, path: _expect(value, kind, path, _NAMES[kind])
    return (lambda value, path: kind(value)) if issubclass(kind, Enum) else _reader_of_records(kind)


def _reader_of_records(kind: Any) -> _Reader:
    """The reader of a record: a field with a default may be missing, and unknown keys are ignored."""
    annotations, optional = get_type_hints(kind), optional_fields(kind)
    fields_of = {name: _reader(annotations[name]) for name in field_names(kind)}

    def read(value: Any, path: str) -> Any:
        content, found, prefix = _expect(value, dict, path, "an object"), {}, f"{path}." if path else ""
        for name, of_field in fields_of.items():
            if name in content:
                found[name] = of_field(content[name], prefix + name)
            elif name not in optional:
                raise ValueError(f"'{prefix}{name}' is missing")
        return kind(**found)

    return read


def _reader_of_mappings(of_item: _Reader) -> _Reader:
    def read(value: Any, path: str) -> dict[str, Any]:
        items = _expect(value, dict, path, "an object").items()
        return {name: of_item(item, f"{path}[{quoted(name)}]") for name, item in items}

    return read


def _reader_of_tuples(inner: tuple[Any, ...]) -> _Reader:
    alike = inner[1:] == (Ellipsis,)
    readers = [_reader(each) for each in (inner[:1] if alike else inner)]

    def read(value: Any, path: str) -> tuple[Any, ...]:
        items = _expect(value, list, path, "a list")
        if not alike and len(items) != len(readers):
            raise ValueError(f"{path} has the wrong size")
        if len(items) > 1 and inner[0] is float:  # a fast way, as most of a large file is numbers
            return tuple([json_number(item, path) for item in items])
        each = readers * len(items) if alike else readers
        return tuple([of(item, f"{path}[{i}]") for i, (of, item) in enumerate(zip(each, items, strict=True))])

    return read


def _count(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{path} is not a count")
    return value


_NAMES = {str: "a text", bool: "true or false"}


def _expect(value: Any, kind: Any, path: str, name: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{path or 'the file'} is not {name}")
    return value


def json_number(value: Any, name: str) -> float:
    """A finite number. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is not a number")
    return float(value)
