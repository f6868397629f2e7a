"""Floor 5: what fits leave behind."""
