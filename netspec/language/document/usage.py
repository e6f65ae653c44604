"""Checks one item: a group, a call of a block, an embedded network, or an op with its fields."""

from __future__ import annotations

import re
from collections.abc import Collection

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Block, Document
from netspec.language.document.fields import (
    fields_of,
    given_fields,
    has_expression,
    plainly,
    validated,
    words_of,
)
from netspec.language.document.item import Item, can_name
from netspec.language.document.validation import Tables, meant, no_words, unknown_key
from netspec.language.reading.values import Listing, Mapping, Scalar, Value
from netspec.ops.base import Op
from netspec.ops.words import WordTable

NETWORK_KEYS = ("spec", "params", "until", "weights")


def check_group(item: Item, problems: Problems) -> None:
    """Check the keys of a group."""
    if item.share is not None:
        problems.error(
            codes.UNKNOWN_KEY,
            "a group cannot `share`",
            item.share.span,
            help="make a block of it, and call it twice",
        )


def check_network(item: Item, problems: Problems) -> None:
    """Check the settings of an embedded network."""
    if isinstance(item.argument, Mapping):
        check_keys("`network`", NETWORK_KEYS, item.argument, problems, _network_words)
        named = _misspelt(item.argument, NETWORK_KEYS, _network_words)
        if "spec" not in item.argument.entries and "spec" not in named:
            problems.error(
                codes.MISSING, "`network` needs `spec`", item.span, help="add `spec: zoo:…`, or a path"
            )
    elif not isinstance(item.argument, Scalar):
        problems.error(
            codes.MISSING, "`network` needs `spec`", item.place, help="write `network: {spec: zoo:…}`"
        )


def check_call(item: Item, block: Block, document: Document, problems: Problems) -> None:
    """Check the arguments of a call of a block."""
    if block.params is None or block.name in document.clashing:
        document.wrong.add(item)
        return
    owner = f"the block `{block.name}`"
    names = [parameter.name for parameter in block.params]
    required = [parameter.name for parameter in block.params if parameter.default is None]
    given: Collection[str] = ()
    if isinstance(item.argument, Mapping):
        check_keys(owner, names, item.argument, problems)
        given = item.argument.entries.keys() | _misspelt(item.argument, names)
        for name, entry in item.argument.entries.items():
            if name in names and isinstance(entry.value, Scalar) and entry.value.value is None:
                problems.error(
                    codes.MISSING, f"{owner}: `{name}` has no value", entry.key_span,
                    help=f"write `{name}: …`" if name in required else f"write `{name}: …`, or leave it out",
                )  # fmt: skip
    elif item.argument is not None and block.main is None:
        many = f"{len(required)} required parameters" if required else f"{len(names)} parameters"
        has = f"{many}, which must be named" if names else "no parameters"
        problems.error(
            codes.NO_PLAIN_VALUE,
            f"{owner} has {has}",
            item.argument.span,
            help=f"write `{block.name}: {{{', '.join(f'{name}: …' for name in required or names)}}}`"
            if names
            else f"remove it: `{block.name}` has no parameters",
        )
        return
    elif item.argument is not None:
        given = [block.main] if block.main is not None else []
    for name in required:
        if name not in given:
            problems.error(codes.MISSING, f"{owner} needs `{name}`", item.span, help=f"give `{name}: …`")


def check_op(
    item: Item, op: type[Op], document: Document, names: Collection[str], problems: Problems
) -> None:
    """Check the fields of an op and its branches; an op without expressions is then complete."""
    before = len(problems)
    known = ["branches", *fields_of(op)] if op.merges else fields_of(op)
    if isinstance(item.argument, Mapping) and not op.whole:
        check_keys(f"`{op.keyword}`", known, item.argument, problems, words_of(op))
    elif item.argument is not None and op.main is None and not op.merges:
        _report_plain(item.argument, op, problems)
        return
    if op.merges:
        _check_branches(item, op, document, problems)
    if isinstance(item.argument, Mapping):
        _check_likes(item.argument, op, problems)
        _check_reads(item.argument, op, problems)
    given = given_fields(op, item, document)
    plain = {key: plainly(value) for key, value in given.values.items() if not has_expression(value)}
    skip = given.values.keys() - plain.keys()
    if not op.whole:  # the keys of the others are not those of fields
        skip |= _misspelt(item.argument, known, words_of(op))
    if op.keyword in document.wrong_defaults:
        document.wrong.add(item)
        skip |= op.model_fields.keys() - given.own
    # As text, because 1 and 1.0 are equal.
    values = (op, repr(plain))
    ready = None if skip else document.ops.get(values)
    if ready is None:
        ready = validated(op, plain, given, item.span, problems, skip, names)
    if ready is not None and not skip:
        document.ops[values] = ready
    elsewhere = given.likes or given.values.keys() & op.reads.keys()
    if ready is not None and not elsewhere and len(plain) == len(given.values) and len(problems) == before:
        document.ready[item] = ready


def _check_likes(argument: Mapping, op: type[Op], problems: Problems) -> None:
    """Report a field that is given and also takes the sizes of a layer."""
    for like, field in op.likes.items():
        if like in argument.entries and field in argument.entries:
            problems.error(
                codes.WRONG_VALUE,
                f"`{op.keyword}` has `{field}` and `{like}`, which both state its `{field}`",
                argument.entries[like].key_span,
                help="keep one of the two",
            )


def _check_reads(argument: Mapping, op: type[Op], problems: Problems) -> None:
    """Report a field that is given and also taken from a file."""
    for file, (_, field) in op.reads.items():
        if file in argument.entries and field in argument.entries:
            problems.error(
                codes.WRONG_VALUE,
                f"`{op.keyword}` has `{field}` and `{file}`, which both state its numbers",
                argument.entries[file].key_span,
                help="keep one of the two",
            )


