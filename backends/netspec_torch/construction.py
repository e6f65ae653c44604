"""Writes what one use of a block constructs: layers, modules, and the weights that they share."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import field

from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Node
from netspec.lowering.gathering import is_list
from netspec.lowering.names import free
from netspec.lowering.outline import Module, inside
from netspec.lowering.parts import Call, Part, Series, seq
from netspec.lowering.statements import Line
from netspec.lowering.tree import LiteralValue
from netspec.lowering.uses import flattened, known
from netspec_torch.attributes import Attributes, is_chained
from netspec_torch.lowering import Lowerings
from netspec_torch.orders import Interface, Order, canonical_of
from netspec_torch.sharing import Made, Sharing, path_of
from netspec_torch.site import Lowered

SELF = "self"
IDENTITY = Call("nn.Identity")


@dataclass(frozen=True)
class Whole:
    """The network that contains a module.

    `made` has the classes of the modules so far, `frozen` the paths of modules without trainable weights.
    """

    graph: Graph
    lowered: Lowerings
    attributes: Attributes
    sharing: Sharing
    made: dict[str, Made]
    frozen: frozenset[str]
    orders: dict[str, Order] = field(default_factory=dict)
    """The order of each value where its layer makes it, for the modules that are written so far."""
    interfaces: dict[str, Interface] = field(default_factory=dict)
    """The interfaces of the modules that take or give a value in another order than the canonical one."""
    words: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Names for the inputs of modules that take several."""
    canonicals: dict[str, Interface] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    """For modules that are written so far, the first module with the same text: by their paths."""

    def interface(self, module: Module) -> Interface:
        """The orders in which a module takes and gives its values. That of a repeat belongs to its repetitions."""
        if module.is_repeat:
            first, last = module.items[0], module.items[-1]
            if isinstance(first, Module) and isinstance(last, Module):
                return Interface(self.interface(first).takes, self.interface(last).makes)
        return self.interfaces.get(module.path) or self.canonical(module)

    def canonical(self, module: Module) -> Interface:
        """The interface of a module that takes and gives all values in their canonical order."""
        if module.path not in self.canonicals:
            types = self.graph.types
            takes, makes = (
                tuple([canonical_of(value, types) for value in values])
                for values in (module.inputs, module.outputs)
            )
            self.canonicals[module.path] = Interface(takes, makes)
        return self.canonicals[module.path]

    def known(self, module: Module) -> dict[str, LiteralValue]:
        """The arguments of a module, and the channels of its first input."""
        found = known(self.graph, module)
        channels = self._channels(module)
        if channels is not None:
            found.setdefault("in_channels", channels)
        return found

    def _channels(self, module: Module) -> int | None:
        """The channels of the first input of a module that is not the network."""
        first = next((each for each in module.inputs if not is_list(each)), None)
        return None if first is None or module.scope is None else self.graph.types[first].channels

    def mark(self, item: Node | Module) -> Hashable:
        """The text of an item in a module, without its name and its inputs."""
        if self.sharing.borrows_anything:
            return path_of(item)
        if isinstance(item, Module):
            return (self.made[item.path], item.path in self.frozen, self.interface(item))
        return (id(self.lowered[item.name]), item.trainable)

    def around(self, module: Module) -> Hashable:
        """Everything else that affects the text of a module."""
        frozen = any(module.path == each or inside(module.path, each) for each in self.frozen)
        arguments = repr(known(self.graph, module, (int, float, str)))  # True is not 1
        return (arguments, self._channels(module), frozen, self.interface(module))


@dataclass(frozen=True, slots=True)
class Tie:
    """A line that makes a layer use the weights of another layer.

    Moving a network to another device separates shared buffers.
    """

    line: Line
    of_statistics: bool = False


