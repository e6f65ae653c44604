"""A command in plain form, which no parser reads, does what the same command does with one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from netspec_cli import checking, common, entry, main
from netspec_cli.plain import plain
from tests.having import ORACLE, WRITER

SPEC = "netspec: 1\nname: own\ninput: [4]\nlayers: [{dense: 4}]\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(SPEC)
    Path("parts.yaml").write_text("netspec: 1\nblocks: {unit: {layers: [relu]}}\n")
    Path("wrong.yaml").write_text(SPEC.replace("dense", "dens"))
    Path("empty").mkdir()
    Path("mine.py").write_text("x = 1\n")


PLAIN = {
    "check one that holds": ["check", "a.yaml"],
    "check blocks": ["check", "parts.yaml"],
    "check a folder": ["check", "."],
    "check a wrong one": ["check", "wrong.yaml", "a.yaml"],
    "check one of the zoo": ["check", "zoo:lenet5"],
    "check one not of the zoo": ["check", "zoo:lenet6"],
    "check no file": ["check", "b.yaml"],
    "check no spec": ["check", "empty"],
    "check no text": ["check", ""],
    "compile": ["compile", "a.yaml", "-b", WRITER],
    "compile, the option first": ["compile", "--backend", WRITER, "a.yaml"],
    "compile into a file": ["compile", "a.yaml", "-o", "new/x.py", "-b", WRITER],
    "compile into a file, in full": ["compile", "a.yaml", "--backend", WRITER, "--out", "x.py"],
    "compile into my file": ["compile", "a.yaml", "-b", WRITER, "-o", "mine.py"],
    "compile into the spec": ["compile", "a.yaml", "-b", WRITER, "-o", "a.yaml"],
    "compile into a folder": ["compile", "a.yaml", "-b", WRITER, "-o", "empty"],
    "compile a wrong one": ["compile", "wrong.yaml", "-b", WRITER],
    "compile blocks": ["compile", "parts.yaml", "-b", WRITER],
    "compile a folder": ["compile", "empty", "-b", WRITER],
    "compile no file": ["compile", "lenet5", "-b", WRITER],
    "compile no text": ["compile", "", "-b", WRITER],
    "compile for nobody": ["compile", "a.yaml", "-b", f"{WRITER}s"],
    "compile for the oracle": ["compile", "a.yaml", "-b", ORACLE],
}
PARSED = [
    *([], ["a"], ["shapes", "a"], ["check"], ["check", "--help"], ["check", "--", "-a"], ["check", "-"]),
    *(["check", "a", "--set", "b=1"], ["check", "a", "--format", "text"]),
    *(
        ["compile"],
        ["compile", "a"],
        ["compile", "-b", "b"],
        ["compile", "a", "-b"],
        ["compile", "a", "-b", ""],
    ),
    *(["compile", "a", "c", "-b", "b"], ["compile", "a", "-b", "b", "-b", "c"], ["compile", "a", "-b", "-o"]),
    *(["compile", "a", "-bb"], ["compile", "a", "--backend=b"], ["compile", "a", "--back", "b"]),
    *(["compile", "a", "-b", "b", "-o", "-"], ["compile", "a", "-b", "b", "-o", ""]),
    *(["compile", "a", "-b", "b", "--force"], ["compile", "a", "-b", "b", "--pass", "still"]),
    *(["compile", "a", "-b", "b", "--", "c"], ["compile", "a", "-b", "b", "-h"]),
]


def ended(
    command: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str, dict[Path, bytes]]:
    """The exit code of a program, what it printed, and the files after it; those that it made are removed."""
    before = set(Path().rglob("*.*"))
    with pytest.raises(SystemExit) as stop:
        command()
    files = {path: path.read_bytes() for path in sorted(Path().rglob("*.*"))}
    for path in files.keys() - before:
        path.unlink()
    return (stop.value.code, *capsys.readouterr(), files)


@pytest.mark.parametrize("words", PLAIN.values(), ids=PLAIN)
def test_a_plain_command_ends_as_with_a_parser(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["netspec", *words])
    without = entry.command()
    assert without is not main.run
    printed = ended(without, capsys)
    assert printed == ended(main.run, capsys)
    assert "".join(printed[1:3])


@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError(), 2), (OSError(5, "Input/output error", "a.yaml"), 2), (KeyboardInterrupt(), 130)],
)
@pytest.mark.parametrize("words", [["check", "a.yaml"], ["compile", "a.yaml", "-b", WRITER]], ids=" ".join)
def test_an_error_ends_both_ways_alike(
    words: list[str],
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["netspec", *words])
    monkeypatch.setattr(checking, "checked", fails)
    monkeypatch.setattr(common, "graph_of_file", fails)
    without = ended(entry.command(), capsys)
    assert without == ended(main.run, capsys)
    assert without[0] == code


@pytest.mark.parametrize("words", PARSED, ids=" ".join)
def test_other_options_and_commands_are_parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["netspec", *words])
    assert entry.command() is main.run


def test_every_command_is_parsed_where_the_parser_replaces_stars(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain(["check", "*.yaml"]) is not None
    monkeypatch.setattr(os, "name", "nt")
    assert plain(["check", "*.yaml"]) is None
