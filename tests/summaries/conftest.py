"""Tables to summarize: a column far from zero, a text column, weights, missing cells."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def table(csv_file: Callable[..., str]) -> Callable[..., str]:
    """Write a table; parts of it differ in their levels and in the means of their columns."""

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
