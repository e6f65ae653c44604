"""The settings of a recipe that a backend does not obey, at their places. Imports no framework."""

from __future__ import annotations

from netspec.backend import Trains, refused, unobeyed
from netspec.diagnostics import Problems
from netspec.diagnostics.codes.backends import REFUSED
from netspec.graph import Graph
from netspec.recipe import Recipe
from netspec.training.heads import place


def check_obeyed(
    graph: Graph, recipe: Recipe, backend: Trains, problems: Problems, device: str | None = None
) -> None:
    """Report every setting that the backend does not obey on this device, and what it refuses in the precision.

    Without a device, what depends on it is a warning. That of `auto` is not known before the framework is loaded: then
    the trainer refuses it.
    """
    kind = None if device is None or device == "auto" else device.partition(":")[0]
    for setting, reason in unobeyed(backend, recipe, kind):
        problems.error(REFUSED, reason, place(graph, recipe, [setting]), help=f"leave `{setting}` out")
    if device is None:
        for each in backend.unobeyed:
            if each.device is not None and getattr(recipe, each.setting) == each.value:
                what = f"`{each.setting}: {each.value}` is not obeyed by {backend.name} on the device {each.device}"
                message = f"{what}: {each.why}"
                problems.warning(REFUSED, message, place(graph, recipe, [each.setting]))
    if recipe.precision == "float64":
        known = refused(backend, graph)
        for layer, reason in refused(backend, graph, "float64"):
            if (layer, reason) not in known:
                message = f"{backend.name} cannot train `{graph.name}` in float64: {reason}"
                problems.error(REFUSED, message, graph.by_name[layer].span)
