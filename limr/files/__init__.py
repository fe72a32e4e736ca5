"""Files that are whole or absent, what must be in them, and how they are shown."""
