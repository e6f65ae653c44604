"""Writes a graph as a spec, layer by layer, for example after a pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from netspec.graph import Graph, IllegalGraph, Node
from netspec.ops import OPS
from netspec.ops.base import Misfit, Op
from netspec.ops.initializers import Initializer
from netspec.ops.pointwise import Activation
from netspec.ops.pool import Pool
from netspec.ops.reshape import Reshape
from netspec.ops.rotary import Turn
from netspec.ops.window import Windowed
from netspec.types import Type
from netspec.writing.emit import emit

_AUTOMATIC = re.compile(r"([a-z_0-9]*[a-z])(\d+)\Z")
_LONGEST = 80
"""The longest name that the language accepts."""


def write_spec(graph: Graph, name: str, description: str = "") -> str:
    """The text of a spec that elaborates to this graph, without scopes.

    Paddings are numbers; so an uneven `same` padding fits only this input size.
    """
    return _Writer(graph).text(name, description or graph.description)


@dataclass
class _Writer:
    graph: Graph
    names: dict[str, str] = field(default_factory=dict)
    fields: dict[tuple[int, tuple[Type, ...]], dict[str, object]] = field(default_factory=dict)
    """A cache by op and inputs, for the lifetime of the graph: equal repetitions have equal texts."""

    def text(self, name: str, description: str) -> str:
        self._choose_names()
        lines = ["netspec: 1", f"name: {emit(name)}"]
        if description:
            lines.append(f"description: {emit(description)}")
        lines += [*self._inputs(), "", "layers:"]
        before = self.graph.inputs[0].name if len(self.graph.inputs) == 1 and self._single() else ""
        for node in self.graph.nodes:
            lines += self._item(node, before)
            before = node.name
        end = self._end()
        if end != before:
            lines += self._ending(end)
        return "\n".join([*lines, *self._heads(end)]) + "\n"

    def _single(self) -> bool:
        return self.graph.inputs[0].name == "input"

    def _end(self) -> str:
        """The value at the end of `layers`: the network's own end or, without one, that of its last head."""
        ends = {output.name: output.value for output in self.graph.outputs}
        return ends.get("output") or self.graph.outputs[-1].value

    def _ending(self, end: str) -> Iterator[str]:
        """The item that leads back to the end if the last layer is another one, from a head."""
        if self._is_taken(end):
            yield "  - identity:"
        else:
            yield "  - layers: []"
        yield f"    from: {emit(self._name(end))}"

    def _is_taken(self, end: str) -> bool:
        """Whether a head gives the end itself; an end at which a head starts is not an output of its own."""
        named = [output.name for output in self.graph.outputs if output.value == end]
        return "output" in named and len(named) > 1

    def _choose_names(self) -> None:
        """The names that the text needs: those of the spec, and those that another layer than the next one uses."""
        previous = self.graph.inputs[0].name
        last = self.graph.nodes[-1].name
        asked: set[str] = {output.value for output in self.graph.outputs if output.value != last}
        makers = {value: node.name for value, node in self.graph.producers.items()}
        for node in self.graph.nodes:
            asked.update(value for value in node.inputs if value != previous or len(node.inputs) > 1)
            asked.update([node.shares] if node.shares and node.weights else [])
            asked.update([node.like] if node.like in self.graph.types else [])
            previous = node.name
        asked.update(output.value for output in self.graph.outputs if output.name != "output")
        asked = {makers.get(value, value) for value in asked}
        taken = {each.name for each in self.graph.inputs} | {each.name for each in self.graph.outputs}
        heads = {(each.name, each.value) for each in self.graph.outputs}
        for node in self.graph.nodes:
            flat = node.name.replace(".", "_")
            automatic = _AUTOMATIC.match(flat)
            unnamed = automatic and automatic[1] in (*OPS, "group", "network")
            if node.name not in asked and (unnamed or "." in node.name):
                continue
            # A head that gives the layer can have its name.
            own = (flat, node.name) in heads
            self.names[node.name] = flat if own else _free(flat, taken)
            taken.add(self.names[node.name])

    def _name(self, value: str) -> str:
        """The name of a value in the text: the name of its layer, followed by the port for a further output."""
        node = self.graph.producers.get(value)
        return value if node is None else self.names.get(node.name, node.name) + value[len(node.name) :]

    def _inputs(self) -> Iterator[str]:
        first = self.graph.inputs[0]
        if len(self.graph.inputs) == 1 and self._single():
            sizes = set(first.type.sizes)
            if first.vocabulary is not None:
                yield f"input: {emit({'shape': first.type.shape, 'vocabulary': first.vocabulary})}"
            elif len(sizes) == 1:
                yield f"params: {emit({'size': sizes.pop()})}"
                yield f"input: {emit([first.type.channels, *['$size'] * len(first.type.spatial)])}"
            else:
                yield f"input: {emit(first.type.shape)}"
            return
        yield "inputs:"
        for each in self.graph.inputs:
            shape = each.type.shape
            more = emit({"shape": shape, "vocabulary": each.vocabulary}) if each.vocabulary else emit(shape)
            yield f"  {emit(each.name)}: {more}"

    def _item(self, node: Node, before: str) -> Iterator[str]:
        types = tuple(self.graph.types[value] for value in node.inputs)
        key = (id(node.op), types)
        if key not in self.fields:
            self.fields[key] = _fields(node.op, types)
        fields = self.fields[key]
        if node.like in self.graph.types:
            fields = {name: value for name, value in fields.items() if name != "size"}
            fields["like"] = self._name(str(node.like))
        keys: dict[str, object] = {}
        if node.name in self.names:
            keys["name"] = self.names[node.name]
        if node.inputs != (before,) or node.op.merges:
            values = [self._name(value) for value in node.inputs]
            keys["from"] = values if len(values) > 1 else values[0]
        if node.shares is not None and node.weights:
            keys["share"] = self._name(node.shares)
        if not node.trainable:
            keys["trainable"] = False
        if fields:
            yield f"  - {node.op.keyword}: {emit(fields)}"
        else:
            yield f"  - {node.op.keyword}{':' if keys else ''}"
        yield from (f"    {key}: {emit(value)}" for key, value in keys.items())

    def _heads(self, end: str) -> Iterator[str]:
        further = [output for output in self.graph.outputs if output.name != "output"]
        if further:
            yield "heads:"
        # The end is not an output if a head starts there: so a head starts there exactly if the end is not an output.
        none = len(further) == len(self.graph.outputs)
        for output in further:
            start = {} if none and output.value == end else {"from": self._name(output.value)}
            yield f"  {emit(output.name)}: {emit({**start, 'layers': []})}"


