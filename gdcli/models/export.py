r"""A model as one expression of another language: ``c + m1 * x1 + …``, added in the order of ``Model.linear``, within
the inverse link of its loss.

Names and texts from the data appear as quoted by the language's own rules and never as code; numbers have all their
digits. A row that ``predict`` gives no prediction has none in any language; a column that is not there is an error.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.number_format import PLAIN_NUMBERS
from gdcli.engine.column import MISSING
from gdcli.engine.losses.contract import Link
from gdcli.models.formula import (
    Parts,
    absent_texts,
    formula,
    inverse_link,
    missing_literals,
    number_format,
    number_pattern,
    one_of,
)
from gdcli.models.model import Model
from gdcli.models.sql_export import DIALECTS, as_sql

# What Miller 6 takes between ${ and }, whatever it means elsewhere; other names are looked up in the record, $*["…"].
_MILLER_BRACED = re.compile(r"[A-Za-z0-9_ .:;,()/%&+=<>!?@#'*-]+")

_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

_MILLER_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}

# The inverse links around a sum z, nothing where it or they are not finite.
_PYTHON_LINKS = {
    Link.IDENTITY: "z if abs(z) < inf else nan",
    # exp() refuses to overflow there, not to underflow.
    Link.LOGIT: "(exp(z) / (1.0 + exp(z)) if z < 0.0 else 1.0 / (1.0 + exp(-z))) if abs(z) < inf else nan",
    Link.LOG: "exp(z) if -inf < z < 709.782712893384 else nan",
}

_MILLER_LINKS = {
    Link.IDENTITY: "z",
    Link.LOGIT: "1.0 / (1.0 + exp(-1.0 * z))",
    Link.LOG: "exp(z)",
}


def as_python(model: Model) -> str:
    """A Python expression over ``row``, a mapping from column names to cells: numbers, texts or None.

    nan if there is no prediction.
    """

    def number(name: str) -> str:
        instead = f", {model.state.means[name]!r}" if model.fills else ""
        return f"number(row[{name!r}]{instead})"

    def text(name: str, by_level: Mapping[str, float]) -> str:
        cell, values = f"text(row[{name!r}])", dict(by_level)
        if model.fills_text(name):
            values |= dict.fromkeys(absent_texts(model), by_level[MISSING])
        return f"{values!r}.get({cell}, nan)"

    link = inverse_link(model, _PYTHON_LINKS)
    z = formula(model, Parts(repr, number, text))
    helper = ", exp=__import__('math').exp" if "exp(" in link else ""
    # Functions see what they are given, wherever the expression is evaluated.
    return (
        f"(lambda row, text, inf=float('inf'), nan=float('nan'): (lambda number{helper}: (lambda z: {link})({z}))"
        f"({_python_number(model)}))(row, {_PYTHON_TEXT})"
    )


_PYTHON_TEXT = "lambda cell: '' if cell is None or cell != cell else str(cell).strip()"


def _python_number(model: Model) -> str:
    """The text of a function of a cell, and of a value for missing ones, that returns its number."""
    form = number_format(model)
    words = ", ".join(map(repr, absent_texts(model)))
    value = "float(t)"
    if form.thousands is not None:
        value = f"float(t.replace({form.thousands!r}, '').replace({form.decimal!r}, '.'))"
    elif form.decimal != ".":
        value = f"float(t.replace({form.decimal!r}, '.'))"
    cell = "text(cell)"
    if form.decimal != ".":
        cell = f"(text(cell) if isinstance(cell, str) else text(cell).replace('.', {form.decimal!r}))"
    absent = missing_literals(model)
    found = f"instead if {value} in {{{', '.join(map(repr, absent))}}} else {value}" if absent else value
    return (
        f"lambda cell, instead=nan: (lambda t: instead if t in {{{words}}} else"
        f" nan if not __import__('re').fullmatch({number_pattern(form)!r}, t) else {found})({cell})"
    )


def as_miller(model: Model) -> str:
    """An expression of Miller's DSL; empty if there is no prediction.

    Blanks around a cell are spaces and tabs: a cell with other blanks around it gives an empty field.
    """
    form = number_format(model)
    pattern, value = number_pattern(form), "float(c)"
    if form != PLAIN_NUMBERS:
        plain = "string(c)" if form.thousands is None else f'gsub(string(c), "{one_of(form.thousands)}", "")'
        value = f'float(sub({plain}, "{one_of(form.decimal)}", "."))'

    def cell(name: str, value: str) -> str:
        """The value of a function of a field's text c."""
        return f"apply([strip(asserting_present({_miller_name(name)}))], func(c) {{return {value}}})[1]"

    def missing() -> list[str]:
        return [f"c == {_miller_text(word)}" for word in absent_texts(model)]

    def number(name: str) -> str:
        absent = [repr(word) for word in missing_literals(model)]
        known = f'is_numeric({value}) && sub(string(c), "^{pattern}$", "") == ""'
        if model.fills:
            gap = " || ".join([*missing(), *(f"{known} && {value} == {word}" for word in absent)])
            return cell(name, f'{gap} ? {model.state.means[name]!r} : {known} ? {value} : ""')
        known += "".join(f" && {value} != {word}" for word in absent)
        return cell(name, f'{known} ? {value} : ""')

    def text(name: str, by_level: Mapping[str, float]) -> str:
        first = f"{' || '.join(missing())} ? {by_level[MISSING]!r} : " if model.fills_text(name) else ""
        cases = "".join(f"c == {_miller_text(level)} ? {value!r} : " for level, value in by_level.items())
        return cell(name, f'{first}{cases}""')

    link = inverse_link(model, _MILLER_LINKS)
    z = formula(model, Parts(repr, number, text))
    finite = "is_numeric({0}) && abs({0}) <= 1.7976931348623157e308"
    value = (
        f'{finite.format("z")} && {finite.format(link)} ? {link} : ""'
        if link != "z"
        else f'{finite.format("z")} ? z : ""'
    )
    return f"apply([{z}], func(z) {{return {value}}})[1]"


EXPORTERS: dict[str, Callable[[Model], str]] = {
    **{name: partial(as_sql, dialect=dialect) for name, dialect in DIALECTS.items()},
    "python": as_python,
    "mlr": as_miller,
}


def _miller_name(name: str) -> str:
    return f"${{{name}}}" if _MILLER_BRACED.fullmatch(name) else f"$*[{_miller_text(name)}]"


def _miller_text(text: str) -> str:
    escaped = "".join(_MILLER_ESCAPES.get(character, character) for character in text)
    if _CONTROL.search(escaped):
        raise DataError(f"Miller has no way to write {quoted(text)}")
    return f'"{escaped}"'
