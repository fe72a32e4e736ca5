"""The configuration: what may be in it, checked before anything runs."""
