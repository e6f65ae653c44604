"""The settings of a recipe that a backend does not obey, at their places. Imports no framework."""

from __future__ import annotations

from netspec.backend import Trains, refused, unobeyed
from netspec.diagnostics import Problems
from netspec.diagnostics.codes.backends import REFUSED
from netspec.graph import Graph
from netspec.recipe import Recipe
from netspec.training.heads import place


def check_obeyed(
    graph: Graph, recipe: Recipe, backend: Trains, problems: Problems, device: str = "auto"
) -> None:
    """Report every setting that the backend does not obey on this device, and what it refuses in the precision.

    What depends on the device counts only if its kind is known: `auto` is settled when the framework is there.
    """
    kind = None if device == "auto" else device.partition(":")[0]
    for setting, reason in unobeyed(backend, recipe, kind):
        problems.error(REFUSED, reason, place(graph, recipe, [setting]), help=f"leave `{setting}` out")
    if recipe.precision == "float64":
        known = refused(backend, graph)
        for layer, reason in refused(backend, graph, "float64"):
            if (layer, reason) not in known:
                message = f"{backend.name} cannot train `{graph.name}` in float64: {reason}"
                problems.error(REFUSED, message, graph.by_name[layer].span)
