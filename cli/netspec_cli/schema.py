"""`netspec schema`: the JSON schema of a spec, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import write


def schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; stdout without it.")] = None,
) -> None:
    """Write the JSON schema of a spec."""
    from netspec.language.document import Skeleton

    write(json.dumps(Skeleton.model_json_schema(), indent=2), out)
