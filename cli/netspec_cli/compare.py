"""`netspec compare`: compares every value of one spec on several backends, and names the first layer that differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_cli import apart
from netspec_cli.common import chosen, fail, given_weights, load_spec, parameters, path_of, without_what_lacks
from netspec_cli.options import Force, Format, Sets, Several, Spec, Weights
from netspec_cli.streams import say, say_json

if TYPE_CHECKING:
    from netspec.proof.difference import Difference
    from netspec.proof.result import Comparison

SHOWN = 10
"""The number of layers in the table without `--verbose`: those with the largest differences."""


class FloatChoice(StrEnum):
    """The precision in which the backends compute."""

    float64 = "float64"
    float32 = "float32"


def compare(
    context: typer.Context,
    spec: Spec,
    backends: Several = None,
    dtype: Annotated[
        FloatChoice, typer.Option(help="float64 is a proof, float32 a quick test.")
    ] = FloatChoice.float64,
    batch: Annotated[int, typer.Option(min=1, help="Samples in the batch.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights, inputs and targets.")] = 0,
    steps: Annotated[
        int, typer.Option(min=0, help="Number of steps with SGD with momentum, and with Adam.")
    ] = 5,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE", help="Learning rate of SGD; Adam takes an eighth. Default: it fits the gradients."
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(metavar="NAME", help="auto, cpu, cuda, or a device name of the framework."),
    ] = "cpu",
    weights: Weights = None,
    sets: Sets = None,
    inject: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER=EPS",
            help="Add EPS to the output of one layer on the last backend, as a fault to find.",
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to write the answer.")] = Format.text,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show a line for every layer.")] = False,
    train: Annotated[
        bool,
        typer.Option("--train", help="Train on the backends with the recipe, and compare what they learn."),
    ] = False,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="With --train: as of `netspec train`.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="With --train: as of `netspec train`.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="FOLDER", help="With --train: as of `netspec train`.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="With --train: the picture of the curves. Default: NAME-curves.svg.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Run the spec on several backends with the same weights, and compare every output, gradient and step.

    The networks run in training mode without dropout. Weights that start as zeros or ones are drawn at random, too, so
    that a backend cannot ignore them. Products are computed in full precision on every device. The exit code is 1 if
    anything differs by more than its tolerance.

    With --train, the recipe of the spec is run on the backends, with the same weights and batches. The losses of all
    steps and parts are compared, relative to the largest: the tolerance is 1e-9 in float64, and 1e-4 in float32.
    """
    from netspec.backend import Learns, Unavailable
    from netspec.proof.comparison import CannotCompare
    from netspec.proof.comparison import compare as run
    from netspec.weights import WeightsError

    of_training = {"--epochs": epochs, "--data": data, "--data-dir": data_dir, "--out": out, "--force": force}
    of_steps = ("batch", "steps", "rate", "inject", "verbose", "seed")
    given = [name for name, value in of_training.items() if value]
    if not train and given:
        fail(
            f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} for a comparison of trainings: add --train"
        )
    by_hand = [f"--{name}" for name in of_steps if is_given(context, name)]
    if train and by_hand:
        fail(
            f"with --train, leave out {', '.join(by_hand)}: the recipe says it, for example --set train.batch=8"
        )
    if not apart.is_apart():
        apart.run(lambda last: _suspects(spec, [] if train else sets, dtype.value, last))
    if train:
        from netspec_cli.learning import TrainingRequest, compared

        asked = TrainingRequest(
            spec, backends, dtype.value, sets or [], epochs, data, data_dir, device, weights or []
        )
        compared(asked, out, force, format is Format.json)
        return
    graph = load_spec(spec, sets)
    wanted = chosen(backends, Learns)
    try:
        stored = given_weights(weights or [], graph, seed, dtype.value)
        found = run(
            graph,
            wanted,
            dtype.value,
            batch,
            seed,
            steps,
            rate,
            inject,
            device=device,
            weights=stored,
            report=apart.report,
        )
    except Unavailable as error:
        without_what_lacks(wanted, error)
    except (CannotCompare, WeightsError) as error:
        fail(str(error))
    if format is Format.json:
        say_json({**found.as_dict(), "spec": spec})
    else:
        say("\n".join(text(found, verbose)))
    if not found.ok:
        raise typer.Exit(1)


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was given on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _suspects(spec: str, sets: list[str] | None, dtype: str, last: str) -> str:
    """The layers that are known to crash the framework that was running, and how to avoid it."""
    from netspec.backend import Fragile, backend
    from netspec.loading import load

    at_work: object = backend(last.partition(":")[0]) if ":" in last else None
    if not isinstance(at_work, Fragile):
        return ""
    layers, fix = at_work.fragile(load(path_of(spec), **parameters(sets)), dtype)
    return f"\n  its framework is known to crash at {', '.join(layers)}\n  fix: {fix}" if layers else ""


