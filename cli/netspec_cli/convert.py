"""`netspec convert`: writes a network, optionally after passes, as a spec again, and its weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_cli.common import fail, load_with_sources, may_write, note, put, text_name
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.options import Force, Out, Sets, Spec
from netspec_cli.passes import through
from netspec_cli.streams import hand_over

if TYPE_CHECKING:
    from netspec.graph import Graph
    from netspec.passes import Arrays


def convert(
    spec: Spec,
    fully_convolutional: Annotated[
        bool,
        typer.Option("--fully-convolutional", help="Dense layers on a flattened map become convolutions."),
    ] = False,
    passes: Annotated[
        list[str] | None,
        typer.Option(
            "--pass", metavar="PASS", help="A pass, such as fold-batch-norm or cut=NAME. Repeatable."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights of SPEC, for example from `netspec train`; those of the new spec go to OUT.safetensors.",
        ),
    ] = None,
    out: Out = None,
    sets: Sets = None,
    force: Force = False,
) -> None:
    """Write a network, optionally after passes, as a spec again: without scopes, and with paddings as numbers.

    With --weights, the weights are converted to those of the new network.
    """
    from netspec.diagnostics import Problems
    from netspec.loading import graph_of_text
    from netspec.marks import marked, metadata
    from netspec.tensors import as_bytes
    from netspec.writing.spec import write_spec

    asked = ["fully-convolutional"] if fully_convolutional else []
    asked += passes or []
    if weights is not None and out is None:
        fail("--weights writes a file next to the new spec: name the spec with -o NEW.yaml")
    graph, sources = load_with_sources(spec, sets)
    new_weights = out.with_suffix(".safetensors") if out is not None and weights is not None else None
    if out is not None:
        if new_weights == out:
            fail(f"the new weights would overwrite {out}: give -o a name that ends in .yaml")
        targets = [out] if new_weights is None else [out, new_weights]
        may_write(targets, [*sources, *([] if weights is None else [weights])], force)
        text_name(out, "a spec", ".yaml")
    changed, carried = through(graph, asked, None if weights is None else _read(weights, graph))
    name = _name(graph, asked, out)
    text = write_spec(changed, name)
    problems = Problems()
    written = graph_of_text(text, str(out or "the new spec"), problems)
    if written is None:
        fail(
            "the network cannot be written as a spec: " + "; ".join(each.message for each in problems),
            WRONG_SPEC,
        )
    text = marked(text, "yaml")
    if out is None:
        hand_over(text)
    else:
        contents: dict[Path, str | bytes] = {out: text}
        if carried is not None and new_weights is not None:
            # The new spec has no scopes, so its weights have other names, in the same order.
            names = zip(changed.weights, written.weights, strict=True)
            new = {new.name: carried[old.name] for old, new in names}
            contents[new_weights] = as_bytes(new, metadata("convert"))
        put(contents)
    left = [
        f"`{key}`" for key, value in (("expect", graph.expect), ("train", graph.train)) if value is not None
    ]
    if left:
        note(f"the new spec has no {' and no '.join(left)}, because its layers have other names")
    if carried is None and graph.pretrained:
        files = ", ".join(str(file) for _, file in graph.pretrained)
        note(f"the new spec does not start from {files}, because it has no embedded networks")


def _name(graph: Graph, asked: Sequence[str], out: Path | None) -> str:
    """The name of the new network: that of its file if it is valid, else the old name and the last pass."""
    from netspec.language.document.item import IDENTIFIER

    stem = "" if out is None else out.stem.replace("-", "_")
    if IDENTIFIER.match(stem) and len(stem) <= 80:
        return stem
    last = [asked[-1].partition("=")[0].replace("-", "_")] if asked else []
    return "_".join([graph.name, *last])


def _read(path: Path, graph: Graph) -> Arrays:
    from netspec.backend import native_names
    from netspec.weights import WeightsError, load

    try:
        return load(path, graph, None, native_names(graph), note)
    except WeightsError as error:
        fail(str(error))
