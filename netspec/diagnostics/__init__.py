"""The problems of a spec as data, the catalogue of codes, and the renderers."""

from netspec.diagnostics.code import Code
from netspec.diagnostics.diagnostic import SHOWN, Diagnostic, Full, Problems, Severity
from netspec.diagnostics.failure import SpecError
from netspec.diagnostics.span import Span

__all__ = ["SHOWN", "Code", "Diagnostic", "Full", "Problems", "Severity", "Span", "SpecError"]
