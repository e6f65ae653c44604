"""Where the walk is: a scope with its names, what they refer to, and what its expressions see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from netspec.dataclass import dataclass
from netspec.diagnostics import Span
from netspec.language.document.declarations import Document
from netspec.language.document.item import Item
from netspec.language.elaboration.story import Binding
from netspec.language.expressions.missing import Missing

NO_TENSOR: Final = Missing("there is no current tensor: with several inputs, state a `from`")
"""What stands before the first item of a network with several inputs."""

OPEN: Final = Missing("it is not whole yet")
"""What the name of a scope stands for while it is walked."""

Tensor = str | Missing
"""The name of a value, or why there is none."""


@dataclass(slots=True, eq=False)
class Referent:
    """What a name refers to: a tensor, and for a scope the names inside it.

    `definition` is the block or the document that a call is of, `shares` the call whose weights it uses.
    """

    path: str
    tensor: Tensor
    members: dict[str, Referent] = field(default_factory=dict)
    definition: object = None
    shares: str | None = None


@dataclass(frozen=True, slots=True)
class Until:
    """The names down to the layer after which an embedded network, whose name refers to `referent`, is cut."""

    referent: Referent
    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Frame:
    """Where the walk is: a scope with its names, and what its expressions see.

    `items` is the text of the scope. A boundary (a block, a network, the root) is as far outwards as names
    are looked for. `shares` is the path of the scope whose weights everything in here uses, and `shared_at`
    the place that says so.
    """

    path: str
    parent: Frame | None
    document: Document
    names: dict[str, object]
    items: Sequence[Item] = ()
    members: dict[str, Referent] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    boundary: bool = False
    is_network: bool = False
    frozen: bool = False
    shares: str | None = None
    shared_at: Span | None = None
    until: tuple[Until, ...] = ()
    named: dict[object, Item] | None = None
    """The named items of its text, once they are asked for."""
    bindings: dict[str, Binding] = field(default_factory=dict)

    def inner(self, name: str, items: Sequence[Item], frozen: bool) -> Frame:
        """A scope of this name inside this one, which sees what this one sees."""
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
        """What is left of `until` inside a scope of this name."""
        return tuple(
            Until(each.referent, each.names[1:])
            for each in self.until
            if each.names[0] == name and len(each.names) > 1
        )

    def binding(self, name: str) -> Binding | None:
        """What gave a parameter that is seen here its value; None if it came from outside, or is none."""
        frame: Frame | None = self
        while frame is not None and not frame.boundary:
            frame = frame.parent
        if frame is not None and name in frame.bindings:
            return frame.bindings[name]
        while frame is not None and not (frame.is_network or frame.parent is None):
            frame = frame.parent
        return None if frame is None else frame.bindings.get(name)

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the file in which this stands; a file of blocks has none."""
        root: Frame | None = self
        while root is not None and not (root.is_network or root.parent is None):
            root = root.parent
        if root is None or root.document is not self.document:
            return {}
        return {key: value for key, value in root.names.items() if key not in NOWHERE}


NOWHERE: dict[str, object] = {
    "index": Missing(
        "it counts repetitions, and there is no `repeat` around this", "add `repeat: …` to the item"
    ),
    "block": Missing("there is no block around this", "write `in`: it is what the item receives"),
}
"""What an expression sees of a block or a repetition, where there is none."""

IN_BLOCK: dict[str, object] = {
    **NOWHERE,
    "index": Missing(
        "a block does not see the repetitions of its caller",
        'give the block a parameter, as `n`, and pass it where the block is called: `n: "${index}"`',
    ),
}
"""The same inside a block, without what `block` is there."""

IN_DEFAULT: dict[str, object] = {
    "in": Missing(
        "the default of a parameter belongs to no item",
        "write `block.in` for the block's input; or drop the default, and pass `${in.channels}` in the call",
    ),
}
"""What the default of a block's parameter sees of a tensor; its block's input it sees as `block.in`."""

IN_SPEC: dict[str, object] = {
    "in": Missing(
        "a parameter of a spec belongs to no item", "write the expression in the item that uses it"
    ),
    "block": Missing(
        "a parameter of a spec belongs to no block", "write the expression in the item that uses it"
    ),
    "index": Missing(
        "a parameter of a spec belongs to no `repeat`", "write the expression in the item that uses it"
    ),
}
"""The same for a parameter of a whole spec."""


class Cut(Exception):
    """The layer named by `until` is reached; the network `referent` ends here."""

    def __init__(self, referent: Referent, tensor: Tensor) -> None:
        super().__init__()
        self.referent, self.tensor = referent, tensor


def join(path: str, name: str) -> str:
    """A path one name longer."""
    return f"{path}.{name}" if path else name
