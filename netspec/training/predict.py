"""What a trained network says about files, batch by batch, on any backend that trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.analysis.meaning import meanings
from netspec.backend import Trains, Unsupported
from netspec.data import text
from netspec.data.augmentation import Augmentation
from netspec.data.bounds import DataError
from netspec.data.parts import Classes
from netspec.diagnostics import Problems
from netspec.fit import Conversion, Task, Trainer
from netspec.graph import Graph
from netspec.recipe import Normalise, Recipe
from netspec.recipe.augmentation import RandomCrop
from netspec.recipe.data import Data
from netspec.recipe.names import SETS
from netspec.training.answers import Answer, AnswerOutput, answer
from netspec.training.heads import heads as losses_of
from netspec.training.preparation import Asked, CannotPrepare, Fed, Preparation
from netspec.training.reading import BrokenFile, Reader, ReadSample
from netspec.training.suits import images, normalised

if TYPE_CHECKING:
    from netspec.backend import Arrays

BATCH = 64
"""The samples that are computed at a time."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """A sample with an answer for each output."""

    sample: ReadSample
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class Predictor:
    """A network with weights, and all that its samples and answers need."""

    graph: Graph
    recipe: Recipe
    preparation: Preparation
    weights: Arrays
    backend: Trains
    device: str = "auto"
    top: int = 3

    @property
    def heads(self) -> tuple[AnswerOutput, ...]:
        """The outputs."""
        return heads(self.graph, self.preparation)

    @cached_property
    def trainer(self) -> Trainer:
        """The network on the backend, made once."""
        return self.backend.trainer(
            task(self.graph, self.recipe, self.preparation, self.weights, self.device)
        )

    def reader(self, resize: bool, tell: Any) -> Reader:
        """Reads files for this network."""
        vocabularies = {each.name: each.vocabulary for each in self.graph.inputs}
        return Reader(self.preparation, vocabularies, self.recipe.data, resize, tell)

    def __call__(self, samples: Iterator[ReadSample | BrokenFile]) -> Iterator[Predicted | BrokenFile]:
        """The answers, in the order of the samples; a file that cannot be read is passed on."""
        trainer = self.trainer
        still, heads = self._cropped(), self.heads
        waiting: list[ReadSample | BrokenFile] = []

        def flush() -> Iterator[Predicted | BrokenFile]:
            good = [each for each in waiting if isinstance(each, ReadSample)]
            inputs = _stacked(good, still) if good else {}
            outputs = trainer.predict(inputs) if good else {}
            rows = iter(range(len(good)))
            for each in waiting:
                if isinstance(each, BrokenFile):
                    yield each
                    continue
                at = next(rows)
                seen = replace(each, inputs={name: array[at] for name, array in inputs.items()})
                yield Predicted(
                    seen, {head.name: answer(head, outputs[head.name][at], self.top) for head in heads}
                )
            waiting.clear()

        for each in samples:
            waiting.append(each)
            if len(waiting) == BATCH:
                yield from flush()
        yield from flush()

    def continued(self, sample: ReadSample, count: int) -> str:
        """The text that goes on after a sample: at each step the most likely symbol.

        Raises:
            CannotPrepare: the network does not go on with a text.
        """
        import numpy as np

        head = next((each for each in self.heads if each.kind == "next"), None)
        if head is None or len(sample.inputs) != 1:
            raise CannotPrepare(f"`{self.graph.name}` does not go on with a text: it was not trained on one")
        trainer = self.trainer
        ((name, window),) = sample.inputs.items()
        found: list[str] = []
        for _ in range(count):
            outputs = trainer.predict({name: window[None]})
            index = answer(head, outputs[head.name][0], 1).facts["index"]
            found.append(head.classes.name(index))
            window = np.append(window[1:], np.asarray(index, window.dtype))
        data = self.recipe.data
        words = not isinstance(data, str) and data.text is not None and data.text.unit == "tokens"
        return (" " if words else "").join(found)

    def _cropped(self) -> Augmentation | None:
        """What cuts the centre out of samples, as in an evaluation."""
        if not any(isinstance(each, RandomCrop) and each.size is not None for each in self.recipe.augment):
            return None
        pictures = [name for name, each in self.preparation.inputs.items() if len(each.shape) > 1]
        return Augmentation(self.recipe.augment, self.recipe.seed, pictures[0])


def _stacked(samples: Sequence[ReadSample], still: Augmentation | None) -> dict[str, Any]:
    import numpy as np

    arrays = {name: np.stack([each.inputs[name] for each in samples]) for name in samples[0].inputs}
    return arrays if still is None else still.still(arrays)


def heads(graph: Graph, preparation: Preparation) -> tuple[AnswerOutput, ...]:
    """The outputs of a network, as their answers are read."""
    known = meanings(graph)
    is_text = any(each.symbols for each in preparation.inputs.values())
    return tuple(
        AnswerOutput(
            output.name,
            graph.types[output.value],
            known[output.value],
            preparation.outputs.get(output.name, Asked()),
            is_text,
        )
        for output in graph.outputs
    )


def task(graph: Graph, recipe: Recipe, preparation: Preparation, weights: Arrays, device: str) -> Task:
    """The task of a trainer that only predicts."""
    conversions = {
        name: each.conversion for name, each in preparation.inputs.items() if each.conversion is not None
    }
    return Task(
        graph,
        weights,
        (),
        recipe.optimizer,  # type: ignore[arg-type]
        conversions=conversions,
        precision=recipe.precision,
        deterministic=recipe.deterministic,
        device=device,
    )


# Without a run.


def prepared(graph: Graph, recipe: Recipe | None, base: Path) -> Preparation:
    """The preparation that a spec states, without what only a training knows; `base` is the folder of its paths.

    Raises:
        CannotPrepare: the recipe measures something on its training data.
    """
    own = recipe or Recipe()
    measured = next(
        (
            name
            for name, is_measured in (
                ("normalise", own.normalise == "measured"),
                ("whiten", own.whiten is not None),
                (
                    "augment",
                    any(isinstance(each, RandomCrop) and each.size is not None for each in own.augment),
                ),
            )
            if is_measured
        ),
        None,
    )
    if measured is not None:
        raise CannotPrepare(
            f"the recipe of `{graph.name}` prepares samples by `{measured}`, which only a run knows in full",
            "name the folder of the run in place of the spec",
        )
    settings = Data(train=own.data) if isinstance(own.data, str) else own.data
    scale = own.normalise if isinstance(own.normalise, Normalise) else None
    inputs = {}
    for each in graph.inputs:
        pad = own.pad if each in images(graph) else 0
        shape = tuple(size - 2 * pad * (at > 0) for at, size in enumerate(each.type.shape))
        is_normalised = each in normalised(graph)
        mean, std = (scale.mean, scale.std) if scale is not None and is_normalised else ((), ())
        conversion = Conversion(1.0, mean, std, pad, is_normalised and own.normalise == "sample")
        key = settings.inputs.get(each.name, each.name)
        if each.vocabulary is not None:
            inputs[each.name] = Fed(key, each.type.shape, symbols=_vocabulary(settings, base))
        else:
            columns = () if settings.table is None else settings.table.inputs or ()
            inputs[each.name] = Fed(key, shape, None, conversion, columns)
    return Preparation(inputs, _asked(graph, recipe, settings, next(iter(inputs.values())).symbols))


def _vocabulary(settings: Data, base: Path) -> tuple[str, ...]:
    if settings.text is None or settings.text.vocabulary is None:
        return ()
    try:
        return text.read_vocabulary(base / settings.text.vocabulary, settings.text)
    except DataError as error:
        raise CannotPrepare(str(error), error.help) from None


def _asked(graph: Graph, recipe: Recipe | None, settings: Data, symbols: tuple[str, ...]) -> dict[str, Asked]:
    """How the outputs are read by their losses; a network that its recipe does not fit is read by its meaning."""
    found = None if recipe is None else losses_of(graph, recipe, Problems())
    known = SETS.get(settings.train)
    names = (
        known.names if known is not None else settings.classes if isinstance(settings.classes, tuple) else ()
    )
    answers = {}
    for head in found or ():
        count = max(head.type.channels or 1, 2)
        own = symbols or names
        classes = Classes(count, own if len(own) == count else ()) if head.loss.targets == "classes" else None
        answers[head.output] = Asked(None, head.loss.reading(head.type.channels or 1), classes)
    return answers


__all__ = ["Predicted", "Predictor", "Unsupported", "heads", "prepared", "task"]
