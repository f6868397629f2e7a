"""Ten models with terms over the sample data, fitted by statsmodels: coefficients, standard errors, predictions.

Run by a Python that has statsmodels 0.14, pandas and patsy, it writes ``tests/reference/statsmodels_terms.json``:

    python tests/oracles/statsmodels_terms.py
"""

import json
from pathlib import Path

TESTS = Path(__file__).parents[1]
SAMPLE = TESTS.parent / "sample_data"

# A file, patsy's formula, and the options of gdfit that mean the same.
MODELS = [
    ("housing.csv", "np.log(price) ~ np.log(sqft) + beds", ["-t", "log(price)", "-x", "log(sqft)", "-x", "beds"]),
    ("housing.csv", "price ~ sqft + I(sqft**2) + baths", ["-t", "price", "-x", "sqft", "-x", "sqft^2", "-x", "baths"]),
    ("housing.csv", "price ~ beds*baths", ["-t", "price", "-x", "beds*baths"]),
    ("housing.csv", "np.log(price) ~ C(type)*np.log(sqft)", ["-t", "log(price)", "-x", "type*log(sqft)"]),
    ("housing.csv", "price ~ C(beds) + sqft", ["-t", "price", "-x", "C(beds)", "-x", "sqft"]),
    ("housing.csv", "np.sqrt(price) ~ I(sqft/beds) + np.log10(sqft)",
     ["-t", "sqrt(price)", "-x", "sqft/beds", "-x", "log10(sqft)"]),
    ("penguins.csv", "body_mass_g ~ species*sex", ["-t", "body_mass_g", "-x", "species*sex"]),
    ("penguins.csv", "body_mass_g ~ species + species:flipper_length_mm",
     ["-t", "body_mass_g", "-x", "species", "-x", "species:flipper_length_mm"]),
    ("penguins.csv", "np.log(body_mass_g) ~ np.log(flipper_length_mm) + I(bill_length_mm*bill_depth_mm) + C(year)",
     ["-t", "log(body_mass_g)", "-x", "log(flipper_length_mm)", "-x", "bill_length_mm:bill_depth_mm", "-x", "C(year)"]),
    ("penguins.csv", "bill_length_mm ~ species*bill_depth_mm + np.exp(-bill_depth_mm/10) - 1",
     ["-t", "bill_length_mm", "--no-intercept", "-x", "species*bill_depth_mm", "-x", "exp(-bill_depth_mm/10)"]),
]  # fmt: skip


def fitted() -> list[dict[str, object]]:
    """What statsmodels finds."""
    import numpy as np  # noqa: F401 (the formulas use it)
    import pandas as pd
    import statsmodels.formula.api as smf

    found = []
    for file, formula, _ in MODELS:
        frame = pd.read_csv(SAMPLE / file)
        fit = smf.ols(formula, frame).fit()
        found.append(
            {
                "formula": formula,
                "coefficients": dict(fit.params),
                "errors": dict(fit.bse),
                "predictions": fit.predict(frame.head(20)).tolist(),
            }
        )
    return found


if __name__ == "__main__":
    text = json.dumps(fitted(), indent=1).replace("NaN", "null")
    (TESTS / "reference" / "statsmodels_terms.json").write_text(text + "\n", encoding="utf-8")
