"""`netspec compare --train`: one recipe on several backends, their curves in one picture, how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from netspec_cli import apart
from netspec_cli.common import (
    chosen,
    fail,
    given_weights,
    load_with_sources,
    may_write,
    put,
    show,
    weights_files,
)
from netspec_cli.streams import say, say_json
from netspec_cli.train import Override, data_of, from_here, named, naming, recipe_of, split

if TYPE_CHECKING:
    from netspec.training.comparison import Apart, TrainingComparison


class TrainingRequest(NamedTuple):
    """What is trained on what, as it is written on the command line."""

    spec: str
    backends: str | None
    dtype: str
    sets: Sequence[str]
    epochs: int | None
    data: str | None
    data_dir: Path | None
    device: str
    weights: Sequence[str]


def compared(asked: TrainingRequest, out: Path | None, force: bool, as_json: bool) -> None:
    """Train, write the picture, print the table; exit with 1 if losses differ by more than the tolerance."""
    from netspec.backend import Trains, usable
    from netspec.language.document.overrides import given_as
    from netspec.marks import marked
    from netspec.training.comparison import compare
    from netspec.training.curves import side_by_side
    from netspec.training.loop import Diverged

    overrides, params = split(list(asked.sets))
    if asked.data is not None:
        overrides["data"] = Override(from_here(asked.data), f"--data {asked.data}")
    if asked.epochs is not None:
        overrides["epochs"] = Override(asked.epochs, f"--epochs {asked.epochs}")
    graph, sources = load_with_sources(asked.spec, params)
    picture = Path(f"{graph.name}-curves.svg") if out is None else out
    may_write([picture], (*sources, *weights_files(asked.weights)), force)
    recipe = recipe_of(graph.train, graph.file, overrides)
    names = chosen(asked.backends, Trains)
    if len(names) < 2:
        fail(f"a comparison needs two backends that train, and there is {names[0] if names else 'none'}")
    options = {given_as(key): each.option for key, each in overrides.items()}
    backends = usable(names, Trains)
    samples = data_of(graph, recipe, asked.data_dir, fetch=False)
    with naming(options):
        try:
            found = compare(
                graph,
                backends,
                recipe,
                samples,
                dtype=asked.dtype,
                weights=given_weights(asked.weights, graph, recipe.seed),
                device=asked.device,
                report=apart.report,
                warn=lambda warnings: show(named(each, options) for each in warnings),
            )
        except Diverged as error:
            fail(
                "\n".join([f"{error}; a smaller learning rate may help", *getattr(error, "__notes__", [])]), 1
            )
    title = f"{graph.name} on {_and(names)}, {found.data}, {found.dtype}"
    curves = [
        (each.backend, [x for part in each.losses for x in part], each.epochs) for each in found.learned
    ]
    put({picture: marked(side_by_side(title, _verdict(found), curves), "xml")})
    if as_json:
        say_json({"spec": asked.spec, **found.as_dict(), "picture": str(picture)})
    else:
        say("\n".join(_text(found)))
    if not found.ok:
        raise typer.Exit(1)


def _text(found: TrainingComparison) -> Iterator[str]:
    from netspec.training.curves import figure

    names = _and([each.backend for each in found.learned])
    steps = sum(map(len, found.learned[0].losses))
    yield f"{found.name} on {found.data}: {names}, {found.dtype}, dropout off, {steps:,} steps"
    yield ""
    figures = list(found.epochs[0].figures)
    widths = {name: max(len(name), 14) for name in figures}
    heads = (f"{name.replace('_', ' '):>{widths[name]}}  {'apart':>7}" for name in figures)
    yield "  ".join(["epoch", "steps apart", *heads])
    for each in found.epochs:
        yield "  ".join([f"{each.number:>5}", f"{_short(each.steps):>11}", *_cells(each, widths)])
    if found.test is not None:
        shown = (
            f"{name.removeprefix('test_').replace('_', ' ')} {figure(name, value)} (apart {_short(apart_)})"
            for name, (value, apart_) in found.test.figures.items()
        )
        yield f"test: {', '.join(shown)}"
    yield ""
    yield _verdict(found)


def _cells(each: Apart, widths: dict[str, int]) -> Iterator[str]:
    from netspec.training.curves import figure

    for name, width in widths.items():
        value, apart_ = each.figures.get(name, (None, inf))
        yield f"{figure(name, value):>{width}}  {_short(apart_):>7}"


def _short(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"


def _verdict(found: TrainingComparison) -> str:
    names = _and([each.backend for each in found.learned])
    worst = found.worst
    where = "in the test" if worst is found.test else f"in epoch {worst.number}"
    limit = f"tolerance {found.tolerance:.0e}"
    if found.ok:
        return f"equal: {names} learn the same: losses differ by {_short(worst.largest)} at most, {where} ({limit})"
    return f"different: the losses of {names} differ by {_short(worst.largest)}, {where} ({limit})"


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
