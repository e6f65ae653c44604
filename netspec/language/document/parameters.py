"""What a parameter of a spec can be set to, from a command or from a recipe file."""

from __future__ import annotations

from netspec.types import LIMIT


class ParameterError(Exception):
    """A parameter that the spec does not have was set, or a parameter was set to an impossible value."""


def check_value(name: str, value: object) -> None:
    """Refuse what a parameter cannot be.

    Raises:
        ParameterError: the value is not one that a parameter can have.
    """
    parts = value if isinstance(value, list | tuple) else [value]
    for part in parts:
        if isinstance(part, list | tuple):
            check_value(name, list(part))
        elif not isinstance(part, int | float | str) or part != part or part in (float("inf"), float("-inf")):
            raise ParameterError(
                f"the parameter {name!r} takes a finite number, a boolean, a word or a list of them"
            )
        elif isinstance(part, int) and abs(part) >= LIMIT:
            raise ParameterError(f"the parameter {name!r} takes a whole number below 2⁶³")


__all__ = ["ParameterError", "check_value"]
