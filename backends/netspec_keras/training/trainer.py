"""The trainer of Keras: steps, measurements and state of one network, compiled by the engine that runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from netspec.backend import NoDevice
from netspec.fit import Conversion, Task, Term, WeightGroup
from netspec.recipe.names import padded
from netspec.types import Type
from netspec_keras.engines import running
from netspec_keras.engines.interface import Outputs, Tensors, listed
from netspec_keras.framework import keras, ops
from netspec_keras.runtime import execute, homes, inward, kind_of, measuring, outward, placed, read, write
from netspec_keras.source import source
from netspec_keras.training.chunks import Chunk, chunks
from netspec_keras.training.losses import elements, mask, sums
from netspec_keras.training.optimizers import MovingAverage, native
from netspec_keras.training.scaling import Scaler
from netspec_keras.training.sums import Sums, joined
from netspec_keras.training.tallies import tallies
from netspec_keras.trial import KerasTrial

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Batch, Done, Step, Tallies
    from netspec.types import Float

Named = dict[str, Any]
Arrays = tuple[dict[str, Any], dict[str, Any]]
"""The inputs and the targets of a batch, by name."""
SMALLEST = 1e-30
POLICIES = {"bf16": "mixed_bfloat16", "fp16": "mixed_float16"}
"""Keras' policies: layers calculate in half precision, from weights in float32."""


