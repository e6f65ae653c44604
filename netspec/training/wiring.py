"""Which array of the data is fed to which input and compared with which output; every mismatch is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from netspec.data.labels import within
from netspec.data.outline import Outline
from netspec.data.parts import Classes, Parts
from netspec.data.source import SampleSource
from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph, Input
from netspec.ops.nearest import did_you_mean
from netspec.recipe import Recipe
from netspec.recipe.data import Data
from netspec.recipe.names import BITS, MADE, Shape, padded
from netspec.training.changes import augmentation
from netspec.training.heads import LossOutput, named_targets, place
from netspec.training.suits import images, numbers

if TYPE_CHECKING:
    from netspec.data.augmentation import Augmentation
    from netspec.data.source import Field


@dataclass(frozen=True, slots=True)
class Wiring:
    """For each input of the network, and for each output with a target, the key of the data."""

    inputs: Mapping[str, str]
    targets: Mapping[str, str]


class Wired(NamedTuple):
    """The wiring, the parts with a channel axis where the network has one, and what changes training samples."""

    wiring: Wiring
    parts: Parts
    changes: Augmentation | None


def wired(
    graph: Graph,
    recipe: Recipe,
    heads: Sequence[LossOutput],
    parts: Parts,
    problems: Problems,
) -> Wired | None:
    """What is fed from where; None if something does not fit."""
    found = foreseen(graph, recipe, heads, parts, problems)
    if found is None:
        return None
    parts = found.parts
    for head in heads:
        if head.output in found.wiring.targets:
            parts = _watched(head, found.wiring.targets[head.output], parts)
    return found._replace(parts=parts)


def foreseen(
    graph: Graph,
    recipe: Recipe,
    heads: Sequence[LossOutput],
    parts: Parts,
    problems: Problems,
) -> Wired | None:
    """What is fed from where, as far as it is known before samples are decoded; None if something does not fit."""
    before = len(problems.errors)
    data = recipe.data if isinstance(recipe.data, Data) else None
    named = {} if data is None else data.inputs
    inputs = _paired(
        [each.name for each in graph.inputs], named, parts.inputs, "input", graph, recipe, parts, problems
    )
    with_target = [head.output for head in heads if head.loss.targets is not None]
    targets = _paired(
        with_target, named_targets(graph, recipe), parts.targets, "output", graph, recipe, parts, problems
    )
    if len(problems.errors) > before:
        return None
    for each in numbers(graph):
        parts = parts.seen_as(inputs[each.name], each.type.shape)
    changes = None
    if recipe.augment:
        image = next((inputs[each.name] for each in images(graph)), "")
        changes = augmentation(graph, recipe, heads, image, parts, problems)
        if changes is None:
            return None
    shapes = _changed(parts, changes)
    for each in graph.inputs:
        key = inputs[each.name]
        _check_input(graph, recipe, each, key, shapes[key] or parts.shape(key), parts, problems)
    for head in heads:
        if head.output in targets:
            key = targets[head.output]
            _check_target(graph, recipe, head, key, shapes[key] or parts.shape(key), parts, problems)
    return Wired(Wiring(inputs, targets), parts, changes) if len(problems.errors) == before else None


def _paired(
    names: Sequence[str],
    stated: Mapping[str, str],
    keys: Sequence[str],
    what: str,
    graph: Graph,
    recipe: Recipe,
    parts: Parts,
    problems: Problems,
) -> dict[str, str]:
    """For each name its key: the stated one, else one of the same name, else the only one that is left."""
    found: dict[str, str] = {}
    for name in names:
        key = stated.get(name, name)
        if key in keys or key in parts.train.fields:
            found[name] = key
        elif name in stated:
            problems.error(
                codes.DATA_MISFIT,
                f"{parts.name} has no array `{key}`{did_you_mean(key, parts.train.fields)}",
                _named_at(graph, recipe, what, name),
                notes=_arrays(parts),
            )
            found[name] = ""
    open_ = [name for name in names if name not in found]
    left = [key for key in keys if key not in found.values()]
    if len(open_) == len(left) == 1:
        found[open_[0]] = left[0]
        open_ = []
    for name in open_:
        setting = "inputs" if what == "input" else "targets"
        problems.error(
            codes.DATA_MISFIT,
            f"nothing says which array of {parts.name} belongs to the {what} `{name}` of `{graph.name}`",
            place(graph, recipe, ["data"]),
            notes=_arrays(parts),
            help=f"write `data: {{train: …, {setting}: {{{name}: KEY}}}}`",
        )
    return found


def _named_at(graph: Graph, recipe: Recipe, what: str, name: str) -> Span:
    """The place at which the array of an input or output is named: in `data`, or in a loss."""
    stated = recipe.data if isinstance(recipe.data, Data) else None
    loss = recipe.losses.get(name, recipe.loss)
    if what == "output" and loss is not None and (stated is None or name not in stated.targets):
        return place(graph, recipe, [*(["losses", name] if recipe.losses else ["loss"]), loss.kind, "target"])
    return place(graph, recipe, ["data", f"{what}s", name])


def _arrays(parts: Parts) -> list[str]:
    """Which arrays the data have, and which of a file are not used."""
    has = ", ".join(f"`{key}`" for key in parts.train.fields)
    unused = [f"not used: {', '.join(parts.unused)}"] if parts.unused else []
    return [f"it has {has}", *unused]


def _changed(parts: Parts, changes: Augmentation | None) -> dict[str, Shape | None]:
    """The shapes that augmentation gives; None where it changes none."""
    found: dict[str, Shape | None] = dict.fromkeys(parts.train.fields, None)
    if changes is None:
        return found
    image = changes.shape(parts.shape(changes.image))
    return {**found, changes.image: image, **dict.fromkeys(changes.masks, image[1:])}


def _check_input(
    graph: Graph, recipe: Recipe, each: Input, key: str, shape: Shape, parts: Parts, problems: Problems
) -> None:
    is_padded = recipe.pad and each.vocabulary is None and len(shape) > 1
    given: Shape = padded(shape, recipe.pad) if is_padded else shape
    if given != each.type.shape:
        around = f", padded by {recipe.pad}" if is_padded else ""
        problems.error(
            codes.DATA_MISFIT,
            f"`{key}` of {parts.name} is {_sizes(shape)}{around}, but the input `{each.name}` takes {each.type}",
            place(graph, recipe, ["data"]),
            help=_on_length(parts.name, shape, each.type.shape),
        )
    elif each.vocabulary is not None:
        _check_range(graph, recipe, key, each.vocabulary, f"the input `{each.name}`", parts, problems)


def _on_length(name: str, given: Shape, wanted: Shape) -> str | None:
    """Advice for samples of another length of a set that is made by the settings of the recipe."""
    if name not in MADE or len(given) != len(wanted) or given[:-1] != wanted[:-1]:
        return None
    setting = "bits" if name == BITS else "text"
    return f"write `data: {{train: {name}, {setting}: {{length: {wanted[-1]}}}}}`"


def _check_target(
    graph: Graph, recipe: Recipe, head: LossOutput, key: str, shape: Shape, parts: Parts, problems: Problems
) -> None:
    field, type_ = parts.train.fields[key], head.type
    classes = head.loss.targets == "classes"
    wanted = type_.sizes if classes else type_.shape
    pads = recipe.pad if shape[1:] and key in parts.inputs else 0
    given = padded(shape, pads) if pads else shape
    accepted = {tuple(wanted), (1, *wanted)} if classes or type_.channels == 1 else {tuple(wanted)}
    if type_.channels == 1:
        accepted |= {type_.sizes}
    if given not in accepted:
        problems.error(
            codes.DATA_MISFIT,
            f"`{key}` of {parts.name} is {_sizes(given)} a sample, but `{head.loss.kind}` of the output "
            f"`{head.output}`, {type_}, takes {_sizes(tuple(wanted))}",
            place(graph, recipe, ["data"]),
            help=_on_target(head, key, given, field),
        )
    elif classes:
        if not _is_whole(field):
            message = (
                f"`{key}` of {parts.name} holds {field.dtype}, but `{head.loss.kind}` takes class indices"
            )
            problems.error(codes.DATA_MISFIT, message, place(graph, recipe, ["data"]))
            return
        channels = type_.channels or 1
        ignore = getattr(head.loss, "ignore", None)
        known = parts.classes.get(key)
        if (
            known is not None
            and known.ignored is not None
            and known.ignored not in (ignore, *range(channels))
        ):
            problems.error(
                codes.CLASSES_MISFIT,
                f"the class {known.ignored} of `{key}` does not count, but the loss of `{head.output}` counts it",
                place(graph, recipe, ["data"]),
                help=f"write `loss: {{{head.loss.kind}: {{ignore: {known.ignored}}}}}`",
            )
        count = max(channels, 2)
        _check_range(graph, recipe, key, count, f"the output `{head.output}`", parts, problems, ignore)
        _check_samples(graph, recipe, head, key, count, parts, problems)


def _on_target(head: LossOutput, key: str, given: Shape, field: Field) -> str:
    """Advice for a target whose shape is not that of the output."""
    classes = head.loss.targets == "classes"
    if not classes and _is_whole(field) and given in ((), (1,), head.type.sizes):
        return f"if `{key}` are class indices, write `loss: cross_entropy`"
    if classes and given == head.type.shape and not _is_whole(field):
        return "for a distribution over the classes, write `loss: {cross_entropy: {soft: true}}`"
    setting = f"`data: {{train: …, targets: {{{head.output}: KEY}}}}`"
    return f"let the network have an output of this shape, or name another array: {setting}"


def _check_samples(
    graph: Graph, recipe: Recipe, head: LossOutput, key: str, count: int, parts: Parts, problems: Problems
) -> None:
    """Warn about classes of a classifier without a training sample, as far as labels are known."""
    column = parts.train.column(key)
    if column is None or column[:1].size != 1 or column.dtype.kind not in "iub" or head.type.channels == 1:
        return
    import numpy as np

    there = np.unique(column)
    missing = np.setdiff1d(np.arange(count), there)
    starts_at_1 = int(there[0]) == 1 and len(there) == int(there[-1])  # that has a warning of its own
    if not len(missing) or starts_at_1:
        return
    known = parts.classes.get(key)
    names = [f"{each}" if known is None else known.name(int(each)) for each in missing[:5]]
    more = f" and {len(missing) - len(names):,} more" if len(missing) > len(names) else ""
    are, have = ("class", "has") if len(missing) == 1 else ("classes", "have")
    problems.warning(
        codes.NO_SAMPLE,
        f"the {are} {', '.join(names)}{more} of `{head.output}` {have} no training sample in {parts.name}",
        place(graph, recipe, ["data"]),
        help=_on_missing(there),
    )


def _on_missing(there: Any) -> str:
    """What to do about classes without a sample."""
    if int(there[-1]) == len(there) - 1:
        return f"let the network have {len(there)} outputs, unless samples of the other classes come later"
    return "labels are the indices of the classes, without gaps: number them from 0, or add samples"


def _watched(head: LossOutput, key: str, parts: Parts) -> Parts:
    """The parts with the class indices that are decoded later checked then: a framework would stop without a word."""
    is_known = all(source.column(key) is not None for _, source in parts)
    if head.loss.targets != "classes" or is_known:
        return parts
    known = parts.classes.get(key)
    count, ignore = max(head.type.channels or 1, 2), getattr(head.loss, "ignore", None)
    classes = Classes(count, () if known is None else known.names, ignore)
    how = f"if it marks what does not count, write `loss: {{{head.loss.kind}: {{ignore: …}}}}`"
    return within(parts, key, classes, how)


def _check_range(
    graph: Graph,
    recipe: Recipe,
    key: str,
    count: int,
    whose: str,
    parts: Parts,
    problems: Problems,
    ignore: int | None = None,
) -> None:
    """Report an index that is out of range, as far as it is known before samples are decoded."""
    for name, source in parts:
        wrong = _out_of_range(source, key, count, ignore)
        if wrong is not None:
            index, value = wrong
            problems.error(
                codes.CLASSES_MISFIT,
                f"{source.place(index)} has the index {value} in `{key}`, but {whose} has {count:,}, from 0",
                place(graph, recipe, ["data"]),
                notes=[f"it is in the part `{name}`"],
            )
            return


def _out_of_range(source: SampleSource, key: str, count: int, ignore: int | None) -> tuple[int, int] | None:
    if isinstance(source, Outline):
        largest = source.largest.get(key, -1)
        return (0, largest) if largest >= count and largest != ignore else None
    column = source.column(key)
    if column is None or column.dtype.kind not in "iu":
        return None
    import numpy as np

    wrong = (column < 0) | (column >= count)
    if ignore is not None:
        wrong &= column != ignore
    if not wrong.any():
        return None
    at = np.unravel_index(int(wrong.argmax()), column.shape)
    return int(at[0]), int(column[at])


def _is_whole(field: Field) -> bool:
    return field.dtype.startswith(("int", "uint", "bool"))


def _sizes(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "one number"
