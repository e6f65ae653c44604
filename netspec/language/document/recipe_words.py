"""The names of settings, losses, metrics, optimisers and data sets in other libraries."""

from __future__ import annotations

from collections.abc import Callable

from netspec.ops.words import Lead, absent, instead, same, table


def _rate(given: object) -> Lead:
    number, optimizer = _stated(given, 0.001)
    return instead(
        f"it is a setting of the optimiser: write `optimizer: {{{optimizer}: {{learning_rate: {number}}}}}`"
    )


def _momentum(given: object) -> Lead:
    number, _ = _stated(given, 0.9)
    return instead(f"it is a setting of `sgd`: write `optimizer: {{sgd: {{momentum: {number}}}}}`")


def _decay(given: object) -> Lead:
    number, optimizer = _stated(given, 0.0001)
    return instead(
        f"it is a setting of the optimiser: write `optimizer: {{{optimizer}: {{weight_decay: {number}}}}}`; "
        "`l2` adds λ · Σ w² to the loss"
    )


def _smoothing(given: object) -> Lead:
    number, _ = _stated(given, 0.1)
    return instead(f"it is a setting of the loss: write `loss: {{cross_entropy: {{smoothing: {number}}}}}`")


def _clip(kind: str) -> Callable[[object], Lead]:
    return lambda given: instead(f"write `clip: {{{kind}: {_stated(given, 1.0)[0]}}}`")


def _patience(given: object) -> Lead:
    number, _ = _stated(given, 5)
    return instead(f"write `stop: {{after: {number}}}`")


def _stated(given: object, usual: float) -> tuple[object, object]:
    """The number that is given with a word, and the optimiser of the same recipe."""
    number, whole = given if isinstance(given, tuple) else (given, {})
    plain = isinstance(number, int | float) and not isinstance(number, bool)
    return (number if plain else usual), _optimizer_of(whole)


def _optimizer_of(whole: object) -> str:
    """The name of the optimiser of a recipe, as far as it can be read."""
    named = whole.get("optimizer") if isinstance(whole, dict) else None
    name = next(iter(named), None) if isinstance(named, dict) else named
    return (
        name
        if isinstance(name, str) and name in ("sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta")
        else "adam"
    )


def _betas(given: object) -> Lead:
    pair = given[0] if isinstance(given, tuple) else given
    pair = pair if isinstance(pair, list) and len(pair) == 2 else [0.9, 0.999]
    return instead(f"write `beta1: {pair[0]}` and `beta2: {pair[1]}`")


