"""The parts of `predict.py`: text in Python that the program of a network is put together from."""

from __future__ import annotations

ARRAYS = '''\
def array_samples(path):
    """The samples (N, ...) of each input in a .npy or .npz file, which has several samples or one."""
    held = np.load(path, allow_pickle=False)
    names = held.files if path.suffix.lower() == ".npz" else None
    found = {}
    for name, key in INPUTS.items():
        known = [each for each in (key, name, f"test_{key}") if names and each in names]
        if names is not None and not known and len(names) == len(INPUTS) == 1:
            known = list(names)
        if names is not None and not known:
            raise ValueError(f"has no array {key}: it has {', '.join(names)}")
        if names is None and len(INPUTS) > 1:
            raise ValueError(f"has one array, and the network takes {', '.join(INPUTS)}")
        found[name] = samples_of(name, held if names is None else held[known[0]])
    return found


def samples_of(name, array):
    """The samples (N, *shape) of an input."""
    shape = SHAPES[name]
    for wanted in (shape, shape[1:] if shape[:1] == (1,) else shape):
        whole = array if array.shape[1:] == wanted else array[None] if array.shape == wanted else None
        if whole is not None:
            check_type(name, whole)
            return whole.reshape(len(whole), *shape)
    raise ValueError(f"is {array.shape}, and {name} takes {shape}, or several of them")


'''

CHECK = '''\
def check_type(name, array):
    """Bytes and 16-bit numbers are divided by their largest value, others are not: the type must be the same."""
    largest = {"uint8": 255, "uint16": 65535}.get(str(array.dtype), 1)
    if array.dtype.kind not in "uifb" or largest != UNITS[name]:
        raise ValueError(f"holds {array.dtype}, and the network was trained on another type")
'''
CHECK_INDICES = '''\
def check_type(name, array):
    """Indices are whole numbers below the size of the vocabulary; other inputs have the type of the training."""
    if name in VOCABULARIES:
        if array.dtype.kind not in "ui" or array.min() < 0 or array.max() >= VOCABULARIES[name]:
            raise ValueError(f"{name} takes whole numbers from 0 to {VOCABULARIES[name] - 1}")
        return
    largest = {"uint8": 255, "uint16": 65535}.get(str(array.dtype), 1)
    if array.dtype.kind not in "uifb" or largest != UNITS[name]:
        raise ValueError(f"holds {array.dtype}, and the network was trained on another type")
'''

LAST = '''\
def channels_first(name, array):
    """The array with its channels, which are last in the file, first."""
    return np.moveaxis(array, -1, 1 if array.ndim > len(SHAPES[name]) else 0)
'''

PICTURE = '''\
def picture(path):
    """A picture as it was decoded for the training: (channels, height, width) of bytes."""
    channels, height, width = SHAPES["{name}"]
    with Image.open(path) as image:
{modes}
        image = ImageOps.exif_transpose(image)
{convert}
        if image.size != (width, height):
{resize}
        array = np.asarray(image).astype("{dtype}")
    return array[None] if array.ndim == 2 else np.moveaxis(array, 2, 0)
'''
CONVERT = '        image = image.convert("L" if channels == 1 else "RGB")'
MODES = """\
        if "transparency" in image.info or image.mode not in ("1", "L", "P", "RGB", "CMYK", "YCbCr"):
            raise ValueError(f"has transparency, 16 bits or the mode {image.mode}: save it as 8-bit RGB or grey")"""
MODES_ANY = """\
        if image.mode.startswith("I"):
            raise ValueError("has 16 bits, and the network was trained on 8")"""
MODES_DEEP = """\
        if not image.mode.startswith("I"):
            raise ValueError("has 8 bits, and the network was trained on 16")"""
RESIZE = "            image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)"
RESIZE_ASKED = """\
            if "--resize" not in sys.argv:
                raise ValueError(f"is {image.height}×{image.width}, and the network takes {height}×{width}: --resize")
            image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)"""

TABLE = '''\
def rows(path):
    """The rows of a table as samples, and their lines."""
    with open(path, encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=SEPARATOR, skipinitialspace=True)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
{header}
    at = [names.index(column) for column in COLUMNS]
    values = np.array([[float(row[i]) for i in at] for _, row in lines], np.float32)
    return values, [line for line, _ in lines]
'''
HEADER = "    names = lines.pop(0)[1]"
NO_HEADER = "    names = [str(at) for at in range(len(lines[0][1]))]"

