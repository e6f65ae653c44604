"""`netspec arith`: the output size of a window, or the input sizes for an output size, with formulas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, NoReturn

import typer

from netspec import arithmetic
from netspec.arithmetic import Explanation, Pair
from netspec.types import AXES
from netspec_cli.form import STYLE
from netspec_cli.options import Format
from netspec_cli.streams import complain, say, say_json

app = typer.Typer(
    **STYLE, no_args_is_help=True, help="Convolution arithmetic: sizes, and the relationships that give them."
)


InputOption = Annotated[
    str | None, typer.Option("--input", "-i", metavar="SIZE", help="Input size: 224, 224x224 or 224,224.")
]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="SIZE", help="Show the input sizes that give this output size."),
]
KernelOption = Annotated[
    str, typer.Option("--kernel", "-k", metavar="NUMBERS", help="Kernel size, one number or one per axis.")
]
StrideOption = Annotated[
    str, typer.Option("--stride", "-s", metavar="NUMBERS", help="Stride, one number or one per axis.")
]
PoolStrideOption = Annotated[
    str | None,
    typer.Option(
        "--stride", "-s", metavar="NUMBERS", help="Stride, one number or one per axis; default: the kernel."
    ),
]
PaddingOption = Annotated[
    str,
    typer.Option(
        "--padding",
        "-p",
        metavar="PADS",
        help="valid, same, half, full, causal, a number or lo:hi; one for all axes or one per axis.",
    ),
]
DilationOption = Annotated[
    str, typer.Option("--dilation", "-d", metavar="NUMBERS", help="Dilation, one number or one per axis.")
]
OutputPaddingOption = Annotated[
    str | None,
    typer.Option(
        "--output-padding", "-a", metavar="NUMBERS", help="Zeros added at the end (a of relationship 14)."
    ),
]
CeilOption = Annotated[bool, typer.Option("--ceil", help="Round up: an incomplete last window counts.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write the answer.")]


@app.command()
def conv(
    kernel: KernelOption,
    input: InputOption = None,
    output: OutputOption = None,
    stride: StrideOption = "1",
    padding: PaddingOption = "valid",
    dilation: DilationOption = "1",
    format: FormatOption = Format.text,
) -> None:
    """The output size of a convolution, or with --output the input sizes that give one."""
    windows = _windows(input, output, kernel, stride, padding, dilation)
    _answer("conv", format, [_inverse(w, _input_sizes(w)) if w.inverse else _conv(w) for w in windows])


@app.command()
def pool(
    kernel: KernelOption,
    input: InputOption = None,
    output: OutputOption = None,
    stride: PoolStrideOption = None,
    padding: PaddingOption = "valid",
    dilation: DilationOption = "1",
    ceil: CeilOption = False,
    format: FormatOption = Format.text,
) -> None:
    """The output size of a pool, or with --output the input sizes that give one."""
    windows = _windows(input, output, kernel, stride or kernel, padding, dilation)
    _answer(
        "pool", format, [_inverse(w, _input_sizes(w, ceil)) if w.inverse else _pool(w, ceil) for w in windows]
    )


@app.command()
def transpose(
    kernel: KernelOption,
    input: InputOption = None,
    output: OutputOption = None,
    stride: StrideOption = "1",
    padding: PaddingOption = "valid",
    dilation: DilationOption = "1",
    output_padding: OutputPaddingOption = None,
    format: FormatOption = Format.text,
) -> None:
    """The output size of a transposed convolution, and the direct convolution that computes the same.

    The padding is that of the convolution that it transposes, so it makes the output smaller.
    """
    windows = _windows(input, output, kernel, stride, padding, dilation, output_padding, transposed=True)
    _answer("transpose", format, [_transpose_inverse(w) if w.inverse else _transpose(w) for w in windows])


# The question, per axis.


@dataclass(frozen=True, slots=True)
class AxisQuestion:
    """One axis of the question. In an inverse question, `size` is the output size, and `same` pads are unknown."""

    axis: str
    inverse: bool
    same: bool
    size: int
    kernel: int
    stride: int
    pads: Pair
    dilation: int
    output_padding: int

    @property
    def shape(self) -> tuple[int, int, Pair, int]:
        """The arguments of the arithmetic functions after the size."""
        return self.kernel, self.stride, self.pads, self.dilation


WORDS: dict[str, Callable[[int, int], Pair]] = {
    "valid": lambda kernel, dilation: (0, 0),
    "half": arithmetic.half_pads,
    "full": arithmetic.full_pads,
    "causal": arithmetic.causal_pads,
}


def _windows(
    input: str | None,
    output: str | None,
    kernel: str,
    stride: str,
    padding: str,
    dilation: str,
    output_padding: str | None = None,
    transposed: bool = False,
) -> list[AxisQuestion]:
    if (input is None) == (output is None):
        _refuse("give either --input (to get the output size) or --output (to get the input sizes)")
    word = padding.strip()
    if word == "same" and output_padding is not None:
        _refuse("`--padding same` determines the output padding: leave --output-padding out")
    size_option, size = ("--output", output or "") if input is None else ("--input", input)
    columns = _spread(
        {
            size_option: _numbers(size_option, size, smallest=1),
            "--kernel": _numbers("--kernel", kernel, smallest=1),
            "--stride": _numbers("--stride", stride, smallest=1),
            "--padding": [(0, 0)] if word == "same" or word in WORDS else _pads(padding),
            "--dilation": _numbers("--dilation", dilation, smallest=1),
            "--output-padding": _numbers("--output-padding", output_padding or "0", smallest=0),
        }
    )
    windows = [
        AxisQuestion(axis, input is None, word == "same", *column)
        for axis, column in zip(AXES[len(columns)], columns, strict=True)
    ]
    return [_with_pads(window, word, transposed) for window in windows]


def _with_pads(window: AxisQuestion, word: str, transposed: bool) -> AxisQuestion:
    if 0 < window.output_padding >= max(window.stride, window.dilation):
        _refuse(
            f"--output-padding {window.output_padding} is not below the stride {window.stride} or the dilation "
            f"{window.dilation}"
        )
    kernel, stride, dilation = window.kernel, window.stride, window.dilation
    if word in WORDS:
        return replace(window, pads=WORDS[word](kernel, dilation))
    if window.same and transposed:
        pads, output_padding = arithmetic.same_transpose_pads(kernel, stride, dilation)
        return replace(window, pads=pads, output_padding=output_padding)
    if window.same and not window.inverse:
        return replace(window, pads=arithmetic.same_pads(window.size, kernel, stride, dilation))
    return window


def _spread(given: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    longest = max(given, key=lambda option: len(given[option]))
    axes = len(given[longest])
    if axes not in AXES:
        _refuse(f"{longest} has {axes} axes; there can be at most {max(AXES)}")
    for option, values in given.items():
        if len(values) not in (1, axes):
            _refuse(
                f"{option} has {len(values)} axes, but {longest} has {axes}; one number applies to all axes"
            )
    return list(
        zip(*(values if len(values) == axes else values * axes for values in given.values()), strict=True)
    )


def _numbers(option: str, text: str, smallest: int) -> list[int]:
    return [_number(option, part, smallest) for part in _parts(text)]


def _number(option: str, text: str, smallest: int) -> int:
    if re.fullmatch(r"[0-9]{1,12}", text) is None or int(text) < smallest:
        _refuse(f"{option}: {text!r} is not a whole number from {smallest}; write 5, 5x5 or 5,5")
    return int(text)


def _pads(text: str) -> list[Pair]:
    pads = []
    for part in _parts(text):
        lo, colon, hi = part.partition(":")
        if re.fullmatch(r"[0-9]{1,12}(:[0-9]{1,12})?", part) is None:
            words = ", ".join(["same", *WORDS])
            _refuse(f"--padding: {part!r} is not one of {words}, a number or lo:hi; write 1, 1x2 or 0:1x1:1")
        pads.append((int(lo), int(hi if colon else lo)))
    return pads


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split("[x×,]", text)]


def _refuse(message: str) -> NoReturn:
    complain(f"netspec: {message}")
    raise typer.Exit(2)


# The answer, as data.


def _conv(window: AxisQuestion) -> dict[str, Any]:
    answer = _forward(window, arithmetic.explain_conv(window.size, *window.shape))
    return answer | {"output_padding": arithmetic.output_padding_for(window.size, *window.shape)}


def _pool(window: AxisQuestion, ceil: bool) -> dict[str, Any]:
    return _forward(window, arithmetic.explain_pool(window.size, *window.shape, ceil))


def _transpose(window: AxisQuestion) -> dict[str, Any]:
    what = (window.size, *window.shape, window.output_padding)
    direct = arithmetic.transposed_equivalent(*what)
    return _forward(window, arithmetic.explain_transpose(*what)) | {
        "output_padding": window.output_padding,
        "direct": {
            "kernel": direct.kernel,
            "stride": direct.stride,
            "padding": direct.pads,
            "dilation": direct.dilation,
            "stretched": direct.stretched,
            "output_padding": direct.output_padding,
        },
    }


def _transpose_inverse(window: AxisQuestion) -> dict[str, Any]:
    sizes = arithmetic.transpose_input_sizes(window.size, *window.shape, window.output_padding)
    return _inverse(window, sizes) | {"padding": window.pads, "output_padding": window.output_padding}


def _input_sizes(window: AxisQuestion, ceil: bool = False) -> range:
    if window.same:
        return arithmetic.same_input_sizes(window.size, window.stride)
    return arithmetic.input_sizes(window.size, *window.shape, ceil)


def _forward(window: AxisQuestion, explanation: Explanation) -> dict[str, Any]:
    return {
        "axis": window.axis,
        "input": window.size,
        "output": explanation.size if explanation.size > 0 else None,
        "kernel": window.kernel,
        "stride": window.stride,
        "padding": window.pads,
        "dilation": window.dilation,
        "relationship": explanation.relationship,
        "formula": explanation.formula,
        "numbers": explanation.numbers,
        "remark": explanation.remark,
    }


def _inverse(window: AxisQuestion, sizes: range) -> dict[str, Any]:
    return {
        "axis": window.axis,
        "input": {"smallest": sizes[0], "largest": sizes[-1]} if sizes else None,
        "output": window.size,
        "kernel": window.kernel,
        "stride": window.stride,
        "padding": None if window.same else window.pads,
        "dilation": window.dilation,
    }


# The answer, as text.


def _answer(operation: str, format: Format, axes: list[dict[str, Any]]) -> None:
    ok = all(axis["output"] is not None and axis["input"] is not None for axis in axes)
    if format is Format.json:
        say_json({"operation": operation, "ok": ok, "axes": axes})
    else:
        say("\n".join(_text(axes)))
    if not ok:
        raise typer.Exit(1)


def _text(axes: list[dict[str, Any]]) -> Iterable[str]:
    forward = "formula" in axes[0]
    if forward and all(axis["output"] is not None for axis in axes):
        yield "output " + "×".join(str(axis["output"]) for axis in axes)
    alike: dict[str, list[dict[str, Any]]] = {}
    for axis in axes:
        alike.setdefault(repr({**axis, "axis": ""}), []).append(axis)
    for members in alike.values():
        label = ", ".join(axis["axis"] for axis in members) + ": " if len(alike) > 1 else ""
        for line in _text_forward(members[0]) if forward else [_text_inverse(members[0])]:
            yield label + line


def _text_forward(axis: dict[str, Any]) -> Iterable[str]:
    transposed = "direct" in axis
    if axis["output"] is None and transposed:
        yield "no output: the padding removes the whole output of the transposed convolution"
    elif axis["output"] is None:
        reach, padded = (
            arithmetic.dilated(axis["kernel"], axis["dilation"]),
            axis["input"] + sum(axis["padding"]),
        )
        yield f"no output: the kernel does not fit, {reach} on a padded input of {padded}"
    yield axis["formula"]
    remark = f", {axis['remark']}" if axis["remark"] else ""
    yield f"{axis['numbers']}   [relationship {axis['relationship']}{remark}]"
    if axis["output"] is None:
        return
    if transposed:
        yield f"direct: {_direct_text(axis['direct'])}"
    elif axis.get("output_padding"):
        yield f"its transpose restores {axis['input']} with an output padding of {axis['output_padding']}"


def _direct_text(direct: dict[str, Any]) -> str:
    lo, hi = direct["padding"]
    pads = f"p' = {lo}" if lo == hi else f"p'_lo = {lo}, p'_hi = {hi}"
    dilation = f", d' = {direct['dilation']}" if direct["dilation"] > 1 else ""
    return (
        f"k' = {direct['kernel']}, s' = {direct['stride']}, {pads}{dilation}, "
        f"stretched input {direct['stretched']}, a = {direct['output_padding']}"
    )


def _text_inverse(axis: dict[str, Any]) -> str:
    sizes, output = axis["input"], axis["output"]
    if sizes is None:
        return f"no input gives an output of {output}"
    if sizes["smallest"] == sizes["largest"]:
        return f"input {sizes['smallest']} gives an output of {output}"
    return f"inputs {sizes['smallest']} to {sizes['largest']} give an output of {output}"
