"""Groups of weights with settings of their own, from the patterns of a recipe."""

from __future__ import annotations

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import training as codes
from netspec.fit import WeightGroup
from netspec.graph import Graph, Node
from netspec.ops.nearest import did_you_mean
from netspec.recipe import Recipe
from netspec.training.heads import matching, place

ALWAYS = 2**31


def groups(
    graph: Graph, recipe: Recipe, problems: Problems
) -> tuple[tuple[WeightGroup, ...], dict[str, int]]:
    """The groups of weights with equal settings, and for each frozen weight the number of its epochs."""
    settings: dict[str, tuple[float, float | None, float]] = {}
    frozen: dict[str, int] = {}
    for at, group in enumerate(recipe.groups):
        nodes = _named(graph, recipe, group.layers, ["groups", str(at), "layers"], problems)
        for name in [weight.name for node in nodes for weight in node.weights]:
            if name in settings:
                continue
            settings[name] = (group.rate, group.weight_decay, 0.0)
            if group.freeze is not False:
                frozen[name] = ALWAYS if group.freeze is True else group.freeze
    for name, l2 in _l2(graph, recipe, problems).items():
        rate, decay, _ = settings.get(name, (1.0, None, 0.0))
        settings[name] = (rate, decay, l2)
    found: dict[tuple[float, float | None, float], set[str]] = {}
    for name, own in settings.items():
        found.setdefault(own, set()).add(name)
    return tuple(WeightGroup(frozenset(names), *own) for own, names in found.items()), frozen


def _l2(graph: Graph, recipe: Recipe, problems: Problems) -> dict[str, float]:
    """λ of every weight that has one."""
    given = recipe.l2
    if given is None:
        return {}
    by_pattern = {"*": given} if isinstance(given, float | int) else given
    found: dict[str, float] = {}
    for pattern, value in by_pattern.items():
        for node in _named(graph, recipe, (pattern,), ["l2", pattern], problems):
            for weight in node.weights:
                if weight.trainable and not weight.statistic:
                    found.setdefault(weight.name, value)
    return found


def _named(
    graph: Graph, recipe: Recipe, patterns: tuple[str, ...], loc: list[str], problems: Problems
) -> list[Node]:
    """The layers with weights that fit; a pattern that fits none is an error."""
    found = []
    for pattern in patterns:
        fitting = [node for node in matching(graph, [pattern]) if node.weights and node.shares is None]
        if not fitting:
            problems.error(
                codes.SETTING_VALUE,
                f"`{loc[0]}` names `{pattern}`, but no layer of `{graph.name}` with weights is called so"
                + did_you_mean(pattern, [node.name for node in graph.nodes if node.weights]),
                place(graph, recipe, loc),
            )
        found += fitting
    return found


def check_settings(graph: Graph, recipe: Recipe, problems: Problems) -> None:
    """Report what is wrong with the settings of layers, whatever the data."""
    groups(graph, recipe, problems)
