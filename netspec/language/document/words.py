"""The names of the keys of a spec, an item and a block in other libraries."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.ops import OPS
from netspec.ops.words import absent, instead, lead, same, table

_IN_TRAIN = instead("write it in the recipe, `train: {…}`")

SPEC = table(
    (same("layers"), "network model architecture backbone modules nodes graph net sequential body structure"),
    (same("input"), "inputshape shape inshape inputsize imagesize inputdim data inputlayer"),
    (same("inputs"), "inputlayers inputshapes"),
    (same("params"), "parameters variables vars arguments args hyperparameters hparams config constants"),
    (same("name"), "title modelname id"),
    (same("netspec"), "version specversion formatversion"),
    (same("description"), "doc docs comment about summary desc notes"),
    (same("blocks"), "definitions functions templates macros components submodules modulesdefs"),
    (same("defaults"), "default"),
    (same("expect"), "assert asserts tests expected expectations checks"),
    (same("train"), "training recipe trainer fit solver"),
    (same("heads"), "head auxiliary aux branches"),
    (
        instead("write `heads` for further outputs, `expect: {output: […]}` for the shape of the output"),
        "output outputs outputshape",
    ),
    (
        _IN_TRAIN,
        "optimizer optimiser loss losses epochs batch batchsize lr learningrate metrics dataset seed momentum "
        "scheduler schedule",
    ),
    (instead("write `blocks: {include: FILE}`"), "include includes import imports"),
    (
        instead("remove it: a spec does not name a framework; use the option `--backend` of a command"),
        "framework backend device dtype",
    ),
)
"""Keys of a spec."""

BLOCK = table(
    (same("layers"), "body modules items steps nodes"),
    (same("params"), "parameters arguments args variables vars"),
    (same("inputs"), "input from in"),
    (same("description"), "doc docs comment about desc"),
    (same("outputs"), "output return returns yields gives"),
)
"""Keys of a block."""

HEAD = table(
    (same("layers"), "body modules items"),
    (same("from"), "input inputs bottom source"),
    (instead("remove it: the key of the head is its name"), "name"),
)
"""Keys of a head."""

INPUT = table(
    (same("shape"), "size dims dimensions"),
    (same("vocabulary"), "vocab vocabsize vocabularysize numembeddings inputdim"),
    (
        instead("remove it: an input with a `vocabulary` holds indices, every other input numbers"),
        "dtype type",
    ),
)
"""Keys of an input."""

ITEM = table(
    (same("from"), "inputs input bottom bottoms inboundnodes source inboundlayers takes parents"),
    (same("name"), "top id label title alias"),
    (same("repeat"), "times n count number repeats num repetitions loop"),
    (same("when"), "if condition cond onlyif"),
    (same("else"), "otherwise orelse"),
    (same("carry"), "carries recurrent feedback"),
    (same("share"), "shared sharewith tie tiedto reuse weightsfrom shareweights"),
    (instead("write `trainable: false` for `frozen: true`"), "frozen freeze requiresgrad"),
)
"""Keys beside an op."""

OP_KEYS = frozenset(["type", "classname", "op", "layer", "module", "kind", "layertype", "function"])
"""Keys whose value is the op in other libraries: `{type: conv, filters: 8}`."""


def op_as_key(word: str, fields: Sequence[str]) -> str:
    """Advice for an item whose op is the value of a key, with these keys beside it."""
    from netspec.ops.words.ops import WORDS

    found = lead(word, OPS, WORDS)
    op = found.ours if found is not None and found.ours is not None else word[:40]
    inside = ", ".join(f"{field[:40]}: …" for field in fields if field != "config")
    item = f"- {op}: {{{inside or '…'}}}" if fields else f"- {op}"
    return f"write `{item}`: the op is the key of an item, followed by its fields"


RECIPE_FILE = table(
    (same("spec"), "network model architecture net file path source from"),
    (same("set"), "params parameters args arguments with overrides hyperparameters"),
    (same("train"), "training recipe trainer fit solver"),
    (same("netspec"), "version specversion formatversion"),
    (same("description"), "doc docs comment about summary desc notes"),
    (
        _IN_TRAIN,
        "optimizer optimiser loss losses epochs batch batchsize lr learningrate metrics data dataset seed momentum "
        "scheduler schedule augment",
    ),
    (instead("remove it: the name is that of the spec"), "name title modelname id"),
    (instead("remove it: the spec says what it expects of itself"), "expect assert tests expected"),
)
"""Keys of a recipe file."""

NETWORK = table(
    (same("spec"), "path file model name source from"),
    (same("params"), "parameters args arguments with set"),
    (same("until"), "upto cut end stop last to"),
    (same("weights"), "pretrained checkpoint load statedict"),
    (instead("write `trainable: false` beside `network`"), "trainable frozen freeze"),
    (absent("way to remove only the first layers"), "after skip start"),
)
"""Keys of an embedded network."""
