"""The names of items in their scope: their own, or their op and a number."""

from __future__ import annotations

from netspec.diagnostics.codes import structure as codes
from netspec.language.document.item import Item
from netspec.language.document.naming import another_name, check_name, reserved
from netspec.language.elaboration.frame import Frame, Referent, join
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Scalar, plain


def local_name(walk: Walk, item: Item, frame: Frame, keyword: str) -> str:
    """The name of an item in its scope: its own if it has a valid one, else its op and a number."""
    count = frame.counts[keyword] = frame.counts.get(keyword, 0) + 1
    automatic = f"{keyword}{count}"
    if item.name is None:
        return automatic
    return own_name(walk, item.name, frame) or automatic


def own_name(walk: Walk, scalar: Scalar, frame: Frame) -> str | None:
    """The name in the spec, or None, with the reason reported."""
    value = walk.word(scalar, frame)
    if not isinstance(value, Scalar):
        if not isinstance(value, Missing):
            check_name(plain(value), scalar.span, walk.problems)
        return None
    name = value.value
    why = reserved(name, frame.document) if isinstance(name, str) else None
    if not check_name(name, scalar.span, walk.problems):
        pass
    elif why is not None:
        walk.problems.error(
            codes.NAME, f"`{name}` cannot be a name: {why}", scalar.span, help=another_name(str(name))
        )
    elif name in frame.members:
        walk.problems.error(
            codes.NAME_TWICE,
            f"the name `{name}` appears twice in this scope",
            scalar.span,
            help="choose another name",
        )
    else:
        return str(name)
    # References to a refused name are not reported.
    frame.members.setdefault(str(name), Referent(join(frame.path, str(name)), BROKEN))
    return None
