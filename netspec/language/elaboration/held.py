"""Numbers that an item takes from a file."""

from __future__ import annotations

from netspec import files
from netspec.diagnostics.codes import structure as codes
from netspec.language.elaboration.frame import Frame
from netspec.language.elaboration.walk import Walk
from netspec.language.expressions.missing import BROKEN
from netspec.language.reading.values import Scalar, Value


def numbers_of_file(walk: Walk, file: Value, member: Value | None, name: object, frame: Frame) -> object:
    """The numbers of an array in a file, by its path relative to the spec; BROKEN if there are none: it is reported.

    `member` is the name of the array as written, and `name` its value.
    """
    if not isinstance(file, Scalar) or not (name is None or isinstance(name, str)):
        return BROKEN
    path = walk.library.find(file, frame.document)
    if path is None:
        return BROKEN
    key = (path, name)
    if key not in walk.held:
        from netspec import arrays

        try:
            walk.held[key] = arrays.read(path, name)
        except (arrays.UnreadableArray, OSError) as error:
            reason = files.reason(error) if isinstance(error, OSError) else str(error)
            walk.problems.error(
                codes.NUMBERS,
                f"`{files.shortened(str(file.value))}` does not give a constant: {reason}",
                file.span if member is None else member.span,
                help=getattr(error, "help", None),
            )
            walk.held[key] = BROKEN
    return walk.held[key]
