"""The names of ops that merge tensors, and that change sizes and shapes."""

from __future__ import annotations

import re

from netspec.ops.words import Lead, Rows, WordEntry, absent, instead, same, written

_ORDER = "TensorFlow and ONNX have `order: dcr` where nothing else is said, PyTorch's pixel shuffle has `crd`"


def _reorg(given: object) -> Lead:
    plain = next(iter(given.values()), None) if isinstance(given, dict) else given
    return instead(
        f"write `space_to_depth: {{block: {written(plain, '2')}, order: darknet}}`; with `reverse=1` in Darknet, "
        "`depth_to_space` with `order: dcr`"
    )


def _border(mode: str) -> WordEntry:
    def entry(given: object) -> Lead:
        return instead(f"write `pad: {{amount: {written(given)}, mode: {mode}}}`")

    return entry


def _counted(ours: str) -> WordEntry:
    """Darknet refers to layers by number: from the start, or backwards if negative."""

    def entry(given: object) -> Lead:
        if not re.search(r"\d", str(given)):
            return same(ours)
        return instead(
            "the number refers to a layer, counted back if it is negative: give each such layer a `name`, and write "
            f"`- {ours}:` with `from: [name, …]` below it; for one layer, `- identity:` with `from: name`"
            if ours == "concat"
            else "the number refers to a layer, counted back if it is negative: give this layer and the one before "
            f"this item a `name`, and write `- {ours}:` with `from: [name, name]` below it"
        )

    return entry


ROWS: Rows = (
    # Merges
    (
        same("add"),
        "addition elementwiseadd elemwiseadd eltwiseadd caddtable skipadd residualadd addn accumulaten",
    ),
    (_counted("add"), "shortcut"),
    (_counted("concat"), "route"),
    (
        instead("write `add` with a list of branches; `[]` is the identity"),
        "residual resblock residualblock residualunit skip skipconnection identityblock resnetblock shortcutblock",
    ),
    (
        instead("write `add`, `multiply` or `maximum`; Caffe's default is `add`"),
        "eltwise elementwise elemwise merge",
    ),
    (same("multiply"), "mul product elementwisemul elemwisemul eltwiseproduct cmultable hadamard"),
    (same("subtract"), "sub minus difference csubtable"),
    (instead("the mean of branches is `average`, the mean over all positions `global_avg_pool`"), "mean"),
    (
        instead(
            "the maximum of branches is `maximum`, of windows `max_pool`, over all positions `global_max_pool`"
        ),
        "max",
    ),
    (same("maximum"), "elementwisemax eltwisemax emax cmaxtable"),
    (instead("the sum of branches is `add`, over all positions `reduce: sum`"), "sum"),
    (
        instead("the minimum of branches is `minimum`, over all positions `reduce: min`"),
        "min",
    ),
    (same("minimum"), "elementwisemin eltwisemin cmintable"),
    (same("divide"), "div truediv division cdivtable"),
    (
        same("concat"),
        "cat concatenate concatenation depthconcat filterconcat joinchannels jointable concatv2",
    ),
    (absent("merge along a new axis; `concat` merges along an existing one"), "stack pack"),
    (
        same("matmul", "it multiplies the last two axes, the channels being the first"),
        "bmm mm batchmatmul",
    ),
    (same("contract", "`contract: channels time, channels keys -> time keys` names the axes"), "einsum"),
    (
        instead(
            "name the axes that are multiplied and summed: `contract: a b, a c -> b c`, with `from: [x, y]`; for two "
            "matrices there is `matmul`"
        ),
        "dot dotproduct batchdot tensordot dotgeneral outer mv inner kron",
    ),
    (absent("distance between branches"), "cosinesimilarity pairwisedistance cdist"),
    # Sizes and shapes
    (
        same("upsample", "`mode: linear` interpolates"),
        "upsampling upsamplingnearest upsamplenearest resizenearest nearestupsampling upsamplelayer",
    ),
    (
        same("resize", "it takes the nearest values, `mode: linear` or `cubic` interpolates"),
        "interpolate resizing resizeimages imageresize interp",
    ),
    (instead("write `resize: {size: …, mode: linear}`"), "resizebilinear"),
    (instead("write `resize: {size: …, mode: cubic}`; in TensorFlow it has another kernel"), "resizebicubic"),
    (instead("write `resize: {size: …, mode: area}`"), "resizearea"),
    (
        instead("write `upsample: {factor: …, mode: linear, align_corners: true}`"),
        "upsamplingbilinear upsamplebilinear bilinearupsampling bilinearinterpolation",
    ),
    (
        same("pad", "lists go from the first axis to the last"),
        "zeropad zeropadding constantpad constantpadding padding padlayer",
    ),
    (_border("reflect"), "reflectionpad reflectpad reflectionpadding mirrorpad"),
    (_border("replicate"), "replicationpad replicatepad edgepad replicationpadding"),
    (absent("circular padding"), "circularpad circularpadding wrappad"),
    (same("crop"), "cropping spatialcropping"),
    (instead("write `crop: {size: …}`: it keeps the middle"), "centercrop"),
    (
        same("slice", "it cuts one axis, by default the channels; `crop` cuts several axes of a map"),
        "slice stridedslice narrow dynamicslice",
    ),
    (
        same("split", "its parts are outputs with names: `split: [a, b]` gives `NAME.a` and `NAME.b`"),
        "split chunk splitv tensorsplit unstack unbind",
    ),
    (same("take", "it takes one position of an axis, which is then gone"), "take select index"),
    (
        same("gather", "the positions are numbers in the spec, or an input of indices: `from: [x, indices]`"),
        "gather indexselect takealongaxis takealongdim",
    ),
    (
        absent("op that picks or writes positions that a layer calculates"),
        "gathernd scatter topk",
    ),
    (same("reverse"), "flip fliplr flipud reversev2"),
    (absent("reversal up to the length of each sample"), "reversesequence"),
    (same("roll"), "circshift"),
    (same("flatten"), "ravel lazyflatten flattenlayer"),
    (instead("write `flatten` for a vector, or `reshape: […]`"), "view"),
    (same("reshape"), "reshapelayer unflatten viewas"),
    (
        instead("write `reshape: […]` with the new shape"),
        "squeeze unsqueeze expanddims viewcopy squeezelayer",
    ),
    (same("permute", "axes are named: `[channels, width, height]`"), "permutelayer dimshuffle"),
    (
        instead("write `permute: […]` with the names of all axes in their new order"),
        "transpose movedim moveaxis swapaxes swapdims",
    ),
    (same("depth_to_space", _ORDER), "depthtospace"),
    (same("depth_to_space"), "pixelshuffle pixelshuffler subpixel subpixelconv periodicshuffle"),
    (same("space_to_depth", _ORDER), "spacetodepth"),
    (same("space_to_depth"), "pixelunshuffle subpixeldown"),
    (_reorg, "reorg reorganize passthrough reorglayer"),
    (same("channel_shuffle"), "nativechannelshuffle shufflechannel channelshuffler"),
    (same("tile", "it repeats one axis as a whole"), "tilelayer"),
    (same("repeat_vector", "it makes a sequence of a vector, or a map"), "repeatvector"),
    (
        instead(
            "write `repeat_vector: …` for a vector at each position of a map, `upsample: …` for a larger map"
        ),
        "expand broadcastto repeatinterleave repeat",
    ),
)
