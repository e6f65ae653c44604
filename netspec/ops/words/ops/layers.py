"""The names of convolutions, dense layers and pools."""

from __future__ import annotations

from netspec.ops.words import Lead, Rows, WordEntry, absent, instead, same, written

_POOL_ALL = "`global_avg_pool` and `global_max_pool`"


def _average(given: object) -> Lead:
    if given is None:
        return same("avg_pool", "in Darknet it has no kernel and is `global_avg_pool`")
    return same("avg_pool", "`count_padding: true` counts padding as zeros, as PyTorch and Caffe do")


def _minimum(pool: str) -> WordEntry:
    def entry(given: object) -> Lead:
        op = pool if pool.startswith("global") else f"{pool}: {written(given)}"
        return instead(f"write `layers: [scale_by: -1, {op}, scale_by: -1]`: the largest of −x, negated")

    return entry


ROWS: Rows = (
    (same("identity"), "noop passthru"),
    # Convolutions and dense layers
    (same("conv"), "convolution convolutional convolve lazyconv convgeneraldilated"),
    (
        same("conv_transpose"),
        "deconv deconvolution deconvolutional convtransposed transposedconv transposedconvolution transposeconv "
        "transposeconvolution upconv upconvolution conv1dtranspose conv2dtranspose conv3dtranspose lazyconvtranspose "
        "fractionallystridedconv transpconv convolutiontranspose convolution2dtranspose",
    ),
    (same("depthwise_conv"), "depthwise dwconv depthwiseconvolution depthwiseconv2dnative"),
    (
        same("separable_conv"),
        "sepconv separableconvolution depthwiseseparableconv depthwiseseparableconvolution",
    ),
    (
        instead("write `conv` with `kernel: 1`: a 1×1 convolution"),
        "pointwise pointwiseconv pointwiseconvolution conv1x1 nin",
    ),
    (instead("write `conv` with `groups: …`"), "groupconv groupedconv groupconvolution groupedconvolution"),
    (
        instead("write `conv` with `dilation: …`"),
        "dilatedconv dilatedconvolution atrousconv atrousconvolution atrous",
    ),
    (
        instead("write `conv` with `padding: causal`"),
        "causalconv causalconvolution",
    ),
    (
        same("dense", "it acts on the channels: put `flatten` before it to see a whole map"),
        "linear fc fullyconnected innerproduct affine lazylinear gemm connected ip fulllayer perceptron denselayer",
    ),
    (absent("layer that multiplies two inputs with a weight"), "bilinear"),
    (
        instead("write `parameter: […]` for the weight, and `contract: …` with `from: [x, weight]`"),
        "einsumdense densegeneral",
    ),
    (absent("locally connected layer"), "locallyconnected local locallyconnectedconv convlocal"),
    (absent("deformable convolution"), "deformconv deformableconv"),
    (absent("op that turns sliding blocks into channels"), "fold unfold im2col col2im extractpatches"),
    # Pools
    (same("max_pool"), "maxpooling maxpoolwithindices spatialmaxpooling"),
    (
        _average,
        "avgpool avgpooling averagepooling averagepool meanpool meanpooling",
    ),
    (
        instead("write `max_pool` or `avg_pool`; Caffe rounds sizes up: `rounding: ceil`"),
        "pool pooling pool2d subsamplinglayer downsample downsampling",
    ),
    (instead("write `avg_pool: 2`, and `scale` for the trainable part of LeNet-5"), "subsample subsampling"),
    (
        same("global_avg_pool"),
        "gap globalaveragepooling globalaveragepool globalavgpooling globalmeanpool globalmeanpooling "
        "spatialmean",
    ),
    (same("global_max_pool"), "gmp globalmaxpooling globalmaximumpooling"),
    (instead(f"write one of {_POOL_ALL}"), "globalpool globalpooling"),
    (
        same("adaptive_avg_pool", "for a vector use `global_avg_pool`"),
        "adaptiveavgpool adaptiveaveragepool adaptiveaveragepooling adaptiveavgpooling",
    ),
    (
        same("adaptive_max_pool", "for a vector use `global_max_pool`"),
        "adaptivemaxpool adaptivemaxpooling",
    ),
    (
        instead(
            "write `- max_unpool:` with `from: [NAME, POOL.indices]`, where POOL is the name of a `max_pool`"
        ),
        "unpool unpooling maxunpool maxunpooling upool",
    ),
    (
        instead("write `avg_pool`, and after it `scale_by:` with the number of values in a window"),
        "sumpool sumpooling",
    ),
    (absent("pool of medians"), "medianpool medianpooling medianfilter"),
    (absent("fractional pool"), "fractionalmaxpool fractionalmaxpooling fractionalavgpool"),
    (absent("Lp pool"), "lppool lpnormpool globallppool"),
    (_minimum("max_pool"), "minpool minpooling"),
    (_minimum("global_max_pool"), "globalminpool globalminpooling"),
    (
        absent("pyramid pool; pool to each size in a branch, and `concat`"),
        "spp spatialpyramidpooling sppf aspp",
    ),
    (absent("pool over regions"), "roipool roipooling roialign psroipool"),
    (
        same("reduce", "`reduce: {by: sum, axes: [height, width]}`"),
        "reduction",
    ),
    *(
        (instead(f"write `reduce: {by}` for all positions; `axes` names others"), words)
        for by, words in {
            "mean": "reducemean",
            "max": "reducemax amax",
            "sum": "reducesum",
            "min": "reducemin amin",
            "norm": "reducel2 vectornorm",
            "std": "reducestd",
        }.items()
    ),
    (
        absent("such reduction; `reduce` has sum, mean, max, min, std and norm"),
        "reduceprod reducewindow",
    ),
    (
        same("channel_pool", "its `size` is the number of input channels for each output channel"),
        "maxout channelmaxpool",
    ),
)
