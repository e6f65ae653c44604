"""Finds the layers of each node in a form in which layers that share weights can be one, and what prevents this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from netspec.backend import Limit
from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, Node
from netspec.lowering.sizes import with_sizes
from netspec.ops import FAMILY_OF
from netspec.types import Type
from netspec_keras.borders import with_borders, with_copies, without
from netspec_keras.layer import ALONE, Dims, LayerText, Lowered, Together
from netspec_keras.lowering import LOWERINGS, bare, lowered
from netspec_keras.orders import Freedom, Orders, moves_itself, orders, placed, takers, turns
from netspec_keras.starts import started

if TYPE_CHECKING:
    from netspec.ops.dense import Dense
    from netspec.ops.indices import Embedding
    from netspec.ops.recurrent import Recurrent


@dataclass(frozen=True, slots=True)
class Lowerings:
    """The Keras layers of every node: those of its own lowering, and those in the text."""

    own: Mapping[str, Lowered]
    layers: Mapping[str, Lowered]
    turned: Mapping[str, Dims]
    """The values in another order of axes than that of Keras."""
    graph: Graph
    """The graph, with nodes that only move axes."""
    moves: frozenset[str] = frozenset()
    """These nodes."""

    moves_freely: bool = False
    """Whether a `permute` of the author, or one of these nodes, moves the axes in another way than its own."""


def lower(graph: Graph, freedom: Freedom = Freedom.COPIES) -> Lowerings:
    """The Keras layers of every node; equal nodes are lowered once. The backend accepts the graph."""
    kinds: dict[object, int] = {}
    same: dict[object, int] = {}
    made: list[Lowered] = []
    shared = forms(graph)
    found: dict[str, Lowered] = {}
    kind_of: dict[str, int] = {}
    alive: list[object] = []
    """The objects whose ids are known: no other one gets such an id meanwhile."""

    def find(graph: Graph) -> None:
        types = graph.types
        alive.extend((graph, types))
        for node in graph.nodes:
            if node.name in found:
                continue
            # A layer is initialised like the owner of its weights.
            form = (node.trainable, node.shares, node.ports, shared.key(node))
            # Layers often hold the same op and types, whose contents then need not be compared.
            ids = (id(node.op), *form, *[id(types[value]) for value in node.inputs])
            if ids not in same:
                whole = (node.op, *form, *_types(graph, node))
                same[ids] = kinds.setdefault(whole, len(made))
                if same[ids] == len(made):
                    made.append(layers_of(graph, node, shared))
            kind = kind_of[node.name] = same[ids]
            found[node.name] = made[kind]

    find(graph)
    ordered, moves = Orders({}), frozenset[str]()
    if turns(found):
        graph, ordered, moves = _ordered(graph, found, find, freedom)
    own: dict[str, Lowered] = {}
    begun: dict[object, Lowered] = {}
    freely = bool(moves)
    for node in graph.nodes:
        turning, (before, after, _) = found[node.name].turning, ordered.around(node)
        freely |= turning is not None and turning.between is not None and before != after
        key = (kind_of[node.name], ordered.around(node))
        if key not in begun:
            begun[key] = started(placed(found[node.name], node, ordered), node)
        own[node.name] = begun[key]
    own = _with_one_class(own)
    layers = dict(own)
    for family in _families(graph):
        if shared.key(family[0]) is None and len({own_layer(own[node.name]) for node in family}) > 1:
            apart = {node.name: placed(bare(node.op, _types(graph, node)), node, ordered) for node in family}
            layers |= {node.name: started(apart[node.name], node) for node in family}
    return Lowerings(own, layers, ordered.held, graph, moves, freely)


def _ordered(
    graph: Graph, found: Mapping[str, Lowered], find: Callable[[Graph], None], freedom: Freedom
) -> tuple[Graph, Orders, frozenset[str]]:
    """The graph with nodes that move axes where no layer of the spec can, the orders of its values, and these nodes."""
    if freedom != Freedom.COPIES:
        return graph, orders(graph, found, (), freedom), frozenset()
    whole, borders = (
        with_borders(graph) if any(each.shares for each in graph.scopes) else (graph, frozenset())
    )
    find(whole)
    ordered = orders(whole, found, borders, freedom)
    idle = {
        name for name in borders if ordered.held.get(whole.by_name[name].inputs[0]) == ordered.held.get(name)
    }
    whole = without(whole, idle)
    held = {name: order for name, order in ordered.held.items() if name not in idle}
    whole, copied = with_copies(
        whole, takers(whole, found, held), lambda user, value: moves_itself(user, value, found[user.name])
    )
    find(whole)
    return whole, replace(ordered, held=held), (borders - idle) | copied


HELPER_OF = {
    "layers.GaussianNoise": "LoudGaussianNoise",
    "layers.LeakyReLU": "ExactLeakyReLU",
    "layers.Rescaling": "ExactRescaling",
}
"""Layers of Keras that have not all values of a setting, and the helpers that have them all."""


def _with_one_class(own: Mapping[str, Lowered]) -> dict[str, Lowered]:
    """The layers, where a network that needs a helper for one value has it for all: its blocks are one function."""
    used = {layer.cls for each in {id(each): each for each in own.values()}.values() for layer in each.layers}
    helpers = {cls: helper for cls, helper in HELPER_OF.items() if {cls, helper} <= used}
    if not helpers:
        return dict(own)
    made: dict[int, Lowered] = {}
    for each in own.values():
        layers = tuple(replace(layer, cls=helpers.get(layer.cls, layer.cls)) for layer in each.layers)
        made.setdefault(id(each), each if layers == each.layers else replace(each, layers=layers))
    return {name: made[id(each)] for name, each in own.items()}


@dataclass(frozen=True, slots=True)
class Forms:
    """The nodes that share their weights, and are another layer than they would be by themselves.

    `vectors` has the embeddings that share with dense layers, and those layers, with the index of the padding. `ports`
    has the recurrent layers of which some give other outputs, start with a state, or run in another way: all are a
    layer that can do each, and gives all that one of them gives.
    """

    vectors: Mapping[str, int | None]
    ports: Mapping[str, Together]

    def key(self, node: Node) -> object:
        """What decides the layer of a node; None if it is the layer that the node is by itself."""
        if node.name in self.vectors:
            return ("vectors", self.vectors[node.name])
        return ("ports", self.ports[node.name]) if node.name in self.ports else None


LEARN_ANYWAY = ("Stacked", "layers.Bidirectional", "layers.ConvLSTM1D", "layers.ConvLSTM2D")
"""Layers that do not pass `trainable=False` on to the layers that they hold."""


def layers_of(graph: Graph, node: Node, shared: Forms) -> Lowered:
    """The layers of a node; an embedding and the dense layers that use its vectors are one layer."""
    types = _types(graph, node)
    if node.name in shared.vectors:
        from netspec_keras import slices

        return slices.reversible(
            cast("Embedding | Dense", node.op), types, shared.vectors[node.name], node.weights[0].axes
        )
    if node.name in shared.ports:
        several = LOWERINGS[type(node.op)](node.op, types).several
        assert several is not None
        return several(shared.ports[node.name])
    found = lowered(node.op, types, node.ports)
    if not node.trainable and found.several is not None and found.layers[-1].cls in LEARN_ANYWAY:
        return found.several(ALONE)
    return found


def forms(graph: Graph) -> Forms:
    """The nodes of a graph that sharing makes another layer."""
    vectors: dict[str, int | None] = {}
    ports: dict[str, Together] = {}
    for family in _families(graph):
        names = [node.name for node in family]
        embeddings = [node.op for node in family if node.op.keyword == "embedding"]
        paddings = [cast("Embedding", op).padding_index for op in embeddings]
        if 0 < len(paddings) < len(family):
            vectors |= dict.fromkeys(names, paddings[0])
        elif FAMILY_OF.get(family[0].op.keyword) == "recurrence":
            made = [lowered(node.op, _types(graph, node), node.ports) for node in family]
            if len({own_layer(each) for each in made}) == 1:
                continue
            used = {port for node in family for port in node.ports}
            listed = tuple(port.name for port in family[0].op.ports if port.name in used)
            returns = tuple(dict.fromkeys(cast("Recurrent", node.op).returns for node in family))
            settings = made[0].settings
            varying = [
                name for name, value in settings if any(dict(each.settings)[name] != value for each in made)
            ]
            ports |= dict.fromkeys(names, Together(listed, returns, settings, tuple(varying)))
    return Forms(vectors, ports)


def _unused(graph: Graph) -> Iterator[tuple[str, str]]:
    """A Keras model only contains layers that lead to its outputs; it drops all others with their weights."""
    used = {output.value for output in graph.outputs}
    for node in reversed(graph.nodes):
        if not used.isdisjoint(node.values):
            used |= {node.name, *node.inputs}
    lent = {node.shares for node in graph.nodes if node.name in used}
    for node in graph.nodes:
        if node.name in used:
            continue
        holds = node.weights and node.shares is None and node.name not in lent
        measures = node.trainable and any(weight.statistic for weight in node.weights)
        if holds or measures:
            yield (
                node.name,
                f"no output depends on `{node.name}`, and a Keras model holds no weights of such a layer; take it "
                "with `from`, make it a head, or drop it",
            )


def _other_axes(graph: Graph) -> Iterator[tuple[str, str]]:
    for owner, *others in _families(graph):
        if owner.op.keyword in ("batch_norm", "group_norm"):
            for node in others:
                own, lent = (len(_types(graph, each)[0].spatial) for each in (node, owner))
                if own != lent:
                    yield (
                        node.name,
                        f"`{node.name}` cannot share with `{owner.name}`: their inputs have {own} and {lent} "
                        "spatial axes, and this Keras layer takes one number of them",
                    )


def _other_settings(graph: Graph) -> Iterator[tuple[str, str]]:
    wrong_axes = {name for name, _ in _other_axes(graph)}
    shared = forms(graph)
    for family in _families(graph):
        plain = [own_layer(layers_of(graph, node, shared)) for node in family]
        if len(set(plain)) == 1:
            continue
        stripped = (
            plain
            if shared.key(family[0]) is not None
            else [own_layer(bare(node.op, _types(graph, node))) for node in family]
        )
        owner = family[0]
        can_differ = "padding and activation"
        if owner.name in shared.ports:
            can_differ = "`axis`, `direction`, `merge` and `return`"
        for node, layer in zip(family[1:], stripped[1:], strict=True):
            if layer != stripped[0] and node.name not in wrong_axes:
                yield (
                    node.name,
                    f"`{node.name}` cannot share with `{owner.name}`: they differ in more than {can_differ}, and a "
                    "Keras layer has one set of weights and one of settings",
                )


def _other_order(graph: Graph) -> Iterator[tuple[str, str]]:
    """A Keras model first runs what is farther from its outputs, in whatever order it was called.

    Two calls of one norm each update its running statistics, so their order changes the result. If two calls are
    equally far, the order depends on how Keras traverses the graph.
    """
    families = [each for each in _families(graph) if any(weight.statistic for weight in each[0].weights)]
    if not families:
        return
    found = lower(with_sizes(graph))
    # The text can be any of these.
    texts = [found, *(lower(with_sizes(graph), each) for each in Freedom if found.moves_freely)]
    depths = [_depths(each) for each in texts]
    for family in families:
        for first, second in pairwise(each for each in family if each.trainable):
            if any(each[second.name] >= each[first.name] for each in depths):
                yield (
                    second.name,
                    f"`{second.name}` cannot share with `{family[0].name}`: both update the running statistics, and a "
                    f"Keras model may run `{second.name}` before `{first.name}`, as it is not nearer to the output; "
                    "give each its own norm, or freeze them with `trainable: false`",
                )


def _depths(found: Lowerings) -> Mapping[str, int]:
    """For each value, how many operations there are at most from it to an output of the network."""
    depths: dict[str, int] = {}
    for node in reversed(found.graph.nodes):
        depth = max((depths.get(value, 0) for value in node.values), default=0)
        # An operation on the input counts as an operation.
        passed = depth + sum(1 + bool(layer.after) for layer in found.layers[node.name].layers)
        for value in node.inputs:
            depths[value] = max(depths.get(value, 0), passed)
        depths[node.name] = depth
    return depths


LIMITS: Sequence[Limit] = (
    Limit("A layer with weights on which no output depends: a Keras model does not hold it.", _unused),
    Limit("Norms that share their weights on inputs of different numbers of axes.", _other_axes),
    Limit(
        "Layers that share their weights and differ in more than padding and activation, or recurrent layers in more "
        "than `axis`, `direction`, `merge` and `return`: a Keras layer has its other settings for all of its calls.",
        _other_settings,
    ),
    Limit("Batch norms that share their statistics and that Keras would run in another order.", _other_order),
)


def own_layer(lowered: Lowered) -> LayerText:
    """The layer that has the node's name and its weights."""
    return replace(next(layer for layer in lowered.layers if not layer.suffix), given=())


def _types(graph: Graph, node: Node) -> list[Type]:
    return [graph.types[value] for value in node.inputs]


def _families(graph: Graph) -> list[list[Node]]:
    """Nodes that share weights, the owner first."""
    families: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.shares is not None and node.weights:
            families.setdefault(node.shares, [graph.by_name[node.shares]]).append(node)
    return list(families.values())
