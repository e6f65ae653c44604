"""Reads the files of a spec, each once: included blocks and embedded networks."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from netspec import files
from netspec.dataclass import dataclass
from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Block, Document
from netspec.language.document.skeleton import is_recipe_file, read_blocks_file, read_document
from netspec.language.document.vocabulary import check_vocabulary
from netspec.language.reading import locations
from netspec.language.reading.source import read_file
from netspec.language.reading.values import Mapping, Scalar, Value
from netspec.ops.nearest import nearest

INCLUDE_LIMIT = 30
"""The limit of nested includes."""


@dataclass
class Library:
    """The documents of one run. Problems of a file are reported when it is first read."""

    problems: Problems
    specs: dict[Path, Document | None] = field(default_factory=dict)
    parts: dict[Path, Document | None] = field(default_factory=dict)
    values: dict[Path, Value | None] = field(default_factory=dict)
    _including: list[Path] = field(default_factory=list)
    _named: dict[tuple[Path | None, str], Document] = field(default_factory=dict)
    """The specs that were found, by the file and the text that names them: to follow links takes long."""

    def release(self) -> None:
        """Give up what a finished run has read.

        A document and its blocks lead to each other, so that their memory would wait for the collector.
        """
        for each in (*self.specs.values(), *self.parts.values()):
            if each is not None:
                each.blocks.clear()
        for known in (self.specs, self.parts, self.values, self._named):
            known.clear()

    def read(self, path: Path, shown: str) -> Value | None:
        """The content of a file, which is read once."""
        key = locations.real(path)
        if key not in self.values:
            self.values[key] = read_file(path, self.problems, shown)
        return self.values[key]

    def spec(self, path: Path, shown: str) -> Document | None:
        """A whole spec, with its included blocks."""
        key = locations.real(path)
        if key not in self.specs:
            value = self.read(path, shown)
            self.specs[key] = (
                None if value is None else self.complete(read_document(value, shown, path, self.problems))
            )
        return self.specs[key]

    def named(self, scalar: Scalar, document: Document) -> Document | None:
        """The spec whose path stands in a document; None, with the reason reported, if it is not one."""
        key = document.path, str(scalar.value)
        if key in self._named:
            return self._named[key]
        path = self.find(scalar, document)
        value = None if path is None else self.read(path, locations.shown(path))
        if path is None or value is None:
            return None
        if not is_recipe_file(value):
            found = self.spec(path, locations.shown(path))
            if found is not None:
                self._named[key] = found
            return found
        inner = value.entries.get("spec") if isinstance(value, Mapping) else None
        meant = inner.value.text if inner is not None and isinstance(inner.value, Scalar) else ""
        self.problems.error(
            codes.NETWORK,
            f"`{scalar.text}` is a recipe file, not a spec",
            scalar.span,
            help=f"name a spec: that of the recipe is `{meant}`"
            if meant
            else "name a spec, which has `layers`",
        )
        return None

    def complete(self, document: Document | None) -> Document | None:
        """Add the included blocks to a document, and check its words."""
        if document is None:
            return None
        self._include(document)
        self.problems.check_room()
        check_vocabulary(document, self.problems)
        return document

    def part(self, path: Path, shown: str) -> Document | None:
        """A file of blocks, with the blocks that it includes."""
        key = locations.real(path)
        if key not in self.parts:
            value = self.read(path, shown)
            document = None if value is None else read_blocks_file(value, shown, path, self.problems)
            self._including.append(key)
            self.parts[key] = self.complete(document)
            self._including.pop()
        return self.parts[key]

    def _include(self, document: Document) -> None:
        own = dict(document.blocks)
        taken: set[str] = set()
        for scalar in document.includes:
            if scalar.text in taken:
                continue  # the same text names the same file
            taken.add(scalar.text)
            part = self._included(scalar, document)
            if part is None or part.incomplete:
                document.incomplete = True
            for name, block in part.blocks.items() if part else ():
                self._take(document, own, name, block, scalar.span)

    def _included(self, scalar: Scalar, document: Document) -> Document | None:
        path = self.find(scalar, document)
        if path is None:
            return None
        message, advice = "", ""
        if locations.real(path) in self._including:
            message, advice = f"`{scalar.text}` includes itself", "remove one of the includes"
        elif len(self._including) >= INCLUDE_LIMIT:
            message = f"includes are nested more than {INCLUDE_LIMIT} levels deep"
            advice = "include them side by side: `include: [a.yaml, b.yaml]`"
        if message:
            self.problems.error(codes.INCLUDE, message, scalar.span, help=advice)
            return None
        return self.part(path, locations.shown(path))

    def _take(self, document: Document, own: dict[str, Block], name: str, block: Block, span: Span) -> None:
        other = document.blocks.get(name)
        if other is None or other is block:
            document.blocks[name] = block
            return
        document.clashing.add(name)
        self.problems.error(
            codes.BLOCK_CLASH,
            f"there is already a block `{name}`, from {other.span.file}:{other.span.line}",
            span,
            help="rename one of the two" if name in own else "include one of the two files",
        )

    def find(self, scalar: Scalar, document: Document) -> Path | None:
        """The file of a path in a document, or None, with the reason reported."""
        text = str(scalar.value)
        if text.startswith(locations.ZOO):
            return self._in_zoo(text.removeprefix(locations.ZOO), scalar)
        path = self.below_root(scalar, document)
        fault = None if path is None else files.fault(path)
        if path is not None and fault is not None:
            shown = files.shortened(text)
            missing, why = f"there is no file `{shown}`", f"`{shown}` cannot be read: {files.reason(fault)}"
            self.problems.error(
                codes.INCLUDE,
                missing if files.is_missing(fault) else why,
                scalar.span,
                notes=(f"looked for {files.shortened(locations.shown(path))}",),
                help="paths are relative to the file that names them; `zoo:name` names a spec of the zoo",
            )
            return None
        return path

    def below_root(self, scalar: Scalar, document: Document, advice: str = "") -> Path | None:
        """The path in a document, whether it exists or not; None, with the reason reported, if it leaves the root."""
        text = str(scalar.value)
        if document.path is None:
            self.problems.error(
                codes.OUTSIDE,
                "a text that is not in a file has no folder for relative paths",
                scalar.span,
                help=_in_the_zoo(text) or "save it as a file",
            )
            return None
        path = locations.real(document.path).parent / text
        if fault := locations.impossible(path):
            message = f"`{files.shortened(text)}` cannot be read: {files.reason(fault)}"
            self.problems.error(codes.INCLUDE, message, scalar.span, help="write the path of a file")
            return None
        root = locations.root_of(document.path)
        if locations.real(path).is_relative_to(root):
            return path
        self.problems.error(
            codes.OUTSIDE,
            f"`{text}` is outside the folder {locations.shown(root)}",
            scalar.span,
            help=advice
            or "move the file below the root, or mark a higher folder with an empty `netspec.toml`",
        )
        return None

    def _in_zoo(self, name: str, scalar: Scalar) -> Path | None:
        path = locations.zoo().get(name.removesuffix(".yaml"))
        if path is None:
            near = nearest(name.removesuffix(".yaml"), locations.zoo())
            self.problems.error(
                codes.INCLUDE,
                f"the zoo has no `{name}`",
                scalar.span,
                help=f"did you mean `{locations.ZOO}{near}`?"
                if near
                else "`netspec new --list` lists the zoo",
            )
        return path


def _in_the_zoo(text: str) -> str | None:
    """The help if a path is the name of a spec of the zoo."""
    name = text.removesuffix(".yaml")
    return f"write `{locations.ZOO}{name}` for the spec of the zoo" if name in locations.zoo() else None
