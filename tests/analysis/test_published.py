"""Parameters and MACs of the zoo against the literature; the table is docs/published.py, layers stand here."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from docs.published import DIFFERENT, FIGURES, Figure, network
from netspec.language.reading.locations import zoo


def told(figure: Figure) -> str:
    values = "".join(f"-{name}-{value}" for name, value in figure.values.items())
    return f"{figure.spec}{values}-{figure.count.words}-{figure.source}"


@pytest.mark.parametrize("figure", FIGURES, ids=told)
def test_ours_is_the_published_figure(figure: Figure) -> None:
    assert figure.holds, f"{figure.published} in {figure.source}; ours is {figure.ours:,}"


@pytest.mark.parametrize("figure", DIFFERENT, ids=told)
def test_what_differs_still_differs_and_says_why(figure: Figure) -> None:
    assert not figure.holds, "it holds: move it to FIGURES"
    assert figure.why


@pytest.mark.parametrize("figure", [each for each in FIGURES if each.cut], ids=told)
def test_a_figure_is_cut_off_only_where_it_would_not_round(figure: Figure) -> None:
    assert not replace(figure, cut=False).holds
    assert figure.why


@pytest.mark.parametrize("figure", FIGURES, ids=told)
def test_one_more_in_the_last_digit_would_fail(figure: Figure) -> None:
    number, _ = figure.parts
    step = Decimal((0, (1,), int(number.as_tuple().exponent)))
    unit = figure.published.partition(" ")[2]
    for beside in (number + step, number - step):
        assert not replace(figure, published=f"{beside} {unit}".strip()).holds


Layers = dict[str, tuple[int, tuple[int, ...]]]

PUBLISHED_LAYERS: dict[str, Layers] = {
    # LeCun et al. 1998, II.B, the parameters that learn; S2 and S4 have theirs in the layer that scales.
    "lenet5_1998": {
        "C1": (156, (6, 28, 28)),
        "S2.scale1": (12, (6, 14, 14)),
        "C3": (1_516, (16, 10, 10)),
        "S4.scale1": (32, (16, 5, 5)),
        "C5": (48_120, (120, 1, 1)),
        "F6": (10_164, (84,)),
    },
    "lenet5": {
        "C1": (156, (6, 28, 28)),
        "C3": (2_416, (16, 10, 10)),
        "C5": (48_120, (120, 1, 1)),
        "F6": (10_164, (84,)),
        "out": (850, (10,)),
    },
    # Krizhevsky et al. 2012, section 3.5: sizes; parameters are their products.
    "alexnet": {
        "conv1": (34_944, (96, 55, 55)),
        "conv2": (614_656, (256, 27, 27)),
        "conv3": (885_120, (384, 13, 13)),
        "conv4": (1_327_488, (384, 13, 13)),
        "conv5": (884_992, (256, 13, 13)),
        "dense1": (37_752_832, (4_096,)),
        "dense2": (16_781_312, (4_096,)),
        "dense3": (4_097_000, (1_000,)),
    },
    # The same with the two towers of Caffe's bvlc_alexnet.
    "alexnet_two_tower": {
        "conv1": (34_944, (96, 55, 55)),
        "conv2": (307_456, (256, 27, 27)),
        "conv3": (885_120, (384, 13, 13)),
        "conv4": (663_936, (384, 13, 13)),
        "conv5": (442_624, (256, 13, 13)),
        "dense1": (37_752_832, (4_096,)),
        "dense2": (16_781_312, (4_096,)),
        "dense3": (4_097_000, (1_000,)),
    },
    # Zeiler and Fergus 2013, figure 3: sizes; parameters are their products.
    "zfnet": {
        "conv1": (14_208, (96, 110, 110)),
        "conv2": (614_656, (256, 26, 26)),
        "conv3": (885_120, (384, 13, 13)),
        "conv4": (1_327_488, (384, 13, 13)),
        "conv5": (884_992, (256, 13, 13)),
        "dense1": (37_752_832, (4_096,)),
        "dense2": (16_781_312, (4_096,)),
        "dense3": (4_097_000, (1_000,)),
    },
    # Ronneberger et al. 2015, figure 1: sizes; parameters are their products.
    "unet": {
        "down1.conv1.0": (640, (64, 570, 570)),
        "down1.conv1.1": (36_928, (64, 568, 568)),
        "max_pool1": (0, (64, 284, 284)),
        "down2.conv1.0": (73_856, (128, 282, 282)),
        "down2.conv1.1": (147_584, (128, 280, 280)),
        "max_pool2": (0, (128, 140, 140)),
        "down3.conv1.0": (295_168, (256, 138, 138)),
        "down3.conv1.1": (590_080, (256, 136, 136)),
        "max_pool3": (0, (256, 68, 68)),
        "pair4.conv1.0": (1_180_160, (512, 66, 66)),
        "pair4.conv1.1": (2_359_808, (512, 64, 64)),
        "max_pool4": (0, (512, 32, 32)),
        "pair5.conv1.0": (4_719_616, (1_024, 30, 30)),
        "pair5.conv1.1": (9_438_208, (1_024, 28, 28)),
        "up4.grown": (2_097_664, (512, 56, 56)),
        "up4.concat1": (0, (1_024, 56, 56)),
        "up4.pair1.conv1.0": (4_719_104, (512, 54, 54)),
        "up4.pair1.conv1.1": (2_359_808, (512, 52, 52)),
        "up3.grown": (524_544, (256, 104, 104)),
        "up3.concat1": (0, (512, 104, 104)),
        "up3.pair1.conv1.0": (1_179_904, (256, 102, 102)),
        "up3.pair1.conv1.1": (590_080, (256, 100, 100)),
        "up2.grown": (131_200, (128, 200, 200)),
        "up2.concat1": (0, (256, 200, 200)),
        "up2.pair1.conv1.0": (295_040, (128, 198, 198)),
        "up2.pair1.conv1.1": (147_584, (128, 196, 196)),
        "up1.grown": (32_832, (64, 392, 392)),
        "up1.concat1": (0, (128, 392, 392)),
        "up1.pair1.conv1.0": (73_792, (64, 390, 390)),
        "up1.pair1.conv1.1": (36_928, (64, 388, 388)),
        "conv1": (130, (2, 388, 388)),
    },
}


@pytest.mark.parametrize(("spec", "published"), PUBLISHED_LAYERS.items(), ids=PUBLISHED_LAYERS)
def test_layer_by_layer(spec: str, published: Layers) -> None:
    ours = {each.name: (each.params, each.output) for each in network(spec).shapes.layers}
    assert {name: ours.get(name) for name in published} == published


@pytest.mark.parametrize("spec", PUBLISHED_LAYERS)
def test_no_layer_with_weights_is_left_out(spec: str) -> None:
    weighted = {each.name for each in network(spec).shapes.layers if each.params}
    assert weighted - PUBLISHED_LAYERS[spec].keys() == ({"rbf1"} if spec == "lenet5_1998" else set())


# LeCun et al. 1998, II.B: a connection is a product or a bias, and in S2 and S4 four values and a bias.
CONNECTIONS = {"C1": 122_304, "S2": 5_880, "C3": 151_600, "S4": 2_000, "C5": 48_120, "F6": 10_164}


@pytest.mark.parametrize(("name", "published"), CONNECTIONS.items())
def test_connections_of_lenet5(name: str, published: int) -> None:
    lenet5 = network("lenet5_1998")
    subsampled = name in ("S2", "S4")
    values = lenet5.graph.types[f"{name}.scale1" if subsampled else name].elements
    assert (5 * values if subsampled else lenet5.layer_macs(name) + values) == published


def test_rescaling_a_module_has_no_weights() -> None:
    """What SE-BN-Inception would count if the release's two-bottom Scale layers were learnt ones."""
    layers = [each for each in network("se_inception").shapes.layers if each.op == "multiply"]
    channels = [each.output[0] for each in layers]
    assert channels == [256, 320, 576, 576, 576, 608, 608, 1_056, 1_024, 1_024]
    assert not any(each.params for each in layers)
    assert network("se_inception").params + sum(channels) == 11_938_246


