"""Checks the words of a document before anything is worked out: ops, blocks, fields, parameters, names.

It looks at every item once, also at those that no call and no `when` ever reaches, and remembers which are
wrong, so that the walk says nothing more of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Block, Document, Parameter
from netspec.language.document.fields import fields_of, has_expression, plainly, validated, words_of, written
from netspec.language.document.item import GROUP, PATH, RESERVED, Item
from netspec.language.document.recursion import all_items, check_recursion
from netspec.language.document.validation import Tables, meant, no_words, unknown_key
from netspec.language.expressions.expression import hold_names, is_expression
from netspec.language.reading.values import Listing, Mapping, Scalar, Value
from netspec.ops import OPS, PORTS
from netspec.ops.base import Op
from netspec.ops.nearest import fold
from netspec.ops.roles import FIRST
from netspec.ops.words import Lead, Table, lead

NETWORK = "network"
NETWORK_KEYS = ("spec", "params", "until", "weights")
TAKEN = frozenset(
    {"in", "block", "index", "if", "else", "and", "or", "not", "true", "false", "True", "False"}
)


def reserved(name: str, document: Document) -> str | None:
    """Why a name cannot be an author's, or None."""
    stem = name.rstrip("0123456789")
    if stem != name and (stem in OPS or stem in document.blocks or stem in ("group", NETWORK)):
        return f"`{stem}` and a number is what an unnamed layer is called"
    if name == "output":
        return "it is what the end of the network is called"
    if name == "input":
        return "it is what the input of the network is called"
    return f"it is what an op calls one of its outputs ({name})" if name in (FIRST, *PORTS) else None


def check_vocabulary(document: Document, problems: Problems) -> None:
    """Report every unknown op, block, field, parameter and name of a document, and every refused value."""
    names = {parameter.name: None for parameter in document.params}
    for parameter in document.params:
        _check_parameter(parameter, problems)
    _check_defaults(document, names, problems)
    for declared in document.inputs:
        if declared.name != "input":
            _check_own(declared.name, declared.name_span, document, problems)
    for block in document.blocks.values():
        if block.document is document:
            _check_block(block, document, names, problems)
    check_recursion(document, problems)
    _check_items(document.items, document, names, problems)
    for head in document.heads:
        _check_own(head.name, head.span, document, problems)
        _check_items(head.items, document, names, problems)


def _check_own(name: str, span: Span, document: Document, problems: Problems) -> None:
    why = reserved(name, document)
    if why is not None:
        problems.error(codes.NAME, f"`{name}` cannot be a name: {why}", span, help=another_name(name))


def another_name(name: str) -> str:
    """What to write instead of a reserved name."""
    stem = name.rstrip("0123456789")
    return (
        f"write `{stem}_{name[len(stem) :]}`, or choose another name"
        if stem != name
        else "choose another name"
    )


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
            _check_keys(f"`{keyword}`", fields_of(op), given, problems, words_of(op))
            found = written(op, Item(keyword, span, given), document)
            plain = {key: plainly(value) for key, value in found.values.items() if not has_expression(value)}
            validated(op, plain, found, span, problems, skip=op.model_fields.keys() - plain.keys())
            for scalar in _scalars([given]):
                hold_names(scalar, names, problems)
        if len(problems) > before:
            document.wrong_defaults.add(keyword)


def _optional(op: type[Op]) -> str:
    """A field of an op that can stand in `defaults`: one that is not required, if there is one."""
    fields = [
        name for name in fields_of(op) if name in op.model_fields and not op.model_fields[name].is_required()
    ]
    return "padding" if "padding" in fields else (fields or fields_of(op))[0]


def _check_parameter(parameter: Parameter, problems: Problems) -> None:
    if parameter.name in TAKEN:
        problems.error(
            codes.NAME,
            f"`{parameter.name}` means something else in `${{…}}`",
            parameter.span,
            help="rename the parameter",
        )


