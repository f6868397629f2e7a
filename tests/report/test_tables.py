"""What people see."""

import itertools
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from gdcli.engine.descent import Stopped
from gdcli.fitting.results import Optimum
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


def cells_of(text, header, first="iteration"):
    """The cells of a column of numbers."""
    lines = table(text, first)
    end = lines[0].index(header) + len(header)
    return [line[:end].split()[-1] for line in lines[2:] if len(line) >= end - 1]


def test_one_feature_is_shown_as_m(a_fit, report):
    lines = rows_of(report(a_fit(("sqft",))))
    assert lines[0] == ["iteration", "m", "c", "cost", "above", "min", "%"]
    assert [line[0] for line in lines[2:]] == ["0", "1", "10", "100", "1,000"]


def test_several_features_stand_under_their_names(a_fit, report):
    header = ["iteration", "sqft", "beds", "baths", "c", "cost", "above", "min", "%"]
    assert rows_of(report(a_fit(), 100))[0] == header


def test_without_an_intercept_there_is_no_column_c(a_fit, report):
    fit = a_fit(("sqft",), intercept=None)
    fit = replace(fit, trace=tuple(row._replace(intercept=None) for row in fit.trace))
    text = report(fit)
    assert rows_of(text)[0] == ["iteration", "m", "cost", "above", "min", "%"]
    assert "(intercept)" not in text


def test_without_features_there_is_no_column_m(a_fit, report):
    text = report(a_fit(()))
    assert rows_of(text)[0] == ["iteration", "c", "cost", "above", "min", "%"]
    assert rows_of(text, "term")[0] == ["term", "coefficient", "minimum", "at", "off"]
    assert "price = c" in text


def test_the_gap_is_in_percent_of_the_measure(a_fit, report):
    lines = rows_of(report(a_fit(), terminal=False))
    assert [line[-1] for line in lines[2:]] == ["100", "90.0", "50.0", "10.0", "0.200"]


def test_decimal_points_are_aligned(a_fit, report):
    for first in ("iteration", "term"):
        body = table(report(a_fit(), 200), first)[2:]
        points = [[match.start() for match in re.finditer(r"\.", line)] for line in body]
        common = set.intersection(*map(set, points[:-1]))
        assert len(common) >= 2


def test_a_narrow_terminal_leaves_out_the_least_important_terms_whole_and_says_so(a_fit, report):
    text = report(a_fit(), 60)
    assert rows_of(text)[0] == ["iteration", "sqft", "beds", "cost", "above", "min", "%"]
    assert "The 2 strongest of 3 terms; --trace FILE has all, every iteration." in " ".join(text.split())
    assert "strongest" not in report(a_fit())


def test_the_order_of_the_terms_left_is_that_of_the_file(a_fit, report):
    fit = a_fit()
    values = dict(zip(fit.trace_terms, (0.1, -0.5, 0.9), strict=True))
    fit = replace(fit, coefficients=tuple(replace(c, standardized=values[c.term]) for c in fit.coefficients))
    assert rows_of(report(fit, 66))[0][1:3] == ["beds", "baths"]
    assert "The 2 strongest of 3 terms" in report(fit, 66)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_of_a_table_is_wider_than_the_terminal_and_nothing_is_cut(a_fit, report, width):
    text = report(a_fit(WIDE[:9]), width)
    assert all(cell_len(line) <= width for first in ("iteration", "term") for line in table(text, first))
    assert "…" not in text
    assert "..." not in text
    for name in WIDE[:9]:
        assert any(line.startswith(name) for line in table(text, "term"))


def test_forty_columns_still_show_the_most_important_term(a_fit, report):
    text = report(a_fit(), 40)
    assert rows_of(text)[0] == ["iteration", "sqft", "cost"]
    assert "The strongest of 3 terms, without c and above min %; --trace FILE" in " ".join(text.split())
    assert rows_of(report(a_fit(), 30))[0] == ["iteration", "cost"]
    assert "0 of 3 terms" in report(a_fit(), 30)


def test_a_term_too_wide_for_the_terminal_keeps_no_other_one_out(a_fit, report):
    text = report(a_fit(("x" * 100, "beds")), 50)
    assert rows_of(text)[0] == ["iteration", "beds", "cost", "above", "min", "%"]
    assert "1 of 2 terms; --trace FILE" in text


def test_coefficients_leave_out_the_effect_first_and_then_the_minimum(a_fit, report):
    assert rows_of(report(a_fit(), 50), "term")[0] == ["term", "coefficient", "minimum", "at", "off"]
    text = report(a_fit(("a_rather_long_name",)), 40)
    assert rows_of(text, "term")[0] == ["term", "coefficient", "off"]
    assert "Left out at 40 columns: minimum at and effect (sd); a pipe and --format csv" in " ".join(text.split())


def test_the_strongest_effect_stands_first_with_the_longest_bar(a_fit, report):
    fit = a_fit()
    effects = dict(zip(fit.trace_terms, (0.1, -0.8, 0.4), strict=True))
    fit = replace(fit, coefficients=tuple(replace(c, standardized=effects[c.term]) for c in fit.coefficients))
    lines = table(report(fit, 100), "term")[2:]
    assert [line.split()[0] for line in lines] == ["beds", "baths", "sqft", "(intercept)"]
    assert [re.search(r"-?█+\S*|$", line)[0] for line in lines] == ["-" + "█" * 12, "█" * 6, "█▌", ""]


