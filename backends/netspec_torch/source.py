"""Writes a graph as a PyTorch module: a class for each block, a list for each repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from netspec.backend import Source
from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Node
from netspec.lowering.arguments import words
from netspec.lowering.definitions import called_name, definitions, nesting
from netspec.lowering.gathering import gathered
from netspec.lowering.layout import Page
from netspec.lowering.names import camel, numbered
from netspec.lowering.outline import Module
from netspec.lowering.sizes import with_sizes
from netspec.lowering.template import Definition, unify, variant_names
from netspec.lowering.uses import description, firsts, flattened, group_name, told
from netspec.lowering.witness import Draft, proven
from netspec_torch.attributes import Attributes, rooted
from netspec_torch.beginning import Beginning
from netspec_torch.body import ModuleWriter
from netspec_torch.construction import SELF, Whole
from netspec_torch.flow import loops
from netspec_torch.helpers import NAMES, helpers
from netspec_torch.interfaces import interfaces, is_head
from netspec_torch.lowering import Lowerings
from netspec_torch.orders import Order
from netspec_torch.reading import TorchReading
from netspec_torch.reserved import ATTRIBUTES, VARIABLES
from netspec_torch.sharing import Made, Sharing
from netspec_torch.starts import FUNCTION, Start, function

IMPORTS = (
    ("import math", r"\bmath\."),
    ("import torch", r"\btorch\."),
    ("import torch.nn.functional as F", r"\bF\."),
    ("from torch import nn", r"\bnn\."),
)

TAKEN = frozenset({"F", "math", "nn", "torch", FUNCTION, *NAMES})
"""Names at the top of the text."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the generated text."""

    name: str
    definition: Definition
    uses: tuple[Module, ...]


def source(graph: Graph) -> Source:
    """Source that defines the network as a class, named after the spec. The backend accepts the graph."""
    graph = with_sizes(graph)
    lowered = Lowerings(graph)
    return proven(graph, lambda: draft(graph, lowered), lambda: draft(graph, lowered, folded=False))


def draft(graph: Graph, lowered: Lowerings, folded: bool = True) -> Draft:
    """The text of a graph, and how to read it, before it is proven."""
    text = _Text(graph, lowered, folded)
    finished = text.source()
    used, orders = helpers(finished.text.splitlines()), text.whole.orders
    reading = TorchReading(graph, lowered, text.whole.attributes, class_name(graph), used, orders)
    return Draft(text.root, finished, reading)


def class_name(graph: Graph) -> str:
    """The name of the class of the whole network."""
    return numbered(camel(graph.name), TAKEN)


