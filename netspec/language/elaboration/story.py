"""Explains the origin of a calculated value: the values in its expression, and the lines that set the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol

from netspec.dataclass import dataclass
from netspec.language.expressions.display import displayed
from netspec.language.expressions.expression import is_expression, seen
from netspec.language.reading.values import Listing, Scalar, Value

Sight = Callable[[], Mapping[str, object]]

_MOST = 4
"""The limit of notes."""


class Binds(Protocol):
    """The part of a scope that an explanation needs: the origins of the values of parameters, and their other words."""

    def binding(self, name: str) -> Binding | None:
        """The origin of the value of a parameter; None if it is not a parameter."""
        ...

    def words(self, name: str) -> Mapping[str, int]:
        """The texts with which the items compare a parameter, each with its line."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """The origin of the value of a parameter. The value is in `frame`, and can use `sight`.

    It is `by` a line of the spec, the default of a block, or `--set` from outside, instead of the value here.
    """

    value: Value | None
    frame: Binds | None
    sight: Sight
    by: Literal["spec", "default", "outside"] = "spec"


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
        if frame is not None:
            found += [note for name, value_ in values.items() for note in _others(name, value_, frame)]
        origins = [each for each in bindings.values() if each is not None and each.by != "outside"]
        todo += [(each.value, each.frame, each.sight) for each in origins]
    return tuple(dict.fromkeys(found))


def _fact(name: str, value: object, binding: Binding | None) -> str:
    fact = f"`{name}` is {displayed(value)}"
    if binding is None:
        return fact
    line = f"line {binding.value.span.line}" if binding.value is not None else ""
    if binding.by == "outside":
        return f"{fact} (set from outside instead of {line})" if line else f"{fact} (set from outside)"
    by = "by default in " if binding.by == "default" else ""
    if isinstance(binding.value, Scalar) and is_expression(binding.value):
        return f"{fact} (`{_cut(binding.value.text)}`, {by}{line})"
    return f"{fact} ({by}{line})"


def _others(name: str, value: object, frame: Binds) -> Iterator[str]:
    """A note on the texts that a parameter can have beside those that the wrong place takes."""
    words = frame.words(name) if isinstance(value, str) and frame.binding(name) is not None else {}
    if words and value not in words:
        listed = [f"`{word}` (line {line})" for word, line in words.items()]
        yield f"the spec compares `{name}` with {', '.join(listed)}"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
