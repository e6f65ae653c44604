"""The names of items in their scope: their own, or their op and a number."""

from __future__ import annotations

from netspec.diagnostics.codes import structure as codes
from netspec.language.document.fields import has_expression
from netspec.language.document.item import Item
from netspec.language.document.naming import check_name, reserved
from netspec.language.elaboration.frame import Frame, Referent, join
from netspec.language.elaboration.search import later
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Scalar, plain


def local_name(walk: Walk, item: Item, frame: Frame, keyword: str) -> str:
    """The name of an item in its scope: its own if it has a valid one, else its op and a number."""
    own = None if item.name is None else own_name(walk, item.name, frame)
    unnamed = automatic(walk, frame, keyword)
    return unnamed if own is None else own


def automatic(walk: Walk, frame: Frame, keyword: str) -> str:
    """The name of the next layer without one: its op and its ordinal, or the next number that is free.

    A name that the author gives to a layer of the scope, also to a later one, is not free.
    """
    count = frame.counts[keyword] = frame.counts.get(keyword, 0) + 1
    name = f"{keyword}{count}"
    while name in frame.members or name in _claimed(walk, frame):
        count += 1
        name = f"{keyword}{count}"
    return name


def _claimed(walk: Walk, frame: Frame) -> frozenset[str]:
    """The names that the text of a scope gives to its layers, and at the root those of heads."""
    if frame.claimed is None:
        names = {_plainly(walk, item.name, frame) for item in later(frame).values()}
        if frame.is_root:
            # A head with the name of the layer that it gives does not take that name from it.
            names |= {each.name for each in frame.document.heads if not each.is_its_layer}
        frame.claimed = frozenset(name for name in names if isinstance(name, str) and name[-1:].isdigit())
    return frame.claimed


def _plainly(walk: Walk, scalar: Scalar | None, frame: Frame) -> object:
    """The value of a name, whose errors are reported where it is used."""
    if scalar is None or not has_expression(scalar):
        return None if scalar is None else scalar.value
    with walk.quietly():
        value = walk.word(scalar, frame)
    return value.value if isinstance(value, Scalar) else None


def own_name(walk: Walk, scalar: Scalar, frame: Frame) -> str | None:
    """The name in the spec, or None, with the reason reported."""
    value = walk.word(scalar, frame)
    if not isinstance(value, Scalar):
        if not isinstance(value, Missing):
            check_name(plain(value), scalar.span, walk.problems)
        return None
    name = value.value
    why = reserved(name) if isinstance(name, str) else None
    if not check_name(name, scalar.span, walk.problems):
        pass
    elif why is not None:
        walk.problems.error(
            codes.NAME, f"`{name}` cannot be a name: {why}", scalar.span, help="choose another name"
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
