"""Rival: pandas, then a plain NumPy loop of gradient descent on the mean squared error.

Scaled as gdfit does: columns minus mean, over standard deviation (n-1); the target over its own, not centred.
"""

import json
import sys

import pandas as pd

ITERATIONS, LEARNING_RATE = 1000, 0.01

frame = pd.read_csv(sys.argv[1])
y = frame.pop("price").to_numpy()
X = frame.to_numpy()
N = len(y)

mean, sd, y_sd = X.mean(axis=0), X.std(axis=0, ddof=1), y.std(ddof=1)
X = (X - mean) / sd
y = y / y_sd

m, c = 0.0 * mean, 0.0
costs = []
for _ in range(ITERATIONS):
    error = y - (X @ m + c)
    costs.append(error @ error / N)
    m = m + LEARNING_RATE * 2 / N * (error @ X)
    c = c + LEARNING_RATE * 2 / N * error.sum()

m = m * y_sd / sd
c = c * y_sd - m @ mean
print(json.dumps({"intercept": float(c), "coefficients": dict(zip(frame.columns, m.tolist(), strict=True))}))
