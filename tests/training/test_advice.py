"""Advice is tested by following it: the result is accepted, and it is the network and the data that were meant."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.analysis.meaning import meanings
from netspec.ops.base import Meaning
from netspec.passes import logits
from netspec.weights import initialise
from tests.oracle import forward
from tests.training.following import Attempt, Item

Array = NDArray[Any]

IMAGES = np.random.default_rng(7).integers(0, 256, (9, 1, 6, 6)).astype(np.uint8)
COLOURED = np.random.default_rng(8).integers(0, 256, (9, 3, 6, 6)).astype(np.uint8)
SEQUENCES = np.random.default_rng(9).standard_normal((9, 2, 7)).astype(np.float32)
VOLUMES = np.random.default_rng(10).standard_normal((9, 1, 4, 5, 6)).astype(np.float32)
MEASURED = np.stack([np.arange(9) * 1e-3, np.full(9, 7.0), np.arange(9) * 1e4], axis=1)
LABELS = np.arange(9) % 3

END: list[Item] = ["flatten", {"dense": 3}, "softmax"]


@dataclass(frozen=True)
class Case:
    """What somebody has, and what they come to by following advice; None where it is constant."""

    samples: Array
    input: list[int]
    layers: list[Item] = field(default_factory=lambda: [*END])
    labels: Array = field(default_factory=lambda: LABELS)
    recipe: dict[str, Any] = field(default_factory=dict)
    then_samples: Array | None = None
    then_input: list[int] | None = None
    then_layers: list[Item] | None = None
    then_labels: Array | None = None
    then_recipe: dict[str, Any] | None = None


def conv(kernel: int, **fields: Any) -> Item:
    return {"conv": {"filters": 3, "kernel": kernel, **fields}}


MAP = [1, 6, 6]
CASES = {
    # How data are saved.
    "gray, channels last": Case(IMAGES.transpose(0, 2, 3, 1), MAP, then_samples=IMAGES),
    "colours, channels last": Case(
        COLOURED.transpose(0, 2, 3, 1), MAP, then_samples=COLOURED, then_input=[3, 6, 6]
    ),
    "channels last, padded": Case(
        IMAGES.transpose(0, 2, 3, 1), [1, 8, 8], recipe={"pad": 1}, then_samples=IMAGES
    ),
    "network and data channels last": Case(
        COLOURED.transpose(0, 2, 3, 1), [6, 6, 3], then_samples=COLOURED, then_input=[3, 6, 6]
    ),
    "sequences, channels last": Case(SEQUENCES.transpose(0, 2, 1), [2, 7], then_samples=SEQUENCES),
    "one axis too many": Case(SEQUENCES[:, None], [2, 7], then_samples=SEQUENCES),
    "one axis too many at the end": Case(SEQUENCES[..., None], [2, 7], then_samples=SEQUENCES),
    "one axis too many of a volume": Case(VOLUMES, [4, 5, 6], then_samples=VOLUMES[:, 0]),
    "rows of pixels": Case(IMAGES.reshape(9, 36), MAP, then_samples=IMAGES),
    "images for a vector": Case(IMAGES, [36], END[1:], then_input=MAP, then_layers=END),
    "images for a vector, without channels": Case(
        IMAGES[:, 0], [36], END[1:], then_input=MAP, then_layers=END
    ),
    "small whole numbers": Case(IMAGES.astype(np.int32), MAP, then_samples=IMAGES),
    "floats of bytes": Case(
        IMAGES.astype(np.float32), MAP, then_recipe={"normalise": {"mean": 0, "std": 255}}
    ),
    "floats of millivolts": Case(
        np.linspace(-300, 100, 126, dtype=np.float32).reshape(9, 2, 7),
        [2, 7],
        then_recipe={"normalise": {"mean": -100, "std": 200}},
    ),
    "floats of many digits": Case(
        np.linspace(1000000, 2000001, 126).reshape(9, 2, 7),
        [2, 7],
        then_recipe={"normalise": {"mean": 1500000.5, "std": 500000.5}},
    ),
    "measurements of different kinds": Case(
        MEASURED,
        [3],
        [{"dense": 3}],
        then_samples=(MEASURED - MEASURED.mean(0)) / (MEASURED.std(0) + 1e-8),
    ),
    # Labels.
    "labels from 1": Case(IMAGES, MAP, labels=LABELS + 1, then_labels=LABELS),
    "labels from 1, a unit more": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 4}, "softmax"],
        LABELS + 1,
        then_labels=LABELS,
        then_layers=["flatten", {"dense": {"units": 3}}, "softmax"],
    ),
    "labels from 1, units by half": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 2}, "softmax"],
        LABELS + 1,
        then_labels=LABELS,
        then_layers=["flatten", {"dense": {"units": 3}}, "softmax"],
    ),
    "labels with gaps": Case(IMAGES, MAP, labels=LABELS * 10, then_labels=LABELS),
    "labels below 0": Case(IMAGES, MAP, labels=LABELS - 1, then_labels=LABELS),
    "labels of ids": Case(
        IMAGES, MAP, labels=LABELS.astype(np.uint64) + np.uint64(2**63), then_labels=LABELS
    ),
    "labels of words": Case(IMAGES, MAP, labels=np.array(["cat", "dog", "eel"])[LABELS], then_labels=LABELS),
    "one-hot labels": Case(IMAGES, MAP, labels=np.eye(3)[LABELS], then_labels=LABELS),
    "labels as floats": Case(IMAGES, MAP, labels=LABELS.astype(np.float64), then_labels=LABELS),
    # The network.
    "too few units": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 2}, "softmax"],
        then_layers=["flatten", {"dense": {"units": 3}}, "softmax"],
    ),
    "too few filters": Case(
        IMAGES,
        MAP,
        [{"conv": {"filters": 2, "kernel": 3}}, "global_avg_pool", "softmax"],
        then_layers=[conv(3), "global_avg_pool", "softmax"],
    ),
    "too small": Case(IMAGES, [1, 4, 4], then_input=MAP),
    "to pad": Case(IMAGES, [1, 10, 10], then_recipe={"pad": 2}),
    "padded for nothing": Case(IMAGES, MAP, recipe={"pad": 2}, then_recipe={}),
    "a vector padded": Case(IMAGES.reshape(9, 36), [36], END[1:], recipe={"pad": 2}, then_recipe={}),
    "channels of normalise": Case(
        IMAGES,
        MAP,
        recipe={"normalise": {"mean": [0.1, 0.2], "std": 0.5}},
        then_recipe={"normalise": {"mean": 0.5, "std": 0.5}},
    ),
    "a map": Case(IMAGES, MAP, [conv(3)], then_layers=[conv(3), "global_avg_pool"]),
    "a map of probabilities": Case(
        IMAGES, MAP, [conv(3), "softmax"], then_layers=[conv(3), "global_avg_pool", "softmax"]
    ),
    "a map of sigmoids": Case(
        IMAGES, MAP, [conv(3, activation="sigmoid")], then_layers=[conv(3), "global_avg_pool", "softmax"]
    ),
    "a map of one position": Case(
        IMAGES, MAP, [conv(6), "softmax"], then_layers=[conv(6), "softmax", "flatten"]
    ),
    "a mean of probabilities": Case(
        IMAGES,
        MAP,
        [conv(3), "softmax", "global_avg_pool"],
        then_layers=[conv(3), "global_avg_pool", "softmax"],
    ),
    "a maximum of probabilities": Case(
        IMAGES,
        MAP,
        [conv(3, activation="softmax"), "global_max_pool"],
        then_layers=[conv(3), "global_max_pool", "softmax"],
    ),
    "dropout behind softmax": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 3}, "softmax", {"dropout": 0.5}],
        then_layers=["flatten", {"dense": 3}, {"dropout": 0.5}, "softmax"],
    ),
    "softmax twice": Case(IMAGES, MAP, [*END, "softmax"], then_layers=END),
    "sigmoid, then softmax": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": {"units": 3, "activation": "sigmoid"}}, "softmax"],
        then_layers=["flatten", {"dense": {"units": 3}}, "softmax"],
    ),
    "sigmoid": Case(IMAGES, MAP, ["flatten", {"dense": 3}, "sigmoid"], then_layers=END),
    "sigmoid, then flatten": Case(
        IMAGES, MAP, [conv(6, activation="sigmoid"), "flatten"], then_layers=[conv(6), "flatten", "softmax"]
    ),
    "hard sigmoid": Case(IMAGES, MAP, ["flatten", {"dense": 3}, "hard_sigmoid"], then_layers=END),
    "probabilities averaged": Case(
        IMAGES,
        MAP,
        ["flatten", {"average": [[{"dense": 3}, "softmax"], [{"dense": 3}, "softmax"]]}],
        then_layers=["flatten", {"average": [[{"dense": 3}], [{"dense": 3}]]}, "softmax"],
    ),
    "distances": Case(
        IMAGES, MAP, ["flatten", {"rbf": 3}], then_layers=["flatten", {"rbf": 3}, {"scale_by": -1}]
    ),
    "softmax of distances": Case(
        IMAGES,
        MAP,
        ["flatten", {"rbf": 3}, "softmax"],
        then_layers=["flatten", {"rbf": 3}, {"scale_by": -1}, "softmax"],
    ),
    "temperature": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 3}, {"softmax": 3}],
        then_layers=["flatten", {"dense": 3}, {"scale_by": "${1 / 3}"}, "softmax"],
    ),
    "temperature of an activation": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": {"units": 3, "activation": {"softmax": 3}}}],
        then_layers=["flatten", {"dense": {"units": 3}}, {"scale_by": "${1 / 3}"}, "softmax"],
    ),
    "batches of one": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 3}, "batch_norm"],
        recipe={"batch": 1},
        then_recipe={"batch": 3},
    ),
    "a lone sample": Case(
        IMAGES,
        MAP,
        ["flatten", {"dense": 3}, "batch_norm"],
        recipe={"batch": 4},
        then_recipe={"batch": 5},
    ),
}


def attempt(case: Case) -> Attempt:
    arrays = {"train_images": case.samples, "train_labels": case.labels}
    arrays |= {"test_images": case.samples[::-1], "test_labels": case.labels[::-1]}
    return Attempt(deepcopy(case.layers), [*case.input], arrays, {**case.recipe})


@pytest.mark.parametrize("name", CASES)
def test_advice_leads_to_what_was_meant(name: str) -> None:
    case = CASES[name]
    tried = attempt(case)
    assert tried.settle(), "nothing was wrong"
    assert tried.layers == (case.layers if case.then_layers is None else case.then_layers)
    assert tried.input == (case.input if case.then_input is None else case.then_input)
    assert tried.recipe == (case.recipe if case.then_recipe is None else case.then_recipe)
    samples = case.samples if case.then_samples is None else case.then_samples
    labels = case.labels if case.then_labels is None else case.then_labels
    np.testing.assert_array_equal(tried.arrays["train_images"], samples)
    np.testing.assert_array_equal(tried.arrays["test_labels"], labels[::-1])
    _trains_on_logits(tried)


def _trains_on_logits(tried: Attempt) -> None:
    """The loss is of scores, and their softmax is what the network haves, if it gives probabilities."""
    graph = tried.graph()
    bare = logits(graph)
    assert meanings(bare)[bare.outputs[0].value].is_logit
    x = {"input": np.random.default_rng(0).standard_normal((2, *tried.input))}
    given = np.asarray(forward(graph, initialise(graph), x, training=False)[graph.outputs[0].value], float)
    scores = np.asarray(forward(bare, initialise(bare), x, training=False)[bare.outputs[0].value], float)
    if meanings(graph)[graph.outputs[0].value] is Meaning.PROBABILITIES:
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores = raised / raised.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, given, atol=1e-14)


ACCEPTED = {
    "sequences": Case(SEQUENCES, [2, 7], [conv(3), "global_avg_pool"]),
    "volumes": Case(VOLUMES, [1, 4, 5, 6], [conv(3), "global_avg_pool"]),
    "volumes without their channel": Case(VOLUMES[:, 0], [1, 4, 5, 6], [conv(3), "global_avg_pool"]),
    "vectors": Case(SEQUENCES[:, 0], [7], [{"dense": 3}]),
    "one column of labels": Case(IMAGES, MAP, labels=LABELS[:, None]),
    "images without their channel": Case(IMAGES[:, 0], MAP),
    "floats scaled by the recipe": Case(
        IMAGES * np.float32(1), MAP, recipe={"normalise": {"mean": 128, "std": 64}}
    ),
    "a class without samples": Case(IMAGES, MAP, labels=np.where(LABELS == 2, 0, LABELS)),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_nothing_is_said_of_what_is_right(name: str) -> None:
    assert attempt(ACCEPTED[name]).first_advice() is None


@pytest.mark.parametrize(("samples", "called"), [(SEQUENCES, "samples"), (IMAGES, "images")])
def test_samples_are_called_the_same_in_the_message_and_in_the_advice(samples: Any, called: str) -> None:
    wanted = list(samples.shape[1:])
    tried = attempt(Case(np.moveaxis(samples, 1, -1), wanted, [conv(3), "global_avg_pool"]))
    assert f"save `numpy.moveaxis({called}, -1, 1)`" in str(tried.first_advice())


def test_advice_that_nobody_can_follow_fails() -> None:
    from tests.training.following import follow

    with pytest.raises(AssertionError, match="nobody knows"):
        follow(attempt(CASES["sigmoid"]), "think again")
