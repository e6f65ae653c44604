"""Writes a graph as Keras 3 source: imports, helpers, a function for each block, and one that makes the model."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field
from math import inf
from typing import TYPE_CHECKING, cast

from netspec.backend import Source
from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Input, Node
from netspec.lowering.definitions import called_name
from netspec.lowering.derive import PAD
from netspec.lowering.gathering import is_list
from netspec.lowering.layout import Page
from netspec.lowering.names import free, numbered, snake
from netspec.lowering.outline import Module
from netspec.lowering.parts import Slot, literal, quoted
from netspec.lowering.sizes import with_sizes
from netspec.lowering.statements import Body as Statements
from netspec.lowering.statements import Text, Use
from netspec.lowering.template import Definition, WrongFold, unify, variant_names
from netspec.lowering.tree import LiteralValue
from netspec.lowering.uses import description, firsts, group_name, known, roles, told, traits
from netspec.lowering.variables import MAIN
from netspec.lowering.witness import Draft, proven
from netspec.types import Type
from netspec_keras.body import NAME, ROOT_INPUT, FunctionWriter, WrittenFunction
from netspec_keras.canonical import ways
from netspec_keras.helpers import HELPERS, required
from netspec_keras.layer import Lowered
from netspec_keras.lowering import padded_apart
from netspec_keras.orders import Freedom, Orders, placed
from netspec_keras.plan import PlanKey, SourcePlan, plan
from netspec_keras.reading import KerasReading
from netspec_keras.sharing import Lowerings, lower
from netspec_keras.starts import started
from netspec_keras.windows import called_same

if TYPE_CHECKING:
    from netspec.ops.conv import Convolution

TAKEN = frozenset(
    """
    keras layers ops call i _
    abs dict enumerate float getattr int isinstance len list max min range slice str sum super tuple zip
    """.split()  # noqa: SIM905
)
"""The names that generated text uses itself; loops count with `i` and `_`."""

PLAIN = (int, float, str)
"""The types of arguments that can appear in the text."""

VARIABLES = frozenset({MAIN, "y", "z", "i", ROOT_INPUT, NAME})
"""Variables and parameters of generated functions."""


def function_name(graph: Graph) -> str:
    """The name of the function that makes the model."""
    return free(snake(graph.name), {*TAKEN, *HELPERS})


def source(graph: Graph) -> Source:
    """The source that makes a graph's model. The backend accepts the graph."""
    graph = with_sizes(graph)
    lowered = lower(graph)
    if graph.scopes and lowered.moves_freely:
        lowered = _plainest(graph, lowered)
    graph = lowered.graph
    found = proven(graph, lambda: draft(graph, lowered), lambda: draft(graph, lowered, folded=False))
    return _of_spec(found, lowered) if lowered.moves else found


def _plainest(graph: Graph, lowered: Lowerings) -> Lowerings:
    """The lowerings with the fewest moves of axes, unless the text has more functions or wider ones for it."""
    ways = (lowered, lower(graph, Freedom.PERMUTES), lower(graph, Freedom.LAYERS))
    return min(ways, key=_width_of)


def _width_of(lowered: Lowerings) -> tuple[float, int, int]:
    """How wide a text is; a text that cannot be folded right is wider than all others."""
    try:
        return _width(draft(lowered.graph, lowered))
    except WrongFold:
        return inf, 0, 0


def _width(found: Draft) -> tuple[int, int, int]:
    """The number of functions of a text, of their parameters and results, and of statements that do not move axes."""
    functions = [each for each in ast.parse(found.source.text).body if isinstance(each, ast.FunctionDef)]
    statements = [each for function in functions for each in ast.walk(function) if isinstance(each, ast.stmt)]
    results = [each.value for each in statements if isinstance(each, ast.Return)]
    several = [len(each.elts) for each in results if isinstance(each, ast.Tuple)]
    parameters = [len([*each.args.args, *each.args.kwonlyargs]) for each in functions]
    given = [each.value for each in statements if isinstance(each, ast.Assign)]
    moving = [each for each in given if isinstance(each, ast.Name) or "layers.Permute(" in ast.unparse(each)]
    return len(functions), sum(parameters) + sum(several), len(statements) - len(moving)


