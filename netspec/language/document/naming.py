"""What can be a name: the form of one, and the names that mean something already."""

from __future__ import annotations

import re

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Document
from netspec.language.document.item import IDENTIFIER
from netspec.language.document.validation import shown
from netspec.ops import OPS, PORTS
from netspec.ops.roles import FIRST

NETWORK = "network"
"""The keyword of an embedded network."""

TAKEN = frozenset(
    {"in", "block", "index", "if", "else", "and", "or", "not", "true", "false", "True", "False"}
)
"""What a parameter cannot be called: it means something else in an expression."""


def check_name(name: object, span: Span, problems: Problems) -> bool:
    """Whether a name can become an identifier of generated code; reports when it cannot."""
    if isinstance(name, str) and IDENTIFIER.match(name) and len(name) <= 80:
        return True
    problems.error(
        codes.NAME,
        f"{f'`{name[:80]}`' if isinstance(name, str) else shown(name)} cannot be a name",
        span,
        help=_name_advice(name),
    )
    return False


def _name_advice(name: object) -> str:
    rule = "a name is a letter, then letters, digits and underscores, 80 at most"
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") if isinstance(name, str) and name.isascii() else ""
    return f"write `{plain}`: {rule}" if IDENTIFIER.match(plain) and len(plain) <= 80 else rule


def reserved(name: str, document: Document) -> str | None:
    """Why a name cannot be an author's, or None."""
    stem = name.rstrip("0123456789")
    if stem != name and (stem in OPS or stem in document.blocks or stem in ("group", NETWORK)):
        return f"`{stem}` and a number is what an unnamed layer is called"
    if name == "output":
        return "it is what the end of the network is called"
    if name == "input":
        return "it is what the input of the network is called"
    return f"it is what an op calls one of its outputs ({name})" if name in (FIRST, *PORTS) else None


def check_own_name(name: str, span: Span, document: Document, problems: Problems) -> None:
    """Report a name that an author may not give."""
    why = reserved(name, document)
    if why is not None:
        problems.error(codes.NAME, f"`{name}` cannot be a name: {why}", span, help=another_name(name))


def another_name(name: str) -> str:
    """What to write instead of a reserved name."""
    stem = name.rstrip("0123456789")
    return (
        f"write `{stem}_{name[len(stem) :]}`, or choose another name"
        if stem != name
        else "choose another name"
    )
