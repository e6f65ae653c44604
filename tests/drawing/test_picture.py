"""What a picture shows: every layer once, equal repetitions once, lines through the boxes that they cross."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from netspec.check import check_text
from netspec.drawing.picture import Box, Leaf, picture
from netspec.drawing.repeats import merge
from netspec.graph import Graph
from netspec.language.reading.locations import zoo
from netspec.loading import load

UNIT = """\
  unit:
    params: {filters: , stride: 1}
    layers:
      - add:
          - - conv: {filters: $filters, kernel: 3, padding: same, stride: $stride}
          - - when: "${stride > 1 or in.channels != filters}"
              conv: {filters: $filters, kernel: 1, stride: $stride}
      - relu
"""
WAVE = """\
  layer:
    params: {dilation: }
    layers:
      - conv: {filters: 4, kernel: 2, dilation: $dilation, padding: causal}
        name: filtered
      - conv: {filters: 4, kernel: 1}
        name: skip
      - add:
        from: [filtered, skip]
"""


def graph(layers: str, blocks: str = "", shape: str = "[4, 16, 16]") -> Graph:
    """A network of these layers."""
    head = f"netspec: 1\nname: drawn\ninput: {shape}\n" + (f"blocks:\n{blocks}" if blocks else "")
    found, diagnostics = check_text(f"{head}layers:\n{layers}", "drawn.yaml")
    assert found is not None, [each.message for each in diagnostics]
    return found


def boxes(box: Box) -> Iterator[Box]:
    """A box and all boxes in it."""
    yield box
    for child in box.children:
        if isinstance(child, Box):
            yield from boxes(child)


def leaves(box: Box) -> list[Leaf]:
    """All leaves."""
    return [child for each in boxes(box) for child in each.children if isinstance(child, Leaf)]


def titles(box: Box) -> list[str]:
    """The titles of all boxes but the outermost."""
    return [each.title for each in boxes(box)][1:]


@pytest.mark.parametrize("name", zoo())
def test_every_layer_is_shown_once_or_stands_for_hidden_ones(name: str) -> None:
    net = load(f"zoo:{name}")
    merged = merge(net)
    hidden = {value for value in merged.aliases if value in net.by_name}
    shown = [leaf.name for leaf in leaves(picture(net)) if leaf.family not in ("input", "output")]
    assert len(shown) == len(set(shown))
    assert set(shown) | hidden == set(net.by_name)
    assert not set(shown) & hidden


@pytest.mark.parametrize("name", zoo())
def test_lines_join_what_is_there(name: str) -> None:
    for box in boxes(picture(load(f"zoo:{name}"))):
        for source, target, value in box.lines:
            assert source in (box.entries if isinstance(source, str) else box.children)
            assert target in (box.exits if isinstance(target, str) else box.children)
            for end, ports in ((source, "exits"), (target, "entries")):
                if isinstance(end, Box):
                    assert value in getattr(end, ports)


def test_equal_repetitions_are_one_box() -> None:
    drawn = picture(graph("  - unit: {filters: 4}\n    repeat: 5\n", UNIT))
    assert titles(drawn) == ["unit ×5"]
    assert [leaf.text for leaf in leaves(drawn)] == ["input", "output", "conv 3×3, 4", "add", "relu"]


def test_a_first_repetition_that_differs_stands_alone() -> None:
    layers = '  - unit: {filters: 8, stride: "${2 if index == 0 else 1}"}\n    repeat: 4\n    name: stage\n'
    assert titles(picture(graph(layers, UNIT))) == ["stage · unit ×4", "0 · unit", "1 to 3 · unit ×3"]


def test_repetitions_of_other_arguments_are_not_equal() -> None:
    layers = '  - conv: {filters: "${4 + index}", kernel: 1}\n    repeat: 3\n'
    assert len(leaves(picture(graph(layers)))) == 5


def test_a_repetition_that_another_layer_takes_from_is_not_hidden() -> None:
    layers = "  - unit: {filters: 4}\n    repeat: 4\n    name: s\n  - add:\n    from: [s, s.1]\n"
    assert merge(graph(layers, UNIT)).repetitions["s.2"].count == 2
    assert "s.1" not in merge(graph(layers, UNIT)).repetitions


def test_repetitions_that_all_feed_one_layer_are_equal() -> None:
    layers = "  - layer: {dilation: 1}\n    repeat: 4\n    name: s\n"
    layers += "  - add:\n    from: s.*.skip\n  - add:\n    from: [s, add1]\n"
    drawn = picture(graph(layers, WAVE, "[4, 64]"))
    (box,) = [each for each in boxes(drawn) if each.title.endswith("×4")]
    assert len(box.exits) == 2


def test_a_repeated_op_is_one_leaf_with_its_count_and_the_name_of_the_repeat() -> None:
    drawn = picture(graph("  - relu:\n    repeat: 3\n    name: thrice\n"))
    assert [(leaf.text, leaf.note) for leaf in leaves(drawn)][1] == ("relu ×3", "thrice")


def test_shared_weights_are_told() -> None:
    layers = "  - unit: {filters: 4}\n    name: a\n  - unit: {filters: 4}\n    share: a\n"
    drawn = picture(graph(layers, UNIT))
    assert "weights of a" in titles(drawn)[1]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("conv: {filters: 8, kernel: [3, 5]}", "conv 3×5, 8"),
        (
            "conv: {filters: 8, kernel: 3, stride: 2, groups: 2, dilation: 2}",
            "conv 3×3, 8, stride 2, dilation 2, groups 2",
        ),
        ("conv: {filters: 8, kernel: 3, stride: [1, 2]}", "conv 3×3, 8, stride 1×2"),
        ("dense: {units: 3, activation: {leaky_relu: 0.2}}", "dense 3 → leaky_relu"),
        ("dropout: 0.5", "dropout 0.5"),
        ("leaky_relu", "leaky_relu"),
        ("leaky_relu: 0.3", "leaky_relu 0.3"),
        ("softmax", "softmax"),
    ],
)
def test_a_leaf_says_what_matters(layer: str, text: str) -> None:
    assert leaves(picture(graph(f"  - {layer}\n")))[1].text == text
