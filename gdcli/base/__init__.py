"""Modules that every floor may use. They import the standard library only."""
