"""Whether a recipe, its data and a network belong together; said before anything is trained, `check` included."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from netspec.analysis.meaning import meanings, origins
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph
from netspec.language.values import locate
from netspec.ops.base import Meaning
from netspec.passes.logits import NoLogits, logits, take_out
from netspec.training.names import SETS, Shape
from netspec.training.recipe import Recipe, read

if TYPE_CHECKING:
    from netspec.training.samples import Dataset


@dataclass(frozen=True, slots=True)
class Facts:
    """What has to be known of a data set: its name, the shape of an image, how many classes and training samples."""

    name: str
    shape: Shape
    classes: int
    train: int

    @classmethod
    def of(cls, data: Dataset) -> Facts:
        """Those of a loaded set."""
        return cls(data.name, data.shape, data.classes, len(data.train_labels))


def check(graph: Graph, problems: Problems) -> Recipe | None:
    """The recipe that stands in a spec, held against the network as far as that needs no data file."""
    if graph.train is None:
        return None
    recipe = read(graph.train, problems, graph.file)
    # Set from outside, a size or a number of classes may differ from what the recipe was written for.
    if graph.altered:
        return recipe
    known = None if recipe is None else SETS.get(recipe.data)
    if recipe is not None and known is not None:
        match(graph, recipe, Facts(recipe.data, known.shape, known.classes, known.train), problems)
    else:
        _classifies(graph, problems)
    return recipe


def match(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    """Report whatever keeps this network from being trained on these data in this way."""
    if not _classifies(graph, problems):
        return
    _match_images(graph, recipe, facts, problems)
    _match_classes(graph, facts, problems)
    _match_batches(graph, recipe, facts, problems)


LIMITS = "this version trains classifiers: one input of numbers, one output, and that a vector of one number a class"


def _classifies(graph: Graph, problems: Problems) -> bool:
    place = _place(graph, ["data"])
    if len(graph.inputs) != 1 or graph.inputs[0].type.dtype != "float":
        found = "indices" if len(graph.inputs) == 1 else f"{len(graph.inputs)} inputs"
        message = f"`{graph.name}` cannot be trained: it takes {found}"
        problems.error(codes.NOT_A_CLASSIFIER, message, place, notes=[LIMITS])
        return False
    if len(graph.outputs) != 1:
        names = ", ".join(f"`{output.name}`" for output in graph.outputs)
        message = f"`{graph.name}` cannot be trained: it has {len(graph.outputs)} outputs, {names}"
        problems.error(codes.NOT_A_CLASSIFIER, message, place, notes=[LIMITS])
        return False
    output = graph.types[graph.outputs[0].value]
    if output.spatial or output.dtype != "float":
        node = graph.producers.get(graph.outputs[0].value)
        message = f"`{graph.name}` cannot be trained: it gives {output}, a map"
        place = place if node is None else node.span
        advice = f"for a classifier {_as_vector(graph)}"
        problems.error(codes.NOT_A_CLASSIFIER, message, place, notes=[LIMITS], help=advice)
        return False
    return _has_logits(graph, problems)


def _as_vector(graph: Graph) -> str:
    """How the network comes to give one number a class. Probabilities have to be made after that."""
    value = graph.outputs[0].value
    if prod(graph.types[value].sizes) == 1:
        return "end with `flatten`"
    if meanings(graph)[value] in (Meaning.PROBABILITIES, Meaning.INDEPENDENT):
        first = take_out(origins(graph, value))
        return (
            f"{first}, and end with `global_avg_pool` and `softmax`, or with `flatten`, `dense` and `softmax`"
        )
    return "end with `global_avg_pool`, or with `flatten` and `dense`"


def _has_logits(graph: Graph, problems: Problems) -> bool:
    value = graph.outputs[0].value
    if meanings(graph)[value] is Meaning.INDEPENDENT:
        sources = origins(graph, value)
        message = "`cross_entropy` is of classes that exclude each other, and a sigmoid gives each its own probability"
        advice = f"{take_out(sources)}, and end with `softmax`"
        problems.error(codes.NOT_A_CLASSIFIER, message, sources[-1].span, help=advice)
        return False
    try:
        logits(graph)
    except NoLogits as error:
        problems.error(codes.NOT_A_CLASSIFIER, error.message, error.node.span, help=error.help)
        return False
    return True


def _match_images(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    from netspec.training.batches import padded

    given, wanted = padded(facts.shape, recipe.pad), graph.inputs[0].type.shape
    if given != wanted:
        around = f", padded by {recipe.pad}" if recipe.pad else ""
        problems.error(
            codes.DATA_MISFIT,
            f"the images of {facts.name} are {_image(given)}{around}, and `{graph.name}` takes {graph.inputs[0].type}",
            _place(graph, ["pad"] if recipe.pad else ["data"]),
            help=_mend(facts.shape, wanted),
        )
    normalise = recipe.normalise
    if normalise is None:
        return
    for name, numbers in (("mean", normalise.mean), ("std", normalise.std)):
        if len(numbers) not in (1, facts.shape[0]):
            problems.error(
                codes.DATA_MISFIT,
                f"`{name}` has {len(numbers)} numbers, and an image of {facts.name} has {_counted(facts.shape[0])}",
                _place(graph, ["normalise", name]),
                help="give one number for all channels, or one a channel",
            )


def _mend(given: Shape, wanted: Shape) -> str:
    if len(wanted) != 3:
        return f"let the network take `input: {list(given)}` and start with `flatten`"
    pads = {(w - g) / 2 for w, g in zip(wanted[1:], given[1:], strict=True)}
    if wanted[0] == given[0] and len(pads) == 1 and (pad := pads.pop()) >= 0 and pad == int(pad):
        return f"`pad: {int(pad)}` in the recipe makes them fit" if pad else "remove `pad` from the recipe"
    return f"let the network take `input: {list(given)}`"


def _match_classes(graph: Graph, facts: Facts, problems: Problems) -> None:
    numbers = graph.types[graph.outputs[0].value].channels or 0
    # A set of one's own tells its largest label alone: a network may know classes of which it has no sample.
    if numbers == facts.classes or (facts.name not in SETS and numbers > facts.classes):
        return
    node = graph.producers.get(graph.outputs[0].value)
    problems.error(
        codes.CLASSES_MISFIT,
        f"{facts.name} has {facts.classes} classes, and `{graph.name}` gives {numbers} numbers",
        _place(graph, ["data"]),
        notes=[f"its output is made on line {node.span.line}"] if node is not None else [],
        help=f"let the last `dense` have {facts.classes} units",
    )


def _match_batches(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    """A statistic over a batch of one sample and one position does not exist."""
    samples = min(facts.train, recipe.train_size or facts.train)
    if recipe.batch != 1 and samples % recipe.batch != 1:
        return
    for node in graph.nodes:
        measures = node.trainable and any(weight.statistic for weight in node.weights)
        if measures and prod(node.output.sizes) == 1:
            problems.error(
                codes.LONE_SAMPLE,
                f"{samples:,} samples in batches of {recipe.batch} leave a batch of one, which `{node.name}` on "
                f"{node.output} cannot normalise",
                _place(graph, ["batch"]),
                help=f"choose another `batch`, or `train_size: {samples - 1}`"
                if recipe.batch > 1
                else "choose a larger `batch`",
            )
            return


def _place(graph: Graph, loc: list[str | int]) -> Span:
    return graph.inputs[0].span if graph.train is None else locate(graph.train, loc)


def _image(shape: Shape) -> str:
    return f"{shape[0]}@" + "×".join(map(str, shape[1:]))


def _counted(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
