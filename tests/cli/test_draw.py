"""`netspec draw`: files that stand alone, the same every time, with every text escaped."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from netspec.language.reading.locations import zoo, zoo_folder
from netspec_cli.main import app

RUN = CliRunner()
NASTY = """\
netspec: 1
name: nasty
description: '</script><script>alert("&")</script>'
params: {word: '<b>&"'}
input: [3, 8, 8]
blocks:
  part:
    params: {word: }
    layers: [relu]
layers:
  - part: $word
  - part: $word
"""


@pytest.mark.parametrize("name", zoo())
def test_the_zoo_as_svg(name: str, tmp_path: Path) -> None:
    out = tmp_path / "x.svg"
    done = RUN.invoke(app, ["draw", f"zoo:{name}", "-o", str(out)])
    assert done.exit_code == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r"https?://[^\"'<\s]+", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"\b(nan|inf)\b", text.lower())
    assert RUN.invoke(app, ["draw", f"zoo:{name}"]).stdout == text


def test_the_page_stands_alone_and_knows_every_box(tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    assert RUN.invoke(app, ["draw", "zoo:skip_taps", "-o", str(out)]).exit_code == 0
    text = out.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=", text)
    data = json.loads(re.search(r"^const root = (.*);$", text, re.MULTILINE)[1])  # type: ignore[index]
    ids = set(re.findall(r'id="([^"]+)"', text))
    stack = [data]
    while stack:
        box = stack.pop()
        assert {f"{box['id']}n{index}" for index in range(len(box["children"]))} <= ids
        assert {f"{box['id']}l{index}" for index in range(len(box["lines"]))} <= ids
        assert len(box["gaps"]) == max(child["row"] for child in box["children"]) + 2 or box["gaps"]
        stack += [child["box"] for child in box["children"] if "box" in child]


def test_texts_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "nasty.yaml").write_text(NASTY, encoding="utf-8")
    for name in ("x.svg", "x.html"):
        assert (
            RUN.invoke(app, ["draw", str(tmp_path / "nasty.yaml"), "-o", str(tmp_path / name)]).exit_code == 0
        )
    ElementTree.parse(tmp_path / "x.svg")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert page.count("<script>") == page.count("</script>") == 1
    assert "<b>" not in page


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["draw", "zoo:lenet5", "-o", str(tmp_path / "x.png")])
    assert done.exit_code == 2
    assert ".svg or .html" in done.stderr


def test_a_wrong_spec_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(
        "netspec: 1\nname: w\ninput: [3]\nlayers: [rely]\n", encoding="utf-8"
    )
    done = RUN.invoke(app, ["draw", str(tmp_path / "wrong.yaml")])
    assert done.exit_code == 1
    assert not done.stdout
    assert "`relu`" in done.stderr


def test_parameters_can_be_set() -> None:
    assert "3@96×96" in RUN.invoke(app, ["draw", "zoo:resnet34", "--set", "size=96"]).stdout


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_picture_names_no_place_of_this_machine(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture is passed on: what stands in it are the names of the zoo, and paths from the folder of the spec."""
    parts = tmp_path / "project" / "parts"
    parts.mkdir(parents=True)
    (parts.parent / "pyproject.toml").touch()
    (parts / "unit.yaml").write_text("netspec: 1\nblocks:\n  unit:\n    layers:\n      - dense: 3\n")
    spec = parts.parent / "specs" / "mine.yaml"
    spec.parent.mkdir()
    spec.write_text(
        "netspec: 1\nname: mine\ninput: [3, 64, 64]\nblocks: {include: ../parts/unit.yaml}\nlayers:\n"
        "  - network: {spec: zoo:vgg16, until: pool3}\n  - unit\n"
    )
    monkeypatch.chdir(tmp_path)
    cases = {
        str(spec): ["zoo:vgg16:", "../parts/unit.yaml:5"],
        "zoo:resnet50": ["zoo:resnet/parts/residual.yaml:"],
    }
    for number, (name, told) in enumerate(cases.items()):
        target = tmp_path / f"picture{number}.{suffix}"
        assert RUN.invoke(app, ["draw", name, "-o", str(target)]).exit_code == 0
        text = target.read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        assert str(zoo_folder()) not in text
        assert all(each in text for each in told)
