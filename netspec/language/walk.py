"""What elaboration knows while it walks: the nodes so far, the types of values, names, scopes, expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Node, Scope, ScopeKind
from netspec.language.document import Document, check_name
from netspec.language.expression import FAILED, Failed, Unknown, evaluate, is_expression
from netspec.language.item import Item
from netspec.language.library import Library
from netspec.language.values import Entry, Listing, Mapping, Scalar, Value
from netspec.ops import OPS
from netspec.types import Type

LAYER_LIMIT = 200_000
"""More layers than this, or items walked to make them, are taken for a mistake."""

DEPTH_LIMIT = 64
"""Groups, branches, blocks and networks that may stand inside each other; Python's own stack allows no more."""


class Exceeded(Exception):
    """A limit is passed and reported; the walk ends here."""


class Missing(Enum):
    """What stands where a tensor should: something that failed and is reported, or nothing at all yet."""

    BROKEN = "broken"
    ABSENT = "absent"


BROKEN: Final = Missing.BROKEN
ABSENT: Final = Missing.ABSENT

Tensor = str | Missing
"""The name of a value, or why there is none."""


@dataclass(slots=True, eq=False)
class Place:
    """What a name stands for: a tensor, and for a scope the names inside it."""

    path: str
    tensor: Tensor
    members: dict[str, Place] = field(default_factory=dict)
    is_scope: bool = False


@dataclass(slots=True, eq=False)
class Frame:
    """Where the walk is: a scope with its names, and what its expressions see.

    A boundary (a block, a network, the root) is as far outwards as names are looked for.
    `shares` is the path of the scope whose weights everything in here uses.
    """

    path: str
    parent: Frame | None
    document: Document
    names: dict[str, object]
    members: dict[str, Place] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    later: dict[str, Span] = field(default_factory=dict)
    boundary: bool = False
    is_network: bool = False
    frozen: bool = False
    shares: str | None = None
    until: tuple[str, ...] | None = None
    """Names down to the layer after which an embedded network is cut."""

    def inner(self, path: str, **changes: Any) -> Frame:
        """A scope inside this one; it sees the same parameters unless told otherwise."""
        frame = replace(
            self,
            path=path,
            parent=self,
            members={},
            counts=Counter(),
            later={},
            boundary=False,
            until=None,
            is_network=False,
            shares=None if self.shares is None else join(self.shares, path.rpartition(".")[2]),
        )
        for name, value in changes.items():
            setattr(frame, name, value)
        return frame