WINDOWS = '''\
def windows(values, lines):
    """Windows of LENGTH rows, channels first, and the line of the last row of each."""
    ends = range(LENGTH, len(values) + 1)
    return np.stack([values[end - LENGTH : end].T for end in ends]), [lines[end - 1] for end in ends]
'''

TEXT = '''\
def last_symbols(path):
    """The indices of the last symbols of a text, as many as the network takes."""
    text = path.read_bytes().decode("utf-8-sig")
    known = {symbol: index for index, symbol in enumerate(SYMBOLS)}
    unknown = known.get("<unk>", -1)
    found = [known.get(symbol, unknown) for symbol in {split}]
    (length,) = SHAPES["{name}"]
    if len(found) < length or -1 in found:
        raise ValueError(f"has {len(found)} symbols, {found.count(-1)} of them unknown; the network takes {length}")
    return np.array(found[-length:])
'''

SOFTMAX = '''\
def softmax(x):
    """Probabilities of exclusive classes, the first axis."""
    powers = np.exp(x - x.max(axis=0, keepdims=True))
    return powers / powers.sum(axis=0, keepdims=True)
'''

SIGMOID = '''\
def sigmoid(x):
    """Independent probabilities."""
    return np.exp(-np.logaddexp(0, -x))
'''

RANKED = '''\
def ranked(values, classes, what="probability"):
    """The first classes by their probabilities, or by their distances."""
    order = np.argsort(values if what == "distance" else -values, kind="stable")
    found = [{"index": int(at), "name": classes[at], what: float(values[at])} for at in order[:TOP]]
    return {**found[0], "top": found}
'''

MASK = '''\
def shares(indices, classes):
    """The share of each class in a mask, the largest first."""
    counts = np.bincount(indices.ravel(), minlength=len(classes))
    order = [int(at) for at in np.argsort(-counts, kind="stable") if counts[at]]
    return [{"index": at, "name": classes[at], "share": float(counts[at] / indices.size)} for at in order]


def save_mask(indices, path):
    """A PNG with one class index per pixel, and the colours of the classes as its palette."""
    image = Image.fromarray(indices.astype("uint8"))
    image.putpalette([part for colour in PALETTE for part in colour])
    image.save(path)
'''

MAP = '''\
def summary(x):
    """The range of many numbers."""
    mean = float(x.mean(dtype="float64"))
    return {"shape": list(x.shape), "smallest": float(x.min()), "largest": float(x.max()), "mean": mean}
'''

WORDS = '''\
def words(answer):
    """One answer on one line."""
    kind = answer["kind"]
    if kind in ("class", "next"):
        what = "distance" if "distance" in answer else "probability"
        return ", ".join(f"{each['name']!r} {each[what]:.4f}" for each in answer["top"])
    if kind == "mask":
        return ", ".join(f"{each['name']!r} {each['share']:.4f}" for each in answer["shares"])
    return ", ".join(f"{name} {value}" for name, value in answer.items() if name != "kind")
'''

MAIN = """\
def main():
    files = [Path(each) for each in sys.argv[1:] if not each.startswith("--")]
    if not files:
        sys.exit(__doc__)
    model, rows, failed = load(), [], False
    for path in files:
        try:
            batch, places = samples(path)
        except (OSError, ValueError, SyntaxError) as error:  # Pillow raises SyntaxError, too
            print(f"error: {path}: {error}", file=sys.stderr)
            rows.append({"file": str(path), "ok": False, "error": str(error)})
            failed = True
            continue
        for start in range(0, len(places), BATCH):
            part = {name: prepare(name, array[start : start + BATCH]) for name, array in batch.items()}
            found = outputs(model, part)
            for at, place in enumerate(places[start : start + BATCH]):
                answers = {name: ANSWERS[name](value[at]) for name, value in found.items()}
                rows.append({"file": str(path), "place": place or None, "ok": True, "outputs": answers})
                if "--json" not in sys.argv:
                    for name, answer in answers.items():
                        print(f"{path}{place}: {name}: {words(answer)}")
{saving}
    if "--json" in sys.argv:
        print(json.dumps({"files": rows}, indent=2, ensure_ascii=False))
    sys.exit(failed)


if __name__ == "__main__":
    main()
"""
SAVING = """\
                if "--masks" in sys.argv:
                    for name, value in found.items():
                        if name in MASKS:
                            save_mask(MASKS[name](value[at]), f"{path.stem}{place.replace(':', '-')}.{name}.mask.png")
"""
