"""What the eigenvalues say before the first step, against explicit Hessians and real descents."""

import numpy as np
import pytest

from gdcli.engine.column import Column
from gdcli.engine.least_squares import optimum
from gdcli.engine.optimizers import GradientDescent, Momentum, Optimizer
from gdcli.engine.scaling import scale
from gdcli.engine.spectrum import Behaviour, Spectrum, behaviour, best_rate, gaps, iterations_to, spectrum
from gdcli.engine.triangle import from_rows


class Explicit:
    """The scaled problem over the rows: Hessian, the start's distance from the optimum, the optimum's cost."""

    def __init__(self, X: np.ndarray, y: np.ndarray, kind: str, intercept: bool, weights: np.ndarray) -> None:
        N, n = weights.sum(), (weights > 0).sum()
        mean = weights @ X / N
        if kind == "standard" and intercept:
            width = np.sqrt(weights @ (X - mean) ** 2 / N * n / (n - 1))
            X = (X - mean) / width
            y = y / np.sqrt(weights @ (y - weights @ y / N) ** 2 / N * n / (n - 1))
        elif kind == "standard":
            X, y = X / np.sqrt(weights @ X**2 / N), y / np.sqrt(weights @ y**2 / N)
        A = np.column_stack([np.ones(len(X)), X]) if intercept else X
        root = np.sqrt(weights)[:, np.newaxis]
        self.hessian = 2 / N * A.T @ (A * weights[:, np.newaxis])
        self.best = np.linalg.lstsq(A * root, y * root[:, 0], rcond=1e-12)[0]
        self.cost = float(weights @ (y - A @ self.best) ** 2 / N)

    def gaps(self, rates: np.ndarray, iterations: int) -> np.ndarray:
        """Return the gaps (iterations + 1, rates) of real descents from zero, with the Hessian written out."""
        distance = np.tile(-self.best, (len(rates), 1))
        found = np.empty((iterations + 1, len(rates)))
        for k in range(iterations + 1):
            gradient = distance @ self.hessian
            found[k] = 0.5 * np.einsum("ij,ij->i", distance, gradient)
            distance = distance - rates[:, np.newaxis] * gradient
        return found


def spectrum_of(X: np.ndarray, y: np.ndarray, kind: str, intercept: bool, weights: np.ndarray | None) -> Spectrum:
    columns = [Column(f"x{i}") for i in range(X.shape[1])]
    triangle = from_rows(np.column_stack([X, y]), [*columns, Column("y")], weights)
    problem, scaling = scale(triangle, kind, intercept)
    best = optimum(triangle, scaling)
    return spectrum(problem, best.rank + intercept, -best.theta)


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    base = random.normal(size=(60, 4))
    X = {
        "well-conditioned": base,
        "off centre": base + np.array([3.0, -2.0, 1.0, 0.5]),
        "correlated": base @ (np.eye(4) + 0.9 * np.ones((4, 4))),
        "ill-conditioned": np.column_stack([base, base[:, 0] + 1e-3 * random.normal(size=60)]),
        "collinear": np.column_stack([base, base[:, 0] - 2 * base[:, 1], np.ones(60) + base[:, 2]]),
        "one feature": base[:, :1],
        "wider than long": random.normal(size=(6, 9)),
        "very different scales": base * [1e-2, 1.0, 1.0, 20.0],
    }[name]
    y = X[:, 0] - 0.5 * X[:, -1] + 2.0 + random.normal(size=len(X))
    return X, y


TABLES = [
    *("well-conditioned", "off centre", "correlated", "ill-conditioned"),
    *("collinear", "one feature", "wider than long", "very different scales"),
]
CASES = [
    pytest.param(name, kind, intercept, weighted, id=f"{name}, {kind}{'' if intercept else ', no intercept'}{w}")
    for name in TABLES
    for kind in ("standard", "none")
    for intercept in (True, False)
    for weighted, w in ((False, ""), (True, ", weights"))
]


def build(name: str, kind: str, intercept: bool, weighted: bool) -> tuple[Spectrum, Explicit]:
    X, y = table(name)
    weights = np.random.default_rng(2).choice([0.5, 1.0, 3.0], len(X)) if weighted else np.ones(len(X))
    found = spectrum_of(X, y, kind, intercept, weights if weighted else None)
    return found, Explicit(X, y, kind, intercept, weights)


