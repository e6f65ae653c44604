"""`netspec arith`: what may be asked, what is refused, and the exit codes."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from typer.testing import CliRunner

from netspec_cli.arith import app


def arith(command: str) -> Any:
    return CliRunner().invoke(app, shlex.split(command))


def answer(command: str) -> Any:
    result = arith(f"{command} --format json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


OUTPUTS = [
    ("conv -i 224x224 -k 7 -s 2 -p same", [112, 112]),
    ("conv -i 224,224 -k 7,7 -s 2 -p 3", [112, 112]),
    ("conv -i 224×112 -k 7 -s 2x1 -p 2:3x3:3", [112, 112]),
    ("conv -i 32 -k 3x5x7", [30, 28, 26]),
    ("conv -i 10 -k 3 -d 2 -p causal", [10]),
    ("conv -i 10 -k 4 -p half", [11]),
    ("conv -i 10 -k 4 -p full", [13]),
    ("conv -i 10 -k 4 -p valid", [7]),
    ("pool -i 5 -k 2", [2]),
    ("pool -i 5 -k 2 --ceil", [3]),
    ("pool -i 5 -k 2 -s 1", [4]),
    ("pool -i 5 -k 3 -p same", [2]),
    ("transpose -i 3 -k 3 -s 2 -p 1 -a 1", [6]),
    ("transpose -i 3x5 -k 3 -s 2x3 -p same", [6, 15]),
]


@pytest.mark.parametrize(("command", "sizes"), OUTPUTS, ids=[command for command, _ in OUTPUTS])
def test_output(command: str, sizes: list[int]) -> None:
    assert [axis["output"] for axis in answer(command)["axes"]] == sizes


INPUTS = [
    ("conv -o 3 -k 3 -s 2 -p 1", [(5, 6)]),
    ("conv -o 112x7 -k 7 -s 2 -p same", [(223, 224), (13, 14)]),
    ("pool -o 3 -k 2 --ceil", [(5, 6)]),
    ("transpose -o 6 -k 3 -s 2 -p 1 -a 1", [(3, 3)]),
    ("transpose -o 6 -k 3 -s 2 -p same", [(3, 3)]),
]


@pytest.mark.parametrize(("command", "ranges"), INPUTS, ids=[command for command, _ in INPUTS])
def test_input(command: str, ranges: list[tuple[int, int]]) -> None:
    found = [axis["input"] for axis in answer(command)["axes"]]
    assert found == [{"smallest": smallest, "largest": largest} for smallest, largest in ranges]


def test_json_holds_all_that_the_text_says() -> None:
    assert answer("transpose -i 3 -k 3 -s 2 -p 1 -a 1") == {
        "netspec": 1,
        "operation": "transpose",
        "ok": True,
        "axes": [
            {
                "axis": "time",
                "input": 3,
                "output": 6,
                "kernel": 3,
                "stride": 2,
                "padding": [1, 1],
                "dilation": 1,
                "output_padding": 1,
                "relationship": 14,
                "formula": "o' = s·(i' − 1) + a + k − 2p",
                "numbers": "o' = 2·(3 − 1) + 1 + 3 − 2·1 = 6",
                "remark": "",
                "direct": {
                    "kernel": 3,
                    "stride": 1,
                    "padding": [1, 1],
                    "dilation": 1,
                    "stretched": 5,
                    "output_padding": 1,
                },
            }
        ],
    }


NO_ANSWER = [
    ("conv -i 4 -k 5", "[relationship 6]"),
    ("conv -i 4x9 -k 3 -d 2x4", "height: no output: the kernel does not fit, 5 on a padded input of 4"),
    ("pool -i 2 -k 5", "[relationship 7]"),
    ("transpose -i 1 -k 3 -p 2", "no output: the padding removes the whole output"),
    ("transpose -o 7 -k 2 -s 2", "no input gives an output of 7"),
    ("conv -o 1 -k 1 -p 3", "no input gives an output of 1"),
]


@pytest.mark.parametrize(("command", "text"), NO_ANSWER, ids=[command for command, _ in NO_ANSWER])
def test_no_answer_exits_1_with_the_reason(command: str, text: str) -> None:
    result = arith(command)
    assert result.exit_code == 1
    assert text in result.stdout
    told = arith(f"{command} --format json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["ok"] is False


WRONG = [
    (
        "conv -k 3",
        "netspec: give either --input (to get the output size) or --output (to get the input sizes)",
    ),
    (
        "conv -k 3 -i 5 -o 5",
        "netspec: give either --input (to get the output size) or --output (to get the input sizes)",
    ),
    ("conv -i five -k 3", "netspec: --input: 'five' is not a whole number from 1; write 5, 5x5 or 5,5"),
    ("conv -i '' -k 3", "netspec: --input: '' is not a whole number from 1; write 5, 5x5 or 5,5"),
    ("conv -i 5 -k 0", "netspec: --kernel: '0' is not a whole number from 1; write 5, 5x5 or 5,5"),
    ("conv -i 5 -k 3 -s -1", "netspec: --stride: '-1' is not a whole number from 1; write 5, 5x5 or 5,5"),
    ("conv -i 5 -k 1e2", "netspec: --kernel: '1e2' is not a whole number from 1; write 5, 5x5 or 5,5"),
    ("conv -i 5 -k ٣", "netspec: --kernel: '٣' is not a whole number from 1; write 5, 5x5 or 5,5"),
    ("conv -i 5xx5 -k 3", "netspec: --input: '' is not a whole number from 1; write 5, 5x5 or 5,5"),
    (
        "conv -i 5x5 -k 3x3x3",
        "netspec: --input has 2 axes, but --kernel has 3; one number applies to all axes",
    ),
    ("conv -i 5x5x5x5 -k 3", "netspec: --input has 4 axes; there can be at most 3"),
    (
        "conv -i 5 -k 3 -p some",
        "netspec: --padding: 'some' is not one of same, valid, half, full, causal, a number or lo:hi; "
        "write 1, 1x2 or 0:1x1:1",
    ),
    (
        "conv -i 5 -k 3 -p 1:2:3",
        "netspec: --padding: '1:2:3' is not one of same, valid, half, full, causal, a number or lo:hi; "
        "write 1, 1x2 or 0:1x1:1",
    ),
    (
        "transpose -i 5 -k 3 -s 2 -a 2",
        "netspec: --output-padding 2 is not below the stride 2 or the dilation 1",
    ),
    (
        "transpose -i 5 -k 3 -p same -a 0",
        "netspec: `--padding same` determines the output padding: leave --output-padding out",
    ),
]


@pytest.mark.parametrize(("command", "message"), WRONG, ids=[command for command, _ in WRONG])
def test_a_wrong_question_exits_2_with_one_line(command: str, message: str) -> None:
    result = arith(command)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    "command", ["conv -i 5", "conv -i 5 -k 3 --format xml", "fold -i 5", "conv -i 5 -k 3 --ceil"]
)
def test_what_typer_refuses_exits_2_too(command: str) -> None:
    assert arith(command).exit_code == 2


def test_a_convolution_names_the_output_padding_that_undoes_it() -> None:
    assert "its transpose restores 6 with an output padding of 1" in arith("conv -i 6 -k 3 -s 2 -p 1").stdout
    assert "transpose" not in arith("conv -i 5 -k 3 -s 2 -p 1").stdout
