"""The JSON schema of a spec, for editors: generated from the skeleton of a document, the op classes and the recipe.

It is permissive where a schema cannot know (names of blocks, values of expressions) and strict for everything else:
keys, fields, words, bounds. Only `netspec check` checks everything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from functools import cache

from netspec.expectations import FORMS
from netspec.language.document.item import RESERVED
from netspec.language.document.recipe import AUGMENT, CHOICES, METRIC
from netspec.language.document.recipe_file import RecipeSkeleton
from netspec.language.document.settings import Family
from netspec.language.document.skeleton import BlockSkeleton, HeadSkeleton, InputSkeleton, Skeleton
from netspec.language.document.usage import NETWORK_KEYS
from netspec.model import Model
from netspec.ops import OPS
from netspec.ops.description import FieldDescription, Schema, describe, inlined
from netspec.recipe import CheckpointInterval, EarlyStop, Group, Normalise, Recipe
from netspec.recipe.data import BitsData, Data, TableData, TextData

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WORD = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}
LONG = 120
"""Schemas with a longer text are defined once and referenced."""
PATH = {"type": "string", "minLength": 1}


def schema() -> Schema:
    """The JSON schema (draft 2020-12) of a spec, of a file of blocks, or of a recipe file."""
    recipe = _keys(RecipeSkeleton, {"set": _map(_VALUE), "train": _ref("train")})
    return {
        "$schema": DIALECT,
        "title": "netspec",
        "description": "A neural network (netspec, version 1 of the language).",
        "type": "object",
        "properties": {**recipe, **_keys(Skeleton, _SPEC)},
        "required": ["netspec"],
        "additionalProperties": False,
        "if": {"required": ["spec"]},
        "then": {"required": ["train"], "propertyNames": {"enum": list(recipe)}},
        "else": {
            # A file with blocks and without layers is for other specs to include.
            "if": {"required": ["blocks"], "not": {"required": ["layers"]}},
            "then": {"propertyNames": {"enum": ["netspec", "blocks", "defaults", "description"]}},
            "else": {
                "propertyNames": {"enum": list(_keys(Skeleton, {}))},
                "required": ["name", "layers"],
                "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
            },
        },
        "$defs": _definitions(),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _any(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _list(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items, **more}


def _map(values: Schema, names: Schema = WORD) -> Schema:
    return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": values}


def _keys(model: type[Model], known: dict[str, Schema]) -> dict[str, Schema]:
    """The keys of a skeleton, each with its description from there and with its schema from here."""
    described = model.model_json_schema()["properties"]
    keys: dict[str, Schema] = {}
    for key, own in described.items():
        plain = {name: value for name, value in own.items() if name not in ("title", "default")}
        keys[key] = {**plain, **known.get(key, {})}
    return keys


def _closed(model: type[Model], known: dict[str, Schema], required: Iterable[str] = ()) -> Schema:
    return {
        "type": "object",
        "properties": _keys(model, known),
        "required": list(required),
        "additionalProperties": False,
    }


_VALUE = _ref("value")
_ITEMS = _ref("items")
_SIZES = _list(_any({"type": "integer", "minimum": 1}, PATH), maxItems=4)
_SHAPE = _any(_ref("expression"), {**_SIZES, "minItems": 1})
_SHAPE_OF_INDICES = _any(_ref("expression"), _SIZES)
"""One whole number per sample has no axes: `{shape: [], vocabulary: 21}`."""
_VOCABULARY = _any(_ref("expression"), {"type": "integer", "minimum": 1})
_BRANCHES = _list(_any(PATH, _ITEMS))
_NAMES = _any(PATH, _list(PATH, minItems=1))

_SPEC: dict[str, Schema] = {
    "name": WORD,
    "params": _map(_VALUE),
    "input": _ref("input"),
    "inputs": {**_map(_ref("input")), "minProperties": 1},
    "defaults": _ref("defaults"),
    "blocks": _ref("blocks"),
    "layers": _ITEMS,
    "heads": _map(_ref("head")),
    "expect": _ref("expect"),
    "train": _ref("train"),
}
_BESIDE: dict[str, Schema] = {
    "name": {**WORD, "description": "the name of the layer, for `from`, `share` and `expect`"},
    "from": {**_NAMES, "description": "the input in place of the previous layer: a name, or several"},
    "repeat": {
        **_any(_ref("expression"), {"type": "integer", "minimum": 0}),
        "description": "the number of repetitions",
    },
    "when": {
        **_any(_ref("expression"), {"type": "boolean"}),
        "description": "a condition; the item is left out if it is false",
    },
    "else": {"$ref": "#/$defs/items", "description": "items to use if `when` is false"},
    "share": {**PATH, "description": "the name of an earlier layer or block whose weights it uses"},
    "trainable": {**_any(_ref("expression"), {"type": "boolean"}), "description": "false: not trained"},
    "carry": {
        **_map(PATH),
        "type": "object",
        "minProperties": 1,
        "description": "for each further input of a repeated item the output that it takes from the repetition before",
    },
}


def _definitions() -> dict[str, Schema]:
    scalar: Schema = {"type": ["number", "boolean", "string", "null"]}
    return {
        "expression": {"type": "string", "pattern": "\\$", "description": "`$name`, or `${…}` to calculate"},
        "value": _any(scalar, _list(_ref("value"))),
        "input": _any(
            _SHAPE,
            _closed(InputSkeleton, {"shape": _SHAPE_OF_INDICES, "vocabulary": _VOCABULARY}, ["shape"]),
        ),
        "defaults": {
            "type": ["object", "null"],
            "properties": {keyword: _ref(f"{keyword}.fields") for keyword in OPS},
            "additionalProperties": False,
        },
        "blocks": {**_map(_ref("block")), "properties": {"include": _NAMES}},
        "block": _closed(
            BlockSkeleton,
            {
                "params": _map(_VALUE),
                "inputs": _any(WORD, _list(WORD)),
                "outputs": {
                    **_NAMES,
                    "description": "its layers that are its outputs; the first is the output of a call",
                },
                "layers": _ITEMS,
            },
            ["layers"],
        ),
        "head": _any(PATH, _closed(HeadSkeleton, {"from": PATH, "layers": _ITEMS}, ["layers"])),
        "items": _list(_ref("item")),
        "item": _any({**PATH, "examples": list(OPS)}, _ref("call")),
        "call": _call(),
        "network": _any(
            PATH,
            {
                "type": "object",
                "properties": dict(zip(NETWORK_KEYS, (PATH, _map(_VALUE), PATH, PATH), strict=True)),
                "required": ["spec"],
                "additionalProperties": False,
            },
        ),
        "expect": _expect(),
        "train": _train(),
        **{name: _open(json.loads(form)) for form, name in _common().items()},
        **{f"{keyword}.fields": _fields(keyword) for keyword in OPS},
        **{keyword: _op(keyword) for keyword in OPS},
    }


def _call() -> Schema:
    """An item that is a mapping: one op, network, group or block of any name, and the keys beside it."""
    calls = [*OPS, "network", "layers"]
    called = {keyword: _ref(keyword) for keyword in (*OPS, "network")}
    return {
        "type": "object",
        "properties": {**called, "layers": {**_ITEMS, "description": "a group of items"}, **_BESIDE},
        "propertyNames": WORD,
        # Blocks: `netspec check` checks their parameters.
        "additionalProperties": _any(_VALUE, _map(_VALUE)),
        "not": {"propertyNames": {"enum": list(RESERVED)}},
        "oneOf": [
            *({"required": [keyword]} for keyword in calls),
            {"not": {"anyOf": [{"required": [keyword]} for keyword in calls]}},
        ],
        "dependentRequired": {"else": ["when"], "carry": ["repeat"]},
    }


def _op(keyword: str) -> Schema:
    """The schema of the value of an op: nothing, its fields, only its main field, or its branches."""
    told = describe(keyword)
    main = [_form(field) for field in told.fields if field.main]
    branches = [_BRANCHES] if told.merges else []
    return {"description": told.doc, **_any({"type": "null"}, *branches, *main, _ref(f"{keyword}.fields"))}


def _fields(keyword: str) -> Schema:
    told = describe(keyword)
    fields = {field.name: {**_form(field), "description": _about(field)} for field in told.fields}
    if told.merges:
        fields["branches"] = {
            **_BRANCHES,
            "description": "a list of branches, each a list of items or a name",
        }
    # No field is required: the `defaults` of the file can set it.
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _form(field: FieldDescription) -> Schema:
    """The schema of a field: inline, or a reference to a common schema."""
    name = _common().get(_key(field))
    return _open(field.schema) if name is None else _ref(name)


def _key(field: FieldDescription) -> str:
    return json.dumps(field.schema, sort_keys=True)


@cache
def _common() -> dict[str, str]:
    """Long schemas that several fields have in common (paddings, initialisers), with names."""
    fields = [field for keyword in OPS for field in describe(keyword).fields if len(_key(field)) > LONG]
    counts = Counter(_key(field) for field in fields)
    named: dict[str, str] = {}
    for field in fields:
        if counts[_key(field)] > 1 and _key(field) not in named:
            taken = sum(name.startswith(f"a.{field.name}") for name in named.values())
            named[_key(field)] = f"a.{field.name}" + (f".{taken + 1}" if taken else "")
    return named


def _about(field: FieldDescription) -> str:
    default = "" if field.default is None else f" (default {field.default})"
    return f"{field.doc} Takes {field.words}{default}.".strip()


def _open(schema: Schema) -> Schema:
    """The schema of a field, in which any value can be an expression instead."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [*(_open(each) for each in schema["anyOf"]), _ref("expression")]}
    if schema.get("type") == "object":
        named = {name: _open(each) for name, each in schema.get("properties", {}).items()}
        return {**schema, "properties": named}
    if schema.get("type") == "array":
        return _any({**schema, "items": _open(schema.get("items", {}))}, _ref("expression"))
    if schema.get("type") in ("integer", "number", "boolean") or "enum" in schema or "const" in schema:
        return _any(schema, _ref("expression"))
    return schema


