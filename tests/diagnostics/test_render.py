"""The renderers: carets stand under what they mean, and every format is what its readers expect."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest

from netspec.diagnostics import Code, Diagnostic, Span, SpecError
from netspec.diagnostics.render import as_github, as_json, as_junit, as_sarif, as_text

KERNEL = Code("NS0301", "a kernel that does not fit", "Kernels fit their input.")
UNUSED = Code("NS0199", "a layer that nothing uses", "Nothing uses it.")

LENET = "\n" * 12 + "  - max_pool: 2\n  - conv: {filters: 120, kernel: 5}\n"
MISFIT = Diagnostic(
    KERNEL,
    "the kernel does not fit: 5×5 on a padded input of 4×4",
    Span("specs/lenet5.yaml", 14, 34, 14, 35),
    ("the input is 16@4×4 (from line 13), padding 0, so o = ⌊(4 + 2·0 − 5)/1⌋ + 1 = 0   [relationship 6]",),
    "use `kernel: 4`, or `padding: same`",
)
WARNING = Diagnostic(UNUSED, "nothing uses `relu1`", Span("a.yaml", 2, 5, 2, 9), severity="warning")


def test_text_is_as_the_design_shows_it() -> None:
    assert as_text([MISFIT], {"specs/lenet5.yaml": LENET}) == (
        "error[NS0301]: the kernel does not fit: 5×5 on a padded input of 4×4\n"
        "  --> specs/lenet5.yaml:14:34\n"
        "   |\n"
        "14 |   - conv: {filters: 120, kernel: 5}\n"
        "   |                                  ^\n"
        "   = note: the input is 16@4×4 (from line 13), padding 0, so o = ⌊(4 + 2·0 − 5)/1⌋ + 1 = 0"
        "   [relationship 6]\n"
        "   = help: use `kernel: 4`, or `padding: same`"
    )


def test_several_stand_apart() -> None:
    text = as_text([WARNING, WARNING], {"a.yaml": "\n  - relu\n"})
    first, second = text.split("\n\n")
    assert first == second
    assert text.startswith(
        "warning[NS0199]: nothing uses `relu1`\n --> a.yaml:2:5\n  |\n2 |   - relu\n  |     ^^^^\n"
    )


def carets(line: str, column: int, end_column: int, end_line: int = 1) -> tuple[str, str]:
    """The source line and the line of carets below it, as rendered."""
    found = Diagnostic(KERNEL, "x", Span("a.yaml", 1, column, end_line, end_column))
    rows = as_text([found], {"a.yaml": line + "\nnext line\n"}).splitlines()
    return rows[3].removeprefix("1 |").removeprefix(" "), rows[4].removeprefix("  | ")


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


@pytest.mark.parametrize(
    ("line", "marked", "shown"),
    [
        ("name: value", "value", "name: value"),
        ("\tname: value", "value", "    name: value"),
        ("a\tb: value\t", "value", "a    b: value"),
        ("名前: value", "value", "名前: value"),
        ("name: 値段 x", "値段", "name: 値段 x"),
        ("e\u0301te\u0301: value", "value", "e\u0301te\u0301: value"),
        ("bell\x07: \x1b[31m value", "value", "bell\ufffd: \ufffd[31m value"),
    ],
)
def test_the_caret_stands_under_the_value(line: str, marked: str, shown: str) -> None:
    start = line.index(marked)
    source, below = carets(line, start + 1, start + 1 + len(marked))
    assert source == shown
    assert cells(source[: source.index(marked)]) == below.index("^")
    assert below.count("^") == cells(marked)


def test_no_width_is_one_caret_and_several_lines_mark_the_first() -> None:
    assert carets("filters:", 9, 9)[1] == " " * 8 + "^"
    assert carets("ab: {c: 1,  ", 5, 3, end_line=2)[1] == "    ^^^^^^"
    assert carets("short", 90, 95)[1] == "     ^"


def test_a_long_line_is_cut_around_the_value() -> None:
    line = "x" * 5000 + "VALUE" + "y" * 5000
    source, below = carets(line, 5001, 5006)
    assert len(source) < 130
    assert source.index("VALUE") == below.index("^")
    assert source[0] == source[-1] == "…"
    assert len(carets(line, 1, 10_000)[1]) < 130


def test_the_source_is_read_when_it_is_not_given(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("\ufeffname: é\n", encoding="utf-8")
    text = as_text([Diagnostic(KERNEL, "x", Span(str(path), 1, 7, 1, 8))])
    assert text.endswith("1 | name: é\n  |       ^")


@pytest.mark.parametrize("file", ["zoo:lenet5", "no/such/file.yaml", ".", "nul\0byte", "half\udc80"])
def test_without_a_source_there_is_no_excerpt(file: str) -> None:
    text = as_text([Diagnostic(KERNEL, "x", Span(file, 3, 7, 3, 8), ("why",))])
    assert text.count("|") == 0
    assert text.encode()
    assert text.splitlines()[1].startswith(" --> ")


def test_a_line_beyond_the_end_has_no_excerpt() -> None:
    assert as_text([Diagnostic(KERNEL, "x", Span("a", 9, 1, 9, 2))], {"a": "b\n"}).count("|") == 0


def test_a_problem_of_the_whole_file_has_no_excerpt() -> None:
    assert (
        as_text([Diagnostic(KERNEL, "x", Span("a", 1, 1, 1, 1))], {"a": "b\n"})
        == "error[NS0301]: x\n --> a:1:1"
    )


def test_nothing_that_a_spec_quotes_steers_the_terminal() -> None:
    hostile = Diagnostic(KERNEL, "\x1b[2J\x07\ud800", Span("\x1b]0;x", 1, 1, 1, 2), ("\r\x9b",), "\x00")
    text = as_text([hostile], {"\x1b]0;x": "\x1b[2J"})
    assert all(each == "\n" or each.isprintable() for each in text)
    assert text.encode()


def test_colour_adds_escapes_and_nothing_else() -> None:
    import re

    plain = as_text([MISFIT, WARNING], {"specs/lenet5.yaml": LENET})
    coloured = as_text([MISFIT, WARNING], {"specs/lenet5.yaml": LENET}, colour=True)
    assert "\x1b[" not in plain
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_the_exception_reads_as_the_text() -> None:
    assert str(SpecError([MISFIT])) == as_text([MISFIT])


REPORT = [("specs/lenet5.yaml", [MISFIT]), ("a.yaml", [WARNING]), ("clean.yaml", [])]


def test_json() -> None:
    told = json.loads(as_json(REPORT))
    assert told["netspec"] == 1
    assert [(file["path"], file["ok"]) for file in told["files"]] == [
        ("specs/lenet5.yaml", False),
        ("a.yaml", True),
        ("clean.yaml", True),
    ]
    assert told["files"][0]["diagnostics"] == [
        {
            "code": "NS0301",
            "severity": "error",
            "message": MISFIT.message,
            "file": "specs/lenet5.yaml",
            "line": 14,
            "column": 34,
            "end_line": 14,
            "end_column": 35,
            "notes": list(MISFIT.notes),
            "help": MISFIT.help,
        }
    ]
    assert told["files"][1]["diagnostics"][0]["help"] is None


def test_json_can_always_be_written() -> None:
    odd = Diagnostic(KERNEL, "\ud800\x1b", Span("half\udc80", 1, 1, 1, 1))
    assert json.loads(as_json([("half\udc80", [odd])]).encode())["files"][0]["path"] == "half\udc80"


def test_github() -> None:
    odd = Diagnostic(KERNEL, "100 %\nof: it", Span("a,b:c.yaml", 2, 1, 3, 4), help="mend")
    assert as_github([*REPORT, ("a,b:c.yaml", [odd])]).splitlines() == [
        "::error file=specs/lenet5.yaml,line=14,endLine=14,col=34,endColumn=34,"
        "title=NS0301%3A a kernel that does not fit"
        f"::{MISFIT.message}%0A{MISFIT.notes[0]}%0Ahelp: {MISFIT.help}",
        "::warning file=a.yaml,line=2,endLine=2,col=5,endColumn=8,title=NS0199%3A a layer that nothing uses"
        "::nothing uses `relu1`",
        "::error file=a%2Cb%3Ac.yaml,line=2,endLine=3,title=NS0301%3A a kernel that does not fit"
        "::100 %25%0Aof: it%0Ahelp: mend",
    ]
    assert as_github([("clean.yaml", [])]) == ""


def test_sarif() -> None:
    told = json.loads(as_sarif(REPORT))
    assert told["version"] == "2.1.0"
    (run,) = told["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["NS0199", "NS0301"]
    assert [result["level"] for result in run["results"]] == ["error", "warning"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "specs/lenet5.yaml"}
    assert place["region"] == {"startLine": 14, "startColumn": 34, "endLine": 14, "endColumn": 35}


@pytest.mark.parametrize(
    ("file", "uri"),
    [("a b.yaml", "a%20b.yaml"), ("/x/é.yaml", "file:///x/%C3%A9.yaml"), ("zoo:lenet5", "zoo:lenet5")],
)
def test_sarif_names_files_by_uri(file: str, uri: str) -> None:
    found = Diagnostic(KERNEL, "x", Span(file, 1, 1, 1, 1))
    result = json.loads(as_sarif([(file, [found])]))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_junit() -> None:
    hostile = Diagnostic(KERNEL, '<a & "b">\x00\x1b\ufffe', Span("x<y.yaml", 1, 1, 1, 1))
    root = ElementTree.fromstring(as_junit([*REPORT, ("x<y.yaml", [hostile])]))
    (suite,) = root
    assert suite.attrib["tests"] == "4"
    assert suite.attrib["failures"] == "2"
    assert [case.attrib["name"] for case in suite] == [
        "specs/lenet5.yaml",
        "a.yaml",
        "clean.yaml",
        "x<y.yaml",
    ]
    assert [[part.tag for part in case] for case in suite] == [["failure"], ["system-out"], [], ["failure"]]
    assert suite[0][0].text == as_text([MISFIT])
    assert suite[0][0].attrib["type"] == "NS0301"
    assert '<a & "b">' in suite[3][0].attrib["message"]
