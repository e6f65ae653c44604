"""Which settings of `data` each kind of reader obeys. Imports no NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from netspec.recipe.data import Data
from netspec.recipe.names import MADE, SETS, SONNETS

Kind = Literal["arrays", "pictures", "table", "text", "bits", "named", "named pictures"]

READS: Mapping[Kind, frozenset[str]] = {
    "arrays": frozenset({"layout", "inputs", "targets", "classes", "ignore", "shape"}),
    "pictures": frozenset({"inputs", "targets", "classes", "ignore", "size", "channels", "masks", "boxes"}),
    "table": frozenset({"inputs", "targets", "classes", "table"}),
    "text": frozenset({"inputs", "targets", "text"}),
    "bits": frozenset({"inputs", "targets", "bits"}),
    "named": frozenset({"inputs", "targets", "shape"}),
    "named pictures": frozenset({"inputs", "targets", "size"}),
}
"""The settings that each kind of reader obeys; another one is an error."""
WORDS: Mapping[Kind, str] = {"named": "a named set", "named pictures": "a named set"}
_ALWAYS = frozenset({"train", "validation", "test"})


def unread(data: Data, kind: Kind) -> Iterator[tuple[str, str]]:
    """The settings that this kind of reader would ignore, each with a word for what is read."""
    for name, field in type(data).model_fields.items():
        given = getattr(data, name) != field.get_default()
        if given and name not in _ALWAYS | READS[kind]:
            yield name, WORDS.get(kind, kind)


def kind_of(data: Data) -> Kind | None:
    """The kind of the reader, as far as it is known without the files."""
    if data.train in SETS:
        return "named pictures" if SETS[data.train].form == "masks" else "named"
    if data.train in MADE:
        return "text" if data.train == SONNETS else "bits"
    if data.table is not None:
        return "table"
    if data.text is not None:
        return "text"
    return "arrays" if data.train.endswith(".npz") else None
