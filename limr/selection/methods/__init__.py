"""Score methods, one per file. ``limr.selection.method`` imports every file in this folder."""
