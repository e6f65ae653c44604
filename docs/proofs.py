"""The proof of the zoo: how small each spec is made for it, and what was measured.

`python docs/proofs.py [NAME…]` proves the networks named, or all, and writes what it measured into docs/proofs.json,
from which the page of the zoo takes it. tests/test_zoo.py holds that every spec has its row, that the record is of the
networks as they are now, and, among the slow tests, that they are equal still.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, TypedDict

from netspec.graph import Graph
from netspec.loading import load
from netspec.proof.comparison import Comparison, compare
from netspec.weights import fans

RECORD = Path(__file__).with_name("proofs.json")
BACKENDS = ("torch", "keras")
PACKAGES = ("torch", "keras", "tensorflow", "tensorflow-cpu", "numpy")


@dataclass(frozen=True)
class Row:
    """How small a spec is made for its proof in float64; whole, by its own parameters, nothing left out."""

    spec: str
    small: dict[str, object] = field(default_factory=dict)
    batch: int = 2
    quick: bool = False
    """Whether it is quick enough for every run of the tests."""
    full_batch: int = 2
    """At full size: two samples, for batch normalisation wants them."""

    def graph(self, full: bool) -> Graph:
        """The network of the proof, small or at its full size."""
        return load(f"zoo:{self.spec}", **({} if full else self.small))

    @property
    def digest(self) -> str:
        """A fingerprint of what is proven: another one means another network, or another batch."""
        graphs = [self.graph(full) for full in (False, True)]
        texts = [*map(str, graphs), *(line for graph in graphs for line in _starts(graph))]
        return blake2b("\n".join([str(self.batch), *texts]).encode(), digest_size=8).hexdigest()

    def in_float64(self) -> Comparison:
        """Outputs on all backends and the oracle, gradients, 3 steps of SGD with momentum and of Adam."""
        return compare(self.graph(full=False), BACKENDS, batch=self.batch, steps=3)

    def in_float32(self) -> Comparison:
        """Outputs on all backends, at full size."""
        graph = self.graph(full=True)
        return compare(
            graph, BACKENDS, dtype="float32", batch=self.full_batch, oracle=False, gradients=False, sizes=()
        )


def _starts(graph: Graph) -> list[str]:
    """How weights start, where the printed graph does not say it: those of groups and tables."""
    return [
        f"{weight.name}: {weight.init}, fans {', '.join(map(str, fans(weight)))}"
        for weight in graph.weights
        if weight.groups > 1 or weight.fans is not None
    ]


ROWS = (
    Row("lenet5", quick=True),
    Row("lenet5_1998"),
    Row("lecture_cnn", quick=True),
    Row("fashion_cnn"),
    Row("mlp", quick=True),
    Row("alexnet", {"size": 67, "shrink": 16, "classes": 10}, quick=True),
    Row("alexnet_two_tower", {"size": 67, "shrink": 16, "classes": 10}),
    Row("zfnet", {"size": 47, "shrink": 16, "classes": 10}),
    Row("vgg16", {"size": 32, "shrink": 16, "classes": 10}, quick=True),
    Row("vgg19", {"size": 32, "shrink": 16, "classes": 10}),
    Row("googlenet", {"size": 64, "shrink": 8, "classes": 10}),
    Row("googlenet_aux", {"size": 79, "shrink": 8, "classes": 10}),
    Row("inception_module", {"size": 7}, quick=True),
    Row("inception_v3", {"size": 139, "shrink": 16, "classes": 10}, batch=4),
    Row("inception_v4", {"size": 107, "shrink": 16, "classes": 10}),
    Row("inception_resnet_v2", {"size": 107, "shrink": 16, "classes": 10}),
    Row("se_inception", {"size": 64, "shrink": 8, "ratio": 4, "classes": 10}, batch=8),
    Row("resnet18", {"size": 33, "shrink": 16, "classes": 10}),
    Row("resnet34", {"size": 64, "classes": 10}),
    Row("resnet50", {"size": 65, "shrink": 16, "classes": 10}),
    Row("resnet101", {"size": 65, "shrink": 16, "classes": 10}),
    Row("resnet152", {"size": 65, "shrink": 16, "classes": 10}),
    Row("se_resnet34", {"size": 64, "classes": 10}),
    Row("se_resnet50", {"size": 33, "shrink": 8, "ratio": 4, "classes": 10}),
    Row("xception", {"size": 39, "shrink": 8, "classes": 10}),
    Row("mobilenet", {"size": 33, "alpha": 0.125, "classes": 10}),
    Row("mobilenet_v2", {"size": 33, "shrink": 8, "classes": 10}),
    Row("densenet121", {"size": 61, "growth": 4, "classes": 10}),
    Row("unet", {"size": 188, "shrink": 16}),
    Row("segnet", {"height": 17, "width": 19, "shrink": 16}),
    Row("skip_taps", {"size": 64}),
    # They have no batch normalisation, and maps of 700 pixels.
    Row("fcn32s", {"size": 32, "shrink": 16, "classes": 5}, full_batch=1),
    Row("fcn16s", {"size": 32, "shrink": 16, "classes": 5}, full_batch=1),
    Row("fcn8s", {"size": 32, "shrink": 16, "classes": 5}, full_batch=1),
    # A slope that float32 holds: TensorFlow's own leaky rectifier keeps it so.
    Row("darknet19", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 10}),
    Row("darknet53", {"size": 33, "shrink": 8, "slope": 0.25, "classes": 10}),
    Row("yolov2", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 3}),
    Row("yolov3", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 3}),
    Row("ssd300", {"size": 257, "shrink": 16, "classes": 5}),
    Row("localiser", {"size": 39, "shrink": 8}),
    Row("siamese", quick=True),
    Row("autoencoder", quick=True),
    Row("dcgan_generator", {"size": 32, "shrink": 16, "latent": 10}),
    Row("super_resolution", {"size": 8, "shrink": 4}, quick=True),
)


class Proof(TypedDict):
    """What was measured of one spec: the largest differences, each relative to the largest value of its tensor."""

    digest: str
    outputs: dict[str, float]
    """In float64, for each pair of sides."""
    gradients: float
    steps: float
    float32: float


class Record(TypedDict):
    """All proofs, and with what they were made."""

    versions: dict[str, str]
    proofs: dict[str, Proof]


def read() -> Record:
    """What stands in docs/proofs.json."""
    record: Record = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def prove(row: Row) -> Proof:
    """Measure one spec.

    Raises:
        AssertionError: the backends are not equal.
    """
    found, single = row.in_float64().as_dict(), row.in_float32().as_dict()
    for told in (found, single):
        assert told["ok"], f"{row.spec} is not equal in {told['dtype']}: {json.dumps(told)}"
    return {
        "digest": row.digest,
        "outputs": {" – ".join(pair["backends"]): _short(pair["max_rel"]) for pair in found["pairs"]},
        "gradients": _short(found["gradients"]["max_rel"]),
        "steps": max(_short(steps["max_rel"]) for steps in found["steps"]),
        "float32": _short(single["forward"]["max_rel"]),
    }


def _short(number: Any) -> float:
    return float(f"{number:.1e}")


def main(names: list[str]) -> None:
    """Prove what is named, or all, and keep what was measured of the others."""
    if unknown := set(names) - {row.spec for row in ROWS}:
        sys.exit(f"no row is called {', '.join(sorted(unknown))}")
    installed = {each.name.replace("_", "-"): each.version for each in distributions()}
    versions = {name: installed[name] for name in PACKAGES if name in installed}
    record: Record = read() if names else {"versions": versions, "proofs": {}}
    if record["versions"] != versions:
        sys.exit(f"the others were proven with {record['versions']}, here is {versions}: prove all")
    for row in ROWS:
        if not names or row.spec in names:
            record["proofs"][row.spec] = prove(row)
            print(row.spec, record["proofs"][row.spec], flush=True)
    record["proofs"] = dict(sorted(record["proofs"].items()))
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