def _of_spec(found: Source, lowered: Lowerings) -> Source:
    """The source, of which the values of the nodes of the spec only are known."""
    endings = {name.rpartition(".")[2] for name in lowered.moves}
    taps = tuple(each for each in found.taps if each.node[-1] not in endings)
    return replace(found, taps=taps)


def draft(graph: Graph, lowered: Lowerings, folded: bool = True) -> Draft:
    """The source before its proof; the graph is that of the lowerings."""
    layers = lowered.layers
    module = _Module(graph, layers, plan(graph, layers, folded, lowered.turned))
    text = module.write()
    written = (layers, module.same, {**layers, **module.apart} if module.apart else layers)
    gives = {name: each.gives for name, each in lowered.own.items()}
    reading = KerasReading(graph, module.name, ways(graph, lowered.own, *written), gives)
    back = {name: tuple(map(dims.index, range(len(dims)))) for name, dims in lowered.turned.items()}
    return Draft(module.plan.root, replace(text, turned=tuple(back.items())), reading)


@dataclass(frozen=True, slots=True)
class _Finished:
    """A function that is ready to be written."""

    name: str
    signature: tuple[str, ...]
    told: str
    lines: tuple[Text, ...]


@dataclass
class _Module:
    graph: Graph
    layers: Mapping[str, Lowered]
    plan: SourcePlan
    functions: dict[str, WrittenFunction] = field(default_factory=dict)
    finished: list[_Finished] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    done: set[PlanKey] = field(default_factory=set)
    apart: dict[str, Lowered] = field(default_factory=dict)
    """The convolutions that are written with their padding apart, as they are in other uses of their block."""

    def __post_init__(self) -> None:
        self.name = function_name(self.graph)
        self.taken = {*TAKEN, *HELPERS, self.name}
        self.same = {node.name: called_same(node.op, self.layers[node.name]) for node in self.graph.nodes}

    def write(self) -> Source:
        for key in self.plan.uses:
            self._define(key)
        root = FunctionWriter(self.plan, self.layers, self.plan.root, self.functions, self.taken)
        (definition,) = unify([Use(self.name, root.lines())], self.taken)
        self.classes |= root.classes
        return self._page(root, definition)

    def _define(self, key: PlanKey) -> None:
        """Write the function, or functions, of one definition, after those that it calls."""
        if key in self.done:
            return
        self.done.add(key)
        uses = [module for module in self.plan.uses[key] if self.plan.is_written(module)]
        for module in uses:
            for inner in module.modules():
                if inner.path in self.plan.keys:
                    self._define(self.plan.keys[inner.path])
        layers = self.layers
        bodies, channels, definitions = self._unified(uses, layers)
        if _words(definitions):
            # The padding word need not be a parameter if it differs only where it has no effect.
            other = self._unified(uses, self.same)
            if _size(other[2]) < _size(definitions):
                bodies, channels, definitions = other
                layers = self.same
        if (len(definitions) > 1 or _words(definitions)) and (names := _padded_in_some(uses, self.layers)):
            apart = {name: self._apart(name) for name in names}
            other = self._unified(uses, {**self.layers, **apart})
            if _size(other[2]) < _size(definitions):
                bodies, channels, definitions = other
                layers = {**self.layers, **apart}
                self.apart |= apart
        if len(definitions) > 1 and len({len(body.steps) for body in bodies}) > 1 and bodies[0].has_branches:
            # Uses that lack the first layer of a branch can be one function if the branch has its variable before.
            other = self._unified(uses, layers, copied=True)
            if len(other[2]) < len(definitions):
                bodies, channels, copied = other
                definitions = tuple(self._plainest(uses, layers, each, channels) for each in copied)
        for definition, name in zip(
            definitions, variant_names(snake(self._called(key)), definitions), strict=True
        ):
            function = free(name, {*self.taken, *self._variables()})
            self.taken.add(function)
            for number in definition.uses:
                self.functions[uses[number].path] = WrittenFunction(function, definition, number)
            served = [uses[number] for number in definition.uses]
            self.finished.append(
                _function(function, bodies[definition.uses[0]], definition, channels, served)
            )
        self.classes |= {name for body in bodies for name in body.classes}

    def _apart(self, name: str) -> Lowered:
        """The layers of a convolution with its padding as a layer of its own."""
        node = self.graph.by_name[name]
        types = [self.graph.types[value] for value in node.inputs]
        found = padded_apart(cast("Convolution", node.op), types)
        return started(placed(found, node, Orders(self.plan.turned)), node)

    def _called(self, key: PlanKey) -> str:
        """What a function is called after: the block of its uses, else their scope."""
        (first, *_) = self.plan.uses[key]
        if key[-2] == "repeat":
            return group_name(first)
        return called_name(key[-1], self.plan.levels.get(first.path))

    def _plainest(
        self, uses: Sequence[Module], layers: Mapping[str, Lowered], definition: Definition, channels: str
    ) -> Definition:
        """The same function without copies at the start of branches, if its uses allow it."""
        _, name, (first, *others) = self._unified([uses[number] for number in definition.uses], layers)
        return definition if others or name != channels else replace(first, uses=definition.uses)

    def _unified(
        self, uses: Sequence[Module], layers: Mapping[str, Lowered], copied: bool = False
    ) -> tuple[list[FunctionWriter], str, tuple[Definition, ...]]:
        """The bodies of the uses, the name for the channels of their input, and the definitions."""
        bodies: list[FunctionWriter] = []
        made: dict[int, FunctionWriter] = {}
        for number in firsts(uses, self._mark, self._around):
            if number not in made:
                made[number] = FunctionWriter(
                    self.plan, layers, uses[number], self.functions, self.taken, copied
                )
            bodies.append(made[number])
        taken = {*self.taken, NAME, *(name for body in bodies for name in body.variables)}
        channels = numbered("channels", taken)
        return bodies, channels, _unify(bodies, channels, taken)

    def _mark(self, item: Node | Module) -> Hashable:
        """The text of an item in a function, without its name and its inputs."""
        if self.plan.shares_anything:
            return item.name if isinstance(item, Node) else item.path
        if isinstance(item, Node):
            return (id(self.layers[item.name]), item.trainable)
        function = self.functions.get(item.path)
        if function is not None:
            return (function.name, function.definition.arguments(function.use))
        return tuple(self._mark(each) for each in item.items), tuple(each.local_name for each in item.items)

    def _around(self, module: Module) -> Hashable:
        """Everything else that affects the text of a function."""
        first = _channels(self.graph, module)
        return (repr(known(self.graph, module, PLAIN)), first)

    def _variables(self) -> set[str]:
        """Variables that the text uses for any function names; they must not hide a function."""
        most = max(len(module.inputs) for modules in self.plan.uses.values() for module in modules)
        return {*VARIABLES, *(f"{MAIN}{number}" for number in range(1, most + 1))}

    def _page(self, root: FunctionWriter, definition: Definition) -> Source:
        page = Page()
        page.docstring(description(self.graph, self.graph.name, _shape))
        lowered = {id(each): each for each in self.layers.values()}.values()
        parts = {part for each in lowered for layer in each.layers for part in layer.parts}
        texts = [*required(self.classes, parts).values()]
        names = {
            name for name in ("layers", "ops") if any(f"{name}." in text for text in (*self.classes, *texts))
        }
        page.blank()
        page.write("import keras")
        if names:
            page.write(f"from keras import {', '.join(sorted(names))}")
        for text in texts:
            page.blank(2)
            if text.lstrip().startswith("class "):  # so that a saved model finds it
                package = quoted(snake(self.graph.name))
                page.write(f"@keras.saving.register_keras_serializable(package={package})")
            page.rows += text.strip("\n").split("\n")
        for function in self.finished:
            page.blank(2)
            page.write(f"def {function.name}({', '.join(function.signature)}):")
            page.docstring(function.told, 1)
            page.statements(function.lines, 1)
        page.blank(2)
        page.write(f"def {self.name}() -> keras.Model:")
        self._root(page, root, definition)
        # An empty statement is an empty line.
        page.rows = [row.rstrip() for row in page.rows]
        return page.source()

    def _root(self, page: Page, root: FunctionWriter, definition: Definition) -> None:
        for each in self.graph.inputs:
            page.write(f"{root.names[each.name]} = {_input(each)}", 1)
        page.statements(definition.lines, 1)
        takes = {each.name: root.names[each.name] for each in self.graph.inputs}
        gives = {each.name: root.names[each.value] for each in self.graph.outputs}
        page.write(
            f"return keras.Model({_one_or_all(takes)}, {_one_or_all(gives)}, name={quoted(snake(self.graph.name))})",
            1,
        )


