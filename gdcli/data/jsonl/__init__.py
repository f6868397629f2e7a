"""JSON lines: objects as rows."""
