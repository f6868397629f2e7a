"""One pass over all rows."""
