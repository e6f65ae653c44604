"""Augmentation: what each change does to images, masks and boxes, from the seed, the epoch and the sample alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netspec.data.augmentation import CHANGES, Augmentation, Picture
from netspec.data.bounds import DataError
from netspec.recipe.augmentation import (
    AUGMENTATIONS,
    Brightness,
    Colour,
    Contrast,
    Cutout,
    Flip,
    PixelNoise,
    RandomCrop,
    RandomScale,
    Rotate,
    Shift,
)
from netspec.recipe.model import Augment

IMAGE = np.arange(2 * 4 * 6, dtype=np.uint8).reshape(2, 4, 6)
MASK = np.arange(24).reshape(4, 6)
BOX = np.array([1.0, 0.0, 3.0, 2.0])  # left, top, right, bottom


def changed(spec: Augment, image: Any = IMAGE, seed: int = 0) -> Picture:
    sample = Picture(image, {"mask": MASK} if image is IMAGE else {}, {"box": BOX}, outside=99)
    return CHANGES[type(spec)](spec, sample, np.random.default_rng(seed))


def augmented(*specs: Augment, count: int = 400, epoch: int = 1, image: Any = IMAGE) -> Any:
    arrays = {"image": np.stack([image] * count)}
    return Augmentation(specs, 3, "image").batch(arrays, np.arange(count), epoch)["image"]


def test_every_augmentation_has_a_change() -> None:
    assert set(CHANGES) == set(AUGMENTATIONS.values())


def test_flip() -> None:
    found = changed(Flip())
    np.testing.assert_array_equal(found.image, IMAGE[:, :, ::-1])
    np.testing.assert_array_equal(found.masks["mask"], MASK[:, ::-1])
    np.testing.assert_array_equal(found.boxes["box"], [3, 0, 5, 2])
    found = changed(Flip(axis=0))
    np.testing.assert_array_equal(found.image, IMAGE[:, ::-1])
    np.testing.assert_array_equal(found.boxes["box"], [1, 2, 3, 4])


def test_flip_happens_with_its_probability() -> None:
    flipped = (augmented(Flip(probability=0.25), count=2000)[:, 0, 0, 0] == IMAGE[0, 0, -1]).mean()
    assert abs(flipped - 0.25) < 5 * (0.25 * 0.75 / 2000) ** 0.5


def test_shift_moves_each_way_with_its_probability() -> None:
    """The policy of Visin et al. 2015: a quarter left, a quarter right; then a quarter up, a quarter down."""
    image = np.zeros((1, 9, 9), np.uint8)
    image[0, 4, 4] = 1
    rows, columns = np.argwhere(augmented(Shift(by=2), count=4000, image=image)[:, 0])[:, 1:].T
    for places in (rows, columns):
        for place, share in ((2, 0.25), (6, 0.25), (4, 0.5)):
            assert abs((places == place).mean() - share) < 5 * (share * (1 - share) / 4000) ** 0.5
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 5 / 4000**0.5


def test_shift_fills_what_comes_from_outside() -> None:
    found = changed(Shift(by=2, probability=0.5, fill=7.0), seed=1)  # every axis moves, one way or the other
    for seed in range(20):
        found = changed(Shift(by=2, probability=0.5, fill=7.0), seed=seed)
        right = (found.masks["mask"][:, :2] == 99).all()
        down = (found.masks["mask"][:2] == 99).all()
        source = MASK[slice(0, 2) if down else slice(2, 4), slice(0, 4) if right else slice(2, 6)]
        part = (slice(2, 4) if down else slice(0, 2), slice(2, 6) if right else slice(0, 4))
        np.testing.assert_array_equal(found.masks["mask"][part], source)
        np.testing.assert_array_equal(found.image[0][part], IMAGE[0].reshape(4, 6).flat[source])
        assert (found.image[found.masks["mask"][None].repeat(2, 0) == 99] == 7).all()
        moved = np.clip(BOX + np.tile([2 if right else -2, 2 if down else -2], 2), 0, [6, 4, 6, 4])
        np.testing.assert_array_equal(found.boxes["box"], moved)


def test_shift_by_more_than_the_image_leaves_nothing() -> None:
    assert (changed(Shift(by=50, probability=0.5, fill=7.0)).image == 7).all()


def test_shift_uniform_reaches_every_distance() -> None:
    image = np.zeros((1, 1, 9), np.uint8)
    image[0, 0, 4] = 1
    places = np.argwhere(augmented(Shift(by=3, uniform=True), image=image, count=2000)[:, 0])[:, 2]
    assert sorted(set(places)) == [1, 2, 3, 4, 5, 6, 7]


def test_crop_is_a_part_of_the_padded_image() -> None:
    for seed in range(20):
        found = changed(RandomCrop(size=(2, 3)), seed=seed)
        top, left = divmod(int(found.masks["mask"][0, 0]), 6)
        np.testing.assert_array_equal(found.image, IMAGE[:, top : top + 2, left : left + 3])
        moved = np.clip(BOX - [left, top, left, top], 0, [3, 2, 3, 2])
        np.testing.assert_array_equal(found.boxes["box"], moved)
    starts = {tuple(changed(RandomCrop(pad=1, fill=9.0), seed=seed).image[:, 0, 0]) for seed in range(200)}
    assert len(starts) == len({*IMAGE[0, :2, :2].flat, 9})  # 3 × 3 places; five of them start in the border
    assert changed(RandomCrop(pad=4)).image.shape == IMAGE.shape


def test_a_crop_is_at_the_centre_where_nothing_is_augmented() -> None:
    crops = Augmentation((Flip(), RandomCrop(size=(2,), pad=3)), 0, "image", ("mask",))
    found = crops.still({"image": IMAGE[None], "mask": MASK[None], "other": np.ones(1)})
    np.testing.assert_array_equal(found["image"][0], IMAGE[:, 1:3, 2:4])
    np.testing.assert_array_equal(found["mask"][0], MASK[1:3, 2:4])
    assert crops.shape((2, 4, 6)) == (2, 2, 2)
    same = {"image": IMAGE[None]}
    assert Augmentation((Flip(), RandomCrop(pad=4)), 0, "image").still(same) == same


@pytest.mark.parametrize("degrees", [90.0, -90.0, 180.0])
def test_rotate_by_right_angles_permutes(degrees: float) -> None:
    image = np.arange(25, dtype=np.float32).reshape(1, 5, 5)
    sample = Picture(image, {"mask": image[0].astype(int)}, {"box": np.array([1.0, 0.0, 3.0, 2.0])})

    class Always:
        def uniform(self, low: float, high: float) -> float:
            return degrees

    found = CHANGES[Rotate](Rotate(), sample, Always())  # type: ignore[arg-type]
    turns = {90.0: 1, -90.0: -1, 180.0: 2}[degrees]
    np.testing.assert_allclose(found.image[0], np.rot90(image[0], turns), atol=1e-5)
    np.testing.assert_array_equal(found.masks["mask"], np.rot90(image[0], turns))
    # The box follows: what it holds is the same.
    left, top, right, bottom = np.rint(found.boxes["box"]).astype(int)
    np.testing.assert_allclose(found.boxes["box"], [left, top, right, bottom], atol=1e-9)
    held = found.masks["mask"][top:bottom, left:right]
    assert sorted(held.flat) == sorted(image[0].astype(int)[0:2, 1:3].flat)


def test_rotate_and_scale_of_a_plane_are_exact() -> None:
    """Bilinear interpolation of a linear function is that function, at the place that the map gives."""
    rows, columns = np.mgrid[0:15, 0:15].astype(np.float64) - 7
    image = (2 * rows + 3 * columns)[None]
    turned = CHANGES[Rotate](Rotate(degrees=30.0), Picture(image), np.random.default_rng(2)).image[0]
    angle = np.radians(np.random.default_rng(2).uniform(-30, 30))
    back_rows = np.cos(angle) * rows + np.sin(angle) * columns
    back_columns = -np.sin(angle) * rows + np.cos(angle) * columns
    middle = (slice(4, 11), slice(4, 11))
    np.testing.assert_allclose(turned[middle], (2 * back_rows + 3 * back_columns)[middle], atol=1e-9)
    scaled = CHANGES[RandomScale](
        RandomScale(least=1.5, most=1.5), Picture(image), np.random.default_rng(0)
    ).image[0]
    np.testing.assert_allclose(scaled, image[0] / 1.5, atol=1e-9)


def test_scale_down_fills_the_border() -> None:
    image = np.ones((1, 8, 8), np.float32)
    found = CHANGES[RandomScale](
        RandomScale(least=0.5, most=0.5, fill=5.0), Picture(image), np.random.default_rng(0)
    ).image
    assert (found[0, 3:5, 3:5] == 1).all()
    assert (found[0, 0] == 5).all()


def test_brightness_contrast_and_colour_by_their_formulas() -> None:
    image = np.random.default_rng(0).random((3, 4, 5))
    for seed in range(5):
        factor = np.random.default_rng(seed).uniform(0.7, 1.3)
        grey = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
        for spec, wanted in (
            (Brightness(strength=0.3), image * factor),
            (Contrast(strength=0.3), image.mean() + factor * (image - image.mean())),
            (Colour(strength=0.3), grey + factor * (image - grey)),
        ):
            found = CHANGES[type(spec)](spec, Picture(image), np.random.default_rng(seed)).image
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_bytes_are_rounded_and_limited() -> None:
    image = np.full((1, 50, 50), 250, np.uint8)
    bright = CHANGES[Brightness](Brightness(strength=1.0), Picture(image), np.random.default_rng(0)).image
    factor = np.random.default_rng(0).uniform(0, 2)
    assert bright.dtype == np.uint8
    assert (bright == min(255, np.floor(250 * factor + 0.5))).all()
    noisy = CHANGES[PixelNoise](PixelNoise(deviation=0.1), Picture(image), np.random.default_rng(0)).image
    assert noisy.max() == 255
    assert noisy.min() > 100


def test_noise_has_its_deviation() -> None:
    image = np.zeros((1, 100, 100), np.float32)
    noisy = CHANGES[PixelNoise](PixelNoise(deviation=0.1), Picture(image), np.random.default_rng(0)).image
    assert noisy.dtype == np.float32
    assert abs(noisy.std() - 0.1) < 5 * 0.1 / (2 * 10000) ** 0.5


def test_cutout_is_a_square_that_may_reach_over_the_edge() -> None:
    image = np.ones((2, 9, 9), np.float32)
    sizes = set()
    for seed in range(200):
        found = CHANGES[Cutout](Cutout(size=3), Picture(image), np.random.default_rng(seed)).image
        rows, columns = np.nonzero(found[0] == 0)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width
        np.testing.assert_array_equal(found[0], found[1])
        sizes.add((int(height), int(width)))
    assert sizes == {(a, b) for a in (2, 3) for b in (2, 3)}
    assert image.min() == 1  # the sample itself is unchanged


SOME = (
    Flip(),
    Shift(by=1),
    RandomCrop(pad=1),
    Rotate(),
    RandomScale(),
    Brightness(),
    Contrast(),
    PixelNoise(),
    Cutout(size=2),
)


def test_the_same_sample_in_the_same_epoch_is_the_same() -> None:
    first = augmented(*SOME, count=8)
    np.testing.assert_array_equal(first, augmented(*SOME, count=8))
    arrays = {"image": np.stack([IMAGE] * 3)}
    some = Augmentation(SOME, 3, "image").batch(arrays, np.array([5, 0, 7]), 1)["image"]
    np.testing.assert_array_equal(some, first[[5, 0, 7]])
    assert (first != augmented(*SOME, count=8, epoch=2)).any(axis=(1, 2, 3)).all()


def test_the_draws_of_one_change_do_not_depend_on_another() -> None:
    """A change whose probability is 0 leaves the draws of the next as they are."""
    never, always = Brightness(probability=0.0), RandomCrop(pad=2)
    np.testing.assert_array_equal(augmented(never, always), augmented(Rotate(probability=0.0), always))


def test_volumes_and_sequences() -> None:
    volume = np.arange(27 * 2, dtype=np.float32).reshape(2, 3, 3, 3)
    for spec in (
        Flip(axis=0),
        Shift(by=1),
        RandomCrop(size=(2,)),
        RandomScale(),
        Contrast(),
        PixelNoise(),
        Cutout(size=2),
    ):
        found = augmented(spec, count=3, image=volume)
        assert found.shape[2:] == ((2, 2, 2) if isinstance(spec, RandomCrop) else (3, 3, 3))
    line = np.arange(8, dtype=np.float32).reshape(1, 8)
    np.testing.assert_array_equal(
        CHANGES[Flip](Flip(), Picture(line), np.random.default_rng(0)).image, line[:, ::-1]
    )


UNSUITED = {
    "a vector": ((5,), Flip(), "changes images, but a sample is a vector of 5"),
    "an axis too many": ((3, 8), Flip(axis=-2), "`flip` has axis -2, but a sample has 1 spatial axis"),
    "a volume": ((3, 8, 8, 8), Rotate(), "`rotate` turns images, but a sample has 3 spatial axes"),
    "grey": ((1, 8, 8), Colour(), "`colour` takes three channels, but a sample has 1"),
    "sizes": ((1, 8, 8), RandomCrop(size=(4, 4, 4)), "`crop` has 3 sizes, but a sample has 2 spatial axes"),
    "too large": ((1, 8, 8), RandomCrop(size=(9,), pad=2), "`crop` cuts 9×9 out of 8×8 (12×12 with `pad`)"),
}


@pytest.mark.parametrize("name", UNSUITED)
def test_what_does_not_suit_is_refused(name: str) -> None:
    shape, spec, message = UNSUITED[name]
    with pytest.raises(DataError) as caught:
        Augmentation((spec,), 0, "image").shape(shape)
    assert message in str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "bool"])
def test_whole_numbers_stay_in_the_range_of_their_type(dtype: str) -> None:
    most = 1 if dtype == "bool" else int(np.iinfo(dtype).max)
    image = np.full((1, 20, 20), most, dtype)
    for spec in (
        PixelNoise(deviation=0.5),
        Brightness(strength=1.0),
        Contrast(strength=1.0),
        RandomScale(least=2, most=2),
    ):
        found = changed(spec, image).image
        assert found.dtype == image.dtype
        assert found.max() >= most * 0.9, (
            spec
        )  # a number that leaves the range would come out at its other end
    if dtype.startswith("u"):
        spread = changed(PixelNoise(deviation=0.1), np.full((1, 50, 50), most // 2, dtype)).image / most
        assert 0.09 < spread.std() < 0.11
