"""NS03: types that do not fit."""

from netspec.diagnostics.code import Code

KERNEL = Code(
    "NS0301",
    "the kernel does not fit",
    "A window must fit into the padded input at least once; otherwise there is no output. netspec never shrinks"
    " a kernel. Pad the input, use a smaller kernel, or use fewer strides and pools before it.",
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
    "An elementwise merge takes equal types. It also takes a vector and a map with as many channels (the vector"
    " is broadcast over the positions), and a one-channel map and a map of the same sizes (it is broadcast over"
    " the channels). A concatenation needs all other axes to be equal. Nothing else is broadcast.",
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
    "An op with a sliding window needs an input with 1, 2 or 3 spatial axes: a sequence, an image or a video."
    " After `flatten`, or a global pool without `keep: true`, there are no spatial axes. An op can only name"
    " an axis that its input has.",
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
    "A tensor holds numbers, indices or positions, and every op takes certain kinds; almost all take numbers. An"
    " input with a `vocabulary` holds indices: whole numbers that stand for words. `embedding` and"
    " `one_hot` make numbers of them; ops that only move positions take them as they are, all others refuse them. The"
    " output `indices` of a `max_pool` (`pool1.indices`) holds the positions of maxima; `max_unpool` takes them.",
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
    "the wrong number of values for the axes",
    "A field such as `kernel` takes one number for all spatial axes, or a list with one number per axis. The"
    " list must be as long as the input has spatial axes.",
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
    "channels that cannot be divided into the groups",
    "With g groups, the input channels and the filters are each divided into g equal blocks, so g must divide"
    " both.",
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
    "a window that covers only padding",
    "A pool window without any input value has no maximum (−∞) and no mean (0/0). Frameworks silently return"
    " such values; netspec refuses the layer. Use less padding than the kernel.",
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
    "A merge joins at least two branches. An empty branch, `[]`, is the identity: the current tensor itself.",
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
    "`share: name` uses all weights of the layer or block with this name. Both must have weights with the same"
    " names and shapes, and the other one must come earlier.",
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
    "A letter such as `H` leaves a size open. The language has open sizes, but this version of netspec cannot"
    " calculate with them; give a number. To keep the size adjustable, make it a parameter: `params: {size:"
    " 224}` and `input: [3, $size, $size]`, then `--set size=320`.",
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
    "An op with one input takes the current tensor, or one name in `from`. Only merges, and blocks that declare"
    " `inputs`, take several names.",
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
    "The `table` of a convolution has one list for each filter: the input channels of the filter, counted from"
    " 0, without duplicates.",
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
    "Several input sizes of a strided convolution have the same output size. `output_padding` selects one of"
    " them for the transposed convolution: a number from 0 to the stride minus 1. If the dilation is larger than"
    " the stride, it can be up to the dilation minus 1. `padding: same` chooses it by itself.",
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
    "Sizes, numbers of elements, parameters and MACs must be below 2⁶³, because no framework counts further. A"
    " constant, such as the slope of an activation, must be within float32; otherwise it would be infinite in"
    " the network. Usually a size is multiplied more often than intended.",
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
    "The input is too large or too small for this layer, or has the wrong number of values.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - crop: {size: 9}
""",
)
CARRY = Code(
    "NS0320",
    "a carried tensor that changes its type",
    "With `carry: {h: state}`, the input `h` of a repetition is the output `state` of the repetition before. Both must"
    " have the same channels and sizes, so that every repetition is the same block. A tensor that changes from"
    " repetition to repetition can be the current tensor, which is the first input.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  cell:
    inputs: [x, h]
    outputs: [y, state]
    layers:
      - concat:
        from: [x, h]
      - dense: 16
        name: state
      - dense: 8
        name: y
layers:
  - cell:
    from: [input, input]
    repeat: 3
    carry: {h: state}
  - concat:
    from: [cell1, cell1.state]
""",
)
UNPOOL = Code(
    "NS0316",
    "values and indices that do not fit",
    "`max_unpool` puts each value back where a max pool found one. So it takes as many values as the pool gives: the\n"
    "same channels and sizes. Where the windows of the pool overlap, two of them may have their maximum in one\n"
    "position, and two values would go there; such indices are refused.",
    """\
netspec: 1
name: example
input: [16, 8, 8]
layers:
  - max_pool: {kernel: 3, stride: 2}
    name: pool
  - max_unpool:
    from: [pool, pool.indices]
""",
)
RECURRENT = Code(
    "NS0317",
    "a recurrent layer that does not fit what it gets",
    "The state that a layer starts with has a channel for each unit of each of its layers and directions, which is what"
    " the outputs `state` and `cell` of a like layer give; an `lstm` takes both. `lengths` is one whole number for each"
    " sample, and only for sequences: the rows of a map are as long as the map. `dropout` acts between the layers of"
    " an op, and `merge` joins its two directions.",
    """\
netspec: 1
name: example
inputs: {source: [16, 20], target: [16, 10]}
layers:
  - lstm: 64
    from: source
    name: encoder
  - lstm: 32
    from: [target, encoder.state, encoder.cell]
""",
)
ATTENTION = Code(
    "NS0325",
    "attention that does not fit what it gets",
    "Attention divides channels into heads, so their number divides that of the channels. Each key has one value."
    " What is added to the scores has a number for each query and key, for each head or once for all. `causal` and"
    " `window` compare the positions of queries and keys, so both are of equally long sequences. `blocks` divide a"
    " map without a rest. `rotary` turns the channels of a head in pairs, so their number is even.",
    """\
netspec: 1
name: example
input: [64, 20]
layers:
  - attention: 6
""",
)
PRODUCT = Code(
    "NS0330",
    "a product of tensors that does not fit",
    "`contract` names the axes of each input, an arrow, and those of the output: `channels time, channels keys -> time"
    " keys`. In one tensor every axis has a name of its own. Axes with one name are equally long, and the output only"
    " has names of the inputs. `matmul` multiplies the last two axes as matrices: the rows of the first tensor are as"
    " long as the columns of the second, and all other axes are equal.",
    """\
netspec: 1
name: example
input: [16, 20]
layers:
  - contract: {axes: "c t, c c -> t", branches: [[], []]}
""",
)
