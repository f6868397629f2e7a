r"""A model as one expression of another language: ``c + m1 * x1 + …``, added in the order of ``Model.linear``, within
the inverse link of its loss.

Names and texts from the data appear as quoted by the language's own rules and never as code; numbers have all their
digits. A row that ``predict`` gives no prediction has none in any language; a column that is not there is an error.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern
from gdcli.data.number_format import PLAIN_NUMBERS
from gdcli.engine.losses.contract import Link
from gdcli.models.formula import (
    absent_texts,
    formula,
    horner,
    inverse_link,
    missing_literals,
    number_format,
    number_pattern,
    one_of,
)
from gdcli.models.model import Model
from gdcli.models.sql_export import DIALECTS, as_sql
from gdcli.models.written_terms import TermWriter

# What Miller 6 takes between ${ and }, whatever it means elsewhere; other names are looked up in the record, $*["…"].
_MILLER_BRACED = pattern(r"[A-Za-z0-9_ .:;,()/%&+=<>!?@#'*-]+")

_CONTROL = pattern("[\x00-\x1f\x7f\ud800-\udfff]")

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


# Functions of expressions that refuse what has no value: nan there.
_PYTHON_FUNCTIONS = {
    "log": "lambda x: math.log(x) if 0.0 < x < inf else nan",
    "log2": "lambda x: math.log2(x) if 0.0 < x < inf else nan",
    "log10": "lambda x: math.log10(x) if 0.0 < x < inf else nan",
    "log1p": "lambda x: math.log1p(x) if -1.0 < x < inf else nan",
    "exp": "lambda x: math.exp(x) if x < 709.782712893384 else nan",
    "sqrt": "lambda x: math.sqrt(x) if 0.0 <= x < inf else nan",
    "quotient": "lambda x, y: x / y if y else nan",
    "power": "lambda x, y: (nan if x != x or y != y or (x < 0.0 and y % 1.0) or (x == 0.0 and y < 0.0)"
    " or (x and y * math.log(abs(x)) > 709.782712893384) else x ** y)",
}


def as_python(model: Model) -> str:
    """A Python expression over ``row``, a mapping from column names to cells: numbers, texts or None.

    It is nan for a row without a prediction.
    """
    link = inverse_link(model, _PYTHON_LINKS)
    z = formula(model, _python_writer(model))
    helper = ", exp=__import__('math').exp" if "exp(" in link else ""
    needed = {name: text for name, text in _PYTHON_FUNCTIONS.items() if f"f_{name}(" in z}
    functions = "".join(f", f_{name}={text}" for name, text in needed.items())
    if needed:
        # Another function around it, as the defaults of one do not see each other.
        functions = functions.replace("math.", "__import__('math').")
    # Functions see what they are given, wherever the expression is evaluated.
    return (
        f"(lambda row, text, inf=float('inf'), nan=float('nan'): (lambda number{helper}{functions}:"
        f" (lambda z: {link})({z}))({_python_number(model)}))(row, {_PYTHON_TEXT})"
    )


def _python_writer(model: Model) -> TermWriter:
    def column(name: str) -> str:
        return f"number(row[{name!r}])"

    def polynomial(u: str, coefficients: Sequence[float]) -> str:
        return f"(lambda u: {horner('u', coefficients, repr)})({u})"

    def by_text(name: str, choice: Mapping[str, str], gap: str | None) -> str:
        texts = dict(choice)
        if gap is not None:
            texts |= dict.fromkeys(absent_texts(model), gap)
        inner = ", ".join(f"{level!r}: {text}" for level, text in texts.items())
        return f"{{{inner}}}.get(text(row[{name!r}]), nan)"

    def by_number(value: str, choice: Mapping[float, str]) -> str:
        inner = ", ".join(f"{level!r}: {text}" for level, text in choice.items())
        return f"{{{inner}}}.get({value}, nan)"

    def filled(names: Sequence[str], text: str, mean: str) -> str:
        if [text] == [column(name) for name in names]:
            return f"number(row[{names[0]!r}], {mean})"
        gaps = " or ".join(f"number(row[{name!r}], None) is None" for name in names)
        return f"({mean} if {gaps} else {text})"

    return TermWriter(
        literal=repr,
        column=column,
        operand=column,
        call=lambda name, x: f"abs({x})" if name == "abs" else f"f_{name}({x})",
        quotient=lambda x, y: f"f_quotient({x}, {y})",
        power=lambda x, y: f"f_power({x}, {y})",
        polynomial=polynomial,
        by_text=by_text,
        by_number=by_number,
        filled=filled,
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
    """An expression of Miller's DSL; it gives an empty field for a row without a prediction.

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

    absent = [repr(word) for word in missing_literals(model)]
    finite_number = f'is_numeric({value}) && sub(string(c), "^{pattern}$", "") == ""'
    gap_of_cell = " || ".join([*missing(), *(f"{finite_number} && {value} == {word}" for word in absent)])

    def column(name: str) -> str:
        known = finite_number + "".join(f" && {value} != {word}" for word in absent)
        return cell(name, f'{known} ? {value} : ""')

    def filled(names: Sequence[str], text: str, mean: str) -> str:
        if [text] == [column(name) for name in names]:
            return cell(names[0], f'{gap_of_cell} ? {mean} : {finite_number} ? {value} : ""')
        gaps = " || ".join(cell(name, gap_of_cell) for name in names)
        return f"({gaps} ? {mean} : {text})"

    def by_text(name: str, choice: Mapping[str, str], gap: str | None) -> str:
        first = "" if gap is None else f"{' || '.join(missing())} ? {gap} : "
        cases = "".join(f"c == {_miller_text(level)} ? {text} : " for level, text in choice.items())
        return cell(name, f'{first}{cases}""')

    link = inverse_link(model, _MILLER_LINKS)
    write = TermWriter(
        literal=repr,
        column=column,
        operand=column,
        call=lambda name, x: _miller_function("x", x, *_MILLER_FUNCTIONS[name]),
        quotient=lambda x, y: _miller_function("x", _miller_pair(x, y), "is_numeric(x[2]) && x[2] != 0", "x[1] / x[2]"),
        power=lambda x, y: _miller_function("x", _miller_pair(x, y), _MILLER_POWER, "x[1] ** x[2]"),
        polynomial=lambda u, numbers: _miller_function("u", u, "is_numeric(u)", horner("u", numbers, repr)),
        by_text=by_text,
        by_number=_miller_by_number,
        filled=filled,
    )
    z = formula(model, write)
    finite = "is_numeric({0}) && abs({0}) <= 1.7976931348623157e308"
    value = (
        f'{finite.format("z")} && {finite.format(link)} ? {link} : ""'
        if link != "z"
        else f'{finite.format("z")} ? z : ""'
    )
    return f"apply([{z}], func(z) {{return {value}}})[1]"


