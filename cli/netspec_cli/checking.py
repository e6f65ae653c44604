"""The work of `netspec check`, without its command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from netspec.below import look
from netspec.check import checked
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.render import REPORTS
from netspec.language.reading import locations
from netspec.loading import ParameterError
from netspec_cli.common import colourful, fail, path_of, show
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.streams import hand_over, say, say_json_text

if TYPE_CHECKING:
    from netspec.graph import Graph

    Taker = Callable[[Graph | None, Sequence[Diagnostic]], list[Diagnostic]]


def check_all(
    paths: Sequence[str],
    format: str = "text",
    params: Mapping[str, object] | None = None,
    backends: Sequence[str] = (),
) -> int:
    """Check every spec below the paths, and print the report; return the exit code."""
    found = look(path_of(path) for path in paths)
    if not found.specs:
        show(each for remarks in found.remarks.values() for each in remarks)
        others = f" ({_counted(found.others, 'YAML file')} without it)" if found.others else ""
        fail(f"no spec below {', '.join(paths)}: a spec is a .yaml file with the key `netspec`{others}")
    report = {locations.shown(path): remarks for path, remarks in found.remarks.items()}
    takers = _takers(backends)
    kinds, refused = [], []
    for path in found.specs:
        try:
            kind, graph, diagnostics = checked(path, params)
        except ParameterError as error:
            refused.append(f"{locations.shown(path)}: {error}")
        else:
            kinds.append(kind)
            diagnostics += [each for takes in takers for each in takes(graph, diagnostics)]
            report[locations.shown(path)] = diagnostics
    if refused:
        fail("\n".join(refused))
    counts = {
        "specs": kinds.count("spec"),
        "recipes": kinds.count("recipe"),
        "blocks": kinds.count("blocks"),
        "others": found.others,
        "linked_folders": found.links,
        "skipped_folders": found.skipped,
        "unreadable_folders": found.unreadable,
    }
    whole = sorted(report.items()) if found.folders else list(report.items())
    if format == "text":
        say(_text(whole, counts, found.folders > 0))
    elif format == "json":
        from netspec.diagnostics.render.json import as_json

        say_json_text(as_json(whole, counts))
    else:
        document = say_json_text if format == "sarif" else hand_over
        document(REPORTS[format](whole))
    wrong = any(each.severity == "error" for _, diagnostics in whole for each in diagnostics)
    return WRONG_SPEC if wrong else 0


def _takers(names: Sequence[str]) -> list[Taker]:
    """For each backend, a function that gives its refusals of a valid graph; unknown names are reported first."""
    if not names:
        return []
    from netspec.backend import Backend, Trains, capable
    from netspec.diagnostics import Problems
    from netspec.refusals import refusals

    def taker(name: str) -> Taker:
        chosen = capable(name, Backend)

        def refused(graph: Graph | None, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
            if graph is None or any(each.severity == "error" for each in diagnostics):
                return []
            found = refusals(graph, chosen)
            recipe = None if graph.train is None else graph.train.recipe
            if recipe is None or not isinstance(chosen, Trains):
                return found
            from netspec.training.obeyed import check_obeyed

            problems = Problems()
            check_obeyed(graph, recipe, chosen, problems)
            return found + problems.in_order()

        return refused

    return [taker(name) for name in dict.fromkeys(names)]


def _blocks(diagnostics: list[Diagnostic]) -> str:
    from netspec.diagnostics.render import as_text  # needed only for diagnostics

    return as_text(diagnostics, colour=colourful())


def _text(report: list[tuple[str, list[Diagnostic]]], counts: dict[str, int], searched: bool) -> str:
    """The diagnostics, followed by a summary line: the numbers of files of each kind, and the verdict."""
    blocks = [_blocks(diagnostics) for _, diagnostics in report if diagnostics]
    wrong = [path for path, diagnostics in report if any(each.severity == "error" for each in diagnostics)]
    warnings = sum(each.severity == "warning" for _, diagnostics in report for each in diagnostics)
    errors = sum(each.severity == "error" for _, diagnostics in report for each in diagnostics)
    checked = [_counted(counts["specs"], "spec")] if counts["specs"] else []
    checked += [_counted(counts["recipes"], "recipe")] if counts["recipes"] else []
    checked += [_counted(counts["blocks"], "file", " of blocks")] if counts["blocks"] else []
    # If a report was cut off, the count of errors is a minimum.
    cut = any(each.code.id == "NS0025" for _, diagnostics in report for each in diagnostics)
    verdict = "all hold" if not wrong else ("at least " if cut else "") + _counted(errors, "error")
    unread = counts["unreadable_folders"]
    if wrong and len(report) > 1 and not unread:
        verdict += f" in {len(wrong)} of them" if len(wrong) < len(report) else " in all of them"
    more = f", {_counted(warnings, 'warning')}" if warnings else ""
    more += f"; {_counted(counts['others'], 'other YAML file')}" if searched else ""
    if counts["linked_folders"]:
        more += f"; {_counted(counts['linked_folders'], 'linked folder')} not followed"
    if counts["skipped_folders"]:
        more += f"; {_counted(counts['skipped_folders'], 'hidden or installed folder')} not searched"
    closed = f", {_counted(unread, 'folder')} cannot be read" if unread else ""
    return "\n\n".join([*blocks, f"{_listed(checked)} checked{closed}: {verdict}{more}"])


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _counted(count: int, name: str, more: str = "") -> str:
    return f"{count or 'no'} {name}{'s' * (count != 1)}{more}"
