"""`netspec convert`: a pass on a network, written down again as a spec, and on its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_cli.common import WRONG_SPEC, fail, load_spec, write
from netspec_cli.passes import through

if TYPE_CHECKING:
    from netspec.graph import Graph
    from netspec.passes import Arrays


def convert(
    spec: Annotated[str, typer.Argument(help="A path, or zoo:NAME.")],
    fully_convolutional: Annotated[
        bool,
        typer.Option("--fully-convolutional", help="Dense layers on a flattened map become convolutions."),
    ] = False,
    passes: Annotated[
        list[str] | None, typer.Option("--pass", help="A pass, such as fold-batch-norm or cut=NAME.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Weights of SPEC, as `netspec train` keeps them; OUT.safetensors gets the new spec's."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; stdout without it.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the spec: NAME=VALUE.")
    ] = None,
) -> None:
    """Write a network as a spec again, after passes; its scopes are laid flat, its paddings are numbers.

    With weights, they become those of the new network: the same function, another form.
    """
    from netspec.diagnostics import Problems
    from netspec.language.write import write_spec
    from netspec.loading import graph_of_text

    asked = ["fully-convolutional"] if fully_convolutional else []
    asked += passes or []
    if not asked:
        fail("name a pass: --fully-convolutional, or --pass NAME")
    if weights is not None and out is None:
        fail("weights go to a file beside the new spec: name it by -o NEW.yaml")
    if weights is not None and out is not None:
        beside = out.with_suffix(".safetensors")
        if beside == out or beside.resolve() == weights.resolve():
            fail(f"the new weights would be written over {beside}: give -o another name")
    graph = load_spec(spec, sets)
    changed, carried = through(graph, asked, None if weights is None else _read(weights, graph))
    name = (
        out.stem.replace("-", "_")
        if out is not None
        else f"{graph.name}_{asked[-1].partition('=')[0].replace('-', '_')}"
    )
    text = write_spec(changed, name)
    problems = Problems()
    written = graph_of_text(text, str(out or "the new spec"), problems)
    if written is None:
        fail(
            "the network cannot be written as a spec: " + "; ".join(each.message for each in problems),
            WRONG_SPEC,
        )
    write(text, out)
    if carried is not None and out is not None:
        # The scopes of the new spec are laid flat, so that its weights have other names, in the same order.
        names = zip(changed.weights, written.weights, strict=True)
        _save(out.with_suffix(".safetensors"), {new.name: carried[old.name] for old, new in names})
    elif graph.pretrained:
        files = ", ".join(str(file) for _, file in graph.pretrained)
        typer.echo(f"note: the new spec does not start from {files}: it is one network", err=True)


def _read(path: Path, graph: Graph) -> Arrays:
    from netspec.weights import WeightsError, load

    try:
        return load(path, graph)
    except WeightsError as error:
        fail(str(error))


def _save(path: Path, weights: Arrays) -> None:
    from netspec.weights import save

    try:
        save(path, weights)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}")
    typer.echo(f"wrote {path}", err=True)