def _check_block(block: Block, document: Document, names: dict[str, None], problems: Problems) -> None:
    if block.name in OPS or block.name in (GROUP, NETWORK, *RESERVED):
        problems.error(
            codes.BLOCK_CLASH,
            f"`{block.name}` is {'an op' if block.name in OPS else 'a word of the language'} already",
            block.span,
            help="give the block another name",
        )
    known = dict(names)
    for parameter in block.params or ():
        _check_parameter(parameter, problems)
        for scalar in _scalars([parameter.default]):
            hold_names(scalar, known, problems)
        known[parameter.name] = None
    for name, span in zip(block.inputs, block.input_spans, strict=True):
        if name != "input":
            _check_own(name, span, document, problems)
    _check_items(block.items, document, None if block.params is None else known, problems)


def _check_items(
    items: Iterable[Item], document: Document, names: dict[str, None] | None, problems: Problems
) -> None:
    """Check items and those inside them; `names` are the parameters they see, None if that is not known."""
    for item in all_items(items, document):
        before = len(problems)
        _check_item(item, document, names or (), problems)
        if names is not None:
            for scalar in _expressions(item):
                hold_names(scalar, names, problems)
        if len(problems) > before or item.broken:
            document.wrong.add(item)


def _expressions(item: Item) -> Iterator[Scalar]:
    """Everything of an item that is to be calculated, without the items inside it."""
    stack: list[Value | None] = [item.name, item.source, item.repeat, item.when, item.share, item.trainable]
    if isinstance(item.argument, Mapping):
        entries = item.argument.entries.items()
        stack += [entry.value for key, entry in entries if key != "branches" or item.branches is None]
    elif item.keyword != GROUP and item.branches is None:
        stack.append(item.argument)
    return _scalars(stack)


def _scalars(values: Iterable[Value | None]) -> Iterator[Scalar]:
    """The expressions in these values."""
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, Scalar):
            if is_expression(value):
                yield value
        elif isinstance(value, Listing):
            stack += value.items
        elif value is not None:
            stack += [entry.value for entry in value.entries.values()]


def _check_item(item: Item, document: Document, names: Collection[str], problems: Problems) -> None:
    if not item.keyword:
        return
    if item.keyword == GROUP:
        _check_group(item, problems)
    elif item.keyword in document.blocks:
        _check_call(item, document.blocks[item.keyword], document, problems)
    elif item.keyword == NETWORK:
        _check_network(item, problems)
    elif item.keyword in OPS:
        _check_op(item, OPS[item.keyword], document, names, problems)
    else:
        document.wrong.add(item)
        if not document.incomplete:
            _report_unknown(item, document, names, problems)


def _lead(word: str, known: Iterable[str], given: Value | None) -> Lead | None:
    """Where an unknown word for an op leads."""
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
    call = _CALL.match(item.keyword)
    numbered = item.keyword.rstrip("0123456789")
    found = _lead(call.group(1) if call else item.keyword, [*OPS, *document.blocks, NETWORK], item.argument)
    if found is None and numbered in OPS:
        found = Lead(
            f"write `{numbered}`: layers without a `name` are numbered in their order", numbered, True
        )
    advice = "`netspec ops` lists the ops; a block stands in `blocks` of the same file"
    if call:
        advice = _as_fields(found.ours if found else None, document)
    elif found is not None:
        advice = found.help
    problems.error(codes.UNKNOWN_OP, message, item.span, help=advice)
    if found is not None and found.exact and found.ours is not None and found.ours in OPS and not call:
        # The op is known now, so what is wrong with its fields can be said in the same run.
        _check_op(item, OPS[found.ours], document, names, problems)


_CALL = re.compile(r"([A-Za-z_][\w.]*)(?:\s*\(.*\)|\s+\(?\d.*)\s*\Z", re.DOTALL)
"""How code and the tables of papers write a layer: `Conv2d(3, 64, 3)`, `conv 3x3`."""


