"""Document and parameters → Graph: blocks, repeats, includes and shapes, in one walk.

The type of a layer's input is known when the walk reaches the layer. So an expression can use it, and an error points
at the line that causes it. Items that depend on a broken item are not reported.
"""

from __future__ import annotations

from collections.abc import Mapping as Given
from collections.abc import Sequence
from contextlib import closing

from netspec.dataclass import replace
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Graph
from netspec.language.document.declarations import Document, Head
from netspec.language.document.fields import has_expression
from netspec.language.document.item import GROUP, Item
from netspec.language.document.library import Library
from netspec.language.document.naming import NETWORK
from netspec.language.document.validation import shown
from netspec.language.elaboration import finish
from netspec.language.elaboration.arguments import parameters
from netspec.language.elaboration.calls import (
    Opened,
    block_of,
    block_scope,
    given_back,
    network_of,
    network_scope,
    opened,
    report_no_tensor,
    without_none,
)
from netspec.language.elaboration.embed import bind_inputs, inputs_of, warn_of_layout
from netspec.language.elaboration.frame import (
    IN_SPEC,
    NO_TENSOR,
    NOWHERE,
    OPEN,
    Frame,
    Referent,
    UntilReached,
    ValueName,
    join,
)
from netspec.language.elaboration.layer import layer
from netspec.language.elaboration.lookup import sources
from netspec.language.elaboration.naming import automatic, local_name, own_name
from netspec.language.elaboration.rounds import CarriedInputs, rounds_of
from netspec.language.elaboration.story import story
from netspec.language.elaboration.walk import Exceeded, Walk
from netspec.language.expressions.expression import can_be_calculated, is_expression
from netspec.language.expressions.missing import BROKEN
from netspec.language.reading.scalars import boolean
from netspec.language.reading.values import Scalar
from netspec.ops import OPS


def elaborate(
    document: Document, library: Library, problems: Problems, given: Given[str, object] | None = None
) -> Graph | None:
    """The graph of a document, or None if it is wrong (`problems` says why).

    Args:
        given: values for parameters of the document; the parameters must exist.
    """
    given = given or {}
    walk = Walk(problems, library)
    try:
        return _walked(walk, document, given)
    except Exceeded:
        return None


def _walked(walk: Walk, document: Document, given: Given[str, object]) -> Graph | None:
    root = Frame("", None, document, {}, document.items, boundary=True, is_root=True)
    names = parameters(walk, document.params, given, IN_SPEC, "the spec", bindings=root.bindings)
    root.names = {**names, **NOWHERE}
    walk.open_documents.append(document)
    inputs = inputs_of(walk, document, root)
    bind_inputs(walk, root, inputs)
    current: ValueName = inputs[0].name if inputs else BROKEN
    end = _items(walk, document.items, NO_TENSOR if inputs and document.several else current, root)
    heads = [(head.name, _head(walk, head, end, root)) for head in document.heads]
    warn_of_layout(walk, inputs)
    return finish.graph(walk, document, root, inputs, end, heads, given)


def _items(walk: Walk, items: Sequence[Item], current: ValueName, frame: Frame) -> ValueName:
    """Walk a list of items; return the tensor at its end."""
    if not items:
        return current
    walk.enter(items[0].span)
    try:
        for item in items:
            current = _item(walk, item, current, frame)
            if frame.until:
                _cut(frame)
    finally:
        walk.leave()
    return current


def _cut(frame: Frame) -> None:
    """End the enclosing embedded network when its last layer is reached."""
    for until in frame.until:
        found = frame.members.get(until.names[0])
        if len(until.names) == 1 and found is not None and found.tensor is not OPEN:
            raise UntilReached(until.referent, found.tensor)


