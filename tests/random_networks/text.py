"""A spec as plain dicts and lists, and its YAML: short things in one line, long ones in lines of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

Document = dict[str, Any]
"""One file, as YAML would be read."""
Files = dict[str, Document]
"""The files of a spec by their names; the spec itself is `MAIN`."""

MAIN = "main.yaml"
WIDTH = 100
PLAIN = re.compile(r"[A-Za-z$][A-Za-z0-9_.*]*\Z")
WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def yaml_text(document: Document) -> str:
    """The YAML of one file."""
    return "\n".join(_block(document)) + "\n"


def save(files: Files, folder: Path) -> Path:
    """Write the files into a folder; return the path of the spec itself."""
    for name, document in files.items():
        (folder / name).write_text(yaml_text(document), encoding="utf-8")
    return folder / MAIN


def shown(files: Files) -> str:
    """All files as one text, each headed by its name if there are several."""
    if len(files) == 1:
        return yaml_text(files[MAIN])
    return "".join(f"# {name}\n{yaml_text(files[name])}" for name in sorted(files))


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = PLAIN.match(value) and value.lower() not in WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return repr(value)


def _block(value: Any) -> list[str]:
    flow = _flow(value)
    if len(flow) <= WIDTH and not _has_items(value):
        return [flow]
    if isinstance(value, list):
        return [line for each in value for line in _hung("- ", _block(each))]
    lines = []
    for key, each in value.items():
        inner = _block(each)
        if inner == [_flow(each)]:
            lines.append(f"{_flow(key)}: {inner[0]}".rstrip())
        else:
            lines += [f"{_flow(key)}:", *_hung("  ", inner)]
    return lines


def _has_items(value: object) -> bool:
    """Whether it is a file, a block or a list of items, which stand one below the other."""
    if isinstance(value, dict):
        return "netspec" in value or "layers" in value
    return isinstance(value, list) and any(isinstance(each, dict) for each in value) and len(value) > 1


def _hung(mark: str, lines: list[str]) -> list[str]:
    return [mark + lines[0], *(" " * len(mark) + line for line in lines[1:])]