def _as_fields(ours: str | None, document: Document) -> str:
    """How a spec writes what somebody wrote as a call of a function."""
    if ours is not None and ours in OPS:
        op = OPS[ours]
        required = [name for name, field in op.model_fields.items() if field.is_required()]
        fields = ", ".join(f"{name}: …" for name in required)
        return (
            f"a spec is data: write `{ours}: {{{fields}}}`" if required else f"a spec is data: write `{ours}`"
        )
    if ours in document.blocks:
        return f"a spec is data: write `{ours}: {{…}}`"
    return "a spec is data: write an op and its fields, as `conv: {filters: 8, kernel: 3}`"


def _check_group(item: Item, problems: Problems) -> None:
    if item.share is not None:
        problems.error(
            codes.UNKNOWN_KEY,
            "a group cannot `share`",
            item.share.span,
            help="make a block of it, and call it twice",
        )


def _check_network(item: Item, problems: Problems) -> None:
    if isinstance(item.argument, Mapping):
        _check_keys("`network`", NETWORK_KEYS, item.argument, problems, _network_words)
        named = _misspelt(item.argument, NETWORK_KEYS, _network_words)
        if "spec" not in item.argument.entries and "spec" not in named:
            problems.error(
                codes.MISSING, "`network` needs `spec`", item.span, help="add `spec: zoo:…`, or a path"
            )
    elif not isinstance(item.argument, Scalar):
        problems.error(
            codes.MISSING, "`network` needs `spec`", item.place, help="write `network: {spec: zoo:…}`"
        )


def _check_call(item: Item, block: Block, document: Document, problems: Problems) -> None:
    if block.params is None or block.name in document.clashing:
        document.wrong.add(item)
        return
    owner = f"the block `{block.name}`"
    names = [parameter.name for parameter in block.params]
    required = [parameter.name for parameter in block.params if parameter.default is None]
    given: Collection[str] = ()
    if isinstance(item.argument, Mapping):
        _check_keys(owner, names, item.argument, problems)
        given = item.argument.entries.keys() | _misspelt(item.argument, names)
        for name, entry in item.argument.entries.items():
            if name in names and isinstance(entry.value, Scalar) and entry.value.value is None:
                problems.error(
                    codes.MISSING, f"{owner}: `{name}` is given nothing", entry.key_span,
                    help=f"write `{name}: …`" if name in required else f"write `{name}: …`, or leave it out",
                )  # fmt: skip
    elif item.argument is not None and len(names) != 1:
        has = f"{len(names)} parameters, so each is named" if names else "no parameters"
        problems.error(
            codes.NO_PLAIN_VALUE,
            f"{owner} has {has}",
            item.argument.span,
            help=f"write `{block.name}: {{{', '.join(f'{name}: …' for name in names)}}}`"
            if names
            else f"remove it: `{block.name}` has no parameters",
        )
        return
    elif item.argument is not None:
        given = names
    for name in required:
        if name not in given:
            problems.error(codes.MISSING, f"{owner} needs `{name}`", item.span, help=f"give `{name}: …`")


def _check_op(
    item: Item, op: type[Op], document: Document, names: Collection[str], problems: Problems
) -> None:
    before = len(problems)
    known = ["branches", *fields_of(op)] if op.merges else fields_of(op)
    if isinstance(item.argument, Mapping):
        _check_keys(f"`{op.keyword}`", known, item.argument, problems, words_of(op))
    elif item.argument is not None and op.main is None and not op.merges:
        _report_plain(item.argument, op, problems)
        return
    if op.merges:
        _check_branches(item, op, document, problems)
    given = written(op, item, document)
    plain = {key: plainly(value) for key, value in given.values.items() if not has_expression(value)}
    skip = (given.values.keys() - plain.keys()) | _misspelt(item.argument, known, words_of(op))
    if op.keyword in document.wrong_defaults:
        document.wrong.add(item)
        skip |= op.model_fields.keys() - given.own
    ready = validated(op, plain, given, item.span, problems, skip, names)
    if ready is not None and not given.likes and len(plain) == len(given.values) and len(problems) == before:
        document.ready[item] = ready


