"""What is said of momentum's rates before the first step, held to real descents written out along each eigenvector."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdcli.base.listener import Listener
from gdcli.engine.forecast import Forecast, PlainForecast
from gdcli.engine.optimizers import Momentum, Nesterov
from gdcli.engine.recurrence import Recurrence, heavy_ball, nesterov
from gdcli.engine.spectrum import Behaviour, Spectrum
from gdcli.fitting.choices import OptimizerChoice
from gdcli.fitting.options import FitOptions
from gdcli.fitting.prepare import prepare
from gdcli.fitting.problem import Problem
from gdcli.ingest.read import read
from tests.engine.bowls import slope

BETAS = [0.0, 0.25, 0.5, 0.9, 0.99]
SHARES = (1e-3, 0.01, 0.1, 0.3, 0.5, 0.8, 0.99, 0.9999)
KINDS = [Momentum, Nesterov]
Rule = Momentum | Nesterov

SPECTRA = {
    "one": ([2.0], [1.0]),
    "equal": ([1.0, 1.0, 1.0], [1.0, -2.0, 0.5]),
    "two": ([2.0, 0.5], [1.0, 3.0]),
    "steep start": ([5.0, 1.0, 0.2], [10.0, 1.0, 0.1]),
    "flat start": ([5.0, 1.0, 0.2], [1e-3, 0.1, 10.0]),
    "at its optimum along the steepest": ([4.0, 1.0], [0.0, 1.0]),
    "condition number 1000": ([3.0, 1.0, 0.3, 0.003], [1.0, -1.0, 1.0, 2.0]),
}


def spectrum(name: str) -> Spectrum:
    eigenvalues, distances = map(np.array, SPECTRA[name])
    return Spectrum(eigenvalues, np.eye(len(eigenvalues)), distances)


def start_gap(of: Spectrum) -> float:
    return float(0.5 * of.eigenvalues @ of.distances**2)


def real_gaps_of(
    rule: Rule, spectra: Sequence[Spectrum], rates: np.ndarray, iterations: int, velocities: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Return the gaps (spectra, rates, iterations + 1) of descents at rates (spectra, rates), all side by side."""
    eigenvalues = _padded([of.eigenvalues for of in spectra])
    distance = np.repeat(_padded([of.distances for of in spectra]), rates.shape[1], axis=1)
    state = (np.broadcast_to(_padded(velocities), distance.shape),) if velocities else rule.init(distance)
    found = np.empty((iterations + 1, *rates.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(iterations + 1):
            found[k] = 0.5 * np.vecdot(distance * eigenvalues, distance)
            update, state = rule.step(slope(eigenvalues * distance), state, rates[..., np.newaxis])
            distance = np.clip(distance + update, -1e100, 1e100)
    return np.moveaxis(found, 0, -1)


def _padded(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Vectors one below the other (count, 1, longest), those that are short with zeros behind: at rest."""
    longest = max(map(len, vectors))
    return np.array([[[*one, *[0.0] * (longest - len(one))]] for one in vectors])


@cache
def gaps_at(
    kind: type, beta: float, shares: tuple[float, ...], iterations: int, with_velocity: bool = False
) -> dict[str, np.ndarray]:
    """Return the gaps (shares, iterations + 1) for each of the spectra, at shares of the largest stable rate."""
    rule, spectra = kind(beta), [spectrum(name) for name in SPECTRA]
    rates = np.array([[share * stable(rule, of) for share in shares] for of in spectra])
    velocities = [velocity_of(of, beta) for of in spectra] if with_velocity else []
    return dict(zip(SPECTRA, real_gaps_of(rule, spectra, rates, iterations, velocities), strict=True))


def velocity_of(of: Spectrum, beta: float) -> np.ndarray:
    """Return one that takes the descent far from where it stands."""
    return np.random.default_rng(4).normal(size=len(of.eigenvalues)) * 20 * (1 - beta) * of.eigenvalues


def stays_from(real: np.ndarray, limit: float, later: int | None) -> int | None:
    """Return the first iteration from which on all are within the limit; ``later`` if the descent was too short."""
    outside = np.flatnonzero(~(real <= limit))
    found = int(outside[-1]) + 1 if len(outside) else 0
    if found < len(real) and not (later is not None and later >= len(real)):
        return found
    return later if later is not None and later >= len(real) else None


def forecast(rule: Rule, of: Spectrum, velocity: np.ndarray | None = None) -> Forecast:
    return rule.forecast(of, (np.zeros_like(of.distances) if velocity is None else velocity,))


def stable(rule: Rule, of: Spectrum) -> float:
    limit = forecast(rule, of).largest_stable
    assert limit is not None
    return limit


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", SPECTRA)
def test_the_iteration_from_which_on_it_is_within_a_limit_is_that_of_the_real_descent(
    kind: type, beta: float, name: str
) -> None:
    rule, of = kind(beta), spectrum(name)
    for share, real in zip(SHARES, gaps_at(kind, beta, SHARES, 4_000)[name], strict=True):
        rate = share * stable(rule, of)
        for part in (0.5, 0.01, 1e-8):
            found = forecast(rule, of).iterations_to(rate, part * real[0])
            assert found == stays_from(real, part * real[0], found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", SPECTRA)
def test_a_descent_that_goes_on_with_its_velocity_is_forecast_too(kind: type, beta: float, name: str) -> None:
    rule, of = kind(beta), spectrum(name)
    velocity, shares = velocity_of(of, beta), (0.01, 0.3, 0.8, 0.99)
    for share, real in zip(shares, gaps_at(kind, beta, shares, 4_000, True)[name], strict=True):
        rate = share * stable(rule, of)
        for part in (0.5, 0.01, 1e-6):
            found = forecast(rule, of, velocity).iterations_to(rate, part * real[0])
            assert found == stays_from(real, part * real[0], found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", BETAS)
def test_the_gaps_by_eigenvector_are_those_of_the_real_descent(kind: type, beta: float) -> None:
    rule, of = kind(beta), spectrum("condition number 1000")
    for share in (*SHARES, 1.01):
        rate = share * stable(rule, of)
        distance, state = of.distances, rule.init(of.distances)
        for k in range(40):
            if k < 4 or k % 12 == 3:
                found = forecast(rule, of).gaps(rate, k)
                assert found is not None
                real = 0.5 * of.eigenvalues * distance**2
                np.testing.assert_allclose(found, real, rtol=1e-6, atol=1e-13 * start_gap(of))
            update, state = rule.step(slope(of.eigenvalues * distance), state, rate)
            distance = distance + update


@pytest.mark.parametrize(("recurrence", "kind"), [(heavy_ball, Momentum), (nesterov, Nesterov)])
@pytest.mark.parametrize("beta", [0.0, 0.25, 0.81, 0.9])
def test_where_two_roots_are_one_the_forecast_is_exact_too(
    recurrence: Callable[[float], Recurrence], kind: type, beta: float
) -> None:
    rule, of = kind(beta), spectrum("one")
    products = [
        h
        for bend in recurrence(beta).bends
        for h in (bend, math.nextafter(bend, 0), math.nextafter(bend, 9), bend * (1 + 1e-9), bend * (1 - 1e-7))
    ]
    rates = np.array([[h / 2.0 for h in products if 0 < h / 2.0 < 0.999 * stable(rule, of)]])
    for rate, real in zip(rates[0].tolist(), real_gaps_of(rule, [of], rates, 2000)[0], strict=True):
        for part in (0.1, 1e-3, 1e-9, 1e-20):
            assert forecast(rule, of).iterations_to(rate, part * real[0]) == stays_from(real, part * real[0], None)


@pytest.mark.parametrize("kind", KINDS)
def test_with_beta_0_all_is_as_for_plain_descent(kind: type) -> None:
    for name in SPECTRA:
        of = spectrum(name)
        plain, found = PlainForecast(of), forecast(kind(0.0), of)
        assert found.largest_stable == pytest.approx(plain.largest_stable, rel=1e-15)
        assert found.condition_number == plain.condition_number
        assert plain.largest_stable is not None
        for share in (0.01, 0.3, 0.49, 0.51, 0.9, 0.999, 1.01):
            rate = share * plain.largest_stable
            assert found.behaviour(rate) is plain.behaviour(rate)
            for part in (0.5, 0.01, 1e-6):
                assert found.iterations_to(rate, part * start_gap(of)) == plain.iterations_to(
                    rate, part * start_gap(of)
                )
        assert found.best_rate(0.01 * start_gap(of))[1] == plain.best_rate(0.01 * start_gap(of))[1]


# --- the largest stable rate


@pytest.mark.parametrize("beta", BETAS)
def test_the_largest_stable_rates_are_the_known_ones(beta: float) -> None:
    of = spectrum("condition number 1000")
    assert stable(Momentum(beta), of) == pytest.approx(2 * (1 + beta) / 3.0, rel=1e-14)
    assert stable(Nesterov(beta), of) == pytest.approx(2 * (1 + beta) / ((1 + 2 * beta) * 3.0), rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", [name for name in SPECTRA if name != "at its optimum along the steepest"])
def test_just_below_the_largest_stable_rate_it_settles_and_just_above_it_does_not(
    kind: type, beta: float, name: str
) -> None:
    rule, of = kind(beta), spectrum(name)
    limit = stable(rule, of)
    below, above = gaps_at(kind, beta, (0.999, 1.001), 6_000)[name]
    assert below[-1] < 1e-6 * below[0]
    assert above[-1] > 1e3 * above[0]
    assert forecast(rule, of).behaviour(0.999 * limit) is Behaviour.OSCILLATING
    assert forecast(rule, of).behaviour(1.001 * limit) is Behaviour.UNSTABLE
    assert forecast(rule, of).behaviour(limit) is Behaviour.UNSTABLE
    assert forecast(rule, of).iterations_to(1.001 * limit, 0.01 * start_gap(of)) is None


# --- behaviour


def overshoots(rule: Rule, rate: float) -> bool:
    """Whether the distance along an eigenvector of λ = 2 ever changes its sign."""
    distance, state = np.ones(1), rule.init(np.ones(1))
    for _ in range(30_000):
        update, state = rule.step(slope(2.0 * distance), state, rate)
        distance = distance + update
        if distance[0] < 0:
            return True
        if distance[0] < 1e-20:
            return False
    raise AssertionError("too short to tell")


@pytest.mark.parametrize(("kind", "recurrence"), [(Momentum, heavy_ball), (Nesterov, nesterov)])
@pytest.mark.parametrize("beta", [0.0, 0.25, 0.5, 0.9])
def test_a_monotone_rate_never_overshoots_and_an_oscillating_one_does(
    kind: type, recurrence: Callable[[float], Recurrence], beta: float
) -> None:
    rule, said = kind(beta), forecast(kind(beta), spectrum("one"))
    bend, limit = recurrence(beta).bends[0] / 2.0, stable(rule, spectrum("one"))
    for rate in (0.3 * bend, 0.8 * bend, 0.99 * bend):
        assert said.behaviour(rate) is Behaviour.MONOTONE
        assert not overshoots(rule, rate)
    for rate in (1.05 * bend, 0.5 * (bend + limit), 0.99 * limit):
        assert said.behaviour(rate) is Behaviour.OSCILLATING
        assert overshoots(rule, rate)


# --- the best rate


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", [0.25, 0.9, 0.99])
@pytest.mark.parametrize("name", SPECTRA)
def test_the_best_rate_stays_from_where_it_says_and_no_rate_of_a_fine_grid_does_earlier(
    kind: type, beta: float, name: str
) -> None:
    rule, of = kind(beta), spectrum(name)
    limit = 0.01 * start_gap(of)
    best, iterations = forecast(rule, of).best_rate(limit)
    assert best is not None
    assert iterations is not None
    assert 0 < best < stable(rule, of)
    rates = np.append(best, np.linspace(0.001, 0.999, 80) * stable(rule, of))
    [[own, *others]] = real_gaps_of(rule, [of], rates[np.newaxis], 2 * iterations + 1000)
    assert stays_from(own, limit, None) == iterations
    assert (np.array(others)[:, max(iterations - 2, 0) :] > limit).any(axis=1).all()


def grid_arrival(rule: Rule, of: Spectrum, rates: np.ndarray, limit: float, iterations: int) -> int:
    """Return the first iteration from which on the gap of any of the rates stays within the limit, all side by side."""
    distance = np.broadcast_to(of.distances, (len(rates), len(of.distances)))
    state, outside = rule.init(distance), np.zeros(len(rates), dtype=int)
    for k in range(iterations + 1):
        outside[~(0.5 * distance**2 @ of.eigenvalues <= limit)] = k + 1
        update, state = rule.step(slope(of.eigenvalues * distance), state, rates[:, np.newaxis])
        with np.errstate(over="ignore", invalid="ignore"):
            distance = np.clip(distance + update, -1e100, 1e100)
    return int(outside.min())


TABLES = [
    ("sample", "housing.csv", "price", ["sqft", "beds", "baths"]),
    ("sample", "penguins.csv", "body_mass_g", ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"]),
    ("reference", "stackloss.csv", "STACKLOSS", []),
    ("reference", "nist/norris.csv", "y", []),
    ("random", "1", "y", []),
    ("random", "2", "y", []),
    ("random", "3", "y", []),
    ("random", "4", "y", []),
    ("random", "5", "y", []),
    ("random", "6", "y", []),
]


@pytest.fixture(scope="module", params=TABLES, ids=lambda table: table[1])
def problem(request: pytest.FixtureRequest, sample_data: Path, reference: Path) -> Problem:
    """That of a table, which is read once for all optimizers."""
    where, name, target, features = request.param
    data: Path | pd.DataFrame = {"sample": sample_data, "reference": reference}.get(where, Path()) / name
    if where == "random":
        random = np.random.default_rng(int(name))
        p = int(random.integers(2, 7))
        X = random.normal(size=(60, p)) @ random.normal(size=(p, p)) + random.normal(size=p)
        y = X @ random.normal(size=p) + random.choice([0.1, 1.0, 3.0]) * random.normal(size=60)
        data = pd.DataFrame(dict(zip([*(f"x{i}" for i in range(p)), "y"], [*X.T, y], strict=True)))
    options = FitOptions.of(target=target, features=tuple(features), learning_rate="auto")
    with read([data], options.columns, options.reading, Listener()) as reading:
        return prepare(reading, options, Listener())


@pytest.mark.parametrize("word", ["gd", "momentum", "nesterov", "newton", "momentum:0.5", "nesterov:0.99"])
def test_no_rate_of_a_grid_of_1000_is_within_1_percent_more_than_one_iteration_earlier(
    problem: Problem, word: str
) -> None:
    rule, of = OptimizerChoice.of(word).rule, problem.spectrum
    said = rule.forecast(of, rule.init(problem.start))
    best, iterations = said.best_rate(problem.within)
    assert best is not None
    assert iterations is not None
    assert said.largest_stable is not None
    if word == "newton":
        of, rule = of.whitened, OptimizerChoice.of("gd").rule
    rates = said.largest_stable * np.linspace(0, 1, 1002)[1:-1]
    found = grid_arrival(rule, of, np.append(rates, best), problem.within, 2 * min(iterations, 1500) + 30)
    if iterations <= 1500:
        assert grid_arrival(rule, of, np.array([best]), problem.within, 4 * iterations + 500) == iterations
    assert found >= min(iterations, 1500) - 1


@pytest.mark.parametrize("word", ["momentum", "nesterov", "momentum:0.5"])
def test_a_start_within_the_limit_needs_no_iteration(word: str) -> None:
    rule, of = OptimizerChoice.of(word).rule, spectrum("two")
    said = rule.forecast(of, (np.zeros(2),))
    assert said.iterations_to(0.1, start_gap(of)) == 0
    best, iterations = said.best_rate(start_gap(of))
    assert iterations == 0
    assert said.behaviour(best or 0.0) is not Behaviour.UNSTABLE


# --- very many iterations


@pytest.mark.parametrize("word", ["momentum", "nesterov", "momentum:0.99"])
def test_a_billion_iterations_are_forecast_by_leaps(word: str) -> None:
    # Along a flat direction momentum is plain descent at the rate η/(1 − β), but for terms of relative size h.
    rule = OptimizerChoice.of(word).rule
    assert isinstance(rule, Momentum | Nesterov)
    of = Spectrum(np.array([1.0, 1e-9]), np.eye(2), np.array([1.0, 1.0]))
    found = rule.forecast(of, (np.zeros(2),)).iterations_to(0.5, 1e-4 * 0.5e-9)
    assert found == pytest.approx(math.log(1e2) * (1 - rule.values[0]) / (0.5 * 1e-9), rel=1e-5)


def test_swings_that_go_on_for_too_long_are_no_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    for most in ("_IN_ALL", "_IN_ALL_FOR_BEST"):
        monkeypatch.setattr(f"gdcli.engine.momentum.{most}", 1 << 21)
    rule = Momentum(1 - 1e-12)
    of = Spectrum(np.geomspace(1.0, 0.01, 11), np.eye(11), np.ones(11))
    said = forecast(rule, of)
    assert said.iterations_to(0.3, 1e-9 * start_gap(of)) is None
    best, iterations = said.best_rate(1e-9 * start_gap(of))
    assert iterations is None
    assert said.behaviour(best or 9.9) is Behaviour.OSCILLATING


@pytest.mark.parametrize("word", ["adagrad", "rmsprop", "adam"])
def test_nothing_is_said_of_adaptive_steps(word: str) -> None:
    rule, of = OptimizerChoice.of(word).rule, spectrum("two")
    said = rule.forecast(of, rule.init(of.distances))
    assert (said.largest_stable, said.condition_number) == (None, None)
    assert (said.behaviour(0.1), said.gaps(0.1, 1), said.iterations_to(0.1, 1.0)) == (None, None, None)
    assert said.best_rate(0.01) == (None, None)


@pytest.mark.parametrize("rate", [0.1, 1.0, 1.7, 1.999])
def test_newtons_forecast_is_that_of_equal_eigenvalues(rate: float) -> None:
    of = spectrum("condition number 1000")
    said = OptimizerChoice.of("newton").rule.forecast(of, ())
    assert (said.largest_stable, said.condition_number) == (2.0, 1.0)
    assert said.behaviour(rate) is (Behaviour.MONOTONE if rate <= 1 else Behaviour.OSCILLATING)
    assert said.behaviour(2.0) is Behaviour.UNSTABLE
    real = start_gap(of) * np.abs(1 - rate) ** (2 * np.arange(20_000))
    assert said.iterations_to(rate, 0.01 * real[0]) == int(np.argmax(real <= 0.01 * real[0]))
    best, iterations = said.best_rate(0.01 * start_gap(of))
    assert (best, iterations) == (1.0, 1)
