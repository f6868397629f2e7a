"""Floor 4: reads results, never computes them. Words, tables and machine formats for a ``Fit``."""
