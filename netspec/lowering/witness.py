"""Proves that a generated text is the network: every layer in it does the same as the lowering of this layer.

Templates, folds, and layers that are called twice are shorter ways to write the lowerings of the layers. So the
finished text runs on symbols, and the result of each line is compared with the lowering of its node, written without
folding. The proof uses no framework and no numbers: it compares expressions, including every argument of every layer,
and which object has which weights.
"""

from __future__ import annotations

import ast
import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

from netspec.backend import LocalName, Source
from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.lowering.outline import Module
from netspec.lowering.symbols import Bound, InputPlace, NamedValue, bind, spell
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec.lowering.template import WrongFold


class Reading(ABC):
    """Reads the text of one framework: the meaning of its names, and the lowering of each node by itself."""

    helpers: Collection[str] = ()
    """Classes and functions that the text defines and that the tests of the backend prove; they are not read."""

    @abstractmethod
    def names(self) -> Mapping[str, Any]:
        """The meanings of the names that the text imports, and of the helpers."""

    @abstractmethod
    def value(self, name: str) -> NamedValue:
        """The symbol of an input, or of the output of a node."""

    def held(self, value: NamedValue) -> NamedValue:
        """The symbol that the text has for a value: `value`, unless the text holds it in another order of axes."""
        return value

    def normal(self, name: str, value: Any) -> Any:
        """What the text makes for a value, in the form of `own`."""
        return value

    @abstractmethod
    def run(self, space: Mapping[str, Any], inputs: Mapping[str, NamedValue]) -> Mapping[str, Any]:
        """Run the network that the text defines; returns its outputs by name."""

    def place(self, node: Node, number: int) -> NamedValue:
        """The symbol of the place of an input in an expression that many nodes have."""
        return InputPlace(number)

    @abstractmethod
    def kind(self, node: Node, value: str) -> Hashable:
        """What decides `own` for a value, besides the inputs: it is the same for all nodes of one kind."""

    @abstractmethod
    def own(self, node: Node, value: str, inputs: Sequence[NamedValue]) -> Iterable[Any]:
        """The expressions of the node's own lowering for one of its values; the text must equal one of them."""

    @abstractmethod
    def hold(self, node: Node, bound: Bound) -> None:
        """Record which layer of the text a node runs.

        Raises:
            WrongFold: the node must not run this layer.
        """

    @abstractmethod
    def close(self) -> None:
        """Check the whole text after every node has run.

        Raises:
            WrongFold: a weight of the graph has no place of its own, or the text has more than the graph.
        """


class Unfolded(UserWarning):
    """The text is longer than necessary, because the shorter text is a different network: a bug of netspec."""


@dataclass(frozen=True)
class Draft:
    """A text that is not proven yet."""

    root: Module
    source: Source
    reading: Reading


def proven(graph: Graph, *writers: Callable[[], Draft]) -> Source:
    """The first text that is the network: the first one, unless netspec has a bug. Each further one folds less.

    Raises:
        WrongFold: no text is the network.
    """
    *folding, plain = writers
    for write in folding:
        try:
            return _proven(graph, write())
        except WrongFold as wrong:
            message = (
                f"this text is longer than it should be, for a bug of netspec; please report it ({wrong})"
            )
            warnings.warn(message, Unfolded, stacklevel=2)
    return _proven(graph, plain())


def _proven(graph: Graph, draft: Draft) -> Source:
    prove(graph, draft.root, draft.source, draft.reading)
    return draft.source


