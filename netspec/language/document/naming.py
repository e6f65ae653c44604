"""The rules for names: their form, and reserved names."""

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
"""Names that a parameter cannot have, because they have another meaning in expressions."""


def check_name(name: object, span: Span, problems: Problems) -> bool:
    """Whether a name can be an identifier in generated code; reports if it cannot."""
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
    rule = "a name is a letter, followed by letters, digits and underscores, at most 80 characters"
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") if isinstance(name, str) and name.isascii() else ""
    return f"write `{plain}`: {rule}" if IDENTIFIER.match(plain) and len(plain) <= 80 else rule


def reserved(name: str, document: Document) -> str | None:
    """Why a name is reserved, or None."""
    stem = name.rstrip("0123456789")
    if stem != name and (stem in OPS or stem in document.blocks or stem in ("group", NETWORK)):
        return f"`{stem}` and a number is the name of an unnamed layer"
    if name == "output":
        return "it is the name of the end of the network"
    if name == "input":
        return "it is the name of the network's input"
    return f"it is the name of an output of an op ({name})" if name in (FIRST, *PORTS) else None


def check_own_name(name: str, span: Span, document: Document, problems: Problems) -> None:
    """Report a reserved name."""
    why = reserved(name, document)
    if why is not None:
        problems.error(codes.NAME, f"`{name}` cannot be a name: {why}", span, help=another_name(name))


def another_name(name: str) -> str:
    """Advice for a reserved name."""
    stem = name.rstrip("0123456789")
    return (
        f"write `{stem}_{name[len(stem) :]}`, or choose another name"
        if stem != name
        else "choose another name"
    )
