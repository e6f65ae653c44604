"""A recipe file: it names a spec, sets parameters of it, and trains it in the place of the spec's own recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.check import checked
from netspec.diagnostics.render import as_text
from netspec.loading import ParameterError, load

NET = """\
netspec: 1
name: net
params: {classes: 10}
input: [1, 28, 28]
blocks: {end: {layers: [flatten, {dense: $classes}, softmax]}}
layers: [end]
expect: {output: [10]}
train: {data: mnist, epochs: 3}
"""
HEAD = "netspec: 1\nspec: sub/net.yaml\n"


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.yaml").write_text(NET)


def told(text: str, net: str = NET) -> list[str]:
    """What `netspec check` says of a recipe file: the place and the message of each problem, and its help."""
    Path("sub/net.yaml").write_text(net)
    Path("r.yaml").write_text(text)
    found = checked(Path("r.yaml"))
    assert found.kind == "recipe"
    return [
        f"{each.span.file}:{each.span.line}:{each.span.column} {each.message}"
        + (f" [{each.help}]" if each.help else "")
        for each in found.diagnostics
    ]


def test_takes_the_place_of_the_recipe_of_the_spec() -> None:
    Path("r.yaml").write_text(HEAD + "set: {classes: 47}\ntrain: {data: emnist, batch: $classes}\n")
    graph = load("r.yaml")
    assert graph.train is not None
    assert graph.train.recipe is not None
    recipe = graph.train.recipe
    assert (recipe.data, recipe.batch, recipe.epochs) == ("emnist", 47, 10)
    assert (graph.train.file, graph.file, graph.altered) == ("r.yaml", "sub/net.yaml", ())
    assert dict(graph.params) == {"classes": 47}
    assert checked(Path("r.yaml")).diagnostics == []
    assert dict(load("r.yaml", classes=26).params) == {"classes": 26}
    with pytest.raises(ParameterError, match="has no parameter 'width'"):
        load("r.yaml", width=3)


WRONG = {
    HEAD: ["r.yaml:1:1 a recipe file needs `train`"],
    HEAD + "train:\n": ["r.yaml:1:1 a recipe file needs `train`"],
    HEAD + "train: 3\n": ["r.yaml:3:8 `train` must be a mapping"],
    HEAD + "sett: {classes: 3}\ntrain: {data: mnist}\n": ["r.yaml:3:1 a recipe file has no `sett`"],
    HEAD + "params: {classes: 10}\ntrain: {data: mnist}\n": ["r.yaml:3:1 a recipe file has no `params`"],
    HEAD + "epochs: 3\ntrain: {data: mnist}\n": ["r.yaml:3:1 a recipe file has no `epochs`"],
    HEAD + "set: {clases: 3}\ntrain: {data: mnist}\n": [
        "r.yaml:3:7 `net` has no parameter `clases`; did you mean `classes`?"
    ],
    HEAD + 'set: {classes: "${2 * 5}"}\ntrain: {data: mnist}\n': [
        "r.yaml:3:16 the value of `classes` must be a"
    ],
    HEAD + "set: {classes: {a: 1}}\ntrain: {data: mnist}\n": ["r.yaml:3:16 the parameter 'classes' takes a"],
    HEAD + "set: {classes: }\ntrain: {data: mnist}\n": [
        "r.yaml:3:16 the value of `classes` must be a number"
    ],
    HEAD + "set: {classes: 47}\ntrain: {data: mnist, epoch: 3}\n": [
        "r.yaml:4:22 a recipe does not have the setting `epoch` [write `epochs`]",
    ],
    # The recipe and the spec are checked against each other, with the parameters of the file.
    HEAD + "set: {classes: 47}\ntrain: {data: mnist}\n": [
        "r.yaml:4:15 mnist has 10 classes, but `net` has 47 outputs"
    ],
    "netspec: 1\nspec: other.yaml\ntrain: {epoch: 3}\n": [
        "r.yaml:2:7 there is no file `other.yaml`",
        "r.yaml:3:9 a recipe does not have the setting `epoch`",
    ],
    "netspec: 1\nspec: ./r.yaml\ntrain: {data: mnist}\n": [
        "r.yaml:2:7 `./r.yaml` is a recipe file, not a spec [name a spec: that of the recipe is `./r.yaml`]"
    ],
    "netspec: 1\ntrain: {data: mnist}\n": ["r.yaml:1:1 a recipe file needs `spec`"],
    "netspec: 1\nspec: [a]\ntrain: {data: mnist}\n": [
        "r.yaml:2:7 a recipe file: `spec` takes a text, not `[a]`"
    ],
    "netspec: 2\nspec: sub/net.yaml\ntrain: {data: mnist}\n": [
        "r.yaml:1:10 this version of netspec supports"
    ],
}


@pytest.mark.parametrize("text", WRONG)
def test_an_error_has_its_place(text: str) -> None:
    found = told(text)
    assert len(found) == len(WRONG[text]), found
    for line, start in zip(found, WRONG[text], strict=True):
        assert line.startswith(start), line


def test_errors_of_both_files_are_at_their_own_lines() -> None:
    wrong = NET.replace("{dense: $classes}", "{dense: {units: $classes, fo: 3}}")
    assert [each.partition(" ")[0] for each in told(HEAD + "train: {batch: 0}\n", wrong)] == [
        "r.yaml:3:16",
        "sub/net.yaml:5:60",
    ]
    # What the spec expects of itself holds for its own parameters.
    wrong = NET.replace("[10]}", "[11]}")
    assert [each.partition(" ")[0] for each in told(HEAD + "train: {data: mnist}\n", wrong)] == [
        "sub/net.yaml:7:18"
    ]
    assert told(HEAD + "set: {classes: 10}\ntrain: {data: mnist}\n", wrong) == []


def test_is_not_a_network_for_another_spec() -> None:
    Path("r.yaml").write_text(HEAD + "train: {data: mnist}\n")
    Path("outer.yaml").write_text("netspec: 1\nname: o\ninput: [1, 28, 28]\nlayers: [{network: r.yaml}]\n")
    assert "`r.yaml` is a recipe file, not a spec" in as_text(checked(Path("outer.yaml")).diagnostics)
