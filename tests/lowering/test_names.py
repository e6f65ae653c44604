"""Names on their way into text."""

from __future__ import annotations

import pytest

from netspec.lowering.names import UnsafeName, camel, free, identifier, is_automatic, numbered, snake
from netspec.lowering.outline import outline
from tests.structures import structure


@pytest.mark.parametrize("name", ["", "1", "a b", "a.b", "a\n", "x;y", "ﬁ", "x\u200b", "µ"])
def test_what_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(UnsafeName):
        identifier(name)
    with pytest.raises(UnsafeName):
        free(name, ())


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("conv1", (), "conv1"),
        ("class", (), "class_"),
        ("None", (), "None_"),
        ("train", ("train",), "train_"),
        ("train", ("train", "train_"), "train__"),
        ("__mangled", (), "mangled_"),
        ("_own", (), "_own"),
    ],
)
def test_a_taken_name_gets_an_underscore(name: str, taken: tuple[str, ...], expected: str) -> None:
    assert free(name, taken) == expected


def test_numbers_start_at_two() -> None:
    assert numbered("filters", ()) == "filters"
    assert numbered("filters", {"filters"}) == "filters2"
    assert numbered("filters", {"filters", "filters2"}) == "filters3"


@pytest.mark.parametrize(
    ("name", "big", "small"),
    [
        ("se_resnet34", "SeResnet34", "se_resnet34"),
        ("LeNet-5", "LeNet5", "lenet_5"),
        ("lenet5_1998", "Lenet5_1998", "lenet5_1998"),
        ("3d net", "N3dNet", "n3d_net"),
        ("ünï", "N", "n"),
        ("§", "Model", "model"),
        ('"; import os', "ImportOs", "import_os"),
    ],
)
def test_a_spec_s_name_becomes_a_class_and_a_function(name: str, big: str, small: str) -> None:
    assert (camel(name), snake(name)) == (big, small)


def test_names_that_nobody_chose_are_known() -> None:
    found = {item.local_name: is_automatic(item) for item in outline(structure("residual")).items}
    assert found == {"stage1": False, "unit2": True, "unit3": True, "global_avg_pool1": True}
