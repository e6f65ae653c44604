"""What of a network is trained how: the loss of each output, checked against the network, without any data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from math import prod

from netspec.analysis.ending import NoLogits, ending, take_out
from netspec.analysis.meaning import meanings, origins
from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph, Node, Output
from netspec.language.document.overrides import given_as
from netspec.ops.base import Meaning
from netspec.ops.nearest import did_you_mean
from netspec.recipe import Recipe
from netspec.recipe.data import Data
from netspec.recipe.losses import BinaryCrossEntropy, CrossEntropy, Distances, OutputItself
from netspec.recipe.model import Loss
from netspec.types import Type


@dataclass(frozen=True, slots=True)
class LossOutput:
    """An output with its loss."""

    output: str
    type: Type
    loss: Loss


def place(graph: Graph, recipe: Recipe, loc: Sequence[str], elsewhere: Span | None = None) -> Span:
    """The place of a setting in the spec; of one that is given otherwise, its own name; of a default, the input."""
    found = elsewhere or graph.inputs[0].span
    stated = Recipe() if graph.train is None else graph.train.recipe
    if stated is None or getattr(stated, loc[0]) != getattr(recipe, loc[0]):
        return Span(given_as(".".join(loc)), 0, 0, 0, 0)
    if graph.train is None:
        return found
    for end in range(len(loc), 0, -1):
        if tuple(loc[:end]) in graph.train.places:
            return graph.train.places[tuple(loc[:end])]
    return found


def named_targets(graph: Graph, recipe: Recipe) -> dict[str, str]:
    """For each output the key of its target, as far as `data` or a loss names it."""
    stated = recipe.data.targets if isinstance(recipe.data, Data) else {}
    losses = recipe.losses or ({} if recipe.loss is None else {graph.outputs[0].name: recipe.loss})
    return {
        **stated,
        **{name: loss.target for name, loss in losses.items() if loss.target is not None},
    }


def sources(graph: Graph, recipe: Recipe) -> Data | str:
    """The data of a recipe as a reader takes them: `targets` has those that losses name, too.

    An input that is a target, as of an autoencoder, is read anyway.
    """
    from netspec.data.arrays import role_of  # `netspec check` without a known set does without
    from netspec.data.source import Purpose

    data = recipe.data if isinstance(recipe.data, Data) else Data(train=recipe.data)
    named = named_targets(graph, recipe)
    further = {name: key for name, key in named.items() if role_of(key, data) is not Purpose.input}
    if not further:
        return recipe.data  # type: ignore[no-any-return]
    return data.model_copy(update={"targets": {**data.targets, **further}})


def is_plain(recipe: Recipe) -> bool:
    """Whether the loss is the one that is meant without a loss: cross-entropy of class indices."""
    loss = recipe.loss
    own = isinstance(loss, CrossEntropy) and not loss.soft and loss.lengths is None
    return not recipe.losses and (loss is None or own)


def is_classifier(graph: Graph, recipe: Recipe) -> bool:
    """Whether this is trained as a classifier: one input of numbers, one output of class indices, no map unless asked.

    Without a loss in the recipe, a network whose output is a map is meant as a classifier that lacks its end.
    """
    if not is_plain(recipe) or len(graph.inputs) > 1 or len(graph.outputs) > 1:
        return False
    is_map = bool(graph.types[graph.outputs[0].value].sizes)
    return graph.inputs[0].type.dtype == "float" and not (is_map and recipe.loss is not None)


def heads(graph: Graph, recipe: Recipe, problems: Problems) -> tuple[LossOutput, ...] | None:
    """The outputs that have a loss; None if something does not fit (`problems` says what)."""
    before = len(problems.errors)
    losses = _losses(graph, recipe, problems)
    found = [
        LossOutput(output.name, graph.types[output.value], losses[output.name])
        for output in graph.outputs
        if output.name in losses
    ]
    for head in found:
        _check(graph, recipe, head, problems)
    return tuple(found) if len(problems.errors) == before else None


def _losses(graph: Graph, recipe: Recipe, problems: Problems) -> dict[str, Loss]:
    names = [output.name for output in graph.outputs]
    if recipe.losses:
        for name in recipe.losses:
            if name not in names:
                problems.error(
                    codes.NOT_A_CLASSIFIER,
                    f"`losses` names `{name}`, but `{graph.name}` has no such output{did_you_mean(name, names)}",
                    place(graph, recipe, ["losses", name]),
                    notes=[f"its outputs are {_listed(names)}"],
                )
        return {name: loss for name, loss in recipe.losses.items() if name in names}
    if len(names) == 1:
        return {names[0]: recipe.loss or CrossEntropy()}
    how = ", ".join(f"{name}: cross_entropy" for name in names)
    problems.error(
        codes.NOT_A_CLASSIFIER,
        f"`{graph.name}` has {len(names)} outputs, {_listed(names)}, and the recipe does not say the loss of each",
        place(graph, recipe, ["loss"]),
        help=f"write `losses: {{{how}}}`, for example; an output without a loss is not trained",
    )
    return {}


def _check(graph: Graph, recipe: Recipe, head: LossOutput, problems: Problems) -> None:
    output = next(each for each in graph.outputs if each.name == head.output)
    where = ["losses", head.output] if recipe.losses else ["loss"]
    lengths = getattr(head.loss, "lengths", None)
    if lengths is not None and lengths not in {each.name for each in graph.inputs}:
        names = [each.name for each in graph.inputs]
        problems.error(
            codes.NOT_A_CLASSIFIER,
            f"`lengths` names `{lengths}`, but `{graph.name}` has no such input{did_you_mean(lengths, names)}",
            place(graph, recipe, [*where, head.loss.kind, "lengths"]),
        )
    elif lengths is not None:
        _check_lengths(graph, recipe, head, lengths, [*where, head.loss.kind, "lengths"], problems)
    _check_named(graph, recipe, head, [*where, head.loss.kind, "target"], problems)
    given = getattr(head.loss, "class_weights", None)
    classes = max(head.type.channels or 1, 2)
    if isinstance(given, tuple) and len(given) != classes:
        problems.error(
            codes.SETTING_VALUE,
            f"`class_weights` has {len(given)} numbers, but `{head.output}` has {classes} classes",
            place(graph, recipe, [*where, head.loss.kind, "class_weights"]),
            help="give one number per class, or write `median_frequency`",
        )
    if isinstance(head.loss, OutputItself) and prod(head.type.shape) != 1:
        problems.error(
            codes.NOT_A_CLASSIFIER,
            f"the loss `output` is one number per sample, but the output `{head.output}` is {head.type}",
            place(graph, recipe, where, _span(graph, output)),
            help="let the network calculate one number, or write the loss of these: `mse`, for example",
        )
    if head.loss.of_logits:
        _check_logits(graph, head, output, problems)
    if isinstance(head.loss, Distances) and meanings(graph)[output.value] is not Meaning.DISTANCES:
        problems.error(
            codes.NOT_A_CLASSIFIER,
            f"the loss `distances` takes distances to the codes of classes, but `{head.output}` has none",
            place(graph, recipe, where, _span(graph, output)),
            help="end with `rbf`, or write `loss: cross_entropy`",
        )


def _check_named(
    graph: Graph, recipe: Recipe, head: LossOutput, where: Sequence[str], problems: Problems
) -> None:
    """Report a target of a loss that has none, and one that `data` calls otherwise."""
    named = head.loss.target
    stated = recipe.data.targets.get(head.output) if isinstance(recipe.data, Data) else None
    if named is not None and head.loss.targets is None:
        problems.error(
            codes.SETTING_VALUE,
            f"the loss `{head.loss.kind}` has no target, but `target` names `{named}`",
            place(graph, recipe, where),
            help="remove `target`",
        )
    elif named is not None and stated not in (None, named):
        problems.error(
            codes.SETTING_VALUE,
            f"the loss of `{head.output}` names the target `{named}`, but `data.targets` names `{stated}`",
            place(graph, recipe, where),
            help=f"remove `target` from the loss, or `{head.output}` from `data.targets`",
        )


def _check_lengths(
    graph: Graph, recipe: Recipe, head: LossOutput, name: str, where: Sequence[str], problems: Problems
) -> None:
    """Report an input that is not one whole number per sample, and an output without steps."""
    given = next(each for each in graph.inputs if each.name == name)
    if given.vocabulary is None or given.type.shape:
        problems.error(
            codes.NOT_A_CLASSIFIER,
            f"`lengths` names the input `{name}`, {given.type}, but a length is one whole number per sample",
            place(graph, recipe, where),
            help="name an input with `shape: []` and a `vocabulary`",
        )
    if not head.type.sizes:
        problems.error(
            codes.NOT_A_CLASSIFIER,
            f"`lengths` is for sequences, but the output `{head.output}` is {head.type}, which has no steps",
            place(graph, recipe, where),
            help="remove `lengths`",
        )


def _check_logits(graph: Graph, head: LossOutput, output: Output, problems: Problems) -> None:
    meaning, sources = meanings(graph)[output.value], origins(graph, output.value)
    bits = isinstance(head.loss, BinaryCrossEntropy) or head.type.channels == 1
    wrong, right, why = (
        (
            (Meaning.PROBABILITIES, Meaning.LOGARITHMS),
            "sigmoid",
            "is for independent numbers, but a softmax gives exclusive classes",
        )
        if bits
        else (
            (Meaning.INDEPENDENT,),
            "softmax",
            "is for mutually exclusive classes, but a sigmoid gives independent probabilities",
        )
    )
    if meaning in wrong:
        problems.error(
            codes.NOT_A_CLASSIFIER,
            f"`{head.loss.kind}` {why}",
            sources[-1].span,
            help=f"{take_out(sources)}, and end with `{right}`",
        )
        return
    if not meaning.is_logit:
        try:
            ending(graph, output.value)
        except NoLogits as error:
            problems.error(codes.NOT_A_CLASSIFIER, error.message, error.node.span, help=error.help)


def _span(graph: Graph, output: Output) -> Span | None:
    node = graph.producers.get(output.value)
    return None if node is None else node.span


def matching(graph: Graph, patterns: Iterable[str]) -> list[Node]:
    """The layers whose name, or the name of a scope around them, fits a pattern."""
    return [node for node in graph.nodes if any(_fits(node.name, pattern) for pattern in patterns)]


def _fits(name: str, pattern: str) -> bool:
    parts = name.split(".")
    return any(fnmatchcase(".".join(parts[:end]), pattern) for end in range(1, len(parts) + 1))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
