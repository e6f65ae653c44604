"""Explains the origin of a calculated value: the values in its expression, and the lines that set the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from netspec.dataclass import dataclass
from netspec.language.expressions.display import displayed
from netspec.language.expressions.expression import is_expression, seen
from netspec.language.reading.values import Listing, Scalar, Value

Sight = Callable[[], Mapping[str, object]]

_MOST = 4
"""The limit of notes."""


class Binds(Protocol):
    """The part of a scope that an explanation needs: the origins of the values of parameters."""

    def binding(self, name: str) -> Binding | None:
        """The origin of the value of a parameter; None if it was set with `--set`, or is not a parameter."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """The origin of the value of a parameter: a call or a default. The value is in `frame`, and can use `sight`."""

    value: Value
    frame: Binds | None
    sight: Sight
    default: bool = False


def story(value: Value | None, frame: Binds | None, sight: Sight) -> tuple[str, ...]:
    """Notes on each expression in a value: its result, and the values in it. Empty for a plain value."""
    found: list[str] = []
    todo: list[tuple[Value | None, Binds | None, Sight]] = [(value, frame, sight)]
    while todo and len(found) < _MOST:
        value, frame, sight = todo.pop(0)
        if isinstance(value, Listing):
            todo += [(each, frame, sight) for each in value.items]
        if not isinstance(value, Scalar) or not is_expression(value):
            continue
        values = seen(value, sight())
        bindings = {name: frame.binding(name) if frame else None for name in values}
        facts = [_fact(name, value_, bindings[name]) for name, value_ in values.items()]
        if facts:
            lead = "" if value.text.strip()[1:] in values else f"`{_cut(value.text)}`: "
            found.append(lead + ", ".join(facts))
        todo += [(each.value, each.frame, each.sight) for each in bindings.values() if each is not None]
    return tuple(dict.fromkeys(found))


def _fact(name: str, value: object, binding: Binding | None) -> str:
    fact = f"`{name}` is {displayed(value)}"
    if binding is None:
        return fact
    line = f"line {binding.value.span.line}"
    by = "by default in " if binding.default else ""
    if isinstance(binding.value, Scalar) and is_expression(binding.value):
        return f"{fact} (`{_cut(binding.value.text)}`, {by}{line})"
    return f"{fact} ({by}{line})"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
