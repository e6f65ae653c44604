"""The named data sets: their contents, the source of their files, and the checksums."""

from __future__ import annotations

from pathlib import Path

from netspec.dataclass import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One original file: its name without `.gz`, and the SHA-256 of its uncompressed content."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NamedData:
    """A named data set. `files` are its idx files: training images, labels, test images, labels.

    The embedded set has no such files; it is part of the package. `url` ends in a slash; files there end in `.gz`.
    """

    shape: Shape
    classes: int
    train: int
    test: int
    url: str = ""
    files: tuple[File, ...] = ()


EMBEDDED = "fashion-mnist-small"
STEMS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _files(*sums: str) -> tuple[File, ...]:
    return tuple(File(name, sum_) for name, sum_ in zip(STEMS, sums, strict=True))


SETS: dict[str, NamedData] = {
    EMBEDDED: NamedData((1, 28, 28), 10, 6_000, 1_000),
    # Xiao, Rasul, Vollgraf 2017; MIT.
    "fashion-mnist": NamedData(
        (1, 28, 28),
        10,
        60_000,
        10_000,
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        _files(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    # LeCun, Cortes, Burges 1998.
    "mnist": NamedData(
        (1, 28, 28),
        10,
        60_000,
        10_000,
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        _files(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
}


def is_path(data: str) -> bool:
    """Whether this is the path of a file or folder: a name contains no slash and does not end in `.npz`."""
    return "/" in data or "\\" in data or data.endswith(".npz") or data in {".", ".."}


def seen_from(folder: Path, data: str) -> str:
    """The absolute path, relative to a folder; a name of a data set stays unchanged."""
    return str((folder / expanded(data)).absolute()) if is_path(data) else data


def expanded(data: str) -> Path:
    """The path with the home folder in place of `~`; unchanged if there is no such user."""
    try:
        return Path(data).expanduser()
    except RuntimeError:
        return Path(data)


def padded(shape: Shape, pad: int) -> Shape:
    """The shape of a sample, channels first, including the padding."""
    return (shape[0], *(size + 2 * pad for size in shape[1:]))
