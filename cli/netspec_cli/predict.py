"""`netspec predict`: what a trained network says about pictures, arrays, tables and texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from netspec import files
from netspec_cli.common import fail, load_spec, note
from netspec_cli.exits import WRONG_SPEC
from netspec_cli.opening import Device, Json, Trained, Written, device_of, failing, run_of
from netspec_cli.options import Format, Sets
from netspec_cli.streams import complain, say, say_json

if TYPE_CHECKING:
    from netspec.training.answers import Answer
    from netspec.training.predict import Predicted, Predictor
    from netspec.training.reading import BrokenFile

MOST_COLOURS = 256
"""The colours of a palette."""
DRAWN = ("mask", "box", "map")
"""The kinds of answers that `--out` writes."""


class Subject(NamedTuple):
    """What predicts, and the words for it in a report."""

    predictor: Predictor
    names: dict[str, Any]


def predict(
    run: Annotated[
        str, typer.Argument(metavar="RUN|SPEC", help="The folder of a run; or a spec, with --weights.")
    ],
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="Pictures, .npy, .npz, tables, texts; folders or patterns of them."
        ),
    ],
    weights: Trained = None,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            "-b",
            metavar="NAME",
            help="A backend. Default: the one that trained; for a SPEC the first installed.",
        ),
    ] = None,
    device: Device = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Write masks and boxes on pictures, and maps, to this folder.",
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="The number of classes per sample.")] = 3,
    resize: Annotated[
        bool,
        typer.Option("--resize", help="Resize pictures that have another size than those of the training."),
    ] = False,
    go_on: Annotated[
        int | None,
        typer.Option("--continue", min=1, help="Go on with each text by this number of symbols."),
    ] = None,
    sets: Sets = None,
    json: Json = False,
    format: Written = Format.text,
) -> None:
    """Predict with a trained network: classes with probabilities, masks, boxes, numbers, the next symbol of a text.

    The files are prepared as the samples of the training. A file that cannot be read, or does not fit, is reported; the
    others go on, and the exit code is 1.
    """
    from netspec.training.reading import files_of

    with failing():
        subject = _subject(run, weights, backend, device, top, sets)
        paths = files_of(given)
        reader = subject.predictor.reader(resize, note)
        folder = None if out is None else _folder(out, subject.predictor)
        rows, broken = [], 0
        report = SampleLines(subject.predictor, folder, go_on)
        for each in subject.predictor(reader(paths)):
            facts, words = report.of(each)
            rows.append(facts)
            if not facts["ok"]:
                broken += 1
                complain(f"error: {words}")
            elif not (json or format is Format.json):
                say(words)
    if json or format is Format.json:
        say_json({**subject.names, "files": rows})
    if broken:
        raise typer.Exit(WRONG_SPEC)


def _subject(
    run: str, weights: str | None, backend: str | None, device: str | None, top: int, sets: list[str] | None
) -> Subject:
    from netspec.backend import Trains, usable
    from netspec.training.opened import is_run
    from netspec.training.predict import Predictor

    path = Path(run)
    if is_run(path):
        if sets:
            fail("--set: a run has the parameters with which it was trained")
        opened, chosen = run_of(path, weights)
        name = backend or opened.backend
        engine = usable([name], Trains)[0]
        where = device_of(opened, device, name)
        predictor = Predictor(
            opened.graph, opened.recipe, opened.preparation, chosen.arrays, engine, where, top
        )
        return Subject(predictor, {"run": run, **_names(opened.graph.name, name, chosen.path, chosen.epoch)})
    if files.is_folder(path):
        fail(f"{run} does not contain a run (`netspec runs {run}` lists the runs in it)")
    return _of_spec(run, weights, backend, device, top, sets)


def _of_spec(
    spec: str, weights: str | None, backend: str | None, device: str | None, top: int, sets: list[str] | None
) -> Subject:
    from netspec.backend import Trains, native_names, usable
    from netspec.recipe import Recipe
    from netspec.training.opened import epoch_of
    from netspec.training.predict import Predictor, prepared
    from netspec.weights import load

    graph = load_spec(spec, sets)
    if weights is None or weights in ("best", "last"):
        fail(
            f"{spec} is a spec, which has no trained weights: name a file of weights with --weights FILE, "
            "or the folder of a run"
        )
    recipe = None if graph.train is None else graph.train.recipe
    preparation = prepared(graph, recipe, Path(graph.file).parent)
    arrays = load(weights, graph, None, native_names(graph), note)
    name = backend or _first()
    engine = usable([name], Trains)[0]
    predictor = Predictor(graph, recipe or Recipe(), preparation, arrays, engine, device or "auto", top)
    return Subject(
        predictor, {"spec": spec, **_names(graph.name, name, Path(weights), epoch_of(Path(weights)))}
    )


def _first() -> str:
    """The first installed backend that trains, those with the fewest frameworks first: each takes seconds to start."""
    from netspec.backend import Trains, backends

    able = sorted(
        (each for each in backends() if isinstance(each, Trains)), key=lambda each: len(each.frameworks)
    )
    found = next((each.name for each in able if each.status().state == "ok"), None)
    return found or fail("no installed backend can run the network; `netspec backends` lists them")


def _names(name: str, backend: str, path: Path, epoch: int | None) -> dict[str, Any]:
    return {"name": name, "backend": backend, "weights": {"file": str(path), "epoch": epoch}}


def _folder(out: Path, predictor: Predictor) -> Path:
    """The folder of the pictures: new or empty."""
    if not any(head.kind in DRAWN for head in predictor.heads):
        fail(
            f"--out: `{predictor.graph.name}` has no mask, box or map to draw; --json gives all of its answers"
        )
    if files.exists(out) and (not files.is_folder(out) or any(out.iterdir())):
        fail(f"{out} is not an empty folder; name a new one")
    return out


class SampleLines:
    """The facts and the line of each sample; writes what is drawn."""

    def __init__(self, predictor: Predictor, folder: Path | None, go_on: int | None) -> None:
        self._predictor, self._folder, self._go_on = predictor, folder, go_on
        self._taken: set[str] = set()
        self._several = len(predictor.heads) > 1
        given = predictor.preparation.inputs.values()
        self._pads = max((each.conversion.pad for each in given if each.conversion is not None), default=0)

    def of(self, found: Predicted | BrokenFile) -> tuple[dict[str, Any], str]:
        """The facts for JSON, and the words for people."""
        from netspec.training.reading import BrokenFile

        if isinstance(found, BrokenFile):
            lost = {"file": str(found.file), "ok": False, "error": found.message, "help": found.help or None}
            return lost, found.message + (f"\n  help: {found.help}" if found.help else "")
        sample = found.sample
        facts: dict[str, Any] = {"file": str(sample.file), "place": sample.place or None, "ok": True}
        facts["outputs"] = {name: {"kind": each.kind, **each.facts} for name, each in found.answers.items()}
        lines = [
            f"{sample.file}{sample.place}: " + (f"{name}: " if self._several else "") + each.words
            for name, each in found.answers.items()
        ]
        if self._go_on is not None:
            facts["continued"] = self._predictor.continued(sample, self._go_on)
            lines.append(facts["continued"])
        if self._folder is not None:
            facts["written"] = [str(path) for path in self._written(found)]
            lines += [f"  wrote {path}" for path in facts["written"]]
        return facts, "\n".join(lines)

    def _written(self, found: Predicted) -> list[Path]:
        assert self._folder is not None
        contents = dict(_pictures(found, self._stem(found), self._pads))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            files.write_all({self._folder / name: content for name, content in contents.items()})
        except OSError as error:
            fail(f"cannot write {files.shortened(error.filename or self._folder)}: {files.reason(error)}")
        return [self._folder / name for name in contents]

    def _stem(self, found: Predicted) -> str:
        """The start of the names of the files of a sample; no other sample has it."""
        place = "".join(each for each in found.sample.place if each.isalnum())
        stem = found.sample.file.stem + (f"-{place}" if place else "")
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name)
        return name


def _pictures(found: Predicted, stem: str, pads: int) -> Iterator[tuple[str, bytes]]:
    """The files of one sample by their names: the drawing, masks, maps."""
    import io

    import numpy as np

    from netspec.training.overlays import as_picture, drawn, mask_file, picture_of

    pixels = next((each for each in map(as_picture, found.sample.inputs.values()) if each is not None), None)
    answers = [_inside(each, pads, pixels) for each in found.answers.values()]
    if pixels is not None and (picture := drawn(pixels, answers)) is not None:
        yield f"{stem}.png", picture
    for name, each in zip(found.answers, answers, strict=True):
        own = f"{stem}.{name}" if len(answers) > 1 else stem
        flat = each.mask is not None and each.mask.ndim == 2
        if flat and each.classes is not None and each.classes.count <= MOST_COLOURS:
            yield f"{own}.mask.png", mask_file(each.mask, each.classes)
        whole = each.mask if each.map is None and not flat else each.map
        if whole is None:
            continue
        stream = io.BytesIO()
        np.save(stream, whole)
        yield f"{own}.npy", stream.getvalue()
        if each.map is not None and (picture := picture_of(each.map)) is not None:
            yield f"{own}.map.png", picture


def _inside(answer: Answer, pads: int, pixels: Any) -> Answer:
    """The answer with its mask without the padding around the picture."""
    from dataclasses import replace

    if answer.mask is None or pixels is None or not pads:
        return answer
    padded = tuple(size + 2 * pads for size in pixels.shape[:2])
    return (
        replace(answer, mask=answer.mask[pads:-pads, pads:-pads]) if answer.mask.shape == padded else answer
    )
