"""Layers whose weights are all frozen: one that measures statistics calculates as in inference, like a fixed one."""

from __future__ import annotations

from torch import nn

from netspec.graph import Graph
from netspec_torch.runtime import keys


def measuring(model: nn.Module, graph: Graph) -> dict[frozenset[str], list[nn.Module]]:
    """The modules that measure statistics in training, by the names of all their weights."""
    held, found = keys(graph), dict[frozenset[str], list[nn.Module]]()
    for node in graph.nodes:
        statistic = next((weight.name for weight in node.weights if weight.statistic), None)
        if statistic is not None and node.shares is None:
            names = frozenset(weight.name for weight in node.weights)
            found.setdefault(names, []).append(model.get_submodule(held[statistic].rpartition(".")[0]))
    return found


def settle(measuring: dict[frozenset[str], list[nn.Module]], frozen: frozenset[str]) -> None:
    """Put those into evaluation mode of which all weights are frozen, after `train()` of the whole model."""
    for names, modules in measuring.items():
        if names <= frozen:
            for module in modules:
                module.eval()
