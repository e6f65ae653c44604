"""`netspec bench`: measures speed and memory of several backends in one run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netspec_cli.common import chosen, fail, load_spec, parameters, path_of, without_what_lacks
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.options import Device, Format, Sets, Several, Spec
from netspec_cli.sizes import size
from netspec_cli.streams import complain, say, say_json

if TYPE_CHECKING:
    from netspec.benchmark import Measurement, Times


def bench(
    spec: Spec,
    backends: Several = None,
    batch: Annotated[int, typer.Option(min=1, help="Samples in the batch.")] = 8,
    steps: Annotated[int, typer.Option(min=1, help="Measured runs of each kind.")] = 10,
    device: Device = "auto",
    sets: Sets = None,
    format: Annotated[Format, typer.Option("--format", help="How to write the figures.")] = Format.text,
) -> None:
    """Measure time and memory of a forward pass and of a training step on each backend.

    Each backend runs in a separate process, with the same weights and data, in float32.
    """
    from netspec.backend import Timed, Unavailable, Unsupported
    from netspec.benchmark import Failed, race

    graph = load_spec(spec, sets)
    names = chosen(backends, Timed)
    try:
        found = race(
            path_of(spec),
            parameters(sets),
            names,
            batch,
            steps,
            device,
            tell=complain,
        )
    except Unavailable as error:
        without_what_lacks(names, error)
    except Unsupported as error:
        fail(f"{graph.name}: {error}", WRONG_SPEC)
    except Failed as error:
        fail(str(error))
    if format is Format.json:
        head = {"spec": spec, "name": graph.name, "dtype": "float32", "batch": batch, "steps": steps}
        rows = [_as_json(each, found[0]) for each in found]
        say_json({**head, "machine": _machine(), "backends": rows})
    else:
        say("\n".join(_text(graph.name, batch, steps, found)))


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS")}


def _as_json(each: Measurement, first: Measurement) -> dict[str, Any]:
    ratio = {
        "forward": each.forward.median / first.forward.median,
        "training": each.training.median / first.training.median,
    }
    return {**asdict(each), f"ratio_to_{first.backend}": ratio}


def _text(name: str, batch: int, steps: int, found: list[Measurement]) -> Iterator[str]:
    threads = os.environ.get("OMP_NUM_THREADS")
    where = f"{os.cpu_count()} cores" + (f", OMP_NUM_THREADS={threads}" if threads else "")
    runs = f"{steps} run{'s' * (steps > 1)}"
    yield f"{name}: a batch of {batch}, float32, the median of {runs} (minimum – maximum), {where}"
    yield ""
    for each in found:
        yield f"{each.backend}: {each.versions}; on {each.device}"
    yield ""
    rows = [["", *(each.backend for each in found)]]
    rows += [["forward", *(_spread(each.forward) for each in found)]]
    rows += [["training step", *(_spread(each.training) for each in found)]]
    rows += [["first step after", *(_seconds(each.ready) for each in found)]]
    rows += [["peak memory", *(size(each.memory) for each in found)]]
    if any(each.device_memory is not None for each in found):
        rows += [["on the device", *(size(each.device_memory) for each in found)]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield from _ratios(found)


def _ratios(found: list[Measurement]) -> Iterator[str]:
    first, *others = found
    if others:
        yield ""
    for each in others:
        forward = each.forward.median / first.forward.median
        training = each.training.median / first.training.median
        yield f"{each.backend} / {first.backend}: forward {forward:.2f}, training step {training:.2f}"


def _spread(times: Times) -> str:
    return f"{_seconds(times.median)} ({_seconds(times.least)} – {_seconds(times.most)})"


def _seconds(value: float) -> str:
    """Three digits: µs, ms or s."""
    for unit, length in (("s", 1.0), ("ms", 1e-3)):
        if value >= length:
            return f"{value / length:.3g} {unit}" if value / length < 100 else f"{value / length:.0f} {unit}"
    return f"{value * 1e6:.0f} µs"
