"""Holds a network to what its spec expects of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import isfinite

from netspec.analysis.costs import Shapes
from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import expectations as codes
from netspec.graph import Graph
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value
from netspec.ops.nearest import nearest
from netspec.ops.words import lead

_AMOUNT = re.compile(r"(\d[\d_]*(?:\.\d+)?(?:[eE]\+?\d+)?) ?([kMGT]?)(B?)")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def hold(graph: Graph, shapes: Shapes) -> Problems:
    """Every expectation that does not hold, with both numbers, at its place in the text.

    `expect` speaks of the spec as written. When a parameter was set from outside nothing fails: one warning
    says that the expectations were not held to. What cannot be read is an error in either case.
    """
    problems = Problems()
    if graph.expect is not None:
        holder = _Holder(graph, shapes, problems)
        for key, entry in graph.expect.entries.items():
            holder.take(key, entry)
        if graph.altered:
            _not_held(graph.expect, graph.altered, problems)
    return problems


def _not_held(expect: Mapping, altered: tuple[str, ...], problems: Problems) -> None:
    names = ", ".join(f"`{name}`" for name in altered)
    problems.warning(
        codes.NOT_HELD,
        f"with {names} set from outside, the network was not held to what the spec expects",
        expect.span,
        notes=[f"not held to: {', '.join(expect.entries)}"] if expect.entries else [],
        help="leave out `--set` to hold the spec to it",
    )


@dataclass(frozen=True, slots=True)
class _Holder:
    graph: Graph
    shapes: Shapes
    problems: Problems

    def take(self, key: str, entry: Entry) -> None:
        handler = _HANDLERS.get(key)
        if handler is None:
            from netspec.analysis.words import WORDS

            found = lead(key, _HANDLERS, WORDS)
            known = f"it has {', '.join(f'`{each}`' for each in _HANDLERS)}"
            self.problems.error(
                codes.UNKNOWN_KEY,
                f"`expect` has no `{key[:80]}`",
                entry.key_span,
                help=known if found is None else found.help,
            )
            return
        handler(self, key, entry.value)

    def output(self, key: str, value: Value) -> None:
        outputs = self.shapes.outputs
        if isinstance(value, Mapping):
            for name, entry in value.entries.items():
                self._named(f"the output `{name}`", name, entry, outputs)
            return
        main = "output" if "output" in outputs else next(iter(outputs)) if len(outputs) == 1 else None
        if main is None:
            names = ", ".join(outputs)
            help = f"say of which: `output: {{{next(iter(outputs), 'name')}: {_written(value)}}}`"
            self._malformed(value, f"the network has several outputs ({names})", help)
            return
        self._shape("the output", value, outputs[main])

    def layers(self, key: str, value: Value) -> None:
        if not isinstance(value, Mapping):
            self._malformed(
                value, "`layers` maps names of layers to shapes", "write `layers: {conv1: [6, 28, 28]}`"
            )
            return
        types = self.graph.types
        known = {name: type_.shape for name, type_ in (*self.graph.left_out, *types.items())}
        for path, scope in self.graph.scope_by_path.items():
            if scope.output in types:
                known[path] = types[scope.output].shape
        for name, entry in value.entries.items():
            self._named(f"`{name}`", name, entry, known)

    def exact(self, key: str, value: Value) -> None:
        wanted = value.value if isinstance(value, Scalar) else None
        if isinstance(wanted, bool) or not isinstance(wanted, int):
            budget = f"; `max_{key}` is for a bound" if f"max_{key}" in _HANDLERS else ""
            self._malformed(
                value,
                f"`{key}` is a whole number",
                f"write all its digits: `{key}: {self._total(key) or 61706:_}`{budget}",
            )
            return
        actual = self._total(key)
        if actual == wanted:
            return
        written = "unavailable" if actual is None else f"{actual:,}"
        help = (
            f"write `{key}: {actual:_}`, or correct the layers"
            if actual is not None
            else f"leave out `{key}`"
        )
        self._unmet(f"`{key}` is {written}, and the spec expects {wanted:,}", value.span, help)

    def budget(self, key: str, value: Value) -> None:
        what = key.removeprefix("max_")
        limit = amount(value, in_bytes=what == "memory")
        if limit is None:
            example = "12.6MB" if what == "memory" else "4.0G"
            self._malformed(
                value, f"`{key}` is a number that is not negative", f"for instance `{key}: {example}`"
            )
            return
        actual = self._total(what)
        if self.graph.altered or (actual is not None and actual <= limit):
            return
        unit = " bytes" if what == "memory" else ""
        told = "is unavailable" if actual is None else f"is {actual:,}{unit}"
        self.problems.error(
            codes.BUDGET,
            f"`{what}` {told}, and the spec allows {limit:,.0f}{unit}",
            value.span,
            notes=[] if actual is None else [f"that is {actual - limit:,.0f}{unit} too many"],
            help=f"make the network smaller, or raise `{key}`",
        )

    def _total(self, what: str) -> int | None:
        totals = self.shapes.totals
        return {
            "params": totals.params,
            "trainable": totals.trainable,
            "macs": totals.macs,
            "memory": totals.memory.inference_bytes,
        }[what]

    def _named(self, shown: str, name: str, entry: Entry, known: dict[str, tuple[int, ...]]) -> None:
        if name in known:
            node = self.graph.by_name.get(name)
            notes = [] if node is None else [f"`{name}` stands on line {node.span.line} of {node.span.file}"]
            self._shape(shown, entry.value, known[name], notes)
        elif not self.graph.altered:
            near = nearest(name, known)
            self.problems.error(
                codes.UNKNOWN_LAYER,
                f"the network has no {shown.removeprefix('the ')}",
                entry.key_span,
                help=f"did you mean `{near}`?" if near else "`netspec shapes` lists the names",
            )

    def _shape(self, shown: str, value: Value, actual: tuple[int, ...], notes: Iterable[str] = ()) -> None:
        wanted = _whole_numbers(value)
        if wanted is None:
            self._malformed(
                value, "a shape is a list of whole numbers, channels first", f"write `{list(actual)}`"
            )
        elif wanted != actual:
            message = f"{shown} is {list(actual)}, and the spec expects {list(wanted)}"
            self._unmet(message, value.span, f"write `{list(actual)}`, or correct the layers", notes)

    def _unmet(self, message: str, span: Span, help: str, notes: Iterable[str] = ()) -> None:
        if not self.graph.altered:
            self.problems.error(codes.UNMET, message, span, notes=list(notes), help=help)

    def _malformed(self, value: Value, fact: str, help: str) -> None:
        self.problems.error(codes.MALFORMED, f"{fact}; this is {_written(value)}", value.span, help=help)


_HANDLERS: dict[str, Callable[[_Holder, str, Value], None]] = {
    "output": _Holder.output,
    "layers": _Holder.layers,
    "params": _Holder.exact,
    "trainable": _Holder.exact,
    "macs": _Holder.exact,
    "max_params": _Holder.budget,
    "max_macs": _Holder.budget,
    "max_memory": _Holder.budget,
}
KEYS: tuple[str, ...] = tuple(_HANDLERS)
"""What a spec can expect."""


def amount(value: Value, in_bytes: bool = False) -> float | None:
    """A budget as a number: `4_000`, `4.0G`, of memory `12.6MB`, too. None: it is none, or negative."""
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


def _written(value: Value) -> str:
    if isinstance(value, Scalar):
        return f"`{value.text[:40]}`" if value.text else "nothing"
    if isinstance(value, Listing):
        shape = _whole_numbers(value)
        return "a list" if shape is None else str(list(shape))
    return "a mapping"
