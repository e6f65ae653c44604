"""Groups of weights with settings of their own, from the patterns of a recipe."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping

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
        place_ = ["groups", str(at), "layers"]
        nodes = _named(graph, recipe, group.layers, place_, problems)
        names = [weight.name for node in nodes for weight in node.weights]
        _require_new(graph, recipe, names, settings, place_, ", ".join(group.layers), problems)
        for name in names:
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
        nodes = _named(graph, recipe, (pattern,), ["l2", pattern], problems)
        names = [
            weight.name
            for node in nodes
            for weight in node.weights
            if weight.trainable and not weight.statistic
        ]
        _require_new(graph, recipe, names, found, ["l2", pattern], pattern, problems)
        for name in names:
            found.setdefault(name, value)
    return found


def _require_new(
    graph: Graph,
    recipe: Recipe,
    names: Collection[str],
    taken: Container[str],
    loc: list[str],
    pattern: str,
    problems: Problems,
) -> None:
    """Report settings that apply to no weight, because all that they name belong to earlier ones."""
    if names and all(name in taken for name in names):
        problems.error(
            codes.SETTING_VALUE,
            f"all weights of `{pattern}` belong to earlier entries of `{loc[0]}`, so this one changes nothing",
            place(graph, recipe, loc),
            notes=["a weight belongs to the first entry that names it"],
            help="put it before the others, or remove it",
        )


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
    _, frozen = groups(graph, recipe, problems)
    check_learning(graph, recipe, frozen, problems)


def check_learning(graph: Graph, recipe: Recipe, frozen: Mapping[str, int], problems: Problems) -> None:
    """Warn if no weight learns in any epoch; report a division of weights that learn, if there are none."""
    learnable = {
        weight.name
        for node in graph.nodes
        if node.trainable and node.shares is None
        for weight in node.weights
        if weight.trainable and not weight.statistic
    }
    epochs = recipe.epochs if recipe.steps is None else ALWAYS
    if recipe.sharded and not learnable:
        problems.error(
            codes.SETTING_VALUE,
            f"`sharded` divides the weights that learn, but no weight of `{graph.name}` does",
            place(graph, recipe, ["sharded"]),
            help="leave `sharded` out",
        )
    elif not any(frozen.get(name, 0) < epochs for name in learnable):
        has = "all of them are frozen" if learnable else "it has no weight that could"
        problems.warning(
            codes.NOT_A_CLASSIFIER,
            f"no weight of `{graph.name}` learns with this recipe: {has}",
            place(graph, recipe, ["groups"] if learnable and recipe.groups else ["loss"]),
        )
