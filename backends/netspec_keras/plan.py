"""Decides which of the author's scopes become functions, and which functions return layers that are called twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property

from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.lowering.arguments import Words, words
from netspec.lowering.definitions import called_key, nesting
from netspec.lowering.gathering import Cycle, cycle, gathered
from netspec.lowering.outline import Module, inlined, outline
from netspec.lowering.parts import Index
from netspec_keras.layer import Dims, LayerText, Lowered

PlanName = tuple[str | Index, ...]
PlanKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A node, or the call of a function; `name` is relative to the enclosing function."""

    item: Node | Module
    name: PlanName


@dataclass(frozen=True, slots=True)
class Append:
    """The value that a repetition adds to a list."""

    listed: str
    value: str


@dataclass(frozen=True, slots=True)
class PlannedRepeat:
    """Repetitions, numbered from 0; `cycle` has their connections, `lists` the lists that they fill."""

    bodies: tuple[tuple[PlanStep, ...], ...]
    cycle: Cycle | None = None
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """The start of a scope of the spec that is not a function."""

    text: str


END = Heading("")
"""The end of the innermost heading."""

PlanStep = PlannedCall | PlannedRepeat | Heading | Append


@dataclass
class SourcePlan:
    """The plan: blocks and networks are functions, repeats are loops; groups and heads are written in place.

    `uses` has the modules of each definition, inner definitions first. `lent` are definitions whose function returns a
    function, which can be called more than once: a layer made of layers. A `flat` plan has neither functions nor loops.
    """

    graph: Graph
    root: Module
    layers: Mapping[str, Lowered]
    flat: bool = False
    modules: dict[str, Module] = field(default_factory=dict)
    keys: dict[str, PlanKey] = field(default_factory=dict)
    uses: dict[PlanKey, list[Module]] = field(default_factory=dict)
    lent: set[PlanKey] = field(default_factory=set)
    levels: dict[str, int] = field(default_factory=dict)
    turned: Mapping[str, Dims] = field(default_factory=dict)
    """The values in another order of axes than that of Keras."""
    words: Words = field(default_factory=dict)
    """Names for the inputs of functions that take several."""

    @cached_property
    def shares_anything(self) -> bool:
        """Whether any layer or call of a block uses the weights of another one."""
        nodes, scopes = self.graph.nodes, self.graph.scopes
        return any(each.shares is not None for each in nodes) or any(
            each.shares is not None for each in scopes
        )

    def is_function(self, module: Module) -> bool:
        return module.path in self.keys

    def is_written(self, module: Module) -> bool:
        """Whether it is written: the content of a call that uses the layers of another call is written only there."""
        path = module.path
        while path:
            if path in self.keys and self.modules[path].shares is not None:
                return False
            path = self.graph.scope_by_path[path].parent
        return True

    def is_lent(self, module: Module) -> bool:
        return self.keys.get(module.path) in self.lent

    def steps(self, module: Module, prefix: PlanName = ()) -> tuple[PlanStep, ...]:
        """The content of a module's function, in order."""
        return tuple(step for item in module.items for step in self._item(item, prefix))

    def _item(self, item: Node | Module, prefix: PlanName) -> Iterator[PlanStep]:
        name = (*prefix, *_parts(item.local_name if isinstance(item, Node) else item.local_path))
        if isinstance(item, Node) or self.is_function(item):
            yield PlannedCall(item, name)
        elif item.is_repeat and not self.flat and _counts(item):
            yield self._rounds(item, (*name, "."))
        else:
            inner = self.steps(item, (*name, "."))
            if item.is_repeat or len(inner) < 2:
                yield from inner
            else:
                yield from (Heading("".join(spell(name))), *inner, END)

    def _rounds(self, repeat: Module, prefix: PlanName) -> PlannedRepeat:
        made = cycle(repeat)
        outputs = [(made.listed(at), made.values(at)) for at in range(len(made.rests))] if made else []
        filled = [(name, values) for name, values in outputs if name in repeat.outputs]
        bodies = tuple(
            (*self._round(each, prefix, at), *(Append(name, values[at]) for name, values in filled))
            for at, each in enumerate(repeat.items)
        )
        return PlannedRepeat(bodies, made, tuple(name for name, _ in filled))

    def _round(self, item: Node | Module, prefix: PlanName, number: int) -> tuple[PlanStep, ...]:
        _, *within = ("",) if isinstance(item, Node) else _parts(item.local_path)
        name: PlanName = (*prefix, Index(number), *within)
        if isinstance(item, Node) or self.is_function(item):
            return (PlannedCall(item, name),)
        return self.steps(item, (*name, "."))

    def body(self, scope: str) -> str:
        """The path of the function that contains the content of a scope."""
        while scope and scope not in self.keys:
            scope = self.graph.scope_by_path[scope].parent
        return scope


def _parts(path: str) -> tuple[str, ...]:
    """The names in a path, and the dots between them."""
    return tuple(re.split(r"(\.)", path))


def spell(name: PlanName) -> Iterator[str]:
    """The parts of a name, the numbers of repetitions written out."""
    return (str(each.number) if isinstance(each, Index) else each for each in name)


