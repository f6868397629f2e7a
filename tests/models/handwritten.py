"""Model files written by hand."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

WORDS = ("", "NA", "NaN", "nan", "null")


def model_content(
    slopes: Mapping[str, float | Mapping[str, float]],
    intercept: float | None = 1.5,
    target: str = "price",
    words: Sequence[str] = WORDS,
) -> dict[str, Any]:
    """Return what a model file holds; a text column has an effect for each level, and 0.0 is the reference's."""
    terms: list[dict[str, Any]] = []
    levels = {}
    for name, slope in slopes.items():
        if isinstance(slope, Mapping):
            levels[name] = list(slope)
            terms += [{"column": name, "level": level, "coefficient": m} for level, m in slope.items() if m != 0.0]
        else:
            terms.append({"column": name, "level": None, "coefficient": slope})
    p = len(terms)
    return {
        "schema": "gdfit.model/1",
        "version": "0.1.0",
        "files": ["train.csv"],
        "target": target,
        "loss": "squared",
        "intercept": intercept,
        "terms": terms,
        "levels": levels,
        "reference_levels": {},
        "left_out": [],
        "missing": {"policy": "drop", "words": list(words)},
        "weights": None,
        "rows": {"read": 9, "used": 9, "dropped": 0, "dropped_by_column": {}},
        "cost": 1.0,
        "rmse": 1.0,
        "r2": 0.5,
        "optimum": {"cost": 1.0, "gap": 0.0, "relative_gap": 0.0},
        "descent": {
            "optimizer": "gd", "learning_rate": 0.01, "iterations": 9, "scale": "none", "tolerance": None,
            "converged": True, "stopped": "iterations",
        },
        "state": {
            "iteration": 9,
            "theta": [0.0] * (p + (intercept is not None)),
            "center": [0.0] * p,
            "scale": [1.0] * p,
            "target_scale": 1.0,
            "optimizer": [],
        },
    }  # fmt: skip


@pytest.fixture
def model_file(tmp_path: Path) -> Callable[..., str]:
    """Write a model (see ``model_content``) and return its path."""

    def write(slopes: Mapping[str, float | Mapping[str, float]], name: str = "model.json", **settings: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(model_content(slopes, **settings)), encoding="utf-8")
        return str(path)

    return write
