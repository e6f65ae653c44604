"""Which layers and modules of a network use the same weights, and which of them can be one object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.outline import Module
from netspec.lowering.parts import Argument, Call
from netspec_torch.site import Lowered

Item = Node | Module


@dataclass(frozen=True, slots=True)
class Made:
    """The class that serves a module, and what it is constructed with."""

    name: str
    arguments: tuple[Argument, ...]

    def call(self) -> Call:
        return Call(self.name, self.arguments)


def path_of(item: Item) -> str:
    """The path of a module, the name of a layer."""
    return item.path if isinstance(item, Module) else item.name


class Sharing:
    """The families of a network: the layers that use the same weights, and the calls of blocks that do.

    `made` has the classes of the modules that are written so far: inner ones before outer ones. Unless it is
    `folded`, no object is two items: each has its own, with the weights of the first.
    """

    def __init__(
        self, root: Module, lowered: Mapping[str, Lowered], made: Mapping[str, Made], folded: bool = True
    ) -> None:
        self.lowered, self.made, self.folded = lowered, made, folded
        self._modules = {each.path: each for each in root.modules()}
        self._owners = {path_of(item): owner for item in _items(root) if (owner := self._owner(item))}
        counts = Counter(self._owners.values())
        self.borrows_anything = max(counts.values(), default=0) > 1
        """Whether anything uses the weights of something else."""
        # What uses the weights of each owner, module by module, so that none looks through all of a network.
        self._users: dict[tuple[str, str], list[Item]] = {}
        for item in _items(root):
            owner = self._owners.get(path_of(item), "")
            for path in _around(path_of(item)) if counts[owner] > 1 else ():
                self._users.setdefault((owner, path), []).append(item)

    def _owner(self, item: Item) -> str:
        """The path that stands for the weights of an item; none where it has no weights of its own to share."""
        if isinstance(item, Node):
            return (item.shares or item.name) if item.weights else ""
        while item.shares is not None:
            item = self._modules[item.shares]
        return item.path

    def earlier(self, item: Item, module: Module) -> Iterator[Item]:
        """What comes before an item in a module and uses the same weights, at any depth."""
        for each in self._users.get((self._owners.get(path_of(item), ""), module.path), ()):
            if each is item:
                return
            yield each

    def lender(self, item: Item, module: Module) -> Item | None:
        """The first item of a module that is constructed just as this one: one object can be both."""
        if not self.borrows_anything:
            return None
        alike = (each for each in self.earlier(item, module) if self.folded and self._alike(each, item))
        return next(alike, None)

    def _alike(self, first: Item, second: Item) -> bool:
        if isinstance(first, Node) and isinstance(second, Node):
            mine, theirs = (self.lowered[each.name].module for each in (first, second))
            return first.trainable == second.trainable and mine == theirs
        made, again = self.made.get(path_of(first)), self.made.get(path_of(second))
        return made is not None and made == again


def _around(path: str) -> Iterator[str]:
    """The paths of what a path stands in, from within outwards; the last is the root's, which is empty."""
    while path:
        path = path.rpartition(".")[0]
        yield path


def _items(module: Module) -> Iterator[Item]:
    """Every layer and every module that is a class of its own, in the order in which they run; outer ones first."""
    for item in module.items:
        if isinstance(item, Module):
            if not item.is_repeat:
                yield item
            yield from _items(item)
        else:
            yield item
