"""NS05: recipes, data, weights. 01 to 19 are for recipes and their data, 20 and above for weights."""

from netspec.diagnostics.code import Code

_HEAD = "netspec: 1\nname: tiny\ninput: [1, 28, 28]\nlayers: [flatten, {dense: 10}, softmax]\n"

UNKNOWN_SETTING = Code(
    "NS0501",
    "a recipe does not have this setting",
    "`train:` contains a recipe, whose settings docs/recipe.md lists: data, batch, epochs, loss, optimizer, schedule,"
    " metrics and others. netspec would have to ignore any other key, and the training would not be the one that you"
    " asked for.",
    example=_HEAD + "train: {epoch: 3}\n",
)

SETTING_VALUE = Code(
    "NS0502",
    "a setting of a recipe has an impossible value",
    "Every setting takes a certain kind of value: `batch` and `epochs` are whole numbers from 1, a learning"
    " rate is a number above 0, a momentum is a number from 0 to below 1, and so on. The message says which kind"
    " the setting takes.",
    example=_HEAD + "train: {batch: 0}\n",
)

SETTING_MISSING = Code(
    "NS0503",
    "a setting of a recipe is incomplete",
    "Settings that belong together are given together: `normalise` needs a mean and a standard deviation.",
    example=_HEAD + "train: {normalise: {mean: 0.5}}\n",
)

UNKNOWN_CHOICE = Code(
    "NS0504",
    "no loss, metric or optimiser has this name",
    "Losses, metrics, optimisers, schedules, augmentations and limits of gradients are chosen by their names, which"
    " docs/recipe.md lists. For a name of another library, the message says the one of netspec.",
    example=_HEAD + "train: {optimizer: agam}\n",
)

ONE_OPTIMIZER = Code(
    "NS0505",
    "an optimiser is one name",
    "`optimizer` is a name, or a name with its settings: `optimizer: {sgd: {learning_rate: 0.05, momentum:"
    " 0.9}}`. Two names, or settings without a name, do not select an optimiser.",
    example=_HEAD + "train: {optimizer: {learning_rate: 0.1}}\n",
)

UNKNOWN_DATA = Code(
    "NS0506",
    "no data set has this name",
    "`data` names a data set that netspec knows (`netspec data` lists them), or is the path of a file or folder."
    " A path contains a slash or a dot, so a misspelt name is never mistaken for a path.",
    example=_HEAD + "train: {data: fashion-mnits}\n",
)

DATA_MISFIT = Code(
    "NS0507",
    "the data do not fit the network's input",
    "The samples must have the same channels and sizes as the network's input: netspec never resizes images or"
    " moves axes silently. Samples are channels first: N × channels × height × width for images. `pad` adds"
    " zeros on every side (LeNet-5 takes 32×32, so 28×28 images are padded by 2).",
    example=_HEAD.replace("28, 28", "32, 32") + "train: {data: mnist}\n",
)

CLASSES_MISFIT = Code(
    "NS0508",
    "the network does not have one output per class",
    "For a data set with ten classes, the network must give ten numbers, one per class.",
    example=_HEAD.replace("10", "12") + "train: {data: mnist}\n",
)

NOT_A_CLASSIFIER = Code(
    "NS0509",
    "a recipe cannot train this network",
    "Every output that is trained needs a loss that fits it. Without a `loss`, a network is a classifier: its output"
    " is a vector with one value per class. A network with several outputs names the loss of each in `losses`."
    " Cross-entropy takes logits: a softmax at the end is left out of the loss, and layers after it that only move"
    " values (such as `flatten`) stay. Any other layer that turns the output into probabilities or distances is an"
    " error. If no weight learns, because all are frozen or there are none, it is a warning.",
    example=_HEAD.replace("flatten, {dense: 10}", "{conv: {filters: 10, kernel: 3}}")
    + "train: {data: mnist}\n",
)

LONE_SAMPLE = Code(
    "NS0510",
    "a batch of one cannot be normalised",
    "Batch normalisation of a vector computes its mean and variance over the batch. If the last batch of an"
    " epoch has a single sample, there is no variance. Choose a batch size that does not leave a remainder of"
    " one.",
    example=_HEAD.replace("softmax", "batch_norm, softmax")
    + "train: {data: mnist, train_size: 65, batch: 64}\n",
)

UNSCALED = Code(
    "NS0511",
    "the samples are floats that are not scaled",
    "Images of bytes are divided by 255. Floats are not changed, because only you know what they measure."
    " Floats of up to 255 train badly, because the initial weights suit values around 1. `normalise` in the"
    " recipe scales them.",
)

NO_LABEL_0 = Code(
    "NS0512",
    "no sample has label 0",
    "Labels count from 0: ten classes have the labels 0 to 9. With labels from 1 to 26, the network needs 27"
    " outputs, and the first stands for a class that does not exist. Subtract 1 from the labels.",
)

NO_SAMPLE = Code(
    "NS0513",
    "a class has no training sample",
    "The network has an output for every class, but nothing of the training part teaches it one of them: it will never"
    " be right about it, and its loss pushes it away. A gap in the labels, a limit such as `train_size`, or a network"
    " with more outputs than the data have classes are the usual reasons.",
)
