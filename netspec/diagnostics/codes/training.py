"""NS05: recipes, data, weights. 01 to 19 are recipes and the data they name; weights follow from 20."""

from netspec.diagnostics.code import Code

_HEAD = "netspec: 1\nname: tiny\ninput: [1, 28, 28]\nlayers: [flatten, {dense: 10}, softmax]\n"

UNKNOWN_SETTING = Code(
    "NS0501",
    "a recipe has no such setting",
    "`train:` holds a recipe: data, pad, normalise, train_size, test_size, batch, epochs, loss, optimizer, metrics,"
    " seed. Any other key would have to be ignored, and an ignored setting is a training that you did not ask for.",
    example=_HEAD + "train: {epoch: 3}\n",
)

SETTING_VALUE = Code(
    "NS0502",
    "a setting of a recipe has an impossible value",
    "Every setting says what it takes: `batch` and `epochs` are whole numbers from 1, a learning rate is a number"
    " above 0, a momentum is one from 0 to below 1, and so on. The message says which kind is wanted here.",
    example=_HEAD + "train: {batch: 0}\n",
)

SETTING_MISSING = Code(
    "NS0503",
    "a setting of a recipe is incomplete",
    "Settings that belong together are given together: `normalise` needs both a mean and a standard deviation.",
    example=_HEAD + "train: {normalise: {mean: 0.5}}\n",
)

UNKNOWN_CHOICE = Code(
    "NS0504",
    "no loss, metric or optimiser has this name",
    "A loss is `cross_entropy`, a metric `accuracy`, an optimiser `sgd` or `adam`, in this version.",
    example=_HEAD + "train: {optimizer: agam}\n",
)

ONE_OPTIMIZER = Code(
    "NS0505",
    "an optimiser is one name",
    "`optimizer` is a name, or a name with its settings: `optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}`."
    " Two names, or settings without a name, say nothing that can be done.",
    example=_HEAD + "train: {optimizer: {learning_rate: 0.1}}\n",
)

UNKNOWN_DATA = Code(
    "NS0506",
    "no data set has this name",
    "`data` names one of the sets that netspec knows (fashion-mnist-small, which travels with it, fashion-mnist,"
    " mnist), or is the path of an .npz file or of a folder of idx files. A path holds a slash or ends in .npz, so that"
    " a misspelt name is never taken for one.",
    example=_HEAD + "train: {data: fashion-mnits}\n",
)

DATA_MISFIT = Code(
    "NS0507",
    "the data do not fit the network's input",
    "The samples of a data set have channels and sizes, and the network's input has to be the same: nothing is resized"
    " in silence, and no axis is moved. Samples are channels first: N × channels × height × width for images. `pad`"
    " puts zeros on every side (LeNet-5 takes 32×32, so 28×28 images are padded by 2).",
    example=_HEAD.replace("28, 28", "32, 32") + "train: {data: mnist}\n",
)

CLASSES_MISFIT = Code(
    "NS0508",
    "the network does not give one number a class",
    "A data set of ten classes is learnt by a network that gives ten numbers, one a class.",
    example=_HEAD.replace("10", "12") + "train: {data: mnist}\n",
)

NOT_A_CLASSIFIER = Code(
    "NS0509",
    "a recipe cannot train this network",
    "This version trains classifiers: one input of numbers, one output, and that a vector of one number a class. A"
    " network with several inputs, heads, or an output that is still a map can be checked, compiled and compared."
    " Cross-entropy takes logits: a softmax at the end is left out of the loss, and layers behind it that only move"
    " its values (a `flatten`, say) stay. Anything else that makes the output of probabilities or of distances is an"
    " error.",
    example=_HEAD.replace("flatten, {dense: 10}", "{conv: {filters: 10, kernel: 3}}")
    + "train: {data: mnist}\n",
)

LONE_SAMPLE = Code(
    "NS0510",
    "a batch of one cannot be normalised",
    "Batch normalisation of a vector measures its mean and variance over the batch. When the last batch of an epoch"
    " holds a single sample there is no variance to measure. Choose a batch size that leaves no remainder of one.",
    example=_HEAD.replace("softmax", "batch_norm, softmax")
    + "train: {data: mnist, train_size: 65, batch: 64}\n",
)

UNSCALED = Code(
    "NS0511",
    "the samples are floats that are not scaled",
    "Images of bytes are divided by 255. Floats are taken as they stand, because only you know what they measure; those"
    " that go to 255 train badly, since the weights start for numbers around 1. `normalise` in the recipe scales them.",
)

NO_LABEL_0 = Code(
    "NS0512",
    "no sample has label 0",
    "Labels count from 0: ten classes have the labels 0 to 9. A set whose labels go from 1 to 26 makes a network of 27"
    " numbers, the first of which stands for a class that does not exist. Subtract 1 from the labels instead.",
)
