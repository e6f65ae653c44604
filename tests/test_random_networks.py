"""The random networks themselves: that they reach everything, that the checks see, and some of them checked."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.backend import Builds, Learns, capable
from netspec.lowering import witness
from netspec.lowering.template import WrongFold
from netspec.ops import OPS
from netspec.types import Type
from tests import oracle
from tests.having import LEARNER, needs, ready
from tests.random_networks.draw import Draw
from tests.random_networks.equal import finite_samples
from tests.random_networks.networks import graph_of, random_network
from tests.random_networks.one import failure, run
from tests.random_networks.recipes import MERGES, RECIPES
from tests.random_networks.shrink import shrunk
from tests.random_networks.text import MAIN, Files, save
from tests.random_networks.workers import Work, outcomes

SEED = 20261
FEWEST, MOST = 120, 400
"""The number of networks that are looked at, and the most of those in one of which each op must be."""
MAPS = (Type(4, (9,)), Type(6, (6, 8)), Type(8, (4, 6, 5)))


def test_every_field_of_every_op_is_drawn() -> None:
    drawn: dict[str, set[str]] = defaultdict(set)
    for keyword, recipe in RECIPES.items():
        for number in range(80):
            draw = Draw(f"{SEED}/{keyword}/{number}")
            drawn[keyword] |= set(recipe(draw, draw.choice(MAPS)))
    # What a file holds is no longer from a file in the graph.
    wanted = {
        word: set(op.model_fields)
        - op.resolved_only
        - {*op.reads, *(member for member, _ in op.reads.values())}
        for word, op in OPS.items()
    }
    assert drawn == wanted, "a field that no random network has: add it to a row in tests/cases.py"


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> list[Files]:
    """A hundred and twenty of them. What is not valid raises here."""
    return [_drawn(number, tmp_path_factory.mktemp("network")) for number in range(FEWEST)]


def _drawn(number: int, folder: Path) -> Files:
    files = random_network(f"{SEED}/{number}", folder)
    graph_of(folder / MAIN)
    return files


def test_every_op_is_in_one_of_them(some: list[Files], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Some ops are only in one of the networks after these."""
    own = {word for word, op in OPS.items() if word == op.keyword and not op.stands_in}
    missing = own - _words(some)
    for number in range(FEWEST, MOST):
        if not missing:
            break
        missing -= _words(_drawn(number, tmp_path_factory.mktemp("network")))
    assert not missing, f"no network has {missing}"


def _words(document: object) -> set[str]:
    text = json.dumps(document)
    return {word for word in OPS if f'"{word}"' in text}


def test_every_structure_is_reached(some: list[Files]) -> None:
    found: Counter[str] = Counter()
    for files in some:
        main = files[MAIN]
        text = json.dumps(files)
        found.update(
            key for key in main if key in ("heads", "expect", "defaults", "params", "inputs", "blocks")
        )
        found.update(word for word in WORDS if f'"{word}"' in text)
        found["several files"] += len(files) > 1
        found["a path with a star"] += ".*" in text
        found["a path into a scope"] += bool(_from_paths(main))
        found["a block of two inputs"] += any("inputs" in each for each in main.get("blocks", {}).values())
        found["a branch that is a name"] += _named_branch(main)
        found["a head that is a layer"] += any(
            not isinstance(each, dict) or not each["layers"] for each in main.get("heads", {}).values()
        )
        found["a block that calls itself"] += any(
            f'"{name}":' in json.dumps(block) for name, block in main.get("blocks", {}).items()
        )
        found["a size of a layer"] += bool(re.search(r"\w\.channels\}", text.replace("in.channels", "")))
        found["the number of an outer repeat"] += ".index" in text
        found["a name of the author's with a number"] += (
            '"name": "conv1"' in text or '"name": "relu1"' in text
        )
        found["states of another layer"] += bool(re.search(r'"from": \["[^"]*", "[^"]*\.state"', text))
        found["a state by itself"] += bool(re.search(r'"from": "[^"]*\.(state|cell)"', text))
        found["lengths or steps"] += "steps_of" in text
        found["states and lengths"] += bool(
            re.search(r'"from": \["[^"]*", "[^"]*\.state"[^]]*steps_of"', text)
        )
        carried = {key for each in _items(files) if "carry" in each for key in each}
        found["an op that carries"] += not carried.isdisjoint(OPS)
        found["a network that carries"] += "network" in carried
        found["one part of a split"] += bool(re.search(r'"from": "[^"]*\.[abc]"', text))
        found["nothing"] += 1
    missing = {*WORDS, *KEYS} - {word for word, count in found.items() if count}
    assert not missing, found


