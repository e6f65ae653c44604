"""Ctrl-C at any moment of a command, its imports included, ends it with a sentence and 130, never a traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it sends signals to a process")

# Ctrl-C comes with the n-th import: what is imported, and so where it hits, is the same in every run.
AT_IMPORT = """
import os, signal, sys
sys.path[:0] = sys.argv[1].split(":")
left = int(sys.argv[2])

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
sys.argv = ["netspec", *sys.argv[3:]]
from netspec_cli.entry import run
run()
"""
SAYS = "netspec: interrupted\n"
PATH = ":".join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)


def interrupted(number: int, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AT_IMPORT, PATH, str(number), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_during_any_import_of_a_command(tmp_path: Path) -> None:
    """The first two imports are the package and `netspec_cli.entry`, before which nothing can be said."""
    (tmp_path / "own.yaml").write_text("netspec: 1\nname: own\ninput: [4]\nlayers: [{dense: 4}]\n")
    seed = 3
    for number in [3, *sorted(random.Random(seed).sample(range(4, 180), 6))]:
        done = interrupted(number, "check", str(tmp_path / "own.yaml"))
        where = f"seed {seed}, import {number}: {done.stderr}"
        assert "Traceback" not in done.stderr, where
        # A run that imports less than that many modules is over before.
        assert (done.returncode, done.stderr) in ((130, SAYS), (0, "")), where
    assert interrupted(50, "ops").returncode == 130


@pytest.mark.parametrize("command", ["ops", "new --list"])
def test_at_any_moment(command: str, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path[:0] = {PATH.split(':')!r}; sys.argv = ['netspec', *{command.split()!r}]\n"
    )
    program += "from netspec_cli.entry import run\nprint('.', file=sys.stderr, flush=True)\nrun()"
    seed = 4
    chance = random.Random(seed)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == ".\n"
        wait = chance.choice([chance.uniform(0, 0.05), chance.uniform(0, 0.6)])
        time.sleep(0.002 + wait)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err, f"seed {seed}: after {wait:.3f} s: {err}"
        assert (process.returncode, err) in ((130, SAYS), (0, "")), f"seed {seed}: after {wait:.3f} s: {err}"


def test_a_process_that_ignores_it_goes_on_ignoring_it(tmp_path: Path) -> None:
    """As one in the background of a script does."""
    program = f"import signal, sys; sys.path[:0] = {PATH.split(':')!r}; sys.argv = ['netspec', 'ops']\n"
    program += "from netspec_cli.entry import run\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    program += "signal.raise_signal(signal.SIGINT)\n"
    program += "try: run()\nfinally:\n"
    program += "    signal.raise_signal(signal.SIGINT)\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "interrupted" not in done.stderr
