"""What is wrong with a spec, as data; renderers and the catalogue of codes."""

from netspec.diagnostics.diagnostic import Code, Diagnostic, Problems, Severity, SpecError
from netspec.diagnostics.span import Span

__all__ = ["Code", "Diagnostic", "Problems", "Severity", "Span", "SpecError"]
