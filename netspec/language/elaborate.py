"""Document and parameters → Graph: blocks, repeats, includes and shapes, in one walk.

The type of a layer's input is known when the layer is reached; so an expression can speak of it, and an
error points at the line that causes it. What is fed by something broken stays quiet.
"""

from __future__ import annotations

from collections.abc import Mapping as Given
from collections.abc import Sequence
from dataclasses import replace

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Graph
from netspec.language import finish
from netspec.language.document import Block, Document, Head, Parameter
from netspec.language.embed import bind_inputs, embedded, inputs_of
from netspec.language.expression import FAILED, Failed, Unknown, is_expression
from netspec.language.item import GROUP, Item
from netspec.language.layer import layer
from netspec.language.library import Library
from netspec.language.lookup import find, sources
from netspec.language.validation import shown
from netspec.language.values import Mapping, Scalar, Value
from netspec.language.vocabulary import NETWORK
from netspec.language.walk import (
    ABSENT,
    BROKEN,
    Cut,
    Exceeded,
    Frame,
    Place,
    Tensor,
    Walk,
    join,
    whole,
)
from netspec.ops import OPS

NOWHERE = {
    "index": Unknown("`index` counts repetitions, and there is no `repeat` around this"),
    "block": Unknown("`block` is the block around, and there is none around this"),
}


def elaborate(
    document: Document, library: Library, problems: Problems, given: Given[str, object] | None = None
) -> Graph | None:
    """The graph of a document, or None when something is wrong; `problems` then says what.

    Args:
        given: values for parameters of the document, from outside. They must be parameters of it.
    """
    given = given or {}
    walk = Walk(problems, library)
    names = _parameters(walk, document.params, given, {}, "the spec", document.span)
    root = Frame("", None, document, {**names, **NOWHERE}, boundary=True)
    inputs = inputs_of(walk, document, root)
    bind_inputs(walk, root, inputs)
    current: Tensor = inputs[0].name if len(inputs) == 1 and not document.several else ABSENT
    if not inputs:
        current = BROKEN
    try:
        end = _items(walk, document.items, current, root)
        heads = [(head.name, _head(walk, head, end, root)) for head in document.heads]
    except Exceeded:
        return None
    return finish.graph(walk, document, root, inputs, end, heads, given)


def _items(walk: Walk, items: Sequence[Item], current: Tensor, frame: Frame) -> Tensor:
    """Walk a list of items; the tensor at its end."""
    for item in items:
        if item.name is not None and isinstance(item.name.value, str):
            frame.later.setdefault(item.name.value, item.name.span)
    for item in items:
        before = set(frame.members) if frame.until else None
        current = _item(walk, item, current, frame)
        if before is not None:
            _cut(frame, before)
    return current


def _cut(frame: Frame, before: set[str]) -> None:
    """Stop the embedded network once its last wanted layer is there."""
    assert frame.until is not None
    name, *rest = frame.until
    if not rest and name in frame.members and name not in before:
        raise Cut(frame.members[name].tensor)


def _item(walk: Walk, item: Item, current: Tensor, frame: Frame) -> Tensor:
    """One item, all its repetitions; the tensor after it."""
    walk.step(item.span)
    inputs = [current] if item.source is None else sources(walk, item.source, frame)
    if item.repeat is None:
        with walk.deeper(item.span):
            return _once(walk, item, inputs, current, frame, None)
    count = _value(walk, item.repeat, frame, inputs[0])
    if count is FAILED:
        return BROKEN
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        walk.problems.error(
            codes.REPEAT, f"`repeat` is a whole number from 0, not {shown(count)}", item.repeat.span
        )
        return BROKEN
    walk.step(item.repeat.span, count)
    return _repeat(walk, item, count, inputs, current, frame) if count else current


def _repeat(
    walk: Walk, item: Item, count: int, inputs: list[Tensor], current: Tensor, frame: Frame
) -> Tensor:
    name = walk.local_name(item, frame, _stem(item))
    inner = frame.inner(join(frame.path, name), until=_below(frame, name))
    place = frame.members[name] = Place(inner.path, BROKEN, inner.members)
    with walk.scope(inner, "repeat", inputs, item.span, place):
        first, *others = inputs
        for index in range(count):
            inner.names = {**frame.names, "index": index}
            with walk.once(), walk.deeper(item.span):
                first = _once(walk, item, [first, *others], first, inner, str(index))
            _cut_if_reached(inner, str(index))
        place.tensor = first
    return place.tensor