RECIPE = table(
    (same("data"), "dataset traindata datapath datadir"),
    (same("pad"), "padding"),
    (same("normalise"), "normalize normalization normalisation standardize standardise"),
    (same("whiten"), "whitening zca"),
    (same("augment"), "augmentation augmentations transforms transform"),
    (same("batch"), "batchsize minibatch minibatchsize trainbatchsize"),
    (
        same("accumulate"),
        "gradientaccumulation gradientaccumulationsteps accumulategradbatches accumulationsteps itersize",
    ),
    (same("epochs"), "numepochs nepochs maxepochs numtrainepochs nbepochs trainepochs"),
    (
        same("steps", "it takes the place of `epochs`"),
        "maxsteps iterations maxiter maxiters numsteps trainsteps",
    ),
    (same("loss"), "lossfn lossfunction criterion objective"),
    (instead("write `losses: {main: cross_entropy, aux: {cross_entropy: {weight: 0.3}}}`"), "lossweights"),
    (same("optimizer"), "optimiser optim solver solvertype updater"),
    (same("schedule"), "scheduler lrschedule lrscheduler lrpolicy learningrateschedule"),
    (
        instead("it is a setting of every schedule: write `schedule: {cosine: {warmup: 500}}`"),
        "warmup warmupsteps",
    ),
    (instead("write `schedule: {step: {every: 30, factor: 0.1}}`"), "gamma stepvalue milestones"),
    (same("metrics"), "metric"),
    (same("seed"), "randomseed manualseed randomstate rngseed"),
    (same("train_size"), "maxtrainsamples limittrain"),
    (same("validation_size"), "maxvalsamples limitval"),
    (same("test_size"), "maxtestsamples limittest"),
    (same("average"), "ema useema emadecay emamomentum modelema swa averageweights"),
    (same("best"), "monitor checkpointmetric savebest savebestonly"),
    (same("groups"), "paramgroups parametergroups"),
    (instead("write `groups: [{layers: features.*, freeze: true}]`"), "freeze frozen freezelayers"),
    (same("checkpoint"), "checkpoints checkpointing saveevery saveinterval snapshot savesteps"),
    (same("precision"), "amp dtype mixedprecision fp16 bf16 policy"),
    (same("compile"), "torchcompile jit jitcompile"),
    (same("workers"), "numworkers"),
    (same("capture"), "cudagraph cudagraphs graphs"),
    (same("sharded"), "fsdp fullshard fullysharded zero zerostage"),
    (same("steps_per_call"), "stepsperexecution stepsperloop"),
    (
        instead("it is an option of the command: `--devices 2`"),
        "devices numdevices numgpus ngpus ngpu gpuspernode worldsize strategy distributed ddp",
    ),
    (same("deterministic"), "reproducible cudnndeterministic"),
    (_rate, "lr learningrate baselr initiallr lr0 eta stepsize"),
    (_momentum, "momentum"),
    (_decay, "weightdecay decay wd"),
    (
        same("l2", "it adds λ · Σ w² to the loss; PyTorch's weight decay is 2 λ"),
        "regularization regularizer kernelregularizer",
    ),
    (absent("L1 regularisation"), "l1"),
    (_smoothing, "labelsmoothing smoothing"),
    (
        instead("it is a setting of the loss: write `loss: {cross_entropy: {class_weights: [1, 2]}}`"),
        "classweight classweights",
    ),
    (_clip("norm"), "clipnorm gradientclip gradclip maxgradnorm gradientclipval globalclipnorm"),
    (_clip("value"), "clipvalue"),
    (_patience, "earlystopping patience earlystop"),
    (instead("write `optimizer: {sgd: {momentum: 0.9, nesterov: true}}`"), "nesterov"),
    (
        instead("it is a part of the data: write `data: {train: mnist, validation: 0.1}`"),
        "validation validationsplit validationdata val valsplit",
    ),
    (
        instead("it is a part of the data: write `data: {train: ./train, test: ./test}`"),
        "test testdata testsplit",
    ),
    (instead("write `validation_size`, or `data: {train: mnist, validation: 5000}`"), "valsize"),
    (instead("remove it: every epoch has a different order of samples"), "shuffle shuffled"),
    (instead("it is an option of the command: `--device`"), "device gpu gpus accelerator cuda usecuda"),
    (instead("it is an option of the command: `--tensorboard`"), "callbacks logger tensorboard"),
    (
        instead("it is a setting of the data: write `data: {train: ./images, size: [32, 32]}`"),
        "resize imagesize imgsz",
    ),
    (instead("it belongs to the network, as an item: `- dropout: 0.5`"), "dropout"),
)

OPTIMIZERS = table(
    (same("sgd"), "stochasticgradientdescent gradientdescent minibatchgradientdescent"),
    (instead("write `{sgd: {momentum: 0.9}}`"), "momentum momentumsgd sgdmomentum"),
    (
        instead("write `{sgd: {momentum: 0.9, nesterov: true}}`"),
        "nesterov nag nesterovmomentum nesterovs sgdnesterov",
    ),
    (same("adamw"), "adamweightdecay"),
    (absent("Nesterov momentum in Adam"), "nadam nadamw"),
    (absent("SGD with decoupled weight decay"), "sgdw"),
    (
        absent("optimiser of this name; it has `sgd`, `adam`, `adamw`, `rmsprop`, `adagrad` and `adadelta`"),
        "rprop adamax radam amsgrad asgd sparseadam lamb lars lion lbfgs ftrl adafactor "
        "muon sophia shampoo novograd adabelief yogi ranger sgdp adamp lookahead adan prodigy",
    ),
)

