"""pandas.read_csv and numpy.linalg.lstsq."""

import json
import sys

import numpy as np
import pandas as pd

data = pd.read_csv(sys.argv[1])
y = data.pop("y").to_numpy()
intercept, *slopes = np.linalg.lstsq(np.column_stack([np.ones(len(data)), data.to_numpy()]), y)[0].tolist()
print(json.dumps({"intercept": intercept, "coefficients": dict(zip(data.columns, slopes, strict=True))}))
