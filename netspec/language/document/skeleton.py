"""The skeleton of a spec: its keys and the kinds of their values. It does not depend on the ops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import (
    Block,
    BlockOutput,
    Document,
    Head,
    InputDeclaration,
    SpecParameter,
)
from netspec.language.document.item import IDENTIFIER, PATH, Item, broken_item, is_path, read_items
from netspec.language.document.naming import check_name
from netspec.language.document.validation import Tables, meant, report
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value, plain
from netspec.model import Field, Invalid, Model
from netspec.ops.roles import FIRST
from netspec.ops.words import WordTable

VERSION = 1
PARAMETER_LIMIT = 1000


class Skeleton(Model):
    """The keys of a spec."""

    netspec: Literal[1] = Field(description="the version of the language")
    name: str = Field(description="the name of the network; it names the generated model")
    description: str = ""
    params: Any = Field(None, description="parameters with their values; `--set name=value` overrides")
    input: Any = Field(None, description="the shape of the input, channels first, without the batch axis")
    inputs: Any = Field(None, description="several inputs by name")
    defaults: Any = Field(None, description="defaults of fields, by op, for this file")
    blocks: Any = Field(None, description="reusable groups of layers with parameters")
    layers: Any = Field(description="the network, from top to bottom")
    heads: Any = Field(None, description="further outputs by name")
    expect: Any = Field(None, description="expectations that `netspec check` verifies")
    train: Any = Field(None, description="a training recipe")


class BlockSkeleton(Model):
    """The keys of a block."""

    description: str = ""
    params: Any = None
    inputs: Any = None
    outputs: Any = Field(None, description="its layers that callers can use by name; the first is its output")
    layers: Any


class HeadSkeleton(Model):
    """The keys of a head."""

    from_: Any = Field(None, alias="from")
    layers: Any


class InputSkeleton(Model):
    """The keys of an input that is not just a shape."""

    shape: Any
    vocabulary: Any = None


def read_document(value: Value, file: str, path: Path | None, problems: Problems) -> Document | None:
    """The document of a spec, or None if it is not a spec.

    Errors are reported, and the valid rest is returned, so that one run can report all errors.
    """
    entries = entries_of_file(value, problems)
    if entries is None:
        return None
    assert isinstance(value, Mapping)
    head = entries["netspec"].key_span
    check_keys(Skeleton, "a spec", entries, head, problems)
    document = Document(file, path, head)
    document.name = _name_of_spec(entries, problems)
    document.description = _text(entries, "description")
    document.params = _parameters(mapping_of(entries, "params", problems), problems)
    document.several = "inputs" in entries
    document.inputs = _inputs(entries, head, problems)
    document.nameless = not document.inputs
    _read_defaults(document, mapping_of(entries, "defaults", problems))
    before = len(problems)
    blocks = mapping_of(entries, "blocks", problems)
    document.incomplete = document.incomplete or len(problems) > before
    _read_blocks(document, blocks, problems)
    document.items = _items(entries, head, problems, "`layers`")
    document.heads = _heads(mapping_of(entries, "heads", problems), problems)
    document.expect = mapping_of(entries, "expect", problems)
    document.train = mapping_of(entries, "train", problems)
    return document


def read_blocks_file(value: Value, file: str, path: Path, problems: Problems) -> Document | None:
    """The document of a file of blocks, which has only the keys `netspec` and `blocks`."""
    entries = entries_of_file(value, problems)
    if entries is None:
        return None
    document = Document(file, path, value.span)
    for key in entries.keys() - {"netspec", "blocks", "defaults", "description"}:
        problems.error(
            codes.INCLUDE,
            f"a file of blocks has only `netspec` and `blocks`, but this one also has `{key}`",
            entries[key].key_span,
            help="move it to the spec that includes the file, or use the whole file with `network`",
        )
    if "blocks" not in entries:
        head = entries["netspec"].key_span
        problems.error(codes.MISSING, "a file of blocks needs `blocks`", head, help="add `blocks: …`")
        document.incomplete = True
    _read_defaults(document, mapping_of(entries, "defaults", problems))
    _read_blocks(document, mapping_of(entries, "blocks", problems), problems)
    return document


def is_blocks_file(value: Value) -> bool:
    """Whether a file with the key `netspec` has only blocks."""
    return isinstance(value, Mapping) and "blocks" in value.entries and "layers" not in value.entries


def is_recipe_file(value: Value) -> bool:
    """Whether a file with the key `netspec` trains a spec of another file."""
    if not isinstance(value, Mapping) or value.entries.keys() & {"layers", "blocks", "input", "inputs"}:
        return False
    return bool(value.entries.keys() & {"spec", "train"})


def entries_of_file(value: Value, problems: Problems) -> dict[str, Entry] | None:
    """The entries of a file that states its version of the language; None, with the reason reported, if it does not."""
    if not isinstance(value, Mapping):
        problems.error(
            codes.NOT_A_SPEC, "a spec must be a mapping", value.span, help="start it with `netspec: 1`"
        )
        return None
    version = value.entries.get("netspec")
    if version is None:
        span = Span(
            value.span.file, value.span.line, value.span.column, value.span.line, value.span.column + 1
        )
        problems.error(
            codes.NOT_A_SPEC,
            "the file does not state its version of the language",
            span,
            help="start it with `netspec: 1`",
        )
        return None
    if not isinstance(version.value, Scalar) or version.value.value is True or version.value.value != VERSION:
        problems.error(
            codes.NOT_A_SPEC,
            "this version of netspec supports only language version 1",
            version.value.span,
            help="write `netspec: 1`",
        )
        return None
    return value.entries


def words_of(model: type[Model]) -> WordTable:
    """Words of other libraries for the keys of a skeleton."""
    from netspec.language.document import words

    tables = {
        Skeleton: words.SPEC,
        BlockSkeleton: words.BLOCK,
        HeadSkeleton: words.HEAD,
        InputSkeleton: words.INPUT,
    }
    return tables[model]


def check_keys(
    model: type[Model],
    owner: str,
    entries: dict[str, Entry],
    span: Span,
    problems: Problems,
    words: Tables | None = None,
) -> None:
    """Check a mapping against a skeleton: unknown and missing keys, and plain words."""
    try:
        model.model_validate({key: _opaque(entry.value) for key, entry in entries.items()})
        return
    except Invalid:
        pass
    try:
        model.model_validate({key: plain(entry.value) for key, entry in entries.items()})
    except Invalid as error:
        values = {key: entry.value for key, entry in entries.items()}
        keys = {key: entry.key_span for key, entry in entries.items()}
        known = [info.alias or name for name, info in model.model_fields.items()]
        report(error.details, owner, known, values, keys, span, problems, words or partial(words_of, model))


def _items(entries: dict[str, Entry], span: Span, problems: Problems, where: str) -> tuple[Item, ...]:
    """The items under `layers`; one broken item if the key is missing, which is already reported."""
    layers = entries.get("layers")
    return (broken_item(span),) if layers is None else read_items(layers.value, problems, where)


def _opaque(value: Value) -> object:
    """A list or a mapping as it is: only a message needs what is in it."""
    return value.value if isinstance(value, Scalar) else value


def mapping_of(entries: dict[str, Entry], key: str, problems: Problems) -> Mapping | None:
    """The mapping under a key; None if there is none, which is reported if there is something else."""
    entry = entries.get(key)
    if entry is None or (isinstance(entry.value, Scalar) and entry.value.value is None):
        return None
    if isinstance(entry.value, Mapping):
        return entry.value
    problems.error(
        codes.WRONG_VALUE, f"`{key}` must be a mapping", entry.value.span, help=_as_mapping(key, entry.value)
    )
    return None


_EXAMPLES = {
    "params": "`params: {width: 64}`",
    "inputs": "`inputs: {image: [3, 224, 224]}`",
    "defaults": "`defaults: {conv: {padding: same}}`",
    "blocks": "`blocks: {unit: {layers: […]}}`",
    "heads": "`heads: {aux: {layers: […]}}`",
    "expect": "`expect: {output: [10]}`",
    "train": "`train: {epochs: 10}`",
    "set": "`set: {classes: 10}`",
}


def _as_mapping(key: str, value: Value) -> str:
    """Advice for a key whose value is not a mapping."""
    words = (
        [each.text for each in value.items if isinstance(each, Scalar)] if isinstance(value, Listing) else []
    )
    if key == "params" and words and all(IDENTIFIER.match(word) for word in words):
        return f"write `{{{', '.join(f'{word}: ' for word in words[:12])}}}`: each is a key, followed by its value"
    return f"write names as keys, without dashes: {_EXAMPLES.get(key, f'`{key}: {{…}}`')}"


def _text(entries: dict[str, Entry], key: str) -> str:
    entry = entries.get(key)
    value = entry.value if entry else None
    return value.value if isinstance(value, Scalar) and isinstance(value.value, str) else ""


def _name_of_spec(entries: dict[str, Entry], problems: Problems) -> str:
    name = _text(entries, "name")
    if not name:
        return "network"
    return name if check_name(name, entries["name"].value.span, problems) else "network"


def _parameters(mapping: Mapping | None, problems: Problems) -> tuple[SpecParameter, ...]:
    if mapping is None:
        return ()
    if len(mapping.entries) > PARAMETER_LIMIT:
        problems.error(
            codes.WRONG_VALUE,
            f"there are {len(mapping.entries):,} parameters; the limit is {PARAMETER_LIMIT:,}",
            mapping.span,
            help="put values that belong together into a list",
        )
        return ()
    parameters = []
    for name, entry in mapping.entries.items():
        check_name(name, entry.key_span, problems)
        empty = isinstance(entry.value, Scalar) and entry.value.value is None
        parameters.append(SpecParameter(name, None if empty else entry.value, entry.key_span))
    return tuple(parameters)


def _inputs(entries: dict[str, Entry], head: Span, problems: Problems) -> tuple[InputDeclaration, ...]:
    single, several = entries.get("input"), entries.get("inputs")
    if single and several:
        problems.error(
            codes.ITEM, "both `input` and `inputs` are given", several.key_span, help="keep one of them"
        )
        return ()
    if several:
        mapping = mapping_of(entries, "inputs", problems)
        declared = []
        for name, entry in mapping.entries.items() if mapping else ():
            check_name(name, entry.key_span, problems)
            declared.append(_input(name, entry.value, entry.key_span, problems))
        if not declared and not isinstance(several.value, Listing):
            problems.error(
                codes.MISSING,
                "`inputs` names no input",
                several.key_span,
                help="write `inputs: {image: [3, 8, 8]}`",
            )
        return tuple(declared)
    if single:
        return (_input("input", single.value, single.key_span, problems),)
    # A misspelt key is reported as an unknown key.
    unknown = [key for key in entries if key not in Skeleton.model_fields]
    if not meant(unknown, Skeleton.model_fields, partial(words_of, Skeleton)) & {"input", "inputs"}:
        problems.error(
            codes.MISSING, "a spec needs `input`", head, help="add `input: [3, 224, 224]`, or `inputs: {…}`"
        )
    return ()


def _input(name: str, value: Value, span: Span, problems: Problems) -> InputDeclaration:
    if not isinstance(value, Mapping):
        return InputDeclaration(name, value, None, value.span, span)
    check_keys(InputSkeleton, f"the input `{name}`", value.entries, span, problems)
    shape, vocabulary = value.entries.get("shape"), value.entries.get("vocabulary")
    if shape is None:
        return InputDeclaration(name, None, None, span, span)
    words = vocabulary.value if vocabulary else None
    return InputDeclaration(name, shape.value, words, shape.value.span, span)


def _read_defaults(document: Document, mapping: Mapping | None) -> None:
    for keyword, entry in mapping.entries.items() if mapping else ():
        document.default_spans[keyword] = entry.key_span
        if isinstance(entry.value, Mapping):
            document.defaults[keyword] = entry.value


def _read_blocks(document: Document, mapping: Mapping | None, problems: Problems) -> None:
    for name, entry in mapping.entries.items() if mapping else ():
        if name == "include":
            before = len(problems)
            document.includes = tuple(_paths(entry.value, problems))
            document.incomplete = document.incomplete or len(problems) > before
        else:
            check_name(name, entry.key_span, problems)
            document.blocks[name] = _block(document, name, entry, problems)


def _paths(value: Value, problems: Problems) -> Iterable[Scalar]:
    for each in value.items if isinstance(value, Listing) else (value,):
        if isinstance(each, Scalar) and isinstance(each.value, str):
            yield each
        else:
            problems.error(
                codes.WRONG_VALUE,
                "`include` takes a path, or a list of paths",
                each.span,
                help="write `include: parts/blocks.yaml`",
            )


def _block(document: Document, name: str, entry: Entry, problems: Problems) -> Block:
    """The block with this name; a malformed one is broken, so that its calls are not reported again."""
    if not isinstance(entry.value, Mapping):
        problems.error(
            codes.WRONG_VALUE,
            f"the block `{name}` must be a mapping",
            entry.value.span,
            help=f"write `{name}: {{layers: […]}}`",
        )
        return Block(name, None, (), (broken_item(entry.key_span),), entry.key_span, document)
    entries = entry.value.entries
    check_keys(BlockSkeleton, f"the block `{name}`", entries, entry.key_span, problems)
    before = len(problems)
    params = _parameters(mapping_of(entries, "params", problems), problems)
    outputs = tuple(_block_outputs(entries.get("outputs"), name, problems))
    sound = len(problems) == before
    words = list(_words(entries.get("inputs"), problems))
    inputs, spans = tuple(name for name, _ in words), tuple(span for _, span in words)
    items = _items(entries, entry.key_span, problems, f"`layers` of the block `{name}`")
    return Block(name, params if sound else None, inputs, items, entry.key_span, document, spans, outputs)


def _block_outputs(entry: Entry | None, block: str, problems: Problems) -> Iterator[BlockOutput]:
    """The declared outputs of a block; a wrong one is reported and left out."""
    if entry is None:
        return
    given = entry.value.items if isinstance(entry.value, Listing) else (entry.value,)
    if not given:
        problems.error(
            codes.BLOCK_OUTPUT,
            f"`outputs` of the block `{block}` is empty",
            entry.value.span,
            help="name its outputs, or remove the key: the output is then that of the last item",
        )
    seen: dict[str, str] = {}
    for each in given:
        path = each.value if isinstance(each, Scalar) else None
        name = path.rpartition(".")[2] if isinstance(path, str) else ""
        if not isinstance(each, Scalar) or not isinstance(path, str) or not PATH.match(path) or "*" in path:
            problems.error(
                codes.BLOCK_OUTPUT,
                f"an output of the block `{block}` must be the name of a layer in it",
                each.span,
                help=_as_paths(each)
                or "write a name, or names joined by dots, such as `outputs: [y, pool.indices]`",
            )
        elif not IDENTIFIER.match(name) or name == FIRST:
            problems.error(
                codes.BLOCK_OUTPUT,
                f"an output cannot be called `{name}`, the last part of `{path}`",
                each.span,
                help=f"write `{path.rpartition('.')[0]}`: its own name stands for its first output"
                if name == FIRST and "." in path
                else "give that layer a name in the block, for example with `identity`",
            )
        elif name in seen:
            problems.error(
                codes.NAME_TWICE,
                f"the output `{name}` appears twice"
                + (f": it is the last part of `{seen[name]}` and of `{path}`" if seen[name] != path else ""),
                each.span,
                help="remove one of the two"
                if seen[name] == path
                else "give one of the two another name in the block, for example with `identity`",
            )
        else:
            yield BlockOutput(name, each)
        seen.setdefault(name, str(path))


def _as_paths(value: Value) -> str | None:
    """Advice for outputs with a name each, where that is the last part of their paths."""
    entries = value.entries if isinstance(value, Mapping) else {}
    paths = [entry.value for entry in entries.values()]
    words = [path.text for path in paths if is_path(path) and isinstance(path, Scalar)]
    if not words or [word.rpartition(".")[2] for word in words] != list(entries):
        return None
    return f"write `[{', '.join(words)}]`: the last part of a path is the name of the output"


def _words(entry: Entry | None, problems: Problems) -> Iterator[tuple[str, Span]]:
    """The names of a block's inputs, and their places."""
    if entry is None:
        return
    if isinstance(entry.value, Mapping) and entry.value.entries:
        names = list(entry.value.entries)
        problems.error(
            codes.WRONG_VALUE,
            "the inputs of a block are names; the tensors of a call have their own sizes",
            entry.value.span,
            help=f"write `[{', '.join(names)}]`",
        )
        yield from ((name, entry.value.entries[name].key_span) for name in names)
        return
    seen: set[str] = set()
    for each in entry.value.items if isinstance(entry.value, Listing) else (entry.value,):
        word = each.value if isinstance(each, Scalar) else "[…]" if isinstance(each, Listing) else "{…}"
        if check_name(word, each.span, problems) and word in seen:
            problems.error(
                codes.NAME_TWICE, f"the input `{word}` appears twice", each.span, help="choose another name"
            )
        seen.add(str(word))
        yield str(word), each.span


