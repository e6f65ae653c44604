"""Which scopes of a tree are uses of one definition, and in which order the definitions are written."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.lowering.outline import Module


def definitions(root: Module, levels: Mapping[str, int] | None = None) -> tuple[tuple[Module, ...], ...]:
    """The modules grouped by definition, so that no group needs a later one; the root is last.

    All uses of a block or a network are one group, wherever they are; a named group of layers or a head is one group
    for all uses of the definition that contains it. Repeats are lists, not definitions. `levels` is its `nesting`,
    if that is known.
    """
    levels = nesting(root) if levels is None else levels
    groups: dict[tuple[str, ...], list[Module]] = {}
    # Ordered sets, so that every process writes the same text.
    within: dict[tuple[str, ...], dict[tuple[str, ...], None]] = {}

    def visit(module: Module, owner: tuple[str, ...], trail: tuple[str, ...]) -> None:
        key = owner
        if module.is_repeat:
            trail = (*trail, module.local_name)
        else:
            key = definition_key(module, owner, trail, levels.get(module.path))
            groups.setdefault(key, []).append(module)
            within.setdefault(key, {})
            within.setdefault(owner, {})[key] = None
            trail = ()
        for item in module.items:
            if isinstance(item, Module):
                visit(item, key, trail)

    visit(root, ("",), ())
    within[("",)].pop(("",), None)
    ordered: list[tuple[str, ...]] = []

    def settle(key: tuple[str, ...]) -> None:
        for inner in within[key]:
            if inner not in ordered and inner != key:
                settle(inner)
        if key not in ordered:
            ordered.append(key)

    # In the order of first use, so that the text reads as the spec does.
    for key in groups:
        for inner in groups:
            if inner in within[key]:
                settle(inner)
        settle(key)
    return tuple(tuple(groups[key]) for key in ordered)


def definition_key(
    module: Module, owner: tuple[str, ...], trail: tuple[str, ...], level: int | None = None
) -> tuple[str, ...]:
    """The definition of a module: `trail` are the repeats between it and its owner, `level` is its `nesting`."""
    if module.scope is None:
        return ("",)
    if module.kind in ("block", "network") and module.scope.definition:
        return called_key(module, level)
    local = () if trail and module.local_name.isdigit() else (module.local_name,)
    return (*owner, *trail, *local)


def called_key(module: Module, level: int | None) -> tuple[str, ...]:
    """The definition of a call of a block or a network; its last part is the name of the block."""
    assert module.scope is not None
    inside = () if level is None else (f"level {level}",)
    return (module.kind, *inside, module.scope.definition)


def called_name(definition: str, level: int | None) -> str:
    """The name of a definition of a block in the text: each level of a block that contains itself has its own."""
    return definition if level is None else f"{definition}_level{level + 1}"


def nesting(root: Module) -> dict[str, int]:
    """For each call of a block that contains itself, how many further calls are nested in it, by its path.

    The definition of a call is written after those of the calls in it, so each level has one of its own.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}

    def visit(module: Module) -> dict[tuple[str, str], int]:
        deepest: dict[tuple[str, str], int] = {}
        for item in module.items:
            for called, count in visit(item).items() if isinstance(item, Module) else ():
                deepest[called] = max(count, deepest.get(called, 0))
        if module.kind in ("block", "network") and module.scope is not None and module.scope.definition:
            called = (module.kind, module.scope.definition)
            level = found.setdefault(called, {})[module.path] = deepest.get(called, 0)
            deepest[called] = level + 1
        return deepest

    visit(root)
    return {
        path: level for levels in found.values() if max(levels.values()) for path, level in levels.items()
    }
