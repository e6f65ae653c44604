"""Reads the weights of a network from safetensors files, and checks that they fit it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from netspec import files, tensors
from netspec.graph import Graph
from netspec.ops.base import Weight
from netspec.ops.nearest import did_you_mean
from netspec.weights.initial import initialise
from netspec.weights.layout import in_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.types import Float

    Array: TypeAlias = NDArray[np.generic]


class WeightsError(Exception):
    """Weights do not fit the network, or a file has no weights. `str()` lists every mismatch."""


class WeightsWarning(UserWarning):
    """Weights were converted or left out when they were read."""


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
    found = {weight.name: arrays[weight.name] for weight in graph.weights}
    tell_strange(found, tell or _warn, f"{path}: ")
    return found


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
        tell_strange(
            {name.removeprefix(prefix): each for name, each in found.items()}, tell or _warn, f"{path}: "
        )
        weights.update({name: array.astype(dtype) for name, array in found.items()})
    return weights


def tell_strange(arrays: Mapping[str, Array], tell: Callable[[str], None], start: str = "") -> None:
    """Say which weights of a file are not finite: they are taken as they are, and every output can become NaN."""
    import numpy as np

    strange = {name: int(array.size - np.isfinite(array).sum()) for name, array in arrays.items()}
    strange = {name: count for name, count in strange.items() if count}
    if strange:
        count, first = sum(strange.values()), next(iter(strange))
        others = f" and in {len(strange) - 1} more" if len(strange) > 1 else ""
        tell(
            f"{start}{count:,} number{'s are' if count > 1 else ' is'} NaN or infinite, in {first}{others}"
            " (`netspec weights show` lists them)"
        )


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
                f"{name}: its shape is {in_words(array.shape)}, but it must be {in_words(weight.shape)} ({weight.axes})"
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
