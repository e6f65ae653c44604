"""Charts: whole, well-formed, every point inside its field, and no peak lost."""

from __future__ import annotations

import math
import random
import re
import xml.etree.ElementTree as ET

import pytest

from netspec.drawing.chart import HEIGHT, WIDTH, Curve, Panel, as_svg, scale, thinned, whole_ticks
from netspec.training.curves import curves, headline
from netspec.training.report import Epoch

SVG = "{http://www.w3.org/2000/svg}"


def epoch(number: int, **metrics: float | None) -> Epoch:
    return Epoch(number, metrics, 1.0)


def picture(count: int, steps: int, seed: int = 0) -> str:
    draw = random.Random(seed)
    epochs = [
        epoch(
            n,
            train_loss=draw.random(),
            validation_loss=draw.random() * 1e3,
            train_accuracy=0.5,
            validation_accuracy=n / count,
        )
        for n in range(1, count + 1)
    ]
    return curves(
        "a <net> & more",
        headline(epochs[-1], "validation_accuracy", None),
        [draw.expovariate(1) for _ in range(steps)],
        epochs,
    )


@pytest.mark.parametrize(("count", "steps"), [(1, 1), (1, 9), (3, 3), (12, 600), (200, 40_000)])
def test_every_point_lies_inside(count: int, steps: int) -> None:
    text = picture(count, steps)
    root = ET.fromstring(text)
    assert root.findtext(f"{SVG}title") == "a <net> & more"
    lines = [path for path in root.iter(f"{SVG}path") if path.get("class", "").startswith("line")]
    drawn = [path.get("d", "") for path in lines if "h18" not in path.get("d", "")]
    assert len(drawn) == 5  # the steps, train and validation twice
    for path in drawn:
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
    assert len(text) < 60_000
    assert text == picture(count, steps)


def test_what_is_not_known_is_left_out() -> None:
    epochs = [
        epoch(1, validation_loss=2.0, validation_accuracy=None),
        epoch(2, validation_loss=1.0, validation_accuracy=None),
    ]
    root = ET.fromstring(curves("net", headline(epochs[1], "validation_loss", None), [], epochs))
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert "best validation loss 1.000000 after epoch 2" in words
    assert "accuracy" not in words
    assert "each step" not in words
    assert headline(None, None, None) == (
        "nothing was selected or tested, because there is no validation part and no test part"
    )


def test_of_many_points_the_peaks_stay() -> None:
    draw = random.Random(1)
    places = [(float(x), draw.gauss(0, 1)) for x in range(10_000)]
    places[5_000] = (5_000.0, 99.0)
    places[7_777] = (7_777.0, -99.0)
    kept = thinned(places, 400)
    assert len(kept) <= 800
    assert kept == sorted(kept)
    assert {places[5_000], places[7_777]} <= set(kept)
    assert thinned(places[:800], 400) == places[:800]


def test_an_axis_holds_its_values_with_few_round_ticks() -> None:
    draw = random.Random(2)
    for _ in range(2000):
        low = draw.uniform(-1, 1) * 10 ** draw.randint(-9, 9)
        high = low + draw.choice([0.0, draw.random() * 10 ** draw.randint(-6, 9)])
        bottom, top, every = scale(low, high)
        slack = 1e-6 * every + 1e-12 * max(abs(low), abs(high))
        assert bottom <= low + slack, (low, high)
        assert top >= high - slack, (low, high)
        assert 2 <= round((top - bottom) / every) <= 8, (low, high)
        assert re.fullmatch(r"[125](\.0)?e[+-]\d+", f"{every:.1e}"), every


@pytest.mark.parametrize(
    ("right", "ticks"), [(1, [0, 1]), (6, [0, 2, 4, 6]), (3, [0, 1, 2, 3]), (120, [0, 50, 100])]
)
def test_epochs_are_whole_numbers(right: float, ticks: list[int]) -> None:
    assert whole_ticks(right) == ticks


def test_a_lone_point_at_0_is_drawn() -> None:
    picture = ET.fromstring(as_svg("t", "", [Panel("x", "y", (Curve("a", "train", [(0.0, 0.0)]),))]))
    (dot,) = (each for each in picture.iter() if each.get("class") == "dot train")
    assert all(math.isfinite(float(dot.attrib[key])) for key in ("cx", "cy"))
