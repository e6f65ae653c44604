"""Memory that really runs out: the error of each framework leads to the batch that fits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netspec.backend import Trains, backend, shortage, usable
from netspec.recipe import Recipe
from netspec.training.run import OutOfMemory, train
from tests.having import needs
from tests.training.fakes import dataset, network

RECIPE = Recipe(data="own", batch=8, epochs=1)


def raised(kind: str, text: str, base: type[Exception]) -> Exception:
    error: Exception = type(kind, (base,), {})(text)
    return error


# What frameworks raise, as they say it; and the beginning of what netspec says.
SHORTAGES = [
    (
        "torch",
        "OutOfMemoryError",
        RuntimeError,
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
        "CUDA out",
    ),
    (
        "torch",
        "AcceleratorError",
        RuntimeError,
        "CUDA error: out of memory\nCUDA kernel errors",
        "CUDA error",
    ),
    (
        "torch",
        "RuntimeError",
        RuntimeError,
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 40000000000 bytes. Error code 12 (Cannot allocate memory)",
        "DefaultCPUAllocator: can't allocate memory: you tried",
    ),
    (
        "keras",
        "ResourceExhaustedError",
        Exception,
        "{{function_node __wrapped__Fill_device_/job:localhost/device:CPU:0}} OOM when allocating tensor with "
        "shape[100000,100000] and type float on device:CPU:0 by allocator mklcpu [Op:Fill] name: ",
        "OOM when allocating tensor with shape[100000,100000]",
    ),
    (
        "keras",
        "JaxRuntimeError",
        RuntimeError,
        "RESOURCE_EXHAUSTED: Out of memory allocating 4000000000000 bytes.",
        "out of memory allocating 4000000000000 bytes",
    ),
]


@pytest.mark.parametrize(("name", "kind", "base", "text", "says"), SHORTAGES)
def test_a_frameworks_error_is_known(name: str, kind: str, base: Any, text: str, says: str) -> None:
    from netspec_cli.failures import told

    error = raised(kind, text, base)
    found = shortage(error, [backend(name)])
    assert found is not None
    assert found.startswith(says)
    assert told(error) == (f"netspec: not enough memory: {found}", 2)


def test_another_error_is_no_lack_of_memory() -> None:
    for error in (
        RuntimeError("shapes differ"),
        ValueError("out of memory"),
        raised("XlaRuntimeError", "INTERNAL", RuntimeError),
    ):
        assert shortage(error) is None


def test_an_error_is_reported_even_if_the_backends_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec.backend import discovery
    from netspec_cli.failures import told

    def fail() -> dict[str, str]:
        raise AttributeError("the search for backends fails")

    monkeypatch.setattr(discovery, "registered", fail)
    assert told(ValueError("another error")) is None
    assert told(MemoryError("Two arrays.")) == ("netspec: not enough memory: two arrays", 2)


HUGE = 10**7
"""A square of so many numbers is larger than the address space of any process."""


def test_kerass_engine_raises_and_a_smaller_batch_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("keras")
    from netspec_keras.framework import ops
    from netspec_keras.training.trainer import KerasTrainer

    place = KerasTrainer._placed

    def placed(self: Any, batch: Any, axis: int) -> Any:
        samples = len(next(iter(batch[0].values())))
        return ops.zeros((HUGE, HUGE)) if samples > 4 else place(self, batch, axis)

    monkeypatch.setattr(KerasTrainer, "_placed", placed)
    with pytest.raises(OutOfMemory, match=r"a batch of 4 fits, one of 8 does not") as caught:
        train(
            network(),
            usable(["keras"], Trains)[0],
            RECIPE,
            dataset(train=16),
            out=tmp_path / "run",
            device="cpu",
        )
    assert "on keras: OOM when allocating" in str(caught.value) or "out of memory" in str(caught.value)


SPEC = """\
netspec: 1
name: wide
input: [3, 32, 32]
layers: [{conv: {filters: 64, kernel: 1}}, sigmoid, tanh, sigmoid, tanh, global_avg_pool, {dense: 2}, softmax]
train: {data: ./own.npz, batch: 512, epochs: 1}
"""
PROGRAM = """
import resource, sys
import netspec_torch.training.trainer
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
sys.argv = ["netspec", "train", "wide.yaml", "-b", "torch", "--device", "cpu"]
from netspec_cli.main import run
run()
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="it limits the memory of a process")
def test_a_process_without_memory_says_which_batch_fits(tmp_path: Path) -> None:
    """Only PyTorch raises an error when the system refuses memory of any kind; TensorFlow can crash."""
    import numpy as np

    needs("torch")
    (tmp_path / "wide.yaml").write_text(SPEC)
    images = np.zeros((512, 3, 32, 32), "uint8")
    np.savez(tmp_path / "own.npz", train_images=images, train_labels=np.arange(512) % 2)
    path = os.pathsep.join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 2, done.stderr
    assert "netspec: not enough memory in epoch 1, with batches of 512 samples" in done.stderr
    assert "tried on the device: a batch of " in done.stderr
    assert "start again with --set train.batch=" in done.stderr
