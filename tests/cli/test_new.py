"""`netspec new`: a spec that holds, its files, and never one written over another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from netspec.check import check_file
from netspec.language.reading.locations import zoo
from netspec.loading import load
from netspec_cli.main import app

RUN = CliRunner()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", zoo())
def test_every_spec_of_the_zoo_can_be_started_from(name: str, here: Path) -> None:
    done = RUN.invoke(app, ["new", "mine", "--from", f"zoo:{name}"])
    assert done.exit_code == 0, done.stderr
    graph, diagnostics = check_file(here / "mine.yaml")
    assert not [each for each in diagnostics if each.severity == "error"]
    assert graph is not None
    assert graph.name == "mine"
    assert str(graph).splitlines()[1:] == str(load(f"zoo:{name}")).splitlines()[1:]


@pytest.mark.parametrize("name", zoo())
def test_a_name_of_the_zoo_copies_that_network(name: str, here: Path) -> None:
    done = RUN.invoke(app, ["new", name])
    assert done.exit_code == 0, done.stderr
    assert f"from zoo:{name}\n" in done.stderr
    (line,) = [
        line for line in zoo()[name].read_text("utf-8").splitlines() if line.startswith("description:")
    ]
    assert line in (here / f"{name}.yaml").read_text("utf-8").splitlines()


def test_the_zoo_is_no_part_of_a_name(here: Path) -> None:
    done = RUN.invoke(app, ["new", "zoo:lenet5"])
    assert done.exit_code == 2
    assert (
        "; netspec new lenet5 copies zoo:lenet5, and --from zoo:lenet5 gives it another name" in done.stderr
    )
    assert not list(here.iterdir())


def test_starts_from_lenet5_and_keeps_all_but_the_name(here: Path) -> None:
    assert RUN.invoke(app, ["new", "mine"]).exit_code == 0
    before = zoo()["lenet5"].read_text(encoding="utf-8").splitlines()
    after = (here / "mine.yaml").read_text(encoding="utf-8").splitlines()
    assert after[0].startswith("# Written by netspec ")
    assert [line for line in after[1:] if line not in before] == ["name: mine"]


def test_never_writes_over_what_somebody_wrote(here: Path) -> None:
    (here / "mine.yaml").write_text("precious", encoding="utf-8")
    done = RUN.invoke(app, ["new", "mine"])
    assert done.exit_code == 2
    assert "mine.yaml was not written by netspec" in done.stderr
    assert (here / "mine.yaml").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("name", ["a-b", "2x", "", "../mine", "a b", "x.yaml", "{}"])
def test_a_name_that_is_none_is_refused(name: str, here: Path) -> None:
    done = RUN.invoke(app, ["new", name])
    assert done.exit_code == 2
    assert "is not a valid name" in done.stderr
    assert not list(here.iterdir())


@pytest.mark.parametrize("origin", ["zoo:lenet", "missing.yaml"])
def test_an_unknown_origin_is_told(origin: str, here: Path) -> None:
    assert RUN.invoke(app, ["new", "mine", "--from", origin]).exit_code == 2
    assert not list(here.iterdir())


def test_files_that_it_needs_come_along(here: Path) -> None:
    home = here / "home"
    (home / "deep" / "parts").mkdir(parents=True)
    (home / "netspec.toml").touch()
    (home / "deep" / "parts" / "inner.yaml").write_text("netspec: 1\nblocks: {inner: {layers: [relu]}}\n")
    (home / "shared.yaml").write_text(
        "netspec: 1\nblocks:\n  include: deep/parts/inner.yaml   # kept\n  outer: {layers: [inner]}\n"
    )
    (home / "deep" / "trunk.yaml").write_text("netspec: 1\nname: trunk\ninput: [3, 8, 8]\nlayers: [tanh]\n")
    (home / "deep" / "spec.yaml").write_text(
        'netspec: 1\nname: "spec"\ninput: [3, 8, 8]\nblocks: {include: ["../shared.yaml"]}\n'
        "layers:\n  - outer\n  - network: {spec: trunk.yaml}\n"
    )
    done = RUN.invoke(app, ["new", "mine", "--from", str(home / "deep" / "spec.yaml")])
    assert done.exit_code == 0, done.stderr
    files = {path.relative_to(here).as_posix() for path in here.rglob("*.yaml")} - {
        path.relative_to(here).as_posix() for path in home.rglob("*.yaml")
    }
    assert files == {"mine.yaml", "parts/shared.yaml", "parts/inner.yaml", "parts/trunk.yaml"}
    assert "include: inner.yaml   # kept" in (here / "parts" / "shared.yaml").read_text()
    graph, diagnostics = check_file(here / "mine.yaml")
    assert graph is not None, diagnostics
    assert [node.op.keyword for node in graph.nodes] == ["relu", "tanh"]


def test_an_origin_that_is_no_spec_is_told_with_its_place(here: Path) -> None:
    (here / "broken.yaml").write_text("netspec: 1\nname: [\n")
    done = RUN.invoke(app, ["new", "mine", "--from", "broken.yaml"])
    assert done.exit_code == 1
    assert "broken.yaml:" in done.stderr
    assert not (here / "mine.yaml").exists()


def test_the_list_has_every_spec_with_its_count() -> None:
    rows = json.loads(RUN.invoke(app, ["new", "--list", "--format", "json"]).stdout)["zoo"]
    assert [row["name"] for row in rows] == list(zoo())
    assert next(row for row in rows if row["name"] == "lenet5")["params"] == 61_706
    assert "61,706" in RUN.invoke(app, ["new", "--list"]).stdout


def test_without_a_name_it_says_how() -> None:
    done = RUN.invoke(app, ["new"])
    assert done.exit_code == 2
    assert "--list" in done.stderr
