"""The page of data: named sets and settings from the code, and what each format is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netspec.recipe.data import BitsData, Data, TableData, TextData
from netspec.recipe.names import EMBEDDED, MADE, SETS, NamedSet

_SEARCH = """\
netspec looks for the original files, compressed or not, in `--data-dir`, else in `$NETSPEC_DATA`, else in `netspec/`
in the user's cache; in each of them first in a folder with the name of the set. `--fetch` downloads what is missing.
A download is written to `NAME.part`, goes on where it was broken off, and gets its name only when its SHA-256 is
right. The checksums of MNIST and Fashion-MNIST are those of the uncompressed files, which are checked at every load,
wherever the file came from. Those of CIFAR, EMNIST and SVHN are the published ones of TensorFlow Datasets
(`url_checksums`), of the archive or file as it is sent; the files of an archive are listed in `netspec.sha256` when
it is unpacked, and checked against it at every load. Files that you unpacked yourself have no such list: then the
sizes, labels and numbers of samples are checked. No checksum of CamVid is published, so netspec does not fetch it."""

_FORMATS: tuple[tuple[str, str, str], ...] = (
    ("`.npz`", "arrays `train_images`, `train_labels`, `test_images`, …", "as the arrays are called"),
    (
        "folder of `.npy`",
        "the same, one file per array, mapped into memory: larger than memory is fine",
        "as the files are called",
    ),
    (
        "idx files",
        "`train-images-idx3-ubyte` and so on, plain or `.gz`; also with the prefixes of EMNIST",
        "`images`, `labels`",
    ),
    (
        "CIFAR",
        "`data_batch_1.bin` to `5`, `test_batch.bin`; `train.bin`, `test.bin`",
        "`images`, `labels`; `coarse` of CIFAR-100",
    ),
    ("SVHN", "`train_32x32.mat`, `test_32x32.mat` (MATLAB version 5)", "`images`, `labels`"),
    (
        "folder of pictures",
        "a folder per class, in `train/`, `validation/` (or `val/`) and `test/`, or at once",
        "`images`, `labels`",
    ),
    (
        "pictures with masks",
        "`train/` and `trainannot/`, or `masks` in the recipe: a mask has the name of its picture",
        "`images`, `masks`",
    ),
    (
        "pictures with a box",
        "`boxes` in the recipe: a CSV file with the columns file, left, top, right, bottom, and class",
        "`images`, `boxes`, `labels`",
    ),
    (
        "table",
        "a CSV file, or a folder with `train.csv` and others; `table` in the recipe",
        "`samples`, `targets`",
    ),
    (
        "time series",
        "a table with `length`: windows of that many rows",
        "`samples` (columns × rows), `targets`",
    ),
    (
        "text",
        "a UTF-8 file, or a folder with `train.txt` and others; `text` in the recipe",
        "`symbols`, `targets`",
    ),
    ("bits", "`train: bits`: random bits; `bits` in the recipe", "`samples`, `targets`"),
    ("Python", 'a sequence of mappings, `[{"images": …, "labels": …}, …]`', "those of the mappings"),
)

_ARRAYS = """\
An array of a part is called `PART_KEY`, with the part `train`, `validation` or `test`: `train_images`, `test_labels`.
A file without parts has only the keys: `images`, `labels`. `images`, `samples`, `inputs` and `sequences` are inputs;
`labels`, `targets`, `masks` and `boxes` are targets. `inputs` and `targets` in the recipe name other keys.

Inputs have the shape N × the shape of the network's input, channels first: N × channels × height × width for images,
N × channels × time for sequences, N × channels × depth × height × width for volumes, N × numbers for vectors. A
channel axis of size 1 can be left out. With `layout: last`, the channels are the last axis and are moved; netspec
never transposes data silently. Inputs are bytes (uint8), 16-bit numbers, other whole numbers, floats or bool. Bytes
are divided by 255 and 16-bit numbers by 65535; others are not scaled. Floats must be finite.

Labels are whole numbers from 0, one per sample (N, or N × 1), or one per pixel or step (N × the other axes). One-hot
labels, words, labels that start at 1 and labels with gaps give an error or a warning, with the line of NumPy that
numbers them from 0. Pickled objects are never loaded."""

_PICTURES = """\
Pictures need Pillow: `pip install "netspec-compiler[images]"`. They are PNG, JPEG, BMP, GIF, TIFF, WebP or PPM files,
grey (one channel), colour (three) or grey with 16 bits. The header of every picture is read before the training
starts, so a training does not end at its last picture: all have the same size, unless `size` in the recipe resizes
them (bilinear; masks by the nearest pixel; boxes are scaled). Grey and colour are not mixed, unless `channels` says
what the network gets; then transparency is dropped. A picture is turned as its camera says (EXIF). Threads decode
pictures when they are needed; a file that has vanished, or is damaged, ends the training with its name. With `size`
and `channels` both given, headers are not read before: they could not change anything, and a million of them take
minutes.

The classes are the names of the folders, sorted, or in the order of `classes`. Samples are ordered in turns: the
first picture of each class, then the second; so `train_size: 100` has all classes. A mask has one channel: the value
of a pixel is the index of its class. A box is left, top, right, bottom in pixels of the picture."""

_PARTS = """\
A set has a training part and may have a validation and a test part. `validation` and `test` in the recipe replace
them: a path, a fraction or a count. A fraction or count is taken from the training part, so that no sample is in two
parts. The choice depends only on the seed. The test part is chosen first, so it stays the same whatever the
validation part is. If there is one label per sample, each class gives its share (stratified: with few samples of a
class, a purely random part may have none). Samples of a text or a time series follow each other, so parts are cut
from its end, and the windows that share rows with the next part are left out.

