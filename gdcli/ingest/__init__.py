"""Floor 3: one pass over all rows."""
