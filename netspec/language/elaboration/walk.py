"""The state of elaboration: the nodes so far, the types of values, scopes, expressions, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import shapes
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Node, Scope, ScopeKind
from netspec.language.document.declarations import Block
from netspec.language.document.fields import has_expression, whole
from netspec.language.document.item import Item
from netspec.language.document.library import Library
from netspec.language.document.recursion import how_it_ends
from netspec.language.elaboration.ends import LastRepetition
from netspec.language.elaboration.frame import Frame, Referent, UntilReached, ValueName
from netspec.language.elaboration.measure import Calls, measured, sizes_of
from netspec.language.expressions.display import displayed
from netspec.language.expressions.expression import evaluate, is_expression
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.expressions.names import KnownNames
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value
from netspec.ops.base import Op, Weight
from netspec.ops.roles import FIRST
from netspec.types import LIMIT, Type

LAYER_LIMIT = 10_000
"""The limit of layers, and of items walked to create them."""

MANY_TIMES = 50
"""From this number of repetitions on, an error blames `repeat` for the size of a network."""

WORK_LIMIT = 1_000_000
"""The limit of evaluated values of fields and parameters, over all repetitions."""

DEPTH_LIMIT = 64
"""The limit of nested groups, branches, blocks and networks; Python's stack allows no more."""


class Exceeded(Exception):
    """A limit is exceeded and reported; the walk ends here."""


class Fitted(NamedTuple):
    """An op resolved for its inputs, its output types, its weights with local names, and its MACs."""

    op: Op
    outputs: tuple[Type, ...]
    weights: tuple[Weight, ...]
    macs: int


@dataclass(frozen=True, eq=False)
class OpenCall:
    """A call of a block that is being walked: the place, the values of its parameters, the types of its inputs."""

    block: Block
    span: Span
    values: dict[str, object]
    types: tuple[Type, ...]


