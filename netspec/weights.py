"""The values of weights: drawn from a seed and the name of each weight, with axes as letters, stored in safetensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from math import prod, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from netspec import files, tensors
from netspec.graph import Graph
from netspec.ops.base import Weight
from netspec.ops.fans import SCALED, Scaled, fans
from netspec.ops.initializers import Initializer
from netspec.ops.nearest import did_you_mean
from netspec.tensors import save

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.types import Float

    Array: TypeAlias = NDArray[np.generic]
    Drawn: TypeAlias = NDArray[np.float64]
    Draw: TypeAlias = Callable[[Weight, np.random.Generator], Drawn]

__all__ = [
    "WeightsError",
    "WeightsWarning",
    "check",
    "drawn",
    "fans",
    "initialise",
    "load",
    "relayout",
    "save",
    "starting",
]


class WeightsError(Exception):
    """Weights do not fit the network, or a file has no weights. `str()` lists every mismatch."""


class WeightsWarning(UserWarning):
    """Weights were converted or left out when they were read."""


def initialise(graph: Graph, seed: int = 0, dtype: Float = "float32") -> dict[str, Array]:
    """Every weight of the graph by its canonical name, including statistics (mean 0, variance 1).

    A weight is drawn in float64 from a generator that is seeded with `seed` (0 or more) and a hash of its name, and
    then rounded to `dtype`. It does not depend on the order of layers or on other weights.
    """
    return {weight.name: drawn(weight, seed).astype(dtype) for weight in graph.weights}


def drawn(weight: Weight, seed: int) -> Drawn:
    """One weight in float64, from its name, initialiser and fans, and the seed."""
    import numpy as np

    own = int.from_bytes(blake2b(weight.name.encode(), digest_size=16).digest(), "big")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, own])))
    values = _DRAWS[weight.init.kind](weight, generator)
    if weight.zero is not None:
        values[weight.zero] = 0.0
    if weight.lifts:
        values += np.repeat(np.array(weight.lifts, "float64"), weight.shape[0] // len(weight.lifts))
    return values


def _constant(value: Callable[[Initializer], float]) -> Draw:
    def draw(weight: Weight, generator: np.random.Generator) -> Drawn:
        import numpy as np

        return np.full(weight.shape, value(weight.init), "float64")

    return draw


def _uniform(weight: Weight, generator: np.random.Generator) -> Drawn:
    return generator.uniform(weight.init["low"], weight.init["high"], weight.shape)


def _normal(weight: Weight, generator: np.random.Generator) -> Drawn:
    return generator.normal(weight.init["mean"], weight.init["std"], weight.shape)


def _scaled(rule: Scaled) -> Draw:
    def draw(weight: Weight, generator: np.random.Generator) -> Drawn:
        variance = rule.variance(fans(weight))
        if rule.form == "normal":
            return generator.normal(0.0, sqrt(variance), weight.shape)
        limit = sqrt(3 * variance)
        return generator.uniform(-limit, limit, weight.shape)

    return draw


def _orthogonal(weight: Weight, generator: np.random.Generator) -> Drawn:
    """In each group, the rows of the matrix (first axis, all others) are orthonormal, or the columns if fewer."""
    import numpy as np

    rows, columns = weight.shape[0] // weight.groups, prod(weight.shape[1:])
    tall = generator.standard_normal((weight.groups, max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    # The signs in QR are not unique, and libraries differ; with a positive diagonal of r they are unique.
    q = q * np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)[:, None, :]
    return weight.init["gain"] * (q.transpose(0, 2, 1) if rows < columns else q).reshape(weight.shape)


def _bilinear(weight: Weight, generator: np.random.Generator) -> Drawn:
    """The product of a triangle along each axis, from each channel to itself; 0 between channels.

    Channels are counted within their group. For one value per channel, the result is 1.
    """
    import numpy as np

    if len(weight.shape) < 2:
        return np.ones(weight.shape)
    first, second, *kernel = weight.shape
    triangles = []
    for size in kernel:
        factor = (size + 1) // 2
        middle = factor - 1 if size % 2 else factor - 0.5
        triangles.append(1 - abs(np.arange(size) - middle) / factor)
    own = np.arange(first) % (first // weight.groups) % second
    spread: Drawn = (own[:, None] == np.arange(second)).astype("float64")
    for triangle in triangles:
        spread = spread[..., None] * triangle
    return spread


def _by_gate(weight: Weight, generator: np.random.Generator) -> Drawn:
    """The parts of a bias, each at its number."""
    import numpy as np

    values = [value for _, value in weight.init.settings]
    return np.repeat(np.array(values, "float64"), weight.shape[0] // len(values))


_DRAWS: dict[str, Draw] = {
    "zeros": _constant(lambda init: 0.0),
    "ones": _constant(lambda init: 1.0),
    "constant": _constant(lambda init: init["value"]),
    "uniform": _uniform,
    "normal": _normal,
    **{kind: _scaled(rule) for kind, rule in SCALED.items()},
    "orthogonal": _orthogonal,
    "bilinear": _bilinear,
    "by_gate": _by_gate,
}


def relayout(array: Array, axes: str, wanted: str) -> Array:
    """The same values with the axes in another order, contiguous: `relayout(w, "OIHW", "HWIO")`.

    Raises:
        ValueError: a letter is a duplicate or is not in both, or the array has another number of axes.
    """
    import numpy as np

    if len(set(axes)) != len(axes) or sorted(axes) != sorted(wanted):
        raise ValueError(f"{axes} cannot be reordered to {wanted}: both must have the same axes, each once")
    if array.ndim != len(axes):
        raise ValueError(f"an array of {array.ndim} axes ({_shape(array.shape)}) is not {axes}")
    return np.ascontiguousarray(array.transpose([axes.index(letter) for letter in wanted]))


def load(
    path: str | Path,
    graph: Graph,
    dtype: Float | None = None,
    native: Mapping[str, str | None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, Array]:
    """The weights of the graph from a safetensors file, each float32 or float64, with the values of the file.

    Args:
        dtype: the precision to which they will be rounded later, so that it can be reported; they are not rounded here.
        native: the names of weights in the models of backends, see `netspec.backend.native_names`.
        tell: called with a sentence for each conversion; without it, a `WeightsWarning` is issued.

    Raises:
        WeightsError: the file cannot be read, or does not have these weights; the message lists every mismatch.
    """
    arrays = _read(
        path, f"{files.shortened(path)} cannot be read as safetensors", native or {}, "", dtype, tell or _warn
    )
    check(arrays, graph, str(path))
    return {weight.name: arrays[weight.name] for weight in graph.weights}


def starting(
    graph: Graph,
    seed: int = 0,
    dtype: Float = "float32",
    parts: Mapping[str, str | Path] | None = None,
    native: Mapping[str, str | None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, Array]:
    """The initial weights: those of `initialise`, and for embedded networks those of their files.

    `parts` has files by the paths of embedded networks, in place of those that the spec names. Such a file has the
    weights of the whole embedded network under its own names; weights that a cut network does not need are ignored.
    `native` and `tell` are as in `load`.

    Raises:
        WeightsError: a file cannot be read, or a weight is missing; the message lists every mismatch.
    """
    weights = initialise(graph, seed, dtype)
    for scope, path in {**dict(graph.pretrained), **(parts or {})}.items():
        prefix = f"{scope}."
        cannot = f"cannot read the weights of {scope} from {files.shortened(path)}"
        held = _read(path, cannot, native or {}, prefix, dtype, tell or _warn)
        wanted = [weight for weight in graph.weights if weight.name.startswith(prefix)]
        if not wanted:
            raise WeightsError(f"the network has no part with weights called {scope}")
        found = {weight.name: held[weight.name] for weight in wanted if weight.name in held}
        check({**weights, **found}, graph, str(path))
        if absent := [weight.name for weight in wanted if weight.name not in found]:
            raise WeightsError(f"{path} lacks {', '.join(name.removeprefix(prefix) for name in absent)}")
        weights.update({name: array.astype(dtype) for name, array in found.items()})
    return weights


def _read(
    path: str | Path,
    cannot: str,
    native: Mapping[str, str | None],
    prefix: str,
    dtype: Float | None,
    tell: Callable[[str], None],
) -> dict[str, Array]:
    """The tensors of a file by the names of weights, prefixed with `prefix`."""
    try:
        held, others = tensors.read(path)
    except tensors.UnreadableTensors as error:
        raise WeightsError(f"{cannot}: {error}") from None
    own = {name for name in native.values() if name is not None}
    arrays = {f"{prefix}{key}": array for key, array in held.items()}
    others = {f"{prefix}{key}": dtype for key, dtype in others.items()}
    left, zeros, clashes = [], 0, []
    for key in [key for key in arrays if key in native and key not in own]:
        name = native[key]
        # A count is a whole number in the file; a second bias is not.
        if name is None and others.get(key, "F32").startswith(("F", "BF")):
            if arrays[key].any():
                clashes.append(
                    f"{key} is not 0: a gate has one bias here, so add this one to the other and set it to 0"
                )
                continue
            zeros += 1
        elif name is None:
            left.append(key.removeprefix(prefix))
        elif name not in arrays:
            arrays[name] = arrays[key]
        elif not _equal(arrays[name], arrays[key]):
            clashes.append(f"{key} differs from {name}, but both are names of the same weight")
            continue
        del arrays[key]
        others.pop(key, None)
    if clashes:
        raise WeightsError("\n  ".join([f"{files.shortened(path)} gives a weight two values:", *clashes]))
    for line in tensors.conversions(path, others):
        tell(line)
    if left:
        some = (
            f"{left[0]} and {len(left) - 1} more are counters" if len(left) > 1 else f"{left[0]} is a counter"
        )
        tell(f"{path}: {some} of the framework, not a weight: left out")
    if zeros:
        tell(f"{path}: {zeros} tensor{'s of' if zeros > 1 else ' of'} second biases, all 0, left out")
    wide = [name for name, array in arrays.items() if dtype == "float32" and str(array.dtype) == "float64"]
    if wide:
        tell(f"{path}: {len(wide)} tensor{'s are' if len(wide) > 1 else ' is'} float64, rounded to float32")
    return arrays


def _equal(one: Array, other: Array) -> bool:
    import numpy as np

    return bool(np.array_equal(one, other, equal_nan=True))


def _warn(line: str) -> None:
    import warnings

    warnings.warn(line, WeightsWarning, stacklevel=5)  # the line that builds the model


def check(arrays: Mapping[str, Array], graph: Graph, where: str) -> None:
    """Check that arrays are the weights of the graph: same names, same shapes, float32 or float64.

    Raises:
        WeightsError: the arrays do not fit. `where` is their source, for the message.
    """
    wanted = {weight.name: weight for weight in graph.weights}
    faults = [*_missing(wanted, arrays), *_unexpected(wanted, arrays)]
    for name in wanted.keys() & arrays.keys():
        array, weight = arrays[name], wanted[name]
        if array.shape != weight.shape:
            faults.append(
                f"{name}: its shape is {_shape(array.shape)}, but it must be {_shape(weight.shape)} ({weight.axes})"
            )
        if str(array.dtype) not in ("float32", "float64"):
            faults.append(f"{name}: its dtype is {array.dtype}, but weights are float32 or float64")
    if faults:
        some = f"{len(faults)} things do" if len(faults) > 1 else "one thing does"
        raise WeightsError(
            "\n  ".join(
                [f"{where} does not contain the weights of {graph.name}; {some} not fit:", *sorted(faults)]
            )
        )


def _missing(wanted: Iterable[str], given: Mapping[str, Array]) -> list[str]:
    return [f"{name}: missing" for name in wanted if name not in given]


def _unexpected(wanted: Mapping[str, Weight], given: Iterable[str]) -> list[str]:
    there = set(given)
    free = [name for name in wanted if name not in there] or list(wanted)
    return [f"{name}: not in the network{did_you_mean(name, free)}" for name in there if name not in wanted]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
