"""The report on the fits of groups: one row per group on the screen, one per group and term in other formats.

What is asked to be shown of a fit, its iterations or their arithmetic, stands above for the first groups.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.names import count_of, printable
from gdcli.engine.descent import Stopped
from gdcli.engine.optimizers import PLAIN_DESCENT
from gdcli.engine.schedules import CONSTANT
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.report import numbers
from gdcli.report.advice import SEARCHED, searchable
from gdcli.report.group_document import (
    as_lists,
    certainty_of,
    group_document,
    groups_columns,
    groups_sheet,
    validation_cost,
    validation_of,
)
from gdcli.report.heading import columns_named, group_name, source_of, term_names
from gdcli.report.paper import Page
from gdcli.report.report import Report, group_headers
from gdcli.report.screen import (
    BAD,
    GOOD,
    NOTE,
    WARNING,
    Screen,
    StyledLine,
    TableColumn,
    TextTable,
    sentences,
    titled,
)
from gdcli.report.sentences import UNCENTERED, counted, how_long, joined, on_batches
from gdcli.report.verdict import NEAR, State

if TYPE_CHECKING:
    from gdcli.report.page.contents import TypedCommand

_MOST_NAMED = 5

# Verdicts that do not follow a number as they are.
_OF_THESE = {Verdict.TOO_FEW_ROWS.value: "with too few rows", Verdict.NO_FIT.value: "without a fit"}

# Reasons why groups have no fit that are told.
_MOST_REASONS = 3


def groups_report(fits: GroupFits, digits: int = 6, typed: "TypedCommand | None" = None) -> Report:
    """The report on the fits of groups: a document for each group, and a row for each group and term.

    ``typed`` is the command line for a lesson page.
    """
    from gdcli.report.chart import chart_of_groups
    from gdcli.report.plots import PAGE, picture_of_groups

    def picture(kind: str) -> bytes:
        if kind != PAGE:
            return picture_of_groups(fits, kind)
        from gdcli.report.page.group_contents import page_of_groups

        return page_of_groups(fits, report, typed)

    drawn = any(fit.picture is not None for fit in fits.shown.values())
    report = Report(
        document=lambda: [group_document(fits, i) for i in range(len(fits.groups))],
        sheet=lambda: groups_sheet(fits),
        columns=lambda: groups_columns(fits, digits),
        screen=lambda page: groups_screen(fits, page, digits),
        verdict=lambda page: sentences(page, format_group_meaning(fits)),
        chart=(lambda page: chart_of_groups(fits, page, page.colors is not None)) if drawn else None,
        picture=picture if drawn else None,
    )
    return report


def groups_screen(fits: GroupFits, page: Page, digits: int = 6) -> Screen:
    """The screen of the fits of groups: what is shown of the first ones, then a table with one row per group."""
    tested = {fit.holdout.file: 0 for fit in fits.fits if fit is not None and fit.holdout and fit.holdout.file}
    facts = [source_of([*fits.files, *tested], fits.rows), *_ways(fits)]
    by = joined(page.in_column(fits.by))
    title = titled(page, f"{page.in_column([fits.target])[0]} from {columns_named(fits.features)}, by {by}", facts)
    blocks = _shown_blocks(fits, page, digits)
    table = _table(fits, page, digits)
    return Screen(title, *blocks, table) if blocks else Screen(title, table)


def _shown_blocks(fits: GroupFits, page: Page, digits: int) -> list[Sequence[StyledLine]]:
    """The arithmetic and the iterations of the first groups, as far as they are asked for, and how many are left."""
    from gdcli.report.explanation import explanation_blocks
    from gdcli.report.iteration_table import iteration_lines

    [target] = page.in_column([fits.target])
    blocks: list[Sequence[StyledLine]] = []
    for i, fit in fits.shown.items():
        found: list[Sequence[StyledLine]] = []
        if fit.explanation is not None:
            found += explanation_blocks(fit.explanation, target, term_names(fit), page, digits)
        if fits.every:
            found.append(iteration_lines(fit, page, digits, every=True, advise=False))
        if found:
            rate = numbers.rate(numbers.rounded_rate(fit.learning_rate.given, 4))
            facts = [count_of(int(fits.count[i]), "row"), f"lr {rate}", how_long(fit)]
            blocks += [titled(page, group_name(fits.by, fits.groups[i]), facts), *found]
    left = len(fits.groups) - len(fits.shown)
    if blocks and left:
        blocks.append(sentences(page, [f"{count_of(left, 'group')} more, not shown here."], NOTE))
    return blocks


def _table(fits: GroupFits, page: Page, digits: int) -> list[StyledLine]:
    """The lines of the table of groups, with as many terms as fit."""
    names = page.in_column([f"{t.name} = {t.level}" if t.level is not None else t.name for t in fits.terms])
    slopes = as_lists(fits.slopes.T)
    terms = [TableColumn(name, numbers.column(slopes[j], digits)) for j, name in enumerate(names)]
    others = [TableColumn("c", numbers.column(as_lists(fits.intercepts), digits))] if fits.intercept else []
    if validation_of(fits):
        costs = [None if fit is None else validation_cost(fit) for fit in fits.fits]
        others.append(TableColumn("validation", numbers.column(costs, digits)))
    r2 = ["" if value is None else numbers.decimal(value, digits) for value in as_lists(fits.r2)]
    name = "R²" + ("" if fits.intercept else f" ({UNCENTERED})")
    others += [TableColumn(name, numbers.aligned(r2))] if any(r2) else []
    ends = [_end(fits, i) for i in range(len(fits.groups))]
    verdicts = TableColumn(
        "verdict", [f"{mark} {words}" for mark, words, _ in ends], left=True,
        styles={i: style for i, (_, _, style) in enumerate(ends)},
    )  # fmt: skip
    counts = _rows(fits)
    importance = np.nan_to_num(np.abs(fits.standardized)).max(axis=0).tolist()
    by = page.in_column(fits.by)
    headers = group_headers(by, [column.header for column in (*counts, *terms, *others, verdicts)])
    texts = [page.in_column([key[j] for key in fits.groups]) for j in range(len(by))]
    first = [TableColumn(name, cells, left=True) for name, cells in zip(headers, texts, strict=True)]
    ranked = [terms[i] for i in sorted(range(len(terms)), key=lambda i: importance[i])]  # the weakest first
    order = [*ranked[:-1], *others[::-1], *counts[::-1], *ranked[-1:]]
    table = TextTable(page, [*first, *counts, *terms, *others, verdicts], leaving=order)
    missing = [term for term in terms if term not in table.columns]
    notes = []
    if missing:
        shown = len(terms) - len(missing)
        notes.append(f"{shown} of {count_of(len(terms), 'term')}; --format csv has all, and so has a pipe.")
    return [*table.lines(), *sentences(page, notes, NOTE)]


def _rows(fits: GroupFits) -> list[TableColumn]:
    """The column of the numbers of rows; if some are held out, those fitted and those held out."""
    parts = {"rows": fits.count} if fits.held is None else {"fitted": fits.count - fits.held, "held out": fits.held}
    return [TableColumn(name, [f"{count:,}" for count in counts.tolist()]) for name, counts in parts.items()]


def _ways(fits: GroupFits) -> list[str]:
    """The optimizer, the learning rate, and the most iterations of a group."""
    rates = fits.rate[np.isfinite(fits.rate)]
    ends = dict.fromkeys((numbers.rate(float(rate)) for rate in (rates.min(), rates.max())) if len(rates) else ())
    given = [f"lr {' to '.join(ends)}"] if ends else []
    done = fits.iterations[fits.iterations >= 0]
    same = len({*done.tolist()}) <= 1
    if any(fit is not None and fit.learning_rate.searched for fit in fits.fits):
        given = ["lr search"]
    return [
        *([f"weighted by {printable(fits.weights)}"] if fits.weights else []),
        *([f"scale {fits.scale}"] if fits.scale != "standard" else []),
        *([fits.optimizer] if fits.optimizer != PLAIN_DESCENT else []),
        *(["lr auto"] if fits.automatic else given),
        *([fits.schedule] if fits.schedule != CONSTANT else []),
        ("" if same else "at most ") + counted(int(done.max(initial=0)), fits.asked),
    ]


def _end(fits: GroupFits, i: int) -> tuple[str, str, str]:
    """The mark, the words and the style of a group's end; the words of a single fit, in small letters."""
    verdict = fits.verdict[i]
    if verdict is Verdict.CONVERGED:
        return "✓", verdict.value, GOOD
    if verdict is Verdict.NOT_CONVERGED:
        near = fits.gap[i] <= NEAR * fits.gap_measure[i]
        return ("≈", State.NEAR.value.lower(), WARNING) if near else ("✗", State.AWAY.value.lower(), BAD)
    return ("?" if verdict in (Verdict.TOO_FEW_ROWS, Verdict.NO_FIT) else "✗"), verdict.value, BAD


