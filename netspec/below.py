"""Finds the specs in a folder. Everything that is skipped is counted, and files that look like specs get a warning."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml

from netspec import files
from netspec.dataclass import dataclass
from netspec.diagnostics import Diagnostic, Problems, Span
from netspec.diagnostics.codes import files as codes
from netspec.language.reading import locations
from netspec.ops.nearest import nearest

KEY = "netspec"
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
"""Folders that are not searched, besides hidden ones."""

_LIMIT = 1_000_000
"""The number of bytes of a file that are read."""

# A broken file must also count as a spec, so the key is searched in the text first.
_MARK = re.compile(rb"^[\"']?netspec[\"']?[ \t]*:", re.MULTILINE)
_FLOW = re.compile(rb"\A[^\n\w{]*\{[^{}\[\]]*?[\"']?\bnetspec[\"']?[ \t]*:")
_WORDS = re.compile(rb"netspec|layers|blocks|train", re.IGNORECASE)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Without libyaml, PyYAML is only slower.
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass
class FilesBelow:
    """The files at or below the paths of a command.

    `specs` are the files to check: named files, and files in folders with the key `netspec`. `others` counts YAML files
    without the key, `links` counts linked folders, which are not followed, `skipped` counts hidden and installed
    folders, which are not searched, and `unreadable` counts folders that cannot be listed. `remarks` has the
    diagnostics of files and folders that are not checked.
    """

    specs: list[Path] = field(default_factory=list)
    others: int = 0
    links: int = 0
    skipped: int = 0
    unreadable: int = 0
    folders: int = 0
    remarks: dict[Path, list[Diagnostic]] = field(default_factory=dict)


def look(paths: Iterable[Path]) -> FilesBelow:
    """All files at or below these paths, in the order of the report."""
    found = FilesBelow()
    for path in paths:
        if files.is_folder(path):
            found.folders += 1
            _walk(path, found)
        else:
            found.specs.append(path)
    found.specs = list(dict.fromkeys(found.specs))
    return found


def _walk(folder: Path, found: FilesBelow) -> None:
    candidates: list[Path] = []

    def unreadable(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename))
        message = f"the folder `{locations.shown(path)}` cannot be read: {files.reason(error)}"
        problems = Problems()
        problems.error(
            codes.FILE_UNREADABLE, message, _start(path), help="fix its permissions: it may contain specs"
        )
        found.remarks[path] = list(problems)
        found.unreadable += 1

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        searched = [name for name in folders if not name.startswith(".") and name not in SKIPPED]
        found.skipped += len(folders) - len(searched)
        folders[:] = searched
        found.links += sum(Path(parent, name).is_symlink() for name in folders)
        candidates += [
            Path(parent, name) for name in names if Path(name).suffix.lower() in locations.SUFFIXES
        ]
    for path in sorted(candidates):
        _sort(path, found)


def _sort(path: Path, found: FilesBelow) -> None:
    """Classify a file with the suffix of a YAML file."""
    try:
        raw = files.read(path, _LIMIT)
    except files.NotPlain as error:
        problems = Problems()
        message = f"`{locations.shown(path)}` is not checked: {files.reason(error)}"
        problems.warning(codes.FILE_UNREADABLE, message, _start(path), help="rename or remove it")
        found.remarks[path] = list(problems)
        found.others += 1
        return
    except OSError:
        found.specs.append(path)  # it may be a spec: the check reports why it cannot be read
        return
    if _is_spec(raw):
        found.specs.append(path)
        return
    keys = _keys(raw) if _WORDS.search(raw) else {}
    if KEY in keys:
        found.specs.append(path)
        return
    found.others += 1
    if remark := _near_miss(path, keys):
        found.remarks[path] = [remark]


def _is_spec(raw: bytes) -> bool:
    text = raw
    for mark in _BYTE_ORDER_MARKS:
        text = text.removeprefix(mark)
    # A file in another encoding is also a spec; the check reports that it must be UTF-8.
    text = text.replace(b"\0", b"")
    return bool(_MARK.search(text) or _FLOW.search(text))


def _keys(raw: bytes) -> dict[str, Span]:
    """The top-level keys of the text with their places; for a broken text, those before the error."""
    keys: dict[str, Span] = {}
    depth, is_key = 0, True
    parser = _Parser(raw.decode("utf-8", "replace").removeprefix("\ufeff"))
    try:
        while (event := parser.get_event()) is not None and not isinstance(event, yaml.StreamEndEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                if not depth and not isinstance(event, yaml.MappingStartEvent):
                    break
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
                is_key = not is_key if depth == 1 else is_key
            elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent) and depth == 1:
                if is_key and isinstance(event, yaml.ScalarEvent):
                    start: Any = event.start_mark
                    end: Any = event.end_mark
                    span = Span("", start.line + 1, start.column + 1, end.line + 1, end.column + 1)
                    keys.setdefault(event.value, span)
                is_key = not is_key
    except (yaml.YAMLError, RecursionError):
        pass
    return keys


def _near_miss(path: Path, keys: dict[str, Span]) -> Diagnostic | None:
    """A warning about a file that is not a spec, but looks like one."""
    if not keys.keys() & {"layers", "blocks"} and not keys.keys() >= {"spec", "train"}:
        return None
    problems = Problems()
    slip = next((key for key in keys if nearest(key, (KEY,))), None)
    if slip is not None:
        problems.warning(
            codes.NEAR_MISS,
            f"the file is not checked: its key is `{slip}`, not `{KEY}`",
            _at(path, keys[slip]),
            help=f"write `{KEY}: 1`",
        )
    elif "layers" in keys and keys.keys() & {"input", "inputs"}:
        problems.warning(
            codes.NEAR_MISS,
            f"the file is not checked: it has `layers` and an input, but not the key `{KEY}`",
            _start(path),
            help=f"start it with `{KEY}: 1` if it is a spec",
        )
    elif keys.keys() >= {"spec", "train"}:
        problems.warning(
            codes.NEAR_MISS,
            f"the file is not checked: it has `spec` and `train`, but not the key `{KEY}`",
            _start(path),
            help=f"start it with `{KEY}: 1` if it is a recipe",
        )
    return next(iter(problems), None)


def _at(path: Path, span: Span) -> Span:
    return Span(locations.shown(path), span.line, span.column, span.end_line, span.end_column)


def _start(path: Path) -> Span:
    return Span(locations.shown(path), 1, 1, 1, 1)
