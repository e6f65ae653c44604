"""The site of a lowering: the inputs of one node, and methods that emit ONNX nodes and constants, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from netspec.graph import Node
from netspec.types import Type

Attribute = int | float | str | tuple[int, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Emitted:
    """One ONNX node: its operator, its inputs and outputs, its attributes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConstantTensor:
    """A tensor in the file besides the weights: floats in the precision of the model, or 64-bit integers."""

    name: str
    shape: tuple[int, ...]
    values: tuple[float, ...]
    integer: bool


@dataclass
class Site:
    """One node of the graph in the making.

    `values` are the names of its inputs and `types` their types; `weights` has the names of its weights by local
    name, `further` those of the further outputs that it gives. `training`: batch norms that learn take the statistics
    of the batch. `double`: the model is in float64. The attributes of ONNX' operators are float32, so there a constant
    that float32 cannot hold needs a formula.
    """

    node: Node
    values: tuple[str, ...]
    types: tuple[Type, ...]
    weights: Mapping[str, str]
    training: bool = False
    double: bool = False
    further: tuple[str, ...] = ()
    emitted: list[Emitted] = field(default_factory=list)
    constants: list[ConstantTensor] = field(default_factory=list)

    @property
    def x(self) -> str:
        return self.values[0]

    @property
    def rank(self) -> int:
        return len(self.types[0].spatial)

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.types[0].sizes

    @property
    def channels(self) -> int:
        return self.types[0].channels or 0

    def emit(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Emit an ONNX node with one output; returns its name. An empty input is an optional input that is left out."""
        output = f"{self.node.name}/{operator.lower()}{len(self.emitted) + 1}"
        self.emitted.append(Emitted(operator, inputs, (output,), attributes))
        return output

    def emit_all(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Emit a node that also has the further outputs of the layer, as far as they are used."""
        return self.emit_several(operator, self.further, *inputs, **attributes)

    def emit_several(
        self, operator: str, others: Sequence[str], *inputs: str, **attributes: Attribute
    ) -> str:
        """Emit a node that has further outputs with these names."""
        output = self.emit(operator, *inputs, **attributes)
        self.emitted[-1] = replace(self.emitted[-1], outputs=(output, *others))
        return output

    def numbers(self, values: Sequence[float], shape: Sequence[int] | None = None) -> str:
        """A constant of floats."""
        return self._constant(tuple(values), shape, integer=False)

    def number(self, value: float) -> str:
        """A constant of one float, without an axis."""
        return self._constant((value,), (), integer=False)

    def integers(self, values: Sequence[int]) -> str:
        """A constant of integers along one axis."""
        return self._constant(tuple(values), None, integer=True)

    def integer(self, value: int) -> str:
        """A constant of one integer, without an axis."""
        return self._constant((value,), (), integer=True)

    def _constant(self, values: tuple[float, ...], shape: Sequence[int] | None, integer: bool) -> str:
        shape = (len(values),) if shape is None else tuple(shape)
        assert prod(shape) == len(values)
        name = f"{self.node.name}/constant{len(self.constants) + 1}"
        self.constants.append(ConstantTensor(name, shape, values, integer))
        return name

    # What several lowerings write

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """Reshape; the batch axis stays, and one size can be −1."""
        return self.emit("Reshape", x, self.integers((0, *shape)))

    def broadcast(self, weight: str, rank: int) -> str:
        """One value per channel, with an axis of size 1 for each spatial axis."""
        return self.emit("Unsqueeze", weight, self.integers(range(1, rank + 1))) if rank else weight

    def transpose(self, x: str, order: Sequence[int]) -> str:
        """Transpose to this order of axes, counted without the batch, which stays first."""
        return self.emit("Transpose", x, perm=(0, *(axis + 1 for axis in order)))

    def pad(
        self,
        x: str,
        pads: Sequence[tuple[int, int]],
        value: float = 0.0,
        mode: str = "constant",
        channels: tuple[int, int] = (0, 0),
    ) -> str:
        """Pad the spatial axes and the channels; without padding, the input itself."""
        pads = (channels, *pads)
        if not any(lo or hi for lo, hi in pads):
            return x
        flat = (0, *(lo for lo, _ in pads), 0, *(hi for _, hi in pads))
        filling = (self.number(value),) if value and mode == "constant" else ()
        return self.emit("Pad", x, self.integers(flat), *filling, mode=mode)

    def finish(self, result: str, name: str) -> None:
        """Give the result the name of the node's value."""
        if not self.emitted or result != self.emitted[-1].outputs[0]:
            self.emit("Identity", result)
        last = self.emitted[-1]
        self.emitted[-1] = replace(last, outputs=(name, *last.outputs[1:]))


Lowering = Callable[[Any, Site], str]
"""Emits the nodes of an op and returns the name of its output."""
