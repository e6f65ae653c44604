"""Writes one use of a block: what it constructs, and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence

from netspec.backend import LocalName
from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Node
from netspec.lowering.gathering import Cycle, called, cycle, extend, is_list, lists, together
from netspec.lowering.names import free, is_automatic, numbered
from netspec.lowering.outline import Module, given, inside, titles
from netspec.lowering.parts import Call, Names, Part, Placed, Series, quoted, seq
from netspec.lowering.statements import Line, Use, giving
from netspec.lowering.tree import Value
from netspec.lowering.uses import known, roles
from netspec.lowering.variables import MAIN, parameters, variables
from netspec_torch.attributes import Attributes
from netspec_torch.lowering import TEMPORARIES
from netspec_torch.reserved import VARIABLES
from netspec_torch.sharing import Made, Sharing, path_of
from netspec_torch.site import ALL, OWN, PADDED, Lowered, variable

SELF = "self"
IDENTITY = Call("nn.Identity")

UNUSED = "_"
"""The variable for an output that nothing uses."""

LAYER = "layer"
"""The loop variable for a layer."""


@dataclass(frozen=True)
class Whole:
    """The network that contains a module.

    `made` has the classes of the modules so far, `frozen` the paths of modules without trainable weights.
    """

    graph: Graph
    lowered: Mapping[str, Lowered]
    attributes: Attributes
    sharing: Sharing
    made: dict[str, Made]
    frozen: frozenset[str]

    def known(self, module: Module) -> dict[str, Value]:
        """The arguments of a module, and the channels of its first input."""
        found = known(self.graph, module)
        first = next((each for each in module.inputs if not is_list(each)), None)
        channels = None if first is None else self.graph.types[first].channels
        if module.scope is not None and channels is not None:
            found.setdefault("in_channels", channels)
        return found

    def mark(self, item: Node | Module) -> Hashable:
        """The text of an item in a module, without its name and its inputs."""
        if self.sharing.borrows_anything:
            return path_of(item)
        if isinstance(item, Module):
            return (self.made[item.path], item.path in self.frozen)
        return (id(self.lowered[item.name]), item.trainable)

    def around(self, module: Module) -> Hashable:
        """Everything else that affects the text of a module."""
        frozen = any(module.path == each or inside(module.path, each) for each in self.frozen)
        return (repr(self.known(module)), frozen)


@dataclass(frozen=True, slots=True)
class Tie:
    """A line that makes a layer use the weights of another layer.

    Moving a network to another device separates shared buffers.
    """

    line: Line
    of_statistics: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """The variables of a loop: what a repetition takes and gives, and what is bound before and after the loop."""

    takes: Sequence[str]
    gives: Sequence[str]
    start: Sequence[tuple[str, str]]
    end: Sequence[tuple[str, str]]


class Body:
    """Writes one module; the modules in it are already written.

    The layers named in `apart` have all their padding in a separate module, so that its widths can be an argument.
    """

    def __init__(self, module: Module, whole: Whole, apart: Collection[str] = ()) -> None:
        self.apart = apart
        self.module, self.graph, self.attributes = module, whole.graph, whole.attributes
        self.whole, self.lowered = whole, whole.lowered
        self.sharing, self.made, self.frozen = whole.sharing, whole.made, whole.frozen
        self.taken = VARIABLES | TEMPORARIES
        self.items = list(self._flat(module.items))
        self.lists = called(lists(module.inputs, self.items), self.taken)
        names = {value: each.name for value, each in self.lists.items()}
        self.inputs = parameters(module, self.taken, names)
        self.names = variables(self.items, self.inputs, module.outputs, self.taken, titles(module), names)
        self.alone = False

    def use(self, alone: bool) -> Use:
        """The text. `alone`: the block is used once, so its sizes are known."""
        self.alone = alone
        construction = [line for item in self.module.items for line in self._construct(item)]
        ties = list(self._ties())
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
        moved = _moving([tie.line for tie in ties if tie.of_statistics])
        lines = (*construction, *giving(tuple(run), self._result(), 1), *moved)
        members = tuple(item.local_name for item in self.module.items if item.local_name not in nothing)
        return Use(
            self.module.path,
            lines,
            self.whole.known(self.module),
            members=members,
            roles=roles(self.module),
            later=len(construction),
        )

    def padded(self) -> set[str]:
        """The layers whose padding is done by the text and not by the layer."""
        nodes = [each for each in self.module.items if isinstance(each, Node)]
        return {each.local_name for each in nodes if self._lowered(each).border is not None}

    # Repeats: one call where they are a chain of modules, a loop where they are a chain of one layer.

    def _flat(self, items: Sequence[Node | Module]) -> Iterator[Node | Module]:
        for item in items:
            if isinstance(item, Module) and item.is_repeat and not self._runs(item):
                yield from self._flat(item.items)
            else:
                yield item

    def _runs(self, repeat: Module) -> bool:
        """Whether a repeat is one call, or a loop."""
        return self._chained(repeat) or self._looped(repeat)

    def _chained(self, repeat: Module) -> bool:
        """Whether `nn.Sequential` runs it."""
        plain = all(
            isinstance(each, Module)
            and not self._borrows(each)
            and (not each.is_repeat or self._chained(each))
            for each in repeat.items
        )
        return plain and _is_chain(repeat)

    def _looped(self, repeat: Module) -> bool:
        """Whether a loop over the same lines can run all its repetitions."""
        if any(map(self._borrows, repeat.items)) or not loops(self.lowered)(repeat):
            return False
        made = cycle(repeat)
        if made is None or not (self.sharing.folded or all(isinstance(each, Node) for each in repeat.items)):
            return False
        outputs = range(len(made.rests))
        return {*repeat.outputs} <= {
            name for at in outputs for name in (made.listed(at), made.values(at)[-1])
        }

    # What is constructed

    def _construct(self, item: Node | Module) -> Iterator[Line]:
        part = self._constructed(item)
        if isinstance(item, Node) and (pad := self._pad(item)):
            border = self._lowered(item).border
            assert border is not None
            yield Line(seq(f"{pad} = ", border.module()), 1)
        if part is not None:
            yield Line(seq(f"self.{self.attributes.attribute(item)} = ", part), 1)

    def _constructed(self, item: Node | Module) -> Part | None:
        """The module of an item, frozen if its weights are; None if the item has no module."""
        if self.sharing.lender(item, self.module) is not None:
            return None
        if isinstance(item, Node):
            module = self._lowered(item).module
            frozen = bool(item.weights) and not item.trainable and self._learns_here(item.scope)
            return replace(module, tail=".requires_grad_(False)") if module and frozen else module
        frozen = item.path in self.frozen and self._learns_here(item.path.rpartition(".")[0])
        tail = ".requires_grad_(False)" if frozen else ""
        if not item.is_repeat:
            return replace(self.made[item.path].call(), tail=tail)
        children = self._numbered(item)
        if all(child is None for child in children):
            return None
        series = Series(tuple(IDENTITY if child is None else child for child in children))
        if self._chained(item):
            return seq("nn.Sequential(", series, ")" + tail)
        return seq("nn.ModuleList(", replace(series, listed=True), ")" + tail)

    def _numbered(self, repeat: Module) -> list[Part | None]:
        """The modules of the repetitions by number; `when` can leave some out."""
        made = {int(each.local_name): self._constructed(each) for each in repeat.items}
        return [made.get(number) for number in range(max(made) + 1)]

    def _learns_here(self, path: str) -> bool:
        """Whether no enclosing module has frozen it."""
        while inside(path, self.module.path) and path != self.module.path:
            if path in self.frozen:
                return False
            path = path.rpartition(".")[0]
        return not any(self.module.path == each or inside(self.module.path, each) for each in self.frozen)

    # Sharing

    def _borrows(self, item: Node | Module) -> bool:
        """Whether it uses the weights of an earlier item of this module."""
        return (
            self.sharing.borrows_anything and next(self.sharing.earlier(item, self.module), None) is not None
        )

    def _ties(self) -> Iterator[Tie]:
        """Lines that make constructed modules use the weights of others, unless they are the same object."""
        if not self.sharing.borrows_anything:
            return
        for item in flattened(self.module.items):
            if self.sharing.lender(item, self.module) is not None:
                continue
            if isinstance(item, Module):
                yield from self._ties_below(item, item)
            else:
                yield from self._tie_weights(item)

    def _ties_below(self, module: Module, child: Module) -> Iterator[Tie]:
        """The ties between items of a module, at any depth below a child, and items before that child."""
        for item in flattened(module.items):
            if self.sharing.lender(item, module) is not None:
                continue  # it has no module of its own
            lender = self.sharing.lender(item, self.module)
            if lender is not None and not inside(path_of(lender), child.path):
                yield Tie(Line(f"{self._place(item)} = {self._place(lender)}", 1))
            elif isinstance(item, Module):
                yield from self._ties_below(item, child)
            else:
                yield from self._tie_weights(item, child)

    def _tie_weights(self, node: Node, child: Module | None = None) -> Iterator[Tie]:
        owner = next(self.sharing.earlier(node, self.module), None)
        if owner is None or (child is not None and inside(path_of(owner), child.path)):
            return  # its weights are its own, or tied further in
        for weight in node.weights:
            name = node.local(weight)
            line = Line(f"{self._place(node)}.{name} = {self._place(owner)}.{name}", 1)
            yield Tie(line, weight.statistic)

    def _place(self, item: Node | Module) -> str:
        return self.attributes.place(path_of(item), self.module).of(SELF)

    # How it runs

    def _run(self, item: Node | Module) -> Iterator[Line]:
        if isinstance(item, Node):
            yield from self._run_node(item, self._reference(item), 1, self.module.parts(item.name))
        elif item.is_repeat and not self._chained(item):
            yield from self._run_loop(item)
        else:
            arguments = ", ".join(self.names[value] for value in item.inputs)
            results = ", ".join(self.names[value] for value in item.outputs)
            yield Line(
                f"{self._reference(item)}({arguments})", 1, comment=self._shape(item.outputs), to=results
            )

    def _shape(self, values: Sequence[str]) -> str:
        """The size of a value, if it is known."""
        known = self.alone and len(values) == 1 and not is_list(values[0])
        return str(self.graph.types[values[0]]) if known else ""

    def _run_node(self, node: Node, reference: str, indent: int, tap: LocalName) -> Iterator[Line]:
        lowered = self._lowered(node)
        names = self._place_names(node, [self.names[value] for value in node.inputs], reference)
        yield from (Line(Placed(part, names), indent) for part in lowered.before)
        text: Part = lowered.result
        if any(map(is_list, node.inputs)):
            assert lowered.gathered is not None
            text = lowered.gathered
        gives = [self.names[value] for value in node.values]
        yield from self._results(node, gives, tap, indent, Placed(text, names), self._comment(node))

    def _results(
        self, node: Node, gives: Sequence[str], tap: LocalName, indent: int, text: Part, comment: str
    ) -> Iterator[Line]:
        """The statement that makes the values of a node."""
        further = zip(gives[1:], node.ports, strict=True)
        first, *others = [*((name, (*tap, port)) for name, port in further), (gives[0], tap)]
        used = dict(zip(("", *node.ports), gives, strict=True))
        to = ", ".join(used.get(each, UNUSED) for each in self._lowered(node).outputs(node.ports))
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
        runs = self._lowered(node).module is not None and self.sharing.lender(node, self.module) is None
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
        layer = self._counted(repeat)
        yield Line(f"for {layer} in {self._reference(repeat)}:", 1)
        if isinstance(first, Node):
            lowered = self.lowered[first.name]
            names = self._place_names(first, loop.takes, layer)
            yield from (Line(Placed(part, names), 2) for part in lowered.before)
            sizes = {str(each.outputs[0]) for each in repeat.items if isinstance(each, Node)}
            shape = sizes.pop() if self.alone and len(sizes) == 1 else ""
            yield from self._results(
                first,
                loop.gives,
                (*self.module.parts(repeat.path), None),
                2,
                Placed(lowered.result, names),
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
        if len(definitions) > 1 or not (name := "".join(definitions)).isidentifier():
            return LAYER
        taken = {*self.taken, *self.names.values(), *self._lists_names(), SELF}
        return LAYER if free(name, taken) != name else name

    def _lists_names(self) -> Iterator[str]:
        for each in self.lists.values():
            yield from (each.name, each.one, each.more)

    def _loop(self, made: Cycle) -> Loop:
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
        return Loop(takes, gives, start, end)

    def _given(self, made: Cycle, output: int) -> str:
        """The variable of a value that the next repetition does not take."""
        *_, last = made.values(output)
        called = self.lists.get(made.listed(output))
        if called is not None:
            return called.more if is_list(last) else called.one
        return self.names[last] if last in made.repeat.outputs else "_"

    def _ends_at(self, item: Module, value: str) -> bool:
        """Whether no later item uses the inputs of an item."""
        later = self.items[self.items.index(item) + 1 :]
        return value not in {*self.module.outputs, *(other for each in later for other in each.inputs)}

    def _reference(self, item: Node | Module) -> str:
        return self._place(self.sharing.lender(item, self.module) or item)

    def _lowered(self, node: Node) -> Lowered:
        """The lowering of a node, with its padding apart if the uses of the block pad it differently."""
        lowered = self.lowered[node.name]
        return lowered.apart if self._pad(node) and lowered.apart is not None else lowered

    def _place_names(self, node: Node, arguments: Sequence[str], reference: str) -> Names:
        """The substitutions for the names in the lowering of a node."""
        x, pad, border = arguments[0], self._pad(node), self._lowered(node).border
        inputs = {variable(number): each for number, each in enumerate(arguments)}
        inputs[ALL] = together(self.names, node.inputs)
        padded: Part = f"{pad}({x})" if pad else x if border is None else border.inline(x)
        return {**inputs, OWN: reference, PADDED: padded}

    def _pad(self, node: Node) -> str:
        """The module that pads for a layer, if the padding is apart; layers in a list have none."""
        if node.local_name not in self.apart or node.scope != self.module.path:
            return ""
        attribute = self.attributes.attribute(node)
        return f"{SELF}.{free(attribute + '_pad', {item.local_name for item in self.module.items})}"

    def _result(self) -> str:
        if self.module.scope is None and len(self.graph.outputs) > 1:
            pairs = [f"{quoted(each.name)}: {self.names[each.value]}" for each in self.graph.outputs]
            return "{" + ", ".join(pairs) + "}"
        return ", ".join(self.names[value] for value in self.module.outputs)


def _moving(ties: Sequence[Line]) -> Iterator[Line]:
    """The method that moves and converts a module, if two of its layers share a buffer."""
    if ties:
        yield Line("")
        yield Line(f"def _apply({SELF}, fn, recurse=True):")
        yield Line("super()._apply(fn, recurse)", 1)
        yield Line("# Each buffer is moved by itself; these are one.", 1)
        yield from ties
        yield Line(f"return {SELF}", 1)


def flattened(items: Sequence[Node | Module]) -> Iterator[Node | Module]:
    """Layers, and modules with their own class; repeats are flattened."""
    for item in items:
        if isinstance(item, Module) and item.is_repeat:
            yield from flattened(item.items)
        else:
            yield item


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


def _is_chain(repeat: Module) -> bool:
    """Whether each repetition takes only the output of the previous one, and nothing else goes in or out."""
    if len(repeat.inputs) != 1 or len(repeat.outputs) != 1:
        return False
    current = repeat.inputs[0]
    for each in repeat.items:
        if set(each.inputs) != {current} or len(given(each)) != 1:
            return False
        current = given(each)[0]
    return current == repeat.outputs[0]
