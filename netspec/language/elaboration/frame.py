"""The state of the walk in one scope: its names, what they refer to, and the names that expressions can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from netspec.dataclass import dataclass
from netspec.diagnostics import Span
from netspec.language.document.declarations import Block, Document
from netspec.language.document.item import Item
from netspec.language.document.recursion import all_items
from netspec.language.document.vocabulary import expressions_of
from netspec.language.elaboration.story import Binding
from netspec.language.expressions.expression import compared
from netspec.language.expressions.missing import Missing

NO_TENSOR: Final = Missing("there is no current tensor: with several inputs, state a `from`")
"""The current tensor before the first item of a network with several inputs."""

OPEN: Final = Missing("it is not complete yet")
"""The value of the name of a scope while the scope is walked."""

ValueName = str | Missing
"""The name of a value, or the reason why there is none."""


@dataclass(slots=True, eq=False)
class Referent:
    """The referent of a name: a tensor, and for a scope the names inside it.

    `definition` is the block or document of a call, `shares` the call whose weights it uses. `outputs` are the declared
    outputs of the called block by their names. `within` is the path below which a layer has to be for its outputs to be
    those of this name: None for the path of the name, "" for any layer. `left_out` says why the item is left out.
    """

    path: str
    tensor: ValueName
    members: dict[str, Referent] = field(default_factory=dict)
    definition: object = None
    shares: str | None = None
    outputs: dict[str, Referent] = field(default_factory=dict)
    within: str | None = None
    left_out: str | None = None

    def holds(self, layer: str) -> bool:
        """Whether the layer with this path is what the name refers to, or inside of it.

        A tensor that only passes, because nothing is inside, is that of a layer before.
        """
        around = self.path if self.within is None else self.within
        return not around or layer == around or layer.startswith(f"{around}.")


@dataclass(frozen=True, slots=True)
class Until:
    """The names down to the layer after which an embedded network is cut; its name refers to `referent`."""

    referent: Referent
    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Frame:
    """The state of the walk in one scope: its names, and the names that expressions can use.

    `items` is the text of the scope. Names are searched outwards up to a boundary (a block, a network, the root).
    `shares` is the path of the scope whose weights all layers in this scope use, and `shared_at` is the place of
    `share`.
    """

    path: str
    parent: Frame | None
    document: Document
    names: dict[str, object]
    items: Sequence[Item] = ()
    members: dict[str, Referent] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    boundary: bool = False
    is_root: bool = False
    is_network: bool = False
    frozen: bool = False
    shares: str | None = None
    shared_at: Span | None = None
    until: tuple[Until, ...] = ()
    named: dict[object, Item] | None = None
    """The named items of its text, computed when needed."""
    claimed: frozenset[str] | None = None
    """The names that its text gives to layers, computed when needed; an unnamed layer has another one."""
    bindings: dict[str, Binding] = field(default_factory=dict)
    index: int | None = None
    """For a repeat, the number of the current repetition."""
    calls: dict[Block, int] = field(default_factory=dict)
    """For a boundary, the number of calls of each block so far, in all scopes up to the next boundary."""

    @property
    def name(self) -> str:
        """The name of the scope in the scope around it."""
        return self.path.rpartition(".")[2]

    @property
    def boundary_frame(self) -> Frame:
        """The block, network or root that this scope belongs to."""
        frame = self
        while not frame.boundary and frame.parent is not None:
            frame = frame.parent
        return frame

    def inner(self, name: str, items: Sequence[Item], frozen: bool) -> Frame:
        """A scope with this name inside this one, with the same names for expressions."""
        return Frame(
            join(self.path, name),
            self,
            self.document,
            self.names,
            items,
            frozen=frozen,
            shares=None if self.shares is None else join(self.shares, name),
            shared_at=self.shared_at,
            until=self.until and self.below(name),
        )

    def below(self, name: str) -> tuple[Until, ...]:
        """The rest of `until` inside a scope with this name."""
        return tuple(
            Until(each.referent, each.names[1:])
            for each in self.until
            if each.names[0] == name and len(each.names) > 1
        )

    def binding(self, name: str) -> Binding | None:
        """The origin of the value of a parameter; None if it is not a parameter."""
        owner = self._owner(name)
        return None if owner is None else owner.bindings[name]

    def words(self, name: str) -> dict[str, int]:
        """The texts with which the items compare a parameter, each with its line."""
        owner = self._owner(name)
        if owner is None:
            return {}
        items, found = [*owner.items], dict[str, int]()
        if owner.is_network or owner.parent is None:
            items += [each for head in owner.document.heads for each in head.items]
        for item in all_items(items, owner.document):
            for scalar in expressions_of(item):
                for word in compared(scalar, name):
                    found.setdefault(word, scalar.span.line)
        return dict(sorted(found.items(), key=lambda pair: pair[1]))

    def _owner(self, name: str) -> Frame | None:
        """The scope with this parameter: that of the block around this scope, or that of its file."""
        frame: Frame | None = self
        while frame is not None and not frame.boundary:
            frame = frame.parent
        if frame is not None and name in frame.bindings:
            return frame
        while frame is not None and not (frame.is_network or frame.parent is None):
            frame = frame.parent
        return frame if frame is not None and name in frame.bindings else None

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the file of this scope; a file of blocks has none."""
        root: Frame | None = self
        while root is not None and not (root.is_network or root.parent is None):
            root = root.parent
        if root is None or root.document is not self.document:
            return {}
        return {key: value for key, value in root.names.items() if key not in NOWHERE}


NOWHERE: dict[str, object] = {
    "index": Missing(
        "it counts repetitions, but this is not inside a `repeat`", "add `repeat: …` to the item"
    ),
    "block": Missing("this is not inside a block", "write `in` for the tensor that the item takes"),
}
"""`index` and `block` outside repeats and blocks."""

IN_BLOCK: dict[str, object] = {
    **NOWHERE,
    "index": Missing(
        "a block cannot use the repetitions of its caller",
        'add a parameter to the block, such as `n`, and pass it in the call: `n: "${index}"`',
    ),
}
"""The same inside a block, without `block`."""

IN_SPEC: dict[str, object] = {
    "in": Missing(
        "a parameter of a spec is not part of an item", "write the expression in the item that uses it"
    ),
    "block": Missing(
        "a parameter of a spec is not part of a block", "write the expression in the item that uses it"
    ),
    "index": Missing(
        "a parameter of a spec is not part of a `repeat`", "write the expression in the item that uses it"
    ),
}
"""The same for a parameter of a spec."""


class UntilReached(Exception):
    """The layer `until` is reached; the network `referent` ends here."""

    def __init__(self, referent: Referent, tensor: ValueName) -> None:
        super().__init__()
        self.referent, self.tensor = referent, tensor


def join(path: str, name: str) -> str:
    """The path, extended by a name."""
    return f"{path}.{name}" if path else name