def test_a_coefficient_says_how_far_it_is_off_its_minimum(a_fit, report):
    assert cells_of(report(a_fit(), terminal=False), "off", "term") == ["%"] * 4
    assert [line.split()[3:5] for line in table(report(a_fit()), "term")[2:]] == [["0.2", "%"]] * 4
    there = replace(a_fit(), coefficients=tuple(replace(c, value=c.optimum) for c in a_fit().coefficients))
    assert "off" in report(there)
    text = report(replace(there, intercept=replace(there.intercept, value=there.intercept.optimum)))
    assert rows_of(text, "term")[0] == ["term", "coefficient", "effect", "(sd)"]
    assert "Each is at its minimum to the digits shown." in text


def test_a_name_that_fits_nowhere_keeps_its_ends_on_a_terminal(a_fit, report):
    name = "a" + "x" * 98 + "b"
    lines = table(report(a_fit((name,)), 40), "term")
    assert max(map(cell_len, lines)) <= 40
    assert lines[2].startswith("ax")
    assert lines[2].split()[0].endswith("xb")
    assert name in report(a_fit((name,)), terminal=False)


def test_off_a_terminal_a_table_is_as_wide_as_its_content(a_fit, report):
    text = report(a_fit(WIDE), 80, terminal=False)
    assert rows_of(text)[0] == ["iteration", *WIDE, "c", "cost", "above", "min", "%"]
    assert rows_of(text, "term")[0] == ["term", "coefficient", "minimum", "at", "off", "effect", "(sd)"]
    assert "Left out" not in text
    assert "█" not in text


def test_off_a_terminal_a_sentence_is_one_line(a_fit, report):
    text = report(a_fit(), 40, terminal=False)
    assert text.splitlines()[-2].startswith("≈ Nearly there: 0.200 %")
    assert text.splitlines()[-2].endswith("needs 46 to converge:")


