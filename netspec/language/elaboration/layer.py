"""One layer: turns the fields of an item into a node of the graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from netspec.dataclass import replace
from netspec.diagnostics import Span
from netspec.diagnostics.codes import shapes
from netspec.graph import Node
from netspec.language.document.fields import GivenFields, given_fields, has_expression, plainly, validated
from netspec.language.document.item import Item
from netspec.language.elaboration import sizes
from netspec.language.elaboration.arguments import measure
from netspec.language.elaboration.frame import OPEN, Frame, Referent, ValueName, join
from netspec.language.elaboration.held import numbers_of_file
from netspec.language.elaboration.lookup import find
from netspec.language.elaboration.search import Unfound, search
from netspec.language.elaboration.sharing import shared_layer
from netspec.language.elaboration.story import story
from netspec.language.elaboration.walk import Fitted, Walk
from netspec.language.expressions.expression import asks_for_size
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Listing, Scalar, Value
from netspec.ops import OPS
from netspec.ops.base import Misfit, Op, Weight
from netspec.ops.bounds import check_numbers
from netspec.ops.roles import assigned
from netspec.types import Type


def layer(
    walk: Walk,
    op: type[Op],
    item: Item,
    inputs: Sequence[ValueName],
    received: ValueName,
    frame: Frame,
    name: str,
    frozen: bool,
) -> ValueName:
    """Add the node of an item that calls an op; return its output, or BROKEN, with the reason reported.

    Args:
        inputs: the inputs of the op.
        received: the tensor that the item takes; before its branches, if it has any.
    """
    referent = frame.members[name] = Referent(join(frame.path, name), OPEN)
    referent.tensor = _added(walk, op, item, inputs, received, frame, name, frozen)
    return referent.tensor


def _added(
    walk: Walk,
    op: type[Op],
    item: Item,
    inputs: Sequence[ValueName],
    received: ValueName,
    frame: Frame,
    name: str,
    frozen: bool,
) -> ValueName:
    path = join(frame.path, name)
    op_written = frame.document.ready.get(item) or _worked_out(walk, op, item, received, frame)
    if op_written is None or any(isinstance(tensor, Missing) for tensor in inputs):
        return BROKEN
    types = tuple([walk.types[str(tensor)] for tensor in inputs])
    try:
        resolved, outputs, local, macs = _fitted(walk, op_written, types)
    except Misfit as misfit:
        _report(walk, misfit, item, frame, inputs, name)
        return BROKEN
    for doubt in (*resolved.doubts(), *_without_effect(resolved, item, frame)):
        place = _place(doubt.field, item, frame)
        walk.problems.warning(doubt.code, doubt.message, place, notes=doubt.notes, help=doubt.help)
    owner: Node | None = None
    if item.share is not None or frame.shares is not None:
        shared = shared_layer(walk, item, frame, name, resolved, types, local, frozen)
        if isinstance(shared, Missing):
            return BROKEN
        owner = shared
    node = Node(
        path,
        resolved,
        tuple([str(tensor) for tensor in inputs]),
        outputs,
        _named(local, path, frozen) if owner is None else owner.weights,
        frame.path,
        item.span,
        None if owner is None else owner.shares or owner.name,
        not frozen and (owner is None or owner.trainable),
        tuple([port.name for port in resolved.further()]),
        _like(walk, op, item, frame) if op.likes else None,
    )
    walk.add(node, macs)
    return node.name


def _fitted(walk: Walk, op: Op, types: tuple[Type, ...]) -> Fitted:
    """The op resolved for these inputs, with its outputs, weights and costs. Raises Misfit.

    The results are cached: repetitions, and items with equal values, have one op.
    """
    key = (id(op), types)
    known = walk.fitted.get(key)
    if known is None:
        resolved = op.resolve(types)
        outputs = resolved.outputs(types)
        weights = resolved.weights(types)
        known = Fitted(resolved, outputs, weights, check_numbers(resolved, types, outputs, weights))
        walk.fitted[key] = known
        walk.ops.append(op)  # while the op exists, no other op has its id
    return known


def _named(local: Sequence[Weight], path: str, frozen: bool) -> tuple[Weight, ...]:
    """The weights with their canonical names."""
    return tuple(
        [replace(each, name=f"{path}.{each.name}", trainable=each.trainable and not frozen) for each in local]
    )


def _worked_out(walk: Walk, op: type[Op], item: Item, received: ValueName, frame: Frame) -> Op | None:
    """The op as written, with evaluated expressions, not yet resolved for its input."""
    given = given_fields(op, item, frame.document)
    fields: dict[str, object] = {}
    for key, value in given.values.items():
        if has_expression(value):
            fields[key] = walk.work_out(value, _sight(walk, key in given.own, received, frame))
        else:
            fields[key] = plainly(value)
    for key, value in given.likes.items():
        fields[key] = _sizes(walk, value, frame, received)
    if any(value is BROKEN for value in fields.values()):
        return None
    for file, (member, field) in op.reads.items():
        if isinstance(fields.get(file), str) and field not in fields:
            del fields[file]
            name, written = fields.pop(member, None), given.values.get(member)
            fields[field] = numbers_of_file(walk, given.values[file], written, name, frame)
            if fields[field] is BROKEN:
                return None
    walk.spend(item.span, sum(measure(value) or 1 for value in fields.values() if isinstance(value, list)))

    def explain(field: str) -> tuple[str, ...]:
        return story(given.values.get(field), frame, _sight(walk, field in given.own, received, frame))

    # The types of the values count, too; the numbers of a file may be many. Which size is open depends on the item.
    values = None if op.reads else (item if op.opens else op, repr(fields))
    if values in walk.worked_out:
        return walk.worked_out[values]
    found = validated(op, fields, given, item.span, walk.problems, explain=explain)
    if found is None:
        return None
    opened = _opened(found, given)
    if values is not None:
        walk.worked_out[values] = opened
    return opened


def _opened(op: Op, given: GivenFields) -> Op:
    """The op that knows which size of a list follows from the others: the only one that asks for the size of a map.

    So a text does not state this size, and runs for another size of the input.
    """
    for field, rest in op.opens.items():
        value = given.values.get(field)
        items = value.items if isinstance(value, Listing) else ()
        asking = [at for at, each in enumerate(items) if isinstance(each, Scalar) and asks_for_size(each)]
        if len(asking) == 1:
            op = op.replace(**{rest: asking[0]})
    return op


def _sight(walk: Walk, own: bool, received: ValueName, frame: Frame) -> Callable[[], dict[str, object]]:
    """The names that the expressions of a field can use.

    A default is outside every block of its file, so its expressions can use only the names there.
    """
    return lambda: walk.sight(frame, received) if own else {**frame.parameters, "in": walk.sizes(received)}


def _sizes(walk: Walk, name: Value, frame: Frame, received: ValueName) -> object:
    """The spatial sizes of the layer with this name, for a map with as many axes, or for a vector.

    BROKEN if it is unknown, or has other axes, which is reported.
    """
    referents = find(walk, name, frame)
    if not referents or isinstance(referents[0].tensor, Missing):
        return BROKEN
    type_ = walk.types[referents[0].tensor]
    if not type_.spatial:
        walk.problems.error(
            shapes.RANK,
            f"`{plainly(name)}` is a vector, {type_}, which has no spatial sizes",
            name.span,
            help="name a layer that gives a map",
        )
        return BROKEN
    walk.sized.add(str(referents[0].tensor))
    axes = 0 if isinstance(received, Missing) else len(walk.types[received].spatial)
    if axes not in (0, len(type_.sizes)):
        walk.problems.error(
            shapes.AXES,
            f"`{plainly(name)}` is {type_}, with {_axes(len(type_.sizes))}, and this layer takes "
            f"{walk.types[str(received)]}, with {_axes(axes)}",
            name.span,
            help="name a layer with as many axes as the input",
        )
        return BROKEN
    return list(type_.sizes)


def _like(walk: Walk, op: type[Op], item: Item, frame: Frame) -> str | None:
    """The value whose sizes the op takes."""
    given = given_fields(op, item, frame.document).likes.values()
    return next((str(find(walk, name, frame)[0].tensor) for name in given), None)


def _axes(count: int) -> str:
    return "1 spatial axis" if count == 1 else f"{count} spatial axes"


def _report(
    walk: Walk, misfit: Misfit, item: Item, frame: Frame, inputs: Sequence[ValueName], name: str
) -> None:
    origins = [_line(walk.origins[str(tensor)], item.span) for tensor in inputs]
    notes = [note.replace("{source}", f" (from {origins[0]})") if origins else note for note in misfit.notes]
    if len({walk.types[str(tensor)] for tensor in inputs}) > 1:
        rows = zip(inputs, origins, strict=True)
        told = [f"{walk.types[str(tensor)]} comes from {origin}" for tensor, origin in rows]
        notes.insert(0, ", ".join(told[:6]))
    help_ = misfit.help
    if misfit.wanted:
        help_ = _named_outputs(walk, misfit, item, frame, inputs) or help_
    given = given_fields(OPS[item.keyword], item, frame.document)
    if misfit.code in (shapes.RANK, shapes.AXES) and help_ is not None and inputs:
        written = given.values.get(misfit.field or "")
        axes = len(written.items) if misfit.code is shapes.AXES and isinstance(written, Listing) else None
        help_ = _with_axes(walk, str(inputs[0]), item, help_, axes)
    if misfit.code is shapes.MERGE:
        why, better = sizes.explain(walk, item, inputs)
        notes += [why] if why else []
        help_ = better or help_
    if misfit.field is not None and help_ is not None:
        help_ = _as_written(help_, misfit.field, item, given)
    if misfit.field is not None:
        own, received = misfit.field in given.own, inputs[0] if inputs else BROKEN
        notes += story(given.values.get(misfit.field), frame, _sight(walk, own, received, frame))
    if frame.path:
        notes.append(f"the layer is `{join(frame.path, name)}`")
    walk.problems.error(misfit.code, misfit.message, _part(misfit, item, frame), notes=notes, help=help_)


def _named_outputs(
    walk: Walk, misfit: Misfit, item: Item, frame: Frame, inputs: Sequence[ValueName]
) -> str | None:
    """Advice to name further outputs of the layers in `from`, if those have the types that the op needs."""
    if not isinstance(item.source, Listing) or len(item.source.items) != len(inputs):
        return None
    op, types = OPS[item.keyword], [walk.types[str(tensor)] for tensor in inputs]
    texts, changed = [each.text if isinstance(each, Scalar) else "" for each in item.source.items], []
    for at, (role, type_) in enumerate(assigned(op.inputs, types)):
        wanted = misfit.wanted.get(role.name, type_)
        if type_ == wanted:
            continue
        try:
            named = search(f"{texts[at]}.{role.name}", frame, walk.by_name, item.span)
        except Unfound:
            return None
        if [walk.types.get(str(each.tensor)) for each in named] != [wanted]:
            return None
        texts[at] += f".{role.name}"
        changed.append(f"`{role.name}`")
    return f"name its {' and its '.join(changed)}: `from: [{', '.join(texts)}]`" if changed else None


def _with_axes(walk: Walk, tensor: str, item: Item, help: str, axes: int | None) -> str:
    """The help for a tensor of which a layer before it removed an axis: that layer can keep the axis.

    `axes` is the number of axes for which the item has values; None if the item only lacks one.
    """
    rank = len(walk.types[tensor].spatial)
    if rank >= (1 if axes is None else axes):
        return help
    while len(walk.types[tensor].spatial) == rank and (node := walk.by_name.get(tensor)) is not None:
        setting = node.op.to_keep_axes()
        before = len(walk.types[str(node.inputs[0])].spatial)
        if setting is not None and tensor == node.name and (axes is None or before == axes):
            line = _line(node.span, item.span)
            return (
                f"give the `{node.op.keyword}` of {line} `{setting}`: it then has an output at every position"
            )
        if len(node.inputs) != 1:
            break
        tensor = node.inputs[0]
    return help


def _as_written(help: str, field: str, item: Item, given: GivenFields) -> str:
    """The help in the form of the item: `max_pool: 8` if the item has a plain value."""
    value = given.values.get(field)
    if not isinstance(value, Scalar | Listing) or given.keys.get(field) != value.span:
        return help
    plain = value.text if isinstance(value, Scalar) else str(plainly(value))

    def rewritten(found: re.Match[str]) -> str:
        name, text = found.groups()
        if name == field:
            # In the plain form, a mapping would be one of fields.
            return found.group() if text.startswith("{") else f"`{item.keyword}: {text}`"
        if name in OPS[item.keyword].model_fields:
            return f"`{item.keyword}: {{{field}: {plain}, {name}: {text}}}`"
        return found.group()

    return re.sub(r"`(\w+): ([^`]*)`", rewritten, help)


def _line(origin: Span, here: Span) -> str:
    return f"line {origin.line}" if origin.file == here.file else f"{origin.file}:{origin.line}"


def _without_effect(op: Op, item: Item, frame: Frame) -> Iterator[Misfit]:
    """The fields of the item itself that have no effect; a default of the file is for other items, too."""
    if found := op.without_effect():
        own = given_fields(type(op), item, frame.document).own
        yield from (misfit for misfit in found if misfit.field in own)


def _part(misfit: Misfit, item: Item, frame: Frame) -> Span:
    """The place of what does not fit: the field, or a part of its text if that is written as it is read."""
    span = _place(misfit.field, item, frame)
    value = given_fields(OPS[item.keyword], item, frame.document).values.get(misfit.field or "")
    if misfit.part is None or not isinstance(value, Scalar) or not isinstance(value.value, str):
        return span
    quotes = 2 if value.quoted else 0
    if span.line != span.end_line or span.end_column - span.column != len(value.value) + quotes:
        return span
    first, (start, end) = span.column + quotes // 2, misfit.part
    return Span(span.file, span.line, first + start, span.line, first + end)


def _place(field: str | None, item: Item, frame: Frame) -> Span:
    """The place of the field that does not fit: in the item, in the file's defaults, or none."""
    given = given_fields(OPS[item.keyword], item, frame.document)
    if field in given.likes:
        return given.likes[field].span
    return given.values[field].span if field in given.values else item.span
