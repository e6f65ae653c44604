"""Writes one function of the generated text: one use of a block, with holes for values that can differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from netspec.backend import LocalName
from netspec.dataclass import dataclass, replace
from netspec.graph import Node
from netspec.lowering.folding import fold
from netspec.lowering.gathering import called, extend, is_list, lists, together
from netspec.lowering.names import free, numbered
from netspec.lowering.outline import Module, given, place_of
from netspec.lowering.parts import Argument, Call, Index, Part, Quoted, Raw, Seq, Slot, tree
from netspec.lowering.statements import Line, Loop, giving
from netspec.lowering.template import Definition
from netspec.lowering.tree import EqualRun
from netspec.lowering.variables import MAIN, parameters, starts_branch, titles, variables
from netspec_keras.layer import DASH, LayerText, Lowered
from netspec_keras.plan import Append, Heading, PlannedCall, PlannedRepeat, PlanStep, SourcePlan, spell

NAME = "name"
ROOT_INPUT = "inputs"
LOOPED = 3
"""From this number of equal repetitions, a loop is shorter, even with an assignment before or after it."""
LOOPED_SEVERAL = 2
"""The same number for repetitions of more than one statement."""

UNUSED = "_"
"""The variable for an unused value."""

Lent = tuple[str, str]
"""A layer with a variable: the path of its node or module, and the suffix of its name."""


@dataclass(frozen=True, slots=True)
class WrittenFunction:
    """A written function: its name, and the number of the use of its definition that a call of it is."""

    name: str
    definition: Definition
    use: int


@dataclass
class FunctionWriter:
    """Writes the statements of one function for one use.

    If branches are `copied`, each that starts at the input of the block gets its variable before its first layer, so
    that this layer can be optional.
    """

    plan: SourcePlan
    layers: Mapping[str, Lowered]
    module: Module
    functions: Mapping[str, WrittenFunction]
    taken: set[str]
    copied: bool = False
    classes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.is_root, self.is_lent = self.module.scope is None, self.plan.is_lent(self.module)
        self.steps = self.plan.steps(self.module)
        entries = list(_entries(self.steps))
        filled = [name for step in self.steps if isinstance(step, PlannedRepeat) for name in step.lists]
        found = lists(self.module.inputs, [each.item for each in entries])
        words = self.plan.words.get(self.module.path, {})
        # A loop does not replace an input: what follows may take it, and the model does.
        several = (
            parameters(self.module, {*self.taken, NAME}, {}, words) if len(self.module.inputs) > 1 else {}
        )
        self.lists = called(dict.fromkeys([*filled, *found]), {*self.taken, NAME, *several.values()})
        listed = {value: each.name for value, each in self.lists.items()}
        self.inputs = parameters(self.module, {*self.taken, NAME}, listed, words)
        if self.is_root and len(self.inputs) == 1:
            self.inputs = dict.fromkeys(self.inputs, ROOT_INPUT)
        self.lent: dict[Lent, str] = {}
        for entry in entries:
            self._name_lent(entry)
        # A loop may still take a value beside those that it collects.
        collected = {name for each in self.lists.values() for name in (each.one, each.more)}
        taken = {*self.taken, NAME, *self.lent.values(), *collected}
        # The model is constructed from its inputs at the end, so no value may replace them.
        wanted = (*self.module.outputs, *(self.inputs if self.is_root else ()))
        items = [each.item for each in entries]
        self.uses = Counter([*wanted, *(value for item in items for value in set(item.inputs))])
        self.titles = titles(self.module)
        self.names = variables(items, self.inputs, wanted, taken, self.titles, listed)
        self._name_rounds(items, taken)
        used = {*wanted, *(value for item in items for value in item.inputs)}
        # Outputs that only other calls of a shared block have, and the values of a pool whose indices are used.
        unused = {value for item in items for value in given(item) if value not in used}
        self.names |= dict.fromkeys(unused, UNUSED)
        for step in self.steps:
            if isinstance(step, PlannedRepeat):
                self.names |= {**dict(self._elements(step)), **dict(self._carried(step))}

    @property
    def variables(self) -> set[str]:
        """All names that the function binds."""
        return {*self.inputs.values(), *self.names.values(), *self.lent.values()}

    def _elements(self, rounds: PlannedRepeat) -> Iterator[tuple[str, str]]:
        """The variables of values that only lists take."""
        for body in rounds.bodies:
            *_, end = (step for step in body if not isinstance(step, Append))
            last = given(end.item) if isinstance(end, PlannedCall) else ()
            for each in (step for step in body if isinstance(step, Append)):
                # What is made after it in the repetition could take its variable.
                if not self.uses[each.value] or (isinstance(end, PlannedCall) and each.value not in last):
                    names = self.lists[each.listed]
                    yield each.value, names.more if is_list(each.value) else names.one

    def _carried(self, rounds: PlannedRepeat) -> Iterator[tuple[str, str]]:
        """The variables of what goes from repetition to repetition besides `x`: one for all."""
        for chain in _chains(rounds):
            _, first, *others = chain
            within = [first, *others[:-1]]
            own = all(name != self.names[first] or value in chain for value, name in self.names.items())
            if own and all(self.uses[each] == 1 for each in within):
                yield from ((each, self.names[first]) for each in others)

    def lines(self) -> tuple[Line | Loop, ...]:
        """The statements; the last one returns the output of the function."""
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

    def _name_lent(self, entry: PlannedCall) -> None:
        """Assign variables to layers: to all in a function that returns a function, otherwise to shared layers."""
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
            taken = {*self.taken, NAME, MAIN, *self.inputs.values(), *self.lent.values()}
            self.lent[_path(item), suffix] = numbered(name, taken)

    def _name_rounds(self, items: Sequence[Node | Module], taken: set[str]) -> None:
        """Name a kept value of a repetition after the author's name, and not after its number only."""
        for item in items:
            value, number = _value(item), item.local_name
            name = self.names[value]
            if number.isdigit() and name.startswith(f"x{number}") and name[1:].isdigit():
                repeat = place_of(item).split(".")[-2]
                name = free(self.titles.get(value, f"{repeat}_{number}"), ())
                self.names[value] = numbered(name, {*taken, *self.names.values()})

    def _has_borrower(self, item: Node | Module) -> bool:
        """Whether another item written in this function uses the layers of an item."""
        if not self.plan.shares_anything:
            return False
        graph = self.plan.graph
        if isinstance(item, Node):
            others = (each.scope for each in graph.nodes if each.shares == item.name and each.weights)
            return any(self.plan.body(scope) == self.module.path for scope in others)
        return any(each.shares == item.path and each.path in self.plan.keys for each in graph.scopes)

    def is_nothing(self, item: Node | Module) -> bool:
        """Whether it changes nothing, and so has no layer."""
        return isinstance(item, Node) and not self._of(item)

    def _of(self, node: Node) -> tuple[LayerText, ...]:
        return self.layers[node.name].layers

    def _made(self, node: Node) -> tuple[LayerText, ...]:
        """All layers of a node, including those that make further outputs."""
        lowered = self.layers[node.name]
        return (*(lowered.ports[port] for port in node.ports if not lowered.gives), *self._of(node))

    def _lines(self, steps: Sequence[PlanStep]) -> Iterator[Line | Loop]:
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
                case PlannedRepeat(bodies) if self.is_lent:
                    yield from (line for body in bodies for line in self._lines(body))
                case PlannedRepeat():
                    yield from self._loop(step)
                case Append(name, value):
                    yield Line(extend(self.names[name], self.names[value], value))
                case PlannedCall(item):
                    yield from ([] if self.is_lent else self._make(step))
                    names = self.names
                    if self.copied and steps is self.steps and self._starts_branch(item):
                        (value,), after = item.inputs, names[given(item)[0]]
                        yield Line(names[value], to=after)
                        self.names = {**names, value: after}
                    # The docstring of a function is a statement.
                    starts = at == 0 and steps is self.steps and not self.is_root
                    follows = starts or (at > 0 and isinstance(steps[at - 1], PlannedCall))
                    *before, last = self._call(step, follows)
                    self.names = names
                    # In a loop, a comment about the first repetition could be wrong for the others.
                    comment = self._comment(item) if steps is self.steps else ""
                    yield from (*before, replace(last, comment=comment))

    def _starts_branch(self, item: Node | Module) -> bool:
        return not self.is_lent and starts_branch(item, self.names, self.inputs)

    @property
    def has_branches(self) -> bool:
        """Whether a branch starts at the input of the block."""
        calls = (step.item for step in self.steps if isinstance(step, PlannedCall))
        return not self.is_root and any(map(self._starts_branch, calls))

    def _loop(self, rounds: PlannedRepeat) -> Iterator[Line | Loop]:
        """Repetitions, written as equally as possible.

        Their inputs and outputs can have their own names. These are assigned before or after the loop if this makes one
        more repetition equal.
        """
        names, bodies = self.names, rounds.bodies
        yield from (Line("[]", to=names[each]) for each in rounds.lists)
        chains = [(self._current(each), each) for each in _chains(rounds, several=True)]
        if not chains or not all(current for current, _ in chains):
            yield Loop(self._rounds(bodies))
            return
        several = rounds.lists or any(len(body) > 1 for body in bodies)
        least = LOOPED_SEVERAL if several else LOOPED
        self.names = {**names, **{value: current for current, chain in chains for value in chain}}
        first, last = (self._are_alike(some, least) for some in (bodies[:least], bodies[-least:]))
        self.names = dict(names)
        starts = [each for each in chains if names[each[1][0]] != each[0]] if first else []
        # The input of the last repetition must not be used later.
        apart = [(current, chain) for current, chain in chains if names[chain[-1]] != current]
        ends = apart if last and all(self.uses[chain[-2]] == 1 for _, chain in apart) else []
        for current, chain in chains:
            self.names |= dict.fromkeys(chain[1:-1], current)
        self.names |= {chain[0]: current for current, chain in starts}
        self.names |= {chain[-1]: current for current, chain in ends}
        if starts:
            values, targets = (
                ", ".join(names[chain[0]] for _, chain in starts),
                ", ".join(current for current, _ in starts),
            )
            yield Line(values, to=targets)
        yield Loop(self._rounds(bodies))
        self.names = names
        kept = [
            (current, names[chain[-1]])
            for current, chain in ends
            if names[chain[-1]] != UNUSED and self.uses[chain[-1]]
        ]
        if kept:
            yield Line(", ".join(current for current, _ in kept), to=", ".join(name for _, name in kept))

    def _are_alike(self, bodies: Sequence[Sequence[PlanStep]], least: int) -> bool:
        """Whether repetitions can be one loop."""
        found = fold(tree(Loop(self._rounds(bodies)))).inner() if len(bodies) == least else ()
        return len(found) == 1 and isinstance(found[0], EqualRun) and not found[0].single

    def _current(self, chain: Sequence[str]) -> str:
        """The variable of the value that goes from repetition to repetition; none if it must have several names."""
        found = {self.names[value] for value in chain[1:-1]}
        return found.pop() if len(found) == 1 else ""

    def _rounds(self, bodies: Sequence[Sequence[PlanStep]]) -> tuple[tuple[Line | Loop, ...], ...]:
        return tuple(tuple(self._lines(body)) for body in bodies)

    def _comment(self, item: Node | Module) -> str:
        """The type of the value without the batch axis, at the top only; elsewhere it can differ between uses."""
        if not self.is_root:
            return ""
        if is_list(_value(item)):
            return ""
        type_ = self.plan.graph.types[_value(item)]
        sizes = type_.sizes if type_.channels is None else (*type_.sizes, type_.channels)
        order = self.plan.turned.get(_value(item), range(1 + len(sizes)))
        return "×".join(str(sizes[dim - 1]) for dim in order if dim)

    def _make(self, entry: PlannedCall) -> Iterator[Line]:
        """The statements that construct layers with variables."""
        item = entry.item
        if item.shares is not None:
            return
        layers: Sequence[LayerText | None] = self._made(item) if isinstance(item, Node) else [None]
        for layer in layers:
            name = self.lent.get((_path(item), layer.suffix if layer else ""))
            if name is not None:
                yield Line(self._maker(entry, layer), to=name)

    def _call(self, entry: PlannedCall, follows: bool = False) -> Iterator[Line]:
        """The statements that compute the values of an item; if it `follows` another item, there can be none."""
        item = entry.item
        if isinstance(item, Module):
            yield self._call_function(item, entry)
            return
        variable, takes = self.names[item.name], self._takes(item)
        layers = self._of(item)
        name = _local(entry)
        tap = (variable, name)
        gives = self.layers[item.name].gives
        ports = list(zip(item.values[1:], item.ports, strict=True))
        taps = [*((self.names[value], (*name, port)) for value, port in ports if gives), tap]
        for value, port in () if gives else ports:
            layer = self.layers[item.name].ports[port]
            part = Seq((f"{self.names[value]} = ", self._maker_or_name(entry, layer), f"({takes})"))
            yield Line(part, tap=(self.names[value], (*tap[1], port)))
        if not layers:
            nothing = follows and variable == takes
            yield Line("" if nothing else takes, tap=tap, to="" if nothing else variable)
        for layer in layers:
            further = tuple(piece for each in layer.given for piece in (f", {each.keyword}=", each.value))
            part = Seq((self._maker_or_name(entry, layer), f"({takes}", *layer.after, *further, ")"))
            is_last = layer is layers[-1]
            named = {"": variable, **{port: self.names[value] for value, port in ports}}
            results = ", ".join(named.get(each, "_") for each in gives) if gives and is_last else variable
            yield Line(part, tap=taps[0] if is_last else None, to=results)
            takes = variable
        yield from (Line("", tap=each) for each in taps[1:])

    def _call_function(self, module: Module, entry: PlannedCall) -> Line:
        gives = ", ".join(self.names[value] for value in module.outputs)
        takes = ", ".join(self.names[value] for value in module.inputs)
        if self.plan.is_lent(module):
            return Line(Seq((self._maker_or_name(entry, None), f"({takes})")), to=gives)
        made = self._maker(entry, None)
        return Line(Call(made.function, (Argument(takes), *made.arguments)), to=gives)

    def _maker_or_name(self, entry: PlannedCall, layer: LayerText | None) -> Part:
        """A new layer, or the variable of an existing one."""
        item, suffix = entry.item, layer.suffix if layer else ""
        own = suffix or item.shares is None or (isinstance(item, Node) and not item.weights)
        owner = _path(item) if own else str(item.shares)
        if (owner, suffix) not in self.lent:
            return self._maker(entry, layer)
        return self.lent[owner, suffix]

    def _maker(self, entry: PlannedCall, layer: LayerText | None) -> Call:
        """The call that constructs a layer, or the call of a function."""
        path = [DASH if part == "." else part for part in entry.name]
        parts = tuple(path) if self.is_root else (Raw(NAME), DASH, *path)
        if isinstance(entry.item, Module):
            function = self.functions[entry.item.path]
            arguments = function.definition.arguments(function.use)
            return Call(function.name, (*arguments, Argument(Quoted(parts), NAME)))
        assert layer is not None
        self.classes |= {layer.cls, *_functions(layer.arguments)}
        frozen = not entry.item.trainable and not layer.suffix and bool(entry.item.weights)
        trainable = Argument(Slot(not frozen, "trainable", True), "trainable")
        suffix = (DASH + layer.suffix,) if layer.suffix else ()
        return Call(layer.cls, (*layer.arguments, trainable, Argument(Quoted((*parts, *suffix)), NAME)))

    def _takes(self, node: Node) -> str:
        values = node.inputs
        return together(self.names, values) if node.op.merges or len(values) > 1 else self.names[values[0]]