@pytest.mark.parametrize(("name", "kind", "intercept", "weighted"), CASES)
def test_the_eigenvalues_are_those_of_the_explicit_hessian(
    name: str, kind: str, intercept: bool, weighted: bool
) -> None:
    found, explicit = build(name, kind, intercept, weighted)
    expected = np.linalg.eigvalsh(explicit.hessian)[::-1]
    rank = np.linalg.matrix_rank(explicit.hessian, hermitian=True, tol=1e-11 * expected[0])
    assert len(found.eigenvalues) == rank
    np.testing.assert_allclose(found.eigenvalues, expected[:rank], rtol=1e-9, atol=1e-13 * expected[0])
    assert found.largest_stable == pytest.approx(2 / expected[0], rel=1e-12)
    assert found.condition_number == pytest.approx(expected[0] / expected[rank - 1], rel=1e-6)


@pytest.mark.parametrize(("name", "kind", "intercept", "weighted"), CASES)
def test_the_vectors_are_eigenvectors_of_the_explicit_hessian(
    name: str, kind: str, intercept: bool, weighted: bool
) -> None:
    found, explicit = build(name, kind, intercept, weighted)
    image = found.vectors @ explicit.hessian
    np.testing.assert_allclose(
        image, found.eigenvalues[:, np.newaxis] * found.vectors, atol=1e-12 * np.abs(image).max()
    )
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(len(found.vectors)), atol=1e-12)


@pytest.mark.parametrize(("name", "kind", "intercept", "weighted"), CASES)
def test_the_forecast_gaps_are_those_of_a_real_descent(name: str, kind: str, intercept: bool, weighted: bool) -> None:
    found, explicit = build(name, kind, intercept, weighted)
    rates = found.largest_stable * np.array([0.01, 0.3, 0.5, 0.8, 0.99])
    real = explicit.gaps(rates, 60)
    for i, rate in enumerate(rates):
        for k in (0, 1, 2, 7, 60):
            assert gaps(found, rate, k).sum() == pytest.approx(real[k, i], rel=1e-8, abs=1e-15 * real[0, i])


@pytest.mark.parametrize(("name", "kind", "intercept", "weighted"), CASES)
def test_the_forecast_iteration_is_where_a_real_descent_first_arrives(
    name: str, kind: str, intercept: bool, weighted: bool
) -> None:
    found, explicit = build(name, kind, intercept, weighted)
    rates = found.largest_stable * np.array([0.02, 0.1, 0.5, 0.7, 0.95, 0.995])
    real = explicit.gaps(rates, 2500)
    limit = real[0, 0] * 0.01  # a wider-than-long table fits perfectly: the start's gap is the measure everywhere
    for i, rate in enumerate(rates):
        arrived = np.flatnonzero(real[:, i] <= limit)
        expected = int(arrived[0]) if len(arrived) else None
        forecast = iterations_to(found, float(rate), limit)
        assert (forecast if forecast is None or forecast <= 2500 else None) == expected


def lowest_gap(known: Spectrum, rates: np.ndarray, iterations: int) -> float:
    """Return the smallest gap that any of the rates has after so many iterations: ½ Σ λ(1 − ηλ)²ᵏc²."""
    factors = np.abs(1 - rates[:, np.newaxis] * known.eigenvalues)
    start = 0.5 * known.eigenvalues * known.distances**2
    return float((factors ** (2 * iterations) @ start).min())


DENSE = np.concatenate([np.linspace(0, 1, 5002)[1:-1], 1 - np.logspace(-9, -1, 3000)])


@pytest.mark.parametrize(("name", "kind", "intercept", "weighted"), CASES)
@pytest.mark.parametrize("share", [0.5, 0.01, 1e-6])
def test_no_rate_on_a_dense_grid_beats_the_best_one(
    name: str, kind: str, intercept: bool, weighted: bool, share: float
) -> None:
    found, _ = build(name, kind, intercept, weighted)
    limit = share * gaps(found, 0.1, 0).sum()
    rate, iterations = best_rate(found, limit)
    assert 0 < rate < found.largest_stable
    assert iterations
    assert iterations_to(found, rate, limit) == iterations
    assert lowest_gap(found, DENSE * found.largest_stable, iterations - 1) > limit


@pytest.mark.parametrize("name", ["well-conditioned", "off centre", "correlated", "collinear", "one feature"])
@pytest.mark.parametrize("intercept", [True, False])
def test_no_real_descent_beats_the_best_rate(name: str, intercept: bool) -> None:
    found, explicit = build(name, "standard", intercept, False)
    limit = 0.01 * explicit.cost
    rate, iterations = best_rate(found, limit)
    assert iterations is not None
    rates = np.concatenate([np.linspace(0, 1, 1002)[1:-1] * found.largest_stable, [rate]])
    arrived = explicit.gaps(rates, iterations) <= limit
    assert arrived[iterations, -1]
    assert not arrived[:iterations].any()