def _below(frame: Frame, name: str) -> tuple[str, ...] | None:
    """What is left of `until` inside a scope of this name."""
    return frame.until[1:] if frame.until and len(frame.until) > 1 and frame.until[0] == name else None


def _cut_if_reached(frame: Frame, name: str) -> None:
    if frame.until == (name,) and name in frame.members:
        raise Cut(frame.members[name].tensor)


def _stem(item: Item) -> str:
    return "group" if item.keyword == GROUP else item.keyword


def _once(
    walk: Walk, item: Item, inputs: list[Tensor], current: Tensor, frame: Frame, local: str | None
) -> Tensor:
    """An item, once. `local` is its name when it is a repetition."""
    if item.when is not None:
        holds = _flag(walk, item.when, "when", frame, inputs[0])
        if holds is None:
            return BROKEN
        if not holds:
            return _otherwise(walk, item, inputs, current, frame, local)
    frozen = frame.frozen
    if item.trainable is not None:
        trainable = _flag(walk, item.trainable, "trainable", frame, inputs[0])
        frozen = frozen or trainable is False
    if item.keyword == GROUP:
        return _group(walk, item, item.items, inputs, frame, local, frozen)
    if item.keyword in OPS:
        return _op(walk, item, inputs, frame, local, frozen)
    if item.keyword in frame.document.blocks:
        return _block(walk, item, inputs, frame, local, frozen)
    if item.keyword == NETWORK:
        return _network(walk, item, inputs, frame, local, frozen)
    if item.name is not None:
        frame.members[str(item.name.value)] = Place("", BROKEN)
    return BROKEN  # unknown, and told by the check of the vocabulary


def _otherwise(
    walk: Walk, item: Item, inputs: list[Tensor], current: Tensor, frame: Frame, local: str | None
) -> Tensor:
    if item.otherwise is None:
        if item.name is not None and local is None:
            frame.members[str(item.name.value)] = Place("", current)
        return current
    return _group(walk, item, item.otherwise, inputs, frame, local, frame.frozen)


def _group(
    walk: Walk,
    item: Item,
    items: Sequence[Item],
    inputs: list[Tensor],
    frame: Frame,
    local: str | None,
    frozen: bool,
) -> Tensor:
    """Items in a row: a scope of its own when it has a name, else a part of the scope around."""
    if item.share is not None:
        walk.problems.error(
            codes.UNKNOWN_KEY,
            "a group cannot `share`",
            item.share.span,
            help="make a block of it, and call it twice",
        )
    if len(inputs) > 1:
        _report_count(walk, item, "a group", len(inputs))
        return BROKEN
    if local is None and item.name is None:
        same = replace(frame, frozen=frozen)
        return _items(walk, items, inputs[0], same)
    name = local if local is not None else walk.local_name(item, frame, "group")
    inner = frame.inner(join(frame.path, name), frozen=frozen, until=_below(frame, name))
    place = frame.members[name] = Place(inner.path, BROKEN, inner.members)
    with walk.scope(inner, "group", inputs, item.span, place):
        place.tensor = _items(walk, items, inputs[0], inner)
    return place.tensor


def _op(
    walk: Walk, item: Item, inputs: list[Tensor], frame: Frame, local: str | None, frozen: bool
) -> Tensor:
    op = OPS[item.keyword]
    name = local if local is not None else walk.local_name(item, frame, item.keyword)
    if op.merges and item.branches is not None:
        inputs = [_items(walk, branch, inputs[0], frame) for branch in item.branches]
    elif op.merges and item.source is None:
        inputs = [BROKEN]  # nothing to join: the vocabulary has told it
    elif not op.merges and len(inputs) > 1:
        _report_count(walk, item, f"`{item.keyword}`", len(inputs))
        inputs = [BROKEN]
    if ABSENT in inputs:
        _report_absent(walk, item)
        inputs = [BROKEN]
    return layer(walk, op, item, inputs, frame, name, frozen)


def _report_absent(walk: Walk, item: Item) -> None:
    walk.problems.error(
        codes.NO_CURRENT,
        "there is no current tensor: with several `inputs` the first item states its `from`",
        item.span,
        help="add `from: …` with the name of an input",
    )


def _report_count(walk: Walk, item: Item, what: str, count: int) -> None:
    span = item.span if item.source is None else item.source.span
    walk.problems.error(
        shapes.INPUT_COUNT,
        f"{what} takes one input; `from` names {count}",
        span,
        help="join them first: `concat` or `add`",
    )


