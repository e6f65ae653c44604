"""Edits that make a mutant of a text: of its signs, words and lines, and of the data that it stands for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from netspec.diagnostics import Problems
from netspec.language.reading.source import read
from netspec.language.reading.values import plain
from netspec.writing.emit import emit

Edit = Callable[[random.Random, str], str]
Data = Any

WORDS = (
    *(
        "null",
        "~",
        '""',
        "''",
        "[]",
        "{}",
        "-1",
        "0",
        "1",
        "2",
        "1e400",
        "1e-400",
        ".nan",
        "-.inf",
        "true",
        "1.5",
    ),
    *(
        "9" * 18,
        "9223372036854775807",
        "4611686018427387904",
        "200000",
        "65536",
        "0x10",
        "012",
        "2024-01-01",
        "1e308",
    ),
    *(
        '"${stem.channels}"',
        '"${stage.index}"',
        '"${stage.0.height}"',
        '"${unit.count}"',
        '"${loop.state.height}"',
    ),
    *("{h: state}", "{x: x}", "loop.state", "stage.*", "conv1", "[stem, []]", "[y, state]"),
    *('"é"', "名前", "${", "$", "$x", '"${1 // 0}"', '"${in.channels}"', '"${index}"', '"${9 ** 9 ** 9}"'),
    *('"${block.in.__class__}"', '"${[1] * 99}"', "$classes", "[1, [2, [3]]]", "{a: {b: c}}", "x" * 300),
    *("[[relu]]", "[relu]", "relu", "conv", "zoo:lenet5", "../../etc/passwd", "*", "a.b.*", '"\\0"', "'a b'"),
    *("same", "[1, 2, 3, 4, 5]", "[[0, 1], [1, 0]]", "&a [*a]", "*a", "&a 1", "!!python/object:os.system x"),
    *(
        "from",
        "repeat",
        "when",
        "else",
        "share",
        "trainable",
        "carry",
        "outputs",
        "activation",
        "like",
        "name",
        "layers",
        "branches",
        "heads",
        "network",
    ),
    *("inputs", "params", "blocks", "include", "defaults", "expect", "train", "until", "class", "True", "\\"),
    *(
        "<<",
        "---",
        "...",
        "%YAML 1.1",
        "#",
        "|",
        ">",
        "? a",
        ": b",
        "- c",
        "\t",
        "${a\u2028b}",
        "\x00",
        "\x07",
    ),
)
SIGNS = "abz019 -:,.[]{}\"'$#&*!|>%@\t\\é\u2028\u2029\x85\r\n\x0b\x0c\x00\x07\ufeff\u200b\U0001f600名"
_PIECE = re.compile(r"[A-Za-z_$][\w.]*|\d+|[^\w\s]|\n *|\s")
_VALUE = re.compile(r"(?<=: )[^,{}\[\]\n]+|(?<=[\[ ])[\w$.]+(?=[,\]])")
_KEY = re.compile(r"\w+(?=:)")

NUMBERS = (0, 1, 2, 3, 7, -1, 2**31, 2**40, 2**62, 2**63 - 1, 1.5, 1e300, 1e-300, 0.0)
VALUES: tuple[Data, ...] = (
    *NUMBERS,
    *(
        None,
        True,
        False,
        "",
        "a",
        "same",
        "relu",
        "True",
        "${in.channels}",
        "${index + 1}",
        "${stem.channels}",
        "${stage.index + unit.count}",
        "$classes",
        "${1 / 3}",
        "stem",
        "conv1",
    ),
    *(
        [],
        {},
        [1],
        [1, 1],
        [[1, 2], [3, 4]],
        {"relu": None},
        ["relu"],
        [["relu"], []],
        {"a": 1},
        {"h": "state"},
        {"x": "x", "h": "h"},
        ["y", "state"],
        ["stem", []],
        "\u2028",
        "a\nb",
    ),
)
KEYS = (
    *(
        "name",
        "from",
        "repeat",
        "when",
        "else",
        "share",
        "trainable",
        "carry",
        "layers",
        "branches",
        "params",
        "inputs",
        "outputs",
        "like",
    ),
    *(
        "conv",
        "add",
        "concat",
        "dense",
        "network",
        "kernel",
        "padding",
        "stride",
        "filters",
        "init",
        "activation",
    ),
    *(
        "expect",
        "train",
        "heads",
        "blocks",
        "defaults",
        "include",
        "unit",
        "",
        "until",
        "axis",
        "size",
        "factor",
    ),
)


# Of the text


def _lines(edit: Callable[[random.Random, list[str]], None]) -> Edit:
    def edited(draw: random.Random, text: str) -> str:
        lines = text.split("\n")
        edit(draw, lines)
        return "\n".join(lines)

    return edited


def _drop(draw: random.Random, lines: list[str]) -> None:
    del lines[draw.randrange(len(lines))]


def _double(draw: random.Random, lines: list[str]) -> None:
    at = draw.randrange(len(lines))
    lines.insert(at, lines[at])


def _swap(draw: random.Random, lines: list[str]) -> None:
    a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _move(draw: random.Random, lines: list[str]) -> None:
    line = lines.pop(draw.randrange(len(lines)))
    lines.insert(draw.randrange(len(lines) + 1), line)


def _indent(draw: random.Random, lines: list[str]) -> None:
    at = draw.randrange(len(lines))
    lines[at] = "  " + lines[at] if draw.random() < 0.5 else lines[at].removeprefix("  ")


def _beside(draw: random.Random, lines: list[str]) -> None:
    """Put a key beside an item."""
    items = [at for at, line in enumerate(lines) if line.lstrip().startswith("- ")]
    if items:
        at = draw.choice(items)
        indent = " " * (len(lines[at]) - len(lines[at].lstrip()) + 2)
        if ":" not in lines[at]:
            lines[at] += ":"
        lines.insert(at + 1, f"{indent}{draw.choice(KEYS)}: {draw.choice(WORDS)}")


def _many(draw: random.Random, lines: list[str]) -> None:
    """One line again and again: as many problems, or as many layers."""
    at = draw.randrange(len(lines))
    lines[at:at] = [lines[at]] * draw.choice((20, 150, 2000))


def _alias(draw: random.Random, text: str) -> str:
    """A value gets an anchor, and others are it."""
    places = list(_VALUE.finditer(text))
    if not places:
        return text
    first, *others = sorted(
        draw.sample(places, min(len(places), draw.choice((2, 3)))), key=lambda each: each.start()
    )
    for found in reversed(others):
        text = text[: found.start()] + "*q" + text[found.end() :]
    return text[: first.start()] + "&q " + text[first.start() :]


def _sign(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice(["", draw.choice(SIGNS)]) + text[at + draw.choice([0, 1]) :]


def _cut(draw: random.Random, text: str) -> str:
    """Take a stretch away, or what follows it."""
    at = draw.randrange(len(text) + 1)
    return text[:at] + (text[at + draw.randrange(1, 40) :] if draw.random() < 0.8 else "")


def _pieces(draw: random.Random, text: str) -> str:
    """Change, lose, add or swap words."""
    pieces = _PIECE.findall(text) or [""]
    at, other = draw.randrange(len(pieces)), draw.randrange(len(pieces))
    change = draw.randrange(5)
    if change == 0:
        pieces[at] = draw.choice(WORDS)
    elif change == 1:
        del pieces[at]
    elif change == 2:
        pieces.insert(at, draw.choice(pieces))
    elif change == 3:
        pieces[at], pieces[other] = pieces[other], pieces[at]
    else:
        pieces[at] = pieces[other]
    return "".join(pieces)


def _replaced(pattern: re.Pattern[str], others: tuple[str, ...]) -> Edit:
    def edited(draw: random.Random, text: str) -> str:
        places = list(pattern.finditer(text))
        if not places:
            return text
        found = draw.choice(places)
        return text[: found.start()] + draw.choice(others) + text[found.end() :]

    return edited


# Of the data: a place in it is a container and a key


def _places(data: Data) -> list[tuple[Data, Any]]:
    found: list[tuple[Data, Any]] = []
    stack = [data]
    while stack:
        inside = stack.pop()
        keys = inside.keys() if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            found.append((inside, key))
            if isinstance(inside[key], dict | list):
                stack.append(inside[key])
    return found


def _on_data(edit: Callable[[random.Random, Data], None]) -> Edit:
    def edited(draw: random.Random, text: str) -> str:
        value = read(text, "mutant.yaml", Problems())
        data = None if value is None else plain(value)
        if not isinstance(data, dict) or not data:
            return text
        for _ in range(draw.choice((1, 1, 2))):
            if _places(data):
                edit(draw, data)
        return laid_out(draw, data)

    return edited


def _put(draw: random.Random, data: Data) -> None:
    """Another value."""
    inside, key = draw.choice(_places(data))
    old = inside[key]
    numbers = isinstance(old, int | float) and draw.random() < 0.7
    inside[key] = plain_copy(draw.choice(NUMBERS if numbers else VALUES))


def _near(draw: random.Random, data: Data) -> None:
    """A number a little larger or smaller: many such specs are still right."""
    places = [(inside, key) for inside, key in _places(data) if type(inside[key]) in (int, float)]
    if places:
        inside, key = draw.choice(places)
        inside[key] = draw.choice((inside[key] + 1, inside[key] - 1, inside[key] * 2, inside[key] // 2 or 1))


def _copy(draw: random.Random, data: Data) -> None:
    """What stands in one place, in another one."""
    places = _places(data)
    (inside, key), (other, name) = draw.choice(places), draw.choice(places)
    copied = plain_copy(other[name])
    if isinstance(inside, list) and draw.random() < 0.6:
        inside.insert(key, copied)
    else:
        inside[key] = copied


def _lose(draw: random.Random, data: Data) -> None:
    inside, key = draw.choice(_places(data))
    del inside[key]


def _rename(draw: random.Random, data: Data) -> None:
    places = [(inside, key) for inside, key in _places(data) if isinstance(inside, dict)]
    if places:
        inside, key = draw.choice(places)
        others = [name for each, name in places if each is not inside]
        value = inside.pop(key)
        inside[draw.choice(KEYS) if not others or draw.random() < 0.5 else draw.choice(others)] = value


def _add(draw: random.Random, data: Data) -> None:
    """A key or an item that was not there."""
    inside, key = draw.choice(_places(data))
    if isinstance(inside, dict):
        inside[draw.choice(KEYS)] = plain_copy(draw.choice(VALUES))
    else:
        inside.insert(key, plain_copy(draw.choice(VALUES)))


def _wrap(draw: random.Random, data: Data) -> None:
    """A value inside a list, a group, a repeat."""
    inside, key = draw.choice(_places(data))
    value = inside[key]
    inside[key] = draw.choice(
        (
            [value],
            [value, plain_copy(value)],
            {"layers": [value]},
            {"layers": [value], "repeat": draw.choice((0, 1, 2, 3, 50))},
            {"add": [[value], []]},
            {"a": value},
        )
    )


def _items(data: Data) -> list[tuple[Data, Any]]:
    """The places of items: what stands in a list, and is a word or a mapping."""
    return [
        (inside, key)
        for inside, key in _places(data)
        if isinstance(inside, list) and isinstance(inside[key], str | dict)
    ]


def _order(draw: random.Random, data: Data) -> None:
    """Two items change places, or one stands twice."""
    if places := _items(data):
        inside, key = draw.choice(places)
        other = draw.randrange(len(inside))
        if draw.random() < 0.5:
            inside[key], inside[other] = inside[other], inside[key]
        else:
            inside.insert(other, plain_copy(inside[key]))


def _repeat(draw: random.Random, data: Data) -> None:
    """An item gets a key that many items may have."""
    if places := _items(data):
        inside, key = draw.choice(places)
        item = inside[key] if isinstance(inside[key], dict) else {inside[key]: None}
        keys: tuple[tuple[str, Data], ...] = (
            *(("repeat", 2), ("repeat", 3), ("name", "fresh"), ("trainable", False), ("when", True)),
            *(("name", "conv1"), ("carry", {"h": "state"}), ("carry", {"h": "h"})),
        )
        counts = (("repeat", 20), ("repeat", 3000), ("repeat", 50_000), ("repeat", 2**63 - 1))
        name, value = draw.choice(counts if draw.random() < 0.1 else keys)
        inside[key] = {**item, name: value}


def _chain(draw: random.Random, data: Data) -> None:
    """Parameters that hold each other, and one of them somewhere."""
    params = data.get("params")
    params = data["params"] = dict(params) if isinstance(params, dict) else {}
    params["c0"] = draw.choice((1, 2.5, [1, 2], "a", "${c9}"))
    for number in range(1, draw.choice((3, 12, 40))):
        last = f"c{number - 1}"
        params[f"c{number}"] = draw.choice(
            (f"${last}", [f"${last}"] * 2, f"${{{last} * {last}}}", f"${{{last} + 1}}")
        )
    inside, key = draw.choice(_places(data))
    inside[key] = "$" + draw.choice(list(params))


def _big(draw: random.Random, data: Data) -> None:
    """A number that is far too large, or just large enough to hurt what counts up to it."""
    places = [(inside, key) for inside, key in _places(data) if type(inside[key]) in (int, float)]
    if places:
        inside, key = draw.choice(places)
        inside[key] = draw.choice(
            (10**6, 10**9, 2**31 - 1, 2**40, 10**12, 2**53, 2**62, 2**63 - 1, 1e38, 1e39, 1e308)
        )


def _field(draw: random.Random, data: Data) -> None:
    """A field of an op as another place has it: 3 becomes `same`, or a list."""
    places = [(inside, key) for inside, key in _places(data) if isinstance(inside, dict)]
    if places:
        inside, key = draw.choice(places)
        others = [each[name] for each, name in places if name == key and each is not inside]
        if others:
            inside[key] = plain_copy(draw.choice(others))
        elif isinstance(inside[key], int) and inside[key] is not True:
            inside[key] = [inside[key]] * 2


def plain_copy(data: Data) -> Data:
    """A copy that shares nothing."""
    if isinstance(data, dict):
        return {key: plain_copy(value) for key, value in data.items()}
    return [plain_copy(value) for value in data] if isinstance(data, list) else data


def laid_out(draw: random.Random, data: Data) -> str:
    """Data as YAML, in blocks or in braces by chance."""
    return "\n".join(_block(draw, data, "")) + "\n"


def _block(draw: random.Random, data: Data, indent: str) -> list[str]:
    """The lines of a mapping or a list that is not empty."""
    lines: list[str] = []
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        lead = f"{emit(key)}:" if isinstance(data, dict) else "-"
        if not isinstance(value, dict | list) or not value or draw.random() < 0.3:
            lines.append(f"{indent}{lead} {emit(value)}")
            continue
        inner = _block(draw, value, indent + "  ")
        if isinstance(data, dict):
            lines += [f"{indent}{lead}", *inner]
        else:
            lines += [f"{indent}{lead} {inner[0].lstrip(' ')}", *inner[1:]]
    return lines


TEXT_EDITS: tuple[Edit, ...] = (
    *map(_lines, (_drop, _double, _swap, _move, _indent, _beside, _many)),
    *(_sign, _cut, _pieces, _pieces, _alias),
    *(_replaced(_VALUE, WORDS), _replaced(_VALUE, WORDS), _replaced(_KEY, KEYS)),
)
DATA_EDITS: tuple[Edit, ...] = tuple(
    map(_on_data, (_put, _put, _near, _big, _big, _copy, _lose, _rename, _add, _wrap, _chain))
)


GENTLE_EDITS: tuple[Edit, ...] = tuple(map(_on_data, (_near, _near, _near, _field, _field, _order, _repeat)))
"""After these many specs still hold."""


def mutated(draw: random.Random, text: str) -> str:
    """The text after a few edits."""
    edits = draw.choice((TEXT_EDITS, DATA_EDITS, GENTLE_EDITS))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 5))):
        text = draw.choice(edits)(draw, text)
    return text
