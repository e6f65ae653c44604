"""`netspec check`: every spec below the paths is valid, its shapes fit, its `expect` holds."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from netspec.check import check_file, specs_below
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.render import REPORTS
from netspec.language.places import shown
from netspec.loading import ParameterError
from netspec_cli.common import Sets, colourful, fail, parameters, path_of
from netspec_cli.failures import WRONG_SPEC
from netspec_cli.streams import hand_over, say, say_json_text


class Format(StrEnum):
    """How the report is written."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"
    junit = "junit"


def check(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Specs, folders of specs, or zoo:NAME.")],
    format: Annotated[Format, typer.Option("--format", help="How to write the report.")] = Format.text,
    sets: Sets = None,
) -> None:
    """Check every spec below the paths: valid, shapes fit, `expect` holds. Imports no framework.

    With --set, `expect` is not checked: it speaks of the spec as written.
    """
    params = parameters(sets) or None
    found = list(dict.fromkeys(specs_below([path_of(path) for path in paths])))
    if not found:
        fail(f"no spec below {', '.join(paths)}: a spec is a .yaml file with the key `netspec`")
    report: list[tuple[str, list[Diagnostic]]] = []
    refused = []
    for path in found:
        try:
            report.append((shown(path), check_file(path, params)[1]))
        except ParameterError as error:
            refused.append(f"{shown(path)}: {error}")
    if refused:
        fail("\n".join(refused))
    if format is Format.text:
        say(_text(report))
    else:
        document = say_json_text if format in (Format.json, Format.sarif) else hand_over
        document(REPORTS[format](report))
    if any(each.severity == "error" for _, diagnostics in report for each in diagnostics):
        raise typer.Exit(WRONG_SPEC)


def _blocks(diagnostics: list[Diagnostic]) -> str:
    from netspec.diagnostics.render import as_text  # needed where there is something to say

    return as_text(diagnostics, colour=colourful())


def _text(report: list[tuple[str, list[Diagnostic]]]) -> str:
    """What is wrong, then one line that sums up."""
    blocks = [_blocks(diagnostics) for _, diagnostics in report if diagnostics]
    wrong = [path for path, diagnostics in report if any(each.severity == "error" for each in diagnostics)]
    warnings = sum(each.severity == "warning" for _, diagnostics in report for each in diagnostics)
    errors = sum(each.severity == "error" for _, diagnostics in report for each in diagnostics)
    counted = f"{len(report)} spec{'s' * (len(report) != 1)} checked: "
    more = f", {warnings} warning{'s' * (warnings != 1)}" if warnings else ""
    if not wrong:
        return "\n\n".join([*blocks, f"{counted}all hold{more}"])
    verdict = (
        f"{errors} error{'s' * (errors != 1)} in {len(wrong)} of them"
        if len(report) > 1
        else f"{errors} error{'s' * (errors != 1)}"
    )
    return "\n\n".join([*blocks, f"{counted}{verdict}{more}"])
