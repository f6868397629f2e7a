"""Every update against the formulas that PyTorch documents, as plain arithmetic on one list of gradients.

Sources, each under "Algorithm": https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html, and the same with
Adagrad, RMSprop and Adam in place of SGD. Names as there: γ the learning rate, μ momentum, α, β₁, β₂, ε; t from 1.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from gdcli.engine.optimizers import OPTIMIZERS, Newton
from gdcli.fitting.choices import OptimizerChoice
from tests.engine.bowls import slope

GRADIENTS = [3.0, -1.0, 0.5, 0.0, 1e-6, -250.0, 2.0, 2.0, 2.0, -1e5, 7.0, 1e-12]
GAMMAS = [0.1, 0.1, 0.05, 0.2, 0.1, 0.1, 0.3, 0.01, 0.1, 0.1, 1e-3, 0.1]


def sgd(mu: float, nesterov: bool) -> Iterator[float]:
    b = 0.0
    for t, (g, gamma) in enumerate(zip(GRADIENTS, GAMMAS, strict=True), 1):
        if mu != 0:
            b = mu * b + g if t > 1 else g
            g = g + mu * b if nesterov else b
        yield -gamma * g


def adagrad(epsilon: float = 1e-10) -> Iterator[float]:
    state_sum = 0.0
    for g, gamma in zip(GRADIENTS, GAMMAS, strict=True):
        state_sum = state_sum + g**2
        yield -gamma * g / (math.sqrt(state_sum) + epsilon)


def rmsprop(alpha: float = 0.99, epsilon: float = 1e-8) -> Iterator[float]:
    v = 0.0
    for g, gamma in zip(GRADIENTS, GAMMAS, strict=True):
        v = alpha * v + (1 - alpha) * g**2
        yield -gamma * g / (math.sqrt(v) + epsilon)


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Iterator[float]:
    m = v = 0.0
    for t, (g, gamma) in enumerate(zip(GRADIENTS, GAMMAS, strict=True), 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        yield -gamma * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + epsilon)


def adamw(decay: float) -> Iterator[float]:
    theta = 0.0
    for update, gamma in zip(adam(), GAMMAS, strict=True):
        before = theta
        theta = theta - gamma * decay * theta
        theta = theta + update
        yield theta - before


def nadam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, psi: float = 0.004) -> Iterator[float]:
    m = v = 0.0
    product = 1.0
    for t, (g, gamma) in enumerate(zip(GRADIENTS, GAMMAS, strict=True), 1):
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
        product *= mu
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        yield -gamma * m_hat / (math.sqrt(v / (1 - beta2**t)) + epsilon)


DOCUMENTED: dict[str, Callable[[], Iterator[float]]] = {
    "gd": lambda: sgd(0.0, False),
    "momentum": lambda: sgd(0.9, False),
    "momentum:0": lambda: sgd(0.0, False),
    "momentum:0.5": lambda: sgd(0.5, False),
    "nesterov": lambda: sgd(0.9, True),
    "nesterov:0": lambda: sgd(0.0, True),
    "nesterov:0.99": lambda: sgd(0.99, True),
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": lambda: adamw(0.01),
    "adamw:0": adam,
    "adamw:0.7": lambda: adamw(0.7),
    "nadam": nadam,
}


def updates(word: str, gradients: np.ndarray) -> np.ndarray:
    """Return the updates for gradients (k, …, p)."""
    optimizer = OptimizerChoice.of(word).on(None, False)
    theta = np.zeros(gradients.shape[1:])
    state = optimizer.init(theta)
    found = []
    for gradient, rate in zip(gradients, GAMMAS, strict=True):
        update, state = optimizer.step(slope(gradient)._replace(theta=theta), state, rate)
        theta = theta + update
        found.append(update)
    return np.array(found)


def test_the_table_has_every_first_order_optimizer() -> None:
    assert {word.partition(":")[0] for word in DOCUMENTED} == set(OPTIMIZERS) - {"newton"}


@pytest.mark.parametrize("word", DOCUMENTED)
def test_updates_are_the_documented_ones(word: str) -> None:
    found = updates(word, np.array(GRADIENTS)[:, np.newaxis])[:, 0]
    np.testing.assert_allclose(found, list(DOCUMENTED[word]()), rtol=1e-13, atol=0)


@pytest.mark.parametrize("word", DOCUMENTED)
def test_every_parameter_of_a_stack_is_on_its_own(word: str) -> None:
    scales = np.array([[1.0, -2.0, 1e-3], [0.0, 1e4, 7.0]])
    stacked = updates(word, np.array(GRADIENTS)[:, np.newaxis, np.newaxis] * scales)
    for i in range(2):
        for j in range(3):
            alone = updates(word, np.array(GRADIENTS)[:, np.newaxis] * scales[i, j])[:, 0]
            np.testing.assert_array_equal(stacked[:, i, j], alone)


@pytest.mark.parametrize("word", DOCUMENTED)
def test_a_state_is_left_as_it_was(word: str) -> None:
    optimizer, gradient = OptimizerChoice.of(word).rule, np.array([1.0, -2.0])
    _, state = optimizer.step(slope(gradient), optimizer.init(np.zeros(2)), 0.1)
    before = [part.copy() for part in state]
    first, _ = optimizer.step(slope(gradient), state, 0.1)
    again, _ = optimizer.step(slope(gradient), state, 0.1)
    np.testing.assert_array_equal(first, again)
    assert all((part == saved).all() for part, saved in zip(state, before, strict=True))
    assert gradient.tolist() == [1.0, -2.0]


@pytest.mark.parametrize("word", DOCUMENTED)
def test_a_state_is_rows_like_theta(word: str) -> None:
    optimizer = OptimizerChoice.of(word).rule
    state = optimizer.init(np.zeros((4, 3)))
    _, after = optimizer.step(slope(np.ones((4, 3))), state, 0.1)
    assert [part.shape for part in state] == [part.shape for part in after] == [(4, 3)] * len(state)
    assert all((part == 0).all() for part in state)


def test_weight_decay_acts_on_the_slopes_and_not_on_the_intercept() -> None:
    theta, rate = np.array([[5.0, 2.0, -3.0]]), 0.1
    point = slope(np.zeros((1, 3)))._replace(theta=theta)
    free, _ = OptimizerChoice.of("adamw:0.5").rule.step(point, (np.zeros((1, 3)),) * 3, rate)
    all_slopes, _ = OptimizerChoice.of("adamw:0.5").on(None, False).step(point, (np.zeros((1, 3)),) * 3, rate)
    np.testing.assert_allclose(free, [[0.0, -0.1, 0.15]], rtol=1e-15)
    np.testing.assert_allclose(all_slopes, [[-0.25, -0.1, 0.15]], rtol=1e-15)


def test_newton_multiplies_the_gradient_by_the_inverse_hessian() -> None:
    hessian, gradient = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([5.0, -1.0])
    optimizer = Newton(newton=lambda point: np.linalg.solve(hessian, point.gradient))
    update, state = optimizer.step(slope(gradient), optimizer.init(np.zeros(2)), 0.5)
    np.testing.assert_allclose(hessian @ update, -0.5 * gradient, rtol=1e-14)
    assert state == ()
    assert optimizer.default_rate == 1.0
