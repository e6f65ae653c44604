"""Builds Keras models: executes exactly the generated text, sets the weights, and reads them."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from netspec.backend import Incapable, NoDevice
from netspec.dataclass import dataclass
from netspec.graph import Graph, Node
from netspec.lowering.template import WrongFold
from netspec.types import Type
from netspec_keras.engines import running
from netspec_keras.framework import keras, ops
from netspec_keras.layer import Holder, title
from netspec_keras.sharing import forms, layers_of
from netspec_keras.source import function_name, source

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float


@dataclass(frozen=True, slots=True)
class VariableHome:
    """The home of one weight of a graph: the layer and its variable."""

    name: str
    layer: str
    holder: Holder
    shape: tuple[int, ...]
    learns: bool

    def variable(self, model: Any) -> Any:
        """The variable of a model with this weight."""
        return _of(self.owner(model), self.holder.variable.rpartition(".")[2])

    def owner(self, model: Any) -> Any:
        """The layer of a model, or the layer in it, that has the variable."""
        found = model.get_layer(self.layer)
        for name in self.holder.variable.split(".")[:-1]:
            found = _of(found, name)
        return found


def _of(whole: Any, name: str) -> Any:
    return whole[int(name)] if name.isdigit() else getattr(whole, name)


def homes(graph: Graph) -> Iterator[VariableHome]:
    """The homes of all weights."""
    shared = forms(graph)
    for node in graph.nodes:
        if node.weights and node.shares is None:
            yield from _homes(node, layers_of(graph, node, shared).holders)


def measuring(model: Any, graph: Graph) -> Iterator[tuple[frozenset[str], Any]]:
    """The layers of a model that measure statistics in training and learn, each with the names of all its weights."""
    known = {home.name: home for home in homes(graph)}
    for node in graph.nodes:
        statistics = [weight.name for weight in node.weights if weight.statistic]
        if statistics and node.trainable and node.shares is None:
            home = known[statistics[0]]
            yield frozenset(weight.name for weight in node.weights), home.owner(model)


def _homes(node: Node, holders: Mapping[str, Holder]) -> Iterator[VariableHome]:
    for weight in node.weights:
        holder = holders[node.local(weight)]
        learns = node.trainable and weight.trainable and not weight.statistic
        yield VariableHome(weight.name, title(node.name), holder, weight.shape, learns)


def build(graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto") -> Any:
    """Execute the generated text, and set the weights of the model.

    `device` is "auto", "cpu", or a name in Keras' form ("gpu:0"; "cuda" means a GPU).

    Raises:
        Incapable: in float64, Keras rounds some results of the model to float32 on the engine that runs.
    """
    engine = running()
    if dtype == "float64" and not engine.keeps_float64:
        raise Incapable(
            f"a Keras model rounds some results to float32 on {engine.title}, whatever its dtype",
            "build it in float32, or set KERAS_BACKEND=tensorflow",
        )
    model = execute(source(graph).text, graph, dtype, device)
    write(model, graph, weights)
    return model


def execute(
    code: str | ast.Module,
    graph: Graph,
    dtype: Float,
    device: str = "auto",
    given: Mapping[str, object] | None = None,
    policy: str | None = None,
) -> Any:
    """Execute generated text, or its syntax tree, and call the function that makes the model.

    `given` are further names for the text. `policy` is Keras' policy of its layers, by default the `dtype` for all: a
    mixed one has weights in `dtype`.
    """
    function = function_name(graph)
    file = f"<netspec keras {function}>"
    if isinstance(code, str):
        # So that a traceback shows the generated line.
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    module: dict[str, Any] = {"__name__": f"netspec_generated_{function}", **(given or {})}
    with _precision(dtype, policy or dtype), _undrawn(), placed(device):
        exec(compile(code, file, "exec"), module)  # noqa: S102 - the text is our own, its names are proven
        return module[function]()


def placed(device: str) -> AbstractContextManager[object]:
    """Place everything on a device meanwhile; "auto" leaves the choice to Keras."""
    if device == "auto":
        return nullcontext()
    chosen: AbstractContextManager[object] = keras.device(known(device))
    return chosen


def known(device: str) -> str:
    """The device with its name in Keras. For a missing device, TensorFlow would use the CPU without a message.

    Raises:
        NoDevice: the device does not exist, or is not a valid name.
    """
    name = device.lower().replace("cuda", "gpu")
    kind, colon, number = name.partition(":")
    if kind not in ("cpu", "gpu", "tpu") or (colon and not number.isdecimal()):
        raise NoDevice(
            f"Keras does not have a device called `{device}`", "name auto, cpu, gpu, or one GPU as gpu:0"
        )
    count = len(running().devices(kind))
    if int(number or 0) >= count:
        raise NoDevice.counted(device, count)
    return name


def kind_of(device: str) -> str:
    """The kind of a device: "cpu", "gpu" or "tpu".

    Raises:
        NoDevice: the device does not exist, or is not a valid name.
    """
    if device != "auto":
        return known(device).partition(":")[0]
    return next((kind for kind in ("tpu", "gpu") if running().devices(kind)), "cpu")


def write(model: Any, graph: Graph, weights: Arrays) -> None:
    """Set the weights of a model, given by canonical name and in canonical layout.

    Raises:
        WrongFold: the model holds other weights than the graph.
    """
    known = set()
    for home in homes(graph):
        variable = home.variable(model)
        known.add(id(variable))
        value = home.holder.inward(np.asarray(weights[home.name]).astype(variable.dtype))
        if home.holder.part is not None:
            whole = np.array(array(variable))
            whole[home.holder.part] = value
            value = whole
        variable.assign(value)
    if beyond := [variable.path for variable in model.weights if id(variable) not in known]:
        raise WrongFold(f"{graph.name}: no weight of the graph is {', '.join(beyond[:5])}")


def read(model: Any, graph: Graph) -> dict[str, Array]:
    """The weights of a model that `build` made, by canonical name and in canonical layout."""
    return {home.name: home.holder.outward(array(home.variable(model)), home.shape) for home in homes(graph)}


def array(variable: Any) -> Array:
    """A copy of the value of a variable."""
    return running().array(variable.value)


def inward(array: Array, type_: Type) -> Array:
    """Convert a batch from channels first to channels last, as Keras models take it."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if type_.channels and type_.spatial else array


def outward(array: Array, type_: Type) -> Array:
    """Convert a batch from channels last, as Keras models give it, to channels first."""
    # Keras counts indices in 32 bits.
    array = array.astype("int64") if type_.dtype == "int" else array
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if type_.channels and type_.spatial else array


@contextmanager
def _precision(dtype: Float, policy: str) -> Iterator[None]:
    """Set the dtype of every layer built meanwhile: inputs follow floatx, all other layers the policy."""
    before, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(before)


@contextmanager
def _undrawn() -> Iterator[None]:
    """Initialise all weights with zeros meanwhile: drawing values that are overwritten takes seconds."""

    def zeros(self: Any, shape: Any, dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype=dtype)

    drawing = [getattr(keras.initializers, name) for name in DRAWING]
    kept = [initializer.__call__ for initializer in drawing]
    for initializer in drawing:
        initializer.__call__ = zeros
    try:
        yield
    finally:
        for initializer, call in zip(drawing, kept, strict=True):
            initializer.__call__ = call


DRAWING = ("VarianceScaling", "RandomNormal", "RandomUniform", "Orthogonal")
"""The initialisers that draw; all others in generated text are subclasses of these, or constants."""
