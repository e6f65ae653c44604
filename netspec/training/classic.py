"""Data of a classifier of one input and one vector of outputs, in memory: what is checked most closely."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netspec.data.parts import Classes, Parts
from netspec.data.samples import Dataset
from netspec.data.source import Arrays, Changed, Purpose, SampleSource, numbered
from netspec.graph import Graph
from netspec.recipe import Recipe
from netspec.training.heads import is_classifier, named_targets

IMAGES, LABELS = "images", "labels"
"""The keys of a data set in memory."""

Keys = tuple[str, str]
"""The key of the samples, and that of their labels."""


def keys_of(graph: Graph, recipe: Recipe, parts: Parts) -> Keys | None:
    """The keys of the samples and labels of a classifier; None if nothing says which of several arrays they are."""
    named = named_targets(graph, recipe).get(graph.outputs[0].name)
    targets = parts.targets if named is None else (named,)
    if len(parts.inputs) != 1 or len(targets) != 1 or targets[0] not in parts.train.fields:
        return None
    return parts.inputs[0], targets[0]


def classic(graph: Graph, recipe: Recipe, parts: Parts) -> Dataset | None:
    """The data of a classifier of one input and one vector of outputs, in memory: what is checked most closely."""
    resized = any(getattr(each, "size", None) is not None for each in recipe.augment)
    ignores = getattr(recipe.loss, "ignore", None) is not None
    if not is_classifier(graph, recipe) or resized or ignores:
        return None
    if any(source.column(key) is None for _, source in parts for key in source.fields):
        return None
    keys = keys_of(graph, recipe, parts)
    if keys is None and parts.targets:
        return None
    return Dataset.of(parts if parts.test is not None else replace(parts, test=parts.train), keys)


def of_dataset(data: Dataset, parts: Parts, keys: Keys) -> Parts:
    """The same parts with the arrays of a checked data set."""
    found = {"train": _source(data.train_images, data.train_labels, parts.where, keys)}
    if parts.test is not None:
        found["test"] = _source(data.test_images, data.test_labels, parts.where, keys)
    if parts.validation is not None:
        other = Dataset.of(replace(parts, test=parts.validation), keys)
        other = other.with_channel() if len(other.shape) < len(data.shape) else other
        found["validation"] = _source(other.test_images, other.test_labels, parts.where, keys)
    return parts.having(_alike(found, keys[0]))


def _source(images: Any, labels: Any, where: str, keys: Keys = (IMAGES, LABELS)) -> SampleSource:
    roles = dict(zip(keys, (Purpose.input, Purpose.target), strict=True))
    return Arrays(dict(zip(keys, (images, labels), strict=True)), roles, numbered(where))


def _alike(found: dict[str, SampleSource], key: str) -> dict[str, SampleSource]:
    """The parts with samples of one type: if one has bytes and another floats, the bytes become floats."""
    import numpy as np

    kinds = {source.fields[key].dtype for source in found.values()}
    if len(kinds) == 1:
        return found
    changed: dict[str, SampleSource] = {}
    for name, source in found.items():
        changed[name] = Changed(
            source,
            key,
            lambda array: array.astype(np.float32) / np.float32(255) if array.dtype == np.uint8 else array,
        )
    return changed


def parts_of(data: Dataset) -> Parts:
    """A data set in memory as parts."""
    whole = Parts(
        data.name, data.name, _source(data.train_images, data.train_labels, data.name), own=data.own
    )
    known = {} if data.own else {LABELS: Classes(data.classes)}
    test = _source(data.test_images, data.test_labels, data.name)
    return replace(whole, test=test, classes=known)
