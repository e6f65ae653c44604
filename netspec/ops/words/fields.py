"""The names of fields in other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netspec.ops.words import OTHER, Lead, WordEntry, absent, instead, same

# For each of our fields, the words for it. If several fields have a word in common, the first one of the op counts.
_CALLED: tuple[tuple[str, str], ...] = (
    (
        "kernel",
        "kernelsize kernelshape ksize k kernelsizes kerneldim poolsize poolingsize windowshape windowsize window "
        "filtersize kernelwidth windowdimensions size f poolkernel",
    ),
    (
        "filters",
        "outchannels outchannel numoutput numfilters numfilter nfilters nfilter nbfilter channels outputchannels "
        "features maps featuremaps nummaps outplanes cout units width outputdim",
    ),
    (
        "units",
        "outfeatures features numoutput nunits nbunits numunits numhidden hidden hiddenunits hiddensize outputdim "
        "neurons numneurons outputsize outputs output filters outchannels size width nout outdim dim numclasses "
        "hiddendim hiddenchannels statesize rnnunits rnnsize",
    ),
    ("stride", "windowstrides step steps stridesize subsample subsamplefactor stridehw"),
    ("padding", "pad pads border bordermode paddings autopad padsize zeropadding padmode"),
    ("dilation", "dilationrate atrousrate rate rhsdilation kerneldilation dilatation holes hole atrous"),
    ("heads", "numheads nhead nheads numattentionheads numqueryheads qnumheads h head"),
    ("kv_heads", "numkvheads numkeyvalueheads kvnumheads nkvheads numgroups kvheads"),
    ("head_size", "keydim headdim dhead dimhead headsize dk sizeperhead headwidth projectionsize"),
    ("causal", "iscausal usecausalmask unidirectional autoregressive causalmask masked"),
    ("window", "slidingwindow localwindow windowsize localwindowsize"),
    ("groups", "group numgroups numgroup featuregroupcount cardinality ngroups g"),
    ("bias_init", "biasinitializer biasfiller binit biasinitialiser initbias biasinitialization"),
    (
        "init",
        "kernelinitializer kernelinit weightfiller initializer initialiser weightinit winit weightsinitializer "
        "kernelinitialiser initialization weightinitializer alphainitializer",
    ),
    ("bias", "usebias biasterm hasbias withbias biases addbias"),
    ("activation", "act activationfn activationfunction nonlinearity actfn activationtype actlayer fn"),
    (
        "rate",
        "p prob droprate dropoutrate dropoutratio dropprob dropoutprob probability ratio dropout drop",
    ),
    ("std", "stddev stdev sigma noise standarddeviation noisestd stddevs"),
    ("slope", "negativeslope alpha leak leakiness leakyslope leakrate"),
    ("epsilon", "eps varianceepsilon"),
    ("momentum", "decay movingaveragefraction decayrate bnmomentum"),
    ("multiplier", "depthmultiplier channelmultiplier depthmult"),
    ("count_padding", "countincludepad countpad includepad"),
    (
        "factor",
        "scalefactor scale scales upscalefactor stride ratio zoom multiplyby constant value by sizefactor",
    ),
    ("block", "blocksize upscalefactor downscalefactor upscale downscale factor scale r scalefactor stride"),
    ("mode", "interpolation resizemode upsamplemode method paddingmode interpolationmode padmode"),
    ("output_padding", "outputpad adj outpadding"),
    ("axis", "dim dims axes concataxis concatdim dimension along direction over"),
    ("temperature", "temp t tau"),
    ("amount", "padding pad pads cropping border paddingsize margin paddings widths"),
    ("shape", "targetshape newshape dims size outputshape sizes shapes"),
    ("axes", "dims perm order permutation dimensions"),
    (
        "size",
        "outputsize targetsize newsize localsize n shape outsize windowsize depthsize poolsize nsize runs times "
        "repeats count",
    ),
    ("value", "constantvalue constantvalues fillvalue const fill padvalue"),
    ("branches", "inputs layers paths items children ways branch towers"),
    ("kind", "pool op type mode method pooltype"),
    ("table", "connections connectiontable connectivity conntable"),
    ("scale", "usescale gamma elementwisescale"),
    ("center", "centre usebias beta bias shift offset"),
    ("antialias", "antialiasing smooth"),
    ("order", "mode ordering channelorder"),
    ("keep", "keepdims keepdim keepaxes keepdimensions"),
    ("like", "as sizeof reference liketensor sameas"),
    ("offset", "offsets start origin position topleft"),
    ("alpha", "a"),
    ("layers", "numlayers nlayers numlayer depth stack stacked"),
    ("merge", "mergemode combine join"),
    ("direction", "directions way"),
    ("return", "returns output outputs gives returnmode"),
    ("reset", "resetafter linearbeforereset resetgate"),
    (
        "recurrent_kernel",
        "recurrentkernelsize hiddenkernel hiddenkernelsize statekernel innerkernel hiddensize",
    ),
    ("recurrent_activation", "inneractivation gateactivation recurrentactivationfunction"),
    ("projection", "projsize proj numproj projdim projectionsize"),
    ("peepholes", "usepeepholes peephole usepeephole"),
    ("coupled", "inputforget couple cifg couplegates"),
    ("forget_bias", "unitforgetbias forgetbias initialforgetbias"),
    ("recurrent_init", "recurrentinitializer recurrentinit innerinit innerinitializer hiddeninit"),
    (
        "dropout",
        "drop droprate dropoutrate dropoutprob attndrop attentiondropout dropoutp attnpdrop attndroprate",
    ),
    ("blocks", "windowsize block blocksize windows"),
    ("output", "outputshape outfeatures outputdim outdim units projectdim"),
    ("project", "projected useprojection inproj projections"),
    ("variational", "variationaldropout variationalrecurrent lockeddropout"),
    ("approximate", "approximation tanh"),
    ("padding_index", "paddingidx padidx padindex padid padtokenid paddingid"),
    ("start", "begin from lower starts startindex startindices first"),
    ("stop", "end to until upper ends last endindex limit limitindices"),
    ("step", "stride strides steps every"),
    (
        "parts",
        "sizes sections splitsizeorsections sizesplits numsplits numorsizesplits splits chunks names into outputs",
    ),
    ("position", "index at which i place idx timestep step"),
    ("positions", "indices index places idx"),
    ("shift", "shifts by amount offset"),
)


def _sequences(given: object) -> Lead:
    if given is True:
        return instead("remove it: `return: sequence` is the default")
    if given is False:
        return instead("put `return: last` in its place")
    return instead(
        "put `return: sequence` in its place for the output at every step, `return: last` for the last one"
    )


def _backwards(given: object) -> Lead:
    if given is False:
        return instead("remove it: a layer runs forward unless `direction` says otherwise")
    return instead("put `direction: backward` in its place")


def _both(given: object) -> Lead:
    if given is False:
        return instead("remove it: a layer runs in one direction unless `direction` says otherwise")
    return instead("put `direction: both` in its place")


def _reset(default: str, other: str) -> Callable[[object], Lead]:
    """The advice for a setting that is true if the product with the state is reset."""

    def found(given: object) -> Lead:
        if given not in (True, False):
            return same("reset")
        meant = "after" if given else "before"
        if meant == default:
            return instead(f"remove it: `reset: {default}` is the default")
        return instead(f"put `reset: {other}` in its place")

    return found


def _forget(given: object) -> Lead:
    if given is True:
        return instead("remove it: `forget_bias: 1` is the default")
    return instead("put `forget_bias: 0` in its place") if given is False else same("forget_bias")


def _cell(given: object) -> Lead:
    word = given.lower() if isinstance(given, str) else ""
    return instead(f"write `{word if word in ('rnn', 'lstm', 'gru') else 'lstm'}: …`: each cell is an op")


def _part(given: object) -> Lead:
    size = given if isinstance(given, int) and not isinstance(given, bool) else "SIZE"
    return Lead(f"put it into `parts`: `parts: {{NAME: {size}, …}}`, all parts in one mapping", "parts")


def _sizes_of_parts(given: object) -> Lead:
    if not isinstance(given, list) or not all(type(each) is int for each in given):
        return same("parts")
    named = ", ".join(f"{chr(ord('a') + at)}: {size}" for at, size in enumerate(given[:26]))
    return Lead(f"put each size into `parts`, with the name of its part: `parts: {{{named}}}`", "parts")


def _masked(given: object) -> Lead:
    if given is False:
        return instead("remove it: no step is left out unless a layer gets `lengths`")
    return instead(
        "give the recurrent layer the lengths of the sequences: `from: [NAME, LENGTHS]`; `padding_index` keeps a "
        "vector at zeros"
    )


_SWEPT: tuple[tuple[WordEntry, str], ...] = (
    (_sequences, "returnsequences"),
    (
        instead(
            "remove it: every layer gives its last states by name, `NAME.state`, and those of an `lstm` `NAME.cell`"
        ),
        "returnstate returnstates",
    ),
    (_backwards, "gobackwards reverse reversed backward backwards"),
    (_both, "bidirectional bi"),
    (
        instead(
            "write `from: [NAME, OTHER.state]` beside the op, for an `lstm` `from: [NAME, OTHER.state, OTHER.cell]`"
        ),
        "initialstate initialstates h0 hx c0 initialh",
    ),
    (
        instead("remove it: a spec has one order of axes, and each run starts with zeros"),
        "batchfirst timemajor stateful unroll",
    ),
)

_RECURRENT: tuple[tuple[WordEntry, str], ...] = (
    *_SWEPT,
    (
        instead("write `dropout` with `variational: true`: it then also acts on the state"),
        "recurrentdropout recurrentdropoutrate variationaldropout",
    ),
    (
        instead("name the input with the lengths last in `from`: `from: [NAME, LENGTHS]`"),
        "lengths length seqlen sequencelength sequencelengths mask masking seqlens",
    ),
    (instead("remove it: the gates are sigmoids"), "recurrentactivation inneractivation gateactivation"),
    (_cell, "cell celltype rnntype"),
)
_CONV_RECURRENT: tuple[tuple[WordEntry, str], ...] = (
    *_SWEPT,
    (
        absent("dropout inside a convolutional recurrent layer", "write `- spatial_dropout: …` before it"),
        "dropout recurrentdropout dropoutrate recurrentdropoutrate",
    ),
    (instead("remove it: every step of a video counts"), "lengths length seqlen mask masking seqlens"),
    (instead("write `repeat: n` beside the op"), "layers numlayers nlayers"),
)
_NO_PEEPHOLES = instead(
    "`peepholes` and `coupled` are fields of `lstm`: this layer has no cell to see, or to forget"
)

_NO_PROJECTION = instead(
    "`projection` and `forget_bias` are fields of `lstm`: this layer has no projection, and no forget gate"
)
_NO_RESET = instead("`reset` is a field of `gru`: this layer has no reset gate")

_VOCABULARY = instead(
    "remove it: the vocabulary is that of the input: `input: {shape: [20], vocabulary: 8000}`"
)
_RESETS = "resetafter linearbeforereset"
_FORGETS = "unitforgetbias"

_TURNED: tuple[tuple[WordEntry, str], ...] = (
    (same("base"), "theta ropetheta ropebase rotaryembbase maxwavelength"),
    (same("fraction"), "rotarypct partialrotaryfactor rotaryfraction partial"),
    (same("start"), "offset startindex seqoffset positionoffset"),
    (
        instead(
            "write `pairs: neighbours` for interleaved channels, `pairs: halves` (the default) for others"
        ),
        "interleaved interleave rotaryinterleaved traditional ropeinterleave isneox isneoxstyle",
    ),
    (
        absent("scaling of the angles of `rotary`", "give another `base`"),
        "scaling ropescaling scalingfactor scale scalefactor xpos mscale",
    ),
)
_UNNEEDED = instead("remove it: netspec computes it from the input of the layer")
_LAYOUT = instead(
    "remove it: shapes are channels first in every spec, and each backend uses the layout that it needs"
)
_BESIDE = instead("write it beside the op, in its own line below the dash, not among the fields of the op")


def _border(given: object) -> Lead:
    word = str(given).lower()
    if word.startswith("zero") or word == "constant":
        return instead("remove it: the padding is always zeros")
    if word.startswith(("circ", "wrap", "periodic")):
        return absent("circular padding")
    mode = "replicate" if word in ("replicate", "edge", "nearest", "border") else "reflect"
    return instead(
        f"put a `pad` with `mode: {mode}` before this layer: its `amount` is the `padding` given here, which goes"
    )


_ANYWHERE: tuple[tuple[WordEntry, str], ...] = (
    (
        _UNNEEDED,
        "inchannels infeatures inputdim inputchannels nin nchannels numchannels inputsize inputshape inchannel "
        "numparameters numinput inplanes cin batchinputshape numfeatures normalizedshape inputfeatures channelsin",
    ),
    (
        _LAYOUT,
        "dataformat datalayout layout dimensionnumbers dimordering channelaxis channelsfirst memoryformat",
    ),
    (_BESIDE, "name from repeat when else share trainable carry"),
    (instead("write `trainable: false` beside the op"), "frozen freeze requiresgrad"),
    (
        instead("remove it: it does not change any number of the network"),
        "inplace device dtype usecudnnonrecip usecudnn engine "
        "seed useglobalstats trackrunningstats autocast paramdtype precision",
    ),
    (
        absent("penalty or constraint on weights"),
        "kernelregularizer biasregularizer activityregularizer kernelconstraint "
        "biasconstraint weightdecay regularizer l1 l2 constraint weightregularizer",
    ),
    (instead("`bias: false` says the same"), "nobias"),
    (_border, "paddingmode padtype fillmode"),
    (instead("`rounding: ceil` says the same as `ceil_mode: true`"), "ceilmode roundmode ceil"),
    (
        instead(
            "write `scale: false` and `center: false` for `affine: false`; the default of both is `true`"
        ),
        "affine elementwiseaffine learnedaffine",
    ),
    (instead("write `rate` with 1 − keep_prob"), "keepprob keep keepprobability"),
    (instead("write `size` with 2 · depth_radius + 1"), "depthradius"),
    (
        instead("write a separate op after this one, such as `- batch_norm`"),
        "normalization norm batchnorm batchnormalize bn normalizerfn usebn",
    ),
)


def _slope(given: object) -> Lead:
    number = isinstance(given, int | float) and not isinstance(given, bool)
    return instead(
        f"write `leaky_relu: {{slope: {given if number else '…'}}}` in place of `relu`, which has no slope"
    )


# Words with a special meaning for one op.
_OWN: dict[str, tuple[tuple[WordEntry, str], ...]] = {
    "rnn": (
        *_RECURRENT,
        (_NO_PEEPHOLES, "peepholes usepeepholes peephole coupled inputforget"),
        (_NO_PROJECTION, "projection projsize forgetbias unitforgetbias"),
        (_NO_RESET, "reset resetafter linearbeforereset"),
    ),
    "gru": (
        *_RECURRENT,
        (_reset("after", "before"), _RESETS),
        (instead("remove it: a `gru` has tanh; `rnn` and `conv_gru` have an `activation`"), "activation act"),
        (_NO_PEEPHOLES, "peepholes usepeepholes peephole coupled inputforget"),
        (_NO_PROJECTION, "projection projsize forgetbias unitforgetbias"),
    ),
    "lstm": (
        *_RECURRENT,
        (_forget, _FORGETS),
        (_NO_RESET, "reset resetafter linearbeforereset"),
        (
            instead("remove it: an `lstm` has tanh; `rnn` and `conv_lstm` have an `activation`"),
            "activation act",
        ),
    ),
    "attention": (
        (
            instead(
                "remove it: the channels are those of the input; `heads: …` divides them, and `head_size` is a head's"
            ),
            "embeddim dmodel hiddensize dim channels",
        ),
        (
            instead(
                "remove it: the channels of keys and values are those of their inputs, in `from: [x, keys, values]`"
            ),
            "kdim vdim",
        ),
        (
            absent("values with another size of heads than the keys"),
            "valuedim dv",
        ),
        (
            instead("name the lengths of the keys last in `from`: `from: [NAME, LENGTHS]`"),
            "lengths length keypaddingmask seqlen attentionmask mask masking",
        ),
        (
            instead(
                "name what is added to the scores in `from`: `from: [NAME, BIAS]`, of the shape [heads, queries, keys]"
            ),
            "attnmask attnbias attentionbias scorebias relativepositionbias",
        ),
        (
            instead("name the memory in `from`: `from: [NAME, MEMORY]`"),
            "memory keys values key value query context",
        ),
        (same("bias"), "qkvbias addbiasqkv inprojbias"),
        (
            absent(
                "trainable or zero keys that are added to the sequence", "write `concat` with a `parameter`"
            ),
            "addbiaskv addzeroattn",
        ),
        (same("rotary"), "rope userope rotaryembedding rotaryemb rotarypositions"),
        (
            instead("write `rotary: {base: …}`"),
            "ropetheta ropebase rotarybase",
        ),
        (same("shift"), "shiftsize"),
        (same("blocks"), "windowshape"),
        (instead("remove it: a spec has one order of axes"), "batchfirst"),
        (
            instead("remove it: an output with the weights of the keys would stop fused kernels"),
            "needweights returnattentionscores averageattnweights flashattention useflash",
        ),
    ),
    "rotary": (
        *_TURNED,
        (
            instead(
                "remove it: `heads` divides the channels into heads, and `fraction` says how many of one turn"
            ),
            "dim headdim headsize rotarydim rotaryndims rotaryembeddingdim",
        ),
        (_UNNEEDED, "maxpositionembeddings maxseqlen maxlength sequenceaxis featureaxis"),
    ),
    "embedding": (
        (_VOCABULARY, "numembeddings inputdim vocabulary vocabsize numtokens"),
        (same("units"), "embeddingdim embeddingsize dmodel"),
        (same("init"), "embeddingsinitializer embeddinginitializer"),
        (_masked, "maskzero"),
        (_UNNEEDED, "inputlength"),
        (instead("remove it: it does not change any number of the network"), "sparse"),
        (
            absent("bound or penalty on the vectors of an embedding"),
            "maxnorm normtype scalegradbyfreq embeddingsconstraint embeddingsregularizer",
        ),
    ),
    "one_hot": (
        (_VOCABULARY, "depth numclasses vocabulary vocabsize numembeddings ndepth classes numtokens"),
    ),
    "split": (
        (_sizes_of_parts, "sizes sections splitsizeorsections sizesplits splits chunks"),
        (_part, OTHER),
    ),
    "slice": ((instead("write `stop`, the start plus the length, in its place"), "length size count"),),
    "take": (
        (instead("write `gather: …` in place of `take`, which gives one position"), "indices positions"),
    ),
    "conv_lstm": (
        *_CONV_RECURRENT,
        (_forget, _FORGETS),
        (absent("coupled gates of maps"), "coupled inputforget cifg"),
        (
            instead("`reset` is a field of `conv_gru`: this layer has no reset gate"),
            "reset resetafter linearbeforereset",
        ),
    ),
    "conv_gru": (
        *_CONV_RECURRENT,
        (_reset("before", "after"), _RESETS),
        (
            instead("`peepholes` is a field of `conv_lstm`: this layer has no cell to see"),
            "peepholes peephole",
        ),
        (
            instead("`forget_bias` is a field of `conv_lstm`: this layer has no forget gate"),
            "forgetbias unitforgetbias",
        ),
    ),
    "local_response_norm": (
        (same("bias"), "k knorm"),
        (instead("remove it: the sum always runs over channels"), "normregion"),
    ),
    "relu": (
        (_slope, "negativeslope slope alpha leak leakiness leakyslope leakrate"),
        (
            instead("write `relu6` in place of `relu` for 6; this version has no relu with another bound"),
            "maxvalue",
        ),
    ),
    "batch_norm": ((instead("write the activation as an op after it: `- relu`"), "activation act"),),
    "upsample": ((instead("write `mode: linear` for bilinear, `mode: nearest` for nearest"), "bilinear"),),
    "softmax": ((instead("remove it: `softmax` works over the channels"), "dim axis"),),
    "layer_norm": (
        (
            instead("write `over: channels`, or `over: everything` for all axes"),
            "axis normalizedshape axes dim normaxes",
        ),
    ),
    "prelu": ((instead("remove it: there is one trainable slope per channel"), "sharedaxes"),),
}


def for_op(keyword: str, known: Iterable[str]) -> dict[str, WordEntry]:
    """The words for the fields of one op; `known` are its fields."""
    known = set(known)
    found: dict[str, WordEntry] = {}
    rows: list[tuple[WordEntry, str]] = [*_OWN.get(keyword, ())]
    rows += [(same(ours), words) for ours, words in _CALLED if ours in known]
    rows += _ANYWHERE
    for entry, words in rows:
        for word in words.split():
            if not isinstance(entry, Lead) or entry.ours is None or entry.ours in known:
                found.setdefault(word, entry)
    return found