def test_alexnet_normalises_as_the_paper_does_or_the_textbook() -> None:
    """Krizhevsky et al. 2012, section 3.3: n 5, alpha 1e-4, beta 0.75, k 2; Géron 2019, chapter 14, has others."""
    for textbook, numbers in ((False, (5, 1e-4, 0.75, 2.0)), (True, (3, 2e-5, 0.75, 1.0))):
        nodes = network("alexnet", (("textbook", textbook),)).graph.nodes
        found = [node.op.settings() for node in nodes if node.op.keyword == "local_response_norm"]
        told = [tuple(each[name] for name in ("size", "alpha", "beta", "bias")) for each in found]
        assert told == [numbers, numbers]


def test_wavenet_sees_as_many_samples_as_the_open_implementation_says() -> None:
    """5 · (1 + 2 + … + 512) + 1 of the dilated convolutions, and 1 of the first one (`calculate_receptive_field`)."""
    *_, end = network("wavenet").shapes.layers
    assert end.receptive_field == end.receptive_field_min == (5 * 1023 + 1 + 1,)


UNPUBLISHED = {
    "fashion_cnn", "lecture_cnn", "mlp", "inception_module", "skip_taps", "siamese", "autoencoder", "localiser",
    "se_resnet34", "fcn16s", "fcn8s", "ssd300", "dcgan_generator", "super_resolution", "text_cnn", "tcn",
    "rnn_rows_mnist", "bit_memory", "char_rnn", "caption", "renet_svhn", "reseg_horses", "reseg_flowers",
    "video_segmentation", "vae", "pointnet",
}  # fmt: skip
"""Sketches, networks of textbooks, and those of which no figure is known to be published but what `expect` holds."""


def test_every_spec_is_held_or_told_apart() -> None:
    held = {each.spec for each in (*FIGURES, *DIFFERENT)} | PUBLISHED_LAYERS.keys()
    assert sorted(held | UNPUBLISHED) == sorted(zoo())
    assert not held & UNPUBLISHED
