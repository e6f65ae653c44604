"""How long generated source is, in lines, beside `keras.applications` where that has the network.

`python benchmarks/source_lines.py [NAME…]` prints the table of docs/benchmarks.md: all lines, and in brackets those of
code alone, without blank lines, comments and docstrings. Of `keras.applications` the functions are counted that make
the network.
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
import tokenize
from collections.abc import Iterator
from importlib import import_module

from netspec.backend import Writes, capable
from netspec.loading import load

APPLICATIONS: dict[str, tuple[str, ...]] = {
    "resnet152": ("resnet", "ResNet", "residual_block_v1", "stack_residual_blocks_v1", "ResNet152"),
    "mobilenet_v2": ("mobilenet_v2", "MobileNetV2", "_inverted_res_block", "_make_divisible"),
    "inception_v3": ("inception_v3", "InceptionV3", "conv2d_bn"),
    "densenet121": (
        "densenet", "DenseNet", "dense_block", "transition_block", "conv_block", "DenseNet121",
    ),
}  # fmt: skip
"""The module and the functions that make a network."""
NETWORKS = (
    *("resnet18", "resnet50", "resnet152", "googlenet", "unet", "yolov3", "mobilenet_v2"),
    *("inception_v3", "densenet121"),
    *("segnet", "ssd300", "wavenet", "char_rnn", "seq2seq", "renet_cifar10", "reseg_camvid"),
)


def count(text: str) -> tuple[int, int]:
    """All lines, and those of code."""
    docs = set(_docstrings(ast.parse(text)))
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in QUIET and token.start[0] not in docs
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(text.strip("\n").splitlines()), len(code)


QUIET = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def _docstrings(tree: ast.AST) -> Iterator[int]:
    """The lines that docstrings take."""
    for node in ast.walk(tree):
        match node:
            case ast.Module(body=[ast.Expr(value=ast.Constant(value=str())) as first, *_]):
                yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)
            case ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str())) as first, *_]):
                yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)
            case ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str())) as first, *_]):
                yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)


def by_hand(name: str) -> tuple[int, int]:
    """The functions of `keras.applications`, together."""
    module, *functions = APPLICATIONS[name]
    found = import_module(f"keras.src.applications.{module}")
    counts = [count(inspect.getsource(getattr(found, each))) for each in functions]
    return sum(lines for lines, _ in counts), sum(code for _, code in counts)


def row(name: str) -> str:
    """A network's row."""
    graph = load(f"zoo:{name}")
    counts = [count(capable(each, Writes).source(graph).text) for each in ("torch", "keras")]
    if name in APPLICATIONS:
        counts.append(by_hand(name))
    cells = [f"{lines} ({code})" for lines, code in counts]
    functions = ", ".join(f"`{each}`" for each in APPLICATIONS.get(name, ())[1:])
    return f"| `{name}` | {' | '.join([*cells, *[''] * (3 - len(cells))])} | {functions} |"


if __name__ == "__main__":
    print(
        "| network | PyTorch | Keras | `keras.applications` | functions counted |\n| --- | --- | --- | --- | --- |"
    )
    for each in sys.argv[1:] or NETWORKS:
        print(row(each))
