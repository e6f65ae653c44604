"""Checks that a recipe, its data and a network fit each other, before training and in `netspec check`."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netspec.analysis.ending import NoLogits, require_logits, take_out
from netspec.analysis.meaning import meanings, origins
from netspec.data.bounds import DataError
from netspec.data.conversion import FROM_0
from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, SpecError
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph
from netspec.ops.base import Meaning
from netspec.recipe import Normalise, Recipe
from netspec.recipe.data import Data
from netspec.recipe.names import MADE, SETS, NamedSet, Shape, padded
from netspec.training import advice
from netspec.training.advice import Labels
from netspec.training.changes import check_augmentation
from netspec.training.groups import check_settings
from netspec.training.heads import heads, is_classifier, named_targets, place, sources
from netspec.training.suits import check_data, check_names, check_preparation
from netspec.types import Type

if TYPE_CHECKING:
    from netspec.backend import Trains
    from netspec.data.samples import Dataset

LIMITS = "without a `loss` in its recipe, a network is a classifier: its output is a vector with one value per class"
LARGEST_SCALED = 20.0
"""A value above this is not scaled: no value of a normal distribution is 20 deviations from the mean."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about a data set: its name, the shape of a sample, the numbers of classes and of training samples.

    For the user's own data also the labels, and for floats the smallest and the largest value.
    """

    name: str
    shape: Shape
    classes: int
    train: int
    labels: Labels | None = None
    floats: tuple[float, float] | None = None

    @classmethod
    def of(cls, data: Dataset) -> Facts:
        """The facts of a loaded set."""
        import numpy as np

        labels = floats = None
        if data.own:
            known = np.union1d(data.train_labels, data.test_labels)
            labels = Labels(int(known[0]), int(known[-1]), len(known))
        parts = (data.train_images, data.test_images)
        if data.train_images.dtype.kind == "f" or data.test_images.dtype.kind == "f":
            floats = (min(float(part.min()) for part in parts), max(float(part.max()) for part in parts))
        return cls(data.name, data.shape, data.classes, len(data.train_labels), labels, floats)


def check(graph: Graph, problems: Problems) -> Recipe | None:
    """Check the recipe of a spec against the network, as far as possible without reading a data file."""
    if graph.train is None:
        return None
    recipe = graph.train.recipe
    # With `--set`, sizes or the number of classes can differ from those that the recipe was written for.
    if graph.altered:
        return recipe
    if recipe is None:
        _classifies(graph, problems)
        return None
    trained = check_trained(graph, recipe, problems)
    known = SETS.get(recipe.source)
    if known is not None and len(graph.inputs) > 1 and not is_classifier(graph, recipe):
        message = (
            f"`{graph.name}` takes {len(graph.inputs)} inputs, but {recipe.source} has one array of samples"
        )
        problems.error(codes.DATA_MISFIT, message, place(graph, recipe, ["data"]))
    elif trained and known is not None:
        shape = _stored(recipe, known)
        check_augmentation(graph, recipe, problems, shape)
        if is_classifier(graph, recipe):
            classes = _compared(graph, recipe, known)
            match(graph, recipe, Facts(recipe.source, shape, classes, known.train), problems)
        else:
            _foresee(graph, recipe, problems)
    elif trained:
        check_augmentation(graph, recipe, problems)
        _foresee(graph, recipe, problems)
    return recipe


def _foresee(graph: Graph, recipe: Recipe, problems: Problems) -> None:
    """Report arrays of a known set that do not fit the network, or of which nothing says where they belong."""
    resized = any(getattr(each, "size", None) is not None for each in recipe.augment)
    if problems.errors or resized or recipe.source not in (*SETS, *MADE):
        return
    from netspec.data.outline import outlined
    from netspec.training.wiring import foreseen

    parts, found = outlined(sources(graph, recipe)), heads(graph, recipe, Problems())
    if parts is not None and found is not None:
        plain = recipe.model_copy(update={"augment": ()})  # what changes no shape was checked
        foreseen(graph, plain, found, parts, problems)


def check_trained(graph: Graph, recipe: Recipe, problems: Problems) -> bool:
    """Report what of the network is not trained by this recipe, whatever the data; whether its losses fit it."""
    check_settings(graph, recipe, problems)
    check_preparation(graph, recipe, problems)
    check_data(graph, recipe, problems)
    if is_classifier(graph, recipe) and not _classifies(graph, problems):
        return False
    found = heads(graph, recipe, problems)
    if found is None:
        return False
    check_names(graph, recipe, found, problems)
    if recipe.metrics or recipe.best or recipe.stop or getattr(recipe.schedule, "kind", "") == "plateau":
        from netspec.training.goals import check_goals  # the models of metrics take time to load

        check_goals(graph, recipe, found, _validated(recipe), problems)
    return True


def _validated(recipe: Recipe) -> bool | None:
    """Whether the data have a validation part; None if only their files know."""
    if isinstance(recipe.data, Data) and recipe.data.validation is not None:
        return True
    if recipe.source in MADE:
        return False
    known = SETS.get(recipe.source)
    return None if known is None else known.validation > 0


def _stored(recipe: Recipe, known: NamedSet) -> Shape:
    """The shape of the samples of a named set, as the recipe takes them."""
    if not isinstance(recipe.data, Data):
        return known.shape
    if recipe.data.shape is not None:
        return recipe.data.shape
    size = recipe.data.size
    return known.shape if size is None else (known.shape[0], *(size * 2)[:2])


def _compared(graph: Graph, recipe: Recipe, known: NamedSet) -> int:
    """The number of classes of the target that the output of a classifier is compared with."""
    return known.targets.get(named_targets(graph, recipe).get(graph.outputs[0].name, ""), known.classes)


def match(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    """Report every reason why this network cannot be trained on these data with this recipe."""
    if not _classifies(graph, problems):
        return
    _match_shape(graph, recipe, facts, problems)
    _match_scale(graph, recipe, facts, problems)
    _match_classes(graph, recipe, facts, problems)
    _match_batches(graph, recipe, facts, problems)


def require_trainable(graph: Graph, recipe: Recipe, backend: Trains, device: str = "auto") -> None:
    """Refuse a network that this recipe does not train on this backend, whatever the data.

    Raises:
        SpecError: an output does not fit its loss, or the backend does not obey a setting.
    """
    from netspec.training.obeyed import check_obeyed  # `netspec check` without a backend does without

    problems = Problems()
    check_obeyed(graph, recipe, backend, problems, device)
    if check_trained(graph, recipe, problems):
        check_augmentation(graph, recipe, problems)
    if problems.errors:
        raise SpecError(problems.in_order())


def _classifies(graph: Graph, problems: Problems) -> bool:
    where = graph.inputs[0].span
    output = graph.types[graph.outputs[0].value]
    if output.spatial or output.dtype != "float":
        node = graph.producers.get(graph.outputs[0].value)
        message = f"`{graph.name}` cannot be trained: its output is {output}, a map"
        where = where if node is None else node.span
        how = f"for a classifier {_as_vector(graph)}"
        problems.error(codes.NOT_A_CLASSIFIER, message, where, notes=[LIMITS], help=how)
        return False
    return _has_logits(graph, problems)


def _as_vector(graph: Graph) -> str:
    """Advice to get one output per class. A softmax must come after that."""
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
        message = (
            "`cross_entropy` is for mutually exclusive classes, but a sigmoid gives independent probabilities"
        )
        how = f"{take_out(sources)}, and end with `softmax`"
        problems.error(codes.NOT_A_CLASSIFIER, message, sources[-1].span, help=how)
        return False
    try:
        require_logits(graph)
    except NoLogits as error:
        problems.error(codes.NOT_A_CLASSIFIER, error.message, error.node.span, help=error.help)
        return False
    return True


def _match_shape(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    given, wanted = padded(facts.shape, recipe.pad), graph.inputs[0].type.shape
    if recipe.augment:
        from netspec.data.fitting import shape_after

        try:
            given = padded(shape_after(recipe.augment, facts.shape), recipe.pad)
        except DataError:
            return  # it was reported
    if given != wanted:
        around = f", padded by {recipe.pad}" if recipe.pad else ""
        what = advice.kind(given)
        problems.error(
            codes.DATA_MISFIT,
            f"the {what} of {facts.name} are {_type(given)}{around}, but `{graph.name}` takes {graph.inputs[0].type}",
            place(graph, recipe, ["pad"] if recipe.pad else ["data"]),
            help=advice.on_shape(facts.shape, wanted, own=facts.labels is not None),
        )


def _match_scale(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    """Warn about floats that are not scaled: bytes are divided by 255, floats are not."""
    if facts.floats is None or isinstance(recipe.normalise, str):
        return
    low, high = facts.floats
    means, stds = (
        (recipe.normalise.mean, recipe.normalise.std)
        if isinstance(recipe.normalise, Normalise)
        else ((0.0,), (1.0,))
    )
    largest = max(abs(extreme - mean) for extreme in facts.floats for mean in means) / min(stds)
    if largest <= LARGEST_SCALED:
        return
    after = (
        f"; after `normalise` they are as large as {largest:g}"
        if isinstance(recipe.normalise, Normalise)
        else ""
    )
    problems.warning(
        codes.UNSCALED,
        f"{facts.name} has floats from {low:g} to {high:g}, which are not scaled{after}",
        place(graph, recipe, ["normalise"] if isinstance(recipe.normalise, Normalise) else ["data"]),
        notes=["netspec divides bytes by 255, but not floats"],
        help=advice.on_scale(low, high, facts.shape),
    )


def _match_classes(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    numbers = graph.types[graph.outputs[0].value].channels or 0
    labels = facts.labels
    # A network can have classes without a sample in the user's own data.
    if numbers == facts.classes or (labels is not None and numbers > facts.classes):
        if labels is not None and labels.from_1:
            smaller = f", and let {advice.sized(graph, labels.distinct)}" if numbers == facts.classes else ""
            problems.warning(
                codes.NO_LABEL_0,
                f"no sample of {facts.name} has label 0: its labels are 1 to {labels.largest}",
                place(graph, recipe, ["data"]),
                notes=[f"`{graph.name}` has {numbers} outputs, and the first is for class 0"],
                help=FROM_0 + smaller,
            )
        return
    node = graph.producers.get(graph.outputs[0].value)
    where = place(graph, recipe, ["data"], None if node is None else node.span)
    made = [f"its output is from line {node.span.line}"] if node is not None and where != node.span else []
    problems.error(
        codes.CLASSES_MISFIT,
        f"{facts.name} {_classes(facts)}, but `{graph.name}` has {numbers:,} outputs",
        where,
        notes=made,
        help=advice.on_classes(graph, facts.classes, labels, numbers),
    )


def _classes(facts: Facts) -> str:
    labels = facts.labels
    if labels is None or labels.distinct == facts.classes:
        return f"has {facts.classes} classes"
    if labels.from_1:
        return f"has labels from 1 to {labels.largest} and no label 0"
    return f"has labels from {labels.smallest} to {labels.largest}, {labels.distinct} of them different"


def _match_batches(graph: Graph, recipe: Recipe, facts: Facts, problems: Problems) -> None:
    """Report a batch of one sample at a layer that needs statistics over more than one value."""
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
                place(graph, recipe, ["batch"], node.span),
                help=advice.on_batch(samples, recipe.batch),
            )
            return


def _type(shape: Shape) -> str:
    return str(Type(shape[0], shape[1:]))


def _counted(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
