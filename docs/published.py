"""Published figures of the networks of the zoo. A test compares ours with them; docs/published.md shows both.

Papers count differently, so a row says what its source counts. A figure is written as it was printed: ours holds if it
rounds to as many digits, and one without a unit is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache
from math import prod

from netspec.analysis import Shapes, analyze
from netspec.graph import Graph
from netspec.loading import load
from netspec.ops.conv import Conv

UNITS = {"": 1, "M": 10**6, "G": 10**9}


@dataclass(frozen=True)
class PublishedNetwork:
    """A spec of the zoo under values of its parameters."""

    graph: Graph
    shapes: Shapes

    @property
    def macs(self) -> int:
        assert self.shapes.totals.macs is not None
        return self.shapes.totals.macs

    @property
    def params(self) -> int:
        return self.shapes.totals.params

    @property
    def statistics(self) -> int:
        """Running means and variances: two for each channel that is normalised."""
        weights = (weight for node in self.graph.nodes for weight in node.weights)
        return sum(prod(weight.shape) for weight in weights if weight.statistic)

    def layer_macs(self, name: str) -> int:
        """Of a layer, or of all in a block."""
        return sum(each.macs or 0 for each in self.shapes.layers if f"{each.name}.".startswith(f"{name}."))

    def op_macs(self, op: str) -> int:
        return sum(each.macs or 0 for each in self.shapes.layers if each.op == op)

    def op_params(self, *ops: str) -> int:
        """Of all layers of these ops."""
        return sum(each.params for each in self.shapes.layers if each.op in ops)

    def values(self, op: str) -> int:
        """How many numbers come out of all layers of an op."""
        return sum(prod(each.output) for each in self.shapes.layers if each.op == op)

    def projections(self) -> int:
        """MACs of 1×1 convolutions: in residual networks of 3×3 convolutions, those of the shortcuts."""
        ones = {
            node.name for node in self.graph.nodes if isinstance(node.op, Conv) and set(node.op.kernel) == {1}
        }
        return sum(each.macs or 0 for each in self.shapes.layers if each.name in ones)


@cache
def network(spec: str, values: tuple[tuple[str, object], ...] = ()) -> PublishedNetwork:
    """A spec of the zoo, analysed once."""
    graph = load(f"zoo:{spec}", **dict(values))
    return PublishedNetwork(graph, analyze(graph))


@dataclass(frozen=True)
class PublishedCount:
    """What a source counts, in words and in numbers."""

    words: str
    of: Callable[[PublishedNetwork], int]


MACS = PublishedCount("MACs", lambda net: net.macs)
OPERATIONS = PublishedCount("operations, 2 a MAC", lambda net: 2 * net.macs)
CONVOLUTIONS = PublishedCount("MACs without dense layers", lambda net: net.macs - net.op_macs("dense"))
CONVOLUTION_OPERATIONS = PublishedCount(
    "operations, 2 a MAC, without dense layers", lambda net: 2 * (net.macs - net.op_macs("dense"))
)
NORMALISED = PublishedCount(
    "MACs, and one for each normalised value", lambda net: net.macs + net.values("batch_norm")
)
ADDED = PublishedCount(
    "MACs, and one for each value added to a shortcut", lambda net: net.macs + net.values("add")
)
EXCITED = PublishedCount(
    "MACs, and two for each value, squeezed and rescaled", lambda net: net.macs + 2 * net.values("multiply")
)
IDENTITIES = PublishedCount("MACs, shortcuts without projections", lambda net: net.macs - net.projections())
TABLE_1 = PublishedCount(
    "MACs, but 34 M for the first convolution", lambda net: net.macs - net.layer_macs("conv1") + 34 * 10**6
)
CONNECTIONS = PublishedCount(
    "connections: MACs, a bias for each value, 4 + 1 for each subsampled",
    lambda net: (
        net.macs
        + sum(net.graph.types[name].elements for name in ("C1", "C3", "C5", "F6"))
        + 5 * net.values("avg_pool")
    ),
)

PARAMS = PublishedCount("parameters", lambda net: net.params)
TRAINABLE = PublishedCount("parameters that learn", lambda net: net.shapes.totals.trainable)
STATISTICS = PublishedCount("parameters and running statistics", lambda net: net.params + net.statistics)
BIASES = PublishedCount(
    "parameters, running statistics, and biases before batch norm",
    lambda net: net.params + net.statistics + net.statistics // 2,
)
SCALES = PublishedCount("parameters, and scales in batch norm", lambda net: net.params + net.statistics // 2)
RECURRENT = PublishedCount("parameters of recurrent layers", lambda net: net.op_params("rnn", "lstm", "gru"))
FOLDED = PublishedCount(
    "parameters, each batch norm folded to a bias", lambda net: net.params - net.statistics // 2
)
FILE_16 = PublishedCount(
    "bytes: a head of 16, parameters, running statistics", lambda net: 16 + 4 * (net.params + net.statistics)
)
FILE_20 = PublishedCount(
    "bytes: a head of 20, parameters, running statistics", lambda net: 20 + 4 * (net.params + net.statistics)
)


def block(name: str) -> PublishedCount:
    """The MACs of one block."""
    return PublishedCount(f"MACs of {name}", lambda net: net.layer_macs(name))


@dataclass(frozen=True)
class Figure:
    """A published figure, as it was printed: `3.8 G`, `569 M`, `4,231,976`.

    `cut`: the source cuts off further digits and does not round. `why` explains what is not obvious.
    """

    spec: str
    count: PublishedCount
    published: str
    source: str
    values: Mapping[str, object] = field(default_factory=dict)
    cut: bool = False
    why: str = ""

    @property
    def ours(self) -> int:
        return self.count.of(network(self.spec, tuple(self.values.items())))

    @property
    def as_printed(self) -> Decimal:
        """Our figure with the digits of the published one, in its unit."""
        number, unit = self.parts
        rounding = ROUND_DOWN if self.cut else ROUND_HALF_UP
        return (Decimal(self.ours) / unit).quantize(number, rounding)

    @property
    def parts(self) -> tuple[Decimal, int]:
        """The published number with its digits, and what its unit stands for."""
        number, _, unit = self.published.partition(" ")
        return Decimal(number.replace(",", "")), UNITS[unit]

    @property
    def holds(self) -> bool:
        return self.as_printed == self.parts[0]


KRIZHEVSKY = "Krizhevsky et al. 2012, abstract"
GERON = "Géron 2019, chapter 14"
CAFFE = "Caffe's bvlc_googlenet, counted from its definition"
LECUN = "LeCun et al. 1998, II.B"
VGG = "Simonyan and Zisserman 2014, table 2"
SZEGEDY = "Szegedy et al. 2014, table 1"
HE = "He et al. 2015, table 1"
HU = "Hu et al. 2018, table 2"
HOWARD = "Howard et al. 2017, tables 6 and 7"
HOWARD_V3 = "Howard et al. 2019, tables 3 and 4"
SANDLER = "Sandler et al. 2018, table 4"
EYERISS = "Chen et al. 2016, Eyeriss, abstract"
CHOLLET = "Chollet 2016, table 3"
ZOPH = "Zoph et al. 2017, table 2"
YOLO9000 = "Redmon and Farhadi 2016, section 3"
YOLO_PAGE = "Darknet's page of YOLO, table"
IMAGENET_PAGE = "Darknet's page of ImageNet models, table"
TORCHVISION = "torchvision's table of weights"
KERAS = "documentation of Keras 2, applications"
XIE = "Xie et al. 2017, table 1"
DOSOVITSKIY = "Dosovitskiy et al. 2021, table 1"
RADOSAVOVIC = "Radosavovic et al. 2020, top RegNetY models"
TF_SLIM = "TF-Slim, mobilenet_v1.md"
SHELHAMER = "Long et al. 2015, table 1"
SEGNET = "Badrinarayanan et al. 2015"
OPEN_MODELS = "Open Model Zoo, se-inception"
SUTSKEVER = "Sutskever et al. 2014, section 3.4"
RENET = "the widths of Visin et al. 2015, table 1, multiplied out"
RESEG = "ReSeg's released code, its layers multiplied out"

EXCITATION = (
    "Plain MACs are {}. The paper does not say what it counts; this gives its figures for both such networks of the"
    " zoo. Where a shortcut follows, the rescaling and the sum are one, as in the Axpy layer that was released."
)
SHORTCUTS = "Plain MACs are {}; the paper does not say what it counts."

TRANSLATION = {"source_words": 160_000, "target_words": 80_000, "units": 1000, "layers": 4}
"""The parameters with which `seq2seq` is the paper's network."""

