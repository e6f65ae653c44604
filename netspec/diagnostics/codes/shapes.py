"""NS03: types that do not fit."""

from netspec.diagnostics.code import Code

KERNEL = Code(
    "NS0301",
    "the kernel does not fit",
    "A window must fit into the padded input at least once, or there is no output. netspec never shrinks a\n"
    "kernel by itself. Pad the input, take a smaller kernel, or put fewer strides and pools before it.",
    """\
netspec: 1
name: example
input: [16, 4, 4]
layers:
  - conv: {filters: 120, kernel: 5}
""",
)
MERGE = Code(
    "NS0302",
    "branches of different types",
    "A merge value by value takes equal types; besides, a vector may stand beside a map of as many channels\n"
    "(it is spread over space), and a one-channel map beside a map of the same sizes (it is spread over\n"
    "channels). A concatenation needs all other axes equal. Anything else is refused, never broadcast.",
    """\
netspec: 1
name: example
input: [16, 8, 8]
layers:
  - add:
      - []
      - - conv: {filters: 32, kernel: 3, padding: same}
""",
)
RANK = Code(
    "NS0303",
    "the wrong number of axes",
    "An op that slides a window needs an input with spatial axes: 1 (a sequence), 2 (an image) or 3 (video).\n"
    "After `flatten` or a global pool there are none left. An axis that is named must be there.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - flatten
  - conv: {filters: 8, kernel: 3}
""",
)
KIND = Code(
    "NS0304",
    "an input of the wrong kind",
    "A tensor holds numbers, indices or positions, and an op says which it takes. Almost all take numbers.\n"
    "An input with a `vocabulary` holds indices, whole numbers that stand for words; only `identity` takes them.\n"
    "The output `indices` of a `max_pool` (`pool1.indices`) holds positions of maxima; `max_unpool` takes them.",
    """\
netspec: 1
name: example
input: {shape: [20], vocabulary: 8000}
layers:
  - dense: 10
""",
)
AXES = Code(
    "NS0305",
    "given for the wrong number of axes",
    "A field such as `kernel` takes one number for all spatial axes, or one an axis. Its list must be as long\n"
    "as the input has spatial axes.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: {filters: 8, kernel: [3, 3, 3]}
""",
)
GROUPS = Code(
    "NS0306",
    "channels that do not divide into the groups",
    "With g groups, both the input channels and the filters are cut into g equal blocks; g must divide both.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: {filters: 8, kernel: 3, groups: 2}
""",
)
EMPTY_WINDOW = Code(
    "NS0307",
    "a window of padding alone",
    "A pool's window that sees no value has no maximum (−∞) and no mean (0/0). Frameworks return such values\n"
    "silently; netspec refuses. Pad by less than the kernel.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - max_pool: {kernel: 2, padding: 2}
""",
)
BRANCHES = Code(
    "NS0308",
    "too few branches",
    "A merge joins two branches or more; with one there is nothing to join. An empty branch, `[]`, is the\n"
    "identity: the current tensor itself.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - add:
      - - relu
""",
)
SHARE = Code(
    "NS0309",
    "weights that cannot be shared",
    "`share: name` uses all weights of the layer or block of that name. Both must hold weights of the same\n"
    "shapes under the same names, and the other must stand earlier.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - dense: 8
    name: first
  - dense: 4
    share: first
""",
)
OPEN_SIZE = Code(
    "NS0310",
    "an open size",
    "A letter such as `H` leaves a size open. The language has open sizes, but this version of netspec cannot\n"
    "yet calculate with them; give a number. To keep the size adjustable, make it a parameter: `params: {size: 224}`\n"
    "and `input: [3, $size, $size]`, then `--set size=320`.",
    """\
netspec: 1
name: example
input: [3, H, W]
layers:
  - relu
""",
)
INPUT_COUNT = Code(
    "NS0311",
    "the wrong number of inputs",
    "An op of one input takes the current tensor, or one name in `from`. Several names are for merges and for\n"
    "blocks that declare `inputs`.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - dense: {units: 8}
    name: a
  - dense: {units: 8}
    name: b
  - relu:
    from: [a, b]
""",
)
TABLE = Code(
    "NS0312",
    "a table of connections that does not fit",
    "The `table` of a convolution has a list for each filter: the input channels that the filter sees, counted\n"
    "from 0, each once.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: {filters: 2, kernel: 3, table: [[0, 1], [2, 3]]}
""",
)
OUTPUT_PADDING = Code(
    "NS0313",
    "an output padding that is too large",
    "Several input sizes of a strided convolution have one output size. `output_padding` says to its transpose which\n"
    "of them is meant: a number from 0 to the stride less 1. With a dilation above the stride it may go up to the\n"
    "dilation less 1. `padding: same` chooses it itself.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv_transpose: {filters: 2, kernel: 3, stride: 2, output_padding: 2}
""",
)
TOO_LARGE = Code(
    "NS0315",
    "a number that is too large",
    "Sizes, numbers of elements, parameters and multiply-accumulates stay below 2⁶³: no framework counts further,\n"
    "and no machine holds as much. A constant, as the slope of an activation, stays within float32, or it would be\n"
    "infinite in the network. Mostly a size is multiplied more often than is meant.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - upsample: 1000
    repeat: 10
""",
)
SIZE = Code(
    "NS0314",
    "sizes that do not fit",
    "The input is too large, too small or of the wrong number of values for what is asked.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - crop: {size: 9}
""",
)
