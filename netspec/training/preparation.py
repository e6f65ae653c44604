"""How samples become what a network takes, and what its outputs answer: kept in a run, to measure nothing again.

A training writes it as `preparation.json`. Without a run, as far as spec and recipe say it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec import files
from netspec.data.parts import Classes, Parts
from netspec.fit import Conversion, Whitening
from netspec.marks import metadata
from netspec.recipe.model import Reading
from netspec.recipe.names import Shape
from netspec.tensors import UnreadableTensors, as_bytes
from netspec.tensors import read as read_tensors
from netspec.training.changes import BOXES
from netspec.training.goals import BOX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netspec.fit import Term
    from netspec.graph import Graph
    from netspec.training.heads import LossOutput
    from netspec.training.wiring import Wiring

FILE, WHITENING = "preparation.json", "whitening.safetensors"


class CannotPrepare(Exception):
    """What a preparation needs is not known. `str()` says what is missing, `help` how to give it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True)
class Fed:
    """One input of the network: the key of its array in the data, a stored sample, and how it becomes floats.

    `shape` has a channel axis if the network has one, and is that before cropping and padding. Without a `dtype`, that
    of the file counts. Without a `conversion`, the numbers are indices. `columns` are those of a table, `symbols` those
    of a text, in the order of their indices.
    """

    key: str
    shape: Shape
    dtype: str | None = None
    conversion: Conversion | None = None
    columns: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()

    @property
    def unit(self) -> float | None:
        """What stored numbers are divided by; None if the type of the file says it."""
        return None if self.dtype is None or self.conversion is None else self.conversion.unit


@dataclass(frozen=True)
class Asked:
    """One output of the network: the key of its target, how it is read, its classes, and what a loss weighs.

    `reading` None: it is numbers without a target. `conversion` is that of targets that are numbers.
    """

    key: str | None = None
    reading: Reading | None = None
    classes: Classes | None = None
    class_weights: tuple[float, ...] | None = None
    conversion: Conversion | None = None
    is_box: bool = False


@dataclass(frozen=True)
class Preparation:
    """All inputs and outputs of a network by their names."""

    inputs: Mapping[str, Fed]
    outputs: Mapping[str, Asked] = field(default_factory=dict)

    def as_text(self) -> str:
        """The content of the file of a run."""
        whole = {
            "inputs": {name: _told(each) for name, each in self.inputs.items()},
            "outputs": {name: asdict(each) for name, each in self.outputs.items()},
        }
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

    def whitenings(self) -> bytes | None:
        """The content of the file with the matrices of whitenings; None if there are none."""
        found = {
            f"{name}/{part}": getattr(each.conversion.whiten, part)
            for name, each in self.inputs.items()
            if each.conversion is not None and each.conversion.whiten is not None
            for part in ("mean", "matrix")
        }
        return as_bytes(found, metadata("train")) if found else None

    @classmethod
    def read(cls, path: Path) -> Preparation:
        """That of the file of a run, with the matrices of whitenings that lie beside it.

        Raises:
            CannotPrepare: the file is missing or damaged.
        """
        try:
            whole = json.loads(files.read(path))
            return cls(
                {name: _fed(each, name, path.parent) for name, each in whole["inputs"].items()},
                {name: _asked(each) for name, each in whole["outputs"].items()},
            )
        except OSError as error:
            why = f"{files.shortened(path)} cannot be read: {files.reason(error)}"
            raise CannotPrepare(why, "a run of this version has it: train again") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UnreadableTensors):
            raise CannotPrepare(f"{files.shortened(path)} is not that of a run") from None


def _told(fed: Fed) -> dict[str, Any]:
    """An input in JSON; the matrix of its whitening is in the file beside."""
    if fed.conversion is None or fed.conversion.whiten is None:
        return asdict(fed)
    told = asdict(replace(fed, conversion=replace(fed.conversion, whiten=None)))
    told["conversion"]["whiten"] = WHITENING
    return told


def _fed(told: Mapping[str, Any], name: str, folder: Path) -> Fed:
    conversion = _conversion({**told["conversion"], "whiten": None} if told["conversion"] else None)
    if conversion is not None and told["conversion"].get("whiten") is not None:
        arrays = read_tensors(folder / WHITENING)[0]
        whiten = Whitening(arrays[f"{name}/mean"], arrays[f"{name}/matrix"])
        conversion = replace(conversion, whiten=whiten)
    return Fed(
        told["key"],
        tuple(told["shape"]),
        told["dtype"],
        conversion,
        tuple(told["columns"]),
        tuple(told["symbols"]),
    )


def _asked(told: Mapping[str, Any]) -> Asked:
    classes = told["classes"]
    weights = told["class_weights"]
    return Asked(
        told["key"],
        told["reading"],
        None if classes is None else Classes(classes["count"], tuple(classes["names"]), classes["ignored"]),
        None if weights is None else tuple(weights),
        _conversion(told["conversion"]),
        told["is_box"],
    )


def _conversion(told: Mapping[str, Any] | None) -> Conversion | None:
    if told is None:
        return None
    given: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in told.items()
    }
    return Conversion(**given)


def of_training(
    graph: Graph,
    heads: Sequence[LossOutput],
    wiring: Wiring,
    parts: Parts,
    terms: Sequence[Term],
    conversions: tuple[Mapping[str, Conversion], Mapping[str, Conversion]],
) -> Preparation:
    """That of a training."""
    of_inputs, of_targets = conversions
    inputs = {}
    for each in graph.inputs:
        key = wiring.inputs[each.name]
        field_ = parts.train.fields[key]
        symbols = parts.classes[key].names if each.vocabulary is not None and key in parts.classes else ()
        columns = parts.columns.get(key, ())
        inputs[each.name] = Fed(
            key, field_.shape, field_.dtype, of_inputs.get(each.name), tuple(columns), symbols
        )
    weights = {term.output: getattr(term.loss, "class_weights", None) for term in terms}
    outputs = {}
    for head in heads:
        target = wiring.targets.get(head.output)
        outputs[head.output] = Asked(
            target,
            head.loss.reading(head.type.channels or 1),
            _classes(head, target, parts),
            weights[head.output],
            of_targets.get(head.output),
            is_box(head, target),
        )
    return Preparation(inputs, outputs)


def _classes(head: LossOutput, key: str | None, parts: Parts) -> Classes | None:
    """The classes of a head: those of the data, as many as the head has."""
    if head.loss.targets != "classes":
        return None
    known = None if key is None else parts.classes.get(key)
    ignored = getattr(head.loss, "ignore", None)
    names = () if known is None else known.names
    return Classes(max(head.type.channels or 1, 2), names, ignored)


def is_box(head: LossOutput, key: str | None) -> bool:
    """Whether an output is the box of an object: left, top, right, bottom."""
    return key in BOXES and head.type.channels == BOX and not head.type.sizes
