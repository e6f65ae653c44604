"""What `netspec shapes` counts, against PyTorch: its parameters, its operations, what it allocates and keeps."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from docs.proofs import ROWS, Row
from netspec.analysis import analyze
from netspec.graph import Graph, Input
from netspec.ops.swept import Swept
from netspec.weights import initialise
from netspec_torch import backend
from tests.language.author import graph_of
from tests.structures import STRUCTURES, structure

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
sdpa_kernel, SDPBackend = (
    getattr(pytest.importorskip("torch.nn.attention"), name) for name in ("sdpa_kernel", "SDPBackend")
)
FlopCounterMode = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode
TorchDispatchMode = pytest.importorskip("torch.utils._python_dispatch").TorchDispatchMode
GRAPHS = {name: structure(name) for name in STRUCTURES}


def quick(row: Row) -> object:
    return pytest.param(row, id=row.spec, marks=() if row.quick else pytest.mark.slow)


def _dtype(given: Input) -> Any:
    return torch.float32 if given.vocabulary is None else torch.int64


@pytest.mark.parametrize("row", [quick(row) for row in ROWS if row.spec != "lenet5_1998"])
def test_macs_are_half_the_operations_that_torch_counts(row: Row) -> None:
    """Without lenet5_1998, whose table and distances torch counts otherwise than as convolutions and products."""
    graph = row.graph(full=False)
    if any(isinstance(node.op, Swept) for node in graph.nodes):
        pytest.skip("torch does not count what its own recurrent layers calculate")
    # The tracker of modules asks a view of a parameter for its gradient, also within `no_grad`.
    model = backend().build(graph, initialise(graph), device="cpu").eval().requires_grad_(False)
    # Of attention torch counts the two products, but not in its fused kernel for a CPU.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(*(torch.zeros(1, *each.type.shape, dtype=_dtype(each)) for each in graph.inputs))
    assert analyze(graph).totals.macs == counter.get_total_flops() / 2


@pytest.mark.parametrize("name", GRAPHS)
def test_parameters_are_those_of_the_modules(name: str) -> None:
    graph = GRAPHS[name]
    totals = analyze(graph).totals
    module = backend().build(graph, initialise(graph), device="cpu")
    there = list(module.parameters())
    assert sum(each.numel() for each in there) == totals.params
    assert sum(each.numel() for each in there if each.requires_grad) == totals.trainable
    assert sum(each.numel() * each.element_size() for each in there) == totals.memory.weights_bytes


# Memory, by what PyTorch allocates.

CHAINS: dict[str, str] = {
    "falling": "input: [3, 20, 30]\nlayers: [{conv: {filters: 8, kernel: 3, stride: 2}}, tanh, {conv: {filters: 4, "
    "kernel: 3}}, {avg_pool: 2}, sigmoid]",
    "rising": "input: [2, 9]\nlayers: [{conv: {filters: 3, kernel: 3}}, tanh, {conv_transpose: {filters: 5, kernel: 4, "
    "stride: 3}}, sigmoid, {conv: {filters: 7, "
    "kernel: 1}}, tanh]",
    "wide in the middle": "input: [2, 6, 6, 6]\nlayers: [{conv: {filters: 20, kernel: 1}}, tanh, {conv: {filters: 30, "
    "kernel: 3}}, sigmoid, {conv: {filters: 1, kernel: 2}}]",
    "largest pair in the middle": "input: [1, 40]\nlayers: [{conv: {filters: 9, kernel: 3}}, {conv: {filters: 2, "
    "kernel: 1}}, {conv: {filters: 6, kernel: 1}}, {conv: {filters: 6, kernel: 1}}, {conv: {filters: 1, kernel: 1}}]",
}


class Allocations(TorchDispatchMode):  # type: ignore[misc, valid-type]
    """Follows which storages are alive; `peak` is the most bytes that were so at once."""

    def __init__(self, ignored: Iterator[Any]) -> None:
        super().__init__()
        self.alive: dict[int, tuple[int, int]] = {}
        self.ignored = {each.untyped_storage().data_ptr() for each in ignored}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in result if isinstance(result, tuple | list) else [result]:
            if isinstance(each, torch.Tensor):
                self.made(each)
        self.peak = max(self.peak, sum(size for size, _ in self.alive.values()))
        return result

    def made(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        key = storage.data_ptr()
        if key in self.ignored or not storage.nbytes():
            return
        size, users = self.alive.get(key, (storage.nbytes(), 0))
        self.alive[key] = (size, users + 1)
        weakref.finalize(tensor, self.gone, key)

    def gone(self, key: int) -> None:
        size, users = self.alive.pop(key)
        if users > 1:
            self.alive[key] = (size, users - 1)


def chain(name: str) -> Graph:
    return graph_of(f"netspec: 1\nname: chain\n{CHAINS[name]}\n")


@pytest.mark.parametrize("name", CHAINS)
def test_inference_takes_what_torch_allocates(name: str) -> None:
    """In a chain of layers that are one operation each, the most that is alive is one layer's input and output."""
    graph = chain(name)
    module = backend().build(graph, initialise(graph), device="cpu").eval()
    x = torch.zeros(1, *graph.inputs[0].type.shape)
    weights = list(module.parameters())
    with torch.no_grad(), Allocations(iter([x, *weights])) as allocations:
        module(x)
    weight_bytes = sum(each.numel() * each.element_size() for each in weights)
    assert allocations.peak + weight_bytes == analyze(graph).totals.memory.inference_bytes


KEPT: dict[str, str] = {
    "convolutions": "input: [3, 20, 30]\nlayers: [{conv: {filters: 8, kernel: 3, stride: 2}}, {conv: {filters: 4, "
    "kernel: 3}}, {avg_pool: 2}, {conv: {filters: 2, kernel: 1}}]",
    "with activations of their own": "input: [2, 9]\nlayers: [{conv: {filters: 3, kernel: 3, activation: tanh}}, "
    "{conv_transpose: {filters: 5, kernel: 4, stride: 3, activation: sigmoid}}, {conv: {filters: 2, kernel: 2}}]",
}
"""Chains in which each layer's gradient needs its input, or its output, so that all are kept."""


def saved(text: str) -> tuple[int, int]:
    """Bytes that PyTorch keeps for the gradients of a chain, input and output included, and the figure."""
    graph = graph_of(f"netspec: 1\nname: chain\n{text}\n")
    module = backend().build(graph, initialise(graph), device="cpu")
    x = torch.zeros(3, *graph.inputs[0].type.shape, requires_grad=True)
    weights = {each.untyped_storage().data_ptr() for each in module.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = module(x)
    keep(result)
    keep(x)
    return sum(kept.values()), 3 * analyze(graph).totals.memory.training_bytes_per_sample


@pytest.mark.parametrize("name", KEPT)
def test_training_takes_what_torch_keeps(name: str) -> None:
    kept, figure = saved(KEPT[name])
    assert kept == figure


@pytest.mark.parametrize("name", CHAINS)
def test_training_takes_no_less_than_torch_keeps(name: str) -> None:
    """The gradient of an activation needs its output only: what a layer of its own was made from need not stay."""
    kept, figure = saved(CHAINS[name])
    assert kept <= figure
