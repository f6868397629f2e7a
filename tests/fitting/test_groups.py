"""One fit per group: each is that of the group's rows alone, whatever the blocks and the threads."""

import csv
import json
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pytest

from gdcli.api import run_groups
from gdcli.base.errors import DataError
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.options import FitOptions

Row = dict[str, str]


def written(seed: int = 0, rows: int = 400) -> str:
    """y from a (far from zero), b and a text t, with other coefficients in each of the regions; w are weights."""
    rng = np.random.default_rng(seed)
    lines = ["y,a,b,t,region,kind,w"]
    for _ in range(rows):
        g = int(rng.integers(0, 6))
        a, b, t = 2000 + rng.normal(), 10.0**g * rng.normal(), "ABCD"[int(rng.integers(g % 3, 4))]
        y = (g - 2) * a + b / 10.0**g + "ABCD".index(t) + rng.normal()
        lines.append(f"{y!r},{a!r},{b!r},{t},r{g},{'uv'[int(rng.integers(0, 2))]},{rng.uniform(0, 3)!r}")
    return "\n".join(lines) + "\n"


def by_group(path: str, by: Sequence[str]) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            found[tuple(row[name] for name in by)].append(row)
    return found


def matrix(rows: Sequence[Row], features: Sequence[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The design columns of these rows alone, by term: the first level that they have is the reference."""
    columns: dict[str, np.ndarray] = {}
    for name in features:
        if name in ("t", "kind"):
            for level in sorted({row[name] for row in rows})[1:]:
                columns[f"{name}[{level}]"] = np.array([float(row[name] == level) for row in rows])
        else:
            columns[name] = np.array([float(row[name]) for row in rows])
    return columns, np.array([float(row["y"]) for row in rows])


def least_squares(columns: Mapping[str, np.ndarray], y: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """NumPy's lstsq on centred, scaled columns."""
    X = np.column_stack(list(columns.values()))
    mean, scale = np.average(X, axis=0, weights=w), X.std(axis=0)
    root = np.sqrt(w)[:, None]
    A = np.column_stack([np.ones(len(y)), (X - mean) / scale]) * root
    theta = np.linalg.lstsq(A, y * root[:, 0], rcond=None)[0]
    slopes = theta[1:] / scale
    return dict(zip(columns, slopes, strict=True)) | {"c": theta[0] - slopes @ mean}


def descended(columns: Mapping[str, np.ndarray], y: np.ndarray, rate: float, iterations: int) -> dict[str, float]:
    """The plain loop over the rows, standardised."""
    X, y = np.column_stack(list(columns.values())).astype(np.longdouble), y.astype(np.longdouble)
    mean, scale, size = X.mean(axis=0), X.std(axis=0, ddof=1), y.std(ddof=1)
    A, target = np.column_stack([np.ones(len(y)), (X - mean) / scale]), y / size
    theta = np.zeros(A.shape[1])
    for _ in range(iterations):
        theta = theta + rate * 2 / len(y) * (A.T @ (target - A @ theta))
    slopes = theta[1:] * size / scale
    return dict(zip(columns, slopes, strict=True)) | {"c": theta[0] * size - slopes @ mean}


def fitted(path: str, by: Sequence[str] = ("region",), **options: object) -> GroupFits:
    chosen = {"target": "y", "exclude": ("kind", "w")} | options
    return run_groups([path], FitOptions.of(**chosen, by=tuple(by)))


def coefficients(fits: GroupFits, optimum: bool = False) -> Iterator[tuple[tuple[str, ...], dict[str, float]]]:
    slopes, intercepts = (fits.optimal_slopes, fits.optimal_intercepts) if optimum else (fits.slopes, fits.intercepts)
    for i, key in enumerate(fits.groups):
        terms = {term.label: float(slopes[i, j]) for j, term in enumerate(fits.terms)}
        yield key, terms | {"c": float(intercepts[i])}


def close(found: Mapping[str, float], expected: Mapping[str, float], within: float = 1e-9) -> bool:
    """Whether the coefficients agree; terms that the group has not are exactly zero."""
    return all(
        math.isclose(value, expected[term], rel_tol=within, abs_tol=1e-12) if term in expected else value == 0.0
        for term, value in found.items()
    )


@pytest.mark.parametrize("by", [["region"], ["region", "kind"]])
@pytest.mark.parametrize("weights", [None, "w"])
def test_each_optimum_is_least_squares_on_the_rows_of_the_group(
    csv_file: Callable[..., str], by: list[str], weights: str | None
) -> None:
    path = csv_file(written())
    groups = by_group(path, by)
    fits = fitted(path, by, weights=weights)
    assert fits.groups == tuple(sorted(groups))
    for key, found in coefficients(fits, optimum=True):
        columns, y = matrix(groups[key], ["a", "b", "t"])
        w = np.array([float(row["w"]) for row in groups[key]]) if weights else np.ones(len(y))
        assert close(found, least_squares(columns, y, w))


@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_each_descent_is_the_plain_loop_on_the_rows_of_the_group(csv_file: Callable[..., str], rate: float) -> None:
    path = csv_file(written())
    groups = by_group(path, ["region"])
    for key, found in coefficients(fitted(path, learning_rate=rate, iterations=25)):
        columns, y = matrix(groups[key], ["a", "b", "t"])
        assert close(found, descended(columns, y, rate, 25), 1e-8)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": "minmax"},
        {"scale": "none", "learning_rate": 1e-8, "features": ("a",)},
        {"intercept": False, "features": ("a", "b")},
        {"optimizer": "momentum:0.5"},
        {"optimizer": "nesterov"},
        {"optimizer": "newton", "learning_rate": 0.5},
        {"optimizer": "adam"},
        {"schedule": "cosine"},
        {"tolerance": 1e-2, "learning_rate": 0.2},
    ],
    ids=str,
)
def test_every_option_of_the_descent_does_what_it_does_to_one_file(
    csv_file: Callable[..., str], options: dict[str, object]
) -> None:
    import gdcli

    text = written(rows=200)
    header, *lines = text.splitlines()
    options = {"iterations": 40, "exclude": ("kind", "w")} | options
    fits = fitted(csv_file(text), **options)
    for i, (key, found) in enumerate(coefficients(fits)):
        own = [line for line in lines if line.split(",")[4] == key[0]]
        options["exclude"] = ("kind", "w", "region")
        alone = gdcli.fit(csv_file("\n".join([header, *own]), "alone.csv"), target="y", **options)
        expected = {c.term: c.value for c in alone.coefficients} | {
            "c": alone.intercept.value if alone.intercept else 0.0
        }
        assert close(found, expected, 1e-7)
        assert fits.iterations[i] == alone.descent.iterations
        assert fits.r2[i] == pytest.approx(alone.r2, rel=1e-9)
        assert fits.behaviour[i] == alone.learning_rate.behaviour
        assert fits.largest_stable[i] == pytest.approx(alone.learning_rate.largest_stable or math.nan, nan_ok=True)


