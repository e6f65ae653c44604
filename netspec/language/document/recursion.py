"""Finds blocks that certainly contain themselves without an end, before anything is walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Block, Document
from netspec.language.document.item import Item
from netspec.language.expressions.expression import is_expression


def all_items(items: Iterable[Item], document: Document) -> Iterator[Item]:
    """Every item, with those inside it."""
    return (item for item, _ in _items(items, document))


def _items(items: Iterable[Item], document: Document) -> Iterator[tuple[Item, bool]]:
    """Every item, with those inside it, and whether it can be left out: by its own `when`, or by one around it."""
    stack = [(item, False) for item in items]
    while stack:
        item, around = stack.pop()
        optional = around or _can_be_left_out(item)
        yield item, optional
        inside = [*item.items]
        if item.branches and item.keyword not in document.blocks:
            inside += [each for branch in item.branches for each in branch]
        stack += [(each, optional) for each in inside]
        stack += [(each, True) for each in item.otherwise or ()]


def _can_be_left_out(item: Item) -> bool:
    """Whether `when` can be false or `repeat` 0."""
    if item.when is not None and item.when.value is not True:
        return True
    return item.repeat is not None and (is_expression(item.repeat) or item.repeat.value == 0)


def check_recursion(document: Document, problems: Problems) -> None:
    """Report the calls that always lead back to the block in which they stand.

    A call that can be left out ends at some point, or the walk notices that it does not.
    """
    own = [block for block in document.blocks.values() if block.document is document]
    done: set[Block] = set()
    for block in own:
        way = {block: _calls(block, document)}
        while way:
            inside, calls = next(reversed(way.items()))
            item = next(calls, None)
            if item is None:
                way.pop(inside)
                done.add(inside)
                continue
            called = document.blocks[item.keyword]
            if called in way:
                circle = [each.name for each in way]
                _report_recursion(item, circle[circle.index(called.name) :], inside, problems)
                document.wrong.add(item)
            elif called not in done and called.document is document:
                way[called] = _calls(called, document)


def _calls(block: Block, document: Document) -> Iterator[Item]:
    """The calls of blocks in a block that happen whenever the block is called."""
    found = _items(block.items, document)
    return (item for item, optional in found if item.keyword in document.blocks and not optional)


def _report_recursion(item: Item, circle: list[str], inside: Block, problems: Problems) -> None:
    through = f", through {', '.join(f'`{name}`' for name in circle[1:])}" if len(circle) > 1 else ""
    problems.error(
        codes.RECURSION,
        f"the block `{item.keyword}` contains itself{through}, and no `when` ends it",
        item.span,
        help=_advice(item, circle, inside),
    )


def _advice(item: Item, circle: list[str], inside: Block) -> str:
    """How to write it without an end that never comes."""
    if len(circle) == 1 and len(inside.items) > 1 and item is inside.items[-1] and item.source is None:
        # Layers, then the same again: that is a repetition.
        return (
            f"remove this call, and write how often where `{item.keyword}` is called: `repeat: 3` beside it; or "
            f"{how_it_ends(inside)}"
        )
    return f"{how_it_ends(inside)}; or remove this call"


def how_it_ends(block: Block) -> str:
    """Advice on how the calls of a block in itself come to an end."""
    names = [each.name for each in block.params or ()]
    name = next(
        (each for each in ("depth", "levels", "level", "n") if each in names), (names or ["depth"])[0]
    )
    first = "" if names else f"give it a parameter `{name}`, and "
    return (
        f"{first}let it end: `{name}: ${{{name} - 1}}` in this call, and `when: ${{{name} > 1}}` beside it, where "
        f"`{name}` is a number"
    )
