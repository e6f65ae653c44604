"""Checks the expectations of a spec (`expect`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netspec.analysis.costs import Shapes
from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import expectations as codes
from netspec.expectations import FORMS, Expectation, Expectations, ExpectForm
from netspec.graph import Graph
from netspec.ops.nearest import nearest


def hold(graph: Graph, shapes: Shapes) -> Problems:
    """Report every expectation that does not hold, with both numbers, at its place in the text.

    `expect` describes the spec as written. If a parameter was set with `--set`, the expectations are not checked; one
    warning says so.
    """
    problems = Problems()
    if graph.expect is not None and graph.altered:
        _not_held(graph.expect, graph.altered, problems)
    elif graph.expect is not None:
        comparison = _Comparison(graph, shapes, problems)
        for each in graph.expect.items:
            _COMPARE[FORMS[each.key]](comparison, each)
    return problems


def _not_held(expect: Expectations, altered: tuple[str, ...], problems: Problems) -> None:
    names = ", ".join(f"`{name}`" for name in altered)
    problems.warning(
        codes.NOT_HELD,
        f"`expect` is not checked when parameters are set: {names}",
        expect.span,
        notes=[f"not checked: {', '.join(expect.keys)}"] if expect.keys else [],
        help="leave out `--set` to check it",
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    graph: Graph
    shapes: Shapes
    problems: Problems

    def output(self, each: Expectation) -> None:
        outputs = {name: type_.shape for name, type_ in self.shapes.outputs.items()}
        if each.name is None:
            main = outputs["output"] if "output" in outputs else next(iter(outputs.values()))
            self._shape("the output", each, main)
        else:
            self._named(f"the output `{each.name}`", each.name, each, outputs)

    def layers(self, each: Expectation) -> None:
        assert each.name is not None, "a shape of a layer has its name"
        known = {name: type_.shape for name, type_ in self.graph.named_types.items()}
        self._named(f"`{each.name}`", each.name, each, known)

    def exact(self, each: Expectation) -> None:
        assert isinstance(each.wanted, int)
        key, actual = each.key, self.shapes.totals.counts[each.key]
        if actual == each.wanted:
            return
        found = "unavailable" if actual is None else f"{actual:,}"
        help = f"leave out `{key}`" if actual is None else f"write `{key}: {actual:_}`, or correct the layers"
        self._unmet(f"`{key}` is {found}, but the spec expects {each.wanted:,}", each.span, help)

    def bound(self, each: Expectation) -> None:
        assert not isinstance(each.wanted, tuple)
        what, limit = each.key.removeprefix("max_"), each.wanted
        actual = self.shapes.totals.counts[what]
        if actual is not None and actual <= limit:
            return
        unit = " bytes" if what == "memory" else ""
        found = "is unavailable" if actual is None else f"is {actual:,}{unit}"
        self.problems.error(
            codes.BUDGET,
            f"`{what}` {found}, but the spec allows {limit:,.0f}{unit}",
            each.span,
            notes=[] if actual is None else [f"this is {actual - limit:,.0f}{unit} too many"],
            help=f"make the network smaller, or raise `{each.key}`",
        )

    def _named(self, shown: str, name: str, each: Expectation, known: dict[str, tuple[int, ...]]) -> None:
        if name in known:
            node = self.graph.by_name.get(name)
            notes = [] if node is None else [f"`{name}` is on line {node.span.line} of {node.span.file}"]
            self._shape(shown, each, known[name], notes)
            return
        near = nearest(name, known)
        self.problems.error(
            codes.UNKNOWN_LAYER,
            f"the network has no {shown.removeprefix('the ')}",
            each.name_span or each.span,
            help=f"did you mean `{near}`?" if near else "`netspec shapes` lists the names",
        )

    def _shape(
        self, shown: str, each: Expectation, actual: tuple[int, ...], notes: Iterable[str] = ()
    ) -> None:
        if each.wanted != actual:
            assert isinstance(each.wanted, tuple)
            message = f"{shown} is {list(actual)}, but the spec expects {list(each.wanted)}"
            self._unmet(message, each.span, f"write `{list(actual)}`, or correct the layers", notes)

    def _unmet(self, message: str, span: Span, help: str, notes: Iterable[str] = ()) -> None:
        self.problems.error(codes.UNMET, message, span, notes=list(notes), help=help)


_COMPARE: dict[ExpectForm, Callable[[_Comparison, Expectation], None]] = {
    "shape": _Comparison.output,
    "shapes": _Comparison.layers,
    "exact": _Comparison.exact,
    "bound": _Comparison.bound,
}
