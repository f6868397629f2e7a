"""Floor 1: the numerics; NumPy alone."""
