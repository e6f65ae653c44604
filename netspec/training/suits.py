"""Whether the settings of a recipe suit the inputs and outputs of a network, whatever the data. Imports no NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph, Input
from netspec.ops.nearest import did_you_mean
from netspec.recipe import Normalise, Recipe
from netspec.recipe.data import Data
from netspec.recipe.names import padded
from netspec.training.heads import LossOutput, place


def numbers(graph: Graph) -> list[Input]:
    """The inputs that are numbers and not indices."""
    return [each for each in graph.inputs if each.vocabulary is None]


def images(graph: Graph) -> list[Input]:
    """The inputs of numbers that have axes, such as images: what `pad` and `augment` change."""
    return [each for each in numbers(graph) if each.type.sizes]


def normalised(graph: Graph) -> list[Input]:
    """The inputs that `normalise` changes: the images, or all inputs of numbers if none is one."""
    return images(graph) or numbers(graph)


def check_preparation(graph: Graph, recipe: Recipe, problems: Problems) -> None:
    """Report a preparation of samples that does not suit the inputs."""
    if recipe.pad and not images(graph):
        problems.error(
            codes.DATA_MISFIT,
            f"`pad` is {recipe.pad}, but a sample for `{graph.name}` is a vector, which has no border",
            place(graph, recipe, ["pad"]),
            help="remove `pad` from the recipe",
        )
    for setting in ("normalise", "whiten"):
        if getattr(recipe, setting) is not None and not numbers(graph):
            problems.error(
                codes.DATA_MISFIT,
                f"`{setting}` changes numbers, but `{graph.name}` takes only indices",
                place(graph, recipe, [setting]),
                help=f"remove `{setting}` from the recipe",
            )
    if recipe.whiten is not None:
        _check_whitening(graph, recipe, problems)
    if not isinstance(recipe.normalise, Normalise):
        return
    for each in normalised(graph):
        channels = each.type.channels or 1
        for name, values in (("mean", recipe.normalise.mean), ("std", recipe.normalise.std)):
            if len(values) not in (1, channels):
                has = "1 channel" if channels == 1 else f"{channels} channels"
                problems.error(
                    codes.DATA_MISFIT,
                    f"`{name}` has {len(values)} numbers, but the input `{each.name}` has {has}",
                    place(graph, recipe, ["normalise", name]),
                    help="give one number for all channels, or one per channel",
                )


def _check_whitening(graph: Graph, recipe: Recipe, problems: Problems) -> None:
    from netspec.recipe.whitening import MOST

    for each in normalised(graph):
        count = prod(padded(each.type.shape, -recipe.pad))
        if count > MOST:
            problems.error(
                codes.SETTING_VALUE,
                f"`whiten` mixes all numbers of a sample, and one for the input `{each.name}` has {count:,}: "
                f"their covariance would take {8 * count * count / 2**20:,.0f} MiB, and at most {MOST:,} are taken",
                place(graph, recipe, ["whiten"]),
                help="write `normalise: measured`, or take smaller samples",
            )


def check_data(graph: Graph, recipe: Recipe, problems: Problems) -> None:
    """Report settings of `data` that its reader would ignore, as far as it is known without the files."""
    if not isinstance(recipe.data, Data):
        return
    from netspec.data.obeyed import kind_of, unread

    kind = kind_of(recipe.data)
    for name, what in () if kind is None else unread(recipe.data, kind):
        problems.error(
            codes.SETTING_VALUE,
            f"`{name}` is not for {what}, which {recipe.source} is",
            place(graph, recipe, ["data", name]),
            help=f"remove `{name}` from the data of the recipe",
        )


def check_names(graph: Graph, recipe: Recipe, heads: Sequence[LossOutput], problems: Problems) -> None:
    """Report inputs and outputs that `data` names, but the network does not have."""
    inputs = [each.name for each in graph.inputs]
    targets = [head.output for head in heads if head.loss.targets is not None]
    for setting, names, what in (("inputs", inputs, "input"), ("targets", targets, "output")):
        stated: Mapping[str, str] = getattr(recipe.data, setting, {})
        for name in stated:
            if name not in names:
                problems.error(
                    codes.DATA_MISFIT,
                    f"`data.{setting}` names `{name}`, but `{graph.name}` has no such {what}"
                    + did_you_mean(name, names),
                    place(graph, recipe, ["data", setting, name]),
                    notes=[f"its {what}s are {_listed(names)}" if names else f"it has no {what} here"],
                )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