def text(found: Comparison, verbose: bool = False) -> Iterator[str]:
    """The comparison as lines: the sides, the table of layers, a line for each kind of value, the verdict."""
    batch = f"a batch of {found.batch}"
    if found.others:
        batch += f" (outputs also of {_and([*map(str, found.others)])})"
    where = found.dtype if found.device == "cpu" else f"{found.dtype} on {found.device}"
    exact = " in full precision (no TF32)" if found.dtype == "float32" else ""
    yield f"{found.spec}: {_and(_sides(found))}, {where}{exact}, {batch}, training mode, dropout off"
    for name, why in found.absent.items():
        yield f"note: the oracle {name} does not take part: it is {why}"
    yield ""
    yield from _table(found, verbose)
    yield ""
    yield from _summary(found)
    yield ""
    yield from _verdict(found)


def _sides(found: Comparison) -> list[str]:
    return [*found.backends, *(f"the oracle {name}" for name in found.oracles)]


def _table(found: Comparison, verbose: bool) -> Iterator[str]:
    tolerance = found.tolerance.forward
    shown: Sequence[Difference] = found.layers
    if not verbose and len(found.layers) > SHOWN:
        order = {each.name: place for place, each in enumerate(found.layers)}
        worst = sorted(found.layers, key=lambda each: (-each.max_rel, order[each.name]))[:SHOWN]
        first = found.first_difference
        kept = {each.name for each in worst} | ({first.name} if first else set())
        shown = [each for each in found.layers if each.name in kept]
    unjudged = set(found.undecided)
    rows = [
        (
            each.name,
            number(each.max_rel),
            _between(each),
            "not judged" if each.name in unjudged and each.what == "values" else _mark(each, tolerance),
        )
        for each in shown
    ]
    yield from _columns([("layer", "max rel", "farthest apart", ""), *rows])
    if len(shown) < len(found.layers):
        rest = len(found.layers) - len(shown)
        yield f"… and {rest} more that differ less (--verbose shows all {len(found.layers)})"


def _mark(each: Difference, tolerance: float) -> str:
    if each.max_rel <= tolerance:
        return ""
    return "differs" if each.what == "values" else f"differs in {each.what}: {each.detail}"


def _between(each: Difference) -> str:
    return "" if each.max_rel == 0 else " / ".join(each.backends)


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _summary(found: Comparison) -> Iterator[str]:
    apart = f", {len(found.undecided)} more are not judged" if found.undecided else ""
    rows = [_line("outputs", "layer", found.judged, found.tolerance.forward, apart)]
    flat = ", all zero in theory: the values are rounding errors" if found.vanished else ""
    rows.append(_line("gradients", "weight", found.gradients, found.tolerance.gradients, flat))
    for steps in found.steps:
        what = f"weights after {steps.count} step{'s' if steps.count > 1 else ''} of {steps.optimizer}"
        pace = f", rate {number(steps.learning_rate)}"
        rows.append(_line(what, "weight", steps.found, found.tolerance.steps, pace))
    yield from _columns(rows)


def _line(
    what: str, kind: str, found: Sequence[Difference], tolerance: float | None, more: str = ""
) -> tuple[str, ...]:
    from netspec.proof.difference import over, worst

    most = worst(found)
    if most is None:
        return what, "not compared", "", ""
    bound = "not judged" if tolerance is None else f"tolerance {tolerance:.0e}"
    verdict = (
        "" if tolerance is None and not over(found, None) else "differ" if over(found, tolerance) else "equal"
    )
    where = f", {len(found)} {kind}s, most in {most.name}" if most.max_rel else f", {len(found)} {kind}s"
    return what, number(most.max_rel), f"({bound}{where}{more})", verdict


def _verdict(found: Comparison) -> Iterator[str]:
    if found.ok:
        yield f"equal: {_and(_sides(found))} compute the same network"
        yield from _undecided(found)
        return
    first = found.first_difference
    if first is not None:
        yield f"different: the first layer that differs is {first.name}"
        yield f"  {first}"
        return
    yield f"different: all layers agree, but gradients or steps differ; the first is {found.failures[0].name}"
    yield f"  {found.failures[0]}"
    if found.two_valued:
        others = len(found.two_valued) - 1
        more = f" and {others} more" if others else ""
        verb = "normalise" if others else "normalises"
        yield f"  note: {found.two_valued[0]}{more} {verb} two values per channel, to −1 and 1;"
        yield "  steps through this are chaotic, and rounding errors grow: use a larger --batch, or a larger input"


def _undecided(found: Comparison) -> Iterator[str]:
    """Why layers are not judged, and what judges them."""
    if not found.undecided:
        return
    first, count = found.undecided[0], len(found.undecided)
    others = f" and {count - 1} more" if count > 1 else ""
    yield f"  note: the outputs of {first}{others} are not judged: two values of a window of its pool are so nearly"
    yield "  equal that rounding errors decide which is larger, and so where values go back; compare in float64,"
    yield "  or a smaller input"


def number(value: float) -> str:
    """A number with two digits, in a short form."""
    return "0" if value == 0 else f"{value:.1e}"


def _and(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