def _item(walk: Walk, item: Item, current: ValueName, frame: Frame) -> ValueName:
    """Walk one item with all its repetitions; return the tensor after it."""
    walk.step(item.span)
    wrong = item in frame.document.wrong
    inputs = [current]
    if item.source is not None and not (wrong and (has_expression(item.source) or item.is_name)):
        inputs = sources(walk, item.source, frame)
    if wrong:
        return _wrong(walk, item, inputs[0], frame)
    if item.repeat is None:
        return _once(walk, item, inputs, current, frame, None)
    rounds = rounds_of(walk, item, inputs, frame)
    if rounds is None:
        return _broken(walk, item, frame, None)
    count = walk.work_out(item.repeat, lambda: walk.sight(frame, inputs[0]))
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        if count is not BROKEN:
            walk.problems.error(
                codes.REPEAT,
                f"`repeat` must be a whole number from 0, not {shown(count)}",
                item.repeat.span,
                notes=story(item.repeat, frame, lambda: walk.sight(frame, inputs[0])),
                help="`when` leaves an item out"
                if isinstance(count, bool)
                else "write the number of repetitions, such as `repeat: 3`",
            )
        return _broken(walk, item, frame, None)
    walk.step(item.repeat.span, count)
    if not count:
        return _left_out(walk, item, current, frame, rounds)
    return _repeat(walk, item, count, rounds, current, frame)


def _wrong(walk: Walk, item: Item, current: ValueName, frame: Frame) -> ValueName:
    """Walk the branches of an item whose own words are refused."""
    # A block with the name of an op takes arguments: they are not branches, and were not checked as items.
    if item.repeat is None and item.keyword in OPS and item.keyword not in frame.document.blocks:
        for branch in item.branches or ():
            _items(walk, branch, current, frame)
    return _broken(walk, item, frame, None)


def _broken(walk: Walk, item: Item, frame: Frame, local: str | None) -> ValueName:
    """Define the name of the item as broken; the reason is reported."""
    if local is None and not has_expression(item.name):
        local = local_name(walk, item, frame, _stem(item))
    if local is not None:
        frame.members[local] = Referent(join(frame.path, local), BROKEN)
    return BROKEN


def _left_out(
    walk: Walk, item: Item, current: ValueName, frame: Frame, rounds: CarriedInputs | None = None
) -> ValueName:
    """Define the name of an item that is left out: it stands for the tensor that passes it."""
    if item.name is not None and (name := own_name(walk, item.name, frame)):
        path = join(frame.path, name)
        outputs = rounds.outputs(path, current) if rounds else {}
        why = "its `repeat` is 0" if rounds else "its `when` is false"
        frame.members[name] = Referent(path, current, outputs=outputs, left_out=f"{why} here")
    return current


def _repeat(
    walk: Walk, item: Item, count: int, rounds: CarriedInputs, current: ValueName, frame: Frame
) -> ValueName:
    """Walk the repetitions of an item; return the tensor after the last one."""
    name = local_name(walk, item, frame, _stem(item))
    inner = frame.inner(name, (), frame.frozen)
    referent = frame.members[name] = Referent(inner.path, OPEN, inner.members)
    with walk.scope(inner, "repeat", rounds.inputs, item.span, referent), walk.repeating(count):
        for index in range(count):
            inner.names, inner.index = {**frame.names, "index": index}, index
            with walk.once():
                after = _once(walk, item, rounds.inputs, current, inner, str(index))
                repetition = inner.members.get(str(index))
                if repetition is not None:
                    # One that is left out changes nothing: the next one takes the same inputs.
                    current = after
                    if index < count - 1:
                        rounds.pass_on(repetition, index)
                    rounds.last = repetition
            if inner.until:
                _cut(inner)
        referent.tensor, referent.outputs = current, rounds.outputs(inner.path, current)
        if rounds.last is None:
            referent.left_out = "its `when` is false in every repetition"
    if (last := rounds.last_repetition()) is not None:
        walk.last_repetitions.append(last)
    return current


def _stem(item: Item) -> str:
    return "group" if item.keyword == GROUP else item.keyword


def _once(
    walk: Walk, item: Item, inputs: list[ValueName], current: ValueName, frame: Frame, local: str | None
) -> ValueName:
    """Walk one repetition of an item. `local` is its name if the item is repeated."""
    frozen = frame.frozen
    if item.trainable is not None:
        trainable = _flag(walk, item.trainable, "trainable", frame, inputs[0])
        if trainable is None:
            return _broken(walk, item, frame, local)
        frozen = frozen or not trainable
    holds = item.when is None or _flag(walk, item.when, "when", frame, inputs[0])
    if holds is None:
        return _broken(walk, item, frame, local)
    if not holds and item.otherwise is None:
        return current if local is not None else _left_out(walk, item, current, frame)
    inputs = without_none(walk, inputs, item.source, frame)
    if not holds:
        if len(inputs) > 1:
            _report_otherwise(walk, item, len(inputs))
            return _broken(walk, item, frame, local)
        return _group(walk, item, item.otherwise or (), inputs, frame, local, frozen)
    if item.keyword == GROUP:
        return _group(walk, item, item.items, inputs, frame, local, frozen)
    if item.keyword in frame.document.blocks:
        name = local or local_name(walk, item, frame, item.keyword)
        return _block(opened(walk, item, inputs, frame, name, frozen))
    if item.keyword == NETWORK:
        name = local or local_name(walk, item, frame, NETWORK)
        return _network(opened(walk, item, inputs, frame, name, frozen))
    return _op(walk, item, inputs, frame, local, frozen)


