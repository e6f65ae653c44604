"""The content of a drawing: leaves, nested boxes, and the lines between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from netspec.drawing.repeats import Merged, merge
from netspec.graph import Graph, Node, Scope
from netspec.language.reading.locations import named
from netspec.ops import FAMILY_OF
from netspec.types import Type


@dataclass(eq=False)
class Leaf:
    """One layer, input or output: one or two lines of text, and the details in `about`."""

    name: str
    text: str
    note: str
    about: str
    family: str


@dataclass(eq=False)
class Box:
    """A box for a scope of the spec (a block, a network, a repeat, a named group, a head), or for the whole network.

    A line of `lines` connects two children. If its source is a name (a value of `entries`), it comes from outside;
    if its target is a name (a value of `exits`), it goes outside.
    """

    name: str
    title: str
    about: str
    kind: str
    children: list[Leaf | Box] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    lines: dict[tuple[Leaf | Box | str, Leaf | Box | str, str], None] = field(default_factory=dict)


def picture(graph: Graph) -> Box:
    """The content of the drawing of a graph. Equal repetitions are shown once, with their number."""
    merged = merge(graph)
    root = Box("", graph.name, graph.description, "whole")
    builder = _Builder(graph, merged, root)
    for each in graph.inputs:
        builder.add(
            Leaf(each.name, each.name, str(each.type), f"input {each.name}: {each.type}", "input"), ""
        )
    for node in merged.nodes:
        builder.add(_leaf(node, graph, merged), node.scope)
    for node in merged.nodes:
        for value in node.inputs:
            builder.draw(merged.value(value), node.name)
    for output in graph.outputs:
        name = f"output {output.name}"
        type_ = graph.types[output.value]
        builder.add(Leaf(name, output.name, str(type_), f"output {output.name}: {type_}", "output"), "")
        builder.draw(merged.value(output.value), name)
    return root


@dataclass
class _Builder:
    graph: Graph
    merged: Merged
    root: Box
    boxes: dict[str, Box] = field(default_factory=dict)
    homes: dict[str, tuple[Box, ...]] = field(default_factory=dict)
    leaves: dict[str, Leaf] = field(default_factory=dict)

    def add(self, leaf: Leaf, scope: str) -> None:
        """Add a leaf to the box of its scope."""
        chain = tuple(self._chain(scope))
        chain[-1].children.append(leaf)
        self.leaves[leaf.name] = leaf
        self.homes[leaf.name] = chain

    def _chain(self, path: str) -> Iterator[Box]:
        """The enclosing boxes, from the outside inwards; missing ones are created."""
        yield self.root
        parent, inner = self.root, ""
        for part in path.split(".") if path else ():
            inner = f"{inner}.{part}" if inner else part
            scope = self.graph.scope_by_path.get(inner)
            if scope is None or self._is_one(scope):
                continue
            if inner not in self.boxes:
                self.boxes[inner] = _box_of(scope, self.graph, self.merged)
                parent.children.append(self.boxes[inner])
            parent = self.boxes[inner]
            yield parent

    def _is_one(self, scope: Scope) -> bool:
        """Whether a scope gets no box: the only drawn repetition of its repeat, or a repeat of one op."""
        alike = self.merged.repetitions.get(scope.path)
        if alike is not None:
            return alike.count == _count(self.graph, scope.parent)
        first = self.merged.repetitions.get(f"{scope.path}.0")
        is_op = f"{scope.path}.0" in self.graph.by_name
        return is_op and first is not None and first.count == _count(self.graph, scope.path)

    def draw(self, value: str, target: str) -> None:
        """Add a line from the source of a value to a leaf, through the boxes around both."""
        producer = value if value in self.leaves else self.graph.producers[value].name
        up, down = self.homes[producer], self.homes[target]
        shared = sum(1 for a, b in zip(up, down, strict=False) if a is b)
        source: Leaf | Box = self.leaves[producer]
        for box in reversed(up[shared:]):
            _line(box, source, value, value)
            source = box
        last: Leaf | Box = self.leaves[target]
        for box in reversed(down[shared:]):
            _line(box, value, last, value)
            last = box
        _line(up[shared - 1], source, last, value)


def _line(box: Box, source: Leaf | Box | str, target: Leaf | Box | str, value: str) -> None:
    if isinstance(source, str) and source not in box.entries:
        box.entries.append(source)
    if isinstance(target, str) and target not in box.exits:
        box.exits.append(target)
    box.lines[source, target, value] = None


def _count(graph: Graph, repeat: str) -> int:
    """The number of repetitions of a repeat."""
    start = len(repeat) + 1
    inside = {n.name[start:].partition(".")[0] for n in graph.nodes if n.name.startswith(f"{repeat}.")}
    return sum(1 for name in inside if name.isdigit())


def _box_of(scope: Scope, graph: Graph, merged: Merged) -> Box:
    """The box of a scope, with a title that states what it is and the number of repetitions."""
    alike = merged.repetitions.get(scope.path)
    count = _count(graph, scope.path) if scope.kind == "repeat" else 1
    first = graph.scope_by_path.get(f"{scope.path}.0") if scope.kind == "repeat" else None
    inner = merged.repetitions.get(f"{scope.path}.0")
    whole = inner is not None and inner.count == count
    # A repeat that is drawn as one repetition shows the repeated item with its arguments.
    called = first if first is not None and whole else scope
    name = scope.local_name
    if alike is not None and alike.count > 1:
        name = f"{alike.first} to {alike.first + alike.count - 1}"
    times = f"×{count}" if scope.kind == "repeat" else f"×{alike.count}" if alike is not None else ""
    definition = first.definition if first is not None else scope.definition
    if definition and re.fullmatch(rf"{re.escape(definition)}\d*", name):
        name = ""
    of = f"weights of {scope.shares}" if scope.shares else ""
    named = " · ".join(part for part in (name, definition, of) if part) or scope.local_name
    title = f"{named} {times}".strip()
    arguments = ", ".join(f"{key}: {_short(value)}" for key, value in called.arguments)
    about = "\n".join(part for part in (f"{scope.kind} {scope.path}", arguments, of) if part)
    return Box(scope.path, title, about, scope.kind)


def _leaf(node: Node, graph: Graph, merged: Merged) -> Leaf:
    inputs = tuple(graph.types[value] for value in node.inputs)
    alike = merged.repetitions.get(node.name)
    text = label(node) + (f" ×{alike.count}" if alike is not None else "")
    # A repeat of one op is drawn as this op, with the name of the repeat.
    name = node.scope.rpartition(".")[2] if alike is not None else node.local_name
    note = _note(node, name, inputs)
    return Leaf(
        node.name, text, note, "\n".join(_about(node, inputs, graph.file)), FAMILY_OF.get(node.op.keyword, "")
    )


def _note(node: Node, local: str, inputs: tuple[Type, ...]) -> str:
    """The name, if the spec gives one, and the type, if it differs from the input."""
    own = not re.fullmatch(rf"({re.escape(node.op.keyword)})?\d+", local)
    news = bool(node.op.macs(inputs)) or any(type_ != inputs[0] for type_ in (*node.outputs, *inputs))
    return " · ".join([local] * own + [", ".join(map(str, node.outputs))] * news)


def _about(node: Node, inputs: tuple[Type, ...], graph_file: str) -> Iterable[str]:
    yield node.name
    yield str(node.op)
    yield f"{', '.join(map(str, inputs))} → {', '.join(map(str, node.outputs))}"
    held = sum(_size(weight.shape) for weight in node.weights if not weight.statistic)
    if held:
        yield f"{held:,} parameters" + (f", those of {node.shares}" if node.shares else "")
    macs = node.op.macs(inputs)
    if macs:
        yield f"{macs:,} MACs"
    if not node.trainable:
        yield "frozen"
    yield f"{named(node.span.file, graph_file)}:{node.span.line}"


def _size(shape: tuple[int, ...]) -> int:
    count = 1
    for each in shape:
        count *= each
    return count


def label(node: Node) -> str:
    """The op with its most important fields: kernel, channels, stride."""
    settings = node.op.settings()
    told = [shown(settings[name]) for name, shown in PLAIN.items() if name in settings]
    told += [
        f"{name} {_axes(settings[name])}"
        for name, usual in NAMED.items()
        if name in settings and _axes(settings[name]) != usual
    ]
    main = node.op.main
    if main is not None and main not in (*PLAIN, *NAMED):
        field_ = type(node.op).model_fields[main]
        if field_.is_required() or settings.get(main) != field_.default:
            told.append(_short(settings.get(main)))
    activation = settings.get("activation")
    after = f" → {getattr(activation, 'keyword', '')}" if activation is not None else ""
    return " ".join([node.op.keyword, ", ".join(told)]).strip() + after


def _axes(value: object) -> str:
    """`3×3`; `2` if all axes have the same step."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return str(value[0])
    return "×".join(map(str, value)) if isinstance(value, tuple) else _short(value)


def _kernel(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "[" + ", ".join(map(_short, value)) + "]" if isinstance(value, list | tuple) else str(value)


# Fields that are shown without their name, and fields that are shown unless they have usual values; the others are
# shown on demand.
PLAIN: dict[str, Callable[[object], str]] = {"kernel": _kernel, "filters": str, "units": str}
NAMED = {"stride": "1", "dilation": "1", "groups": "1", "axis": "channels"}
