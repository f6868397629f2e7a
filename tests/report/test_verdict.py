"""The verdict's sentences: each one true, and there only when it is."""

import math
import random
import re
from dataclasses import replace

import pytest

from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.results import Coefficient, TraceRow
from gdcli.report.paper import Page
from gdcli.report.verdict import MARKS, State, state_of, verdict, verdict_lines

CONVERGED = {"converged": True, "gap": 1e-3, "relative_gap": 1e-13}


def text(fit, command=None):
    return verdict(fit, command).text


# --- how far it got


@pytest.mark.parametrize(
    ("share", "state"), [(0.002, State.NEAR), (0.01, State.NEAR), (0.0101, State.AWAY), (None, State.UNKNOWN)]
)
def test_within_one_percent_of_the_minimum_a_descent_is_near_and_beyond_it_is_not(a_fit, share, state):
    measure = 6142952690.0631075
    fit = a_fit(gap=None if share is None else share * measure, relative_gap=share)
    assert verdict(fit).state is state_of(fit) is state
    assert verdict(a_fit(**CONVERGED)).state is State.CONVERGED


def test_a_descent_that_is_near_says_how_far_above_the_minimum_and_since_when(a_fit):
    assert verdict(a_fit()).sentences[0] == (
        "Nearly there: 0.200 % above the minimum after 1,000 iterations (within 1 % since 388)."
    )


def test_converged_is_said_only_of_a_fit_that_is(a_fit):
    assert text(a_fit(**CONVERGED)).startswith("Converged: at the minimum to 12 digits after 1,000 iterations")
    for fit in (a_fit(), a_fit(gap=0.0, relative_gap=0.0)):
        assert "onverged" not in text(fit)


def test_one_percent_beyond_the_run_says_how_far_beyond(a_fit):
    assert "; it would be within 1 % at 12,345, 11,345 more." in text(a_fit(iterations_to_1_percent=12345))


def test_huge_iteration_counts_read_well(a_fit):
    said = text(a_fit(iterations_to_1_percent=3_217_000_000, best_iterations=1_230_000_000, condition_number=4.4e10))
    assert "; it would be within 1 % after about 3.2 billion." in said
    assert "condition number of about 44 billion" in said
    assert not re.search(r"\d{7}|about about|e\+", said)


def test_a_start_within_one_percent_is_said_to_be_so(a_fit):
    assert "(within 1 % from the start)" in text(a_fit(iterations_to_1_percent=0, best_iterations=0))


def test_a_rate_that_never_comes_within_one_percent_claims_no_iteration(a_fit):
    assert "within 1 %" not in verdict(a_fit(iterations_to_1_percent=None)).sentences[0]


def test_no_iterations_at_all_are_the_start(a_fit):
    fit = a_fit(iterations=0, gap=0.8 * 6142952690.0631075, relative_gap=0.8)
    assert verdict(replace(fit, trace=fit.trace[:1])).sentences[0] == (
        "Not there yet: 80.0 % above the minimum at the start; it would be within 1 % at 388."
    )


def test_a_start_at_the_optimum_is_at_the_minimum(a_fit):
    said = text(a_fit(converged=True, gap=0.0, relative_gap=0.0, iterations_to_1_percent=0, best_iterations=0))
    assert said.startswith("Converged: exactly at the minimum after 1,000 iterations.")
    assert "lr 0.334" not in said


def test_slopes_that_have_not_settled_are_named_where_the_cost_has(a_fit):
    said = text(a_fit(gap=100.0, relative_gap=1.6e-8))
    assert said.startswith("Nearly there")
    assert ", the slopes still more than 1 % off, after" in said
    assert "slopes" not in text(a_fit())


def test_a_perfect_fit_is_measured_by_the_gap_of_its_start(a_fit):
    said = text(a_fit(relative_gap=None, gap=2.0, gap_measure=1000.0))
    assert "0.200 % of the start's gap to a perfect fit is left" in said
    assert "above the minimum" not in said


def test_a_perfect_fit_reached_to_the_bit_is_perfect(a_fit):
    fit = a_fit(converged=True, relative_gap=None, gap=0.0, gap_measure=1000.0)
    assert "Converged: a perfect fit, with a cost of zero," in text(fit)
    assert "a perfect fit" in text(replace(fit, optimum=replace(fit.optimum, gap_measure=0.0)))


