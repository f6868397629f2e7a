"""The folds of a cross-validation: equal to a plain loop that refits on the rows of each fold."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdcli
from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError
from gdcli.fitting.results import CrossValidation
from tests.oracles.folds import (
    Table,
    descend,
    documented_draws,
    fold_of,
    gamma,
    huber,
    logistic,
    poisson,
    quantile,
    read_table,
)

RATE, ITERATIONS = 0.05, 80


def agrees(found: CrossValidation | None, plain: list[np.ndarray]) -> None:
    """Compare with the validation costs (k,) of each fold."""
    assert found is not None
    costs = np.array(plain, dtype=float)
    k = len(plain)
    assert found.costs == pytest.approx(costs[:, -1], rel=1e-11)
    assert found.mean == pytest.approx(costs[:, -1].mean(), rel=1e-11)
    assert found.standard_error == pytest.approx(costs[:, -1].std(ddof=1) / math.sqrt(k), rel=1e-9)
    best = int(costs.mean(axis=0).argmin())
    assert found.best_iteration == best
    assert found.best_costs == pytest.approx(costs[:, best], rel=1e-11)
    assert found.best_mean == pytest.approx(costs[:, best].mean(), rel=1e-11)
    assert found.best_standard_error == pytest.approx(costs[:, best].std(ddof=1) / math.sqrt(k), rel=1e-9)


@pytest.mark.parametrize("block_bytes", [8 << 20, 1500])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scale", ["standard", "minmax"])
@pytest.mark.parametrize("folds", [2, 5])
def test_each_fold_is_what_a_plain_loop_over_the_other_folds_rows_finds(
    noisy: Callable[..., str],
    blocks_of: Callable[[int], None],
    folds: int,
    scale: str,
    weighted: bool,
    block_bytes: int,
) -> None:
    blocks_of(block_bytes)
    paths = [noisy("a.csv", 40, 1), noisy("b.csv", 25, 2)]
    options: dict[str, Any] = {"weights": "w"} if weighted else {"exclude": "w"}
    result = fit(paths, target="y", cv=folds, seed=3, learning_rate=RATE, iterations=ITERATIONS, scale=scale, **options)
    table = read_table(paths, "y", ["kind"], "w" if weighted else None, seed=3, block_bytes=block_bytes)
    if not weighted:
        keep = [name != "w" for name in table.names]
        table.X = table.X[:, keep]
    fold = fold_of(table.draws, folds)
    agrees(
        result.cross_validation, [descend(table, fold == i, RATE, ITERATIONS, scale).validation for i in range(folds)]
    )
    assert result.cross_validation is not None
    assert result.cross_validation.rows == tuple(int((table.w[fold == i] > 0).sum()) for i in range(folds))
    assert result.rows.dropped > 0


# The loss, its target from y, and a rate that comes near the optimum.
OTHERS = {
    "huber:5": (huber, lambda y: y, 0.5),
    "logistic": (logistic, lambda y: y > 50, 0.5),
    "poisson": (poisson, lambda y: y // 10, 0.05),
    "gamma": (gamma, lambda y: y.clip(lower=0) / 50 + 0.5, 0.05),
    "quantile:0.3": (quantile, lambda y: y, 0.5),
}


@pytest.fixture
def other(noisy: Callable[..., str], csv_file: Callable[..., str]) -> Callable[[str], tuple[str, Table]]:
    """Write the noisy table with a target for another loss; and the same, read."""

    def write(loss: str) -> tuple[str, Table]:
        frame = pd.read_csv(noisy(rows=90, missing=False))
        frame["y"] = OTHERS[loss][1](frame["y"]).clip(lower=0).astype(float)
        path = csv_file(frame.to_csv(index=False), "other.csv")
        return path, read_table([path], "y", ["kind"], "w")

    return write


@pytest.mark.parametrize("penalty", [{}, {"l2": 0.05}, {"l2": 0.02, "l1": 0.03}], ids=["plain", "l2", "both"])
@pytest.mark.parametrize("loss", OTHERS)
def test_with_other_losses_each_fold_is_what_a_plain_loop_over_the_rows_finds(
    other: Callable[[str], tuple[str, Table]], loss: str, penalty: dict[str, float], blocks_of: Callable[[int], None]
) -> None:
    path, table = other(loss)
    plain_loss, _, rate = OTHERS[loss]
    options: dict[str, Any] = {"target": "y", "weights": "w", "learning_rate": rate, "iterations": ITERATIONS}
    result = fit(path, loss=loss, cv=3, **options, **penalty)
    fold = fold_of(table.draws, 3)
    plain = [descend(table, fold == i, rate, ITERATIONS, loss=plain_loss, **penalty) for i in range(3)]
    agrees(result.cross_validation, [one.validation for one in plain])
    assert result.cross_validation is not None
    assert result.cross_validation.rows == tuple(int((table.w[fold == i] > 0).sum()) for i in range(3))
    blocks_of(1500)
    options |= {"iterations": 12}
    assert fit(path, loss=loss, cv=3, jobs=1, **options, **penalty) == fit(
        path, loss=loss, cv=3, jobs=3, **options, **penalty
    )


@pytest.mark.parametrize("loss", OTHERS)
def test_with_other_losses_the_penalty_of_the_lowest_validation_cost_is_fitted(
    other: Callable[[str], tuple[str, Table]], loss: str
) -> None:
    path, table = other(loss)
    plain_loss, _, rate = OTHERS[loss]
    result = fit(
        path,
        target="y",
        weights="w",
        loss=loss,
        cv=3,
        l2=(0.1, 0.002),
        l1=(0.0, 0.01),
        learning_rate=rate,
        iterations=60,
    )
    assert result.cross_validation is not None
    fold, tried = fold_of(table.draws, 3), result.cross_validation.penalties
    for one in tried:
        plain = [descend(table, fold == i, rate, 60, loss=plain_loss, l2=one.l2, l1=one.l1) for i in range(3)]
        assert one.mean == pytest.approx(float(np.mean([way.validation[-1] for way in plain])), rel=1e-11)
    best = min(tried, key=lambda one: one.mean or math.inf)
    assert result.penalty is not None
    assert (result.penalty.l2, result.penalty.l1) == (best.l2, best.l1)
    assert len({one.mean for one in tried}) == 4


def test_newtons_method_takes_the_smallest_coefficients_of_columns_that_differ_in_the_held_out_fold_alone(
    csv_file: Callable[..., str],
) -> None:
    random = np.random.default_rng(8)
    fold = fold_of(documented_draws(0, 0, 0, 120), 3)
    a, b, noise = random.normal(size=(3, 120))
    twin = np.where(fold == 0, b, a)  # without fold 0 the same column twice
    y = (a + noise > 0).astype(float)
    rows = "".join(f"{p!r},{q!r},{r:.0f}\n" for p, q, r in zip(a.tolist(), twin.tolist(), y.tolist(), strict=True))
    penalties = (0.0, 0.05)
    options: dict[str, Any] = {"target": "y", "loss": "logistic", "optimizer": "newton", "iterations": 25}
    found = fit(csv_file("a,twin,y\n" + rows), cv=3, l2=penalties, **options).cross_validation
    assert found is not None
    for one, l2 in zip(found.penalties, penalties, strict=True):
        costs = []
        for i in range(3):
            rest, X = fold != i, np.column_stack([a, twin])
            Z = np.column_stack([np.ones(120), (X - X[rest].mean(axis=0)) / X[rest].std(axis=0, ddof=1)])
            theta, pull = np.zeros(3), 2 * l2 * np.array([0.0, 1.0, 1.0])
            for _ in range(25):
                p = 1 / (1 + np.exp(-Z[rest] @ theta))
                gradient = Z[rest].T @ (p - y[rest]) / rest.sum() + pull * theta
                hessian = (Z[rest] * (p * (1 - p))[:, None]).T @ Z[rest] / rest.sum() + np.diag(pull)
                theta -= np.linalg.pinv(hessian, rcond=1e-10) @ gradient
            z = Z[~rest] @ theta
            costs.append(float((np.logaddexp(0, z) - y[~rest] * z).mean()))
        assert one.mean == pytest.approx(np.mean(costs), rel=1e-11)


def test_hubers_usual_delta_is_the_same_in_every_fold_and_for_every_penalty(
    other: Callable[[str], tuple[str, Table]],
) -> None:
    path, _ = other("huber:5")
    options: dict[str, Any] = {"target": "y", "cv": 3, "l2": (0.0, 0.1), "iterations": 40}
    usual = fit(path, loss="huber", **options)
    assert usual.parameter == pytest.approx(fit(path, target="y", loss="huber", iterations=0).parameter, rel=1e-12)
    assert usual.cross_validation == fit(path, loss=f"huber:{usual.parameter!r}", **options).cross_validation


def test_the_best_iteration_is_in_between_where_later_ones_fit_the_noise(noisy: Callable[..., str]) -> None:
    result = fit(noisy(missing=False), target="y", cv=5, learning_rate=0.05, iterations=400, exclude="w")
    found = result.cross_validation
    assert found is not None
    assert found.best_iteration is not None
    assert 0 < found.best_iteration < 400
    assert found.best_mean is not None
    assert found.mean is not None
    assert found.best_mean < found.mean


@pytest.mark.parametrize("rare", ["a", "z"], ids=["the reference", "another"])
def test_a_level_that_is_absent_from_a_training_fold_has_coefficient_zero_there(
    csv_file: Callable[..., str], rare: str
) -> None:
    random = np.random.default_rng(4)
    drawn = documented_draws(0, 0, 0, 30)
    first = fold_of(drawn, 3) == 0
    kinds = np.where(first & (np.arange(30) % 2 == 0), rare, random.choice(["m", "n"], 30))
    x, noise = random.normal(size=30), random.normal(size=30)
    y = 3 * x + (kinds == rare) * 5 + (kinds == "n") + noise + 10
    lines = [f"{a!r},{k},{b!r}" for a, k, b in zip(x.tolist(), kinds.tolist(), y.tolist(), strict=True)]
    path = csv_file("x,kind,y\n" + "\n".join(lines) + "\n")
    result = fit(path, target="y", cv=3, learning_rate=RATE, iterations=ITERATIONS)
    table = read_table([path], "y", ["kind"])
    assert rare in set(kinds[first]) - set(kinds[~first])
    fold = fold_of(table.draws, 3)
    plain = [descend(table, fold == i, RATE, ITERATIONS) for i in range(3)]
    if rare == "z":
        assert (plain[0].m[:, table.names.index("kind[z]")] == 0).all()
    agrees(result.cross_validation, [one.validation for one in plain])


def test_the_documented_draw_is_available_from_python() -> None:
    for seed, file, block in ((0, 0, 0), (7, 2, 5), (123456789, 0, 1)):
        assert (gdcli.draws(seed, file, block, 100) == documented_draws(seed, file, block, 100)).all()
    assert "numpy.random.Philox(key=seed, counter=[0, 0, block, file])" in str(gdcli.draws.__doc__)


def test_the_fit_beside_a_cross_validation_is_the_fit_on_all_rows(noisy: Callable[..., str]) -> None:
    path = noisy()
    with_folds, plain = fit(path, target="y", cv=4, iterations=30), fit(path, target="y", iterations=30)
    assert [c.value for c in with_folds.coefficients] == pytest.approx([c.value for c in plain.coefficients], rel=1e-11)
    assert with_folds.cost == pytest.approx(plain.cost, rel=1e-12)
    assert plain.cross_validation is None


def test_folds_do_not_depend_on_the_number_of_jobs_and_do_on_the_seed(
    noisy: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    blocks_of(700)
    path = noisy()

    def run(**options: Any) -> CrossValidation | None:
        return fit(path, target="y", cv=3, iterations=20, **options).cross_validation

    assert run(jobs=1) == run(jobs=4)
    assert run(seed=1) != run(seed=2)


def test_a_rate_that_diverges_without_some_fold_has_no_mean(csv_file: Callable[..., str]) -> None:
    drawn = documented_draws(0, 0, 0, 20)
    odd = int(np.flatnonzero(fold_of(drawn, 2) == 0)[0])
    x = np.random.default_rng(5).normal(size=20)
    x[odd] = 1000.0  # without this row the columns are far more alike
    z = x + np.random.default_rng(6).normal(size=20) * 0.5
    z[odd] = -1000.0
    y = x + z + np.arange(20) % 3
    rows = "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in zip(x.tolist(), z.tolist(), y.tolist(), strict=True))
    result = fit(csv_file("x,z,y\n" + rows), target="y", cv=2, scale="none", learning_rate=0.5, iterations=3000)
    found = result.cross_validation
    assert found is not None
    assert None in found.costs
    assert found.mean is None
    assert found.standard_error is None
    assert found.best_iteration is not None


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cv": 1}, UsageError, "--cv makes 2 to 100 folds, not 1"),
        ({"cv": 101}, UsageError, "--cv makes 2 to 100 folds"),
        ({"cv": 2, "holdout": 0.5}, UsageError, "choose one"),
        ({"cv": 2, "seed": -1}, UsageError, "the seed is 0 or more"),
        ({"cv": 2, "resume": "model.json"}, UsageError, "--resume has no place"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(
    noisy: Callable[..., str], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fit(noisy(rows=40), target="y", iterations=1, **options)


def test_the_first_fold_without_a_row_is_named_by_its_number_from_one(noisy: Callable[..., str]) -> None:
    drawn = fold_of(documented_draws(0, 0, 0, 40), 50)
    first = next(i for i in range(50) if i not in drawn) + 1
    with pytest.raises(DataError, match=f"^--cv 50 leaves fold {first} without a row: make fewer folds$"):
        fit(noisy(rows=40, missing=False), target="y", iterations=1, cv=50)


def test_a_fold_that_leaves_one_row_to_fit_is_refused(csv_file: Callable[..., str]) -> None:
    seed = next(i for i in range(99) if sorted(np.bincount(fold_of(documented_draws(i, 0, 0, 3), 2))) == [1, 2])
    with pytest.raises(DataError, match="--cv 2 leaves 1 row to fit: there are too few rows"):
        fit(csv_file("x,y\n1,2\n2,3\n4,4\n"), target="y", cv=2, seed=seed, iterations=1)


def test_a_summary_holds_no_rows_to_make_folds_of(noisy: Callable[..., str]) -> None:
    summary = gdcli.summarize(noisy())
    for options in ({"cv": 3}, {"holdout": 0.2}):
        with pytest.raises(DataError, match="is a summary and holds no rows, which folds are made of"):
            fit(summary, target="y", **options)
        with pytest.raises(DataError, match="is a summary and holds no rows"):
            fit([noisy(), summary], target="y", **options)
