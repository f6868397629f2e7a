"""Dates and times as days since 1970, by Python's own calendar."""

import math
import random
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from gdcli.base.errors import UsageError
from gdcli.data.dates import ISO, days_by, iso_days, looks_dated, numbers_of_dates, parse_dates
from gdcli.data.table import Coded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_time_in_any_zone_is_the_days_since_1970_in_utc() -> None:
    draw = random.Random(6)
    for _ in range(300):
        zone = timezone(timedelta(minutes=15 * draw.randrange(-56, 57)))
        time = (EPOCH + timedelta(seconds=draw.randrange(-(10**10), 10**10))).astimezone(zone)
        offset = time.strftime("%z")
        for text in (
            f"{time:%Y-%m-%dT%H:%M:%S}{offset}",
            f"{time:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:]}",
            f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
        ):
            assert iso_days(text) == pytest.approx((time - EPOCH) / DAY, rel=1e-15), text
        found = days_by("%Y-%m-%d %H:%M:%S%z", f"{time:%Y-%m-%d %H:%M:%S}{offset}")
        assert found == pytest.approx((time - EPOCH) / DAY, rel=1e-15)


def test_parts_that_are_left_out_are_the_first_ones() -> None:
    assert iso_days("1970-02") == iso_days("1970-02-01") == 31.0
    assert iso_days("1970-01-02 06:00") == iso_days("1970-01-02 06:00:00.0") == iso_days("1970-01-02 08:00+02") == 1.25
    assert iso_days("1970-01-01 00:00:00.5") == pytest.approx(0.5 / 86400)


@pytest.mark.parametrize(
    "text",
    [
        "2016-01-15 24:00", "2016-01-15 23:60", "2016-01-15 23:59:60", "2016-13-01", "2016-02-30", "2016-00", "2016",
        "2016-1-5", "16-01-15", "2016-01-15 8:30", "2016-01-15T", "٢٠١٦-٠١-١٥",
    ],
)  # fmt: skip
def test_what_is_on_no_calendar_or_clock_is_no_date(text: str) -> None:
    assert iso_days(text) is None
    assert iso_days("2016-01-15 23:59:59") is not None


def test_a_time_of_day_alone_is_a_part_of_a_day() -> None:
    assert days_by("%H:%M", "06:00") == 0.25
    assert days_by("%I:%M %p", "06:00 PM") == 0.75
    assert days_by("%d.%m.%Y", "15.01.2016") == (datetime(2016, 1, 15, tzinfo=UTC) - EPOCH) / DAY
    assert days_by("%H:%M", "25:00") is None


@pytest.mark.parametrize(("dated", "others", "looks"), [(3, 2, True), (2, 2, False), (2, 3, False), (1, 0, True)])
def test_a_column_looks_dated_if_most_of_its_texts_do(dated: int, others: int, looks: bool) -> None:
    assert looks_dated([f"1{i}.01.2016" for i in range(dated)] + [f"b{i}" for i in range(others)]) is looks


def test_a_colon_may_stand_in_the_name_and_in_the_format() -> None:
    names = ("a:b", "t")
    assert parse_dates(["a:b:%d.%m.%Y", "t:%H:%M"], names) == {"a:b": "%d.%m.%Y", "t": "%H:%M"}
    assert parse_dates(["t:iso"], names) == {"t": ISO}
    for wrong in ("t", "t:", "t:day", "t:%Q"):
        with pytest.raises(UsageError, match="--date"):
            parse_dates([wrong], names)


def test_a_missing_cell_is_told_from_a_text_that_is_no_date() -> None:
    column = Coded(np.array([0, -1, 1, 0]), ("1970-01-02", "soon"))
    assert numbers_of_dates(column, ISO).tolist() == pytest.approx([1.0, math.nan, math.inf, 1.0], nan_ok=True)
