"""The names of field values in other libraries: activations, initialisers, paddings, modes."""

from __future__ import annotations

from collections.abc import Collection

from netspec.ops.words import Lead, WordEntry, absent, instead, same, table

ACTIVATIONS = table(
    (same("none"), "linear identity no nothing"),
    (same("relu"), "rectifier rectify rectified rectifiedlinear rectifiedlinearunit"),
    (
        same("leaky_relu", "its slope is 0.01, as in PyTorch; Keras' is `leaky_relu: 0.3`"),
        "leakyrelu lrelu leakyrectify",
    ),
    (instead("write `{leaky_relu: 0.1}`: Darknet's slope"), "leaky"),
    (same("silu"), "sigmoidlinearunit"),
    (same("hard_swish"), "hardsilu"),
    (same("sigmoid"), "logistic sigm expit"),
    (same("tanh"), "hyperbolictangent htan"),
    (same("elu"), "exponentiallinearunit"),
    (same("softplus"), "bnll"),
    (same("softmax"), "softargmax"),
    (same("gelu", "it is exact unless you write `{gelu: tanh}`, which is JAX's default"), "gelu"),
    (
        same("hard_sigmoid", "it is min(max(x + 3, 0), 6) / 6; ONNX and Keras 2 have another slope"),
        "hardsigmoid",
    ),
    (instead("write `{gelu: tanh}`"), "gelutanh gelunew gelupytorchtanh"),
    (
        instead("put `- prelu` after the layer: it has weights, so it is a separate layer"),
        "prelu parametricrelu",
    ),
    (instead("put `- channel_pool: …` after the layer"), "maxout"),
    *(
        (instead(f"put items after the layer: {items}"), word)
        for word, items in {
            "tanhshrink": "`subtract: [[], [tanh]]`",
            "logsigmoid": "`layers: [scale_by: -1, softplus, scale_by: -1]`",
            "softmin": "`layers: [scale_by: -1, softmax]`",
            "crelu": "`layers: [concat: [[], [scale_by: -1]], relu]`",
            "squaredrelu relusquared": "`layers: [relu, square]`",
            "quickgelu": "`multiply: [[], [scale_by: 1.702, sigmoid]]`",
        }.items()
    ),
    (same("log_softmax"), "logsoftmax"),
    (same("exp"), "exponential"),
    (same("step", "it is 0 at the threshold and learns nothing"), "binarystep"),
    (instead("write `{clip: {min: -1, max: 1}}`"), "hardtanh"),
    (
        instead("put it after the layer, as an item: it is not defined for every number"),
        "log sqrt power pow",
    ),
    (
        absent("activation of this name"),
        "hardshrink rrelu softshrink softsign threshold glu swiglu geglu reglu "
        "squareplus thresholdedrelu sparsemax sparseplus "
        "sparsesigmoid celu sine sin cos tan snake hardmax "
        "gumbelsoftmax sign erf cube scaledtanh loggy plse lhtan ramp",
    ),
)

INITIALIZERS = table(
    (same("glorot_uniform"), "xavieruniform glorot"),
    (same("glorot_normal", "it is not truncated"), "glorotnormal xaviernormal"),
    (
        instead("write `glorot_uniform`; Caffe's `xavier` uses only the fan-in: `lecun_uniform`"),
        "xavier",
    ),
    (same("he_uniform"), "kaiminguniform msrauniform"),
    (same("he_normal", "it is not truncated"), "henormal kaimingnormal msra msranormal"),
    (instead("write `he_normal` or `he_uniform`"), "kaiming he"),
    (same("lecun_normal", "it is not truncated"), "lecunnormal"),
    (instead("write `lecun_normal` or `lecun_uniform`"), "lecun"),
    (
        same("normal", "write its standard deviation: `normal: 0.01`"),
        "normal gaussian randomnormal gauss randn",
    ),
    (same("uniform", "write its bounds: `uniform: {low: …, high: …}`"), "uniform randomuniform rand"),
    (same("zeros"), "zero allzeros"),
    (same("ones"), "one allones"),
    (same("orthogonal"), "orthogonalinitializer ortho"),
    (same("constant", "write its value: `constant: 0.5`"), "const fill"),
    (same("bilinear"), "bilinearinterpolation bilinearfiller"),
    (
        same("values", "write the numbers: `values: [[1, 0], [0, 1]]`"),
        "value array given fixed numpyarray assign",
    ),
    (absent("truncated normal distribution"), "truncatednormal truncnormal truncatednormalinitializer"),
    (
        instead("name the distribution: `he_normal`, `glorot_uniform`, `lecun_normal`, `normal: 0.01`"),
        "variancescaling",
    ),
    (
        absent("initialiser of this kind"),
        "eye dirac sparse identity identityinitializer lecunsparse positiveunitball stftinitializer stft "
        "deltaorthogonal",
    ),
    (instead("remove it: each op has a default (`netspec ops NAME`)"), "default none auto"),
)

_BORDER = instead("write an item before it, such as `- pad: {amount: 1, mode: reflect}` or `mode: replicate`")

PADDINGS = table(
    (same("valid"), "none no notset off"),
    (same("same"), "sameupper samepadding"),
    (same("half"), "symmetricalsame"),
    (
        instead("write the zeros as pairs: `[[before, after], …]`; `same` puts an odd zero at the end"),
        "samelower",
    ),
    (_BORDER, "reflect reflection mirror symmetric edge replicate replication"),
    (instead("write the number of zeros: `padding: 1`"), "zeros zero constant true yes"),
    (absent("circular padding"), "circular wrap periodic"),
)