SETTINGS = table(
    (same("learning_rate"), "lr rate learningrate eta alpha baselr"),
    (same("beta1", "it is written without an underscore"), "b1"),
    (same("beta2", "it is written without an underscore"), "b2"),
    (same("epsilon"), "eps fuzz"),
    (_betas, "betas"),
    (same("weight_decay"), "decoupledweightdecay wd"),
    (same("smoothing"), "labelsmoothing"),
    (same("ignore"), "ignoreindex ignoreclass ignorelabel voidlabel"),
    (same("class_weights"), "classweight classweights"),
    (same("positive_weight"), "posweight"),
    (same("layers"), "params parameters modules variables"),
    (same("after"), "patience"),
    (same("metric"), "monitor"),
    (same("threshold"), "mindelta"),
    (same("every"), "stepsize decaysteps"),
    (same("at"), "milestones boundaries"),
    (same("factor"), "gamma decayrate"),
    (same("to"), "etamin minlr endlearningrate"),
    (same("warmup"), "warmupsteps numwarmupsteps"),
    (same("probability"), "p prob"),
    (same("freeze"), "frozen trainable"),
    (
        instead("it is the plain number: write `clip: {norm: 1.0}`"),
        "maxnorm clipnorm clipvalue globalclipnorm",
    ),
    (absent("AMSGrad"), "amsgrad"),
    (absent("dampening: it is 0"), "dampening"),
    (absent("setting to maximise"), "maximize"),
    (instead("it is a setting of the recipe: write `average: 0.999`"), "useema ema emamomentum"),
)

SCHEDULES = table(
    (same("constant"), "none fixed constantlr"),
    (
        same("step"),
        "steplr multistep multisteplr staircase piecewiseconstant piecewiseconstantdecay multifactor",
    ),
    (same("exponential"), "exponentiallr exponentialdecay exp"),
    (same("inverse_time"), "inversetimedecay inv"),
    (
        same("cosine"),
        "cosineannealing cosineannealinglr cosinedecay cosineannealingwarmrestarts sgdr cosinedecayrestarts",
    ),
    (same("polynomial"), "polynomiallr polynomialdecay poly linear lineardecay"),
    (same("one_cycle"), "onecyclelr onecycle 1cycle superconvergence"),
    (same("plateau"), "reducelronplateau reduceonplateau"),
    (
        instead("it is a setting of every schedule: write `{constant: {warmup: 500}}`"),
        "warmup linearwarmup linearlr",
    ),
    (absent("schedule of this name"), "cyclic cycliclr lambdalr noam sqrt inversesqrt trapezoidal wsd"),
)

AUGMENTATIONS = table(
    (same("flip"), "horizontalflip randomhorizontalflip randomflip hflip fliplr mirror"),
    (instead("write `{flip: {axis: -2}}`"), "verticalflip randomverticalflip vflip flipud"),
    (same("shift"), "translate translation randomtranslation shifts randomshift"),
    (same("crop"), "randomcrop randomresizedcrop paddedcrop"),
    (same("rotate"), "rotation randomrotation randomrotate"),
    (same("scale"), "zoom randomzoom randomscale"),
    (same("brightness"), "randombrightness"),
    (same("contrast"), "randomcontrast"),
    (same("colour"), "color saturation randomsaturation"),
    (same("noise"), "gaussiannoise randomnoise"),
    (same("cutout"), "randomerasing erasing coarsedropout"),
    (instead("write `[brightness, contrast, colour]`"), "colorjitter jitter"),
    (
        instead("it is for every part: write `pad`, `normalise` or `data: {size: …}` in the recipe"),
        "resize normalize totensor rescale centercrop pad",
    ),
    (
        absent("augmentation of this name"),
        "mixup cutmix randaugment autoaugment augmix trivialaugment elastic affine randomaffine perspective blur "
        "gaussianblur hue shear solarize posterize equalize mosaic",
    ),
)

CLIPS = table(
    (same("norm"), "globalnorm clipgradnorm maxnorm globalclipnorm clipbyglobalnorm l2"),
    (same("value"), "clipgradvalue clipvalue clipbyvalue"),
    (same("each"), "clipnorm clipbynorm perparameter"),
)

WHITENINGS = table(
    (same("zca"), "zcawhitening whitening whiten"),
    (absent("whitening of this name"), "pca pcawhitening mahalanobis cholesky"),
)

NORMALISE = table(
    (same("mean"), "mu average means"),
    (same("std"), "stddev sigma standarddeviation stds deviation"),
    (instead("write `std`, the square root of the variance"), "variance var"),
    (instead("`x ← (x − mean) / std`: write `std: 4` for a scale of 0.25"), "scale rescale"),
)

