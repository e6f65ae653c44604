"""Describes an op in words and as JSON schema, from its class: for `netspec ops`, the docs and editors."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from netspec.model import Invalid
from netspec.ops import FAMILY_OF, OPS
from netspec.ops.base import Misfit, Op, Weight
from netspec.ops.initializers import Initializer
from netspec.ops.roles import Port, Role
from netspec.types import Type, Windows

Schema = dict[str, Any]

# Inputs on which an op is tried to find out which it takes; its class does not say so.
PROBES: dict[str, Type] = {
    "a vector": Type(4),
    "1-D": Type(8, (8,)),
    "2-D": Type(4, (8, 8)),
    "3-D": Type(4, (8, 8, 8)),
    "indices": Type(None, (8,), "int", vocabulary=16),
}


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """A field as in a spec. `default` is written as in a spec; None: the field is required, or unset."""

    name: str
    words: str
    doc: str
    default: str | None
    required: bool
    main: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class OpDescription:
    """An op as in a spec. `takes` names the kinds of input; `weights` are those for the input with the most axes."""

    keyword: str
    family: str
    summary: str
    doc: str
    fields: tuple[FieldDescription, ...]
    takes: tuple[str, ...]
    weights: tuple[Weight, ...]
    roles: tuple[Role, ...]
    ports: tuple[Port, ...]
    merges: bool


@cache
def describe(keyword: str) -> OpDescription:
    """The description of the op with this keyword."""
    op = OPS[keyword]
    doc = inspect.getdoc(op) or ""
    fields = tuple(_fields(op))
    tried = dict(_tried(op, fields))
    weights = max(tried.values(), key=lambda each: sum(len(w.shape) for w in each), default=())
    return OpDescription(
        keyword,
        FAMILY_OF[keyword],
        doc.partition("\n")[0],
        doc,
        fields,
        tuple(tried),
        weights,
        op.inputs,
        op.ports,
        op.merges,
    )


def inputs(described: OpDescription) -> str:
    """What an op takes, in words: one tensor, branches, or several inputs by name."""
    what = kinds(described.takes)
    if described.merges:
        return f"branches, or `from: [a, b]`; each {what}"
    if len(described.roles) == 1:
        return what
    listed = [f"`{role.name}`: {role.doc.rstrip('.')}" for role in described.roles]
    names = ", ".join(role.name for role in described.roles)
    return f"`from: [{names}]`, {what}. {'. '.join(listed)}"


def kinds(takes: tuple[str, ...]) -> str:
    """The kinds of input in words: `a vector, or a map with 1, 2 or 3 spatial axes`."""
    ranks = [kind[0] for kind in takes if kind.endswith("-D")]
    named = [kind for kind in takes if not kind.endswith("-D")]
    axes = f"a map with {_choice(ranks)} spatial ax{'i' if ranks == ['1'] else 'e'}s" if ranks else ""
    return ", or ".join([*named[:1], *([axes] if axes else []), *named[1:]])


def _fields(op: type[Op]) -> Iterator[FieldDescription]:
    schema = op.model_json_schema()
    properties, definitions = schema.get("properties", {}), schema.get("$defs", {})
    docs = _docs(op)
    # Required fields come first, then the others in the order of the class.
    names = sorted(op.model_fields, key=lambda name: not op.model_fields[name].is_required())
    for name in names:
        if name in op.resolved_only:
            continue
        field, own = op.model_fields[name], inlined(properties[name], definitions)
        form, default = words(own), None if field.is_required() else field.get_default()
        # An unset field shows a default only if a spec can contain `none` for it.
        shown = None if default is None and "`none`" not in form else in_yaml(default)
        required = field.is_required()
        yield FieldDescription(
            name, form, docs.get(name, ""), None if required else shown, required, name == op.main, own
        )
    for name, sizes in op.likes.items():
        doc = f"The name of a layer; its sizes become the `{sizes}`."
        schema = {"type": "string", "description": "the name of a layer, or names joined by dots"}
        yield FieldDescription(name, schema["description"], doc, None, False, False, schema)


def inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema of one field: references replaced, titles, defaults and `null` removed."""
    if isinstance(schema, list):
        return [inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return inlined({**definitions[schema["$ref"].rpartition("/")[2]], **rest}, definitions)
    kept = {
        key: inlined(value, definitions) for key, value in schema.items() if key not in ("title", "default")
    }
    # `null` means that a field is unset; a spec cannot contain it.
    parts = [each for each in kept.get("anyOf", ()) if each != {"type": "null"}]
    if len(parts) == 1:
        return {**{key: value for key, value in kept.items() if key != "anyOf"}, **parts[0]}
    return {**kept, "anyOf": parts} if parts else kept


def words(schema: Schema) -> str:
    """The values that a field takes, in words."""
    if "description" in schema:
        return str(schema["description"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(words(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return _choice([f"`{in_yaml(each)}`" for each in schema["enum"]])
    if "const" in schema:
        return f"`{in_yaml(schema['const'])}`"
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _bounds(schema)
    if kind == "array":
        return f"a list, each element {words(schema['items'])}" if "items" in schema else "a list"
    return {"boolean": "`true` or `false`", "string": "a word", "object": "a mapping"}.get(
        str(kind), "a value"
    )


def _choice(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _bounds(schema: Schema) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    parts = [
        f"from {in_yaml(low)}" if low is not None else f"above {in_yaml(above)}" if above is not None else "",
        f"to {in_yaml(high)}" if high is not None else f"below {in_yaml(below)}" if below is not None else "",
    ]
    limits = ", ".join(part for part in parts if part).replace(", to", " to")
    return f" {limits}" if limits else ""


def in_yaml(value: object) -> str:
    """A value as written in a spec."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}".replace("e-0", "e-")
    if isinstance(value, Initializer):
        return _initializer(value)
    if isinstance(value, Op):
        return value.keyword
    if isinstance(value, tuple | list):
        return in_yaml(value[0]) if len(value) == 1 else f"[{', '.join(map(in_yaml, value))}]"
    return str(value)


def _initializer(init: Initializer) -> str:
    settings = ", ".join(f"{name}: {in_yaml(number)}" for name, number in init.settings)
    return f"{init.kind}: {{{settings}}}" if settings else init.kind


def _docs(op: type[Op]) -> dict[str, str]:
    """The docstring of each field, from the class and its bases; pydantic would read them at import, which is slow."""
    docs: dict[str, str] = {}
    for cls in reversed(op.__mro__):
        if not issubclass(cls, Op) or cls is Op:
            continue
        tree = ast.parse(dedent(inspect.getsource(cls)))
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, below in pairwise(body):
            name = _field(field)
            if name is not None and _is_text(below):
                assert isinstance(below, ast.Expr)
                docs[name] = inspect.cleandoc(ast.literal_eval(below.value))
    return docs


def _field(statement: ast.stmt) -> str | None:
    """The field that a statement of a class defines; one whose name is a word of Python's is put in by its name."""
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Assign(targets=[ast.Subscript(ast.Name("__annotations__"), ast.Constant(str(name)))]):
            return name
    return None


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _tried(op: type[Op], fields: tuple[FieldDescription, ...]) -> Iterator[tuple[str, tuple[Weight, ...]]]:
    """The kinds of input that the op takes, each with the weights for this input."""
    required = {field.name: example(field.schema) for field in fields if field.required}
    # Even without required fields, one of several can be needed, and a default can be too large for a probe.
    main = {field.name: example(field.schema) for field in fields if field.main}
    for kind, type_ in PROBES.items():
        inputs = tuple(_probe(role, type_) for role in op.inputs for _ in range(role.least))
        for values in (required, {**required, **main}, {**required, **op.sample(type_)}):
            try:
                resolved = op.model_validate(values).resolve(inputs)
                resolved.outputs(inputs)
            except (Misfit, Invalid):
                continue
            yield kind, resolved.weights(inputs)
            break


def _probe(role: Role, type_: Type) -> Type:
    """What an op is tried on in this role, beside what the first role is tried on."""
    if role.takes != ("positions",) or not type_.spatial:
        return type_
    twos = (2,) * len(type_.spatial)
    sizes = tuple(2 * size for size in type_.sizes)
    windows = Windows(sizes, twos, twos, ((0, 0),) * len(twos), (1,) * len(twos))
    return Type(type_.channels, type_.spatial, "int", windows)


def example(schema: Schema) -> object:
    """The simplest value that a schema allows."""
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [example(schema.get("items", {}))] * int(schema.get("minItems", 1))
    if schema.get("type") == "integer":
        return schema.get("minimum", 1)
    if schema.get("type") == "number":
        return float(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
    return {"boolean": True, "object": {}}.get(str(schema.get("type")), "a")