@dataclass(eq=False)
class Walk:
    """The state of one elaboration."""

    problems: Problems
    library: Library
    nodes: list[Node] = field(default_factory=list)
    by_name: dict[str, Node] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    origins: dict[str, Span] = field(default_factory=dict)
    scopes: list[Scope | None] = field(default_factory=list)
    pretrained: list[tuple[str, str]] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    last_repetitions: list[LastRepetition] = field(default_factory=list)
    """Those of repeats with `carry`."""
    starts: set[ValueName] = field(default_factory=set)
    """The tensors at which heads start."""
    sized: set[str] = field(default_factory=set)
    """The tensors whose sizes another layer takes."""
    open_documents: list[object] = field(default_factory=list)
    fitted: dict[tuple[int, tuple[Type, ...]], Fitted] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    worked_out: dict[tuple[Item | type[Op], str] | None, Op] = field(default_factory=dict)
    """The ops with the values of their fields: items and repetitions often have the same values."""
    held: dict[tuple[Path, object], object] = field(default_factory=dict)
    """The numbers of arrays in files, by the path and the name of the array."""
    steps: int = 0
    times: int = 1
    """The product of the `repeat`s around the current item."""
    open: list[ScopeKind] = field(default_factory=list)
    calls: list[OpenCall] = field(default_factory=list)
    work: int = 0
    depth: int = 0
    explained: int = 0
    macs: int = 0
    bytes: int = 0

    # Limits

    def step(self, span: Span, count: int = 1) -> None:
        """Count walked items. Raises Exceeded if there are too many; Full as in `Problems`."""
        self.problems.check_room()
        self.steps += count
        if self.steps > LAYER_LIMIT:
            self.problems.error(
                codes.TOO_LARGE,
                f"more than {LAYER_LIMIT:,} items, with every call and repetition written out",
                span,
                help=self._shorter(self.times * count),
            )
            raise Exceeded

    def _shorter(self, times: int) -> str:
        """Advice for a network with too many items."""
        called = "block" in self.open or "network" in self.open
        if times > MANY_TIMES or (times > 1 and not called):
            return "use a smaller `repeat`"
        if called:
            return "call fewer blocks: with two calls in each block, the items double at every level"
        return f"a network has at most {LAYER_LIMIT:,} items"

    def spend(self, span: Span, count: int = 1) -> None:
        """Count evaluated values. Raises Exceeded if there are too many."""
        self.work += count
        if self.work > WORK_LIMIT:
            self.problems.error(
                codes.TOO_LARGE,
                f"the layers have more than {WORK_LIMIT:,} values to evaluate",
                span,
                help="use a smaller `repeat`, or shorter lists",
            )
            raise Exceeded

    def enter(self, span: Span) -> None:
        """Enter a list of items. Raises Exceeded if it is too deep."""
        if self.depth >= DEPTH_LIMIT:
            self._report_endless()
            self.problems.error(
                codes.TOO_LARGE,
                f"groups, branches and blocks are nested more than {DEPTH_LIMIT} levels deep",
                span,
                help="put layers in sequence, for example with `repeat`",
            )
            raise Exceeded
        self.depth += 1

    def report_repeated(self, call: OpenCall) -> bool:
        """Whether a call repeats one that it is inside, and so never ends; this is reported."""
        same = [each for each in self.calls if each.block is call.block and each.types == call.types]
        if not same or repr(call.values) not in [repr(each.values) for each in same]:
            return False
        self._report_recursion(call, "with the same parameters and the same input: it does not end")
        return True

    def _report_endless(self) -> None:
        """Report a block that is open several times, if the depth comes from it. Raises Exceeded then."""
        last = next(
            (
                call
                for call in reversed(self.calls)
                if sum(each.block is call.block for each in self.calls) > 2
            ),
            None,
        )
        if last is not None:
            times = sum(each.block is last.block for each in self.calls)
            self._report_recursion(
                last,
                f"{times} levels deep, and lists of items are then nested {DEPTH_LIMIT} deep, which is the limit",
                "start with fewer levels, or ",
            )
            raise Exceeded

    def _report_recursion(self, call: OpenCall, how: str, first: str = "") -> None:
        same = [each for each in self.calls if each.block is call.block]
        same += [] if call in same else [call]
        rows = {name: [each.values.get(name) for each in same] for name in call.values}
        changed = {name: row for name, row in rows.items() if any(value != row[0] for value in row)}
        notes = [
            f"`{name}` is {', '.join(displayed(value) for value in row[:4])}{', …' if len(row) > 4 else ''}"
            for name, row in (changed or rows).items()
        ]
        self.problems.error(
            codes.RECURSION,
            f"the block `{call.block.name}` calls itself {how}",
            call.span,
            notes=notes[:4],
            help=first + how_it_ends(call.block),
        )

    def leave(self) -> None:
        """Leave a list of items."""
        self.depth -= 1

    # Values and expressions

    def sight(self, frame: Frame, current: ValueName) -> dict[str, object]:
        """The names that an expression can use: parameters, `in`, `block`, `index`, and layers."""
        return self.names_in(frame, {**frame.names, "in": self.sizes(current)})

    def names_in(self, frame: Frame, values: dict[str, object], calls: Calls | None = None) -> KnownNames:
        """These values by name, and the layers that an item of this scope can name.

        Args:
            calls: the calls of blocks that are counted; those of this scope by default.
        """
        counted = calls or Calls(frame.boundary_frame, {**frame.boundary_frame.calls})

        def find(path: tuple[str, ...], part: str) -> object:
            return measured(path, part, frame, self.by_name, self.types, counted, self.sized)

        return KnownNames(values, find)

    def sizes(self, tensor: ValueName) -> object:
        """The sizes of a tensor by name, for expressions."""
        if isinstance(tensor, Missing):
            return tensor
        return sizes_of(self.types[tensor])

    def work_out(self, value: Value, sight: Callable[[], dict[str, object]]) -> object:
        """A value with evaluated expressions, as plain data; or BROKEN, with the reason reported."""
        if isinstance(value, Scalar):
            self.spend(value.span)
            if not is_expression(value):
                return whole(value.value)
            return whole(evaluate(value, sight(), self.problems))
        if isinstance(value, Listing):
            parts = [self.work_out(each, sight) for each in value.items]
            return BROKEN if any(part is BROKEN for part in parts) else parts
        fields = {key: self.work_out(entry.value, sight) for key, entry in value.entries.items()}
        return BROKEN if any(part is BROKEN for part in fields.values()) else fields

    def put_in(self, value: Value, sight: dict[str, object]) -> Value | Missing:
        """The positioned value with its expressions replaced by their results.

        BROKEN, with the reason reported, if one of them cannot be evaluated.
        """
        if isinstance(value, Scalar):
            if not is_expression(value):
                return value
            data = self.work_out(value, lambda: sight)
            if data is BROKEN:
                return BROKEN
            found = positioned(data, value)
            self.spend(value.span, count_of(found))
            return found
        if isinstance(value, Listing):
            items = [self.put_in(each, sight) for each in value.items]
            sound = tuple(each for each in items if not isinstance(each, Missing))
            return Listing(sound, value.span) if len(sound) == len(items) else BROKEN
        entries: dict[str, Entry] = {}
        for key, entry in value.entries.items():
            inner = self.put_in(entry.value, sight)
            if not isinstance(inner, Missing):
                entries[key] = Entry(entry.key_span, inner)
        return Mapping(entries, value.span) if len(entries) == len(value.entries) else BROKEN

    def word(self, value: Value, frame: Frame) -> Value | Missing:
        """A name, or names, with parameters replaced by their values: `from: $source`."""
        return self.put_in(value, frame.names) if has_expression(value) else value

    # Nodes and scopes

    def add(self, node: Node, macs: int) -> None:
        """Add a node to the graph."""
        self.weigh((node.output,), () if node.shares else node.weights, macs, node.span)
        self.nodes.append(node)
        self.by_name[node.name] = node
        for value, type_ in zip(node.values, node.outputs, strict=True):
            self.types[value] = type_
            self.origins[value] = node.span

    def weigh(self, types: Sequence[Type], weights: Sequence[Weight], macs: int, span: Span) -> None:
        """Add the costs of a layer or an input to the sums. Raises Exceeded if a sum is too large."""
        self.macs += macs
        # As in `netspec shapes`, an element has four bytes.
        self.bytes += 4 * (sum(type_.elements for type_ in types) + sum(prod(each.shape) for each in weights))
        if self.macs < LIMIT and self.bytes < LIMIT:
            return
        what = "multiply-accumulates" if self.macs >= LIMIT else "bytes of weights and of outputs"
        self.problems.error(
            shapes.TOO_LARGE,
            f"up to here, the network has 2⁶³ {what} or more; the number must be below 2⁶³",
            span,
            help="use smaller sizes, or fewer layers",
        )
        raise Exceeded

    @contextmanager
    def scope(
        self,
        frame: Frame,
        kind: ScopeKind,
        inputs: Sequence[ValueName],
        span: Span,
        referent: Referent,
        **more: Any,
    ) -> Iterator[None]:
        """Open a scope; when it closes, `referent` has its output."""
        slot = len(self.scopes)
        self.scopes.append(None)
        parent = frame.parent.path if frame.parent else ""
        given = tuple(each for each in inputs if isinstance(each, str))
        self.open.append(kind)
        try:
            yield
        except UntilReached as cut:
            referent.tensor = cut.tensor
            raise
        finally:
            self.open.pop()
            output = referent.tensor if isinstance(referent.tensor, str) else ""
            ports = tuple(
                (name, each.tensor)
                for name, each in referent.outputs.items()
                if name != FIRST and isinstance(each.tensor, str)
            )
            self.scopes[slot] = Scope(frame.path, kind, parent, given, output, span, **more, ports=ports)

    @contextmanager
    def once(self) -> Iterator[None]:
        """Report a problem of the text once, however often the text is walked (calls of a block, repetitions)."""
        outer, self.problems = self.problems, Problems()
        try:
            yield
        finally:
            inner, self.problems = self.problems, outer
            told = {(each.code, each.span) for each in outer.found} if inner.found else set()
            for each in inner.found:
                if (each.code, each.span) not in told:
                    told.add((each.code, each.span))
                    outer.add([each])
            if inner.first_more is not None:
                outer.skip(inner.first_more, inner.more)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Drop the problems that are found here: they are reported elsewhere."""
        outer, self.problems = self.problems, Problems()
        try:
            yield
        finally:
            self.problems = outer

    @contextmanager
    def repeating(self, count: int) -> Iterator[None]:
        """The walked items are `count` times in the network."""
        outer, self.times = self.times, self.times * count
        try:
            yield
        finally:
            self.times = outer


def count_of(value: Value) -> int:
    """The number of values in a value, including nested ones."""
    return 1 + sum(map(count_of, value.items)) if isinstance(value, Listing) else 1


def positioned(data: object, place: Scalar) -> Value:
    """Plain data as a value with the place of `place`."""
    if isinstance(data, list):
        return Listing(tuple(positioned(each, place) for each in data), place.span)
    if data is None or isinstance(data, str | int | float | bool):
        return Scalar(data, place.span, str(data), quoted=isinstance(data, str))
    return Scalar(None, place.span, place.text)
