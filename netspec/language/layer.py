"""One layer: from an item's fields to a node of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from netspec.diagnostics import Span
from netspec.diagnostics.codes import shapes
from netspec.graph import Node
from netspec.language.expression import FAILED
from netspec.language.item import Item
from netspec.language.lookup import find
from netspec.language.validation import report
from netspec.language.values import Mapping, Scalar, Value, locate
from netspec.language.vocabulary import fields_of
from netspec.language.walk import BROKEN, Frame, Place, Tensor, Walk, has_expression, join
from netspec.ops import OPS
from netspec.ops.base import Misfit, Op, Weight


def layer(
    walk: Walk, op: type[Op], item: Item, inputs: Sequence[Tensor], frame: Frame, name: str, frozen: bool
) -> Tensor:
    """Add the node of an item that calls an op; its output, or BROKEN with the reason reported."""
    place = frame.members[name] = Place(join(frame.path, name), BROKEN)
    written = _fields(walk, op, item, inputs, frame)
    if written is None or BROKEN in inputs:
        return BROKEN
    types = tuple(walk.types[str(tensor)] for tensor in inputs)
    try:
        resolved = written.resolve(types)
        outputs = resolved.outputs(types)
    except Misfit as misfit:
        _report(walk, misfit, item, frame, inputs)
        return BROKEN
    local = resolved.weights(types)
    weights = [
        replace(each, name=f"{place.path}.{each.name}", trainable=each.trainable and not frozen)
        for each in local
    ]
    shared = _shared(walk, item, frame, name, local)
    if shared is BROKEN:
        return BROKEN
    owner = shared if isinstance(shared, Node) else None
    node = Node(
        place.path,
        resolved,
        tuple(str(tensor) for tensor in inputs),
        outputs,
        tuple(weights) if owner is None else owner.weights,
        frame.path,
        item.span,
        None if owner is None else owner.shares or owner.name,
        not frozen if owner is None else owner.trainable,
    )
    walk.add(node)
    place.tensor = node.name
    return node.name


def _fields(walk: Walk, op: type[Op], item: Item, inputs: Sequence[Tensor], frame: Frame) -> Op | None:
    """The op as written, its expressions calculated, its defaults put in; not yet fitted to its input."""
    known = walk.constants.get(id(item))
    if isinstance(known, Op):
        return known
    if isinstance(item.argument, Scalar) and op.main is None:
        return None  # no plain value belongs here: the vocabulary has told it
    values, keys = _values(op, item, frame)
    likes = _likes(walk, op, values, frame)
    if likes is None:
        return None
    current = inputs[0] if inputs else BROKEN
    fields = {key: walk.work_out(value, lambda: walk.sight(frame, current)) for key, value in values.items()}
    fields |= likes
    sound = {key: value for key, value in fields.items() if value is not FAILED}
    try:
        written = op.model_validate(sound)
    except ValidationError as error:
        # A field whose expression failed is missing here, and told already.
        failed = fields.keys() - sound.keys()
        report(error, f"`{op.keyword}`", fields_of(op), values, keys, item.span, walk.problems, skip=failed)
        return None
    if len(sound) < len(fields):
        return None
    if not likes and not any(has_expression(value) for value in values.values()):
        walk.constants[id(item)] = written
    return written


def _likes(walk: Walk, op: type[Op], values: dict[str, Value], frame: Frame) -> dict[str, object] | None:
    """For fields that name another layer, that layer's sizes; None when one is unknown."""
    sizes: dict[str, object] = {}
    for like, field in op.likes.items():
        if like not in values:
            continue
        places = find(walk, values.pop(like), frame)
        if not places or not isinstance(places[0].tensor, str):
            return None
        sizes[field] = list(walk.types[places[0].tensor].sizes)
    return sizes


def _values(op: type[Op], item: Item, frame: Frame) -> tuple[dict[str, Value], dict[str, Span]]:
    """The value of each field and the place of its key: the file's defaults, then the item's own."""
    values: dict[str, Value] = {}
    keys: dict[str, Span] = {}
    for given in (frame.document.defaults.get(op.keyword), item.argument):
        if isinstance(given, Mapping):
            for key, entry in given.entries.items():
                # Unknown ones are told by the check of the vocabulary, once for all calls.
                if key in fields_of(op):
                    values[key], keys[key] = entry.value, entry.key_span
        elif given is not None and op.main is not None and not op.merges:
            values[op.main], keys[op.main] = given, given.span
    return values, keys


def _report(walk: Walk, misfit: Misfit, item: Item, frame: Frame, inputs: Sequence[Tensor]) -> None:
    origin = walk.origins[str(inputs[0])]
    line = f"line {origin.line}" if origin.file == item.span.file else f"{origin.file}:{origin.line}"
    notes = [note.replace("{source}", f" (from {line})") for note in misfit.notes]
    walk.problems.error(
        misfit.code, misfit.message, _field_span(misfit.field, item, frame), notes=notes, help=misfit.help
    )


def _field_span(field: str | None, item: Item, frame: Frame) -> Span:
    """Where the field stands that does not fit: at the item, or in the file's defaults."""
    if field is None:
        return item.span
    for given in (item.argument, frame.document.defaults.get(item.keyword)):
        if isinstance(given, Mapping) and field in given.entries:
            return locate(given, (field,))
        if given is not None and not isinstance(given, Mapping) and not OPS[item.keyword].merges:
            return given.span
    return item.span


def _shared(walk: Walk, item: Item, frame: Frame, name: str, weights: Sequence[Weight]) -> Node | Tensor | None:
    """The node whose weights this layer uses, None for its own, BROKEN when it cannot be."""
    if item.share is not None:
        places = find(walk, item.share, frame)
        if not places:
            return BROKEN
        path, span = places[0].path, item.share.span
    elif frame.shares is not None:
        path, span = join(frame.shares, name), item.span
    else:
        return None
    owner = walk.by_name.get(path)
    wanted = [(weight.name, weight.shape) for weight in weights]
    held = [(owner.local(weight), weight.shape) for weight in owner.weights] if owner else None
    if owner is None or wanted != held:
        message = (
            f"`{path}` is no layer that has weights"
            if owner is None
            else f"the weights of `{path}` do not fit"
        )
        rows = [
            f"needed: {_listed(wanted)}",
            *([f"held by `{path}`: {_listed(held)}"] if held is not None else []),
        ]
        walk.problems.error(
            shapes.SHARE, message, span, notes=rows, help="both need the same fields and input channels"
        )
        return BROKEN
    return owner


def _listed(weights: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    return ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in weights) or "none"
