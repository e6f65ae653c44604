"""LeNet-5 as the zoo has it: it learns real images, and equally on every backend that trains."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import netspec
from netspec.backend import Trains, backends
from netspec.data.datasets import load
from netspec.diagnostics import Problems
from netspec.language.document.recipe import settle
from netspec.training.run import train

pytestmark = pytest.mark.slow


def test_lenet5(tmp_path: Path) -> None:
    graph = netspec.load("zoo:lenet5")
    recipe = settle(graph.train, Problems())
    assert recipe is not None
    ready = [each for each in backends() if isinstance(each, Trains) and each.status().state == "ok"]
    runs = [train(graph, each, recipe, load(recipe.data), out=tmp_path / each.name) for each in ready]
    if len(runs) < 2:
        pytest.skip(f"a comparison takes two backends; there is {[run.backend for run in runs]}")
    reached = [run.test.number_of("test_accuracy") or 0 for run in runs if run.test is not None]
    assert min(reached) >= 0.8
    assert max(reached) - min(reached) <= 0.01
    for one, other in pairwise(runs):
        worst = max(abs(a - b) / a for a, b in zip(one.losses[:20], other.losses[:20], strict=True))
        assert worst <= 1e-5, f"{one.backend} and {other.backend} differ by {worst:.1e} in the first 20 steps"
