"""Tables in: streams, formats, columns, the design."""
