"""Iterations as plain lines, and sparklines."""

import io
import math

from gdcli.fitting.results import TraceRow, TraceShape
from gdcli.report.plain_lines import PlainLines
from gdcli.report.sparkline import sampled, sparkline

ROWS = [
    TraceRow(0, (0.0, -0.001, 1e-9), 0.0, 7.8e10, 1170.0),
    TraceRow(123456, (-145.456, 12345.6, 3.3), -1.5e7, 6.1e9, 0.05),
]


def lines(terms=("sqft", "beds", "baths"), rows=ROWS, digits=6, width=None, **shape):
    stream = io.StringIO()
    plain = PlainLines(stream, TraceShape(tuple(terms), **shape), digits, width)
    for row in rows:
        plain.write(row)
    plain.finish()
    return stream.getvalue().splitlines()


def test_every_line_has_the_width_of_the_header():
    text = lines(gap_measure=100.0)
    assert text[0].split() == ["iteration", "sqft", "beds", "baths", "c", "cost", "above", "min", "%"]
    assert len({len(line) for line in text}) == 1
    assert text[2].split() == ["123456", "-1.45456e+02", "1.23456e+04", "3.30000e+00", "-1.50000e+07", "6.10000e+09",
                               "5.00e-02"]  # fmt: skip


def test_decimal_points_stand_under_each_other():
    points = [[i for i, c in enumerate(line) if c == "."] for line in lines()[1:]]
    assert points[0] == points[1]


def test_lines_fit_the_terminal_by_whole_columns_and_say_what_is_missing():
    text = lines(width=60, importance=(0.1, 0.2, 0.9))
    assert text[0].split() == ["iteration", "beds", "baths", "cost"]
    assert text[2].split() == ["123456", "1.23456e+04", "3.30000e+00", "6.10000e+09"]
    assert all(len(line) <= 60 for line in text)
    assert " ".join(text[3:]).startswith("The 2 strongest of 3 terms; --trace FILE has all")


def test_one_term_is_m_and_no_intercept_is_no_c():
    row = TraceRow(1, (2.0,), None, 3.0, None)
    text = lines(["x"], [row], intercept=False, digits=3, gap_measure=1.0)
    assert [line.split() for line in text] == [
        ["iteration", "m", "cost", "above", "min", "%"],
        ["1", "2.00e+00", "3.00e+00", "nan"],
    ]


def test_a_long_or_hostile_name_widens_its_column():
    text = lines(["a" * 30, "esc\x1b[31m", "部屋"], gap_measure=1.0)
    assert all(c.isprintable() for line in text for c in line)
    assert text[0].index("a" * 30) + 30 == text[1].index("e+") + 4


def test_overflow_is_a_line_like_any_other():
    assert "inf" in lines(rows=[TraceRow(9, (math.inf, -math.inf, math.nan), 1e300, math.inf, None)])[1]


def test_a_sparkline_goes_from_low_to_high():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]).text == "▁▂▃▄▅▆▇█"
    assert sparkline([7, 0], unicode=False).text == "#_"
    assert sparkline([5.0, 5.0]).text == "▁▁"


def test_a_sparkline_over_decades_is_logarithmic():
    drawn = sparkline([1e0, 1e1, 1e2, 1e7])
    assert drawn.logarithmic
    assert drawn.text == "▁▂▃█"
    assert not sparkline([1.0, 50.0]).logarithmic
    assert not sparkline([0.0, 1e9]).logarithmic


def test_a_sparkline_puts_what_is_not_finite_on_top():
    assert sparkline([1.0, 2.0, math.inf, math.nan]).text == "▁███"
    assert sparkline([math.inf]).text == "█"
    assert sparkline([-1e308, 1e308]).text == "▁█"


def test_a_sample_keeps_the_first_and_the_last():
    assert sampled(list(range(100)), 4) == [0, 33, 66, 99]
    assert sampled([1, 2], 4) == [1, 2]
