"""Graph → spec: writes a network down again, layer by layer, after a pass has changed it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from netspec.graph import Graph, Node
from netspec.ops import OPS
from netspec.ops.activation import Activation
from netspec.ops.base import Op
from netspec.ops.initializers import Initializer
from netspec.ops.pool import Pool
from netspec.types import Type

_AUTOMATIC = re.compile(r"([a-z_0-9]*[a-z])(\d+)\Z")


def write_spec(graph: Graph, name: str, description: str = "") -> str:
    """The text of a spec that elaborates to this graph, its scopes laid flat.

    Paddings stand as numbers; a `same` that pads unevenly belongs to the input's size, then.
    """
    return _Writer(graph).text(name, description or graph.description)


@dataclass
class _Writer:
    graph: Graph
    names: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, description: str) -> str:
        self._choose_names()
        lines = ["netspec: 1", f"name: {name}"]
        if description:
            lines.append(f"description: {_word(description)}")
        lines += [*self._inputs(), "", "layers:"]
        before = self.graph.inputs[0].name if len(self.graph.inputs) == 1 and self._single() else ""
        for node in self.graph.nodes:
            lines += self._item(node, before)
            before = node.name
        end = self._end(before)
        if end is not None:
            lines += ["  - identity:", f"    from: {self._name(end)}"]
            before = ""
        return "\n".join([*lines, *self._heads(before)]) + "\n"

    def _single(self) -> bool:
        return self.graph.inputs[0].name == "input"

    def _end(self, last: str) -> str | None:
        """The value that the network ends in, where that is not its last layer: one of a head stands behind it."""
        ends = [output.value for output in self.graph.outputs if output.name == "output"]
        return ends[0] if ends and ends[0] != last else None

    def _choose_names(self) -> None:
        """The names that are needed: the author's own, and those that something other than the next layer uses."""
        previous = self.graph.inputs[0].name
        last = self.graph.nodes[-1].name
        asked: set[str] = {output.value for output in self.graph.outputs if output.value != last}
        for node in self.graph.nodes:
            asked.update(value for value in node.inputs if value != previous or len(node.inputs) > 1)
            asked.update([node.shares] if node.shares and node.weights else [])
            previous = node.name
        asked.update(output.value for output in self.graph.outputs if output.name != "output")
        taken = {each.name for each in self.graph.inputs} | {each.name for each in self.graph.outputs}
        for node in self.graph.nodes:
            flat = node.name.replace(".", "_")
            automatic = _AUTOMATIC.match(flat)
            if automatic and automatic[1] in (*OPS, "group", "network"):
                flat = f"{automatic[1]}_{automatic[2]}" if node.name in asked else ""
            elif "." in node.name and node.name not in asked:
                flat = ""
            if flat:
                # Two paths may be one name when they are laid flat.
                while flat in taken:
                    flat += "_"
                taken.add(flat)
                self.names[node.name] = flat

    def _name(self, value: str) -> str:
        return self.names.get(value, value)

    def _inputs(self) -> Iterator[str]:
        first = self.graph.inputs[0]
        if len(self.graph.inputs) == 1 and self._single() and first.vocabulary is None:
            sizes = set(first.type.spatial)
            if len(sizes) == 1:
                yield f"params: {{size: {sizes.pop()}}}"
                yield f"input: [{first.type.channels}{', $size' * len(first.type.spatial)}]"
            else:
                yield f"input: {list(first.type.shape)}"
            return
        yield "inputs:"
        for each in self.graph.inputs:
            shape = list(each.type.shape)
            more = f"{{shape: {shape}, vocabulary: {each.vocabulary}}}" if each.vocabulary else str(shape)
            yield f"  {each.name}: {more}"

    def _item(self, node: Node, before: str) -> Iterator[str]:
        types = tuple(self.graph.types[value] for value in node.inputs)
        fields = _fields(_rounded_up(node.op), types)
        keys = []
        if node.name in self.names:
            keys.append(f"name: {self.names[node.name]}")
        if node.op.merges or node.inputs != (before,):
            values = ", ".join(self._name(value) for value in node.inputs)
            keys.append(f"from: [{values}]" if len(node.inputs) > 1 else f"from: {values}")
        if node.shares is not None and node.weights:
            keys.append(f"share: {self._name(node.shares)}")
        if not node.trainable:
            keys.append("trainable: false")
        if fields:
            yield f"  - {node.op.keyword}: {{{', '.join(f'{key}: {value}' for key, value in fields.items())}}}"
        else:
            yield f"  - {node.op.keyword}{':' if keys else ''}"
        yield from (f"    {key}" for key in keys)

    def _heads(self, before: str) -> Iterator[str]:
        further = [output for output in self.graph.outputs if output.name != "output"]
        if further:
            yield "heads:"
        for output in further:
            start = "" if output.value == before else f"from: {self._name(output.value)}, "
            yield f"  {output.name}: {{{start}layers: []}}"


def _rounded_up(op: Op) -> Op:
    """A pool whose last windows hang over, as its author wrote it: what hangs over is no padding that counts."""
    if not isinstance(op, Pool) or not any(op.overhang):
        return op
    pads = tuple((lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True))
    return op.replace(padding=pads, overhang=(), rounding="ceil")


def _fields(op: Op, inputs: tuple[Type, ...]) -> dict[str, str]:
    """The fields that are not what they would be without being written."""
    plain = op.replace(
        **{name: info.default for name, info in type(op).model_fields.items() if not info.is_required()}
    )
    default = plain.resolve(inputs).settings() if _resolves(plain, inputs) else plain.settings()
    return {
        name: _value(value)
        for name, value in op.settings().items()
        if name not in op.resolved_only
        and (type(op).model_fields[name].is_required() or value != default.get(name))
    }


def _resolves(op: Op, inputs: tuple[Type, ...]) -> bool:
    from netspec.ops.base import Misfit

    try:
        op.resolve(inputs)
    except Misfit:
        return False
    return True


def _value(value: object) -> str:
    if isinstance(value, Activation):
        return _called(value.keyword, {name: _value(each) for name, each in value.settings().items()})
    if isinstance(value, Initializer):
        return _called(value.kind, {name: repr(number) for name, number in value.settings})
    if isinstance(value, tuple):
        return _numbers(value)
    if isinstance(value, bool):
        return str(value).lower()
    return _word(value) if isinstance(value, str) else repr(value)


def _called(keyword: str, fields: dict[str, str]) -> str:
    if not fields:
        return keyword
    return f"{{{keyword}: {{{', '.join(f'{name}: {value}' for name, value in fields.items())}}}}}"


def _numbers(values: tuple[object, ...]) -> str:
    """A number for all axes where one says it, else a list; pairs of equal pads are numbers."""
    flat = [
        each[0] if isinstance(each, tuple) and len(each) == 2 and each[0] == each[1] else each
        for each in values
    ]
    if flat and all(isinstance(each, int) and each == flat[0] for each in flat):
        return str(flat[0])
    return (
        "["
        + ", ".join(_value(each) if not isinstance(each, tuple) else str(list(each)) for each in values)
        + "]"
    )


def _word(text: str) -> str:
    """A text as YAML takes it for one."""
    if re.fullmatch(r"[A-Za-z_][\w .,;()×/–-]*", text) and text not in ("true", "false", "null"):
        return text
    return "'" + text.replace("'", "''").replace("\n", " ") + "'"
