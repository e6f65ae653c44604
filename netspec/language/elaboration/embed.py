"""The inputs of a network, and embedded networks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

from netspec import files
from netspec.dataclass import dataclass
from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Input, Node
from netspec.language.document.declarations import Document, InputDeclaration
from netspec.language.document.item import PATH, Item
from netspec.language.document.validation import shown, unknown_key
from netspec.language.elaboration.frame import Frame, Referent, ValueName, join
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Listing, Mapping, Scalar, Value
from netspec.ops.base import Misfit
from netspec.ops.bounds import check_count
from netspec.ops.nearest import did_you_mean
from netspec.ops.roles import KINDS
from netspec.types import Type, channels_last


def inputs_of(walk: Walk, document: Document, frame: Frame) -> list[Input]:
    """The declared inputs of a document, with their types; a wrong one is reported and left out."""
    found = [_input(walk, declared, frame) for declared in document.inputs]
    return [each for each in found if each is not None]


def _input(walk: Walk, declared: InputDeclaration, frame: Frame) -> Input | None:
    if declared.shape is None:
        return None
    shape = walk.work_out(declared.shape, lambda: frame.names)
    vocabulary = (
        None if declared.vocabulary is None else walk.work_out(declared.vocabulary, lambda: frame.names)
    )
    if shape is BROKEN or vocabulary is BROKEN:
        return None
    if not isinstance(shape, list):
        walk.problems.error(
            codes.WRONG_VALUE,
            f"the shape of an input must be a list, channels first, not {shown(shape)}",
            declared.shape.span,
            help=f"write `[{shape}]`"
            if isinstance(shape, int) and not isinstance(shape, bool)
            else "give a list: `[3, 224, 224]` for an image, `[784]` for a vector",
        )
        return None
    names = [parameter.name for parameter in frame.document.params]
    sound = [_size(walk, size, index, declared.shape, names) for index, size in enumerate(shape)]
    if not all(sound) or not _is_countable(walk, declared, shape):
        return None
    if declared.vocabulary is not None:
        return _indices(walk, declared, shape, vocabulary)
    if not 1 <= len(shape) <= 4:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"an input has channels and up to 3 spatial axes, not {len(shape)} sizes",
            declared.span,
            help=f"the batch has no axis here: write `{shape[1:]}`"
            if len(shape) == 5
            else "for one whole number for each sample, such as `lengths`, add a vocabulary: "
            "`{shape: [], vocabulary: 9}` for up to 8 steps; a vector is `[784]`, an image `[3, 224, 224]`"
            if not shape
            else "write `[3, 224, 224]` for an image, `[784]` for a vector",
        )
        return None
    return Input(declared.name, Type(shape[0], tuple(shape[1:])), declared.span)


def warn_of_layout(walk: Walk, inputs: Sequence[Input]) -> None:
    """Warn about a shape that is probably from another library: channels last, or with a batch axis.

    A walked layer that treats the first of three axes in another way shows that an axis of time or depth is meant.
    """
    tells_apart = any(_tells_axes_apart(walk, node) for node in walk.nodes)
    for each in inputs:
        shape = list(each.type.shape)
        if each.vocabulary is not None:
            continue
        if channels_last(each.type.shape):
            looks, advice = "to have its channels last", f"write `{[shape[-1], *shape[:-1]]}`"
            if len(shape) == 4:
                advice += f", or `{[shape[-1], *shape[1:-1]]}` for an image: the batch has no axis here"
        elif len(shape) == 4 and shape[1] in (1, 3) and shape[1] < min(shape[2:]) and shape[0] != 3:
            if tells_apart:
                continue
            looks, advice = (
                "to have a batch axis",
                f"write `{shape[1:]}`: the batch has no axis here",
            )
        else:
            continue
        walk.problems.warning(
            codes.INPUT_LAYOUT,
            f"the input `{shape}` seems {looks}",
            each.span,
            notes=[f"shapes are channels first, without the batch: this is {_spoken(each.type)}"],
            help=advice,
        )


def _tells_axes_apart(walk: Walk, node: Node) -> bool:
    """Whether a layer on three axes runs along the first, or has a kernel that is not the same along all."""
    axes = walk.types[node.inputs[0]].axes if node.inputs else ()
    kernel = getattr(node.op, "kernel", ())
    return len(axes) == 3 and (getattr(node.op, "axis", None) == axes[0] or len({*kernel}) > 1)


def _spoken(type_: Type) -> str:
    """`3@224×224, 3 channels of height 224, width 224`."""
    axes = ", ".join(f"{name} {size}" for name, size in zip(type_.axes, type_.sizes, strict=True))
    return f"{type_}, {type_.channels} channels of {axes}"


def _size(walk: Walk, size: object, index: int, shape: Value, parameters: Collection[str]) -> bool:
    """Whether this version can calculate with a size."""
    span = shape.items[index].span if isinstance(shape, Listing) and index < len(shape.items) else shape.span
    if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
        return True
    if isinstance(size, str) and size in parameters:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"a size must be a whole number from 1, not {shown(size)}",
            span,
            help=f"write `${size}` for the parameter",
        )
        return False
    if isinstance(size, str) and size.isidentifier():
        walk.problems.error(
            shapes.OPEN_SIZE,
            f"the size `{size}` is open, but this version supports only numbers",
            span,
            help=f"give a number, or make it a parameter: `params: {{{size.lower()}: 224}}` and `${size.lower()}`",
        )
        return False
    walk.problems.error(
        codes.WRONG_VALUE,
        f"a size is a whole number from 1, not {shown(size)}",
        span,
        help="state how many channels, or positions along this axis, one sample has",
    )
    return False


def _is_countable(walk: Walk, declared: InputDeclaration, shape: list[int]) -> bool:
    """Whether the number of elements of an input is in range; reports if it is not."""
    try:
        check_count(f"the number of elements of `{declared.name}`", prod(shape))
    except Misfit as misfit:
        walk.problems.error(misfit.code, misfit.message, declared.span, help=misfit.help)
        return False
    return True


def _indices(walk: Walk, declared: InputDeclaration, shape: list[int], vocabulary: object) -> Input | None:
    assert declared.vocabulary is not None
    if isinstance(vocabulary, bool) or not isinstance(vocabulary, int) or vocabulary < 1:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"`vocabulary` must be a whole number from 1, not {shown(vocabulary)}",
            declared.vocabulary.span,
            help="it is the number of different indices: `vocabulary: 10` for the indices 0 to 9",
        )
        return None
    if len(shape) > 3:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"an input of indices has 0 to 3 spatial axes and no channels, not {len(shape)} sizes",
            declared.span,
        )
        return None
    type_ = Type(None, tuple(shape), "int", vocabulary=vocabulary)
    return Input(declared.name, type_, declared.span)


def bind_inputs(walk: Walk, frame: Frame, inputs: list[Input]) -> None:
    """Define the inputs of the network as values and as names for `from`."""
    for each in inputs:
        walk.weigh([each.type], (), 0, each.span)
        walk.types[each.name] = each.type
        walk.origins[each.name] = each.span
        frame.members[each.name] = Referent(each.name, each.name)
    for declared in frame.document.inputs:
        frame.members.setdefault(declared.name, Referent(declared.name, BROKEN))


@dataclass(frozen=True, eq=False)
class Network:
    """An embedded spec, as written in the spec around it."""

    document: Document
    params: dict[str, Value]
    until: tuple[str, ...] | None
    until_at: Scalar | None
    weights: str | None

    def take(self, walk: Walk, inner: Frame, inputs: list[ValueName], item: Item) -> bool:
        """Bind the given tensors to its inputs; False, with the reason reported, if that fails."""
        declared = inputs_of(walk, self.document, inner)
        if BROKEN in inputs or len(declared) < len(self.document.inputs):
            return False
        span = item.span if item.source is None else item.source.span
        if len(declared) != len(inputs):
            names = ", ".join(each.name for each in declared)
            walk.problems.error(
                codes.NETWORK,
                f"the network `{self.document.name}` takes {len(declared)} ({names}), but gets {len(inputs)}",
                span,
                help="name the same number in `from`",
            )
            return False
        for own, tensor in zip(declared, inputs, strict=True):
            type_ = walk.types[str(tensor)]
            inner.members[own.name] = Referent(join(inner.path, own.name), tensor, within="")
            misfit = _misfit(own.type, type_)
            if misfit is not None:
                note, advice = misfit
                walk.problems.error(
                    codes.NETWORK,
                    f"the network `{self.document.name}` takes {own.type} as `{own.name}`, but gets {type_}",
                    span,
                    notes=(note,),
                    help=advice,
                )
                return False
        return True

    def report_until(self, walk: Walk, inner: Frame) -> None:
        """Report that the walk did not reach the layer `until`."""
        assert self.until_at is not None
        assert self.until is not None
        inputs = {each.name for each in self.document.inputs}
        known = {name: referent for name, referent in inner.members.items() if name not in inputs}
        way = f"the network `{self.document.name}`"
        *steps, last = self.until
        for step in steps:
            if step not in known:
                last = step
                break
            if known[step].tensor is BROKEN:
                return
            way, known = f"`{known[step].path}`", known[step].members
        advice = f"it has {', '.join(list(known)[:16])}{', …' if len(known) > 16 else ''}"
        if last in {head.name for head in self.document.heads}:
            advice = "it is a head, and heads of embedded networks are not used; name a layer"
        walk.problems.error(
            codes.UNKNOWN_NAME,
            f"{way} has no layer `{last}`{did_you_mean(last, known)}",
            self.until_at.span,
            help=advice
            if known
            else f"it is one layer: `until: {'.'.join(steps)}` ends there"
            if steps
            else "it has no layers",
        )


def _misfit(own: Type, given: Type) -> tuple[str, str] | None:
    """Why an embedded network cannot take a tensor as this input of its own, and what to do; None if it can."""
    if own.kind != given.kind:
        advice = {
            "indices": f"give it an input with `vocabulary: {own.vocabulary}`",
            "numbers": f"put `embedding: {own.channels}` or `one_hot` before it"
            if given.kind == "indices"
            else "give it the layer itself, not the positions of its maxima",
        }
        return f"it takes {KINDS[own.kind]}, and these are {KINDS[given.kind]}", advice[own.kind]
    note = "sizes can differ, but channels and the number of axes cannot"
    if own.kind == "indices":
        note = "sizes can differ, but the vocabulary and the number of axes cannot"
    if len(own.spatial) != len(given.spatial):
        axes = f"{len(own.spatial)} ax{'i' if len(own.spatial) == 1 else 'e'}s"
        return note, f"give it a tensor with {axes}, or the network an input with {len(given.spatial)}"
    if own.channels != given.channels:
        return note, f"change the channels to {own.channels}, for example with " + (
            "a 1×1 `conv`" if own.spatial else f"`dense: {own.channels}`"
        )
    if own.vocabulary != given.vocabulary:
        return note, f"give both one vocabulary: {own.vocabulary} here, or {given.vocabulary} in the network"
    return None


def embedded(walk: Walk, item: Item, frame: Frame) -> Network | None:
    """The network that an item embeds, or None, with the reason reported."""
    fields: dict[str, Value] = {}
    if isinstance(item.argument, Scalar):
        fields = {"spec": item.argument}
    elif isinstance(item.argument, Mapping):
        fields = {key: entry.value for key, entry in item.argument.entries.items()}
    words = {key: walk.word(value, frame) for key, value in fields.items() if key != "params"}
    document = _document(walk, words.get("spec"), frame)
    if document is None:
        return None
    before = len(walk.problems)
    given = _given(walk, fields.get("params"), document)
    until = words.get("until")
    if until is not None and not (isinstance(until, Scalar) and _is_path(until.value)):
        if not isinstance(until, Missing):
            walk.problems.error(
                codes.BAD_PATH,
                "`until` must be the name of a layer",
                until.span,
                help="give one name, or names joined by dots",
            )
        return None
    weights = _weights(walk, words.get("weights"), frame)
    if len(walk.problems) > before:
        return None
    if weights is not None:
        _look_for(walk, weights, words["weights"])
    names = None if until is None else tuple(str(until.value).split("."))
    return Network(document, given, names, until, weights)


def _document(walk: Walk, spec: Value | Missing | None, frame: Frame) -> Document | None:
    if spec is None or isinstance(spec, Missing):
        return None
    if not isinstance(spec, Scalar) or not isinstance(spec.value, str):
        walk.problems.error(
            codes.WRONG_VALUE,
            "`spec` must be a path, or `zoo:` and a name",
            spec.span,
            help="write `spec: zoo:…`, or a path",
        )
        return None
    document = walk.library.named(spec, frame.document)
    if any(document is each for each in walk.open_documents):
        walk.problems.error(
            codes.INCLUDE, f"`{spec.text}` contains itself", spec.span, help="remove one of the two"
        )
        return None
    return document


def _given(walk: Walk, params: Value | None, document: Document) -> dict[str, Value]:
    """The arguments of the item for the parameters of the network; unknown ones are reported."""
    if params is None or (isinstance(params, Scalar) and params.value is None):
        return {}
    if not isinstance(params, Mapping):
        walk.problems.error(
            codes.WRONG_VALUE, "`params` must be a mapping", params.span, help="write `params: {name: value}`"
        )
        return {}
    known = [each.name for each in document.params]
    for key, entry in params.entries.items():
        if key not in known:
            unknown_key(key, f"the network `{document.name}`", known, entry.key_span, walk.problems)
    return {key: entry.value for key, entry in params.entries.items()}


def _is_path(value: object) -> bool:
    return isinstance(value, str) and PATH.match(value) is not None and "*" not in value


def _weights(walk: Walk, value: Value | Missing | None, frame: Frame) -> str | None:
    """The path of a weights file, relative to the file that contains it."""
    if value is None or isinstance(value, Missing):
        return None
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        walk.problems.error(
            codes.WRONG_VALUE,
            "`weights` must be the path of a safetensors file",
            value.span,
            help="write `weights: name.safetensors`",
        )
        return None
    advice = "move it below the root, or use `--weights NAME=FILE`, which takes any file"
    path = walk.library.below_root(value, frame.document, advice)
    return None if path is None else str(path)


def _look_for(walk: Walk, weights: str, value: Value | Missing) -> None:
    """Warn about weights that are not there. The file is not opened: no shape depends on its content."""
    fault = files.fault(weights)
    if fault is not None and isinstance(value, Scalar):
        walk.problems.warning(
            codes.NO_WEIGHTS,
            f"the weights `{files.shortened(value.text)}` cannot be read: {files.reason(fault)}",
            value.span,
            help="put the file there, or name another one with `--weights NAME=FILE`",
        )
