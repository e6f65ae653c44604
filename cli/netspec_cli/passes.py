"""`--pass NAME`, for the commands that take it."""

from __future__ import annotations

from collections.abc import Iterable

from netspec.graph import Graph
from netspec_cli.common import WRONG_SPEC, fail


def through(graph: Graph, asked: Iterable[str]) -> Graph:
    """The graph after these passes, in order: names of `PASSES`, or `cut=LAYER`."""
    from netspec.ops.nearest import did_you_mean
    from netspec.passes import PASSES, cut
    from netspec.passes.cut import NoSuchLayer
    from netspec.passes.fully_convolutional import NotConvolutional
    from netspec.passes.logits import NoLogits

    known = {each.name: each.run for each in PASSES}
    for each in asked:
        name, _, layer = each.partition("=")
        if name != "cut" and (name not in known or layer):
            hint = did_you_mean(name, [*known, "cut"])
            fail(f"no pass is called {each!r}{hint} (there are {', '.join(known)}, cut=LAYER)")
        try:
            graph = cut(graph, layer) if name == "cut" else known[name](graph)
        except NoSuchLayer as error:
            fail(str(error))
        except (NotConvolutional, NoLogits) as error:
            fail(str(error), WRONG_SPEC)
    return graph
