"""From scores to a subset, and from a subset to the file that a trainer reads."""
