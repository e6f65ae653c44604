"""The proof that a generated text is the network: every layer in it does the same as the lowering of this layer.

A template, a fold, or a layer that is called twice are shorter ways to write the lowerings of the layers. So the
finished text is run on symbols, and the result of each line is compared with the lowering of its node, written without
folding. The proof uses no framework and no numbers: it compares expressions, with every argument of every layer, and
which object has which weights.
"""

from __future__ import annotations

import ast
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netspec.backend import LocalName, Source
from netspec.graph import Graph, Node
from netspec.lowering.outline import Module
from netspec.lowering.symbols import Bound, Value, bind, spell
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec.lowering.template import WrongFold


class Reading(ABC):
    """How the text of one framework is read: what its names mean, and what each node is by itself."""

    helpers: Collection[str] = ()
    """Classes and functions that the text defines for itself and that a backend's tests prove: taken as they are."""

    @abstractmethod
    def names(self) -> Mapping[str, Any]:
        """What the names that the text imports stand for, and the helpers."""

    @abstractmethod
    def value(self, name: str) -> Value:
        """The symbol of an input, or of what a node gives."""

    @abstractmethod
    def run(self, space: Mapping[str, Any], inputs: Mapping[str, Value]) -> Mapping[str, Any]:
        """Run the network that the text defines: its outputs by their names."""

    @abstractmethod
    def own(self, node: Node, value: str, inputs: Sequence[Value]) -> Iterable[Any]:
        """What the node's own lowering makes of its inputs for one of its values, one way or another."""

    @abstractmethod
    def hold(self, node: Node, bound: Bound) -> None:
        """Note which layer of the text a node runs.

        Raises:
            WrongFold: it is one that it must not be.
        """

    @abstractmethod
    def close(self) -> None:
        """Look at the whole when every node has run.

        Raises:
            WrongFold: a weight of the graph has no place of its own, or the text holds more than the graph.
        """


class Unfolded(UserWarning):
    """A text is written out at greater length, since the short one is another network: a bug of netspec."""


@dataclass(frozen=True)
class Draft:
    """A text that is not proven yet."""

    root: Module
    source: Source
    reading: Reading


def proven(graph: Graph, *writers: Callable[[], Draft]) -> Source:
    """The first text that is the network, which is the first one unless netspec has a bug; each next one folds less.

    Raises:
        WrongFold: none is.
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
    """Hold a text to its graph.

    Raises:
        WrongFold: it is another network: a bug of netspec, found before anything runs.
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
    except Exception as error:  # a wrong text may raise anything
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
    """The text without its imports and helpers, which the reading stands for."""
    kept = [
        each
        for each in tree.body
        if not isinstance(each, ast.Import | ast.ImportFrom)
        and not (isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name in helpers)
    ]
    return ast.Module(kept, tree.type_ignores)


class _Witness(Recorder):
    """Sees what the text makes, node by node, and passes on a symbol for each."""

    def __init__(self, graph: Graph, root: Module, reading: Reading) -> None:
        super().__init__(order(root))
        self.graph, self.reading = graph, reading
        self.values: dict[str, Any] = {}
        self.own_fault: Exception | None = None
        """What the reading itself raised: a bug of it, not of the text."""

    @property
    def left(self) -> Sequence[str]:
        """The nodes that were not made."""
        return self.names[len(self.seen) :]

    def __call__(self, node: LocalName, value: Any) -> Any:
        name = self.due(node)
        due = self.graph.producers[name]
        self.reading.hold(due, self._bound(due, name, value))
        self.seen[name] = self.values[name] = self.reading.value(name)
        return self.seen[name]

    def _bound(self, node: Node, name: str, value: Any) -> Bound:
        """The layers of the text for those of a node's own lowering, in the first way that is the same."""
        tried = []
        for way in self._ways(node, name):
            tried.append(way)
            if (bound := bind(way, value)) is not None:
                return bound
        raise WrongFold(f"{name}: the text makes {spell(value)}, its own lowering {spell(tried[0])}")

    def _ways(self, node: Node, name: str) -> Iterator[Any]:
        try:
            yield from self.reading.own(node, name, [self.values[each] for each in node.inputs])
        except Exception as error:
            self.own_fault = error
            raise
