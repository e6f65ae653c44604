"""Where other libraries' words lead: PyTorch, Keras and TensorFlow, Caffe, Darknet, ONNX, JAX and Flax, papers.

A table is a dict from a folded word (`fold`: no case, no separators) to a `Lead`, or to a function that makes one
from the value that stands with the word. There is one table for each kind of word, in a module of its own, that is
imported only when a word is unknown: `ops`, `fields`, `values` here; `netspec.language.document.words` for the keys of
a spec and of an item. A recipe's words can have a table of the same form beside the recipe.

A `Lead` is one of three:

* `same("dense")`: the word means exactly what `dense` means here. A test follows each of these. The word may also be
  ours in another spelling (`LeakyReLU`), with a note on what differs elsewhere.
* `instead("write …")`: what to write to get the same function, or why the word is not needed.
* `absent("attention")`: this version of netspec has nothing that gives the same function.

`lead(word, known, table)` looks the word up, then among the known names by distance (`netspec.ops.nearest`). A
word that is in a table is never matched by distance: `adamw` is no misspelt `adam`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from netspec.dataclass import dataclass
from netspec.ops.nearest import MOST, fold, nearest, singular


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a word leads. `ours` is our word, where one word can take its place."""

    help: str
    """The help of a diagnostic: a whole clause that starts with a small letter."""
    ours: str | None = None
    exact: bool = False
    """Whether `ours` means the same; otherwise it is only the nearest in spelling."""


Entry = Lead | Callable[[object], Lead]
Table = Mapping[str, Entry]


def same(ours: str, note: str = "") -> Lead:
    """A word that means exactly what `ours` means."""
    return Lead(f"write `{ours}`: that is netspec's name for it{f'; {note}' if note else ''}", ours, True)


def instead(help: str) -> Lead:
    """A word for which something else is written, or nothing at all."""
    return Lead(help)


def absent(what: str, note: str = "") -> Lead:
    """A word for something that this version does not have."""
    return Lead(f"this version of netspec has no {what}{f'; {note}' if note else ''}")


def table(*rows: tuple[Entry, str]) -> dict[str, Entry]:
    """A table from rows of an entry and the words, separated by blanks, that lead to it.

    Raises:
        ValueError: a word stands twice, or is not folded.
    """
    found: dict[str, Entry] = {}
    for entry, words in rows:
        for word in words.split():
            if word in found or word != fold(word):
                raise ValueError(f"`{word}` stands twice or is not folded")
            found[word] = entry
    return found


def lead(word: str, known: Iterable[str], words: Table, given: object = None) -> Lead | None:
    """Where an unknown word leads, or None.

    Args:
        word: the unknown word.
        known: our names of the same kind.
        words: other libraries' words of the same kind.
        given: the plain value that stands with the word, if there is one.
    """
    known = list(islice(known, MOST))
    plain = _unqualified(word)
    folded = fold(plain)
    own = {singular(fold(each)): each for each in reversed(known)}
    for each in dict.fromkeys((folded, re.sub(r"[123]d\Z", "", folded))):
        ours, entry = own.get(singular(each)), words.get(each)
        found = entry(given) if callable(entry) else entry
        # A name of the author's own may be another library's word: then it is the author's that is meant.
        if found is not None and ours in (None, found.ours):
            return found
        if ours is not None:
            return Lead(f"write `{ours}`", ours, True)
    match = nearest(plain, known)
    return None if match is None else Lead(f"did you mean `{match}`?", match)


_MODULES = frozenset(
    [
        "torch",
        "nn",
        "functional",
        "f",
        "keras",
        "layers",
        "tf",
        "tensorflow",
        "contrib",
        "slim",
        "activations",
        "initializers",
        "init",
        "jax",
        "lax",
        "flax",
        "linen",
        "nnx",
        "haiku",
        "hk",
        "onnx",
        "ops",
        "caffe",
        "compat",
        "v1",
        "v2",
        "modules",
    ]
)


def _unqualified(word: str) -> str:
    """The last part of a name that starts with a library's module: `nn.Linear` is `Linear`."""
    *modules, last = word.split(".")
    return last if modules and all(each.lower() in _MODULES for each in modules) else word