def test_stopping_by_tolerance_names_the_tolerance_and_where(a_fit):
    early = a_fit(stopped=Stopped.TOLERANCE, tolerance=0.1, iterations=340, iterations_to_1_percent=300)
    assert text(early).startswith(
        "Nearly there: 0.200 % above the minimum at iteration 340, where the gradient's norm fell below --tol 0.1"
    )
    assert text(early).endswith("A smaller --tol goes further.")
    late = a_fit(stopped=Stopped.TOLERANCE, tolerance=1e-9, iterations=340, **CONVERGED)
    assert text(late).startswith("Converged: at the minimum to 12 digits at iteration 340, where")
    assert "smaller --tol" not in text(late)


def test_an_interrupted_descent_says_so(a_fit):
    assert text(a_fit(stopped=Stopped.INTERRUPTED, iterations=137)).startswith(
        "Nearly there: 0.200 % above the minimum when interrupted at iteration 137;"
    )


def test_without_features_the_verdict_is_about_the_intercept_alone(a_fit):
    said = text(a_fit((), slowest=(("(intercept)", 1.0),), condition_number=1.0, **CONVERGED))
    assert said.startswith("Converged")
    assert "lowest" not in said


# --- what the rate does


def test_a_monotone_rate_does_not_overshoot(a_fit):
    assert "lr 0.01 is safe but slow: rates below 0.392 are stable." in text(a_fit())
    assert "The fastest, 0.334, is within 1 % after 11 iterations." in text(a_fit(**CONVERGED))


def test_an_oscillating_rate_overshoots_harmlessly(a_fit):
    said = text(a_fit(given=0.3, behaviour=Behaviour.OSCILLATING, iterations_to_1_percent=13))
    assert "lr 0.3 overshoots slightly at each step, which is harmless below 0.392." in said


def test_a_rate_just_below_the_limit_is_not_called_harmless(a_fit):
    said = text(a_fit(given=0.3915, behaviour=Behaviour.OSCILLATING, iterations_to_1_percent=912))
    assert "lr 0.3915 comes back only 0.269 % closer at each step: from 0.392 on rates are unstable." in said
    assert "harmless" not in said


def test_a_rate_about_as_good_as_the_best_hears_of_no_better_one(a_fit):
    assert "The fastest" not in text(a_fit(iterations_to_1_percent=13))
    assert "The fastest" in text(a_fit(iterations_to_1_percent=16))


def test_a_long_wait_that_no_rate_shortens_is_said_to_be_one(a_fit):
    slow = a_fit(iterations_to_1_percent=5000, best_iterations=4900)
    assert "No rate is much faster." in text(slow)
    assert "No rate is much faster." not in text(a_fit(iterations_to_1_percent=13))


def test_an_automatic_rate_has_its_reason_and_is_shown_to_four_digits(a_fit):
    said = text(a_fit(given=0.334308169444178, automatic=True, behaviour=Behaviour.OSCILLATING))
    assert "lr 0.3343 (auto) is the fastest. It overshoots slightly at each step" in said


def test_without_a_forecast_nothing_is_said_about_rates(a_fit):
    fit = a_fit(
        optimizer="adam",
        behaviour=None,
        largest_stable=None,
        best=None,
        iterations_to_1_percent=None,
        best_iterations=None,
        condition_number=None,
    )
    assert verdict(fit).sentences == (
        "Nearly there: 0.200 % above the minimum after 1,000 iterations.",
        "More iterations (-n), or another rate, may bring it closer.",
    )


# --- what it waits for


def test_the_condition_number_and_the_slowest_direction_explain_a_wait(a_fit):
    said = text(a_fit(condition_number=123456.0))
    assert "a condition number of about 120,000. Slowest: sqft against baths and beds." in said


@pytest.mark.parametrize(
    ("slowest", "words"),
    [
        ((("a", 0.7), ("b", 0.7)), "Slowest: a together with b."),
        ((("a", -0.6), ("b", -0.5), ("c", 0.6)), "Slowest: a together with b against c."),
        ((("(intercept)", -1.0), ("b", 0.3)), "Slowest: (intercept)."),
        ((("x\x1b[0m", 1.0),), r"Slowest: x\x1b[0m."),
        ((), "condition number of about 120,000."),
    ],
)
def test_the_slowest_direction_is_put_into_column_names(a_fit, slowest, words):
    assert words in text(a_fit(condition_number=123456.0, slowest=slowest))


