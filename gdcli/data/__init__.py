"""Floor 2: where rows come from and how they become numbers."""
