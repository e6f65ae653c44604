"""Trains with a plain PyTorch loop: cross-entropy of logits, with the given batches and optimiser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from netspec.dataclass import dataclass
from netspec.fit import Fit
from netspec_torch.runtime import build, choose, read
from netspec_torch.training.optimizers import Stepper, make_optimizer

if TYPE_CHECKING:
    from netspec.fit import Batch


def train(fit: Fit) -> None:
    """Train the network of a `Fit`, and report every step and epoch."""
    device = choose(fit.device)
    with _repeatable(fit.seed, device):
        model = build(fit.graph, fit.weights, "float32", str(device))
        optimizer = make_optimizer(fit.optimizer, model)
        for epoch in range(1, fit.epochs + 1):
            trained = _train_epoch(fit, model, optimizer, epoch, device)
            tested = _test(fit, model, device)
            metrics = {
                "train_loss": trained.loss,
                "train_accuracy": trained.accuracy,
                "test_loss": tested.loss,
                "test_accuracy": tested.accuracy,
            }
            fit.report.epoch(epoch, metrics, lambda: read(model, fit.graph))


@dataclass
class _Tally:
    """Sums over samples."""

    samples: int = 0
    total_loss: float = 0.0
    right: int = 0

    def add(self, loss: float, logits: torch.Tensor, labels: torch.Tensor) -> None:
        self.samples += len(labels)
        self.total_loss += loss * len(labels)
        self.right += int((logits.argmax(dim=1) == labels).sum())

    @property
    def loss(self) -> float:
        return self.total_loss / max(self.samples, 1)

    @property
    def accuracy(self) -> float:
        return self.right / max(self.samples, 1)


def _train_epoch(fit: Fit, model: nn.Module, optimizer: Stepper, epoch: int, device: torch.device) -> _Tally:
    """The tally has the values of each batch before its update."""
    model.train()
    tally = _Tally()
    for step, batch in enumerate(fit.batches(epoch), start=1):
        images, labels = _on(batch, device)
        optimizer.zero()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        tally.add(loss.item(), logits, labels)
        fit.report.step(epoch, step, loss.item())
    return tally


@torch.no_grad()
def _test(fit: Fit, model: nn.Module, device: torch.device) -> _Tally:
    model.eval()
    tally = _Tally()
    for batch in fit.test_batches():
        images, labels = _on(batch, device)
        logits = model(images)
        tally.add(F.cross_entropy(logits, labels).item(), logits, labels)
    return tally


def _on(batch: Batch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = batch
    return torch.as_tensor(images).to(device), torch.as_tensor(labels, dtype=torch.int64).to(device)


@contextmanager
def _repeatable(seed: int, device: torch.device) -> Iterator[None]:
    """Make every run give the same numbers, and restore PyTorch's settings afterwards."""
    if device.type == "cuda":
        # cuBLAS is deterministic only with its own workspace, and reads this once.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        # Some layers have no deterministic kernel on a GPU (pools over volumes); PyTorch then warns and continues.
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
