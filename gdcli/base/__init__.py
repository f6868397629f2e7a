"""Floor 0: what every floor may use; the standard library alone."""
