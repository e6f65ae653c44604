"""Reads YAML into positioned values, and refuses features of YAML that a spec cannot have."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from typing import Any

import yaml

from netspec import files
from netspec.diagnostics import Code, Problems, Span
from netspec.diagnostics.codes import files as codes
from netspec.language.reading.build import Builder, Stop
from netspec.language.reading.memory import no_collection
from netspec.language.reading.values import Entry, Listing, Mapping, Scalar, Value, locate, locate_key, plain

# Without libyaml, PyYAML is only slower.
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

__all__ = [
    "Entry",
    "Listing",
    "Mapping",
    "Scalar",
    "Value",
    "locate",
    "locate_key",
    "plain",
    "read",
    "read_file",
]

SIZE_LIMIT = 10_000_000
"""The size limit of a file, in bytes."""

# A set of forbidden characters, because its complement takes ten times as long to compile.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_BYTE_ORDER_MARK = "\ufeff"


def read(text: str, file: str, problems: Problems) -> Value | None:
    """Read one YAML document. None if it is not usable (`problems` says why).

    There can be a value and problems: a duplicate key is reported and left out.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    if len(text) > SIZE_LIMIT:
        _report_large(f"{len(text):,} characters", file, problems)
        return None
    if strange := _FORBIDDEN.search(text):
        _report_character(text, strange.start(), file, problems)
        return None
    builder = Builder(file, problems)
    with no_collection():
        complete = _build(text, file, builder, problems)
    if not complete:
        return None
    root = builder.root
    if builder.usable and (root is None or (isinstance(root, Scalar) and root.value is None)):
        problems.error(
            codes.FILE_EMPTY,
            "the file is empty",
            _start(file),
            help="a spec starts with `netspec: 1`; `netspec new lenet5` writes one to start from",
        )
        return None
    return root if builder.usable else None


def _build(text: str, file: str, builder: Builder, problems: Problems) -> bool:
    parser = _Parser(text)
    try:
        while True:
            event = parser.get_event()
            if event is None or isinstance(event, yaml.StreamEndEvent):
                return True
            builder.take(event)
    except Stop:
        return False
    except yaml.YAMLError as error:
        from netspec.language.reading.syntax import explain  # not needed for a valid spec

        explain(error, text, file, problems)
        return False


def read_file(path: Path, problems: Problems, shown: str | None = None) -> Value | None:
    """Read a file; spans have the name `shown`. A failure is reported as a problem, never raised."""
    file = str(path) if shown is None else shown
    raw = _bytes(path, file, problems)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        _report_encoding(raw, error, file, problems)
        return None
    return read(text, file, problems)


def _bytes(path: Path, file: str, problems: Problems) -> bytes | None:
    try:
        with files.open_plain(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > SIZE_LIMIT:
                _report_large(f"{size / 1e6:,.1f} MB", file, problems)
                return None
            return stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        _report_unreadable(error, file, problems)
        return None


def _report_unreadable(error: OSError, file: str, problems: Problems) -> None:
    code: Code = codes.FILE_UNREADABLE
    message = f"`{files.shortened(file)}` cannot be read: {files.reason(error)}"
    advice = "fix its permissions, or name another file"
    if isinstance(error, files.NotPlain):
        advice = "name a YAML file"
    if files.is_missing(error):
        code, message = codes.FILE_MISSING, f"there is no file `{files.shortened(file)}`"
        advice = "correct the path"
    problems.error(code, message, _start(file), help=advice)


def _report_large(size: str, file: str, problems: Problems) -> None:
    problems.error(
        codes.FILE_TOO_LARGE,
        f"the file has {size}, but a spec has at most {SIZE_LIMIT / 1e6:.0f} MB",
        _start(file),
        help="is it a spec? `repeat` and blocks make a spec shorter",
    )


def _report_encoding(raw: bytes, error: UnicodeDecodeError, file: str, problems: Problems) -> None:
    before = _LINE_END.split(raw[: error.start].decode("utf-8", "replace"))
    line, column = len(before), len(before[-1]) + 1
    marks = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32"}
    marks |= {
        codecs.BOM_UTF16_LE: "UTF-16",
        codecs.BOM_UTF16_BE: "UTF-16",
    }  # the first two are also those of UTF-32
    encoding = next((name for mark, name in marks.items() if raw.startswith(mark)), None)
    problems.error(
        codes.NOT_UTF8,
        f"the byte 0x{raw[error.start]:02x} is not UTF-8",
        Span(file, line, column, line, column + 1),
        notes=[f"it seems to be {encoding}"] if encoding else [],
        help="save the file as UTF-8",
    )


def _report_character(text: str, offset: int, file: str, problems: Problems) -> None:
    before = _LINE_END.split(text[:offset])
    line, column = len(before), len(before[-1]) + 1
    problems.error(
        codes.CONTROL_CHARACTER,
        f"YAML does not allow the character U+{ord(text[offset]):04X}",
        Span(file, line, column, line, column + 1),
        help="delete it, or write it as an escape in double quotes",
    )


def _start(file: str) -> Span:
    return Span(file, 1, 1, 1, 1)