FIGURES = (
    Figure("lenet5_1998", TRAINABLE, "60,000", LECUN),
    Figure("lenet5_1998", CONNECTIONS, "340,908", LECUN),
    Figure(
        "alexnet_two_tower",
        PARAMS,
        "60 M",
        KRIZHEVSKY,
        cut=True,
        why="60.97 M, “60 million” in the abstract.",
    ),
    Figure("alexnet_two_tower", CONVOLUTIONS, "666 M", EYERISS),
    Figure("alexnet", OPERATIONS, "2.27 G", IMAGENET_PAGE),
    Figure("vgg16", PARAMS, "138 M", VGG),
    Figure("vgg19", PARAMS, "144 M", VGG),
    Figure("vgg16", MACS, "15.47 G", HU),
    Figure("vgg16", MACS, "15.47 G", TORCHVISION),
    Figure("vgg16", PARAMS, "138,357,544", TORCHVISION),
    Figure("vgg16", CONVOLUTIONS, "15.3 G", EYERISS),
    Figure("vgg16", OPERATIONS, "30.94 G", IMAGENET_PAGE),
    Figure("vgg16", CONVOLUTION_OPERATIONS, "30.69 G", YOLO9000),
    Figure("vgg19", MACS, "19.6 G", "He et al. 2015, section 3.3"),
    Figure("vgg19", MACS, "19.632 G", TORCHVISION),
    Figure("vgg19", PARAMS, "143,667,240", TORCHVISION),
    Figure(
        "googlenet",
        TABLE_1,
        "1.5 G",
        "Szegedy et al. 2014, section 1",
        why="Table 1 has 34 M for the first convolution; its products are 64 · 112 · 112 · 7 · 7 · 3 = 118 M.",
    ),
    Figure("googlenet", block("inception_3a"), "128 M", SZEGEDY),
    Figure("googlenet", block("inception_3b"), "304 M", SZEGEDY),
    Figure("googlenet", block("inception_4a"), "73 M", SZEGEDY, cut=True, why="73.6 M."),
    Figure("googlenet", block("inception_4b"), "88 M", SZEGEDY),
    Figure("googlenet", block("inception_4c"), "100 M", SZEGEDY),
    Figure("googlenet", block("inception_4d"), "119 M", SZEGEDY),
    Figure("googlenet", block("inception_4e"), "170 M", SZEGEDY),
    Figure("googlenet", block("inception_5b"), "71 M", SZEGEDY),
    Figure("googlenet", PARAMS, "6,998,552", CAFFE),
    Figure("googlenet_aux", PARAMS, "13,378,280", CAFFE),
    Figure("googlenet", block("dense1"), "1 M", SZEGEDY),
    Figure("inception_v3", MACS, "5.713 G", TORCHVISION),
    Figure("inception_v3", NORMALISED, "5.72 G", ZOPH),
    Figure(
        "inception_v3", MACS, "5 G", "Szegedy et al. 2015, abstract", cut=True, why="“5 billion”: one digit."
    ),
    Figure("inception_v3", PARAMS, "23.8 M", ZOPH),
    Figure("inception_v3", STATISTICS, "23,851,784", KERAS),
    Figure("inception_v4", SCALES, "42.68 M", "timm, results-imagenet.csv"),
    Figure("inception_resnet_v2", NORMALISED, "13.2 G", ZOPH),
    Figure("inception_resnet_v2", PARAMS, "55.8 M", ZOPH),
    Figure("inception_resnet_v2", STATISTICS, "55,873,736", KERAS),
    Figure("se_inception", FOLDED, "11.922 M", OPEN_MODELS),
    Figure("se_inception", EXCITED, "2.04 G", HU, why=EXCITATION.format("2.033 G")),
    Figure("resnet18", MACS, "1.8 G", HE),
    Figure("resnet18", MACS, "1.814 G", TORCHVISION),
    Figure("resnet18", PARAMS, "11,689,512", TORCHVISION),
    Figure(
        "resnet34",
        IDENTITIES,
        "3.6 G",
        HE,
        why="With the projections, the paper's option B and torchvision's network, 3.66 G.",
    ),
    Figure("resnet34", MACS, "3.664 G", TORCHVISION),
    Figure("resnet34", PARAMS, "21,797,672", TORCHVISION),
    Figure("resnet50", MACS, "3.86 G", HU),
    Figure("resnet50", BIASES, "25,636,712", KERAS),
    Figure("resnet101", MACS, "7.6 G", HE),
    Figure("resnet101", ADDED, "7.58 G", HU, why=SHORTCUTS.format("7.570 G")),
    Figure("resnet101", BIASES, "44,707,176", KERAS),
    Figure("resnet152", MACS, "11.3 G", HE),
    Figure("resnet152", ADDED, "11.30 G", HU, why=SHORTCUTS.format("11.282 G")),
    Figure("resnet152", BIASES, "60,419,944", KERAS),
    Figure("se_resnet50", EXCITED, "3.87 G", HU, why=EXCITATION.format("3.860 G")),
    Figure("se_resnet50", PARAMS, "28.1 M", "Hu et al. 2018, section 3"),
    Figure("resnext50", PARAMS, "25,028,904", TORCHVISION),
    Figure("resnext50", MACS, "4.23 G", TORCHVISION),
    Figure("resnext50", PARAMS, "25.0 M", XIE),
    Figure("regnet_y_400mf", PARAMS, "4,344,144", TORCHVISION),
    Figure("regnet_y_400mf", MACS, "0.402 G", TORCHVISION),
    Figure("regnet_y_400mf", MACS, "0.4 G", RADOSAVOVIC),
    Figure("regnet_y_400mf", PARAMS, "4.3 M", RADOSAVOVIC),
    Figure("squeezenet", PARAMS, "1,235,496", TORCHVISION),
    Figure("squeezenet", MACS, "0.349 G", TORCHVISION),
    Figure("xception", PARAMS, "22,855,952", CHOLLET),
    Figure("xception", STATISTICS, "22,910,480", KERAS),
    Figure("xception", NORMALISED, "8.38 G", ZOPH),
    Figure("mobilenet", MACS, "569 M", HOWARD),
    Figure("mobilenet", PARAMS, "4.2 M", HOWARD),
    Figure("mobilenet", MACS, "325 M", HOWARD, {"alpha": 0.75}),
    Figure("mobilenet", PARAMS, "2.6 M", HOWARD, {"alpha": 0.75}),
    Figure("mobilenet", MACS, "149 M", HOWARD, {"alpha": 0.5}),
    Figure("mobilenet", PARAMS, "1.3 M", HOWARD, {"alpha": 0.5}),
    Figure("mobilenet", MACS, "41 M", HOWARD, {"alpha": 0.25}),
    Figure("mobilenet", PARAMS, "0.5 M", HOWARD, {"alpha": 0.25}),
    Figure("mobilenet", MACS, "418 M", HOWARD, {"size": 192}),
    Figure("mobilenet", MACS, "291 M", TF_SLIM, {"size": 160}),
    Figure(
        "mobilenet",
        MACS,
        "290 M",
        HOWARD,
        {"size": 160},
        cut=True,
        why="290.7 M; its authors' TF-Slim has 291.",
    ),
    Figure("mobilenet", MACS, "186 M", HOWARD, {"size": 128}),
    Figure("mobilenet", STATISTICS, "4,253,864", KERAS),
    Figure("mobilenet_v2", MACS, "300 M", SANDLER, cut=True, why="300.8 M; torchvision rounds it."),
    Figure("mobilenet_v2", MACS, "0.301 G", TORCHVISION),
    Figure("mobilenet_v2", STATISTICS, "3,538,984", KERAS),
    Figure("mobilenet_v3_large", MACS, "217 M", HOWARD_V3),
    Figure("mobilenet_v3_large", MACS, "0.217 G", TORCHVISION),
    Figure("mobilenet_v3_large", PARAMS, "5,483,032", TORCHVISION),
    Figure("mobilenet_v3_large", MACS, "155 M", HOWARD_V3, {"alpha": 0.75}),
    Figure("mobilenet_v3_large", PARAMS, "4.0 M", HOWARD_V3, {"alpha": 0.75}),
    Figure("mobilenet_v3_small", MACS, "0.057 G", TORCHVISION),
    Figure("mobilenet_v3_small", PARAMS, "2.5 M", HOWARD_V3),
    Figure("mobilenet_v3_small", PARAMS, "2,542,856", TORCHVISION),
    Figure("mobilenet_v3_small", PARAMS, "2.0 M", HOWARD_V3, {"alpha": 0.75}),
    Figure("vit_b_16", PARAMS, "86,567,656", TORCHVISION),
    Figure("vit_b_16", MACS, "17.564 G", TORCHVISION),
    Figure("vit_b_16", PARAMS, "86,859,496", TORCHVISION, {"size": 384}),
    Figure("vit_b_16", MACS, "55.484 G", TORCHVISION, {"size": 384}),
    Figure("vit_b_16", PARAMS, "86 M", DOSOVITSKIY, cut=True, why="86.6 M."),
    Figure("bert_base", PARAMS, "109,482,240", "Hugging Face, parameters of `BertModel`"),
    Figure("gpt2_small", PARAMS, "124,439,808", "Hugging Face, parameters of `GPT2LMHeadModel`"),
    Figure("gpt2_small", PARAMS, "124 M", "README of the authors' code"),
    Figure("densenet121", MACS, "2.834 G", TORCHVISION),
    Figure("densenet121", PARAMS, "7,978,856", TORCHVISION),
    Figure("densenet121", STATISTICS, "8,062,504", KERAS),
    Figure("darknet19", OPERATIONS, "5.58 G", YOLO9000),
    Figure("darknet19", OPERATIONS, "7.29 G", IMAGENET_PAGE, {"size": 256}),
    Figure("darknet19", OPERATIONS, "22.33 G", IMAGENET_PAGE, {"size": 448}),
    Figure("darknet53", OPERATIONS, "18.57 G", IMAGENET_PAGE),
    Figure("darknet53", OPERATIONS, "56.87 G", IMAGENET_PAGE, {"size": 448}),
    Figure("yolov2", OPERATIONS, "62.94 G", YOLO_PAGE),
    Figure("yolov2", FILE_16, "203,934,260", "size of yolov2.weights"),
    Figure("yolov3", OPERATIONS, "38.97 G", YOLO_PAGE, {"size": 320}),
    Figure("yolov3", OPERATIONS, "65.86 G", YOLO_PAGE),
    Figure("yolov3", OPERATIONS, "140.69 G", YOLO_PAGE, {"size": 608}),
    Figure("yolov3", FILE_20, "248,007,048", "size of yolov3.weights"),
    Figure("fcn32s", TRAINABLE, "134 M", SHELHAMER),
    Figure("segnet", PARAMS, "29.45 M", SEGNET),
    Figure("sentiment", PARAMS, "2,757,761", "keras.io, Bidirectional LSTM on IMDB"),
    Figure("seq2seq", PARAMS, "384 M", SUTSKEVER, TRANSLATION),
    Figure("seq2seq", RECURRENT, "64 M", SUTSKEVER, TRANSLATION),
    Figure("renet_mnist", PARAMS, "125,890,570", RENET),
    Figure("renet_cifar10", PARAMS, "59,225,866", RENET, why="With GRUs. The paper has no total."),
    Figure("renet_cifar10", PARAMS, "64,971,786", RENET, {"lstm": True}, why="With LSTMs."),
    Figure(
        "reseg_camvid",
        PARAMS,
        "2,405,400",
        RESEG,
        {"classes": 12, "patch": 1, "chained": True},
        why="The output of the forward layer is the input of the backward layer.",
    ),
    Figure(
        "reseg_camvid",
        PARAMS,
        "2,542,200",
        RESEG,
        {"classes": 12, "patch": 1},
        why="If both directions have the same input.",
    ),
    Figure("reseg_camvid", TRAINABLE, "806,712", RESEG, {"classes": 12, "patch": 1}),
    Figure("wavenet", PARAMS, "1,515,968", "tensorflow-wavenet, `wavenet_params.json`: all variables"),
)
"""What ours equals."""

