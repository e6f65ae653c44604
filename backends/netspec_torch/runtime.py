"""Builds models: executes exactly the generated text, and sets the weights."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from netspec.backend import NoDevice, Source
from netspec.graph import Graph
from netspec.lowering.template import WrongFold
from netspec_torch.attributes import Attributes, rooted
from netspec_torch.source import class_name, source

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float

DTYPES = {"float32": torch.float32, "float64": torch.float64}

CPU = torch.device("cpu")

_numbers = count(1)


def build(graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto") -> nn.Module:
    """An instance of the generated class, with these weights, in evaluation mode.

    Raises:
        ValueError: the weights are not those of the graph.
    """
    text = source(graph)
    module = execute(text, ast.parse(text.text), graph.name, {})
    return instance(module, graph, weights, dtype, choose(device, dtype)).eval()


def choose(device: str, dtype: Float = "float32") -> torch.device:
    """The device with this name; `auto` is the GPU if there is one.

    Raises:
        NoDevice: the device does not exist, is not a valid name, or does not compute in `dtype`.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        named = torch.device(device)
    except RuntimeError:  # its message lists unusual devices
        raise NoDevice(
            f"PyTorch does not have a device called `{device}`", "name auto, cpu, cuda, or one GPU as cuda:0"
        ) from None
    # PyTorch takes any number for a CPU, and answers for a GPU that is missing with a text for its developers.
    count = _count(named.type)
    if (named.index or 0) >= count:
        raise NoDevice.counted(device, count)
    try:
        torch.zeros((), dtype=DTYPES[dtype], device=named).item()
    except Exception as error:  # it is full, or has no kernel: each raises something else
        why = re.split(r"\.\s|\n", str(error))[0] or type(error).__name__
        raise NoDevice(f"the device `{device}` cannot be used: {why}", "name auto, or cpu") from error
    return named


def _count(kind: str) -> int:
    """How many devices of a kind are on this machine."""
    try:
        count: int = torch.get_device_module(kind).device_count()
    except (RuntimeError, AttributeError):  # a kind without a module, or without devices: "meta", "fpga"
        return 0
    return count


def execute(text: Source, tree: ast.Module, name: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """The names that the text defines. `names` are available to it. Tracebacks show its lines."""
    file = f"<netspec {name} {next(_numbers)}>"
    linecache.cache[file] = (len(text.text), None, text.text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": f"netspec.generated.{name}", **names}
    exec(compile(tree, file, "exec"), space)  # noqa: S102 - the text is our own; its names are proven
    return space


def instance(
    space: Mapping[str, Any], graph: Graph, weights: Arrays, dtype: Float, device: torch.device = CPU
) -> nn.Module:
    """The network on a device, with its weights."""
    # Nothing is drawn that would be overwritten; but layers of one weight lose each other on the way from there, and
    # buffers of two layers on the way to another device.
    tied = any(node.shares is not None for node in graph.nodes)
    meta = torch.device("meta")
    model = _constructed(space, graph, dtype, device if tied else meta)
    if any(each.is_meta for _, each in constants(model)):
        model = _constructed(space, graph, dtype, device)
    write(model, graph, weights, DTYPES[dtype])
    return model.to(device)


def _constructed(space: Mapping[str, Any], graph: Graph, dtype: Float, device: torch.device) -> nn.Module:
    with (
        default_dtype(DTYPES[dtype]),
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        device,
        _Undrawn(),
    ):
        model: nn.Module = space[class_name(graph)]()
    return model


def constants(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """The buffers that are not weights: what a layer calculates with, in the precision of its model."""
    kept = model.state_dict(keep_vars=True)
    return ((name, each) for name, each in model.named_buffers(remove_duplicate=False) if name not in kept)


class _Undrawn(TorchFunctionMode):
    """Skips random initialisation: the values would be overwritten."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return args[0] if func in _DRAWS else func(*args, **(kwargs or {}))


_DRAWS = (torch.Tensor.normal_, torch.Tensor.uniform_)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Set PyTorch's default dtype for new tensors, and restore it afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def keys(graph: Graph) -> dict[str, str]:
    """For the canonical name of every weight, its key in the state dict."""
    attributes = Attributes(rooted(graph))
    return {
        weight.name: attributes.key(node, weight)
        for node in graph.nodes
        if node.shares is None
        for weight in node.weights
    }


def write(model: nn.Module, graph: Graph, weights: Arrays, dtype: torch.dtype) -> None:
    """Set the weights of a model.

    Raises:
        ValueError: a weight is missing, unknown, or of another shape.
        WrongFold: the model has other tensors than the graph.
    """
    names = keys(graph)
    if wrong := weights.keys() ^ names.keys():
        raise ValueError(f"these are not the weights of {graph.name}: {', '.join(sorted(wrong)[:5])}")
    state = {names[name]: _tensor(array, dtype) for name, array in weights.items()}
    further = _further(graph)
    for key, tensor in model.state_dict().items():
        if key in further:
            state[key] = torch.zeros_like(tensor, device="cpu")
    try:
        assign = any(tensor.is_meta for tensor in model.state_dict().values())
        found = model.load_state_dict(state, strict=False, assign=assign)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    if beyond := [*found.unexpected_keys, *_beyond(model, names.values(), further)]:
        raise WrongFold(f"{graph.name}: generated code and graph disagree about {', '.join(beyond[:5])}")


def _further(graph: Graph) -> frozenset[str]:
    """The keys of tensors that layers have besides weights; all start at 0."""
    attributes = Attributes(rooted(graph))
    return frozenset(key for node in graph.nodes for key in attributes.further(node))


def _beyond(model: nn.Module, names: Collection[str], further: Collection[str]) -> Iterator[str]:
    """The parameters and buffers without one of these keys, which would be neither set nor read."""
    held = dict(
        chain(model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False))
    )
    for name, _ in constants(model):
        del held[name]
    known = {id(held[name]) for name in names if name in held}
    for name, tensor in held.items():
        if tensor.is_meta or (id(tensor) not in known and name not in further):
            yield name


def _tensor(array: Array, dtype: torch.dtype) -> torch.Tensor:
    # A copy: training must not change the caller's arrays.
    return torch.from_numpy(np.array(array, order="C")).to(dtype)


def read(model: nn.Module, graph: Graph) -> dict[str, Array]:
    """The weights of a model, with canonical names."""
    return named(model.state_dict(), graph)


def named(state: Mapping[str, torch.Tensor], graph: Graph) -> dict[str, Array]:
    """The weights in a state dict, with canonical names."""
    return {name: state[key].detach().cpu().numpy().copy() for name, key in keys(graph).items()}
