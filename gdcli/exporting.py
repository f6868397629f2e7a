"""A model as one expression of another language: ``c + m1 * x1 + …``, added in the order of ``Model.linear``, within
the inverse link of its loss.

Names and texts from the data appear as quoted by the language's own rules and never as code; numbers have all their
digits. Wherever the language lets it, a row that cannot be predicted gets no value instead of a wrong one.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from gdcli.engine.triangle import MISSING
from gdcli.errors import DataError
from gdcli.model import Effect, Model
from gdcli.text import quoted

# What Miller 6 takes between ${ and }, whatever it means elsewhere; other names are looked up in the record, $*["…"].
_MILLER_BRACED = re.compile(r"[A-Za-z0-9_ .:;,()/%&+=<>!?@#'*-]+")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# The inverse link of each loss around the sum. Python's exp() refuses to overflow where the others give infinity.
_SQL_LINKS = {"squared": "{}", "huber": "{}", "logistic": "1e0 / (1e0 + EXP(-({})))", "poisson": "EXP({})"}
_PYTHON_LINKS = {
    "squared": "{}",
    "huber": "{}",
    "logistic": "1.0 / (1.0 + __import__('math').exp(min(-({}), 700.0)))",
    "poisson": "__import__('math').exp(min({}, 709.0))",
}
_MILLER_LINKS = {"squared": "{}", "huber": "{}", "logistic": "1.0 / (1.0 + exp(-1.0 * ({})))", "poisson": "exp({})"}
_MILLER_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def as_sql(model: Model) -> str:
    """Return a SQL expression; NULL where a value is missing (unless the model fills it in) or a level unknown.

    Literals have an exponent, which makes them double precision in every dialect. Columns of numbers must have a
    numeric type: there SQL itself knows no text.
    """
    absent = [_sql_number(word) for word in absent_numbers(model)]

    def number(name: str) -> str:
        column = _sql_name(name)
        for word in absent:
            column = f"NULLIF({column}, {word})"
        return f"COALESCE({column}, {_sql_number(model.state.means[name])})" if model.fills else column

    def text(name: str, by_level: Mapping[str, float]) -> str:
        column, values = _sql_name(name), dict(by_level)
        if model.fills_text(name):
            column = f"COALESCE({column}, {_sql_text(MISSING)})"
            values |= dict.fromkeys(sorted(model.missing_words), by_level[MISSING])
        cases = " ".join(f"WHEN {_sql_text(level)} THEN {_sql_number(value)}" for level, value in values.items())
        return f"CASE {column} {cases} END"

    z = _expression(model, _sql_number, number, text)
    return _SQL_LINKS[model.loss].format(z)


def as_python(model: Model) -> str:
    """Return a Python expression over ``row``, a mapping from column names to cells: numbers, texts or None.

    nan where a value is missing (unless the model fills it in) or a level unknown. What a cell
    means when missing is the model's list of words.
    """
    absent = ", ".join(
        ["None", *map(repr, sorted(model.missing_words | {""})), *map(repr, absent_numbers(model))],
    )
    seen: list[str] = []

    def missing(name: str) -> str:
        words = "missing" if seen else f"(missing := {{{absent}}})"
        seen.append(name)
        found = f"row[{name!r}] in {words}"
        return f"({found} or str(row[{name!r}]).strip() in missing)" if model.fills else found

    def number(name: str) -> str:
        instead = model.state.means[name] if model.fills else "nan"
        return f"float({instead!r} if {missing(name)} else row[{name!r}])"

    def text(name: str, by_level: Mapping[str, float]) -> str:
        cell = f"str(row[{name!r}]).strip()"
        if model.fills_text(name):
            cell = f"{MISSING!r} if {missing(name)} else {cell}"
        return f"{dict(by_level)!r}.get({cell}, float('nan'))"

    z = _expression(model, repr, number, text)
    return _PYTHON_LINKS[model.loss].format(z)


def as_miller(model: Model) -> str:
    """Return an expression of Miller's DSL; empty where a value is missing (unless the model fills it in), no number,
    or a level unknown.

    (NaN for a cell that says NaN, which is a number to Miller.)
    """
    absent = [repr(word) for word in absent_numbers(model)]

    def number(name: str) -> str:
        value = f"float(strip({_miller_name(name)}))"
        if model.fills:
            gap = " || ".join([missing(name), *(f"is_numeric({value}) && {value} == {word}" for word in absent)])
            return f'({gap} ? {model.state.means[name]!r} : is_numeric({value}) ? {value} : "")'
        known = " && ".join([f"is_numeric({value})", *(f"{value} != {word}" for word in absent)])
        return f'({known} ? {value} : "")'

    def missing(name: str) -> str:
        cell = f"strip({_miller_name(name)})"
        return " || ".join(f"{cell} == {_miller_text(word)}" for word in sorted(model.missing_words | {""}))

    def text(name: str, by_level: Mapping[str, float]) -> str:
        cell = f"strip({_miller_name(name)})"
        first = f"{missing(name)} ? {by_level[MISSING]!r} : " if model.fills_text(name) else ""
        cases = "".join(f"{cell} == {_miller_text(level)} ? {value!r} : " for level, value in by_level.items())
        return f'({first}{cases}"")'

    z = _expression(model, repr, number, text)
    return _MILLER_LINKS[model.loss].format(z)


EXPORTERS: dict[str, Callable[[Model], str]] = {"sql": as_sql, "python": as_python, "mlr": as_miller}


def absent_numbers(model: Model) -> list[float]:
    """Return the numbers that stand for a missing value (as ``--na -999`` says)."""
    from gdcli.data.values import is_number

    found = {float(word) for word in model.missing_words if is_number(word)}
    return sorted(number for number in found if abs(number) < float("inf"))


def _expression(
    model: Model,
    literal: Callable[[float], str],
    number: Callable[[str], str],
    text: Callable[[str, Mapping[str, float]], str],
) -> str:
    """Return the sum in a language that is given by its number literals, its columns of numbers and those of text."""
    has_intercept = model.content["intercept"] is not None
    parts = [literal(model.intercept)] if has_intercept or not model.effects else []
    for effect in model.effects:
        parts += _added(effect, literal, number, text, first=not parts)
    return " ".join(parts)


def _added(
    effect: Effect,
    literal: Callable[[float], str],
    number: Callable[[str], str],
    text: Callable[[str, Mapping[str, float]], str],
    first: bool,
) -> Iterable[str]:
    if effect.slope is None:
        term = text(effect.column, effect.by_level or {})
        return [term] if first else ["+", term]
    if first:
        return [f"{literal(effect.slope)} * {number(effect.column)}"]
    sign = "-" if effect.slope < 0 else "+"
    return [sign, f"{literal(abs(effect.slope))} * {number(effect.column)}"]


def _sql_number(value: float) -> str:
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _sql_name(name: str) -> str:
    return '"' + _expressible(name, "\x00", "SQL").replace('"', '""') + '"'


def _sql_text(text: str) -> str:
    return "'" + _expressible(text, "\x00", "SQL").replace("'", "''") + "'"


def _miller_name(name: str) -> str:
    return f"${{{name}}}" if _MILLER_BRACED.fullmatch(name) else f"$*[{_miller_text(name)}]"


def _miller_text(text: str) -> str:
    escaped = "".join(_MILLER_ESCAPES.get(character, character) for character in text)
    if _CONTROL.search(escaped):
        raise DataError(f"Miller has no way to write {quoted(text)}")
    return f'"{escaped}"'


def _expressible(text: str, forbidden: str, language: str) -> str:
    if any(character in forbidden or "\ud800" <= character <= "\udfff" for character in text):
        raise DataError(f"{language} has no way to write {quoted(text)}")
    return text