def _free(flat: str, taken: set[str]) -> str:
    """The name or a similar one: without scopes, two paths can become one name, and a long name is shortened."""
    name, number = flat[:_LONGEST], 1
    while name in taken:
        number += 1
        ending = "_" * number if len(flat) + number <= _LONGEST else f"_{number}_"
        name = flat[: _LONGEST - len(ending)] + ending
    return name


def _unresolved(op: Op) -> Op:
    """An op as in a spec: the overhang of a pool is not a padding that counts; −1 is the rest of a shape."""
    if isinstance(op, Reshape):
        return op.replace(shape=op.open_shape, rest=None)
    if not isinstance(op, Pool) or not (op.rounds_up or any(op.overhang)):
        return op
    pads = tuple((lo, hi - more) for (lo, hi), more in zip(op.pads, op.overhang, strict=True))
    return op.replace(padding=pads, overhang=(), rounding="ceil")


def _settings(op: Op) -> dict[str, object]:
    """The values of all fields, as an author may write them."""
    settings = _unresolved(op).settings()
    return {name: _plain(value) for name, value in settings.items() if name not in op.resolved_only}


def _fields(op: Op, inputs: tuple[Type, ...]) -> dict[str, object]:
    """The fields that differ from their defaults, as written in a spec.

    Raises:
        IllegalGraph: no text has the same meaning.
    """
    full = _settings(op)
    if isinstance(op, Pool) and op.rounds_up and not _reads_as(op, full, inputs):
        op = op.with_numbers()  # a pass has kept the pads for another size of the input
        full = _settings(op)
    if isinstance(op, Windowed) and op.pads_by_size:
        same = {**full, "padding": "same"}
        if _reads_as(op, same, inputs):
            full = same
        else:  # a pass has kept the pads for another size of the input
            op = op.with_numbers()
    for name, info in type(op).model_fields.items():
        if not info.is_required() and name in full:
            less = {key: value for key, value in full.items() if key != name}
            full = less if _reads_as(op, less, inputs) else full
    for name, value in full.items():
        # One number for all axes, if the field accepts one.
        short = _short(value)
        if short is not value and _reads_as(op, {**full, name: short}, inputs):
            full[name] = short
    if not _reads_as(op, full, inputs):
        raise IllegalGraph(f"{op} cannot be written: {full} has another meaning")
    return full


def _reads_as(op: Op, fields: dict[str, object], inputs: tuple[Type, ...]) -> bool:
    """Whether these fields, when read, give this resolved op."""
    try:
        return type(op).model_validate(fields).resolve(inputs) == op
    except (ValueError, Misfit):
        return False


def _plain(value: object) -> object:
    """A field's value as plain data."""
    if isinstance(value, Activation):
        settings = {name: _plain(each) for name, each in value.settings().items()}
        return {value.keyword: settings} if settings else value.keyword
    if isinstance(value, Turn):
        return value.settings() or True
    if isinstance(value, Initializer) and value.values is not None:
        return {value.kind: _plain(value.values)}
    if isinstance(value, Initializer):
        return {value.kind: dict(value.settings)} if value.settings else value.kind
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _short(value: object) -> object:
    """The value that a list repeats in all places: `[[1, 1], [1, 1]]` is 1."""
    while isinstance(value, list) and value and all(each == value[0] for each in value):
        value = value[0]
    return value
