"""Floor 0: modules that every floor may use. They import the standard library only."""
