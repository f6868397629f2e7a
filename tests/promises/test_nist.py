"""The certified answers of the NIST Statistical Reference Datasets."""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gdcli import fit
from gdcli.fitting.results import Fit

# The least digits of any coefficient that a shifted one-pass QR reaches (shared/reference/README.md, last column).
DIGITS = {
    "norris": 13.3,
    "pontius": 12.4,
    "noint1": 14.7,
    "noint2": 15.0,
    "longley": 13.0,
    "wampler1": 9.2,
    "wampler2": 13.4,
    "wampler3": 9.0,
    "wampler4": 7.5,
    "wampler5": 5.5,
    "filip": 7.9,
}
ALLOWANCE = 0.3


def load(reference: Path, name: str) -> tuple[Path, dict[str, Any]]:
    certificate = json.loads((reference / "nist" / f"{name}.json").read_text())
    return reference / "nist" / (certificate["poly_file"] or certificate["file"]), certificate


def run(path: Path, certificate: dict[str, Any], **options: Any) -> Fit:
    return fit(path, target=certificate["target"], intercept=certificate["intercept"], **options)


def digits(found: float, certified: str) -> float:
    wanted = Decimal(certified)
    error = abs(Decimal(found) - wanted) / (abs(wanted) if wanted else 1)
    return -math.log10(error) if error else 16.0


def optima(result: Fit) -> dict[str, float]:
    found = {c.term: c.optimum for c in result.coefficients}
    if result.intercept is not None:
        found["(intercept)"] = result.intercept.optimum
    return found


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
@pytest.mark.parametrize("name", DIGITS)
def test_the_least_squares_column_has_the_certified_digits(reference: Path, name: str, scale: str) -> None:
    path, certificate = load(reference, name)
    if scale == "minmax" and not certificate["intercept"]:
        scale = "none"
    found = optima(run(path, certificate, scale=scale, iterations=0))
    columns = certificate["coefficient_to_column"]
    least = min(digits(found[columns[b]], value) for b, value in certificate["certified"]["coefficients"].items())
    assert least >= DIGITS[name] - ALLOWANCE


@pytest.mark.parametrize("name", DIGITS)
def test_the_cost_at_the_optimum_is_the_certified_residual_sum(reference: Path, name: str) -> None:
    path, certificate = load(reference, name)
    result = run(path, certificate, iterations=0)
    certified = float(certificate["certified"]["residual_ss"])
    if certified:
        # The powers in filip_poly.csv are rounded to doubles: they have an optimum of their own.
        digits_kept = 1e-7 if name == "filip" else 1e-11
        assert result.optimum.cost * certificate["rows"] == pytest.approx(certified, rel=digits_kept)
    else:
        target = [float(line.split(",")[0]) for line in path.read_text().split()[1:]]
        assert result.optimum.cost <= 1e-20 * sum(y * y for y in target) / len(target)


@pytest.mark.parametrize(
    ("name", "iterations"), [("norris", 100), ("noint1", 100), ("noint2", 100), ("pontius", 3000), ("longley", 100_000)]
)
def test_descent_itself_reaches_the_certified_coefficients_where_it_can(
    reference: Path, name: str, iterations: int
) -> None:
    path, certificate = load(reference, name)
    result = run(path, certificate, learning_rate="auto", iterations=iterations)
    assert result.descent.converged
    found = {c.term: c.value for c in (*result.coefficients, result.intercept) if c is not None}
    for b, value in certificate["certified"]["coefficients"].items():
        assert digits(found[certificate["coefficient_to_column"][b]], value) >= 6


@pytest.mark.parametrize("options", [{}, {"learning_rate": "auto", "iterations": 20_000}, {"scale": "minmax"}])
@pytest.mark.parametrize("name", ["filip", "wampler1", "wampler2", "wampler3", "wampler4", "wampler5"])
def test_a_descent_that_cannot_arrive_does_not_claim_to(reference: Path, name: str, options: dict[str, Any]) -> None:
    path, certificate = load(reference, name)
    assert not run(path, certificate, **options).descent.converged


@pytest.mark.parametrize("name", ["filip", "wampler1", "wampler5", "longley", "pontius"])
def test_powers_of_one_variable_are_not_called_collinear(reference: Path, name: str) -> None:
    path, certificate = load(reference, name)
    assert run(path, certificate, iterations=0).collinear == ()
