"""Lanes over the same rows: several problems and several points of each, in one look at the rows."""

from typing import Any

import numpy as np
import pytest

from gdcli.engine.descent import Step, after, as_scheduled, descend
from gdcli.engine.line_search import Backtracking
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.engine.losses.huber import Huber
from gdcli.engine.losses.logistic import Logistic
from gdcli.engine.newton import newton_step
from gdcli.engine.optimizers import OPTIMIZERS
from gdcli.engine.penalty import UNPENALIZED, Penalty, penalized_curved, side_by_side_penalty
from gdcli.engine.row_objective import RowObjective
from gdcli.engine.row_sums import LOSS_SLICE_ROWS, Role, RowBlock, RowSums

# Blocks, of which one is fitted by all problems and another by none.
ROLES = np.array([[1, 1, 1], [2, 1, 1], [1, 2, 0], [1, 1, 2], [0, 0, 0]], np.int8)
P, SCALES = 4, np.array([1.0, 1.7, 0.6])


def made(loss: str) -> Loss:
    return LOSSES[loss](*({"huber": [0.8], "quantile": [0.3]}.get(loss, [])))


def blocks(loss: Loss, weighted: bool) -> list[RowBlock]:
    random = np.random.default_rng(11)
    found = []
    for n, roles in zip((3000, 40, LOSS_SLICE_ROWS + 5, 700, 90), ROLES, strict=True):
        found.append(
            RowBlock(
                X=random.normal(size=(n, 5)),
                y=(random.random(n) < 0.4) + (0.5 if loss.domain is Domain.POSITIVE else 0.0),
                weights=random.uniform(0.5, 2.0, n) if weighted else None,
                offset=random.normal(size=(3, P)) * 0.2,
                terms=np.array([0, 1, 3, 1]),
                places=np.array([2, 0, 4, 1]),
                factor=random.uniform(0.5, 1.5, (3, 4)),
                roles=roles,
            )
        )
    return found


def objective(loss: Loss, weighted: bool, problems: list[int], jobs: int = 1) -> RowObjective:
    """That of some of the problems, side by side."""
    own = [
        RowBlock(b.X, b.y, b.weights, b.offset[problems], b.terms, b.places, b.factor[problems], b.roles[problems])
        for b in blocks(loss, weighted)
    ]
    sizes = np.array([len(b.y) if b.weights is None else b.weights.sum() for b in own])
    fitted, judged = (sizes @ (ROLES[:, problems] == role) for role in (Role.FITTED, Role.JUDGED))
    sums = RowSums(own, loss, True, SCALES[problems], jobs)
    return RowObjective([sums], fitted, judged, SCALES[problems], loss.degree)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_each_lane_is_its_problem_alone(loss: str, weighted: bool) -> None:
    theta = np.random.default_rng(3).normal(size=(2, 3, 1 + P)) * 0.4
    together = objective(made(loss), weighted, [0, 1, 2], jobs=2)
    point, judged, value = together.at(theta), together.judged(theta), together.value(theta)
    for j in range(3):
        for i, alone in enumerate(objective(made(loss), weighted, [j]) for _ in range(2)):
            expected = alone.at(theta[i, j])
            assert point.cost[i, j] == value[i, j] == pytest.approx(float(expected.cost), rel=1e-13)
            np.testing.assert_allclose(point.gradient[i, j], expected.gradient, rtol=1e-12, atol=1e-14)
            assert judged[i, j] == pytest.approx(float(alone.judged(theta[i, j])), rel=1e-13)
            for above in (False, True):
                found = together.hessian(theta, above)[i, j]
                np.testing.assert_allclose(found, alone.hessian(theta[i, j], above), rtol=1e-11, atol=1e-14)


WAYS = ["gd", "momentum:0.8", "adam", "adamw", "nadam", "newton", "search"]


def steps_of(rows: RowObjective, way: str, start: np.ndarray, rates: Any, penalty: Penalty) -> list[Step]:
    curved = penalized_curved(rows, penalty)
    name, _, parameter = ("gd" if way == "search" else way).partition(":")
    nothing = np.zeros((0, 1 + P))
    optimizer = OPTIMIZERS[name](
        *([float(parameter)] if parameter else []), newton=lambda point: newton_step(curved, point, nothing)
    )
    search = Backtracking(curved, optimizer, penalty) if way == "search" else as_scheduled
    schedule = lambda k: rates  # noqa: E731
    return list(descend(curved, optimizer, schedule, start, (after(6),), proximal=penalty.proximal, search=search))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loss", ["logistic", "huber", "poisson"])
def test_each_lane_descends_as_it_does_alone(loss: str, way: str) -> None:
    lasso = 0.02 if way in ("gd", "search") else 0.0
    penalties = [UNPENALIZED, Penalty(0.1, lasso)]
    # From far away Newton's steps have to be halved, in some lanes only.
    start = np.random.default_rng(4).normal(size=(2, 3, 1 + P)) * (2.0 if way == "newton" else 0.3)
    rates = np.array([1.0, 0.4])[:, np.newaxis, np.newaxis] * (1.0 if way in ("newton", "search") else 0.2)
    together = objective(made(loss), False, [0, 1, 2])
    found = steps_of(together, way, start, rates, side_by_side_penalty(penalties))
    for j in range(3):
        rows = objective(made(loss), False, [j])
        for i in range(2):
            for step, own in zip(found, steps_of(rows, way, start[i, j], rates[i, 0], penalties[i]), strict=True):
                np.testing.assert_allclose(step.theta[i, j], own.theta, rtol=1e-8, atol=1e-11)
                assert step.cost[i, j] == pytest.approx(float(own.cost), rel=1e-12)


class Counted(Logistic):
    """A loss that counts the predictions it is asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[int] = []

    def total_and_slope(
        self, z: np.ndarray, y: np.ndarray, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        self.looks.append(z.size)
        return super().total_and_slope(z, y, weights)


def test_lanes_that_are_known_already_or_have_left_the_numbers_cost_nothing() -> None:
    loss = Counted()
    rows = objective(loss, False, [0])
    n = sum(len(block.y) for block, own in zip(blocks(loss, False), ROLES[:, 0], strict=True) if own)
    theta = np.random.default_rng(5).normal(size=(4, 1 + P))
    theta[1], theta[3, 2] = theta[0], np.inf
    cost, judged = rows.at(theta).cost, rows.judged(theta)
    assert sum(loss.looks) == 2 * n
    assert cost[0] == cost[1]
    assert np.isnan([cost[3], judged[3]]).all()
    loss.looks.clear()
    theta[2] += 0.1
    rows.value(theta)
    assert sum(loss.looks) == n


def test_a_direction_along_which_a_lane_is_no_number_is_none() -> None:
    rows = objective(Huber(0.8), False, [0])
    theta = np.array([np.zeros(1 + P), np.full(1 + P, np.nan)])
    step = newton_step(rows, rows.at(theta), np.zeros((0, 1 + P)))
    assert np.isfinite(step).all()
    assert not step[1].any()
    assert step[0].any()
