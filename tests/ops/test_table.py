"""The table of ops says what the classes say, and loads a class only when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from netspec import ops
from netspec.ops import FAMILIES, OPS, PORTS, members
from netspec.ops.base import Op

MODULES = sorted(path.stem for path in Path(ops.__file__).parent.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("word", OPS)
def test_a_line_has_the_words_of_its_class(word: str) -> None:
    op = OPS[word]
    assert word in (op.keyword, *op.aliases)
    assert OPS[op.keyword] is op


def test_every_class_with_a_keyword_has_its_lines() -> None:
    modules = [import_module(f"netspec.ops.{module}") for module in MODULES]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Op) and "keyword" in vars(value)
    }
    assert classes == set(OPS.values())
    assert {word for op in classes for word in (op.keyword, *op.aliases)} == set(OPS)
    assert [op for family in FAMILIES for op in members(family)] == list(dict.fromkeys(OPS.values()))


def test_the_names_of_all_further_outputs_are_listed() -> None:
    assert {port.name for op in OPS.values() for port in op.ports} == PORTS, (
        "state them in netspec/ops/__init__.py"
    )


def test_a_word_that_is_no_op_is_not_there() -> None:
    assert "convolution" not in OPS
    assert OPS.get("convolution") is None
    with pytest.raises(KeyError):
        OPS["convolution"]


@pytest.mark.parametrize(("word", "module"), [("add", "merge"), ("flatten", "reshape")])
def test_only_what_is_used_is_loaded(word: str, module: str) -> None:
    program = f"""
import sys
from netspec.ops import OPS
assert {word!r} in OPS and len(list(OPS)) == len(OPS)
loaded = [name for name in {MODULES} if f"netspec.ops.{{name}}" in sys.modules]
assert loaded == [], loaded
OPS[{word!r}]
assert "netspec.ops.{module}" in sys.modules and "netspec.ops.norm" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
