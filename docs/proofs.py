"""The proof of the zoo: how small each spec is made for it, and what was measured.

`python docs/proofs.py` measures what docs/proofs.json lacks, of every network, and writes it there after each
measurement: after an interruption the same command goes on. `--again` measures all again, `NAME…` these networks.
Keras on JAX is measured in an environment that has JAX: `make .venv/jax/.ready`, or `--jax PYTHON`. The page of the zoo
shows the record. tests/test_zoo.py checks that every spec has its row, that the record is of the networks as they are
now, and, among the slow tests, that they still are equal: in float64 always, at full size where the texts or the
versions are not those on record.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import distributions
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any, NotRequired, TypedDict, cast

from netspec import api
from netspec.graph import Graph
from netspec.loading import load
from netspec.proof.comparison import SIZES, compare
from netspec.proof.result import Comparison
from netspec.weights import fans

RECORD = Path(__file__).with_name("proofs.json")
BACKENDS = ("torch", "keras")
PACKAGES = ("torch", "keras", "tensorflow", "tensorflow-cpu", "jax", "onnx", "onnxruntime", "numpy")
JAX = Path(__file__).parents[1] / ".venv" / "jax" / "bin" / "python"


@dataclass(frozen=True)
class Row:
    """How small a spec is made for its proof in float64; whole, by its own parameters, nothing left out."""

    spec: str
    small: dict[str, object] = field(default_factory=dict)
    batch: int = 2
    quick: bool = False
    """Whether it is quick enough for every run of the tests."""
    full_batch: int = 2
    """At full size: two samples, for batch normalisation needs them; one where the maps are large and memory short."""

    def graph(self, full: bool) -> Graph:
        """The network of the proof, small or at its full size."""
        return load(f"zoo:{self.spec}", **({} if full else self.small))

    @property
    def digest(self) -> str:
        """A fingerprint of what is proven: another one means another network, or another batch."""
        graphs = [self.graph(full) for full in (False, True)]
        texts = [*map(str, graphs), *(line for graph in graphs for line in _starts(graph))]
        return _fingerprint([str(self.batch), *texts])

    @property
    def texts(self) -> str:
        """A fingerprint of what is run at full size: the generated texts, and the batch."""
        graph = self.graph(full=True)
        return _fingerprint([str(self.full_batch), *(api.compile(graph, name) for name in BACKENDS)])

    def in_float64(self, sizes: Sequence[int] = SIZES) -> Comparison:
        """Outputs on all backends and the oracle, gradients, 3 steps of SGD with momentum and of Adam."""
        return compare(self.graph(full=False), BACKENDS, batch=self.batch, steps=3, sizes=sizes)

    def in_float32(self, backends: Sequence[str] = BACKENDS) -> Comparison:
        """Outputs on these backends, at full size."""
        graph = self.graph(full=True)
        return compare(
            graph, backends, dtype="float32", batch=self.full_batch, oracle=False, gradients=False, sizes=()
        )


def _fingerprint(lines: Sequence[str]) -> str:
    return blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def _starts(graph: Graph) -> list[str]:
    """How weights start, where the printed graph does not say it: those of groups and tables."""
    return [
        f"{weight.name}: {weight.init}, fans {', '.join(map(str, fans(weight)))}"
        for weight in graph.weights
        if weight.groups > 1 or weight.fans is not None
    ]


WORDS: dict[str, object] = {"source_words": 11, "target_words": 13}
SHALLOW: dict[str, object] = {"units": 12, "layers": 2, "heads": 3, "hidden": 20}
NARROW: dict[str, object] = {"shrink": 16, "units": 4, "filters": 3}

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
    Row("resnext50", {"size": 33, "shrink": 16, "groups": 4, "width": 2, "classes": 10}),
    Row("regnet_y_400mf", {"size": 65, "shrink": 8, "classes": 10}),
    Row("squeezenet", {"size": 47, "shrink": 8, "classes": 10}),
    Row("xception", {"size": 39, "shrink": 8, "classes": 10}),
    Row("mobilenet", {"size": 33, "alpha": 0.125, "classes": 10}),
    Row("mobilenet_v2", {"size": 33, "shrink": 8, "classes": 10}),
    Row("mobilenet_v3_large", {"size": 33, "alpha": 0.125, "units": 16, "classes": 10}),
    Row("mobilenet_v3_small", {"size": 33, "alpha": 0.125, "units": 16, "classes": 10}),
    Row("densenet121", {"size": 61, "growth": 4, "classes": 10}),
    Row("unet", {"size": 188, "shrink": 16}, full_batch=1),
    Row("segnet", {"height": 17, "width": 19, "shrink": 16}, full_batch=1),
    Row("skip_taps", {"size": 64}),
    # Batch normalisation of one value for each sample.
    # They have no batch normalisation, and maps of 700 pixels.
    Row("fcn32s", {"size": 32, "shrink": 16, "classes": 5}, full_batch=1),
    Row("fcn16s", {"size": 32, "shrink": 16, "classes": 5}, full_batch=1),
    Row("fcn8s", {"size": 32, "shrink": 16, "classes": 5}, full_batch=1),
    # A slope that float32 holds: TensorFlow's own leaky rectifier keeps it so.
    Row("darknet19", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 10}),
    Row("darknet53", {"size": 33, "shrink": 8, "slope": 0.25, "classes": 10}),
    Row("yolov2", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 3}),
    Row("yolov3", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 3}, full_batch=1),
    Row("ssd300", {"size": 257, "shrink": 16, "classes": 5}),
    Row("localiser", {"size": 39, "shrink": 8}),
    Row("siamese", quick=True),
    Row("autoencoder", quick=True),
    # A batch norm of the vectors of two samples is a sign, which float32 cannot decide where they are alike.
    Row("pointnet", {"points": 12, "shrink": 16, "classes": 5}, quick=True, full_batch=16),
    Row("vae", {"hidden": 12, "latent": 4}, quick=True),
    Row("dcgan_generator", {"size": 32, "shrink": 16, "latent": 10}),
    Row("super_resolution", {"size": 8, "shrink": 4}, quick=True),
    Row(
        "wavenet",
        {"length": 40, "levels": 16, "stacks": 2, "depth": 3, "residual": 4, "channels": 4, "skip": 8},
        quick=True,
        full_batch=1,
    ),
    Row("text_cnn", {"length": 9, "vocabulary": 20, "units": 6, "filters": 4}, quick=True),
    Row("tcn", {"length": 60, "channels": 5, "kernel": 3, "levels": 4}, quick=True),
    Row("video_segmentation", {"frames": 3, "size": 16, "shrink": 8, "classes": 3}),
    Row("rnn_rows_mnist", {"units": 7}),
    Row("bit_memory", quick=True),
    Row("char_rnn", {"vocabulary": 9, "length": 7, "units": 5}),
    Row("seq2seq", {**WORDS, "source_length": 6, "target_length": 5, "units": 4}),
    Row("sentiment", {"vocabulary": 15, "length": 7, "width": 5, "units": 3}, batch=4),
    Row("caption", {"features": 6, "vocabulary": 9, "length": 5, "units": 4}),
    Row(
        "vit_b_16",
        {"size": 32, "units": 12, "layers": 2, "heads": 3, "hidden": 20, "classes": 10},
        quick=True,
    ),
    Row("gpt2_small", {"length": 7, "vocabulary": 19, **SHALLOW}, full_batch=1),
    Row("bert_base", {"length": 7, "vocabulary": 19, **SHALLOW}, full_batch=1),
    Row("renet_mnist", {"size": 12, "units": 4, "hidden": 8}),
    Row("renet_cifar10", {"size": 16, "units": 4, "hidden": 8}),
    Row("renet_svhn", {"size": 16, "units": 4, "hidden": 8}),
    # Maps of 360 by 480 before the sweeps.
    Row("reseg_camvid", {"height": 16, "width": 24, **NARROW}, full_batch=1),
    Row("reseg_horses", {"height": 24, "width": 16, **NARROW}),
    Row("reseg_flowers", {"height": 16, "width": 16, **NARROW, "first": "width", "chained": True}),
)


class OnJax(TypedDict):
    """The largest differences of Keras on JAX, in float64."""

    outputs: float
    gradients: float
    steps: float


class Proof(TypedDict):
    """What was measured of one spec: the largest differences, each relative to the largest value of its tensor."""

    digest: str
    outputs: dict[str, float]
    """In float64, for each pair of sides."""
    gradients: float
    steps: float
    float32: float
    """Outputs of PyTorch and Keras on TensorFlow, at full size."""
    texts: str
    """The fingerprint of the texts that were last found equal at full size; see `Row.texts`."""
    onnx: NotRequired[float]
    """Outputs of PyTorch and the ONNX file, in float32 at full size."""
    jax: NotRequired[OnJax]


class Record(TypedDict):
    """All proofs, and with what they were made."""

    versions: dict[str, str]
    proofs: dict[str, Proof]


def read() -> Record:
    """What stands in docs/proofs.json."""
    record: Record = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def _equal(row: Row, found: Comparison) -> dict[str, Any]:
    """What was found, if all of it is within the tolerances."""
    measured = found.as_dict()
    if not measured["ok"]:
        sys.exit(f"{row.spec} is not equal in {measured['dtype']}: {json.dumps(measured)}")
    return measured


def _short(number: Any) -> float:
    return float(f"{number:.1e}")


def _learning(measured: Mapping[str, Any]) -> dict[str, float]:
    return {
        "gradients": _short(measured["gradients"]["max_rel"]),
        "steps": max(_short(steps["max_rel"]) for steps in measured["steps"]),
    }


def _float64(row: Row) -> dict[str, Any]:
    measured = _equal(row, row.in_float64())
    outputs = {" – ".join(pair["backends"]): _short(pair["max_rel"]) for pair in measured["pairs"]}
    return {"outputs": outputs, **_learning(measured)}


def _jax(row: Row) -> dict[str, Any]:
    measured = _equal(row, row.in_float64(sizes=()))
    outputs = [pair["max_rel"] for pair in measured["pairs"] if "keras" in pair["backends"]]
    return {"jax": {"outputs": _short(max(outputs)), **_learning(measured)}}


def _float32(row: Row) -> dict[str, Any]:
    return {"float32": _short(_equal(row, row.in_float32())["forward"]["max_rel"]), "texts": row.texts}


def _onnx(row: Row) -> dict[str, Any]:
    return {"onnx": _short(_equal(row, row.in_float32(("torch", "onnx")))["forward"]["max_rel"])}


@dataclass(frozen=True)
class ProofPart:
    """One measurement of a network, in a process of its own."""

    measure: Callable[[Row], dict[str, Any]]
    keys: tuple[str, ...]
    """What it puts into the record."""
    engine: str = "tensorflow"
    large: bool = False
    """At full size: one at a time, for the largest networks take 10 GB with every layer's output of two backends."""


