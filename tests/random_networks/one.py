"""One network by its seed and number: made, checked, and shrunk where it fails."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from netspec.backend import Unsupported
from netspec.graph import Graph
from netspec.lowering.witness import Unfolded
from tests.random_networks.author import Refused
from tests.random_networks.checks import Broken, check
from tests.random_networks.conditions import lengths
from tests.random_networks.draw import Draw
from tests.random_networks.networks import random_network
from tests.random_networks.shrink import shrunk
from tests.random_networks.text import MAIN, Files, shown

Batches = Literal["all", "2"]


@dataclass(frozen=True)
class Outcome:
    """What became of one network. `kind` is empty where every promise is kept."""

    number: int
    kind: str = ""
    words: str = ""
    text: str = ""
    """The network, shrunk, as YAML."""
    seconds: float = 0.0
    refused: bool = False
    """Whether a backend has no way to build it, and said so."""
    rounding: tuple[str, ...] = ()
    """What differs by rounding that the network itself makes large."""


def run(seed: int, number: int, batches: Batches, backends: Sequence[str], shrinks: bool = True) -> Outcome:
    """Make the network of this seed and number, and hold it to everything."""
    began = monotonic()
    name = f"{seed}/{number}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            files = random_network(name, Path(folder))
        except Refused as refused:
            return Outcome(number, "check refuses a part", str(refused), "", monotonic() - began)
        rounding: list[str] = []
        broken = failure(files, name, batches, backends, rounding)
        if broken is None:
            return Outcome(number, seconds=monotonic() - began, rounding=tuple(rounding))
        refused_by_backend = isinstance(broken.__cause__, Unsupported)
        if shrinks and not refused_by_backend and broken.kind != "check refuses":
            kind = broken.kind

            def fails(smaller: Files) -> bool:
                found = failure(smaller, name, batches, backends)
                return found is not None and found.kind == kind

            files = shrunk(files, fails)
            broken = failure(files, name, batches, backends) or broken
    return Outcome(number, broken.kind, str(broken), shown(files), monotonic() - began, refused_by_backend)


def failure(
    files: Files, name: str, batches: Batches, backends: Sequence[str], rounding: list[str] | None = None
) -> Broken | None:
    """The first promise that the network breaks, in a folder of its own; `rounding` learns what is rounding."""
    if "layers" not in files.get(MAIN, {}):
        return None

    def sizes(graph: Graph) -> list[int]:
        if batches == "2":
            return [2]
        others = [size for size in lengths(graph) if size <= 8]
        return [1, 2, 3, *([Draw(name).choice(others)] if others else [])]

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # A fold that is not the network is a fault, though the longer text in its place is right.
        warnings.simplefilter("error", Unfolded)
        try:
            found = check(files, Path(folder), sizes, backends)
        except Broken as broken:
            return broken
    if rounding is not None:
        rounding += found
    return None
