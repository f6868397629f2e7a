"""The columns that the user asked for, checked against the names in a table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import did_you_mean, listed, quoted
from gdcli.base.records import record
from gdcli.data.cells import LONGEST_NAME, too_long
from gdcli.data.expressions.nodes import ALL, Name
from gdcli.data.expressions.terms import Term, is_crossing, read_terms

# pandas' defaults, and what other programs write for a value that is not there.
_WORDS = (
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL"),
    *("NaN", "None", "."),
)

MISSING_WORDS = tuple(dict.fromkeys(form for w in _WORDS for form in (w, w.lower(), w.upper(), w.capitalize())))

# What becomes of missing cells: their row is dropped or refused, or the column's mean takes their place (in text, a
# level of their own).
POLICIES = ("drop", "error", "mean")


@record
class ColumnOptions:
    """The options about columns. ``missing`` is one of ``POLICIES``. A ``summary`` has no target. Each combination of
    values in the ``by`` columns is a group of rows.

    ``classes``: the target may be text, each level of which is a class. ``dates`` are texts COLUMN:FORMAT with a format
    of ``strptime``. With ``keep_na`` only empty cells and those in ``na`` are missing.
    """

    target: str | None
    features: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    weights: str | None = None
    categorical: tuple[str, ...] = ()
    na: tuple[str, ...] = ()
    missing: str = "drop"
    max_levels: int = 50
    summary: bool = False
    by: tuple[str, ...] = ()
    classes: bool = False
    dates: tuple[str, ...] = ()
    keep_na: bool = False

    def __post_init__(self) -> None:
        if self.missing not in POLICIES:
            raise UsageError(f"the policy for missing cells is one of {', '.join(POLICIES)}, not {self.missing!r}")


def missing_words(options: ColumnOptions) -> frozenset[str]:
    """All texts that mean a missing value; the empty cell always does."""
    return frozenset({"", *(() if options.keep_na else MISSING_WORDS), *(word.strip() for word in options.na)})


@record
class Chosen:
    """The names of the ``target`` (None for a summary) and of the ``features``. ``computed`` maps the names that are
    expressions to their terms. ``crossed`` are the features that were given as ``a*b``.
    """

    target: str | None
    features: tuple[str, ...]
    computed: Mapping[str, Term]
    crossed: tuple[str, ...] = ()

    def columns_of(self, names: Iterable[str | None]) -> tuple[str, ...]:
        """The file's columns that the names stand for, each once; for a computed name those in its expression."""
        found = [name for name in names if name is not None]
        return tuple(dict.fromkeys(c for n in found for c in (self.computed[n].columns if n in self.computed else [n])))


def choose(names: tuple[str, ...], source: str, options: ColumnOptions) -> Chosen:
    """The target and the features: in the file's order, or as given if one is computed.

    Raises DataError, UsageError.
    """
    if options.target is None and not options.summary:
        raise UsageError(
            f"say which column to predict: --target COLUMN. Columns of {quoted(source)}: {listed(names, 40)}"
        )
    for name in (*options.exclude, *options.categorical, *options.by, options.weights):
        if name is not None:
            require(name, names, source)
    both = [name for name in options.features if name in options.exclude]
    if both:
        raise UsageError(f"{quoted(both[0])} is both a --feature and to --exclude: drop one of the two")
    if options.weights is not None and options.weights == options.target:
        raise UsageError(f"{quoted(options.target or '')} is the target, so it cannot hold the --weights")
    if options.weights is not None and options.weights in options.features:
        raise UsageError(f"{quoted(options.weights)} holds the --weights, so it cannot be a --feature")
    computed: dict[str, Term] = {}
    target = None
    if options.target is not None:
        (term,) = read_terms(options.target, names, source, target=True)
        target = term.name if term.plain is None else term.plain
        computed |= {} if term.plain is not None else {target: term}
    within = (target,) if target not in computed else computed[target or ""].columns
    skip = {*within, options.weights, *options.exclude, *options.by}
    others = [name for name in names if name not in skip]
    terms: list[Term] = []
    for text in options.features or (ALL,):
        alone = text == ALL and ALL not in names
        terms += [Term((Name(name),)) for name in others] if alone else read_terms(text, names, source)
    terms = list(dict.fromkeys(terms))
    features = tuple(term.name if term.plain is None else term.plain for term in terms)
    if target in features:
        raise UsageError(f"{quoted(target or '')} is the target, so it cannot be a --feature")
    for name in options.by:
        if name in (target, options.weights, *features):
            others_role = "a --feature" if name in features else "the --weights"
            role = "the target" if name == target else others_role
            raise UsageError(f"{quoted(name)} is {role}, so it cannot be what to group --by")
    found = {name: term for name, term in zip(features, terms, strict=True) if term.plain is None}
    if not found and ALL not in options.features:
        wanted = frozenset(features) - skip
        features = tuple(dict.fromkeys(name for name in names if name in wanted))
    # As in R, interactions come after what they are made of.
    features = tuple(sorted(features, key=lambda name: len(found[name].factors) if name in found else 1))
    chosen = Chosen(target, features, computed | found, _crossed(options.features, names))
    _check_names(chosen.columns_of([*features, *options.by, target, options.weights]), names, source)
    return chosen


def _crossed(features: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    written = [text for text in features if text not in names and text != ALL]
    if not written:
        return ()
    from gdcli.data.expressions.parser import parse_expression

    return tuple(text for text in written if is_crossing(parse_expression(text)))


def _check_names(used: Iterable[str], names: tuple[str, ...], source: str) -> None:
    """Raise DataError for a name that is too long, or that several columns have."""
    times = Counter(names)  # there may be a hundred thousand
    for name in used:
        if len(name) > LONGEST_NAME:
            raise DataError(
                f"{quoted(source)}: {too_long(name)} for a name, which column {names.index(name) + 1} has; "
                "shorten it, or choose other columns with --feature"
            )
        if times[name] > 1:
            places = [str(i) for i, other in enumerate(names, 1) if other == name]
            raise DataError(
                f"{quoted(source)} has {len(places)} columns named {quoted(name)} (columns {', '.join(places)}); "
                "rename them, or leave them out with --exclude"
            )


def require(name: str, names: tuple[str, ...], source: str) -> None:
    """Raise DataError if there is no such column; the message names the most similar one."""
    if name not in names:
        hint = did_you_mean(name, names)
        raise DataError(f"{quoted(source)} has no column {quoted(name)}.{hint} Columns: {listed(names, 20)}")


def require_once(columns: Iterable[str], names: Sequence[str], source: str) -> None:
    """Raise DataError if one of the columns is missing, or is there twice."""
    for column in columns:
        require(column, tuple(names), source)
        if list(names).count(column) > 1:
            raise DataError(f"{quoted(source)} has more than one column named {quoted(column)}; rename them")
