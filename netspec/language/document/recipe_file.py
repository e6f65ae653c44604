"""Reads a recipe file: it names a spec, sets parameters of it, and says how it is trained."""

from __future__ import annotations

from collections.abc import Mapping as Given
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from netspec.dataclass import dataclass
from netspec.diagnostics import Problems
from netspec.diagnostics.codes import structure as codes
from netspec.language.document.declarations import Document
from netspec.language.document.fields import has_expression
from netspec.language.document.library import Library
from netspec.language.document.parameters import ParameterError, check_value
from netspec.language.document.skeleton import check_keys, entries_of_file, mapping_of
from netspec.language.reading import locations
from netspec.language.reading.values import Entry, Mapping, Scalar, Value, plain
from netspec.model import Field, Model
from netspec.ops.nearest import did_you_mean

if TYPE_CHECKING:
    from netspec.ops.words import WordTable


class RecipeSkeleton(Model):
    """The keys of a recipe file."""

    netspec: Literal[1] = Field(description="the version of the language")
    description: str = ""
    spec: str = Field(description="the spec that is trained: a path relative to this file, or `zoo:NAME`")
    set_: Any = Field(None, alias="set", description="values for parameters of the spec")
    train: Any = Field(description="the recipe, in the place of the spec's own")


@dataclass(frozen=True, slots=True)
class Trained:
    """The spec that a recipe file names, with the recipe of the file; and the values of parameters that it sets."""

    document: Document
    params: Given[str, object]


def trained(value: Value, path: Path, library: Library) -> Trained | None:
    """What a recipe file trains; None if there is no spec to train (`library.problems` says why)."""
    problems, shown = library.problems, locations.shown(path)
    entries = entries_of_file(value, problems)
    if entries is None:
        return None
    head = entries["netspec"].key_span
    # An empty key is a missing one.
    check_keys(RecipeSkeleton, "a recipe file", _filled(entries), head, problems, _words)
    train = mapping_of(entries, "train", problems)
    given = mapping_of(entries, "set", problems)
    named = entries.get("spec")
    document = None
    if named is not None and isinstance(named.value, Scalar) and isinstance(named.value.value, str):
        document = library.named(named.value, Document(shown, path, head))
    if document is None:
        _report_recipe(train, problems)
        return None
    params = {} if given is None else dict(_params(given, document, problems))
    # The document itself is changed, since its blocks find their parameters by it; this run reads its recipe only here.
    document.train = train
    if params:  # what the spec expects of itself is about its own parameters
        document.expect = None
    return Trained(document, params)


def _report_recipe(train: Mapping | None, problems: Problems) -> None:
    """Report what is wrong in the recipe, as far as it can be read without its network."""
    if train is not None and not has_expression(train):
        from netspec.language.document.recipe import state

        state(train, problems)


def _params(given: Mapping, document: Document, problems: Problems) -> list[tuple[str, object]]:
    """The values of parameters; those that the spec does not have, or cannot take, are reported."""
    known = [each.name for each in document.params]
    found = []
    for name, entry in given.entries.items():
        if name not in known:
            problems.error(
                codes.UNKNOWN_KEY,
                f"`{document.name}` has no parameter `{name}`{did_you_mean(name, known)}",
                entry.key_span,
                notes=[f"its parameters are {', '.join(f'`{each}`' for each in known)}"] if known else [],
                help=None if known else "remove it",
            )
        elif has_expression(entry.value) or _is_empty(entry):
            problems.error(
                codes.WRONG_VALUE,
                f"the value of `{name}` must be a number, a boolean, a word or a list of them",
                entry.value.span,
                help="write the value itself: a recipe file has no parameters to calculate it from",
            )
        else:
            try:
                check_value(name, plain(entry.value))
            except ParameterError as error:
                problems.error(codes.WRONG_VALUE, str(error), entry.value.span)
            else:
                found.append((name, plain(entry.value)))
    return found


def _filled(entries: dict[str, Entry]) -> dict[str, Entry]:
    return {key: entry for key, entry in entries.items() if not _is_empty(entry)}


def _words() -> WordTable:
    from netspec.language.document.words import RECIPE_FILE

    return RECIPE_FILE


def _is_empty(entry: Entry) -> bool:
    return isinstance(entry.value, Scalar) and entry.value.value is None


__all__ = ["RecipeSkeleton", "Trained", "trained"]