class _Text:
    """The text of a graph. If it is not `folded`, each use of a block is a class, and each call has its own object."""

    def __init__(self, graph: Graph, lowered: Lowerings, folded: bool = True) -> None:
        self.graph, self.folded = graph, folded
        self.root = rooted(graph)
        self.levels = nesting(self.root)
        frozen = frozenset(_frozen_paths(self.root))
        made: dict[str, Made] = {}
        sharing = Sharing(self.root, lowered, made, folded)
        if folded and not sharing.borrows_anything:
            self.root = gathered(
                self.root, loops(lowered), lambda node: lowered[node.name].gathered is not None
            )
        self.whole = Whole(graph, lowered, Attributes(self.root), sharing, made, frozen)
        self.definitions = definitions(self.root, self.levels)
        self.whole.words.update(words(self.definitions, self.root))
        self.whole.interfaces.update(interfaces(self.definitions, self.whole))
        self.classes: list[Class] = []
        self.taken = {*TAKEN, class_name(graph)}

    def source(self) -> Source:
        for uses in self._with_heads_together(self.definitions):
            self._define(uses)
        page = Page()
        page.docstring(description(self.graph, class_name(self.graph), lambda type_: type_.shape))
        page.blank()
        beginning = Beginning(self.whole, [(each.name, each.uses) for each in self.classes])
        init = [*function(beginning.branches)] if beginning.branches else []
        code = [line.text for each in self.classes for line in each.definition.lines]
        code += [text for text, _ in (*init, *beginning.closing)]
        own = helpers(code, {part for each in self.whole.lowered.values() for part in each.parts})
        for line in _imports([*code, *own.values()]):
            page.write(line)
        for text in own.values():
            page.blank(2)
            for line in text.split("\n"):
                page.write(line)
        for each in self.classes:
            is_network = each is self.classes[-1]
            if is_network and init:
                page.blank(2)
                for line, indent in init:
                    page.write(line, indent)
            page.blank(2)
            _class(page, each, self._about(each), beginning.closing if is_network else ())
        # An empty statement is an empty line.
        page.rows = [row.rstrip() for row in page.rows]
        turned = tuple(
            (value, order.back) for value, order in self.whole.orders.items() if not order.is_canonical
        )
        return replace(page.source(), turned=turned)

    def _about(self, each: Class) -> str:
        """The docstring of a class: its uses, and in which other order of axes it takes or gives values."""
        turned: dict[str, set[str]] = {"takes": set(), "gives": set()}
        for use in each.uses:
            interface = self.whole.interface(use)
            if interface.is_canonical:
                continue
            turned["takes"] |= {*self._turned(use.inputs, interface.takes)}
            turned["gives"] |= {*self._turned(use.outputs, interface.makes)}
        found = {verb: orders for verb, orders in turned.items() if orders}
        if not found or any(len(orders) > 1 for orders in found.values()):
            return told(each.uses)  # uses that sweep other axes
        orders = [order for (order,) in found.values()]
        if len({*orders}) == 1:
            what = f"{' and '.join(found)} {orders[0]}"
        else:
            what = " and ".join(f"{verb} {order}" for verb, order in zip(found, orders, strict=True))
        return f"{told(each.uses)}\n\nIt {what}."

    def _turned(self, values: Sequence[str], orders: Sequence[Order]) -> Iterator[str]:
        """The axes of those values that are not in their canonical order."""
        for value, order in zip(values, orders, strict=True):
            if not order.is_canonical:
                names = ("channels", *self.graph.types[value].axes)
                yield f"(N, {', '.join(names[axis - 1] for axis in order.axes)})"

    def _with_heads_together(self, found: Sequence[Sequence[Module]]) -> Iterator[Sequence[Module]]:
        """The definitions; heads that one class serves are one definition, before the network."""
        heads = [uses[0] for uses in found if is_head(uses[0])]
        *others, root = (uses for uses in found if not is_head(uses[0]))
        yield from others
        for each in sorted(self._unified(heads), key=lambda each: each.uses) if heads else ():
            yield tuple(heads[number] for number in each.uses)
        yield root

    def _define(self, uses: Sequence[Module]) -> None:
        """Make classes of all uses of a block."""
        found = self._unified(uses)
        for name, definition in zip(self._names(uses[0], found), found, strict=True):
            for number in definition.uses:
                self.whole.made[uses[number].path] = Made(name, definition.arguments(number))
            self.classes.append(Class(name, definition, tuple(uses[number] for number in definition.uses)))

    def _unified(self, uses: Sequence[Module]) -> tuple[Definition, ...]:
        """The fewest classes; of equally few, those with the simplest padding."""
        if not self.folded:
            alone = [self._unify([self._body(each)]) for each in uses]
            return tuple(replace(only, uses=(number,)) for number, (only,) in enumerate(alone))
        first = firsts(uses, self.whole.mark, self.whole.around)
        bodies = self._bodies(uses, first)
        plain = self._unify(bodies)
        if len(plain) > 1 and len({len(body.items) for body in bodies}) > 1 and bodies[0].has_branches:
            # Uses that lack the first layer of a branch can be one class if the branch has its variable before.
            copied = self._unify(self._bodies(uses, first, copied=True))
            if len(copied) < len(plain):
                return tuple(self._plainest(bodies, each) for each in copied)
        padded = {name for body in bodies for name in body.construction.padded()}
        if len(plain) == 1 or not padded:
            return plain
        # Uses with different padding can be one class if its padding is an argument.
        made = {id(each): each.padding_apart(padded) for each in bodies}
        apart = self._unify([made[id(each)] for each in bodies])
        return plain if len(apart) == len(plain) else tuple(self._plainest(bodies, each) for each in apart)

    def _bodies(
        self, uses: Sequence[Module], first: Sequence[int], copied: bool = False
    ) -> list[ModuleWriter]:
        """A body for each use; equal uses share one."""
        made = {number: self._body(uses[number], copied) for number in sorted(set(first))}
        orders, rows = self.whole.orders, {}
        for number, representative in enumerate(first):
            self.whole.alike[uses[number].path] = uses[representative].path
            if number == representative:
                continue
            if representative not in rows:
                values = _values(uses[representative])
                rows[representative] = [orders.get(value) for value in values]
            for value, order in zip(_values(uses[number]), rows[representative], strict=True):
                if order is not None:
                    orders[value] = order
        return [made[number] for number in first]

    def _body(self, use: Module, copied: bool = False) -> ModuleWriter:
        body = ModuleWriter(use, self.whole, copied)
        self.whole.orders.update(body.arrangement.tapped)
        return body

    def _plainest(self, bodies: Sequence[ModuleWriter], definition: Definition) -> Definition:
        """The same class with the simplest text that its uses allow."""
        first, *others = self._unify([bodies[number] for number in definition.uses])
        return definition if others else replace(first, uses=definition.uses)

    def _unify(self, bodies: Sequence[ModuleWriter]) -> tuple[Definition, ...]:
        alone = len(bodies) == 1
        made = {id(each): each for each in bodies}
        uses = {number: each.use(alone) for number, each in made.items()}
        return unify([uses[id(each)] for each in bodies], VARIABLES | self.taken, ATTRIBUTES)

    def _called(self, use: Module) -> str:
        """What a class is called after: the block of its uses, else their scope."""
        if use.scope is None or not use.scope.definition:
            return group_name(use)
        return called_name(use.scope.definition, self.levels.get(use.path))

    def _names(self, use: Module, found: Sequence[Definition]) -> list[str]:
        if use.scope is None:
            return [class_name(self.graph)]
        together = is_head(use) and len(found[0].uses) > 1
        called = "head" if together else self._called(use)
        names = []
        for variant in variant_names(called, found):
            names.append(numbered(camel(variant, "Block"), self.taken))
            self.taken.add(names[-1])
        return names