MODES: dict[str, WordEntry] = table(
    (same("nearest"), "nearestneighbor nearestneighbour nn repeat repeated"),
    (same("nearest_exact"), "exact nearestcenter nearestcentre"),
    (same("linear"), "interpolate interpolated"),
    (same("both"), "bidirectional bidirect"),
    (same("backward"), "reverse reversed"),
    (same("sequence"), "every sequences allsteps fullsequence"),
    (same("replicate"), "edge border"),
    (
        instead("write `mode: reflect`; a mirror that repeats the outermost value is not in this version"),
        "symmetric",
    ),
    (same("reflect"), "mirror reflection"),
    (same("constant"), "zeros zero const"),
    (same("cubic", "its kernel is PyTorch's, with a = −0.75"), "bicubic cubicconvolution"),
    (same("area"), "adaptive box"),
    (absent("interpolation of this kind"), "lanczos lanczos3 lanczos5 gaussian mitchellcubic"),
    (absent("circular padding"), "circular wrap"),
    (same("average"), "avg mean ave"),
    (same("max"), "maximum"),
    (same("channels"), "channel c features filters"),
    (same("height"), "h rows y"),
    (same("width"), "w columns x"),
    (same("time"), "t steps length sequence"),
    (same("depth"), "d frames z"),
    (same("everything"), "all layer whole"),
    (same("ceil"), "up ceiling"),
    (same("floor"), "down"),
    (same("tanh"), "approximate true"),
)
"""Words for fields that take one of a list of words. A word applies only if the field accepts the word of the lead."""

_BESIDE = instead(
    "write `return: sequence`, and take the last states by name, `NAME.state`, those of an `lstm` also `NAME.cell`"
)

CHOICES: dict[str, dict[str, WordEntry]] = {
    "sequence": table(
        (
            same("sequence"),
            "all every each sequences allsteps fullsequence full output outputs steps true many",
        ),
        (same("last"), "final laststep lastoutput finaloutput end false one hn"),
        (same("state"), "states hidden hiddenstate h laststate finalstate"),
        (_BESIDE, "both sequenceandstate sequencestate statesequence laststatesequence"),
        (instead("write `return: last`, and take the cell by name, `NAME.cell`"), "cell c cellstate"),
    ),
    "concat": table(
        (same("concat"), "cat concatenate concatenation stack join none"),
        (same("sum"), "add plus total"),
        (same("average"), "ave avg mean"),
        (same("multiply"), "mul product times prod"),
    ),
    "sinusoid": table(
        (same("sinusoid"), "sin sine sines sinusoidal cosine fixed absolute fourier"),
        (same("learned"), "trainable learnable embedding embedded trained parameter"),
        (instead("write `rotary: …` as an op of its own, with the number of heads"), "rotary rope"),
        (absent("relative positions"), "relative alibi"),
    ),
    "neighbours": table(
        (
            same("halves", "channel i and channel i + half"),
            "half rotatehalf split neox gptneox llama blocked",
        ),
        (
            same("neighbours", "channels 2i and 2i + 1"),
            "neighbors adjacent interleaved interleave gptj roformer alternating",
        ),
    ),
    "dcr": table(
        (same("crd", "it is PyTorch's"), "pixelshuffle torch pytorch channelsfirst columnrowdepth"),
        (same("dcr", "it is TensorFlow's"), "tensorflow tf onnx depthcolumnrow"),
        (same("darknet", "it is YOLOv2's"), "reorg yolo yolov2 passthrough"),
        (instead("write `order: dcr`: Darknet's reorg with `reverse=1` has this order"), "darknet"),
    ),
    "time": table(
        (
            instead(
                "write the name of the axis: `channels`, or a spatial axis: `time` of a sequence, `height` and `width` "
                "of an image"
            ),
            "0 1 2 3 4",
        ),
    ),
}
"""Words for fields that take one of a list of words that has the key. They come before those of `MODES`."""


def choices(known: Collection[str]) -> dict[str, WordEntry]:
    """The words for a field that takes one of a list of words."""
    found: dict[str, WordEntry] = {}
    for words in (*(CHOICES[each] for each in CHOICES if each in known), MODES):
        for word, entry in words.items():
            if not isinstance(entry, Lead) or entry.ours is None or entry.ours in known:
                found.setdefault(word, entry)
    return found


_POSITIONS: dict[str, WordEntry] = table(
    (instead("write `take: -1`: a negative position counts from the end"), "last final end"),
    (instead("write `take: 0`: positions count from 0"), "first start begin"),
)

NUMBERS: dict[str, dict[str, WordEntry]] = {"take": _POSITIONS, "position": _POSITIONS}
"""Words in place of a number, for a field or for the plain value of an op."""


SETTINGS = table(
    (same("std"), "stddev stdev sigma standarddeviation scale spread"),
    (same("mean"), "mu loc center"),
    (same("low"), "minval min a lower minimum"),
    (same("high"), "maxval max b upper maximum"),
    (same("value"), "val c constant fill"),
    (same("gain"), "multiplier factor"),
    (
        instead("remove it: random values depend on the seed of the run and the name of the weight"),
        "seed dtype",
    ),
    (
        instead("remove it, and name the distribution: `he_normal`, `glorot_uniform`, `lecun_normal`"),
        "mode nonlinearity distribution fanin fan",
    ),
)
"""The names of the settings of initialisers in other libraries."""
