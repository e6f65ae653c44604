"""Recipes: what is read, and the exact words for what is not."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
import yaml

from netspec.diagnostics import Problems
from netspec.diagnostics.render import as_text
from netspec.language.document.recipe import settle, state
from netspec.language.reading import source
from netspec.language.reading.values import Mapping
from netspec.recipe import CheckpointInterval, EarlyStop, Group, Normalise, Recipe, names, plain
from netspec.recipe.augmentation import Flip, RandomCrop
from netspec.recipe.clipping import Norm
from netspec.recipe.data import Data, TableData
from netspec.recipe.losses import CrossEntropy, Huber, SquaredError
from netspec.recipe.metrics import Accuracy, IntersectionOverUnion, TopK
from netspec.recipe.optimizers import Adam, AdamW, Sgd
from netspec.recipe.schedules import Cosine, Plateau


def recipe(text: str, **overrides: object) -> tuple[Recipe | None, str]:
    """What is read from the text of a recipe, and every problem in one line each."""
    problems = Problems()
    value = source.read(text, "r.yaml", problems) if text else None
    assert value is None or isinstance(value, Mapping)
    dotted = {key.replace("__", "."): each for key, each in overrides.items()}
    stated = None if value is None else state(value, problems)
    found = settle(stated, problems, "r.yaml", dotted)
    return found, "\n".join(
        " | ".join([f"{each.span}: {each.code}", each.message, *each.notes, each.help or ""])
        for each in problems
    )


READ = {
    "": Recipe(),
    "{}": Recipe(),
    "epochs: 3": Recipe(epochs=3),
    "optimizer: sgd": Recipe(optimizer=Sgd()),
    "optimizer: {sgd: }": Recipe(optimizer=Sgd()),
    "optimizer: {sgd: {learning_rate: 1, momentum: 0.9, nesterov: true}}": Recipe(
        optimizer=Sgd(learning_rate=1.0, momentum=0.9, nesterov=True)
    ),
    "optimizer: {adam: {learning_rate: 1e-4, beta1: 0.5}}": Recipe(
        optimizer=Adam(learning_rate=1e-4, beta1=0.5)
    ),
    "metrics: accuracy": Recipe(metrics=(Accuracy(),)),
    "metrics: [accuracy, {top_k: 3}, {iou: {output: main}}]": Recipe(
        metrics=(Accuracy(), TopK(k=3), IntersectionOverUnion(output="main"))
    ),
    "loss: {cross_entropy: {smoothing: 0.1, class_weights: [1, 2]}}": Recipe(
        loss=CrossEntropy(smoothing=0.1, class_weights=(1.0, 2.0))
    ),
    "losses: {main: mse, aux: {huber: {delta: 2, weight: 0.3}}}": Recipe(
        losses={"main": SquaredError(), "aux": Huber(delta=2.0, weight=0.3)}
    ),
    "schedule: {cosine: {warmup: 5, to: 0.1}}": Recipe(schedule=Cosine(warmup=5, to=0.1)),
    "schedule: {plateau: {metric: validation_loss}}": Recipe(schedule=Plateau(metric="validation_loss")),
    "clip: {norm: 1}": Recipe(clip=Norm(limit=1.0)),
    "augment: [flip, {crop: 24}, {crop: {pad: 4}}]": Recipe(
        augment=(Flip(), RandomCrop(size=(24,)), RandomCrop(pad=4))
    ),
    "augment: flip": Recipe(augment=(Flip(),)),
    "groups: [{layers: [a.*, b], rate: 0.1, freeze: 3}, {layers: c, freeze: true}]": Recipe(
        groups=(Group(layers=("a.*", "b"), rate=0.1, freeze=3), Group(layers=("c",), freeze=True))
    ),
    "l2: {'conv*': 0.001}": Recipe(l2={"conv*": 0.001}),
    "stop: {after: 5, metric: validation_accuracy}": Recipe(
        stop=EarlyStop(after=5, metric="validation_accuracy")
    ),
    "checkpoint: {minutes: 10}": Recipe(checkpoint=CheckpointInterval(minutes=10.0)),
    "normalise: measured": Recipe(normalise="measured"),
    "data: {train: mnist, validation: 5000, test: ./more.npz}": Recipe(
        data=Data(train="mnist", validation=5000, test="./more.npz")
    ),
    "data: {train: ./a.csv, validation: 0.25, table: {inputs: [a, b], targets: c}}": Recipe(
        data=Data(train="./a.csv", validation=0.25, table=TableData(inputs=("a", "b"), targets=("c",)))
    ),
    "{average: 0.5, best: validation_iou, precision: bf16, steps: 7, accumulate: 2, workers: 0}": Recipe(
        average=0.5, best="validation_iou", precision="bf16", steps=7, accumulate=2, workers=0
    ),
    "metrics: []": Recipe(metrics=()),
    "normalise: {mean: 0.5, std: [0.5, 1, 2]}": Recipe(normalise=Normalise(mean=(0.5,), std=(0.5, 1.0, 2.0))),
    "normalise: ": Recipe(),
    "{data: mnist, pad: 2, batch: 1, train_size: 7, test_size: 5, seed: 4294967295}": Recipe(
        data="mnist", pad=2, batch=1, train_size=7, test_size=5, seed=2**32 - 1
    ),
    "data: ./own": Recipe(data="./own"),
    "data: own.npz": Recipe(data="own.npz"),
}


@pytest.mark.parametrize("text", READ)
def test_reads(text: str) -> None:
    assert recipe(text) == (READ[text], "")


@pytest.mark.parametrize("each", READ.values(), ids=READ)
def test_is_written_so_that_it_reads_the_same(each: Recipe) -> None:
    assert recipe(yaml.safe_dump(plain(each), sort_keys=False)) == (each, "")


SETTINGS = ", ".join(f"`{each}`" for each in sorted(Recipe.model_fields))
NAMED = "write `{sgd: {learning_rate: 0.05, momentum: 0.9}}`, for example"
SETS = f"the data sets are {', '.join(f'`{name}`' for name in names.KNOWN)}"

WRONG = {
    "epoch: 3": "1:1: NS0501 | a recipe does not have the setting `epoch` | write `epochs`",
    "zzz: 3": f"1:1: NS0501 | a recipe does not have the setting `zzz` | the settings are {SETTINGS}",
    "batch: 0": "1:8: NS0502 | `batch` must be a whole number from 1, not `0` | write `batch: 64`, for example",
    "batch: true": "1:8: NS0502 | `batch` must be a whole number from 1, not `true` | write `batch: 64`, for example",
    "batch: '64'": "1:8: NS0502 | `batch` must be a whole number from 1, not `64` | write `batch: 64`, for example",
    "batch: .nan": "1:8: NS0502 | `batch` must be a whole number from 1, not `.nan` | write `batch: 64`, for example",
    "batch: ": "1:7: NS0502 | `batch` must be a whole number from 1, not nothing | write `batch: 64`, for example",
    "epochs: 1.5": "1:9: NS0502 | `epochs` must be a whole number from 1, not `1.5` | write `epochs: 10`, for example",
    "pad: -1": "1:6: NS0502 | `pad` must be a whole number of pixels from 0, not `-1` | write `pad: 0`, for example",
    "train_size: 0": (
        "1:13: NS0502 | `train_size` must be a whole number from 1, not `0` | write `train_size: 1000`, for example"
    ),
    "seed: -1": "1:7: NS0502 | `seed` must be a whole number from 0 to 2³² − 1, not `-1`"
    " | write `seed: 0`, for example",
    "data: [a]": (
        "1:7: NS0502 | `data` must be the name of a data set, or a path, not a list"
        " | write `data: fashion-mnist-small`, for example"
    ),
    "normalise: 3": (
        "1:12: NS0502 | `normalise` must be a mapping with `mean` and `std`, `measured`, or `sample`, not `3`"
        " | write `normalise: {mean: 0.5, std: 0.25}`, for example"
    ),
    "normalise: {mean: [0.5, a], std: 0}": (
        "1:25: NS0502 | `mean` must be a float32 number, or one per channel, not `a` | write `mean: 0.5`, for example\n"
        "r.yaml:1:34: NS0502 | `std` must be a float32 number above 0, or one per channel, not `0`"
        " | write `std: 0.25`, for example"
    ),
    "normalise: {mean: 1e300, std: 1e-300}": (
        "1:19: NS0502 | `mean` must be a float32 number, or one per channel, not `1e300`"
        " | write `mean: 0.5`, for example\n"
        "r.yaml:1:31: NS0502 | `std` must be a float32 number above 0, or one per channel, not `1e-300`"
        " | write `std: 0.25`, for example"
    ),
    "normalise: {mean: {}, std: 1}": (
        "1:19: NS0502 | `mean` must be a float32 number, or one per channel, not a mapping"
        " | write `mean: 0.5`, for example"
    ),
    "normalise: {mean: {a: 1}, std: [[1]]}": (
        "1:19: NS0502 | `mean` must be a float32 number, or one per channel, not a mapping"
        " | write `mean: 0.5`, for example\n"
        "r.yaml:1:33: NS0502 | `std` must be a float32 number above 0, or one per channel, not a list"
        " | write `std: 0.25`, for example"
    ),
    "normalise: {mean: 0.5}": "1:12: NS0503 | `std` is missing in `normalise` | add `std: 0.25`, for example",
    "optimizer: {sgd: {nesterov: true}}": (
        "1:29: NS0502 | `nesterov` needs a momentum, but `momentum` is 0"
        " | add `momentum: 0.9`, or remove `nesterov`"
    ),
    "optimizer: {sgd: {nesterov: yes}}": (
        "1:29: NS0502 | `nesterov` must be `true` or `false`, not `yes` | write `nesterov: false`, for example"
    ),
    "optimizer: {sgd: {momentum: 1}}": (
        "1:29: NS0502 | `momentum` must be a float32 number from 0 to below 1, not `1`"
        " | write `momentum: 0.0`, for example"
    ),
    "optimizer: {adam: {epsilon: .inf}}": (
        "1:29: NS0502 | `epsilon` must be a float32 number above 0, not `.inf` | write `epsilon: 1e-08`, for example"
    ),
    "optimizer: {adam: {epsilon: 1e-300}}": (
        "1:29: NS0502 | `epsilon` must be a float32 number above 0, not `1e-300` | write `epsilon: 1e-08`, for example"
    ),
    "optimizer: {adam: {momentum: 0.9}}": (
        "1:20: NS0501 | `adam` does not have the setting `momentum`"
        " | the settings are `beta1`, `beta2`, `epsilon`, `learning_rate`, `weight_decay`"
    ),
    "optimizer: {sgd: {learning_rate: -1, momentun: 2}}": (
        "1:34: NS0502 | `learning_rate` must be a float32 number above 0, not `-1`"
        " | write `learning_rate: 0.01`, for example\n"
        "r.yaml:1:38: NS0501 | `sgd` does not have the setting `momentun` | did you mean `momentum`?"
    ),
    "optimizer: agam": "1:12: NS0504 | no optimiser is called `agam` | did you mean `adam`?",
    "optimizer: {adamax: {}}": (
        "1:13: NS0504 | no optimiser is called `adamax` | this version of netspec has no optimiser of this name; it has"
        " `sgd`, `adam`, `adamw`, `rmsprop`, `adagrad` and `adadelta`"
    ),
    "loss: hinge": "1:7: NS0504 | no loss is called `hinge` | this version of netspec has no loss of this name",
    "loss: 3": "1:7: NS0505 | `loss` must be one name, not `3` | write `cross_entropy`, for example",
    "loss: {smoothing: 0.1}": (
        "1:8: NS0505 | `smoothing` is a setting of a loss, but the name of the loss is missing"
        " | write `{cross_entropy: {smoothing: …}}`"
    ),
    "losses: mse": (
        "1:9: NS0502 | `losses` must be a mapping, not `mse` | write `losses: {main: cross_entropy}`, for example"
    ),
    "{loss: mse, losses: {a: mse}}": (
        "1:13: NS0502 | a recipe has `loss` or `losses`, not both"
        " | `loss` is for a network with one output, `losses` for several by their names"
        " | remove `loss` or `losses`"
    ),
    "{epochs: 3, steps: 4}": (
        "1:13: NS0502 | a recipe has `epochs` or `steps`, not both"
        " | the length of a training is `epochs`, or `steps` instead | remove `epochs` or `steps`"
    ),
    "best: test_accuracy": (
        "1:7: NS0502 | the test part is used once, after the training, so nothing is chosen by it"
        " | write `best: validation_accuracy`"
    ),
    "stop: {after: 3, metric: accuracy}": (
        "1:26: NS0502 | `metric` must be a figure of a part, not `accuracy`"
        " | write `metric: validation_loss`, or `validation_` and the name of a metric"
    ),
    "augment: [{scale: {least: 2, most: 1}}]": (
        "1:36: NS0502 | `most` must be at least `least`, but 1 is below 2"
        " | write `most: 2` at least, or a smaller `least`"
    ),
    # Also where the other one is a default.
    "augment: [{scale: {least: 3}}]": (
        "1:19: NS0502 | `most` must be at least `least`, but 1.1 is below 3"
        " | write `most: 3` at least, or a smaller `least`"
    ),
    "data: {train: bits, bits: {length: 3}}": (
        "1:27: NS0502 | `delay` must be below `length`, but 4 is not below 3"
        " | write `delay: 2` at most, or a larger `length`"
    ),
    "stop: {metric: validation_loss}": "1:7: NS0503 | `after` is missing in `stop` | add `after: 5`, for example",
    "clip: {norm: }": "1:14: NS0503 | `limit` is missing in `norm` | add `limit: 1.0`, for example",
    "clip: {norm: 0}": (
        "1:14: NS0502 | `limit` must be a float32 number above 0, not `0` | write `limit: 1.0`, for example"
    ),
    "augment: {crop: big}": (
        "1:17: NS0502 | `size` must be a whole number of pixels, or one per axis, not `big`"
        " | write `size: 32`, for example"
    ),
    "augment: [flip, flop]": "1:17: NS0504 | no augmentation is called `flop` | did you mean `flip`?",
    "precision: float16": (
        "1:12: NS0502 | `precision` must be `float32`, `tf32`, `bf16`, `fp16` or `float64`, not `float16`"
        " | write `precision: float32`, for example"
    ),
    "data: {train: mnits}": (
        "1:15: NS0506 | no data set is called `mnits`"
        f" | {SETS} | did you mean `mnist`?; for a file or folder write its path with a slash: `./mnits`"
    ),
    "data: {validation: 0.1}": "1:7: NS0503 | `train` is missing in `data` | add `train: mnist`, for example",
    "data: {train: mnist, validation: 1.5}": (
        "1:34: NS0502 | `validation` must be a path, a fraction between 0 and 1, or a whole number of samples from 1,"
        " not `1.5` | write `validation: 0.1`, for example"
    ),
    "groups: {rate: 0.1}": "1:9: NS0503 | `layers` is missing in `groups` | add `layers: features.*`, for example",
    "metrics: [accuracy, acuracy]": "1:21: NS0504 | no metric is called `acuracy` | did you mean `accuracy`?",
    "optimizer: {learning_rate: 0.1}": (
        "1:13: NS0505 | `learning_rate` is a setting of an optimiser, but the name of the optimiser is missing"
        " | write `{sgd: {learning_rate: …}}`"
    ),
    "optimizer: {sgd: {}, adam: {}}": f"1:12: NS0505 | `optimizer` must be one name, not several | {NAMED}",
    "optimizer: 3": f"1:12: NS0505 | `optimizer` must be one name, not `3` | {NAMED}",
    "optimizer: {sgd: 3}": (
        "1:18: NS0505 | `sgd` takes a mapping of settings, not `3` | write `sgd: {learning_rate: 0.01}`, for example"
    ),
    "data: mnits": (
        "1:7: NS0506 | no data set is called `mnits`"
        f" | {SETS} | did you mean `mnist`?; for a file or folder write its path with a slash: `./mnits`"
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_says_what_is_wrong(text: str) -> None:
    assert recipe(text) == (None, f"r.yaml:{WRONG[text]}")


def test_overrides_lie_over_what_is_written() -> None:
    text = "{epochs: 9, optimizer: {sgd: {momentum: 0.5}}}"
    found, problems = recipe(text, epochs=3, optimizer__sgd__learning_rate=0.25, metrics=[])
    assert (found, problems) == (
        Recipe(epochs=3, optimizer=Sgd(learning_rate=0.25, momentum=0.5), metrics=()),
        "",
    )


def test_an_override_takes_the_place_of_what_is_in_its_way() -> None:
    assert recipe("optimizer: adam", optimizer__sgd__learning_rate=0.25)[0] == Recipe(
        optimizer=Sgd(learning_rate=0.25)
    )


def test_an_override_of_another_optimizer_takes_the_place_of_the_one_that_is_written() -> None:
    found, problems = recipe(
        "optimizer: {adam: {learning_rate: 0.5}}",
        optimizer__sgd__learning_rate=0.25,
        optimizer__sgd__momentum=0.5,
    )
    assert (found, problems) == (Recipe(optimizer=Sgd(learning_rate=0.25, momentum=0.5)), "")


def test_an_override_reaches_the_settings_of_the_one_that_is_chosen() -> None:
    text = "optimizer: {adamw: {beta1: 0.5}}"
    assert recipe(text, optimizer__learning_rate=0.25)[0] == Recipe(
        optimizer=AdamW(beta1=0.5, learning_rate=0.25)
    )
    assert recipe("optimizer: sgd", optimizer__momentum=0.5)[0] == Recipe(optimizer=Sgd(momentum=0.5))
    assert recipe("", optimizer__beta1=0.5, loss__smoothing=0.1)[0] == Recipe(
        optimizer=Adam(beta1=0.5), loss=CrossEntropy(smoothing=0.1)
    )
    assert recipe(text, optimizer__adamv__beta1=0.1)[1] == (
        "train.optimizer.adamv.beta1: NS0504 | no optimiser is called `adamv`"
        " | the known ones are `sgd`, `adam`, `adamw`, `rmsprop`, `adagrad`, `adadelta`"
    )


def test_an_override_takes_the_place_of_the_setting_that_it_excludes() -> None:
    assert recipe("epochs: 3", steps=7)[0] == Recipe(steps=7)
    assert recipe("steps: 7", epochs=3)[0] == Recipe(epochs=3)
    assert "not both" in recipe("", epochs=3, steps=7)[1]


def test_a_wrong_override_has_its_name_for_a_place() -> None:
    assert recipe("epochs: 3", epoch=4)[1].startswith(
        "train.epoch: NS0501 | a recipe does not have the setting"
    )


def test_a_wrong_override_is_shown_without_a_line() -> None:
    problems = Problems()
    settle(None, problems, "r.yaml", {"epochs": 0})
    assert as_text(problems.in_order()).splitlines()[1] == " --> train.epochs"


def test_needs_no_numpy() -> None:
    program = (
        "import sys; import netspec.training.match, netspec.language.document.recipe as r\n"
        "from netspec.diagnostics import Problems\n"
        "assert r.settle(None, Problems(), '', {'epochs': 3}).epochs == 3\n"
        "sys.exit('numpy' in sys.modules or 'rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", program], check=False).returncode == 0


def test_no_value_is_a_fault_of_netspec() -> None:
    """Any value under any key is read, or told with a place in the text."""
    draw = random.Random(11)
    keys = [
        *Recipe.model_fields,
        "mean",
        "std",
        "sgd",
        "adam",
        "learning_rate",
        "momentum",
        "nesterov",
        "validation",
        "crop",
        "cross_entropy",
        "norm",
        "after",
        "layers",
        "freeze",
        "a",
        "0",
    ]
    plain_values: list[object] = [
        None,
        True,
        0,
        1,
        -1,
        0.5,
        2**62,
        "",
        "adam",
        "mnist",
        "./x",
        "cross_entropy",
        "flip",
        "cosine",
    ]

    def value(depth: int) -> object:
        kind = draw.randrange(6 if depth else 4)
        if kind == 4:
            return [value(depth - 1) for _ in range(draw.randrange(3))]
        if kind == 5:
            return {draw.choice(keys): value(depth - 1) for _ in range(draw.randrange(3))}
        return draw.choice(plain_values)

    for number in range(1500):
        written = {draw.choice(keys): value(3) for _ in range(draw.randrange(1, 4))}
        text = yaml.safe_dump(written, default_flow_style=draw.random() < 0.5)
        found, problems = recipe(text)
        assert (found is None) == bool(problems), (number, text)
        lines = text.splitlines()
        for each in re.findall(r"^r\.yaml:(\d+):(\d+)", problems, re.MULTILINE):
            line, column = map(int, each)
            assert line <= len(lines) + 1, (number, text, problems)
            assert column <= len([*lines, ""][line - 1]) + 1, (number, text, problems)