@pytest.mark.parametrize("name", TABLES)
def test_just_below_the_largest_stable_rate_a_descent_settles_and_just_above_it_grows(name: str) -> None:
    found, explicit = build(name, "standard", True, False)
    below, above = found.largest_stable * (1 - 1e-3), found.largest_stable * (1 + 1e-3)
    real = explicit.gaps(np.array([below, above]), 4000)
    top = np.linalg.eigh(explicit.hessian)[1][:, -1]
    assert abs(top @ explicit.best) > 1e-3  # the start is not at the optimum along this direction
    assert (np.diff(real[:, 0]) <= 0).all()
    assert real[4000, 1] > 100 * real[0, 1]
    assert behaviour(found, below) is not Behaviour.UNSTABLE
    assert behaviour(found, above) is Behaviour.UNSTABLE


@pytest.mark.parametrize(
    ("times_largest_eigenvalue", "expected"),
    [
        (1e-9, Behaviour.MONOTONE),
        (0.999, Behaviour.MONOTONE),
        (1.0, Behaviour.MONOTONE),
        (1.001, Behaviour.OSCILLATING),
        (1.999999, Behaviour.OSCILLATING),
        (2.0 - 1e-11, Behaviour.OSCILLATING),
        (2.0 - 1e-13, Behaviour.UNSTABLE),
        (2.0, Behaviour.UNSTABLE),
        (50.0, Behaviour.UNSTABLE),
    ],
)
def test_a_rate_is_judged_on_the_largest_eigenvalue(times_largest_eigenvalue: float, expected: Behaviour) -> None:
    known = Spectrum(np.array([4.0, 0.5]), np.eye(2), np.ones(2))
    assert behaviour(known, times_largest_eigenvalue / 4.0) is expected


def test_a_monotone_rate_approaches_from_one_side_and_an_oscillating_one_overshoots() -> None:
    hessian, start = np.diag([4.0, 0.5]), np.array([1.0, 1.0])
    known = Spectrum(np.array([4.0, 0.5]), np.eye(2), start)
    for rate in (0.1, 0.24, 0.26, 0.49):
        path = [start]
        for _ in range(20):
            path.append(path[-1] - rate * hessian @ path[-1])
        overshoots = bool((np.array(path) < 0).any())
        assert (behaviour(known, rate) is Behaviour.OSCILLATING) == overshoots


def test_an_unstable_rate_never_arrives() -> None:
    known = Spectrum(np.array([4.0, 0.5]), np.eye(2), np.array([0.0, 1.0]))
    assert iterations_to(known, 0.6, 1e-9) is None


def test_a_start_at_the_optimum_has_arrived() -> None:
    known = Spectrum(np.array([4.0, 0.5]), np.eye(2), np.zeros(2))
    assert iterations_to(known, 0.1, 1e-9) == 0
    assert iterations_to(known, 0.1, 0.0) == 0


def test_one_eigenvalue_is_done_in_one_step_at_its_best_rate() -> None:
    rate, iterations = best_rate(Spectrum(np.array([4.0]), np.eye(1), np.ones(1)), 1e-12)
    assert iterations == 1
    assert rate == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("smallest", [1e-3, 1e-6, 1e-9])
def test_a_forecast_far_ahead_agrees_with_the_closed_form(smallest: float) -> None:
    # One slow direction: ½λ(1−ηλ)^2k = limit, so k = ln(limit/½λ) / (2 ln(1−ηλ)), in exact decimals.
    from decimal import Decimal, localcontext

    known = Spectrum(np.array([1.0, smallest]), np.eye(2), np.array([0.0, 1.0]))
    limit = 1e-4 * 0.5 * smallest
    with localcontext() as context:
        context.prec = 50
        factor = 1 - Decimal("0.5") * Decimal(smallest)
        expected = (Decimal(limit) / (Decimal("0.5") * Decimal(smallest))).ln() / (2 * factor.ln())
    assert iterations_to(known, 0.5, limit) == pytest.approx(float(expected), rel=1e-10, abs=1)


def test_what_takes_longer_than_any_machine_runs_is_never() -> None:
    assert iterations_to(Spectrum(np.array([1.0, 1e-30]), np.eye(2), np.ones(2)), 0.5, 1e-40) is None


