"""The optimisers of a recipe: PyTorch's own, for their mathematics are canonical. Also clipping, L2 and the average."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import swa_utils

from netspec.dataclass import dataclass
from netspec.recipe.optimizers import Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop, Sgd

if TYPE_CHECKING:
    from netspec.fit import GradientLimit, WeightGroup

Tensor = torch.Tensor
Parameters = Mapping[str, torch.nn.Parameter]
Across = Callable[[Tensor], Tensor]


class Stepper:
    """Turns gradients into the next weights.

    The gradient of L2 is added first, then the whole is clipped, then the optimiser takes its step, in which a coupled
    weight decay is part of the gradient. A frozen parameter does not change, nor does what is kept of it.

    With `capturable`, a CUDA graph can hold a step: the rate is then on the device, as float32. `across` adds up the
    squares of gradients of which this process has a part.
    """

    def __init__(
        self,
        spec: Optimizer,
        parameters: Parameters,
        groups: Sequence[WeightGroup] = (),
        clip: GradientLimit | None = None,
        capturable: bool = False,
        across: Across | None = None,
    ) -> None:
        self._across = across
        self.spec, self.clip, self.kind = spec, clip, KINDS[type(spec)]
        self._names = {parameter: name for name, parameter in parameters.items()}
        self._groups = list(_grouped(spec, self._names, groups))
        self._capturable = capturable
        self.native = self._made()
        self._keep()
        self.rate(spec.learning_rate)

    def rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        for own, group in zip(self._groups, self.native.param_groups, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * own.rate)
            else:
                group["lr"] = rate * own.rate

    def step(self) -> None:
        """Take a step with the gradients of the parameters."""
        self.prepare()
        self.native.step()

    @torch.no_grad()
    def prepare(self) -> None:
        """Add the gradient of L2, and clip. Scaled gradients must be unscaled before."""
        for parameter in self._names:
            if not parameter.requires_grad:
                parameter.grad = None
            elif parameter.grad is None:  # no output depends on it
                parameter.grad = torch.zeros_like(parameter)
        for own in self._groups:
            learning = [(each.grad, each.data) for each in own.parameters if each.grad is not None]
            if own.l2 and learning:
                gradients, weights = map(list, zip(*learning, strict=True))
                torch._foreach_add_(gradients, weights, alpha=2 * own.l2)
        gradients = [each.grad for each in self._names if each.grad is not None]
        if self.clip is not None and gradients:
            CLIPS[self.clip.kind](gradients, self.clip.limit, self._across)

    def zero(self) -> None:
        """Forget the gradients."""
        self.native.zero_grad()

    def slots(self) -> dict[str, Tensor]:
        """What the optimiser keeps of each parameter, `weight/slot`: the tensors themselves."""
        return {
            f"{name}/{slot}": self.native.state[parameter][own]
            for parameter, name in self._names.items()
            for slot, own in self.kind.slots(self.spec).items()
        }

    @torch.no_grad()
    def restore(self, slots: Mapping[str, Tensor]) -> None:
        """Take over the slots of another optimiser of the same kind.

        Raises:
            ValueError: these are not the slots of this optimiser.
        """
        known = self.slots()
        if different := sorted(known.keys() ^ slots.keys()):
            raise ValueError(f"{self.spec.kind} does not keep {', '.join(different[:3])}")
        for name, tensor in known.items():
            if tensor.shape != slots[name].shape:
                raise ValueError(f"{name} is {tuple(slots[name].shape)}, but must be {tuple(tensor.shape)}")
            tensor.copy_(slots[name])

    def _made(self) -> torch.optim.Optimizer:
        fused = all(each.device.type in self.kind.fused for each in self._names)
        flags = {"fused" if fused else "foreach": True}
        if self._capturable and self.kind.capturable:
            flags["capturable"] = True
        settings = [
            {"params": own.parameters, "lr": self._rate(own), "weight_decay": own.decay}
            for own in self._groups
        ]
        return self.kind.made(self.spec, settings, flags)

    def _rate(self, own: _Own) -> float | Tensor:
        rate = self.spec.learning_rate * own.rate
        if not self._capturable:
            return rate
        return torch.tensor(rate, dtype=torch.float32, device=own.parameters[0].device)

    def _keep(self) -> None:
        """Make the slots now: PyTorch makes them in the first step, but a graph and a resumed run need them before."""
        for group in self.native.param_groups:
            for parameter in group["params"]:
                state = self.native.state[parameter]
                for own in self.kind.slots(self.spec).values():
                    if own != STEPS:
                        state.setdefault(own, torch.zeros_like(parameter))
                if self.kind.counts:
                    # On the host, unless a kernel reads it.
                    near = group.get("fused") or group.get("capturable")
                    where = parameter.device if near else torch.device("cpu")
                    state.setdefault(STEPS, torch.zeros((), dtype=torch.float32, device=where))


@dataclass(frozen=True, eq=False)
class _Own:
    """Parameters with the same settings."""

    parameters: list[torch.nn.Parameter]
    rate: float
    decay: float
    l2: float


def _grouped(
    spec: Optimizer, names: Mapping[torch.nn.Parameter, str], groups: Sequence[WeightGroup]
) -> Iterator[_Own]:
    """The parameters of each group, and those of none."""
    known = {name: group for group in groups for name in group.weights}
    for group in (None, *groups):
        own = [parameter for parameter, name in names.items() if known.get(name) is group]
        if own and group is None:
            yield _Own(own, 1.0, spec.weight_decay, 0.0)
        elif own and group is not None:
            yield _Own(own, group.rate, spec.weight_decay if group.decay is None else group.decay, group.l2)


Settings = list[dict[str, Any]]
Flags = Mapping[str, bool]
STEPS = "step"
FUSED = frozenset({"cpu", "cuda"})


@dataclass(frozen=True)
class Kind:
    """How PyTorch has an optimiser: how it is made, and the names that it has for what it keeps."""

    made: Callable[[Any, Settings, Flags], torch.optim.Optimizer]
    slots: Callable[[Any], Mapping[str, str]]
    fused: frozenset[str] = frozenset()
    """The devices on which one kernel takes the step of all parameters."""
    capturable: bool = True
    """Whether there is a flag for CUDA graphs."""
    counts: bool = True
    """Whether PyTorch counts the steps of each parameter."""
    uncaptured: str = ""
    """The reason why a CUDA graph cannot hold a step."""


def _sgd(spec: Sgd, settings: Settings, flags: Flags) -> torch.optim.Optimizer:
    return torch.optim.SGD(settings, momentum=spec.momentum, nesterov=spec.nesterov, **flags)


def _adam(spec: Adam, settings: Settings, flags: Flags) -> torch.optim.Optimizer:
    return torch.optim.Adam(settings, betas=(spec.beta1, spec.beta2), eps=spec.epsilon, **flags)


def _adamw(spec: AdamW, settings: Settings, flags: Flags) -> torch.optim.Optimizer:
    return torch.optim.AdamW(settings, betas=(spec.beta1, spec.beta2), eps=spec.epsilon, **flags)


def _rmsprop(spec: RMSprop, settings: Settings, flags: Flags) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        settings, alpha=spec.rho, momentum=spec.momentum, centered=spec.centered, eps=spec.epsilon, **flags
    )


def _adagrad(spec: Adagrad, settings: Settings, flags: Flags) -> torch.optim.Optimizer:
    return torch.optim.Adagrad(settings, initial_accumulator_value=spec.initial, eps=spec.epsilon, **flags)


def _adadelta(spec: Adadelta, settings: Settings, flags: Flags) -> torch.optim.Optimizer:
    return torch.optim.Adadelta(settings, rho=spec.rho, eps=spec.epsilon, **flags)


def _adam_slots(spec: Adam | AdamW) -> Mapping[str, str]:
    return {"mean": "exp_avg", "square": "exp_avg_sq", "steps": STEPS}


def _rmsprop_slots(spec: RMSprop) -> Mapping[str, str]:
    velocity = {"velocity": "momentum_buffer"} if spec.momentum else {}
    return {"square": "square_avg", **({"mean": "grad_avg"} if spec.centered else {}), **velocity}


KINDS: Mapping[type[Optimizer], Kind] = {
    Sgd: Kind(
        _sgd,
        lambda spec: {"velocity": "momentum_buffer"} if spec.momentum else {},
        fused=FUSED,
        capturable=False,
        counts=False,
    ),
    Adam: Kind(_adam, _adam_slots, fused=FUSED),
    AdamW: Kind(_adamw, _adam_slots, fused=FUSED),
    RMSprop: Kind(_rmsprop, _rmsprop_slots),
    Adagrad: Kind(
        _adagrad,
        lambda spec: {"sum": "sum"},
        fused=frozenset({"cpu"}),
        capturable=False,
        uncaptured="PyTorch's Adagrad reads its count of steps on the host",
    ),
    Adadelta: Kind(_adadelta, lambda spec: {"square": "square_avg", "change": "acc_delta"}),
}
REFUSALS: Mapping[type[Optimizer], str] = {}
"""The optimisers that PyTorch does not have, each with the reason."""


def _clip_norm(gradients: list[Tensor], limit: float, across: Across | None) -> None:
    # PyTorch's own function adds 1e-6 to the norm.
    norm = torch.nn.utils.get_total_norm(gradients)
    if across is not None:
        norm = across(norm.square()).sqrt()
    torch._foreach_mul_(gradients, (limit / norm).clamp(max=1))


def _clip_each(gradients: list[Tensor], limit: float, across: Across | None) -> None:
    norms = list(torch._foreach_norm(gradients))
    if across is not None:
        norms = list(across(torch.stack(norms).square()).sqrt().unbind())
    torch._foreach_mul_(gradients, [(limit / norm).clamp(max=1) for norm in norms])


def _clip_value(gradients: list[Tensor], limit: float, across: Across | None) -> None:
    torch._foreach_clamp_min_(gradients, -limit)
    torch._foreach_clamp_max_(gradients, limit)


CLIPS: Mapping[str, Callable[[list[Tensor], float, Across | None], None]] = {
    "norm": _clip_norm,
    "each": _clip_each,
    "value": _clip_value,
}


class MovingAverage:
    """The exponential moving average of tensors: a ← decay · a + (1 − decay) · w, from their values at the start.

    Tensors of whole numbers are not averaged.
    """

    def __init__(self, decay: float, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = {name: each for name, each in tensors.items() if each.is_floating_point()}
        self.values = {name: each.detach().clone() for name, each in self._tensors.items()}
        self._update = swa_utils.get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def update(self) -> None:
        """Take the tensors into account as they are now."""
        self._update(list(self.values.values()), list(self._tensors.values()), 1)


def make_optimizer(spec: Optimizer, model: torch.nn.Module) -> Stepper:
    """Steps of all trainable parameters of a model."""
    return Stepper(spec, {name: each for name, each in model.named_parameters() if each.requires_grad})
