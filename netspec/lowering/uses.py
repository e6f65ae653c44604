"""Describes the uses of a block: their arguments, which of them are equal, and their docstrings."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from math import prod

from netspec.graph import Graph, Node
from netspec.lowering.names import singular
from netspec.lowering.outline import Module, given
from netspec.lowering.tree import LiteralValue
from netspec.ops.window import Windowed
from netspec.types import Type

LONGEST_LIST = 70
"""The most characters of a list of places; a longer list has only the first and the last place."""

MOST_KINDS = 3
"""The most layers after which a group without a name is called."""

Mark = Callable[[Node | Module], Hashable]
"""A layer or the call of a block, without its name and its inputs."""


def firsts(modules: Sequence[Module], mark: Mark, whole: Callable[[Module], Hashable]) -> list[int]:
    """For each module, the number of the first module with the same text.

    `whole` gives everything else that affects the text.
    """
    first: dict[Hashable, int] = {}
    found = []
    for number, each in enumerate(modules):
        key = (whole(each), each.wiring, tuple(map(mark, flattened(each.items))))
        found.append(first.setdefault(key, number))
    return found


def flattened(items: Sequence[Node | Module]) -> Iterator[Node | Module]:
    """Layers, and modules with their own class; repeats are flattened."""
    for item in items:
        if isinstance(item, Module) and item.is_repeat:
            yield from flattened(item.items)
        else:
            yield item


def known(graph: Graph, module: Module, plain: tuple[type, ...] = (int, float)) -> dict[str, LiteralValue]:
    """The author's arguments that can be parameters in a text: `plain` values, and lists of whole numbers."""
    scope = module.scope
    while scope is not None and not scope.definition and scope.parent:
        # Layers in a row see the arguments of the enclosing block.
        scope = graph.scope_by_path[scope.parent]
    found: dict[str, LiteralValue] = {}
    for name, value in scope.arguments if scope else ():
        if isinstance(value, plain):
            found[name] = value  # type: ignore[assignment]
        elif isinstance(value, list) and all(isinstance(each, int) for each in value):
            found[name] = tuple(value)
    return found


def traits(graph: Graph, module: Module) -> dict[str, str]:
    """What distinguishes a use of a block from others, except its layers and its numbers, in words for a name.

    These are the author's words, whether it learns, whether it takes one value several times, and what it gives besides
    its output.
    """
    scope = module.scope
    if scope is None:
        return {}
    found = known(graph, module, (str,))
    learns = [node.trainable for node in module.nodes() if node.weights]
    if learns:
        found["learns"] = "trained" if any(learns) else "frozen"
    if len(scope.inputs) > 1:
        found["takes"] = "of_several" if len({*scope.inputs}) > 1 else "of_itself"
    more = [module.parts(value)[-1] for value in module.outputs[1:]]
    found["gives"] = f"giving_{'_and_'.join(more) or 'one'}"
    return {name: word for name, word in found.items() if isinstance(word, str)}


NORMS = frozenset({"batch_norm", "layer_norm", "group_norm"})


def roles(module: Module) -> dict[str, str]:
    """Common names for some layers of a block.

    A projection is what takes the block's input to the sum at its end, to the same number of channels: one convolution
    of single positions, with or without a norm.
    """
    makers = {value: item for item in module.items for value in given(item)}
    found: dict[str, str] = {}
    for item in module.items:
        for value in item.inputs if isinstance(item, Node) and item.op.keyword == "add" else ():
            chain = list(_chain(value, makers))
            convolutions = [
                each.op for each in chain if isinstance(each.op, Windowed) and each.op.keyword == "conv"
            ]
            norms = [each for each in chain if each.op.keyword in NORMS]
            plain = len(convolutions) + len(norms) == len(chain)
            if plain and len(convolutions) == 1 and set(convolutions[0].kernel) == {1}:
                found |= {each.local_name: "projection" for each in chain}
    return found


def _chain(value: str, makers: Mapping[str, Node | Module]) -> Iterator[Node]:
    """The layers of the chain from the input of a block to a value, the last layer first."""
    while isinstance(maker := makers.get(value), Node) and len(maker.inputs) == 1:
        yield maker
        (value,) = maker.inputs


def told(uses: Sequence[Module]) -> str:
    """The docstring of a definition: what it is in the spec, and where."""
    use, places = uses[0], [module.path for module in uses]
    shown = ", ".join(places)
    if len(shown) > LONGEST_LIST:
        shown = f"{places[0]} … {places[-1]}, {len(places)} in all"
    if use.kind == "head" and len(places) > 1:
        return f"Heads {shown}."
    kind = {"block": "Block", "network": "Network", "head": "Head"}.get(use.kind, "Layers")
    name = use.scope.definition if use.scope and use.scope.definition else stem(use)
    return f"{kind} `{name}`: {shown}." if shown != name else f"{kind} `{name}`."


def stem(use: Module) -> str:
    """The name of a named group of layers, a head, or the layers of a repeat."""
    names = [part for part in use.path.split(".") if not part.isdigit()]
    return names[-1] if names else "layers"


def group_name(use: Module) -> str:
    """What a definition of layers in a row is called: the name of the layers, or what they are if they have none.

    `sweep` for the repetitions of `sweeps`, `dense_dropout` for those of a group without a name.
    """
    name = stem(use)
    if not re.fullmatch(r"group\d+", name):
        return singular(name) if use.local_name.isdigit() else name
    kinds = [_kind(item) for item in use.items]
    return "_".join(kinds) if len(kinds) <= MOST_KINDS else f"{kinds[0]}_group"


def _kind(item: Node | Module) -> str:
    if isinstance(item, Node):
        return item.op.keyword
    return item.scope.definition or item.kind if item.scope else item.kind


def description(graph: Graph, name: str, shape: Callable[[Type], Sequence[int]]) -> str:
    """The docstring of a text about the network; `shape` orders the axes as in the framework."""

    def batch(type_: Type) -> str:
        return f"({', '.join(['N', *map(str, shape(type_))])})"

    about = " ".join(graph.description.split())
    title = f"{name}: {about}" if about else name
    title += "" if title.endswith((".", "!", "?")) else "."
    count = sum(prod(weight.shape) for weight in graph.weights if not weight.statistic)
    values = ", ".join(f"{each} {value}" for each, value in graph.params)
    origin = f"Written by netspec from the spec `{graph.name}`" + (f" with {values}." if values else ".")
    takes = ", ".join(f"{each.name} {batch(each.type)}" for each in graph.inputs)
    gives = ", ".join(f"{each.name} {batch(graph.types[each.value])}" for each in graph.outputs)
    return f"{title}\n\n{origin}\n{count:,} parameters.\nTakes {takes}; gives {gives}."
