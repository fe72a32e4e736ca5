"""The configuration: its settings, and the checks of them before anything runs."""
