"""The squared error of a wide triangle, which is evaluated by panels, against the formula."""

import numpy as np
import pytest

from gdcli.engine.blas import WIDE
from gdcli.engine.quadratic import Quadratic, SquaredError


@pytest.mark.parametrize("lanes", [(), (3,), (2, 3)])
@pytest.mark.parametrize("shape", ["triangle", "square", "below a triangle", "trapezium"])
@pytest.mark.parametrize("p", [WIDE + 1, 320, 333])
def test_the_cost_and_the_gradient_are_those_of_the_formula(p: int, shape: str, lanes: tuple[int, ...]) -> None:
    random = np.random.default_rng(p)
    r = {"triangle": p, "square": p, "below a triangle": p + 70, "trapezium": 100}[shape]
    R1 = random.normal(size=(r, p))
    if shape != "square":
        R1[:p] = np.triu(R1[:p])
    if shape == "below a triangle":
        R1[p + 1 :] = 0.0
    wide = np.asfortranarray(np.column_stack([R1, np.ones(r)]))[:, :-1] if p == 333 else R1
    z, theta = random.normal(size=r), random.normal(size=(*lanes, p))
    found = SquaredError(Quadratic(wide, z, np.asarray(1.5), np.asarray(40.0)))
    residual = z - theta @ R1.T
    cost = ((residual**2).sum(axis=-1) + 1.5**2) / 40
    point = found.at(theta)
    np.testing.assert_allclose(point.cost, cost, rtol=1e-12)
    np.testing.assert_allclose(found.value(theta), cost, rtol=1e-12)
    np.testing.assert_allclose(point.gradient, -2 / 40 * residual @ R1, rtol=1e-10, atol=1e-10)
    assert point.gradient.shape == theta.shape
    assert np.shape(point.cost) == lanes
