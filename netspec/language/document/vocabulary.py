"""Checks the words of a document before expressions are evaluated: ops, blocks, fields, parameters, names.

It checks every item once, including items that no call or `when` reaches, and records the wrong ones, so that the walk
does not report them again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.carry import check_carry
from netspec.language.document.declarations import Block, Document, SpecParameter
from netspec.language.document.fields import (
    fields_of,
    given_fields,
    has_expression,
    plainly,
    validated,
    words_of,
)
from netspec.language.document.item import GROUP, RESERVED, Item
from netspec.language.document.naming import NETWORK, TAKEN, check_own_name
from netspec.language.document.recursion import all_items, check_recursion
from netspec.language.document.usage import check_call, check_group, check_keys, check_network, check_op
from netspec.language.expressions.expression import hold_names, is_expression
from netspec.language.reading.values import Listing, Mapping, Scalar, Value
from netspec.ops import OPS
from netspec.ops.base import Op
from netspec.ops.nearest import fold
from netspec.ops.words import Lead, lead


def check_vocabulary(document: Document, problems: Problems) -> None:
    """Report every unknown op, block, field, parameter and name of a document, and every refused value."""
    names = {parameter.name: None for parameter in document.params}
    for parameter in document.params:
        _check_parameter(parameter, problems)
    _check_defaults(document, names, problems)
    for declared in document.inputs:
        if declared.name != "input":
            check_own_name(declared.name, declared.name_span, problems)
    for block in document.blocks.values():
        if block.document is document:
            _check_block(block, document, names, problems)
    check_recursion(document, problems)
    _check_items(document.items, document, names, problems)
    for head in document.heads:
        check_own_name(head.name, head.span, problems)
        _check_items(head.items, document, names, problems)


def _check_defaults(document: Document, names: dict[str, None], problems: Problems) -> None:
    for keyword, span in document.default_spans.items():
        before = len(problems)
        op, given = OPS.get(keyword), document.defaults.get(keyword)
        if op is None and problems.full:
            problems.skip(span)
        elif op is None:
            meaning = _lead(keyword, OPS, None)
            advice = "`defaults` holds fields by op" if meaning is None else meaning.help
            problems.error(codes.UNKNOWN_OP, f"no op is called `{keyword[:80]}`", span, help=advice)
        elif given is None:
            problems.error(
                codes.WRONG_VALUE,
                f"the defaults of `{keyword}` are a mapping of fields",
                span,
                help=f"write fields in braces: `{keyword}: {{{_optional(op)}: …}}`"
                if fields_of(op)
                else f"remove it: `{keyword}` has no fields",
            )
        else:
            check_keys(f"`{keyword}`", fields_of(op), given, problems, words_of(op))
            found = given_fields(op, Item(keyword, span, given), document)
            plain = {key: plainly(value) for key, value in found.values.items() if not has_expression(value)}
            validated(op, plain, found, span, problems, skip=op.model_fields.keys() - plain.keys())
            for scalar in _scalars([given]):
                hold_names(scalar, names, problems)
        if len(problems) > before:
            document.wrong_defaults.add(keyword)


def _optional(op: type[Op]) -> str:
    """A field of an op as an example for `defaults`: one that is not required, if there is one."""
    fields = [
        name for name in fields_of(op) if name in op.model_fields and not op.model_fields[name].is_required()
    ]
    return "padding" if "padding" in fields else (fields or fields_of(op))[0]


def _check_parameter(parameter: SpecParameter, problems: Problems) -> None:
    if parameter.name in TAKEN:
        problems.error(
            codes.NAME,
            f"`{parameter.name}` has another meaning in `${{…}}`",
            parameter.span,
            help="rename the parameter",
        )


def _check_block(block: Block, document: Document, names: dict[str, None], problems: Problems) -> None:
    if block.name in OPS or block.name in (GROUP, NETWORK, *RESERVED):
        problems.error(
            codes.BLOCK_CLASH,
            f"`{block.name}` is already {'an op' if block.name in OPS else 'a word of the language'}",
            block.span,
            help="give the block another name",
        )
    known = dict(names)
    declared = [parameter.name for parameter in block.params or ()]
    for at, parameter in enumerate(block.params or ()):
        _check_parameter(parameter, problems)
        for scalar in _scalars([parameter.default]):
            hold_names(scalar, known, problems, declared[at + 1 :])
        known[parameter.name] = None
    for name, span in zip(block.inputs, block.input_spans, strict=True):
        if name != "input":
            check_own_name(name, span, problems)
    _check_items(block.items, document, None if block.params is None else known, problems)


def _check_items(
    items: Iterable[Item], document: Document, names: dict[str, None] | None, problems: Problems
) -> None:
    """Check items and those inside them; `names` are their parameters, None if unknown."""
    for item in all_items(items, document):
        before = len(problems)
        _check_item(item, document, names or (), problems)
        if names is not None:
            for scalar in expressions_of(item):
                hold_names(scalar, names, problems)
        if len(problems) > before or item.broken:
            document.wrong.add(item)


def expressions_of(item: Item) -> Iterator[Scalar]:
    """All expressions of an item, without those of items inside it."""
    stack: list[Value | None] = [item.name, item.source, item.repeat, item.when, item.share, item.trainable]
    stack.append(item.carry)
    if isinstance(item.argument, Mapping):
        entries = item.argument.entries.items()
        stack += [entry.value for key, entry in entries if key != "branches" or item.branches is None]
    elif item.keyword != GROUP and item.branches is None:
        stack.append(item.argument)
    return _scalars(stack)


def _scalars(values: Iterable[Value | None]) -> Iterator[Scalar]:
    """The expressions in these values."""
    stack = [value for value in values if value is not None]
    while stack:
        value = stack.pop()
        if isinstance(value, Scalar):
            if is_expression(value):
                yield value
        elif isinstance(value, Listing):
            stack += value.items
        else:
            stack += [entry.value for entry in value.entries.values()]


def _check_item(item: Item, document: Document, names: Collection[str], problems: Problems) -> None:
    if not item.keyword:
        return
    check_carry(item, document, problems)
    if item.keyword == GROUP:
        check_group(item, problems)
    elif item.keyword in document.blocks:
        check_call(item, document.blocks[item.keyword], document, problems)
    elif item.keyword == NETWORK:
        check_network(item, problems)
    elif item.keyword in OPS:
        check_op(item, OPS[item.keyword], document, names, problems)
    else:
        document.wrong.add(item)
        if not document.incomplete:
            _report_unknown(item, document, names, problems)


def _lead(word: str, known: Iterable[str], given: Value | None) -> Lead | None:
    """The advice for an unknown word in place of an op."""
    from netspec.ops.words.ops import WORDS

    return lead(word, known, WORDS, None if given is None else plainly(given))


def _report_unknown(item: Item, document: Document, names: Collection[str], problems: Problems) -> None:
    if problems.full:
        problems.skip(item.span)
        return
    message = f"no op and no block is called `{item.keyword[:80]}`"
    if is_expression(Scalar(item.keyword, item.span, item.keyword)):
        advice = "an op is a plain word; to choose between two use `when` and `else`"
        problems.error(codes.UNKNOWN_OP, message, item.span, help=advice)
        return
    from netspec.language.document.words import OP_KEYS, op_as_key

    if fold(item.keyword) in OP_KEYS and isinstance(item.argument, Scalar):
        problems.error(codes.UNKNOWN_OP, message, item.span, help=op_as_key(item.argument.text, ()))
        return
    call = re.match(_CALL, item.keyword)
    numbered = item.keyword.rstrip("0123456789")
    if item.begins is not None and (advice_ := _as_name(item, item.begins, document)) is not None:
        problems.error(codes.UNKNOWN_OP, message, item.span, help=advice_)
        return
    found = _lead(call.group(1) if call else item.keyword, [*OPS, *document.blocks, NETWORK], item.argument)
    if found is None and numbered in OPS:
        found = Lead(
            f"write `{numbered}`: layers without a `name` are numbered in their order", numbered, True
        )
    advice = "`netspec ops` lists the ops; blocks are defined in `blocks` of the same file"
    if call:
        advice = _as_fields(found.ours if found else None, document)
    elif found is not None:
        advice = found.help
    problems.error(codes.UNKNOWN_OP, message, item.span, help=advice)
    if found is not None and found.exact and found.ours is not None and found.ours in OPS and not call:
        # The op is now known, so errors in its fields can be reported in the same run.
        check_op(item, OPS[found.ours], document, names, problems)


def _as_name(item: Item, branch: Listing, document: Document) -> str | None:
    """Advice for an item at the start of a branch that is the name of a layer or of an input; None for another."""
    first = item.keyword.split(".")[0]
    inputs = [each.name for each in document.inputs]
    inputs += [name for block in document.blocks.values() for name in block.inputs]
    if item.argument is not None or first not in (*inputs, *_layer_names(document)):
        return None
    if len(branch.items) > 1:
        return f"remove it, and write `from: {item.keyword}` beside the item after it"
    last = branch.items[-1].span
    if (last.end_line, last.end_column) != (branch.span.end_line, branch.span.end_column):
        return f"a branch that is only the name of a layer has no brackets of its own: `{item.keyword}`"
    return f"write `- {item.keyword}`, with one dash: the name of a layer is a branch by itself"


def _layer_names(document: Document) -> Iterator[str]:
    """The names that the items of a document give themselves."""
    lists = [document.items, *(head.items for head in document.heads)]
    lists += [block.items for block in document.blocks.values() if block.document is document]
    for items in lists:
        for each in all_items(items, document):
            if each.name is not None:
                yield each.name.text


_CALL = r"(?s)([A-Za-z_][\w.]*)(?:\s*\(.*\)|\s+\(?\d.*)\s*\Z"
"""A layer as in code or in the tables of papers: `Conv2d(3, 64, 3)`, `conv 3x3`."""


def _as_fields(ours: str | None, document: Document) -> str:
    """The form in a spec of a layer that is written as a function call."""
    if ours is not None and ours in OPS:
        op = OPS[ours]
        required = [name for name, field in op.model_fields.items() if field.is_required()]
        fields = ", ".join(f"{name}: …" for name in required)
        return (
            f"a spec is data: write `{ours}: {{{fields}}}`" if required else f"a spec is data: write `{ours}`"
        )
    if ours in document.blocks:
        return f"a spec is data: write `{ours}: {{…}}`"
    return "a spec is data: write an op and its fields, such as `conv: {filters: 8, kernel: 3}`"
