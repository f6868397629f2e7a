"""Tables whose folds are hard: levels, missing cells, weights, several files, many blocks."""

from collections.abc import Callable

import numpy as np
import pytest

from gdcli.fitting.results import TraceRow, TraceShape


@pytest.fixture
def noisy(csv_file: Callable[..., str]) -> Callable[..., str]:
    """Write a table of some rows, of which a descent soon fits the noise: eight columns that mean nothing."""

    def write(
        name: str = "data.csv", rows: int = 60, seed: int = 1, missing: bool = True, weighted: bool = True
    ) -> str:
        random = np.random.default_rng(seed)
        extra = [f"n{i}" for i in range(8)]
        lines = [",".join(["x", "kind", *extra, "w", "y"])]
        for _ in range(rows):
            x, kind = 1000 + float(random.normal()) * 3, random.choice(["a", "b", "c"], p=[0.5, 0.4, 0.1])
            y = 2 * (x - 1000) + 3.0 * (kind == "b") + float(random.normal()) * 4 + 50
            cells = [
                repr(x),
                kind,
                *(repr(v) for v in random.normal(size=8).tolist()),
                str(random.choice([0, 0.5, 1, 2])),
                repr(y),
            ]
            if not weighted:
                cells[-2] = "1"
            if missing and random.random() < 0.1:
                cells[random.integers(0, 10)] = random.choice(["", "NA"])
            lines.append(",".join(cells))
        return csv_file("\n".join(lines) + "\n", name)

    return write


class Everything:
    """A recorder of all iterations."""

    def __init__(self) -> None:
        self.shape: TraceShape | None = None
        self.rows: list[TraceRow] = []

    def begin(self, shape: TraceShape) -> None:
        self.shape = shape

    def wants(self, iteration: int) -> bool:
        return True

    def record(self, row: TraceRow) -> None:
        self.rows.append(row)


@pytest.fixture
def everything() -> Everything:
    return Everything()
