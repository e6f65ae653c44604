"""The proof of a text finds whatever makes it another network: any number, any statement, any sharing that is lost."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from netspec.backend import Source
from netspec.graph import Graph
from netspec.lowering import witness
from netspec.lowering.outline import outline
from netspec.lowering.parts import Call
from netspec.lowering.sizes import with_sizes
from netspec.lowering.template import WrongFold
from netspec.lowering.witness import Draft, Reading, Unfolded, prove
from netspec.ops.activation import LeakyRelu, Relu
from netspec.ops.base import Op
from netspec.ops.conv import Convolution
from netspec_keras.canonical import canonical
from netspec_keras.helpers import HELPERS
from netspec_keras.lowering import LOWERINGS, bare
from netspec_keras.reading import KerasReading
from netspec_keras.sharing import lower
from netspec_keras.source import draft as keras_draft
from netspec_keras.source import source as keras_source
from netspec_keras.windows import called_same
from netspec_torch.construction import Construction
from netspec_torch.helpers import helpers
from netspec_torch.lowering import Lowerings
from netspec_torch.orders import Order
from netspec_torch.reading import TorchReading
from netspec_torch.sharing import Sharing
from netspec_torch.source import draft as torch_draft
from netspec_torch.source import source as torch_source
from tests.cases import CASES
from tests.structures import STRUCTURES
from tests.structures import structure as spec


def structure(name: str) -> Graph:
    """The graph as texts take it."""
    return with_sizes(spec(name))


def torch_reading(graph: Graph, source: Source) -> Reading:
    reading = torch_draft(graph, Lowerings(graph)).reading
    assert isinstance(reading, TorchReading)
    reading.helpers = frozenset(helpers(source.text.splitlines()))
    reading.orders = {value: order_of(dims) for value, dims in source.turned}
    return reading


def order_of(dims: tuple[int, ...]) -> Order:
    """The order from which a permutation of dimensions makes the canonical one."""
    places = {place: axis for axis, place in enumerate(dims)}
    return Order(tuple(places[place] for place in range(1, len(dims))))


def keras_reading(graph: Graph, source: Source) -> Reading:
    return keras_draft(graph, lower(graph)).reading


BACKENDS: Mapping[str, tuple[Callable[[Graph], Source], Callable[[Graph, Source], Reading]]] = {
    "torch": (torch_source, torch_reading),
    "keras": (keras_source, keras_reading),
}


def afresh(reading: Reading) -> Reading:
    """A reading of the same text that has read nothing yet."""
    match reading:
        case TorchReading(graph=graph, lowered=lowered, attributes=attributes, class_name=name):
            return TorchReading(graph, lowered, attributes, name, reading.helpers, reading.orders)
        case KerasReading(graph=graph, function=name, ways=ways, gives=gives):
            return KerasReading(graph, name, ways, gives)
    raise TypeError(type(reading))


Change = tuple[int, str]
"""The number of a line, from 1, and what stands there instead."""


def own(tree: ast.Module, helpers: frozenset[str]) -> Iterator[ast.AST]:
    """All that stands in the classes and functions of the network itself."""
    for each in tree.body:
        if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name not in helpers:
            yield from ast.walk(each)


def changes(text: str, helpers: frozenset[str]) -> Iterator[Change]:
    """Texts that differ in one number or one statement; helpers are left as they are."""
    rows = text.split("\n")
    for node in own(ast.parse(text), helpers):
        if not isinstance(node, ast.expr | ast.stmt) or node.lineno != node.end_lineno:
            continue
        row = rows[node.lineno - 1]
        before, after = row[: node.col_offset], row[node.end_col_offset :]
        match node:
            case ast.Constant(value=bool(value)):
                yield node.lineno, f"{before}{not value}{after}"
            case ast.Constant(value=int(value) | float(value)):
                yield node.lineno, f"{before}{value + 1!r}{after}"
            case ast.Assign() | ast.AugAssign() | ast.Return() | ast.Expr(value=ast.Call()):
                yield node.lineno, f"{before}pass{after}"


HARMLESS = (
    "super().__init__()",
    ".shape[",
    "x = x  #",
    "kernel // 2",
    "if kernel > 1:",
    "def __init__(self, in_channels, Inner, nn_, pad=0",
    "def __init__(self, dilation=1)",
    "self.turns[",
)
"""Lines in which another number is the same network: a size of two axes, a default that every call gives, the number of
a module without weights."""


def harmless(row: str, text: str) -> bool:
    """Whether a change of a line may change nothing; so it is where a layer is constructed that a tie replaces."""
    attribute = row.partition(" = ")[0].strip().removeprefix("self.")
    return any(each in row for each in HARMLESS) or f".{attribute} = self." in text


@pytest.mark.parametrize("count", [12, pytest.param(None, marks=pytest.mark.slow, id="all")])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", STRUCTURES)
def test_no_number_and_no_statement_can_be_another(name: str, backend: str, count: int | None) -> None:
    write, read = BACKENDS[backend]
    graph = structure(name)
    source = write(graph)
    rows = source.text.split("\n")
    root, reading = outline(graph), read(graph, source)
    prove(graph, root, source, reading)
    taken = frozenset(helpers(rows)) if backend == "torch" else frozenset(HELPERS)
    unseen = []
    drawn = list(changes(source.text, taken))
    random.Random(name).shuffle(drawn)
    for at, row in drawn[:count]:
        changed = replace(source, text="\n".join([*rows[: at - 1], row, *rows[at:]]))
        try:
            prove(graph, root, changed, afresh(reading))
        except (WrongFold, ValueError):
            continue
        if not harmless(rows[at - 1], source.text):
            unseen.append((rows[at - 1], row))
    assert not unseen


def a_border_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec_torch import site

    kept = site.Border.module
    monkeypatch.setattr(site.Border, "module", lambda self: kept(replace(self, value="")))


def no_ties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Construction, "ties", lambda self: ())


def ties_of_the_last_only(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Construction.ties
    monkeypatch.setattr(Construction, "ties", lambda self: tuple(kept(self))[-1:])


def one_object_for_all_that_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sharing, "_alike", lambda self, first, second: True)


def the_class_of_another_use(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec.lowering.template import Definition

    kept = Definition.arguments
    monkeypatch.setattr(Definition, "arguments", lambda self, use: kept(self, self.uses[0]))


def layers_lent_by_their_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec_keras import plan

    monkeypatch.setattr(plan, "_can_lend", lambda made, owner, module: True)


def nothing_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    def thawed(self: Any, item: Any) -> Any:
        part = kept(self, item)
        return replace(part, tail="") if isinstance(part, Call) else part

    kept = Construction.constructed
    monkeypatch.setattr(Construction, "constructed", thawed)


def all_weights_start_like_most(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec_torch.beginning import Beginning

    monkeypatch.setattr(Beginning, "_is_ruled", lambda self, weight: True)


def weights_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec_torch.starts import Starts

    monkeypatch.setattr(Starts, "branches", lambda self: ())


def a_counter_that_an_input_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec_keras import source

    monkeypatch.setattr(source, "TAKEN", source.TAKEN - {"i"})


Sabotage = Callable[[pytest.MonkeyPatch], None]

FOLDS: Sequence[tuple[Sabotage, str, str]] = (
    (a_border_without_its_value, "torch", "pools_that_pad"),
    (one_object_for_all_that_share, "torch", "shared_in_part"),
    (one_object_for_all_that_share, "torch", "shared_on_and_on"),
    (the_class_of_another_use, "torch", "residual"),
    (the_class_of_another_use, "keras", "residual"),
    (layers_lent_by_their_ops, "keras", "shared_on_two_sizes"),
    (layers_lent_by_their_ops, "keras", "shared_in_part"),
    (a_counter_that_an_input_is_called, "keras", "inputs_of_any_name"),
)
"""What goes wrong where one text serves several layers, so that the longer text is right."""

WHOLE: Sequence[tuple[Sabotage, str, str]] = (
    (no_ties, "torch", "tied"),
    (no_ties, "torch", "shared_in_part"),
    (ties_of_the_last_only, "torch", "shared_in_part"),
    (nothing_frozen, "torch", "frozen"),
    (all_weights_start_like_most, "torch", "starts"),
    (all_weights_start_like_most, "torch", "starts_shared"),
    (weights_left_to_pytorch, "torch", "chain"),
)
"""What goes wrong in any text."""


def name_of(part: object) -> str | None:
    return getattr(part, "__name__", None)


@pytest.mark.parametrize(("sabotage", "backend", "name"), FOLDS, ids=name_of)
def test_a_fold_that_is_another_network_is_written_out_and_told(
    sabotage: Sabotage, backend: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, read = BACKENDS[backend]
    graph = structure(name)
    write(graph)
    sabotage(monkeypatch)
    with pytest.warns(Unfolded, match=r"a bug of netspec; please report it \("):
        long = write(graph)
    prove(graph, outline(graph), long, read(graph, long))


@pytest.mark.parametrize(("sabotage", "backend", "name"), WHOLE, ids=name_of)
def test_no_text_is_handed_out_that_is_another_network(
    sabotage: Sabotage, backend: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    with pytest.warns(Unfolded), pytest.raises(WrongFold):
        BACKENDS[backend][0](structure(name))


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_longer_text_is_the_network_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = structure(name)
    for write, read in BACKENDS.values():
        with monkeypatch.context() as patch:
            patch.setattr(witness, "_proven", refuse_the_first(witness._proven))
            with pytest.warns(Unfolded):
                long = write(graph)
        prove(graph, outline(graph), long, read(graph, long))


def refuse_the_first(kept: Callable[[Graph, Draft], Source]) -> Callable[[Graph, Draft], Source]:
    calls: list[Draft] = []

    def refusing(graph: Graph, draft: Draft) -> Source:
        calls.append(draft)
        if len(calls) == 1:
            raise WrongFold("refused by a test")
        return kept(graph, draft)

    return refusing


def test_a_message_shows_both_sides() -> None:
    graph = structure("chain")
    source = torch_source(graph)
    wrong = replace(source, text=source.text.replace("nn.Conv2d(3, 4, 3)", "nn.Conv2d(3, 4, 5)"))
    with pytest.raises(WrongFold) as caught:
        prove(graph, outline(graph), wrong, torch_reading(graph, wrong))
    assert str(caught.value) == (
        "conv1: the text makes nn.Conv2d(3, 4, 5)(input), its own lowering nn.Conv2d(3, 4, 3, stride=1, "
        "padding=0, dilation=1, groups=1, bias=True)(input)"
    )


def test_a_bug_of_a_reading_is_no_fault_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Any:
        raise AttributeError("a slip in a reading")

    for reading, (write, _) in zip((TorchReading, KerasReading), BACKENDS.values(), strict=True):
        monkeypatch.setattr(reading, "own", fails)
        with pytest.raises(AttributeError, match="a slip in a reading"):
            write(structure("chain"))


CONVOLUTIONS = [case for case in CASES if isinstance(case.graph().by_name["layer"].op, Convolution)]


@pytest.mark.parametrize("activation", [None, Relu(), LeakyRelu(slope=0.25)], ids=str)
def test_layers_that_are_shared_are_the_nodes_own_in_other_words(activation: Op | None) -> None:
    for case in CONVOLUTIONS:
        graph = case.graph()
        node = graph.by_name["layer"]
        types, op = [graph.types[value] for value in node.inputs], node.op.replace(activation=activation)
        own = canonical(LOWERINGS[type(op)](op, types).layers, types)
        assert canonical(bare(op, types).layers, types) == own, case.name
        assert canonical(called_same(op, bare(op, types)).layers, types) == own, case.name