class KerasTrainer:
    """See `netspec.fit.Trainer`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.engine = running()
        self.dtype: Float = "float64" if task.precision == "float64" else "float32"
        kind, _, number = task.device.partition(":")
        if number and task.devices > 1:
            raise NoDevice(f"`{task.device}` is one device, but {task.devices} are wanted", f"name {kind}")
        self.spread = self.engine.spread(kind_of(task.device), task.devices)
        with self._set(), _seeded(task.seed), self.spread.variables():
            # Everything runs in this context, in which every engine keeps float64.
            policy = POLICIES.get(task.precision)
            self.model = execute(source(task.graph).text, task.graph, self.dtype, task.device, policy=policy)
            write(self.model, task.graph, task.weights)
            self.learnt = list(self.model.trainable_variables)
            self.optimizer = native(task.optimizer, self._groups(), task.clip)
            self.optimizer.build(self.learnt)
            self.average = None if task.average is None else MovingAverage(task.average, self.learnt)
            self.scaler = Scaler() if task.precision == "fp16" else None
            self.whitenings = dict(self._whitenings())
        self.types = task.graph.types
        self.names = [each.name for each in task.graph.outputs]
        self.outputs = {each.name: self.types[each.value] for each in task.graph.outputs}
        self.frozen: frozenset[str] = frozenset()
        self.fixed = list(self.model.non_trainable_variables)
        self._programs()

    def hold(self, part: str, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> bool:
        return False  # each batch is copied, which the engines do while a step runs

    def run(self, steps: Iterator[Step], rates: Iterator[float], done: Done, before: Tallies) -> Tallies:
        told = self._told(before, done)
        with self._set():
            try:
                for chunk in chunks(zip(steps, rates, strict=False), self.task.steps_per_call):
                    self._take(chunk, told)
                return told.read()
            finally:
                self.step.settle()

    def _take(self, chunk: Chunk, told: Sums) -> None:
        """Take these steps, in one call if there are several."""
        every = [[self._arrays(each.inputs, each.targets) for each in step] for step, _ in chunk]
        if len(chunk) == 1:
            ((_, rate),) = chunk
            given = [self._placed(each, 0) for each in every[0]]
            told.add(*self.step(given, ops.convert_to_tensor(rate, dtype=self.dtype)))
            return
        stacked = [self._placed(_stacked(batches), 1) for batches in zip(*every, strict=True)]
        rates = ops.convert_to_tensor(np.array([rate for _, rate in chunk]), dtype=self.dtype)
        told.add_each(*self.step.each(stacked, rates))

    def warm_up(self) -> int:
        return 1

    def evaluate(self, batches: Iterator[Batch]) -> Tallies:
        told = self._told({}, None)
        with self._set(), self._averaged():
            try:
                for batch in batches:
                    told.add(*self.measure(self._tensors(batch.inputs, batch.targets)))
                return told.read()
            finally:
                self.measure.settle()

    def predict(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        with self._set(), self._averaged():
            given, _ = self._tensors(inputs, {})
            found = self.calculate(given)
            self.calculate.settle()
            arrays = {name: self.engine.array(value) for name, value in found.items()}
        return {name: outward(array, self.outputs[name]) for name, array in arrays.items()}

    def state(self) -> dict[str, Array]:
        with self._set():
            return {str(number): self.engine.array(each.value) for number, each in enumerate(self.variables)}

    def restore(self, state: Mapping[str, Array]) -> None:
        shapes = {str(number): tuple(each.shape) for number, each in enumerate(self.variables)}
        if shapes != {name: array.shape for name, array in state.items()}:
            raise ValueError("the state is that of another network or optimiser")
        with self._set():
            for number, variable in enumerate(self.variables):
                variable.assign(state[str(number)])

    def weights(self) -> dict[str, Array]:
        with self._averaged():
            return read(self.model, self.task.graph)

    def load(self, weights: Mapping[str, Array]) -> None:
        self.average = None
        with self._set():
            write(self.model, self.task.graph, weights)

    def freeze(self, names: frozenset[str]) -> None:
        if names != self.frozen:
            self.frozen = names
            for owned, layer in measuring(self.model, self.task.graph):
                # One that does not learn calculates as in inference: Keras' own meaning of a frozen batch norm.
                layer.trainable = not owned <= names
            self._programs()

    def agree(self, number: int) -> int:
        return number  # Keras trains in one process

    def remarks(self) -> tuple[str, ...]:
        return ()

    def diagnose(self, step: Step) -> str:
        graph, types = self.task.graph, self.task.graph.types
        trial = KerasTrial(graph, self.weights(), self.dtype, device=self.task.device)
        learnt = {id(home.variable(self.model)): home.name for home in homes(graph)}
        for batch in step:
            with self._set():
                given, targets = self._tensors(batch.inputs, batch.targets)
                converted = zip(graph.inputs, map(self.engine.array, self._inputs(given)), strict=True)
                slopes = self._program(self._slopes)(given, targets)
                arrays = [self.engine.array(each) for each in slopes]
            inputs = {each.name: outward(array, types[each.name]) for each, array in converted}
            for name, output in trial.forward(inputs).items():
                if not np.isfinite(output).all():
                    return f"the output of `{name}`"
            for variable, array in reversed([*zip(self.learnt, arrays, strict=True)]):
                if not np.isfinite(array).all():
                    return f"the gradient of `{learnt[id(variable)]}`"
        return ""

    # What is compiled.

    def _programs(self) -> None:
        kept = [] if self.average is None else self.average.variables
        scaler = [] if self.scaler is None else self.scaler.variables
        self.others = [*self.fixed, *self.optimizer.variables, *kept, *scaler]
        self.variables = [*self.learnt, *self.others]
        self.step = self._program(self._step)
        self.measure = self._program(self._measure)
        self.calculate = self._program(self._calculate)

    def _program(self, function: Callable[..., Any]) -> Any:
        return self.engine.program(function, self.variables, self.task.compile, self.task.deterministic)

    def _step(self, batches: list[tuple[Named, Named]], rate: Any) -> tuple[Any, Named]:
        totals = self._totals(batches) if len(batches) > 1 else None
        rows: Any = None
        slopes: Any = None
        tallied: Named = {}
        for batch in batches:
            # Of two batches at a time, the outputs of all layers would be in memory.
            inputs, targets = batch if slopes is None else self.engine.after((rows, slopes), batch)
            (row, found), more = self._descend(self._inputs(inputs), self._targets(targets), totals)
            rows = row if rows is None else rows + row
            slopes = more if slopes is None else [a + b for a, b in zip(slopes, more, strict=True)]
            for name, tally in found.items():
                tallied[name] = joined(name, tallied.get(name), tally)
        self.optimizer.rate.assign(rate)
        names = self._weights_of(self.learnt)
        still = [bool(each) and each <= self.frozen for each in names]
        learning = [None if frozen else slope for frozen, slope in zip(still, slopes, strict=True)]
        self._update(learning)
        if self.average is not None:
            self.average.update()
        return rows, tallied

    def _update(self, slopes: list[Any]) -> None:
        """Take the step of the optimiser; a weight without a gradient stays as it is."""
        there = [each for each in slopes if each is not None]
        if self.scaler is None or not there:
            self.optimizer.apply(slopes, self.learnt)
            return
        found, finite = self.scaler.back(there)
        scaled = iter(found)
        self.optimizer.finite = finite
        try:
            self.optimizer.apply([None if each is None else next(scaled) for each in slopes], self.learnt)
        finally:
            self.optimizer.finite = None
        self.scaler.update(finite)

    def _descend(
        self, inputs: Tensors, targets: Named, totals: Tensors | None, scaled: bool = True
    ) -> tuple[Any, Tensors]:
        def value(outputs: Mapping[str, Any]) -> tuple[Any, Any]:
            whole, row = self._loss(outputs, targets, inputs, totals)
            if scaled and self.scaler is not None:
                whole = whole * self.scaler.factor
            return whole, (row, self._tallied(outputs, targets, inputs))

        return self.spread.descend(self._forward(training=True), inputs, value, self.learnt, self.others)

    def _slopes(self, inputs: Named, targets: Named) -> Tensors:
        return self._descend(self._inputs(inputs), self._targets(targets), None, scaled=False)[1]

    def _measure(self, batch: tuple[Named, Named]) -> tuple[Any, Named]:
        inputs, targets = self._inputs(batch[0]), self._targets(batch[1])
        outputs = self.spread.outputs(self._forward(training=False), inputs)
        return self._loss(outputs, targets, inputs)[1], self._tallied(outputs, targets, inputs)

    def _calculate(self, inputs: Named) -> Named:
        return dict(self.spread.outputs(self._forward(training=False), self._inputs(inputs)))

    def _forward(self, training: bool) -> Outputs:
        """The outputs of the model by their names."""
        names = [each.name for each in self.task.graph.inputs]

        def outputs(inputs: Tensors) -> Named:
            # Keras takes a single input without a mapping.
            given = inputs[0] if len(inputs) == 1 else dict(zip(names, inputs, strict=True))
            result = self.model(given, training=training)
            named = result if isinstance(result, Mapping) else zip(self.names, listed(result), strict=True)
            return {name: self._whole(each) for name, each in dict(named).items()}

        return outputs

    def _whole(self, output: Any) -> Any:
        """An output in the precision of the weights; indices stay."""
        is_half = keras.backend.standardize_dtype(output.dtype) in ("float16", "bfloat16")
        return ops.cast(output, self.dtype) if is_half else output

    def _loss(
        self, outputs: Mapping[str, Any], targets: Named, inputs: Tensors, totals: Tensors | None = None
    ) -> tuple[Any, Any]:
        """The loss of a batch, and for each term its sums (terms, 2); `totals` are those of the whole step."""
        whole: Any = None
        rows = []
        for at, term in enumerate(self.task.terms):
            losses, weight = self._sums(term, outputs, targets, inputs)
            # A batch in which nothing counts has the loss 0.
            part = losses / ops.maximum(weight if totals is None else totals[at], SMALLEST) * term.weight
            whole = part if whole is None else whole + part
            rows.append(ops.stack([losses, weight]))
        return whole, ops.stack(rows)

    def _sums(
        self, term: Term, outputs: Mapping[str, Any], targets: Named, inputs: Tensors
    ) -> tuple[Any, Any]:
        output = outputs[term.output]
        target = None if term.target is None else targets[term.target]
        steps = None if term.lengths is None else self._mask(term.lengths, output, inputs)
        return sums(*elements(term.loss, output, target, steps))

    def _mask(self, lengths: str, output: Any, inputs: Tensors) -> Any:
        """The weights of the steps of sequences, (N, steps)."""
        names = [each.name for each in self.task.graph.inputs]
        return mask(inputs[names.index(lengths)], output.shape[1], self.dtype)

    def _totals(self, batches: list[tuple[Named, Named]]) -> Tensors:
        """The sum of weights of each term over all batches of a step: weights depend on targets only."""
        totals = []
        for term in self.task.terms:
            weights = []
            for inputs, targets in batches:
                given = self._inputs(inputs)
                blank = ops.zeros((given[0].shape[0], *_last(self.outputs[term.output])), dtype=self.dtype)
                weights.append(self._sums(term, {term.output: blank}, self._targets(targets), given)[1])
            totals.append(sum(weights[1:], weights[0]))
        return totals

    def _tallied(self, outputs: Mapping[str, Any], targets: Named, inputs: Tensors) -> Named:
        masks = {
            each.lengths: self._mask(each.lengths, outputs[each.output], inputs)
            for each in self.task.metrics
            if each.lengths is not None
        }
        return tallies(self.task.metrics, outputs, targets, masks)

    # What is fed.

    def _tensors(self, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> tuple[Named, Named]:
        """A batch as tensors, channels last, in the types in which it is stored."""
        return self._placed(self._arrays(inputs, targets), 0)

    def _arrays(self, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> Arrays:
        """A batch, channels last."""
        types = {each.name: each.type for each in self.task.graph.inputs}
        given = {name: inward(array, types[name]) for name, array in inputs.items() if name in types}
        return given, {name: self._moved(name, array) for name, array in targets.items()}

    def _placed(self, batch: Arrays, axis: int) -> tuple[Named, Named]:
        """A batch on the devices; `axis` is that of the samples."""
        inputs, targets = (
            {name: self.spread.batch(array, axis) for name, array in arrays.items()} for arrays in batch
        )
        return inputs, targets

    def _moved(self, name: str, array: Array) -> Array:
        """A target as Keras' losses take it: numbers have their channels last."""
        for term in self.task.terms:
            type_ = self.outputs[term.output]
            if term.target == name and term.loss.targets == "numbers" and array.ndim == len(type_.shape) + 1:
                return inward(array, type_)
        return array

    def _inputs(self, inputs: Named) -> list[Any]:
        return [self._input(inputs[each.name], each) for each in self.task.graph.inputs]

    def _input(self, x: Any, given: Any) -> Any:
        if given.vocabulary is not None:
            return ops.cast(x, "int32")
        return self._converted(x, self.task.conversions.get(given.name), channel=-1)

    def _converted(self, x: Any, conversion: Conversion | None, channel: int) -> Any:
        """See `netspec.fit.Conversion`; `channel` is the axis of the channels."""
        x = ops.cast(x, self.dtype)
        if conversion is None:
            return x
        if conversion.unit != 1:
            x = x / conversion.unit
        inner = x
        if conversion.whiten is None:
            x = _padded(x, conversion.pad, channel)
        if conversion.sample:
            axes = tuple(range(1, len(x.shape)))
            x = (x - ops.mean(inner, axes, keepdims=True)) / _deviation(inner, axes)
        if conversion.mean:
            x = x - self._by_channel(conversion.mean, x, channel)
        if conversion.std:
            x = x / self._by_channel(conversion.std, x, channel)
        if conversion.whiten is not None:
            mean, matrix = self.whitenings[id(conversion.whiten)]
            flat = ops.reshape(x, (-1, mean.shape[0])) - mean
            x = _padded(ops.reshape(ops.matmul(flat, matrix), (-1, *x.shape[1:])), conversion.pad, channel)
        return x

    def _whitenings(self) -> Iterator[tuple[int, tuple[Any, Any]]]:
        """The means and the matrices as tensors, for samples with the channels last."""
        for each in self.task.graph.inputs:
            given = self.task.conversions.get(each.name, Conversion())
            if given.whiten is None:
                continue
            shape = padded(each.type.shape, -given.pad)
            order = np.moveaxis(np.arange(len(given.whiten.mean)).reshape(shape), 0, -1).ravel()
            arrays = given.whiten.mean[order], given.whiten.matrix[np.ix_(order, order)]
            mean, matrix = (ops.convert_to_tensor(array.astype(self.dtype)) for array in arrays)
            yield id(given.whiten), (mean, matrix)

    def _by_channel(self, numbers: tuple[float, ...], x: Any, channel: int) -> Any:
        shape = [1] * len(x.shape)
        shape[channel] = len(numbers)
        return ops.convert_to_tensor(np.array(numbers, self.dtype).reshape(shape))

    def _targets(self, targets: Named) -> Named:
        return {name: self._target(name, x) for name, x in targets.items()}

    def _target(self, name: str, x: Any) -> Any:
        if name in self.task.target_conversions:
            return self._converted(x, self.task.target_conversions[name], channel=-1)
        # Whole numbers are class indices.
        whole = "int" in keras.backend.standardize_dtype(x.dtype)
        return ops.cast(x, "int32" if whole else self.dtype)

    def _told(self, before: Tallies, done: Done | None) -> Sums:
        return Sums(self.engine, before, tuple(term.weight for term in self.task.terms), done)

    def _groups(self) -> list[tuple[WeightGroup, list[Any]]]:
        """The groups of the task with their variables."""
        names = self._weights_of(self.learnt)
        return [
            (group, [each for each, own in zip(self.learnt, names, strict=True) if own & group.weights])
            for group in self.task.groups
        ]

    def _weights_of(self, variables: list[Any]) -> list[frozenset[str]]:
        """For each variable the canonical names of the weights that it has: a variable can have several."""
        found: dict[int, set[str]] = {}
        for home in homes(self.task.graph):
            found.setdefault(id(home.variable(self.model)), set()).add(home.name)
        return [frozenset(found.get(id(each), ())) for each in variables]

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put the averaged weights into the model meanwhile, if there are any."""
        if self.average is None:
            yield
            return
        own = [self.engine.array(each.value) for each in self.average.beside]
        for variable, average in self.average.pairs():
            variable.assign(average.value)
        try:
            yield
        finally:
            for variable, array in zip(self.average.beside, own, strict=True):
                variable.assign(array)

    @contextmanager
    def _set(self) -> Iterator[None]:
        """Run on the device, with products that are rounded as the precision says."""
        rough = self.task.precision == "tf32"
        several = self.task.devices > 1  # the distribution places everything
        with (
            nullcontext() if several else placed(self.task.device),
            self.engine.rounded() if rough else self.engine.exact(self.dtype),
            self.engine.deterministic(self.task.deterministic),
        ):
            yield


def _padded(x: Any, pad: int, channel: int) -> Any:
    if not pad:
        return x
    sides = [(pad, pad)] * len(x.shape)
    sides[0] = sides[channel] = (0, 0)
    return ops.pad(x, sides)


def _deviation(x: Any, axes: tuple[int, ...]) -> Any:
    """That of all numbers of each sample."""
    deviation = ops.sqrt(ops.mean(ops.square(x - ops.mean(x, axes, keepdims=True)), axes, keepdims=True))
    return ops.where(deviation < Conversion.CONSTANT, ops.ones_like(deviation), deviation)


def _stacked(batches: Sequence[Arrays]) -> Arrays:
    """Batches of equal shapes as one, with an axis of batches in front."""
    inputs, targets = (
        {name: np.stack([batch[side][name] for batch in batches]) for name in batches[0][side]}
        for side in (0, 1)
    )
    return inputs, targets


def _last(type_: Type) -> tuple[int, ...]:
    """The sizes of a value, channels last."""
    return (*type_.shape[1:], type_.shape[0]) if type_.channels and type_.spatial else type_.shape


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let Keras draw the seeds of its layers from this one, and leave Python's generator as it is."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
