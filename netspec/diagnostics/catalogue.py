"""All codes, collected from the modules that define them."""

from __future__ import annotations

from types import ModuleType

from netspec.diagnostics.code import Code
from netspec.diagnostics.codes import backends, expectations, expressions, files, shapes, structure, training

FAMILIES: tuple[ModuleType, ...] = (files, structure, expressions, shapes, expectations, training, backends)

CODES: dict[str, Code] = {
    value.id: value for family in FAMILIES for value in vars(family).values() if isinstance(value, Code)
}