def prove(graph: Graph, root: Module, source: Source, reading: Reading) -> None:
    """Check that a text is its graph.

    Raises:
        WrongFold: it is a different network: a bug of netspec, found before anything runs.
    """
    witness = _Witness(graph, root, reading)
    space = {"__name__": f"netspec.proof.{graph.name}", HOOK: witness, **reading.names()}
    inputs = {each.name: reading.value(each.name) for each in graph.inputs}
    witness.values.update(inputs)
    try:
        tree = _without(instrument(source), reading.helpers)
        exec(compile(tree, f"<proof of {graph.name}>", "exec"), space)  # noqa: S102 - the text is our own
        outputs = reading.run(space, inputs)
    except WrongFold:
        raise
    except Exception as error:  # a wrong text can raise any exception
        if error is witness.own_fault:
            raise
        raise WrongFold(f"{graph.name}: the text does not run: {type(error).__name__}: {error}") from error
    if witness.left:
        raise WrongFold(f"{graph.name}: the text never makes {witness.left[0]}")
    wanted = {each.name: witness.values[each.value] for each in graph.outputs}
    if list(outputs) != list(wanted) or any(outputs[name] is not wanted[name] for name in wanted):
        gives = ", ".join(f"{name}: {spell(each)}" for name, each in outputs.items())
        raise WrongFold(f"{graph.name}: the text returns {gives}")
    reading.close()


def _without(tree: ast.Module, helpers: Collection[str]) -> ast.Module:
    """The text without its imports and helpers, for which the reading provides meanings."""
    kept = [
        each
        for each in tree.body
        if not isinstance(each, ast.Import | ast.ImportFrom)
        and not (isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name in helpers)
    ]
    return ast.Module(kept, tree.type_ignores)


class _Ways:
    """The expressions of the own lowering of a kind of nodes, with places for the inputs; made when they are needed."""

    def __init__(self, further: Iterable[Any]) -> None:
        self.known: deque[Any] = deque()
        self.further = iter(further)

    def bound(self, value: Any, inputs: Sequence[NamedValue]) -> Bound | None:
        """The layers of the text for those of a node with these inputs, for the first expression that is equal."""
        known = self.known
        # Nodes that are alike are written alike, so each tries first what the last one was.
        for _ in range(len(known)):
            if (bound := bind(known[0], value, inputs)) is not None:
                return bound
            known.rotate(-1)
        for way in self.further:
            known.appendleft(way)
            if (bound := bind(way, value, inputs)) is not None:
                return bound
            known.rotate(-1)
        return None


class _Witness(Recorder):
    """Compares each value that the text makes with its node, and replaces it by a symbol."""

    def __init__(self, graph: Graph, root: Module, reading: Reading) -> None:
        super().__init__(order(root))
        self.graph, self.reading, self.producers = graph, reading, graph.producers
        self.values: dict[str, NamedValue] = {}
        self._ways: dict[Hashable, _Ways] = {}
        self.own_fault: Exception | None = None
        """An exception of the reading itself: a bug of the reading, not of the text."""

    @property
    def left(self) -> Sequence[str]:
        """The values that were not made."""
        return self.names[len(self.seen) :]

    def __call__(self, node: LocalName, value: Any) -> Any:
        name, reading = self.due(node), self.reading
        due = self.producers[name]
        reading.hold(due, self._bound(due, name, value))
        symbol = self.values[name] = reading.value(name)
        held = self.seen[name] = reading.held(symbol)
        return held

    def _bound(self, node: Node, name: str, value: Any) -> Bound:
        """The layers of the text for those of a node's own lowering, for the first way that is equal."""
        reading, values = self.reading, self.values
        value = reading.normal(name, value)
        inputs = [values[each] for each in node.inputs]
        try:
            kind = reading.kind(node, name)
            ways = self._ways.get(kind)
            if ways is None:
                places = [reading.place(node, number) for number in range(len(inputs))]
                ways = self._ways[kind] = _Ways(reading.own(node, name, places))
            bound = ways.bound(value, inputs)
            if bound is not None:
                return bound
            own = next(iter(reading.own(node, name, inputs)))
        except Exception as error:
            self.own_fault = error
            raise
        raise WrongFold(f"{name}: the text makes {spell(value)}, its own lowering {spell(own)}")
