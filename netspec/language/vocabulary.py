"""Checks the words of a document before anything is worked out: ops, blocks, fields, parameters.

It looks at every item once, also at those that no call and no `when` ever reaches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document import Block, Document
from netspec.language.item import GROUP, Item
from netspec.language.validation import unknown_key
from netspec.language.values import Listing, Mapping, Scalar
from netspec.ops import OPS
from netspec.ops.base import Op
from netspec.ops.nearest import did_you_mean

NETWORK = "network"
NETWORK_KEYS = ("spec", "params", "until", "weights")
TAKEN = frozenset(
    {"in", "block", "index", "if", "else", "and", "or", "not", "true", "false", "True", "False"}
)


def fields_of(op: type[Op]) -> list[str]:
    """The fields of an op that an author may write."""
    return [*(name for name in op.model_fields if name not in op.resolved_only), *op.likes]


def check_vocabulary(document: Document, problems: Problems) -> None:
    """Report every unknown op, block, field and parameter of a document."""
    for keyword, span in document.default_spans.items():
        if keyword not in OPS:
            problems.error(
                codes.UNKNOWN_OP, f"no op is called `{keyword}`{did_you_mean(keyword, OPS)}", span,
                help="`defaults` holds fields by op",
            )  # fmt: skip
            continue
        if keyword not in document.defaults:
            problems.error(codes.WRONG_VALUE, f"the defaults of `{keyword}` are a mapping of fields", span)
            continue
        _check_keys(f"`{keyword}`", fields_of(OPS[keyword]), document.defaults[keyword], problems)
    for parameter in document.params:
        _check_parameter(parameter.name, parameter.span, problems)
    for block in document.blocks.values():
        if block.document is document:
            _check_block(block, document, problems)
    for item in _all(document.items):
        _check_item(item, document, problems)
    for head in document.heads:
        for item in _all(head.items):
            _check_item(item, document, problems)


def _check_parameter(name: str, span: Span, problems: Problems) -> None:
    if name in TAKEN:
        problems.error(
            codes.NAME, f"`{name}` means something else in `${{…}}`", span, help="rename the parameter"
        )


def _check_block(block: Block, document: Document, problems: Problems) -> None:
    if block.name in OPS or block.name in (GROUP, NETWORK):
        problems.error(
            codes.BLOCK_CLASH,
            f"`{block.name}` is an op already",
            block.span,
            help="give the block another name",
        )
    for parameter in block.params:
        _check_parameter(parameter.name, parameter.span, problems)
    for item in _all(block.items):
        _check_item(item, document, problems)


def _all(items: Iterable[Item]) -> Iterator[Item]:
    """Every item, with those inside it."""
    stack = list(items)
    while stack:
        item = stack.pop()
        yield item
        stack += item.items
        stack += item.otherwise or ()
        for branch in item.branches or ():
            stack += branch


def _check_item(item: Item, document: Document, problems: Problems) -> None:
    if item.keyword == GROUP:
        return
    if item.keyword in document.blocks:
        _check_call(item, document.blocks[item.keyword], problems)
    elif item.keyword == NETWORK:
        _check_network(item, problems)
    elif item.keyword in OPS:
        _check_op(item, OPS[item.keyword], problems)
    else:
        known = [*OPS, *document.blocks, NETWORK]
        problems.error(
            codes.UNKNOWN_OP,
            f"no op and no block is called `{item.keyword}`{did_you_mean(item.keyword, known)}",
            item.span,
            help="`netspec ops` lists the ops; a block stands in `blocks` of the same file",
        )


def _check_network(item: Item, problems: Problems) -> None:
    if isinstance(item.argument, Mapping):
        _check_keys("`network`", NETWORK_KEYS, item.argument, problems)
        if "spec" not in item.argument.entries:
            problems.error(
                codes.MISSING, "`network` needs `spec`", item.span, help="add `spec: zoo:…`, or a path"
            )
    elif not isinstance(item.argument, Scalar):
        problems.error(
            codes.MISSING, "`network` needs `spec`", item.span, help="write `network: {spec: zoo:…}`"
        )


def _check_call(item: Item, block: Block, problems: Problems) -> None:
    names = [parameter.name for parameter in block.params]
    if isinstance(item.argument, Mapping):
        _check_keys(f"the block `{block.name}`", names, item.argument, problems)
    elif item.argument is not None and len(names) != 1:
        problems.error(
            codes.NO_PLAIN_VALUE,
            f"the block `{block.name}` has {len(names) or 'no'} parameters, so each is named",
            item.argument.span,
            help=f"write `{block.name}: {{{', '.join(f'{name}: …' for name in names)}}}`" if names else None,
        )


def _check_op(item: Item, op: type[Op], problems: Problems) -> None:
    if op.merges:
        _check_branches(item, op, problems)
        return
    if isinstance(item.argument, Mapping):
        _check_keys(f"`{op.keyword}`", fields_of(op), item.argument, problems)
    elif item.argument is not None and op.main is None:
        names = [name for name in fields_of(op) if op.model_fields[name].is_required()]
        wanted = ", ".join(f"{name}: …" for name in names or fields_of(op)[:1])
        problems.error(
            codes.NO_PLAIN_VALUE,
            f"`{op.keyword}` takes no plain value",
            item.argument.span,
            help=f"write `{op.keyword}: {{{wanted}}}`" if wanted else f"write `{op.keyword}` alone",
        )


def _check_branches(item: Item, op: type[Op], problems: Problems) -> None:
    given = isinstance(item.argument, Listing)
    if isinstance(item.argument, Mapping):
        given = "branches" in item.argument.entries
        _check_keys(f"`{op.keyword}`", ["branches", *fields_of(op)], item.argument, problems)
    how = f"write `{op.keyword}:` and below it a list of branches, each a list of items"
    if given and item.branches is None:
        problems.error(codes.BRANCHES_FORM, "a branch is a list of items", item.place, help=how)
    elif given and item.source is not None:
        problems.error(
            codes.BRANCHES_FORM,
            f"`{op.keyword}` has branches and `from`",
            item.source.span,
            help="keep one of the two",
        )
    elif not given and item.source is None:
        problems.error(
            codes.BRANCHES_FORM,
            f"`{op.keyword}` has nothing to join",
            item.place,
            help=f"{how}, or add `from: [a, b]`",
        )
    elif isinstance(item.argument, Scalar):
        problems.error(codes.BRANCHES_FORM, f"`{op.keyword}` takes no plain value", item.place, help=how)


def _check_keys(owner: str, known: Collection[str], given: Mapping, problems: Problems) -> None:
    for key, entry in given.entries.items():
        if key not in known:
            unknown_key(key, owner, known, entry.key_span, problems)
