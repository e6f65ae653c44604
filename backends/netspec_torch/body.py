"""Writes one use of a block: how it runs, after what it constructs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy

from netspec.backend import LocalName
from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.gathering import Cycle, called, cycle, extend, is_list, lists
from netspec.lowering.names import free, is_automatic, numbered, singular
from netspec.lowering.outline import Module, given
from netspec.lowering.parts import Name, NamedPart, Part, Slot, joined, quoted, seq
from netspec.lowering.statements import RETURN, Body, Line, Use, giving
from netspec.lowering.taps import ANY_NUMBER
from netspec.lowering.uses import roles, traits
from netspec.lowering.variables import MAIN, parameters, starts_branch, titles, variables
from netspec_torch.arrangement import Arrangement, Move, Placed
from netspec_torch.construction import SELF, Construction, Whole, moving
from netspec_torch.flow import Flow
from netspec_torch.lowering import TEMPORARIES
from netspec_torch.orders import Order, canonical, canonical_of, moved
from netspec_torch.reserved import VARIABLES
from netspec_torch.sharing import path_of
from netspec_torch.site import ALL, OWN, PADDED, Lowered, variable

UNUSED = "_"
"""The variable for an output that nothing uses."""

LAYER = "layer"
"""The loop variable for a layer."""


@dataclass(frozen=True, slots=True)
class LoopVariables:
    """The variables of a loop: what a repetition takes and gives, and what is bound before and after the loop."""

    takes: Sequence[str]
    gives: Sequence[str]
    start: Sequence[tuple[str, str]]
    end: Sequence[tuple[str, str]]


class ModuleWriter:
    """Writes one module; the modules in it are already written.

    If branches are `copied`, each that starts at the input of the block gets its variable before its first layer, so
    that this layer can be optional.
    """

    def __init__(self, module: Module, whole: Whole, copied: bool = False) -> None:
        self.module, self.whole, self.graph, self.lowered = module, whole, whole.graph, whole.lowered
        self.copied = copied
        self.sharing = whole.sharing
        self.construction = Construction(module, whole)
        self.taken = VARIABLES | TEMPORARIES
        self.flow, self.interface = Flow(module, self.construction), whole.interface(module)
        self.items = self.flow.items
        self.lists = called(lists(module.inputs, self.items), self.taken)
        names = {value: each.name for value, each in self.lists.items()}
        self.inputs = parameters(module, self.taken, names, whole.words.get(module.path, {}))
        # A loop may still take a value beside those that it collects.
        taken = {*self.taken, *self._lists_names()}
        self.names = variables(self.items, self.inputs, module.outputs, taken, titles(module), names)
        used = {*module.outputs, *(value for item in self.items for value in item.inputs)}
        self.names |= {
            value: UNUSED
            for item in self.items
            if len(given(item)) > 1
            for value in given(item)
            if value not in used and not self._is_overwritten(item, value)
        }
        self.arrangement = Arrangement(self.flow, self.interface)
        self.placed = dict(zip(map(path_of, self.items), self.arrangement.placed, strict=True))
        self.copies = dict(self._copied())
        self.taken |= {*self.copies.values()}
        self.alone = False
        self._written: dict[bool, Use] = {}

    def padding_apart(self, apart: Collection[str]) -> ModuleWriter:
        """The same module, with the layers of these names padded by a module of their own."""
        other = copy(self)
        other.construction, other._written = Construction(self.module, self.whole, apart), {}
        return other

    def _is_overwritten(self, item: Node | Module, value: str) -> bool:
        """Whether a later output of the same statement, which the graph does not have, would take the name `_`."""
        if isinstance(item, Module) or value != item.name:
            return False
        return not {*self.construction.lowering(item).outputs(item.ports)} <= {"", *item.ports}

    def use(self, alone: bool) -> Use:
        """The text. `alone`: the block is used once, so its sizes are known."""
        if alone not in self._written:
            self._written[alone] = self._use(alone)
        return self._written[alone]

    def _use(self, alone: bool) -> Use:
        self.alone = alone
        construction = self.construction.lines()
        ties = list(self.construction.ties())
        construction += [tie.line for tie in ties]
        run = [Line(f"def forward({', '.join([SELF, *self.inputs.values()])}):")]
        run += self._move(self.arrangement.first)
        nothing = set()
        for item, copies in zip(self.items, self.arrangement.copies, strict=True):
            run += self._copy(copies)
            follows = run[-1].indent <= 1
            if follows and self._is_nothing(item):
                nothing.add(item.local_name)
                run += self._nothing(item)
            elif self.copied and self._starts_branch(item):
                run += self._run_copied(item)
            else:
                run += self._run(item)
        if self.whole.attributes.is_series(self.module):
            run = []
        moved = moving([tie.line for tie in ties if tie.of_statistics])
        lines = (*construction, *(self._giving(tuple(run)) if run else ()), *moved)
        members = tuple(item.local_name for item in self.module.items if item.local_name not in nothing)
        return Use(
            self.module.path,
            lines,
            self.whole.known(self.module),
            members=members,
            roles=roles(self.module),
            later=len(construction),
            traits=traits(self.graph, self.module),
        )

    def _giving(self, run: Body) -> Body:
        """The statements of the body, and what it returns."""
        result = self._result()
        if isinstance(result, str):
            return giving(run, result, 1)
        return (*run, Line(result, 1, to=RETURN))

    # How it runs

    def _starts_branch(self, item: Node | Module) -> bool:
        """Whether it is the first item of a branch without a name, which starts at the input of the block."""
        moved_before = any(value in item.inputs for value, *_ in self.copies)
        return starts_branch(item, self.names, self.inputs) and not moved_before

    @property
    def has_branches(self) -> bool:
        """Whether a branch starts at the input of the block."""
        return any(map(self._starts_branch, self.items))

    def _run_copied(self, item: Node | Module) -> Iterator[Line]:
        names, (value,) = self.names, item.inputs
        after = names[given(item)[0]]
        yield Line(names[value], 1, to=after)
        self.names = {**names, value: after}
        yield from self._run(item)
        self.names = names

    def _run(self, item: Node | Module) -> Iterator[Line]:
        placed = self.placed[path_of(item)]
        if isinstance(item, Node):
            yield from self._run_node(item, placed, self.construction.reference(item))
        elif self.flow.cycle(item) is not None:
            yield from self._run_loop(item, placed)
        else:
            arguments = joined(", ", self._arguments(item.inputs, placed.takes, placed.wants))
            results = ", ".join(self.names[value] for value in item.outputs)
            run: Part = seq(self.construction.reference(item), "(", arguments, ")")
            if len(item.outputs) == 1 and not is_list(item.outputs[0]):
                run = moved(run, placed.makes[0], placed.gives[0])
            yield Line(run, 1, comment=self._shape(item.outputs), to=results)
            if len(item.outputs) > 1:
                yield from self._move(zip(item.outputs, placed.makes, placed.gives, strict=True))

    def _canonical(self, value: str) -> Order:
        return canonical(len(self.graph.types[value].shape))

    def _arguments(self, values: Sequence[str], held: Sequence[Order], takes: Sequence[Order]) -> list[Part]:
        """Values in the orders that an item takes."""
        found: list[Part] = []
        for value, order, wanted in zip(values, held, takes, strict=True):
            found.append(self.copies.get((value, order, wanted)) or moved(self.names[value], order, wanted))
        return found

    def _copied(self) -> Iterator[tuple[Move, str]]:
        """The variables of values that several items use in another order than the one in which they are made."""
        taken = {*self.taken, *self.names.values(), *self._lists_names()}
        for move in (move for row in self.arrangement.copies for move in row):
            name = numbered("channels_first" if move[2].is_canonical else "channels_last", taken)
            taken.add(name)
            yield move, name

    def _copy(self, moves: Sequence[Move]) -> Iterator[Line]:
        for move in moves:
            value, before, after = move
            yield Line(moved(self.names[value], before, after), 1, to=self.copies[move])

    def _move(self, moves: Iterable[Move], indent: int = 1) -> Iterator[Line]:
        """Statements that move the axes of values in their variables."""
        for value, before, after in moves:
            name = self.names[value]
            if before != after and name != UNUSED:
                yield Line(moved(name, before, after), indent, to=name)

    def _shape(self, values: Sequence[str]) -> str:
        """The size of a value, if it is known."""
        known = self.alone and len(values) == 1 and not is_list(values[0])
        return str(self.graph.types[values[0]]) if known else ""

    def _tap(self, node: Node) -> LocalName:
        """The local name of a node, of any number where the numbers of uses can differ."""
        *above, name = self.module.parts(node.name)
        if self.copied and is_automatic(node) and self.construction.lowering(node).module is None:
            name = name.rstrip("0123456789") + ANY_NUMBER
        return (*above, name)

    def _run_node(self, node: Node, placed: Placed, reference: str) -> Iterator[Line]:
        lowered = self._lowered(node, placed)
        arguments = self._arguments(node.inputs, placed.takes, placed.wants)
        names = self._place_names(node, arguments, reference)
        yield from (Line(NamedPart(part, names), 1) for part in lowered.before)
        text: Part = lowered.result
        if any(map(is_list, node.inputs)):
            assert lowered.gathered is not None
            text = lowered.gathered
        gives = [self.names[value] for value in node.values]
        local = self._tap(node)
        made = lowered.makes or tuple(map(self._canonical, node.values))
        if len(lowered.outputs(node.ports)) == 1:
            text = moved(
                seq("(", text, ")") if lowered.open and made != placed.gives else text,
                made[0],
                placed.gives[0],
            )
            made = placed.gives
        yield from self._results(node, gives, local, 1, NamedPart(text, names), self._comment(node))
        yield from self._move(zip(node.values, made, placed.gives, strict=True))

    def _lowered(self, node: Node, placed: Placed) -> Lowered:
        """The lowering of a node for the orders of its inputs, or with its padding apart."""
        assert placed.lowered is not None
        plain = self.lowered[node.name]
        return self.construction.lowering(node) if placed.lowered is plain else placed.lowered

    def _results(
        self, node: Node, gives: Sequence[str], tap: LocalName, indent: int, text: Part, comment: str
    ) -> Iterator[Line]:
        """The statement that makes the values of a node."""
        further = zip(gives[1:], node.ports, strict=True)
        first, *others = [*((name, (*tap, port)) for name, port in further), (gives[0], tap)]
        used = dict(zip(("", *node.ports), gives, strict=True))
        to = ", ".join(
            used.get(each, UNUSED) for each in self.construction.lowering(node).outputs(node.ports)
        )
        yield Line(text, indent, tap=first, comment=comment, to=to)
        yield from (Line("", indent, tap=each) for each in others)

    def _is_nothing(self, item: Node | Module) -> bool:
        """Whether it only assigns a variable to itself."""
        if not isinstance(item, Node) or self.names[item.name] != self.names[item.inputs[0]]:
            return False
        placed = self.placed[item.name]
        lowered = self._lowered(item, placed)
        moves = (placed.takes[:1] != lowered.takes[:1], placed.gives[:1] != lowered.makes[:1])
        return lowered.result == variable(0) and not (lowered.takes and any(moves))

    def _nothing(self, item: Node | Module) -> Iterator[Line]:
        """An unwritten line: the statement before it also makes the value of this node."""
        assert isinstance(item, Node)
        yield Line(
            "", 1, tap=(self.names[item.name], self.module.parts(item.name)), comment=self._comment(item)
        )

    def _comment(self, node: Node) -> str:
        """A comment with the author's name if the code does not have it, and the size if it is known."""
        shape = str(node.output) if self.alone else ""
        if is_automatic(node):
            return shape
        runs = (
            self.construction.lowering(node).module is not None
            and self.sharing.lender(node, self.module) is None
        )
        if runs or self.names[node.name] == node.local_name:
            return shape
        name = self.module.local(node.name)
        return f"{name}: {shape}" if shape else name

    def _run_loop(self, repeat: Module, placed: Placed) -> Iterator[Line]:
        made = cycle(repeat)
        assert made is not None
        yield from self._move(placed.rebound)
        loop = self._loop(made)
        yield from _bind(loop.start, 1)
        yield from (Line("[]", 1, to=self.lists[each].name) for each in repeat.outputs if is_list(each))
        first = repeat.items[0]
        lender = self.flow.lender(repeat)
        if lender is None:
            layer = self._counted(repeat)
            yield Line(f"for {layer} in {self.construction.reference(repeat)}:", 1)
        else:
            layer = self.construction.reference(first)
            yield Line(seq(f"for {UNUSED} in range(", Slot(len(repeat.items), "repeats", kept=True), "):"), 1)
        if isinstance(first, Node):
            sizes = {str(each.outputs[0]) for each in repeat.items if isinstance(each, Node)}
            shape = sizes.pop() if self.alone and len(sizes) == 1 else ""
            yield from self._run_repeated(made, first, placed, loop, layer, shape)
        else:
            yield Line(f"{layer}({', '.join(loop.takes)})", 2, to=", ".join(loop.gives))
        for output, value in enumerate(loop.gives):
            if (name := made.listed(output)) in repeat.outputs:
                one = made.values(output)[0]
                # A list holds values in their canonical order.
                part = moved(value, placed.makes[output], canonical_of(one, self.graph.types))
                if isinstance(part, str):
                    part = extend(self.lists[name].name, value, one)
                else:
                    part = seq(f"{self.lists[name].name}.append(", part, ")")
                yield Line(part, 2)
        yield from _bind(loop.end, 1)
        for output, after in enumerate(placed.gives):
            *_, value = made.values(output)
            if value in repeat.outputs:
                yield from self._move([(value, placed.makes[output], after)])

    def _run_repeated(
        self, made: Cycle, node: Node, placed: Placed, loop: LoopVariables, layer: str, shape: str
    ) -> Iterator[Line]:
        """The statements that run one of several layers, in a loop."""
        lowered = self._lowered(node, placed)
        takes = lowered.takes or tuple(map(self._canonical, node.inputs))
        arguments: list[Part] = []
        for place, (name, wire) in enumerate(zip(loop.takes, made.wires, strict=True)):
            held = placed.takes[place]
            arguments.append(name if placed.steady and wire is not None else moved(name, held, takes[place]))
        names = self._place_names(node, arguments, layer)
        yield from (Line(NamedPart(part, names), 2) for part in lowered.before)
        text, plain = lowered.result, tuple(map(self._canonical, node.values))
        makes = lowered.makes or plain
        loose = not placed.steady and makes != plain
        if loose and len(node.values) == 1:
            text = moved(seq("(", text, ")") if lowered.open else text, makes[0], plain[0])
        local = (*self.module.parts(made.repeat.path), None)
        yield from self._results(node, loop.gives, local, 2, NamedPart(text, names), shape)
        if loose and len(node.values) > 1:
            for name, before, after in zip(loop.gives, makes, plain, strict=True):
                if before != after and name != UNUSED:
                    yield Line(moved(name, before, after), 2, to=name)

    def _counted(self, repeat: Module) -> str:
        """The loop variable for a repetition: the name of the block, unless it is taken."""
        definitions = {
            each.scope.definition for each in repeat.items if isinstance(each, Module) and each.scope
        }
        name = "".join(definitions)
        if definitions == {""} and not is_automatic(repeat):
            name = singular(repeat.local_name)
        if len(definitions) > 1 or not name.isidentifier():
            return LAYER
        taken = {*self.taken, *self.names.values(), *self._lists_names(), SELF}
        return LAYER if free(name, taken) != name else name

    def _lists_names(self) -> Iterator[str]:
        for each in self.lists.values():
            yield from (each.name, each.one, each.more)

    def _loop(self, made: Cycle) -> LoopVariables:
        """The variables of a loop. The first value has the name of the result, unless it is used later.

        What it begins with goes by the name of its result, unless it is used up.
        """
        repeat, items = made.repeat, made.repeat.items
        fixed = {
            self.names[each] for each, wire in zip(items[0].inputs, made.wires, strict=True) if wire is None
        }
        taken = {*self.taken, *self.names.values(), *self._lists_names()}
        start, end, gives, takes = [], [], [""] * len(made.rests), []
        for value, wire in zip(items[0].inputs, made.wires, strict=True):
            before = self.names[value]
            if wire is None:
                takes.append(before)
                continue
            last = made.values(wire)[-1]
            after = (
                self.names[last] if last in repeat.outputs else before if self._ends_at(repeat, value) else ""
            )
            current = gives[wire] or (before if before == MAIN and self._ends_at(repeat, value) else after)
            if not gives[wire] and (not current or current in {*fixed, *gives}):
                current = numbered(MAIN, taken)
                taken.add(current)
            takes.append(current)
            if before != current:
                start.append((current, before))
            if not gives[wire] and last in repeat.outputs and current != after:
                end.append((after, current))
            gives[wire] = current
        for output, name in enumerate(gives):
            if not name:
                gives[output] = self._given(made, output)
        return LoopVariables(takes, gives, start, end)

    def _given(self, made: Cycle, output: int) -> str:
        """The variable of a value that the next repetition does not take."""
        *_, last = made.values(output)
        called = self.lists.get(made.listed(output))
        if called is not None:
            return called.more if is_list(last) else called.one
        return self.names[last] if last in made.repeat.outputs else UNUSED

    def _ends_at(self, item: Module, value: str) -> bool:
        """Whether no later item uses the inputs of an item."""
        later = self.items[self.items.index(item) + 1 :]
        return value not in {*self.module.outputs, *(other for each in later for other in each.inputs)}

    def _place_names(self, node: Node, arguments: Sequence[Part], reference: str) -> dict[Name, Part]:
        """The substitutions for the names in the lowering of a node."""
        x, pad, border = arguments[0], self.construction.pad(node), self.construction.lowering(node).border
        inputs = {variable(number): each for number, each in enumerate(arguments)}
        padded: Part = seq(pad, "(", x, ")") if pad else x if border is None else border.inline(x)
        if len(node.inputs) == 1 and is_list(node.inputs[0]):
            inputs[ALL] = x
        elif node.op.merges:
            listed = [
                seq("*" * is_list(each), part) for each, part in zip(node.inputs, arguments, strict=True)
            ]
            inputs[ALL] = seq("[", joined(", ", listed), "]")
        return {**inputs, OWN: reference, PADDED: padded}

    def _result(self) -> Part:
        """What the body returns: plain text if no value is moved."""
        is_root = self.module.scope is None and len(self.graph.outputs) > 1
        values = [each.value for each in self.graph.outputs] if is_root else self.module.outputs
        gives = tuple(map(self._canonical, values)) if is_root else self.interface.makes
        parts = self._arguments(values, tuple(map(self.arrangement.of, values)), gives)
        keys = [f"{quoted(each.name)}: " for each in self.graph.outputs] if is_root else [""] * len(parts)
        if not all(isinstance(each, str) for each in parts):
            pairs = joined(", ", [seq(key, each) for key, each in zip(keys, parts, strict=True)])
            return seq("{", pairs, "}") if is_root else pairs
        text = ", ".join(f"{key}{each}" for key, each in zip(keys, parts, strict=True))
        return f"{{{text}}}" if is_root else text


def _bind(pairs: Sequence[tuple[str, str]], indent: int) -> Iterator[Line]:
    """A statement that binds several variables."""
    if pairs:
        targets, values = zip(*pairs, strict=True)
        yield Line(", ".join(values), indent, to=", ".join(targets))
