"""Chooses words for what a block takes beside its first input, where the author does not name it in the block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from netspec.graph import Node
from netspec.lowering.names import is_automatic
from netspec.lowering.outline import Module, given, place_of
from netspec.lowering.sizes import sizing
from netspec.lowering.variables import declared, titles

Words = Mapping[str, Mapping[str, str]]
"""By the path of a module, names for its inputs."""

LIKE = "like"
"""The name of an input that only gives its size."""


class _Name(NamedTuple):
    """What a value is called where it is made, and whether the author chose that; empty if it has no name there."""

    name: str = ""
    chosen: bool = False


def words(definitions: Iterable[Sequence[Module]], root: Module) -> Words:
    """Names for inputs of modules that take several: what all uses of a definition call them.

    An input is called after the layer that gives it in all uses (`fc7`), or after their common word (`encoder` for
    `encoder1`, `encoder2`, …).
    """
    several = [uses for uses in definitions if any(_has_unnamed(use) for use in uses)]
    if not several:
        return {}
    around = dict(_around(root))
    found: dict[str, dict[str, str]] = {}
    for uses in several:
        if len({len(use.inputs) for use in uses}) == 1:
            rows = zip(*([_called(use, value, around) for value in use.inputs] for use in uses), strict=True)
            common = [_common(names) for names in rows]
            found |= {use.path: dict(_chosen(use, common)) for use in uses}
    return found


def _has_unnamed(use: Module) -> bool:
    scope = use.scope
    return scope is not None and len(use.inputs) > 1 and not {*use.inputs} <= {*declared(use)}


def _around(module: Module) -> Iterator[tuple[str, Module]]:
    """For each module in a module, at any depth, the module that contains it."""
    for item in module.items:
        if isinstance(item, Module):
            yield item.path, module
            yield from _around(item)


def _called(use: Module, value: str, around: Mapping[str, Module]) -> _Name:
    """The name of a value that a module takes."""
    module = around.get(use.path)
    while module is not None:
        if (name := declared(module).get(value)) is not None:
            return _Name(name, chosen=True)
        for item in module.items:
            if value in given(item):
                return _own_name(module, item, value)
        if module.scope is None and len(module.inputs) > 1:
            return _Name(value, chosen=True)
        module = around.get(module.path)
    return _Name()


def _own_name(module: Module, item: Node | Module, value: str) -> _Name:
    is_first = value == given(item)[0]
    name = (place_of(item) if is_first else titles(module).get(value, value)).rpartition(".")[2]
    if name.isdigit():  # the number of a repetition
        return _Name()
    return _Name(name, chosen=not (is_first and is_automatic(item)))


def _common(names: Sequence[_Name]) -> str:
    """The one name, or the word that the author's names are with a number; empty if there is none."""
    if len({*names}) == 1:
        return names[0].name
    stems = {each.name.rstrip("0123456789").rstrip("_") for each in names}
    return stems.pop() if len(stems) == 1 and all(each.chosen for each in names) else ""


def _chosen(use: Module, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The names for the inputs of one use. The first input of a block is what flows through it."""
    is_block = use.scope is not None and use.scope.kind not in ("head", "group")
    sizes, known = _only_sizes(use), declared(use)
    for place, (value, name) in enumerate(zip(use.inputs, names, strict=True)):
        word = "" if is_block and place == 0 else name or (LIKE if value in sizes else "")
        if word and value not in known and (word == LIKE or names.count(word) == 1):
            yield value, word


def _only_sizes(use: Module) -> set[str]:
    """The inputs of which only the size is used."""
    asked = {value for node in use.nodes() for value in sizing(node)}
    return asked - {
        value for node in use.nodes() for value in node.inputs[: len(node.inputs) - len(sizing(node))]
    }
