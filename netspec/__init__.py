"""netspec: write a network once, in YAML; check it, infer its shapes, compile it, prove it."""

from __future__ import annotations
