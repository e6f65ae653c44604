"""The rules for names: their form, and reserved names."""

from __future__ import annotations

import re

from netspec.diagnostics import Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.item import IDENTIFIER
from netspec.language.document.validation import shown
from netspec.language.expressions.expression import JOINED
from netspec.ops import RESERVED
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
    if isinstance(name, str) and re.fullmatch(r"\w+\$\w+", name):
        return JOINED
    rule = "a name is a letter, followed by letters, digits and underscores, at most 80 characters"
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") if isinstance(name, str) and name.isascii() else ""
    return f"write `{plain}`: {rule}" if IDENTIFIER.match(plain) and len(plain) <= 80 else rule


def reserved(name: str) -> str | None:
    """Why a name is reserved, or None."""
    if name == "output":
        return "it is the name of the end of the network"
    if name == "input":
        return "it is the name of the network's input"
    return f"it is the name of an output of an op ({name})" if name in (FIRST, *RESERVED) else None


def check_own_name(name: str, span: Span, problems: Problems) -> None:
    """Report a reserved name."""
    why = reserved(name)
    if why is not None:
        problems.error(codes.NAME, f"`{name}` cannot be a name: {why}", span, help="choose another name")
