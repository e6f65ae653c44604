"""`netspec schema`: the JSON schema of a spec, so that an editor completes and checks one as it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from netspec_cli.common import Force, may_write, write


def schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; stdout without it.")] = None,
    force: Force = False,
) -> None:
    """Write the JSON schema of a spec, for editors.

    With the YAML extension of an editor, start a spec with: # yaml-language-server: $schema=netspec.schema.json
    """
    from netspec.schema import schema as made

    if out is not None:
        may_write([out], (), force)
    write(json.dumps(made(), indent=2, ensure_ascii=False) + "\n", out, "json")
