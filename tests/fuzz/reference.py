"""The least-squares optimum of a text by other means: Python's csv and json modules and numpy.linalg.lstsq, nothing of
gdfit.

Only plain tables are understood. Where a table is not plain (ragged rows, odd quotes, numbers at the edge of what a
float holds) :class:`Unclear` says why, and there is nothing to compare with.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
        *("NA", "NULL", "NaN", "None", "n/a", "nan", "null", "NONE", "."),
    )
)
_LEVEL = "(missing)"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Beyond these the comparison would measure rounding: smallest over largest singular value; mean over deviation.
_CLEAR_RANK, _FAR_FROM_ZERO = 1e-5, 1e5
_LARGEST, _SMALLEST = 1e60, 1e-60


class Unclear(Exception):  # noqa: N818  # it is no error: the reference abstains
    """The reference does not understand this table."""


@dataclass(frozen=True)
class Question:
    """What is to be fitted; an empty ``features`` means all columns but the target. With ``fill`` missing cells of
    features are their column's mean, or a level of text.
    """

    target: str
    features: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    weights: str | None = None
    na: tuple[str, ...] = ()
    fill: bool = False
    intercept: bool = True
    separator: str | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Answer:
    """The optimum. ``terms`` is None where the columns are collinear: then only the cost is unique. ``tolerances``
    has a bound on honest rounding for each term (the intercept's name is empty).
    """

    read: int
    used: int
    cost: float
    cost_tolerance: float
    terms: dict[str, float] | None
    tolerances: dict[str, float]


def answer(content: bytes, question: Question) -> Answer:
    """Solve, or raise Unclear."""
    names, rows = _parsed(content, question)
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    wanted = [name for name in names if name in (question.features or names)]
    features = [n for n in wanted if n not in (question.target, question.weights, *question.exclude)]
    used_names = [*features, question.target] + ([question.weights] if question.weights else [])
    if any(names.count(name) != 1 for name in used_names):
        raise Unclear("columns of one name, or none of this name")
    missing = MISSING | {word.strip() for word in question.na}
    text = {name for name in used_names if name in question.categorical or not _mostly_numbers(columns[name], missing)}
    if question.target in text or question.weights in text:
        raise Unclear("a target or weights of text")
    numbers = {name: _numbers(columns[name], missing) for name in used_names if name not in text}
    complete = np.ones(len(rows), dtype=bool)
    for name in used_names:
        if question.fill and name in features:
            continue
        absent = [cell in missing for cell in columns[name]] if name in text else np.isnan(numbers[name])
        complete &= ~np.asarray(absent, dtype=bool)
    if not complete.any():
        raise Unclear("no complete row")
    w = np.ones(int(complete.sum()))
    if question.weights:
        w = numbers[question.weights][complete]
        if (w <= 0).any():
            raise Unclear("weights of zero or below")
    terms: list[str] = []
    parts: list[np.ndarray] = []
    for name in features:
        if name in text:
            known = [_LEVEL if cell in missing else cell for cell in columns[name]]
            cells = [cell for cell, kept in zip(known, complete, strict=True) if kept]
            levels = sorted(set(cells), key=lambda level: (level == _LEVEL, level))[1 if question.intercept else 0 :]
            terms += [f"{name}[{level}]" for level in levels]
            parts += [np.array([cell == level for cell in cells], dtype=float) for level in levels]
        else:
            terms.append(name)
            parts.append(_filled(numbers[name][complete], w))
    if not terms or len(set(terms)) < len(terms):
        raise Unclear("no features, or terms of one name")
    y = numbers[question.target][complete]
    return _solved(np.column_stack(parts), y, w, terms, question.intercept, len(rows))


def _filled(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    gaps = np.isnan(values)
    if gaps.all():
        raise Unclear("a column without a value")
    return np.where(gaps, np.average(values[~gaps], weights=w[~gaps]), values) if gaps.any() else values


def _parsed(content: bytes, question: Question) -> tuple[list[str], list[list[str]]]:
    encoding = question.encoding
    for mark, codec in _MARKS:
        if content.startswith(mark):
            if question.encoding not in ("utf-8", codec, "utf-16"):
                raise Unclear("a byte-order mark that contradicts --encoding")
            content, encoding = content[len(mark) :], codec
            break
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise Unclear("bytes that cannot be decoded") from None
    if "\0" in text:
        raise Unclear("a NUL")
    if text.lstrip().startswith("{"):
        return _objects(text)
    separator = question.separator
    if separator is None:
        first = text.lstrip("\r\n \t")  # a separator found by counting the fields that each would make
        separator = max(",;\t|", key=lambda one: len(next(_records(first, one, strict=False), [])))
    records = list(_records(text, separator))
    if not records:
        raise Unclear("no header")
    names = [cell.strip() for cell in records[0]]
    rows = [[cell.strip() for cell in cells] for cells in records[1:]]
    if any(len(row) != len(names) for row in rows):
        raise Unclear("ragged rows")
    # A column without a name is called by its place, and left out where it holds nothing.
    kept = [i for i, name in enumerate(names) if name or any(row[i] not in MISSING for row in rows)]
    names = [name or f"column{i}" for i, name in enumerate(names, 1)]
    if len(kept) < 2:
        raise Unclear("a single column")
    return [names[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _objects(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the names and the rows of JSON lines."""
    try:
        found = [json.loads(line) for line in text.split("\n") if line.strip(" \t\r")]
    except ValueError:
        raise Unclear("broken JSON") from None
    if not all(isinstance(row, dict) for row in found):
        raise Unclear("JSON that is no object")
    names = list(dict.fromkeys(name for row in found for name in row))
    values = [[row.get(name) for name in names] for row in found]
    if any(isinstance(value, dict | list) for row in values for value in row):
        raise Unclear("values within values")
    return names, [["" if value is None else str(value).strip() for value in row] for row in values]


def _records(text: str, separator: str, strict: bool = True) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != " ", strict=strict)
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield cells
    except csv.Error:
        raise Unclear("odd quotes") from None


