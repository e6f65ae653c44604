"""The expectations of a spec (`expect`) as data: the language reads them, the analysis checks them."""

from __future__ import annotations

from typing import Literal

from netspec.dataclass import dataclass
from netspec.diagnostics.span import Span

ExpectForm = Literal["shape", "shapes", "exact", "bound"]

FORMS: dict[str, ExpectForm] = {
    "output": "shape",
    "layers": "shapes",
    "params": "exact",
    "trainable": "exact",
    "macs": "exact",
    "max_params": "bound",
    "max_macs": "bound",
    "max_memory": "bound",
}
"""The keys of `expect`, each with the form of its value."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One number or shape that the network must have.

    `key` is one of FORMS. `wanted` is a shape, an exact number, or an upper limit. `name` is the output or the layer of
    the shape, None for the only output; `name_span` is the place of this name.
    """

    key: str
    wanted: tuple[int, ...] | float
    span: Span
    name: str | None = None
    name_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Expectations:
    """All expectations of a spec, in the order of its text; `span` is the place of the whole mapping."""

    items: tuple[Expectation, ...]
    span: Span

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the spec has, without duplicates."""
        return tuple(dict.fromkeys(each.key for each in self.items))
