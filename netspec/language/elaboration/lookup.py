"""Finds the referent of a name in `from`, `share` or `until`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.item import GROUP, PATH, Item
from netspec.language.elaboration.frame import OPEN, Frame, Referent, Tensor
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Listing, Scalar, Value
from netspec.ops.nearest import nearest
from netspec.ops.roles import FIRST


def sources(walk: Walk, value: Value, frame: Frame) -> list[Tensor]:
    """The tensors that a `from` names, in order; at least one."""
    known = walk.word(value, frame)
    if isinstance(known, Missing):
        return [BROKEN]
    scalars = known.items if isinstance(known, Listing) else (known,)
    found: list[Tensor] = []
    for scalar in scalars:
        named = find(walk, scalar, frame)
        walk.spend(scalar.span, len(named))
        found += [referent.tensor for referent in named] or [BROKEN]
    if not scalars:
        walk.problems.error(
            codes.MISSING, "`from` is empty", value.span, help="give a name, or remove `from`"
        )
        return [BROKEN]
    return found


def find(walk: Walk, value: Value, frame: Frame) -> list[Referent]:
    """The referents of one path of names: several if it contains `*`, none if an error is reported."""
    known = walk.word(value, frame)
    if isinstance(known, Missing):
        return []
    path = known.value if isinstance(known, Scalar) else None
    if isinstance(path, str) and (refused := frame.members.get(path)) and not PATH.match(path):
        return [Referent(refused.path, BROKEN)]
    if not isinstance(known, Scalar) or not isinstance(path, str) or not PATH.match(path):
        shown = "this" if not isinstance(known, Scalar) else f"`{known.text}`" if known.text else "nothing"
        walk.problems.error(
            codes.BAD_PATH,
            f"{shown} is not the name of a layer",
            value.span,
            help="layers have names, not numbers: an item without `from` takes the output of the item before it; for "
            "another layer, give that one a `name`"
            if isinstance(known, Scalar) and isinstance(path, int)
            else "write a name, or names joined by dots, such as `stage2.1`",
        )
        return []
    first, *rest = path.split(".")
    referent = _outwards(first, frame)
    if referent is None:
        _report_unknown(first, known, frame, walk.problems)
        return []
    found = _inside([referent], rest, known, walk)
    if any(each.tensor is OPEN for each in found):
        walk.problems.error(
            codes.NOT_YET,
            f"`{path}` is not complete yet: this item is a part of it, and `from` finds only earlier layers",
            value.span,
            help="name a layer above this one",
        )
        return []
    return found


def _outwards(name: str, frame: Frame) -> Referent | None:
    return next((scope.members[name] for scope in _scopes(frame) if name in scope.members), None)


def _inside(found: list[Referent], rest: list[str], value: Scalar, walk: Walk) -> list[Referent]:
    for name in rest:
        inner = [member for referent in found for member in _members(referent, name, walk)]
        if not inner:
            if any(referent.tensor is BROKEN for referent in found):
                return [Referent(value.text, BROKEN)]
            _report_nothing_inside(name, found[0], value, walk)
            return []
        found = inner
    return found


def _members(referent: Referent, name: str, walk: Walk) -> list[Referent]:
    """The referents of a name inside another referent: one member or none; `*` means all repetitions."""
    if name == "*":
        return [member for key, member in referent.members.items() if key.isdigit()]
    outputs = outputs_of(referent, walk)
    # Authors name the parts of a `split`; a layer inside of a scope that ends in one may have the same name.
    places = (outputs, referent.members) if referent.outputs else (referent.members, outputs)
    member = next((place[name] for place in places if name in place), None)
    return [] if member is None else [member]


def outputs_of(referent: Referent, walk: Walk) -> dict[str, Referent]:
    """The outputs by name of what a name refers to: those that a block declares, else those of the last layer."""
    if referent.outputs:
        return {FIRST: Referent(referent.path, referent.tensor), **referent.outputs}
    node = walk.by_name.get(str(referent.tensor))
    if node is None:
        return {}
    first, *further = node.values
    named = {FIRST: first, node.op.first(): first, **dict(zip(node.ports, further, strict=True))}
    return {port: Referent(value, value) for port, value in named.items()}


def _report_nothing_inside(name: str, referent: Referent, value: Scalar, walk: Walk) -> None:
    further = [port for port in outputs_of(referent, walk) if port != FIRST]
    known = list(dict.fromkeys([*referent.members, *further]))
    near = nearest(name, known)
    guess = f"did you mean `{value.text.replace(name, near)}`? " if near else ""
    if name == "*":
        message = f"`*` stands for all repetitions, but `{referent.path}` is not repeated"
    else:
        message = f"`{referent.path}` does not contain `{name}`"
    walk.problems.error(
        codes.UNKNOWN_NAME,
        message,
        value.span,
        help=f"{guess}it contains {', '.join(known[:12])}{', …' if len(known) > 12 else ''}"
        if known
        else "it contains no names",
    )


def _report_unknown(name: str, value: Scalar, frame: Frame, problems: Problems) -> None:
    known: list[str] = []
    for scope in _scopes(frame):
        later = _later(scope).get(name)
        if later is not None:
            _report_later(name, later, value, problems)
            return
        if scope.document.nameless:
            return
        known += (each for each, referent in scope.members.items() if referent.tensor is not OPEN)
    inside = next((path for scope in _scopes(frame) for path in _deep(name, scope.members)), None)
    near = nearest(name, known)
    names = [f"`{each}`" for each in known[-12:]]
    here = f"the names here are {'…, ' if len(known) > 12 else ''}{', '.join(names)}"
    problems.error(
        codes.UNKNOWN_NAME,
        f"no earlier layer is called `{name}`",
        value.span,
        help=f"did you mean `{near}`? {here}"
        if near
        else f"it is inside a scope: write `{inside}`"
        if inside
        else here
        if known
        else "name a layer with `name: …` beside its op",
    )


def _scopes(frame: Frame) -> Iterator[Frame]:
    """The scopes in which names are searched, outwards."""
    scope: Frame | None = frame
    while scope is not None:
        yield scope
        scope = None if scope.boundary else scope.parent


def _deep(name: str, members: dict[str, Referent]) -> Iterator[str]:
    """The paths that end in this name, the shortest first."""
    level = list(members.items())
    while level:
        inner = [
            (f"{path}.{key}", referent) for path, scope in level for key, referent in scope.members.items()
        ]
        yield from (path for path, _ in inner if path.endswith(f".{name}"))
        level = inner


def _report_later(name: str, item: Item, value: Scalar, problems: Problems) -> None:
    given = item.source.items if isinstance(item.source, Listing) else (item.source,)
    itself = any(each is not None and each.span == value.span for each in given)
    line = item.name.span.line if item.name else item.span.line
    why = "it is this item itself" if itself else f"it is defined on line {line}"
    problems.error(
        codes.NOT_YET,
        f"`{name}` is not defined yet: {why}, and `from` finds only earlier layers",
        value.span,
        help="name a layer above this one" if itself else "move the item below the layer that it names",
    )


def _later(scope: Frame) -> dict[object, Item]:
    """The named items of a scope by name; of equal names the first. The result is cached."""
    if scope.named is None:
        scope.named = {item.name.value: item for item in reversed([*_named(scope.items)]) if item.name}
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