def _report_plain(value: Value, op: type[Op], problems: Problems) -> None:
    names = [name for name in fields_of(op) if op.model_fields[name].is_required()]
    wanted = ", ".join(f"{name}: …" for name in names)
    others = ", ".join(f"`{name}`" for name in fields_of(op))
    problems.error(
        codes.NO_PLAIN_VALUE,
        f"`{op.keyword}` takes no plain value",
        value.span,
        help=f"write `{op.keyword}: {{{wanted}}}`"
        if wanted
        else f"remove it, or name the field that it is for: {others}"
        if others
        else f"remove it: `{op.keyword}` has no fields",
    )


def _check_branches(item: Item, op: type[Op], document: Document, problems: Problems) -> None:
    value = item.argument
    if isinstance(value, Mapping):
        value = value.entries["branches"].value if "branches" in value.entries else None
    how = f"put a list of branches below `{op.keyword}:`, each a list of items"
    if isinstance(value, Listing) and item.branches is None:
        names = _names_of_layers(value, document)
        advice = f"leave `{op.keyword}:` empty, and put `from: [{', '.join(names)}]` beside it"
        wrong = [each for each in value.items if not isinstance(each, Listing)]
        for each in wrong[:1] if names else wrong:
            problems.error(
                codes.BRANCHES_FORM,
                "a branch is a list of items",
                each.span,
                help=advice if names else _bracketed(each, value),
            )
    elif value is not None and not isinstance(value, Listing):
        what = "`branches` is a list of branches" if value is not item.argument else "takes no plain value"
        subject = "" if value is not item.argument else f"`{op.keyword}` "
        problems.error(codes.BRANCHES_FORM, subject + what, value.span, help=how)
    elif value is not None and item.source is not None:
        problems.error(
            codes.BRANCHES_FORM,
            f"`{op.keyword}` has branches and `from`",
            item.source.span,
            help="keep one of the two; a branch may itself start with `from`",
        )
    elif (
        value is None
        and item.source is None
        and "branches" not in (_misspelt(item.argument, ["branches", *fields_of(op)], words_of(op)))
    ):
        problems.error(
            codes.BRANCHES_FORM,
            f"`{op.keyword}` has nothing to join",
            item.span,
            help=f"{how}, or add `from: [a, b]`",
        )


def _names_of_layers(value: Listing, document: Document) -> list[str]:
    """The words of a list, if they can only be names of layers."""
    words = [each.text for each in value.items if isinstance(each, Scalar) and PATH.match(each.text)]
    called = any(word in OPS or word in document.blocks for word in words)
    return [] if called or len(words) < len(value.items) else words


def _bracketed(value: Value, around: Listing) -> str:
    """How a lone item is written as a branch."""
    last = around.items[-1].span
    if (around.span.end_line, around.span.end_column) != (last.end_line, last.end_column):
        # The list stands in brackets, where no dash can.
        shown = value.text[:40] if isinstance(value, Scalar) and value.text else "…"
        return f"write `[{shown}]`: a branch is a list of items, also of one"
    if isinstance(value, Scalar) and isinstance(value.value, str) and value.text:
        return f"write `- - {value.text[:40]}`, with a dash for the branch and one for the item"
    return "start each item of a branch with a dash of its own: `- - conv: …`"


def _check_keys(
    owner: str, known: Collection[str], given: Mapping, problems: Problems, words: Tables = no_words
) -> None:
    for key, entry in given.entries.items():
        if key not in known:
            unknown_key(key, owner, known, entry.key_span, problems, words, plainly(entry.value))


def _misspelt(value: Value | None, known: Collection[str], words: Tables = no_words) -> set[str]:
    """The known keys that unknown ones stand for, and of whose absence nothing is said."""
    if not isinstance(value, Mapping):
        return set()
    unknown = [key for key in value.entries if key not in known]
    return meant(unknown, known, words) if unknown else set()


def _network_words() -> Table:
    from netspec.language.document.words import NETWORK

    return NETWORK
