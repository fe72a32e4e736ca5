"""Files that are whole or absent, the contracts of their columns, rows of text, and Markdown tables."""