def test_on_a_terminal_sentences_break_between_words_and_commands_do_not(a_fit, report):
    lines = report(a_fit(), 40).splitlines()
    command = "  gdfit housing.csv --target price --lr 0.334"
    assert command in lines
    start = lines.index("≈ Nearly there: 0.200 % above the")
    assert all(len(line) <= 40 for line in lines[start:] if line != command)
    assert not any(line.lstrip().startswith("%") for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("terminal", [True, False])
def test_names_from_the_file_are_literal_and_act_on_nothing(a_fit, report, encoding, terminal):
    fit = a_fit(HOSTILE, slowest=tuple((name, 0.5) for name in HOSTILE), condition_number=1e6)
    text = report(replace(fit, reference_levels={"a\x1b[0m": "b\nc"}), 200, terminal, encoding)
    assert all(c == "\n" or c.isprintable() for c in text)
    for shown in ("[red]x[/red]", r"esc\x1b[31m", r"new\nline", ":smile:", r"a\x1b[0m = b\nc"):
        assert shown in text


def test_without_unicode_everything_is_ascii(a_fit, report):
    text = report(a_fit(HOSTILE), 60, encoding="ascii")
    assert text.isascii()
    assert "R^2" in text
    assert r"gr\xf6\xdfe \u90e8\u5c4b" in text
    assert "---" in table(text)[1]
    assert "~ Nearly there" in text
    assert "###" in report(a_fit(("x",)), 80, encoding="ascii")


def test_wide_characters_count_as_two_columns(a_fit, report):
    lines = table(report(a_fit(HOSTILE), terminal=False), "term")
    ends = {cell_len(line.rstrip()) for line in lines[2:-2]}
    assert len(ends) == 1


def test_the_heading_says_what_was_fitted_from_what_and_how(a_fit, report):
    title, facts = "price = m · sqft + c", "housing.csv, 932 rows · lr 0.01 · 1,000 iterations"
    assert report(a_fit(("sqft",))).splitlines()[0] == title + facts.rjust(80 - len(title))
    assert report(a_fit(("sqft",)), terminal=False).splitlines()[:2] == [
        "price = m · sqft + c",
        "housing.csv, 932 rows · squared error · lr 0.01 · 1,000 iterations",
    ]
    short = a_fit(("sqft",))
    short = replace(short, descent=replace(short.descent, iterations=1, asked=1500))
    assert report(short, terminal=False).splitlines()[1].endswith("lr 0.01 · 1 of 1,500 iterations")
    assert report(a_fit(), 120).startswith("price from sqft, beds and baths")
    assert report(a_fit(WIDE)).startswith("price from 12 columns")
    assert report(a_fit(("sqft",), intercept=None)).startswith("price = m · sqft  ")


def test_the_summary_names_r2_rmse_with_its_unit_and_the_rows(a_fit, report):
    assert "\n\nR² 0.642328   RMSE 78,455.3 (in units of price)   all 932 rows used\n\n" in report(a_fit())


def test_the_minimum_closes_the_iterations(a_fit, report):
    lines = report(a_fit(("sqft",)), terminal=False).splitlines()
    [row] = [line.split() for line in lines if line.startswith("  minimum ")]
    assert row == ["minimum", "145.457", "15,907.3", "6,142,952,690", "0"]
    assert "\n  minimum " not in report(replace(a_fit(), optimum=Optimum(None, None, None, 0.0)))


def test_rows_that_print_alike_are_one_line_that_says_so(a_fit, report):
    fit = a_fit(("sqft",))
    last = fit.trace[-1]
    more = tuple(last._replace(iteration=k) for k in (2000, 3000, 4000, 5000))
    fit = replace(fit, trace=fit.trace + more)
    text = report(fit)
    assert "⋮  no digit shown changes any more (3 rows; --every 50 shows them)" in text
    assert [line[0] for line in rows_of(text)[2:]] == ["0", "1", "10", "100", "1,000", "⋮", "5,000"]
    assert [line[0] for line in rows_of(report(fit, every=True))[-4:]] == ["2,000", "3,000", "4,000", "5,000"]
    assert "3 rows alike" in report(fit, 40)


def test_bars_show_the_cost_and_are_on_a_logarithmic_scale_where_it_spans_decades(a_fit, a_diverged_fit, report):
    bars = [line.split()[-1] for line in table(report(a_fit(("sqft",))))[2:]]
    assert bars == ["█" * 12, "█" * 11 + "▍", "█" * 9, "█" * 6 + "▋", "█" * 6]
    assert "log scale" not in report(a_fit(("sqft",)))
    assert "log scale" in report(a_diverged_fit())


def test_dropped_rows_are_counted_by_column(a_fit, report):
    text = report(a_fit(rows=RowCounts(344, 333, 11, {"sex": 11, "bill": 2, "year": 0})))
    assert "333 of 344 rows used" in text
    assert "missing  11 rows dropped for missing cells (sex 11, bill 2)" in text


def test_reference_levels_are_named(a_fit, report):
    one = report(a_fit(reference_levels={"type": "Condo"}))
    assert "Baseline: type = Condo; other levels are differences from it." in one
    two = report(a_fit(reference_levels={"type": "Condo", "sex": "female"}))
    assert "Baselines: type = Condo and sex = female; other levels are differences from\nthem." in two


def test_levels_are_named_by_their_column(a_fit, report):
    text = report(a_fit(("sqft", "type[House]"), features=("sqft", "type")))
    assert "type = House" in text
    assert "type[" not in text


def test_a_perfect_fit_shows_how_its_cost_shrinks(a_fit, report):
    fit = a_fit(("x",), relative_gap=None, gap=1e-9, gap_measure=100.0)
    costs = (100.0, 10.0, 1e-3, 1e-6, 1e-9)
    rows = tuple(row._replace(cost=cost, gap=cost) for row, cost in zip(fit.trace, costs, strict=True))
    text = report(replace(fit, trace=rows, cost=1e-9))
    assert "1.00000e-9" in text
    assert "log scale" in text
    assert "of the start's gap to a perfect fit is left" in text


def test_an_interrupted_descent_is_marked_under_its_table(a_fit, report):
    text = report(a_fit(stopped=Stopped.INTERRUPTED))
    assert "Interrupted: iteration 1,000 is as far as the descent came." in text


def test_after_divergence_come_the_iterations_so_far_and_the_way_out(a_diverged_fit, report):
    text = report(a_diverged_fit())
    assert [line[0] for line in rows_of(text)[2:7]] == ["0", "1", "2", "3", "4"]
    assert "rates below 0.392 are stable here" in text
    assert "minimum" not in text
    assert text.endswith("  gdfit housing.csv --target price --lr 0.334\n")
    assert "standardized" not in text
    assert "None" not in text


def test_the_table_of_iterations_can_be_left_to_plain_lines(a_fit, report):
    text = report(a_fit(), iterations=False)
    assert "\nterm " in text
    assert "\niteration " not in text


def test_a_report_without_a_trace_is_still_a_report(a_fit, report):
    assert "\nterm " in report(a_fit(trace=()))


def test_fewer_digits_are_fewer_digits(a_fit, report):
    text = report(a_fit(), digits=3)
    assert "R² 0.642   RMSE 78,455 (in units of price)" in text
    assert "6.16e9" in text


LONG = "a_column_whose_name_says_everything_that_there_is_to_know_about_its_values"


def test_a_long_name_loses_its_middle_on_a_terminal_and_nothing_off_it(a_fit, report):
    terms = (LONG, LONG.replace("everything", "anything__"), "beds")
    text = report(a_fit(terms))
    assert all(cell_len(line) <= 80 for table_of in ("iteration", "term") for line in table(text, table_of))
    shown = [line[0] for line in rows_of(text, "term")[2:5]]
    assert len(set(shown)) == 3
    assert all(len(one) <= 40 and one.startswith("a_column_") and one.endswith("values") for one in shown[:2])
    assert [line[0] for line in rows_of(report(a_fit(terms), terminal=False), "term")[2:5]] == list(terms)
