"""A hint names what really installs: from the index under our own name, or from where this netspec came."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import PathDistribution
from pathlib import Path
from urllib.parse import quote

import pytest

from netspec import installation
from netspec.backend import Broken, backends

ROOT = Path(__file__).parents[1]


def package(
    folder: Path, direct: dict[str, object] | None = None, name: str = installation.DISTRIBUTION
) -> PathDistribution:
    """An installed distribution, with what pip wrote down of where it came from."""
    info = folder / f"{name}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n", encoding="utf-8")
    if direct:
        (info / "direct_url.json").write_text(json.dumps(direct), encoding="utf-8")
    return PathDistribution(info)


@pytest.mark.parametrize(
    ("direct", "command"),
    [
        ({}, "pip install 'netspec-compiler[one]'"),
        ({"url": "file://{tree}", "dir_info": {"editable": True}}, "pip install -e '{tree}[one]'"),
        ({"url": "file://{tree}", "dir_info": {}}, "pip install '{tree}[one]'"),
        ({"url": "file://{tree}/gone.whl", "archive_info": {}}, "pip install 'netspec-compiler[one]'"),
        ({"url": "https://a.b/c.git", "vcs_info": {}}, "pip install 'netspec-compiler[one]'"),
    ],
)
def test_the_command(
    direct: dict[str, object], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "a tree of 100%25"
    tree.mkdir()
    if "url" in direct:
        direct = {**direct, "url": str(direct["url"]).format(tree=quote(str(tree)))}
    found = package(tmp_path, direct)
    monkeypatch.setattr(installation, "_installed", lambda: found)
    assert installation.install("one") == command.format(tree=tree)


def test_a_source_tree_on_the_path_is_installed_from_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_installed", lambda: None)
    assert installation.install("one") == f"pip install '{ROOT}[one]'"


def test_the_name_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == installation.DISTRIBUTION
    extras = project["optional-dependencies"]
    ours = {each.name for each in backends() if each.frameworks}
    (every,) = extras["all"]
    named = re.fullmatch(rf"{installation.DISTRIBUTION}\[(.*)\]", every)
    assert named is not None
    assert set(named[1].split(",")) == ours | {"images", "h5"}  # and what reads pictures and files of Keras
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "backends").rglob("*.py"))
    hints = {name for text in texts for name in re.findall(r"""\binstall\(["']([\w-]+)["']\)""", text)}
    assert ours <= hints <= set(extras)


def test_a_broken_backend_of_another_project_is_installed_from_that_project(tmp_path: Path) -> None:
    other = package(tmp_path, name="netspec-tiny")
    assert (
        Broken("tiny", ImportError("no"), other).status().fix == "pip install --force-reinstall netspec-tiny"
    )


def test_no_text_of_ours_names_the_other_project() -> None:
    """`pip install netspec` would install a stranger's code."""
    texts = [*ROOT.glob("*.md"), ROOT / "Makefile", *(ROOT / "docs").glob("*.md")]
    texts += [path for top in ("netspec", "backends", "cli") for path in (ROOT / top).rglob("*.py")]
    for path in texts:
        text = path.read_text(encoding="utf-8")
        assert "pip install netspec " not in text, path
        assert "pip install netspec\n" not in text, path
        assert "'netspec[" not in text, path
