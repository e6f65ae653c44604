"""What a file declares: inputs, parameters, blocks, layers, heads; nothing worked out yet."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from netspec.dataclass import dataclass
from netspec.diagnostics import Span
from netspec.language.document.item import Item
from netspec.language.reading.values import Mapping, Scalar, Value
from netspec.ops.base import Op


@dataclass(frozen=True, eq=False)
class InputDeclaration:
    """One input as written: its shape and, for indices, the size of their vocabulary.

    Without a shape it is missing, and reported.
    """

    name: str
    shape: Value | None
    vocabulary: Value | None
    span: Span
    name_span: Span


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter and its default; none means that it must be given."""

    name: str
    default: Value | None
    span: Span


@dataclass(eq=False)
class Block:
    """A block as written, and the document whose parameters, blocks and defaults it sees.

    Without parameters (None) it is broken: they could not be read, so that no call can be judged.
    """

    name: str
    params: tuple[Parameter, ...] | None
    inputs: tuple[str, ...]
    items: tuple[Item, ...]
    span: Span
    document: Document
    input_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, eq=False)
class Head:
    """A further output as written."""

    name: str
    source: Value | None
    items: tuple[Item, ...]
    span: Span


@dataclass(eq=False)
class Document:
    """A file, read: everything that it declares, nothing worked out yet."""

    file: str
    path: Path | None
    span: Span
    name: str = ""
    description: str = ""
    params: tuple[Parameter, ...] = ()
    inputs: tuple[InputDeclaration, ...] = ()
    several: bool = False
    defaults: dict[str, Mapping] = field(default_factory=dict)
    default_spans: dict[str, Span] = field(default_factory=dict)
    wrong_defaults: set[str] = field(default_factory=set)
    blocks: dict[str, Block] = field(default_factory=dict)
    includes: tuple[Scalar, ...] = ()
    clashing: set[str] = field(default_factory=set)
    """Names that two blocks have, so that no call can be judged."""
    incomplete: bool = False
    """An include failed, so that a word that is not known may be one of its blocks."""
    nameless: bool = False
    """The inputs could not be read, so that a name that is not known may be one of theirs."""
    items: tuple[Item, ...] = ()
    heads: tuple[Head, ...] = ()
    expect: Mapping | None = None
    train: Mapping | None = None
    wrong: set[Item] = field(default_factory=set)
    """Items whose words are refused already."""
    ready: dict[Item, Op] = field(default_factory=dict)
    """Ops of the items in whose fields there is nothing to calculate."""
