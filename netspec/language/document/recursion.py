"""Finds blocks that contain themselves, before anything is walked: at the call that closes the circle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Block, Document
from netspec.language.document.item import Item


def all_items(items: Iterable[Item], document: Document) -> Iterator[Item]:
    """Every item, with those inside it."""
    stack = list(items)
    while stack:
        item = stack.pop()
        yield item
        stack += item.items
        stack += item.otherwise or ()
        if item.branches and item.keyword not in document.blocks:
            for branch in item.branches:
                stack += branch


def check_recursion(document: Document, problems: Problems) -> None:
    """Report the calls that lead back to the block in which they stand."""
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
    return (item for item in all_items(block.items, document) if item.keyword in document.blocks)


def _report_recursion(item: Item, circle: list[str], inside: Block, problems: Problems) -> None:
    through = f", through {', '.join(f'`{name}`' for name in circle[1:])}" if len(circle) > 1 else ""
    problems.error(
        codes.RECURSION,
        f"the block `{item.keyword}` contains itself{through}",
        item.span,
        help=_advice(item, circle, inside),
    )


def _advice(item: Item, circle: list[str], inside: Block) -> str:
    """How to write it without an end that never comes."""
    if len(circle) == 1 and len(inside.items) > 1 and item is inside.items[-1] and item.source is None:
        # Layers, then the same again: that is a repetition.
        return (
            f"remove this call, and write how often where `{item.keyword}` is called: `repeat: 3` beside it"
        )
    return (
        "remove this call; write each level as a block of its own, which calls the next, and the innermost "
        "without a call"
    )
