"""Tables that are hard to read and to fit: columns far from zero, levels, missing cells, weights."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def table(csv_file: Callable[..., str]) -> Callable[..., str]:
    """Write a table: a column far from zero, a text column, weights, missing cells; levels and means differ by seed."""

    def write(
        name: str = "data.csv",
        rows: int = 50,
        seed: int = 1,
        levels: str = "abc",
        missing: bool = False,
        shift: float = 0,
    ) -> str:
        random = np.random.default_rng(seed)
        lines = ["when,size,kind,w,price"]
        for i in range(rows):
            when, size = (
                1_700_000_000 + shift + int(random.integers(0, 10**6)),
                float(random.normal()) * 5 + shift / 1e6,
            )
            kind = levels[i % len(levels)]
            price = 3 * size + ord(kind) + (when - 1.7e9) / 1e5 + float(random.normal())
            cells = [str(when), repr(size), kind, str(random.choice([0, 0.5, 1, 2])), repr(price)]
            if missing and random.random() < 0.15:
                cells[random.integers(0, 3)] = random.choice(["", "NA"])
            lines.append(",".join(cells))
        return csv_file("\n".join(lines) + "\n", name)

    return write


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
