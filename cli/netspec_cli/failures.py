"""Messages and exit codes for errors: 1 if the spec is wrong, 2 if the command is wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from netspec_cli.exits import WRONG_COMMAND, WRONG_SPEC

if TYPE_CHECKING:
    from netspec.backend import Unavailable


def told(error: BaseException) -> tuple[str, int] | None:
    """The message of an error for the user, and the exit code; None if it is a bug in netspec."""
    from netspec.backend import Unavailable, Unsupported
    from netspec.diagnostics import SpecError
    from netspec.loading import ParameterError

    if isinstance(error, SpecError):
        return str(error), WRONG_SPEC
    if isinstance(error, Unsupported):
        return f"netspec: {error}", WRONG_SPEC
    if isinstance(error, Unavailable):
        return f"netspec: {lacking(error)}", WRONG_COMMAND
    if isinstance(error, ParameterError):
        return f"netspec: {error}", WRONG_COMMAND
    if isinstance(error, OSError):
        return f"netspec: {_sentence(error)}", WRONG_COMMAND
    lacks = _lacks(error)
    if lacks is not None:
        return "netspec: not enough memory" + (f": {lacks}" if lacks else ""), WRONG_COMMAND
    return None


def _lacks(error: BaseException) -> str | None:
    """What an error says of memory that ran out; None also if the backends cannot be asked."""
    from netspec.backend import shortage

    try:
        return shortage(error)
    except Exception:  # the error to report is the other one
        return None


def lacking(error: Unavailable) -> str:
    """What is missing, and how to install it."""
    return str(error) + (f"\n  fix: {error.fix}" if error.fix else "")


def _sentence(error: OSError) -> str:
    """The file, if the error names one, and the reason of the system."""
    why = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return why
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes | os.PathLike) else error.filename
    return f"{name}: {why}"
