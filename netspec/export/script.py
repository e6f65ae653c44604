"""Writes `predict.py`: a program for one trained network that prepares samples and reads answers without netspec."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from netspec.backend import Export
from netspec.data.fitting import crop_sizes
from netspec.export import pieces
from netspec.fit import Conversion
from netspec.graph import Graph
from netspec.ops.base import Meaning
from netspec.recipe import Recipe
from netspec.recipe.augmentation import RandomCrop
from netspec.recipe.data import Data
from netspec.training.answers import MOST_VALUES, AnswerOutput
from netspec.training.overlays import palette
from netspec.training.predict import BATCH, heads
from netspec.training.preparation import CannotPrepare, Fed, Preparation

KNOWN = ("unit", "mean", "std", "pad", "sample", "whiten")
"""What of a conversion the program does."""
TOP = 3
WHITENING = "whitening.npz"


@dataclass(frozen=True)
class Script:
    """All that the program of a network is made of."""

    graph: Graph
    recipe: Recipe
    preparation: Preparation
    export: Export
    dtype: str

    @property
    def settings(self) -> Data:
        """The data of the recipe."""
        data = self.recipe.data
        return Data(train=data) if isinstance(data, str) else data

    @property
    def heads(self) -> tuple[AnswerOutput, ...]:
        """The outputs."""
        return heads(self.graph, self.preparation)

    @property
    def takes(self) -> str:
        """What the program reads besides arrays: `picture`, `table`, `text`, or nothing."""
        only = [*self.preparation.inputs.values()]
        if len(only) > 1:
            return ""
        if self.settings.table is not None and only[0].columns:
            return "table"
        if self.settings.text is not None and only[0].symbols:
            return "text"
        is_picture = len(only[0].shape) == 3 and only[0].shape[0] in (1, 3)
        return "picture" if is_picture and only[0].dtype in ("uint8", "uint16") else ""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that it needs."""
        return (*self.export.packages, *(("pillow",) if self._draws or self.takes == "picture" else ()))

    @property
    def _draws(self) -> bool:
        return any(_is_mask(head) for head in self.heads)

    def whitening(self) -> bytes | None:
        """The file with the matrices of whitenings; None if there are none."""
        import numpy as np

        found = {
            f"{name}/{part}": getattr(fed.conversion.whiten, part)
            for name, fed in self.preparation.inputs.items()
            if fed.conversion is not None and fed.conversion.whiten is not None
            for part in ("mean", "matrix")
        }
        if not found:
            return None
        stream = io.BytesIO()
        np.savez(stream, **found)
        return stream.getvalue()

    @property
    def _vocabularies(self) -> dict[str, int]:
        return {each.name: each.vocabulary for each in self.graph.inputs if each.vocabulary is not None}

    def text(self) -> str:
        """The program.

        Raises:
            CannotPrepare: samples are prepared in a way that it does not know.
        """
        for name, fed in self.preparation.inputs.items():
            _require_known(name, fed.conversion)
        parts = [
            "\n".join([*self._head(), "", *self._constants()]),
            *self._reading(),
            self.preparing(),
            self.export.loading,
            *self._answering(),
            pieces.WORDS,
            pieces.MAIN.replace("{saving}\n", pieces.SAVING if self._draws else ""),
        ]
        return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"

    # The parts.

    def _head(self) -> Iterator[str]:
        options = ["[--json]", *(["[--masks]"] if self._draws else [])]
        options += ["[--resize]"] if self.takes == "picture" and self.settings.size is None else []
        what = {"picture": "pictures", "table": "tables", "text": "texts"}.get(self.takes)
        given = " and ".join(each for each in (what, "arrays (.npy, .npz)") if each)
        yield f'"""Predicts with the network `{self.graph.name}` for {given}.'
        yield ""
        yield f"Usage: python predict.py FILES... {' '.join(options)}"
        yield '"""'
        yield ""
        if self.takes == "table":
            yield "import csv"
        yield from ("import json", "import sys", "from pathlib import Path", "", "import numpy as np")
        own = [line for line in self.export.imports if "network" in line]
        yield from (line for line in self.export.imports if line not in own)
        if self.takes == "picture":
            yield "from PIL import Image, ImageOps"
        elif self._draws:
            yield "from PIL import Image"
        yield ""
        yield from own

    def _constants(self) -> Iterator[str]:
        inputs = self.preparation.inputs
        yield "HERE = Path(__file__).parent"
        yield f"BATCH, TOP = {BATCH}, {TOP}"
        yield _comment(
            "The key of each input in an .npz file, the shape of a sample, what its numbers are divided by."
        )
        yield f"INPUTS = {_literal({name: fed.key for name, fed in inputs.items()})}"
        yield f"SHAPES = {_literal({name: fed.shape for name, fed in inputs.items()})}"
        units = {
            name: _number(fed.conversion.unit) for name, fed in inputs.items() if fed.conversion is not None
        }
        yield f"UNITS = {_literal(units)}"
        if self.whitening() is not None:
            yield f'WHITENING = np.load(HERE / "{WHITENING}")'
        if self._vocabularies:
            yield f"VOCABULARIES = {_literal(self._vocabularies)}"
        for head in self.heads:
            if head.kind in ("class", "next", "mask", "steps") and not _are_bits(head):
                names = [head.classes.name(at) for at in range(head.classes.count)]
                yield f"{_constant(head)} = {_wrapped(names)}"
        if self._draws:
            count = max(head.classes.count for head in self.heads if _is_mask(head))
            yield f"PALETTE = {_wrapped(palette(min(count, 256)))}"
        table, text = self.settings.table, next(iter(inputs.values())).symbols
        if self.takes == "table" and table is not None:
            yield f"COLUMNS = {_wrapped(list(next(iter(inputs.values())).columns))}"
            yield f"SEPARATOR = {_literal(table.separator)}"
            if table.length is not None:
                yield f"LENGTH = {table.length}"
        if self.takes == "text":
            yield f"SYMBOLS = {_wrapped(list(text))}"

    def _reading(self) -> Iterator[str]:
        name, fed = next(iter(self.preparation.inputs.items()))
        lines = [
            "def samples(path):",
            '    """The samples of a file by the names of inputs, and the place of each in it."""',
        ]
        lines += [
            "    kind = path.suffix.lower()",
            '    if kind in (".npy", ".npz"):',
            "        batch = array_samples(path)",
        ]
        lines += [
            "        count = len(next(iter(batch.values())))",
            '        return batch, [f"[{at}]" if count > 1 else "" for at in range(count)]',
        ]
        table = self.settings.table
        if self.takes == "picture":
            lines += [f'    return {{"{name}": picture(path)[None]}}, [""]']
        elif self.takes == "text":
            lines += [f'    return {{"{name}": last_symbols(path)[None]}}, [""]']
        elif self.takes == "table" and table is not None:
            lines += ["    values, lines = rows(path)"]
            lines += ["    values, lines = windows(values, lines)"] if table.length is not None else []
            lines += [f'    return {{"{name}": values}}, [f":{{line}}" for line in lines]']
        else:
            lines += ['    raise ValueError("is no .npy or .npz file")']
        yield "\n".join(lines)
        if self.takes == "picture":
            deep = fed.dtype == "uint16"
            modes = pieces.MODES if self.settings.channels is None else pieces.MODES_ANY
            given = {
                "modes": pieces.MODES_DEEP if deep else modes,
                "convert": "" if deep else pieces.CONVERT,
                "resize": pieces.RESIZE_ASKED if self.settings.size is None else pieces.RESIZE,
                "dtype": str(fed.dtype),
                "name": name,
            }
            body = pieces.PICTURE.replace("of bytes", "of 16-bit numbers" if deep else "of bytes")
            for key, text in given.items():
                body = body.replace(f"{{{key}}}\n" if not text else f"{{{key}}}", text)
            yield body
        elif self.takes == "table" and table is not None:
            yield pieces.TABLE.replace("{header}", pieces.HEADER if table.header else pieces.NO_HEADER)
            if table.length is not None:
                yield pieces.WINDOWS
        elif self.takes == "text" and self.settings.text is not None:
            split = "text" if self.settings.text.unit == "characters" else "text.split()"
            yield pieces.TEXT.replace("{split}", split).replace("{name}", name)
        if self.settings.layout == "last":
            yield pieces.ARRAYS.replace(
                "samples_of(name, held if names is None else held[known[0]])",
                "samples_of(name, channels_first(name, held if names is None else held[known[0]]))",
            )
            yield pieces.LAST
        else:
            yield pieces.ARRAYS
        yield pieces.CHECK_INDICES if self._vocabularies else pieces.CHECK

    def preparing(self) -> str:
        """The function that prepares a batch."""
        lines = [
            "def prepare(name, x):",
            '    """A batch as the network takes it, prepared as in the training."""',
        ]
        inputs = list(self.preparation.inputs.items())
        for name, fed in inputs:
            body = list(self._prepared(name, fed))
            if len(inputs) == 1:
                lines += [f"    {line}" for line in body]
            else:
                lines += [f'    if name == "{name}":', *(f"        {line}" for line in body)]
        if len(inputs) > 1:
            lines.append("    raise KeyError(name)")
        return "\n".join(lines)

    def _prepared(self, name: str, fed: Fed) -> Iterator[str]:
        """The lines that prepare a batch of an input: the centre, scaling, padding, normalising, in this order."""
        conversion = fed.conversion
        if conversion is None:
            yield f'return x.astype("{self.export.index}")'
            return
        sizes = fed.shape[1:]
        for crop in self.recipe.augment:
            if isinstance(crop, RandomCrop) and crop.size is not None and len(fed.shape) > 1:
                cut = crop_sizes(crop, sizes)
                starts = [(has - size) // 2 for has, size in zip(sizes, cut, strict=True)]
                slices = ", ".join(f"{start}:{start + size}" for start, size in zip(starts, cut, strict=True))
                yield f"x = x[:, :, {slices}]"
                sizes = cut
        scale = "" if conversion.unit == 1 else f" / {_number(conversion.unit)}"
        yield f'x = x.astype("{self.dtype}"){scale}'
        axes = ", ".join(["(0, 0)"] * 2 + [f"({conversion.pad}, {conversion.pad})"] * len(fed.shape[1:]))
        padded = [f"x = np.pad(x, [{axes}])"] if conversion.pad else []
        if conversion.sample:
            yield "axes = tuple(range(1, x.ndim))"
            yield "mean, deviation = x.mean(axes, keepdims=True), x.std(axes, keepdims=True)"
        if conversion.whiten is None:
            yield from padded
        if conversion.sample:
            yield f"x = (x - mean) / np.where(deviation < {Conversion.CONSTANT}, 1, deviation).astype(x.dtype)"
        for numbers, sign in ((conversion.mean, "-"), (conversion.std, "/")):
            if numbers:
                along = f".reshape(-1, {', '.join('1' * len(fed.shape[1:]))})"
                shape = "" if len(numbers) == 1 or len(fed.shape) == 1 else along
                yield f'x = x {sign} np.array({_wrapped(list(numbers), 4)}, "{self.dtype}"){shape}'
        if conversion.whiten is not None:
            parts = (f'WHITENING["{name}/{part}"].astype("{self.dtype}")' for part in ("mean", "matrix"))
            yield f"mean, matrix = {', '.join(parts)}"
            yield "x = ((x.reshape(len(x), -1) - mean) @ matrix).reshape(x.shape)"
            yield from padded
        yield "return x"

    def _answering(self) -> Iterator[str]:
        found = {head.name: list(_answer(head)) for head in self.heads}
        text = "\n".join(line for lines in found.values() for line in lines)
        for name, piece in (
            ("softmax(", pieces.SOFTMAX),
            ("sigmoid(", pieces.SIGMOID),
            ("ranked(", pieces.RANKED),
            ("shares(", pieces.MASK),
            ("summary(", pieces.MAP),
        ):
            if name in text:
                yield piece
        for lines in found.values():
            yield "\n".join(lines)
        yield (
            f"ANSWERS = {{{', '.join(f'{_literal(head.name)}: {_function(head)}' for head in self.heads)}}}"
            + (
                f"\nMASKS = {{{', '.join(f'{_literal(h.name)}: mask_{_word(h)}' for h in self.heads if _is_mask(h))}}}"
                if self._draws
                else ""
            )
        )


def _answer(head: AnswerOutput) -> Iterator[str]:
    """The function that answers for one output."""
    if _is_mask(head):
        yield f"def mask_{_word(head)}(x):"
        yield f'    """The class of every position of `{head.name}`."""'
        yield f"    return {_indices(head)}"
        yield ""
        yield ""
    yield f"def {_function(head)}(x):"
    yield f'    """What `{head.name}` says of one sample, {head.type}."""'
    kind = f'"kind": "{head.kind}"'
    if head.kind in ("class", "next"):
        vector = "x[:, -1]" if head.kind == "next" else "x.reshape(-1)"
        what = ', "distance"' if head.reading == "nearest" else ""
        yield f"    return {{{kind}, **ranked({_shares(head, vector)}, {_constant(head)}{what})}}"
    elif _is_mask(head):
        yield f'    return {{{kind}, "shares": shares(mask_{_word(head)}(x), {_constant(head)})}}'
    elif head.kind == "steps" and not _are_bits(head):
        yield f"    indices = {_indices(head)}.tolist()"
        yield f'    return {{{kind}, "indices": indices, "names": [{_constant(head)}[at] for at in indices]}}'
    elif head.kind in ("bits", "steps"):
        yield f"    found = {_probabilities(head, 'x')}"
        yield '    return {"kind": "bits", "bits": (found > 0.5).astype(int).tolist(), "probabilities": found.tolist()}'
    elif head.kind == "box":
        yield "    left, top, right, bottom = x.reshape(-1).tolist()"
        yield f'    return {{{kind}, "left": left, "top": top, "right": right, "bottom": bottom}}'
    elif head.kind == "values" and (head.type.channels or 1) <= MOST_VALUES:
        yield f'    return {{{kind}, "values": x.reshape(-1).tolist()}}'
    else:
        numbers = _probabilities(head, "x") if head.kind == "mask" else "x"
        yield f'    return {{"kind": "map", **summary({numbers})}}'


def _is_mask(head: AnswerOutput) -> bool:
    return head.kind == "mask" and not _are_bits(head)


def _are_bits(head: AnswerOutput) -> bool:
    return head.reading == "bits" and (head.type.channels or 1) > 1


def _shares(head: AnswerOutput, vector: str) -> str:
    if head.reading == "nearest":
        return vector
    found = _probabilities(head, vector)
    return f"np.array([1 - {found}[0], {found}[0]])" if head.reading == "bits" else found


def _probabilities(head: AnswerOutput, x: str) -> str:
    double = f'{x}.astype("float64")'
    if head.meaning in (Meaning.PROBABILITIES, Meaning.INDEPENDENT):
        return double
    return f"sigmoid({double})" if head.reading == "bits" else f"softmax({double})"


def _indices(head: AnswerOutput) -> str:
    if head.reading == "nearest":
        return "x.argmin(axis=0)"
    if head.reading == "bits" and (head.type.channels or 1) == 1:
        limit = "0.5" if head.meaning is Meaning.INDEPENDENT else "0"
        return f"(x[0] > {limit}).astype(int)"
    return "x.argmax(axis=0)"


def _word(head: AnswerOutput) -> str:
    return "".join(each if each.isalnum() and each.isascii() else "_" for each in head.name)


def _function(head: AnswerOutput) -> str:
    return f"answer_{_word(head)}"


def _constant(head: AnswerOutput) -> str:
    return f"CLASSES_{_word(head).upper()}"


def _require_known(name: str, conversion: Conversion | None) -> None:
    """Refuse a conversion that the program does not do: its numbers would be wrong."""
    for each in fields(Conversion):
        if (
            conversion is not None
            and each.name not in KNOWN
            and getattr(conversion, each.name) != each.default
        ):
            raise CannotPrepare(f"`predict.py` cannot prepare `{name}`: it does not know `{each.name}`")


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _literal(value: Any) -> str:
    """A value as a formatter writes it: strings in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


def _wrapped(values: Sequence[Any], indent: int = 0) -> str:
    """A list on one line, or on several of at most 100 characters."""
    whole = _literal(list(values))
    if len(whole) <= 80:
        return whole
    lines, line = [], ""
    for each in map(_literal, values):
        if line and len(line) + len(each) > 90:
            lines.append(line.rstrip())
            line = ""
        line += f"{each}, "
    lines.append(line.rstrip())
    inner = " " * (indent + 4)
    return "[\n" + "\n".join(f"{inner}{each}" for each in lines) + "\n" + " " * indent + "]"


def _comment(text: str) -> str:
    return f"# {text}"
