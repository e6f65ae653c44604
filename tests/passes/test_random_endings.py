"""Random ends of networks: logits only where the function stays, and nothing that is no logit passes for one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from netspec.analysis.ending import NoLogits
from netspec.analysis.meaning import meanings
from netspec.diagnostics import Problems
from netspec.graph import Graph, verify
from netspec.loading import graph_of_text
from netspec.ops.base import Meaning
from netspec.passes import logits, still
from tests.oracle import forward

Array = NDArray[np.float64]
SEEDS = range(500)

LAYERS: tuple[Any, ...] = (
    *("softmax", "softmax", "sigmoid", "hard_sigmoid", "relu", "identity", "flatten", "flatten", "batch_norm", "scale"),
    *("log_softmax", "log", "step", "abs"),
    *("global_avg_pool", "global_max_pool", {"max_pool": 2}, {"avg_pool": 2}, {"channel_pool": 1}, {"dropout": 0.5}),
    *({"dropout": 0.0}, {"crop": 1}, {"crop": {"size": 1}}, {"upsample": 2}, {"pad": 1}, {"scale_by": -1}),
    *({"scale_by": 2}, {"pad": {"amount": 1, "mode": "replicate"}}, {"space_to_depth": 2}, {"depth_to_space": 2}),
    *({"permute": ["channels", "width", "height"]}, {"permute": ["height", "channels", "width"]}, {"rbf": 4}),
    *({"reshape": [4, -1]}, {"reshape": [-1]}, {"reshape": [-1, 1, 1]}, {"dense": 4}),
    *({"dense": {"units": 4, "activation": act}} for act in ("softmax", "sigmoid")),
    {"conv": {"filters": 4, "kernel": 1}},
    *({"conv": {"filters": 4, "kernel": 2, "activation": act}} for act in ("softmax", "sigmoid", "none")),
)  # fmt: skip
MERGES = ("add", "multiply", "average", "maximum", "concat", "subtract", "minimum", "divide")


def drawn(seed: int) -> tuple[str, Graph | None]:
    """A spec whose last layers are drawn, and its graph if the layers fit."""
    draw = random.Random(seed)

    def items(count: int, depth: int) -> list[Any]:
        return [item(depth) for _ in range(count)]

    def item(depth: int) -> Any:
        kind = draw.random()
        if depth and kind < 0.12:
            branches = [items(draw.randrange(3), depth - 1) for _ in range(2)]
            return {draw.choice(MERGES): branches}
        if depth and kind < 0.2:
            group: dict[str, Any] = {"layers": items(draw.randrange(1, 3), depth - 1)}
            return {**group, "repeat": draw.randrange(1, 3)} if draw.random() < 0.5 else group
        return draw.choice(LAYERS)

    layers = [{"conv": {"filters": 4, "kernel": 3}}, *items(draw.randrange(1, 6), 2)]
    whole: dict[str, Any] = {"netspec": 1, "name": "ending", "input": [4, 4, 4], "layers": layers}
    if draw.random() < 0.2:
        whole["heads"] = {"more": {"layers": items(1, 0)}, "other": {"layers": items(1, 0)}}
    text = yaml.safe_dump(whole, sort_keys=False)
    return text, graph_of_text(text, "ending.yaml", Problems())


def value(graph: Graph, output: str, spread: float) -> Array:
    """The output with random weights, statistics included; the same for the same names."""
    generator = np.random.default_rng(5)
    known = {each.name: generator.normal(0, spread, each.shape) for each in graph.weights}
    weights = {name: np.abs(array) if "running_var" in name else array for name, array in known.items()}
    x = np.random.default_rng(6).normal(0, spread, (6, 4, 4, 4))
    end = next(each.value for each in graph.outputs if each.name == output)
    return np.asarray(forward(still(graph), weights, {"input": x}, training=False)[end], np.float64)


def remade(scores: Array, meaning: Meaning) -> Array:
    if meaning is Meaning.PROBABILITIES:
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))
    return np.asarray((1 + np.tanh(scores / 2)) / 2)


def test_random_endings() -> None:
    counts = {meaning: [0, 0] for meaning in Meaning}
    for seed in SEEDS:
        text, graph = drawn(seed)
        if graph is None:
            continue
        told = f"seed {seed}\n{text}"
        meaning = {each.name: meanings(graph)[each.value] for each in graph.outputs}
        try:
            bare = verify(logits(graph))
        except NoLogits:
            assert any(not each.is_logit for each in meaning.values()), told
            for refused in meaning.values():
                counts[refused][1] += 1
            continue
        assert [each.name for each in bare.weights] == [each.name for each in graph.weights], told
        for each in graph.outputs:
            counts[meaning[each.name]][0] += 1
            before, after = value(graph, each.name, 0.5), value(bare, each.name, 0.5)
            if meaning[each.name].is_logit:
                np.testing.assert_array_equal(after, before, err_msg=told)
                _is_no_probability(value(graph, each.name, 3.0), told)
            else:
                again = remade(after, meaning[each.name])
                np.testing.assert_allclose(again, before, atol=1e-12, err_msg=told)
    assert counts[Meaning.SCORES][0] > 50
    assert counts[Meaning.PROBABILITIES][0] > 15
    assert (
        min(counts[Meaning.PROBABILITIES][1], counts[Meaning.INDEPENDENT][1], counts[Meaning.DISTANCES][1])
        > 10
    )


def _is_no_probability(scores: Array, told: str) -> None:
    """Scores leave the range of a probability somewhere, unless a relu makes all 0, or a division all 1."""
    confined = scores.min() >= -1e-9 and scores.max() <= 1 + 1e-9
    assert not confined or scores.max() < 1e-9 or scores.min() > 1 - 1e-9, told
