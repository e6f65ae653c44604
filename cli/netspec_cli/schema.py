"""`netspec schema`: writes the JSON schema of a spec, with which an editor completes and checks specs."""

from __future__ import annotations

import json

from netspec_cli.common import may_write, text_name, write
from netspec_cli.options import Force, Out


def schema(
    out: Out = None,
    force: Force = False,
) -> None:
    """Write the JSON schema of a spec, for editors.

    An editor with a YAML extension uses it when a spec starts with this line:

    # yaml-language-server: $schema=netspec.schema.json
    """
    from netspec.schema import schema as made

    if out is not None:
        may_write([out], (), force)
        text_name(out, "the schema", ".json")
    write(json.dumps(made(), indent=2, ensure_ascii=False) + "\n", out, "json")
