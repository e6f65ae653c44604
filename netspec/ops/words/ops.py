"""The names of ops in other libraries and papers."""

from __future__ import annotations

import re

from netspec.ops.words import Lead, WordEntry, absent, instead, same, table


def _number(given: object, default: str = "…") -> str:
    """The plain number or list of an item, as written."""
    plain = isinstance(given, int | float | list) and not isinstance(given, bool)
    return str(given) if plain else default


def _adaptive(kind: str, *axes: str) -> WordEntry:
    """Equal windows if the output size divides the input size; otherwise the expression is an error, never rounded."""

    def entry(given: object) -> Lead:
        plain = next(iter(given.values()), None) if isinstance(given, dict) else given
        sizes = plain if isinstance(plain, list) else [plain] * len(axes)
        if len(sizes) != len(axes) or not all(isinstance(size, int) and size >= 1 for size in sizes):
            return instead(
                f"for an output of size 1 use `global_{kind}_pool`; for another size, `{kind}_pool` with the `kernel` "
                "that gives it"
            )
        if set(sizes) == {1}:
            return instead(f"write `- global_{kind}_pool`: it gives one value for each channel")
        kernel = ", ".join(f'"${{in.{axis} / {size}}}"' for axis, size in zip(axes, sizes, strict=True))
        shown = "×".join(map(str, sizes))
        return instead(
            f"write `{kind}_pool: {{kernel: [{kernel}]}}`: it gives {shown} if the input sizes are multiples of it; "
            "this version has no pool with windows of unequal sizes"
        )

    return entry


def _border(mode: str) -> WordEntry:
    def entry(given: object) -> Lead:
        return instead(f"write `pad: {{amount: {_number(given)}, mode: {mode}}}`")

    return entry


def _both(keyword: str) -> WordEntry:
    def entry(given: object) -> Lead:
        return instead(f"write `{keyword}: {{units: {_number(given)}, direction: both}}`")

    return entry


def _average(given: object) -> Lead:
    if given is None:
        return same("avg_pool", "in Darknet it has no kernel and is `global_avg_pool`")
    return same("avg_pool", "`count_padding: true` counts padding as zeros, as PyTorch and Caffe do")


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


def _shuffle(given: object) -> Lead:
    plain = next(iter(given.values()), None) if isinstance(given, dict) else given
    groups = _number(plain, "groups")
    sizes = '"${in.height}", "${in.width}"'
    return instead(
        f'write `layers: [{{reshape: [{groups}, "${{in.channels / {groups}}}", {sizes}]}}, '
        "{permute: [depth, channels, height, width]}, "
        f'{{reshape: ["${{in.channels * in.depth}}", {sizes}]}}]`'
        + ("" if groups != "groups" else ", with the number of groups in place of `groups`")
    )


def _celu(given: object) -> Lead:
    if given in (None, 1):
        return instead("write `elu`: CELU with alpha 1 is the same")
    return absent("CELU with an alpha other than 1; with alpha 1 it is `elu`")


def _minimum(pool: str) -> WordEntry:
    def entry(given: object) -> Lead:
        op = pool if pool.startswith("global") else f"{pool}: {_number(given)}"
        return instead(f"write `layers: [scale_by: -1, {op}, scale_by: -1]`: the largest of −x, negated")

    return entry


def _instance(given: object) -> Lead:
    return instead(
        'write `group_norm: {groups: "${in.channels}"}`: one group for each channel; for no trainable scale and '
        "shift add `scale: false, center: false`"
    )


def _unit(given: object) -> Lead:
    return instead(
        "write `l2_norm: {init: ones}` with `trainable: false` beside it: by default, `l2_norm` multiplies by "
        "trainable factors that start at 20"
    )


def _response(given: object) -> Lead:
    return Lead(
        "write `local_response_norm: {size: …, bias: 1, average: true}`: other libraries divide alpha by the size "
        "and have a bias of 1; the paper and the defaults of netspec do not",
        "local_response_norm",
    )


def _by_block(zoo: str) -> Lead:
    return instead(f"write it as a block of your own; `netspec new {zoo}` copies a spec that has one")


_ORDER = (
    "its channels have the order of PyTorch's pixel shuffle, not of `depth_to_space` in TensorFlow and ONNX"
)
_POOL_ALL = "`global_avg_pool` and `global_max_pool`"

