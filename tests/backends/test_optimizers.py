"""The optimisers of both backends: their definitions, with groups, L2, clipping, frozen weights and averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from netspec.fit import GradientLimit, WeightGroup
from netspec.recipe.optimizers import OPTIMIZERS, Adam, AdamW, Optimizer, RMSprop, Sgd
from netspec_keras import engine
from tests.training.optimizers import CHANGES, EVERY, FORMS, Array, Slots, stepped

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

# Keras keeps float64 only on TensorFlow.
WIDE = engine.chosen() == "tensorflow"
NAMES = ("a", "b", "c")


class InTorch:
    """Three parameters and their steps; a gradient None is that of a frozen parameter."""

    far = 1e-13

    def __init__(
        self,
        spec: Optimizer,
        weights: Sequence[Array],
        groups: Sequence[WeightGroup],
        clip: GradientLimit | None,
    ):
        from netspec_torch.training.optimizers import Stepper

        self.parameters = {
            name: torch.nn.Parameter(torch.tensor(each)) for name, each in zip(NAMES, weights, strict=True)
        }
        self.stepper = Stepper(spec, self.parameters, groups, clip)

    def step(self, gradients: Sequence[Array | None], rate: float) -> None:
        for parameter, gradient in zip(self.parameters.values(), gradients, strict=True):
            parameter.requires_grad_(gradient is not None)
            parameter.grad = None if gradient is None else torch.tensor(gradient)
        self.stepper.rate(rate)
        self.stepper.step()

    def weights(self) -> list[Array]:
        return [each.detach().numpy().copy() for each in self.parameters.values()]

    def slots(self) -> dict[str, Array]:
        return {name: each.numpy().copy() for name, each in self.stepper.slots().items()}

    def restore(self, slots: dict[str, Array]) -> None:
        self.stepper.restore({name: torch.tensor(each) for name, each in slots.items()})


class InKeras:
    """The same in Keras."""

    far = 1e-13 if WIDE else 3e-5

    def __init__(
        self,
        spec: Optimizer,
        weights: Sequence[Array],
        groups: Sequence[WeightGroup],
        clip: GradientLimit | None,
    ):
        from netspec_keras.training.optimizers import native

        self.dtype = "float64" if WIDE else "float32"
        self.variables = [
            keras.Variable(each, dtype=self.dtype, name=name)
            for name, each in zip(NAMES, weights, strict=True)
        ]
        grouped = [
            (group, [each for each in self.variables if each.name in group.weights]) for group in groups
        ]
        self.stepper = native(spec, grouped, clip)
        self.stepper.build(self.variables)

    def step(self, gradients: Sequence[Array | None], rate: float) -> None:
        given = [
            None if each is None else keras.ops.convert_to_tensor(each, dtype=self.dtype)
            for each in gradients
        ]
        self.stepper.rate.assign(np.array(rate, self.dtype))
        self.stepper.apply(given, self.variables)

    def weights(self) -> list[Array]:
        from netspec_keras.engines import running

        return [running().array(each.value).astype("float64") for each in self.variables]

    def slots(self) -> dict[str, Array]:
        from netspec_keras.training.optimizers import value

        return {name: value(each).astype("float64") for name, each in self.stepper.slots().items()}

    def restore(self, slots: dict[str, Array]) -> None:
        self.stepper.restore(slots)


SIDES = pytest.mark.parametrize("side", [InTorch, InKeras])
Side = type[InTorch] | type[InKeras]


def start() -> list[Array]:
    draw = np.random.default_rng(1)
    return [draw.standard_normal((3, 2)), draw.standard_normal(4), draw.standard_normal((1, 2, 2))]


def slopes(step: int) -> list[Array]:
    draw = np.random.default_rng(100 + step)
    found: list[Array] = [np.asarray(draw.standard_normal(each.shape)) for each in start()]
    return [np.zeros_like(each) for each in found] if step == 2 else found


def rate_of(spec: Optimizer, step: int) -> float:
    return spec.learning_rate * (1, 0.5, 1 / 3, 0.1)[step % 4]


def same(found: Sequence[Array], wanted: Sequence[Array], far: float) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=far)


def by_hand(spec: Optimizer, count: int) -> list[Array]:
    weights, kept = start(), [Slots() for _ in NAMES]
    for step in range(count):
        rate = rate_of(spec, step)
        weights = [stepped(spec, *given, rate) for given in zip(weights, kept, slopes(step), strict=True)]
    return weights


@SIDES
@pytest.mark.parametrize("spec", EVERY, ids=repr)
def test_steps_are_what_they_are_defined_as(spec: Optimizer, side: Side) -> None:
    its = side(spec, start(), (), None)
    for step in range(9):
        its.step(slopes(step), rate_of(spec, step))
    same(its.weights(), by_hand(spec, 9), its.far)


def test_every_optimiser_has_a_row() -> None:
    from netspec_keras.training import optimizers as in_keras
    from netspec_torch.training import optimizers as in_torch

    assert set(FORMS) == set(OPTIMIZERS) == set(CHANGES)
    for known, refused in (
        (in_torch.KINDS, in_torch.REFUSALS),
        (in_keras.CLASSES, in_keras.REFUSALS),
    ):
        assert set(known) | set(refused) == set(OPTIMIZERS.values())
        assert not set(known) & set(refused)
    for kind, forms in FORMS.items():
        for field in OPTIMIZERS[kind].model_fields:
            assert len({getattr(form, field) for form in forms}) > 1 or field == "learning_rate", (
                kind,
                field,
            )


@SIDES
@pytest.mark.parametrize("spec", EVERY, ids=repr)
def test_a_frozen_weight_and_what_is_kept_of_it_do_not_change(spec: Optimizer, side: Side) -> None:
    """Its steps are counted from where it learns again."""
    its, kept, weights = side(spec, start(), (), None), [Slots() for _ in NAMES], start()
    for step in range(8):
        frozen = "b" if step in (0, 1, 5) else ""
        given = [None if name == frozen else each for name, each in zip(NAMES, slopes(step), strict=True)]
        its.step(given, spec.learning_rate)
        weights = [
            weight if slope is None else stepped(spec, weight, own, slope, spec.learning_rate)
            for weight, own, slope in zip(weights, kept, given, strict=True)
        ]
    same(its.weights(), weights, its.far)


@SIDES
@pytest.mark.parametrize(
    "spec", [Sgd(momentum=0.5, weight_decay=0.1), AdamW(), Adam(weight_decay=0.3)], ids=repr
)
def test_groups_have_rates_decays_and_l2_of_their_own(spec: Optimizer, side: Side) -> None:
    groups = [WeightGroup(frozenset("b"), 0.1, 0.0, 0.25), WeightGroup(frozenset("c"), 3.0, None, 0.0)]
    its, kept, weights = side(spec, start(), groups, None), [Slots() for _ in NAMES], start()
    for step in range(6):
        its.step(slopes(step), spec.learning_rate)
        a, b, c = slopes(step)
        rate = spec.learning_rate
        weights = [
            stepped(spec, weights[0], kept[0], a, rate),
            stepped(spec, weights[1], kept[1], b + 2 * 0.25 * weights[1], 0.1 * rate, 0.0),
            stepped(spec, weights[2], kept[2], c, 3 * rate),
        ]
    same(its.weights(), weights, its.far)


def clipped(clip: GradientLimit, gradients: list[Array]) -> list[Array]:
    if clip.kind == "value":
        return [np.clip(each, -clip.limit, clip.limit) for each in gradients]
    norms = [np.sqrt((each**2).sum()) for each in gradients]
    if clip.kind == "norm":
        norms = [np.sqrt(sum(norm**2 for norm in norms))] * len(norms)
    return [
        each * min(1, clip.limit / norm) if norm else each
        for each, norm in zip(gradients, norms, strict=True)
    ]


@SIDES
@pytest.mark.parametrize(
    "clip",
    [
        GradientLimit("norm", 2.0),
        GradientLimit("each", 1.5),
        GradientLimit("value", 0.5),
        GradientLimit("norm", 1e3),
    ],
    ids=str,
)
def test_clipping_is_after_l2_and_before_the_decay(clip: GradientLimit, side: Side) -> None:
    spec, groups = Sgd(learning_rate=0.1, weight_decay=0.2), [WeightGroup(frozenset("a"), l2=0.5)]
    its, weights = side(spec, start(), groups, clip), start()
    for step in range(5):
        its.step(slopes(step), 0.1)
        a, b, c = slopes(step)
        gradients = clipped(clip, [a + weights[0], b, c])
        weights = [
            stepped(spec, weight, {}, slope, 0.1) for weight, slope in zip(weights, gradients, strict=True)
        ]
    same(its.weights(), weights, its.far)


@SIDES
def test_a_gradient_of_zero_is_not_clipped_to_nothing(side: Side) -> None:
    for kind in ("norm", "each", "value"):
        its = side(Sgd(), start(), (), GradientLimit(kind, 1.0))
        its.step([np.zeros_like(each) for each in start()], 0.1)
        same(its.weights(), start(), 0 if its.far < 1e-9 else 1e-7)


@SIDES
@pytest.mark.parametrize(
    "spec", [*EVERY[1:3], Adam(), RMSprop(centered=True, momentum=0.5), *EVERY[-4:]], ids=repr
)
def test_restored_slots_continue_to_the_same_bits(spec: Optimizer, side: Side) -> None:
    whole, first = side(spec, start(), (), None), side(spec, start(), (), None)
    for step in range(6):
        whole.step(slopes(step), rate_of(spec, step))
        if step < 3:
            first.step(slopes(step), rate_of(spec, step))
    second = side(spec, first.weights(), (), None)
    second.restore(first.slots())
    for step in range(3, 6):
        second.step(slopes(step), rate_of(spec, step))
    for one, other in zip(whole.weights(), second.weights(), strict=True):
        assert (one == other).all()
    assert all((whole.slots()[name] == each).all() for name, each in second.slots().items())


@SIDES
def test_slots_of_another_optimiser_are_refused(side: Side) -> None:
    its, other = side(Adam(), start(), (), None), side(Sgd(momentum=0.5), start(), (), None)
    with pytest.raises(ValueError, match="adam does not keep a/"):
        its.restore(other.slots())
    wrong = {name: each[..., :1] for name, each in its.slots().items() if each.ndim}
    with pytest.raises(ValueError, match="but must be"):
        its.restore({**its.slots(), **wrong})


def test_the_kernels_that_are_quick_give_the_same_as_the_plain_ones() -> None:
    from netspec_torch.training.optimizers import Stepper

    for spec in EVERY:
        runs = []
        for quick in (True, False):
            parameters = {
                name: torch.nn.Parameter(torch.tensor(each))
                for name, each in zip(NAMES, start(), strict=True)
            }
            stepper = Stepper(spec, parameters)
            for group in stepper.native.param_groups:
                assert group.get("fused") or group["foreach"]
                if not quick:
                    group.update(foreach=False, **({"fused": False} if "fused" in group else {}))
            for step in range(20):
                for parameter, slope in zip(parameters.values(), slopes(step), strict=True):
                    parameter.grad = torch.tensor(slope)
                stepper.rate(rate_of(spec, step))
                stepper.step()
            runs.append([each.detach().numpy() for each in parameters.values()])
        same(runs[0], runs[1], 1e-13)


def test_a_parameter_on_which_no_output_depends_still_decays() -> None:
    from netspec_torch.training.optimizers import Stepper

    parameters = {
        name: torch.nn.Parameter(torch.tensor(each)) for name, each in zip(NAMES, start(), strict=True)
    }
    stepper = Stepper(Sgd(learning_rate=0.5, weight_decay=0.5), parameters)
    stepper.step()
    same([each.detach().numpy() for each in parameters.values()], [each * 0.75 for each in start()], 1e-15)


def test_averages_follow_the_weights() -> None:
    from netspec_keras.engines import running
    from netspec_keras.training.optimizers import MovingAverage as InKerasAverage
    from netspec_torch.training.optimizers import MovingAverage

    draw, dtype = np.random.default_rng(0), "float64" if WIDE else "float32"
    steps = draw.standard_normal((6, 3, 2))
    tensor, count = torch.tensor(steps[0]), torch.tensor(3)
    ours = MovingAverage(0.9, {"w": tensor, "count": count})
    variable = keras.Variable(steps[0], dtype=dtype, name="w")
    theirs = InKerasAverage(0.9, [variable, keras.Variable(3, dtype="int32", trainable=False, name="count")])
    wanted = steps[0]
    for values in steps[1:]:
        tensor.copy_(torch.tensor(values))
        variable.assign(values)
        ours.update()
        theirs.update()
        wanted = 0.9 * wanted + 0.1 * values
    assert list(ours.values) == ["w"]
    same([ours.values["w"].numpy()], [wanted], 1e-14)
    (average,) = theirs.variables
    found: Any = running().array(average.value)
    same([found], [wanted], 1e-14 if WIDE else 1e-6)


def on(device: str, spec: Optimizer, capturable: bool) -> tuple[Any, list[Any]]:
    """Steps of float32 parameters on a device, whose gradients stay in one place."""
    from netspec_torch.training.optimizers import Stepper

    parameters = [
        torch.nn.Parameter(torch.tensor(each, dtype=torch.float32, device=device)) for each in start()
    ]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    return Stepper(spec, dict(zip(NAMES, parameters, strict=True)), (), None, capturable), parameters


def graded(parameters: list[Any], step: int) -> None:
    for parameter, slope in zip(parameters, slopes(step), strict=True):
        parameter.grad.copy_(torch.tensor(slope, dtype=torch.float32))


def test_a_rate_on_the_device_is_the_same_as_a_number() -> None:
    spec = EVERY[2]
    sides = [on("cpu", spec, capturable) for capturable in (True, False)]
    for step in range(5):
        for stepper, parameters in sides:
            graded(parameters, step)
            # A rate that float32 holds: as a number it is float64.
            stepper.rate(0.5 ** (step + 2))
            stepper.step()
    for one, other in zip(sides[0][1], sides[1][1], strict=True):
        assert torch.equal(one, other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
@pytest.mark.parametrize("spec", EVERY, ids=repr)
def test_a_captured_step_gives_the_same_bits(spec: Optimizer) -> None:
    from netspec_torch.training.optimizers import KINDS

    if KINDS[type(spec)].uncaptured:
        pytest.skip(KINDS[type(spec)].uncaptured)
    (plain, wanted), (captured, found) = on("cuda", spec, True), on("cuda", spec, True)
    before = [each.detach().clone() for each in found]
    kept = {name: each.clone() for name, each in captured.slots().items()}
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        captured.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured.step()
    with torch.no_grad():
        for parameter, value in zip(found, before, strict=True):
            parameter.copy_(value)
    captured.restore(kept)
    for step in range(6):
        for stepper, parameters in ((plain, wanted), (captured, found)):
            graded(parameters, step)
            stepper.rate(rate_of(spec, step))
        plain.step()
        graph.replay()
        assert all(torch.equal(one, other) for one, other in zip(wanted, found, strict=True))
