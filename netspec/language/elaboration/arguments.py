"""Parameters and what they are given: by a call, by default, from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Given
from math import isfinite

from netspec.diagnostics import Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Parameter
from netspec.language.document.fields import whole
from netspec.language.elaboration.story import Binding
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Value

VALUE_LIMIT = 10_000
"""The values that a parameter may hold, those of lists within lists counted one by one."""

NESTING = 16
"""How deep its lists may stand inside each other."""


def given_by_call(
    walk: Walk, written: Given[str, Value], sight: Callable[[], dict[str, object]]
) -> dict[str, object] | None:
    """The values that a call gives to parameters; None when one failed, which is reported."""
    given = {
        name: _sound(walk, walk.work_out(value, sight), name, value.span) for name, value in written.items()
    }
    return None if any(isinstance(value, Missing) for value in given.values()) else given


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

    What fails is reported, and is Missing. `place` is that of the call; without one a parameter that has no
    value is reported where it is declared. A default that is used is put into `bindings`.
    """
    values: dict[str, object] = {}
    seen = {**names}

    def sight() -> dict[str, object]:
        return seen

    for parameter in declared:
        if parameter.name in given:
            values[parameter.name] = seen[parameter.name] = whole(given[parameter.name])
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
            values[parameter.name] = seen[parameter.name] = BROKEN
            continue
        value = _sound(walk, walk.work_out(parameter.default, sight), parameter.name, parameter.default.span)
        if bindings is not None:
            bindings[parameter.name] = Binding(parameter.default, None, sight, default=place is not None)
        values[parameter.name] = seen[parameter.name] = value
    return values


def _sound(walk: Walk, value: object, name: str, place: Span) -> object:
    """The value, if it is one that a parameter may have: a number, a boolean, a word, or a list of them."""
    if value is BROKEN or isinstance(value, Missing):
        return BROKEN
    size = measure(value)
    if size is not None and size <= VALUE_LIMIT:
        walk.spend(place, size)
        return value
    message = f"the parameter `{name}` is a finite number, a boolean, a word or a list of them"
    advice = "a mapping cannot be passed on; give its values one by one" if isinstance(value, dict) else None
    if size is not None:
        message = f"the parameter `{name}` is a list of more than {VALUE_LIMIT:,} values, or more than {NESTING} deep"
        advice = "pass on less, or write it out where it is used"
    walk.problems.error(codes.WRONG_VALUE, message, place, help=advice)
    return BROKEN


def measure(value: object) -> int | None:
    """How many values a parameter holds, those of its lists too; None if one of them is no value for a parameter.

    It stops at VALUE_LIMIT, and says that it is passed for lists deeper than NESTING, too: lists that hold each other
    through parameters (`b: [$a, $a]`, `c: [$b, $b]`, …) stand for more values than anybody could count.
    """
    count, level = 0, [value]
    for _ in range(NESTING + 1):
        count += len(level)
        if count > VALUE_LIMIT:
            return count
        lists = [each for each in level if isinstance(each, list | tuple)]
        if not all(isinstance(each, list | tuple) or _is_plain(each) for each in level):
            return None
        if not lists:
            return count
        if sum(map(len, lists)) > VALUE_LIMIT:
            return VALUE_LIMIT + 1
        level = [each for one in lists for each in one]
    return VALUE_LIMIT + 1


def _is_plain(value: object) -> bool:
    return isfinite(value) if isinstance(value, float) else isinstance(value, bool | int | str)