def _unify(bodies: Sequence[FunctionWriter], channels: str, taken: set[str]) -> tuple[Definition, ...]:
    """The definitions of one block: with the author's arguments, or with fewer, derived from the input's channels."""
    single = {id(body): body for body in bodies}  # equal uses share one
    lines = {key: body.lines() for key, body in single.items()}

    def uses(channels: str | None = None) -> list[Use]:
        made = {key: _use(body, lines[key], channels) for key, body in single.items()}
        return [made[id(body)] for body in bodies]

    plain = unify(uses(), taken)
    if all(each.known or not each.channels for definition in plain for each in definition.parameters):
        return plain
    return unify(uses(channels), taken)


def _padded_in_some(uses: Sequence[Module], layers: Mapping[str, Lowered]) -> list[str]:
    """The convolutions that say `same`, and have a layer that pads before them in another use of the same block."""
    rows: dict[str, list[Node]] = {}
    for use in uses:
        for node in use.nodes():
            rows.setdefault(node.name.removeprefix(f"{use.path}."), []).append(node)
    mixed = [nodes for nodes in rows.values() if any(_pads(layers[node.name]) for node in nodes)]
    return [node.name for nodes in mixed for node in nodes if _says_same(layers[node.name])]


def _pads(lowered: Lowered) -> bool:
    # A layer that changes nothing has none.
    return len(lowered.layers) > 1 and lowered.layers[0].cls.startswith("layers.ZeroPadding")


