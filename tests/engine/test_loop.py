"""The loop: it really iterates, stops when it is told to, and says why."""

from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest

from gdcli import fit
from gdcli.engine.descent import Step, Stopped, StopRule, after, below, descend, divergence
from gdcli.engine.objective import Point
from gdcli.engine.optimizers import OPTIMIZERS, GradientDescent
from gdcli.engine.schedules import constant

H = np.array([[3.0, 1.0], [1.0, 2.0]])
BEST = np.array([1.0, -2.0])


class Bowl:
    """cost = ½(θ − θ*)ᵀH(θ − θ*) + 5, counting how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def at(self, theta: np.ndarray) -> Point:
        self.asked += 1
        gradient = (theta - BEST) @ H
        return Point(theta, 0.5 * np.vecdot(theta - BEST, gradient) + 5.0, gradient)

    def value(self, theta: np.ndarray) -> np.ndarray:
        return self.at(theta).cost


class Counting(GradientDescent):
    """Counts its steps, and keeps the rates that it was given."""

    def __init__(self) -> None:
        self.rates: list[Any] = []

    def step(self, point: Point, state: Any, rate: Any) -> tuple[np.ndarray, Any]:
        self.rates.append(rate)
        return super().step(point, state, rate)


class NegatingStep(GradientDescent):
    """Takes one step in the wrong direction; counts by its state."""

    def __init__(self, wrong: int) -> None:
        self.wrong = wrong

    def init(self, theta: np.ndarray) -> int:
        return 1

    def step(self, point: Point, state: int, rate: Any) -> tuple[np.ndarray, int]:
        update, _ = super().step(point, None, rate)
        return (-update if state == self.wrong else update), state + 1


def always(rule: GradientDescent) -> type[GradientDescent]:
    """A class of which every object is ``rule``."""

    class Always(GradientDescent):
        def __new__(cls, **_: Any) -> Any:
            return rule

    return Always


@pytest.mark.parametrize("n", [0, 1, 7, 250])
def test_the_step_rule_is_called_exactly_once_per_iteration(n: int) -> None:
    rule, bowl = Counting(), Bowl()
    steps = list(descend(bowl, rule, constant(0.1), np.zeros(2), (after(n),)))
    assert len(rule.rates) == n
    assert bowl.asked == n + 1
    assert [step.iteration for step in steps] == list(range(n + 1))


@pytest.mark.parametrize("n", [0, 1, 10, 333])
def test_a_fit_calls_the_step_rule_exactly_n_times(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    rule = Counting()
    monkeypatch.setitem(OPTIMIZERS, "gd", always(rule))
    result = fit(csv_file("x,y\n1,2\n2,3\n3,7\n4,5\n"), target="y", iterations=n, learning_rate=0.25)
    assert rule.rates == [0.25] * n
    assert result.descent.iterations == n


def test_a_fit_that_stops_early_calls_the_step_rule_no_more_than_it_says(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = Counting()
    monkeypatch.setitem(OPTIMIZERS, "gd", always(rule))
    result = fit(csv_file("x,y\n1,2\n2,3\n3,7\n4,5\n"), target="y", learning_rate=0.3, tolerance=1e-6)
    assert result.descent.stopped is Stopped.TOLERANCE
    assert len(rule.rates) == result.descent.iterations < 1000


def test_negating_step_7_leaves_the_rows_before_it_and_changes_all_after(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file("x,y\n1,2\n2,3\n3,7\n4,5\n")
    options: dict[str, Any] = {"target": "y", "iterations": 20, "learning_rate": 0.1, "every": 1}
    plain = fit(path, **options).trace
    monkeypatch.setitem(OPTIMIZERS, "gd", always(NegatingStep(7)))
    negated = fit(path, **options).trace
    assert negated[:7] == plain[:7]
    assert all(a.slopes != b.slopes and a.cost != b.cost for a, b in zip(negated[7:], plain[7:], strict=True))


def test_the_step_that_was_negated_went_exactly_the_other_way() -> None:
    def path(rule: GradientDescent) -> list[np.ndarray]:
        return [step.theta for step in descend(Bowl(), rule, constant(0.1), np.zeros(2), (after(9),))]

    plain, negated = path(GradientDescent()), path(NegatingStep(7))
    assert (negated[6] == plain[6]).all()
    np.testing.assert_allclose(negated[7] - plain[6], plain[6] - plain[7], rtol=1e-14)


def test_a_step_holds_the_cost_and_gradient_at_its_own_parameters() -> None:
    for step in descend(Bowl(), GradientDescent(), constant(0.1), np.array([4.0, 4.0]), (after(5),)):
        _, cost, gradient = Bowl().at(step.theta)
        assert step.cost == cost
        assert (step.gradient == gradient).all()


def test_consecutive_steps_differ_by_rate_times_gradient() -> None:
    for before, now in pairwise(descend(Bowl(), GradientDescent(), constant(0.2), np.zeros(2), (after(30),))):
        assert (now.theta == before.theta - 0.2 * before.gradient).all()


def test_the_schedule_is_asked_for_each_iteration_in_turn() -> None:
    asked: list[int] = []

    def schedule(iteration: int) -> float:
        asked.append(iteration)
        return 0.1 / (iteration + 1)

    rule = Counting()
    list(descend(Bowl(), rule, schedule, np.zeros(2), (after(4),)))
    assert asked == [0, 1, 2, 3, 4]
    assert rule.rates == [0.1, 0.05, 0.1 / 3, 0.025]


def test_the_start_is_left_as_it_was() -> None:
    start = np.array([4.0, 4.0])
    list(descend(Bowl(), GradientDescent(), constant(0.1), start, (after(5),)))
    assert start.tolist() == [4.0, 4.0]


def test_only_the_last_step_says_why_it_stopped() -> None:
    steps = list(descend(Bowl(), GradientDescent(), constant(0.1), np.zeros(2), (after(5),)))
    assert [step.stopped for step in steps] == [None] * 5 + [Stopped.ITERATIONS]


def test_there_is_no_end_without_a_stop_rule() -> None:
    steps = islice(descend(Bowl(), GradientDescent(), constant(0.1), np.zeros(2), ()), 5000)
    assert sum(step.stopped is None for step in steps) == 5000


def test_the_first_stop_rule_that_speaks_is_the_reason() -> None:
    rules = (after(3), StopRule(Stopped.PATIENCE, lambda step: step.iteration >= 3))
    assert list(descend(Bowl(), GradientDescent(), constant(0.1), np.zeros(2), rules))[-1].stopped is Stopped.ITERATIONS
    *_, last = descend(Bowl(), GradientDescent(), constant(0.1), np.zeros(2), rules[::-1])
    assert last.stopped is Stopped.PATIENCE


def test_each_of_several_lanes_ends_where_it_would_alone_and_stays_there() -> None:
    rates = np.array([0.1, 0.9, 0.3, 0.55, 1e-3])

    def rules() -> tuple[StopRule, ...]:
        return divergence(0.0), below(1e-6), after(300)

    with np.errstate(over="raise"):
        *_, last = descend(Bowl(), GradientDescent(), constant(rates[:, np.newaxis]), np.zeros((5, 2)), rules())
    for i, rate in enumerate(rates.tolist()):
        *_, alone = descend(Bowl(), GradientDescent(), constant(rate), np.zeros(2), rules())
        assert (last.stopped[i], last.ended[i]) == (alone.stopped, alone.iteration)
        np.testing.assert_allclose(last.theta[i], alone.theta, rtol=1e-13)
        assert last.cost[i] == pytest.approx(float(alone.cost), rel=1e-13)
    assert {*last.stopped} == {Stopped.DIVERGED, Stopped.TOLERANCE, Stopped.ITERATIONS}


@pytest.mark.parametrize("tolerance", [1.0, 1e-3, 1e-9])
def test_the_tolerance_stops_at_the_first_gradient_below_it(tolerance: float) -> None:
    *before, last = descend(Bowl(), GradientDescent(), constant(0.1), np.zeros(2), (below(tolerance), after(10_000)))
    assert last.stopped is Stopped.TOLERANCE
    assert np.linalg.norm(last.gradient) < tolerance
    assert all(np.linalg.norm(step.gradient) >= tolerance for step in before)


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_the_tolerance_of_a_fit_is_the_gradient_norm_of_the_scaled_problem(
    csv_file: Callable[..., str], scale: str
) -> None:
    x, y = np.array([1.0, 2.0, 4.0, 5.0, 9.0]), np.array([10.0, 30.0, 20.0, 60.0, 70.0])
    text = "x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True))
    rate, tolerance = (0.1, 1e-4) if scale == "standard" else (0.02, 1e-2)
    result = fit(csv_file(text), target="y", tolerance=tolerance, learning_rate=rate, scale=scale, iterations=5000)
    if scale == "standard":
        x, y = (x - x.mean()) / x.std(ddof=1), y / y.std(ddof=1)
    A, theta, iteration = np.column_stack([np.ones(5), x]), np.zeros(2), 0
    while np.linalg.norm(gradient := -2 / 5 * A.T @ (y - A @ theta)) >= tolerance:
        theta, iteration = theta - rate * gradient, iteration + 1
    assert (result.descent.iterations, result.descent.stopped) == (iteration, Stopped.TOLERANCE)


def test_without_a_tolerance_the_descent_goes_on_at_the_optimum(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n0,0\n1,0\n2,0\n"), target="y", iterations=40)
    assert (result.descent.iterations, result.descent.stopped) == (40, Stopped.ITERATIONS)


def test_a_tolerance_that_is_met_at_the_start_takes_no_step(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n0,0\n1,0\n2,0\n"), target="y", tolerance=1e-9)
    assert (result.descent.iterations, result.descent.stopped) == (0, Stopped.TOLERANCE)


def first_above(costs: list[float]) -> int:
    return next(k for k, cost in enumerate(costs) if not cost <= 1e6 * costs[0])


@pytest.mark.parametrize("learning_rate", [0.9, 1.3, 10.0])
def test_a_descent_diverges_where_its_cost_first_exceeds_a_million_times_the_starting_cost(
    learning_rate: float,
) -> None:
    bowl, theta, costs = Bowl(), np.zeros(2), [1.0]
    while costs[-1] < 1e12:
        _, cost, gradient = bowl.at(theta)
        costs = [float(cost)] if bowl.asked == 1 else [*costs, float(cost)]
        theta = theta - learning_rate * gradient
    rules = (divergence(0.0), after(200))
    *_, last = descend(Bowl(), GradientDescent(), constant(learning_rate), np.zeros(2), rules)
    assert (last.iteration, last.stopped) == (first_above(costs), Stopped.DIVERGED)


def test_a_fit_diverges_at_the_documented_threshold(csv_file: Callable[..., str]) -> None:
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 7.0, 5.0])
    result = fit(csv_file("x,y\n1,2\n2,3\n3,7\n4,5\n"), target="y", scale="none", learning_rate=0.2, every=1)
    m = c = 0.0
    costs = []
    for _ in range(100):
        residual = y - m * x - c
        costs.append(float(residual @ residual) / 4)
        m, c = m + 0.2 * 2 / 4 * float(x @ residual), c + 0.2 * 2 / 4 * float(residual.sum())
    assert result.descent.stopped is Stopped.DIVERGED
    assert result.descent.iterations == first_above(costs)
    assert result.trace[-1].iteration == result.descent.iterations


def at(iteration: int, cost: float) -> Step:
    return Step(iteration, np.zeros(1), np.float64(cost), np.zeros(1), None)


def test_a_cost_exactly_at_the_threshold_is_not_divergence() -> None:
    rule = divergence(0.0)
    assert rule.reason is Stopped.DIVERGED
    assert not rule.test(at(0, 2.0))
    assert not rule.test(at(1, 2e6))
    assert rule.test(at(2, np.nextafter(2e6, 3e6)))


@pytest.mark.parametrize("cost", [np.inf, np.nan])
def test_a_cost_that_is_not_finite_is_divergence(cost: float) -> None:
    rule = divergence(0.0)
    rule.test(at(0, 1.0))
    assert rule.test(at(1, cost))


def test_a_start_at_the_minimum_of_a_perfect_fit_is_not_divergence(csv_file: Callable[..., str]) -> None:
    path = csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n")
    result = fit(path, target="y", start={"x": 2.0, "c": 1.0}, learning_rate=0.1)
    assert result.descent.stopped is Stopped.ITERATIONS
    assert result.coefficients[0].value == pytest.approx(2.0, abs=1e-12)


def test_a_stack_of_points_descends_as_each_would_alone() -> None:
    starts = np.random.default_rng(0).normal(size=(4, 3, 2))
    *_, stacked = descend(Bowl(), GradientDescent(), constant(0.1), starts, (after(25),))
    assert stacked.theta.shape == (4, 3, 2)
    assert stacked.cost.shape == (4, 3)
    for i in np.ndindex(4, 3):
        *_, alone = descend(Bowl(), GradientDescent(), constant(0.1), starts[i], (after(25),))
        np.testing.assert_allclose(stacked.theta[i], alone.theta, rtol=1e-13)
        np.testing.assert_allclose(stacked.cost[i], alone.cost, rtol=1e-13)


def test_a_stack_of_rates_descends_as_each_would_alone() -> None:
    rates = np.array([0.01, 0.1, 0.3])
    *_, stacked = descend(Bowl(), GradientDescent(), constant(rates[:, np.newaxis]), np.zeros((3, 2)), (after(25),))
    for i, rate in enumerate(rates):
        *_, alone = descend(Bowl(), GradientDescent(), constant(rate), np.zeros(2), (after(25),))
        np.testing.assert_allclose(stacked.theta[i], alone.theta, rtol=1e-13)
