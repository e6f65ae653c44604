"""docs/own_images.md is followed: its pictures are drawn, its spec is written, and its commands run.

`pytest --update-golden` writes what the commands print. The figures of a training are compared without their numbers.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from netspec_cli.main import app
from tests.test_readme import blocks, commands

PAGE = Path(__file__).parents[2] / "docs" / "own_images.md"
KINDS = ("circle", "square", "triangle")


def drawing(kind: str, random: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A dark shape on light paper, somewhere, in some size."""
    y, x = np.mgrid[:28, :28]
    top, left, size = random.integers(2, 10), random.integers(2, 10), random.integers(12, 17)
    u, v = (x - left) / size, (y - top) / size
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    if kind == "circle":
        inside &= (u - 0.5) ** 2 + (v - 0.5) ** 2 <= 0.25
    if kind == "triangle":
        inside &= abs(u - 0.5) <= v / 2
    paper, ink = random.integers(150, 256, 3), random.integers(0, 100, 3)
    return np.where(inside[:, :, None], ink, paper).astype(np.uint8)


def draw(folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for number in range(100):
            image.fromarray(drawing(kind, random)).save(folder / kind / f"{number:03}.png")


def without_numbers(text: str) -> str:
    return re.sub(r" +", " ", re.sub(r"\d+(\.\d+)?", "0", text))


@pytest.mark.slow
def test_the_page_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("torch")
    page = PAGE.read_text(encoding="utf-8")
    draw(tmp_path / "shapes")
    monkeypatch.chdir(tmp_path)
    consoles = []
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            (command,) = commands(block.text)
            done = CliRunner().invoke(app, command.split()[1:] if '"' not in command else [])
            assert done.exit_code == 0, done.output
            printed = f"{done.stdout.strip()}\n" if done.stdout.strip() else ""
            consoles.append((block.text, f"$ {command}\n{printed}"))
    assert len(consoles) == 6
    assert {path.name for path in (tmp_path / "run").iterdir()} >= set(re.findall(r"`run/(.+?)`", page))
    assert (tmp_path / "shapes_net" / "predict.py").exists()
    (accuracy,) = re.findall(r"; test accuracy ([\d.]+) %", consoles[2][1])
    assert float(accuracy) > 80
    if request.config.getoption("--update-golden", default=False):
        for shown, true in consoles:
            page = page.replace(f"```console\n{shown}```", f"```console\n{true}```")
        PAGE.write_text(page, encoding="utf-8")
        return
    for shown, true in consoles[:2]:
        assert shown == true
    for shown, true in consoles[2:]:
        assert without_numbers(shown) == without_numbers(true)
