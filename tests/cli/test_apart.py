"""A framework that dies is reported: what was done last, and which layers are known to end it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import netspec.backend
from netspec.graph import Graph
from netspec_cli import apart
from netspec_cli.main import app, run

SPEC = "netspec: 1\nname: frail\ninput: [4]\nlayers: [{dense: 2}, relu]\n"


class Frail:
    """A backend whose framework has a kernel that can crash."""

    def fragile(self, graph: Graph, dtype: str) -> tuple[list[str], str]:
        return [node.name for node in graph.nodes if node.weights], f"avoid {dtype}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frail.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(apart, "is_program", True)
    monkeypatch.setattr(netspec.backend, "backend", {"frail": Frail(), "sound": object()}.get)


def ended(monkeypatch: pytest.MonkeyPatch, *statements: str) -> tuple[int, str]:
    """Let the process apart do this; return how the command ends and what it says."""
    monkeypatch.setattr(
        apart, "START", "; ".join(["import os", "from netspec_cli.apart import report", *statements])
    )
    result = CliRunner().invoke(app, ["compare", "frail.yaml", "--dtype", "float32"])
    return result.exit_code, result.stderr


@pytest.mark.usefixtures("capsys")
def test_only_while_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards `sys.argv` is not the words of a command, but those of whoever called it."""
    monkeypatch.setattr(apart, "is_program", False)
    monkeypatch.setattr(sys, "argv", ["netspec", "explain", "NS0301"])
    with pytest.raises(SystemExit) as ended:
        run()
    assert (ended.value.code, apart.is_program) == (0, False)


@pytest.mark.skipif(os.name == "nt", reason="there a crash is an exit code")
def test_a_death_is_told_with_the_layers_that_are_known_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, "report('frail: gradients')", "os.abort()") == (
        2,
        "netspec: the process was ended by SIGABRT, at: frail: gradients\n"
        "  its framework is known to crash at dense1\n"
        "  fix: avoid float32\n",
    )


@pytest.mark.skipif(os.name == "nt", reason="there a crash is an exit code")
def test_a_death_without_a_known_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = ended(monkeypatch, "report('sound: building')", "os.kill(os.getpid(), 9)")
    assert (code, said.count("\n")) == (2, 1)
    assert "SIGKILL, as the system does when memory runs out, at: sound: building" in said


@pytest.mark.skipif(os.name == "nt", reason="there no process sends another Ctrl-C")
def test_ctrl_c_for_the_first_process_reaches_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal sends it to both, a script only to the one that it started."""
    ready = Path("ready").absolute()

    def interrupt() -> None:
        while not ready.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    waits = (
        "import signal, time; signal.signal(2, lambda *_: os._exit(130)); open('ready', 'w'); time.sleep(60)"
    )
    assert ended(monkeypatch, waits) == (130, "")


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_an_exit_code_is_passed_on(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, f"os._exit({code})") == (code, "")
