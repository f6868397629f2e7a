"""Rival: pandas, then scikit-learn's StandardScaler and SGDRegressor with their defaults.

`sgd_regressor.py FILE scale-target` divides the target by its standard deviation, too. SGDRegressor's stopping
rule is absolute (tol=1e-3 on the loss), so that it then stops after a few epochs instead of some thirty.
"""

import json
import sys

import pandas as pd
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler

path, *options = sys.argv[1:]
frame = pd.read_csv(path)
y = frame.pop("price")
y_scale = y.std() if options == ["scale-target"] else 1.0

scaler = StandardScaler()
model = SGDRegressor(random_state=0).fit(scaler.fit_transform(frame), y / y_scale)

m = model.coef_ * y_scale / scaler.scale_
c = model.intercept_[0] * y_scale - m @ scaler.mean_
print(json.dumps({"intercept": float(c), "coefficients": dict(zip(frame.columns, m.tolist(), strict=True))}))
