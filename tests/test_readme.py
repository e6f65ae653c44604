"""What the README shows is what happens: its specs are checked and its commands run, and their output is exact.

A `yaml` block that starts with `# name.yaml` is that file; in a `console` block, `$ ` starts a command, and what
follows is what it prints. `pytest --update-golden` writes the output anew.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language and its text."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name of the file that the block is, if it says so in its first line."""
        named = re.match(r"# (\S+\.yaml)\n", self.text)
        return named[1] if named else None


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(language, text) for language, text in FENCE.findall(page)]


def commands(text: str) -> list[str]:
    """The commands of a console block, in order."""
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


def played(text: str, folder: Path) -> str:
    """The console block as it reads when its commands are run in the folder."""
    shown = []
    for command in commands(text):
        program, *arguments = shlex.split(command)
        assert program == "netspec", f"the README runs {program}"
        script = Path(sys.executable).with_name("netspec")
        done = subprocess.run([script, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 1}, f"$ {command}\n{done.stdout}{done.stderr}"
        shown.append(f"$ {command}\n{done.stdout.strip()}\n")
    return "\n".join(shown)


def test_every_console_block_prints_what_it_says(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    page = README.read_text(encoding="utf-8")
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    consoles = [block.text for block in blocks(page) if block.language == "console"]
    assert consoles
    truth = {text: played(text, tmp_path) for text in consoles}
    if request.config.getoption("--update-golden", default=False):
        for told, true in truth.items():
            page = page.replace(f"```console\n{told}```", f"```console\n{true}```")
        README.write_text(page, encoding="utf-8")
        return
    for told, true in truth.items():
        assert told == true


def test_the_python_example_runs() -> None:
    pytest.importorskip("torch")
    (example,) = (
        block.text for block in blocks(README.read_text(encoding="utf-8")) if block.language == "python"
    )
    subprocess.run([sys.executable, "-c", example], check=True, cwd=ROOT, timeout=300)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    shell = [block.text for block in blocks(README.read_text(encoding="utf-8")) if block.language == "sh"]
    assert any(line.startswith("make test ") for text in shell for line in text.splitlines())
    assert re.search(r"^make test\b", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
