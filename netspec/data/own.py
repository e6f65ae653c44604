"""Own samples from Python: a sequence of mappings, `[{"images": …, "labels": …}, …]`, indexed when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from netspec.data.arrays import INPUTS, TARGETS, agreed, role_of, with_classes
from netspec.data.bounds import DataError
from netspec.data.parts import PARTS, Parts
from netspec.data.source import Decoded, Field, Purpose, SampleSource, numbered
from netspec.recipe.data import Data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Samples(Protocol):
    """What can be asked for its length and for a sample by index: a list, or anything that makes its samples."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Mapping[str, Any]: ...


def of_samples(
    samples: Samples | Mapping[str, Samples], data: Data, name: str = "own", workers: int = 1
) -> Parts:
    """The parts of a sequence, or of sequences by part (`train`, `validation`, `test`).

    A sample is indexed when it is needed, by `workers` threads. Every sample has the keys, shapes and types of the
    first one.

    Raises:
        DataError: there is no sample, or the first is not a mapping of arrays of numbers.
    """
    by_part = samples if isinstance(samples, Mapping) else {"train": samples}
    if unknown := [part for part in by_part if part not in PARTS]:
        raise DataError(f"{name}: there is no part {unknown[0]!r}", f"the parts are {', '.join(PARTS)}")
    if "train" not in by_part:
        raise DataError(f"{name}: has no training part", 'give {"train": samples, ...}')
    sources = {part: _source(each, part, data, name, workers) for part, each in by_part.items()}
    parts = Parts(name, name, sources["train"]).having(sources)
    if not parts.inputs:
        raise DataError(
            f"{name}: has no array of samples: its keys are {', '.join(parts.train.fields)}",
            f"call it one of {', '.join(INPUTS)}, or name it with `inputs`; targets are {', '.join(TARGETS)}",
        )
    return with_classes(agreed(parts), data)


def _source(samples: Samples, part: str, data: Data, name: str, workers: int) -> SampleSource:
    import numpy as np

    where = f"{name}, {part}"
    if not len(samples):
        raise DataError(f"{where}: holds no sample")
    fields = {
        key: Field(tuple(array.shape), str(array.dtype), role_of(key, data))
        for key, array in _arrays(samples, 0, where).items()
    }
    for key, field in fields.items():
        # The lengths of sequences are one number per sample; such an input is named.
        if field.role is Purpose.input and not field.shape and key not in data.inputs.values():
            raise DataError(
                f"{where}: {key} is a single number", "samples have channels, and up to three spatial axes"
            )

    def decode(index: int) -> Mapping[str, Array]:
        found = _arrays(samples, index, where)
        if found.keys() != fields.keys():
            raise DataError(
                f"{where}: sample {index} has the keys {', '.join(found)}, and sample 0 {', '.join(fields)}"
            )
        for key, array in found.items():
            if array.shape != fields[key].shape:
                raise DataError(
                    f"{where}: {key} of sample {index} has the shape {array.shape}, and that of sample 0 "
                    f"{fields[key].shape}"
                )
            if not np.can_cast(array.dtype, fields[key].dtype, "same_kind"):
                raise DataError(
                    f"{where}: {key} of sample {index} is {array.dtype}, and that of sample 0 {fields[key].dtype}"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise DataError(f"{where}: {key} of sample {index} holds numbers that are not finite")
        return found

    return Decoded(fields, {}, decode, len(samples), numbered(where), workers)


def _arrays(samples: Samples, index: int, where: str) -> dict[str, Array]:
    import numpy as np

    sample = samples[index]
    if not isinstance(sample, Mapping):
        raise DataError(
            f"{where}: sample {index} is a {type(sample).__name__}, not a mapping of arrays",
            'give mappings such as {"images": image, "labels": 3}',
        )
    arrays = {key: np.asarray(value) for key, value in sample.items()}
    for key, array in arrays.items():
        if array.dtype.kind not in "uifb":
            raise DataError(f"{where}: {key} of sample {index} holds {array.dtype}, not numbers")
    return arrays
