"""Rival: pandas, then scikit-learn's StandardScaler and SGDRegressor for so many epochs: `sgd_epochs.py FILE EPOCHS`.

Each of its steps sees one row, in compiled code. The target is divided by its standard deviation, as in gdfit.
"""

import json
import sys

import pandas as pd
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler

path, epochs = sys.argv[1:]
frame = pd.read_csv(path).drop(columns="sold")
y = frame.pop("price")
y_scale = y.std()

scaler = StandardScaler()
model = SGDRegressor(max_iter=int(epochs), tol=None, random_state=0).fit(scaler.fit_transform(frame), y / y_scale)

m = model.coef_ * y_scale / scaler.scale_
c = model.intercept_[0] * y_scale - m @ scaler.mean_
print(json.dumps({"intercept": float(c), "coefficients": dict(zip(frame.columns, m.tolist(), strict=True))}))