def _block(call: Opened) -> ValueName:
    """Walk a block for one call; return the tensor at its end."""
    with closing(call):
        if (block := block_of(call)) is not None:
            with block_scope(call, block):
                end = _items(call.walk, block.items, call.inputs[0], call.inner)
                call.referent.tensor, call.referent.outputs = given_back(call, block, end)
    return call.referent.tensor


def _network(call: Opened) -> ValueName:
    """Walk an embedded network, up to `until`; return the tensor at its end."""
    with closing(call):
        if (network := network_of(call)) is not None:
            with network_scope(call, network):
                current = NO_TENSOR if network.document.several else call.inputs[0]
                call.referent.tensor = _items(call.walk, network.document.items, current, call.inner)
    return call.referent.tensor


def _group(
    walk: Walk,
    item: Item,
    items: Sequence[Item],
    inputs: list[ValueName],
    frame: Frame,
    local: str | None,
    frozen: bool,
) -> ValueName:
    """Walk a group: a separate scope if it has a name, else a part of the enclosing scope."""
    if len(inputs) > 1:
        _report_count(walk, item, "a group", len(inputs))
        return _broken(walk, item, frame, local)
    if local is None and item.name is None:
        return _items(
            walk, items, inputs[0], frame if frozen == frame.frozen else replace(frame, frozen=frozen)
        )
    name = local if local is not None else local_name(walk, item, frame, "group")
    inner = frame.inner(name, items, frozen)
    referent = frame.members[name] = Referent(inner.path, OPEN, inner.members)
    with walk.scope(inner, "group", inputs, item.span, referent):
        referent.tensor = _items(walk, items, inputs[0], inner)
    return referent.tensor


def _op(
    walk: Walk, item: Item, inputs: list[ValueName], frame: Frame, local: str | None, frozen: bool
) -> ValueName:
    if local is not None and any(item.branches or ()):
        return _repeated_merge(walk, item, inputs, frame, local, frozen)
    name = local if local is not None else local_name(walk, item, frame, item.keyword)
    return _named_op(walk, item, inputs, frame, name, frozen)


def _repeated_merge(
    walk: Walk, item: Item, inputs: list[ValueName], frame: Frame, local: str, frozen: bool
) -> ValueName:
    """Open the scope of one repetition of a merge, with the layers in its branches and the merge after them."""
    inner = frame.inner(local, [each for branch in item.branches or () for each in branch], frozen)
    referent = frame.members[local] = Referent(inner.path, OPEN, inner.members)
    with walk.scope(inner, "group", inputs, item.span, referent):
        referent.tensor = _named_op(walk, item, inputs, inner, automatic(walk, inner, item.keyword), frozen)
        if inner.until:
            _cut(inner)
    return referent.tensor


def _named_op(
    walk: Walk, item: Item, inputs: list[ValueName], frame: Frame, name: str, frozen: bool
) -> ValueName:
    op = OPS[item.keyword]
    received = inputs[0]
    if op.merges and item.branches is not None:
        # The name is already in use in its own branches, but is not defined there yet.
        frame.members[name] = Referent(join(frame.path, name), OPEN)
        try:
            inputs = [each for branch in item.branches for each in _branch(walk, branch, received, frame)]
        except UntilReached:
            del frame.members[name]  # a network that ends in a branch has no such layer
            raise
    elif not op.merges and not op.takes(len(inputs)):
        misfit = op.miscount(len(inputs))
        if BROKEN not in inputs:
            walk.problems.error(misfit.code, misfit.message, _source(item), help=misfit.help)
        inputs = [BROKEN]
    if NO_TENSOR in inputs:
        inputs = report_no_tensor(walk, item, frame)
    return layer(walk, op, item, inputs, received, frame, name, frozen)


