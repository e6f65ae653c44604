"""What expressions can ask of names: sizes of layers, numbers of repetitions, the calls of a block so far."""

from __future__ import annotations

from netspec.dataclass import dataclass
from netspec.diagnostics.codes import expressions as codes
from netspec.language.document.declarations import Block
from netspec.language.document.recursion import all_items
from netspec.language.elaboration.frame import IN_BLOCK, Frame
from netspec.language.elaboration.search import Nodes, Unfound, scopes, search
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.expressions.refusal import Refusal
from netspec.ops.nearest import did_you_mean
from netspec.types import Type


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of blocks up to an item: their numbers, and the network or block `around` them.

    `for_default` says that they are counted for the default value of a parameter. A caller without calls of a block is
    then no mistake, because the same default counts those of other callers.
    """

    around: Frame
    numbers: dict[Block, int]
    for_default: bool = False

    @property
    def block(self) -> str | None:
        """The name of the block around the item; None in a network."""
        if self.around.is_root or self.around.is_network:
            return None
        blocks = self.around.document.blocks.values()
        return next((block.name for block in blocks if block.items is self.around.items), None)

    def possible(self) -> set[Block]:
        """The blocks that some item of the network or block calls."""
        document = self.around.document
        items = [*self.around.items]
        if self.around.is_root:
            items += [item for head in document.heads for item in head.items]
        found = (document.blocks.get(item.keyword) for item in all_items(items, document))
        return {block for block in found if block is not None}


def sizes_of(type_: Type) -> dict[str, object]:
    """The sizes of a tensor by name."""
    sizes: dict[str, object] = {} if type_.channels is None else {"channels": type_.channels}
    sizes.update(zip(type_.axes, type_.sizes, strict=True))
    if len(type_.spatial) == 3:
        sizes["time"] = type_.spatial[0]
    return sizes


def measured(
    path: tuple[str, ...],
    part: str,
    frame: Frame,
    nodes: Nodes,
    types: dict[str, Type],
    calls: Calls,
    sized: set[str],
) -> object:
    """A property of what a path of names refers to. Raises Refusal.

    Args:
        sized: the tensors whose sizes are used; this one is added.
    """
    if part == "index":
        return _index(path, frame)
    if part == "count":
        return _count(path, frame, calls)
    name = ".".join(path)
    try:
        found = search(name, frame, nodes)
    except Unfound as unfound:
        if unfound.code is None:
            return BROKEN
        if len(path) == 1 and _is_parameter(path[0], frame):
            message = f"`{name}` is a parameter, so `.{part}` has no meaning"
            help_ = f"write `{name}` for its value; only tensors have sizes"
            raise Refusal(codes.ATTRIBUTE, message, 0, 0, help_) from None
        raise Refusal(unfound.code, unfound.message, 0, 0, unfound.help) from None
    if len(found) > 1:
        message = f"`{name}` names {len(found)} layers, but only one has a size"
        raise Refusal(codes.EXPRESSION_TYPE, message, 0, 0, "name one repetition by its number, from 0")
    tensor = found[0].tensor
    if isinstance(tensor, Missing):
        return tensor
    sizes = sizes_of(types[tensor])
    if part not in sizes:
        message = f"`{name}` has no `{part}` here: it is {types[tensor]}"
        raise Refusal(codes.NO_SUCH_AXIS, message, 0, 0, "it has " + ", ".join(f"`{each}`" for each in sizes))
    sized.add(tensor)
    return sizes[part]


def _is_parameter(name: str, frame: Frame) -> bool:
    return name in frame.names and name not in IN_BLOCK and name != "block"


def _index(path: tuple[str, ...], frame: Frame) -> object:
    """The number of the repetition of an enclosing repeat."""
    around = {scope.name: scope.index for scope in reversed(list(scopes(frame))) if scope.index is not None}
    name = ".".join(path)
    if name in around:
        return around[name]
    message = f"`{name}.index` is unknown here: no `repeat` around this item is called `{name}`"
    help_ = "the repeats around it are " + ", ".join(f"`{each}`" for each in around)
    if not around:
        help_ = f"give the repeat around it a name: `name: {name}`"
    if name in frame.document.blocks:
        help_ = f"write `{name}.count` for the number of its calls so far; a repeat needs a name of its own"
    elif any(name in scope.members for scope in scopes(frame)):
        help_ = f"`{name}` has a number only for the items in it; for the number of its repetitions, use a parameter"
    elif any(scope.boundary and scope.parent is not None for scope in scopes(frame)):
        help_ = "a block sees no repeat of its caller: give it a parameter, such as `n`, and pass the number in the "
        help_ += f'call: `n: "${{{name}.index}}"`'
    raise Refusal(codes.UNKNOWN_SIZE, message, 0, 0, help_)


def _count(path: tuple[str, ...], frame: Frame, calls: Calls) -> object:
    """The number of calls of a block before this item, in the same network or block."""
    name = ".".join(path)
    blocks = frame.document.blocks
    if name in blocks:
        count = calls.numbers.get(blocks[name], 0)
        if not count and not calls.for_default and blocks[name] not in calls.possible():
            raise _never_called(name, calls)
        return count
    message = f"`{name}.count` counts the calls of a block, but no block is called `{name}`"
    help_ = "the blocks are " + ", ".join(f"`{each}`" for each in list(blocks)[:12]) if blocks else None
    raise Refusal(codes.UNKNOWN_SIZE, message + did_you_mean(name, blocks), 0, 0, help_)


def _never_called(name: str, calls: Calls) -> Refusal:
    """The refusal of a count that is 0 everywhere."""
    around = calls.block
    where = f"the block `{around}`" if around else "the same network"
    message = f"`{name}.count` would always be 0: it counts calls of `{name}` in {where}, and none is there"
    help_ = "it can count " + ", ".join(
        f"`{each}`" for each in sorted(block.name for block in calls.possible())[:12]
    )
    if around:
        help_ = f'give `{around}` a parameter, `params: {{number: "${{{name}.count}}"}}`, and use `${{number}}`: a '
        help_ += f"default value counts where `{around}` is called"
    elif not calls.possible():
        help_ = f"call `{name}` here, or write the number"
    return Refusal(codes.UNKNOWN_SIZE, message, 0, 0, help_)
