"""Calls of blocks and of embedded networks: their arguments and their scopes. This module does not walk items."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netspec.dataclass import dataclass, replace
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Block
from netspec.language.document.item import Item
from netspec.language.elaboration.arguments import given_by_call, parameters
from netspec.language.elaboration.embed import Network, embedded
from netspec.language.elaboration.frame import (
    IN_BLOCK,
    IN_SPEC,
    NO_TENSOR,
    NOWHERE,
    OPEN,
    Frame,
    Referent,
    Until,
    UntilReached,
    ValueName,
    join,
)
from netspec.language.elaboration.lookup import find
from netspec.language.elaboration.measure import Calls
from netspec.language.elaboration.sharing import shared_scope
from netspec.language.elaboration.story import Binding
from netspec.language.elaboration.walk import OpenCall, Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Mapping, Value


@dataclass(slots=True, eq=False)
class Opened:
    """One call: the item in its `frame`, its inputs, and the scope `inner` that it opens."""

    walk: Walk
    item: Item
    inputs: list[ValueName]
    frame: Frame
    inner: Frame
    referent: Referent

    def close(self) -> None:
        """Give up the origins of the arguments: they lead to the frame, whose memory would wait for the collector."""
        self.inner.bindings.clear()


def opened(walk: Walk, item: Item, inputs: list[ValueName], frame: Frame, name: str, frozen: bool) -> Opened:
    """A call whose scope is open, with its name."""
    inner = frame.inner(name, (), frozen)
    referent = frame.members[name] = Referent(inner.path, OPEN, inner.members)
    if NO_TENSOR in inputs:
        inputs = report_no_tensor(walk, item, frame)
    return Opened(walk, item, inputs, frame, inner, referent)


def report_no_tensor(walk: Walk, item: Item, frame: Frame) -> list[ValueName]:
    """Report that an item has no input; its input is then broken."""
    names = [each.name for each in frame.document.inputs] or ["…"]
    walk.problems.error(
        codes.NO_CURRENT,
        "there is no current tensor: with several `inputs`, the first item needs a `from`",
        item.span,
        help=f"add `from: …` with the name of an input: {', '.join(f'`{name}`' for name in names[:8])}",
    )
    return [BROKEN]


def without_none(walk: Walk, inputs: list[ValueName], source: Value | None, frame: Frame) -> list[ValueName]:
    """The inputs of an item that is not left out; a name that stands for no tensor is reported, and BROKEN.

    An item that is left out stands for the current tensor at its place. There is none before the first item of a
    network with several inputs.
    """
    for each in inputs:
        if isinstance(each, Missing) and each.absent is not None:
            walk.problems.error(codes.UNKNOWN_NAME, each.reason or "", each.absent, help=each.help)
    inputs = [BROKEN if isinstance(each, Missing) and each.absent is not None else each for each in inputs]
    if source is None or NO_TENSOR not in inputs:
        return inputs
    names = [each.name for each in frame.document.inputs] or ["…"]
    walk.problems.error(
        codes.NO_CURRENT,
        "this names an item that is left out: it stands for the current tensor before it, and there is none",
        source.span,
        help=f"start with an item that stays, such as `- {{identity: , from: {names[0]}}}`, or name another layer or "
        f"an input: {', '.join(f'`{name}`' for name in names[:8])}",
    )
    return [BROKEN if each is NO_TENSOR else each for each in inputs]


def block_of(call: Opened) -> Block | None:
    """The called block, ready to be walked in its scope; None if that failed, which is reported."""
    block = call.frame.document.blocks[call.item.keyword]
    call.referent.definition = block
    ready = _prepare_block(call, block) and not call.walk.report_repeated(_open_call(call, block))
    call.referent.tensor = OPEN if ready else BROKEN
    return block if ready else None


def _open_call(call: Opened, block: Block) -> OpenCall:
    types = [call.walk.types[each] for each in call.inputs if not isinstance(each, Missing)]
    return OpenCall(block, call.item.span, dict(_values(call, block)), tuple(types))


def _values(call: Opened, block: Block) -> tuple[tuple[str, object], ...]:
    """The parameters of a call with their values."""
    return tuple((each.name, call.inner.names[each.name]) for each in block.params or ())


def network_of(call: Opened) -> Network | None:
    """The embedded network, ready to be walked like a block; None if that failed, which is reported."""
    network = embedded(call.walk, call.item, call.frame)
    ready = network is not None and _prepare_network(call, network)
    call.referent.tensor = OPEN if ready else BROKEN
    return network if ready else None


def _prepare_block(call: Opened, block: Block) -> bool:
    walk, item, inner = call.walk, call.item, call.inner
    fits = len(call.inputs) == (len(block.inputs) or 1)
    if not fits and BROKEN not in call.inputs:
        _report_inputs(call, block)
    received = call.inputs[0] if fits else BROKEN
    arguments = _arguments(item, block)

    seen = walk.sight(call.frame, received)

    def sight() -> dict[str, object]:
        return seen

    if received is BROKEN and any(each.block is block for each in walk.calls):
        return False  # without an input, the calls of a block in itself would not end
    given = given_by_call(walk, arguments, sight)
    caller = call.frame.boundary_frame
    earlier = {**caller.calls}
    caller.calls[block] = earlier.get(block, 0) + 1
    if given is None or not fits:
        return False
    for port, tensor in zip(block.inputs, call.inputs, strict=False):
        inner.members[port] = Referent(join(inner.path, port), tensor, within="")
    inner.document, inner.boundary, inner.items = block.document, True, block.items
    sees = {**inner.parameters, **IN_BLOCK, "block": {"in": walk.sizes(received)}}
    with walk.once():
        owner = f"the block `{block.name}`"
        seen_here = {**sees, "in": walk.sizes(received)}
        default_sees = walk.names_in(inner, seen_here, Calls(caller, earlier, for_default=True))
        own = parameters(walk, block.params or (), given, default_sees, owner, item.span, inner.bindings)
        inner.names = {**sees, **own}
    inner.bindings.update({name: Binding(value, call.frame, sight) for name, value in arguments.items()})
    return _share(call)


def _arguments(item: Item, block: Block) -> dict[str, Value]:
    """The arguments of the item for the parameters of the block."""
    if isinstance(item.argument, Mapping):
        return {key: entry.value for key, entry in item.argument.entries.items()}
    return {} if item.argument is None or block.main is None else {block.main: item.argument}


@contextmanager
def block_scope(call: Opened, block: Block) -> Iterator[None]:
    """The scope of a block, open while its items are walked."""
    details = {
        "definition": block.name,
        "arguments": _values(call, block),
        "shares": call.inner.shares,
        "names": block.inputs,
    }
    walk = call.walk
    with walk.scope(call.inner, "block", call.inputs, call.item.span, call.referent, **details), walk.once():
        walk.calls.append(_open_call(call, block))
        try:
            yield
        finally:
            walk.calls.pop()


def given_back(call: Opened, block: Block, end: ValueName) -> tuple[ValueName, dict[str, Referent]]:
    """The output of the call of a block, and its declared outputs by name.

    Args:
        end: the tensor after the last item, which is the output of a block that declares none.
    """
    if not block.outputs:
        return end, {}
    outputs: dict[str, Referent] = {}
    for output in block.outputs:
        found = find(call.walk, output.path, call.inner)
        own = call.inner.members.get(output.name)
        if found and own is not None and own.tensor != found[0].tensor:
            what = "an input" if output.name in block.inputs else "a layer"
            call.walk.problems.error(
                codes.NAME_TWICE,
                f"the output `{output.name}` is `{output.path.value}`, but the block also has {what} `{output.name}`",
                output.path.span,
                help=f"rename that {what.partition(' ')[2]}",
            )
        path = join(call.inner.path, output.name)
        # A group or a call that is an output can still be looked into.
        within = found[0].path if found and found[0].within is None else ""
        outputs[output.name] = (
            replace(found[0], path=path, within=within) if found else Referent(path, BROKEN)
        )
    first = next(iter(outputs.values()))
    return first.tensor, outputs


def _prepare_network(call: Opened, network: Network) -> bool:
    walk, inner = call.walk, call.inner
    document = call.referent.definition = network.document

    def sight() -> dict[str, object]:
        return walk.sight(call.frame, call.inputs[0])

    given = given_by_call(walk, network.params, sight)
    if given is None:
        return False
    inner.bindings.update({name: Binding(value, call.frame, sight) for name, value in network.params.items()})
    owner = f"the network `{document.name}`"
    names = parameters(walk, document.params, given, IN_SPEC, owner, call.item.span, inner.bindings)
    inner.document, inner.boundary, inner.is_network = document, True, True
    inner.names, inner.items = {**names, **NOWHERE}, document.items
    if not network.take(walk, inner, call.inputs, call.item):
        return False
    if network.until is not None and network.until[0] not in inner.members:  # an input is not a layer
        inner.until += (Until(call.referent, network.until),)
    return _share(call)


@contextmanager
def network_scope(call: Opened, network: Network) -> Iterator[None]:
    """The scope of an embedded network, open while its items are walked; `until` can end the walk early."""
    walk, document, referent = call.walk, network.document, call.referent
    arguments = tuple((each.name, call.inner.names[each.name]) for each in document.params)
    details = {"definition": document.name, "arguments": arguments, "shares": call.inner.shares}
    walk.open_documents.append(document)
    walk.embedded.append(referent.path)
    if network.weights is not None:
        walk.pretrained.append((referent.path, network.weights))
    try:
        with walk.scope(call.inner, "network", call.inputs, call.item.span, referent, **details), walk.once():
            yield
            if network.until is not None:
                network.report_until(walk, call.inner)
                referent.tensor = BROKEN
    except UntilReached as cut:
        if cut.referent is not referent:
            raise
    finally:
        walk.open_documents.pop()


def _share(call: Opened) -> bool:
    """Set the weights that the scope shares; False if it cannot use them, which is reported."""
    shares = shared_scope(call.walk, call.item, call.frame, call.inner)
    if isinstance(shares, Missing):
        return False
    call.inner.shares = call.referent.shares = shares
    call.inner.shared_at = call.item.share.span if call.item.share else call.frame.shared_at
    return True


def _report_inputs(call: Opened, block: Block) -> None:
    names = ", ".join(block.inputs) or "the current tensor"
    wanted = len(block.inputs) or 1
    given = ", ".join("…" for _ in range(wanted))
    call.walk.problems.error(
        codes.BLOCK_INPUTS,
        f"the block `{block.name}` takes {wanted} ({names}), but gets {len(call.inputs)}",
        call.item.span if call.item.source is None else call.item.source.span,
        help=f"write `from: [{given}]` beside it"
        if block.inputs
        else "declare `inputs` in the block, or merge them first, with `concat` or `add`",
    )
