"""From scores to the file that a trainer reads."""
