"""Writes one use of a block: how it runs, after what it constructs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from netspec.backend import LocalName
from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.gathering import Cycle, called, cycle, extend, is_list, lists, together
from netspec.lowering.names import free, is_automatic, numbered, singular
from netspec.lowering.outline import Module, given, titles
from netspec.lowering.parts import NamedPart, Names, Part, Slot, quoted, seq
from netspec.lowering.statements import Line, Use, giving
from netspec.lowering.uses import roles
from netspec.lowering.variables import MAIN, parameters, variables
from netspec_torch.construction import SELF, Construction, Whole, moving
from netspec_torch.lowering import TEMPORARIES
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

    The layers named in `apart` have all their padding in a separate module, so that its widths can be an argument.
    """

    def __init__(self, module: Module, whole: Whole, apart: Collection[str] = ()) -> None:
        self.module, self.whole, self.graph, self.lowered = module, whole, whole.graph, whole.lowered
        self.sharing = whole.sharing
        self.construction = Construction(module, whole, apart)
        self.taken = VARIABLES | TEMPORARIES
        self.items = list(self._flat(module.items))
        self.lists = called(lists(module.inputs, self.items), self.taken)
        names = {value: each.name for value, each in self.lists.items()}
        self.inputs = parameters(module, self.taken, names)
        self.names = variables(self.items, self.inputs, module.outputs, self.taken, titles(module), names)
        used = {*module.outputs, *(value for item in self.items for value in item.inputs)}
        self.names |= {
            value: UNUSED
            for item in self.items
            if len(given(item)) > 1
            for value in given(item)
            if value not in used and not self._is_overwritten(item, value)
        }
        self.alone = False

    def _is_overwritten(self, item: Node | Module, value: str) -> bool:
        """Whether a later output of the same statement, which the graph does not have, would take the name `_`."""
        if isinstance(item, Module) or value != item.name:
            return False
        return not {*self.construction.lowering(item).outputs(item.ports)} <= {"", *item.ports}

    def use(self, alone: bool) -> Use:
        """The text. `alone`: the block is used once, so its sizes are known."""
        self.alone = alone
        construction = self.construction.lines()
        ties = list(self.construction.ties())
        construction += [tie.line for tie in ties]
        run = [Line(f"def forward({', '.join([SELF, *self.inputs.values()])}):")]
        nothing = set()
        for item in self.items:
            follows = run[-1].indent == 1
            if follows and self._is_nothing(item):
                nothing.add(item.local_name)
                run += self._nothing(item)
            else:
                run += self._run(item)
        if self.whole.attributes.is_series(self.module):
            run = []
        moved = moving([tie.line for tie in ties if tie.of_statistics])
        lines = (*construction, *(giving(tuple(run), self._result(), 1) if run else ()), *moved)
        members = tuple(item.local_name for item in self.module.items if item.local_name not in nothing)
        return Use(
            self.module.path,
            lines,
            self.whole.known(self.module),
            members=members,
            roles=roles(self.module),
            later=len(construction),
        )

    # Repeats: one call where they are a chain of modules, a loop where they are a chain of one layer.

    def _flat(self, items: Sequence[Node | Module]) -> Iterator[Node | Module]:
        for item in items:
            if isinstance(item, Module) and item.is_repeat and not self._runs(item):
                yield from self._flat(item.items)
            else:
                yield item

    def _runs(self, repeat: Module) -> bool:
        """Whether a repeat is one call, or a loop."""
        return self.construction.chained(repeat) or self._looped(repeat)

    def _looped(self, repeat: Module) -> bool:
        """Whether a loop over the same lines can run all its repetitions."""
        borrows = any(map(self.construction.borrows, repeat.items))
        if (borrows and self._lender(repeat) is None) or not loops(self.lowered)(repeat):
            return False
        made = cycle(repeat)
        if made is None or not (self.sharing.folded or all(isinstance(each, Node) for each in repeat.items)):
            return False
        outputs = range(len(made.rests))
        return {*repeat.outputs} <= {
            name for at in outputs for name in (made.listed(at), made.values(at)[-1])
        }

    def _lender(self, repeat: Module) -> Node | Module | None:
        """The one item before a repeat that is the module of all repetitions."""
        lenders = {
            id(each): each for each in (self.sharing.lender(item, self.module) for item in repeat.items)
        }
        if len(lenders) > 1 or [each.local_name for each in repeat.items] != [
            *map(str, range(len(repeat.items)))
        ]:
            return None
        (lender,) = lenders.values()
        return None if lender in repeat.items else lender

    # How it runs

    def _run(self, item: Node | Module) -> Iterator[Line]:
        if isinstance(item, Node):
            yield from self._run_node(
                item, self.construction.reference(item), 1, self.module.parts(item.name)
            )
        elif item.is_repeat and not self.construction.chained(item):
            yield from self._run_loop(item)
        else:
            arguments = ", ".join(self.names[value] for value in item.inputs)
            results = ", ".join(self.names[value] for value in item.outputs)
            yield Line(
                f"{self.construction.reference(item)}({arguments})",
                1,
                comment=self._shape(item.outputs),
                to=results,
            )

    def _shape(self, values: Sequence[str]) -> str:
        """The size of a value, if it is known."""
        known = self.alone and len(values) == 1 and not is_list(values[0])
        return str(self.graph.types[values[0]]) if known else ""

    def _run_node(self, node: Node, reference: str, indent: int, tap: LocalName) -> Iterator[Line]:
        lowered = self.construction.lowering(node)
        names = self._place_names(node, [self.names[value] for value in node.inputs], reference)
        yield from (Line(NamedPart(part, names), indent) for part in lowered.before)
        text: Part = lowered.result
        if any(map(is_list, node.inputs)):
            assert lowered.gathered is not None
            text = lowered.gathered
        gives = [self.names[value] for value in node.values]
        yield from self._results(node, gives, tap, indent, NamedPart(text, names), self._comment(node))

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
        same = isinstance(item, Node) and self.names[item.name] == self.names[item.inputs[0]]
        return same and self.lowered[path_of(item)].result == variable(0)

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

    def _run_loop(self, repeat: Module) -> Iterator[Line]:
        made = cycle(repeat)
        assert made is not None
        loop = self._loop(made)
        yield from _bind(loop.start, 1)
        yield from (Line("[]", 1, to=self.lists[each].name) for each in repeat.outputs if is_list(each))
        first = repeat.items[0]
        lender = self._lender(repeat)
        if lender is None:
            layer = self._counted(repeat)
            yield Line(f"for {layer} in {self.construction.reference(repeat)}:", 1)
        else:
            layer = self.construction.reference(first)
            yield Line(seq(f"for {UNUSED} in range(", Slot(len(repeat.items), "repeats", kept=True), "):"), 1)
        if isinstance(first, Node):
            lowered = self.lowered[first.name]
            names = self._place_names(first, loop.takes, layer)
            yield from (Line(NamedPart(part, names), 2) for part in lowered.before)
            sizes = {str(each.outputs[0]) for each in repeat.items if isinstance(each, Node)}
            shape = sizes.pop() if self.alone and len(sizes) == 1 else ""
            yield from self._results(
                first,
                loop.gives,
                (*self.module.parts(repeat.path), None),
                2,
                NamedPart(lowered.result, names),
                shape,
            )
        else:
            yield Line(f"{layer}({', '.join(loop.takes)})", 2, to=", ".join(loop.gives))
        for output, value in enumerate(loop.gives):
            if (name := made.listed(output)) in repeat.outputs:
                yield Line(extend(self.lists[name].name, value, made.values(output)[0]), 2)
        yield from _bind(loop.end, 1)

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

    def _place_names(self, node: Node, arguments: Sequence[str], reference: str) -> Names:
        """The substitutions for the names in the lowering of a node."""
        x, pad, border = arguments[0], self.construction.pad(node), self.construction.lowering(node).border
        inputs = {variable(number): each for number, each in enumerate(arguments)}
        inputs[ALL] = together(self.names, node.inputs)
        padded: Part = f"{pad}({x})" if pad else x if border is None else border.inline(x)
        return {**inputs, OWN: reference, PADDED: padded}

    def _result(self) -> str:
        if self.module.scope is None and len(self.graph.outputs) > 1:
            pairs = [f"{quoted(each.name)}: {self.names[each.value]}" for each in self.graph.outputs]
            return "{" + ", ".join(pairs) + "}"
        return ", ".join(self.names[value] for value in self.module.outputs)


def loops(lowered: Mapping[str, Lowered]) -> Callable[[Module], bool]:
    """Whether the same lines can run all repetitions of a repeat: modules, or layers that run in the same way."""

    def check(repeat: Module) -> bool:
        nodes = [lowered[each.name] for each in repeat.items if isinstance(each, Node)]
        if not nodes:
            return not any(isinstance(each, Module) and each.is_repeat for each in repeat.items)
        texts = {(each.result, each.before, each.border) for each in nodes}
        alike = len(nodes) == len(repeat.items) and len(texts) == 1
        return alike and all(each.module is not None for each in nodes)

    return check


def _bind(pairs: Sequence[tuple[str, str]], indent: int) -> Iterator[Line]:
    """A statement that binds several variables."""
    if pairs:
        targets, values = zip(*pairs, strict=True)
        yield Line(", ".join(values), indent, to=", ".join(targets))
