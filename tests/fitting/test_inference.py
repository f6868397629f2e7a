"""Inference against the textbook's formulas, written out over the rows with scipy's distributions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from gdcli.api import fit_data as fit
from gdcli.base.errors import UsageError
from gdcli.fitting.results import Certainty, Fit
from gdcli.ingest.summarize import summarize_data as summarize


class Textbook(NamedTuple):
    """Seber & Lee, Linear Regression Analysis, chapters 3 and 4; the intercept comes last."""

    beta: np.ndarray
    std_error: np.ndarray
    t: np.ndarray
    p: np.ndarray
    low: np.ndarray
    high: np.ndarray
    s: float
    freedom: int
    r2: float
    adjusted_r2: float
    f: float
    f_p: float
    f_freedom: int


def textbook(X: np.ndarray, y: np.ndarray, w: np.ndarray, intercept: bool) -> Textbook:
    """By the normal equations of the weighted rows, in extended precision; rows of weight zero do not count."""
    counted = w > 0
    X, y, w = X[counted].astype(np.longdouble), y[counted].astype(np.longdouble), w[counted].astype(np.longdouble)
    A = np.column_stack([X, np.ones(len(X))]) if intercept else X
    inverse = inverted(A.T @ (w[:, np.newaxis] * A))
    beta = inverse @ (A.T @ (w * y))
    n, k = A.shape
    freedom = n - k
    residual = w @ (y - A @ beta) ** 2
    center = (w @ y) / w.sum() if intercept else np.longdouble(0)
    total = w @ (y - center) ** 2
    s2 = residual / freedom
    error = np.sqrt(s2 * np.diagonal(inverse)).astype(float)
    b = beta.astype(float)
    t, terms = b / error, k - int(intercept)
    half = stats.t.ppf(0.975, freedom) * error
    f = float((total - residual) / terms / s2)
    return Textbook(
        b, error, t, 2 * stats.t.sf(np.abs(t), freedom), b - half, b + half, float(np.sqrt(s2)), freedom,
        float(1 - residual / total), float(1 - s2 / (total / (n - int(intercept)))),
        f, float(stats.f.sf(f, terms, freedom)), terms,
    )  # fmt: skip


def inverted(A: np.ndarray) -> np.ndarray:
    """Gauss-Jordan elimination: NumPy inverts no extended precision."""
    k = len(A)
    M = np.concatenate([A, np.eye(k, dtype=np.longdouble)], axis=1)
    for i in range(k):
        pivot = i + int(np.abs(M[i:, i]).argmax())
        M[[i, pivot]] = M[[pivot, i]]
        M[i] /= M[i, i]
        for j in range(k):
            if j != i:
                M[j] -= M[j, i] * M[i]
    return M[:, k:]


class Rows:
    """Random rows: two numeric columns (one far from zero), a text column of three levels, weights."""

    def __init__(self, rows: int = 40, seed: int = 3, noise: float = 2.0) -> None:
        random = np.random.default_rng(seed)
        self.x, self.z = 2000 + random.normal(size=rows) * 4, random.normal(size=rows)
        self.kind = random.choice(["a", "b", "c"], rows)
        self.w = random.choice([0.0, 0.5, 1.0, 3.0], rows)
        self.y = 0.5 * self.x - self.z + 3.0 * (self.kind == "c") + random.normal(size=rows) * noise

    @property
    def text(self) -> str:
        columns = (self.x.tolist(), self.z.tolist(), self.kind.tolist(), self.w.tolist(), self.y.tolist())
        rows = zip(*columns, strict=True)
        return "x,z,kind,w,y\n" + "".join(f"{x!r},{z!r},{k},{w},{y!r}\n" for x, z, k, w, y in rows)

    def design(self, intercept: bool) -> np.ndarray:
        levels = ["b", "c"] if intercept else ["a", "b", "c"]
        return np.column_stack([self.x, self.z, *(self.kind == level for level in levels)])


def certainties(result: Fit) -> list[Certainty]:
    rows = [*result.coefficients, *([] if result.intercept is None else [result.intercept])]
    found = [row.certainty for row in rows if row.certainty is not None]
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_every_figure_is_the_textbooks(
    csv_file: Callable[..., str], intercept: bool, weighted: bool, scale: str
) -> None:
    if scale == "minmax" and not intercept:
        scale = "none"
    rows = Rows()
    options: dict[str, Any] = {"weights": "w"} if weighted else {"exclude": "w"}
    result = fit(
        csv_file(rows.text), target="y", inference=True, intercept=intercept, scale=scale, learning_rate=1e-9,
        iterations=0, **options,
    )  # fmt: skip
    expected = textbook(rows.design(intercept), rows.y, rows.w if weighted else np.ones(len(rows.y)), intercept)
    found = certainties(result)
    for name in ("std_error", "t", "low", "high"):
        assert [getattr(one, name) for one in found] == pytest.approx(getattr(expected, name), rel=1e-9), name
    assert [one.p for one in found] == pytest.approx(expected.p, rel=1e-7, abs=1e-300)
    whole = result.inference
    assert whole is not None
    assert whole.residual_sd == pytest.approx(expected.s, rel=1e-11)
    assert (whole.degrees_of_freedom, whole.f_degrees_of_freedom) == (expected.freedom, expected.f_freedom)
    assert whole.r2 == pytest.approx(expected.r2, rel=1e-11)
    assert whole.adjusted_r2 == pytest.approx(expected.adjusted_r2, rel=1e-11)
    assert whole.f == pytest.approx(expected.f, rel=1e-9)
    assert whole.f_p == pytest.approx(expected.f_p, rel=1e-7, abs=1e-300)
    assert whole.confidence == 0.95


def test_a_summary_has_the_same_inference_as_its_rows(csv_file: Callable[..., str]) -> None:
    path = csv_file(Rows().text)
    options: dict[str, Any] = {"target": "y", "weights": "w", "inference": True, "iterations": 10}
    from_rows, from_summary = fit(path, **options), fit(summarize(path, weights="w"), **options)
    for one, other in zip(certainties(from_rows), certainties(from_summary), strict=True):
        assert tuple(one) == pytest.approx(tuple(other), rel=1e-10)


def test_the_inference_beside_a_holdout_is_that_of_the_training_rows(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file(Rows().text), target="y", exclude="w", inference=True, holdout=0.25, iterations=0)
    assert result.holdout is not None
    assert result.inference is not None
    assert result.inference.degrees_of_freedom == 40 - result.holdout.rows - 5


# --- what it does not claim


def test_figures_apply_where_every_coefficient_is_within_a_hundredth_of_a_standard_error(
    csv_file: Callable[..., str],
) -> None:
    path = csv_file(Rows().text)
    options: dict[str, Any] = {"target": "y", "exclude": "w", "inference": True}
    near, far = fit(path, learning_rate="auto", iterations=500, **options), fit(path, iterations=10, **options)
    assert near.inference is not None
    assert near.inference.applies
    for c in (*near.coefficients, near.intercept):
        assert c is not None
        assert c.certainty is not None
        assert c.value is not None
        assert c.optimum is not None
        assert c.certainty.std_error is not None
        assert abs(c.value - c.optimum) <= 0.01 * c.certainty.std_error
    assert far.inference is not None
    assert not far.inference.applies
    assert [tuple(one) for one in certainties(far)] == [tuple(one) for one in certainties(near)]


@pytest.mark.parametrize("scale", ["standard", "minmax"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_iterations_said_to_be_enough_are_enough(csv_file: Callable[..., str], weighted: bool, scale: str) -> None:
    path = csv_file(Rows().text)
    options: dict[str, Any] = {"target": "y", "inference": True, "scale": scale, "learning_rate": 0.1}
    options |= {"weights": "w"} if weighted else {"exclude": "w"}
    first = fit(path, iterations=1, **options)
    assert first.inference is not None
    enough, best = first.inference.iterations_to_apply, first.inference.best_iterations_to_apply
    assert enough is not None
    assert best is not None
    then = fit(path, iterations=enough, **options).inference
    assert then is not None
    assert then.applies
    early = fit(path, iterations=enough // 4, **options).inference
    assert early is not None
    assert not early.applies
    fastest = fit(path, iterations=best, **options | {"learning_rate": first.learning_rate.best}).inference
    assert fastest is not None
    assert fastest.applies


def test_collinear_terms_have_none_and_the_others_have_their_own(csv_file: Callable[..., str]) -> None:
    rows = Rows()
    lines = rows.text.splitlines()
    twice = [lines[0] + ",xx"] + [f"{line},{3 * x + 7!r}" for line, x in zip(lines[1:], rows.x.tolist(), strict=True)]
    result = fit(csv_file("\n".join(twice)), target="y", exclude="w", inference=True, iterations=0)
    assert result.collinear == (("x", "xx"),)
    found = {c.term: c.certainty for c in result.coefficients}
    assert found["x"] == found["xx"] == Certainty(None, None, None, None, None)
    expected = textbook(rows.design(True), rows.y, np.ones(40), True)
    for name, i in (("z", 1), ("kind[b]", 2), ("kind[c]", 3)):
        certainty = found[name]
        assert certainty is not None
        assert certainty.std_error == pytest.approx(expected.std_error[i], rel=1e-9)
        assert certainty.p == pytest.approx(expected.p[i], rel=1e-7)
    assert result.intercept is not None
    assert result.intercept.certainty is not None
    assert result.intercept.certainty.std_error is None
    assert result.inference is not None
    assert result.inference.degrees_of_freedom == expected.freedom
    assert result.inference.r2 == pytest.approx(expected.r2, rel=1e-11)


def test_a_perfect_fit_has_no_t_and_no_f(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n"), target="y", inference=True, iterations=5)
    assert result.inference is not None
    assert result.inference.residual_sd == 0
    assert result.inference.r2 == 1
    assert (result.inference.f, result.inference.f_p) == (None, None)
    assert [(one.std_error, one.t, one.p) for one in certainties(result)] == [(0, None, None)] * 2


def test_without_a_degree_of_freedom_there_is_none_and_a_warning(csv_file: Callable[..., str], notes: Any) -> None:
    from gdcli.api import run_fit
    from gdcli.fitting.options import FitOptions

    path = csv_file("x,y\n1,3\n2,5\n")
    result = run_fit([path], FitOptions.of(target="y", inference=True, iterations=5), (), notes)
    assert result.inference is None
    assert all(c.certainty is None for c in result.coefficients)
    assert notes.warnings[1:] == ["no inference: 2 rows leave no degree of freedom for 2 coefficients"]


def test_without_scipy_the_option_says_what_to_install(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(UsageError, match=r"needs scipy: pip install 'gdfit\[stats\]'"):
        fit("no such file.csv", target="y", inference=True)
