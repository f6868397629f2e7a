"""CSV text: dialects, blocks, the fast and the exact parser."""
