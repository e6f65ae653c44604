"""The names of recurrent layers, of what surrounds them, and of what this version does not have."""

from __future__ import annotations

from netspec.ops.words import Lead, Rows, WordEntry, absent, instead, same, written


def _both(keyword: str) -> WordEntry:
    def entry(given: object) -> Lead:
        return instead(f"write `{keyword}: {{units: {written(given)}, direction: both}}`")

    return entry


ROWS: Rows = (
    (
        same("attention", "`attention: HEADS`; with `from: [x, memory]` it attends to a memory"),
        "attention multiheadattention multiheaddotproductattention selfattention mha crossattention msa mhsa "
        "multiheadselfattention multiheadattentionforward",
    ),
    (
        instead(
            "write `attention: {heads: …, kv_heads: …}`: heads of queries share those of keys and values"
        ),
        "groupqueryattention groupedqueryattention gqa multiqueryattention mqa",
    ),
    (
        instead("write `attention: {heads: 1, project: false}`, with `from: [QUERIES, KEYS, VALUES]`"),
        "scaleddotproductattention dotproductattention",
    ),
    (
        instead("write `attention: {heads: …, blocks: …}`, with `shift` in every second layer"),
        "windowattention shiftedwindowattention swinattention",
    ),
    (absent("attention with additive scores (Bahdanau)"), "additiveattention bahdanauattention"),
    (
        instead("write it as a block of your own: `attention`, `add`, `layer_norm`, and two `dense` layers"),
        "transformer transformerencoder transformerdecoder transformerencoderlayer transformerdecoderlayer",
    ),
    (
        same("rotary", "it turns a sequence by itself, with its number of `heads`"),
        "rope rotaryembedding rotarypositionembedding rotarypositionalembedding rotarypositionalembeddings "
        "rotaryemb applyrotaryposemb llamarotaryembedding gptneoxrotaryembedding",
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
    (instead("write `gated: {activation: gelu, gate: none}`"), "geglu"),
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
    (instead("write `where` with `from: [mask, x, y]`: x where the mask is not 0, else y"), "maskedfill"),
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
        "and or xor not equal less greater if loop scan range shape size argmax argmin nonzero "
        "bitshift multinomial gridsample affinegrid stn spatialtransformer standardize moments",
    ),
)
