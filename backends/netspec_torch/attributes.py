"""Finds the attribute of each scope and layer in the model, and so its key in the state dict."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from netspec.graph import Graph, Node
from netspec.lowering.names import free
from netspec.lowering.outline import Module, given, inlined, outline, shares_anything, unwrapped
from netspec.ops.activation import Activated
from netspec.ops.base import Weight
from netspec_torch.reserved import ATTRIBUTES


class ModulePath(NamedTuple):
    """A path in a module: attributes, and numbers of items in lists."""

    parts: tuple[str, ...]

    def of(self, owner: str) -> str:
        """Its expression, where `owner` is the expression for the module: `self.stage2[0].conv1`."""
        return owner + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in self.parts)

    def in_a_list(self) -> tuple[ModulePath, int, ModulePath] | None:
        """The innermost list on the path, the number in it, and the path inside the item; None without a list."""
        numbers = [at for at, part in enumerate(self.parts) if part.isdigit()]
        if not numbers:
            return None
        at = numbers[-1]
        return ModulePath(self.parts[:at]), int(self.parts[at]), ModulePath(self.parts[at + 1 :])


RECURRENT = frozenset({"rnn", "lstm", "gru"})


class Attributes:
    """The attribute paths of all scopes and layers: `stage2.0.train_` for `stage2.0.train`; only taken names change."""

    def __init__(self, root: Module) -> None:
        series = () if shares_anything(root) else _series(root)
        self._series = frozenset(module.path for module in series)
        self._paths = _paths(root, "", "", {}, self._series)
        self._taken = frozenset(self._paths.values())

    def __getitem__(self, path: str) -> str:
        return self._paths[path]

    def is_series(self, module: Module) -> bool:
        """Whether a module is a subclass of `nn.Sequential`: it only runs the repetitions of one block."""
        return module.path in self._series

    def attribute(self, item: Node | Module) -> str:
        """The last part of the attribute path."""
        return self._paths[item.path if isinstance(item, Module) else item.name].rpartition(".")[2]

    def place(self, path: str, module: Module) -> ModulePath:
        """The path of a part of a module in that module."""
        full, start = self._paths[path], self._paths[module.path]
        return ModulePath(tuple((full[len(start) + 1 :] if start else full).split(".")))

    def has(self, place: ModulePath, module: Module) -> bool:
        """Whether a module has something at this path."""
        start = self._paths[module.path]
        return ".".join((start, *place.parts) if start else place.parts) in self._taken

    def further(self, node: Node) -> Iterator[str]:
        """The keys of tensors that PyTorch's layers have besides weights: a count, and second biases, which are 0."""
        path = self._paths[node.name]
        if any(weight.statistic for weight in node.weights):
            yield f"{path}.num_batches_tracked"
        if node.op.keyword in RECURRENT:
            from netspec_torch.recurrence import second_biases

            yield from (f"{path}.{name}" for name in second_biases(node))

    def key(self, node: Node, weight: Weight) -> str:
        """The key of a layer's weight in the state dict."""
        return f"{self._paths[node.name]}.{node.local(weight)}"


def rooted(graph: Graph) -> Module:
    """The outline of a graph as modules of its text; a scope that only passes values on is not a module."""
    return unwrapped(inlined(outline(graph), is_short), is_plain)


def is_plain(node: Node) -> bool:
    """Whether a layer is one module, without an activation after it."""
    return bool(node.weights) and not (isinstance(node.op, Activated) and node.op.activation is not None)


def is_short(repeat: Module) -> bool:
    """Whether a repeat takes at most two lines: all its repetitions are equal, or all after the first."""
    calls = [each.scope and (each.scope.definition, repr(each.scope.arguments)) for each in repeat.items
             if isinstance(each, Module) and not each.is_repeat]  # fmt: skip
    changes = sum(first != second for first, second in pairwise(calls))
    return len(calls) == len(repeat.items) and changes <= 1


def native_names(graph: Graph) -> dict[str, str | None]:
    """The canonical name of every key of a state dict; None for keys that are not weights."""
    attributes = Attributes(rooted(graph))
    found: dict[str, str | None] = {}
    for node in graph.nodes:
        for weight in node.weights:
            found[attributes.key(node, weight)] = weight.name
        found |= dict.fromkeys(attributes.further(node))
    return found


def _paths(
    module: Module, path: str, attribute: str, found: dict[str, str], series: Collection[str]
) -> dict[str, str]:
    """The attribute path of a module and of all that is in it, added to those found."""
    found[path] = attribute
    for item in module.items:
        name = item.local_name
        if not (module.is_repeat and name.isdigit()) and not _is_possible(name):
            # A renamed layer does not get the name of another layer.
            taken = ATTRIBUTES | {each.local_name for each in module.items}
            name = free(name, taken if name in ATTRIBUTES else taken - {name})
        below = f"{attribute}.{name}" if attribute else name
        if isinstance(item, Module):
            below = attribute if path in series else below
            _paths(item, item.path, below, found, series)
        else:
            found[item.name] = below
    return found


@lru_cache(maxsize=4096)
def _is_possible(name: str) -> bool:
    """Whether an attribute can have this name."""
    return name not in ATTRIBUTES and free(name, ()) == name


def _series(root: Module) -> Iterator[Module]:
    """The modules that only run a repeat as `nn.Sequential` does."""
    for module in root.modules():
        match module.items:
            case [Module(is_repeat=True) as only] if not module.is_repeat and is_chained(only):
                if (only.inputs, only.outputs) == (module.inputs, module.outputs):
                    yield module


def is_chained(repeat: Module) -> bool:
    """Whether `nn.Sequential` can run it: repetitions are modules, and each takes only the output of the one before."""
    for each in repeat.items:
        if not isinstance(each, Module) or (each.is_repeat and not is_chained(each)):
            return False
    if len(repeat.inputs) != 1 or len(repeat.outputs) != 1:
        return False
    current = repeat.inputs[0]
    for each in repeat.items:
        if set(each.inputs) != {current} or len(given(each)) != 1:
            return False
        current = given(each)[0]
    return current == repeat.outputs[0]
