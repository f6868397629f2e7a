"""Step rules. An optimizer turns a point and a learning rate into an update of θ; it knows no data.

``init(θ)`` gives the state, ``step(point, state, rate)`` the update and the next state: θ ← θ + update. States are
immutable values, so that a descent can be saved and resumed: a tuple of arrays, each of θ's shape. All is done number
by number, so that θ may be a stack (…, p).

The updates are those that PyTorch documents for ``torch.optim`` (https://docs.pytorch.org/docs/stable/optim.html), with
its defaults except for the rate; g is the gradient, η the learning rate, t the number of the step from 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import ClassVar

import numpy as np

from gdcli.base.errors import UsageError
from gdcli.engine.arrays import Array
from gdcli.engine.catalog import unknown
from gdcli.engine.forecast import UNKNOWN, Forecast, PlainForecast
from gdcli.engine.objective import Point
from gdcli.engine.parameter import Parameter
from gdcli.engine.spectrum import Spectrum

OptimizerState = tuple[Array, ...]

NewtonDirection = Callable[[Point], Array]
"""Maps a point to H⁻¹ · gradient (…, p), with the Hessian H there."""

PLAIN_DESCENT = "gd"

DEFAULT_BETA = 0.9


class OptimizerKind(Enum):
    """What an update depends on; what an optimizer can be combined with follows from it."""

    GRADIENT = "−η times the gradient"
    MOMENTUM = "a fixed linear function of all gradients so far"
    ADAPTIVE = "gradients, divided by the size of earlier ones"
    SECOND_ORDER = "the gradient and the Hessian"

    @property
    def has_forecast(self) -> bool:
        """Whether a squared error's spectrum tells stable rates and iteration counts."""
        return self is not OptimizerKind.ADAPTIVE

    @property
    def memoryless(self) -> bool:
        """Whether an update depends on the point alone, and so leads downhill: a line search always finds a rate.

        At a constant rate each distance to the optimum of a squared error is multiplied by 1 − η·λ.
        """
        return self in (OptimizerKind.GRADIENT, OptimizerKind.SECOND_ORDER)

    @property
    def stochastic(self) -> bool:
        """Whether the gradient may be that of a batch of rows."""
        return self is not OptimizerKind.SECOND_ORDER

    @property
    def proximal(self) -> bool:
        """Whether soft thresholding after each update (l1) leads to the minimum; its threshold η·B suits −η·g only."""
        return self is OptimizerKind.GRADIENT


class Optimizer(ABC):
    """A step rule: ``name`` is its word, ``parameters`` the numbers behind it, whose ``values`` it is made with.

    ``memories`` is the number of arrays in its state, all zero at first. ``newton`` is the direction of Newton's method
    on the problem; ``intercept`` says whether θ begins with one, which no weight decay acts on.
    """

    name: ClassVar[str]
    kind: ClassVar[OptimizerKind]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    default_rate: ClassVar[float] = 0.01
    memories: ClassVar[int] = 0

    def __init__(self, *values: float, newton: NewtonDirection | None = None, intercept: bool = True) -> None:
        self.values = values or tuple(parameter.default for parameter in self.parameters)
        self.newton, self.intercept = newton, intercept

    def init(self, theta: Array) -> OptimizerState:
        """The state before the first step."""
        return tuple(np.zeros_like(theta) for _ in range(self.memories))

    @abstractmethod
    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        """The update to add to θ, and the state after it."""

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        """The forecast of this optimizer's rates on a squared error, for a descent that starts with ``state``."""
        return UNKNOWN


class GradientDescent(Optimizer):
    """θ ← θ − η·g."""

    name = PLAIN_DESCENT
    kind = OptimizerKind.GRADIENT

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        return -rate * point.gradient, state

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return PlainForecast(spectrum)


_BETA = Parameter("BETA", "a number from 0 to below 1", lambda beta: 0.0 <= beta < 1.0, DEFAULT_BETA)


class Momentum(Optimizer):
    """Heavy ball: b ← β·b + g;  θ ← θ − η·b.

    torch.optim.SGD(momentum=β), without dampening (B. T. Polyak, Some methods of speeding up the convergence of
    iteration methods, 1964).
    """

    name = "momentum"
    kind = OptimizerKind.MOMENTUM
    parameters = (_BETA,)
    memories = 1

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        (b,), (beta,) = state, self.values
        b = beta * b + point.gradient
        return -rate * b, (b,)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        from gdcli.engine.momentum import MomentumForecast
        from gdcli.engine.recurrence import heavy_ball

        return MomentumForecast(heavy_ball(*self.values), spectrum, np.matvec(spectrum.vectors, state[0]))


class Nesterov(Optimizer):
    """b ← β·b + g;  θ ← θ − η·(g + β·b).

    torch.optim.SGD(momentum=β, nesterov=True): θ is the point that looks ahead, where the gradient is taken (Sutskever,
    Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, ICML 2013).
    """

    name = "nesterov"
    kind = OptimizerKind.MOMENTUM
    parameters = (_BETA,)
    memories = 1

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        (b,), (beta,) = state, self.values
        b = beta * b + point.gradient
        return -rate * (point.gradient + beta * b), (b,)

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        from gdcli.engine.momentum import MomentumForecast
        from gdcli.engine.recurrence import nesterov

        return MomentumForecast(nesterov(*self.values), spectrum, np.matvec(spectrum.vectors, state[0]))


