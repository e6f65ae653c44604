"""Explains why branches of a merge have different sizes: the layers that change them, and how to make them equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netspec.graph import Node
from netspec.language.document.item import Item
from netspec.language.elaboration.frame import ValueName
from netspec.language.elaboration.walk import Walk
from netspec.ops import OPS
from netspec.ops.window import Windowed

_MOST_NODES = 5_000
_MOST_LAYERS = 6
_MOST_MERGES = 50
"""The number of merges of one spec that are explained, because each explanation examines all layers before it."""


def explain(walk: Walk, item: Item, inputs: Sequence[ValueName]) -> tuple[str | None, str | None]:
    """A note with the layers that made the sizes differ, and a help that makes them equal.

    None and None if the sizes do not differ, or if the cause is not certain.
    """
    walk.explained += 1
    if walk.explained > _MOST_MERGES:
        return None, None
    values = [str(tensor) for tensor in inputs]
    types = [walk.types[value] for value in values]
    pair = next(
        ((0, k) for k, type_ in enumerate(types) if type_.spatial and len(type_.spatial) == len(types[0].spatial)
         and type_.spatial != types[0].spatial),
        None,
    )  # fmt: skip
    if pair is None:
        return None, None
    first, second = (values[k] for k in pair)
    changed = list(_changed(walk, first, second))
    note = None
    if changed:
        shown = [_shown(node, before, after) for node, before, after in changed[:_MOST_LAYERS]]
        more = f" and {len(changed) - _MOST_LAYERS} more" if len(changed) > _MOST_LAYERS else ""
        note = f"sizes change in {', '.join(shown)}{more}"
    return note, _help(walk, item, first, second, [node for node, *_ in changed])


def _help(walk: Walk, item: Item, first: str, second: str, changed: Sequence[Node]) -> str | None:
    sizes = {value: walk.types[value].sizes for value in (first, second)}
    small, large = sorted((first, second), key=lambda value: sum(sizes[value]))
    pairs = list(zip(sizes[large], sizes[small], strict=True))
    if any(larger < smaller or larger >= 2 * smaller for larger, smaller in pairs):
        return None  # the cause is not rounding or a border, but a different stride
    if not OPS[item.keyword].any_channels and walk.types[large].channels != walk.types[small].channels:
        return None
    wanted = sizes[small][0] if len(set(sizes[small])) == 1 else list(sizes[small])
    crop = f"`- crop: {{size: {wanted}}}`"
    where = f"`{large}`"
    if item.branches is not None:
        advice = f"end the branch of {where} with {crop}"
    else:
        advice = f"crop {where} first: {crop} with `from: {large}` and a `name`, and merge that name"
    rounded = next((node for node in changed if _rounds(walk, node)), None)
    if rounded is None:
        return advice
    assert isinstance(rounded.op, Windowed)
    strides = "×".join(dict.fromkeys(str(each) for each in rounded.op.strides))
    return f"{advice}; or give `{rounded.name}` sizes that are multiples of {strides}"


def _changed(walk: Walk, first: str, second: str) -> Iterator[tuple[Node, Sequence[int], Sequence[int]]]:
    """The layers before only one of two values that change sizes, in order, with the sizes."""
    before = [_before(walk, value) for value in (first, second)]
    if None in before:
        return
    only = (before[0] or set()) ^ (before[1] or set())
    for node in walk.nodes:
        if node.name not in only or not node.inputs:
            continue
        came, went = walk.types[node.inputs[0]].spatial, node.output.spatial
        if len(came) == len(went) and came != went:
            yield node, walk.types[node.inputs[0]].sizes, node.output.sizes


def _before(walk: Walk, value: str) -> set[str] | None:
    """The names of the nodes that a value is computed by; None if there are too many."""
    found: set[str] = set()
    todo = [value]
    while todo:
        node = walk.by_name.get(each := todo.pop()) or walk.by_name.get(each.rpartition(".")[0])
        if node is None or node.name in found:
            continue
        found.add(node.name)
        todo += node.inputs
        if len(found) > _MOST_NODES:
            return None
    return found


def _rounds(walk: Walk, node: Node) -> bool:
    """Whether a strided window rounds its output sizes."""
    if not isinstance(node.op, Windowed) or not node.op.rounds:
        return False
    came, went = walk.types[node.inputs[0]].sizes, node.output.sizes
    rows = zip(came, went, node.op.strides, strict=True)
    return any(stride > 1 and size % stride for size, _, stride in rows)


def _shown(node: Node, before: Sequence[int], after: Sequence[int]) -> str:
    return (
        f"`{node.name}` (line {node.span.line}: {'×'.join(map(str, before))} → {'×'.join(map(str, after))})"
    )
