"""How far rounding alone takes one backend from itself, and two backends from each other, in float32.

`python benchmarks/rounding.py [NAME…]` runs networks of the zoo at full size, in training mode, from the weights that
training starts from and from those that a comparison starts from: torch beside itself with every input moved to the
next number that float32 has, and torch beside Keras. Told is the largest difference of any layer, relative to the
largest value of that layer. docs/proof.md says what follows from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from netspec.backend import Learns, usable
from netspec.graph import Graph
from netspec.loading import load
from netspec.passes.still import still
from netspec.proof.conditions import start
from netspec.proof.difference import differences, worst
from netspec.weights import initialise

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays

NETWORKS = ("resnet50", "resnet101", "resnet152", "inception_v3", "inception_v4")
STARTS: dict[str, Callable[[Graph], dict[str, Array]]] = {
    "training": lambda graph: initialise(graph, 0, "float32"),
    "comparison": lambda graph: start(graph, 0, "float32"),
}


def apart(graph: Graph, one: Arrays, other: Arrays) -> float:
    """The largest difference of any layer."""
    found = worst(differences((node.name for node in graph.nodes), {"one": one, "other": other}))
    assert found is not None
    return found.max_rel


def measure(name: str) -> None:
    """Print the rows of one network."""
    graph = still(load(f"zoo:{name}"))
    torch, keras = usable(["torch", "keras"], Learns)
    generator = np.random.default_rng(0)
    inputs = {
        each.name: generator.standard_normal((2, *each.type.shape)).astype("float32") for each in graph.inputs
    }
    moved = {name: np.nextafter(array, np.float32(np.inf)) for name, array in inputs.items()}
    for kind, weights in STARTS.items():
        trial = torch.trial(graph, weights(graph), "float32", None)
        here = trial.forward(inputs)
        itself = apart(graph, here, trial.forward(moved))
        both = apart(graph, here, keras.trial(graph, weights(graph), "float32", None).forward(inputs))
        print(f"{name:<16}{kind:<14}{itself:>18.1e}{both:>18.1e}", flush=True)


if __name__ == "__main__":
    print(f"{'network':<16}{'weights of':<14}{'torch, an ulp on':>18}{'torch and keras':>18}")
    for each in sys.argv[1:] or NETWORKS:
        measure(each)
