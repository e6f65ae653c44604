"""Copies a spec: its text with a new name, and the files that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from netspec import files
from netspec.diagnostics import Code, Problems, Span, SpecError
from netspec.diagnostics.codes import structure as codes
from netspec.language.reading import locations
from netspec.language.reading.source import read_file
from netspec.language.reading.syntax import LINE_END
from netspec.language.reading.values import Listing, Mapping, Scalar, Value

PARTS = "parts"


@dataclass(frozen=True, slots=True)
class _Change:
    """A word of the text to replace."""

    span: Span
    text: str


def copies(origin: Path, name: str) -> dict[str, str]:
    """The files of a new spec `name`: paths relative to its folder, with their texts, the spec first.

    A relative path in the spec becomes `zoo:…` if the zoo has the file. Otherwise the file is copied into `parts/`,
    together with the files that it refers to. Comments and layout stay.

    Raises:
        SpecError: a file cannot be read, is not a spec, or refers to a file that does not exist.
    """
    texts: dict[str, str] = {f"{name}.yaml": ""}
    waiting = [(f"{name}.yaml", origin)]
    sources: dict[str, Path] = {f"{name}.yaml": locations.real(origin)}
    while waiting:
        where, path = waiting.pop()
        value, text = _read(path)
        changes = [_renamed(value, name, path)] if path == origin else []
        for reference in _references(value):
            target = locations.real(locations.real(path).parent / str(reference.value))
            _require_inside(reference, target, path)
            changes.append(_Change(reference.span, _redirected(reference, target, where, sources, waiting)))
        texts[where] = _changed(text, changes)
    return texts


def _read(path: Path) -> tuple[Value, str]:
    problems = Problems()
    value = read_file(path, problems, locations.shown(path))
    if value is None:
        raise SpecError(problems.in_order())
    return value, files.read(path).decode("utf-8-sig")


def _renamed(value: Value, name: str, path: Path) -> _Change:
    entry = value.entries.get("name") if isinstance(value, Mapping) else None
    if entry is None:
        problems = Problems()
        problems.error(codes.NOT_A_SPEC, f"`{locations.shown(path)}` has no name", value.span)
        raise SpecError(problems.in_order())
    return _Change(entry.value.span, name)


def _references(value: Value) -> Iterator[Scalar]:
    """The relative paths in a document, of included blocks and of embedded networks."""
    if isinstance(value, Mapping) and "blocks" in value.entries:
        blocks = value.entries["blocks"].value
        include = blocks.entries.get("include") if isinstance(blocks, Mapping) else None
        yield from _paths(include.value if include else None)
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Listing):
            stack += each.items
        elif isinstance(each, Mapping):
            stack += [entry.value for entry in each.entries.values()]
            network = each.entries.get("network")
            if network is not None:
                spec = network.value.entries.get("spec") if isinstance(network.value, Mapping) else network
                yield from _paths(spec.value if spec else None)


def _paths(value: Value | None) -> Iterator[Scalar]:
    for each in value.items if isinstance(value, Listing) else (value,):
        if (
            isinstance(each, Scalar)
            and isinstance(each.value, str)
            and not each.value.startswith(locations.ZOO)
        ):
            yield each


def _redirected(
    reference: Scalar, target: Path, where: str, sources: dict[str, Path], waiting: list[tuple[str, Path]]
) -> str:
    """The new text of a reference; if its file has to be copied, it is added to the waiting files."""
    zoo = {locations.real(path): name for name, path in locations.zoo().items()}
    if target in zoo:
        return locations.ZOO + zoo[target]
    copy = next((each for each, source in sources.items() if source == target), None)
    if copy is None:
        copy = _free(f"{PARTS}/{target.name}", sources)
        _require_plain(reference, target)
        sources[copy] = target
        waiting.append((copy, target))
    return copy.removeprefix(f"{PARTS}/") if where.startswith(f"{PARTS}/") else copy


def _free(path: str, taken: dict[str, Path]) -> str:
    stem, count = path.removesuffix(".yaml"), 2
    while path in taken:
        path, count = f"{stem}_{count}.yaml", count + 1
    return path


def _require_inside(reference: Scalar, target: Path, path: Path) -> None:
    """Refuse a file outside the project of the file that names it: a foreign spec must not copy it."""
    root = locations.root_of(path)
    if not target.is_relative_to(root):
        message = f"`{files.shortened(str(reference.value))}` is outside the folder {locations.shown(root)}"
        _refuse(codes.OUTSIDE, message, reference)


def _require_plain(reference: Scalar, target: Path) -> None:
    fault = files.fault(target)
    if fault is not None:
        shown = files.shortened(str(reference.value))
        why = f"`{shown}` cannot be read: {files.reason(fault)}"
        message = f"there is no file `{shown}`" if files.is_missing(fault) else why
        _refuse(codes.INCLUDE, message, reference)


def _refuse(code: Code, message: str, reference: Scalar) -> NoReturn:
    problems = Problems()
    problems.error(code, message, reference.span)
    raise SpecError(problems.in_order())


def _changed(text: str, changes: list[_Change]) -> str:
    """The text with words replaced; spans count lines and columns from 1."""
    starts = [0, *(match.end() for match in LINE_END.finditer(text))]
    for change in sorted(changes, key=lambda each: (each.span.line, each.span.column), reverse=True):
        span = change.span
        start, end = (
            starts[line - 1] + column - 1
            for line, column in ((span.line, span.column), (span.end_line, span.end_column))
        )
        text = text[:start] + change.text + text[end:]
    return text
