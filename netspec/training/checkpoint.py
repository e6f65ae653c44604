"""Checkpoints: the whole state of a training in one file, with a checksum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from netspec import files

if TYPE_CHECKING:
    from netspec.backend import Array

_STATE, _TALLY = "state/", "tally/"


class Damaged(Exception):
    """A checkpoint cannot be read. `str()` says which file and why."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in a training: so many steps of an epoch (from 1) are done.

    `written` is the length of `metrics.jsonl` at that place, `seconds` the time that this epoch has taken.
    """

    epoch: int = 1
    step: int = 0
    written: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """A place, the state of the trainer there, and the tallies of the steps of its epoch."""

    place: Moment
    state: Mapping[str, Array]
    tallies: Mapping[str, Array]

    def as_bytes(self) -> bytes:
        """The content of a file."""
        import numpy as np
        from safetensors.numpy import save

        arrays = {f"{_STATE}{name}": array for name, array in self.state.items()}
        arrays |= {f"{_TALLY}{name}": array for name, array in self.tallies.items()}
        solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}  # 0 axes stay 0
        place = json.dumps(asdict(self.place))
        content: bytes = save(solid, {"place": place, "sha256": _checksum(solid, place)})
        return content

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """A checkpoint from its file.

        Raises:
            Damaged: the file is missing, or is not a whole checkpoint.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            content = files.read(path)
            size = int.from_bytes(content[:8], "little")
            told = json.loads(content[8 : 8 + size])["__metadata__"]
            arrays: dict[str, Array] = load(content)
            place = Moment(**json.loads(told["place"]))
        except OSError as error:
            raise Damaged(f"{files.shortened(path)} cannot be read: {files.reason(error)}") from None
        except (SafetensorError, ValueError, TypeError, KeyError, RecursionError):
            raise Damaged(f"{files.shortened(path)} is not a checkpoint") from None
        if _checksum(arrays, told["place"]) != told.get("sha256"):
            raise Damaged(f"{files.shortened(path)} is damaged: its checksum is another one")
        return cls(place, _below(arrays, _STATE), _below(arrays, _TALLY))


def _below(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _checksum(arrays: Mapping[str, Array], place: str) -> str:
    found = sha256(place.encode())
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes() if not array.flags.c_contiguous or not array.ndim else array.data)
    return found.hexdigest()
