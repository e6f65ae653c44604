"""Reads `expect` into numbers and shapes, and reports everything else at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import field
from math import isfinite

from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import expectations as codes
from netspec.expectations import FORMS, Expectation, Expectations, ExpectForm
from netspec.graph import Graph
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value
from netspec.ops.words import lead

_AMOUNT = re.compile(r"(\d[\d_]*(?:\.\d+)?(?:[eE]\+?\d+)?) ?([kMGT]?)(B?)")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_EXAMPLE_SHAPE, _EXAMPLE_COUNT = (6, 28, 28), 61706


def expectations(expect: Mapping, graph: Graph | None, problems: Problems) -> Expectations:
    """The valid part of `expect`; the rest is reported.

    Args:
        graph: the network, whose numbers are used in the advice; None if it has errors.
    """
    reader = _Reader(graph, problems)
    for key, entry in expect.entries.items():
        reader.take(key, entry)
    return Expectations(tuple(reader.found), expect.span)


@dataclass(slots=True)
class _Reader:
    graph: Graph | None
    problems: Problems
    found: list[Expectation] = field(default_factory=list)

    def take(self, key: str, entry: Entry) -> None:
        form = FORMS.get(key)
        if form is None:
            self._unknown(key, entry.key_span)
        else:
            self.found += _READERS[form](self, key, entry.value)

    def _unknown(self, key: str, span: Span) -> None:
        from netspec.language.document.expect_words import WORDS

        found = lead(key, FORMS, WORDS)
        known = f"it has {', '.join(f'`{each}`' for each in FORMS)}"
        message = f"`expect` does not have the key `{key[:80]}`"
        self.problems.error(codes.UNKNOWN_KEY, message, span, help=known if found is None else found.help)

    def output(self, key: str, value: Value) -> Iterator[Expectation]:
        if isinstance(value, Mapping):
            yield from self._named(key, value)
            return
        outputs = [] if self.graph is None else [each.name for each in self.graph.outputs]
        if len(outputs) > 1 and "output" not in outputs:
            names = ", ".join(outputs)
            advice = f"name the output: `output: {{{outputs[0]}: {_spoken(value)}}}`"
            self._malformed(value, f"the network has several outputs ({names})", advice)
            return
        only = outputs[0] if len(outputs) == 1 else "output"
        wanted = self._shape(value, only)
        if wanted is not None:
            yield Expectation(key, wanted, value.span)

    def layers(self, key: str, value: Value) -> Iterator[Expectation]:
        if isinstance(value, Mapping):
            yield from self._named(key, value)
        else:
            advice = "write `layers: {conv1: [6, 28, 28]}`"
            self._malformed(value, "`layers` maps names of layers to shapes", advice)

    def exact(self, key: str, value: Value) -> Iterator[Expectation]:
        wanted = value.value if isinstance(value, Scalar) else None
        if isinstance(wanted, int) and not isinstance(wanted, bool):
            yield Expectation(key, wanted, value.span)
            return
        bound = f"max_{key}"
        budget = f"; `{bound}` is for an upper limit" if bound in FORMS else ""
        advice = f"write all its digits: `{key}: {self._count(key):_}`{budget}"
        self._malformed(value, f"`{key}` must be a whole number", advice)

    def bound(self, key: str, value: Value) -> Iterator[Expectation]:
        in_bytes = key == "max_memory"
        limit = amount(value, in_bytes)
        if limit is not None:
            yield Expectation(key, limit, value.span)
            return
        advice = f"for example `{key}: {'12.6MB' if in_bytes else '4.0G'}`"
        self._malformed(value, f"`{key}` must be a number from 0", advice)

    def _named(self, key: str, value: Mapping) -> Iterator[Expectation]:
        for name, entry in value.entries.items():
            wanted = self._shape(entry.value, name)
            if wanted is not None:
                yield Expectation(key, wanted, entry.value.span, name, entry.key_span)

    def _shape(self, value: Value, name: str) -> tuple[int, ...] | None:
        wanted = _whole_numbers(value)
        if wanted is None:
            fact = "a shape must be a list of whole numbers, channels first"
            self._malformed(value, fact, f"write `{list(self._shape_of(name))}`")
        return wanted

    def _shape_of(self, name: str) -> tuple[int, ...]:
        """The shape of an output or a layer; an example if it is unknown."""
        if self.graph is None:
            return _EXAMPLE_SHAPE
        outputs = {each.name: self.graph.types[each.value] for each in self.graph.outputs}
        found = outputs.get(name) or self.graph.named_types.get(name)
        return _EXAMPLE_SHAPE if found is None else found.shape

    def _count(self, key: str) -> int:
        """The figure of the network; an example if it is unknown."""
        if self.graph is None:
            return _EXAMPLE_COUNT
        from netspec.analysis import analyze

        return analyze(self.graph).totals.counts[key] or _EXAMPLE_COUNT

    def _malformed(self, value: Value, fact: str, help: str) -> None:
        self.problems.error(codes.MALFORMED, f"{fact}; this is {_spoken(value)}", value.span, help=help)


_READERS: dict[ExpectForm, Callable[[_Reader, str, Value], Iterator[Expectation]]] = {
    "shape": _Reader.output,
    "shapes": _Reader.layers,
    "exact": _Reader.exact,
    "bound": _Reader.bound,
}


def amount(value: Value, in_bytes: bool = False) -> float | None:
    """A limit as a number: `4_000`, `4.0G`, and for memory also `12.6MB`. None: it is malformed, or negative."""
    if not isinstance(value, Scalar) or isinstance(value.value, bool):
        return None
    if isinstance(value.value, int | float):
        return value.value if 0 <= value.value < float("inf") else None
    match = _AMOUNT.fullmatch(value.value or "")
    if match is None or (match[3] and not in_bytes):
        return None
    bound = round(float(match[1].replace("_", "")) * _FACTORS[match[2]], 6)
    return bound if isfinite(bound) else None


def _whole_numbers(value: Value) -> tuple[int, ...] | None:
    if not isinstance(value, Listing):
        return None
    sizes = [item.value if isinstance(item, Scalar) else None for item in value.items]
    if not all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
        return None
    return tuple(size for size in sizes if isinstance(size, int))


def _spoken(value: Value) -> str:
    if isinstance(value, Scalar):
        return f"`{value.text[:40]}`" if value.text else "nothing"
    if isinstance(value, Listing):
        shape = _whole_numbers(value)
        return "a list" if shape is None else str(list(shape))
    return "a mapping"
