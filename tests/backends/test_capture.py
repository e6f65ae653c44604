"""A step that is captured as a CUDA graph: why not, and on a GPU the same bits as a plain one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from netspec.backend import Trains, Unsupported, usable
from netspec.fit import World
from netspec.recipe.losses import CrossEntropy
from netspec.recipe.optimizers import Adagrad
from tests.training.learning import QUICK, Training

torch = pytest.importorskip("torch")
TASK = replace(QUICK[0].task("float64"), capture=True)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, ""),
        ({"world": World(0, 2)}, "several processes"),
        ({"compile": True}, "already compiles"),
        ({"precision": "fp16"}, "on the host"),
        ({"optimizer": Adagrad(learning_rate=0.1)}, "Adagrad"),
        (
            {"terms": (replace(TASK.terms[0], loss=CrossEntropy(class_weights=(1.0, 2.0))),)},
            "weights of classes",
        ),
    ],
)
def test_the_reason_is_known_before_the_first_step(settings: dict[str, Any], why: str) -> None:
    from netspec_torch.training.capture import uncaptured

    assert why in uncaptured(replace(TASK, **settings), "cuda")
    assert bool(uncaptured(replace(TASK, **settings), "cuda")) == bool(why)
    assert uncaptured(replace(TASK, **settings), "cpu") == "only GPUs have CUDA graphs"


def test_a_cpu_refuses_it() -> None:
    with pytest.raises(Unsupported, match="`capture: true` is not obeyed by torch: only GPUs"):
        usable(["torch"], Trains)[0].trainer(TASK)


def test_a_step_that_cannot_be_captured_is_taken_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture that fails after the first steps changes nothing, and its reason is reported."""
    from netspec_torch.training import capture

    def fail(self: Any, batches: Any) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nat a place")

    monkeypatch.setattr(capture.Captured, "_capture", fail)
    assert learnt(QUICK[0], True, "cpu") == learnt(QUICK[0], False, "cpu")


def learnt(training: Training, captures: bool, device: str) -> tuple[list[float], dict[str, bytes]]:
    from netspec_torch.training.capture import WARM, Captured
    from netspec_torch.training.trainer import TorchTrainer

    trainer = TorchTrainer(replace(training.task("float32"), capture=device != "cpu", device=device))
    if not captures:
        trainer.captured, trainer.take = None, trainer._taken
    elif device == "cpu":
        captured = Captured(trainer._taken, trainer._changing, trainer.device)
        trainer.captured, trainer.take, trainer.uncaptured = captured, captured, ""
    losses: list[float] = []
    trainer.run(training.batches(), training.rates(), lambda rows: losses.extend(rows[:, 0].tolist()), {})
    if captures:
        reason = "PyTorch cannot capture it: operation not permitted when stream is capturing"
        wanted = [] if device != "cpu" else [f"steps are not captured as a CUDA graph: {reason}"]
        assert trainer.remarks() == wanted
        assert trainer.warm_up() > WARM
    return losses, {name: array.tobytes() for name, array in trainer.weights().items()}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
@pytest.mark.parametrize("training", QUICK, ids=lambda each: each.name)
def test_captured_steps_give_the_same_bits(training: Training) -> None:
    from netspec_torch.training.capture import uncaptured

    if why := uncaptured(replace(training.task("float32"), capture=True), "cuda"):
        pytest.skip(why)
    assert learnt(training, True, "cuda") == learnt(training, False, "cuda")
