"""Keras on PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch

from netspec_keras.engines import float64
from netspec_keras.engines.interface import (
    AsOne,
    Forward,
    Gradients,
    Loss,
    Program,
    Spread,
    Tensors,
    listed,
)
from netspec_torch.precision import deterministic, full_precision, products

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.types import Float


class Torch:
    """Computes gradients by autograd: a Keras model is a PyTorch module."""

    title = "PyTorch"
    keeps_float64 = False

    def devices(self, kind: str) -> list[str]:
        if kind == "gpu":
            return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        return ["cpu:0"] if kind == "cpu" else []

    @contextmanager
    def exact(self, dtype: Float) -> Iterator[None]:
        with ExitStack() as settings:
            settings.enter_context(full_precision())
            if dtype == "float64":
                settings.enter_context(float64.kept(self.title))
            yield

    def rounded(self) -> AbstractContextManager[object]:
        return products(rounded=True)

    def forward(self, model: Any) -> Forward:
        def outputs(inputs: Tensors) -> Tensors:
            with torch.no_grad():
                return listed(model(list(inputs), training=True))

        return outputs

    def gradients(self, network: Any, variables: Tensors, loss: Loss) -> Gradients:
        def gradients(inputs: Tensors, targets: Tensors) -> Tensors:
            value = loss(network(list(inputs), training=True), targets)
            sources = [variable.value for variable in variables]
            none = [None] * len(sources)
            found = torch.autograd.grad(value, sources, allow_unused=True) if value.requires_grad else none
            pairs = zip(sources, found, strict=True)
            return [torch.zeros_like(source) if each is None else each for source, each in pairs]

        return gradients

    def program(
        self, function: Callable[..., Any], variables: Tensors, compile: bool, deterministic: bool
    ) -> Program:
        return Eager(function)

    def deterministic(self, wanted: bool) -> AbstractContextManager[object]:
        return deterministic(wanted, "cuda" if torch.cuda.is_available() else "cpu")

    def spread(self, kind: str, count: int) -> Spread:
        return AsOne(self)

    def descend(
        self, value: Callable[[], tuple[Any, Any]], learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        with torch.enable_grad():
            loss, found = value()
            sources = [variable.value for variable in learnt]
            none = [None] * len(sources)
            slopes = torch.autograd.grad(loss, sources, allow_unused=True) if loss.requires_grad else none
        pairs = zip(sources, slopes, strict=True)
        whole = [torch.zeros_like(source) if each is None else each for source, each in pairs]
        return [each.detach() if torch.is_tensor(each) else each for each in found], whole

    def after(self, before: Any, tensors: Any) -> Any:
        return tensors  # PyTorch calculates one after the other

    def array(self, value: Any) -> Array:
        # NumPy warns of the way in which Keras turns a tensor into an array.
        found: Array = value.detach().cpu().numpy().copy()
        return found

    def peak_bytes(self) -> int | None:
        return int(torch.cuda.max_memory_allocated())


class Eager:
    """See `netspec_keras.engines.interface.Program`. Nothing is compiled, and variables always have their values."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *tensors: Any) -> Any:
        with torch.no_grad():
            return self._function(*tensors)

    def each(self, *stacked: Any) -> Any:
        """The results of several calls."""
        raise NotImplementedError("Keras compiles nothing on PyTorch")

    def settle(self) -> None:
        """Do nothing."""
