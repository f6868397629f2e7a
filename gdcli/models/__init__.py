"""Floor 5: models, and their use."""
