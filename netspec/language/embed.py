"""Inputs of a network, and networks within networks."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Input
from netspec.language import places
from netspec.language.document import Document, InputDeclaration
from netspec.language.expression import FAILED
from netspec.language.item import Item
from netspec.language.lookup import PATH
from netspec.language.validation import shown, unknown_key
from netspec.language.values import Listing, Mapping, Scalar, Value
from netspec.language.walk import BROKEN, Frame, Place, Tensor, Walk, join
from netspec.types import Type


def inputs_of(walk: Walk, document: Document, frame: Frame) -> list[Input]:
    """The inputs that a document declares, with their types; a wrong one is reported and left out."""
    found = [_input(walk, declared, frame) for declared in document.inputs]
    return [each for each in found if each is not None]


def _input(walk: Walk, declared: InputDeclaration, frame: Frame) -> Input | None:
    if declared.shape is None:
        return None
    shape = walk.work_out(declared.shape, lambda: frame.names)
    vocabulary = (
        None if declared.vocabulary is None else walk.work_out(declared.vocabulary, lambda: frame.names)
    )
    if shape is FAILED or vocabulary is FAILED:
        return None
    if not isinstance(shape, list):
        walk.problems.error(
            codes.WRONG_VALUE,
            f"the shape of an input is a list, channels first, not {shown(shape)}",
            declared.shape.span,
            help="write `[3, 224, 224]` for an image, `[784]` for a vector",
        )
        return None
    sound = [_size(walk, size, index, declared.shape) for index, size in enumerate(shape)]
    if not all(sound):
        return None
    if declared.vocabulary is not None:
        return _indices(walk, declared, shape, vocabulary)
    if not 1 <= len(shape) <= 4:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"an input has channels and up to 3 spatial axes, not {len(shape)} sizes",
            declared.span,
        )
        return None
    return Input(declared.name, Type(shape[0], tuple(shape[1:])), declared.span)


def _size(walk: Walk, size: object, index: int, shape: Value) -> bool:
    """Whether a size is one that this version can calculate with."""
    span = shape.items[index].span if isinstance(shape, Listing) and index < len(shape.items) else shape.span
    if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
        return True
    if isinstance(size, str) and size.isidentifier():
        walk.problems.error(
            shapes.OPEN_SIZE,
            f"the size `{size}` is left open, and this version calculates with numbers alone",
            span,
            help=f"give a number, or make it a parameter: `params: {{{size.lower()}: 224}}` and `${size.lower()}`",
        )
        return False
    walk.problems.error(codes.WRONG_VALUE, f"a size is a whole number from 1, not {shown(size)}", span)
    return False


def _indices(walk: Walk, declared: InputDeclaration, shape: list[int], vocabulary: object) -> Input | None:
    assert declared.vocabulary is not None
    if isinstance(vocabulary, bool) or not isinstance(vocabulary, int) or vocabulary < 1:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"`vocabulary` is a whole number from 1, not {shown(vocabulary)}",
            declared.vocabulary.span,
        )
        return None
    if not 1 <= len(shape) <= 3:
        walk.problems.error(
            codes.WRONG_VALUE,
            f"an input of indices has 1 to 3 spatial axes and no channels, not {len(shape)} sizes",
            declared.span,
        )
        return None
    return Input(declared.name, Type(None, tuple(shape), "int"), declared.span, vocabulary)


def bind_inputs(walk: Walk, frame: Frame, inputs: list[Input]) -> None:
    """Make the inputs of the whole network values, and names that `from` finds."""
    for each in inputs:
        walk.types[each.name] = each.type
        walk.origins[each.name] = each.span
        frame.members[each.name] = Place(each.name, each.name)
    for declared in frame.document.inputs:
        frame.members.setdefault(declared.name, Place(declared.name, BROKEN))


@dataclass(frozen=True, eq=False)
class Network:
    """A spec that stands in another one, as written there."""

    document: Document
    params: dict[str, Value]
    until: tuple[str, ...] | None
    until_at: Scalar | None
    weights: str | None

    def take(self, walk: Walk, inner: Frame, inputs: list[Tensor], item: Item) -> bool:
        """Put what it is given in place of its own inputs; False, with the reason reported, if that fails."""
        declared = inputs_of(walk, self.document, inner)
        if BROKEN in inputs or len(declared) < len(self.document.inputs):
            return False
        span = item.span if item.source is None else item.source.span
        if len(declared) != len(inputs):
            names = ", ".join(each.name for each in declared)
            walk.problems.error(
                codes.NETWORK,
                f"the network `{self.document.name}` takes {len(declared)} ({names}), and is given {len(inputs)}",
                span,
                help="name as many in `from`",
            )
            return False
        for own, tensor in zip(declared, inputs, strict=True):
            type_ = walk.types[str(tensor)]
            inner.members[own.name] = Place(join(inner.path, own.name), tensor)
            if (type_.channels, len(type_.spatial), type_.dtype) != (
                own.type.channels,
                len(own.type.spatial),
                own.type.dtype,
            ):
                walk.problems.error(
                    codes.NETWORK,
                    f"the network `{self.document.name}` takes {own.type} as `{own.name}`, and is given {type_}",
                    span,
                    notes=("sizes may differ, channels and the number of axes may not",),
                    help=f"bring the channels to {own.type.channels}, with a 1×1 `conv` perhaps",
                )
                return False
        return True

    def report_until(self, walk: Walk, inner: Frame) -> None:
        """Say that the walk came to its end without meeting `until`."""
        assert self.until_at is not None
        known = [name for name in inner.members if name not in {each.name for each in self.document.inputs}]
        walk.problems.error(
            codes.UNKNOWN_NAME,
            f"the network `{self.document.name}` has no layer `{self.until_at.text}`",
            self.until_at.span,
            help=f"it holds {', '.join(known[:16])}{', …' if len(known) > 16 else ''}",
        )


def embedded(walk: Walk, item: Item, frame: Frame) -> Network | None:
    """The network that an item embeds, or None with the reason reported."""
    entries = item.argument.entries if isinstance(item.argument, Mapping) else {}
    fields = {key: entry.value for key, entry in entries.items()}
    if isinstance(item.argument, Scalar):
        fields = {"spec": item.argument}
    spec, params, until = fields.get("spec"), fields.get("params"), fields.get("until")
    if not isinstance(spec, Scalar) or not isinstance(spec.value, str):
        if spec is not None:
            walk.problems.error(codes.WRONG_VALUE, "`spec` is a path, or `zoo:` and a name", spec.span)
        return None
    path = walk.library.find(spec, frame.document)
    document = None if path is None else walk.library.spec(path, places.shown(path))
    if document is None:
        return None
    if any(document is each for each in walk.calls):
        walk.problems.error(
            codes.INCLUDE, f"`{spec.text}` contains itself", spec.span, help="drop one of the two"
        )
        return None
    if not (params is None or isinstance(params, Mapping)):
        walk.problems.error(codes.WRONG_VALUE, "`params` is a mapping", params.span)
        return None
    given = {} if params is None else {key: entry.value for key, entry in params.entries.items()}
    known = [each.name for each in document.params]
    for key, entry in params.entries.items() if params else ():
        if key not in known:
            unknown_key(key, f"the network `{document.name}`", known, entry.key_span, walk.problems)
    if until is not None and not (isinstance(until, Scalar) and PATH.match(str(until.value))):
        walk.problems.error(codes.BAD_PATH, "`until` is the name of a layer", until.span)
        return None
    return Network(
        document,
        given,
        None if until is None else tuple(str(until.value).split(".")),
        until,
        _weights(walk, fields.get("weights"), frame),
    )


def _weights(walk: Walk, value: Value | None, frame: Frame) -> str | None:
    """The path of a file of weights, relative to the file that names it."""
    if value is None:
        return None
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        walk.problems.error(codes.WRONG_VALUE, "`weights` is the path of a safetensors file", value.span)
        return None
    folder = frame.document.path.parent if frame.document.path else None
    return str(folder / value.value) if folder else value.value
