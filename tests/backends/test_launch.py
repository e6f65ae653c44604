"""`netspec train --devices N`: one report, one message, and a run that goes on, whatever ends its processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.having import TRAINERS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("torch" not in TRAINERS, reason="it needs PyTorch"),
    pytest.mark.skipif(not Path("/proc").exists(), reason="it looks for child processes in /proc"),
]
SPEC = """\
netspec: 1
name: small
input: [1, 28, 28]
layers: [{avg_pool: 4}, flatten, {dense: 10}, softmax]
train: {data: fashion-mnist-small, train_size: 1000, test_size: 40, batch: 20, epochs: 10000, checkpoint: {steps: 200}}
"""
COMMAND = [sys.executable, "-P", "-m", "netspec_cli", "train"]


PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
SRUN = """\
#!/bin/bash
# Stands for srun: without its options, the command once for each node, which are all this machine.
while [[ $1 == --* ]]; do shift; done
for node in 0 1; do
    SLURM_NODEID=$node SLURM_PROCID=$node "$@" & pids+=($!)
done
code=0
for pid in "${pids[@]}"; do wait "$pid" || code=$?; done
exit $code
"""


def test_the_script_for_slurm_trains_on_two_nodes(tmp_path: Path) -> None:
    script = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tools = tmp_path / "tools"
    tools.mkdir()
    torchrun = f'#!/bin/bash\nexec {sys.executable} -m torch.distributed.run "$@"\n'
    for name, text in (("srun", SRUN), ("scontrol", "#!/bin/bash\necho localhost\n"), ("torchrun", torchrun)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tmp_path / "train.sh").write_text(script)
    (tmp_path / "small.yaml").write_text(SPEC.replace("epochs: 10000", "epochs: 2"))
    slurm = {
        "SLURM_JOB_NODELIST": "here[0-1]", "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_ID": "7", "PORT": str(port),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "train.sh", "small.yaml", "-b", "torch", "--device", "cpu", "-o", "run"],
        cwd=tmp_path, env=os.environ | slurm, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kept in run") == 1
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (facts["state"], facts["processes"]) == ("finished", 2)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments, "--devices", "2", "--device", "cpu"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_steps(folder: Path, more: int) -> None:
    """Wait until the run has so many more bytes of progress."""
    lines, end = folder / "metrics.jsonl", time.monotonic() + 300
    while not lines.exists() or lines.stat().st_size < more:
        assert time.monotonic() < end, "it never began"
        time.sleep(0.05)


def child(parent: int, rank: int) -> int:
    """The process of this rank."""
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                words = (each / "stat").read_text().rpartition(")")[2].split()
                known = (each / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(words[1]) == parent and f"RANK={rank}".encode() in known:
                return int(each.name)
    raise AssertionError("no such process")


def test_it_is_stopped_goes_on_and_loses_a_process(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SPEC)
    run = tmp_path / "run"
    first = start(tmp_path, "small.yaml", "-b", "torch", "-o", "run")
    wait_for_steps(run, 1)
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=120)
    assert first.returncode == 130, err
    assert err.splitlines()[-1] == "netspec: interrupted"
    assert sum("to go on: netspec train --resume run" in line for line in err.splitlines()) == 1
    assert out.count("epoch") <= 1
    assert json.loads((run / "run.json").read_text())["state"] == "stopped"

    second = start(tmp_path, "--resume", "run")
    wait_for_steps(run, (run / "metrics.jsonl").stat().st_size + 100)
    os.kill(child(second.pid, 1), signal.SIGKILL)
    out, err = second.communicate(timeout=120)
    assert second.returncode == 2, err
    assert "netspec: process 1 of 2 was ended by SIGKILL" in err
    assert "Traceback" not in err
    assert json.loads((run / "run.json").read_text())["state"] == "failed"
    assert (run / "checkpoint.safetensors").exists()
