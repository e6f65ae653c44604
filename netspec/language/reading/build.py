"""Builds positioned values from YAML events, without recursion, with limits on depth and number, without duplicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from yaml import events

from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import files as codes
from netspec.language.reading.scalars import OutOfRange, interpret
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value
from netspec.ops.nearest import nearest

DEPTH_LIMIT = 100
VALUE_LIMIT = 200_000

# A text with another start is always a word; the test is cheap, and most scalars are words.
_MAY_BE_NO_WORD = frozenset("0123456789+-.~tTfFnN")


class Stop(Exception):
    """Reading cannot continue; the problem is already reported."""


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still open."""

    event: Any
    size_before: int
    is_mapping: bool
    height: int = 1
    items: list[Value] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: str | None = None
    key_span: Span | None = None  # None: a key comes next
    last: Span | None = None  # the place of the last child; for an alias, its own place


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Value
    size: int
    height: int


class Builder:
    """Processes the events of one document; then `root` is its value."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.root: Value | None = None
        self.usable = True
        self._file = file
        self._problems = problems
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._size = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Process one event. Raises Stop if reading cannot continue."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents == 1:
            return
        self._problems.error(
            codes.SEVERAL_DOCUMENTS,
            "a second YAML document starts here, but one file is one spec",
            self._span(event),
            help="move what follows to a file of its own, or remove the line `---`",
        )
        raise Stop

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark, event.end_mark
        span = Span(self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        if event.tag is not None:
            self._tagged(event)
        self._count(1, span)
        text: str = event.value
        quoted = event.style is not None and event.style != ""
        value: str | int | float | bool | None = text
        if not quoted and (not text or text[0] in _MAY_BE_NO_WORD):
            value = self._interpret(text, span)
        scalar = Scalar(value, span, text, quoted)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(scalar, 1, 0)
        self._place(scalar, span)

    def _interpret(self, text: str, span: Span) -> str | int | float | bool | None:
        try:
            return interpret(text)
        except OutOfRange as refused:
            advice = "a larger number" if "small" in str(refused) else "a smaller number"
            self._problems.error(
                codes.NUMBER_TOO_LARGE,
                str(refused),
                span,
                help=f"use {advice}, or put it in quotes if it is a text",
            )
            self.usable = False
            return None

    def _open(self, event: Any) -> None:
        span = self._span(event)
        if event.tag is not None:
            self._tagged(event)
        if len(self._stack) >= DEPTH_LIMIT:
            self._too_deep(span)
        self._count(1, span)
        self._stack.append(_Open(event, self._size - 1, isinstance(event, events.MappingStartEvent)))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        value = self._finished(done, event)
        if done.event.anchor is not None:
            size = self._size - done.size_before
            self._anchors[done.event.anchor] = _Anchored(value, size, done.height)
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, done.height + 1)
        self._place(value, value.span)

    def _finished(self, done: _Open, event: Any) -> Value:
        if done.event.flow_style or done.last is None:
            end_line, end_column = event.end_mark.line + 1, event.end_mark.column + 1
        else:
            # For YAML, a block ends where the next value starts; for people, it ends with its last child.
            end_line, end_column = done.last.end_line, done.last.end_column
        start = done.event.start_mark
        span = Span(self._file, start.line + 1, start.column + 1, end_line, end_column)
        return Mapping(done.entries, span) if done.is_mapping else Listing(tuple(done.items), span)

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        name: str = event.anchor
        if any(each.event.anchor == name for each in self._stack):
            self._problems.error(
                codes.ALIAS_OF_ITSELF,
                f"`*{name}` is inside the value of `&{name}`, which would then be infinite",
                span,
                help="write out the value; for repetitions use `repeat`",
            )
            raise Stop
        known = self._anchors.get(name)
        if known is None:
            self._unknown_alias(name, span)
            self._place(Scalar(None, span, ""), span)
            return
        if len(self._stack) + known.height > DEPTH_LIMIT:
            self._too_deep(span)
        self._count(known.size, span)
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, known.height + 1)
        self._place(known.value, span)

    def _unknown_alias(self, name: str, span: Span) -> None:
        self.usable = False
        if self._problems.full:
            self._problems.skip(span)
            return
        near = nearest(name, self._anchors)
        self._problems.error(
            codes.UNKNOWN_ALIAS,
            f"there is no `&{name}` above",
            span,
            help=f"did you mean `*{near}`?" if near else f'if the text `*{name}` is meant, write `"*{name}"`',
        )

    def _place(self, value: Value, span: Span) -> None:
        if not self._stack:
            self.root = value
            return
        parent = self._stack[-1]
        parent.last = span
        if not parent.is_mapping:
            parent.items.append(value)
        elif parent.key_span is None:
            parent.key_span = span
            parent.key = self._key(parent, value, span)
        else:
            if parent.key is not None:
                parent.entries[parent.key] = Entry(parent.key_span, value)
                if parent.event.flow_style:
                    self._glued(parent.key, parent.key_span, value)
            parent.key = parent.key_span = None

    def _key(self, parent: _Open, value: Value, span: Span) -> str | None:
        """The key, or None if it is refused and its value is ignored."""
        if not isinstance(value, Scalar) or not isinstance(value.value, str):
            message, advice = _refused_key(value)
            self._problems.error(codes.KEY_NOT_WORD, message, span, help=advice)
            return None
        key = value.value
        if key == "<<" and not value.quoted:
            self._problems.error(
                codes.MERGE_KEY,
                "a spec cannot have the key `<<`: mappings are not merged",
                span,
                help="write out the fields, or put them under `defaults` or into a block",
            )
            self.usable = False
            return None
        first = parent.entries.get(key)
        if first is not None:
            self._problems.error(
                codes.DUPLICATE_KEY,
                f"the key `{key}` appears twice in this mapping",
                span,
                notes=[f"it appears first on line {first.key_span.line}"],
                help="remove one of the two",
            )
            return None
        return key

    def _glued(self, key: str, span: Span, value: Value) -> None:
        """Report `{filters:64}`, which YAML reads as a key `filters:64` without a value."""
        name, colon, rest = key.partition(":")
        if colon and name.isidentifier() and rest and isinstance(value, Scalar) and value.text == "":
            self._problems.error(
                codes.MISSING_SPACE,
                f"`{key}` is one word: a space is missing after the colon",
                span,
                help=f"write `{name}: {rest}`",
            )
            self.usable = False

    def _tagged(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
        self._problems.error(
            codes.TAG,
            f"`{tag[:60]}` is a tag, but a spec is plain data",
            self._span(event),
            help="remove the tag; put the value in quotes if it is a text",
        )

    def _count(self, more: int, span: Span) -> None:
        self._size += more
        if self._size <= VALUE_LIMIT:
            return
        self._problems.error(
            codes.TOO_MANY_VALUES,
            f"the file contains more than {VALUE_LIMIT:,} values",
            span,
            notes=["an alias counts each time that it is used"] if self._anchors else [],
            help="write layers once, with `repeat` or as a block, instead of aliases and copies",
        )
        raise Stop

    def _too_deep(self, span: Span) -> None:
        self._problems.error(
            codes.TOO_DEEP,
            f"lists and mappings are nested more than {DEPTH_LIMIT} levels deep",
            span,
            help="give parts a name under `blocks`, and use the names",
        )
        raise Stop

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


# Functions, not methods of a builder: it would lead to itself, and its memory would wait for the collector.
_HANDLERS: dict[type, Callable[[Builder, Any], None]] = {
    events.ScalarEvent: Builder._scalar,
    events.SequenceStartEvent: Builder._open,
    events.MappingStartEvent: Builder._open,
    events.SequenceEndEvent: Builder._close,
    events.MappingEndEvent: Builder._close,
    events.AliasEvent: Builder._alias,
    events.DocumentStartEvent: Builder._document,
}


def _refused_key(value: Value) -> tuple[str, str]:
    if not isinstance(value, Scalar):
        kind = "a list" if isinstance(value, Listing) else "a mapping"
        return f"a key is a word, but this is {kind}", "write a word before the colon"
    if value.value is None and not value.text:
        return "a key is missing before the colon", "write a word before the colon"
    kind = {bool: "a boolean", type(None): "nothing"}.get(type(value.value), "a number")
    shown = value.text[:40]
    advice = f'write `"{shown}"` if it is a name'
    if kind == "a number":
        # In quotes it would not be a name either.
        advice = "use a name that starts with a letter, such as `n3`"
    return f"a key is a word, but `{shown}` is {kind}", advice