def _block(
    walk: Walk, item: Item, inputs: list[Tensor], frame: Frame, local: str | None, frozen: bool
) -> Tensor:
    block = frame.document.blocks[item.keyword]
    name = local if local is not None else walk.local_name(item, frame, block.name)
    place = frame.members[name] = Place(join(frame.path, name), BROKEN)
    if block in walk.calls:
        walk.problems.error(
            codes.RECURSION,
            f"the block `{block.name}` contains itself",
            item.span,
            help="use `repeat` to repeat layers",
        )
        return BROKEN
    if ABSENT in inputs:
        _report_absent(walk, item)
        inputs = [BROKEN]
    wanted = block.inputs or ("",)
    if len(inputs) != len(wanted):
        _report_block_inputs(walk, item, block, len(inputs))
        return BROKEN
    arguments = _arguments(walk, block.params, item, inputs[0], frame, f"the block `{block.name}`")
    if arguments is None:
        return BROKEN
    shares = _shared_scope(walk, item, frame, name)
    if shares is BROKEN:
        return BROKEN
    seen = {
        **_file_parameters(walk, block.document, frame),
        **NOWHERE,
        **arguments,
        "block": {"in": walk.sizes(inputs[0])},
    }
    inner = frame.inner(
        place.path, document=block.document, names=seen, boundary=True, frozen=frozen, shares=shares,
        until=_below(frame, name),
    )  # fmt: skip
    place.members = inner.members
    for own, tensor in zip(block.inputs, inputs, strict=False):
        inner.members[own] = Place(str(tensor), tensor)
    details = {"definition": block.name, "arguments": tuple(arguments.items()), "shares": shares}
    walk.calls.append(block)
    try:
        with walk.scope(inner, "block", inputs, item.span, place, **details), walk.once():
            place.tensor = _items(walk, block.items, inputs[0], inner)
    finally:
        walk.calls.pop()
    return place.tensor


def _file_parameters(walk: Walk, document: Document, frame: Frame) -> dict[str, object]:
    """The parameters of the file in which a block stands; a file of blocks has none."""
    root: Frame | None = frame
    while (
        root is not None and not (root.document is document and root.parent is None) and not root.is_network
    ):
        root = root.parent
    if root is None or root.document is not document:
        return {}
    return {key: value for key, value in root.names.items() if key not in NOWHERE}


def _report_block_inputs(walk: Walk, item: Item, block: Block, count: int) -> None:
    names = ", ".join(block.inputs) or "the current tensor"
    wanted = len(block.inputs) or 1
    walk.problems.error(
        codes.BLOCK_INPUTS,
        f"the block `{block.name}` takes {wanted} ({names}), and is given {count}",
        item.span if item.source is None else item.source.span,
        help=f"write `from: [{', '.join('…' for _ in range(wanted))}]` beside it",
    )


def _arguments(
    walk: Walk, params: Sequence[Parameter], item: Item, current: Tensor, frame: Frame, owner: str
) -> dict[str, object] | None:
    """The parameters of a block for one call; None when one failed."""
    written: dict[str, Value] = {}
    if isinstance(item.argument, Mapping):
        written = {key: entry.value for key, entry in item.argument.entries.items()}
    elif item.argument is not None and len(params) == 1:
        written = {params[0].name: item.argument}
    given: dict[str, object] = {}
    for key, value in written.items():
        given[key] = walk.work_out(value, lambda: walk.sight(frame, current))
    if any(value is FAILED for value in given.values()):
        return None
    arguments = _parameters(walk, params, given, frame.names, owner, item.span)
    return None if any(isinstance(value, Unknown) for value in arguments.values()) else arguments


def _parameters(
    walk: Walk,
    params: Sequence[Parameter],
    given: Given[str, object],
    names: Given[str, object],
    owner: str,
    span: Span,
) -> dict[str, object]:
    """The values of parameters: given, else by default, which may use earlier ones. What fails is Unknown."""
    values: dict[str, object] = {}
    for parameter in params:
        if parameter.name in given:
            values[parameter.name] = whole(given[parameter.name])
            continue
        if parameter.default is None:
            walk.problems.error(
                codes.MISSING, f"{owner} needs `{parameter.name}`", span, help=f"give `{parameter.name}: …`"
            )
            values[parameter.name] = Unknown(None)
            continue
        value = walk.work_out(parameter.default, lambda: {**names, **values})
        values[parameter.name] = Unknown(None) if value is FAILED else _sound(walk, value, parameter)
    return values


