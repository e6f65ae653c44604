"""The names of activations, of normalisation and of regularisation."""

from __future__ import annotations

from netspec.ops.words import Lead, Rows, absent, instead, same


def _celu(given: object) -> Lead:
    if given in (None, 1):
        return instead("write `elu`: CELU with alpha 1 is the same")
    return absent("CELU with an alpha other than 1; with alpha 1 it is `elu`")


def _response(given: object) -> Lead:
    return Lead(
        "write `local_response_norm: {size: …, bias: 1, average: true}`: other libraries divide alpha by the size "
        "and have a bias of 1; the paper and the defaults of netspec do not",
        "local_response_norm",
    )


def _unit(given: object) -> Lead:
    return instead(
        "write `l2_norm: {init: ones}` with `trainable: false` beside it: by default, `l2_norm` multiplies by "
        "trainable factors that start at 20"
    )


ROWS: Rows = (
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
    (same("abs"), "absval absolute absolutevalue"),
    (same("exp"), "exponential"),
    (same("log", "it is the natural logarithm"), "logarithm"),
    (same("sqrt"), "squareroot"),
    (same("power", "the exponent is a constant"), "pow"),
    (
        same("clip", "`clip: {min: 0, max: 6}`; one of the two is enough"),
        "clamp clipbyvalue clamptensor",
    ),
    (instead("write `{clip: {min: -1, max: 1}}`"), "hardtanh"),
    (same("step", "it is 0 at the threshold and learns nothing"), "heaviside binarystep"),
    (instead("write `power: -1`: 1 / x"), "reciprocal"),
    (instead("write `power: -0.5`: 1 / √x"), "rsqrt"),
    (same("log_softmax"), "logsoftmax"),
    (instead("write `scale_by: -1`"), "neg negative negate"),
    (
        instead("write `layers: [relu, square]`: the square of `relu`"),
        "squaredrelu relusquared relu2",
    ),
    (instead("write `multiply: [[], [scale_by: 1.702, sigmoid]]`: x · sigmoid(1.702 x)"), "quickgelu"),
    (same("hard_swish"), "hardsilu"),
    (instead("write `leaky_relu: 0.1`: Darknet's slope"), "leaky"),
    (
        absent("softmax in stages; end with `softmax`: the loss takes its logits"),
        "adaptivelogsoftmaxwithloss",
    ),
    (instead("write `gelu: tanh`"), "gelutanh gelunew quickgelutanh approximategelu"),
    (_celu, "celu"),
    (
        absent("activation of this name"),
        "hardshrink rrelu softshrink softsign threshold squareplus hardelu "
        "thresholdedrelu thresholdrelu sparsemax sparseplus sparsesigmoid sine sin cos tan snake "
        "sign erf gumbelsoftmax logexp hardmax round "
        "floor ceil softcap rootn logsumexp logaddexp isrlu shrink parametricsoftplus scaledtanh",
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
        same("instance_norm", "PyTorch's has no trainable scale and shift: `scale: false, center: false`"),
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
    (
        same("rms_norm", "its epsilon is 1e-6, as in Keras; PyTorch's depends on the number type"),
        "rmsnorm rmsnormalization rmsnormalisation llamarmsnorm t5layernorm",
    ),
    (
        absent("normalisation of this kind"),
        "weightnorm weightnormalization spectralnorm spectralnormalization mvn meanvariancenormalization "
        "filterresponsenorm filterresponsenormalization frn switchablenorm evonorm adain divisivenorm",
    ),
    (
        same("local_contrast_norm", "it subtracts the local mean and divides by the local deviation"),
        "localcontrastnorm lcn localcontrastnormalization localcontrastnormalisation "
        "spatialcontrastivenormalization contrastivenormalization",
    ),
    (
        instead("write `local_contrast_norm: {divide: false}`"),
        "spatialsubtractivenormalization subtractivenormalization",
    ),
    (instead("write `normalise: {mean: …, std: …}` in the recipe, `train:`"), "normalization normalisation"),
    (
        same("spatial_dropout", "it sets whole channels to 0"),
        "dropout1d dropout2d dropout3d featuredropout channeldropout",
    ),
    (
        absent("dropout of this kind"),
        "alphadropout featurealphadropout gaussiandropout dropblock zoneout dropconnect",
    ),
    (
        same("drop_path", "it sets the branch of a sample to 0; put it at the end of a branch of `add`"),
        "droppath stochasticdepth droplayer",
    ),
    (
        same("sample", "it takes the mean and the logarithm of the variance: `from: [mean, log_variance]`"),
        "sampling samplinglayer reparametrize reparameterize reparametrization reparameterization "
        "gaussiansample normalsample",
    ),
    (same("gaussian_noise"), "additivegaussiannoise gaussiannoiselayer"),
    (absent("penalty on activities or weights"), "activityregularization regularization weightdecay l1 l2"),
    (same("scale", "it has a trainable factor and a bias for each channel"), "channelscale scaleshift"),
    (same("scale_by", "it multiplies by a constant"), "rescaling rescale mulconstant multiplyscalar"),
    (absent("op that only adds a bias"), "bias biasadd addbias"),
    (
        instead(
            'write `add: [[], [constant: {values: 1, shape: "${in.channels}"}]]`, with your number for 1'
        ),
        "addconstant addscalar plusconstant",
    ),
    (absent("op that accumulates along an axis"), "cumsum cumulativesum cumprod cummax cumlogsumexp"),
)
