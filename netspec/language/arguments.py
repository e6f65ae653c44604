"""Parameters and what they are given: by a call, by default, from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Given
from math import isfinite

from netspec.diagnostics import Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.absent import FAILED, Unknown
from netspec.language.declarations import Parameter
from netspec.language.fields import whole
from netspec.language.story import Binding
from netspec.language.values import Value
from netspec.language.walk import Walk


def given_by_call(
    walk: Walk, written: Given[str, Value], sight: Callable[[], dict[str, object]]
) -> dict[str, object] | None:
    """The values that a call gives to parameters; None when one failed, which is reported."""
    given = {
        name: _sound(walk, walk.work_out(value, sight), name, value.span) for name, value in written.items()
    }
    return None if any(isinstance(value, Unknown) for value in given.values()) else given


def parameters(
    walk: Walk,
    declared: Sequence[Parameter],
    given: Given[str, object],
    names: Given[str, object],
    owner: str,
    place: Span | None = None,
    bindings: dict[str, Binding] | None = None,
) -> dict[str, object]:
    """The values of parameters: what is given, else the default, which may use earlier ones and `names`.

    What fails is reported, and is Unknown. `place` is that of the call; without one a parameter that has no
    value is reported where it is declared. A default that is used is put into `bindings`.
    """
    values: dict[str, object] = {}

    def sight() -> dict[str, object]:
        return {**names, **values}

    for parameter in declared:
        if parameter.name in given:
            values[parameter.name] = whole(given[parameter.name])
            continue
        if parameter.default is None:
            walk.problems.error(
                codes.MISSING,
                f"{owner} needs `{parameter.name}`",
                place or parameter.span,
                help=f"give `{parameter.name}: …`"
                if place
                else f"give it a value here, or by `--set {parameter.name}=…`",
            )
            values[parameter.name] = Unknown(None)
            continue
        value = walk.work_out(parameter.default, sight)
        if bindings is not None:
            bindings[parameter.name] = Binding(parameter.default, None, sight, default=place is not None)
        values[parameter.name] = _sound(walk, value, parameter.name, parameter.default.span)
    return values


def _sound(walk: Walk, value: object, name: str, place: Span) -> object:
    """The value, if it is one that a parameter may have: a number, a boolean, a word, or a list of them."""
    if value is FAILED or isinstance(value, Unknown):
        return Unknown(None)
    if _is_plain(value):
        return value
    walk.problems.error(
        codes.WRONG_VALUE,
        f"the parameter `{name}` is a finite number, a boolean, a word or a list of them",
        place,
        help="a mapping cannot be passed on; give its values one by one" if isinstance(value, dict) else None,
    )
    return Unknown(None)


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, bool | int | str)
