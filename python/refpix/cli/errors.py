"""Errors as one line on stderr and an exit code, not as a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from refpix.errors import RefpixError

__all__ = ["BAD_INPUT", "FOUND_FAULTS", "one_line_errors", "show_tracebacks"]

P = ParamSpec("P")
R = TypeVar("R")

#: Exit code: the command ran, and what it looked at is at fault.
FOUND_FAULTS = 1
#: Exit code: the command could not run; also that of a wrong command line.
BAD_INPUT = 2

_EXPECTED = (RefpixError, OSError, ValueError, IndexError, MemoryError)
_tracebacks = False


def show_tracebacks(wanted: bool) -> None:
    """Whether errors come with their traceback, for the command that runs next."""
    global _tracebacks
    _tracebacks = wanted


def one_line_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Wraps a command: expected errors are printed as one line, with exit code 2."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            raise
        except _EXPECTED as error:
            if _tracebacks:
                raise
            typer.echo(f"refpix: {_line(error)}", err=True)
            raise typer.Exit(BAD_INPUT) from error

    return wrapped


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
