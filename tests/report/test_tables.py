"""What people see."""

import itertools
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from gdcli.engine.descent import Stopped
from gdcli.ingest.counts import RowCounts

WIDE = tuple(f"a_rather_long_name_{i}" for i in range(12))
HOSTILE = ("[red]x[/red]", "esc\x1b[31m", "new\nline", ":smile:", "größe 部屋")


def table(text, first="iteration"):
    """The lines of the table that begins with a header, up to the end of its block."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if re.match(rf"{first}  ", line))
    return list(itertools.takewhile(str.strip, lines[start:]))


def rows_of(text, first="iteration"):
    return [line.split() for line in table(text, first)]


def test_one_feature_is_shown_as_m(a_fit, report):
    lines = rows_of(report(a_fit(("sqft",))))
    assert lines[0] == ["iteration", "m", "c", "cost", "gap", "%"]
    assert [line[0] for line in lines[2:]] == ["0", "1", "10", "100", "1000"]


def test_several_features_stand_under_their_names(a_fit, report):
    assert rows_of(report(a_fit()))[0] == ["iteration", "sqft", "beds", "baths", "c", "cost", "gap", "%"]


def test_without_an_intercept_there_is_no_column_c(a_fit, report):
    fit = a_fit(("sqft",), intercept=None)
    fit = replace(fit, trace=tuple(row._replace(intercept=None) for row in fit.trace))
    text = report(fit)
    assert rows_of(text)[0] == ["iteration", "m", "cost", "gap", "%"]
    assert "(intercept)" not in text


def test_without_features_there_is_no_column_m(a_fit, report):
    text = report(a_fit(()))
    assert rows_of(text)[0] == ["iteration", "c", "cost", "gap", "%"]
    assert rows_of(text, "term")[0] == ["term", "coefficient", "optimum"]


def test_the_gap_is_in_percent_of_the_measure(a_fit, report):
    assert [line[-1] for line in rows_of(report(a_fit()))[2:]] == ["100", "90.0", "50.0", "10.0", "0.200"]


def test_decimal_points_are_aligned(a_fit, report):
    for first in ("iteration", "term"):
        body = table(report(a_fit(), 200), first)[2:]
        points = [[match.start() for match in re.finditer(r"\.", line)] for line in body]
        common = set.intersection(*map(set, points[:-1]))
        assert len(common) >= 2


def test_a_narrow_terminal_leaves_out_the_least_important_terms_whole_and_says_so(a_fit, report):
    text = report(a_fit(), 60)
    assert rows_of(text)[0] == ["iteration", "sqft", "beds", "c", "cost", "gap", "%"]
    assert "Left out to fit 60 columns: 1 of 3 terms (baths). --trace FILE" in " ".join(text.split())


def test_the_order_of_the_terms_left_is_that_of_the_file(a_fit, report):
    fit = a_fit()
    values = dict(zip(fit.trace_terms, (0.1, -0.5, 0.9), strict=True))
    fit = replace(fit, coefficients=tuple(replace(c, standardized=values[c.term]) for c in fit.coefficients))
    assert rows_of(report(fit, 66))[0][1:3] == ["beds", "baths"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_of_a_table_is_wider_than_the_terminal_and_nothing_is_cut(a_fit, report, width):
    text = report(a_fit(WIDE[:9]), width)
    assert all(cell_len(line) <= width for first in ("iteration", "term") for line in table(text, first))
    assert "…" not in text
    assert "..." not in text
    for name in WIDE[:9]:
        assert name in table(text, "term")[2 + WIDE.index(name)]


def test_forty_columns_still_show_the_most_important_term(a_fit, report):
    text = report(a_fit(), 40)
    assert rows_of(text)[0] == ["iteration", "sqft", "c", "cost"]
    assert "2 of 3 terms (beds and baths) and gap." in " ".join(text.split())
    assert rows_of(report(a_fit(), 34))[0] == ["iteration", "sqft", "cost"]


def test_a_term_too_wide_for_the_terminal_keeps_no_other_one_out(a_fit, report):
    text = report(a_fit(("x" * 100, "beds")), 80)
    assert rows_of(text)[0] == ["iteration", "beds", "c", "cost", "gap", "%"]


def test_coefficients_leave_out_standardized_first_and_then_the_optimum(a_fit, report):
    assert rows_of(report(a_fit(), 50), "term")[0] == ["term", "coefficient", "optimum"]
    text = report(a_fit(("a_rather_long_name",)), 40)
    assert rows_of(text, "term")[0] == ["term", "coefficient"]
    assert "Left out to fit 40 columns: optimum and standardized. --format csv" in " ".join(text.split())


def test_a_name_that_fits_nowhere_keeps_its_ends_on_a_terminal(a_fit, report):
    name = "a" + "x" * 98 + "b"
    lines = table(report(a_fit((name,)), 40), "term")
    assert max(map(cell_len, lines)) <= 40
    assert lines[2].startswith("ax")
    assert lines[2].split()[0].endswith("xb")
    assert name in report(a_fit((name,)), terminal=False)


def test_off_a_terminal_a_table_is_as_wide_as_its_content(a_fit, report):
    text = report(a_fit(WIDE), 80, terminal=False)
    assert rows_of(text)[0] == ["iteration", *WIDE, "c", "cost", "gap", "%"]
    assert rows_of(text, "term")[0] == ["term", "coefficient", "optimum", "standardized"]
    assert "Left out" not in text


def test_off_a_terminal_a_sentence_is_one_line(a_fit, report):
    text = report(a_fit(), 40, terminal=False)
    assert any(line.startswith("Not converged:") and line.endswith("at iteration 388.") for line in text.splitlines())


def test_on_a_terminal_sentences_break_between_words_and_commands_do_not(a_fit, report):
    lines = report(a_fit(), 40).splitlines()
    command = "  gdfit housing.csv --target price --lr 0.334"
    assert command in lines
    start = lines.index("Not converged: after 1,000 iterations")
    assert all(len(line) <= 40 for line in lines[start:] if line != command)
    assert not any(line.lstrip().startswith("%") for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("terminal", [True, False])
def test_names_from_the_file_are_literal_and_act_on_nothing(a_fit, report, encoding, terminal):
    fit = a_fit(HOSTILE, slowest=tuple((name, 0.5) for name in HOSTILE), condition_number=1e6)
    text = report(replace(fit, reference_levels={"a\x1b[0m": "b\nc"}), 200, terminal, encoding)
    assert all(c == "\n" or c.isprintable() for c in text)
    for shown in ("[red]x[/red]", r"esc\x1b[31m", r"new\nline", ":smile:", r"a\x1b[0m[b\nc]"):
        assert shown in text


def test_without_unicode_everything_is_ascii(a_fit, report):
    text = report(a_fit(HOSTILE), 60, encoding="ascii")
    assert text.isascii()
    assert "R^2" in text
    assert r"gr\xf6\xdfe \u90e8\u5c4b" in text
    assert "---" in table(text)[1]
    assert re.search(r"^descent +[_.:=+*#-]{5}  cost", text, re.MULTILINE)


def test_wide_characters_count_as_two_columns(a_fit, report):
    lines = table(report(a_fit(HOSTILE), 200), "term")
    ends = {cell_len(line.rstrip()) for line in lines[2:-1]}
    assert len(ends) == 1


def test_the_summary_names_rows_cost_rmse_r2_gap_and_draws_the_cost(a_fit, report):
    text = report(a_fit())
    for line in (
        r"^rows +932 read, all used$",
        r"^cost +6155238595$",
        r"^RMSE +78455\.3$",
        r"^R² +0\.642328$",
        r"^gap +0\.200 % of the optimum's cost, 6142952690$",
        r"^descent +█▇▄▂▁  cost from iteration 0 to 1000, as in the table$",
    ):
        assert re.search(line, text, re.MULTILINE), line


def test_dropped_rows_are_counted_by_column(a_fit, report):
    text = report(a_fit(rows=RowCounts(344, 333, 11, {"sex": 11, "bill": 2, "year": 0})))
    assert "333 of 344 used; 11 dropped for missing cells (sex 11, bill 2)" in text


def test_reference_levels_are_named(a_fit, report):
    assert "Levels are compared with type[Condo] and sex[female]." in report(
        a_fit(reference_levels={"type": "Condo", "sex": "female"})
    )


def test_a_perfect_fit_shows_how_its_cost_shrinks(a_fit, report):
    fit = a_fit(("x",), relative_gap=None, gap=1e-9, gap_measure=100.0)
    costs = (100.0, 10.0, 1e-3, 1e-6, 1e-9)
    rows = tuple(row._replace(cost=cost, gap=cost) for row, cost in zip(fit.trace, costs, strict=True))
    text = report(replace(fit, trace=rows, cost=1e-9))
    assert "1.00000e-09" in text
    assert "log scale" in text
    assert "of the start's gap; the optimum is a perfect fit" in text


def test_an_interrupted_descent_is_marked_under_its_table(a_fit, report):
    text = report(a_fit(stopped=Stopped.INTERRUPTED))
    assert "Interrupted: iteration 1000 is as far as the descent came." in text


def test_after_divergence_come_the_iterations_so_far_and_the_way_out(a_diverged_fit, report):
    text = report(a_diverged_fit())
    assert [line[0] for line in rows_of(text)[2:7]] == ["0", "1", "2", "3", "4"]
    assert "is above the largest stable rate 0.392" in text
    assert text.endswith("  gdfit housing.csv --target price --lr 0.334\n")
    assert "standardized" not in text
    assert "None" not in text


def test_the_table_of_iterations_can_be_left_to_plain_lines(a_fit, report):
    text = report(a_fit(), iterations=False)
    assert text.startswith("term ")
    assert "as in the table" not in text


def test_a_report_without_a_trace_is_still_a_report(a_fit, report):
    assert "descent" not in report(a_fit(trace=()))


def test_fewer_digits_are_fewer_digits(a_fit, report):
    assert re.search(r"^RMSE +7\.85e\+04$|^RMSE +78455$", report(a_fit(), digits=3), re.MULTILINE)


LONG = "a_column_whose_name_says_everything_that_there_is_to_know_about_its_values"


def test_a_long_name_loses_its_middle_on_a_terminal_and_nothing_off_it(a_fit, report):
    terms = (LONG, LONG.replace("everything", "anything__"), "beds")
    text = report(a_fit(terms))
    assert all(cell_len(line) <= 80 for table_of in ("iteration", "term") for line in table(text, table_of))
    shown = [line[0] for line in rows_of(text, "term")[2:5]]
    assert len(set(shown)) == 3
    assert all(len(one) <= 40 and one.startswith("a_column_") and one.endswith("values") for one in shown[:2])
    assert [line[0] for line in rows_of(report(a_fit(terms), terminal=False), "term")[2:5]] == list(terms)
