"""Finds how a body runs its repeats: by one call if they are a chain of modules, by a loop if of one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from netspec.graph import Node
from netspec.lowering.gathering import Cycle, cycle, gives
from netspec.lowering.outline import Module
from netspec_torch.construction import Construction
from netspec_torch.site import Lowered


class Flow:
    """The items of a body in the order in which they run. A repeat is one item if one call or one loop runs it."""

    def __init__(self, module: Module, construction: Construction) -> None:
        self.module, self.construction = module, construction
        self.sharing = construction.sharing
        self.items = list(self._flat(module.items))
        self._cycles: dict[str, Cycle | None] = {}

    def cycle(self, item: Node | Module) -> Cycle | None:
        """How a loop runs an item; None if no loop does."""
        if not isinstance(item, Module) or not item.is_repeat:
            return None
        if item.path not in self._cycles:
            self._cycles[item.path] = None if self.construction.chained(item) else cycle(item)
        return self._cycles[item.path]

    def lender(self, repeat: Module) -> Node | Module | None:
        """The one item before a repeat that is the module of all repetitions."""
        lenders = {
            id(each): each for each in (self.sharing.lender(item, self.module) for item in repeat.items)
        }
        if len(lenders) > 1 or [each.local_name for each in repeat.items] != [
            *map(str, range(len(repeat.items)))
        ]:
            return None
        (lender,) = lenders.values()
        return None if lender in repeat.items else lender

    def _flat(self, items: Sequence[Node | Module]) -> Iterator[Node | Module]:
        for item in items:
            if isinstance(item, Module) and item.is_repeat and not self._runs(item):
                yield from self._flat(item.items)
            else:
                yield item

    def _runs(self, repeat: Module) -> bool:
        """Whether a repeat is one call, or a loop."""
        return self.construction.chained(repeat) or self._looped(repeat)

    def _looped(self, repeat: Module) -> bool:
        """Whether a loop over the same lines can run all its repetitions."""
        borrows = any(map(self.construction.borrows, repeat.items))
        if (borrows and self.lender(repeat) is None) or not loops(self.construction.whole.lowered)(repeat):
            return False
        made = cycle(repeat)
        if made is None or not (self.sharing.folded or all(isinstance(each, Node) for each in repeat.items)):
            return False
        return {*repeat.outputs} <= gives(made)


def loops(lowered: Mapping[str, Lowered]) -> Callable[[Module], bool]:
    """Whether the same lines can run all repetitions of a repeat: modules, or layers that run in the same way."""

    def check(repeat: Module) -> bool:
        nodes = [lowered[each.name] for each in repeat.items if isinstance(each, Node)]
        if not nodes:
            return not any(isinstance(each, Module) and each.is_repeat for each in repeat.items)
        texts = {(each.result, each.before, each.border, each.takes, each.makes) for each in nodes}
        alike = len(nodes) == len(repeat.items) and len(texts) == 1
        return alike and all(each.module is not None for each in nodes)

    return check
