"""NS01: keys, ops, names, blocks, includes, networks."""

from netspec.diagnostics.code import Code

NOT_A_SPEC = Code(
    "NS0101",
    "not a spec of this version",
    "A spec is a YAML mapping that starts with `netspec: 1`, the version of the language. Without the version,"
    " netspec cannot know what the words mean.",
    """\
netspec: 2
name: example
input: [8]
layers:
  - relu
""",
)
MISSING = Code(
    "NS0102",
    "something that is required is missing",
    "A key of the spec, a field of an op or a parameter of a block has no default value, and the spec does not"
    " give one.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: {kernel: 3}
""",
)
UNKNOWN_KEY = Code(
    "NS0103",
    "an unknown key",
    "netspec never ignores a key. A key that it does not know is an error, because the author expects it to"
    " have an effect. The message names the most similar known key.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: {filters: 8, kernel: 3, strides: 2}
""",
)
WRONG_VALUE = Code(
    "NS0104",
    "a value of the wrong kind",
    "Every field takes a certain kind of value: a whole number, a finite number, one of several words. netspec"
    " does not convert values silently: a text does not become a number, `true` does not become 1, and `.nan`"
    " and `.inf` are not sizes.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: {filters: 8, kernel: 3, stride: -2}
""",
)
UNKNOWN_OP = Code(
    "NS0105",
    "an unknown op or block",
    "An item names an op (`netspec ops` lists them) or a block of the same file. The message names the most"
    " similar one.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv2d: {filters: 8, kernel: 3}
""",
)
ITEM = Code(
    "NS0106",
    "not an item",
    "An item of `layers` is a bare name (`relu`) or one mapping: an op with its fields, and the keys `name`,"
    " `from`, `repeat`, `when`, `else`, `share`, `trainable` beside it. A group has `layers` in place of the op.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - {relu: , tanh: }
""",
)
NAME = Code(
    "NS0107",
    "a name that cannot be used",
    "A name becomes an identifier in generated code, so it consists of letters, digits and underscores, and"
    " does not start with a digit or an underscore. `input` and `output` are reserved, and so are the names of"
    " further outputs of ops, such as `indices`.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    name: my-layer
""",
)
NAME_TWICE = Code(
    "NS0108",
    "a duplicate name",
    "Within one scope (the network, a block, a repetition), each name stands for one layer. An unnamed layer is"
    " called by its op and a number (`relu2`): where such a name would hide the layer further out to which the"
    " author gave that name, `from` must not have a choice.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    name: act
  - tanh:
    name: act
""",
)
UNKNOWN_NAME = Code(
    "NS0109",
    "an unknown name",
    "`from`, `share` and `until` look for a layer in their own scope and then in the enclosing scopes, up to"
    " the enclosing block. A path with dots refers to a layer inside a scope (`stage2.1`).",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    name: first
  - tanh:
    from: fist
""",
)
NOT_YET = Code(
    "NS0110",
    "a name that is defined later",
    "Data flows downwards: `from`, `share` and expressions find only earlier layers, never a later layer or the layer"
    " itself.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    from: later
  - tanh:
    name: later
""",
)
RECURSION = Code(
    "NS0111",
    "a block that contains itself without an end",
    "A block can call itself, directly or through other blocks, if the calls end: each call gets other values of its"
    " parameters or another input, and at some point `when` leaves the next call out. For an hourglass, the call is"
    ' `unit: {depth: "${depth - 1}"}` with `when: ${depth > 1}` beside it. A call that always happens, or that repeats'
    " the values of a call around it, never ends. Calls that end must fit the limit of 64 nested lists of items. For"
    " layers that are only repeated, use `repeat`.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  unit:
    layers:
      - relu
      - unit
layers:
  - unit
""",
)
OUTSIDE = Code(
    "NS0112",
    "a file outside the project",
    "Paths are relative to the file that contains them and must stay below the root: the nearest parent folder"
    " that contains `pyproject.toml`, `.git` or `netspec.toml`, or else the folder of the spec. Specs of the zoo"
    " stay in the zoo.",
    """\
netspec: 1
name: example
input: [8]
blocks: {include: ../../../../../../../etc/parts.yaml}
layers:
  - relu
""",
)
INCLUDE = Code(
    "NS0113",
    "a file that cannot be included",
    "`blocks: {include: …}` takes files with the keys `netspec` and `blocks` and no others, each file once."
    " `network` takes whole specs. A file that includes itself, directly or through other files, never ends.",
)
BLOCK_CLASH = Code(
    "NS0114",
    "two blocks with one name, or a block with the name of an op",
    "A word in `layers` must have one meaning. Rename one of the two.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  relu:
    layers:
      - tanh
layers:
  - relu
""",
)
NO_CURRENT = Code(
    "NS0115",
    "no current tensor",
    "With several `inputs`, the first item does not take one of them automatically: state its input with"
    " `from`. The name of an item that is left out stands for the current tensor before it; before the first item there"
    " is none.",
    """\
netspec: 1
name: example
inputs: {left: [8], right: [8]}
layers:
  - relu
  - add:
    from: [left, right]
""",
)
BRANCHES_FORM = Code(
    "NS0116",
    "branches in the wrong form",
    "A merge takes a list of branches, each of which is a list of items (`[]` is the identity) or the name of a"
    " layer, or `from: [a, b]`; never both.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - add:
      - relu
      - tanh
""",
)
UNUSED = Code(
    "NS0117",
    "a layer with an unused output",
    "The layer is computed, but no other layer and no output uses it. Usually a `from` skips it by mistake.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - dense: 4
  - dense: 4
    from: input
""",
)
NETWORK = Code(
    "NS0118",
    "a network that does not fit here",
    "An embedded network takes the current tensor in place of its own input: sizes can differ, channels and the"
    " number of axes cannot.",
)
TOO_LARGE = Code(
    "NS0119",
    "a network that is too large",
    "Nested repeats or blocks make more layers than netspec allows, or are nested deeper than it allows."
    " Probably a `repeat` is not what you intended.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    repeat: 1000000
""",
)
NO_PLAIN_VALUE = Code(
    "NS0120",
    "a plain value in place of fields",
    "An op with one obvious field accepts a plain value (`dense: 10`). For other ops, write the names of the"
    " fields.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - conv: 8
""",
)
UNUSED_INPUT = Code(
    "NS0121",
    "an unused input",
    "No layer uses this input of the network. Remove it from `inputs`, or name it in a `from`.",
    """\
netspec: 1
name: example
inputs: {left: [8], right: [8]}
layers:
  - relu:
    from: left
""",
)
REPEAT = Code(
    "NS0122",
    "a repeat that is not a count",
    "`repeat` is the number of times that an item is applied in a row: a whole number from 0, or an expression"
    " that gives one. With 0, the item is left out.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    repeat: -1
""",
)
BLOCK_INPUTS = Code(
    "NS0123",
    "inputs of a block that do not match",
    "A block that declares `inputs: [x, skip]` takes as many inputs, in this order, with `from: [a, b]`.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  join:
    inputs: [x, skip]
    layers:
      - add:
        from: [x, skip]
layers:
  - join
""",
)
BAD_PATH = Code(
    "NS0124",
    "not a name or a path of names",
    "A name in `from`, `share` or `until` is a word, or words joined by dots, where `*` stands for all"
    " repetitions.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - relu:
    from: 'a b'
""",
)
REPEAT_INPUTS = Code(
    "NS0125",
    "a repeat of an item with several inputs",
    "`repeat` passes on one tensor: the output of a repetition is the first input of the next. `carry` says what the"
    " other inputs take: `carry: {h: state}` gives the input `h` the output `state` of the previous repetition, and"
    " `h: h` keeps it as it is. The branches of a merge have no names: repeat a group that starts from the first"
    " input and names the other inputs inside, or write the items one after the other.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  cell:
    inputs: [x, h]
    outputs: [y, state]
    layers:
      - add:
        from: [x, h]
      - dense: 8
        name: state
      - dense: 8
        name: y
layers:
  - dense: 8
    name: start
  - cell:
    from: [input, start]
    repeat: 3
  - concat:
    from: [cell1, cell1.state]
""",
)
CARRY = Code(
    "NS0128",
    "a `carry` that names the wrong thing",
    "`carry` belongs to a `repeat`. It is a mapping: each key is an input of the repeated block, network or op, and"
    " its value is the output that this input takes from the previous repetition. An input that takes its own name,"
    " where no output has it, stays the same. The first input takes the first output if `carry` does not name it,"
    " and every other input that `carry` does not name stays the same. An op can carry only what `from` gives to the"
    " first repetition.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  cell:
    inputs: [x, h]
    outputs: [y, state]
    layers:
      - add:
        from: [x, h]
      - dense: 8
        name: state
      - dense: 8
        name: y
layers:
  - cell:
    from: [input, input]
    repeat: 3
    carry: {h: stat}
  - concat:
    from: [cell1, cell1.state]
""",
)
BLOCK_OUTPUT = Code(
    "NS0129",
    "an output of a block that cannot be one",
    "`outputs: [y, state]` lists layers of the block, by their names or by paths of names such as `pool.indices`. The"
    " first one is the output of a call; `call.state` is the output whose name, or the last part of whose path, is"
    " `state`.",
    """\
netspec: 1
name: example
input: [8]
blocks:
  cell:
    outputs: [3]
    layers:
      - dense: 8
        name: y
layers:
  - cell
""",
)
INPUT_LAYOUT = Code(
    "NS0126",
    "an input that seems to have its channels last, or a batch axis",
    "The shape of an input is channels first, without the batch axis: `[3, 224, 224]` is an image with three"
    " channels. `[224, 224, 3]` is a valid shape (an image with 224 channels and width 3), but probably a"
    " mistake; so is `[32, 3, 224, 224]`, a volume with 32 channels and depth 3. Keras models and many files"
    " have the channels last; netspec converts to this order when it builds a Keras model.",
    """\
netspec: 1
name: example
input: [28, 28, 1]
layers: [flatten, {dense: 10}, softmax]
""",
)
MOMENTUM = Code(
    "NS0127",
    "a momentum that forgets most of the statistics",
    "The `momentum` of a `batch_norm` is the fraction of the running statistics that a step keeps, as in Keras:"
    " usually 0.9 or 0.99. PyTorch's `momentum` is the fraction of the new batch: its 0.1 is 0.9 here. Below"
    " 0.5, each step forgets most of the statistics, which is valid but probably a mistake.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - batch_norm: {momentum: 0.1}
""",
)
WITHOUT_EFFECT = Code(
    "NS0130",
    "a field without an effect",
    "Another field of the same layer takes away what this one is about: without a bias there is nothing for `bias_init`"
    " to start, and with a `dropout` of 0 there is nothing for `variational` to share between steps. The network is"
    " valid, but probably not the one that was meant. A field in `defaults` gets no warning.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - dense: {units: 4, bias: false, bias_init: ones}
""",
)
NUMBERS = Code(
    "NS0131",
    "a file without the numbers of a constant",
    "A `constant` takes an array from a .npy, .npz or .safetensors file: finite numbers with channels and up to 3"
    " spatial axes, at most 10,000 of them. They become a part of the graph and of the generated source, so nothing"
    " else needs the file. Objects, booleans and complex numbers are never loaded. Of a file with several arrays,"
    " `member` names one.",
)
NO_WEIGHTS = Code(
    "NS0132",
    "a file of weights that is not there",
    "An embedded network starts from the weights in this file, and there is no such file. Shapes and costs do not"
    " depend on it, so the network is valid; `train` and the Python functions that build it need the file. Files of"
    " weights are often too large to be kept beside a spec: `--weights NAME=FILE` names one at another place.",
)
