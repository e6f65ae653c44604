"""Searches the referents of a path of names, in the scopes around an item. It reports nothing: it raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from netspec.diagnostics import Code, Span
from netspec.diagnostics.codes import structure as codes
from netspec.graph import Node
from netspec.language.document.item import GROUP, Item
from netspec.language.elaboration.frame import OPEN, Frame, Referent
from netspec.language.expressions.missing import BROKEN
from netspec.language.expressions.names import PROPERTIES
from netspec.language.reading.values import Listing
from netspec.ops.nearest import nearest
from netspec.ops.roles import FIRST

Nodes = Mapping[str, Node]
"""The layers so far, by the names of their first outputs."""


class Unfound(Exception):
    """A path of names that refers to nothing. Without a code, an error that explains it is already reported.

    `left_out` says that it would refer to something if an item was not left out.
    """

    def __init__(
        self, code: Code | None = None, message: str = "", help: str | None = None, left_out: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.help, self.left_out = code, message, help, left_out


def search(path: str, frame: Frame, nodes: Nodes, at: Span | None = None) -> list[Referent]:
    """The referents of a path: several if it contains `*`. Raises Unfound.

    Args:
        at: the place of the path, to notice an item that names itself.
    """
    first, *rest = path.split(".")
    around = list(scopes(frame))
    own = next((number for number, scope in enumerate(around) if first in scope.members), None)
    if own is None:
        raise _unknown(first, frame, at, nodes)
    referent = around[own].members[first]
    if first not in later(around[own]):
        _refuse_two_meanings(first, referent, around[own + 1 :])
    found = _inside([referent], rest, path, frame, nodes)
    if any(each.tensor is OPEN for each in found):
        message = (
            f"`{path}` is not complete yet: this item is a part of it, and only earlier layers can be used"
        )
        raise Unfound(codes.NOT_YET, message, "name a layer above this one")
    return found


def _refuse_two_meanings(name: str, unnamed: Referent, outer: Iterable[Frame]) -> None:
    """Refuse the automatic name of a layer that is also the name that the author gave to a layer further out."""
    for scope in outer:
        item = later(scope).get(name)
        if item is not None and item.name is not None and name in scope.members:
            raise Unfound(
                codes.NAME_TWICE,
                f"`{name}` has two meanings here: the unnamed layer `{unnamed.path}`, and the layer of line "
                f"{item.name.span.line}",
                f"give the unnamed layer a `name`, or the layer of line {item.name.span.line} another one",
            )


def _inside(found: list[Referent], rest: list[str], path: str, frame: Frame, nodes: Nodes) -> list[Referent]:
    for at, name in enumerate(rest, 1):
        inner = [member for referent in found for member in _members(referent, name, nodes)]
        if not inner:
            if any(referent.tensor is BROKEN for referent in found):
                return [Referent(path, BROKEN)]
            raise _nothing_inside(name, found[0], path, frame, nodes, last=at == len(rest))
        found = inner
    return found


def _members(referent: Referent, name: str, nodes: Nodes) -> list[Referent]:
    """The referents of a name inside another referent: one member or none; `*` means all repetitions."""
    if name == "*":
        return [member for key, member in referent.members.items() if key.isdigit()]
    # Authors name the parts of a `split`; a layer inside of a scope that ends in one may have the same name.
    member = referent.members.get(name)
    if member is None or referent.outputs:
        member = _output_of(referent, name, nodes) or member
    return [] if member is None else [member]


def _output_of(referent: Referent, name: str, nodes: Nodes) -> Referent | None:
    """One of `outputs_of`, without all others: a `split` may have thousands."""
    node = None if referent.outputs else nodes.get(str(referent.tensor))
    if node is None or not referent.holds(node.name):
        return outputs_of(referent, nodes).get(name)
    if name in node.ports:
        return Referent(f"{node.name}.{name}", f"{node.name}.{name}")
    return Referent(node.name, node.name) if name in (FIRST, node.op.first()) else None


def outputs_of(referent: Referent, nodes: Nodes) -> dict[str, Referent]:
    """The outputs by name of what a name refers to: those that a block declares, else those of the last layer in it."""
    if referent.outputs:
        return {FIRST: Referent(referent.path, referent.tensor), **referent.outputs}
    node = nodes.get(str(referent.tensor))
    if node is None or not referent.holds(node.name):
        return {FIRST: Referent(referent.path, referent.tensor)}
    first, *further = node.values
    named = {FIRST: first, node.op.first(): first, **dict(zip(node.ports, further, strict=True))}
    return {port: Referent(value, value) for port, value in named.items()}


def _nothing_inside(
    name: str, referent: Referent, path: str, frame: Frame, nodes: Nodes, *, last: bool
) -> Unfound:
    """The explanation for a part of a path that names nothing.

    Args:
        last: nothing follows it in the path.
    """
    if name != "*" and (passes := _passing(name, referent, frame, nodes)) is not None:
        return passes
    further = [port for port in outputs_of(referent, nodes) if port != FIRST]
    known = list(dict.fromkeys([*referent.members, *further]))
    near = nearest(name, known)
    guess = f"did you mean `{path.replace(name, near)}`? " if near else ""
    if name == "*" and referent.left_out is not None:
        message = f"`{referent.path}` has no repetition: {referent.left_out}"
        return Unfound(codes.UNKNOWN_NAME, message, "take them only in items with the same condition", True)
    if name == "*":
        message = f"`*` stands for all repetitions, but `{referent.path}` is not repeated"
    else:
        message = f"`{referent.path}` does not contain `{name}`"
    if last and name in PROPERTIES and isinstance(referent.tensor, str):
        inner = path.rpartition(".")[0]
        advice = (
            f"a size is a number, `${{{path}}}`; write `{inner}` for the layer, also for its sizes in `like`"
        )
        return Unfound(codes.UNKNOWN_NAME, message, advice)
    listed = f"{', '.join(known[:12])}{', …' if len(known) > 12 else ''}"
    return Unfound(
        codes.UNKNOWN_NAME, message, f"{guess}it contains {listed}" if known else "it contains no names"
    )


def _passing(name: str, referent: Referent, frame: Frame, nodes: Nodes) -> Unfound | None:
    """The explanation for a name that only stands for a tensor from before; None if it is no such name."""
    node = nodes.get(str(referent.tensor))
    inside = node is None or referent.holds(node.name)
    if referent.outputs or (inside and referent.left_out is None):
        return None
    why = referent.left_out or "no layer in it is left"
    there = None
    if node is not None and name in (node.op.first(), *node.ports):
        there = local_path(node.name, frame, nodes)
    advice = f"or write `{there}.{name}`, which stays" if there else "or name a layer that stays"
    return Unfound(
        codes.UNKNOWN_NAME,
        f"`{referent.path}` has no `{name}`: {why}, and its name stands for the tensor before it",
        f"take it only in items with the same condition, {advice}",
        left_out=True,
    )


def local_path(value: str, frame: Frame, nodes: Nodes) -> str | None:
    """The path by which an item of this scope names a value, or None if it cannot."""
    for scope in scopes(frame):
        inside = f"{scope.path}." if scope.path else ""
        if not value.startswith(inside):
            continue
        try:
            found = search(value[len(inside) :], frame, nodes)
        except Unfound:
            continue
        if [each.tensor for each in found] == [value]:
            return value[len(inside) :]
    return None


def _unknown(name: str, frame: Frame, at: Span | None, nodes: Nodes) -> Unfound:
    known: list[str] = []
    for scope in scopes(frame):
        below = later(scope).get(name)
        if below is not None:
            return _not_yet(name, below, at)
        if scope.document.nameless:
            return Unfound()
        known += (each for each, referent in scope.members.items() if referent.tensor is not OPEN)
    inside = next((path for scope in scopes(frame) for path in _deep(name, scope.members)), None)
    port = next((path for scope in scopes(frame) for path in _with_output(name, scope.members, nodes)), None)
    near = None if port else nearest(name, known)
    names = [f"`{each}`" for each in known[-12:]]
    here = f"the names here are {'…, ' if len(known) > 12 else ''}{', '.join(names)}"
    return Unfound(
        codes.UNKNOWN_NAME,
        f"no earlier layer is called `{name}`",
        f"did you mean `{near}`? {here}"
        if near
        else f"it is inside a scope: write `{inside}`"
        if inside
        else f"it is an output of a layer: write `{port}`"
        if port
        else here
        if known
        else "name a layer with `name: …` beside its op",
    )


def _not_yet(name: str, item: Item, at: Span | None) -> Unfound:
    given = item.source.items if isinstance(item.source, Listing) else (item.source,)
    itself = at is not None and any(each is not None and each.span == at for each in given)
    line = item.name.span.line if item.name else item.span.line
    why = "it is this item itself" if itself else f"it is defined on line {line}"
    return Unfound(
        codes.NOT_YET,
        f"`{name}` is not defined yet: {why}, and only earlier layers can be used",
        "name a layer above this one" if itself else "move the item below the layer that it names",
    )


def scopes(frame: Frame) -> Iterator[Frame]:
    """The scopes in which names are searched, outwards."""
    scope: Frame | None = frame
    while scope is not None:
        yield scope
        scope = None if scope.boundary else scope.parent


def _with_output(name: str, members: dict[str, Referent], nodes: Nodes) -> Iterator[str]:
    """The paths of the outputs with this name, the last one first."""
    for member, referent in reversed(members.items()):
        if name != FIRST and name in outputs_of(referent, nodes):
            yield f"{member}.{name}"


def _deep(name: str, members: dict[str, Referent]) -> Iterator[str]:
    """The paths that end in this name, the shortest first."""
    level = list(members.items())
    while level:
        inner = [
            (f"{path}.{key}", referent) for path, scope in level for key, referent in scope.members.items()
        ]
        yield from (path for path, _ in inner if path.endswith(f".{name}"))
        level = inner


def later(scope: Frame) -> dict[object, Item]:
    """The named items of a scope by name; of equal names the first. The result is cached."""
    if scope.named is None:
        known = scope.document.named
        # All calls of a block have one list of items. The list is kept: while it exists, no other has its id.
        if id(scope.items) not in known:
            found: dict[object, Item] = {
                item.name.value: item for item in reversed([*_named(scope.items)]) if item.name
            }
            known[id(scope.items)] = (scope.items, found)
        scope.named = known[id(scope.items)][1]
    return scope.named


def _named(items: Iterable[Item]) -> Iterator[Item]:
    """The named items of a scope, including those in branches and unnamed groups, which do not open a scope."""
    for item in items:
        if item.name is not None:
            yield item
        if item.repeat is not None:
            continue
        if item.keyword == GROUP and item.name is None:
            yield from _named(item.items)
        if item.name is None:
            yield from _named(item.otherwise or ())
        for branch in item.branches or ():
            yield from _named(branch)
