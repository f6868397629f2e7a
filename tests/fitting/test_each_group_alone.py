"""Each group's fit is the fit of its rows alone, whatever is asked of the fits.

The other fit has a weight of 0 for the rows of the other groups, so that folds and batches are those of the group.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from gdcli import fit
from gdcli.api import run_fit, run_groups
from gdcli.base.errors import UsageError
from gdcli.fitting.options import FitOptions

DESCENTS: list[Mapping[str, Any]] = [
    {},
    {"learning_rate": "auto"},
    {"learning_rate": "search"},
    {"optimizer": "momentum:0.8", "learning_rate": "auto"},
    {"optimizer": "adam", "learning_rate": 0.1},
    {"optimizer": "newton"},
    {"schedule": "inverse:0.01", "learning_rate": 0.1},
    {"tolerance": 1e-3, "learning_rate": 0.1},
    {"start": {"a": 3.0, "c": 1.0}},
]

MODELS: list[Mapping[str, Any]] = [
    {},
    {"l2": (0.1,)},
    {"l2": (0.1, 1.0), "cv": 3},
    {"inference": True},
    {"cv": 4},
    {"holdout": 0.3},
    {"loss": "huber:1"},
    {"loss": "huber:1", "cv": 3},
    {"loss": "logistic", "target": "e"},
    {"loss": "poisson", "target": "n", "l2": (0.01,)},
    {"scale": "minmax"},
    {"intercept": False},
    {"missing": "mean"},
]


def written(seed: int, groups: int) -> list[dict[str, Any]]:
    """Rows of groups g: y, an event e and a count n from a, b (with gaps) and a text t."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(60 * groups):
        g, (a, b) = i % groups, random.normal(size=2)
        t = "pqr"[int(random.integers(0, 3))]
        z = 0.5 * a - 0.4 * (g + 1) * b + "pqr".index(t) / 3
        e, n = int(random.uniform() < 1 / (1 + np.exp(-z))), int(random.poisson(np.exp(z / 2)))
        y = z + random.normal()
        gap = random.uniform() < 0.1
        rows.append({"y": y, "e": e, "n": n, "a": 100 + a, "b": "" if gap else b, "t": t, "g": f"g{g}"})
    return rows


def as_csv(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    return "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]) + "\n"


@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1000),
    groups=st.integers(1, 3),
    model=st.sampled_from(MODELS),
    descent=st.sampled_from(DESCENTS),
)
def test_a_group_is_fitted_as_if_its_rows_were_all(
    csv_file: Callable[..., str], seed: int, groups: int, model: Mapping[str, Any], descent: Mapping[str, Any]
) -> None:
    rows = written(seed, groups)
    options = {"target": "y", "features": ("a", "b", "t"), "iterations": 30} | {**model} | {**descent}
    try:
        asked = FitOptions.of(**options, by=("g",))
    except UsageError:
        reject()  # what makes no sense has a sentence of its own
    # Where rounding decides, a line search doubles or not.
    near = 1e-6 if options.get("learning_rate") == "search" else 1e-12
    together = run_groups([csv_file(as_csv(rows), "all.csv")], asked)
    for i, (key,) in enumerate(together.groups):
        weighted = [row | {"w": int(row["g"] == key)} for row in rows]
        alone = fit(csv_file(as_csv(weighted), "one.csv"), **options, weights="w")
        assert together.iterations[i] == alone.descent.iterations
        assert together.rate[i] == pytest.approx(alone.learning_rate.given, rel=near)
        found = dict(zip([term.label for term in together.terms], together.slopes[i].tolist(), strict=True))
        assert {one.term: one.value for one in alone.coefficients} == pytest.approx(
            {term: found[term] for term in found}, rel=near, abs=near
        )
        assert together.cost[i] == pytest.approx(alone.cost, rel=near)
        if together.fits:
            own = together.fits[i]
            assert own is not None
            if alone.cross_validation is not None:
                assert own.cross_validation is not None
                assert own.cross_validation.costs == pytest.approx(alone.cross_validation.costs, rel=near)
                assert own.cross_validation.rows == alone.cross_validation.rows
                assert (own.penalty and own.penalty.l2) == (alone.penalty and alone.penalty.l2)
            if alone.holdout is not None:
                assert own.holdout is not None
                assert own.holdout.cost == pytest.approx(alone.holdout.cost, rel=near)
            if alone.inference is not None:
                assert own.inference is not None
                assert own.inference.residual_sd == pytest.approx(alone.inference.residual_sd, rel=near)


TESTED: list[Mapping[str, Any]] = [
    {},
    {"patience": 2},
    {"loss": "huber"},
    {"loss": "logistic", "target": "e", "learning_rate": "auto"},
    {"missing": "mean", "loss": "quantile:0.3"},
    {"batch_size": 16, "epochs": 3, "iterations": 1000},
    {"l1": (0.05,), "scale": "minmax"},
]


@pytest.mark.parametrize("options", TESTED, ids=str)
def test_each_group_is_tested_on_its_rows_of_another_file_as_if_there_were_no_other_group(
    options: Mapping[str, Any],
) -> None:
    rows, others = written(7, 2), written(8, 2)[:50]
    values = {"target": "y", "features": ("a", "b", "t"), "iterations": 12, "learning_rate": 0.1, **options}
    found = run_groups([pd.DataFrame(rows)], FitOptions.of(**values, by=("g",), test=pd.DataFrame(others)))
    for (g,), group in zip(found.groups, found.fits, strict=True):
        own, test = (pd.DataFrame([row for row in table if row["g"] == g]) for table in (rows, others))
        alone = run_fit([own], FitOptions.of(**values, test=test))
        assert group is not None
        assert [c.value for c in group.coefficients] == pytest.approx([c.value for c in alone.coefficients], rel=1e-9)
        assert group.holdout is not None
        assert alone.holdout is not None
        complete = len(test) if "missing" in values else int((test["b"] != "").sum())
        assert group.holdout.rows == alone.holdout.rows == complete
        assert group.holdout.best_iteration == alone.holdout.best_iteration
        assert group.holdout.cost == pytest.approx(alone.holdout.cost, rel=1e-9)