def _sound(walk: Walk, value: object, parameter: Parameter) -> object:
    """A parameter is a number, a boolean, a word, or a list of them."""
    parts = value if isinstance(value, list) else [value]
    for part in parts:
        flat = part if isinstance(part, list) else [part]
        if any(
            each is None or isinstance(each, dict) or each != each or each in (float("inf"), float("-inf"))
            for each in flat
        ):
            span = parameter.span if parameter.default is None else parameter.default.span
            walk.problems.error(
                codes.WRONG_VALUE,
                f"the parameter `{parameter.name}` is a finite number, a boolean, a word or a list of them",
                span,
            )
            return Unknown(None)
    return value


def _shared_scope(walk: Walk, item: Item, frame: Frame, name: str) -> str | Tensor | None:
    """The path of the block whose weights this call uses, if it shares."""
    if item.share is None:
        return None if frame.shares is None else join(frame.shares, name)
    places = find(walk, item.share, frame)
    if not places:
        return BROKEN
    if not places[0].is_scope:
        walk.problems.error(
            shapes.SHARE,
            f"`{item.share.text}` is no block; a block shares with a call of the same block",
            item.share.span,
            help="name an earlier call of the block",
        )
        return BROKEN
    return places[0].path


def _network(
    walk: Walk, item: Item, inputs: list[Tensor], frame: Frame, local: str | None, frozen: bool
) -> Tensor:
    name = local if local is not None else walk.local_name(item, frame, NETWORK)
    place = frame.members[name] = Place(join(frame.path, name), BROKEN)
    if ABSENT in inputs:
        _report_absent(walk, item)
        inputs = [BROKEN]
    network = embedded(walk, item, frame)
    if network is None:
        return BROKEN
    document = network.document
    given = {}
    for key, value in network.params.items():
        given[key] = walk.work_out(value, lambda: walk.sight(frame, inputs[0]))
    if any(value is FAILED for value in given.values()):
        return BROKEN
    shares = _shared_scope(walk, item, frame, name)
    if shares is BROKEN:
        return BROKEN
    names = _parameters(walk, document.params, given, {}, f"the network `{document.name}`", item.span)
    inner = frame.inner(
        place.path, document=document, names={**names, **NOWHERE}, boundary=True, frozen=frozen, shares=shares,
        is_network=True, until=network.until,
    )  # fmt: skip
    place.members = inner.members
    if not network.take(walk, inner, inputs, item):
        return BROKEN
    details = {"definition": document.name, "arguments": tuple(names.items()), "shares": shares}
    walk.calls.append(document)
    try:
        with walk.scope(inner, "network", inputs, item.span, place, **details), walk.once():
            current = inputs[0] if len(document.inputs) == 1 and not document.several else ABSENT
            place.tensor = _items(walk, document.items, current, inner)
            if network.until is not None:
                network.report_until(walk, inner)
                place.tensor = BROKEN
    except Cut as cut:
        walk.cut.append(place.path)
        place.tensor = cut.tensor
    finally:
        walk.calls.pop()
    if network.weights is not None:
        walk.pretrained.append((place.path, network.weights))
    return place.tensor


def _head(walk: Walk, head: Head, end: Tensor, root: Frame) -> Tensor:
    """A further output of the network: a scope that starts at a name, or at the end."""
    inputs = [end] if head.source is None else sources(walk, head.source, root)
    inner = root.inner(head.name)
    if head.name in root.members:
        walk.problems.error(
            codes.NAME_TWICE,
            f"a layer is called `{head.name}` already",
            head.span,
            help="rename one of the two",
        )
        return BROKEN
    place = root.members[head.name] = Place(head.name, BROKEN, inner.members)
    if len(inputs) > 1:
        walk.problems.error(codes.WRONG_VALUE, "a head starts from one layer", head.span)
        return BROKEN
    with walk.scope(inner, "head", inputs, head.span, place):
        place.tensor = _items(walk, head.items, inputs[0], inner)
    return place.tensor


def _value(walk: Walk, scalar: Scalar, frame: Frame, current: Tensor) -> object | Failed:
    return walk.work_out(scalar, lambda: walk.sight(frame, current))


def _flag(walk: Walk, scalar: Scalar, key: str, frame: Frame, current: Tensor) -> bool | None:
    """The truth of `when` or `trainable`; None when it failed."""
    value = _value(walk, scalar, frame, current)
    if value is FAILED:
        return None
    if isinstance(value, bool):
        return value
    walk.problems.error(
        codes.WRONG_VALUE,
        f"`{key}` is true or false, not {shown(value)}",
        scalar.span,
        help=f'write a comparison: `{key}: "${{stride > 1}}"`' if is_expression(scalar) else None,
    )
    return None
