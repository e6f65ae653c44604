"""The common settings of all typer commands, and the words for option values in their help."""

from __future__ import annotations

from typing import Any

import typer
import typer.main

STYLE: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def formed(part: typer.Typer) -> Any:
    """The command, or group of commands, whose help shows `SPEC`, `NUMBER` or `text|json` and not Python types."""
    command = typer.main.get_command(part)
    for each in [command, *getattr(command, "commands", {}).values()]:
        for parameter in each.params:
            word = _word(parameter)
            parameter.display_type_rich = lambda ctx, word=word: word
    return command


def _word(parameter: Any) -> str:
    """The word after the name of an option in the help; an argument shows only its own name."""
    if parameter.param_type_name == "argument":
        return "..." if parameter.nargs == -1 else ""
    if parameter.metavar:
        return str(parameter.metavar)
    described = parameter.type_descriptor
    if described.is_choice:
        return "|".join(getattr(each, "value", str(each)) for each in described.choices)
    return "NUMBER"
