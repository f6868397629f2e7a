"""The picture of README.md, drawn from the sample data: ``python tests/picture.py`` (``make picture``).

On the left the line after some iterations beside the points, on the right the cost after each iteration.
"""

from pathlib import Path

import pandas as pd

from gdcli import fit

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "gdcli" / "cli" / "topics" / "descent.svg"

ITERATIONS = 20
LABELED = (0, 1, 2, 4, 8, 20)
WIDTH, HEIGHT = 860, 340
# The plots' areas in pixels: left, right; both from TOP to BOTTOM.
LEFT, RIGHT, TOP, BOTTOM = (80, 500), (600, 840), 40, 290
SQFT, PRICE, COST = 4000, 800_000, 80e9
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#777777"


def place(area: tuple[int, int], x: float, y: float) -> tuple[float, float]:
    """The pixels of a point of the unit square in an area."""
    return area[0] + x * (area[1] - area[0]), BOTTOM - y * (BOTTOM - TOP)


def text(x: float, y: float, words: str, anchor: str = "start", color: str = GREY) -> str:
    """Words at a place."""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}">{words}</text>'


def axes(area: tuple[int, int], title: str, across: list[tuple[float, str]], up: list[tuple[float, str]]) -> list[str]:
    """Title, ticks and grid of a plot."""
    parts = [text(area[0], TOP - 18, title, color="black")]
    for y, words in up:
        _, pixel = place(area, 0, y)
        parts.append(f'<path d="M{area[0]} {pixel:.0f}H{area[1]}" stroke="{GREY}" stroke-opacity=".3"/>')
        parts.append(text(area[0] - 6, pixel + 4, words, "end"))
    parts += [text(place(area, x, 0)[0], BOTTOM + 18, words, "middle") for x, words in across]
    return parts


def draw() -> str:
    """The picture as SVG, with its words as text."""
    rows = pd.read_csv(ROOT / "sample_data" / "housing.csv")
    result = fit(rows, target="price", features=["sqft"], learning_rate=0.1, iterations=ITERATIONS)
    trace = [(row.intercept, row.slopes[0], row.cost) for row in result.trace]
    parts = axes(
        LEFT, "price = m · sqft + c, after iterations 0, 1, 2, 4, 8, 20",
        [(x / SQFT, f"{x:,}") for x in range(1000, SQFT + 1, 1000)],
        [(y / PRICE, f"{y:,}") for y in range(0, PRICE + 1, 200_000)],
    )  # fmt: skip
    points = [place(LEFT, x / SQFT, y / PRICE) for x, y in zip(rows["sqft"], rows["price"], strict=True)]
    dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in points if x <= LEFT[1] and y >= TOP)
    parts.append(f'<path d="{dots}" stroke="{GREY}" stroke-opacity=".45" stroke-width="4" stroke-linecap="round"/>')
    for k in LABELED:
        intercept, slope, _ = trace[k]
        x, y = place(LEFT, 1, (intercept + slope * SQFT) / PRICE)
        x0, y0 = place(LEFT, 0, intercept / PRICE)
        parts.append(f'<path d="M{x0:.1f} {y0:.1f}L{x:.1f} {y:.1f}" stroke="{BLUE}" stroke-width="2"/>')
        parts.append(text(x + 6, y + 4 - (8 if k == LABELED[-1] else 0), str(k), color=BLUE))
    parts += axes(
        RIGHT, "cost after each iteration", [(k / ITERATIONS, str(k)) for k in range(0, ITERATIONS + 1, 5)],
        [(y * 1e9 / COST, f"{y}e9" if y else "0") for y in range(0, 81, 20)],
    )  # fmt: skip
    steps = [place(RIGHT, k / ITERATIONS, cost / COST) for k, (_, _, cost) in enumerate(trace)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in steps)
    marks = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in steps)
    _, lowest = place(RIGHT, 0, result.optimum.cost / COST)
    parts.append(f'<path d="M{path}" stroke="{BLUE}"/>')
    parts.append(f'<path d="{marks}" stroke="{BLUE}" stroke-width="6" stroke-linecap="round"/>')
    parts.append(f'<path d="M{RIGHT[0]} {lowest:.1f}H{RIGHT[1]}" stroke="{VERMILION}" stroke-dasharray="5 4"/>')
    parts.append(text(RIGHT[1], lowest - 10, "the exact minimum", "end", VERMILION))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" font-size="13" '
        f'font-family="sans-serif">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
