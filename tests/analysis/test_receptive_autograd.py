"""The receptive field of random networks against autograd, at interior positions.

A position's gradient is not 0 exactly at what it sees, if nothing is cancelled and nothing chosen: so the weights
are positive, maxima become means and activations the identity. Positions in the middle of a large enough input see
no padding. The generator bounds how far from the edges padding can be felt, and how many phases there can be.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from netspec.analysis.receptive import Receptive, fields
from netspec.diagnostics.codes import shapes
from netspec.graph import Graph, Node, Output
from netspec.model import Invalid
from netspec.ops import OPS
from netspec.ops.activation import Activated
from netspec.ops.base import Misfit
from netspec.ops.merge import Add, Divide, Maximum, Minimum, Multiply, Subtract
from netspec.ops.pointwise import Activation
from netspec.ops.pool import AvgPool, MaxPool
from netspec.ops.reshape import Identity
from netspec.weights import initialise
from netspec_torch import backend
from tests.building import Sketch

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
QUICK, COUNT = 20, 500
LAYERS = {1: 7, 2: 5}
LENGTHS = {1: (128, 2048), 2: (48, 192)}
"""The shortest and the longest input, by its number of axes."""
SLOWEST, FASTEST = 8, Fraction(1, 12)
"""Between what the distance of two neighbours' fields stays, so that the input need not be huge."""


@dataclass(frozen=True)
class Place:
    """A value of the random network: its name, and along each axis what bounds its field."""

    name: str
    jump: tuple[Fraction, ...]
    """How far apart the fields of two neighbours lie."""
    phases: tuple[int, ...]
    """A multiple of the period of what positions see."""
    margin: tuple[int, ...]
    """How far from the edges of the input, in its positions, padding can be felt."""


