"""Blocks from other files: what they see, how they clash, and that no path leaves the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.check import check_file
from tests.language.author import graph_of_file, hold_file, hold_refusals, spec, types_of

PARTS = "netspec: 1\nblocks:\n  unit:\n    params: {n: 3}\n    layers:\n      - dense: $n\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(spec(text), encoding="utf-8")
    return path


def test_a_block_comes_from_another_file(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "a.yaml", PARTS)
    graph = graph_of_file(
        write(tmp_path / "main.yaml", "blocks: {include: parts/a.yaml}\nlayers: [unit, unit: 5]")
    )
    assert types_of(graph) == {"unit1.dense1": "3@8×8", "unit2.dense1": "5@8×8"}
    assert graph.nodes[0].span.file.endswith("a.yaml")


def test_files_may_be_several_and_include_others(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", PARTS)
    write(
        tmp_path / "sub" / "b.yaml", "netspec: 1\nblocks: {include: ../a.yaml, twice: {layers: [unit, unit]}}"
    )
    write(tmp_path / "c.yaml", "netspec: 1\nblocks: {plain: {layers: [relu]}}")
    (tmp_path / "netspec.toml").touch()
    text = (
        "blocks: {include: [sub/b.yaml, c.yaml, a.yaml], own: {layers: [twice, plain]}}\nlayers: [own, unit]"
    )
    graph = graph_of_file(write(tmp_path / "main.yaml", text))
    assert list(types_of(graph)) == [
        *("own1.twice1.unit1.dense1", "own1.twice1.unit2.dense1", "own1.plain1.relu1", "unit1.dense1"),
    ]


def test_defaults_are_those_of_the_file_in_which_an_item_stands(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "netspec: 1\nblocks: {unit: {layers: [{conv: {filters: 2, kernel: 3}}]}}")
    text = (
        "defaults: {conv: {padding: same}}\nblocks: {include: a.yaml}\n"
        "layers: [{conv: {filters: 4, kernel: 3}}, unit]"
    )
    graph = graph_of_file(write(tmp_path / "main.yaml", text))
    assert types_of(graph) == {"conv1": "4@8×8", "unit1.conv1": "2@6×6"}


def test_an_included_block_sees_no_parameter_of_the_spec(tmp_path: Path) -> None:
    path = write(tmp_path / "main.yaml", "params: {n: 4}\nblocks: {include: a.yaml}\nlayers: [unit]")
    hold_file(
        path,
        ("NS0203", "`n` is not a parameter here"),
        beside={"a.yaml": "netspec: 1\nblocks: {unit: {layers: [dense: $«n»]}}"},
    )


def test_a_file_of_blocks_is_checked_by_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", PARTS)
    assert check_file(path) == (None, [])
    hold_file(
        write(
            tmp_path / "a.yaml",
            "netspec: 1\nblocks: {unit: {layers: [{conv: {filters: «-1», kernel: 1}}, «reul»]}}",
        ),
        ("NS0104", "at least 1"),
        ("NS0105", "did you mean `relu`?"),
    )


REFUSED: list[tuple[str, dict[str, str], str, str]] = [
    ("{include: «nobody.yaml»}", {}, "NS0113", "there is no file `nobody.yaml`"),
    ("{include: [«nobody.yaml», «b.yaml»]}", {}, "NS0113", "there is no file"),
    ("{include: «../a.yaml»}", {}, "NS0112", "`../a.yaml` is outside the folder"),
    ("{include: «/etc/passwd»}", {}, "NS0112", "netspec.toml"),
    ("{include: «~/a.yaml»}", {}, "NS0113", "there is no file"),
    ("{include: «3»}", {}, "NS0104", "`include` takes a path"),
    ("{include: «{a: b}»}", {}, "NS0104", "`include` takes a path"),
    ("{include: «'zoo:nobody'»}", {}, "NS0113", "the zoo has no `nobody`"),
    ("{include: a.yaml}", {"a.yaml": "«netspec»: 1\n"}, "NS0102", "a file of blocks needs `blocks`"),
    ("{include: a.yaml}", {"a.yaml": PARTS + "«layers»: [relu]"}, "NS0113", "this one also has `layers`"),
    ("{include: a.yaml}", {"a.yaml": "netspec: «2»\nblocks: {}\n"}, "NS0101", "version 1"),
    (
        "{include: a.yaml}",
        {"a.yaml": "netspec: 1\nblocks: {include: «a.yaml»}\n"},
        "NS0113",
        "`a.yaml` includes itself",
    ),
    (
        "{include: a.yaml}",
        {
            "a.yaml": "netspec: 1\nblocks: {unit: {params: {n: 3}, layers: [dense: $n]}, «relu»: {layers: [tanh]}}\n"
        },
        "NS0114",
        "already an op",
    ),
    (
        "{include: «a.yaml», unit: {layers: [tanh]}}",
        {"a.yaml": PARTS},
        "NS0114",
        "there is already a block `unit`",
    ),
    (
        "{include: [a.yaml, «b.yaml»]}",
        {"a.yaml": PARTS, "b.yaml": PARTS},
        "NS0114",
        "include one of the two files",
    ),
]


@pytest.mark.parametrize(("blocks", "beside", "code", "words"), REFUSED)
def test_it_refuses_what_cannot_be_included(
    tmp_path: Path, blocks: str, beside: dict[str, str], code: str, words: str
) -> None:
    # The calls of blocks that could not be had are quiet.
    path = write(
        tmp_path / "main.yaml",
        f"blocks: {blocks}\nlayers: [relu, unit, {{unit: {{n: 3}}, name: u}}, {{tanh: , from: u.dense1}}]",
    )
    count = blocks.count("«") + sum(text.count("«") for text in beside.values())
    hold_file(path, *[(code, words)] * count, beside=beside)


def test_a_file_that_does_not_say_its_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("blocks: {unit: {layers: [relu]}}\n", encoding="utf-8")
    _, diagnostics = check_file(write(tmp_path / "main.yaml", "blocks: {include: a.yaml}\nlayers: [unit]"))
    assert [each.code.id for each in diagnostics] == ["NS0101"]


def test_includes_that_include_each_other_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "main.yaml", "blocks: {include: a.yaml}\nlayers: [relu]")
    hold_file(
        path,
        ("NS0113", "`a.yaml` includes itself"),
        beside={
            "a.yaml": "netspec: 1\nblocks: {include: b.yaml}",
            "b.yaml": "netspec: 1\nblocks: {include: «a.yaml»}",
        },
    )


def test_a_chain_of_includes_has_an_end(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path / f"p{number}.yaml", f"netspec: 1\nblocks: {{include: p{number + 1}.yaml}}")
    _, diagnostics = check_file(write(tmp_path / "main.yaml", "blocks: {include: p0.yaml}\nlayers: [relu]"))
    assert [each.code.id for each in diagnostics] == ["NS0113"]
    assert "deep" in diagnostics[0].message


def test_links_and_folders_out_of_the_tree_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "outside" / "a.yaml", PARTS)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.yaml").symlink_to(tmp_path / "outside" / "a.yaml")
    (inside / "folder").symlink_to(tmp_path / "outside")
    path = write(inside / "main.yaml", "blocks: {include: [«link.yaml», «folder/a.yaml»]}\nlayers: [relu]")
    hold_file(path, ("NS0112", "is outside the folder"), ("NS0112", "is outside the folder"))


@pytest.mark.parametrize("mark", ["netspec.toml", "pyproject.toml", ".git"])
def test_a_mark_raises_the_root(tmp_path: Path, mark: str) -> None:
    write(tmp_path / "a.yaml", PARTS)
    (tmp_path / mark).touch()
    graph = graph_of_file(
        write(tmp_path / "deep" / "er" / "main.yaml", "blocks: {include: ../../a.yaml}\nlayers: [unit]")
    )
    assert list(types_of(graph)) == ["unit1.dense1"]


def test_a_text_that_is_no_file_reaches_no_file() -> None:
    hold_refusals("blocks: {include: «a.yaml»}\nlayers: [unit]", ("NS0112", "save it as a file"))


def test_a_mistake_in_an_included_file_is_told_once(tmp_path: Path) -> None:
    path = write(tmp_path / "main.yaml", "blocks: {include: [a.yaml, b.yaml]}\nlayers: [unit, unit, pair]")
    hold_file(
        path,
        ("NS0301", "9×9"),
        beside={
            "a.yaml": "netspec: 1\nblocks: {unit: {layers: [{conv: {filters: 2, kernel: «9»}}]}}",
            "b.yaml": "netspec: 1\nblocks: {include: a.yaml, pair: {layers: [unit, unit]}}",
        },
    )
