"""Floor 6: words, tables and pictures of results; computes nothing."""
