"""Map files: YAML with the tensors of others for our weights, read strictly, and written as a form to fill in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from netspec.diagnostics import Problems
from netspec.diagnostics.codes.files import WEIGHTS_MAP
from netspec.diagnostics.failure import SpecError
from netspec.diagnostics.span import Span
from netspec.language.reading import source, values
from netspec.ops.nearest import did_you_mean
from netspec.weights.held import Held, Place
from netspec.weights.layout import in_words
from netspec.weights.matching import Match, Row


def read(path: Path, held: Held, places: Sequence[Place]) -> Match:
    """The match that a map file states.

    Raises:
        SpecError: the file is wrong; it has every problem with its place.
    """
    problems = Problems()
    value = source.read_file(path, problems)
    rows: dict[str, Row] = {}
    if value is not None and not isinstance(value, values.Mapping):
        problems.error(
            WEIGHTS_MAP,
            "a map of weights is a mapping of our names to those of the file",
            value.span,
            help="write a line for each weight, such as `conv1.weight: features.0.weight`",
        )
    elif value is not None:
        rows = _rows(value, held, places, problems)
    if problems.errors:
        raise SpecError(problems.in_order())
    used = {name for row in rows.values() for name in row.theirs}
    surplus = tuple(name for name in held.tensors if name not in used)
    return Match(tuple(rows[place.weight] for place in places), "by the map", surplus)


def _rows(value: values.Mapping, held: Held, places: Sequence[Place], problems: Problems) -> dict[str, Row]:
    known = {place.weight: place for place in places}
    rows: dict[str, Row] = {}
    taken: dict[str, tuple[str, int | None]] = {}
    for name, entry in value.entries.items():
        place = known.get(name)
        if place is None:
            free = [each for each in known if each not in value.entries] or list(known)
            problems.error(
                WEIGHTS_MAP,
                f"the network has no weight `{name}`{did_you_mean(name, free)}",
                entry.key_span,
                help="`netspec weights import SPEC FILE --map-template MAP` writes a map with all names",
            )
            continue
        theirs = _theirs(entry.value, place, held, problems)
        for each, span in theirs:
            first, part = taken.setdefault(each, (name, place.part))
            if first != name and (part is None or place.part is None or part == place.part):
                problems.error(
                    WEIGHTS_MAP,
                    f"`{each}` is the tensor of `{first}` and of `{name}`",
                    span,
                    help="a tensor of the file is one weight; remove one of the two",
                )
        if theirs:
            rows[name] = Row(place, tuple(each for each, _ in theirs))
    if missing := [name for name in known if name not in value.entries]:
        some = ", ".join(f"`{name}`" for name in missing[:6]) + ("" if len(missing) < 7 else ", …")
        problems.error(
            WEIGHTS_MAP,
            f"{len(missing)} weight{'s' * (len(missing) > 1)} of the network {'are' if len(missing) > 1 else 'is'} "
            f"missing: {some}",
            value.span,
            help="add a line for each",
        )
    return rows


def _theirs(value: values.Value, place: Place, held: Held, problems: Problems) -> list[tuple[str, Span]]:
    """The names in one line of a map, with their places in the text."""
    items = value.items if isinstance(value, values.Listing) else (value,)
    most = 2 if place.added is not None else 1
    if not 1 <= len(items) <= most:
        takes = "one tensor, or a list of two biases that are added" if most == 2 else "one tensor"
        problems.error(WEIGHTS_MAP, f"`{place.weight}` takes {takes}", value.span, help="name it")
        return []
    found = []
    for item in items:
        if not isinstance(item, values.Scalar) or item.text == "" or item.value is None:
            problems.error(
                WEIGHTS_MAP,
                f"`{place.weight}` has no tensor yet",
                item.span,
                help="write the name of a tensor of the file; `netspec weights show FILE` lists them",
            )
            continue
        shape = held.tensors[item.text].shape if item.text in held.tensors else None
        if shape is None:
            problems.error(
                WEIGHTS_MAP,
                f"the file has no tensor `{item.text}`{did_you_mean(item.text, list(held.tensors))}",
                item.span,
                help="`netspec weights show FILE` lists its tensors",
            )
        elif shape != place.shape:
            how = f" ({place.how})" if place.how else ""
            problems.error(
                WEIGHTS_MAP,
                f"`{item.text}` is {in_words(shape)}, and `{place.weight}` needs {in_words(place.shape)}{how}",
                item.span,
                help="name a tensor of this shape",
            )
        else:
            found.append((item.text, item.span))
    return found if len(found) == len(items) else []


def template(places: Sequence[Place], candidates: Mapping[str, Sequence[str]], held: Held) -> str:
    """A map to fill in: a line for each weight, with the tensor if only one is possible, else with all in a comment."""
    certain = [(place, candidates.get(place.weight, ())) for place in places]
    counted = Counter((names[0], place.part) for place, names in certain if len(names) == 1)
    lines = [
        "# ours: theirs. Fill in the empty lines; `netspec weights import SPEC FILE --map` reads this file."
    ]
    used = set()
    for place, names in certain:
        head = f"{_quoted(place.weight)}:"
        if len(names) == 1 and counted[names[0], place.part] == 1:
            lines.append(f"{head} {_quoted(names[0])}")
            used.add(names[0])
        elif names:
            shown = " | ".join(names[:8]) + (f" | … {len(names) - 8} more" if len(names) > 8 else "")
            lines.append(f"{head}  # {in_words(place.shape)}: {_shown(shown)}")
        else:
            lines.append(f"{head}  # {in_words(place.shape)}: no tensor of the file fits")
    left = [name for name in held.tensors if name not in used]
    lines += ["", "# Tensors of the file that are not above:"] if left else []
    lines += [f"#   {_shown(name)}: {in_words(held.tensors[name].shape)}" for name in left]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """A name as a key or value of YAML."""
    plain = name.replace(".", "").replace("_", "").replace("/", "").replace("-", "")
    is_plain = plain.isascii() and plain.isalnum() and name[0].isalpha() and name.lower() not in _WORDS
    return name if is_plain else json.dumps(name)


_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
