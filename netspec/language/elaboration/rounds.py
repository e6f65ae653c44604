"""What the repetitions of an item pass on: the current tensor and, with `carry`, further tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Given

from netspec.dataclass import dataclass
from netspec.diagnostics import Span
from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.carry import Signature, advice, carried, report_absent, signature
from netspec.language.document.item import GROUP, Item
from netspec.language.document.naming import NETWORK
from netspec.language.elaboration.embed import embedded
from netspec.language.elaboration.ends import LastRepetition
from netspec.language.elaboration.frame import Frame, Referent, ValueName, join
from netspec.language.elaboration.search import outputs_of
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Listing, Mapping, Scalar
from netspec.ops import OPS
from netspec.ops.roles import FIRST
from netspec.types import Type


@dataclass(slots=True, eq=False)
class CarriedInputs:
    """The inputs of the next repetition, and what they become after it.

    `takes` has, for each input by its number, the output that it takes and the place that says so.
    """

    walk: Walk
    item: Item
    inputs: list[ValueName]
    names: tuple[str, ...]
    takes: dict[int, tuple[str, Span]]
    first: str | None = None
    """The name of the first declared output."""
    last: Referent | None = None
    """The last repetition that was not left out."""

    def pass_on(self, repetition: Referent, number: int) -> None:
        """Set the inputs of the repetition after this one."""
        given = outputs_of(repetition, self.walk.by_name)
        after = [*self.inputs]
        for at in range(len(self.inputs)):
            if at not in self.takes:
                after[at] = repetition.tensor if at == 0 else self.inputs[at]
                continue
            output, span = self.takes[at]
            if output not in given and output == self.names[at]:
                continue  # it stays the same
            tensor = given[output].tensor if output in given else BROKEN
            after[at] = self._fitting(at, output, tensor, number, span, given)
        self.inputs, self.last = after, repetition

    def last_repetition(self) -> LastRepetition | None:
        """What the last repetition passes on, though none follows; None without `carry`."""
        if self.item.carry is None or self.last is None:
            return None
        given = outputs_of(self.last, self.walk.by_name)
        taken = [given[output].tensor for output, _ in self.takes.values() if output in given]
        taken += [] if 0 in self.takes else [self.last.tensor]
        whole = [self.last.tensor, *(each.tensor for each in given.values())]
        return LastRepetition(self.last.path, _tensors(taken), _tensors(whole))

    def _fitting(
        self,
        at: int,
        output: str,
        tensor: ValueName,
        number: int,
        span: Span,
        given: Given[str, Referent],
    ) -> ValueName:
        """The tensor, if it has the type of the one whose place it takes; else BROKEN, which is reported."""
        before = self.inputs[at]
        if isinstance(tensor, Missing) or isinstance(before, Missing):
            return BROKEN
        types = self.walk.types[before], self.walk.types[tensor]
        if types[0] == types[1]:
            return tensor
        self.walk.problems.error(
            shapes.CARRY,
            f"`{self.names[at]}` is {types[0]} in repetition {number}, but `{output}`, which it takes next, is "
            f"{types[1]}",
            span,
            notes=(
                f"{types[0]} comes from line {self.walk.origins[before].line}, "
                f"{types[1]} from line {self.walk.origins[tensor].line}",
            ),
            help=self._another(at, types[0], given)
            or f"bring `{output}` to {types[0]} at the end of `{self.item.keyword}`, or write the calls one after "
            "the other",
        )
        return BROKEN

    def _another(self, at: int, type_: Type, given: Given[str, Referent]) -> str | None:
        """Advice to take the output with the name of the input, or the first for the first input of an op."""
        name = FIRST if at == 0 and self.item.keyword in OPS else self.names[at]
        tensor = given[name].tensor if name in given else BROKEN
        if isinstance(tensor, Missing) or self.walk.types[tensor] != type_:
            return None
        return f"write `{name}`, which is {type_}"

    def outputs(self, path: str, current: ValueName) -> dict[str, Referent]:
        """The outputs by name of the whole repeat: those of its last repetition.

        Without a repetition, the first output is the tensor that passes, a carried one is what the first repetition
        would take, and there are no others: not those of the layer that the tensor comes from.
        """
        if self.last is not None:
            return {name: each for name, each in self.last.outputs.items() if name != FIRST}
        if self.item.carry is None:
            return {}
        passed = {output: self.inputs[at] for at, (output, _) in self.takes.items()}
        passed |= {FIRST: current, self.first or FIRST: current}
        return {output: Referent(join(path, output), each) for output, each in passed.items()}


def _tensors(values: Iterable[ValueName]) -> tuple[str, ...]:
    return tuple(each for each in values if isinstance(each, str))


def rounds_of(walk: Walk, item: Item, inputs: list[ValueName], frame: Frame) -> CarriedInputs | None:
    """What the repetitions of an item pass on; None if that is not defined, which is reported."""
    if len(inputs) == 1 and item.carry is None:
        return CarriedInputs(walk, item, inputs, (), {})
    whole = _called(walk, item, frame)
    if whole is None and item.keyword == NETWORK:
        return None
    if whole is not None and whole.op is not None and not whole.op.takes(len(inputs)):
        return CarriedInputs(walk, item, inputs, (), {})  # this is reported where the op is called
    called = None if whole is None else _given(walk, whole, inputs)
    if item.carry is None:
        # Something of one input is reported where it is called.
        if item.keyword != GROUP and (called is None or len(called.inputs) > 1):
            _report_missing(walk, item, len(inputs), called)
            return None
        return CarriedInputs(walk, item, inputs, (), {})
    before = len(walk.problems)
    carry = walk.put_in(item.carry, frame.names)
    if whole is None or called is None or not isinstance(carry, Mapping):
        return None
    found = carried(carry, whole, walk.problems)
    if len(walk.problems) > before:
        return None
    numbers = {name: at for at, name in enumerate(called.inputs[: len(inputs)])}
    absent = {name: carry.entries[name].key_span for name in found if name not in numbers}
    if absent and whole.op is not None and not any(isinstance(each, Missing) for each in inputs):
        report_absent(absent, carry, whole, called.inputs, walk.problems)
        return None
    # A call with too few inputs is reported where it is made.
    takes = {
        numbers[name]: (output, carry.entries[name].value.span)
        for name, output in found.items()
        if name in numbers
    }
    return CarriedInputs(walk, item, inputs, called.inputs, takes, next(iter(called.outputs), None))


def _given(walk: Walk, called: Signature, inputs: Sequence[ValueName]) -> Signature:
    """The signature with only the inputs that the item gives; whole if one of them is broken."""
    if any(isinstance(each, Missing) for each in inputs):
        return called
    return called.given([walk.types[str(each)] for each in inputs])


def _called(walk: Walk, item: Item, frame: Frame) -> Signature | None:
    if item.keyword != NETWORK or item.keyword in frame.document.blocks:
        return signature(item, frame.document)
    network = embedded(walk, item, frame)
    return None if network is None else signature(item, frame.document, network.document)


def _report_missing(walk: Walk, item: Item, count: int, called: Signature | None) -> None:
    """Report that a repeat of something with several inputs does not say what they take in the next repetition."""
    assert item.repeat is not None
    walk.problems.error(
        codes.REPEAT_INPUTS,
        f"`repeat` passes on one tensor, but `{item.keyword}` takes {count}",
        item.repeat.span,
        notes=["the first input would be the previous repetition, but the other inputs are undefined"],
        help=_as_group(item, count)
        if called is None
        else f"add `{advice(called)}`: it names what each input takes from the previous repetition; an input that "
        f"{'it does not name' if called.op or called.heads else 'takes its own name'} stays the same",
    )


def _as_group(item: Item, count: int) -> str:
    """Advice for a merge, whose inputs have no names: a group that starts from the first of them."""
    assert item.repeat is not None
    named = item.source.items if isinstance(item.source, Listing) else ()
    words = [each.text if isinstance(each, Scalar) else "…" for each in named]
    plain = len(words) == count and not any("*" in word or "$" in word for word in words)
    first, *others = words if plain else ["first", "…"]
    own = "x" if "x" not in others else "carried"
    call = f"{item.keyword}: " if item.argument is None else f"{item.keyword}: …"
    group = f"layers: [{{identity: , name: {own}}}, {{{call}, from: [{', '.join([own, *others])}]}}]"
    return (
        f"to keep the others, repeat a group: `{group}` with `from: {first}` and `repeat: {item.repeat.text}` "
        "beside it; else write the items one after the other"
    )
