"""Shapes that are legal and hardly meant: channels last, an axis for the batch."""

from __future__ import annotations

import pytest

from netspec.check import check_text

SPEC = "netspec: 1\nname: net\ninput: {}\nlayers: [relu]\n"

# The shape, and the shapes that the help offers; none for a shape that nobody warns of.
SHAPES = {
    "[224, 224, 3]": ["[3, 224, 224]"],
    "[28, 28, 1]": ["[1, 28, 28]"],
    "[48, 64, 4]": ["[4, 48, 64]"],
    "[16, 112, 112, 3]": ["[3, 16, 112, 112]", "[3, 112, 112]"],
    "[32, 3, 224, 224]": ["[3, 224, 224]"],
    "[1, 1, 28, 28]": ["[1, 28, 28]"],
    "[3, 224, 224]": [],
    "[1, 28, 28]": [],
    "[64, 7, 7]": [],
    "[4, 3, 3]": [],
    "[3, 100, 1]": [],
    "[1, 28, 1]": [],
    "[3, 16, 112, 112]": [],
    "[3, 3, 112, 112]": [],
    "[1, 8, 8, 8]": [],
    "[64, 4, 7, 7]": [],
    "[2, 100]": [],
    "[100, 1]": [],
    "[784]": [],
    "{shape: [20, 20, 3], vocabulary: 9}": [],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_layout_that_is_hardly_meant(shape: str) -> None:
    graph, problems = check_text(SPEC.format(shape), "n.yaml")
    warned = [each for each in problems if each.code.id == "NS0126"]
    offered = SHAPES[shape]
    assert len(warned) == bool(offered)
    for each in warned:
        assert graph is not None
        assert each.severity == "warning"
        assert [word for word in offered if f"`{word}`" in (each.help or "")] == offered
        for word in offered:  # the advice, followed
            followed, after = check_text(SPEC.format(word), "n.yaml")
            assert followed is not None
            assert after == []


VIDEO = {
    "a layer over time": ("{conv_lstm: {filters: 3, kernel: 3}}", False),
    "a kernel of its own along time": ("{conv: {filters: 3, kernel: [1, 3, 3]}}", False),
    "a layer along depth": ("{gru: {units: 3, axis: depth}}", False),
    "a layer along height": ("{gru: {units: 3, axis: height}}", True),
    "a kernel for all axes": ("{conv: {filters: 3, kernel: 3}}", True),
}


@pytest.mark.parametrize("case", VIDEO)
def test_layers_over_time_show_that_a_batch_is_not_meant(case: str) -> None:
    item, warned = VIDEO[case]
    _, problems = check_text(SPEC.format("[2, 3, 6, 6]").replace("relu", item), "n.yaml")
    assert [each.code.id for each in problems] == ["NS0126"] * warned


def test_a_fifth_size_is_the_batch() -> None:
    _, problems = check_text(SPEC.format("[8, 3, 16, 112, 112]"), "n.yaml")
    assert [each.help for each in problems] == ["the batch has no axis here: write `[3, 16, 112, 112]`"]


def test_an_embedded_network_is_warned_of_in_its_own_file() -> None:
    _, problems = check_text(
        SPEC.format("[3, 32, 32]").replace("relu", "{network: {spec: zoo:lenet5}}"), "n.yaml"
    )
    assert "NS0126" not in {each.code.id for each in problems}