def plan(
    graph: Graph, layers: Mapping[str, Lowered], folded: bool = True, turned: Mapping[str, Dims] | None = None
) -> SourcePlan:
    """Decide the functions of a graph whose nodes have these layers; if it is not `folded`, there are none.

    Sharing is written as layers that are called twice: in one function by the variable of the layer, between two calls
    of a block by the variable of the first call's result. If neither is possible, the whole network is flat.
    """
    root = inlined(outline(graph))
    flat = SourcePlan(graph, root, layers, flat=True, turned=turned or {})
    if not folded:
        return flat
    if not flat.shares_anything:
        root = gathered(root, lambda repeat: _loops(graph, repeat), lambda node: node.op.merges)
    made = SourcePlan(
        graph, root, layers, modules={each.path: each for each in root.modules()}, turned=flat.turned
    )
    made.levels = nesting(root)
    _name(made, root, ())
    made.words = words(made.uses.values(), root)
    _lend(made)
    nodes = (node for node in graph.nodes if node.shares is not None and node.weights)
    calls = (module for module in made.modules.values() if module.shares is not None)
    if all(_served(made, node) for node in nodes) and all(_lent(made, each.path) for each in calls):
        return made
    return flat


def _name(made: SourcePlan, module: Module, owner: PlanKey) -> None:
    """Give each module that becomes a function the key of its definition."""
    for item in module.items:
        if not isinstance(item, Module):
            continue
        key = _key(item, owner, module, made.levels.get(item.path))
        _name(made, item, key or owner)
        if key is not None:
            made.keys[item.path] = key
            made.uses.setdefault(key, []).append(item)


def _key(module: Module, owner: PlanKey, above: Module, level: int | None) -> PlanKey | None:
    if module.kind in ("block", "network") and module.scope is not None and module.scope.definition:
        return called_key(module, level)
    # A loop in a loop would need two numbers in one name; the inner one gets a function.
    if above.is_repeat and _has_loop(module):
        return (*owner, "repeat", above.local_name)
    return None


def _has_loop(module: Module) -> bool:
    inner = [item for item in module.items if isinstance(item, Module)]
    return any(item.is_repeat or (item.kind in ("group", "head") and _has_loop(item)) for item in inner)


def _lend(made: SourcePlan) -> None:
    """Mark the functions that are called twice, and all functions in them: they return functions."""
    sharing = [
        module for path, module in made.modules.items() if module.shares is not None and path in made.keys
    ]
    made.lent = {made.keys[module.path] for module in sharing}
    while True:
        within = [each for key in made.lent for module in made.uses[key] for each in module.modules()]
        inner = {made.keys[each.path] for each in within if each.path in made.keys}
        if inner <= made.lent:
            return
        made.lent |= inner


def _served(made: SourcePlan, node: Node) -> bool:
    """Whether a node that shares can call the layer of its owner by name."""
    owner = made.graph.by_name[node.shares or node.name]
    if made.body(node.scope) == made.body(owner.scope):
        return not _in_loop(made, owner.scope)
    calls = _lent(made, node.scope)
    return calls is not None and node.name[len(calls[1]) :] == owner.name[len(calls[0]) :]


def _lent(made: SourcePlan, path: str) -> tuple[str, str] | None:
    """The innermost pair of calls, lender and borrower, such that a scope is in a call that is lent whole."""
    while path:
        module = made.modules[path]
        lender = made.modules.get(module.shares or "")
        if lender is not None and path in made.keys and _can_lend(made, lender, module):
            return lender.path, path
        path = made.graph.scope_by_path[path].parent
    return None


def _can_lend(made: SourcePlan, owner: Module, module: Module) -> bool:
    """Whether one module's layers can serve the other one, and both are called in one function, the owner in no loop.

    Comparing ops is not enough: an op can have other layers for an input of another size.
    """
    if owner.scope is None or module.scope is None:
        return False
    parents = (owner.scope.parent, module.scope.parent)
    return (
        _content(made, owner) == _content(made, module)
        and made.body(parents[0]) == made.body(parents[1])
        and not _in_loop(made, parents[0])
    )


Content = list[tuple[str, tuple[LayerText, ...], tuple[str | int, ...]]]
"""For each node, its name, its layers and its inputs: relative names, or numbers of the module's inputs."""


def _content(made: SourcePlan, module: Module) -> tuple[Content, list[str]]:
    """The content of a module, independent of its name, and the names of its outputs."""
    numbers = {value: number for number, value in enumerate(module.inputs)}
    nodes = [
        (
            module.local(node.name),
            made.layers[node.name].layers,
            tuple(numbers[value] if value in numbers else module.local(value) for value in node.inputs),
        )
        for node in module.nodes()
    ]
    return nodes, list(map(module.local, module.outputs))


def _in_loop(made: SourcePlan, scope: str) -> bool:
    """Whether the content of a scope is written in a loop."""
    while scope and scope not in made.keys:
        if made.graph.scope_by_path[scope].kind == "repeat":
            return True
        scope = made.graph.scope_by_path[scope].parent
    return False


def _loops(graph: Graph, repeat: Module) -> bool:
    """Whether a repeat is written as a loop; a repeat that is itself repeated is not."""
    above = graph.scope_by_path.get(repeat.scope.parent) if repeat.scope else None
    return _counts(repeat) and (above is None or above.kind != "repeat")


def _counts(repeat: Module) -> bool:
    """Whether the repetitions of a repeat are numbered 0, 1, …, so that none was left out."""
    return [item.local_name for item in repeat.items] == [str(number) for number in range(len(repeat.items))]
