"""Every spec of the zoo has a recipe, or a reason why not; every recipe is read, and trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.backend import Trains, usable
from netspec.check import check_file
from netspec.diagnostics import Problems
from netspec.diagnostics.render import as_text
from netspec.language.reading.locations import recipes, zoo
from netspec.loading import find
from netspec.recipe import Group
from netspec.training.comparison import compare
from netspec.training.obeyed import check_obeyed
from netspec.training.run import train
from tests.having import TRAINERS, ready
from tests.training.zoo import IN_A_FILE, NAMES, UNTRAINED, path_of, reduced, samples

FEW = {"autoencoder", "char_rnn", "fcn8s", "rnn_rows_mnist", "siamese"}
"""Those that all backends train."""
ALIKE = ("lecture_cnn", "fcn8s", "rnn_rows_mnist", "localiser")
"""A classifier, a segmenter, a recurrent network and one with two heads: they learn the same in float32, too."""
STILL = {"localiser": (Group(layers=("trunk.*",), freeze=True),)}
"""What does not learn there.

In the trunk, 40 batch norms and the ReLUs between them follow each other. Where a number differs from 0 by less than
its rounding, a ReLU lets the gradient pass on one backend only. At this size, one number in 72 has some percent of the
gradient of its channel: losses differ by 1e-3 after ten steps, and by 1e-14 in float64.
"""


def test_a_recipe_is_in_the_spec_or_in_a_file_of_its_own() -> None:
    own = {name for name, path in zoo().items() if "\ntrain:" in path.read_text(encoding="utf-8")}
    assert not own & IN_A_FILE
    assert own | IN_A_FILE == set(NAMES)
    assert all(path.parent.name == "recipes" for path in recipes().values())
    assert set(UNTRAINED) < set(zoo())


def test_a_recipe_of_the_zoo_is_found_by_its_name() -> None:
    assert find("zoo:recipes/resnet18") == recipes()["recipes/resnet18"]
    with pytest.raises(FileNotFoundError, match="has no recipe 'recipes/resnet81'"):
        find("zoo:recipes/resnet81")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_read_on_every_backend(name: str) -> None:
    graph, diagnostics = check_file(find(path_of(name)))
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    assert graph.train is not None
    assert graph.train.recipe is not None
    for backend in usable(TRAINERS, Trains):
        problems = Problems()
        check_obeyed(graph, graph.train.recipe, backend, problems)
        assert not list(problems), as_text(list(problems))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:max_unpooling2d_forward_out does not have a deterministic:UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_trains(name: str, tmp_path: Path) -> None:
    first, *others = usable(ready(Trains), Trains)
    graph, recipe = reduced(name)
    for backend in (first, *(others if name in FEW else ())):
        run = train(
            graph,
            backend,
            recipe,
            samples(graph, recipe),
            out=tmp_path / backend.name,
            warn=lambda warnings: None,
        )
        assert len(run.losses) == 2
        assert all(loss == loss for loss in run.losses)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALIKE)
def test_a_hundred_steps_in_float32_are_equal_on_all_backends(name: str) -> None:
    backends = usable(ready(Trains, count=2), Trains)
    graph, recipe = reduced(name)
    recipe = recipe.model_copy(update={"groups": STILL.get(name, recipe.groups)})
    compared = compare(
        graph, backends, recipe, samples(graph, recipe, 200), dtype="float32", warn=lambda found: None
    )
    losses = [each.losses[0] for each in compared.learned]
    assert {len(each) for each in losses} == {100}
    assert len(set(losses[0])) > 50, "it learns"
    assert compared.worst.largest <= 1e-4
    assert compared.ok