def format_group_meaning(fits: GroupFits) -> list[str]:
    """Sentences under the table: how many groups ended with each verdict, and advice."""
    ends = Counter(_end(fits, i)[1] for i in range(len(fits.groups)))
    ended = joined([f"{count:,} {_OF_THESE.get(words, words)}" for words, count in ends.items()])
    rows = int(fits.count.sum()) if fits.left else fits.rows.used
    said = [f"{count_of(len(fits.groups), 'group')}, {count_of(rows, 'row')}: {ended}."]
    if fits.interrupted:
        left = (
            f": {count_of(fits.left, 'group')} more {'was' if fits.left == 1 else 'were'} not begun"
            if fits.left
            else ""
        )
        said.append(f"Interrupted{left}.")
    said += _on_slow(fits)
    if fits.with_verdict(Verdict.TOO_FEW_ROWS):
        said.append("A group needs a row for each of its coefficients, 2 at least.")
    for i in list(fits.reasons)[:_MOST_REASONS]:
        lacking = "fit" if fits.verdict[i] is Verdict.NO_FIT else "validation"
        said.append(f"No {lacking} for {_name(fits, i)}: {fits.reasons[i]}.")
    if len(fits.reasons) > _MOST_REASONS:
        said.append(f"The reasons of the other {len(fits.reasons) - _MOST_REASONS:,} are in --format json.")
    if certainty_of(fits):
        said.append("Standard errors, t, p and intervals are in --format csv and json.")
    if fits.references:
        references = [f"{name} = {fits.levels[name][0]}" for name in fits.references]
        varied = any(len(set(levels)) > 1 for levels in fits.references.values())
        lacking = " (or a group's first level, if it lacks that one)" if varied else ""
        many = len(references) > 1
        it = "them" if many else "it"
        said.append(f"Baseline{'s' * many}: {joined(references)}{lacking}; other levels are differences from {it}.")
    return said if not fits.diverged else [*said, *format_divergence(fits)]


