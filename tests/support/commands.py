"""Run `limr` inside a test: for its exit status, or for the error that it would print."""

from limr.cli import main


def exit_status(*arguments: object) -> int:
    """The exit status of ``limr ARGUMENTS``."""
    try:
        return main.main([str(argument) for argument in arguments])
    except SystemExit as ended:  # of argparse
        return ended.code


def run_limr(*arguments: object) -> None:
    """Run ``limr ARGUMENTS``, but raise errors instead of printing them."""
    main.run(main.parse([str(argument) for argument in arguments]))
