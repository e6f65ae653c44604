"""Turns names of a spec into names in generated text: checked to be identifiers, renamed if they are taken."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from functools import lru_cache

from netspec.graph import Node
from netspec.lowering.outline import Module, StandingNode
from netspec.ops.activation import LAYERS, AnyActivation


class UnsafeName(ValueError):
    """The name is not an identifier, so it must not appear in generated text."""


@lru_cache(maxsize=4096)
def identifier(name: str) -> str:
    """The name, checked: Python reads exactly this name.

    Raises:
        UnsafeName: it is not an identifier, or Python would read another one.
    """
    if not name.isidentifier() or not (name.isascii() or _is_normal(name)):
        raise UnsafeName(f"{name!r} is not an identifier")
    return name


def _is_normal(name: str) -> bool:
    """Whether Python reads exactly this name. ASCII is always normal."""
    from unicodedata import normalize

    return normalize("NFKC", name) == name


def free(name: str, taken: Collection[str]) -> str:
    """The checked name, with `_` appended until it is neither a keyword nor taken (`class` → `class_`).

    A name with two leading underscores loses them: Python mangles it within a class.
    """
    name = identifier(name)
    if name.startswith("__"):
        name = name.strip("_") + "_"
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    return identifier(name)


def numbered(name: str, taken: Collection[str]) -> str:
    """The checked name, numbered from 2 if it is taken: `filters`, `filters2`."""
    candidate, number = free(name, ()), 2
    while candidate in taken:
        candidate, number = f"{name}{number}", number + 1
    return candidate


def words(name: str) -> list[str]:
    """The words of a text, with ASCII letters and digits only."""
    return re.findall(r"[A-Za-z0-9]+", name)


def camel(name: str, otherwise: str = "Model") -> str:
    """A class name: `se_resnet34` → `SeResnet34`.

    If the name starts with a digit, a letter is added before it. Two numbers stay separate: `lenet5_1998` →
    `Lenet5_1998`.
    """
    joined = ""
    for word in words(name):
        apart = "_" if joined[-1:].isdigit() and word[0].isdigit() else ""
        joined += apart + word[0].upper() + word[1:]
    joined = joined or otherwise
    return identifier(joined if not joined[0].isdigit() else f"N{joined}")


def snake(name: str, otherwise: str = "model") -> str:
    """A function name: `se-resnet34` → `se_resnet34`."""
    joined = "_".join(word.lower() for word in words(name)) or otherwise
    return identifier(joined if not joined[0].isdigit() else f"n{joined}")


def is_automatic(item: Node | Module) -> bool:
    """Whether the name is automatic: a kind and a number, or only a number."""
    local = item.local_name
    if local.isdigit() or not local[-1:].isdigit():
        return local.isdigit()
    # A kind can end with digits, as `relu6` does.
    return any(local.startswith(kind) and local[len(kind) :].isdigit() for kind in _kinds(item))


def _kinds(item: Node | Module) -> set[str]:
    if isinstance(item, Node) and not isinstance(item, StandingNode):
        own = {item.op.keyword, *item.op.aliases}
        return own | {AnyActivation.keyword} if item.op.keyword in LAYERS else own
    place = item.place
    kinds = {place.kind, place.definition} - {""} if place else {"network"}
    if isinstance(item, Node):
        return kinds
    # The repeat of an unnamed op or block has the name that a single one would have.
    return kinds | set().union(*(_kinds(each) for each in item.items[:1])) if item.is_repeat else kinds


def plural(noun: str) -> str:
    """`skips` of `skip`."""
    if noun.endswith("s"):
        return f"all_{noun}"
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(x|ch|sh)$", noun) else f"{noun}s"


def singular(noun: str) -> str:
    """`tap` of `taps`."""
    return noun.removesuffix("s") if re.search(r"[^s]s$", noun) else noun