def test_the_automatic_rate_is_each_groups_best(csv_file: Callable[..., str]) -> None:
    path = csv_file(written())
    groups = by_group(path, ["region"])
    fits = fitted(path, learning_rate="auto")
    assert len(set(fits.rate.tolist())) == len(fits.groups)
    for i, key in enumerate(fits.groups):
        columns, y = matrix(groups[key], ["a", "b", "t"])
        X = np.column_stack(list(columns.values()))
        A = np.column_stack([np.ones(len(y)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)])
        lam, V = np.linalg.eigh(2 / len(y) * A.T @ A)
        target = y / y.std(ddof=1)
        best = np.linalg.lstsq(A, target, rcond=None)[0]
        limit = 0.01 * np.mean((target - A @ best) ** 2)
        k = int(fits.iterations_to_1_percent[i])

        def gap(rate: float, k: int, lam: np.ndarray = lam, d: np.ndarray = V.T @ best) -> float:
            return float(0.5 * np.sum(lam * (1 - rate * lam) ** (2 * k) * d**2))

        assert gap(fits.rate[i], k) <= limit * (1 + 1e-9)
        assert min(gap(rate, k - 1) for rate in np.linspace(0, 2 / lam.max(), 20001)) > limit


@pytest.mark.parametrize("size", [300, 1000, 5000])
def test_blocks_change_nothing(
    csv_file: Callable[..., str],
    blocks_of: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    path = csv_file(written())
    whole = fitted(path)
    blocks_of(size)
    monkeypatch.setattr("gdcli.ingest.grouped._LEAST_WAITING", 1)
    monkeypatch.setattr("gdcli.ingest.grouped._WAITING", 0)
    in_blocks = fitted(path)
    assert in_blocks.groups == whole.groups
    assert in_blocks.terms == whole.terms
    assert in_blocks.count.tolist() == whole.count.tolist()
    np.testing.assert_allclose(in_blocks.slopes, whole.slopes, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(in_blocks.optimal_cost, whole.optimal_cost, rtol=1e-9)


def test_the_number_of_threads_changes_no_bit(csv_file: Callable[..., str], blocks_of: Callable[[int], None]) -> None:
    path = csv_file(written())
    blocks_of(1000)
    one, many = fitted(path, jobs=1), fitted(path, jobs=5)
    for name in ("slopes", "intercepts", "cost", "gap", "r2", "optimal_slopes"):
        assert getattr(one, name).tobytes() == getattr(many, name).tobytes()


def test_long_groups_are_reduced_in_slices(csv_file: Callable[..., str]) -> None:
    rng = np.random.default_rng(3)
    a, y = rng.normal(size=3000).tolist(), rng.normal(size=3000).tolist()
    rows = "".join(f"{v!r},{u!r},{'long' if i % 10 else 'short'}\n" for i, (u, v) in enumerate(zip(a, y, strict=True)))
    path = csv_file("y,a,g\n" + rows)
    groups = by_group(path, ["g"])
    for key, found in coefficients(fitted(path, ["g"], exclude=()), optimum=True):
        columns, target = matrix(groups[key], ["a"])
        assert close(found, least_squares(columns, target, np.ones(len(target))))


def test_a_late_group_and_a_late_level_are_as_if_they_had_been_there_from_the_start(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gdcli.ingest.grouped._LEAST_WAITING", 1)
    monkeypatch.setattr("gdcli.ingest.grouped._WAITING", 0)
    header, *lines = written().splitlines()
    lines.sort(key=lambda line: (line.split(",")[3] == "A", line.split(",")[4] == "r0"))
    path = csv_file("\n".join([header, *lines]) + "\n")
    blocks_of(800)
    groups = by_group(path, ["region"])
    fits = fitted(path)
    assert fits.levels == {"t": ("A", "B", "C", "D")}
    for key, found in coefficients(fits, optimum=True):
        columns, y = matrix(groups[key], ["a", "b", "t"])
        assert close(found, least_squares(columns, y, np.ones(len(y))))


def test_a_level_absent_from_a_group_and_a_column_constant_in_it_have_coefficient_zero(
    csv_file: Callable[..., str],
) -> None:
    rows = ["1,1,5,A,g", "2,3,5,B,g", "4,4,5,A,g", "5,7,5,B,g", "6,8,5,A,g"]
    rows += ["1,1,1,B,h", "3,2,2,C,h", "3,4,4,B,h", "5,5,3,C,h", "9,8,0,C,h", "3,1,1,B,h"]
    fits = fitted(csv_file("\n".join(["y,a,b,t,region", *rows]) + "\n"), exclude=(), learning_rate="auto")
    found = dict(coefficients(fits))
    assert [term.label for term in fits.terms] == ["a", "b", "t[B]", "t[C]"]
    assert found[("g",)]["b"] == found[("g",)]["t[C]"] == 0.0
    assert found[("h",)]["t[B]"] == 0.0
    assert 0.0 not in (found[("g",)]["t[B]"], found[("h",)]["t[C]"], found[("h",)]["b"])
    assert fits.references == {"t": ("A", "B")}


def test_without_an_intercept_a_constant_column_counts_in_a_group_unless_it_is_zero(
    csv_file: Callable[..., str],
) -> None:
    drawn = np.random.default_rng(3).integers(1, 9, size=(18, 3)).astype(float)
    drawn[:6, 2], drawn[6:12, 2] = 2.0, 0.0
    text = "".join(f"{y},{a},{b},{'ghi'[i // 6]}\n" for i, (y, a, b) in enumerate(drawn))
    fits = fitted(csv_file(f"y,a,b,region\n{text}"), exclude=(), intercept=False, learning_rate="auto")
    for i, used in enumerate(([1, 2], [1], [1, 2])):
        rows = drawn[6 * i : 6 * i + 6]
        least = np.linalg.lstsq(rows[:, used], rows[:, 0], rcond=None)[0]
        assert fits.optimal_slopes[i] == pytest.approx([*least, 0.0][:2], rel=1e-10)


def test_collinear_columns_of_a_group_share_what_they_explain(csv_file: Callable[..., str]) -> None:
    rows = [f"{3 * i + 1},{i},{2 * i},g" for i in range(9)] + [f"{i},{i},{i * i},h" for i in range(9)]
    path = csv_file("\n".join(["y,a,b,region", *rows]) + "\n")
    found = dict(coefficients(fitted(path, exclude=(), learning_rate="auto"), optimum=True))
    # Standardised, both columns are the same: each has half of the slope 3.
    assert found[("g",)] == pytest.approx({"a": 1.5, "b": 0.75, "c": 1.0})
    assert found[("h",)] == pytest.approx({"a": 1.0, "b": 0.0, "c": 0.0}, abs=1e-12)


def test_groups_with_too_few_rows_are_listed(csv_file: Callable[..., str]) -> None:
    path = csv_file("y,a,g\n1,1,big\n2,3,big\n5,4,big\n7,1,one\n1,2,two\n2,2,two\n")
    fits = fitted(path, ["g"], exclude=())
    assert dict(zip(fits.groups, fits.verdict, strict=True))[("one",)] is Verdict.TOO_FEW_ROWS
    assert fits.count.tolist() == [3, 1, 2]
    assert [math.isnan(c) for c in fits.intercepts] == [False, True, False]
    with pytest.raises(DataError, match="no group has enough rows: the largest has"):
        fitted(csv_file("y,a,g\n1,1,one\n2,3,two\n", "few.csv"), ["g"], exclude=())


def test_a_group_of_a_constant_target_has_no_r2(csv_file: Callable[..., str]) -> None:
    path = csv_file("y,a,g\n" + "".join(f"{y},{i},{g}\n" for g in "uv" for i, y in enumerate((5, 5, 5 + (g == "v")))))
    fits = fitted(path, ["g"], exclude=(), iterations=3)
    assert np.isnan(fits.r2).tolist() == [True, False]


def test_groups_stand_in_order_numbers_by_their_value(csv_file: Callable[..., str]) -> None:
    rows = [f"{i * i},{i},{g}" for g in ("10", "9", "2.50", "2.5") for i in range(4)]
    fits = fitted(csv_file("\n".join(["y,a,g", *rows]) + "\n"), ["g"], exclude=())
    assert fits.groups == (("2.5",), ("2.50",), ("9",), ("10",))


def test_a_row_without_a_group_is_dropped_and_counted(csv_file: Callable[..., str]) -> None:
    path = csv_file("y,a,g\n1,1,p\n2,3,p\n5,4,\n7,1,NA\n,2,p\n2,2,p\n")
    rows = fitted(path, ["g"], exclude=()).rows
    assert (rows.read, rows.used, rows.dropped_by_column) == (6, 3, {"g": 2, "y": 1})


def test_more_groups_than_a_text_column_may_have_levels(csv_file: Callable[..., str]) -> None:
    rows = [f"{i * g},{i},g{g}" for g in range(120) for i in range(3)]
    assert len(fitted(csv_file("\n".join(["y,a,g", *rows]) + "\n"), ["g"], exclude=()).groups) == 120


def test_json_of_one_group_has_the_keys_of_a_fit(csv_file: Callable[..., str], gdfit: Callable[..., object]) -> None:
    from gdcli.report.groups import groups_report
    from gdcli.report.paper import Page
    from gdcli.report.writers import as_json

    path = csv_file(written())
    fit = json.loads(gdfit(path, "-t", "y", "--format", "json").out)  # type: ignore[attr-defined]
    lines = [json.loads(line) for line in as_json(groups_report(fitted(path)), Page()).splitlines()]
    assert [line["group"] for line in lines] == [{"region": f"r{g}"} for g in range(6)]
    for line in lines:
        assert line["schema"] == fit["schema"]
        assert line.keys() - fit.keys() == {"group", "verdict"}
        for key in ("intercept", "optimum", "descent"):
            assert line[key].keys() == fit[key].keys()


def test_groups_that_do_not_fit_into_the_memory_are_refused_while_reading(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file("\n".join(["y,a,region", *(f"{i % 7},{i % 5},g{i // 2}" for i in range(8000))]) + "\n")
    assert len(fitted(path, exclude=()).groups) == 4000
    # A triangle of 3 × 3 numbers of 8 bytes, twelve times, for half of the groups.
    monkeypatch.setattr("gdcli.data.memory.memory", lambda: 2000 * 12 * 8 * 9)
    with pytest.raises(DataError, match=r"4,000 groups of 2 columns need .* GB of memory"):
        fitted(path, exclude=())


def test_every_rate_is_stable_in_a_group_whose_only_feature_is_zero(csv_file: Callable[..., str]) -> None:
    path = csv_file("g,a,y\nu,0,1\nu,0,2\nu,0,3\nv,1,2\nv,2,4.5\nv,3,5\n")
    options = FitOptions.of(target="y", by=("g",), intercept=False, learning_rate=0.1, iterations=200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fits = run_groups([path], options)
    assert fits.largest_stable[0] == np.inf
    assert fits.slopes[0, 0] == 0.0
    assert fits.slopes[1, 0] == pytest.approx(26 / 14)
