"""Finds what a name in `from`, `share` or `until` stands for."""

from __future__ import annotations

import re

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.values import Listing, Scalar, Value
from netspec.language.walk import BROKEN, Frame, Place, Tensor, Walk
from netspec.ops.nearest import did_you_mean

PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.([A-Za-z0-9_]+|\*))*\Z")


def sources(walk: Walk, value: Value, frame: Frame) -> list[Tensor]:
    """The tensors that a `from` names, in order."""
    scalars = value.items if isinstance(value, Listing) else (value,)
    found: list[Tensor] = []
    for scalar in scalars:
        found += [place.tensor for place in find(walk, scalar, frame)] or [BROKEN]
    if not scalars:
        walk.problems.error(
            codes.MISSING, "`from` names nothing", value.span, help="give a name, or drop `from`"
        )
        return [BROKEN]
    return found


def find(walk: Walk, value: Value, frame: Frame) -> list[Place]:
    """The places that one path of names stands for; several if it holds `*`, none if it is unknown."""
    path = value.value if isinstance(value, Scalar) else None
    if not isinstance(value, Scalar) or not isinstance(path, str) or not PATH.match(path):
        shown = f"`{value.text}`" if isinstance(value, Scalar) else "this"
        walk.problems.error(
            codes.BAD_PATH,
            f"{shown} is no name of a layer",
            value.span,
            help="a name, or names joined by dots",
        )
        return []
    first, *rest = path.split(".")
    place = _outwards(first, frame)
    if place is None:
        _report_unknown(first, value, frame, walk.problems)
        return []
    return _inside([place], rest, value, walk)


def _outwards(name: str, frame: Frame) -> Place | None:
    scope: Frame | None = frame
    while scope is not None:
        if name in scope.members:
            return scope.members[name]
        scope = None if scope.boundary else scope.parent
    return None


def _inside(found: list[Place], rest: list[str], value: Scalar, walk: Walk) -> list[Place]:
    for name in rest:
        inner = [
            member
            for place in found
            for key, member in (place.members | _ports(place, walk)).items()
            if key == name or (name == "*" and key in place.members)
        ]
        if not inner:
            if all(place.tensor is BROKEN for place in found):
                return [Place(value.text, BROKEN)]
            known = list(found[0].members)
            walk.problems.error(
                codes.UNKNOWN_NAME,
                f"`{found[0].path}` has no `{name}` inside{did_you_mean(name, known)}",
                value.span,
                help=f"it holds {', '.join(known[:12])}" if known else "it holds no names",
            )
            return []
        found = inner
    return found


def _ports(place: Place, walk: Walk) -> dict[str, Place]:
    node = walk.by_name.get(place.path)
    if node is None or place.is_scope:
        return {}
    return {port: Place(value, value) for port, value in zip(node.op.ports, node.values, strict=True)}


def _report_unknown(name: str, value: Scalar, frame: Frame, problems: Problems) -> None:
    known: list[str] = []
    scope: Frame | None = frame
    while scope is not None:
        if name in scope.later:
            problems.error(
                codes.NOT_YET,
                f"`{name}` is not there yet: it is named in line {scope.later[name].line}, and only earlier layers are found",
                value.span,
                help="move the item below the layer that it names",
            )
            return
        known += scope.members
        scope = None if scope.boundary else scope.parent
    problems.error(
        codes.UNKNOWN_NAME,
        f"no earlier layer is called `{name}`{did_you_mean(name, known)}",
        value.span,
        help=f"here are {', '.join(known[-12:])}" if known else "name a layer with `name: …` beside its op",
    )
