"""Every pair of options works, or the table of rules has a sentence about it: for a fit, for groups and for a sweep."""

from collections.abc import Callable, Collection, Iterator, Mapping
from io import StringIO
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.api import run_fit, run_groups
from gdcli.base.errors import UsageError
from gdcli.base.listener import Listener
from gdcli.fitting.options import FitOptions
from gdcli.fitting.sweep import run_group_sweeps, run_sweep


def _lines() -> str:
    random = np.random.default_rng(0)
    lines = ["y,e,n,a,b,t,w,g"]
    for i in range(48):
        a, b = random.normal(size=2)
        cell = "" if i % 13 == 5 else f"{b:.4f}"
        e, n = int(random.uniform() < 1 / (1 + np.exp(-a))), int(random.poisson(np.exp(a / 2)))
        lines.append(
            f"{a - b + random.normal():.4f},{e},{n},{a:.4f},{cell},{'pq'[i % 3 == 0]},{i % 4 + 1},{'uv'[i % 2]}"
        )
    return "\n".join(lines) + "\n"


LINES = _lines()

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--lr auto": {"learning_rate": "auto"},
    "--lr search": {"learning_rate": "search"},
    "--lr 0.1 --lr 0.2": {"learning_rate": (0.1, 0.2)},
    "--optimizer momentum": {"optimizer": "momentum"},
    "--optimizer adam": {"optimizer": "adam"},
    "--optimizer newton": {"optimizer": "newton"},
    "--schedule inverse:0.1": {"schedule": "inverse:0.1"},
    "--loss huber": {"loss": "huber"},
    "--loss logistic": {"loss": "logistic", "target": "e"},
    "--loss poisson": {"loss": "poisson", "target": "n"},
    "--loss quantile:0.5": {"loss": "quantile:0.5"},
    "--l2 0.1": {"l2": (0.1,)},
    "--l1 0.1": {"l1": (0.1,)},
    "--l2 0.1 --l2 1": {"l2": (0.1, 1.0)},
    "--cv 3": {"cv": 3},
    "--holdout 0.3": {"holdout": 0.3},
    "--test": {"test": pd.read_csv(StringIO(LINES))},
    "--inference": {"inference": True},
    "--scale minmax": {"scale": "minmax"},
    "--no-intercept": {"intercept": False},
    "--weights w": {"weights": "w"},
    "--missing mean": {"missing": "mean"},
    "--batch-size 8": {"batch_size": 8},
    "--tol 0.1": {"tolerance": 0.1},
    "--start a=1": {"start": {"a": 1.0}},
    "--explain": {"explain": True},
    "--every 2": {"every": 2},
    "--plot": {"picture": True},
    "--memory 1M": {"memory": 1_000_000},
}

# A sweep has no others.
OF_A_SWEEP = (
    "--optimizer momentum", "--optimizer adam", "--optimizer newton", "--schedule inverse:0.1", "--loss huber",
    "--loss logistic", "--loss poisson", "--loss quantile:0.5", "--l2 0.1", "--l1 0.1", "--cv 3", "--scale minmax",
    "--no-intercept", "--weights w", "--missing mean", "--start a=1", "--memory 1M",
)  # fmt: skip

ORDER = list(OPTIONS)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(StringIO(LINES))


def works(run: Callable[[FitOptions], object], *names: str, **more: Any) -> bool:
    """Whether the options go together; if they do, they have run. Otherwise a sentence names one of them."""
    values: dict[str, Any] = {"target": "y", "features": ("a", "b", "t"), "iterations": 2} | more
    for name in names:
        values |= OPTIONS[name]
    try:
        options = FitOptions.of(**values)
    except UsageError as error:
        refusal = str(error)
    else:
        run(options)
        return True
    assert any(flag in refusal for flag in ("--lr", *(name.split()[0] for name in names))), refusal
    return False


def refused(*names: str, **more: Any) -> bool:
    """Whether a rule is against the options together; the sentence names one of them."""
    return not works(lambda options: None, *names, **more)


MOST = 5


def sets_with_every_pair(options: Collection[str], **more: Any) -> Iterator[tuple[str, ...]]:
    """Sets of a few options that go together, so that each two that do are in one: a run of each tries all pairs."""
    left = {pair for pair in combinations(options, 2) if not refused(*pair, **more)}
    while left:
        chosen = min(left, key=lambda pair: [*map(ORDER.index, pair)])
        while len(chosen) < MOST:
            others = {name: sum(pair in left for pair in pairs_with(name, chosen)) for name in options}
            fitting = (name for name in sorted(others, key=others.__getitem__, reverse=True) if others[name])
            new = next((name for name in fitting if name not in chosen and not refused(*chosen, name, **more)), None)
            if new is None:
                break
            chosen = (*chosen, new)
        yield chosen
        left -= set(combinations(sorted(chosen, key=ORDER.index), 2))


def pairs_with(name: str, chosen: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(sorted((name, other), key=ORDER.index)) for other in chosen]


def test_every_pair_of_options_of_a_fit_works_or_is_refused_by_a_rule(table: pd.DataFrame) -> None:
    for names in sets_with_every_pair(OPTIONS):
        assert works(lambda options: run_fit([table], options), *names)


def test_every_pair_of_options_of_a_fit_works_by_group_as_without(table: pd.DataFrame) -> None:
    alone = {name for name in OPTIONS if not works(lambda options: run_groups([table], options), name, by=("g",))}
    assert alone == {"--l2 0.1 --l2 1", "--lr 0.1 --lr 0.2"}  # without --cv to choose by
    assert [pair for pair in combinations(OPTIONS, 2) if refused(*pair) != refused(*pair, by=("g",))] == []
    for names in sets_with_every_pair(OPTIONS, by=("g",)):
        assert works(lambda options: run_groups([table], options), *names, by=("g",))


@pytest.mark.parametrize("by", [(), ("g",)], ids=["all rows", "by group"])
def test_every_pair_of_options_of_a_sweep_works_or_is_refused_by_a_rule(
    table: pd.DataFrame, by: tuple[str, ...]
) -> None:
    def run(options: FitOptions) -> None:
        if by:
            run_group_sweeps([table], options, (0.01, 0.1), Listener())
        else:
            run_sweep([table], options, (0.01, 0.1))

    for names in sets_with_every_pair(OF_A_SWEEP, by=by):
        assert works(run, *names, by=by)
    pairs = list(combinations(OF_A_SWEEP, 2))
    assert sum(not refused(*pair, by=by) for pair in pairs) > 0.8 * len(pairs)
