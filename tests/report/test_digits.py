"""How numbers are written for people."""

import math

import pytest

from gdcli.report import numbers as digits


def test_a_column_has_one_number_of_decimals_and_one_length():
    cells = digits.column([3456789.123, -138.5461, 0.0], 6)
    assert cells == ["3,456,789.123", "     -138.546", "        0.000"]


def test_a_small_number_keeps_three_digits_beside_a_large_one():
    assert digits.column([3456789.123, 0.0123456], 6) == ["3,456,789.1230", "        0.0123"]


def test_a_column_becomes_scientific_as_a_whole_where_fixed_would_be_too_wide():
    assert digits.column([1e-3, 1e12, None, 0.0], 6) == ["1.00000e-3", "1.00000e12", " " * 10, "0         "]


def test_different_quantities_have_their_own_digits_and_their_points_under_each_other():
    cells = digits.mixed([144.0586, -23512.135, 16024765.641, 0.0, None], 6)
    assert cells == ["       144.059", "   -23,512.1  ", "16,024,766    ", "         0    ", "              "]
    assert digits.mixed([1e-9, 1e9], 3) == ["1.00e-9", "1.00e9 "]


def test_numbers_in_sentences_lose_the_zeros_at_their_end():
    assert [digits.without_zeros(x, 6) for x in (0.5, 84938.2, 1e20, 3.0)] == ["0.5", "84,938.2", "1.00000e20", "3"]


def test_a_relative_column_lets_what_is_small_beside_its_largest_vanish():
    assert digits.column([100.0, 1e-9], 6, relative=True) == ["100.000", "  0.000"]
    assert digits.column([138.546, 0.0123456], 6, relative=True) == ["138.5460", "  0.0123"]


def test_a_negative_number_that_rounds_to_zero_has_no_sign():
    assert digits.column([-1e-9, 100.0], 6, relative=True)[0].strip() == "0.000"


def test_what_is_not_finite_and_what_is_not_there_still_line_up():
    assert digits.column([math.inf, None, 1.5], 6) == ["inf      ", "         ", "  1.50000"]
    assert digits.column([0.0, 0.0], 6) == ["0", "0"]
    assert digits.column([], 6) == []


def test_the_digits_asked_for_are_shown():
    assert digits.number(math.pi, 3) == "3.14"
    assert digits.number(math.pi, 10) == "3.141592654"
    assert digits.number(6.8e10, 3) == "6.80e10"


def test_percents_have_three_digits_each_and_their_points_aligned():
    assert digits.percents([9.68, 0.432, 0.00012345, 1e-9, 0.0, None]) == [
        "968      ",
        " 43.2    ",
        "  0.0123 ",
        " <0.00001",
        "  0      ",
        "         ",
    ]


def test_ticks_have_three_digits_and_separators_as_long_as_they_are_short():
    assert [digits.tick(x) for x in (0.0, 800_000, 12_345, 7.8e10, 0.00123, 1e-9)] == [
        "0", "800,000", "12,300", "7.8e10", "0.00123", "1e-9",
    ]  # fmt: skip


def test_percents_on_the_way_to_infinity_are_scientific():
    assert digits.percents([10.0, 1e30]) == ["1,000      ", "    1.00e32"]
    assert digits.percent(1e30) == "1.00e32 %"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (12345, "12,345"),
        (9_999_999, "9,999,999"),
        (31_700_000, "about 32 million"),
        (3_217_000_000, "about 3.2 billion"),
        (999_999_999, "about 1 billion"),
        (373_432_686_312_076, "about 370 trillion"),
        (10**17, "about 1e17"),
    ],
)
def test_counts_read_well_however_large(count, text):
    assert digits.count(count) == text


def test_a_limit_that_is_itself_not_stable_is_rounded_to_below_it():
    assert digits.rounded_below(0.3920271590886532) == 0.392
    assert digits.rounded_below(0.31) == 0.309
    assert digits.rounded_below(0.1) == 0.0999
    assert digits.rounded_below(2.0) == 1.99
    assert digits.rounded_below(2.9725992399345047e-07) == 2.97e-07
    assert digits.rounded_below(123.4) == 123.0


def test_the_best_rate_is_never_rounded_up():
    assert digits.rounded_rate(0.25) == 0.25
    assert digits.rounded_rate(0.3915) == 0.391
    assert digits.rounded_rate(1.9999999999) == 1.99


def test_a_rate_is_written_as_a_person_would_type_it():
    assert [digits.rate(x) for x in (0.01, 2.0, 1e-9, 0.1 + 0.2)] == ["0.01", "2", "1e-09", "0.30000000000000004"]


def test_iterations_to_run_are_rounded_up_to_two_digits():
    assert [digits.rounded_up(n) for n in (0, 7, 99, 101, 12345)] == [0, 7, 99, 110, 13000]
