"""The names of settings, losses, metrics, optimisers and data sets in other libraries."""

from __future__ import annotations

from netspec.ops.words import Lead, absent, instead, same, table


def _rate(given: object) -> Lead:
    number, optimizer = _stated(given, 0.001)
    return instead(
        f"it is a setting of the optimiser: write `optimizer: {{{optimizer}: {{learning_rate: {number}}}}}`"
    )


def _momentum(given: object) -> Lead:
    number, _ = _stated(given, 0.9)
    return instead(f"it is a setting of `sgd`: write `optimizer: {{sgd: {{momentum: {number}}}}}`")


def _stated(given: object, usual: float) -> tuple[object, object]:
    """The number that is given with a word, and the optimiser of the same recipe."""
    number, optimizer = given if isinstance(given, tuple) else (given, "adam")
    plain = isinstance(number, int | float) and not isinstance(number, bool)
    return (number if plain else usual), optimizer


def _betas(given: object) -> Lead:
    pair = given if isinstance(given, list) and len(given) == 2 else [0.9, 0.999]
    return instead(f"write `beta1: {pair[0]}` and `beta2: {pair[1]}`")


_DECAY = absent("weight decay")

RECIPE = table(
    (same("data"), "dataset traindata datapath datadir"),
    (same("pad"), "padding"),
    (same("normalise"), "normalize normalization normalisation standardize standardise"),
    (same("batch"), "batchsize minibatch minibatchsize trainbatchsize"),
    (same("epochs"), "numepochs nepochs maxepochs numtrainepochs nbepochs trainepochs"),
    (same("loss"), "lossfn lossfunction losses criterion objective"),
    (same("optimizer"), "optimiser optim solver solvertype updater"),
    (same("metrics"), "metric"),
    (same("seed"), "randomseed manualseed randomstate rngseed"),
    (same("train_size"), "maxtrainsamples limittrain"),
    (same("test_size"), "maxtestsamples limittest"),
    (_rate, "lr learningrate baselr initiallr lr0 eta stepsize"),
    (_momentum, "momentum"),
    (instead("write `optimizer: {sgd: {momentum: 0.9, nesterov: true}}`"), "nesterov"),
    (_DECAY, "weightdecay l2 regularization regularizer l1 decay"),
    (
        absent("schedule: the learning rate is constant"),
        "schedule scheduler lrschedule lrscheduler lrpolicy learningrateschedule warmup warmupsteps gamma stepvalue",
    ),
    (absent("augmentation"), "augmentation augment augmentations transforms transform"),
    (
        absent("early stopping; the best epoch is kept as `best.safetensors`"),
        "earlystopping patience callbacks",
    ),
    (
        absent("validation part: the test part is evaluated after every epoch"),
        "validation validationsplit validationdata val valsplit valsize",
    ),
    (instead("remove it: every epoch has a different order of samples"), "shuffle shuffled"),
    (absent("choice of precision: training uses float32"), "precision amp dtype mixedprecision fp16 bf16"),
    (instead("it is an option of the command: `--device`"), "device gpu gpus accelerator cuda usecuda"),
    (absent("setting for workers: the training process makes the batches"), "workers numworkers"),
    (
        absent("limit on steps: the length of a training is `epochs`"),
        "steps maxsteps iterations maxiter maxiters",
    ),
    (absent("gradient clipping"), "clip clipnorm clipvalue gradientclip gradclip maxgradnorm"),
    (absent("resizing of images: they keep their saved size, and `pad` adds zeros"), "resize"),
    (instead("it belongs to the network, as an item: `- dropout: 0.5`"), "dropout"),
)

OPTIMIZERS = table(
    (same("sgd"), "stochasticgradientdescent gradientdescent minibatchgradientdescent"),
    (instead("write `{sgd: {momentum: 0.9}}`"), "momentum momentumsgd sgdmomentum"),
    (
        instead("write `{sgd: {momentum: 0.9, nesterov: true}}`"),
        "nesterov nag nesterovmomentum nesterovs sgdnesterov",
    ),
    (
        absent("optimiser with weight decay: `adam` is Adam without it, which is a different optimiser"),
        "adamw nadamw sgdw adamweightdecay",
    ),
    (
        absent("optimiser of this name; it has `sgd` and `adam`"),
        "rmsprop rprop adagrad adadelta adamax nadam radam amsgrad asgd sparseadam lamb lars lion lbfgs ftrl adafactor "
        "muon sophia shampoo novograd adabelief yogi ranger sgdp adamp lookahead adan prodigy",
    ),
)

SETTINGS = table(
    (same("learning_rate"), "lr rate learningrate eta alpha stepsize baselr"),
    (same("beta1", "it is written without an underscore"), "b1"),
    (same("beta2", "it is written without an underscore"), "b2"),
    (same("epsilon"), "eps fuzz"),
    (_betas, "betas"),
    (_DECAY, "weightdecay l2 decay wd"),
    (absent("AMSGrad"), "amsgrad"),
    (absent("dampening: it is 0"), "dampening"),
    (absent("setting to maximise"), "maximize"),
    (absent("gradient clipping"), "clipnorm clipvalue globalclipnorm"),
    (absent("moving average of weights"), "useema ema emamomentum"),
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
        "sparsecategoricalcrossentropy sparsesoftmaxcrossentropywithlogits categoricalcrossentropy "
        "multinomiallogisticloss negativeloglikelihood nllloss nll",
    ),
    (
        absent("binary cross-entropy: its classes are not mutually exclusive"),
        "binarycrossentropy bce bceloss bcewithlogits bcewithlogitsloss bcelogits sigmoidcrossentropy "
        "sigmoidcrossentropyloss binarylogloss",
    ),
    (
        absent("loss of this name; it has `cross_entropy`"),
        "mse mseloss meansquarederror l2 l2loss l1 l1loss mae meanabsoluteerror smoothl1 smoothl1loss huber huberloss "
        "hinge hingeloss squaredhinge categoricalhinge multimarginloss kldiv kldivloss kldivergence "
        "kullbackleiblerdivergence focal focalloss dice diceloss jaccard ctc ctcloss triplet tripletloss "
        "tripletmarginloss contrastive contrastiveloss cosinesimilarity cosineembeddingloss poisson poissonnllloss "
        "logcosh euclideanloss arcface",
    ),
)

METRICS = table(
    (
        same("accuracy"),
        "acc top1 top1accuracy categoricalaccuracy sparsecategoricalaccuracy accuracyscore multiclassaccuracy",
    ),
    (instead("losses are always measured: write `[accuracy]` or nothing"), "loss crossentropy"),
    (
        absent("metric of this name; it has `accuracy`"),
        "precision recall f1 f1score fscore auc rocauc mse mae rmse top5 top5accuracy topk topkaccuracy "
        "topkcategoricalaccuracy sparsetopkcategoricalaccuracy binaryaccuracy confusionmatrix iou meaniou kappa mcc "
        "perplexity map r2 error errorrate",
    ),
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
