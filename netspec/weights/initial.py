"""The initial values of weights: drawn from a seed and the name of each weight."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from math import prod, sqrt
from typing import TYPE_CHECKING, TypeAlias

from netspec.graph import Graph
from netspec.ops.base import Weight
from netspec.ops.fans import SCALED, Scaled, fans
from netspec.ops.initializers import Initializer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.types import Float

    Array: TypeAlias = NDArray[np.generic]
    Drawn: TypeAlias = NDArray[np.float64]
    Draw: TypeAlias = Callable[[Weight, np.random.Generator], Drawn]


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


def _given(weight: Weight, generator: np.random.Generator) -> Drawn:
    """The values that the spec gives."""
    import numpy as np

    return np.array(weight.init.values, "float64")


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
    "values": _given,
}
