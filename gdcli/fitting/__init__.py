"""Floor 4: from a dataset to results."""