# When each function of expressions has a value, and the value.
_MILLER_FUNCTIONS = {
    "log": ("is_numeric(x) && x > 0", "log(x)"),
    "log2": ("is_numeric(x) && x > 0", "log(x) / 0.6931471805599453"),
    "log10": ("is_numeric(x) && x > 0", "log10(x)"),
    "log1p": ("is_numeric(x) && x > -1", "log1p(x)"),
    "exp": ("is_numeric(x)", "exp(x)"),
    "sqrt": ("is_numeric(x) && x >= 0", "sqrt(x)"),
    "abs": ("is_numeric(x)", "abs(x)"),
}

_MILLER_POWER = (
    "is_numeric(x[1]) && is_numeric(x[2])"
    " && (x[1] > 0 || (x[1] == 0 && x[2] >= 0) || (x[1] < 0 && x[2] == floor(x[2])))"
)


def _miller_function(name: str, argument: str, has_value: str, value: str) -> str:
    """A function of an argument, in parentheses of its own; nothing where it has no value."""
    return f'apply([{argument}], func({name}) {{return {has_value} ? {value} : ""}})[1]'


def _miller_pair(x: str, y: str) -> str:
    # "[[" without a blank is another word of Miller's.
    return f" [{x}, {y}] "


def _miller_by_number(value: str, choice: Mapping[float, str]) -> str:
    cases = "".join(f"x == {level!r} ? {text} : " for level, text in choice.items())
    return f'apply([{value}], func(x) {{return {cases}""}})[1]'


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
