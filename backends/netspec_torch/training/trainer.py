"""The trainer of PyTorch: steps, measurements and state of one network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from netspec.backend import Unsupported
from netspec.fit import Batch, Task, Term
from netspec.recipe.metrics import SCORES
from netspec_torch.precision import deterministic, products
from netspec_torch.runtime import build, keys, named, read, write
from netspec_torch.training.capture import WARM, Captured, uncaptured
from netspec_torch.training.diagnosis import first_not_finite
from netspec_torch.training.feeding import DeviceBatch, Feeder
from netspec_torch.training.frozen import measuring, settle
from netspec_torch.training.losses import elements, mask, sums
from netspec_torch.training.norms import Shared, synchronise
from netspec_torch.training.optimizers import MovingAverage, Stepper
from netspec_torch.training.processes import Processes, connected, device_of, processes
from netspec_torch.training.spread import Copies, Sharded, Spread, Unsharded, exchanged
from netspec_torch.training.sums import Sums, joined
from netspec_torch.training.tallies import tallies

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Done, Step, Tallies
    from netspec.types import Float

Outputs = Mapping[str, torch.Tensor]
SMALLEST = 1e-30
APART = 0x9E3779B97F4A7C15
SHARE = 8
"""A part is kept on a GPU if it takes at most this share, an eighth, of the memory that is free."""
AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TorchTrainer:
    """See `netspec.fit.Trainer`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.device = device_of(task.device, task.world)
        self.processes: Processes = processes(task.world, self.device)
        double = task.precision == "float64"
        self.dtype = torch.float64 if double else torch.float32
        self.model = build(task.graph, task.weights, "float64" if double else "float32", str(self.device))
        # Convolutions of tensor cores take channels last.
        last = self.device.type == "cuda" and task.precision in {"tf32", "bf16", "fp16"}
        if last:
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.forward: Any = torch.compile(self.model) if task.compile else self.model
        self.feeder = Feeder(task, self.device, self.dtype, last)
        self.shared: Shared | None = (
            None if self.processes.size == 1 else synchronise(self.model, self.processes)
        )
        self.spread = self._spread()
        self.learnt = self.spread.learnt
        across = self.spread.across
        self.stepper = (
            Stepper(task.optimizer, self.learnt, task.groups, task.clip, task.capture, across)
            if self.learnt
            else None
        )
        self.average = None if task.average is None else MovingAverage(task.average, self.learnt)
        self.measuring, self.frozen = measuring(self.model, task.graph), frozenset[str]()
        self.random = _seeded(task.seed, self.processes.rank, self.device)
        scaled = task.precision == "fp16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled) if scaled else None
        self.uncaptured = uncaptured(task, self.device.type) if task.capture else ""
        captures = task.capture and not self.uncaptured
        self.captured = Captured(self._taken, self._changing, self.device) if captures else None
        self.take = self._taken if self.captured is None else self.captured

    def _changing(self) -> list[torch.Tensor]:
        """All that a step changes."""
        slots = {} if self.stepper is None else self.stepper.slots()
        average = {} if self.average is None else self.average.values
        return [*self.model.state_dict().values(), *slots.values(), *average.values()]

    def remarks(self) -> list[str]:
        reason = self.uncaptured or ("" if self.captured is None else self.captured.reason)
        return [f"steps are not captured as a CUDA graph: {reason}"] if reason else []

    def _spread(self) -> Spread:
        learnt = {name: each for name, each in self._parameters().items() if each.requires_grad}
        size = self.processes.size
        if size == 1:
            return Unsharded(self.model, self.forward, learnt)
        if not self.task.sharded:
            return Copies(self.model, self.forward, learnt, self.task, size)
        if not learnt:
            raise Unsupported("`sharded` divides the weights that learn, but no weight of this network does")
        return Sharded(self.model, self.task, self.processes, self.device, self._parameters)

    def hold(self, part: str, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> bool:
        if self.device.type != "cuda":
            return False  # a GPU reads its own memory faster; a CPU has only one
        arrays = (*inputs.values(), *targets.values())
        if any(str(array.dtype) in ("uint16", "uint32", "uint64") for array in arrays):
            return False  # PyTorch does not take rows of these
        size = sum(array.nbytes for array in arrays)
        if size * SHARE > torch.cuda.mem_get_info(self.device)[0]:
            return False
        self.feeder.hold(part, inputs, targets)
        return True

    def run(self, steps: Iterator[Step], rates: Iterator[float], done: Done, before: Tallies) -> Tallies:
        told = Sums(before, tuple(term.weight for term in self.task.terms), done, self.processes)
        with self._set():
            self.model.train()
            settle(self.measuring, self.frozen)
            for batches, rate in zip(self.feeder.steps(steps), rates, strict=False):
                self._step(batches, rate, told)
            return told.read()

    def warm_up(self) -> int:
        return 1 if self.captured is None else WARM + 1

    def evaluate(self, batches: Iterator[Batch]) -> Tallies:
        told = Sums({}, tuple(term.weight for term in self.task.terms), None, self.processes)
        with self._set(), torch.no_grad(), self._averaged():
            self.model.eval()
            for batch in self.feeder.batches(batches):
                outputs = self._outputs(batch)
                told.add(self.loss(outputs, batch)[1], self._tallied(outputs, batch))
            return told.read()

    def predict(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        with self._set(), torch.no_grad(), self._averaged():
            self.model.eval()
            samples = len(next(iter(inputs.values())))
            (batch,) = self.feeder.batches(iter([Batch(inputs, {}, samples)]))
            outputs = self._outputs(batch)
            return {name: value.cpu().numpy() for name, value in outputs.items()}

    def state(self) -> dict[str, Array]:
        with connected():
            found = {f"model/{key}": value for key, value in self.spread.state().items()}
            if self.stepper is not None:
                found |= {
                    f"slots/{key}": self._whole(key, value) for key, value in self.stepper.slots().items()
                }
            if self.average is not None:
                found |= {
                    f"average/{key}": self._whole(key, value) for key, value in self.average.values.items()
                }
            for key, value in self.random.items():
                for rank, own in enumerate(self.processes.gathered(value.to(self.device).unsqueeze(0))):
                    found[f"random/{_of(key, rank)}"] = own
        if self.scaler is not None:
            known = self.scaler.state_dict()
            found |= {f"scaler/{key}": torch.tensor(value) for key, value in known.items()}
        return {name: value.detach().cpu().numpy().copy() for name, value in found.items()}

    def _whole(self, key: str, value: torch.Tensor) -> torch.Tensor:
        return self.spread.whole(self._weight(key), value)

    def _weight(self, key: str) -> str:
        """The name of the weight that a slot, or an average, belongs to."""
        return key if key in self.learnt else key.rpartition("/")[0]

    def restore(self, state: Mapping[str, Array]) -> None:
        parts: dict[str, dict[str, torch.Tensor]] = {
            part: {} for part in ("model", "slots", "average", "random", "scaler")
        }
        for name, array in state.items():
            part, _, key = name.partition("/")
            parts[part][key] = torch.from_numpy(np.array(array))
        self.spread.restore(parts["model"])
        if self.stepper is not None:
            slots = parts["slots"].items()
            known = self.stepper.slots()
            self.stepper.restore(
                {
                    key: self.spread.part(self._weight(key), each) if key in known else each
                    for key, each in slots
                }
            )
        if self.average is not None:
            for name, value in self.average.values.items():
                value.copy_(self.spread.part(name, parts["average"][name]))
        self.random = _drawn_by(self.processes.rank, parts["random"], self.device)
        if self.scaler is not None:
            self.scaler.load_state_dict({key: value.item() for key, value in parts["scaler"].items()})

    def weights(self) -> dict[str, Array]:
        with connected(), self._averaged():
            return named(self.spread.state(), self.task.graph)

    def load(self, weights: Mapping[str, Array]) -> None:
        self.average = None
        with connected():
            weights = self.processes.first(weights)
        if not self.task.sharded or self.processes.size == 1:
            write(self.model, self.task.graph, weights, self.dtype)
            return
        state = self.spread.state()
        for name, key in keys(self.task.graph).items():
            state[key] = torch.from_numpy(np.array(weights[name])).to(self.dtype)
        self.spread.restore(state)

    def freeze(self, names: frozenset[str]) -> None:
        if names != self.frozen and self.captured is not None:
            self.captured.forget()
        self.frozen = names
        self.spread.freeze(names)

    def agree(self, number: int) -> int:
        with connected():
            return self.processes.largest(number)

    def diagnose(self, step: Step) -> str:
        graph = self.task.graph
        dtype: Float = "float64" if self.dtype == torch.float64 else "float32"
        with self._set():
            return first_not_finite(
                graph,
                read(self.model, graph),
                self.frozen,
                dtype,
                self.device,
                self.feeder.batches(iter(step)),
                lambda outputs, batch: self.loss(outputs, batch)[0],
            )

    # One step.

    def _step(self, batches: tuple[DeviceBatch, ...], rate: float, told: Sums) -> None:
        if self.stepper is not None:
            self.stepper.rate(rate)
        told.add(*self.take(batches))

    def _taken(self, batches: tuple[DeviceBatch, ...]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Take a step with the rate that is set: the sums of its losses, and its tallies."""
        totals = self._totals(batches) if len(batches) > 1 or self.processes.size > 1 else None
        rows: torch.Tensor | None = None
        tallied: dict[str, torch.Tensor] = {}
        if self.stepper is not None:
            self.stepper.zero()
        for number, batch in enumerate(batches, 1):
            with self.spread.waiting(number == len(batches)):
                outputs = self._outputs(batch)
                loss, row = self.loss(outputs, batch, totals)
                if self.spread.scale != 1:
                    loss = loss * self.spread.scale
                if self.scaler is not None:
                    loss = self.scaler.scale(loss)
                if loss.requires_grad:
                    loss.backward()  # type: ignore[no-untyped-call]
            rows = row if rows is None else rows + row
            if self.task.metrics:
                for name, tally in self._tallied(outputs, batch).items():
                    tallied[name] = joined(name, tallied.get(name), tally)
        self.spread.collect()
        self._update()
        assert rows is not None, "a step has a batch"
        return rows, tallied

    def _update(self) -> None:
        if self.stepper is None:
            return
        if self.scaler is None:
            self.stepper.step()
        else:
            self.scaler.unscale_(self.stepper.native)
            self.stepper.prepare()
            self.scaler.step(self.stepper.native)
            self.scaler.update()
        if self.average is not None:
            self.average.update()

    def loss(
        self, outputs: Outputs, batch: DeviceBatch, totals: list[torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of a batch, and for each term its sums (terms, 2).

        `totals` are the sums of weights of the whole step, if the batch is a part of it.
        """
        whole: torch.Tensor | None = None
        rows: list[torch.Tensor] = []
        for at, term in enumerate(self.task.terms):
            losses, weight = self._sums(term, outputs, batch)
            rows.extend((losses.detach(), weight))
            # A batch in which nothing counts has the loss 0.
            part = losses / (weight if totals is None else totals[at]).clamp(min=SMALLEST)
            part = part if term.weight == 1 else part * term.weight
            whole = part if whole is None else whole + part
        assert whole is not None, "a task has a loss"
        return whole, torch.stack(rows).reshape(-1, 2)

    def _sums(self, term: Term, outputs: Outputs, batch: DeviceBatch) -> tuple[torch.Tensor, torch.Tensor]:
        output = outputs[term.output]
        target = None if term.target is None else batch.targets[term.target]
        steps = None if term.lengths is None else self._mask(term.lengths, output, batch)
        losses, weight = sums(*elements(term.loss, output, target, steps))
        return (losses, weight) if batch.samples else (losses * 0, weight * 0)

    def _mask(self, lengths: str, output: torch.Tensor, batch: DeviceBatch) -> torch.Tensor:
        """The weights of the steps of sequences, (N, steps)."""
        return mask(batch.inputs[lengths], output.shape[-1], self.dtype)

    def _totals(self, batches: tuple[DeviceBatch, ...]) -> list[torch.Tensor]:
        """The sum of weights of each term over all batches of a step: weights depend on targets only.

        Those of all processes count.
        """
        types = {each.name: self.task.graph.types[each.value] for each in self.task.graph.outputs}
        totals = []
        for term in self.task.terms:
            shape = types[term.output].shape
            blank = [
                {term.output: torch.zeros((batch.rows, *shape), dtype=self.dtype, device=self.device)}
                for batch in batches
            ]
            rows = [self._sums(term, *each)[1] for each in zip(blank, batches, strict=True)]
            totals.append(torch.stack(rows).sum())
        return list(self.processes.summed(torch.stack(totals)).unbind())

    def _outputs(self, batch: DeviceBatch) -> Outputs:
        cast = AUTOCAST.get(self.task.precision)
        with torch.autocast(self.device.type, cast) if cast is not None else nullcontext():
            if self.shared is not None:
                self.shared.begin(batch.rows, batch.samples, batch.whole)
            run = self.spread.forward if self.model.training else self.forward
            result = run(*(batch.inputs[each.name] for each in self.task.graph.inputs))
        outputs = result if isinstance(result, Mapping) else {self.task.graph.outputs[0].name: result}
        return {name: value.to(self.dtype) for name, value in outputs.items()} if cast else outputs

    def _tallied(self, outputs: Outputs, batch: DeviceBatch) -> dict[str, torch.Tensor]:
        masks = {
            each.lengths: self._mask(each.lengths, outputs[each.output], batch)
            for each in self.task.metrics
            if each.lengths is not None
        }
        found = tallies(self.task.metrics, outputs, batch.targets, masks)
        if batch.samples:
            return found
        return {name: each[:0] if name.endswith(f"/{SCORES}") else each * 0 for name, each in found.items()}

    def _parameters(self) -> dict[str, torch.nn.Parameter]:
        """The parameters by the canonical names of their weights."""
        held = dict(self.model.named_parameters(remove_duplicate=False))
        return {name: held[key] for name, key in keys(self.task.graph).items() if key in held}

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put the averaged weights into the model meanwhile, if there are any."""
        if self.average is None:
            yield
            return
        with exchanged(self.learnt, self.average.values):
            yield

    # Settings of PyTorch, which are those of the whole process.

    @contextmanager
    def _set(self) -> Iterator[None]:
        with ExitStack() as settings:
            if self.processes.size > 1:
                settings.enter_context(connected())
            settings.enter_context(deterministic(self.task.deterministic, self.device.type))
            settings.enter_context(products(rounded=self.task.precision == "tf32"))
            settings.enter_context(self._drawing())
            yield

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Draw from the generators of this training, and leave PyTorch's own as they are."""
        cuda = self.device.type == "cuda"
        with torch.random.fork_rng(devices=[self.device] if cuda else []):
            torch.set_rng_state(self.random["cpu"])
            if cuda:
                torch.cuda.set_rng_state(self.random["cuda"], self.device)
            try:
                yield
            finally:
                self.random = _drawn(self.device)


def _seeded(seed: int, rank: int, device: torch.device) -> dict[str, torch.Tensor]:
    """The generators of a process; each draws other numbers."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed((seed + rank * APART) % 2**63)
        return _drawn(device)


def _drawn_by(rank: int, known: Mapping[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    """The generators of a process in a state; one that was not there then draws by those of the first."""
    if _of("cpu", rank) in known:
        return {key: known[_of(key, rank)] for key in ("cpu", "cuda") if _of(key, rank) in known}
    first = torch.Generator()
    first.set_state(known["cpu"])
    return _seeded(int(torch.randint(2**62, (), generator=first)), rank, device)


def _of(key: str, rank: int) -> str:
    return f"{key}/{rank}" if rank else key


def _drawn(device: torch.device) -> dict[str, torch.Tensor]:
    found = {"cpu": torch.get_rng_state()}
    return found | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else found