def _heads(mapping: Mapping | None, problems: Problems) -> tuple[Head, ...]:
    heads = []
    for name, entry in mapping.entries.items() if mapping else ():
        if not check_name(name, entry.key_span, problems):
            continue
        if isinstance(entry.value, Scalar) and is_path(entry.value):
            heads.append(Head(name, entry.value, (), entry.key_span))
            continue
        if not isinstance(entry.value, Mapping):
            problems.error(
                codes.WRONG_VALUE,
                f"the head `{name}` must be a mapping, or the name of a layer",
                entry.value.span,
                help=f"write `{name}: {{layers: […]}}`, and `from: …` in it where it starts from a name",
            )
            continue
        entries = entry.value.entries
        written = entries["from"].value if entries.keys() == {"from"} else None
        if isinstance(written, Scalar) and is_path(written):
            problems.error(
                codes.MISSING,
                f"the head `{name}` needs `layers`",
                entry.value.span,
                help=f"write `{written.text}` for that layer itself, or add `layers: …`",
            )
            heads.append(Head(name, written, (), entry.key_span))
            continue
        check_keys(HeadSkeleton, f"the head `{name}`", entries, entry.key_span, problems)
        source = entries.get("from")
        items = _items(entries, entry.key_span, problems, f"`layers` of the head `{name}`")
        heads.append(Head(name, source.value if source else None, items, entry.key_span))
    return tuple(heads)