@pytest.mark.parametrize("changes", [{"condition_number": 99.0}, {"condition_number": 1e6, **CONVERGED}])
def test_where_it_explains_nothing_the_condition_number_is_not_mentioned(a_fit, changes):
    said = text(a_fit(**changes))
    assert "condition number" not in said
    assert "lowest" not in said


def test_unscaled_columns_are_pointed_at_where_they_matter(a_fit):
    for condition_number in (1e3, 1e9):
        said = text(a_fit(scale="none", condition_number=condition_number))
        assert said.count("--scale standard usually needs far fewer") == 1
    assert "--scale" not in text(a_fit(condition_number=1e9))


# --- what to change


def test_what_to_change_ends_in_a_command_to_paste(a_fit, again):
    assert text(a_fit(), again).endswith(
        "The fastest, 0.334, needs 46 to converge:\n  gdfit housing.csv --target price --lr 0.334"
    )


def test_from_python_there_is_no_command(a_fit, a_diverged_fit):
    for fit in (a_fit(), a_diverged_fit()):
        assert verdict(fit).command is None
        assert not text(fit).endswith(":")


def test_a_converged_fit_is_told_to_change_nothing(a_fit, again):
    assert "gdfit" not in text(a_fit(**CONVERGED), again)
    assert len(verdict(a_fit(**CONVERGED), again).sentences) == 2


def test_more_iterations_than_anyone_would_run_are_no_command(a_fit, again):
    said = text(a_fit(condition_number=1e10), again)
    assert "it may take" in said
    assert "billion iterations to converge." in said
    assert "gdfit" not in said


def diagonal(a_fit, seed):
    """A fit whose terms are its eigenvectors, on the standardised scale, after some iterations at some rate."""
    rng = random.Random(seed)
    eigenvalues = sorted((10 ** rng.uniform(-3, 0.5) for _ in range(4)), reverse=True)
    best = [rng.uniform(-2, 2) for _ in eigenvalues]
    limit = 2 / eigenvalues[0]
    measure = 10 ** rng.uniform(-3, 1)

    def after(rate, k):
        distance = [-b * (1 - rate * v) ** k for b, v in zip(best, eigenvalues, strict=True)]
        gap = 0.5 * sum(v * d * d for d, v in zip(distance, eigenvalues, strict=True))
        close = math.hypot(*distance) <= 0.01 * math.hypot(*best)
        return [b + d for b, d in zip(best, distance, strict=True)], gap, gap <= 1e-6 * measure and close

    rate, iterations = limit * rng.uniform(0.01, 0.99), rng.choice([5, 50, 500])
    slopes, gap, converged = after(rate, iterations)
    names = ("a", "b", "c", "d")
    fit = a_fit(
        names,
        coefficients=tuple(Coefficient(n, s, b, s) for n, s, b in zip(names, slopes, best, strict=True)),
        trace=(TraceRow(0, (0.0,) * 4, 0.0, 1.0, after(rate, 0)[1]),),
        gap=gap,
        relative_gap=gap / measure,
        gap_measure=measure,
        converged=converged,
        iterations=iterations,
        given=rate,
        largest_stable=limit,
        best=limit * rng.uniform(0.5, 0.95),
        iterations_to_1_percent=100,
        best_iterations=10,
        condition_number=eigenvalues[0] / eigenvalues[-1],
    )
    return fit, after


@pytest.mark.parametrize("seed", range(60))
def test_the_iterations_that_are_called_enough_are_enough(a_fit, seed):
    fit, after = diagonal(a_fit, seed)
    asked = []
    said = verdict(fit, lambda rate, iterations=None: asked.append((rate, iterations)) or "gdfit")
    if fit.descent.converged:
        assert not asked
        return
    [(rate, iterations)] = asked
    assert re.search(r"(needs|At this rate) [\d,.]+( million)?( iterations?)? (to )?converges?:$", said.sentences[-1])
    assert after(rate, iterations or fit.descent.iterations)[2]
    assert iterations is None or iterations > fit.descent.iterations


# --- divergence


