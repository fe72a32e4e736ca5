"""Score methods, one a file; each is known by being here."""
