"""Finds the referent of a name in `from`, `share` or `until`, and reports a name that refers to nothing."""

from __future__ import annotations

from netspec.diagnostics.codes import structure as codes
from netspec.language.document.item import PATH
from netspec.language.elaboration.frame import Frame, Referent, ValueName
from netspec.language.elaboration.search import Unfound, search
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.expression import JOINED
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.reading.values import Listing, Scalar, Value


def sources(walk: Walk, value: Value, frame: Frame) -> list[ValueName]:
    """The tensors that a `from` names, in order; at least one."""
    known = walk.word(value, frame)
    if isinstance(known, Missing):
        return [BROKEN]
    scalars = known.items if isinstance(known, Listing) else (known,)
    found: list[ValueName] = []
    for scalar in scalars:
        named = find(walk, scalar, frame, taken=True)
        walk.spend(scalar.span, len(named))
        found += [referent.tensor for referent in named] or [BROKEN]
    if not scalars:
        walk.problems.error(
            codes.MISSING, "`from` is empty", value.span, help="give a name, or remove `from`"
        )
        return [BROKEN]
    return found


def find(walk: Walk, value: Value, frame: Frame, taken: bool = False) -> list[Referent]:
    """The referents of one path of names: several if it contains `*`, none if an error is reported.

    Args:
        taken: an item takes the tensor, unless the item is left out. What is absent because another item is left out
            is then reported only where this item is not.
    """
    known = walk.word(value, frame)
    if isinstance(known, Missing):
        return []
    path = known.value if isinstance(known, Scalar) else None
    if isinstance(path, str) and (refused := frame.members.get(path)) and not PATH.match(path):
        return [Referent(refused.path, BROKEN)]
    if not isinstance(known, Scalar) or not isinstance(path, str) or not PATH.match(path):
        shown = "this" if not isinstance(known, Scalar) else f"`{known.text}`" if known.text else "nothing"
        walk.problems.error(
            codes.BAD_PATH,
            f"{shown} is not the name of a layer",
            value.span,
            help="layers have names, not numbers: an item without `from` takes the output of the item before it; for "
            "another layer, give that one a `name`"
            if isinstance(known, Scalar) and isinstance(path, int)
            else JOINED
            if isinstance(path, str) and "$" in path
            else "write a name, or names joined by dots, such as `stage2.1`",
        )
        return []
    try:
        return search(path, frame, walk.by_name, value.span)
    except Unfound as unfound:
        if taken and unfound.left_out:
            return [Referent(path, Missing(unfound.message, unfound.help, known.span))]
        if unfound.code is not None:
            walk.problems.error(unfound.code, unfound.message, known.span, help=unfound.help)
        return []
