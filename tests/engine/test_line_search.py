"""--lr search: a rate for each iteration, by backtracking."""

import json
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import UsageError
from gdcli.engine.descent import Step, after, descend
from gdcli.engine.line_search import Backtracking
from gdcli.engine.objective import Point
from gdcli.engine.optimizers import GradientDescent, Newton
from gdcli.engine.penalty import Penalty
from gdcli.engine.schedules import constant
from tests.engine.bowls import Bowl, bowl


def searched(objective: Any, start: np.ndarray, iterations: int, first: float = 1.0) -> list[Step]:
    optimizer, penalty = GradientDescent(), Penalty()
    search = Backtracking(objective, optimizer, penalty)
    return list(descend(objective, optimizer, constant(first), start, (after(iterations),), search=search))


class Rosenbrock:
    """(1 − x)² + 100(y − x²)²: no quadratic, and no rate for all of it."""

    def at(self, theta: np.ndarray) -> Point:
        x, y = theta
        valley = y - x**2
        gradient = np.array([-2 * (1 - x) - 400 * x * valley, 200 * valley])
        return Point(theta, (1 - x) ** 2 + 100 * valley**2, gradient)

    def value(self, theta: np.ndarray) -> np.ndarray:
        return self.at(theta).cost


@pytest.mark.parametrize("objective", [bowl([20.0, 5.0, 1.0, 0.2], 2), Rosenbrock()], ids=["bowl", "valley"])
def test_every_rate_is_the_first_half_of_the_trial_to_lower_the_cost_enough(objective: Any) -> None:
    theta = np.zeros(4) if isinstance(objective, Bowl) else np.array([-1.2, 1.0])
    trial = 1.0
    for step in searched(objective, theta, 40):
        assert step.theta == pytest.approx(theta, rel=1e-12)
        _, cost, gradient = objective.at(theta)
        rate = trial
        while objective.value(theta - rate * gradient) > cost - 0.3 * rate * gradient @ gradient:
            rate /= 2
        assert step.learning_rate == rate
        theta, trial = theta - rate * gradient, 2 * rate


def test_the_cost_falls_at_every_iteration_and_the_optimum_is_reached(any_bowl: Bowl) -> None:
    steps = searched(any_bowl, np.zeros(len(any_bowl.best)), 1000)
    costs = [float(step.cost) for step in steps]
    assert all(later <= earlier * (1 + 1e-14) for earlier, later in pairwise(costs))
    if np.linalg.cond(any_bowl.hessian) <= 100:
        assert steps[-1].theta == pytest.approx(any_bowl.best, abs=1e-6)


def test_each_descent_of_a_stack_has_its_own_rates() -> None:
    one = bowl([3.0, 2.0, 1.5, 1.0], 1)
    starts = np.array([[0.0, 0.0, 0.0, 0.0], [5.0, -3.0, 0.5, 9.0]])
    together = searched(one, starts, 25)
    for i, start in enumerate(starts):
        for both, alone in zip(together, searched(one, start, 25), strict=True):
            assert np.asarray(both.learning_rate)[i, 0] == alone.learning_rate
            assert both.theta[i] == pytest.approx(alone.theta, rel=1e-12)


def test_at_the_optimum_the_rate_does_not_grow() -> None:
    one = bowl([2.0])
    rates = [step.learning_rate for step in searched(one, one.best, 2000)]
    assert rates == [1.0] * 2001


def test_newton_keeps_its_whole_step() -> None:
    one = bowl([20.0, 5.0, 1.0, 0.2], 2)
    optimizer = Newton(newton=one.newton)
    search = Backtracking(one, optimizer, Penalty())
    first, second = islice(descend(one, optimizer, constant(1.0), np.zeros(4), (), search=search), 2)
    assert first.learning_rate == 1.0
    assert second.theta == pytest.approx(one.best, rel=1e-12)


def test_with_an_l1_penalty_the_search_reaches_the_same_optimum(sample_data: Path) -> None:
    result = fit(str(sample_data / "housing.csv"), target="price", l1=0.2, learning_rate="search", iterations=1000)
    assert result.descent.converged
    assert [c.value == 0 for c in result.coefficients] == [c.optimum == 0 for c in result.coefficients]
    assert any(c.value == 0 for c in result.coefficients)


def test_the_rates_stand_in_the_trace_and_nothing_is_foretold(
    gdfit: Callable[..., Any], sample_data: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace.csv"
    asked = (sample_data / "housing.csv", "-t", "price", "-x", "sqft", "--lr", "search", "-n", 30, "--trace", trace)
    found = json.loads(gdfit(*asked, "--format", "json").out)
    header, *lines = trace.read_text().splitlines()
    assert header == "iteration,m,c,cost,learning_rate"
    rates = [float(line.split(",")[-1]) for line in lines]
    # A single scaled column has all eigenvalues near 2: ½ is the first half of 1 that lowers the cost enough.
    assert rates[0] == 0.5
    assert found["descent"]["learning_rate"] == rates[-1]
    known = found["learning_rate"]
    assert (known["behaviour"], known["best"], known["iterations_to_1_percent"]) == (None, None, None)
    assert known["searched"] is True


def test_a_resumed_search_goes_on_with_the_same_rates(
    gdfit: Callable[..., Any], sample_data: Path, tmp_path: Path
) -> None:
    asked = (sample_data / "housing.csv", "-t", "price", "--format", "json")
    whole = json.loads(gdfit(*asked, "--lr", "search", "-n", 50).out)
    gdfit(*asked, "--lr", "search", "-n", 20, "--save", tmp_path / "model.json")
    rest = json.loads(gdfit(*asked, "--resume", tmp_path / "model.json", "-n", 30).out)
    assert rest["coefficients"] == whole["coefficients"]
    assert rest["learning_rate"]["searched"] is True


def test_folds_search_for_themselves(sample_data: Path) -> None:
    path = str(sample_data / "housing.csv")
    by_search = fit(path, target="price", learning_rate="search", cv=3, iterations=1000).cross_validation
    by_rate = fit(path, target="price", learning_rate=0.3, cv=3, iterations=1000).cross_validation
    assert by_search is not None
    assert by_rate is not None
    assert by_search.costs == pytest.approx(by_rate.costs, rel=1e-7)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": "adam"}, "gd and newton"),
        ({"optimizer": "momentum"}, "gd and newton"),
        ({"schedule": "cosine"}, "leave out --schedule"),
        ({"explain": True}, "--explain"),
    ],
)
def test_what_a_search_does_not_go_with_is_wrong_usage(options: dict[str, Any], said: str, sample_data: Path) -> None:
    with pytest.raises(UsageError, match=said):
        fit(str(sample_data / "housing.csv"), target="price", learning_rate="search", **options)
