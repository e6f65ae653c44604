"""Places the statements that initialise the weights of a network: by class, by block, or at the network itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.outline import Module
from netspec.lowering.uses import flattened
from netspec_torch.attributes import ModulePath
from netspec_torch.body import LAYER
from netspec_torch.construction import SELF, Whole
from netspec_torch.starts import FUNCTION, MODULE, ClassStart, Home, Homes, Start, Starts, StartStatement

Uses = Sequence[tuple[str, Sequence[Module]]]
"""The classes of the text by name, each with the modules that use it; the network is the last one."""

StartKey = tuple[str, ModulePath, str]
"""A weight in the text of a block: the class of the block, the path of the layer in it, the local name of the weight.
"""


@dataclass(frozen=True, slots=True)
class _Weight:
    """A weight of a layer that a block constructs, with its layer and its home.

    Equal `uses` of the block have one: that of the first use, with the number of the layer among those of the use.
    """

    key: StartKey
    name: str
    node: Node
    part: str
    home: Home
    number: int
    uses: Sequence[Module]

    def nodes(self) -> Iterator[Node]:
        """The layer in each of these uses."""
        if len(self.uses) == 1:
            yield self.node
            return
        for use in self.uses:
            node = [*flattened(use.items)][self.number]
            assert isinstance(node, Node)
            yield node


class Beginning:
    """The initialisation of a network: the branches of the function for each module, and the last lines of the network.

    A layer that starts differently from most layers of its class has its own line: in a branch for the block that
    contains it, if it starts in this way in all uses of the block, otherwise at the network.
    """

    def __init__(self, whole: Whole, classes: Uses) -> None:
        self.whole = whole
        self.alike_homes = Homes(whole.lowered)
        self.lenders = {node.shares for node in whole.graph.nodes if node.weights}
        self.shares_anything = len(self.lenders) > 1
        weights = [
            each
            for name, uses in classes
            for alike in self._alike(uses)
            for each in self._weights(name, alike)
        ]
        self.starts = Starts([home for each in weights for home in [each.home] * len(each.uses)])
        # The homes of a weight that layers share are of several classes where an embedding is one of them.
        self.homes: dict[str, dict[str, Home]] = {}
        for each in weights:
            self.homes.setdefault(each.name, {})[each.home.cls] = each.home
        self.uses = {name: len(uses) for name, uses in classes}
        (network, (root,)) = classes[-1]
        in_blocks = self._in_blocks(weights, network)
        blocks: dict[str, list[tuple[ModulePath, Home]]] = {}
        for (name, place, _), home in in_blocks.items():
            blocks.setdefault(name, []).append((place, home))
        modules = dict(classes)
        self.branches: list[ClassStart] = [
            *self.starts.branches(),
            *(((name,), tuple(self._written(own, MODULE, modules[name]))) for name, own in blocks.items()),
        ]
        order = {node.name: number for number, node in enumerate(whole.graph.nodes)}
        alone = [
            (node, each)
            for each in weights
            if each.node.shares is None and each.key not in in_blocks and not self._is_ruled(each)
            for node in each.nodes()
        ]
        own = [
            (self._place(node, each.part, root), each.home)
            for node, each in sorted(alone, key=lambda pair: order[pair[0].name])
        ]
        self.closing: Start = ((f"{SELF}.apply({FUNCTION})", 0),) if self.branches else ()
        self.closing += tuple(self._written(own, SELF, (root,)))

    def _written(
        self, own: Sequence[tuple[ModulePath, Home]], owner: str, uses: Sequence[Module]
    ) -> Iterator[StartStatement]:
        """The lines of the layers of a module that start in their own way; a loop for those that start alike.

        `uses` are the modules that the text serves, `owner` is the expression for them.
        """
        homes: dict[ModulePath, list[Home]] = {}
        for place, home in own:
            homes.setdefault(place, []).append(home)

        def text(place: ModulePath, module: str) -> Start:
            return tuple(line for home in homes[place] for line in self._start(home, module))

        lists: dict[tuple[ModulePath, ModulePath], list[tuple[int, Start]]] = {}
        for place in homes:
            if at := place.in_a_list():
                items, number, rest = at
                lists.setdefault((items, rest), []).append((number, text(place, rest.of(LAYER))))
        looped: dict[ModulePath, Start] = {}
        whole = [key for key, texts in lists.items() if self._is_whole(key[0], texts, uses)]
        for items, rest in whole:
            looped[items] = looped.get(items, ()) + lists[items, rest][0][1]
        alike: dict[Start, list[ModulePath]] = {}
        for place in homes:
            at = place.in_a_list()
            if at is None or (at[0], at[2]) not in whole:
                alike.setdefault(text(place, LAYER), []).append(place)
            elif at[0] not in alike.setdefault(looped[at[0]], []):
                alike[looped[at[0]]].append(at[0])
        for lines, places in alike.items():
            singles = [place for place in places if place not in looped]
            if len(singles) == len(places) and len(places) * len(lines) <= len(lines) + 1:
                for place in places:
                    yield from text(place, place.of(owner))
                continue
            found = [f"{'*' * (each in looped)}{each.of(owner)}" for each in places]
            over = f"({', '.join(found)})" if len(found) > 1 else found[0].removeprefix("*")
            yield f"for {LAYER} in {over}:", 0
            yield from ((line, indent + 1) for line, indent in lines)

    def _is_whole(
        self, items: ModulePath, texts: Sequence[tuple[int, Start]], uses: Sequence[Module]
    ) -> bool:
        """Whether these are all items of a list, in order, and start in the same way."""
        numbers = [number for number, _ in texts]
        last = ModulePath((*items.parts, str(len(numbers))))
        return (
            numbers == list(range(len(numbers)))
            and len({text for _, text in texts}) == 1
            and not any(self.whole.attributes.has(last, use) for use in uses)
        )

    def _alike(self, uses: Sequence[Module]) -> Iterable[Sequence[Module]]:
        """Uses of a class, equal ones together; with shared weights, each is by itself."""
        if self.shares_anything:
            return [(use,) for use in uses]
        found: dict[str, list[Module]] = {}
        for use in uses:
            found.setdefault(self.whole.alike.get(use.path, use.path), []).append(use)
        return found.values()

    def _weights(self, name: str, uses: Sequence[Module]) -> Iterator[_Weight]:
        """The weights of the layers that equal modules of a class construct."""
        sharing, use = self.whole.sharing, uses[0]
        for number, item in enumerate(flattened(use.items)):
            if isinstance(item, Module) or not item.weights or sharing.lender(item, use) is not None:
                continue
            is_lent, places = self._is_lent(item), {"": self._place(item, "", use)}
            for weight in item.weights:
                part, _, _ = item.local(weight).rpartition(".")
                if part not in places:
                    places[part] = self._place(item, part, use)
                home = self.alike_homes.of(item, weight, is_lent)
                yield _Weight((name, places[part], home.tensor), weight.name, item, part, home, number, uses)

    def _is_lent(self, node: Node) -> bool:
        """Whether the weights of a layer belong to a module of another class."""
        if node.shares is None:
            return False
        own, owners = (self.whole.lowered[each].module for each in (node.name, node.shares))
        return own is not None and owners is not None and own.function != owners.function

    def _in_blocks(self, weights: Sequence[_Weight], network: str) -> dict[StartKey, Home]:
        """The weights with their own lines that start in the same way in all uses of their block."""
        found: dict[StartKey, list[_Weight]] = {}
        for each in weights:
            found.setdefault(each.key, []).append(each)
        return {
            key: uses[0].home
            for key, uses in found.items()
            if key[0] != network
            # A use of a block can lack some of its layers.
            and sum(len(each.uses) for each in uses) == self.uses[key[0]]
            and len({self._start(each.home) for each in uses}) == 1
            and not any(self._is_ruled(each) or self._is_tied(each) for each in uses)
        }

    def _is_ruled(self, weight: _Weight) -> bool:
        """Whether a weight starts like most weights of its class."""
        # Layers that share a weight can have different groups: the groups of the owner count.
        if not all(map(self.starts.is_ruled, self.homes[weight.name].values())):
            return False
        return not (self._is_tied(weight) and any(".groups" in line for line, _ in self._start(weight.home)))

    def _is_tied(self, weight: _Weight) -> bool:
        return weight.node.shares is not None or weight.node.name in self.lenders

    def _start(self, home: Home, module: str = MODULE) -> Start:
        return home.start(self.starts.by_group, module)

    def _place(self, node: Node, part: str, module: Module) -> ModulePath:
        place = self.whole.attributes.place(node.name, module)
        return ModulePath((*place.parts, part)) if part else place