def _expect() -> Schema:
    """The schema of `expect`: shapes by name, exact numbers, upper limits."""
    count = _any({"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9][0-9_]*$|\\$"})
    amount = _any({"type": "number", "minimum": 0}, {"type": "string", "pattern": "^[0-9]|\\$"})
    known = {key: amount if key.startswith("max_") else count for key in FORMS}
    known |= {"output": _any(_SHAPE, _map(_SHAPE)), "layers": _map(_SHAPE, names={})}
    return {"type": ["object", "null"], "properties": known, "additionalProperties": False}


def _train() -> Schema:
    """The schema of the recipe. A setting that takes a list also takes one value."""
    named = {key: _chosen(family) for key, family in CHOICES.items()}
    several = {"augment": _chosen(AUGMENT), "metrics": _chosen(METRIC), "groups": _settings(Group)}
    parts = {"table": _settings(TableData), "text": _settings(TextData), "bits": _settings(BitsData)}
    settings = {
        **_settings_of(Recipe, skip={*named, *several, "losses", "normalise", "stop", "checkpoint", "data"}),
        **named,
        **{key: _any(each, {"type": "array", "items": each}) for key, each in several.items()},
        "losses": {"type": "object", "additionalProperties": named["loss"]},
        "normalise": _any({"enum": ["measured", "sample"]}, _settings(Normalise)),
        "stop": _settings(EarlyStop),
        "checkpoint": _settings(CheckpointInterval),
        "data": _any({"type": "string"}, _settings(Data, parts)),
    }
    return {"type": ["object", "null"], "properties": settings, "additionalProperties": False}


