"""Make the benchmarks' data: `data.py houses-1000000.csv` writes a million rows of it.

The name says what to make: a kind (see KINDS) and the number of rows. The same name gives the same bytes, and
a longer file begins with the shorter one, because each chunk of rows has its own seed. `houses-1000000.csv.gz` is made
of the plain file.

price = base + Σ effect · (column − mean) / sd + noise. sqft, beds and baths go together, so that 1000 iterations
do not quite reach the optimum, and an iterative rival has to agree on the path, not only on its end.
"""

import gzip
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

DISTRICTS, PARISHES = 10_000, 100_000
CHUNK = 50_000  # rows formatted at a time: 6 MB of text
WIDE, WIDE_CHUNK = 2_000, 500
BASE, NOISE = 350_000.0, 60_000.0  # mean price, and the standard deviation that no column explains

# column: mean, standard deviation, effect on the price of one standard deviation
HOUSES = {
    "sqft": (1_800.0, 450.0, 60_000.0),
    "beds": (3.2, 0.8, -15_000.0),
    "baths": (2.1, 0.6, 20_000.0),
    "year": (1_985.0, 18.0, 25_000.0),
    "latitude": (48.14, 0.06, -30_000.0),
    "longitude": (11.57, 0.1, -20_000.0),
    "acres": (0.25, 0.05, 18_000.0),
    "tax_rate": (0.011, 0.002, -15_000.0),
    "distance": (5.5, 1.1, -40_000.0),
    "income": (52_000.0, 14_000.0, 35_000.0),
}


def houses(rows: int) -> Iterator[str]:
    """A header, then `rows` rows of the ten columns and the price, each number with six decimals."""
    yield ",".join(["price", *HOUSES]) + "\n"
    mean, sd, effect = np.array(list(HOUSES.values())).T
    line = ",".join(["%.6f"] * (1 + len(HOUSES))) + "\n"
    for first in range(0, rows, CHUNK):
        random = np.random.default_rng([20, first])
        z = random.standard_normal((CHUNK, len(HOUSES)))
        z[:, 1:3] = 0.9 * z[:, :1] + np.sqrt(1 - 0.9**2) * z[:, 1:3]
        price = BASE + z @ effect + NOISE * random.standard_normal(CHUNK)
        table = np.column_stack([price, mean + sd * z])[: rows - first]
        yield "".join(map(line.__mod__, map(tuple, table.tolist())))


def wide(rows: int) -> Iterator[str]:
    """A header, then `rows` rows of a target and 2,000 columns that have nothing to do with each other."""
    yield ",".join(["y", *(f"x{i}" for i in range(WIDE))]) + "\n"
    effect = np.random.default_rng(21).standard_normal(WIDE)
    line = ",".join(["%.6f"] * (1 + WIDE)) + "\n"
    for first in range(0, rows, WIDE_CHUNK):
        random = np.random.default_rng([21, first])
        X = random.standard_normal((WIDE_CHUNK, WIDE))
        y = 5 + X @ effect + random.standard_normal(WIDE_CHUNK)
        table = np.column_stack([y, X])[: rows - first]
        yield "".join(map(line.__mod__, map(tuple, table.tolist())))


def districts(rows: int) -> Iterator[str]:
    """The same houses, each in one of 10,000 districts, in no order: a column of texts at the end."""
    return _in_groups(rows, "district", DISTRICTS)


def parishes(rows: int) -> Iterator[str]:
    """The same houses, each in one of 100,000 parishes. Of a million, more than half have too few for a fit."""
    return _in_groups(rows, "parish", PARISHES)


def _in_groups(rows: int, kind: str, groups: int) -> Iterator[str]:
    lines, width = houses(rows), len(f"{groups - 1}")
    yield next(lines).rstrip("\n") + f",{kind}\n"
    for first, text in zip(range(0, rows, CHUNK), lines, strict=True):
        group = np.random.default_rng([21, first]).integers(0, groups, CHUNK)
        chunk = zip(text.splitlines(), group.tolist(), strict=False)
        yield "".join(f"{line},{kind[0]}{number:0{width}}\n" for line, number in chunk)


def sales(rows: int) -> Iterator[str]:
    """The same houses, and at the end whether each was sold: the more likely the lower its price, among much else."""
    lines = houses(rows)
    yield next(lines).rstrip("\n") + ",sold\n"
    for first, text in zip(range(0, rows, CHUNK), lines, strict=True):
        chance = np.random.default_rng([22, first]).random(CHUNK)
        for line, draw in zip(text.splitlines(), chance.tolist(), strict=False):
            z = (BASE - float(line.partition(",")[0])) / 100_000.0
            yield f"{line},{int(draw < 1 / (1 + np.exp(-z)))}\n"


KINDS = {"houses": houses, "wide": wide, "districts": districts, "parishes": parishes, "sales": sales}


def main(path: Path) -> None:
    unfinished = path.with_suffix(".part")
    if path.suffix == ".gz":
        with path.with_suffix("").open("rb") as plain, gzip.open(unfinished, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
        unfinished.rename(path)
        return
    kind, rows = path.stem.split("-")
    with unfinished.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(KINDS[kind](int(rows)))
    unfinished.rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
