"""Says what a backend refuses of a graph, and why: the table of its refusals, and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netspec.backend.interface import Backend, Trains, Unobeyed, Unsupported
from netspec.graph import Graph
from netspec.types import Float


def refused(backend: Backend, graph: Graph, dtype: Float | None = None) -> list[tuple[str, str]]:
    """Why a backend refuses a graph: for each reason the first layer, and a sentence that names all layers.

    Without a `dtype`, limits of one precision do not count.
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in _reasons(backend, graph, dtype):
        reasons.setdefault(reason, []).append(name)
    return [(layers[0], _with_layers(reason, layers)) for reason, layers in reasons.items()]


def _reasons(backend: Backend, graph: Graph, dtype: Float | None) -> Iterator[tuple[str, str]]:
    lacking = [node for node in graph.nodes if type(node.op) not in backend.lowerings]
    for node in lacking:
        unknown = f"{backend.name} has no lowering of {node.op.keyword}"
        yield node.name, backend.refusals.get(type(node.op), unknown)
    if not lacking:  # a limit can depend on how nodes are lowered
        for limit in backend.limits:
            if limit.dtype in (None, dtype):
                yield from limit.found(graph)


def _with_layers(reason: str, layers: Sequence[str]) -> str:
    if f"`{layers[0]}`" in reason:
        return reason
    more = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
    return f"{reason.rstrip('.')} (`{layers[0]}`{more})"


def require(backend: Backend, graph: Graph, dtype: Float | None = None) -> None:
    """Check that a backend does not refuse a graph.

    Raises:
        Unsupported: the backend refuses the graph; the message has all reasons.
    """
    if reasons := refused(backend, graph, dtype):
        raise Unsupported("\n".join(reason for _, reason in reasons), reasons[0][0])


def unobeyed(backend: Backend, settings: object, device: str | None = None) -> list[tuple[str, str]]:
    """The settings of a recipe, or of a task, that a backend does not obey, each with a sentence that says why.

    Without the kind of a `device`, what holds on one kind only does not count.
    """
    return [
        (
            each.setting,
            f"{_written(each, settings)} is not obeyed by {backend.name}: {each.why}",
        )
        for each in getattr(backend, "unobeyed", ())
        if each.device in (None, device) and each.is_given(settings)
    ]


def _written(each: Unobeyed, settings: object) -> str:
    """The setting as in a recipe, and the one beside it."""
    names = (each.setting, *([] if each.beside is None else each.beside[:1]))
    values = {name: getattr(settings, name) for name in names}
    written = {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()
    }
    return " beside ".join(f"`{name}: {value}`" for name, value in written.items())


def require_obeyed(backend: Trains, settings: object, device: str) -> None:
    """Check that a backend obeys every setting of a recipe or of a task on this kind of device.

    Raises:
        Unsupported: it does not; the message has all reasons.
    """
    if reasons := unobeyed(backend, settings, device):
        raise Unsupported("\n".join(reason for _, reason in reasons))