def _settings_of(model: type[Model], skip: Collection[str] = ()) -> Schema:
    """The schemas of the settings of a model, but for those that have another form in a spec."""
    whole = model.model_json_schema()
    own = {
        key: inlined(each, whole.get("$defs", {}))
        for key, each in whole["properties"].items()
        if key not in skip
    }
    return {key: _lone(_open(each)) for key, each in own.items()}


def _settings(model: type[Model], parts: Schema | None = None) -> Schema:
    """The schema of a mapping of settings; `parts` are those with a schema of their own."""
    own = {**_settings_of(model, skip=parts or ()), **(parts or {})}
    return {"type": ["object", "null"], "properties": own, "additionalProperties": False}


def _lone(schema: Schema) -> Schema:
    if schema.get("type") == "object":
        return {**schema, "properties": {name: _lone(each) for name, each in schema["properties"].items()}}
    parts = [each["items"] for each in schema.get("anyOf", ()) if each.get("type") == "array"]
    return {**schema, "anyOf": [*schema["anyOf"], *parts]} if parts else schema


def _chosen(family: Family) -> Schema:
    """A name, or a name with its settings or with the value of its main setting."""
    named: dict[str, Schema] = {}
    for name, model in family.members.items():
        settings = {**_settings(model), "description": (model.__doc__ or name).partition("\n")[0]}
        named[name] = settings if model.main is None else _any(settings, settings["properties"][model.main])
    one = {"type": "object", "properties": named, "additionalProperties": False}
    return _any({"enum": list(named)}, {**one, "minProperties": 1, "maxProperties": 1}, _ref("expression"))
