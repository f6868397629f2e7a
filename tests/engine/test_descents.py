"""Real descents: every optimiser on several problems reaches the optimum, and goes on where an earlier one ended."""

from typing import Any

import numpy as np
import pytest

from gdcli.engine.descent import Step, after, descend, divergence
from gdcli.engine.optimizers import OPTIMIZERS, OptimizerState
from gdcli.engine.spectrum import Spectrum
from gdcli.fitting.choices import OptimizerChoice, ScheduleChoice
from tests.engine.bowls import BOWLS, Bowl

# Optimiser, schedule, and the rate: a share of the largest stable one where there is one, else a rate. Adaptive steps
# at a constant rate go round the optimum, so theirs falls. Momentum's are what takes condition number 1000 there.
RECIPES = [
    ("gd", "constant", 0.99),
    ("gd", "cosine", 0.99),
    ("momentum:0.98", "constant", 0.5),
    ("momentum:0", "constant", 0.99),
    ("nesterov:0.98", "constant", 0.9),
    ("nesterov:0.98", "inverse:1e-6", 0.9),
    ("adagrad", "constant", 0.5),
    ("rmsprop", "cosine", 0.02),
    ("adam", "exponential:0.9997", 0.1),
    ("adam", "step:0.5:1000", 0.1),
    ("adamw", "exponential:0.9997", 0.1),
    ("nadam", "exponential:0.999", 0.1),
    ("newton", "constant", 0.25),
    ("newton", "cosine", 0.5),
]


def iterations_for(name: str, schedule: str) -> int:
    """As many as the slowest direction takes, or the schedule until steps are small."""
    return 4_000 if name == "condition number 1000" or schedule.startswith(("exponential", "step")) else 1_000


def walk(
    bowl: Bowl,
    word: str,
    schedule: str,
    rate: float,
    iterations: int,
    start: np.ndarray | None = None,
    state: OptimizerState | None = None,
    before: int = 0,
) -> Step:
    """Return the last step."""
    optimizer = OptimizerChoice.of(word).on(bowl.newton, True)
    rates = ScheduleChoice.of(schedule).rates(rate, iterations, before)
    theta = np.zeros(len(bowl.best)) if start is None else start
    *_, last = descend(bowl, optimizer, rates, theta, (divergence(0.0), after(iterations)), state)
    return last


def rate_of(bowl: Bowl, word: str, share: float) -> float:
    optimizer = OptimizerChoice.of(word).rule
    limit = optimizer.forecast(bowl.spectrum, optimizer.init(bowl.best)).largest_stable
    return share if limit is None else share * limit


def test_the_table_has_every_optimizer() -> None:
    assert {word.partition(":")[0] for word, _, _ in RECIPES} == set(OPTIMIZERS)


@pytest.mark.parametrize(("word", "schedule", "share"), RECIPES)
@pytest.mark.parametrize("name", BOWLS)
def test_every_optimizer_reaches_the_optimum(name: str, word: str, schedule: str, share: float) -> None:
    bowl = BOWLS[name]
    iterations = iterations_for(name, schedule)
    last = walk(bowl, word, schedule, rate_of(bowl, word, share), iterations)
    assert last.iteration == iterations
    start = bowl.gap(np.zeros(len(bowl.best)))
    assert bowl.gap(last.theta) <= 1e-4 * start
    if name != "condition number 1000":
        np.testing.assert_allclose(last.theta, bowl.best, atol=1e-3)


def test_newton_at_rate_1_is_there_in_one_step(any_bowl: Any) -> None:
    last = walk(any_bowl, "newton", "constant", 1.0, 1)
    np.testing.assert_allclose(last.theta, any_bowl.best, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("word", "schedule", "share"), RECIPES)
def test_300_and_700_iterations_are_1000(word: str, schedule: str, share: float) -> None:
    bowl = BOWLS["condition number 100"]
    rate = rate_of(bowl, word, share)
    whole = walk(bowl, word, schedule, rate, 1000)
    first = walk(bowl, word, schedule, rate, 300) if schedule != "cosine" else _first_of(bowl, word, rate, 300, 1000)
    both = walk(bowl, word, schedule, rate, 700, first.theta, first.state, before=300)
    np.testing.assert_array_equal(both.theta, whole.theta)
    for part, expected in zip(both.state, whole.state, strict=True):
        np.testing.assert_array_equal(part, expected)


def _first_of(bowl: Bowl, word: str, rate: float, iterations: int, planned: int) -> Step:
    """Return the step at which a cosine over ``planned`` iterations was stopped."""
    optimizer = OptimizerChoice.of(word).on(bowl.newton, True)
    rates = ScheduleChoice.of("cosine").rates(rate, planned)
    *_, last = descend(bowl, optimizer, rates, np.zeros(len(bowl.best)), (after(iterations),))
    return last


@pytest.mark.parametrize("word", [word for word in OPTIMIZERS if word != "newton"])
def test_a_stack_descends_as_its_members_do_alone(word: str) -> None:
    bowl = BOWLS["condition number 3"]
    starts = np.array([[0.0, 0, 0, 0], [1.0, 2, 3, 4], [-5.0, 0, 0, 1e-3]])
    rates = np.array([0.01, 0.1, 0.2])

    def last(start: np.ndarray, rate: Any) -> np.ndarray:
        *_, step = descend(
            bowl, OptimizerChoice.of(word).rule, ScheduleChoice.of("inverse:0.1").rates(rate, 25), start, (after(25),)
        )
        return step.theta

    stacked = last(starts, rates[:, np.newaxis])
    for i in range(3):
        np.testing.assert_allclose(stacked[i], last(starts[i], rates[i]), rtol=1e-11)


def test_newton_leaves_alone_what_the_data_do_not_determine() -> None:
    hessian = np.diag([2.0, 0.0, 1.0])
    flat = Bowl(hessian, np.array([1.0, 0.0, -1.0]))
    whole = flat.spectrum
    known = Spectrum(whole.eigenvalues[:2], whole.vectors[:2], whole.distances[:2])
    optimizer = OptimizerChoice.of("newton").on(lambda point: known.solve(point.gradient), True)
    start = np.array([5.0, 7.0, 5.0])
    *_, last = descend(flat, optimizer, ScheduleChoice.of("constant").rates(1.0, 1), start, (after(1),))
    np.testing.assert_allclose(last.theta, [1.0, 7.0, -1.0], atol=1e-14)
