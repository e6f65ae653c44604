"""The command line in the process of the test, in a folder that a fixture has filled."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from netspec_cli import main
from tests.having import needs


class Answer(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Netspec = Callable[..., Answer]


def netspec(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Netspec:
    """Runs `netspec` with the words that it is given."""

    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["netspec", *words])
        code = 0
        try:
            main.run()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


def trained(command: Netspec, spec: str, name: str, out: str) -> str:
    """The run of a spec by a backend, trained once in a folder; the test is skipped where the backend is not there."""
    needs(name)
    if not Path(out).exists():
        answer = command("train", f"{spec}.yaml", "-b", name, "-o", out, "-q")
        assert answer.code == 0, answer.err
    return out
