"""The `limr` command."""
