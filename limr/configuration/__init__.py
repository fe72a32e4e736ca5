"""The settings of a configuration, and the checks of these settings before anything runs."""
