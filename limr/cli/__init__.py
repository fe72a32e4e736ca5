"""The ``limr`` command: one subcommand a file."""
