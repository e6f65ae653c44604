"""The declarations of a file: inputs, parameters, blocks, layers, heads, without evaluated expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from netspec.dataclass import dataclass
from netspec.diagnostics import Span
from netspec.language.document.item import Item
from netspec.language.reading.values import Mapping, Scalar, Value
from netspec.ops.base import Op


@dataclass(frozen=True, eq=False)
class InputDeclaration:
    """One input as written: its shape and, for indices, the size of the vocabulary.

    The shape is None if it is missing, which is reported.
    """

    name: str
    shape: Value | None
    vocabulary: Value | None
    span: Span
    name_span: Span


@dataclass(frozen=True, eq=False)
class SpecParameter:
    """A parameter and its default; without a default, a value is required."""

    name: str
    default: Value | None
    span: Span


@dataclass(frozen=True, eq=False)
class BlockOutput:
    """An output of a block: its name, and the path of the layer in the block that gives it."""

    name: str
    path: Scalar


@dataclass(eq=False)
class Block:
    """A block as written, and the document whose parameters, blocks and defaults it uses.

    `params` is None if the parameters could not be read; then calls are not checked. Without declared `outputs`, the
    output is that of its last item.
    """

    name: str
    params: tuple[SpecParameter, ...] | None
    inputs: tuple[str, ...]
    items: tuple[Item, ...]
    span: Span
    document: Document
    input_spans: tuple[Span, ...] = ()
    outputs: tuple[BlockOutput, ...] = ()

    @property
    def main(self) -> str | None:
        """The parameter that a plain value sets: the only required one, or the only one."""
        declared = self.params or ()
        required = [each.name for each in declared if each.default is None]
        if len(required) == 1 or len(declared) == 1:
            return (required or [declared[0].name])[0]
        return None


@dataclass(frozen=True, eq=False)
class Head:
    """A further output as written."""

    name: str
    source: Value | None
    items: tuple[Item, ...]
    span: Span

    @property
    def is_its_layer(self) -> bool:
        """Whether it only gives the layer whose name it has: `mean: mean`."""
        return not self.items and isinstance(self.source, Scalar) and self.source.value == self.name


@dataclass(eq=False)
class Document:
    """All declarations of a file, without evaluated expressions."""

    file: str
    path: Path | None
    span: Span
    name: str = ""
    description: str = ""
    params: tuple[SpecParameter, ...] = ()
    inputs: tuple[InputDeclaration, ...] = ()
    several: bool = False
    defaults: dict[str, Mapping] = field(default_factory=dict)
    default_spans: dict[str, Span] = field(default_factory=dict)
    wrong_defaults: set[str] = field(default_factory=set)
    blocks: dict[str, Block] = field(default_factory=dict)
    includes: tuple[Scalar, ...] = ()
    clashing: set[str] = field(default_factory=set)
    """Names of several blocks; calls with such a name are not checked."""
    incomplete: bool = False
    """Whether an include failed; then an unknown word can be one of its blocks."""
    nameless: bool = False
    """Whether the inputs could not be read; then an unknown name can be an input."""
    items: tuple[Item, ...] = ()
    heads: tuple[Head, ...] = ()
    expect: Mapping | None = None
    train: Mapping | None = None
    wrong: set[Item] = field(default_factory=set)
    """Items with words that are already refused."""
    ready: dict[Item, Op] = field(default_factory=dict)
    """The ops of items without expressions in their fields."""
    ops: dict[tuple[type[Op], str], Op] = field(default_factory=dict)
    """The same ops by class and values: many items are equal."""
    named: dict[int, tuple[Sequence[Item], dict[object, Item]]] = field(default_factory=dict)
    """The named items of a scope by name, by the id of its items, which are kept with them."""