DIFFERENT = (
    Figure(
        "resnet50",
        MACS,
        "3.8 G",
        HE,
        why="Unexplained. Hu et al. count 3.86 G for the same network, and 101 and 152 layers hold in the same table.",
    ),
    Figure(
        "darknet53",
        OPERATIONS,
        "18.7 G",
        "Redmon and Farhadi 2018, table 2",
        why="Unexplained. Its author's page has 18.57 G.",
    ),
    Figure(
        "bert_base",
        PARAMS,
        "110 M",
        "Devlin et al. 2019, section 3",
        why="A round number: ours has 109.5 M, with the pooler and without a head.",
    ),
    Figure(
        "gpt2_small",
        PARAMS,
        "117 M",
        "Radford et al. 2019, table 2",
        why="An error: the README of the authors' code says so, and has 124 M.",
    ),
    Figure(
        "mobilenet_v2",
        PARAMS,
        "3.4 M",
        SANDLER,
        why="Without the weights of its batch norms, 34,112, ours has 3.47 M, which is 3.4 if cut off.",
    ),
    Figure(
        "googlenet",
        block("inception_5a"),
        "54 M",
        SZEGEDY,
        why="Unexplained: the widths of the table give ours, and Caffe's bvlc_googlenet has the same.",
    ),
    Figure(
        "googlenet",
        PARAMS,
        "6 M",
        GERON,
        why="“Roughly 6 million”. Caffe's bvlc_googlenet has ours, 6,998,552, which rounds to 7 M.",
    ),
    Figure(
        "inception_v3",
        PARAMS,
        "23,626,728",
        CHOLLET,
        why="Another variant, not identified. Keras and TF-Slim have ours.",
    ),
)
"""What it does not, and why as far as it is known."""