class Construction:
    """Writes what one module constructs: its layers and modules, and the weights that they share.

    The layers named in `apart` have all their padding in a separate module, so that its widths can be an argument.
    """

    def __init__(self, module: Module, whole: Whole, apart: Collection[str] = ()) -> None:
        self.module, self.whole, self.apart = module, whole, apart
        self.attributes, self.sharing = whole.attributes, whole.sharing
        self.made, self.frozen = whole.made, whole.frozen

    def lines(self) -> list[Line]:
        """The statements that construct the items of the module."""
        if self.attributes.is_series(self.module):
            (repeat,) = self.module.items
            assert isinstance(repeat, Module)
            series = self._series(repeat)
            assert series is not None
            return [Line(seq("super().__init__(", series, ")"), 1)]
        return [line for item in self.module.items for line in self._construct(item)]

    def padded(self) -> set[str]:
        """The layers whose padding is done by the text and not by the layer."""
        nodes = [each for each in self.module.items if isinstance(each, Node)]
        return {each.local_name for each in nodes if self.lowering(each).border is not None}

    def chained(self, repeat: Module) -> bool:
        """Whether `nn.Sequential` runs it."""
        return is_chained(repeat) and not any(map(self.borrows, flattened(repeat.items)))

    def _construct(self, item: Node | Module) -> Iterator[Line]:
        part = self.constructed(item)
        if isinstance(item, Node) and (pad := self.pad(item)):
            border = self.lowering(item).border
            assert border is not None
            yield Line(seq(f"{pad} = ", border.module()), 1)
        if part is not None:
            yield Line(seq(f"self.{self.attributes.attribute(item)} = ", part), 1)

    def constructed(self, item: Node | Module) -> Part | None:
        """The module of an item, frozen if its weights are; None if the item has no module."""
        if self.sharing.lender(item, self.module) is not None:
            return None
        if isinstance(item, Node):
            module = self.lowering(item).module
            frozen = bool(item.weights) and not item.trainable and self._learns_here(item.scope)
            return replace(module, tail=".requires_grad_(False)") if module and frozen else module
        frozen = item.path in self.frozen and self._learns_here(item.path.rpartition(".")[0])
        tail = ".requires_grad_(False)" if frozen else ""
        if not item.is_repeat:
            return replace(self.made[item.path].call(), tail=tail)
        series = self._series(item)
        if series is None:
            return None
        if self.chained(item):
            return seq("nn.Sequential(", series, ")" + tail)
        return seq("nn.ModuleList(", replace(series, listed=True), ")" + tail)

    def _series(self, repeat: Module) -> Series | None:
        """The modules of all repetitions; None if there are none."""
        children = self._numbered(repeat)
        if all(child is None for child in children):
            return None
        return Series(tuple(IDENTITY if child is None else child for child in children))

    def _numbered(self, repeat: Module) -> list[Part | None]:
        """The modules of the repetitions by number; `when` can leave some out."""
        made = {int(each.local_name): self.constructed(each) for each in repeat.items}
        return [made.get(number) for number in range(max(made) + 1)]

    def _learns_here(self, path: str) -> bool:
        """Whether no enclosing module has frozen it."""
        while inside(path, self.module.path) and path != self.module.path:
            if path in self.frozen:
                return False
            path = path.rpartition(".")[0]
        return not any(self.module.path == each or inside(self.module.path, each) for each in self.frozen)

    # Sharing

    def borrows(self, item: Node | Module) -> bool:
        """Whether it uses the weights of an earlier item of this module."""
        return (
            self.sharing.borrows_anything and next(self.sharing.earlier(item, self.module), None) is not None
        )

    def ties(self) -> Iterator[Tie]:
        """Lines that make constructed modules use the weights of others, unless they are the same object."""
        if not self.sharing.borrows_anything:
            return
        for item in flattened(self.module.items):
            if self.sharing.lender(item, self.module) is not None:
                continue
            if isinstance(item, Module):
                yield from self._ties_below(item, item)
            else:
                yield from self._tie_weights(item)

    def _ties_below(self, module: Module, child: Module) -> Iterator[Tie]:
        """The ties between items of a module, at any depth below a child, and items before that child."""
        for item in flattened(module.items):
            if self.sharing.lender(item, module) is not None:
                continue  # it has no module of its own
            lender = self.sharing.lender(item, self.module)
            if lender is not None and not inside(path_of(lender), child.path):
                yield Tie(Line(f"{self.place(item)} = {self.place(lender)}", 1))
            elif isinstance(item, Module):
                yield from self._ties_below(item, child)
            else:
                yield from self._tie_weights(item, child)

    def _tie_weights(self, node: Node, child: Module | None = None) -> Iterator[Tie]:
        owner = next(self.sharing.earlier(node, self.module), None)
        if owner is None or (child is not None and inside(path_of(owner), child.path)):
            return  # its weights are its own, or tied further in
        for weight in node.weights:
            name = node.local(weight)
            line = Line(f"{self.place(node)}.{name} = {self.place(owner)}.{name}", 1)
            yield Tie(line, weight.statistic)

    def place(self, item: Node | Module) -> str:
        return self.attributes.place(path_of(item), self.module).of(SELF)

    def reference(self, item: Node | Module) -> str:
        return self.place(self.sharing.lender(item, self.module) or item)

    def lowering(self, node: Node) -> Lowered:
        """The lowering of a node, with its padding apart if the uses of the block pad it differently."""
        lowered = self.whole.lowered[node.name]
        return lowered.apart if self.pad(node) and lowered.apart is not None else lowered

    def pad(self, node: Node) -> str:
        """The module that pads for a layer, if the padding is apart; layers in a list have none."""
        if not self.apart or node.local_name not in self.apart or node.scope != self.module.path:
            return ""
        attribute = self.attributes.attribute(node)
        return f"{SELF}.{free(attribute + '_pad', {item.local_name for item in self.module.items})}"


def moving(ties: Sequence[Line]) -> Iterator[Line]:
    """The method that moves and converts a module, if two of its layers share a buffer."""
    if ties:
        yield Line("")
        yield Line(f"def _apply({SELF}, fn, recurse=True):")
        yield Line("super()._apply(fn, recurse)", 1)
        yield Line("# Each buffer is moved by itself; these are one.", 1)
        yield from ties
        yield Line(f"return {SELF}", 1)
