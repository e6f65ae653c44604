"""Recipe, data and network: what does not belong together is said before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netspec.check import check_text
from netspec.data.parts import Parts
from netspec.data.source import Arrays, Purpose, numbered
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.language.document.recipe import settle
from netspec.loading import graph_of_text
from netspec.recipe import Recipe
from netspec.training.advice import Labels
from netspec.training.match import LIMITS, Facts, match
from netspec.training.plan import plan
from netspec.weights import starting

OWN = Facts("own.npz", (3, 8, 8), 4, 33, Labels(0, 3, 4))


def graph(layers: str, shape: str = "[3, 8, 8]", rest: str = "") -> Graph:
    problems = Problems()
    built = graph_of_text(
        f"netspec: 1\nname: net\ninput: {shape}\nlayers: [{layers}]\n{rest}", "n.yaml", problems
    )
    assert built is not None, list(problems)
    return built


def told(network: Graph, recipe: str = "{}", facts: Facts = OWN) -> list[str]:
    """Codes, messages and help, for a recipe that is no part of the spec."""
    problems = Problems()
    overrides = dict(part.split("=") for part in recipe.strip("{}").split(", ") if part)
    settings = {key: int(value) for key, value in overrides.items()}
    wanted = settle(network.train, problems, "n.yaml", settings)
    assert wanted is not None
    match(network, wanted, facts, problems)
    return [" | ".join([str(each.code), each.message, *each.notes, each.help or ""]) for each in problems]


FITS = {
    "softmax, then moved": ("{conv: {filters: 4, kernel: 8}}, softmax, flatten", "{}"),
    "as it is": ("flatten, {dense: 4}, softmax", "{}"),
    "logarithms times probabilities": ("flatten, {dense: 4}, {multiply: [[softmax], [log_softmax]]}", "{}"),
    "more classes than seen": ("flatten, {dense: 9}, softmax", "{}"),
    "logits": ("flatten, {dense: 4}", "{}"),
    "softmax within": ("flatten, {dense: {units: 4, activation: softmax}}", "{}"),
    "a map is normalised by a lone sample": (
        "{conv: {filters: 4, kernel: 3}}, batch_norm, global_avg_pool",
        "{batch=32}",
    ),
    "statistics that stay": ("flatten, {dense: 4}, {batch_norm: {}, trainable: false}", "{batch=32}"),
    "no remainder": ("flatten, {dense: 4}, batch_norm", "{batch=31}"),
}


@pytest.mark.parametrize("case", FITS)
def test_fits(case: str) -> None:
    layers, recipe = FITS[case]
    assert told(graph(layers), recipe) == []


MISFITS = {
    "sizes": (
        "[3, 9, 9]",
        "flatten, {dense: 4}",
        "{}",
        "NS0507 | the images of own.npz are 3@8×8, but `net` takes 3@9×9 | let the network take `input: [3, 8, 8]`",
    ),
    "pad": (
        "[3, 14, 14]",
        "flatten, {dense: 4}",
        "{}",
        "NS0507 | the images of own.npz are 3@8×8, but `net` takes 3@14×14 | `pad: 3` in the recipe makes them fit",
    ),
    "another pad": (
        "[3, 14, 14]",
        "flatten, {dense: 4}",
        "{pad=1}",
        "NS0507 | the images of own.npz are 3@10×10, padded by 1, but `net` takes 3@14×14"
        " | `pad: 3` in the recipe makes them fit",
    ),
    "no pad": (
        "[3, 8, 8]",
        "flatten, {dense: 4}",
        "{pad=1}",
        "NS0507 | the images of own.npz are 3@10×10, padded by 1, but `net` takes 3@8×8"
        " | remove `pad` from the recipe",
    ),
    "channels": (
        "[1, 8, 8]",
        "flatten, {dense: 4}",
        "{}",
        "NS0507 | the images of own.npz are 3@8×8, but `net` takes 1@8×8 | let the network take `input: [3, 8, 8]`",
    ),
    "a vector": (
        "[192]",
        "{dense: 4}",
        "{}",
        "NS0507 | the images of own.npz are 3@8×8, but `net` takes 192"
        " | let the network take `input: [3, 8, 8]` and start with `flatten`",
    ),
    "classes": (
        "[3, 8, 8]",
        "flatten, {dense: 3}, softmax",
        "{}",
        "NS0508 | own.npz has 4 classes, but `net` has 3 outputs | let `dense1` have `units: 4`",
    ),
    "a map": (
        "[3, 8, 8]",
        "{conv: {filters: 4, kernel: 3}}",
        "{}",
        f"NS0509 | `net` cannot be trained: its output is 4@6×6, a map | {LIMITS}"
        " | for a classifier end with `global_avg_pool`, or with `flatten` and `dense`",
    ),
    "a map of probabilities": (
        "[3, 8, 8]",
        "{conv: {filters: 4, kernel: 3}}, softmax",
        "{}",
        f"NS0509 | `net` cannot be trained: its output is 4@6×6, a map | {LIMITS}"
        " | for a classifier take `softmax1` out, and end with `global_avg_pool` and `softmax`, or with `flatten`,"
        " `dense` and `softmax`",
    ),
    "a map of one position": (
        "[3, 8, 8]",
        "{conv: {filters: 4, kernel: 8}}, softmax",
        "{}",
        f"NS0509 | `net` cannot be trained: its output is 4@1×1, a map | {LIMITS}"
        " | for a classifier end with `flatten`",
    ),
    "sigmoid behind a flatten": (
        "[3, 8, 8]",
        "{conv: {filters: 4, kernel: 8, activation: sigmoid}}, flatten",
        "{}",
        "NS0509 | `cross_entropy` is for mutually exclusive classes, but a sigmoid gives independent probabilities"
        " | take `activation: sigmoid` out of `conv1`, and end with `softmax`",
    ),
    "probabilities of their logarithms": (
        "[3, 8, 8]",
        "flatten, {dense: 4}, log_softmax, exp",
        "{}",
        "NS0509 | `exp1` ends in `exp`, which is not computed from logits"
        " | take `exp1` out, and end the network with `softmax`",
    ),
    "a mean of probabilities": (
        "[3, 8, 8]",
        "{conv: {filters: 4, kernel: 3, activation: softmax}}, global_avg_pool",
        "{}",
        "NS0509 | `global_avg_pool1` computes with the probabilities of `conv1`, so no layer gives the logits"
        " | take `activation: softmax` out of `conv1`, and end the network with `softmax`",
    ),
    "distances": (
        "[3, 8, 8]",
        "flatten, {rbf: 4}",
        "{}",
        "NS0509 | `rbf1` gives distances: the larger, the less likely"
        " | put `scale_by: -1` after `rbf1`: the nearest is then the most likely",
    ),
    "sigmoid": (
        "[3, 8, 8]",
        "flatten, {dense: {units: 4, activation: sigmoid}}",
        "{}",
        "NS0509 | `cross_entropy` is for mutually exclusive classes, but a sigmoid gives independent probabilities"
        " | take `activation: sigmoid` out of `dense1`, and end with `softmax`",
    ),
    "temperature": (
        "[3, 8, 8]",
        "flatten, {dense: 4}, {softmax: {temperature: 2}}",
        "{}",
        "NS0509 | `softmax1` is a softmax with temperature 2: its logits are its input divided by 2, and no layer "
        'gives them | put `scale_by: "${1 / 2}"` before the softmax, and remove its temperature',
    ),
    "lone sample": (
        "[3, 8, 8]",
        "flatten, {dense: 4}, batch_norm",
        "{batch=32}",
        "NS0510 | 33 samples in batches of 32 leave a batch of one, which `batch_norm1` on 4 cannot normalise"
        " | `batch: 33` leaves none, or `train_size: 32`",
    ),
    "batches of one": (
        "[3, 8, 8]",
        "flatten, {dense: 4}, batch_norm",
        "{batch=1}",
        "NS0510 | 33 samples in batches of 1 leave a batch of one, which `batch_norm1` on 4 cannot normalise"
        " | `batch: 3` leaves none",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_says_what_does_not_fit(case: str) -> None:
    shape, layers, recipe, message = MISFITS[case]
    assert told(graph(layers, shape), recipe) == [message]


def test_several_outputs() -> None:
    text = (
        "netspec: 1\nname: net\ninput: [1, 4, 4]\nlayers: [flatten, {dense: 4}, softmax]\n"
        "heads: {aux: {from: dense1, layers: [{dense: 4}]}}\ntrain: {data: ./own.npz}\n"
    )
    _, problems = check_text(text, "n.yaml")
    assert [each.message for each in problems] == [
        "`net` has 2 outputs, `output`, `aux`, and the recipe does not say the loss of each"
    ]
    losses = "losses: {output: cross_entropy, aux: {cross_entropy: {weight: 0.3}}}"
    _, problems = check_text(text.replace("./own.npz", f"./own.npz, {losses}"), "n.yaml")
    assert not list(problems)


def test_several_inputs() -> None:
    body = "inputs: {a: [4], b: [4]}\nlayers: [{add: , from: [a, b]}, {dense: 10}]\ntrain: {data: mnist}\n"
    _, problems = check_text(f"netspec: 1\nname: net\n{body}", "n.yaml")
    assert [each.message for each in problems] == ["`net` takes 2 inputs, but mnist has one array of samples"]


CHECKED = {
    "a metric of other outputs": (
        "metrics: [accuracy, mae]",
        "mae] | the metric `mae` does not measure what `net` gives",
    ),
    "more classes than there are": (
        "metrics: [{top_k: 5}]",
        "{top_k | the metric `top_k` does not measure what `net` gives",
    ),
    "a metric of no output": (
        "metrics: [{accuracy: {output: main}}]",
        "{accuracy | the metric `accuracy` names the output `main`, which is not compared with a target",
    ),
    "a figure that nothing measures": (
        "best: validation_iou",
        "validation_iou | nothing measures `validation_iou`",
    ),
    "a stop without validation": (
        "stop: {after: 2}, data: mnist",
        "{after | `validation_loss` is measured on a validation part, but the data have none",
    ),
    "a plateau of another figure": (
        "schedule: {plateau: {metric: train_f1}}",
        "train_f1 | nothing measures `train_f1`",
    ),
    "a crop that is too large": (
        "augment: [flip, {crop: 9}]",
        "[flip | `augment` gives 3@9×9, but the input `input` takes 3@8×8",
    ),
    "a shift out of the image": ("augment: [{shift: 8}]", "{shift | `shift` moves by 8 pixels, out of 8×8"),
    "an axis that is not there": (
        "augment: [flip, {flip: 2}]",
        "{flip | `flip` has axis 2, but a sample has 2 spatial axes",
    ),
    "means of other channels": (
        "normalise: {mean: [0.5, 0.5], std: [1, 1, 1]}",
        "[0.5, 0.5] | `mean` has 2 numbers, but the input `input` has 3 channels",
    ),
    "a group of no layer": (
        "groups: [{layers: dense1}, {layers: dense9}]",
        "dense9 | `groups` names `dense9`, but no layer of `net` with weights is called so",
    ),
    "a group whose layers belong to another one": (
        'groups: [{layers: "*", rate: 0.1}, {layers: dense1}]',
        "dense1 | all weights of `dense1` belong to earlier entries of `groups`, so this one changes nothing",
    ),
    "an l2 whose layers have another one": (
        'l2: {"*": 0.1, dense1: 0.2}',
        "0.2 | all weights of `dense1` belong to earlier entries of `l2`, so this one changes nothing",
    ),
    "layers that are all frozen": (
        'epochs: 2, groups: [{layers: "*", freeze: 2}]',
        "[{layers | no weight of `net` learns with this recipe: all of them are frozen",
    ),
    "two names of a target": (
        "data: {train: ./own.npz, targets: {output: a}}, loss: {cross_entropy: {target: b}}",
        "b} | the loss of `output` names the target `b`, but `data.targets` names `a`",
    ),
    "a setting of data of another kind": (
        "data: {train: mnist, channels: 1}",
        "1} | `channels` is not for a named set, which mnist is",
    ),
    "an input of another name": (
        "data: {train: ./own.npz, inputs: {image: x}}",
        "x} | `data.inputs` names `image`, but `net` has no such input",
    ),
}


@pytest.mark.parametrize("case", CHECKED)
def test_check_says_what_no_data_can_make_fit(case: str) -> None:
    settings, message = CHECKED[case]
    named = "mnist" in settings
    data = "" if "data:" in settings else "data: ./own.npz, "
    image, units = ("[1, 28, 28]", 10) if named else ("[3, 8, 8]", 4)
    recipe = f"train: {{{settings}, {data}}}"
    head = f"netspec: 1\nname: net\ninput: {image}\nlayers: [flatten, {{dense: {units}}}]\n"
    _, problems = check_text(f"{head}{recipe}\n", "n.yaml")
    place, _, wanted = message.partition(" | ")
    assert [each.message for each in problems] == [wanted]
    assert [(each.span.line, recipe[each.span.column - 1 :].startswith(place)) for each in problems] == [
        (5, True)
    ]


BITS = "input: [1, 24]\nlayers: [{rnn: 2}, {dense: 1}, {slice: {axis: time, start: 4}}]\n"
SONNETS = (
    "input: {shape: [SIZE], vocabulary: 65}\nlayers: [{embedding: 4}, {rnn: 4}, {dense: CLASSES}]\n"
    "train: {data: sonnets, loss: cross_entropy}\n"
)
TWO = (
    "input: [1, 28, 28]\nlayers: [flatten]\nheads: {a: {layers: [{dense: 10}]}, b: {layers: [{dense: 10}]}}\n"
    "train: {data: DATA, losses: {a: cross_entropy, b: cross_entropy}}\n"
)
COARSE = (
    "input: [3, 32, 32]\nlayers: [flatten]\n"
    "heads: {a: {layers: [{dense: 20}]}, b: {layers: [{dense: 100}]}}\n"
    "train: {data: {train: cifar100, targets: DATA}, losses: {a: cross_entropy, b: cross_entropy}}\n"
)
FORESEEN: dict[str, tuple[str, list[str]]] = {
    "bits": (BITS + "train: {data: bits, loss: binary_cross_entropy}\n", []),
    "bits of another length": (
        BITS + "train: {data: {train: bits, bits: {length: 30}}, loss: binary_cross_entropy}\n",
        [
            "`samples` of bits is 1×30, but the input `input` takes 1@24",
            "`targets` of bits is 1×26 a sample, but `binary_cross_entropy` of the output `output`, 1@20, takes 1×20",
        ],
    ),
    "sonnets": (SONNETS.replace("SIZE", "100").replace("CLASSES", "65"), []),
    "sonnets of another length": (
        SONNETS.replace("SIZE", "50").replace("CLASSES", "65"),
        [
            "`symbols` of sonnets is 100, but the input `input` takes indices 50 of 65",
            "`targets` of sonnets is 100 a sample, but `cross_entropy` of the output `output`, 65@50, takes 50",
        ],
    ),
    "sonnets with fewer characters": (
        SONNETS.replace("SIZE", "100").replace("CLASSES", "60"),
        ["sonnets has the index 64 in `targets`, but the output `output` has 60, from 0"],
    ),
    "two heads with one target": (
        TWO.replace("DATA", "mnist"),
        [f"nothing says which array of mnist belongs to the output `{name}` of `net`" for name in "ab"],
    ),
    "two targets of CIFAR-100": (COARSE.replace("DATA", "{a: coarse, b: labels}"), []),
    "fewer classes than a target has": (
        COARSE.replace("{dense: 20}", "{dense: 10}").replace("DATA", "{a: coarse, b: labels}"),
        ["cifar100 has the index 19 in `coarse`, but the output `a` has 10, from 0"],
    ),
    "the other target of CIFAR-100": (
        "input: [3, 32, 32]\nlayers: [flatten, {dense: 20}, softmax]\n"
        "train: {data: {train: cifar100, targets: {output: coarse}}}\n",
        [],
    ),
    "the other target of CIFAR-100, by its loss": (
        "input: [3, 32, 32]\nlayers: [flatten, {dense: 20}, softmax]\n"
        "train: {data: cifar100, loss: {cross_entropy: {target: coarse}}}\n",
        [],
    ),
    "two targets of CIFAR-100 by their losses": (
        COARSE.replace("{train: cifar100, targets: DATA}", "cifar100")
        .replace("a: cross_entropy", "a: {cross_entropy: {target: coarse}}")
        .replace("b: cross_entropy", "b: {cross_entropy: {target: labels}}"),
        [],
    ),
    "a loss that names no array of the set": (
        TWO.replace("DATA", "mnist").replace("cross_entropy", "{cross_entropy: {target: label}}"),
        ["mnist has no array `label`; did you mean `labels`?"] * 2,
    ),
    "two heads that share a target": (
        TWO.replace("DATA", "{train: mnist, targets: {a: labels, b: labels}}"),
        [],
    ),
}


@pytest.mark.parametrize("case", FORESEEN)
def test_check_knows_the_arrays_of_known_sets(case: str) -> None:
    text, messages = FORESEEN[case]
    _, problems = check_text(f"netspec: 1\nname: net\n{text}", "n.yaml")
    assert [each.message for each in problems] == messages
    if "length" in case:
        kind, length = ("bits", 24) if "bits" in case else ("text", 50)
        name = case.partition(" ")[0]
        assert problems[0].help == f"write `data: {{train: {name}, {kind}: {{length: {length}}}}}`"


@pytest.mark.parametrize(("recipe", "severity"), [("epochs: 1", "warning"), ("sharded: true", "error")])
def test_a_network_without_weights_learns_nothing(recipe: str, severity: str) -> None:
    text = f"netspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: [global_avg_pool]\ntrain: {{data: ./a.npz, {recipe}}}\n"
    _, problems = check_text(text, "n.yaml")
    assert [each.severity for each in problems] == [severity]


def test_a_vector_has_no_border_and_is_no_image() -> None:
    text = (
        "netspec: 1\nname: net\ninput: [4]\nlayers: [{dense: 2}]\n"
        "train: {data: ./own.npz, pad: 2, augment: [flip]}\n"
    )
    _, problems = check_text(text, "n.yaml")
    assert [each.message for each in problems] == [
        "`pad` is 2, but a sample for `net` is a vector, which has no border",
        "`augment` changes images, but `net` has no input of images",
    ]


SPEC = "netspec: 1\nname: net\nparams: {{size: 28}}\ninput: [1, $size, $size]\nlayers: [flatten, {{dense: 10}}]\n{}"


@pytest.mark.parametrize(
    ("train", "params", "codes"),
    [
        ("", {}, []),
        ("train: {data: mnist}", {}, []),
        ("train: {data: mnist, pad: 2}", {}, ["NS0507"]),
        ("train: {data: mnist, pad: 2, epoch: 1}", {}, ["NS0501"]),
        ("train: {data: own.npz}", {}, []),  # not known before it is loaded
        ("heads: {a: {layers: [sigmoid]}}\ntrain: {data: own.npz}", {}, ["NS0509"]),  # the network is
        ("heads: {a: {layers: [sigmoid]}}\ntrain: {epoch: 1}", {}, ["NS0509", "NS0501"]),
        ("train: {data: mnist}", {"size": 32}, []),  # the recipe was written for another size
    ],
)
def test_check_says_what_needs_no_data(train: str, params: dict[str, object], codes: list[str]) -> None:
    _, problems = check_text(SPEC.format(train), "n.yaml", params)
    assert [str(each.code) for each in problems] == codes


def test_facts_are_those_of_the_data() -> None:
    from tests.training.fakes import dataset

    assert Facts.of(dataset()) == Facts("own", (2, 2), 3, 5, Labels(0, 2, 3))
    assert Facts.of(dataset().with_channel()).shape == (1, 2, 2)
    assert Recipe().data == "fashion-mnist-small"


OBEYED = """\
augment: [flip, {shift: 2}, {crop: {size: 8, pad: 1}}, {rotate: 30}, scale, brightness, contrast, noise, {cutout: 9}]
augment: [{crop: {size: 6}}]
augment: [{shift: {by: 8}}]
augment: [colour]
best: train_loss
best: validation_accuracy
best: validation_f1
data: {train: ./own.npz, size: 8}
data: {train: ./own.npz, inputs: {x: images}}
groups: [{layers: "*", freeze: true}]
groups: [{layers: conv9}]
l2: {"conv*": 0.1}
l2: {dens: 0.1}
loss: focal
loss: output
loss: {cross_entropy: {class_weights: [1, 2]}}
losses: {output: cross_entropy}
losses: {main: cross_entropy}
metrics: [f1, precision, recall, confusion, per_class, iou, iou_per_class, perplexity, {top_k: 3}]
metrics: [top_k]
metrics: [auc]
metrics: [{accuracy: {output: aux}}]
normalise: sample
normalise: {mean: [1, 2], std: 1}
schedule: {plateau: {metric: validation_loss}}
schedule: {plateau: {metric: train_mae}}
stop: {after: 2}
stop: {after: 2, metric: train_mae}
whiten: zca\
"""


@pytest.mark.parametrize("setting", OBEYED.splitlines())
def test_what_check_takes_a_training_takes(setting: str) -> None:
    """And what is refused before the first step, whatever the data hold, is refused by check."""
    layers = "{conv: {filters: 2, kernel: 3}}, flatten, {dense: 3}"
    recipe = setting if setting.startswith("data:") else f"{setting}, data: ./own.npz"
    text = f"netspec: 1\nname: net\ninput: [1, 8, 8]\nlayers: [{layers}]\ntrain: {{{recipe}, batch: 4}}\n"
    network, problems = check_text(text, "n.yaml")
    checked = [each.message for each in problems if each.severity == "error"]
    trained = Problems()
    told = None if network is None or network.train is None else network.train.recipe
    if told is None:
        assert checked
        return
    assert network is not None
    arrays: dict[str, Any] = {"images": np.ones((12, 1, 8, 8), np.uint8), "labels": np.arange(12) % 3}
    source = Arrays(arrays, {"images": Purpose.input, "labels": Purpose.target}, numbered("own"))
    plan(network, told, Parts("own", "own", source, source, source), starting(network, 0), "cpu", trained)
    assert bool(checked) == bool(trained.errors) or "size: 8" in setting, [*trained]


def test_logarithms_of_exclusive_probabilities_are_no_logits_of_bits() -> None:
    train = "train: {data: fashion-mnist-small, loss: binary_cross_entropy}"
    text = (
        f"netspec: 1\nname: net\ninput: [1, 28, 28]\nlayers: [flatten, {{dense: 1}}, log_softmax]\n{train}\n"
    )
    _, (found,) = check_text(text, "n.yaml")
    assert found.code.id == "NS0509"
    assert found.message.startswith("`binary_cross_entropy` is for independent numbers")
    assert found.help == "take `log_softmax1` out, and end with `sigmoid`"
