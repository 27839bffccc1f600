"""The command line: parse, call the library, print."""

from refpix.cli.commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Runs the command line and exits."""
    app(prog_name="refpix")
