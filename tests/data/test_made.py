"""Sets that need no file: random bits, and a text that is part of the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netspec.data import load
from netspec.data.bounds import DataError
from netspec.recipe.data import BitsData, Data, TextData


def test_a_target_has_the_bits_that_were_read_some_steps_before() -> None:
    data = Data(train="bits", test=0.25, bits=BitsData(length=6, delay=2, samples=40))
    parts = load(data, seed=3)
    assert (len(parts.train), parts.shape("samples"), parts.shape("targets")) == (30, (1, 6), (1, 4))
    batch = parts.train.take(np.arange(30))
    # The target at step i is the bit at step i − 2 of the outputs, which start at step 2.
    np.testing.assert_array_equal(batch["targets"], batch["samples"][:, :, :4])
    assert set(np.unique(batch["samples"])) == {0, 1}
    np.testing.assert_array_equal(batch["samples"], load(data, seed=3).train.take(np.arange(30))["samples"])
    assert (batch["samples"] != load(data, seed=4).train.take(np.arange(30))["samples"]).any()


def test_a_text_of_the_package_has_the_characters_of_tiny_shakespeare() -> None:
    parts = load(Data(train="sonnets", validation=0.1, text=TextData(length=50)))
    assert parts.classes["symbols"].count == 65
    assert (len(parts.train), len(dict(parts)["validation"])) == (307, 34)
    first = parts.train.take(np.arange(1))
    text = "".join(parts.classes["symbols"].name(int(index)) for index in first["symbols"][0])
    assert text.startswith("From fairest creatures we desire increase,\nThat")
    np.testing.assert_array_equal(first["targets"][0, :-1], first["symbols"][0, 1:])


def test_samples_are_taken_in_another_shape() -> None:
    whole, flat = (load(Data(train="fashion-mnist-small", shape=shape)) for shape in (None, (1, 784)))
    (images,), (rows,) = (parts.train.take(np.arange(1))["images"] for parts in (whole, flat))
    np.testing.assert_array_equal(rows, images.reshape(1, 784))
    assert flat.shape("images") == (1, 784)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Data(train="fashion-mnist-small", shape=(1, 78)), "a sample is 1×28×28, which is not 1×78"),
        (Data(train="bits", shape=(24,)), "`shape` is not for bits"),
        (Data(train="bits", test="bits"), "cannot be a part beside others"),
        (Data(train="sonnets", bits=BitsData()), "`bits` is not for text"),
        (Data(train="bits", text=TextData()), "`text` is not for bits"),
        (Data(train="fashion-mnist-small", bits=BitsData()), "`bits` is not for a named set"),
    ],
)
def test_refuses(data: Data, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(data)


def test_the_lengths_of_sequences_are_read_from_a_file(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        words=np.arange(12).reshape(4, 3),
        many=np.array([1, 2, 3, 2]),
        labels=np.arange(4),
    )
    inputs = {"text": "words", "lengths": "many"}
    parts = load(Data(train="./a.npz", inputs=inputs), base=tmp_path)
    assert (parts.shape("words"), parts.shape("many")) == ((3,), ())
