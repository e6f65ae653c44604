"""What goes round in a repeat: `carry` gives inputs of a repetition the outputs of the repetition before it."""

from __future__ import annotations

from collections.abc import Mapping as Given
from collections.abc import Sequence

from netspec.dataclass import dataclass, replace
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Document, Head
from netspec.language.document.item import GROUP, Item
from netspec.language.document.validation import shown, unknown_key
from netspec.language.expressions.expression import is_expression
from netspec.language.reading.values import Listing, Mapping, Scalar, Value
from netspec.ops import OPS
from netspec.ops.base import Op
from netspec.ops.nearest import did_you_mean
from netspec.ops.roles import FIRST, assigned
from netspec.types import Kind, Type


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of what an item calls, by their names in order; the first output is always `output`, too.

    `op` is set for an op: an input of it goes with the output of the same name, one of a block with that of its place.
    `heads` are those of an embedded network; they are not outputs of it.
    """

    owner: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    op: type[Op] | None = None
    heads: tuple[Head, ...] = ()

    def given(self, types: Sequence[Type]) -> Signature:
        """This signature with only the inputs that are given: an op can do without some of its inputs."""
        if self.op is None or not self.inputs:
            return self
        return replace(self, inputs=tuple(role.name for role, _ in assigned(self.op.inputs, types)))


def signature(item: Item, document: Document, network: Document | None = None) -> Signature | None:
    """The signature of what an item calls; None if its inputs have no names.

    Args:
        network: the embedded network, for an item that embeds one.
    """
    keyword = item.keyword
    if keyword in document.blocks:
        block = document.blocks[keyword]
        return Signature(f"the block `{keyword}`", block.inputs, tuple(each.name for each in block.outputs))
    if network is not None:
        inputs = tuple(each.name for each in network.inputs)
        return Signature(f"the network `{network.name}`", inputs, (), heads=network.heads)
    if keyword in OPS and not OPS[keyword].merges:
        op = OPS[keyword]
        inputs = tuple(role.name for role in op.inputs) if len(op.inputs) > 1 else ()
        return Signature(f"`{keyword}`", inputs, (FIRST, *(port.name for port in op.ports)), op)
    return None


def check_carry(item: Item, document: Document, problems: Problems) -> None:
    """Check the `carry` of an item, as far as it does not depend on expressions or on another file."""
    block = document.blocks.get(item.keyword)
    if item.carry is None or (block is not None and block.params is None):
        return
    span = item.carry.span
    if item.repeat is None:
        problems.error(
            codes.CARRY,
            "`carry` needs a `repeat`: it says what a repetition takes from the one before it",
            span,
            help="add `repeat: …`, or remove `carry`",
        )
    elif not isinstance(item.carry, Mapping) or not item.carry.entries:
        problems.error(
            codes.CARRY,
            "`carry` must be a mapping from inputs to outputs",
            span,
            help=_example(signature(item, document)),
        )
    elif item.keyword == GROUP or (item.keyword in OPS and OPS[item.keyword].merges):
        what = "a group takes only the current tensor" if item.keyword == GROUP else _unnamed(item.keyword)
        problems.error(
            codes.CARRY,
            f"{what}, so `carry` has nothing to name",
            span,
            help="make a block of it, with `inputs` and `outputs`",
        )
    elif (called := signature(item, document)) is not None:
        carried(item.carry, called, problems)


def _unnamed(keyword: str) -> str:
    return f"the inputs of `{keyword}` have no names"


def carried(carry: Mapping, called: Signature, problems: Problems) -> dict[str, str]:
    """For each carried input the output that it takes; an input that takes itself stays the same.

    Everything that the signature does not have is reported, and left out. Expressions are left out, too.
    """
    found: dict[str, str] = {}
    heads = {head.name: head for head in called.heads}
    for name, entry in carry.entries.items():
        if name not in called.inputs:
            _report_input(name, entry.value, called, entry.key_span, problems)
        elif not isinstance(entry.value, Scalar) or not isinstance(entry.value.value, str):
            problems.error(
                codes.CARRY,
                f"`{name}` takes one output, not {_shown(entry.value)}",
                entry.value.span,
                help=_advice(name, called),
            )
        elif is_expression(entry.value):
            continue
        elif entry.value.value in heads:
            _report_head(heads[entry.value.value], called, entry.value.span, problems)
        elif entry.value.value in (*called.outputs, FIRST, name):
            found[name] = entry.value.value
        else:
            output = entry.value.value
            problems.error(
                codes.CARRY,
                f"{called.owner} has no output `{output[:80]}`{did_you_mean(output, called.outputs)}",
                entry.value.span,
                notes=(f"its outputs are {_listed(called.outputs or (FIRST,))}",),
                help=_advice(name, called),
            )
    return found


def _report_head(head: Head, called: Signature, span: Span, problems: Problems) -> None:
    """Report that an input takes a head of an embedded network, which is not computed there."""
    layer, where = "net.LAYER", ", and LAYER one of its `layers`"
    if not head.items and isinstance(head.source, Scalar) and not is_expression(head.source):
        layer, where = f"net.{head.source.text}", ""
    problems.error(
        codes.CARRY,
        f"`{head.name}` is a head of {called.owner}, and the heads of an embedded network are not used",
        span,
        help="`carry` takes the outputs of a block: put the network in one, with "
        f"`inputs: [{', '.join(called.inputs)}]` and `outputs: [net, {layer}]`, where `net` is the name of the network "
        f"there{where}",
    )


def _report_input(name: str, output: Value, called: Signature, span: Span, problems: Problems) -> None:
    if not called.inputs:
        problems.error(
            codes.CARRY,
            f"{called.owner} takes only the current tensor, which each repetition takes from the one before it",
            span,
            help="remove `carry`",
        )
    elif called.op is not None and isinstance(output, Scalar) and output.value in called.inputs:
        problems.error(
            codes.UNKNOWN_KEY,
            f"`carry` of {called.owner} has no `{name[:80]}`",
            span,
            help=f"write `{output.value}`: the inputs of {called.owner} are {_listed(called.inputs)}, whatever tensors "
            "they get",
        )
    else:
        unknown_key(name, f"`carry` of {called.owner}", called.inputs, span, problems)


def report_absent(
    absent: Given[str, Span], carry: Mapping, called: Signature, given: Sequence[str], problems: Problems
) -> None:
    """Report inputs that `carry` names and the op has, but that the item does not give to the first repetition."""
    assert called.op is not None
    wanted: list[str] = []
    kinds: set[Kind] = set()
    for role in reversed(called.op.inputs):
        # `from` names the inputs in order: one can be missing only if the later ones are of other kinds.
        if role.name in given or role.name in absent or kinds & {*role.takes}:
            wanted.insert(0, role.name)
            kinds |= {*role.takes}
    source = f"`from: [{', '.join(name.upper() for name in wanted)}]`"
    for name, span in absent.items():
        remove = f"`{name}` from `carry`" if len(absent) < len(carry.entries) else "`carry`"
        problems.error(
            codes.CARRY,
            f"{called.owner} takes only {_listed(given)} here: the first repetition has no `{name}`",
            span,
            help=f"give it what the first repetition starts with, by {source}, or remove {remove}",
        )


def advice(called: Signature) -> str:
    """A `carry` for an item with this signature, as text.

    Each further input takes the output of its place. An input of an op takes the output of its name; without such
    outputs, each stays the same.
    """
    others = called.inputs[1:]
    if called.op is None:
        pairs = dict(zip(others, (*called.outputs[1:], *others[len(called.outputs[1:]) :]), strict=False))
    else:
        pairs = {name: name for name in others if name in called.outputs} or {name: name for name in others}
    heads = {head.name for head in called.heads}
    pairs = {name: output for name, output in pairs.items() if output not in heads}
    pairs = pairs or {called.inputs[0]: FIRST}
    return f"carry: {{{', '.join(f'{name}: {output}' for name, output in pairs.items())}}}"


def _example(called: Signature | None) -> str:
    if called is None or len(called.inputs) < 2:
        return "write `carry: {h: state}`: the input `h` takes the output `state` of the repetition before"
    return f"write `{advice(called)}`"


def _advice(name: str, called: Signature) -> str:
    if name in called.outputs:
        return f"write `{name}: {name}` for the output of the same name"
    outputs = called.outputs or (FIRST,)
    return f"write `{name}: {outputs[-1]}` for an output, or `{name}: {name}` if `{name}` stays the same"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shown(value: Value) -> str:
    if isinstance(value, Scalar):
        return shown(value.value)
    return "a list" if isinstance(value, Listing) else "a mapping"