def _says_same(lowered: Lowered) -> bool:
    padding = [
        each.value for layer in lowered.layers for each in layer.arguments if each.keyword == "padding"
    ]
    return any(isinstance(each, Slot) and each.value == "same" for each in padding)


def _words(definitions: Sequence[Definition]) -> int:
    """The number of parameters that are a word for the padding: `same` or `valid`."""
    return sum(set(each.values) == {"same", "valid"} for found in definitions for each in found.parameters)


def _size(definitions: Sequence[Definition]) -> tuple[int, int]:
    """The number of definitions, and the number of parameters in total; with a word for the padding, one is two."""
    return len(definitions) + _words(definitions), sum(len(each.parameters) for each in definitions)


def _use(body: FunctionWriter, lines: Statements, channels: str | None = None) -> Use:
    """One use of a definition for `unify`; `channels` is the name for the channels of its first input."""
    first = _channels(body.plan.graph, body.module)
    given: dict[str, LiteralValue] = (
        {} if first is None or channels is None or body.is_lent else {channels: first}
    )
    items = [item for item in body.module.items if not body.is_nothing(item)]
    pads = [
        node.local_name
        for node in items
        if isinstance(node, Node) and any(each.suffix == PAD for each in body.layers[node.name].layers)
    ]
    return Use(
        body.module.path,
        lines,
        known(body.plan.graph, body.module, PLAIN),
        given,
        tuple(item.local_name for item in items),
        roles(body.module),
        tuple(pads),
        traits=traits(body.plan.graph, body.module),
    )


def _channels(graph: Graph, module: Module) -> int | None:
    """The channels of its first input that is not a list."""
    first = next((each for each in module.inputs if not is_list(each)), None)
    return None if first is None else graph.types[first].channels


def _function(
    name: str, body: FunctionWriter, definition: Definition, channels: str, uses: Sequence[Module]
) -> _Finished:
    lines = definition.lines
    if channels in definition.given:
        first = next(name for value, name in body.inputs.items() if not is_list(value))
        lines = (Text(f"{channels} = {first}.shape[-1]"), *lines)
    inputs = () if body.is_lent else tuple(body.inputs.values())
    given = definition.signature()
    # What has a default comes before `name`, which has none.
    star = ("*",) if any("=" in each for each in given) else ()
    return _Finished(name, (*inputs, *given, *star, NAME), told(uses), lines)


def _input(each: Input) -> str:
    kind = "" if each.vocabulary is None else ', dtype="int32"'
    return f"keras.Input(shape={literal(_shape(each.type))}{kind}, name={quoted(each.name)})"


def _shape(type_: Type) -> tuple[int, ...]:
    """The shape with channels last, as in Keras."""
    return type_.sizes if type_.channels is None else (*type_.sizes, type_.channels)


def _one_or_all(names: Mapping[str, str]) -> str:
    if len(names) == 1:
        return next(iter(names.values()))
    return "{" + ", ".join(f"{quoted(name)}: {variable}" for name, variable in names.items()) + "}"