def test_divergence_is_one_line_and_a_command_that_works(a_diverged_fit, again):
    assert text(a_diverged_fit(), again) == (
        "Diverged at iteration 4: each step overshot by more than the last. lr 0.5 is too large: rates below 0.392 are "
        "stable here, and 0.334 is the best, within 1 % after 11 iterations:\n"
        "  gdfit housing.csv --target price --lr 0.334"
    )


def test_an_unstable_rate_that_ran_too_few_iterations_to_diverge_is_not_said_to_have_diverged(a_diverged_fit):
    said = text(a_diverged_fit(stopped=Stopped.ITERATIONS, iterations=3))
    assert said.startswith("Diverged, if slowly: after 3 iterations the steps grow, and at this rate never settle.")
    interrupted = text(a_diverged_fit(stopped=Stopped.INTERRUPTED, iterations=1))
    assert "if slowly: after 1 iteration the steps grow" in interrupted


def test_the_limit_itself_is_not_said_to_be_above_the_limit(a_diverged_fit):
    said = text(a_diverged_fit(given=1.0, largest_stable=1.0, stopped=Stopped.ITERATIONS))
    assert "lr 1 is just too large: rates up to 0.999 are stable here" in said
    assert "above" not in said


def test_a_best_rate_that_takes_more_iterations_gets_them_in_its_command(a_diverged_fit, again):
    assert text(a_diverged_fit(best_iterations=134_534), again).endswith("--lr 0.334 -n 140000")
    assert "-n" not in text(a_diverged_fit(best_iterations=10**12), again)


def test_divergence_of_an_unscaled_fit_points_at_scaling(a_diverged_fit):
    fit = a_diverged_fit(scale="none", condition_number=4e12, largest_stable=2.97259e-07, best=2.97258e-07)
    said = text(replace(fit, learning_rate=replace(fit.learning_rate, best_iterations=1_256_249_686_463)))
    assert "rates below 2.97e-07 are stable here" in said
    assert "after 1.3 trillion iterations (--scale standard usually needs far fewer than --scale none)." in said


def test_divergence_without_a_known_limit_asks_for_a_tenth(a_diverged_fit, again):
    fit = a_diverged_fit(optimizer="adam", behaviour=None, largest_stable=None, best=None, best_iterations=None)
    assert text(fit, again) == (
        "Diverged at iteration 4: the cost grew beyond all bounds. lr 0.5 with adam is too large. Try a tenth of it, "
        "0.05:\n  gdfit housing.csv --target price --lr 0.05"
    )
    assert not text(fit).endswith(":")


def test_no_sentence_holds_a_none_or_a_nan(a_fit, a_diverged_fit, again):
    for make in (a_fit, a_diverged_fit):
        for changes in ({}, {"best": None, "best_iterations": None}, {"condition_number": None}, {"gap": None}):
            said = text(make(**changes), again)
            assert "None" not in said
            assert "nan" not in said


# --- on the screen


def test_a_verdict_is_three_lines_of_eighty_columns_at_most_and_a_command(a_fit, a_diverged_fit, again):
    for changes in (
        {},
        {"condition_number": 123456.0},
        {"condition_number": 1e10},
        {"given": 0.3915, "behaviour": Behaviour.OSCILLATING, "iterations_to_1_percent": 912},
        {"stopped": Stopped.TOLERANCE, "tolerance": 0.1, "iterations": 340},
        {"scale": "none", "condition_number": 1e9},
        CONVERGED,
    ):
        found = verdict(a_fit(**changes), again)
        lines = verdict_lines(found, Page(80))
        assert len(lines) <= 3 + (found.command is not None), found.text
    assert len(verdict_lines(verdict(a_diverged_fit(), again), Page(80))) <= 4


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_each_state_has_a_mark_of_its_own_colour_and_words_beside_it(a_fit, a_diverged_fit, encoding):
    begun = set()
    for fit in (a_fit(), a_fit(**CONVERGED), a_fit(gap=1e10, relative_gap=1.6), a_fit(gap=None), a_diverged_fit()):
        found = verdict(fit)
        first = verdict_lines(found, Page(80, encoding))[0]
        mark, _, word = first[0].text.partition(" ")
        assert word == found.state.value
        assert first[0].style == f"bold {MARKS[found.state][1]}"
        assert first[1].style == ""
        assert mark.isascii() or encoding == "utf-8"
        begun.add((mark, first[0].style))
    assert len({mark for mark, _ in begun}) == 4