def _values(use: Module) -> list[str]:
    """The values that the layers of a use make, without those of the modules in it."""
    nodes = (item for item in flattened(use.items) if isinstance(item, Node))
    return [value for node in nodes for value in node.values]


def _imports(code: Sequence[str]) -> Iterator[str]:
    for line, pattern in IMPORTS:
        # Every class derives from `nn.Module`.
        if line.endswith("nn") or any(re.search(pattern, text) for text in code):
            yield line
            if line == "import math":
                yield ""  # the standard library's stand apart


def _frozen_paths(root: Module) -> set[str]:
    """The modules whose weights are all frozen."""
    frozen = set()
    for module in root.modules():
        holders = [node for node in module.nodes() if node.weights]
        if holders and not any(node.trainable for node in holders):
            frozen.add(module.path)
    return frozen


def _class(page: Page, each: Class, about: str, closing: Start = ()) -> None:
    lines = list(each.definition.lines)
    forward = [number for number, line in enumerate(lines) if line.text.startswith("def forward(")]
    # `nn.Sequential` has that method.
    page.write(f"class {each.name}({'nn.Module' if forward else 'nn.Sequential'}):")
    if each.uses[0].scope is not None:
        page.docstring(about, 1)
        page.blank()
    at = forward[0] if forward else len(lines)
    kept = each.definition.kept
    if at or kept:
        signature = ", ".join([SELF, *each.definition.signature()])
        page.write(f"def __init__({signature}):", 1)
        if forward:
            page.write("super().__init__()", 2)
        for attribute, name in kept:
            page.write(f"self.{attribute} = {name}", 2)
        page.statements(lines[:at], 1)
        for line, indent in closing:
            page.write(line, indent + 2)
    if forward:
        if at or kept:
            page.blank()
        page.statements(lines[at:], 1)