@pytest.mark.parametrize("size", [2, 3, 6, 12])
def test_no_rate_beats_the_best_one_on_random_spectra(size: int) -> None:
    random = np.random.default_rng(size)
    for _ in range(15):
        eigenvalues = np.sort(10 ** random.uniform(-4, 1, size))[::-1]
        known = Spectrum(eigenvalues, np.eye(size), random.normal(size=size) * 10 ** random.uniform(-3, 3, size))
        limit = 0.01 * gaps(known, 0.1, 0).sum()
        rate, iterations = best_rate(known, limit)
        assert iterations
        assert iterations_to(known, rate, limit) == iterations
        nearby = rate * (1 + np.linspace(-1e-2, 1e-2, 2001))
        rates = np.concatenate([DENSE * known.largest_stable, nearby[nearby < known.largest_stable]])
        assert lowest_gap(known, rates, iterations - 1) > limit


# λ, c, the gap and, from mpmath 1.3 with 60 digits, the iteration and the rate at which Σ λ²(1 − ηλ)²ᵏ⁻¹c² changes its
# sign, by 120 halvings of log(2 − η·λmax):
#     f = lambda e: sum(l * l * (1 - (2 - e) / lam[0] * l) ** (2 * k - 1) * c * c for l, c in zip(lam, d))
EXACT_RATES = [
    ([1.75, 0.25], [1.0, 2.0], 1e-3, 0.96078958524234528),
    ([1.5, 0.75, 0.0078125], [1.0, -0.5, 3.0], 1e-4, 1.3168660670664971),
    ([2.0, 0.5, 0.125, 0.0009765625], [0.25, 1.0, 1.0, 4.0], 1e-5, 0.99880278901113533),
]


@pytest.mark.parametrize(("eigenvalues", "distances", "gap", "rate"), EXACT_RATES)
def test_the_best_rate_has_twelve_digits(
    eigenvalues: list[float], distances: list[float], gap: float, rate: float
) -> None:
    known = Spectrum(np.array(eigenvalues), np.eye(len(eigenvalues)), np.array(distances))
    assert best_rate(known, gap)[0] == pytest.approx(rate, rel=1e-12)


def test_the_best_rates_of_lanes_are_those_of_each_lane() -> None:
    random = np.random.default_rng(4)
    eigenvalues = np.sort(10.0 ** random.uniform(-4, 0, (40, 3)))[:, ::-1]
    eigenvalues[::7, 2] = 0.0
    distances = np.where(eigenvalues > 0, random.normal(size=(40, 3)), 0.0)
    gap = 0.5 * np.vecdot(eigenvalues, distances**2) * 10.0 ** random.uniform(-6, 0.5, 40)
    lanes = Spectrum(eigenvalues, np.zeros((40, 3, 3)), distances)
    rates, iterations = best_rate(lanes, gap)
    arrivals = iterations_to(lanes, 0.9 * lanes.largest_stable, gap)
    judged = behaviour(lanes, 0.9 * lanes.largest_stable)
    for i in range(40):
        there = eigenvalues[i] > 0
        alone = Spectrum(eigenvalues[i, there], np.zeros((there.sum(), 3)), distances[i, there])
        assert (pytest.approx(rates[i], rel=1e-11), iterations[i]) == best_rate(alone, gap[i])
        assert arrivals[i] == iterations_to(alone, 0.9 * alone.largest_stable, gap[i])
        assert judged[i] is behaviour(alone, 0.9 * alone.largest_stable)


@pytest.mark.parametrize("optimizer", [GradientDescent(), Momentum(0.8)], ids=["plain", "momentum"])
def test_of_several_rates_each_arrives_when_it_does_alone(optimizer: Optimizer) -> None:
    known = Spectrum(np.array([2.0, 0.3, 1e-3]), np.eye(3), np.array([1.0, -2.0, 0.5]))
    forecast = optimizer.forecast(known, optimizer.init(np.zeros(3)))
    rates = np.array([1e-3, 0.1, 0.7, 0.99, 5.0])
    alone = [forecast.iterations_to(rate, 1e-4) for rate in rates.tolist()]
    assert forecast.iterations_to(rates, 1e-4).tolist() == [-1 if one is None else one for one in alone]
    assert alone[-1] is None
    assert None not in alone[:-1]
    assert forecast.behaviour(rates).tolist() == [forecast.behaviour(rate) for rate in rates.tolist()]
