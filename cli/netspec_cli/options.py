"""Arguments and options of several commands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from netspec_cli.plain import BACKEND, OUT


class Format(StrEnum):
    """How a report is written: for people, or for programs."""

    text = "text"
    json = "json"


# Their help is ASCII, so that every terminal can show it.
Spec = Annotated[str, typer.Argument(metavar="SPEC", help="A path, or zoo:NAME.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the spec. Repeatable."),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="FILE",
        help="The weights in this safetensors FILE; NAME=FILE for an embedded network. Repeatable.",
    ),
]
# A file that cannot be read is refused like every file that netspec did not write, in the words of `marks`.
Out = Annotated[
    Path | None,
    typer.Option(*OUT, metavar="FILE", help="Write to this file instead of stdout.", readable=False),
]
BackendOption = Annotated[
    str,
    typer.Option(*BACKEND, metavar="NAME", help="A backend; `netspec backends` lists them."),
]
Several = Annotated[
    str | None,
    typer.Option(
        "--backends",
        metavar="NAME,NAME",
        help="Backends, separated by commas. Default: all installed ones that can do it.",
    ),
]
Device = Annotated[
    str, typer.Option("--device", metavar="NAME", help="auto, cpu, or a device name of the framework.")
]

Force: TypeAlias = Annotated[
    bool,
    typer.Option("--force", help="Overwrite a file that netspec did not write, or that was edited."),
]
"""The option of every command that writes a file."""
