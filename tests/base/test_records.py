"""Records behave as frozen dataclasses do, whose making would take longer than a small fit."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gdcli.base.records import field, field_names, optional_fields, record, replace


@record
class Point:
    x: float
    y: float = 0.0
    marks: Mapping[str, int] = field(default_factory=dict)
    seen: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")

    @property
    def size(self) -> float:
        """The distance from zero."""
        return abs(complex(self.x, self.y))


@record(eq=False)
class Held:
    x: float


@record(eq=False, frozen=False)
class Counter:
    n: int = 0


class Named(Point):
    """A class that inherits from a record."""


Twin = dataclasses.make_dataclass(
    "Point",
    [
        ("x", float),
        ("y", float, dataclasses.field(default=0.0)),
        ("marks", Any, dataclasses.field(default_factory=dict)),
        ("seen", int, dataclasses.field(default=0, compare=False)),
    ],
    frozen=True,
)


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(1.0),
        lambda kind: kind(1.0, 2.0, {"a": 1}, 3),
        lambda kind: kind(x=1.0, seen=4),
        lambda kind: kind(1.0, marks={}),
        lambda kind: dataclasses.replace(kind(1.0), y=5.0),
        lambda kind: replace(kind(1.0), y=5.0),
        lambda kind: copy.copy(kind(1.0)),
        lambda kind: kind(1.0) == kind(1.0, seen=1),
        lambda kind: kind(1.0) == kind(1.0, 2.0),
        lambda kind: kind(1.0) == (1.0, 0.0, {}, 0),
        lambda kind: hash(kind(1.0, 2.0, None)) == hash(kind(1.0, 2.0, None, 9)),
        lambda kind: dataclasses.asdict(kind(1.0)),
        lambda kind: [each.name for each in dataclasses.fields(kind)],
        lambda kind: [each.compare for each in dataclasses.fields(kind)],
        lambda kind: dataclasses.is_dataclass(kind),
        lambda kind: kind.__match_args__,
        lambda kind: kind.y,
    ],
)
def test_a_record_is_what_a_frozen_dataclass_would_be(call: Callable[[Any], Any]) -> None:
    assert repr(call(Point)) == repr(call(Twin))


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(),
        lambda kind: kind(y=1.0),
        lambda kind: kind(1.0, x=1.0),
        lambda kind: kind(1.0, 2.0, {}, 3, 4),
        lambda kind: kind(1.0, z=2.0),
        lambda kind: hash(kind(1.0)),
        lambda kind: setattr(kind(1.0), "x", 2.0),
        lambda kind: setattr(kind(1.0), "other", 2.0),
        lambda kind: delattr(kind(1.0), "x"),
        lambda kind: kind.marks,
        lambda kind: replace(kind(1.0), z=2.0),
    ],
)
def test_a_record_refuses_what_a_frozen_dataclass_refuses(call: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, AttributeError)) as twin:
        call(Twin)
    with pytest.raises((TypeError, AttributeError)) as own:
        call(Point)
    assert isinstance(twin.value, type(own.value))


def test_a_default_that_is_made_is_made_anew_for_each_record() -> None:
    assert Point(1.0).marks == {}
    assert Point(1.0).marks is not Point(1.0).marks


def test_a_new_record_is_checked_when_it_is_made_and_when_it_is_changed() -> None:
    for make in (lambda: Point(-1.0), lambda: replace(Point(1.0), x=-1.0)):
        with pytest.raises(ValueError, match="x is negative"):
            make()


def test_a_record_that_is_not_compared_equals_itself_only_and_can_be_a_key() -> None:
    one, other = Held(1.0), Held(1.0)
    assert one != other
    assert {one: "a", other: "b"}[one] == "a"


def test_a_record_that_is_not_frozen_takes_values() -> None:
    counter = Counter()
    counter.n += 2
    assert (counter.n, Counter().n) == (2, 0)


def test_a_class_that_inherits_from_a_record_has_its_fields_and_is_another_kind() -> None:
    named = Named(3.0, 4.0)
    assert (named.size, field_names(Named)) == (5.0, ("x", "y", "marks", "seen"))
    assert named != Point(3.0, 4.0)
    assert repr(named) == "Named(x=3.0, y=4.0, marks={}, seen=0)"


def test_a_record_is_pickled_by_its_fields_alone() -> None:
    named = Named(3.0)
    object.__setattr__(named, "remembered", lambda: None)
    again = pickle.loads(pickle.dumps(named))
    assert again == named
    assert vars(again) == {"x": 3.0, "y": 0.0, "marks": {}, "seen": 0}


def test_fields_with_a_default_are_told() -> None:
    assert optional_fields(Point) == {"y", "marks", "seen"}


def test_records_are_made_without_the_dataclasses_module() -> None:
    code = "import sys, gdcli.base.schema; print({'dataclasses', 'inspect'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
