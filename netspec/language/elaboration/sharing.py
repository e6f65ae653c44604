"""`share`: the weights that a layer, or a call of a block, uses."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.dataclass import replace
from netspec.diagnostics.codes import shapes
from netspec.graph import Node
from netspec.language.document.item import Item
from netspec.language.elaboration.frame import Frame, Referent, join
from netspec.language.elaboration.lookup import find
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.ops.base import Inputs, Misfit, Op, Weight


def shared_scope(walk: Walk, item: Item, frame: Frame, inner: Frame) -> str | Missing | None:
    """The path of the call whose weights this call uses; the scope of this call is `inner`.

    None for its own weights, BROKEN if sharing is impossible.
    """
    if item.share is None:
        return inner.shares
    referent = _one(walk, item, frame)
    if referent is None:
        return BROKEN
    mine = frame.members[inner.path.rpartition(".")[2]]
    if referent.definition is not mine.definition:
        walk.problems.error(
            shapes.SHARE,
            f"`{item.share.text}` is not a call of `{item.keyword}`; a block shares with a call of the same block",
            item.share.span,
            notes=_absent(referent),
            help=_repetition(item.share.text, referent) or "name an earlier call of the block",
        )
        return BROKEN
    # Of three calls that share weights, the first is the owner, also if the third names the second.
    inside = f"{frame.path}." if frame.path else ""
    return referent.shares if referent.shares and referent.shares.startswith(inside) else referent.path


def shared_layer(
    walk: Walk,
    item: Item,
    frame: Frame,
    name: str,
    op: Op,
    inputs: Inputs,
    weights: Sequence[Weight],
    frozen: bool,
) -> Node | Missing | None:
    """The node whose weights this layer uses; None for its own, BROKEN if sharing is impossible.

    Args:
        op: the op of the layer, resolved for `inputs`, with its own `weights`.
    """
    if item.share is not None:
        referent = _one(walk, item, frame)
        if referent is None:
            return BROKEN
        path, span, absent = referent.path, item.share.span, _absent(referent)
        advice = _repetition(item.share.text, referent)
    elif frame.shares is not None:
        path, span, absent, advice = join(frame.shares, name), frame.shared_at or item.span, (), None
        if not weights and path not in walk.by_name:
            return None
    else:
        return None
    owner = walk.by_name.get(path)
    if owner is None or (item.share is not None and not owner.weights):
        walk.problems.error(
            shapes.SHARE,
            f"`{path}` is not a layer with weights",
            span,
            notes=[*absent, *([f"`{join(frame.path, name)}` needs {_listed(weights)}"] if weights else [])],
            help=advice or "name a layer with weights; `share` beside a block takes a call of that block",
        )
        return BROKEN
    held = [replace(weight, name=owner.local(weight)) for weight in owner.weights]
    if _shapes(weights) != _shapes(held):
        # In a call that shares, the fields are those of the block, which other calls have, too.
        fields = _other_fields(op, inputs, held) if item.share is not None else None
        own = join(frame.path, name)
        walk.problems.error(
            shapes.SHARE,
            f"the weights of `{owner.name}` do not fit `{own}`",
            span,
            notes=[f"needed: {_listed(weights)}", f"in `{owner.name}`: {_listed(held)}"],
            help=f"give `{own}` {fields}" if fields else "both need the same fields and input channels",
        )
        return BROKEN
    if frozen and owner.trainable and weights:
        walk.problems.error(
            shapes.SHARE,
            f"`{owner.name}` is trainable, so a layer that uses its weights cannot be frozen",
            span,
            help=f"also put `trainable: false` beside `{owner.local_name}`, or remove it here",
        )
        return BROKEN
    return owner


def _absent(referent: Referent) -> tuple[str, ...]:
    """A note on an item that is left out."""
    return () if referent.left_out is None else (f"`{referent.path}` is left out: {referent.left_out}",)


def _repetition(text: str, referent: Referent) -> str | None:
    """Advice for the name of a repeat, whose repetitions have weights each."""
    return f"write `{text}.0` for its first repetition" if "0" in referent.members else None


def _other_fields(op: Op, inputs: Inputs, held: Sequence[Weight]) -> str | None:
    """The width and the bias with which the op has these weights; None if these two fields are not all that differs.

    An embedding, for example, has no bias, and as many rows as its vocabulary.
    """
    sizes = dict.fromkeys(size for weight in held for size in weight.shape)
    widths = [] if op.width is None else [{op.width: size} for size in sizes]
    bias_now = getattr(op, "bias", None)
    biases = [{"bias": not bias_now}] if isinstance(bias_now, bool) else []
    for bias in ({}, *biases):
        for width in ({}, *widths):
            changed = {**width, **bias}
            try:
                weights = op.replace(**changed).resolve(inputs).weights(inputs)
            except Misfit:
                continue
            if _shapes(weights) == _shapes(held):
                return " and ".join(f"`{field}: {str(value).lower()}`" for field, value in changed.items())
    return None


def _one(walk: Walk, item: Item, frame: Frame) -> Referent | None:
    """The referent of `share`, or None, which is reported."""
    assert item.share is not None
    referents = find(walk, item.share, frame)
    if len(referents) > 1:
        walk.problems.error(
            shapes.SHARE,
            f"`{item.share.text}` names {len(referents)} layers, but `share` takes the weights of one",
            item.share.span,
            help="name one repetition by its number, from 0",
        )
    return referents[0] if len(referents) == 1 and referents[0].tensor is not BROKEN else None


def _shapes(weights: Sequence[Weight]) -> list[tuple[str, tuple[int, ...]]]:
    return [(weight.name, weight.shape) for weight in weights]


def _listed(weights: Sequence[Weight]) -> str:
    shown = [f"{name} {'×'.join(map(str, shape))}" for name, shape in _shapes(weights)]
    return ", ".join(shown) or "none"
