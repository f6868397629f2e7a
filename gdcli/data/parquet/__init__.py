"""Parquet files as sources of rows."""
