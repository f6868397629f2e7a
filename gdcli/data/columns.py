"""Which columns are asked for: what the user said of them, checked against the names that a table has."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import did_you_mean, listed, quoted
from gdcli.data.cells import LONGEST_NAME, too_long

# pandas' defaults, and what other programs write for a value that is not there.
_WORDS = (
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL"),
    *("NaN", "None", "."),
)

MISSING_WORDS = tuple(dict.fromkeys(form for w in _WORDS for form in (w, w.lower(), w.upper(), w.capitalize())))

# What becomes of missing cells: their row is dropped or refused, or the column's mean takes their place (in text, a
# level of their own).
POLICIES = ("drop", "error", "mean")


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """Options about columns. ``missing`` is one of ``POLICIES``; ``summary`` means: without a target;
    the columns of ``by`` tell groups of rows apart. ``classes``: the target may be text, each level of which is a
    class; with ``squared_only`` no other loss can be chosen. ``dates`` are COLUMN:FORMAT, a format of ``strptime``
    each. With ``keep_na`` only empty cells and those in ``na`` are missing.
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
    squared_only: bool = False
    dates: tuple[str, ...] = ()
    keep_na: bool = False

    def __post_init__(self) -> None:
        if self.missing not in POLICIES:
            raise UsageError(f"the policy for missing cells is one of {', '.join(POLICIES)}, not {self.missing!r}")


def missing_words(options: ColumnOptions) -> frozenset[str]:
    """All texts that mean a missing value; the empty cell always does."""
    return frozenset({"", *(() if options.keep_na else MISSING_WORDS), *(word.strip() for word in options.na)})


def choose(names: tuple[str, ...], source: str, options: ColumnOptions) -> tuple[str | None, tuple[str, ...]]:
    """The target and the features, in the file's order. Raises DataError, UsageError."""
    if options.target is None and not options.summary:
        raise UsageError(
            f"say which column to predict: --target COLUMN. Columns of {quoted(source)}: {listed(names, 40)}"
        )
    given = (*options.features, *options.exclude, *options.categorical, *options.by)
    for name in (options.target, *given, options.weights):
        if name is not None:
            require(name, names, source)
    both = [name for name in options.features if name in options.exclude]
    if both:
        raise UsageError(f"{quoted(both[0])} is both a --feature and to --exclude: drop one of the two")
    if options.target in options.features:
        raise UsageError(f"{quoted(options.target)} is the target, so it cannot be a --feature")
    if options.weights is not None and options.weights == options.target:
        raise UsageError(f"{quoted(options.target)} is the target, so it cannot hold the --weights")
    if options.weights is not None and options.weights in options.features:
        raise UsageError(f"{quoted(options.weights)} holds the --weights, so it cannot be a --feature")
    for name in options.by:
        if name in (options.target, options.weights, *options.features):
            others = "a --feature" if name in options.features else "the --weights"
            role = "the target" if name == options.target else others
            raise UsageError(f"{quoted(name)} is {role}, so it cannot be what to group --by")
    wanted = frozenset(options.features or names)
    times = Counter(names)  # there may be a hundred thousand
    skip = {options.target, options.weights, *options.exclude, *options.by}
    features = tuple(dict.fromkeys(name for name in names if name in wanted and name not in skip))
    for name in (*features, *options.by, options.target, options.weights):
        if name is not None and len(name) > LONGEST_NAME:
            raise DataError(
                f"{quoted(source)}: {too_long(name)} for a name, which column {names.index(name) + 1} has; "
                "shorten it, or choose other columns with --feature"
            )
        if name is not None and times[name] > 1:
            places = [str(i) for i, other in enumerate(names, 1) if other == name]
            raise DataError(
                f"{quoted(source)} has {len(places)} columns named {quoted(name)} (columns {', '.join(places)}); "
                "rename them, or leave them out with --exclude"
            )
    return options.target, features


def require(name: str, names: tuple[str, ...], source: str) -> None:
    """Raise DataError if there is no such column, with the one that may have been meant."""
    if name not in names:
        hint = did_you_mean(name, names)
        raise DataError(f"{quoted(source)} has no column {quoted(name)}.{hint} Columns: {listed(names, 20)}")


def require_once(columns: Iterable[str], names: Sequence[str], source: str) -> None:
    """Raise DataError if one of the columns is missing, or is there twice."""
    for column in columns:
        require(column, tuple(names), source)
        if list(names).count(column) > 1:
            raise DataError(f"{quoted(source)} has more than one column named {quoted(column)}; rename them")
