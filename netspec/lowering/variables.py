"""Chooses variable names for the values of one body, as in code written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from types import MappingProxyType

from netspec.graph import Node
from netspec.lowering.gathering import cycle
from netspec.lowering.names import free, is_automatic, numbered
from netspec.lowering.outline import Module, StandingNode, given, place_of

MAIN = "x"
BRANCHES, BRANCH = ("y", "z"), "branch"
"""The variables of up to two branches, and what those of more begin with."""
AMBIGUOUS = frozenset({"l", "O", "I"})
"""Variables that look like digits: linters refuse them."""


def parameters(
    module: Module,
    taken: Collection[str],
    lists: Mapping[str, str] = MappingProxyType({}),
    words: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """What the function of a module calls its inputs: `x`, and at the root the author's names of several.

    `lists` has the names of lists, `words` has names for inputs that the author does not name in the block.
    """
    if module.scope is None and len(module.inputs) > 1:
        return {value: free(value, taken) for value in module.inputs}
    single = [value for value in module.inputs if value not in lists]
    names = _named_inputs(module, single, {*taken, *lists.values()}, words)
    return {value: lists[value] if value in lists else names[value] for value in module.inputs}


def _named_inputs(
    module: Module, values: Sequence[str], taken: Collection[str], words: Mapping[str, str]
) -> dict[str, str]:
    """The names of inputs other than lists: the author's, if there are several, else words, else letters."""
    count, names = len(values), dict[str, str]()
    known = {**words, **declared(module)} if count > 1 else {}
    for value in values:
        if value in known and (name := free(known[value], taken)) not in names.values():
            names[value] = name
    letters = ("x", "y", "z") if count <= 3 else [f"x{number}" for number in range(1, count + 1)]
    left = [letter for letter in letters if letter not in names.values()]
    return {**dict(zip((value for value in values if value not in names), left, strict=False)), **names}


def declared(module: Module) -> dict[str, str]:
    """The author's names of the inputs of a block, by value."""
    scope = module.scope
    if scope is None or len(scope.names) != len(scope.inputs):
        return {}
    return dict(reversed(list(zip(scope.inputs, scope.names, strict=True))))