def _report_plain(value: Value, op: type[Op], problems: Problems) -> None:
    names = [name for name in fields_of(op) if op.model_fields[name].is_required()]
    wanted = ", ".join(f"{name}: …" for name in names)
    others = ", ".join(f"`{name}`" for name in fields_of(op))
    problems.error(
        codes.NO_PLAIN_VALUE,
        f"`{op.keyword}` takes no plain value",
        value.span,
        help=_as_bounds(value, op)
        or (
            f"write `{op.keyword}: {{{wanted}}}`"
            if wanted
            else f"remove it, or name the field that it is for: {others}"
            if others
            else f"remove it: `{op.keyword}` has no fields"
        ),
    )


def _as_bounds(value: Value, op: type[Op]) -> str | None:
    """Advice for the bounds of a part in the form of Python (`2:5`), or as a list."""
    bounds = ("start", "stop", "step")
    if not set(bounds) <= op.model_fields.keys():
        return None
    given = plainly(value)
    if isinstance(given, list) and 2 <= len(given) <= 3 and all(type(each) is int for each in given):
        texts = [str(each) for each in given]
    elif isinstance(given, str) and re.fullmatch(r"-?[0-9]*:-?[0-9]*(:[0-9]*)?", given):
        texts = given.split(":")
    else:
        return None
    fields = ", ".join(f"{name}: {text}" for name, text in zip(bounds, texts, strict=False) if text)
    return f"write `{op.keyword}: {{{fields}}}`, and `axis` unless the channels are meant" if fields else None


def _check_branches(item: Item, op: type[Op], document: Document, problems: Problems) -> None:
    value = item.argument
    if isinstance(value, Mapping):
        value = value.entries["branches"].value if "branches" in value.entries else None
    elif op.main is not None and isinstance(value, Scalar):
        value = None  # it is that of the main field
    how = f"put a list of branches below `{op.keyword}:`, each a list of items"
    wrong = _no_branches(value, document) if isinstance(value, Listing) else []
    for each in wrong:
        problems.error(
            codes.BRANCHES_FORM,
            "a branch is a list of items, or the name of a layer",
            each.span,
            help=_bracketed(each, value),
        )
    if wrong:
        named = [branch[0] for branch in item.branches or () if len(branch) == 1 and branch[0].is_name]
        document.wrong.update(each for each in named if each.source in wrong)
        return
    if value is not None and not isinstance(value, Listing):
        what = "`branches` is a list of branches" if value is not item.argument else "takes no plain value"
        subject = "" if value is not item.argument else f"`{op.keyword}` "
        number = value.value if isinstance(value, Scalar) else None
        factor = op.by_number is not None and op.by_number.startswith("scale_by")
        if op.by_number is not None and type(number) in (int, float) and (number or not factor):
            how = f"for a number, use `{op.by_number.format(number)}`"
        problems.error(codes.BRANCHES_FORM, subject + what, value.span, help=how)
    elif value is not None and item.source is not None:
        problems.error(
            codes.BRANCHES_FORM,
            f"`{op.keyword}` has branches and `from`",
            item.source.span,
            help="keep one of the two; a branch can itself start with `from`",
        )
    elif (
        value is None
        and item.source is None
        and not (isinstance(item.argument, Mapping) and "from" in item.argument.entries)
        and "branches" not in (_misspelt(item.argument, ["branches", *fields_of(op)], words_of(op)))
    ):
        problems.error(
            codes.BRANCHES_FORM,
            f"`{op.keyword}` has no branches",
            item.span,
            help=f"{how}, or add `from: [a, b]`",
        )


def _no_branches(value: Listing, document: Document) -> list[Value]:
    """The values in a list of branches that are neither lists nor names of layers."""
    return [
        each
        for each in value.items
        if not isinstance(each, Listing)
        and (not can_name(each) or (isinstance(each, Scalar) and each.text in document.blocks))
    ]


def _bracketed(value: Value, around: Value | None) -> str:
    """Advice to write a single item as a branch."""
    assert isinstance(around, Listing)
    source = value.entries.get("from") if isinstance(value, Mapping) and len(value.entries) == 1 else None
    if source is not None and isinstance(source.value, Scalar) and source.value.text:
        return f"write `{source.value.text[:40]}`: the name of a layer is a branch by itself"
    if isinstance(value, Scalar) and value.value in (None, "-"):
        return "write `[]` for the identity: an empty branch"
    last = around.items[-1].span
    if (around.span.end_line, around.span.end_column) != (last.end_line, last.end_column):
        # The list is in brackets, where dashes are not possible.
        shown = value.text[:40] if isinstance(value, Scalar) and value.text else "…"
        return f"write `[{shown}]`: a branch is a list of items, also of one"
    if isinstance(value, Scalar) and isinstance(value.value, str) and value.text:
        return f"write `- - {value.text[:40]}`, with a dash for the branch and one for the item"
    return "start each item of a branch with its own dash: `- - conv: …`"


def check_keys(
    owner: str, known: Collection[str], given: Mapping, problems: Problems, words: Tables = no_words
) -> None:
    """Report each unknown key of a mapping."""
    for key, entry in given.entries.items():
        if key not in known:
            unknown_key(key, owner, known, entry.key_span, problems, words, plainly(entry.value))


def _misspelt(value: Value | None, known: Collection[str], words: Tables = no_words) -> set[str]:
    """The known keys that unknown ones probably stand for; they are not reported as missing."""
    if not isinstance(value, Mapping):
        return set()
    unknown = [key for key in value.entries if key not in known]
    return meant(unknown, known, words) if unknown else set()


def _network_words() -> WordTable:
    from netspec.language.document.words import NETWORK

    return NETWORK
