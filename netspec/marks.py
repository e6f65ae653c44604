"""The mark that identifies files written by netspec, and the rule for overwriting files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from netspec._version import __version__
from netspec.files import NotPlain, open_plain, possible, reason, require_plain, shortened, status_of

_MARK = rb"Written by netspec \S+; sha256 of all other lines: ([0-9a-f]{16})"
_HEAD, _HEAD_BYTES = 5, 100_000
"""The mark is in one of the first lines."""

_COMMENTS = {
    "python": ("# ", ""),
    "yaml": ("# ", ""),
    "xml": ("<!-- ", " -->"),
    "json": ('  "$comment": "', '",'),
}
_OPENINGS = ("<?xml", "<!doctype", "{\n")
"""Lines that must stay the first line of a text."""


BLANK = f"Written by netspec {__version__}; sha256 of all other lines: {'0' * 16}"
"""The mark that a backend writes as a separate line near the start of a file; `sealed` fills in the digest."""


class Occupied(Exception):
    """A file must not be overwritten. `str()` says why and how to proceed."""


def marked(text: str, language: str) -> str:
    """The text with a comment that identifies it, with a digest that shows whether it was edited."""
    before, after = _COMMENTS[language]
    first, newline, rest = text.partition("\n")
    head = f"{first}{newline}" if text.lower().startswith(_OPENINGS) else ""
    digest = _digest(text.encode("utf-8", "backslashreplace").split(b"\n"))
    line = f"{before}Written by netspec {__version__}; sha256 of all other lines: {digest}{after}\n"
    return head + line + (rest if head else text)


def sealed(content: bytes) -> bytes:
    """The content of a file with the line `BLANK`, in which the digest of all other lines is filled in."""
    before, blank, after = content.partition(BLANK.encode())
    assert blank, "the backend did not write the mark"
    lines = before.split(b"\n")[:-1] + after.split(b"\n")[1:]
    return before + blank[:-16] + _digest(lines).encode() + after


def metadata(command: str) -> dict[str, str]:
    """The metadata of a weights file, with which a command recognises its own files."""
    return {"netspec": __version__, "command": command}


def guard(targets: Iterable[Path], inputs: Iterable[str | Path], force: bool) -> None:
    """Check that each target can be written: it is new, or netspec wrote it and it was not edited.

    `inputs` are the files that the command reads; a link to one of them counts as this file. Weights are overwritten
    only if `netspec convert` wrote them, because trained weights take long to make again. `force` allows everything
    except targets that are not regular files.

    Raises:
        Occupied: a target must not be overwritten.
        OSError: the system does not allow access to a target.
    """
    inputs = list(inputs)
    faults = []
    for target in targets:
        with possible():
            try:
                # `new/../spec.yaml` is `spec.yaml` once the folder `new` is made.
                status = Path(os.path.realpath(target)).stat()
            except FileNotFoundError:
                continue
        try:
            require_plain(status)
        except NotPlain as error:
            faults.append(f"cannot write {shortened(target)}: {error}")
            continue
        if not force and (why := _occupied(target, status, inputs)):
            faults.append(f"{shortened(target)} {why}; give another name, or --force to overwrite it")
    if faults:
        raise Occupied("\n".join(faults))


def _occupied(target: Path, status: os.stat_result, inputs: Iterable[str | Path]) -> str | None:
    for each in inputs:
        other = status_of(each)
        if other is not None and os.path.samestat(status, other):
            name = "" if os.path.realpath(each) == os.path.realpath(target) else f", {shortened(each)}"
            return f"is a file that this command reads{name}"
    try:
        with open_plain(os.path.realpath(target)) as stream:
            if target.suffix == ".safetensors":
                return None if _is_converted(stream) else "was not written by netspec convert"
            head = stream.read(_HEAD_BYTES)
            content = head + stream.read() if re.search(_MARK, head) else head
    except OSError as error:
        return f"cannot be read ({reason(error)}), so netspec does not know who wrote it"
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:_HEAD]):
        if found := re.search(_MARK, line):
            unchanged = _digest(lines[:number] + lines[number + 1 :]) == found[1].decode()
            return None if unchanged else "was written by netspec and edited since"
    return "was not written by netspec"


def _digest(lines: Iterable[bytes]) -> str:
    # A checkout can change line ends; this does not count as an edit.
    digest: str = _sha256()(b"\n".join(line.removesuffix(b"\r") for line in lines)).hexdigest()[:16]
    return digest


@cache
def _sha256() -> Callable[[bytes], Any]:
    """The function of `hashlib`. That loads OpenSSL, which takes as long as some texts; Python also has its own."""
    for name in ("_sha2", "_sha256"):  # the first one since Python 3.12
        with suppress(ImportError):
            own: Callable[[bytes], Any] = import_module(name).sha256
            return own
    from hashlib import sha256

    return sha256


def _is_converted(stream: BinaryIO) -> bool:
    """Whether the header of a safetensors file says that `netspec convert` wrote it."""
    size = int.from_bytes(stream.read(8), "little")
    if size > 100_000_000:  # the limit of the format
        return False
    import json

    try:
        told = json.loads(stream.read(size))["__metadata__"]
        return "netspec" in told and told["command"] == "convert"
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