def variables(
    items: Sequence[Node | Module],
    inputs: Mapping[str, str],
    outputs: Sequence[str],
    taken: Collection[str],
    titles: Mapping[str, str] = MappingProxyType({}),
    lists: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The variable of every value that the items give, and of the inputs.

    The main line is `x`. A value that is kept while others are made has the author's name where he gave one;
    a branch beside `x` is `y`, two are `y` and `z`, more are `branch1`, `branch2`, … A variable is reused as
    soon as the value in it is used up. `titles` are names for what a module gives besides its own output, `lists` the
    names of lists.
    """
    return _Allocation(items, inputs, outputs, taken, titles, lists).names()


def titles(module: Module) -> dict[str, str]:
    """For values that are outputs of scopes in a module, the author's name: that of the outermost such scope."""
    found: dict[str, str] = {}
    for each in module.modules():
        if each.scope is not None and each.place is not None:
            name, above = each.local_name, each.place.parent.rpartition(".")[2]
            found[each.scope.output] = f"{above}_{name}" if name.isdigit() else name
    for node in module.nodes():
        if isinstance(node, StandingNode):
            found[node.name] = node.local_name
    return found


def starts_branch(item: Node | Module, names: Mapping[str, str], inputs: Collection[str]) -> bool:
    """Whether it is the first item of a branch without a name, which starts at an input of the block."""
    results = given(item)
    after = names[results[0]]
    branch = after in BRANCHES or after.startswith(BRANCH)
    return branch and len(item.inputs) == len(results) == 1 and item.inputs[0] in inputs


class _Kept:
    """The variables whose values are still used: each with the number of such values."""

    def __init__(self) -> None:
        self._count: Counter[str | int] = Counter()
        self._until: dict[int, list[str | int]] = {}
        self._now = -1
        # The numbers that were kept and are free again, and the next one; some may be kept again.
        self._free: list[int] = []
        self._next = 0

    def hold(self, variable: str | int, last: int) -> None:
        """Keep the variable of a value up to the item that uses it last, or to the next one."""
        self._count[variable] += 1
        self._until.setdefault(max(last, self._now + 1), []).append(variable)

    def release(self, index: int) -> None:
        """Give up the variables of the values that are not used after this item."""
        self._now = index
        for variable in self._until.pop(index, ()):
            self._count[variable] -= 1
            if isinstance(variable, int) and not self._count[variable]:
                heappush(self._free, variable)

    def __contains__(self, variable: str | int) -> bool:
        return self._count[variable] > 0

    def number(self, other_than: Collection[str | int]) -> int:
        """The least number that is neither kept nor one of these."""
        passed = []
        while self._free and (self._free[0] in self or self._free[0] in other_than):
            number = heappop(self._free)
            if number not in self:
                passed.append(number)
        if self._free:
            found = heappop(self._free)
        else:
            while self._next in self or self._next in other_than:
                self._next += 1
            found = self._next
        for number in passed:
            heappush(self._free, number)
        return found


class _Allocation:
    def __init__(
        self,
        items: Sequence[Node | Module],
        inputs: Mapping[str, str],
        outputs: Sequence[str],
        taken: Collection[str],
        titles: Mapping[str, str],
        lists: Mapping[str, str],
    ) -> None:
        self.titles, self.lists = titles, lists
        self.items, self.inputs, self.outputs = items, inputs, outputs
        self.taken = {*taken, *inputs.values(), *lists.values(), MAIN, *AMBIGUOUS}
        self.uses: dict[str, list[int]] = {}
        for index, item in enumerate(items):
            for value in item.inputs:
                self.uses.setdefault(value, []).append(index)
        for value in outputs:
            self.uses.setdefault(value, []).append(len(items))
        self.made = {value: index for index, item in enumerate(items) for value in given(item)}
        self.further = [titles.get(value, _title(value)) for item in items for value in given(item)[1:]]
        # A branch without a name is a number.
        self.variable: dict[str, str | int] = {**lists, **inputs}
        self.kept = _Kept()
        for value, variable in self.variable.items():
            self.kept.hold(variable, self._last(value))
        self.merges = {index for index, item in enumerate(items) if len({*item.inputs}) > 1}
        # A model in Keras keeps its inputs, too.
        self.results = {*outputs} - {*inputs}

    def names(self) -> dict[str, str]:
        for index, item in enumerate(self.items):
            first, *others = given(item)
            self.kept.release(index)
            again = {self.variable[value] for value in _taken_again(item, first)}
            if first not in self.lists:
                self.variable[first] = self._first(index, item, again)
            for value in others:
                if value not in self.lists:
                    self.variable[value] = self._own_name(self._further(value, item))
            for value in given(item):
                self.kept.hold(self.variable[value], self._last(value))
        return self._named()

    def _further(self, value: str, item: Node | Module) -> str:
        """What else an item gives: by its own name, or by both where something else here has that."""
        title = self.titles.get(value, _title(value))
        if all(each.local_name != title for each in self.items) and self.further.count(title) == 1:
            return title
        return f"{_title(place_of(item))}_{title}"

    def _last(self, value: str) -> int:
        uses = self.uses.get(value)
        return uses[-1] if uses else self.made.get(value, -1)

    def _first(self, index: int, item: Node | Module, again: set[str | int]) -> str | int:
        """The variable of what an item gives; not one of `again`."""
        if self._deserves_name(index, item):
            return self._own_name(self._called(item))
        taken = [value for value in item.inputs if value not in self.lists]
        freed = [self.variable[value] for value in taken if self._last(value) == index]
        alone = len(set(item.inputs)) == 1
        chain = [
            var for var in freed if var not in self.kept and var not in again and self._reusable(var, alone)
        ]
        if MAIN in chain or (len(set(chain)) != 1 and MAIN not in self.kept and MAIN not in again):
            return MAIN
        return chain[0] if chain else self.kept.number(again)

    def _reusable(self, variable: str | int, alone: bool) -> bool:
        """Whether the next value may reuse the name: the name of an input only for values of the same chain."""
        return isinstance(variable, int) or variable == MAIN or (alone and variable in self.inputs.values())

    def _called(self, item: Node | Module) -> str:
        """The author's name of a value, or a name after the layer that makes it."""
        first, *_ = given(item)
        if is_automatic(item) and self._is_result(first):
            return self.titles[first]
        return _title(place_of(item))

    def _is_result(self, value: str) -> bool:
        """Whether it is one of several results, and has a name as such."""
        return len(self.results) > 1 and value in self.results and value in self.titles

    def _deserves_name(self, index: int, item: Node | Module) -> bool:
        if isinstance(item, Node) and item.op.keyword == "identity":
            return True
        value = given(item)[0]
        uses = self.uses.get(value, [])
        named = not is_automatic(item) or self._is_result(value)
        if not uses or uses[0] == uses[-1] == index + 1:
            # Only a merge says what its branches are, and a result of several what it is.
            if not uses or uses[0] < len(self.items):
                return named and bool(uses) and uses[0] in self.merges
            # Results that one item makes, and lists, are what they are.
            return (
                named and len(set(self.outputs)) > 1 and not set(self.outputs) <= {*given(item), *self.lists}
            )
        if named:
            return True
        if uses[0] == uses[-1]:
            return uses[0] == len(self.items) and len(self.outputs) > 1
        # In a nested fork, `y` and `z` would be unclear.
        between = range(index + 1, uses[-1])
        forks = (
            each for at in between for each in given(self.items[at]) if len(set(self.uses.get(each, []))) > 1
        )
        return uses[-1] == len(self.items) or any(forks)

    def _own_name(self, name: str) -> str:
        chosen = numbered(free(name, ()), self.taken)
        self.taken.add(chosen)
        return chosen

    def _named(self) -> dict[str, str]:
        count = 1 + max((var for var in self.variable.values() if isinstance(var, int)), default=-1)
        stems = BRANCHES[:count] if count <= 2 else [f"{BRANCH}{number}" for number in range(1, count + 1)]
        names: list[str] = []
        for stem in stems:
            names.append(numbered(stem, self.taken))
            self.taken.add(names[-1])
        return {value: names[var] if isinstance(var, int) else var for value, var in self.variable.items()}


def _taken_again(item: Node | Module, result: str) -> Iterator[str]:
    """The inputs of a loop that later repetitions still take after one has made the result."""
    made = cycle(item) if isinstance(item, Module) else None
    if made is not None:
        for value, wire in zip(made.repeat.items[0].inputs, made.wires, strict=True):
            if wire is None or made.values(wire)[-1] != result:
                yield value


def _title(path: str) -> str:
    """The last name of a path; for a repetition, the name of the repeat with its number."""
    *above, last = path.split(".")
    return f"{above[-1]}_{last}" if last.isdigit() and above else last
