"""Names, and where they can be used: what `from` and `share` find from the place of an item."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field

from netspec.graph import Graph
from netspec.ops import OPS
from netspec.types import Type
from tests.random_networks.draw import Draw, Fields

PLAIN = ("stem", "body", "left", "right", "skip", "trunk", "stage", "join", "mix", "tail", "C1", "a_b", "z9")
PAPER = ("conv1", "conv2", "relu1", "dense1", "pool5", "group1", "add1", "identity2")
"""Names that an unnamed layer might have: it takes another one then."""
_HARD = """
    i j n x y x1 layer layers index_ self super type id list range zip len enumerate print repr object
    staticmethod annotations inputs outputs class def lambda None True False import is in if for return
    yield match async nn F torch Tensor keras ops tf np math Model Module train half forward eval cpu to
    float double call build modules children parameters buffers apply training name names dtype shape
    weight bias init state_dict zero_grad add_module get_layer get_config add_loss losses variables
    Input Layer Conv2d Dense ReLU Sequential ModuleList model branch branch1 output_ input_ T H pad_
    crop_ out value values a A stage_ e l O0
"""
HARD = tuple(_HARD.split())
"""Names that generated code has other uses for, or might have."""
KEYS = (
    "layers",
    "network",
    "group",
    "include",
    *("name", "from", "repeat", "when", "else", "share", "trainable", "carry"),
)
"""Words of the language, which no block is called."""
CLOSED = frozenset(
    {"in", "block", "index", "if", "else", "and", "or", "not", "true", "false", "True", "False"}
)
"""Words of expressions, which no parameter is called; a name may be."""


@dataclass(frozen=True)
class Owner:
    """A named layer whose weights another can use: its op, its fields, what it takes."""

    keyword: str
    fields: Fields
    takes: Type


@dataclass(frozen=True)
class Called:
    """A named call of a block: which, with what, on what."""

    block: str
    arguments: Fields
    takes: tuple[Type, ...]


Known = tuple[dict[str, Type], dict[str, Owner], dict[str, Called], dict[str, tuple[Type, ...]]]
"""What a room refers to: values, owners of weights, calls, and paths with `*`."""


@dataclass
class Room:
    """A scope of the author's text. Blocks see nothing outside; other scopes see what is around them."""

    outer: Room | None = None
    values: dict[str, Type] = field(default_factory=dict)
    """What `from` finds, by name or dotted path."""
    owners: dict[str, Owner] = field(default_factory=dict)
    calls: dict[str, Called] = field(default_factory=dict)
    stars: dict[str, tuple[Type, ...]] = field(default_factory=dict)
    """Paths with `*`, and the types of all that they name."""
    taken: set[str] = field(default_factory=set)

    def visible(self) -> dict[str, Type]:
        """Everything that `from` finds here; the nearer name hides the farther."""
        farther = {} if self.outer is None else self.outer.visible()
        # A name that is taken here hides all paths through the same name farther out.
        # An unnamed layer may take a name of a paper here, and hides it, too.
        hidden = {*self.taken, *PAPER}
        farther = {path: type_ for path, type_ in farther.items() if path.split(".")[0] not in hidden}
        return {**farther, **self.values}

    def known(self) -> Known:
        """What later layers may refer to so far."""
        return dict(self.values), dict(self.owners), dict(self.calls), dict(self.stars)

    def forget(self, before: Known) -> None:
        """Return to what was known before; names that were taken since are not given again."""
        self.values, self.owners, self.calls, self.stars = before

    def learn(self, graph: Graph, name: str | None) -> None:
        """Take in what lies below a name of this graph: paths, and those with a `*` for the repetitions."""
        if name is None:
            return
        self.values[name] = graph.types[graph.outputs[0].value]
        stars: dict[str, list[Type]] = {}
        for node in graph.nodes:
            if node.name.startswith(f"{name}."):
                self.values[node.name] = node.output
                parts = node.name.split(".")
                if parts[1].isdigit():
                    stars.setdefault(".".join([name, "*", *parts[2:]]), []).append(node.output)
        self.stars |= {path: tuple(types) for path, types in stars.items()}


@dataclass
class Names:
    """All names of one file."""

    draw: Draw
    used: set[str] = field(default_factory=set)
    blocks: set[str] = field(default_factory=set)

    def layer(self, room: Room) -> str:
        """A new name for a layer of this room."""
        pool = PAPER if self.draw.chance(0.1) else self._pool()
        free = [name for name in pool if name not in room.taken]
        name = self.draw.choice(free or [name for name in self._pool() if name not in room.taken])
        self.used.add(name)
        room.taken.add(name)
        return name

    def block(self) -> str:
        """A new name for a block."""
        stems = {name.rstrip("0123456789") for name in self.used}
        closed = {*stems, *self.blocks, *OPS, *KEYS}
        name = self.draw.choice([each for each in self._pool() if each not in closed])
        self.blocks.add(name)
        return name

    def parameter(self, others: set[str]) -> str:
        """A new name for a parameter."""
        return self.draw.choice([each for each in self._pool() if each not in CLOSED | others])

    def _pool(self) -> tuple[str, ...]:
        return (
            HARD
            if self.draw.chance(0.4)
            else (*PLAIN, *(name for name in HARD if not keyword.iskeyword(name)))
        )