class Cut(Exception):
    """The layer named by `until` is reached."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.tensor = tensor


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
    cut: list[str] = field(default_factory=list)
    calls: list[object] = field(default_factory=list)
    constants: dict[int, object] = field(default_factory=dict)
    steps: int = 0
    depth: int = 0

    # Limits

    def step(self, span: Span, count: int = 1) -> None:
        """Count items on the way. Raises Exceeded once there are too many, nodes or none."""
        self.steps += count
        if self.steps > LAYER_LIMIT:
            self.problems.error(
                codes.TOO_LARGE, f"more than {LAYER_LIMIT:,} layers", span, help="use a smaller `repeat`"
            )
            raise Exceeded

    @contextmanager
    def deeper(self, span: Span) -> Iterator[None]:
        """Walk what stands inside an item. Raises Exceeded once it is too deep."""
        if self.depth >= DEPTH_LIMIT:
            self.problems.error(
                codes.TOO_LARGE,
                f"groups, branches and blocks stand inside each other more than {DEPTH_LIMIT} deep",
                span,
                help="put layers in a row, with `repeat` perhaps",
            )
            raise Exceeded
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    # Values and expressions

    def sight(self, frame: Frame, current: Tensor) -> dict[str, object]:
        """What an expression sees: parameters, `in`, `block`, `index`."""
        return {**frame.names, "in": self.sizes(current)}

    def sizes(self, tensor: Tensor) -> object:
        """The sizes of a tensor by name, as expressions see them."""
        if tensor is BROKEN:
            return Unknown(None)
        if tensor is ABSENT:
            return Unknown("there is no current tensor: with several inputs, state a `from`")
        type_ = self.types[tensor]
        sizes: dict[str, object] = dict(zip(type_.axes, type_.sizes, strict=True))
        if type_.spatial:
            sizes.setdefault("time", type_.spatial[0])
            if len(type_.spatial) == 2:
                del sizes["time"]
        if type_.channels is not None:
            sizes["channels"] = type_.channels
        return sizes

    def work_out(self, value: Value, sight: Callable[[], dict[str, object]]) -> object | Failed:
        """A value with its expressions calculated: plain data, or FAILED with the reason reported."""
        if isinstance(value, Scalar):
            return (
                whole(evaluate(value, sight(), self.problems)) if is_expression(value) else whole(value.value)
            )
        if isinstance(value, Listing):
            parts = [self.work_out(each, sight) for each in value.items]
            return FAILED if any(part is FAILED for part in parts) else parts
        fields = {key: self.work_out(entry.value, sight) for key, entry in value.entries.items()}
        return FAILED if any(part is FAILED for part in fields.values()) else fields

    def put_in(self, value: Value, sight: dict[str, object]) -> Value:
        """The same value with its expressions replaced by what they come to; places stay."""
        if isinstance(value, Scalar):
            if not is_expression(value):
                return value
            return positioned(self.work_out(value, lambda: sight), value)
        if isinstance(value, Listing):
            return Listing(tuple(self.put_in(each, sight) for each in value.items), value.span)
        entries = {k: Entry(e.key_span, self.put_in(e.value, sight)) for k, e in value.entries.items()}
        return Mapping(entries, value.span)

    # Nodes and scopes

    def add(self, node: Node) -> None:
        """Put a node into the graph."""
        self.nodes.append(node)
        self.by_name[node.name] = node
        for value, type_ in zip(node.values, node.outputs, strict=True):
            self.types[value] = type_
            self.origins[value] = node.span

    @contextmanager
    def scope(
        self, frame: Frame, kind: ScopeKind, inputs: Sequence[Tensor], span: Span, place: Place, **more: Any
    ) -> Iterator[None]:
        """Open a scope; when it closes, `place` has its output."""
        slot = len(self.scopes)
        self.scopes.append(None)
        place.is_scope = True
        parent = frame.parent.path if frame.parent else ""
        given = tuple(each for each in inputs if isinstance(each, str))
        try:
            yield
        except Cut as cut:
            place.tensor = cut.tensor
            raise
        finally:
            output = place.tensor if isinstance(place.tensor, str) else ""
            self.scopes[slot] = Scope(frame.path, kind, parent, given, output, span, **more)

    @contextmanager
    def once(self) -> Iterator[None]:
        """Tell a problem of the text once, however often the text is walked (calls of a block, repetitions)."""
        outer, self.problems = self.problems, Problems()
        try:
            yield
        finally:
            inner, self.problems = self.problems, outer
            if inner.found:
                told = {(each.code, each.span) for each in outer.found}
                outer.add(each for each in inner.found if (each.code, each.span) not in told)

    # Names

    def local_name(self, item: Item, frame: Frame, keyword: str) -> str:
        """The name of an item in its scope: its own if it has a good one, else its op and ordinal."""
        frame.counts[keyword] += 1
        automatic = f"{keyword}{frame.counts[keyword]}"
        if item.name is None:
            return automatic
        return self.own_name(item.name, frame) or automatic

    def own_name(self, scalar: Scalar, frame: Frame) -> str | None:
        """A name that an author gives, or None with the reason reported."""
        name = scalar.value
        if not check_name(name, scalar.span, self.problems):
            return None
        name = str(name)
        stem = name.rstrip("0123456789")
        automatic = stem != name and (
            stem in OPS or stem in frame.document.blocks or stem in ("group", "network")
        )
        if automatic or name in ("input", "output"):
            why = f"`{stem}` and a number is what an unnamed layer is called" if automatic else "it is taken"
            self.problems.error(
                codes.NAME, f"`{name}` cannot be a name: {why}", scalar.span, help="choose another name"
            )
            return None
        if name in frame.members:
            self.problems.error(
                codes.NAME_TWICE,
                f"the name `{name}` stands twice in this scope",
                scalar.span,
                help="choose another name",
            )
            return None
        return name


def whole(value: object) -> object:
    """A whole float counts as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def join(path: str, name: str) -> str:
    """A path one name longer."""
    return f"{path}.{name}" if path else name


def positioned(data: object, place: Scalar) -> Value:
    """Plain data as a value that stands where `place` does."""
    if isinstance(data, list):
        return Listing(tuple(positioned(each, place) for each in data), place.span)
    if data is None or isinstance(data, str | int | float | bool):
        return Scalar(data, place.span, str(data), quoted=isinstance(data, str))
    return Scalar(None, place.span, place.text)


def has_expression(value: Value | None) -> bool:
    """Whether anything in a value is to be calculated."""
    if value is None:
        return False
    if isinstance(value, Scalar):
        return is_expression(value)
    if isinstance(value, Listing):
        return any(has_expression(each) for each in value.items)
    return any(has_expression(entry.value) for entry in value.entries.values())
