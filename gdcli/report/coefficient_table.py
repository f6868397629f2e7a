"""The table of the coefficients: their minimum, how far off they are, what they mean, how sure they are."""

from collections.abc import Sequence

from gdcli.base.records import replace
from gdcli.fitting.results import INTERCEPT, Coefficient, Fit
from gdcli.report import numbers
from gdcli.report.heading import term_names
from gdcli.report.paper import Page
from gdcli.report.screen import NOTE, WARNING, BarColumn, StyledLine, TableColumn, TextTable, sentences
from gdcli.report.sentences import joined

# Decimals of an effect at most: a comparison needs no more.
_EFFECT_DECIMALS, _SMALL_EFFECT = 3, 0.1

# A coefficient that is further off its minimum, as a share of that, is marked.
_FAR = 0.05

_LARGEST_SHARE = 10.0


def coefficient_lines(fit: Fit, page: Page, digits: int) -> list[StyledLine]:
    """The lines of the coefficient table, the strongest effect first, and the notes under it.

    Columns that a terminal has no room for are left out.
    """
    rows = coefficient_rows(fit)
    columns = _columns(fit, rows, page, digits)
    table = TextTable(
        page, list(columns.values()), leaving=[columns[name] for name in _leaving(fit) if name in columns]
    )
    notes = []
    hidden = [c.header for name, c in columns.items() if c in table.missing and name not in ("bar", "off")]
    if hidden:
        notes.append(f"Left out at {page.width} columns: {joined(hidden)}; a pipe and --format csv have all.")
    if "minimum" not in columns and any(row.optimum is not None for row in rows):
        notes.append("Each is at its minimum to the digits shown.")
    if fit.reference_levels:
        levels = page.in_column([f"{column} = {level}" for column, level in fit.reference_levels.items()])
        many = len(levels) > 1
        notes.append(
            f"Baseline{'s' * many}: {joined(levels)}; other levels are differences from {'them' if many else 'it'}."
        )
    meaning = []
    if fit.inference is not None:
        from gdcli.report.certainty import format_interval_meaning

        meaning = format_interval_meaning(fit, fit.inference)
    return [*table.lines(), *sentences(page, notes, NOTE), *sentences(page, meaning)]


def coefficient_rows(fit: Fit) -> list[Coefficient]:
    """The coefficients, the largest standardized one first and the intercept last."""
    rows = sorted(fit.coefficients, key=lambda c: -1.0 if c.standardized is None else -abs(c.standardized) - 1.0)
    return [*rows, *([] if fit.intercept is None else [replace(fit.intercept, term=INTERCEPT, standardized=None)])]


def _columns(fit: Fit, rows: Sequence[Coefficient], page: Page, digits: int) -> dict[str, TableColumn]:
    names = term_names(fit)
    # One format for both, to compare them line by line.
    both = numbers.mixed([v for c in rows for v in (c.value, c.optimum)], digits)
    columns = {
        "term": TableColumn("term", page.in_column([names.get(c.term, c.term) for c in rows]), left=True),
        "coefficient": TableColumn("coefficient", both[::2]),
    }
    if any(c.optimum is not None for c in rows) and both[::2] != both[1::2]:
        columns["minimum"] = TableColumn("minimum at", both[1::2])
        columns["off"] = _off(rows)
    if fit.inference is not None:
        from gdcli.report.certainty import certainty_cells

        share = f"{fit.inference.confidence:.0%}".replace("%", " %")
        errors, t, p, low, high = certainty_cells([row.certainty for row in rows], digits)
        ends = [f"{a} … {b}" if a.strip() else "" for a, b in zip(low, high, strict=True)]
        headers = {"error": "std error", "t": "t", "p": "p", "interval": f"{share} interval"}
        for (name, header), cells in zip(headers.items(), (errors, t, p, ends), strict=True):
            columns[name] = TableColumn(header, cells)
    effects = [c.standardized for c in rows]
    largest = max((abs(e) for e in effects if e is not None), default=0.0)
    if fit.coefficients and any(e is not None for e in effects):
        cells = _effects(effects, min(digits, _EFFECT_DECIMALS), largest)
        columns["effect"] = TableColumn("effect (sd)", cells)
        if page.width is not None and largest > 0 and len(fit.coefficients) > 1:
            columns["bar"] = BarColumn(page, [None if e is None else e / largest for e in effects])
    return columns


def _leaving(fit: Fit) -> tuple[str, ...]:
    """The columns in the order in which a narrow terminal leaves them out."""
    if fit.inference is None:
        return "bar", "effect", "minimum", "off"
    if fit.inference.applies:
        return "bar", "effect", "off", "minimum", "t", "interval", "error", "p"
    return "bar", "effect", "off", "t", "interval", "minimum", "error", "p"


def _effects(effects: Sequence[float | None], decimals: int, largest: float) -> list[str]:
    if largest < _SMALL_EFFECT:
        return numbers.mixed(effects, decimals)
    return numbers.aligned(["" if e is None else numbers.decimal(e, decimals) for e in effects])


def _off(rows: Sequence[Coefficient]) -> TableColumn:
    """How far each coefficient is from its minimum, in percent of that."""
    shares = [None if c.value is None or not c.optimum else abs(c.value - c.optimum) / abs(c.optimum) for c in rows]
    cells = ["" if share is None else _percent(share) for share in shares]
    return TableColumn("off", cells, styles={i: WARNING for i, s in enumerate(shares) if s is not None and s > _FAR})


def _percent(share: float) -> str:
    return f">{_LARGEST_SHARE:,.0%}".replace("%", " %") if share > _LARGEST_SHARE else f"{100 * share:.1f} %"