WORDS = (
    "from",
    "share",
    "repeat",
    "when",
    "else",
    "trainable",
    "carry",
    "outputs",
    "activation",
    "network",
    "until",
    "branches",
    "like",
    "name",
)
KEYS = (
    *("heads", "expect", "defaults", "params", "inputs", "blocks"),
    *("several files", "a path with a star", "a path into a scope", "a block of two inputs"),
    *("a branch that is a name", "a head that is a layer", "a block that calls itself", "a size of a layer"),
    *("the number of an outer repeat", "a name of the author's with a number"),
    *("states of another layer", "a state by itself", "lengths or steps", "one part of a split"),
    *("states and lengths", "an op that carries", "a network that carries"),
)


def _items(value: Any) -> Iterator[dict[str, Any]]:
    """All mappings of a document, at any depth."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _items(each)


def _named_branch(value: Any) -> bool:
    if isinstance(value, dict):
        rows = [row for key in MERGES for row in [value.get(key)] if row is not None]
        rows = [row["branches"] if isinstance(row, dict) and "branches" in row else row for row in rows]
        named = any(isinstance(row, list) and any(isinstance(each, str) for each in row) for row in rows)
        return named or any(map(_named_branch, value.values()))
    return isinstance(value, list) and any(map(_named_branch, value))


def _from_paths(value: Any) -> bool:
    if isinstance(value, dict):
        return "." in str(value.get("from", "")) or any(map(_from_paths, value.values()))
    return isinstance(value, list) and any(map(_from_paths, value))


def test_the_same_seed_gives_the_same_network(some: list[Files], tmp_path: Path) -> None:
    assert random_network(f"{SEED}/7", tmp_path) == some[7]


def test_a_failing_network_is_shrunk_to_what_fails(some: list[Files]) -> None:
    files = next(each for each in some if "softmax" in json.dumps(each) and len(each[MAIN]["layers"]) > 3)
    small = shrunk(files, lambda each: "softmax" in json.dumps(each), seconds=5.0)
    assert len(json.dumps(small)) < 120, small


NETWORK: Files = {
    MAIN: {
        "netspec": 1,
        "name": "net",
        "input": [3, 6, 6],
        "layers": [{"conv": {"filters": 4, "kernel": 3}}, "batch_norm", "relu", {"dense": 2}],
    }
}


def _louder(array: Any) -> Any:
    return array * (1 + 1e-8)


def _shifted(arrays: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: _louder(array) if name in names else array for name, array in arrays.items()}


def test_a_sound_network_passes() -> None:
    needs(LEARNER)
    assert failure(NETWORK, "0", "all", (LEARNER,)) is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_becomes_of_overflow_is_each_framework_s_own() -> None:
    """∞ − ∞ is not a number; of that, the sign is 0 in PyTorch and not a number in TensorFlow."""
    most = [{"scale_by": 1e38}, "square", "square", "square", "square"]
    layers = [*most, {"add": [[], [{"scale_by": -1.0}]]}, {"step": {}}]
    network: Files = {MAIN: {"netspec": 1, "name": "net", "input": [2], "layers": layers}}
    found: list[str] = []
    assert failure(network, "0", "2", ready(Builds, Learns), found) is None
    assert all("overflow" in each for each in found)


def test_samples_that_are_finite_are_compared_beside_others(tmp_path: Path) -> None:
    save(NETWORK, tmp_path)
    graph = graph_of(tmp_path / MAIN)
    good, bad = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [np.inf], [np.nan]])
    values = {"conv1": good, "batch_norm1": good, "relu1": bad, "dense1": good}
    assert finite_samples(graph, "dense1", values, training=False).tolist() == [True, False, False]
    assert finite_samples(graph, "dense1", values, training=True).tolist() == [False, False, False]
    assert finite_samples(graph, "batch_norm1", values, training=True).tolist() == [True, True, True]


def test_overflow_elsewhere_hides_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head is finite, and only what comes behind it is not."""
    needs(LEARNER)
    layers = [{"dense": 2}, {"scale_by": 1e38}, *["square"] * 4]
    heads = {"one": {"from": "dense1", "layers": ["identity"]}, "other": "square4"}
    network: Files = {MAIN: {"netspec": 1, "name": "net", "input": [2], "layers": layers, "heads": heads}}
    assert failure(network, "0", "2", (LEARNER,)) is None
    true = oracle.forward
    monkeypatch.setattr(oracle, "forward", lambda *given, **named: _shifted(true(*given, **named), "dense1"))
    broken = failure(network, "0", "2", (LEARNER,))
    assert broken is not None
    assert broken.kind == f"{LEARNER} training: differs"


