"""`netspec ops`: lists the ops by family, or describes one op, from their classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netspec_cli.common import fail
from netspec_cli.options import Format
from netspec_cli.streams import say, say_json

if TYPE_CHECKING:
    from netspec.ops.description import FieldDescription, OpDescription
    from netspec.ops.roles import Role

WIDTH = 100


def ops(
    op: Annotated[str | None, typer.Argument(metavar="OP", help="An op. Default: list all ops.")] = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.text,
) -> None:
    """List the ops by family, or describe one op: its inputs, fields and weights."""
    from netspec.ops import FAMILIES, OPS, members
    from netspec.ops.description import describe
    from netspec.ops.words import lead
    from netspec.ops.words.ops import WORDS

    if op is not None and op not in OPS:
        found = lead(op, OPS, WORDS)
        fail(f"no op is called `{op}`: {'`netspec ops` lists them' if found is None else found.help}")
    if op is not None:
        told = describe(op)
        if format is Format.json:
            say_json(_op(told))
        else:
            say("\n".join(_page(told)))
        return
    families = {name: [describe(each.keyword) for each in members(name)] for name in FAMILIES}
    if format is Format.json:
        rows = [{"name": name, "ops": [_op(each) for each in ops]} for name, ops in families.items()]
        say_json({"families": rows})
    else:
        say("\n".join(_catalogue(families)))


def _op(told: OpDescription) -> dict[str, Any]:
    from netspec.ops.roles import FIRST

    return {
        "op": told.keyword,
        "family": told.family,
        "doc": told.doc,
        "takes": list(told.takes),
        "branches": told.merges,
        "inputs": [_role(role) for role in told.roles],
        "outputs": [FIRST, *(port.name for port in told.ports)],
        "fields": [_field(field) for field in told.fields],
        "weights": [
            {"name": each.name, "axes": each.axes, "init": str(each.init), "trainable": each.trainable}
            for each in told.weights
        ],
    }


def _role(role: Role) -> dict[str, Any]:
    return {
        "name": role.name,
        "doc": role.doc,
        "takes": list(role.takes),
        "least": role.least,
        "most": role.most,
    }


def _field(field: FieldDescription) -> dict[str, Any]:
    return {
        "name": field.name,
        "takes": field.words,
        "doc": field.doc,
        "default": field.default,
        "required": field.required,
        "main": field.main,
        "schema": field.schema,
    }


def _catalogue(families: dict[str, list[OpDescription]]) -> Iterator[str]:
    width = max(len(each.keyword) for members in families.values() for each in members)
    for family, members in families.items():
        yield family
        for each in members:
            yield f"  {each.keyword.ljust(width)}  {each.summary}"
        yield ""
    yield "`netspec ops NAME` describes one op."


def _page(told: OpDescription) -> Iterator[str]:
    from netspec.ops.description import kinds
    from netspec.ops.roles import FIRST

    yield f"{told.keyword}  ({told.family})"
    yield ""
    for paragraph in told.doc.split("\n\n"):
        yield from wrap(" ".join(paragraph.split()), WIDTH, initial_indent="  ", subsequent_indent="  ")
        yield ""
    yield f"takes    {'branches, each ' if told.merges else ''}{kinds(told.takes)}"
    if len(told.roles) > 1:
        yield from _listed("inputs", [(role.name, role.doc) for role in told.roles])
    if told.ports:
        yield from _listed(
            "outputs",
            [
                (FIRST, "The name of the layer stands for it."),
                *((each.name, each.doc) for each in told.ports),
            ],
        )
    yield from _weights(told)
    yield ""
    yield from _fields(told)


def _listed(heading: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A table of names with their descriptions."""
    width = max(len(name) for name, _ in rows)
    for name, doc in rows:
        yield f"{heading.ljust(7)}  {name.ljust(width)}  {doc}"
        heading = ""


def _weights(told: OpDescription) -> Iterator[str]:
    heading = "weights"
    if not told.weights:
        yield f"{heading}  none"
    width = max((len(each.name) for each in told.weights), default=0)
    for each in told.weights:
        kind = "measured" if each.statistic else f"starts as {each.init}"
        yield f"{heading.ljust(7)}  {each.name.ljust(width)}  {' '.join(each.axes)}  ({kind})"
        heading = ""


def _fields(told: OpDescription) -> Iterator[str]:
    if not told.fields:
        yield "fields   none"
        return
    yield "fields"
    for field in told.fields:
        facts = "required" if field.required else f"default {field.default}" if field.default else ""
        main = f"`{told.keyword}: …` sets it" if field.main else ""
        yield f"  {'   '.join(part for part in (field.name, facts, main) if part)}"
        for text in (field.doc, field.words):
            yield from wrap(
                " ".join(text.split()), WIDTH, initial_indent="      ", subsequent_indent="      "
            )
