"""The page of other libraries' words, from the tables that the diagnostics use."""

from __future__ import annotations

from collections.abc import Iterator

from netspec.ops.words import Lead, WordTable, ops, values

_SECTIONS: tuple[tuple[str, str, WordTable], ...] = (
    ("Layers", "As the op of an item, `- Conv2D: …`.", ops.WORDS),
    ("Activations", "As the `activation` of a layer.", values.ACTIVATIONS),
    ("Initialisers", "As `init` or `bias_init`.", values.INITIALIZERS),
    ("Paddings", "As `padding`.", values.PADDINGS),
)


def words_page(notice: str) -> Iterator[str]:
    """What netspec says about each word of another library."""
    yield "# Words of other libraries"
    yield notice
    yield (
        "A spec that uses a word of PyTorch, Keras, TensorFlow, Caffe, Darknet, ONNX, JAX or a paper is an error, never"
        " a guess; the diagnostic says what to write. This page lists what it says. Upper and lower case, underscores,"
        " hyphens, a module in front (`nn.`) and a `1d`, `2d` or `3d` at the end do not matter."
    )
    for title, where, table in _SECTIONS:
        yield f"## {title}"
        yield where
        yield "\n".join(_rows(table))


def _rows(table: WordTable) -> Iterator[str]:
    grouped: dict[str, list[str]] = {}
    for word, entry in table.items():
        lead = entry if isinstance(entry, Lead) else entry(None)
        grouped.setdefault(lead.help, []).append(word)
    yield "| word | what netspec says |"
    yield "| --- | --- |"
    for help_, words in grouped.items():
        yield f"| {', '.join(words)} | {help_.replace('|', chr(92) + '|')} |"
