"""`--tensorboard`: the scalars of a training by part and by step, in the run folder, with TensorBoard's own library."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from netspec.backend import Unavailable
from netspec.training.report import Epoch
from netspec.training.tensorboard import Events, require

Scalar = tuple[str, float, int]
EPOCH = Epoch(1, {"train_loss": 0.5, "validation_accuracy": 0.75, "validation_per_class": [1.0, None]}, 2.0)
WRITTEN = [
    ("step/loss", 3.0, 1),
    ("step/loss", 2.0, 2),
    ("loss/train", 0.5, 1),
    ("accuracy/validation", 0.75, 1),
    ("per_class/0/validation", 1.0, 1),
    ("epoch/seconds", 2.0, 1),
    ("step/loss", 1.0, 3),
    ("loss/test", 0.25, 1),
]


def follow(events: Events) -> None:
    """A training of one epoch, and the first step of the next."""
    events.steps(1, 1, [3.0, 2.0])
    events.epoch(EPOCH)
    events.steps(2, 1, [1.0])
    events.tested(Epoch(1, {"test_loss": 0.25, "test_confusion": [[1, 2], [3, 4]], "test_auc": None}, 1.0))


def test_writes_scalars_by_part_and_by_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written: list[Scalar] = []
    writer = SimpleNamespace(
        add_scalar=lambda tag, value, step: written.append((tag, value, step)), flush=lambda: None
    )
    library = ModuleType("tensorboard")
    library.compat = SimpleNamespace()  # type: ignore[attr-defined]
    library.summary = SimpleNamespace(Writer=lambda folder: writer)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorboard", library)
    follow(Events(tmp_path / "tensorboard"))
    assert written == WRITTEN
    written.clear()
    Events(tmp_path / "tensorboard", done=100).steps(2, 1, [1.0])
    assert written == [("step/loss", 1.0, 101)], "a resumed run goes on counting"


def test_a_new_run_removes_the_events_of_an_old_one_with_its_first_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = ModuleType("tensorboard")
    writer = SimpleNamespace(add_scalar=lambda *given: None, flush=lambda: None)
    library.compat = SimpleNamespace()  # type: ignore[attr-defined]
    library.summary = SimpleNamespace(Writer=lambda folder: writer)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorboard", library)
    for name in ("events.out.tfevents.1.host", "notes.txt"):
        (tmp_path / name).write_text("")
    events = Events(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    events.steps(1, 1, [1.0])
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(Unavailable, match="--tensorboard needs the package tensorboard") as caught:
        require()
    assert caught.value.fix == 'pip install "netspec-compiler[tensorboard]"'


def test_the_real_library_reads_what_was_written(tmp_path: Path) -> None:
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    events = Events(tmp_path)
    follow(events)
    (file,) = tmp_path.iterdir()
    found = [
        (value.tag, value.tensor.float_val[0], event.step)
        for event in loader.EventFileLoader(str(file)).Load()
        for value in event.summary.value
    ]
    assert found == WRITTEN