class Adagrad(Optimizer):
    """s ← s + g²;  θ ← θ − η·g/(√s + ε).

    torch.optim.Adagrad, without decay (Duchi, Hazan & Singer, Adaptive subgradient methods, JMLR 12, 2011).
    """

    name = "adagrad"
    kind = OptimizerKind.ADAPTIVE
    memories = 1
    epsilon = 1e-10

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        (s,) = state
        s = s + point.gradient**2
        return -rate * point.gradient / (np.sqrt(s) + self.epsilon), (s,)


class RMSprop(Optimizer):
    """v ← α·v + (1 − α)·g²;  θ ← θ − η·g/(√v + ε).

    torch.optim.RMSprop, neither centred nor with momentum (Hinton, Neural networks for machine learning, lecture 6).
    """

    name = "rmsprop"
    kind = OptimizerKind.ADAPTIVE
    memories = 1
    alpha, epsilon = 0.99, 1e-8

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        (v,) = state
        v = self.alpha * v + (1.0 - self.alpha) * point.gradient**2
        return -rate * point.gradient / (np.sqrt(v) + self.epsilon), (v,)


class Adam(Optimizer):
    """m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  θ ← θ − η·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    torch.optim.Adam, without weight decay (Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015). t is
    part of the state, in each of its places.
    """

    name = "adam"
    kind = OptimizerKind.ADAPTIVE
    memories = 3
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        m, v, t = state
        t = t + 1.0
        m = self.beta1 * m + (1.0 - self.beta1) * point.gradient
        v = self.beta2 * v + (1.0 - self.beta2) * point.gradient**2
        mean, square = m / (1.0 - self.beta1**t), v / (1.0 - self.beta2**t)
        return -rate * mean / (np.sqrt(square) + self.epsilon), (m, v, t)


_WEIGHT_DECAY = Parameter("DECAY", "a number of 0 or more", lambda decay: decay >= 0.0, 0.01)


class AdamW(Adam):
    """Adam's update with decoupled weight decay of the slopes: θ ← θ − η·λ·θ − η·m̂/(√v̂ + ε). The intercept is free.

    torch.optim.AdamW (Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019). If it
    converges on all rows, at rates with an infinite sum, then to the minimum among slopes within ±1/λ (Xie & Li,
    Implicit bias of AdamW, ICML 2024).
    """

    name = "adamw"
    parameters = (_WEIGHT_DECAY,)

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        update, state = super().step(point, state, rate)
        (decay,) = self.values
        decayed = rate * decay * point.theta
        if self.intercept:
            decayed[..., 0] = 0.0
        return update - decayed, state


class Nadam(Optimizer):
    """Adam with Nesterov's look ahead: m̂ = μₜ₊₁·m/(1 − μ₁⋯μₜ₊₁) + (1 − μₜ)·g/(1 − μ₁⋯μₜ), μₜ = β₁(1 − ½·0.96^(ψt)).

    torch.optim.NAdam (Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016). The state has m, v, t and
    1 − μ₁⋯μₜ.
    """

    name = "nadam"
    kind = OptimizerKind.ADAPTIVE
    memories = 4
    beta1, beta2, epsilon, psi = 0.9, 0.999, 1e-8, 0.004

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        m, v, t, share = state
        t = t + 1.0
        mu, mu_next = (self.beta1 * (1.0 - 0.5 * 0.96 ** (self.psi * k)) for k in (t, t + 1.0))
        share = 1.0 - mu * (1.0 - share)
        share_next = 1.0 - mu_next * (1.0 - share)
        m = self.beta1 * m + (1.0 - self.beta1) * point.gradient
        v = self.beta2 * v + (1.0 - self.beta2) * point.gradient**2
        mean = mu_next * m / share_next + (1.0 - mu) * point.gradient / share
        return -rate * mean / (np.sqrt(v / (1.0 - self.beta2**t)) + self.epsilon), (m, v, t, share)


class Newton(Optimizer):
    """θ ← θ − η·H⁻¹·g: at rate 1 the minimum of a squared error, in one step.

    Along every eigenvector the distance to the optimum shrinks by 1 − η: plain descent where all eigenvalues are 1.
    """

    name = "newton"
    kind = OptimizerKind.SECOND_ORDER
    default_rate = 1.0

    def step(self, point: Point, state: OptimizerState, rate: Array | float) -> tuple[Array, OptimizerState]:
        assert self.newton is not None, "Newton's method needs the Hessian"
        return -rate * self.newton(point), state

    def forecast(self, spectrum: Spectrum, state: OptimizerState) -> Forecast:
        return PlainForecast(spectrum.whitened)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    PLAIN_DESCENT: GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "newton": Newton,
}


def optimizers_that(able: Callable[[OptimizerKind], bool]) -> list[str]:
    """The names of the optimizers for whose kind ``able(kind)`` is true."""
    return [name for name, optimizer in OPTIMIZERS.items() if able(optimizer.kind)]


def parse_optimizer(word: str) -> tuple[str, tuple[float, ...]]:
    """The optimizer's name and its parameters, from ``name`` or ``name:parameter``. Raises UsageError for others."""
    name, colon, text = word.partition(":")
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name)
    wanted = OPTIMIZERS[name].parameters
    if colon and not wanted:
        raise UsageError(f"the optimizer {name} takes no parameter, so leave out ':{text}'")
    values = [parameter.default for parameter in wanted]
    for i, given in enumerate(text.split(":", len(wanted) - 1) if colon else []):
        try:
            values[i] = wanted[i].read(given)
        except ValueError:
            form, usual = f"{name}:{wanted[i].name}", f"{name}:{wanted[i].default:g}"
            raise UsageError(f"{form} takes {wanted[i].wanted}, such as {usual}, not {given!r}") from None
    return name, tuple(values)