def _branch(walk: Walk, branch: Sequence[Item], received: ValueName, frame: Frame) -> list[ValueName]:
    """The tensor at the end of a branch; several if the branch is a path of names with a `*`."""
    if len(branch) == 1 and branch[0].is_name and branch[0].source is not None:
        return without_none(walk, sources(walk, branch[0].source, frame), branch[0].source, frame)
    return [_items(walk, branch, received, frame)]


def _report_count(walk: Walk, item: Item, what: str, count: int) -> None:
    walk.problems.error(
        shapes.INPUT_COUNT,
        f"{what} takes one input; `from` names {count}",
        _source(item),
        help="merge them first, with `concat` or `add`",
    )


def _report_otherwise(walk: Walk, item: Item, count: int) -> None:
    """Report several inputs of the items in `else`, of which the first could take only one."""
    assert item.when is not None
    opposite = item.when.text.strip()
    opposite = (
        opposite[2:-1] if is_expression(item.when) and opposite.startswith("${") else opposite.lstrip("$")
    )
    repeated = "" if item.repeat is None else ", in a block with the same inputs and outputs, and repeat that"
    walk.problems.error(
        shapes.INPUT_COUNT,
        f"the items in `else` take one input; `from` names {count}",
        _source(item),
        help="write them as an item of its own, `layers: […]`, with its own `from` and the opposite condition, "
        f'`when: "${{not ({opposite})}}"`{repeated}',
    )


def _source(item: Item) -> Span:
    """The place at which an item states its input."""
    return item.span if item.source is None else item.source.span


def _head(walk: Walk, head: Head, end: ValueName, root: Frame) -> ValueName:
    """Walk a head: a scope that starts at a name, or at the end."""
    inputs = [end] if head.source is None else sources(walk, head.source, root)
    inputs = without_none(walk, inputs, head.source, root)
    own = root.members.get(head.name)
    if own is not None and not head.items and inputs == [own.tensor]:
        walk.starts.add(inputs[0])
        return inputs[0]  # the head is that layer, so it has its name
    if own is not None:
        walk.problems.error(
            codes.NAME_TWICE,
            f"there is already a layer `{head.name}`",
            head.span,
            help="rename one of the two"
            if head.items
            else f"rename one of the two, or write `{head.name}: {head.name}` for that layer",
        )
        return BROKEN
    inner = root.inner(head.name, head.items, frozen=False)
    within = None if head.items else ""  # a head without layers is another name of its layer
    referent = root.members[head.name] = Referent(head.name, OPEN, inner.members, within=within)
    if len(inputs) > 1:
        walk.problems.error(
            shapes.INPUT_COUNT,
            f"a head starts from one layer; `from` names {len(inputs)}",
            head.span if head.source is None else head.source.span,
            help="let it start with a `concat` or an `add` of them",
        )
        inputs = [BROKEN]
    walk.starts.add(inputs[0])
    with walk.scope(inner, "head", inputs, head.span, referent):
        referent.tensor = _items(walk, head.items, inputs[0], inner)
    if referent.tensor is NO_TENSOR:
        walk.problems.error(
            codes.NO_CURRENT,
            f"the head `{head.name}` has no input",
            head.span,
            help="add `from: …` with the name of a layer",
        )
    return referent.tensor


def _flag(walk: Walk, scalar: Scalar, key: str, frame: Frame, current: ValueName) -> bool | None:
    """The value of `when` or `trainable`; None if it failed."""
    value = walk.work_out(scalar, lambda: walk.sight(frame, current))
    if isinstance(value, bool):
        return value
    if value is not BROKEN:
        sight = walk.sight(frame, current)
        advice = f'give a comparison, such as `{key}: "${{stride > 1}}"`, or `true` or `false`'
        if not is_expression(scalar) and (meant := boolean(value)) is not None:
            advice = f"write `{key}: {meant}`"
        elif isinstance(value, str) and not is_expression(scalar) and can_be_calculated(value, sight):
            advice = f'write `{key}: "${{{value}}}"` to calculate'
        walk.problems.error(
            codes.WRONG_VALUE,
            f"`{key}` must be true or false, not {shown(value)}",
            scalar.span,
            notes=story(scalar, frame, lambda: walk.sight(frame, current)),
            help=advice,
        )
    return None
