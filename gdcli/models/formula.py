"""The formula of a model, ``c + m1 * x1 + …``, as text of a language that is given by how it writes its parts."""

import re
from collections.abc import Callable, Mapping, Sequence

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.csv.options import CsvOptions
from gdcli.data.group_keys import Key
from gdcli.data.number_format import NumberFormat
from gdcli.engine.column import MISSING, Column
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Link
from gdcli.models.model import Effect, Model
from gdcli.models.written_terms import TermWriter, written_effect, written_number


def formula(model: Model, write: TermWriter) -> str:
    """The linear predictor c + m·x of a model as source text, added in the order of ``Model.linear``.

    That of a model of groups is chosen by the texts of the group columns.
    """
    return _chosen(model.by, [(key, _of_group(model, i, write)) for key, i in model.place.items()], write)


def _chosen(columns: Sequence[str], formulas: Sequence[tuple[Key, str]], write: TermWriter) -> str:
    """The formula of a row's group: by the text of the first of the columns, and within it by the others."""
    if not columns:
        [(_, text)] = formulas
        return text
    within: dict[str, list[tuple[Key, str]]] = {}
    for (first, *rest), text in formulas:
        within.setdefault(first, []).append((tuple(rest), text))
    choice = {text: f"({_chosen(columns[1:], found, write)})" for text, found in within.items()}
    return write.by_text(columns[0], choice, None)


def _of_group(model: Model, i: int, write: TermWriter) -> str:
    effects = model.effects(i)
    words = [write.literal(float(model.intercepts[i]))] if model.has_intercept or not effects else []
    for effect in effects:
        words += _added(model, i, effect, write, first=not words)
    return " ".join(words)


def _added(model: Model, i: int, effect: Effect, write: TermWriter, first: bool) -> list[str]:
    if effect.slope is None:
        term = _by_level(model, effect, write)
        return [term] if first else ["+", term]
    if first:
        return [f"{write.literal(effect.slope)} * {_number(model, i, effect.column, write)}"]
    sign = "-" if effect.slope < 0 else "+"
    return [sign, f"{write.literal(abs(effect.slope))} * {_number(model, i, effect.column, write)}"]


def _number(model: Model, i: int, name: str, write: TermWriter) -> str:
    """The number of a feature; its mean in the group at place ``i`` if it is missing and the model fills it."""
    means = None if model.means is None else model.means[i, model.terms.index(Column(name))]
    mean = None if means is None else write.literal(float(means))
    term = model.computed.get(name)
    if term is None or term.numbers is None:
        return write.column(name) if mean is None else write.filled([name], write.column(name), mean)
    found = written_number(term.numbers, write)
    return found if mean is None else write.filled(term.columns, found, mean)


def _by_level(model: Model, effect: Effect, write: TermWriter) -> str:
    name, by_level = effect.column, effect.by_level or {}
    missing = MISSING if model.fills_text(name) else None
    if name in model.computed:
        return written_effect(model.computed[name], by_level, missing, write)
    texts = {level: write.literal(value) for level, value in by_level.items()}
    return write.by_text(name, texts, None if missing is None else texts[missing])


def horner(u: str, coefficients: Sequence[float], literal: Callable[[float], str]) -> str:
    """The source text of Σ coefficientsᵢ uⁱ by Horner's rule; ``u`` is source text too."""
    while coefficients and not coefficients[-1]:
        coefficients = coefficients[:-1]
    *lower, text = [literal(value) if value >= 0 else f"({literal(value)})" for value in coefficients]
    for coefficient in reversed(lower):
        text = f"({text} * {u} + {coefficient})"
    return text


def inverse_link(model: Model, links: Mapping[Link, str]) -> str:
    """The template in ``links`` for the inverse link of a model's loss. Raises DataError if there is none."""
    link = LOSSES[model.loss].link
    if link not in links:
        raise DataError(f"a model with the loss {model.loss} cannot be exported: gdfit predict applies it")
    return links[link]


def absent_texts(model: Model) -> list[str]:
    """The texts that mean a missing cell, in sorted order."""
    return sorted(model.missing_words | {""})


def missing_literals(model: Model) -> list[float]:
    """The numbers that mean a missing cell, sorted: a cell is missing in any spelling of one, as by ``--na -999``."""
    from gdcli.data.cells import absent_numbers

    return sorted(set(absent_numbers(model.missing_words, number_format(model))))


def number_format(model: Model) -> NumberFormat:
    """The decimal mark and the thousands separator of the texts that a model was fitted to."""
    return CsvOptions(**model.csv).numbers


def number_pattern(form: NumberFormat) -> str:
    """A regular expression, valid in any language, that matches a whole cell with a finite number."""
    mark, exponent = one_of(form.decimal), "([eE][+-]?[0-9]+)?"
    plain = f"([0-9]+{mark}?[0-9]*|{mark}[0-9]+){exponent}"
    if form.thousands is None:
        return f"[+-]?{plain}"
    grouped = f"[0-9]{{1,3}}({one_of(form.thousands)}[0-9]{{3}})+({mark}[0-9]*{exponent})?"
    return f"[+-]?({grouped}|{plain})"


def one_of(mark: str) -> str:
    """A regular expression, valid in any language, that matches the character ``mark``."""
    return f"[{mark}]" if mark in ".,' " or not mark.isascii() else f"\\{mark}"


def expressible(text: str, forbidden: str, language: str) -> str:
    """``text`` itself. Raises DataError if it has a character that the language cannot write."""
    if re.search(f"[{forbidden}\ud800-\udfff]", text):
        raise DataError(f"{language} has no way to write {quoted(text)}")
    return text
