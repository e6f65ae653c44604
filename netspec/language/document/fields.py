"""The fields of one op from the item and the file's defaults, checked if they contain no expressions."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Fields
from dataclasses import field

from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.language.document.declarations import Document
from netspec.language.document.item import Item
from netspec.language.document.validation import Explain, Tables, report, unexplained
from netspec.language.expressions.expression import is_expression
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value
from netspec.model import Invalid
from netspec.ops.base import Op
from netspec.ops.words import WordTable


@dataclass(slots=True)
class GivenFields:
    """The value of each field and the place of its key, from the item or else from the file's defaults."""

    values: dict[str, Value] = field(default_factory=dict)
    keys: dict[str, Span] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    likes: dict[str, Value] = field(default_factory=dict)
    """For each field that takes the sizes of a layer, the name of the layer."""

    def set(self, key: str, entry: Entry) -> None:
        """Set a field; of the item and the file's defaults, the item comes last."""
        self.values[key], self.keys[key] = entry.value, entry.key_span
        self.likes.pop(key, None)

    def like(self, key: str, entry: Entry) -> None:
        """Let a field take the sizes of a layer."""
        self.likes[key] = entry.value
        self.values.pop(key, None)
        self.keys.pop(key, None)


def fields_of(op: type[Op]) -> list[str]:
    """The fields of an op that a spec can contain."""
    return [*(name for name in op.model_fields if name not in op.resolved_only), *op.likes]


_WORDS: dict[type[Op], WordTable] = {}


def words_of(op: type[Op]) -> Tables:
    """Words of other libraries for the fields of an op."""

    def words() -> WordTable:
        from netspec.ops.words.fields import for_op

        if op not in _WORDS:  # an error is often repeated
            _WORDS[op] = for_op(op.keyword, ["branches", *fields_of(op)] if op.merges else fields_of(op))
        return _WORDS[op]

    return words


def given_fields(op: type[Op], item: Item, document: Document) -> GivenFields:
    """The fields of an op from an item and the file's defaults, without unknown ones."""
    found = GivenFields()
    default = document.defaults.get(op.keyword)
    for given in (item.argument,) if default is None else (default, item.argument):
        if isinstance(given, Mapping) and not (given is item.argument and _is_value(op, given)):
            for key, entry in given.entries.items():
                if key in op.likes:
                    found.like(op.likes[key], entry)
                elif key in op.model_fields and key not in op.resolved_only:
                    found.set(key, entry)
                    if given is item.argument:
                        found.own.add(key)
        elif given is not None and op.main is not None and (not op.merges or isinstance(given, Scalar)):
            found.values[op.main], found.keys[op.main] = given, given.span
            found.own.add(op.main)
    return found


def _is_value(op: type[Op], given: Mapping) -> bool:
    """Whether a mapping is the value of the main field, not a mapping from fields to values."""
    return op.whole and list(given.entries) != [op.main]


def validated(
    op: type[Op],
    fields: Fields[str, object],
    given: GivenFields,
    place: Span,
    problems: Problems,
    skip: Collection[str] = (),
    parameters: Collection[str] = (),
    explain: Explain = unexplained,
) -> Op | None:
    """The op with these fields, not yet resolved for its input; None if they are refused, which is reported.

    Args:
        given: the place of each field.
        place: the place of the item, for missing fields.
        skip: fields that are not reported, because they are already reported or are evaluated later.
        parameters: names of parameters, for suggestions.
        explain: gives notes on the origin of the value of a field.
    """
    later = set(skip) - fields.keys()
    found = op.plainly(fields, later)
    if found is not None and (missing := op.missing(found)) and missing <= later:
        return None
    try:
        return op.model_validate(fields, later)
    except Invalid as error:
        owner = f"`{op.keyword}`"
        known = fields_of(op)
        report(
            error.details,
            owner,
            known,
            given.values,
            given.keys,
            place,
            problems,
            words_of(op),
            skip,
            parameters,
            explain,
        )
        return None


def has_expression(value: Value | None) -> bool:
    """Whether a value contains an expression."""
    if value is None:
        return False
    if isinstance(value, Scalar):
        return is_expression(value)
    if isinstance(value, Listing):
        return any(has_expression(each) for each in value.items)
    return any(has_expression(entry.value) for entry in value.entries.values())


def whole(value: object) -> object:
    """The value, with whole floats as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def plainly(value: Value) -> object:
    """A value without expressions as plain data; whole floats become integers."""
    if isinstance(value, Scalar):
        return whole(value.value)
    if isinstance(value, Listing):
        return [plainly(each) for each in value.items]
    return {key: plainly(entry.value) for key, entry in value.entries.items()}