def _is_number(cell: str) -> bool:
    if not cell.isascii() or "_" in cell:
        return False
    try:
        return not np.isnan(float(cell))
    except ValueError:
        return False


def _mostly_numbers(cells: Sequence[str], missing: frozenset[str]) -> bool:
    present = [cell for cell in cells if cell not in missing]
    return not present or 2 * sum(map(_is_number, present)) > len(present)


def _numbers(cells: Sequence[str], missing: frozenset[str]) -> np.ndarray:
    absent = {float(word) for word in missing if _is_number(word)}
    values = []
    for cell in cells:
        if cell in missing or (_is_number(cell) and float(cell) in absent):
            values.append(np.nan)
        elif not _is_number(cell):
            raise Unclear("a text among numbers")
        else:
            values.append(float(cell))
    found = np.array(values)
    sizes = np.abs(found[np.isfinite(found) & (found != 0)])
    if np.isinf(found).any() or (len(sizes) and (sizes.max() > _LARGEST or sizes.min() < _SMALLEST)):
        raise Unclear("numbers at the edge of what a float holds")
    return found


def _solved(X: np.ndarray, y: np.ndarray, w: np.ndarray, terms: list[str], intercept: bool, read: int) -> Answer:
    """Least squares on columns centred and scaled, so that one tolerance suits all."""
    share = w / w.sum()
    varies = X.max(axis=0) > X.min(axis=0) if intercept else np.ones(X.shape[1], dtype=bool)
    centre = share @ X if intercept else np.zeros(X.shape[1])
    shifted = X - centre
    width = np.sqrt(share @ shifted**2)
    width = np.where(varies & (width > 0), width, 1.0)
    far = np.abs(centre[varies]) / width[varies]
    y_centre = float(share @ y) if intercept else 0.0
    y_shifted = y - y_centre
    y_width = float(np.sqrt(share @ y_shifted**2))
    if (len(far) and far.max() > _FAR_FROM_ZERO) or abs(y_centre) > _FAR_FROM_ZERO * (y_width or 1.0):
        raise Unclear("columns far from zero")
    A = np.sqrt(share)[:, None] * shifted[:, varies] / width[varies]
    b = np.sqrt(share) * y_shifted
    theta, _, _, singular = np.linalg.lstsq(A, b, rcond=1e-12)
    cost = float(np.sum((b - A @ theta) ** 2))
    smallest = min(singular, default=1.0) / max(singular, default=1.0) if len(singular) else 1.0
    full = smallest > _CLEAR_RANK and len(A) >= A.shape[1]
    if not full and smallest > 1e-15 and ((singular / singular[0] > 1e-14) & (singular / singular[0] < 1e-4)).any():
        raise Unclear("columns that are nearly collinear")
    mean_square = y_width**2 + y_centre**2
    kept = [term for term, one in zip(terms, varies, strict=True) if one]  # a constant column is left out
    slopes, width, centre = theta / width[varies], width[varies], centre[varies]
    found = dict(zip(kept, slopes.tolist(), strict=True))
    size = 1e-7 * (float(np.linalg.norm(theta)) + float(np.sqrt(mean_square)))
    tolerances = {name: size / one for name, one in zip(kept, width.tolist(), strict=True)}
    if intercept:
        found[""] = float(y_centre - slopes @ centre)
        tolerances[""] = size * (1 + float(np.sum(np.abs(centre) / width)))
    return Answer(read, len(y), cost, 1e-8 * cost + 1e-10 * mean_square, found if full else None, tolerances)
