"""One function of the generated text: what is written for one use of a block, with holes for what may differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netspec.backend import LocalName
from netspec.graph import Node
from netspec.lowering.names import free, numbered
from netspec.lowering.outline import Module, given, place_of, titles
from netspec.lowering.parts import (
    Argument,
    Call,
    Index,
    Line,
    Loop,
    Part,
    Quoted,
    Raw,
    Seq,
    Slot,
    body_tree,
    giving,
)
from netspec.lowering.parts import Body as Statements
from netspec.lowering.template import Definition
from netspec.lowering.variables import parameters, variables
from netspec_keras.layer import DASH, Layer, Lowered
from netspec_keras.plan import Entry, Heading, Plan, Rounds, Step, spell

NAME = "name"
ROOT_INPUT = "inputs"
LOOPED = 3
"""So many alike repetitions are a shorter text as a loop, though a name is bound before or after it."""

Lent = tuple[str, str]
"""A layer that is called by name: the path of its node or module, and what its own name has behind that."""


@dataclass(frozen=True, slots=True)
class Function:
    """A written function: its name, and which of the uses of its definition a call of it is."""

    name: str
    definition: Definition
    use: int


@dataclass
class Body:
    """Writes the statements of one function, as this use of it has them."""

    plan: Plan
    layers: Mapping[str, Lowered]
    module: Module
    functions: Mapping[str, Function]
    taken: set[str]
    classes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.is_root, self.is_lent = self.module.scope is None, self.plan.is_lent(self.module)
        self.steps = self.plan.steps(self.module)
        self.inputs = parameters(self.module, self.taken)
        if self.is_root and len(self.inputs) == 1:
            self.inputs = dict.fromkeys(self.inputs, ROOT_INPUT)
        entries = list(_entries(self.steps))
        self.lent: dict[Lent, str] = {}
        for entry in entries:
            self._name_lent(entry)
        taken = {*self.taken, NAME, *self.lent.values()}
        # The model is made of its inputs at the very end, so that no value may take their place.
        wanted = (*self.module.outputs, *(self.inputs if self.is_root else ()))
        items = [each.item for each in entries]
        self.uses = Counter([*wanted, *(value for item in items for value in set(item.inputs))])
        self.titles = titles(self.module)
        self.names = variables(items, self.inputs, wanted, taken, self.titles)
        self._name_rounds(items, taken)
        used = {*wanted, *(value for item in items for value in item.inputs)}
        # Outputs that only other calls of a shared block have, and the values of a pool whose indices are used.
        unused = {value for item in items for value in given(item) if value not in used}
        self.names |= dict.fromkeys(unused, "_")

    @property
    def variables(self) -> set[str]:
        """Every name that the function binds."""
        return {*self.inputs.values(), *self.names.values(), *self.lent.values()}

    def lines(self) -> tuple[Line | Loop, ...]:
        """The statements, the last one giving back what the function gives."""
        back = ", ".join(self.names[value] for value in self.module.outputs)
        if self.is_root:
            return tuple(self._lines(self.steps))
        if not self.is_lent:
            return giving(tuple(self._lines(self.steps)), back)
        made = [line for entry in _entries(self.steps) for line in self._make(entry)]
        called = [line for line in self._lines(self.steps) if isinstance(line, Line)]
        inner = giving(tuple(replace(line, indent=line.indent + 1, comment="") for line in called), back, 1)
        call = Line(f"def call({', '.join(self.inputs.values())}):")
        return (*made, Line(""), call, *inner, Line(""), Line("return call"))

    def _name_lent(self, entry: Entry) -> None:
        """Variables for layers called by name: all in a function that gives a function, else what is shared."""
        item = entry.item
        if self.is_lent and item.shares is None:
            suffixes = [each.suffix for each in self._made(item)] if isinstance(item, Node) else [""]
            stem = "_".join("".join(spell(entry.name)).split("."))
        elif self._has_borrower(item):
            suffixes, stem = [""], f"shared_{item.local_name}"
        else:
            return
        for suffix in suffixes:
            name = "_".join(filter(None, (stem, suffix)))
            name = free(name if name.isidentifier() else f"layer_{name}", ())
            taken = {*self.taken, NAME, *self.inputs.values(), *self.lent.values()}
            self.lent[_path(item), suffix] = numbered(name, taken)

    def _name_rounds(self, items: Sequence[Node | Module], taken: set[str]) -> None:
        """What is kept of a repetition is called as the author calls it, and not by its bare number."""
        for item in items:
            value, number = _value(item), item.local_name
            if number.isdigit() and re.fullmatch(rf"x{number}\d*", self.names[value]):
                repeat = place_of(item).split(".")[-2]
                name = free(self.titles.get(value, f"{repeat}_{number}"), ())
                self.names[value] = numbered(name, {*taken, *self.names.values()})

    def _has_borrower(self, item: Node | Module) -> bool:
        """Whether something else that is written in this function is called with the layers of an item."""
        graph = self.plan.graph
        if isinstance(item, Node):
            others = (each.scope for each in graph.nodes if each.shares == item.name and each.weights)
            return any(self.plan.body(scope) == self.module.path for scope in others)
        return any(each.shares == item.path and each.path in self.plan.keys for each in graph.scopes)

    def is_nothing(self, item: Node | Module) -> bool:
        """Whether it is a layer that changes nothing, and so is none."""
        return isinstance(item, Node) and not self._of(item)

    def _of(self, node: Node) -> tuple[Layer, ...]:
        return self.layers[node.name].layers

    def _made(self, node: Node) -> tuple[Layer, ...]:
        """All layers of a node, also those that make further outputs."""
        return (*(self.layers[node.name].ports[port] for port in node.ports), *self._of(node))

    def _lines(self, steps: Sequence[Step]) -> Iterator[Line | Loop]:
        for at, step in enumerate(steps):
            match step:
                case Heading(text) if all(map(_is_name, text.split("."))) and not _is_heading(steps, at + 1):
                    yield from ([Line("")] if at else [])
                    yield Line(f"# {text}")
                case Heading("") if (
                    steps is self.steps and at + 1 < len(steps) and not _is_heading(steps, at + 1)
                ):
                    yield Line("")
                case Heading():
                    pass
                case Rounds(bodies) if self.is_lent:
                    yield from (line for body in bodies for line in self._lines(body))
                case Rounds(bodies):
                    yield from self._loop(bodies)
                case Entry(item):
                    yield from ([] if self.is_lent else self._make(step))
                    *before, last = self._call(step, follows=at > 0 and isinstance(steps[at - 1], Entry))
                    # In a loop what is said of the first round might not hold for the next.
                    comment = self._comment(item) if steps is self.steps else ""
                    yield from (*before, replace(last, comment=comment))

    def _loop(self, bodies: Sequence[Sequence[Step]]) -> Iterator[Line | Loop]:
        """Repetitions, as alike as they can be.

        What goes into a chain of them, or comes out, may have a name of its own. It is bound before, or after,
        where that makes one more repetition alike.
        """
        names, chain = self.names, _chain(bodies)
        variables = {names[value] for value in chain[1:-1]}
        if len(variables) != 1:
            yield Loop(self._rounds(bodies))
            return
        (current,) = variables
        self.names = {**names, **dict.fromkeys(chain, current)}
        rounds = self._rounds(bodies)
        self.names = dict(names)
        if names[chain[0]] != current and _alike(rounds[:LOOPED]):
            yield Line(names[chain[0]], to=current)
            self.names[chain[0]] = current
        # What the last repetition takes must not be wanted any more.
        used_up = self.uses[chain[-2]] == 1
        ends_apart = names[chain[-1]] != current and used_up and _alike(rounds[-LOOPED:])
        if ends_apart:
            self.names[chain[-1]] = current
        yield Loop(self._rounds(bodies))
        self.names = names
        if ends_apart:
            yield Line(current, to=names[chain[-1]])

    def _rounds(self, bodies: Sequence[Sequence[Step]]) -> tuple[tuple[Line | Loop, ...], ...]:
        return tuple(tuple(self._lines(body)) for body in bodies)

    def _comment(self, item: Node | Module) -> str:
        """At the top the type of what was made, without the batch; elsewhere it may differ from use to use."""
        if not self.is_root:
            return ""
        type_ = self.plan.graph.types[_value(item)]
        return "×".join(map(str, (*type_.sizes, type_.channels)))

    def _make(self, entry: Entry) -> Iterator[Line]:
        """What makes the layers of an item that are called by name."""
        item = entry.item
        if item.shares is not None:
            return
        layers: Sequence[Layer | None] = self._made(item) if isinstance(item, Node) else [None]
        for layer in layers:
            name = self.lent.get((_path(item), layer.suffix if layer else ""))
            if name is not None:
                yield Line(self._maker(entry, layer), to=name)

    def _call(self, entry: Entry, follows: bool = False) -> Iterator[Line]:
        """What makes the value, or values, of an item; where it `follows` one, that may be nothing."""
        item = entry.item
        if isinstance(item, Module):
            yield self._call_function(item, entry)
            return
        variable, takes = self.names[item.name], self._takes(item)
        layers = self._of(item)
        tap = (variable, _local(entry))
        for value, port in zip(item.values[1:], item.ports, strict=True):
            layer = self.layers[item.name].ports[port]
            part = Seq((f"{self.names[value]} = ", self._maker_or_name(entry, layer), f"({takes})"))
            yield Line(part, tap=(self.names[value], (*tap[1], port)))
        if not layers:
            nothing = follows and variable == takes
            yield Line("" if nothing else takes, tap=tap, to="" if nothing else variable)
        for layer in layers:
            part = Seq((self._maker_or_name(entry, layer), f"({takes}", *layer.after, ")"))
            yield Line(part, tap=tap if layer is layers[-1] else None, to=variable)
            takes = variable

    def _call_function(self, module: Module, entry: Entry) -> Line:
        gives = ", ".join(self.names[value] for value in module.outputs)
        takes = ", ".join(self.names[value] for value in module.inputs)
        if self.plan.is_lent(module):
            return Line(Seq((self._maker_or_name(entry, None), f"({takes})")), to=gives)
        made = self._maker(entry, None)
        return Line(Call(made.function, (Argument(takes), *made.arguments)), to=gives)

    def _maker_or_name(self, entry: Entry, layer: Layer | None) -> Part:
        """A new layer, or the name of one that there is."""
        item, suffix = entry.item, layer.suffix if layer else ""
        own = suffix or item.shares is None or (isinstance(item, Node) and not item.weights)
        owner = _path(item) if own else str(item.shares)
        if (owner, suffix) not in self.lent:
            return self._maker(entry, layer)
        return self.lent[owner, suffix]

    def _maker(self, entry: Entry, layer: Layer | None) -> Call:
        """The call that makes a layer, or that of a function."""
        path = [DASH if part == "." else part for part in entry.name]
        parts = tuple(path) if self.is_root else (Raw(NAME), DASH, *path)
        if isinstance(entry.item, Module):
            function = self.functions[entry.item.path]
            arguments = function.definition.arguments(function.use)
            return Call(function.name, (*arguments, Argument(Quoted(parts), NAME)))
        assert layer is not None
        self.classes.add(layer.cls)
        self.classes |= {each.value.function for each in layer.arguments if isinstance(each.value, Call)}
        frozen = not entry.item.trainable and not layer.suffix and bool(entry.item.weights)
        trainable = Argument(Slot(not frozen, "trainable", True), "trainable")
        suffix = (DASH + layer.suffix,) if layer.suffix else ()
        return Call(layer.cls, (*layer.arguments, trainable, Argument(Quoted((*parts, *suffix)), NAME)))

    def _takes(self, node: Node) -> str:
        values = [self.names[value] for value in node.inputs]
        return f"[{', '.join(values)}]" if node.op.merges or len(values) > 1 else values[0]


def _local(entry: Entry) -> LocalName:
    """The name of an item in its function, without the number of a loop."""
    return tuple(None if isinstance(part, Index) else part for part in entry.name if part != ".")


def _entries(steps: Sequence[Step]) -> Iterator[Entry]:
    for step in steps:
        match step:
            case Entry():
                yield step
            case Rounds(bodies):
                for body in bodies:
                    yield from _entries(body)


def _chain(bodies: Sequence[Sequence[Step]]) -> list[str]:
    """The values from what goes into a row of calls to what comes out; none where it is no such row."""
    values: list[str] = []
    for body in bodies:
        match body:
            case [Entry(item)] if len(item.inputs) == 1 and len(given(item)) == 1:
                if values and values[-1] != item.inputs[0]:
                    return []
                values = [*(values or item.inputs), *given(item)]
            case _:
                return []
    return values


def _alike(rounds: Sequence[Statements]) -> bool:
    """Whether repetitions are one text but for their numbers, and enough to bind a name for."""
    trees = [body_tree(each) for each in rounds]
    literals = [[hole.row for hole in each.holes()] for each in trees]
    return (
        len(rounds) == LOOPED
        and len({each.shape for each in trees}) == 1
        and all(each == literals[0] for each in literals)
    )


def _is_heading(steps: Sequence[Step], at: int) -> bool:
    return at < len(steps) and isinstance(steps[at], Heading)


def _is_name(part: str) -> bool:
    return part.isidentifier() or part.isdigit()


def _value(item: Node | Module) -> str:
    return item.name if isinstance(item, Node) else item.outputs[0]


def _path(item: Node | Module) -> str:
    return item.name if isinstance(item, Node) else item.path
