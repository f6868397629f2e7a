"""Schedules against their formulas, and how they compose and go on."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gdcli.engine import schedules
from gdcli.engine.descent import after, descend
from gdcli.engine.optimizers import GradientDescent
from gdcli.engine.schedules import Schedule
from gdcli.fitting.choices import ScheduleChoice

WORDS = ["constant", "inverse:0.01", "exponential:0.999", "step:0.5:10", "cosine"]


def rates(schedule: Schedule, last: int) -> list[float]:
    return [float(schedule(k)) for k in range(last + 1)]


def test_constant_stays() -> None:
    assert rates(ScheduleChoice.of("constant").rates(0.3, 10), 10) == [0.3] * 11


def test_inverse_is_the_rate_over_one_plus_r_times_k() -> None:
    assert rates(ScheduleChoice.of("inverse:0.25").rates(0.4, 4), 4) == [0.4 / (1 + 0.25 * k) for k in range(5)]


def test_exponential_is_the_rate_times_r_to_the_k() -> None:
    assert rates(ScheduleChoice.of("exponential:0.5").rates(0.4, 4), 4) == [0.4, 0.2, 0.1, 0.05, 0.025]


def test_step_multiplies_after_each_k_iterations() -> None:
    assert rates(ScheduleChoice.of("step:0.5:3").rates(0.8, 7), 7) == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]


def test_cosine_falls_to_zero_at_the_last_iteration_and_stays_there() -> None:
    found = rates(ScheduleChoice.of("cosine").rates(0.4, 8), 10)
    expected = [0.4 * 0.5 * (1 + math.cos(math.pi * k / 8)) for k in range(9)]
    assert found[:9] == pytest.approx(expected, rel=1e-15, abs=0)
    assert found[0] == 0.4
    assert found[4] == pytest.approx(0.2, rel=1e-15)
    assert found[8:] == [0.0, 0.0, 0.0]


def test_a_cosine_over_no_iterations_is_the_first_rate() -> None:
    assert ScheduleChoice.of("cosine").rates(0.4, 0)(0) == 0.4


@pytest.mark.parametrize("word", WORDS)
def test_a_schedule_goes_on_where_an_earlier_descent_ended(word: str) -> None:
    whole = rates(ScheduleChoice.of(word).rates(0.3, 50), 50)
    assert rates(ScheduleChoice.of(word).rates(0.3, 30, before=20), 30) == whole[20:]


@pytest.mark.parametrize("word", WORDS)
def test_the_rates_of_a_stack_change_together(word: str) -> None:
    stack = np.array([[0.1], [0.2], [3.0]])
    for k in (0, 1, 7, 40):
        together = ScheduleChoice.of(word).rates(stack, 40)(k)
        alone = [[float(ScheduleChoice.of(word).rates(float(rate), 40)(k))] for rate in stack[:, 0]]
        np.testing.assert_allclose(together, alone, rtol=1e-15)


def test_schedules_compose_by_wrapping() -> None:
    both = schedules.later(schedules.step(schedules.inverse(schedules.constant(1.0), 1.0), 0.5, 2), 1)
    assert rates(both, 3) == [1 / 2, 0.5 / 3, 0.5 / 4, 0.25 / 5]


@pytest.mark.parametrize("word", WORDS)
def test_no_rate_is_negative_or_larger_than_the_one_before(word: str) -> None:
    found = rates(ScheduleChoice.of(word).rates(0.3, 100_000), 20_000)
    assert min(found) >= 0
    assert all(now <= before for before, now in pairwise(found))


@pytest.mark.parametrize("word", WORDS)
def test_a_very_late_iteration_has_a_rate(word: str) -> None:
    assert 0 <= float(ScheduleChoice.of(word).rates(0.3, 10)(10**15)) <= 0.3


def test_the_loop_steps_with_the_rate_of_the_row_it_starts_from(any_bowl: Any) -> None:
    schedule = ScheduleChoice.of("exponential:0.5").rates(0.1, 5)
    p = len(any_bowl.best)
    steps = list(descend(any_bowl, GradientDescent(), schedule, np.zeros(p), (after(5),)))
    for k in range(5):
        np.testing.assert_array_equal(steps[k + 1].theta, steps[k].theta - 0.1 * 0.5**k * steps[k].gradient)