def _local(entry: PlannedCall) -> LocalName:
    """The name of an item in its function, without the number of a loop."""
    return tuple(None if isinstance(part, Index) else part for part in entry.name if part != ".")


def _functions(arguments: Sequence[Argument]) -> Iterator[str]:
    """The functions that are called in arguments, also in nested calls."""
    for each in arguments:
        if isinstance(each.value, Call):
            yield each.value.function
            yield from _functions(each.value.arguments)


def _entries(steps: Sequence[PlanStep]) -> Iterator[PlannedCall]:
    for step in steps:
        match step:
            case PlannedCall():
                yield step
            case PlannedRepeat(bodies):
                for body in bodies:
                    yield from _entries(body)


def _chains(rounds: PlannedRepeat, several: bool = False) -> list[list[str]]:
    """The values that go from repetition to repetition, from the input to the output of the repeat.

    None if a repetition is more than one call, unless it may be `several`.
    """
    made = rounds.cycle
    for body in rounds.bodies:
        kinds = [type(each) for each in body if not isinstance(each, Append)]
        if {*kinds} != {PlannedCall} or (len(kinds) > 1 and not several):
            return []
    if made is None:
        return []
    first = made.repeat.items[0].inputs
    wires = zip(first, made.wires, strict=True)
    return [[value, *made.values(wire)] for value, wire in wires if wire is not None]


def _is_heading(steps: Sequence[PlanStep], at: int) -> bool:
    return at < len(steps) and isinstance(steps[at], Heading)


def _is_name(part: str) -> bool:
    return part.isidentifier() or part.isdigit()


def _value(item: Node | Module) -> str:
    return item.name if isinstance(item, Node) else item.outputs[0]


def _path(item: Node | Module) -> str:
    return item.name if isinstance(item, Node) else item.path
