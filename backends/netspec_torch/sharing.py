"""Finds the layers and modules of a network that use the same weights, and those that can be one object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.outline import Module, shares_anything
from netspec.lowering.parts import Argument, Call
from netspec_torch.site import Lowered

NodeOrModule = Node | Module


@dataclass(frozen=True, slots=True)
class Made:
    """The class of a module, and its arguments."""

    name: str
    arguments: tuple[Argument, ...]

    def call(self) -> Call:
        return Call(self.name, self.arguments)


def path_of(item: NodeOrModule) -> str:
    """The path of a module, or the name of a layer."""
    return item.path if isinstance(item, Module) else item.name


class Sharing:
    """The families of a network: the layers, and the calls of blocks, that use the same weights.

    `made` has the classes of the modules that are written so far: inner modules before outer ones. Unless it is
    `folded`, every item is an object of its own, with the weights of the first.
    """

    def __init__(
        self, root: Module, lowered: Mapping[str, Lowered], made: Mapping[str, Made], folded: bool = True
    ) -> None:
        self.lowered, self.made, self.folded = lowered, made, folded
        self._owners: dict[str, str] = {}
        self._users: dict[tuple[str, str], list[NodeOrModule]] = {}
        self.borrows_anything = False
        """Whether any item uses the weights of another."""
        if not shares_anything(root):
            return
        self._modules = {each.path: each for each in root.modules()}
        self._owners = {path_of(item): owner for item in _items(root) if (owner := self._owner(item))}
        counts = Counter(self._owners.values())
        self.borrows_anything = max(counts.values(), default=0) > 1
        # The users of each owner's weights per module, so that no module searches the whole network.
        for item in _items(root):
            owner = self._owners.get(path_of(item), "")
            for path in _around(path_of(item)) if counts[owner] > 1 else ():
                self._users.setdefault((owner, path), []).append(item)

    def _owner(self, item: NodeOrModule) -> str:
        """The path that identifies the weights of an item; empty if it has no weights."""
        if isinstance(item, Node):
            return (item.shares or item.name) if item.weights else ""
        while item.shares is not None:
            item = self._modules[item.shares]
        return item.path

    def earlier(self, item: NodeOrModule, module: Module) -> Iterator[NodeOrModule]:
        """The items before an item in a module that use the same weights, at any depth."""
        for each in self._users.get((self._owners.get(path_of(item), ""), module.path), ()):
            if each is item:
                return
            yield each

    def lender(self, item: NodeOrModule, module: Module) -> NodeOrModule | None:
        """The first item of a module that is constructed in the same way: one object can be both."""
        if not self.borrows_anything:
            return None
        alike = (each for each in self.earlier(item, module) if self.folded and self._alike(each, item))
        return next(alike, None)

    def _alike(self, first: NodeOrModule, second: NodeOrModule) -> bool:
        if isinstance(first, Node) and isinstance(second, Node):
            mine, theirs = (self.lowered[each.name].module for each in (first, second))
            return first.trainable == second.trainable and mine == theirs
        made, again = self.made.get(path_of(first)), self.made.get(path_of(second))
        return made is not None and made == again


def _around(path: str) -> Iterator[str]:
    """The enclosing paths of a path, from the inside outwards; the last one is that of the root, which is empty."""
    while path:
        path = path.rpartition(".")[0]
        yield path


def _items(module: Module) -> Iterator[NodeOrModule]:
    """All layers and modules with their own class, in the order in which they run; outer modules first."""
    for item in module.items:
        if isinstance(item, Module):
            if not item.is_repeat:
                yield item
            yield from _items(item)
        else:
            yield item