PARTS: Mapping[str, ProofPart] = {
    "float64": ProofPart(_float64, ("outputs", "gradients", "steps")),
    "jax": ProofPart(_jax, ("jax",), engine="jax"),
    "float32": ProofPart(_float32, ("float32", "texts"), large=True),
    "onnx": ProofPart(_onnx, ("onnx",), large=True),
}


def versions() -> dict[str, str]:
    """The versions of the packages with which a network is proven, as they are installed."""
    installed = {each.name.replace("_", "-"): each.version for each in distributions()}
    return {name: installed[name] for name in PACKAGES if name in installed}


class Proving:
    """The record while it is being completed."""

    def __init__(self, record: Record, rows: Sequence[Row], jax: Path) -> None:
        self.record, self.jax, self.lock = record, jax, Lock()
        self.rows = {row.spec: row for row in rows}
        self.failed: list[str] = []
        proofs = cast("dict[str, Any]", record["proofs"])
        for row in rows:
            if proofs.get(row.spec, {}).get("digest") != (digest := row.digest):
                proofs[row.spec] = {"digest": digest}
        self.todo = [
            (name, spec)
            for name, part in PARTS.items()
            for spec in self.rows
            if not set(part.keys) <= proofs[spec].keys()
        ]

    def run(self, jobs: int) -> None:
        """Measure what is missing: small networks side by side, then the large ones."""
        for large, workers in ((False, jobs), (True, 1)):
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(self._one, [each for each in self.todo if PARTS[each[0]].large == large]))

    def _one(self, task: tuple[str, str]) -> None:
        name, spec = task
        part, began = PARTS[name], perf_counter()
        python = str(self.jax) if part.engine == "jax" else sys.executable
        done = subprocess.run(
            [python, __file__, "--measure", name, spec],
            env={**os.environ, "KERAS_BACKEND": part.engine},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = perf_counter() - began
        with self.lock:
            if done.returncode:
                self.failed.append(f"{spec}, {name}: {done.stderr.strip().splitlines()[-1:]}")
                print(
                    f"{spec} {name} FAILED after {seconds:.0f} s\n{done.stderr}", file=sys.stderr, flush=True
                )
                return
            found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            cast("dict[str, Any]", self.record["proofs"][spec]).update(found)
            write(self.record)
            print(f"{spec} {name} {seconds:.0f} s {found}", flush=True)


def write(record: Record) -> None:
    """Write the record, networks and figures in order."""
    order = list(Proof.__annotations__)
    proofs = {
        spec: dict(sorted(proof.items(), key=lambda each: order.index(each[0])))
        for spec, proof in sorted(record["proofs"].items())
    }
    text = json.dumps({**record, "proofs": proofs}, indent=1, ensure_ascii=False)
    new = RECORD.with_suffix(".new")
    new.write_text(f"{text}\n", encoding="utf-8")
    new.replace(RECORD)


def main(words: Sequence[str]) -> None:
    """Complete the record; or, for a process of its own, measure one part of one network."""
    parser = argparse.ArgumentParser(description="Prove the zoo.", usage="proofs.py [NAME…] [options]")
    parser.add_argument("names", nargs="*", metavar="NAME", help="measure these networks again")
    parser.add_argument("--again", action="store_true", help="measure everything again")
    parser.add_argument("--jobs", type=int, default=2, help="small networks at a time (default 2)")
    parser.add_argument("--jax", type=Path, default=JAX, help="the Python of an environment with JAX")
    parser.add_argument("--measure", choices=PARTS, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    by_spec = {row.spec: row for row in ROWS}
    if unknown := set(asked.names) - by_spec.keys():
        sys.exit(f"no row is called {', '.join(sorted(unknown))}")
    if asked.measure:
        (name,) = asked.names
        print(json.dumps(PARTS[asked.measure].measure(by_spec[name])))
        return
    if not asked.jax.exists():
        sys.exit(
            f"{asked.jax} does not exist: make it with `make .venv/jax/.ready`, or name another with --jax"
        )
    began = perf_counter()
    query = "import json; from docs.proofs import versions; print(json.dumps(versions()))"
    here = json.loads(subprocess.run([asked.jax, "-c", query], capture_output=True, check=True).stdout)
    record = read()
    if asked.again:
        record = {"versions": here, "proofs": {}}
    elif not here.items() >= record["versions"].items():
        sys.exit(f"the record was made with {record['versions']}, here is {here}: use --again")
    record["versions"] = here
    for name in asked.names:
        record["proofs"].pop(name, None)
    record["proofs"] = {spec: proof for spec, proof in record["proofs"].items() if spec in by_spec}
    proving = Proving(record, ROWS, asked.jax)
    print(f"{len(proving.todo)} measurements", flush=True)
    proving.run(asked.jobs)
    print(f"{perf_counter() - began:.0f} s", flush=True)
    if proving.failed:
        sys.exit("\n".join(proving.failed))


if __name__ == "__main__":
    main(sys.argv[1:])
