"""Advice for data and a network that do not fit each other. Following it leads to the intended network."""

from __future__ import annotations

from math import prod

from netspec.data.conversion import FROM_0, RENUMBER
from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.recipe.names import Shape
from netspec.types import channels_last, in_full


@dataclass(frozen=True, slots=True)
class Labels:
    """The smallest and the largest label, and the number of different labels."""

    smallest: int
    largest: int
    distinct: int

    @property
    def from_1(self) -> bool:
        """Whether the labels are 1 to the number of classes, without a gap."""
        return self.smallest == 1 and self.largest == self.distinct


def kind(shape: Shape) -> str:
    """The word for samples of this shape."""
    return "images" if len(shape) == 3 else "samples"


def on_shape(given: Shape, wanted: Shape, own: bool) -> str:
    """Advice for samples that do not have the shape of the network's input. Only the user's own data can be changed."""
    if own and (saved := _saved_otherwise(given, wanted)):
        return saved
    if len(given) == len(wanted):
        return _on_sizes(given, wanted)
    if len(wanted) == 1:
        return f"let the network take `input: {list(given)}` and start with `flatten`"
    if own:
        axes = " × ".join(str(size) for size in ("N", *wanted))
        return f"save the samples as {axes}, channels first"
    return f"a network for these samples takes `input: {list(given)}`"


def _saved_otherwise(given: Shape, wanted: Shape) -> str:
    """How to save the samples, if only the order of their axes is wrong; else an empty text."""
    what = kind(given)
    if _padded(given[-1:] + given[:-1], wanted) or channels_last(given):
        return f"samples are channels first, and these seem to be channels last: save `numpy.moveaxis({what}, -1, 1)`"
    for axis, size in enumerate(given):
        if size == 1 and given[:axis] + given[axis + 1 :] == wanted:
            return f"the samples have one axis too many: save `{what}.squeeze({axis + 1})`"
    if len(given) == 1 < len(wanted) and prod(given) == prod(wanted):
        sizes = ", ".join(map(str, wanted))
        return f"to use each row of numbers as {list(wanted)}: save `{what}.reshape(len({what}), {sizes})`"
    return ""


def _on_sizes(given: Shape, wanted: Shape) -> str:
    pad = _padded(given, wanted)
    if pad is None:
        return f"let the network take `input: {list(given)}`"
    return f"`pad: {pad[0]}` in the recipe makes them fit" if pad[0] else "remove `pad` from the recipe"


def _padded(given: Shape, wanted: Shape) -> tuple[int] | None:
    """The padding on every side that gives these samples the wanted shape, if there is one."""
    if len(given) != len(wanted) or given[:1] != wanted[:1]:
        return None
    around = {after - before for before, after in zip(given[1:], wanted[1:], strict=True)} or {0}
    pad = around.pop()
    return (pad // 2,) if not around and pad >= 0 and pad % 2 == 0 else None


def on_classes(graph: Graph, classes: int, labels: Labels | None, numbers: int) -> str:
    """Advice for a network whose number of outputs, `numbers`, is not the number of classes."""
    if labels is None or labels.distinct == classes:
        return f"let {sized(graph, classes)}"
    rest = "" if numbers == labels.distinct else f", and let {sized(graph, labels.distinct)}"
    if labels.from_1:
        return FROM_0 + rest
    # One or two gaps are classes without a sample; if most numbers are missing, the labels do not count classes.
    if numbers == labels.distinct or labels.distinct <= classes // 2:
        return f"labels are the indices of the classes, from 0: {RENUMBER}{rest}"
    return f"let {sized(graph, classes)}"


def sized(graph: Graph, count: int) -> str:
    """The layer to change, and its field: `dense1` have `units: 10`."""
    node: Node | None = graph.producers.get(graph.outputs[0].value)
    while node is not None and node.op.width is None:
        before = node.inputs[0]
        same = len(node.inputs) == 1 and graph.types[before].channels == node.output.channels
        node = graph.producers.get(before) if same else None
    if node is None:
        return f"the network have {count} outputs"
    return f"`{node.name}` have `{node.op.width}: {count}`"


def on_batch(samples: int, batch: int) -> str:
    """Advice for a last batch with a single sample."""
    if samples == 1:
        return "use at least two samples"
    larger = next(each for each in range(batch + 1, samples + 1) if samples % each != 1)
    return f"`batch: {larger}` leaves none" + (f", or `train_size: {samples - 1}`" if batch > 1 else "")


def on_scale(low: float, high: float, shape: Shape) -> str:
    """Advice for floats that are not scaled. The values of a vector measure different things."""
    if len(shape) == 1:
        return "scale each value: save `(samples - train_images.mean(0)) / (train_images.std(0) + 1e-8)`"
    if low >= 0 and high <= 255:
        return "`normalise: {mean: 0, std: 255}` scales them like bytes"
    middle, half = (low + high) / 2, (high - low) / 2 or 1.0
    return (
        f"`normalise: {{mean: {in_full(middle)}, std: {in_full(half)}}}` in the recipe scales them to −1 to 1"
    )
