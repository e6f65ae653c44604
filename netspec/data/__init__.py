"""Data sets: files become samples by index, in parts for training, validation and test. No graph, no backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netspec.data.loading import load
else:

    def load(*arguments: Any, **settings: Any) -> Any:
        """The parts of a data set; see `netspec.data.loading.load`, which is imported when it is needed."""
        from netspec.data import loading

        return loading.load(*arguments, **settings)


__all__ = ["load"]