`train_size`, `validation_size` and `test_size` then keep the first samples of each part."""


_CHECKED = (
    ("headers and sizes of all files", "when the set is loaded, before the memory for the content is taken"),
    ("content of idx, `.npz`, CIFAR, SVHN, tables and texts", "when the set is loaded"),
    ("checksums of named sets", "at every load"),
    (
        "values that are not finite",
        "when the set is loaded; of `.npy` files and samples from Python, when they are used",
    ),
    (
        "labels out of range",
        "when the set is loaded; of masks, when they are decoded: the message names the sample. Of a classifier "
        "without `classes`, the message compares the largest label with the outputs",
    ),
    ("pictures", "headers when the set is loaded, content when they are decoded"),
    (
        "a file that has become shorter, has vanished or was replaced",
        "when it is used: the training ends with its name",
    ),
    ("pickles", "never loaded, in no format"),
)

_LOOKING = """\
`netspec data SET` or `netspec data PATH` reads every sample once and shows the parts, shapes, types, ranges and
classes with their counts; `--format json` writes the same as data. Settings are those above: `--set validation=0.1`,
`--set "size=[64, 64]"`, `--set table.targets=price`. `--picture FILE.svg` draws ten samples, the first of each class,
with their classes, masks and boxes; `FILE.png` has the pictures only. Without a set, the command lists the named
sets.

It also shows what looks wrong: samples that cannot be read (exit code 1), labels that start at 1 or below 0, a class
without a training sample, channels that seem to be last, floats of 0 to 255, the same sample in two parts or twice in
one."""

_PYTHON = """\
`netspec.data.load(data)` returns the parts of a set: `data` is a name, a path, a `netspec.recipe.data.Data`, or a
sequence of mappings (a mapping of parts to sequences for several parts). A sample from Python is indexed when it is
needed, so a sequence can read from a database or make its samples. All samples have the keys, shapes and types of the
first one. `parts.train.take(indices)` gives a batch: an array per key."""

_NESTED = {"table": "a mapping, below", "text": "a mapping, below", "bits": "a mapping, below"}


def data_page(notice: str) -> Iterator[str]:
    """Formats, settings, parts and named sets."""
    yield "# Data"
    yield notice
    yield (
        "`data` in a recipe is the name of a set, a path, or a mapping with the settings below. A path contains a slash"
        " or a dot, and is relative to the folder of the spec."
    )
    yield (
        "```yaml\ntrain:\n  data: {train: ./animals, validation: 0.1, test: 0.1, size: [64, 64], channels: 3}\n```"
    )
    yield "## Formats"
    yield _table(("format", "what it is", "keys"), _FORMATS)
    yield "### Arrays"
    yield _ARRAYS
    yield "### Pictures"
    yield _PICTURES
    yield "## Settings"
    yield from _settings("data", Data)
    yield from _settings("table", TableData)
    yield from _settings("text", TextData)
    yield from _settings("bits", BitsData)
    yield "A setting that the format does not use is an error."
    yield "## Parts"
    yield _PARTS
    yield "## What is checked, and when"
    yield (
        "A set that is damaged or does not fit ends the command with exit code 2 and a message that names the file, the"
        " line, record or sample, what is wrong, and what to write or save."
    )
    yield _table(("what", "when"), _CHECKED)
    yield "## Looking at a set"
    yield _LOOKING
    yield "## From Python"
    yield _PYTHON
    yield "## Named sets"
    yield _table(
        ("name", "contents", "source"),
        [(f"`{name}`", _holds(known), _source(name, known)) for name, known in SETS.items()],
    )
    yield "Two sets need no file; their sizes are settings of the recipe:"
    yield _table(("name", "contents"), [(f"`{name}`", what) for name, what in MADE.items()])
    yield _SEARCH
    yield (
        "The images of EMNIST are stored transposed and turned upright here; `emnist` is its balanced split, which its"
        " authors recommend. The labels of `emnist-letters` start at 1 in the files and at 0 here. The label 10 of SVHN"
        " is the digit 0. The Python version of CIFAR consists of pickles and is refused."
    )


def _settings(
    name: str, model: type[Data] | type[TableData] | type[TextData] | type[BitsData]
) -> Iterator[str]:
    rows = []
    for key, field in model.model_fields.items():
        default = field.get_default()
        stated = (
            "required" if field.is_required() else "" if default in (None, {}) else f"`{default}`".lower()
        )
        rows.append((f"`{key}`", field.description or _NESTED.get(key, ""), stated))
    yield f"### `{name}`"
    yield " ".join((model.__doc__ or "").split())
    yield _table(("setting", "takes", "default"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _holds(known: NamedSet) -> str:
    numbers = " + ".join(f"{count:,}" for count in (known.train, known.validation, known.test) if count)
    sizes = "×".join(map(str, known.shape[1:]))
    colour = "colour" if known.shape[0] == 3 else "grey"
    return f"{numbers} {colour} images, {sizes}, {known.classes} classes"


def _source(name: str, known: NamedSet) -> str:
    if name == EMBEDDED:
        return "travels with netspec; the first images of each class of Fashion-MNIST"
    if known.archive is not None:
        return f"<{known.url}{known.archive.name}>, {known.archive.size:,} bytes"
    return f"<{known.url or known.origin}>" + (
        "" if known.fetched else "; no verified checksum, so it is not fetched"
    )
