"""The ``limr`` command: one file per subcommand, and the arguments that several of them share."""