LOSSES = table(
    (
        same("cross_entropy", "it takes logits, and labels as whole numbers"),
        "crossentropyloss ce celoss xent softmaxcrossentropy softmaxwithloss softmaxloss softmaxcrossentropywithlogits "
        "sparsecategoricalcrossentropy sparsesoftmaxcrossentropywithlogits "
        "multinomiallogisticloss negativeloglikelihood nllloss nll",
    ),
    (
        instead("write `{cross_entropy: {soft: true}}` for targets that are distributions"),
        "categoricalcrossentropy",
    ),
    (
        same("binary_cross_entropy", "it takes logits"),
        "bce bceloss bcewithlogits bcewithlogitsloss bcelogits sigmoidcrossentropy sigmoidcrossentropyloss "
        "binarylogloss",
    ),
    (same("mse"), "mseloss meansquarederror l2 l2loss euclideanloss"),
    (same("mae"), "l1 l1loss meanabsoluteerror"),
    (same("huber"), "huberloss"),
    (
        instead("it is the Huber loss divided by its delta: write `{huber: {delta: 1.0}}`"),
        "smoothl1 smoothl1loss",
    ),
    (same("kl"), "kldiv kldivloss kldivergence kullbackleiblerdivergence"),
    (same("focal"), "focalloss binaryfocalcrossentropy sigmoidfocalloss"),
    (same("dice"), "diceloss"),
    (same("iou"), "jaccard iouloss jaccardloss softiou"),
    (
        absent("loss of this name"),
        "hinge hingeloss squaredhinge categoricalhinge multimarginloss ctc ctcloss triplet tripletloss "
        "tripletmarginloss contrastive contrastiveloss cosinesimilarity cosineembeddingloss poisson poissonnllloss "
        "logcosh arcface",
    ),
)

METRICS = table(
    (
        same("accuracy"),
        "acc top1 top1accuracy categoricalaccuracy sparsecategoricalaccuracy accuracyscore multiclassaccuracy "
        "binaryaccuracy pixelaccuracy globalaccuracy",
    ),
    (same("top_k"), "topkaccuracy topkcategoricalaccuracy sparsetopkcategoricalaccuracy"),
    (instead("write `{top_k: 5}`"), "top5 top5accuracy"),
    (same("class_accuracy"), "meanaccuracy balancedaccuracy meanclassaccuracy"),
    (same("f1"), "f1score fscore"),
    (same("confusion"), "confusionmatrix"),
    (same("auc"), "rocauc auroc"),
    (same("iou"), "meaniou miou jaccardindex"),
    (same("mae"), "meanabsoluteerror"),
    (same("rmse"), "rootmeansquarederror"),
    (instead("losses are always measured: write `[accuracy]` or nothing"), "loss crossentropy"),
    (instead("write `rmse`, its root"), "mse meansquarederror"),
    (absent("metric of this name"), "kappa mcc map r2 bleu rouge psnr ssim"),
    (instead("write `accuracy`: the error is 1 − accuracy"), "error errorrate"),
)

DATA_SETTINGS = table(
    (same("train"), "training path source root"),
    (same("validation"), "val valid dev"),
    (same("test"), "testing eval"),
    (same("layout"), "dataformat channelsorder"),
    (same("targets"), "labels outputs"),
    (same("classes"), "numclasses classnames"),
    (same("size"), "imagesize resize targetsize"),
    (same("separator"), "delimiter sep"),
    (same("length"), "seqlen sequencelength window windowsize"),
    (same("vocabulary"), "vocab vocabfile"),
    (same("ahead"), "horizon"),
)

_CONVERT = "; save yours as an .npz file, and give its path"

DATA = table(
    (
        absent(f"data set of this name, although it has `mnist` and `fashion-mnist`{_CONVERT}"),
        "kmnist qmnist kuzushijimnist notmnist nmnist movingmnist medmnist",
    ),
    (
        absent(f"data set of this name{_CONVERT}"),
        "cifar stl10 imagenet imagenet1k imagenette tinyimagenet ilsvrc2012 coco voc pascalvoc "
        "celeba lfw omniglot flowers flowers102 oxfordpets food101 caltech101 caltech256 places365 usps iris wine "
        "imdb reuters californiahousing bostonhousing speechcommands ucf101 kinetics cityscapes",
    ),
)
