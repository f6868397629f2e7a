"""Named tuples behave as those of the standard library do."""

import copy
import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from gdcli.base import records


class Place(records.NamedTuple):
    line: int
    name: str = "here"

    @property
    def text(self) -> str:
        """The place in words."""
        return f"{self.name}, line {self.line}"


OURS: Any = Place


class StandardPlace(typing.NamedTuple):
    line: int
    name: str = "here"

    @property
    def text(self) -> str:
        """The place in words."""
        return f"{self.name}, line {self.line}"


THEIRS: Any = StandardPlace


def matched(place: Any) -> Any:
    match place:
        case Place(line=3) | StandardPlace(line=3):
            return "by name"
        case (_, _):
            return "by place"
    return None


CALLS: tuple[Callable[[Any], Any], ...] = (
    lambda kind: tuple(kind(3)),
    lambda kind: tuple(kind(name="x", line=2)),
    lambda kind: kind(3) == (3, "here"),
    lambda kind: hash(kind(3)) == hash((3, "here")),
    lambda kind: kind(3).line,
    lambda kind: kind(3).text,
    lambda kind: repr(kind(3)).replace("StandardPlace", "Place"),
    lambda kind: tuple(kind(3)._replace(line=4)),
    lambda kind: kind(3)._asdict(),
    lambda kind: tuple(kind._make([1, "z"])),
    lambda kind: kind._fields,
    lambda kind: kind._field_defaults,
    lambda kind: kind.__match_args__,
    lambda kind: [matched(kind(3)), matched(kind(4))],
    lambda kind: type(copy.deepcopy(kind(3))) is kind,
    lambda kind: type(pickle.loads(pickle.dumps(kind(3)))) is kind,
    lambda kind: tuple(pickle.loads(pickle.dumps(kind(3)))),
    lambda kind: sorted([kind(3), kind(1)]) == [kind(1), kind(3)],
    lambda kind: kind(3) < kind(3, "z"),
    lambda kind: isinstance(kind(3), tuple),
    lambda kind: hasattr(kind(3), "__dict__"),
)


@pytest.mark.parametrize("call", CALLS)
def test_a_named_tuple_is_what_one_of_the_standard_library_would_be(call: Callable[[Any], Any]) -> None:
    assert call(OURS) == call(THEIRS)


REFUSED: tuple[Callable[[Any], Any], ...] = (
    lambda kind: kind(),
    lambda kind: kind(1, "x", 2),
    lambda kind: kind(1, line=2),
    lambda kind: kind(1, nothing=2),
    lambda kind: setattr(kind(1), "line", 2),
    lambda kind: setattr(kind(1), "nothing", 2),
)


@pytest.mark.parametrize("call", REFUSED)
def test_a_named_tuple_refuses_what_one_of_the_standard_library_refuses(call: Callable[[Any], Any]) -> None:
    for kind in (THEIRS, OURS):
        with pytest.raises((TypeError, AttributeError)):
            call(kind)
