"""No command writes over its input, or over a file that it did not write, unless it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from netspec.loading import load
from netspec.weights import initialise, save
from netspec_cli.main import app
from tests.having import WRITER, WRITERS

RUN = CliRunner()

PARTS = "netspec: 1\nblocks: {unit: {layers: [{dense: 4}, relu]}}\n"
INNER = "netspec: 1\nname: inner\ninput: [4]\nlayers: [{dense: 4}]\n"
SPEC = """\
netspec: 1
name: own
input: [4]
blocks: {include: parts.yaml}
layers:
  - unit
  - network: {spec: inner.yaml, weights: inner.safetensors}
  - softmax
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec, what it includes and embeds, and weights of both."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("parts.yaml", PARTS), ("inner.yaml", INNER), ("own.yaml", SPEC)):
        Path(name).write_text(text)
    save("inner.safetensors", initialise(load("inner.yaml")))
    save("own.safetensors", initialise(load("own.yaml")))
    os.link("own.yaml", "hard.yaml")
    Path("soft.yaml").symlink_to("own.yaml")
    Path("by_hand.txt").write_text("precious")
    Path("empty.txt").touch()
    return tmp_path


COMMANDS: dict[str, list[str]] = {
    "compile": ["compile", "own.yaml", "-b", WRITER, "-o"],
    "convert": ["convert", "own.yaml", "--pass", "logits", "-o"],
    "convert with weights": [
        *("convert", "own.yaml", "--pass", "logits", "--weights", "own.safetensors", "-o"),
    ],
}
INPUTS = ["own.yaml", "./own.yaml", "hard.yaml", "soft.yaml", "parts.yaml", "inner.yaml", "inner.safetensors"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("target", ["own.yaml", "by_hand.txt", "inner.safetensors"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_folder_that_is_yet_to_be_made_hides_no_file(command: list[str], target: str, here: Path) -> None:
    before = contents(here)
    for path in (f"new/../{target}", f"new/deep/../../{target}", str(here / "new" / ".." / target)):
        done = RUN.invoke(app, [*command, path])
        assert (done.exit_code, contents(here)) == (2, before), done.stderr


@pytest.mark.parametrize("target", INPUTS)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_input_is_not_written_over(command: list[str], target: str, here: Path) -> None:
    before = contents(here)
    done = RUN.invoke(app, [*command, target])
    assert (done.exit_code, contents(here)) == (2, before), done.stderr
    assert "is a file that this command reads" in done.stderr or "would overwrite" in done.stderr


def test_a_weights_file_is_an_input_too(here: Path) -> None:
    before = contents(here)
    save("new.safetensors", initialise(load("own.yaml")))
    for given, target in (("own.safetensors", "own.x"), ("own.safetensors", "inner.y")):
        done = RUN.invoke(app, ["convert", "own.yaml", "--pass", "logits", "--weights", given, "-o", target])
        assert done.exit_code == 2, done.stderr
        assert "is a file that this command reads" in done.stderr
    # Weights that `convert` did not write may be those of a training.
    done = RUN.invoke(
        app, ["convert", "own.yaml", "--pass", "logits", "--weights", "own.safetensors", "-o", "new.yaml"]
    )
    assert (done.exit_code, "new.safetensors was not written by netspec convert" in done.stderr) == (2, True)
    Path("new.safetensors").unlink()
    assert contents(here) == before


WRITING: dict[str, tuple[list[str], str]] = {
    **{
        f"compile for {name}": (["compile", "own.yaml", "-b", name, "-o", "x.py"], "x.py") for name in WRITERS
    },
    "convert": (["convert", "own.yaml", "--pass", "logits", "-o", "x.yaml"], "x.yaml"),
    "draw svg": (["draw", "own.yaml", "-o", "x.svg"], "x.svg"),
    "draw html": (["draw", "own.yaml", "-o", "x.html"], "x.html"),
    "schema": (["schema", "-o", "x.json"], "x.json"),
    "new": (["new", "x"], "x.yaml"),
}


def edit(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


def edit_the_middle(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[len(lines) // 2] += " "
    path.write_text("\n".join(lines), encoding="utf-8")


def replace(path: Path) -> None:
    path.write_text("precious")


def empty(path: Path) -> None:
    path.write_text("")


STRANGE: dict[Callable[[Path], None], str] = {
    edit: "was written by netspec and edited since",
    edit_the_middle: "was written by netspec and edited since",
    replace: "was not written by netspec",
    empty: "was not written by netspec",
}


@pytest.mark.parametrize(("words", "name"), WRITING.values(), ids=WRITING)
def test_its_own_file_is_written_anew_and_others_stay(words: list[str], name: str, here: Path) -> None:
    path = here / name
    assert RUN.invoke(app, words).exit_code == 0
    first = path.read_bytes()
    assert RUN.invoke(app, words).exit_code == 0
    path.write_bytes(first.replace(b"\n", b"\r\n"))  # as a checkout on Windows leaves it
    assert RUN.invoke(app, words).exit_code == 0
    assert path.read_bytes() == first
    for spoil, why in STRANGE.items():
        spoil(path)
        spoilt = path.read_bytes()
        done = RUN.invoke(app, words)
        assert (done.exit_code, path.read_bytes()) == (2, spoilt), spoil
        assert f"{name} {why}; give another name, or --force to overwrite it" in done.stderr
        assert RUN.invoke(app, [*words, "--force"]).exit_code == 0
        assert path.read_bytes() == first


def test_with_force_an_input_may_be_written_over(here: Path) -> None:
    done = RUN.invoke(app, ["convert", "own.yaml", "--pass", "logits", "-o", "own.yaml", "--force"])
    assert done.exit_code == 0, done.stderr
    assert "softmax" not in (here / "own.yaml").read_text()


@pytest.mark.parametrize("words", [words for words, _ in WRITING.values() if "-o" in words], ids=" ".join)
@pytest.mark.parametrize("target", [".", "device", "pipe", "by_hand.txt/x.svg", "x" * 5000])
def test_a_place_where_no_file_can_be(words: list[str], target: str, here: Path) -> None:
    suffix = Path(words[-1]).suffix
    (here / f"device{suffix}").symlink_to("/dev/null")
    os.mkfifo(here / f"pipe{suffix}")
    (here / f".{suffix}").mkdir()
    place = target if target.endswith(".svg") and suffix == ".svg" else f"{target}{suffix}"
    for more in ([], ["--force"]):
        done = RUN.invoke(app, [*words[:-1], place, *more])
        assert (done.exit_code, "cannot write" in done.stderr) == (2, True), done.stderr or done.exception
        assert len(done.stderr) < 400
    assert Path("/dev/null").is_char_device()


def test_two_files_are_written_both_or_neither(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(here)
    count = iter(range(9))
    real = os.fsync

    def fsync(handle: int) -> None:
        if next(count):
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    done = RUN.invoke(
        app, ["convert", "own.yaml", "--pass", "logits", "--weights", "own.safetensors", "-o", "n.yaml"]
    )
    assert (done.exit_code, contents(here)) == (2, before)
    assert done.stderr == "netspec: cannot write n.safetensors: the disk is full\n"
