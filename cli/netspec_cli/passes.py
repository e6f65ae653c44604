"""The option `--pass NAME` of several commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from netspec.graph import Graph
from netspec_cli.common import fail
from netspec_cli.exits import WRONG_SPEC

if TYPE_CHECKING:
    from netspec.passes import Arrays


def through(graph: Graph, asked: Iterable[str], weights: Arrays | None = None) -> tuple[Graph, Arrays | None]:
    """The graph after these passes, in order, and its converted weights, if there are any.

    `asked` contains names of `PASSES`, or `cut=LAYER`.
    """
    asked = tuple(asked)
    if not asked:
        return graph, weights
    from netspec.analysis.ending import NoLogits
    from netspec.ops.nearest import did_you_mean
    from netspec.passes import PASSES, cut
    from netspec.passes.cut import NoSuchLayer
    from netspec.passes.fully_convolutional import NotConvolutional

    known = {each.name: each for each in PASSES}
    for each in asked:
        name, _, layer = each.partition("=")
        if name != "cut" and (name not in known or layer):
            hint = did_you_mean(name, [*known, "cut"])
            fail(f"no pass is called {each!r}{hint} (the passes are {', '.join(known)}, cut=LAYER)")
        if name == "cut" and not layer:
            fail("--pass cut needs the last layer: --pass cut=NAME (`netspec shapes` lists the names)")
        try:
            changed = cut(graph, layer) if name == "cut" else known[name].run(graph)
        except NoSuchLayer as error:
            fail(str(error))
        except (NotConvolutional, NoLogits) as error:
            fail(str(error), WRONG_SPEC)
        if weights is not None:
            carried = weights if name == "cut" else known[name].weights(graph, weights)
            weights = {weight.name: carried[weight.name] for weight in changed.weights}
        graph = changed
    return graph, weights