def _on_slow(fits: GroupFits) -> list[str]:
    """Advice on what has not converged, by what ended it; none for those that patience ended, as it was to do."""
    slow = fits.with_verdict(Verdict.NOT_CONVERGED)
    above = [i for i in slow if fits.rate[i] >= fits.largest_stable[i]]
    said = []
    if above:
        below = numbers.rate(numbers.rounded_below(min(fits.largest_stable[i] for i in above)))
        where = f"in {count_of(len(above), 'group')}"
        said.append(f"The learning rate is above the bound on stable rates {where}: up to --lr {below} all are stable.")
    if any(fits.stopped[i] in (Stopped.ITERATIONS, Stopped.INTERRUPTED) and i not in above for i in slow):
        lasso = any(fit is not None and fit.penalty is not None and fit.penalty.l1 for fit in fits.fits)
        known = (
            not (fits.automatic or lasso)
            and fits.schedule == CONSTANT
            and bool(np.isfinite(fits.largest_stable[slow]).all())
        )
        automatic = ", or --lr auto: each group's best rate" if known else ""
        if any(fit is not None and searchable(fit) for fit in fits.fits):
            automatic = ", or --lr auto: a rate searched for each iteration"
        on_rows = next((on_batches(fit) for fit in fits.fits if fit is not None), "")
        said.append(on_rows or f"What has not converged needs more iterations (-n){automatic}.")
    if any(fits.stopped[i] is Stopped.TOLERANCE for i in slow):
        said.append("Where --tol ended a descent that has not converged, a smaller one goes further.")
    return said


def format_divergence(fits: GroupFits) -> list[str]:
    """Sentences after divergence: the groups without a result, and a learning rate to try."""
    lost = fits.diverged
    named = [_name(fits, i) for i in lost[:_MOST_NAMED]]
    more = f" and {len(lost) - _MOST_NAMED:,} more" if len(lost) > _MOST_NAMED else ""
    sentences = [f"The learning rate is too large for {count_of(len(lost), 'group')}: {', '.join(named)}{more}."]
    smallest = min((fits.largest_stable[i] for i in lost), default=math.nan)
    if math.isfinite(smallest):
        below = numbers.rate(numbers.rounded_below(smallest))
        sentences.append(f"Up to --lr {below} all are stable; --lr auto takes each group's best rate.")
    elif any(fit is not None and searchable(fit) for fit in fits.fits):
        sentences.append(f"{SEARCHED}.")
    else:
        sentences.append("Try a smaller --lr.")
    return sentences


def _name(fits: GroupFits, i: int) -> str:
    """A group by its columns and texts."""
    return " ".join(f"{printable(by)}={printable(text)}" for by, text in zip(fits.by, fits.groups[i], strict=True))
