"""The values of parameters: from a call, from a default, or from `--set`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Given
from math import isfinite

from netspec.diagnostics import Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import SpecParameter
from netspec.language.document.fields import whole
from netspec.language.elaboration.story import Binding
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.expressions.names import KnownNames
from netspec.language.reading.values import Value

VALUE_LIMIT = 10_000
"""The limit of values of a parameter, including those in nested lists."""

NESTING = 16
"""The limit of nested lists."""


def given_by_call(
    walk: Walk, written: Given[str, Value], sight: Callable[[], dict[str, object]]
) -> dict[str, object] | None:
    """The values that a call gives to parameters; None if one failed, which is reported."""
    given = {
        name: _sound(walk, walk.work_out(value, sight), name, value.span) for name, value in written.items()
    }
    return None if any(isinstance(value, Missing) for value in given.values()) else given


def parameters(
    walk: Walk,
    declared: Sequence[SpecParameter],
    given: Given[str, object],
    names: Given[str, object],
    owner: str,
    place: Span | None = None,
    bindings: dict[str, Binding] | None = None,
) -> dict[str, object]:
    """The values of parameters: the given ones, else the defaults, which can use earlier parameters and `names`.

    A failure is reported, and its value is Missing. `place` is that of the call; without a call, a parameter without a
    value is reported at its declaration. The origins of the values are added to `bindings`, without those of a call.
    """
    values: dict[str, object] = {}
    seen = KnownNames(names, names.find) if isinstance(names, KnownNames) else {**names}

    def sight() -> dict[str, object]:
        return seen

    for parameter in declared:
        if parameter.name in given:
            values[parameter.name] = seen[parameter.name] = whole(given[parameter.name])
            if bindings is not None:
                bindings.setdefault(parameter.name, Binding(parameter.default, None, sight, "outside"))
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
            bindings[parameter.name] = Binding(
                parameter.default, None, sight, "spec" if place is None else "default"
            )
        values[parameter.name] = seen[parameter.name] = value
    return values


def _sound(walk: Walk, value: object, name: str, place: Span) -> object:
    """The value, if a parameter can have it: a number, a boolean, a word, or a list of them."""
    if value is BROKEN or isinstance(value, Missing):
        return BROKEN
    size = measure(value)
    if size is not None and size <= VALUE_LIMIT:
        walk.spend(place, size)
        return value
    message = f"the parameter `{name}` must be a finite number, a boolean, a word or a list of them"
    advice = "a mapping cannot be passed on; give its values one by one" if isinstance(value, dict) else None
    if size is not None:
        message = f"the parameter `{name}` has more than {VALUE_LIMIT:,} values, or more than {NESTING} levels of lists"
        advice = "pass on fewer values, or write them out where they are used"
    walk.problems.error(codes.WRONG_VALUE, message, place, help=advice)
    return BROKEN


def measure(value: object) -> int | None:
    """The number of values of a parameter, including those in lists; None if one of them is not allowed.

    It stops at VALUE_LIMIT, and also returns more than VALUE_LIMIT for lists deeper than NESTING: lists that contain
    each other through parameters (`b: [$a, $a]`, `c: [$b, $b]`, …) can have too many values to count.
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
