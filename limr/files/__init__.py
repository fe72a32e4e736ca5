"""Atomic writes, the contracts of Parquet files, rows of text files and Parquet, and Markdown tables."""
