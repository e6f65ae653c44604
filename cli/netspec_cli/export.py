"""`netspec export`: writes a trained network as a folder that needs no netspec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netspec import files
from netspec_cli.common import fail, note, put
from netspec_cli.opening import Backend, Run, Trained, failing, run_of


def export(
    run: Run,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The folder to write: new or empty.")
    ],
    weights: Trained = None,
    backend: Backend = None,
) -> None:
    """Write a trained network for use without netspec: source, weights, predict.py, README.md.

    predict.py needs only the framework, NumPy and Pillow, and gives the numbers of `netspec predict`. Each installed
    backend that writes a file with the weights (`netspec backends` says: file) adds its file to the folder.
    """
    from netspec.backend import Exports, usable
    from netspec.export.folder import contents

    if files.exists(out) and (not files.is_folder(out) or any(out.iterdir())):
        fail(f"{out} is not an empty folder; name a new one")
    with failing():
        opened, chosen = run_of(run, weights)
        engine = usable([backend or opened.backend], Exports)[0]
        found = contents(opened, chosen, engine, note)
    put({out / name: content for name, content in found.items()})
