"""Follows the advice of diagnostics, as a reader would: every phrase of a help has one edit here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml

from netspec.check import check_text
from netspec.data.idx import DataError
from netspec.data.samples import checked
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.language.document.recipe import settle
from netspec.loading import graph_of_text
from netspec.training.match import Facts, match

Item = str | dict[str, Any]


@dataclass
class Attempt:
    """A spec and the arrays of an .npz file, which advice changes."""

    layers: list[Item]
    input: list[int]
    arrays: dict[str, Any]
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The spec."""
        train = {"data": "./own.npz", **self.recipe}
        whole = {"netspec": 1, "name": "net", "input": self.input, "layers": self.layers, "train": train}
        return yaml.safe_dump(whole, sort_keys=False)

    def graph(self) -> Graph:
        """The network as it stands."""
        graph = graph_of_text(self.text, "n.yaml", Problems())
        assert graph is not None
        return graph

    def first_advice(self) -> tuple[str, str] | None:
        """What `train` says first, and the help that stands with it; None when nothing is said."""
        graph, problems = check_text(self.text, "n.yaml")
        if problems or graph is None:
            return problems[0].message, problems[0].help or ""
        try:
            data = checked("own.npz", **self.arrays, where="own.npz")
        except DataError as error:
            return str(error), error.help
        found = Problems()
        recipe = settle(graph.train, found)
        assert recipe is not None
        match(graph, recipe, Facts.of(data.seen_as(graph.inputs[0].type.shape)), found)
        return next(((each.message, each.help or "") for each in found), None)

    def settle(self) -> list[str]:
        """Follow one advice after the other until nothing is said; return the messages."""
        said: list[str] = []
        while (advice := self.first_advice()) is not None:
            message, help = advice
            said.append(message)
            assert len(said) < 6, said
            before = self.text, {key: (array.tolist(), array.dtype) for key, array in self.arrays.items()}
            follow(self, help)
            after = self.text, {key: (array.tolist(), array.dtype) for key, array in self.arrays.items()}
            assert before != after, help
        return said

    # What a phrase does.

    def names(self) -> list[str]:
        """The names of the layers, the unnamed ones by their op and ordinal."""
        seen: dict[str, int] = {}
        names = []
        for item in self.layers:
            op = item if isinstance(item, str) else next(iter(item))
            seen[op] = seen.get(op, 0) + 1
            names.append(f"{op}{seen[op]}")
        return names

    def take_out(self, name: str) -> None:
        """A layer; within a merge the layer of that name is taken out of its branch."""
        if name in self.names():
            del self.layers[self.names().index(name)]
            return
        op = name.rstrip("0123456789")
        for item in self.layers:
            branches = next(iter(item.values())) if isinstance(item, dict) else None
            if isinstance(branches, list):
                holding = [branch for branch in branches if isinstance(branch, list) and op in branch]
                if holding:
                    holding[0].remove(op)
                    return
        raise AssertionError(f"no layer {name}")

    def without_activation(self, name: str) -> None:
        item = self.layers[self.names().index(name)]
        assert isinstance(item, dict)
        del next(iter(item.values()))["activation"]

    def put_after(self, name: str, item: Item) -> None:
        self.layers.insert(self.names().index(name) + 1, item)

    def cool(self, factor: str) -> None:
        at = self.names().index("softmax1")
        self.layers[at : at + 1] = [{"scale_by": factor}, "softmax"]

    def cool_activation(self, name: str, factor: str) -> None:
        self.without_activation(name)
        at = self.names().index(name) + 1
        self.layers[at:at] = [{"scale_by": factor}, "softmax"]

    def size(self, name: str, width: str, count: int) -> None:
        at = self.names().index(name)
        item = self.layers[at]
        assert isinstance(item, dict)
        ((op, fields),) = item.items()
        self.layers[at] = {op: {**(fields if isinstance(fields, dict) else {}), width: count}}

    def save(self, expression: str) -> None:
        known = {"numpy": np, **self.arrays}
        changed = {}
        for key, array in self.arrays.items():
            kind = key.partition("_")[2]
            word = r"images|samples" if kind == "images" else kind
            if found := re.search(rf"\b({word})\b", expression):
                changed[key] = eval(expression, {**known, found[0]: array})  # noqa: S307 (advice of ours)
        self.arrays |= changed

    def set_input(self, shape: str) -> None:
        self.input = yaml.safe_load(shape)


EDITS: tuple[tuple[str, Callable[..., None]], ...] = (
    (
        r'take the activation out of `(\w+)`, and put `scale_by: "(.+?)"` and `softmax` after it',
        Attempt.cool_activation,
    ),
    (r"`activation: \w+` out of `(\w+)`", Attempt.without_activation),
    (r"`(\w+)` out\b(?! of)", Attempt.take_out),
    (r"put `scale_by: (-?\d+)` after `(\w+)`", lambda a, by, name: a.put_after(name, {"scale_by": int(by)})),
    (r'put `scale_by: "(.+?)"` before the softmax, and remove its temperature', Attempt.cool),
    (
        r"end (?:the network )?with `(\w+)`(?: and `(\w+)`)?",
        lambda a, *ops: a.layers.extend(op for op in ops if op),
    ),
    (r"let the network take `input: (\[.*?\])`", Attempt.set_input),
    (r"start with `(\w+)`", lambda a, op: a.layers.insert(0, op)),
    (r"`pad: (\d+)` in the recipe", lambda a, pad: a.recipe.update(pad=int(pad))),
    (r"remove `pad` from the recipe", lambda a: a.recipe.pop("pad")),
    (r"`batch: (\d+)` leaves none", lambda a, size: a.recipe.update(batch=int(size))),
    (r"(?<!or )`train_size: (\d+)`", lambda a, size: a.recipe.update(train_size=int(size))),
    (r"`normalise: (\{.*?\})`", lambda a, text: a.recipe.update(normalise=yaml.safe_load(text))),
    (r"one number for all channels", lambda a: a.recipe.update(normalise={"mean": 0.5, "std": 0.5})),
    (r"save `(.+?)`", Attempt.save),
    (r"let `(\w+)` have `(\w+): (\d+)`", lambda a, name, width, n: a.size(name, width, int(n))),
    (r"^write `(\[.*?\])`", Attempt.set_input),
)


def follow(attempt: Attempt, help: str) -> None:
    """Do what the help says, phrase by phrase."""
    done = 0
    for pattern, edit in EDITS:
        for found in re.finditer(pattern, help):
            edit(attempt, *found.groups())
            done += 1
    assert done, f"nobody knows how to follow this advice: {help!r}"
