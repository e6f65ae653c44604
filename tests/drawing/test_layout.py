"""Where things stand: nothing overlaps, everything lies in its box, lines run downwards, chains are straight."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from netspec.drawing.layout import PlacedBox, lay_out, leaf_height, text_width
from netspec.drawing.picture import Box, Leaf, picture
from netspec.drawing.rows import crossings
from netspec.language.reading.locations import zoo
from netspec.loading import load
from tests.drawing.test_picture import UNIT, graph


def boxes(placed: PlacedBox) -> Iterator[PlacedBox]:
    """A box and all boxes in it."""
    yield placed
    for each in placed.boxes.values():
        yield from boxes(each)


def hold(placed: PlacedBox) -> None:
    """Hold a layout to what every layout is held to."""
    for box in boxes(placed):
        for number, row in enumerate(box.rows.rows):
            for a, b in pairwise(row):
                assert a.x + a.width / 2 <= b.x - b.width / 2 + 1e-6, "neighbours overlap"
            for cell in row:
                assert cell.row == number
                assert cell.x - cell.width / 2 >= -1e-6
                assert cell.x + cell.width / 2 <= box.width + 1e-6
                if isinstance(cell.item, Leaf | Box):
                    height = (
                        leaf_height(cell.item) if isinstance(cell.item, Leaf) else box.boxes[cell.item].height
                    )
                    assert box.head <= box.top(number)
                    assert box.top(number) + height <= box.height + 1e-6
        for line in box.rows.lines:
            assert all(link.target.row == link.source.row + 1 for link in line), "a line runs downwards"
            assert all(a.target is b.source for a, b in pairwise(line))


@pytest.mark.parametrize("name", zoo())
def test_the_zoo(name: str) -> None:
    hold(lay_out(picture(load(f"zoo:{name}"))))


def test_a_chain_is_straight_and_a_skip_stands_aside() -> None:
    placed = lay_out(picture(graph("  - unit: {filters: 4}\n", UNIT)))
    (box,) = placed.boxes.values()
    chain = [cell.x for row in box.rows.rows for cell in row if cell.item is not None]
    assert max(chain) - min(chain) < 1e-6
    assert any(cell.item is None for row in box.rows.rows for cell in row)


def test_branches_stand_side_by_side_in_order_and_the_merge_below_the_middle() -> None:
    branches = "".join(f"      - - conv: {{filters: {n}, kernel: 1}}\n" for n in (1, 2, 3))
    placed = lay_out(picture(graph(f"  - concat:\n{branches}")))
    row = next(row for row in placed.rows.rows if len(row) == 3)
    assert [cell.item.text for cell in row if isinstance(cell.item, Leaf)] == [
        f"conv 1×1, {n}" for n in (1, 2, 3)
    ]
    (merge,) = placed.rows.rows[row[0].row + 1]
    assert abs(merge.x - row[1].x) < 1


@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed: int) -> None:
    print(f"repeat with seed {seed}")
    chance = random.Random(seed)
    lines = ["  - relu:\n    name: n0\n"]
    for number in range(1, chance.randrange(5, 30)):
        if number > 2 and chance.random() < 0.4:
            a, b = chance.sample(range(number), 2)
            lines.append(f"  - add:\n    from: [n{a}, n{b}]\n    name: n{number}\n")
        else:
            lines.append(f"  - tanh:\n    from: n{chance.randrange(number)}\n    name: n{number}\n")
    hold(lay_out(picture(graph("".join(lines)))))


def test_an_order_without_crossings_is_found() -> None:
    layers = """\
  - relu:
    name: a
  - tanh:
    from: input
    name: b
  - sigmoid:
    from: b
    name: c
  - relu:
    from: a
    name: d
  - add:
    from: [c, d]
"""
    assert crossings(lay_out(picture(graph(layers))).rows.rows) == 0


def test_texts_are_rather_too_wide() -> None:
    assert text_width("mm", 10) > text_width("ii", 10)
    assert text_width("conv 3×3, 64", 12) > 70
