"""Lists and patterns of column names: ``a,b`` and ``lat*`` stand for columns, unless one is called so itself."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from gdcli.base.errors import DataError
from gdcli.base.names import likely, listed, quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import replace
from gdcli.data.columns import ColumnOptions, require
from gdcli.data.expressions.nodes import ALL
from gdcli.data.expressions.terms import columns_in, is_expression, seems_expression

_WILD = pattern(r"[*?\[]")

# The parts of a list: commas in parentheses or backquotes belong to an expression.
_PARTS = pattern(r"(?:\((?:[^()]|\([^()]*\))*\)|`[^`]*`|[^,])+")


def with_names(options: ColumnOptions, names: tuple[str, ...], source: str) -> ColumnOptions:
    """The options with each comma-separated list and each pattern replaced by its column names, in the order given.

    A pattern of features stands for no column that has another role. Raises DataError if it stands for none, or if a
    part of a list is no column.
    """
    if not any(name not in names for name in (*options.features, *options.exclude, *options.categorical, *options.by)):
        return options

    def meant(
        words: Sequence[str], free: Callable[[str], bool] = lambda name: True, expressions: bool = False
    ) -> tuple[str, ...]:
        found = (name for word in words for name in _meant(word, names, source, free, expressions))
        return tuple(dict.fromkeys(found))

    exclude, by = meant(options.exclude), meant(options.by)
    taken = {*columns_in(options.target or ""), options.weights, *exclude, *by}
    features = meant(options.features, lambda name: name not in taken, expressions=True)
    return replace(options, features=features, exclude=exclude, by=by, categorical=meant(options.categorical))


def parts_of(word: str) -> list[str]:
    """The words of a comma-separated list; of any other word, itself alone."""
    return [part.strip() for part in _PARTS.findall(word)] or [word]


def _meant(word: str, names: tuple[str, ...], source: str, free: Callable[[str], bool], expressions: bool) -> list[str]:
    """The columns that a word stands for, those of its patterns only if they are ``free``; an expression for itself."""
    if word in names or (expressions and (word == ALL or is_expression(word, names))):
        return [word]
    parts = parts_of(word)
    if len(parts) > 1 and any(_matching(part, names) or (expressions and is_expression(part, names)) for part in parts):
        return [name for part in parts for name in _meant(part, names, source, free, expressions)]
    found = _matching(word, names)
    if found:
        return [name for name in found if free(name)]
    if expressions and seems_expression(word):
        return [word]  # of which choosing the columns says what is wrong
    if _WILD.search(word):
        raise DataError(f"{quoted(source)} has no column like {quoted(word)}. Columns: {listed(names, 20)}")
    require(parts[0] if len(parts) > 1 and not likely(word, names) else word, names, source)
    return []


def _matching(word: str, names: tuple[str, ...]) -> list[str]:
    """The columns that a name or a pattern stands for."""
    if word in names:
        return [word]
    return [name for name in names if fnmatchcase(name, word)] if _WILD.search(word) else []
