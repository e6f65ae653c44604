"""What to change where data and network do not fit: advice that leads to the network that was meant."""

from __future__ import annotations

from math import prod

from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.recipe.names import Shape
from netspec.types import channels_last, in_full

RENUMBER = "save `numpy.searchsorted(numpy.union1d(train_labels, test_labels), labels)`"
"""Advice that numbers any kind of labels from 0.

In advice `labels`, `images` and `samples` stand for those of each part.
"""
FROM_0 = "labels count from 0: save `labels - 1`"


@dataclass(frozen=True, slots=True)
class Labels:
    """The smallest and the largest label, and how many different ones there are."""

    smallest: int
    largest: int
    distinct: int

    @property
    def from_1(self) -> bool:
        """Whether they are 1 to the number of classes, without a gap."""
        return self.smallest == 1 and self.largest == self.distinct


def kind(shape: Shape) -> str:
    """What samples of this shape are called."""
    return "images" if len(shape) == 3 else "samples"


def on_shape(given: Shape, wanted: Shape, own: bool) -> str:
    """For samples of one shape and a network that takes another; what is saved can be changed in a set of one's own."""
    if own and (saved := _saved_otherwise(given, wanted)):
        return saved
    if len(given) == len(wanted):
        return _on_sizes(given, wanted)
    if len(wanted) == 1:
        return f"let the network take `input: {list(given)}` and start with `flatten`"
    if own:
        axes = " × ".join(str(size) for size in ("N", *wanted))
        return f"this network takes samples that are saved as {axes}, channels first"
    return f"a network for these samples takes `input: {list(given)}`"


def _saved_otherwise(given: Shape, wanted: Shape) -> str:
    """How to save the samples, where they hold what the network takes in another order; else nothing."""
    what = kind(given)
    if _padded(given[-1:] + given[:-1], wanted) or channels_last(given):
        return (
            f"samples are channels first, and these look channels last: save `numpy.moveaxis({what}, -1, 1)`"
        )
    for axis, size in enumerate(given):
        if size == 1 and given[:axis] + given[axis + 1 :] == wanted:
            return f"the samples have an axis too many: save `{what}.squeeze({axis + 1})`"
    if len(given) == 1 < len(wanted) and prod(given) == prod(wanted):
        sizes = ", ".join(map(str, wanted))
        return f"to see each row of numbers as {list(wanted)}: save `{what}.reshape(len({what}), {sizes})`"
    return ""


def _on_sizes(given: Shape, wanted: Shape) -> str:
    pad = _padded(given, wanted)
    if pad is None:
        return f"let the network take `input: {list(given)}`"
    return f"`pad: {pad[0]}` in the recipe makes them fit" if pad[0] else "remove `pad` from the recipe"


def _padded(given: Shape, wanted: Shape) -> tuple[int] | None:
    """The one padding on every side that makes these samples what is wanted, if there is one."""
    if len(given) != len(wanted) or given[:1] != wanted[:1]:
        return None
    around = {after - before for before, after in zip(given[1:], wanted[1:], strict=True)} or {0}
    pad = around.pop()
    return (pad // 2,) if not around and pad >= 0 and pad % 2 == 0 else None


def on_classes(graph: Graph, classes: int, labels: Labels | None, numbers: int) -> str:
    """For a network that gives as many `numbers` as there are no classes."""
    if labels is None or labels.distinct == classes:
        return f"let {sized(graph, classes)}"
    rest = "" if numbers == labels.distinct else f", and let {sized(graph, labels.distinct)}"
    if labels.from_1:
        return FROM_0 + rest
    # A gap or two are classes that have no sample; where most numbers are missing the numbers are no counting.
    if numbers == labels.distinct or labels.distinct <= classes // 2:
        return f"labels are the numbers of the classes, from 0: {RENUMBER}{rest}"
    return f"let {sized(graph, classes)}"


def sized(graph: Graph, count: int) -> str:
    """Which layer is to give so many numbers, and how: `dense1` have `units: 10`."""
    node: Node | None = graph.producers.get(graph.outputs[0].value)
    while node is not None and node.op.width is None:
        before = node.inputs[0]
        same = len(node.inputs) == 1 and graph.types[before].channels == node.output.channels
        node = graph.producers.get(before) if same else None
    if node is None:
        return f"the network give {count} numbers"
    return f"`{node.name}` have `{node.op.width}: {count}`"


def on_batch(samples: int, batch: int) -> str:
    """For batches the last of which has a single sample."""
    if samples == 1:
        return "give it two samples at least"
    larger = next(each for each in range(batch + 1, samples + 1) if samples % each != 1)
    return f"`batch: {larger}` leaves none" + (f", or `train_size: {samples - 1}`" if batch > 1 else "")


def on_scale(low: float, high: float, shape: Shape) -> str:
    """For floats that are too large as they stand. The numbers of a vector measure different things."""
    if len(shape) == 1:
        return "scale each: save `(samples - train_images.mean(0)) / (train_images.std(0) + 1e-8)`"
    if low >= 0 and high <= 255:
        return "`normalise: {mean: 0, std: 255}` scales them as bytes are scaled"
    middle, half = (low + high) / 2, (high - low) / 2 or 1.0
    return (
        f"`normalise: {{mean: {in_full(middle)}, std: {in_full(half)}}}` in the recipe brings them to −1 to 1"
    )
