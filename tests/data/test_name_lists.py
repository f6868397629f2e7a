"""Lists and patterns of column names."""

from collections.abc import Callable

import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError
from gdcli.ingest.summarize import summarize_data as summarize

TABLE = 'id,id2,lat,lon,latest,"b,c","b*",y\n' + "".join(
    f"{i},{i * i % 11},{i * 7 % 5},{i * 5 % 13},{i % 3},{i * 3 % 8},{i * i % 6},{i * 2 % 9}\n" for i in range(1, 15)
)


def features(path: str, **options: object) -> tuple[str, ...]:
    return fit(path, target="y", iterations=0, **options).features


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["lat,lon"], ("lat", "lon")),
        (["lon, lat", "id"], ("id", "lat", "lon")),
        (["la*"], ("lat", "latest")),
        (["la?,id"], ("id", "lat")),
        (["id[0-9]"], ("id2",)),
        (["b,c"], ("b,c",)),
        (["b*"], ("b*",)),
        (["lat,b*"], ("lat", "b*")),
        (["*"], ("id", "id2", "lat", "lon", "latest", "b,c", "b*")),
    ],
)
def test_a_list_and_a_pattern_stand_for_columns_and_an_exact_name_for_itself(
    csv_file: Callable[..., str], given: list[str], meant: tuple[str, ...]
) -> None:
    assert features(csv_file(TABLE), features=given) == meant


def test_patterns_leave_columns_out_and_take_none_that_is_left_out(csv_file: Callable[..., str]) -> None:
    path = csv_file(TABLE)
    assert features(path, exclude=["id*", "b?c,b*"]) == ("lat", "lon", "latest")
    assert features(path, features=["l*"], exclude=["latest"]) == ("lat", "lon")
    assert features(path, features=["*"], weights="id") == ("id2", "lat", "lon", "latest", "b,c", "b*")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("zz*", r"has no column like 'zz\*'\. Columns: id, id2"),
        ("lat,lno", "has no column 'lno'. Did you mean 'lon'"),
        ("lat,z*", r"has no column like 'z\*'"),
        ("foo,bar", "has no column 'foo'. Columns"),
        ("b,cc", "has no column 'b,cc'. Did you mean 'b,c'"),
    ],
)
def test_what_stands_for_nothing_is_named(csv_file: Callable[..., str], given: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        features(csv_file(TABLE), features=[given])
    with pytest.raises(DataError, match=told):
        features(csv_file(TABLE), exclude=[given])


def test_a_column_named_in_two_roles_stays_an_error(csv_file: Callable[..., str]) -> None:
    with pytest.raises(UsageError, match="'lat' is both a --feature and to --exclude"):
        features(csv_file(TABLE), features=["lat"], exclude=["lat"])


def test_a_summary_understands_them_too(csv_file: Callable[..., str]) -> None:
    whole = summarize(csv_file(TABLE))
    assert features(whole, features=["la*"]) == ("lat", "latest")
    assert summarize(whole, features="id*,y").names == ("id", "id2", "y")


def test_numbers_become_categories_by_a_pattern(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file(TABLE), target="y", features=["latest", "lon"], categorical=["late*"], iterations=0)
    assert [one.term for one in result.coefficients] == ["lon", "latest[1]", "latest[2]"]
