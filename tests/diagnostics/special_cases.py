"""Codes that no single small file can show: each with the situation that brings it about."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from netspec.backend import backends
from netspec.below import look
from netspec.check import check_file
from netspec.data.parts import Parts
from netspec.data.source import Arrays, Purpose, numbered
from netspec.diagnostics import Diagnostic, Problems, SpecError
from netspec.exchange.maps import read as read_map
from netspec.language.document.recipe import settle
from netspec.loading import graph_of_file
from netspec.refusals import refusals
from netspec.training.advice import Labels
from netspec.training.heads import heads
from netspec.training.match import Facts, match
from netspec.training.wiring import wired
from netspec.weights.held import Held, Place, by_place, same

HEAD = "netspec: 1\nname: {name}\ninput: [3, 8, 8]\n"


def _missing(folder: Path) -> Path:
    return folder / "no.yaml"


def _folder(folder: Path) -> Path:
    return folder


def _latin1(folder: Path) -> Path:
    path = folder / "latin1.yaml"
    path.write_bytes("netspec: 1\nname: caf\xe9\n".encode("latin-1"))
    return path


def _fifty_megabytes(folder: Path) -> Path:
    path = folder / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)  # a file with a hole: large to look at, nothing on the disk
    return path


def _written(folder: Path, **texts: str) -> Path:
    """Write files, and give the path of the first."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(texts))}.yaml"


def _include_of_itself(folder: Path) -> Path:
    main = HEAD.format(name="main") + "blocks: {include: parts.yaml}\nlayers: [relu]\n"
    return _written(folder, main=main, parts="netspec: 1\nblocks: {include: parts.yaml}\n")


def _absent_weights(folder: Path) -> Path:
    main = HEAD.format(name="main") + "layers:\n  - network: {spec: inner.yaml, weights: inner.safetensors}\n"
    inner = "netspec: 1\nname: inner\ninput: [3, 8, 8]\nlayers: [relu]\n"
    return _written(folder, main=main, inner=inner)


def _network_of_other_channels(folder: Path) -> Path:
    main = HEAD.format(name="main") + "layers:\n  - network: {spec: inner.yaml}\n"
    inner = "netspec: 1\nname: inner\ninput: [1, 8, 8]\nlayers: [relu]\n"
    return _written(folder, main=main, inner=inner)


def _numbers_that_are_not_finite(folder: Path) -> Path:
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
    length = len(header).to_bytes(2, "little")
    content = b"\x93NUMPY\x01\x00" + length + header.encode() + struct.pack("<2f", 1.0, float("nan"))
    (folder / "mean.npy").write_bytes(content)
    return _written(folder, main=HEAD.format(name="main") + "layers:\n  - constant: {file: mean.npy}\n")


def _checked(build: Callable[[Path], Path]) -> Callable[[Path], Sequence[Diagnostic]]:
    return lambda folder: check_file(build(folder))[1]


def _set_beside_expect(folder: Path) -> Sequence[Diagnostic]:
    text = (
        HEAD.format(name="main")
        + "params: {units: 4}\nlayers: [flatten, dense: $units]\nexpect: {output: [4]}\n"
    )
    return check_file(_written(folder, main=text), {"units": 5})[1]


def _near_miss(folder: Path) -> Sequence[Diagnostic]:
    _written(folder, main="netspc: 1\nname: main\ninput: [4]\nlayers: [relu]\n")
    ((_, diagnostics),) = look([folder]).remarks.items()
    return diagnostics


def _with_data(facts: Facts) -> Callable[[Path], Sequence[Diagnostic]]:
    """What is said of a network of 27 classes and this data set."""
    text = HEAD.format(name="letters").replace("[3, 8, 8]", "[1, 8, 8]")
    text += "layers: [flatten, dense: 27, softmax]\ntrain: {data: ./letters.npz}\n"

    def found(folder: Path) -> Sequence[Diagnostic]:
        problems = Problems()
        graph = graph_of_file(_written(folder, main=text), problems)
        assert graph is not None
        recipe = settle(graph.train, problems)
        assert recipe is not None
        match(graph, recipe, facts, problems)
        return problems.in_order()

    return found


def _class_without_a_sample(folder: Path) -> Sequence[Diagnostic]:
    text = HEAD.format(name="main") + "layers: [flatten, dense: 4, softmax]\ntrain: {data: ./own.npz}\n"
    problems = Problems()
    graph = graph_of_file(_written(folder, main=text), problems)
    assert graph is not None
    recipe = settle(graph.train, problems)
    assert recipe is not None
    arrays = {
        "images": np.zeros((6, *graph.inputs[0].type.shape), np.uint8),
        "labels": np.array([0, 1, 3] * 2),
    }
    source = Arrays(arrays, {"images": Purpose.input, "labels": Purpose.target}, numbered("own.npz"))
    found = heads(graph, recipe, problems)
    assert found is not None
    wired(graph, recipe, found, Parts("own.npz", "own.npz", source), problems)
    return problems.in_order()


def _more_than_are_shown(folder: Path) -> Sequence[Diagnostic]:
    layers = "".join(f"  - no_op{number}\n" for number in range(250))
    found = check_file(_written(folder, main=HEAD.format(name="main") + f"layers:\n{layers}"))[1]
    return found[100:]


def _refused_by_a_backend(folder: Path) -> Sequence[Diagnostic]:
    layers = "layers:\n  - conv: {filters: 2, kernel: 3}\n  - relu:\n    from: input\n"
    graph = graph_of_file(_written(folder, unused=HEAD.format(name="unused") + layers), Problems())
    assert graph is not None
    return next(filter(None, (refusals(graph, each) for each in backends())))


def _wrong_map(folder: Path) -> Sequence[Diagnostic]:
    graph = graph_of_file(
        _written(folder, small=HEAD.format(name="small") + "layers: [{conv: {filters: 2, kernel: 3}}]\n"),
        Problems(),
    )
    assert graph is not None
    arrays = {"first.weight": np.zeros((2, 3, 3, 3)), "first.bias": np.zeros(3)}
    held = Held(arrays, dict.fromkeys(arrays, "float64"), by_place(arrays))
    path = _written(folder, map="conv1.weight: first.weight\nconv1.bias: first.bias\n")
    places = [
        Place(each.name, "conv1", each.name[6:], each.shape, turned=same, back=same) for each in graph.weights
    ]
    with pytest.raises(SpecError) as caught:
        read_map(path, held, places)
    return caught.value.diagnostics


SPECIAL_CASES: dict[str, Callable[[Path], Sequence[Diagnostic]]] = {
    "NS0001": _checked(_missing),
    "NS0002": _checked(_folder),
    "NS0003": _checked(_latin1),
    "NS0004": _checked(_fifty_megabytes),
    "NS0025": _more_than_are_shown,
    "NS0026": _near_miss,
    "NS0027": _wrong_map,
    "NS0113": _checked(_include_of_itself),
    "NS0118": _checked(_network_of_other_channels),
    "NS0131": _checked(_numbers_that_are_not_finite),
    "NS0132": _checked(_absent_weights),
    "NS0406": _set_beside_expect,
    "NS0601": _refused_by_a_backend,
    "NS0511": _with_data(
        Facts("letters.npz", (1, 8, 8), 27, 900, Labels(0, 26, 27), floats=(0.0, 255.0)),
    ),
    "NS0513": _class_without_a_sample,
    "NS0512": _with_data(Facts("letters.npz", (1, 8, 8), 27, 900, Labels(1, 26, 26))),
}
