"""Floor 2: tables in: streams, formats, columns, the design."""
