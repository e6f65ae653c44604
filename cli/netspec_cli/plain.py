"""Commands in their plain form, which no parser has to read: typer takes as long as such a command.

The form of a command is its paths and those of its options that take one word, spelled as `options` declares them. All
else, such as `--help`, an option twice, or an option that is missing, is left to typer.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from netspec_cli import program

BACKEND = ("--backend", "-b")
OUT = ("--out", "-o")


class PlainForm(NamedTuple):
    """The plain form of a command.

    `module` and `work` name the function that does the work, whose result is the exit code. Each of the `options`
    has its spellings and the type of its value.
    """

    module: str
    work: str
    takes_several: bool = False
    options: Mapping[str, tuple[Sequence[str], Callable[[str], Any]]] = {}
    required: frozenset[str] = frozenset()


FORMS = {
    "check": PlainForm("netspec_cli.checking", "check_all", takes_several=True),
    "compile": PlainForm(
        "netspec_cli.compiling",
        "compile_one",
        options={"backend": (BACKEND, str), "out": (OUT, Path)},
        required=frozenset({"backend"}),
    ),
}


def plain(arguments: Sequence[str]) -> Callable[[], None] | None:
    """The program for a command line in plain form, with what it imports; None for every other command line."""
    name, *words = arguments or [""]
    form = FORMS.get(name)
    if form is None or os.name == "nt":  # there, typer also replaces `*` in words
        return None
    given = _read(words, form)
    if given is None:
        return None
    paths, options = given
    work = getattr(import_module(form.module), form.work)

    def run() -> None:
        program.collect_garbage(seldom=True)
        try:
            program.run(
                lambda: int(work(paths, **options) if form.takes_several else work(*paths, **options))
            )
        finally:
            gc.freeze()  # the process ends; the interpreter would look for garbage in all that is there

    return run


def _read(words: Sequence[str], form: PlainForm) -> tuple[list[str], dict[str, Any]] | None:
    """The paths and the values of the options; None if the words have another form."""
    named = {word: (name, kind) for name, (flags, kind) in form.options.items() for word in flags}
    paths: list[str] = []
    options: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if word in named:
            name, kind = named[word]
            value = next(rest, "")
            if not value or value.startswith("-") or name in options:
                return None
            options[name] = kind(value)
        elif word.startswith("-"):
            return None
        else:
            paths.append(word)
    complete = form.required <= options.keys() and (paths if form.takes_several else len(paths) == 1)
    return (paths, options) if complete else None
