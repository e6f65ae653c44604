"""One item of `layers`, as written: its keyword, its argument, and the reserved keys beside it."""

from __future__ import annotations

import re

from netspec.dataclass import dataclass, replace
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.expressions.expression import is_expression
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value
from netspec.ops import OPS
from netspec.ops.nearest import fold
from netspec.ops.words import lead

RESERVED = ("name", "from", "repeat", "when", "else", "share", "trainable", "carry")
"""Keys beside the op."""

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.([A-Za-z0-9_]+|\*))*\Z")
"""A name of a layer, or names joined by dots."""

GROUP = "layers"


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An item of `layers`. `keyword` is an op, a block, `network`, or `layers` for a group.

    `argument` is the value of the keyword; the items of a group are in `items`. A `broken` item was refused. It keeps
    its place, so that errors of items that depend on it are not reported. It has no keyword if none could be read.
    """

    keyword: str
    span: Span
    argument: Value | None
    items: tuple[Item, ...] = ()
    name: Scalar | None = None
    source: Value | None = None
    repeat: Scalar | None = None
    when: Scalar | None = None
    otherwise: tuple[Item, ...] | None = None
    share: Scalar | None = None
    trainable: Scalar | None = None
    carry: Value | None = None
    branches: tuple[tuple[Item, ...], ...] | None = None
    broken: bool = False
    begins: Listing | None = None
    """The branch whose first item it is, as written."""

    @property
    def is_name(self) -> bool:
        """Whether it is a branch that only names a layer: `- skip`."""
        return self.keyword == GROUP and self.source is not None and self.argument is self.source

    @property
    def place(self) -> Span:
        """The span of the argument, or else of the keyword."""
        return self.span if self.argument is None else self.argument.span


def read_items(value: Value | None, problems: Problems, where: str) -> tuple[Item, ...]:
    """A list of items; every malformed item is reported, and is broken."""
    if value is None:
        return ()
    if not isinstance(value, Listing):
        problems.error(
            codes.WRONG_VALUE,
            f"{where} is a list of items",
            value.span,
            help=f"write `[{value.text[:40]}]`"
            if isinstance(value, Scalar) and value.text.isidentifier()
            else "write one item per line, each with a dash: `- relu`",
        )
        return (broken_item(value.span),)
    return tuple([_read_item(each, problems) for each in value.items])


def broken_item(span: Span, name: Scalar | None = None) -> Item:
    """The placeholder for an item that is already reported."""
    return Item("", span, None, name=name, broken=True)


def _read_item(value: Value, problems: Problems) -> Item:
    if isinstance(value, Scalar):
        return _bare(value, problems)
    if isinstance(value, Listing):
        problems.error(
            codes.ITEM,
            "an item is a name or one mapping, not a list",
            value.span,
            help="write the op as a key, followed by its fields: `- dense: 10`; a group is `- layers: […]`",
        )
        return broken_item(value.span)
    called = [key for key in value.entries if key not in RESERVED]
    if called == [""]:
        problems.error(
            codes.ITEM,
            "the item calls an op without a name",
            value.entries[""].key_span,
            help="write the name of an op: `- relu:`, then its keys",
        )
    elif len(called) == 1:
        return _called(value, called[0], problems)
    elif called:
        _report_several(value, called, problems)
    else:
        span = next(iter(value.entries.values())).key_span if value.entries else value.span
        problems.error(
            codes.ITEM,
            "the item calls no op"
            if value.entries
            else "an item is the name of an op or a mapping, not `{}`",
            span,
            help="write the op first: `- relu:`, then its keys",
        )
    name = value.entries.get("name")
    return broken_item(value.span, name.value if name and isinstance(name.value, Scalar) else None)


def _bare(value: Scalar, problems: Problems) -> Item:
    if isinstance(value.value, str) and value.value:
        return Item(value.value, value.span, None)
    shown = f"`{value.text}`" if value.text else "nothing"
    problems.error(
        codes.ITEM,
        f"an item is the name of an op or a mapping, not {shown}",
        value.span,
        help="delete the line, or write the name of an op"
        if value.value is None or not value.text
        else f"write the name of an op before it, as `- dense: {value.text[:20]}`",
    )
    return broken_item(value.span)


def _report_several(value: Mapping, called: list[str], problems: Problems) -> None:
    """Report several keys that are not reserved: a misspelt one, fields beside their op, or two ops in one item."""
    from netspec.language.document.words import ITEM, OP_KEYS, op_as_key

    ops = [key for key in called if key in OPS]
    keyed = next((key for key in called if not ops and fold(key) in OP_KEYS), None)
    if keyed is not None and isinstance(typed := value.entries[keyed].value, Scalar) and typed.text:
        problems.error(
            codes.ITEM,
            f"the item calls `{keyed}`, which is not an op",
            value.entries[keyed].key_span,
            help=op_as_key(typed.text, [key for key in called if key != keyed]),
        )
        return
    fields = OPS[ops[0]].model_fields if ops else {}
    others = [key for key in called if key not in OPS and key not in fields]
    misspelt = {key: found for key in others if (found := lead(key, RESERVED, ITEM))}
    owner = next((key for key in called if key in OPS or key not in misspelt), called[0])
    for key, found in misspelt.items():
        if key != owner:
            problems.error(
                codes.UNKNOWN_KEY,
                f"an item cannot have the key `{key[:80]}`",
                value.entries[key].key_span,
                help=found.help,
            )
    others = [key for key in called if key != owner and key not in misspelt]
    if not others:
        return
    span = value.entries[others[0]].key_span
    if owner in OPS and others[0] in OPS[owner].model_fields:
        problems.error(
            codes.ITEM,
            f"`{others[0]}` is a field of `{owner}`, but is written beside it",
            span,
            help=f"indent the fields below `{owner}:`, or write them in braces after it",
        )
        return
    advice = f"write an item for each, with its own dash: `- {owner[:40]}` and `- {others[0][:40]}`"
    if owner not in OPS and others[0] not in OPS:
        both = f"`{owner[:40]}: {{…, {others[0][:40]}: …}}`"
        advice = (
            f"for a parameter of `{owner[:40]}`, write all of them in braces after it, {both}; else {advice}"
        )
    problems.error(
        codes.ITEM,
        f"the item calls `{owner}` and `{others[0]}`, but an item calls only one",
        span,
        notes=("fields of an op are indented below it, or written in braces after it",),
        help=advice,
    )


def _called(value: Mapping, keyword: str, problems: Problems) -> Item:
    entries = value.entries
    argument: Value | None = entries[keyword].value
    items = read_items(argument, problems, "`layers`") if keyword == GROUP else ()
    if isinstance(argument, Scalar) and argument.value is None:
        argument = None
    otherwise = _else(value, problems) if "else" in entries else None
    before = len(problems)
    keys = {key: _scalar(entries, key, problems) for key in ("name", "repeat", "when", "share", "trainable")}
    broken = len(problems) > before
    return Item(
        keyword,
        entries[keyword].key_span,
        argument,
        items,
        source=entries["from"].value if "from" in entries else None,
        otherwise=otherwise,
        carry=entries["carry"].value if "carry" in entries else None,
        branches=_branches(keyword, argument, problems),
        broken=broken,
        begins=None,
        **keys,
    )


def _else(value: Mapping, problems: Problems) -> tuple[Item, ...]:
    entry = value.entries["else"]
    if "when" not in value.entries:
        problems.error(
            codes.MISSING,
            "`else` needs a `when`",
            entry.key_span,
            help="add `when: ${…}`, or remove `else`",
        )
    return read_items(entry.value, problems, "`else`")


def _scalar(entries: dict[str, Entry], key: str, problems: Problems) -> Scalar | None:
    entry = entries.get(key)
    if entry is None:
        return None
    if isinstance(entry.value, Scalar) and entry.value.value is not None:
        return entry.value
    problems.error(
        codes.WRONG_VALUE, f"`{key}` is one value", entry.value.span, help=f"write `{key}: …` on one line"
    )
    return None


def _branches(
    keyword: str, argument: Value | None, problems: Problems
) -> tuple[tuple[Item, ...], ...] | None:
    """The items of each branch, if the argument seems to be branches of a merge."""
    if keyword not in OPS:
        problems = (
            Problems()
        )  # the argument of a block can be a list of lists; otherwise it is reported later
    elif not OPS[keyword].merges:
        return None
    value = argument
    if isinstance(argument, Mapping) and "branches" in argument.entries:
        value = argument.entries["branches"].value
    elif not isinstance(argument, Listing):
        return None
    if not isinstance(value, Listing):
        return None
    if not all(isinstance(each, Listing) or can_name(each) for each in value.items):
        return None
    return tuple([_branch(each, problems) for each in value.items])


def can_name(value: Value) -> bool:
    """Whether a value in a list of branches can be the name of a layer."""
    return is_path(value) and isinstance(value, Scalar) and value.value not in OPS


def is_path(value: Value) -> bool:
    """Whether a value is the name of a layer, names joined by dots, or an expression that can give one."""
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        return False
    return PATH.match(value.value) is not None or is_expression(value)


def _branch(value: Value, problems: Problems) -> tuple[Item, ...]:
    if isinstance(value, Scalar):
        return (Item(GROUP, value.span, value, source=value),)
    items = read_items(value, problems, "a branch")
    return (replace(items[0], begins=value), *items[1:]) if items and isinstance(value, Listing) else items
