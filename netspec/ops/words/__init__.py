"""Words of other libraries (PyTorch, Keras, TensorFlow, Caffe, Darknet, ONNX, JAX, Flax) and papers, with advice.

A table is a dict from a folded word (`fold`: without case and separators) to a `Lead`, or to a function that makes a
lead from the value of the word. Each kind of word has a table in its own module, which is imported only for an
unknown word: `ops`, `fields`, `values` here; `netspec.language.document.words` for the keys of a spec and of an
item; `netspec.training.words` for recipes.

There are three kinds of `Lead`:

* `same("dense")`: the word means exactly what `dense` means here. A test follows each of these. The word can also be
  ours in another spelling (`LeakyReLU`), with a note on differences to other libraries.
* `instead("write …")`: what to write for the same function, or why the word is not needed.
* `absent("attention")`: this version of netspec has nothing with the same function.

`lead(word, known, table)` looks up the word in the table, then searches the known names by distance
(`netspec.ops.nearest`). A word that is in a table is never matched by distance: `adamw` is not a misspelt `adam`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from netspec.dataclass import dataclass
from netspec.ops.nearest import MOST, fold, nearest, singular


@dataclass(frozen=True, slots=True)
class Lead:
    """The advice for a word. `ours` is our word, if one word can replace it."""

    help: str
    """The help of a diagnostic: a clause that starts with a lower-case letter."""
    ours: str | None = None
    exact: bool = False
    """Whether `ours` means the same; otherwise it only has the most similar spelling."""


WordEntry = Lead | Callable[[object], Lead]
WordTable = Mapping[str, WordEntry]
Rows = tuple[tuple[WordEntry, str], ...]
"""Rows of a table: an entry, and its words, which are separated by spaces."""

OTHER = "*"
"""The word of a table for every word that neither the table nor our names have."""


def same(ours: str, note: str = "") -> Lead:
    """A word that means exactly what `ours` means."""
    return Lead(f"write `{ours}`: this is the name in netspec{f'; {note}' if note else ''}", ours, True)


def instead(help: str) -> Lead:
    """A word that is replaced by something else, or not needed."""
    return Lead(help)


def absent(what: str, note: str = "") -> Lead:
    """A word for something that this version does not have."""
    return Lead(f"this version of netspec has no {what}{f'; {note}' if note else ''}")


def written(given: object, default: str = "…") -> str:
    """The plain number or list of an item, as written."""
    plain = isinstance(given, int | float | list) and not isinstance(given, bool)
    return str(given) if plain else default


def table(*rows: tuple[WordEntry, str]) -> dict[str, WordEntry]:
    """A table from `Rows`.

    Raises:
        ValueError: a word is a duplicate, or is not folded.
    """
    found: dict[str, WordEntry] = {}
    for entry, words in rows:
        for word in words.split():
            if word in found or word != fold(word):
                raise ValueError(f"`{word}` is a duplicate or is not folded")
            found[word] = entry
    return found


def lead(word: str, known: Iterable[str], words: WordTable, given: object = None) -> Lead | None:
    """The advice for an unknown word, or None.

    Args:
        word: the unknown word.
        known: our names of the same kind.
        words: words of other libraries of the same kind.
        given: the plain value of the word, if it has one.
    """
    known = list(islice(known, MOST))
    plain = _unqualified(word)
    folded = fold(plain)
    own = {singular(fold(each)): each for each in reversed(known)}
    for each in dict.fromkeys((folded, re.sub(r"[123]d\Z", "", folded))):
        ours, entry = own.get(singular(each)), words.get(each)
        found = entry(given) if callable(entry) else entry
        # A name that the author defined can also be a word of another library: then the author's name is meant.
        if found is not None and ours in (None, found.ours):
            return found
        if ours is not None:
            return Lead(f"write `{ours}`", ours, True)
    match = nearest(plain, known)
    if match is not None:
        return Lead(f"did you mean `{match}`?", match)
    other = words.get(OTHER)
    return other(given) if callable(other) else other


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
    """The last part of a name that starts with a module of a library: `nn.Linear` is `Linear`."""
    *modules, last = word.split(".")
    return last if modules and all(each.lower() in _MODULES for each in modules) else word
