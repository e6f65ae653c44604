"""The receptive field: which part of the network's input a position of a layer's output sees, in any DAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TypeAlias

from netspec.graph import Graph, Node
from netspec.ops.base import WHOLE, Reach
from netspec.types import Type


@dataclass(frozen=True, slots=True)
class Field:
    """Along one axis, output position p sees the input from p · jump + low to p · jump + high, both included."""

    jump: Fraction = Fraction(1)
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)

    @property
    def size(self) -> int:
        return floor(self.high - self.low) + 1

    def through(self, reach: Reach) -> Field:
        """What is seen through one more layer, whose position sees several of these."""
        first = self.low - reach.before * self.jump
        last = self.high + (reach.extent - 1 - reach.before) * self.jump
        return Field(self.jump * reach.stride, first, last)


# One axis of an input: a field, all of it, or not known.
Seen: TypeAlias = Field | str | None
# What a value sees of every input that it comes from, one `Seen` an axis of that input.
View: TypeAlias = dict[str, tuple[Seen, ...]]


@dataclass(frozen=True, slots=True)
class Receptive:
    """The receptive field of a layer, one number an axis of the input; the field is not cut off at its edges.

    `stride` is how far apart the fields of two neighbours lie; None where every position sees everything.
    """

    size: tuple[int, ...]
    stride: tuple[Fraction | None, ...]


def fields(graph: Graph) -> dict[str, Receptive | None]:
    """The receptive field of every node by its name. None: not known.

    Several paths from an input are joined: from the lowest to the highest position that any of them sees.
    Paths with different strides have no common field, and inputs of different sizes no common axes.
    """
    sizes = {each.name: each.type.sizes for each in graph.inputs}
    views: dict[str, View] = {name: {name: tuple(Field() for _ in axes)} for name, axes in sizes.items()}
    found: dict[str, Receptive | None] = {}
    for node in graph.nodes:
        view = _view(
            node, [views[value] for value in node.inputs], [graph.types[value] for value in node.inputs]
        )
        views.update(dict.fromkeys(node.values, view))
        found[node.name] = _summary(view, sizes)
    return found


def _view(node: Node, views: Sequence[View], types: Sequence[Type]) -> View:
    reach = node.op.reach(types)
    joined: View = {}
    for view in views:
        for source, axes in view.items():
            seen = _through(axes, reach)
            joined[source] = _join(joined[source], seen) if source in joined else seen
    return joined


def _through(axes: tuple[Seen, ...], reach: tuple[Reach, ...] | str | None) -> tuple[Seen, ...]:
    if isinstance(reach, str):
        return (WHOLE,) * len(axes)
    if reach is None or len(reach) != len(axes):
        # Axes that no longer stand side by side; what sees everything still does.
        return tuple(WHOLE if seen == WHOLE else None for seen in axes)
    return tuple(
        seen.through(one) if isinstance(seen, Field) else seen for seen, one in zip(axes, reach, strict=True)
    )


def _join(first: tuple[Seen, ...], second: tuple[Seen, ...]) -> tuple[Seen, ...]:
    return tuple(_union(a, b) for a, b in zip(first, second, strict=True))


def _union(a: Seen, b: Seen) -> Seen:
    if WHOLE in (a, b):
        return WHOLE
    if not isinstance(a, Field) or not isinstance(b, Field) or a.jump != b.jump:
        return None
    return Field(a.jump, min(a.low, b.low), max(a.high, b.high))


def _summary(view: View, sizes: dict[str, tuple[int, ...]]) -> Receptive | None:
    """One field for all inputs that have axes, provided that these are the same axes."""
    seen = [(axes, sizes[source]) for source, axes in view.items() if axes]
    if not seen:
        return Receptive((), ())
    if len({size for _, size in seen}) > 1:
        return None
    joined, whole = seen[0]
    for axes, _ in seen[1:]:
        joined = _join(joined, axes)
    if any(each is None for each in joined):
        return None
    return Receptive(
        tuple(
            each.size if isinstance(each, Field) else size for each, size in zip(joined, whole, strict=True)
        ),
        tuple(each.jump if isinstance(each, Field) else None for each in joined),
    )
