"""The certified standard deviations, R², residual deviations and F of the NIST Statistical Reference Datasets."""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gdcli import fit
from gdcli.fitting.results import Fit

DIGITS = 8
NEARLY_ZERO = 1e-6
# Filip's powers are collinear to the limits of double precision; the coefficients' own test says how far it comes.
NAMES = ("norris", "pontius", "noint1", "noint2", "longley", "wampler1", "wampler2", "wampler3", "wampler4", "wampler5")


def load(reference: Path, name: str) -> tuple[Fit, dict[str, Any], dict[str, str]]:
    certificate = json.loads((reference / "nist" / f"{name}.json").read_text())
    path = reference / "nist" / (certificate["poly_file"] or certificate["file"])
    result = fit(path, target=certificate["target"], intercept=certificate["intercept"], inference=True, iterations=0)
    return result, certificate["certified"], certificate["coefficient_to_column"]


def agrees(found: float | None, certified: str) -> bool:
    wanted = Decimal(certified)
    assert found is not None
    error = abs(Decimal(found) - wanted)
    if not wanted:
        return error <= NEARLY_ZERO
    return not error or -math.log10(error / abs(wanted)) >= DIGITS


@pytest.mark.parametrize("name", NAMES)
def test_standard_deviations_of_the_coefficients_have_eight_certified_digits(reference: Path, name: str) -> None:
    result, certified, columns = load(reference, name)
    rows = [*result.coefficients, *([] if result.intercept is None else [result.intercept])]
    found = {row.term: row.certainty for row in rows}
    assert len(found) == len(certified["standard_deviations"])
    for b, deviation in certified["standard_deviations"].items():
        certainty = found[columns[b]]
        assert certainty is not None
        assert agrees(certainty.std_error, deviation), b


@pytest.mark.parametrize("name", NAMES)
def test_residual_deviation_r2_and_degrees_of_freedom_have_eight_certified_digits(reference: Path, name: str) -> None:
    result, certified, _ = load(reference, name)
    assert result.inference is not None
    assert agrees(result.inference.residual_sd, certified["residual_standard_deviation"])
    assert agrees(result.inference.r2, certified["r_squared"])
    assert result.inference.degrees_of_freedom == certified["residual_df"]


@pytest.mark.parametrize("name", NAMES)
def test_f_has_eight_certified_digits_where_there_is_a_residual(reference: Path, name: str) -> None:
    result, certified, _ = load(reference, name)
    assert result.inference is not None
    if float(certified["residual_standard_deviation"]):
        assert agrees(result.inference.f, certified["f_statistic"])
    else:
        assert result.inference.f is None


def test_even_on_filip_the_whole_fit_has_its_digits(reference: Path) -> None:
    result, certified, _ = load(reference, "filip")
    assert result.inference is not None
    assert result.inference.residual_sd == pytest.approx(float(certified["residual_standard_deviation"]), rel=1e-6)
    assert result.inference.r2 == pytest.approx(float(certified["r_squared"]), rel=1e-8)