WORDS = table(
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
    (absent("einsum layer"), "einsumdense densegeneral einsum"),
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
        _adaptive("avg", "height", "width"),
        "adaptiveavgpool adaptiveaveragepool adaptiveaveragepooling adaptiveavgpooling",
    ),
    (_adaptive("avg", "time"), "adaptiveavgpool1d adaptiveaveragepool1d adaptiveaveragepooling1d"),
    (
        _adaptive("avg", "depth", "height", "width"),
        "adaptiveavgpool3d adaptiveaveragepool3d adaptiveaveragepooling3d",
    ),
    (_adaptive("max", "height", "width"), "adaptivemaxpool adaptivemaxpooling"),
    (_adaptive("max", "time"), "adaptivemaxpool1d adaptivemaxpooling1d"),
    (_adaptive("max", "depth", "height", "width"), "adaptivemaxpool3d adaptivemaxpooling3d"),
    (
        instead(
            "write `- max_unpool:` with `from: [NAME, POOL.indices]`, where POOL is the name of a `max_pool`"
        ),
        "unpool unpooling maxunpool maxunpooling upool",
    ),
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
        absent(f"such reduction; the mean and the maximum over all positions are {_POOL_ALL}"),
        "reduce reduction "
        "reducemean reducemax reducesum reducemin reduceprod reducel2 reducewindow amax amin",
    ),
    (
        same("channel_pool", "its `size` is the number of input channels for each output channel"),
        "maxout channelmaxpool",
    ),
    # Activations
    (same("activation"), "act nonlinearity activationfunction"),
    (same("silu"), "sigmoidlinearunit sigmoidweightedlinearunit"),
    (
        same("leaky_relu", "its slope is 0.01, as in PyTorch; Keras' is `leaky_relu: 0.3`"),
        "leakyrelu lrelu leakyrectify leakyrectifier leakyrectifiedlinear",
    ),
    (same("relu"), "rectifier rectify rectified rectifiedlinear rectifiedlinearunit"),
    (same("sigmoid"), "logistic sigm expit"),
    (same("tanh"), "hyperbolictangent hypertan htan"),
    (same("elu"), "exponentiallinearunit"),
    (same("softplus"), "bnll softplusactivation"),
    (same("softmax"), "softargmax softmaxlayer"),
    (same("prelu", "it has one trainable slope per channel"), "prelu parametricrelu"),
    (same("gelu", "it is exact unless you write `gelu: tanh`, which is JAX's default"), "gelu"),
    (
        same("hard_sigmoid", "it is min(max(x + 3, 0), 6) / 6; ONNX and Keras 2 have another slope"),
        "hardsigmoid",
    ),
    # The same function, written with existing ops
    (instead("write `subtract: [[], [tanh]]`: x − tanh(x)"), "tanhshrink"),
    (instead("write `layers: [scale_by: -1, softmax]`: the softmax of −x"), "softmin"),
    (
        instead("write `layers: [scale_by: -1, softplus, scale_by: -1]`: −softplus(−x)"),
        "logsigmoid",
    ),
    (
        instead("write `layers: [concat: [[], [scale_by: -1]], relu]`: x and −x, each through `relu`"),
        "crelu concatrelu",
    ),
    (instead("write `maximum: [[], [scale_by: -1]]`: the larger of x and −x"), "abs absval absolute"),
    (instead("write `scale_by: -1`"), "neg negative negate"),
    (instead("write `multiply: [[], []]`: x · x"), "square"),
    (
        instead("write `layers: [relu, multiply: [[], []]]`: the square of `relu`"),
        "squaredrelu relusquared relu2",
    ),
    (instead("write `multiply: [[], [scale_by: 1.702, sigmoid]]`: x · sigmoid(1.702 x)"), "quickgelu"),
    (same("hard_swish"), "hardsilu"),
    (instead("write `leaky_relu: 0.1`: Darknet's slope"), "leaky"),
    (
        absent("logarithm of a softmax; end with `softmax`: the loss takes its logits"),
        "logsoftmax adaptivelogsoftmaxwithloss",
    ),
    (instead("write `gelu: tanh`"), "gelutanh gelunew quickgelutanh approximategelu"),
    (_celu, "celu"),
    (
        absent("activation of this name"),
        "hardshrink hardtanh rrelu softshrink softsign threshold geglu squareplus hardelu "
        "thresholdedrelu thresholdrelu sparsemax sparseplus sparsesigmoid sine sin cos tan snake exponential "
        "exp log sqrt pow power clip clamp clipbyvalue sign erf gumbelsoftmax logexp hardmax reciprocal round "
        "floor ceil softcap rootn logsumexp logaddexp isrlu shrink parametricsoftplus scaledtanh heaviside "
        "step",
    ),
    # Normalisation and regularisation
    (
        same("batch_norm", "its `momentum` is the fraction that a step keeps, as in Keras: 1 − PyTorch's"),
        "batchnorm bn batchnormalization batchnormalisation lazybatchnorm spatialbatchnorm batchnormlayer",
    ),
    (
        instead("on one device it is `batch_norm`; this version has no batch norm over several devices"),
        "syncbatchnorm syncbn synchronizedbatchnorm crossreplicabatchnorm",
    ),
    (absent("batch renormalisation"), "batchrenorm batchrenormalization"),
    (
        same(
            "layer_norm",
            "it normalises the channels of each position; `over: everything` normalises all values",
        ),
        "layernorm ln layernormalization layernormalisation",
    ),
    (same("group_norm"), "gn groupnormalization groupnormalisation"),
    (
        _instance,
        "instancenorm instancenormalization instancenormalisation lazyinstancenorm contrastnorm",
    ),
    (
        _response,
        "localresponsenorm lrn crossmaplrn localresponsenormalization localresponsenormalisation responsenorm "
        "localresponsenorm1d localresponsenorm2d localnorm localresponse norm1 norm2",
    ),
    (
        same("l2_norm", "it multiplies by trainable factors that start at 20, as in SSD"),
        "l2norm",
    ),
    (_unit, "normalize l2normalize l2normalization unitnormalization unitnorm lpnormalization"),
    (absent("RMS normalisation"), "rmsnorm rmsnormalization"),
    (
        absent("normalisation of this kind"),
        "weightnorm weightnormalization spectralnorm spectralnormalization mvn meanvariancenormalization "
        "filterresponsenorm switchablenorm evonorm adain divisivenorm",
    ),
    (instead("write `normalise: {mean: …, std: …}` in the recipe, `train:`"), "normalization normalisation"),
    (
        same("spatial_dropout", "it sets whole channels to 0"),
        "dropout1d dropout2d dropout3d featuredropout channeldropout",
    ),
    (
        absent("dropout of this kind"),
        "alphadropout featurealphadropout gaussiandropout dropblock droppath "
        "stochasticdepth zoneout dropconnect",
    ),
    (same("gaussian_noise"), "additivegaussiannoise gaussiannoiselayer"),
    (absent("penalty on activities or weights"), "activityregularization regularization weightdecay l1 l2"),
    (same("scale", "it has a trainable factor and a bias for each channel"), "channelscale scaleshift"),
    (same("scale_by", "it multiplies by a constant"), "rescaling rescale mulconstant multiplyscalar"),
    (absent("op that only adds a bias"), "bias biasadd addbias"),
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
    (instead("the sum of branches is `add`; this version has no sum over axes"), "sum"),
    (
        instead("negate each branch, merge them with `maximum`, and negate again: `scale_by: -1`"),
        "min minimum elementwisemin",
    ),
    (absent("op that divides branches"), "div divide truediv cdivtable"),
    (
        same("concat"),
        "cat concatenate concatenation depthconcat filterconcat joinchannels jointable concatv2",
    ),
    (absent("merge along a new axis; `concat` merges along an existing one"), "stack pack"),
    (
        absent("layer that multiplies two tensors as matrices"),
        "matmul bmm mm dot dotproduct batchdot tensordot dotgeneral outer mv",
    ),
    (absent("distance between branches"), "cosinesimilarity pairwisedistance cdist"),
    # Sizes and shapes
    (
        same("upsample", "`mode: linear` interpolates"),
        "upsampling upsamplingnearest upsamplenearest resizenearest nearestupsampling upsamplelayer",
    ),
    (
        instead(
            "write `upsample: {factor: …}`, or `upsample: {size: …}`; it repeats values, `mode: linear` interpolates"
        ),
        "interpolate resize resizing resizeimages imageresize interp resizebilinear",
    ),
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
    (
        absent(
            "op for Darknet's order of channels; `space_to_depth` has a different order, so weights trained with "
            "`reorg` do not fit it; docs/words.md has a block with Darknet's order"
        ),
        "reorg reorganize passthrough reorglayer",
    ),
    (
        _shuffle,
        "channelshuffle nativechannelshuffle shufflechannel channelshuffler",
    ),
    (same("repeat_vector", "it makes a sequence of a vector, or a map"), "repeatvector"),
    (
        instead(
            "write `repeat_vector: …` for a vector at each position of a map, `upsample: …` for a larger map"
        ),
        "tile expand broadcastto repeatinterleave repeat",
    ),
    # What this version does not have
    (
        absent("attention layer"),
        "attention multiheadattention multiheaddotproductattention selfattention additiveattention "
        "groupqueryattention groupedqueryattention scaleddotproductattention dotproductattention mha crossattention",
    ),
    (
        absent("transformer layer"),
        "transformer transformerencoder transformerdecoder transformerencoderlayer transformerdecoderlayer "
        "rope rotaryembedding",
    ),
    (
        same("positions", "it adds: `positions: sinusoid`, or `positions: learned`"),
        "positionalencoding positionalembedding positionembedding positionencoding sinepositionencoding",
    ),
    (same("parameter", "it is a trainable tensor: `parameter: [64, 1]`"), "learnable learned variable"),
    (same("constant", "`constant: [1, 0]`, or one number with a `shape`"), "constantofshape full fill"),
    (same("gated", "it is tanh · sigmoid of the two halves of the channels"), "gatedactivation gatedtanh"),
    (
        instead("write `gated: none`: one half of the channels times the sigmoid of the other"),
        "glu gatedlinearunit",
    ),
    (instead("write `gated: {activation: silu, gate: none}`"), "swiglu"),
    (instead("write `gated: {activation: relu, gate: none}`"), "reglu"),
    (
        same("rnn"),
        "rnnbase simplernn simplernncell rnncell rnncellbase recurrent elmanrnn vanillarnn dynamicrnn "
        "elman elmannet",
    ),
    (
        same("lstm", "it runs along all steps"),
        "lstmcell lstmunit optimizedlstmcell cudnnlstm lstmlayer lstmblock",
    ),
    (
        instead("write `lstm: {units: …, peepholes: true}`"),
        "peepholelstm peepholelstmcell lstmpeephole lstmpeepholes",
    ),
    (same("gru", "it runs along all steps"), "grucell cudnngru grulayer"),
    (
        instead(
            "an `rnn`, `lstm` or `gru` takes `direction: both`; `merge` says what becomes of its two outputs"
        ),
        "bidirectional bidirectionaldynamicrnn",
    ),
    (_both("rnn"), "birnn"),
    (_both("lstm"), "bilstm"),
    (_both("gru"), "bigru"),
    (instead("an `rnn`, `lstm` or `gru` takes `layers: n`"), "stackedrnncells multirnncell stackedrnn"),
    (
        same("conv_lstm", "it runs along the first axis of a video"),
        "convlstm1d convlstm2d convlstmcell convlstm2dcell convlstm1dcell",
    ),
    (
        same("conv_gru", "it runs along the first axis of a video"),
        "convgru1d convgru2d convgrucell convgru2dcell",
    ),
    (absent("layer of convolutions that keeps a state (`CRNN` of Darknet)"), "crnn"),
    (absent("connectionist temporal classification"), "ctc"),
    (
        same("embedding", "the vocabulary is that of the input: `input: {shape: [20], vocabulary: 8000}`"),
        "embedding embeddinglookup embed lookup wordembedding wordvectors tokenembedding",
    ),
    (
        instead(
            "write `embedding: …` with a `name`, and `dense: {units: …, bias: false}` with `share: NAME` beside it"
        ),
        "reversibleembedding tiedembedding",
    ),
    (instead("write `embedding: …`, then `global_avg_pool`: the mean of the vectors"), "embeddingbag"),
    (
        same("one_hot", "the vocabulary is that of the input"),
        "onehot onehotencoding categoryencoding",
    ),
    (
        instead(
            "remove it: `dense` and the ops on channels act at every position of a sequence by themselves"
        ),
        "timedistributed",
    ),
    (same("dense", "it acts at every position of a sequence"), "timedistributeddense"),
    (
        instead(
            "write the function with ops, or as a block of your own: a spec is data and contains no code"
        ),
        "lambda function func custom python pyfunc tensorlayer",
    ),
    (absent("noise of this kind"), "randomnoise uniformnoise"),
    (
        instead(
            "remove it, and give the recurrent layer the number of steps of each sample: `from: [NAME, LENGTHS]`, "
            "where LENGTHS is an input with `shape: []` and a `vocabulary`"
        ),
        "masking mask packsequence packpaddedsequence padpackedsequence packedsequence padsequence padsequences",
    ),
    (
        absent("augmentation or preprocessing layer; prepare the data before training"),
        "randomcrop randomflip randomrotation randomzoom randomtranslation randomcontrast randombrightness "
        "randomheight randomwidth randomgrayscale randomhue randomsaturation randomsharpness randomshear "
        "randomposterization randomperspective randomgaussianblur randomerasing randomelastictransform "
        "randomcolorjitter randomcolordegeneration randominvert randaugment autocontrast equalization solarization "
        "mixup cutmix augmix discretization hashing hashedcrossing stringlookup integerlookup "
        "textvectorization featurespace melspectrogram stftspectrogram spectrogram maxnumboundingboxes pipeline "
        "colorjitter rot90",
    ),
    (
        absent("op of this name"),
        "and or xor not equal less greater where if loop scan range shape size argmax argmin nonzero "
        "bitshift multinomial gridsample affinegrid stn spatialtransformer standardize moments",
    ),
    # Things that are not layers in netspec
    (
        instead("write `- layers: […]` for a group of items"),
        "sequential modulelist moduledict group stage container sequentialcell block",
    ),
    (
        instead("remove it: the `input` of the spec defines the input"),
        "input inputlayer inputs placeholder data imagedata hdf5data dummydata inputspec",
    ),
    (
        instead("remove it: a loss is not a layer; it belongs to the recipe, `train: {loss: cross_entropy}`"),
        "crossentropyloss crossentropy softmaxwithloss softmaxloss softmaxcrossentropy",
    ),
    (
        instead("remove it: a loss is not a layer; it belongs to the recipe, `train: {loss: …}`"),
        "loss l1loss nllloss nllloss2d mseloss bceloss bcewithlogitsloss kldivloss poissonnllloss gaussiannllloss "
        "hingeembeddingloss multilabelmarginloss multilabelsoftmarginloss multimarginloss smoothl1loss huberloss "
        "softmarginloss cosineembeddingloss marginrankingloss tripletmarginloss tripletmarginwithdistanceloss ctcloss "
        "euclideanloss hingeloss sigmoidcrossentropyloss infogainloss contrastiveloss binarycrossentropy "
        "binarycrossentropywithlogits cosineembedding gaussiannll hingeembedding kldiv mse marginranking "
        "multilabelmargin multilabelsoftmargin multimargin nll poissonnll smoothl1 softmargin tripletmargin "
        "tripletmarginwithdistance huber cost region yolo detection iseg logisticloss multinomiallogisticloss "
        "linearcrossentropyloss linearcrossentropy",
    ),
    (
        instead("remove it: metrics belong to the recipe, `train: {metrics: [accuracy]}`"),
        "accuracy metric metrics",
    ),
    (
        instead("remove it: `from` can take the output of a layer any number of times"),
        "fork tee branch duplicate clone copy",
    ),
    (
        instead("remove it: it does not change any number of the network"),
        "print stopgradient detach contiguous silence cast requiresgrad dequantize quantize",
    ),
    (
        instead("remove it: the end of the network is its output; `heads` adds further outputs"),
        "output outputs outputlayer",
    ),
    (
        _by_block("se_resnet34"),
        "squeezeexcite squeezeexcitation squeezeandexcitation seblock selayer semodule",
    ),
    (_by_block("googlenet"), "inception inceptionblock inceptionmodule"),
    (_by_block("resnet50"), "bottleneck bottleneckblock basicblock"),
    (_by_block("densenet121"), "denseblock transitionlayer"),
    (_by_block("mobilenet_v2"), "invertedresidual mbconv"),
    (
        instead("write it as a block of your own, from existing ops"),
        "fire firemodule fpn cbam highway hypercolumn nonlocal ghostmodule shuffleunit resnextblock convblock "
        "doubleconv convbnrelu convbn attentiongate channelattention spatialattention scseblock seunit",
    ),
)
"""By the folded word."""
