"""Reads the files that a spec is made of, each once: blocks that it includes, networks that it embeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language import places
from netspec.language.document import Block, Document, read_blocks_file, read_document
from netspec.language.source import read_file
from netspec.language.values import Scalar
from netspec.language.vocabulary import check_vocabulary
from netspec.ops.nearest import did_you_mean

INCLUDE_LIMIT = 30
"""How deep files may include each other."""


@dataclass
class Library:
    """The documents of one run. Problems of a file are told when it is first read."""

    problems: Problems
    specs: dict[Path, Document | None] = field(default_factory=dict)
    parts: dict[Path, Document | None] = field(default_factory=dict)
    _including: list[Path] = field(default_factory=list)

    def spec(self, path: Path, shown: str) -> Document | None:
        """A whole spec, with the blocks that it includes."""
        key = path.resolve()
        if key not in self.specs:
            value = read_file(path, self.problems, shown)
            self.specs[key] = (
                None if value is None else self.complete(read_document(value, shown, path, self.problems))
            )
        return self.specs[key]

    def complete(self, document: Document | None) -> Document | None:
        """Add the included blocks to a document, and check its words."""
        if document is None:
            return None
        self._include(document)
        check_vocabulary(document, self.problems)
        return document

    def part(self, path: Path, shown: str) -> Document | None:
        """A file of blocks, with the blocks that it includes in turn."""
        key = path.resolve()
        if key not in self.parts:
            value = read_file(path, self.problems, shown)
            document = None if value is None else read_blocks_file(value, shown, path, self.problems)
            self._including.append(key)
            self.parts[key] = self.complete(document)
            self._including.pop()
        return self.parts[key]

    def _include(self, document: Document) -> None:
        own = dict(document.blocks)
        for scalar in document.includes:
            path = self.find(scalar, document)
            if path is None:
                continue
            if path.resolve() in self._including:
                self.problems.error(
                    codes.INCLUDE,
                    f"`{scalar.text}` includes itself",
                    scalar.span,
                    help="drop one of the includes",
                )
                continue
            if len(self._including) >= INCLUDE_LIMIT:
                self.problems.error(
                    codes.INCLUDE,
                    f"files include files more than {INCLUDE_LIMIT} deep",
                    scalar.span,
                    help="include them side by side: `include: [a.yaml, b.yaml]`",
                )
                continue
            part = self.part(path, places.shown(path))
            for name, block in part.blocks.items() if part else ():
                self._take(document, own, name, block, scalar.span)

    def _take(self, document: Document, own: dict[str, Block], name: str, block: Block, span: Span) -> None:
        other = document.blocks.get(name)
        if other is None or other is block:
            document.blocks[name] = block
            return
        self.problems.error(
            codes.BLOCK_CLASH,
            f"the included block `{name}` is there already, from {other.span.file}:{other.span.line}",
            span,
            help="rename one of the two" if name in own else "include one of the two files",
        )

    def find(self, scalar: Scalar, document: Document) -> Path | None:
        """The file that a path in a document names, or None, with the reason reported."""
        text = str(scalar.value)
        if text.startswith(places.ZOO):
            return self._in_zoo(text.removeprefix(places.ZOO), scalar)
        if document.path is None:
            self.problems.error(
                codes.OUTSIDE,
                "a text that is no file has no folder to look in",
                scalar.span,
                help="save it as a file",
            )
            return None
        root = places.root_of(document.path)
        path = document.path.resolve().parent / text
        if not places.is_possible(path):
            self.problems.error(
                codes.INCLUDE, "this is no path of a file", scalar.span, help="write a plain path"
            )
            return None
        if not path.resolve().is_relative_to(root):
            self.problems.error(
                codes.OUTSIDE,
                f"`{text}` leaves the tree below {places.shown(root)}",
                scalar.span,
                help="move the file below the root, or mark a higher folder with an empty `netspec.toml`",
            )
            return None
        if not path.is_file():
            self.problems.error(
                codes.INCLUDE,
                f"there is no file `{text}`",
                scalar.span,
                notes=(f"looked for {places.shown(path)}",),
            )
            return None
        return path

    def _in_zoo(self, name: str, scalar: Scalar) -> Path | None:
        path = places.zoo().get(name.removesuffix(".yaml"))
        if path is None:
            message = f"the zoo has no `{name}`{did_you_mean(name, places.zoo())}"
            self.problems.error(
                codes.INCLUDE, message, scalar.span, help="`netspec new --list` shows the zoo"
            )
        return path