class Builder:
    """Adds random layers to a sketch, keeping count of what they do to a position's field."""

    def __init__(self, seed: int, sizes: tuple[int, ...]) -> None:
        self.draw = random.Random(seed)
        self.sketch = Sketch(x=(2, *sizes))
        self.rank = len(sizes)
        self.count = 0

    def kinds(self) -> list[Callable[[Place], Place]]:
        """What to add, each as likely as it is often here."""
        return [
            self.window, self.window, self.transposed, self.upsample, self.shuffled, self.border, self.other,
            self.branched,
        ]  # fmt: skip

    def start(self) -> Place:
        ones = (1,) * self.rank
        return Place("x", tuple(map(Fraction, ones)), ones, (0,) * self.rank)

    def size(self, place: Place) -> tuple[int, ...]:
        return self.sketch.types[place.name].sizes

    def add(
        self,
        place: Place,
        keyword: str,
        fields: Mapping[str, object],
        slower: Sequence[int | Fraction] = (),
        phases: Sequence[int] = (),
        reach: Sequence[int] = (),
    ) -> Place:
        """A layer, and along each axis how much slower positions run, how many phases it makes, how far it reaches."""
        self.count += 1
        op = OPS[keyword].model_validate(fields)
        name = self.sketch.add(f"{keyword}_{self.count}", op, place.name)
        ones = (1,) * self.rank
        along = (slower or ones, phases or ones, reach or ones)
        rows = list(zip(place.jump, place.phases, place.margin, *along, strict=True))
        return Place(
            name,
            tuple(jump * s for jump, _, _, s, _, _ in rows),
            tuple(p * more for _, p, _, _, more, _ in rows),
            tuple(m + int(r * max(jump, jump * s, 1)) + 1 for jump, _, m, s, _, r in rows),
        )

    def each(self, low: int, high: int) -> list[int]:
        return [self.draw.randint(low, high) for _ in range(self.rank)]

    def window(self, place: Place) -> Place:
        keyword = self.draw.choice(["conv", "depthwise_conv", "avg_pool", "max_pool", "separable_conv"])
        kernel, stride, dilation = self.each(1, 4), self.each(1, 3), self.each(1, 2)
        span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        pads = [[self.draw.randint(0, k // 2), self.draw.randint(0, k // 2)] for k in kernel]
        padding = self.draw.choice([pads, "same", "valid"])
        fields: dict[str, object] = {
            "kernel": kernel,
            "stride": stride,
            "dilation": dilation,
            "padding": padding,
        }
        if keyword in ("conv", "separable_conv"):
            fields["filters"] = 2
        return self.add(place, keyword, fields, slower=tuple(stride), reach=tuple(2 * s for s in span))

    def transposed(self, place: Place) -> Place:
        kernel, stride, dilation = self.each(1, 4), self.each(1, 3), self.each(1, 3)
        span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        pads = [[self.draw.randint(0, min(k, 2)), self.draw.randint(0, min(k, 2))] for k in span]
        more = [self.draw.randint(0, s - 1) for s in stride]
        fields = {
            "filters": 2,
            "kernel": kernel,
            "stride": stride,
            "dilation": dilation,
            "padding": pads,
            "output_padding": more,
        }
        slower = tuple(Fraction(1, s) for s in stride)
        return self.add(
            place, "conv_transpose", fields, slower=slower, phases=tuple(stride), reach=tuple(span)
        )

    def upsample(self, place: Place) -> Place:
        linear = self.draw.random() < 0.5
        mode = {"mode": "linear" if linear else "nearest"}
        if self.draw.random() < 0.6:
            factor = self.each(1, 3)
            slower = tuple(Fraction(1, f) for f in factor)
            return self.add(
                place, "upsample", {"factor": factor, **mode}, slower=slower, phases=tuple(factor)
            )
        # Three positions for two: by the sizes, or by their distances if the corners fall together.
        corners = linear and self.draw.random() < 0.5
        size = [each - (each + corners) % 2 for each in self.size(place)]
        place = self.add(place, "crop", {"size": size})
        larger = [(each - corners) // 2 * 3 + corners for each in size]
        fields = {"size": larger, **mode, "align_corners": corners}
        thirds, phases = (Fraction(2, 3),) * self.rank, (3,) * self.rank
        return self.add(place, "upsample", fields, slower=thirds, phases=phases)

    def shuffled(self, place: Place) -> Place:
        """The pixel shuffle, of channels that a convolution has mixed, as it is used."""
        if self.draw.random() < 0.3:
            return self.channels_shuffled(place)
        block = self.draw.randint(1, 3)
        if self.draw.random() < 0.5:
            place = self.add(place, "conv", {"filters": 2 * block**self.rank, "kernel": 1})
            quicker, phases = (Fraction(1, block),) * self.rank, (block,) * self.rank
            return self.add(place, "depth_to_space", {"block": block}, slower=quicker, phases=phases)
        place = self.add(place, "crop", {"size": [each // block * block for each in self.size(place)]})
        slower, reach = (block,) * self.rank, (block,) * self.rank
        place = self.add(place, "space_to_depth", {"block": block}, slower=slower, reach=reach)
        return self.add(place, "conv", {"filters": 2, "kernel": 1})

    def channels_shuffled(self, place: Place) -> Place:
        """The shuffle of ShuffleNet, between convolutions of groups: channels become an axis for a while."""
        sizes = list(self.size(place))
        place = self.add(place, "conv", {"filters": 4, "kernel": 1})
        place = self.add(place, "conv", {"filters": 4, "kernel": 1, "groups": 2})
        place = self.add(place, "reshape", {"shape": [2, 2, *sizes]})
        first, *others = self.sketch.types[place.name].axes
        place = self.add(place, "permute", {"axes": [first, "channels", *others]})
        place = self.add(place, "reshape", {"shape": [4, *sizes]})
        return self.add(place, "depthwise_conv", {"kernel": 2}, reach=(4,) * self.rank)

    def border(self, place: Place) -> Place:
        pairs = [[self.draw.randint(0, 3), self.draw.randint(0, 3)] for _ in range(self.rank)]
        reach = (6,) * self.rank
        if self.draw.random() < 0.5:
            return self.add(place, "crop", {"amount": pairs}, reach=reach)
        mode = self.draw.choice(["constant", "reflect", "replicate"])
        return self.add(place, "pad", {"amount": pairs, "mode": mode}, reach=reach)

    def other(self, place: Place) -> Place:
        keyword = self.draw.choice(["relu", "tanh", "softmax", "batch_norm", "permute", "reshape"])
        if keyword == "reshape":
            return self.add(place, "reshape", {"shape": list(self.sketch.types[place.name].shape)})
        if keyword != "permute":
            return self.add(place, keyword, {})
        # The other way round and, lest axes of the input and of positions differ at the end, back again.
        axes = ["channels", *reversed(self.sketch.types[place.name].axes)]
        place = self.turned(self.add(place, "permute", {"axes": axes}))
        place = self.turned(self.window(place))
        return self.turned(self.add(self.turned(place), "permute", {"axes": axes}))

    @staticmethod
    def turned(place: Place) -> Place:
        return replace(place, jump=place.jump[::-1], phases=place.phases[::-1], margin=place.margin[::-1])

    def branched(self, place: Place) -> Place:
        """Two ways that come back to one size: smaller and larger again, and none or another of these."""
        ways = [self.there_and_back(place) for _ in range(2)]
        if self.draw.random() < 0.3:
            ways[1] = place
        size = [min(both) for both in zip(*map(self.size, ways), strict=True)]
        ends = [self.add(way, "crop", {"size": size}) for way in ways]
        joined = self.draw.choice(
            ["add", "concat", "maximum", "minimum", "average", "subtract", "multiply", "divide"]
        )
        channels = {self.sketch.types[end.name].channels for end in ends}
        self.count += 1
        op = OPS[joined if len(channels) == 1 else "concat"]()
        name = self.sketch.add(f"{joined}_{self.count}", op, *(end.name for end in ends))
        rows = list(
            zip(*(list(zip(end.jump, end.phases, end.margin, strict=True)) for end in ends), strict=True)
        )
        assert all(a[0] == b[0] for a, b in rows)
        crop = [abs(a - b) for a, b in zip(*map(self.size, ways), strict=True)]
        both = Place(
            name,
            ends[0].jump,
            tuple(a[1] * b[1] for a, b in rows),
            tuple(max(a[2], b[2]) + int(c * max(a[0], 1)) + 1 for (a, b), c in zip(rows, crop, strict=True)),
        )
        return self.mixed(both)

    def mixed(self, place: Place) -> Place:
        return self.add(place, "conv", {"filters": 2, "kernel": 1})

    def there_and_back(self, place: Place) -> Place:
        factor = self.draw.randint(1, 2)
        slower = (factor,) * self.rank
        kernel = self.draw.randint(1, 3)
        fields = {"filters": 2, "kernel": kernel, "stride": factor, "padding": self.draw.randint(0, 1)}
        down = self.add(place, "conv", fields, slower=slower, reach=(kernel + 2,) * self.rank)
        quicker, phases = (Fraction(1, factor),) * self.rank, slower
        if self.draw.random() < 0.5:
            mode = self.draw.choice(["nearest", "linear"])
            return self.add(down, "upsample", {"factor": factor, "mode": mode}, slower=quicker, phases=phases)
        kernel = self.draw.randint(1, 4)
        fields = {"filters": 2, "kernel": kernel, "stride": factor}
        reach = (kernel,) * self.rank
        return self.add(down, "conv_transpose", fields, slower=quicker, phases=phases, reach=reach)


class Unmixed(Builder):
    """Layers that keep channels apart, so that which channel sees what decides what is known behind a shuffle."""

    def kinds(self) -> list[Callable[[Place], Place]]:
        return [*[self.shuffled] * 5, self.window, self.border, self.upsample, self.branched]

    def window(self, place: Place) -> Place:
        keyword = self.draw.choice(["depthwise_conv", "avg_pool"])
        kernel, stride, dilation = self.each(1, 3), self.each(1, 2), self.each(1, 2)
        reach = [2 * ((k - 1) * d + 1) for k, d in zip(kernel, dilation, strict=True)]
        fields = {"kernel": kernel, "stride": stride, "dilation": dilation}
        return self.add(place, keyword, fields, slower=stride, reach=reach)

    def shuffled(self, place: Place) -> Place:
        channels = self.sketch.types[place.name].channels or 0
        block = self.draw.randint(2, 3)
        blocks = (block,) * self.rank
        kind = self.draw.choice(["gather", "gather", "split", "split", "apart", "mix"])
        if kind == "gather":
            place = self.add(place, "crop", {"size": [each // block * block for each in self.size(place)]})
            return self.add(place, "space_to_depth", {"block": block}, slower=blocks, reach=blocks)
        if kind == "split":
            quicker = (Fraction(1, block),) * self.rank
            return self.add(place, "depth_to_space", {"block": block}, slower=quicker, phases=blocks)
        groups, filters = (channels, channels) if kind == "apart" else (1, self.draw.choice([4, 8]))
        return self.add(place, "conv", {"filters": filters, "kernel": 1, "groups": groups})

    def mixed(self, place: Place) -> Place:
        return place


class Moved(Builder):
    """Layers that turn positions round, move them on, or keep some of them, between those that slide."""

    def kinds(self) -> list[Callable[[Place], Place]]:
        return [*[self.moved] * 4, self.window, self.upsample, self.transposed, self.border, self.branched]

    def moved(self, place: Place) -> Place:
        axis = self.draw.randrange(self.rank)
        types = self.sketch.types[place.name]
        name, size = types.axes[axis], types.sizes[axis]
        # What it reaches along this axis, as often as there are axes.
        reach = (12,) * self.rank
        kind = self.draw.choice(["reverse", "roll", "gather", "split", "slice"])
        if kind == "reverse":
            return self.add(place, "reverse", {"axis": name})
        if kind == "roll":
            return self.add(place, "roll", {"axis": name, "shift": self.draw.randint(-3, 3)}, reach=reach)
        if kind == "split":
            parts = {"a": self.draw.randint(1, 3), "b": 0, "c": self.draw.randint(1, 3)}
            parts["b"] = size - sum(parts.values())
            if parts["b"] < 1:
                raise Misfit(shapes.SIZE, "too small")
            found = self.add(place, "split", {"axis": name, "parts": parts}, reach=reach)
            return self.add(replace(found, name=f"{found.name}.b"), "identity", {})
        step = self.draw.randint(1, 2)
        slower = tuple(step if each == axis else 1 for each in range(self.rank))
        start = self.draw.randint(0, 3)
        if kind == "slice":
            fields = {"axis": name, "start": start, "step": step}
            return self.add(place, "slice", fields, slower=slower, reach=reach)
        places = list(range(start, size, step))
        if self.draw.random() < 0.5:
            places.reverse()
        return self.add(place, "gather", {"axis": name, "positions": places}, slower=slower, reach=reach)


def network(seed: int, kind: type[Builder] = Builder) -> tuple[Graph, list[Place]]:
    """A random network whose middle positions see no edge, and the values in it."""
    graph, places, _ = built(seed, kind)
    return graph, places


def built(seed: int, kind: type[Builder]) -> tuple[Graph, list[Place], Builder]:
    """The same, and what has made it."""
    draw = random.Random(f"size {seed}")
    rank = draw.choice([1, 1, 2])
    length, longest = LENGTHS[rank]
    while True:
        builder = kind(seed, (length,) * rank)
        places = grown(builder)
        graph = builder.sketch.graph(**{place.name: place.name for place in places})
        clear = [place for place in places if middle(place, graph, length) is not None]
        if len(clear) == len(places) or (clear and 2 * length > longest):
            outputs = tuple(Output(each.name, each.name) for each in clear)
            return replace(graph, outputs=outputs), clear, builder
        length *= 2


def grown(builder: Builder) -> list[Place]:
    """The random layers, those that do not fit left out."""
    kinds = builder.kinds()
    place, places = builder.start(), []
    for _ in range(builder.draw.randint(2, LAYERS[builder.rank])):
        before = dict(builder.sketch.nodes)
        kind = builder.draw.choice(kinds)
        try:
            found = kind(place)
        except (Misfit, Invalid):  # a map that is too small for it
            found = None
        slow = found is None or not all(FASTEST <= jump <= SLOWEST for jump in found.jump)
        if slow or found is None or max(found.phases) > 36:
            builder.sketch.nodes = before
            continue
        place = found
        places.append(place)
    return places or [builder.add(place, "relu", {})]


def middle(place: Place, graph: Graph, length: int) -> tuple[range, ...] | None:
    """Along each axis, enough positions for every phase, far from padding; None if there are not so many."""
    found = []
    rows = zip(graph.types[place.name].sizes, place.jump, place.phases, place.margin, strict=True)
    for size, jump, phases, margin in rows:
        first = (size - phases) // 2
        # What a position sees lies about at its own place, but for crops and pads, which the margin counts.
        low, high = first * jump, (first + phases) * jump
        if low < 3 * margin or length - high < 3 * margin:
            return None
        found.append(range(first, first + phases))
    return tuple(found)


def experiment(graph: Graph) -> Graph:
    """The same connections with nothing cancelled and nothing chosen."""
    return replace(graph, nodes=tuple(map(_linear, graph.nodes)))


def _linear(node: Node) -> Node:
    op = node.op
    if isinstance(op, MaxPool):
        return replace(node, op=AvgPool.model_construct(count_padding=False, **op.settings()))
    if isinstance(op, Activation) or op.keyword == "batch_norm":
        return replace(node, op=Identity(), weights=())
    if isinstance(op, Divide | Maximum | Minimum | Multiply | Subtract):
        return replace(node, op=Add())
    return replace(node, op=op.replace(activation=None)) if isinstance(op, Activated) else node


@pytest.mark.parametrize("count", [QUICK, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_the_field_is_what_autograd_finds(count: int) -> None:
    compared = sum(check(seed) for seed in range(count))
    assert compared > 2 * count


@pytest.mark.parametrize("count", [QUICK, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_what_is_known_where_channels_stay_apart_is_what_autograd_finds(count: int) -> None:
    compared = sum(check(seed, Unmixed) for seed in range(count))
    assert compared > 2 * count


@pytest.mark.parametrize("count", [QUICK, pytest.param(COUNT // 2, marks=pytest.mark.slow)])
def test_what_moved_positions_see_is_what_autograd_finds(count: int) -> None:
    compared = sum(check(seed, Moved) for seed in range(count))
    assert compared > 2 * count


@pytest.mark.parametrize("count", [QUICK // 2, pytest.param(COUNT // 4, marks=pytest.mark.slow)])
def test_what_one_place_of_an_axis_sees_is_what_autograd_finds(count: int) -> None:
    compared = sum(check_taken(seed) for seed in range(count))
    assert compared > 0.8 * count


def check_taken(seed: int) -> int:
    """Compare what `take` keeps of the last map of a random network; 1 if it is known."""
    graph, places, builder = built(seed, Moved)
    place = places[-1]
    ranges = middle(place, graph, graph.inputs[0].type.sizes[0])
    assert ranges is not None
    axis = builder.draw.randrange(builder.rank)
    position = builder.draw.choice(ranges[axis])
    name = graph.types[place.name].axes[axis]
    op = OPS["take"].model_validate({"axis": name, "position": position})
    end = builder.sketch.add("taken", op, place.name)
    graph = builder.sketch.graph(**{end: end})
    reported = fields(graph)[end]
    if reported is None:
        return 0
    model, x = run(graph)
    others = [each for number, each in enumerate(ranges) if number != axis]
    there = [_there(model, x, [range(each.start, each.stop) for each in others], axis)]
    extents = {axis: there}
    for number, line in zip([each for each in range(builder.rank) if each != axis], others, strict=True):
        extents[number] = [_there(model, x, [range(at, at + 1)], number) for at in line]
    rows = [extents[number] for number in range(builder.rank)]
    nothing = any(0 in row for row in rows)
    largest = tuple(map(max, rows))
    smallest = (0,) * len(rows) if nothing else tuple(map(min, rows))
    largest = largest if all(largest) else (0,) * len(rows)
    assert (reported.size, reported.smallest) == (largest, smallest), f"seed {seed}: {graph}"
    assert reported.stride[axis] == 0
    return 1


def _there(result: Any, x: Any, places: Sequence[range], axis: int) -> int:
    """How much of an axis of the input these positions of the result see together."""
    line = result[0]
    for number, each in enumerate(places):
        line = line.index_select(number + 1, torch.tensor(list(each)))
    (gradient,) = torch.autograd.grad(line.sum(), x, retain_graph=True)
    there = (gradient[0] != 0).any(0)
    for other in reversed(range(there.ndim)):
        there = there if other == axis else there.any(other)
    where = there.nonzero().flatten()
    return int(where[-1] - where[0]) + 1 if len(where) else 0


def run(graph: Graph) -> tuple[Any, Any]:
    """What the network gives for ones, with nothing cancelled and nothing chosen, and the ones."""
    linear = experiment(graph)
    weights = {name: abs(array) + 0.1 for name, array in initialise(linear, dtype="float64").items()}
    model = backend().build(linear, weights, dtype="float64", device="cpu")
    x = torch.ones(1, 2, *graph.inputs[0].type.sizes, dtype=torch.float64, requires_grad=True)
    return model(x), x


def check(seed: int, kind: type[Builder] = Builder) -> int:
    """Compare every value of one random network with autograd; how many there were."""
    graph, places = network(seed, kind)
    found = fields(graph)
    compared = 0
    results, x = run(graph)
    results = results if isinstance(results, dict) else {places[0].name: results}
    for place in places:
        extents = seen(results[place.name], x, place, graph)
        # A position that sees nothing along one axis sees nothing along any.
        nothing = any(0 in rows for rows in extents)
        reported = found[place.name]
        if reported is None and (kind is not Builder or graph_has_holes(found)):
            continue
        compared += 1
        assert reported is not None, f"seed {seed}: {place.name} is not known\n{graph}"
        assert reported.stride == place.jump, f"seed {seed}: {place.name}\n{graph}"
        largest = tuple(map(max, extents))
        expected = (
            largest if all(largest) else (0,) * len(largest),
            (0,) * len(largest) if nothing else tuple(map(min, extents)),
        )
        assert (reported.size, reported.smallest) == expected, f"seed {seed}: {place.name}\n{graph}"
    return compared


def graph_has_holes(found: dict[str, Receptive | None]) -> bool:
    """Whether some positions of a map see nothing: joined with another map, its axes have no separate answers."""
    return any(each is not None and len(each.size) > 1 and 0 in each.smallest for each in found.values())


def seen(result: Any, x: Any, place: Place, graph: Graph) -> list[list[int]]:
    """Along each axis, how much of the input each of the middle positions sees."""
    ranges = middle(place, graph, x.shape[2])
    assert ranges is not None
    extents = []
    for axis, positions in enumerate(ranges):
        rows = []
        for position in positions:
            # All positions beside it along the other axes, for some may see nothing.
            line = result[0]
            for each, beside in enumerate(ranges):
                places = [position] if each == axis else list(beside)
                line = line.index_select(each + 1, torch.tensor(places))
            (gradient,) = torch.autograd.grad(line.sum(), x, retain_graph=True)
            there = (gradient[0] != 0).any(0)
            for each in reversed(range(len(ranges))):
                there = there if each == axis else there.any(each)
            where = there.nonzero().flatten()
            rows.append(int(where[-1] - where[0]) + 1 if len(where) else 0)
        extents.append(rows)
    return extents
