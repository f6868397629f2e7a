"""Records: classes of named fields that do not change, written as dataclasses are; and named tuples.

The dataclasses module writes and compiles code for every class, half a millisecond for each: as long as a third of a
small fit; and so does the typing module for every named tuple. Ours share their methods. To a type checker they are
dataclasses and named tuples; to functions of the dataclasses module, records are dataclasses.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload

Kind = TypeVar("Kind", bound=type)

_put = object.__setattr__


class _Field:
    """What is said of a field besides its name: a default, or a function that makes it; whether it is compared."""

    def __init__(self, *, default: Any = None, default_factory: Any = None, compare: bool = True) -> None:
        self.make = default_factory or (lambda: default)
        self.compare = compare


if TYPE_CHECKING:
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import NamedTuple as NamedTuple
else:
    field = _Field

    class _TupleKind(type):
        """The kind of the classes of named tuples: makes one of the names annotated in a class, in their order."""

        def __new__(mcs, name, bases, own):
            names = tuple(own.get("__annotations__", ()))
            defaults = {one: own.pop(one) for one in names if one in own}
            getters = {one: property(itemgetter(i)) for i, one in enumerate(names)}
            known = {"_fields": names, "__match_args__": names, "_field_defaults": defaults, "__slots__": ()}
            return super().__new__(mcs, name, bases, {**own, **getters, **known})

    class NamedTuple(tuple, metaclass=_TupleKind):
        """The base of named tuples, as typing has it: a class takes a fifth of the time, a tuple somewhat more.

        Of what every iteration makes typing's own is quicker.
        """

        def __new__(cls, /, *values, **named):
            if named or len(values) != len(cls._fields):
                values = _completed(cls.__name__, cls._fields, cls._field_defaults, values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, values: Iterable[Any]):
            return cls(*values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changes):
            return type(self)(**(self._asdict() | changes))

        def __repr__(self):
            return _repr(self)

        def __getnewargs__(self):
            return tuple(self)

    def replace(instance, /, **changes):
        """A copy of a record with some fields changed."""
        kept = {name: getattr(instance, name) for name in instance.__match_args__ if name not in changes}
        return type(instance)(**kept, **changes)


@overload
def record(kind: Kind, /) -> Kind: ...
@overload
def record(*, eq: bool = True, frozen: bool = True) -> Callable[[Kind], Kind]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: Any = None, /, *, eq: bool = True, frozen: bool = True) -> Any:
    """Make the class a record of the names that are annotated in it, in their order.

    Without ``eq`` a record equals itself only, as one with arrays in it has to.
    """
    return (lambda kind: _made(kind, eq, frozen)) if kind is None else _made(kind, eq, frozen)


def _made(kind: Any, eq: bool, frozen: bool) -> Any:
    """The class, made a record."""
    names, own = tuple(kind.__annotations__), vars(kind)
    defaults = {name: own[name] for name in names if name in own}
    made = {name for name, default in defaults.items() if isinstance(default, _Field)}
    for name in made:
        delattr(kind, name)
    methods = {
        "__match_args__": names,
        "__defaults__": defaults,
        "__compared__": tuple(name for name in names if name not in made or defaults[name].compare),
        "__dataclass_fields__": _AS_DATACLASS,
        "__init__": _init(kind.__name__, names, defaults, own.get("__post_init__")),
        "__repr__": _repr,
        "__getstate__": _state,
        **({"__eq__": _eq, "__hash__": _hash} if eq else {}),
        **({"__setattr__": _refuse, "__delattr__": _refuse} if frozen else {}),
    }
    for name, method in methods.items():
        if name not in own:
            setattr(kind, name, method)
    return kind


def field_names(kind: Any) -> tuple[str, ...]:
    """The names of the fields of a record or a NamedTuple, or of its class."""
    names: tuple[str, ...] = kind.__match_args__
    return names


def optional_fields(kind: Any) -> frozenset[str]:
    """The names of the fields with a default, of a class of records or NamedTuples."""
    return frozenset(kind.__defaults__ if is_record(kind) else kind._field_defaults)


def is_record(value: object) -> bool:
    """Whether this is a record, or a class of records."""
    return hasattr(value, "__compared__")


def _init(
    name: str, names: tuple[str, ...], defaults: Mapping[str, Any], check: Callable[[Any], None] | None
) -> Callable[..., None]:
    """The method that sets the fields of a new record, and then calls ``check``."""
    count = len(names)

    def init(self: Any, /, *values: Any, **named: Any) -> None:
        if named or len(values) != count:
            values = _completed(name, names, defaults, values, named)
        for field_name, value in zip(names, values):  # noqa: B905 - as many, and ``strict`` takes time
            _put(self, field_name, value)
        if check is not None:
            check(self)

    return init


def _completed(
    kind: str, names: tuple[str, ...], defaults: Mapping[str, Any], values: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """The values of all fields, given in order, by name or by default. Raises TypeError as a call does."""
    found = list(values)
    for name in names[len(values) :]:
        if name in named:
            found.append(named.pop(name))
        elif name in defaults:
            default = defaults[name]
            found.append(default.make() if isinstance(default, _Field) else default)
        else:
            raise TypeError(f"{kind}() lacks the argument {name!r}")
    if named or len(found) > len(names):
        raise TypeError(f"{kind}() takes each of {', '.join(names)} once, not {', '.join(named) or 'more'}")
    return tuple(found)


def _compared(one: Any) -> tuple[Any, ...]:
    return tuple([getattr(one, name) for name in one.__compared__])


def _eq(self: Any, other: Any) -> Any:
    return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{self.__class__.__qualname__}({shown})"


def _state(self: Any) -> dict[str, Any]:
    """What is copied and pickled: the fields."""
    return {name: getattr(self, name) for name in self.__match_args__}


def _refuse(self: Any, name: str, value: Any = None) -> None:
    raise AttributeError(f"the field {name!r} of a {type(self).__name__} cannot be changed")


class _AsDataclass:
    """The fields as the dataclasses module has them, which it looks for under this name."""

    def __get__(self, instance: object, kind: Any) -> Mapping[str, Any]:
        from dataclasses import field as described
        from dataclasses import make_dataclass

        def of(name: str) -> Any:
            if name not in kind.__defaults__:
                return described(compare=name in kind.__compared__)
            default = kind.__defaults__[name]
            make = default.make if isinstance(default, _Field) else lambda: default
            return described(default_factory=make, compare=name in kind.__compared__)

        made: Any = make_dataclass(kind.__name__, [(name, Any, of(name)) for name in kind.__match_args__], kw_only=True)
        return made.__dataclass_fields__  # type: ignore[no-any-return]


_AS_DATACLASS = _AsDataclass()
