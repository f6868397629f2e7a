"""Step rules. An optimiser turns a gradient and a learning rate into an update of θ; it knows no data.

``init(θ)`` returns the state, ``step(gradient, state, learning_rate)`` the update and the next state:
θ ← θ + update. States are immutable values, so that a descent can be saved and resumed: a tuple of arrays, each of
θ's shape. All is done number by number, so that θ may be a stack (…, p).

The updates are those that PyTorch documents for ``torch.optim`` (https://docs.pytorch.org/docs/stable/optim.html), with
its defaults; g is the gradient, η the learning rate.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from gdcli.base.errors import UsageError
from gdcli.engine.arrays import Array
from gdcli.engine.forecast import UNKNOWN, Forecast, PlainForecast
from gdcli.engine.momentum import MomentumForecast
from gdcli.engine.recurrence import heavy_ball, nesterov
from gdcli.engine.spectrum import Spectrum

OptimizerState = tuple[Array, ...]

Solve = Callable[[Array], Array]
"""Maps a gradient (…, p) to H⁻¹ · gradient, with the Hessian H where the gradient was taken."""

PLAIN_DESCENT = "gd"

DEFAULT_RATE = 0.01

DEFAULT_BETA = 0.9


class Optimizer(Protocol):
    """A step rule. ``name`` is its word on the command line, ``default_rate`` its learning rate unless one is given.

    ``foreseen`` says whether a forecast knows anything of its rates, ``stochastic`` whether the gradient may be that of
    some rows only.
    """

    name: str
    default_rate: float
    foreseen: bool
    stochastic: bool

    def init(self, theta: Array) -> OptimizerState:
        """Return the state before the first step."""
        ...

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        """Return the update to add to θ, and the state after it."""
        ...

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        """Return what can be said of its rates on a squared error, for a descent that starts with this state."""
        ...


class GradientDescent:
    """θ ← θ − η·g."""

    name = PLAIN_DESCENT
    default_rate = DEFAULT_RATE
    foreseen = True
    stochastic = True

    def init(self, theta: Array) -> OptimizerState:
        return ()

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        return -learning_rate * gradient, state

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return PlainForecast(spectrum)


class Momentum:
    """Heavy ball: b ← β·b + g;  θ ← θ − η·b.

    torch.optim.SGD(momentum=β), without dampening (B. T. Polyak, Some methods of speeding up the convergence of
    iteration methods, 1964).
    """

    name = "momentum"
    default_rate = DEFAULT_RATE
    foreseen = True
    stochastic = True

    def __init__(self, beta: float = DEFAULT_BETA) -> None:
        self.beta = beta

    def init(self, theta: Array) -> OptimizerState:
        return (np.zeros_like(theta),)

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        (b,) = state
        b = self.beta * b + gradient
        return -learning_rate * b, (b,)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return MomentumForecast(heavy_ball(self.beta), spectrum, spectrum.vectors @ state[0])


class Nesterov:
    """b ← β·b + g;  θ ← θ − η·(g + β·b).

    torch.optim.SGD(momentum=β, nesterov=True): θ is the point that looks ahead, where the gradient is taken (Sutskever,
    Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, ICML 2013).
    """

    name = "nesterov"
    default_rate = DEFAULT_RATE
    foreseen = True
    stochastic = True

    def __init__(self, beta: float = DEFAULT_BETA) -> None:
        self.beta = beta

    def init(self, theta: Array) -> OptimizerState:
        return (np.zeros_like(theta),)

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        (b,) = state
        b = self.beta * b + gradient
        return -learning_rate * (gradient + self.beta * b), (b,)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return MomentumForecast(nesterov(self.beta), spectrum, spectrum.vectors @ state[0])


class Adagrad:
    """s ← s + g²;  θ ← θ − η·g/(√s + ε).

    torch.optim.Adagrad, without decay (Duchi, Hazan & Singer, Adaptive subgradient methods, JMLR 12, 2011).
    """

    name = "adagrad"
    default_rate = DEFAULT_RATE
    foreseen = False
    stochastic = True
    epsilon = 1e-10

    def init(self, theta: Array) -> OptimizerState:
        return (np.zeros_like(theta),)

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        (s,) = state
        s = s + gradient**2
        return -learning_rate * gradient / (np.sqrt(s) + self.epsilon), (s,)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return UNKNOWN


class RMSprop:
    """v ← α·v + (1 − α)·g²;  θ ← θ − η·g/(√v + ε).

    torch.optim.RMSprop, neither centred nor with momentum (Hinton, Neural networks for machine learning, lecture 6).
    """

    name = "rmsprop"
    default_rate = DEFAULT_RATE
    foreseen = False
    stochastic = True
    alpha, epsilon = 0.99, 1e-8

    def init(self, theta: Array) -> OptimizerState:
        return (np.zeros_like(theta),)

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        (v,) = state
        v = self.alpha * v + (1.0 - self.alpha) * gradient**2
        return -learning_rate * gradient / (np.sqrt(v) + self.epsilon), (v,)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return UNKNOWN


class Adam:
    """m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  θ ← θ − η·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    torch.optim.Adam, without weight decay (Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015). t, the
    number of the step, is part of the memory, in each of its places.
    """

    name = "adam"
    default_rate = DEFAULT_RATE
    foreseen = False
    stochastic = True
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def init(self, theta: Array) -> OptimizerState:
        return np.zeros_like(theta), np.zeros_like(theta), np.zeros_like(theta)

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        m, v, t = state
        t = t + 1.0
        m = self.beta1 * m + (1.0 - self.beta1) * gradient
        v = self.beta2 * v + (1.0 - self.beta2) * gradient**2
        mean, square = m / (1.0 - self.beta1**t), v / (1.0 - self.beta2**t)
        return -learning_rate * mean / (np.sqrt(square) + self.epsilon), (m, v, t)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return UNKNOWN


class Newton:
    """θ ← θ − η·H⁻¹·g: at rate 1 the minimum of a squared error, in one step.

    Along every eigenvector the distance to the optimum shrinks by 1 − η: plain descent where all eigenvalues are 1.
    """

    name = "newton"
    default_rate = 1.0
    foreseen = True
    stochastic = False

    def __init__(self, solve: Solve | None = None) -> None:
        self.solve = solve

    def init(self, theta: Array) -> OptimizerState:
        return ()

    def step(
        self, gradient: Array, state: OptimizerState, learning_rate: Array | float
    ) -> tuple[Array, OptimizerState]:
        assert self.solve is not None, "Newton's method needs the Hessian"
        return -learning_rate * self.solve(gradient), state

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return PlainForecast(spectrum.whitened)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    PLAIN_DESCENT: GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "newton": Newton,
}

# Those whose updates lead downhill, whatever their state, so that a shorter one always lowers the cost.
SEARCHED = (PLAIN_DESCENT, "newton")

# Those that take a parameter, and how the help writes it.
PARAMETERS = {"momentum": "BETA", "nesterov": "BETA"}


def parse_optimizer(word: str) -> tuple[str, tuple[float, ...]]:
    """Return the name and the parameters of ``name`` or ``name:parameter``. Raises UsageError for any other word."""
    name, colon, text = word.partition(":")
    if name not in OPTIMIZERS:
        raise UsageError(f"there is no optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
    if not colon:
        return name, (DEFAULT_BETA,) if name in PARAMETERS else ()
    if name not in PARAMETERS:
        raise UsageError(f"the optimizer {name} takes no parameter, so leave out ':{text}'")
    try:
        beta = float(text)
    except ValueError:
        beta = math.nan
    if not 0.0 <= beta < 1.0:
        raise UsageError(f"{name}:BETA takes a number from 0 to below 1, such as {name}:{DEFAULT_BETA}, not {text!r}")
    return name, (beta,)


def optimizer_of(word: str, solve: Solve | None = None) -> Optimizer:
    """Return the optimiser that a word asks for; ``solve`` is the Hessian's inverse, for the one that needs it."""
    name, parameters = parse_optimizer(word)
    optimizer = OPTIMIZERS[name](*parameters)
    return Newton(solve) if isinstance(optimizer, Newton) else optimizer
