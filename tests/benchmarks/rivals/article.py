"""Rival: the article's function, on one unscaled column, in pandas.

It runs 3 iterations, and adds as "calculated_seconds" what the other 997 of 1000 would have taken.
"""

import json
import sys
import time

import pandas as pd

ITERATIONS, OF = 3, 1000


def linear_regression(X, y, m=0.0, c=0.0, iterations=1000, lr=0.01):
    N = len(y)
    for _ in range(iterations):
        y_current = m * X + c
        cost = ((y - y_current) ** 2).sum() / N
        m_gradient = -(2 / N) * (X * (y - y_current)).sum()
        c_gradient = -(2 / N) * (y - y_current).sum()
        m = m - lr * m_gradient
        c = c - lr * c_gradient
    return m, c, cost


path, column = sys.argv[1:]
frame = pd.read_csv(path)

start = time.perf_counter()
m, c, cost = linear_regression(frame[column], frame["price"], iterations=ITERATIONS)
seconds = time.perf_counter() - start

calculated = seconds / ITERATIONS * (OF - ITERATIONS)
print(json.dumps({"intercept": c, "coefficients": {column: m}, "calculated_seconds": calculated}))
