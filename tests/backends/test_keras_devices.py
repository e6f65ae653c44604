"""Several devices of one process give the weights and losses of one, to 1e-10 in float64."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.backend import Unsupported, usable
from netspec.fit import Batch, Task
from netspec.recipe.metrics import Measured, RootMeanSquare
from netspec.recipe.optimizers import Sgd
from netspec.weights import initialise
from netspec_keras import backend, engine
from tests.structures import structure
from tests.training.driving import classifier
from tests.training.learning import QUICK, Training

pytest.importorskip("keras")
WITHIN = 1e-10
ROWS = QUICK[::4]
"""No part of a loss or of an optimiser is divided, so a few are enough."""
PROGRAM = """
import json
from keras import backend
if backend.backend() == "tensorflow":
    import tensorflow as tf
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.backends.test_keras_devices import apart
print(json.dumps(apart()))
"""


def learnt(training: Training, devices: int) -> dict[str, Any]:
    """What a trainer has learnt and measured; the last step has one sample, which two devices cannot divide."""
    task = replace(training.task("float64"), devices=devices)
    if training.row.targets == "numbers":
        metric = Measured("rmse", task.graph.outputs[0].name, "t", RootMeanSquare(), reading="numbers")
        task = replace(task, metrics=(metric,))
    trainer = backend().trainer(task)
    steps = [*training.batches()][:8]
    inputs, targets = (
        {name: array[:1] for name, array in arrays.items()}
        for arrays in (steps[-1][0].inputs, steps[-1][0].targets)
    )
    steps[-1] = [Batch(inputs, targets, 1)]
    losses: list[Any] = []
    tallies = trainer.run(iter(steps), training.rates(), lambda rows: losses.extend(rows[:, 0]), {})
    measured = trainer.evaluate(step[0] for step in steps)
    return {
        **{f"weights/{name}": each for name, each in trainer.weights().items()},
        **{f"trained/{name}": each for name, each in tallies.items()},
        **{f"measured/{name}": each for name, each in measured.items()},
        "losses": np.array(losses),
    }


def apart() -> dict[str, float]:
    """For each training, how far what two devices learn is from what one does, relative to the largest number."""
    found = {}
    for training in ROWS:
        one, two = learnt(training, 1), learnt(training, 2)
        assert one.keys() == two.keys()
        found[training.name] = max(
            float(np.abs(one[name] - two[name]).max() / max(1.0, np.abs(one[name]).max())) for name in one
        )
    return found


@pytest.mark.slow
@pytest.mark.skipif(engine.chosen() == "torch", reason="Keras has no distribution on PyTorch")
def test_two_devices_learn_what_one_learns() -> None:
    usable(["keras"], type(backend()))
    path = os.pathsep.join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)
    flags = {"PYTHONPATH": path, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **flags},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == len(ROWS)
    assert max(found.values()) < WITHIN, found


def divided(network: str, **settings: Any) -> Task:
    graph = structure(network)
    return classifier(graph, initialise(graph), Sgd(), devices=2, **settings)


@pytest.mark.skipif(
    engine.chosen() != "tensorflow", reason="other engines divide every calculation, or nothing"
)
def test_what_devices_do_not_divide_is_refused() -> None:
    with pytest.raises(Unsupported, match="statistics of those only"):
        backend().trainer(divided("residual"))
    with pytest.raises(Unsupported, match="`compile: true` makes one program"):
        backend().trainer(divided("chain", compile=True))