@pytest.mark.parametrize(
    "kind", [f"{LEARNER} training: differs", f"{LEARNER} inference: differs", "folded: differs"]
)
def test_a_wrong_value_is_seen(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle itself is made a little wrong, in training, in inference, or for the folded network."""
    needs(LEARNER)
    true = oracle.forward

    def wrong(graph: Any, weights: Any, inputs: Any, training: bool = True) -> dict[str, Any]:
        values = true(graph, weights, inputs, training)
        folded = not any(node.op.keyword == "batch_norm" for node in graph.nodes)
        now = "folded" if folded else f"{LEARNER} {'training' if training else 'inference'}"
        return _shifted(values, "dense1") if kind.startswith(now) else values

    monkeypatch.setattr(oracle, "forward", wrong)
    broken = failure(NETWORK, "0", "2", (LEARNER,))
    assert broken is not None
    assert broken.kind == kind


@pytest.mark.parametrize(
    ("kind", "name"),
    [("weights back", "conv1.bias"), ("statistics", "batch_norm1.running_var")],
)
def test_a_wrong_weight_is_seen(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needs(LEARNER)
    builder = type(capable(LEARNER, Builds))
    true = builder.weights

    def wrong(self: Any, model: Any, graph: Any) -> dict[str, Any]:
        trained = model.training or kind == "weights back"
        return _shifted(true(self, model, graph), *([name] if trained else []))

    monkeypatch.setattr(builder, "weights", wrong)
    broken = failure(NETWORK, "0", "2", (LEARNER,))
    assert broken is not None
    assert broken.kind == f"{LEARNER}: {kind}"


@pytest.mark.filterwarnings("ignore")
def test_a_text_that_cannot_be_folded_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands outside pytest do not make an error of every warning."""
    needs(LEARNER)
    folds = iter([WrongFold("another network")])
    true = witness.prove

    def wrong(*arguments: Any) -> None:
        for fold in folds:
            raise fold
        true(*arguments)

    monkeypatch.setattr(witness, "prove", wrong)
    broken = failure(NETWORK, "0", "2", (LEARNER,))
    assert broken is not None
    assert broken.kind == f"{LEARNER} build Unfolded"


def test_a_wrong_gradient_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    two = ready(Builds, Learns, count=2)
    learner = type(capable(LEARNER, Learns))
    true = learner.trial

    def wrong(self: Any, *arguments: Any) -> Any:
        trial = true(self, *arguments)
        right = trial.gradients
        monkeypatch.setattr(trial, "gradients", lambda x, y: _shifted(right(x, y), "conv1.weight"))
        return trial

    monkeypatch.setattr(learner, "trial", wrong)
    broken = failure(NETWORK, "0", "2", two)
    assert broken is not None
    assert broken.kind == "gradients: differ"


def test_some_networks_keep_every_promise() -> None:
    two = ready(Builds, Learns, count=2)
    for number in range(5):
        found = run(SEED, number, "2", two)
        assert not found.kind or found.refused, f"{found.words}\n{found.text}"


@pytest.mark.slow
@pytest.mark.parametrize(("batches", "count"), [("2", 120), ("all", 40)])
def test_many_networks_keep_every_promise(batches: Any, count: int) -> None:
    two = ready(Builds, Learns, count=2)
    work = Work(SEED, batches, tuple(two))
    broken = [
        each for each in outcomes(work, range(100, 100 + count), jobs=1) if each.kind and not each.refused
    ]
    assert not broken, "\n".join(f"{each.words}\n{each.text}" for each in broken)


def test_rounding_that_a_network_makes_large_is_told_apart() -> None:
    """A normalisation of values that are all equal multiplies rounding by 316; three of them by 3e7."""
    two = ready(Builds, Learns, count=2)
    layers = [
        {"identity": None, "name": "a"},
        {"subtract": None, "from": ["a", "a"]},
        {"group_norm": {"groups": 1}, "repeat": 3},
    ]
    rounding: list[str] = []
    files = {MAIN: {"netspec": 1, "name": "net", "input": [1, 2], "layers": layers}}
    assert failure(files, "7/158", "2", two, rounding) is None
    assert rounding
