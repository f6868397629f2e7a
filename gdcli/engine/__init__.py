"""Floor 1: the numerics. NumPy only; no files, no tables, no printing."""
