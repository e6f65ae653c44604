"""NS01: keys, ops, names, blocks, includes, networks."""

from netspec.diagnostics.code import Code

NOT_A_SPEC = Code(
    "NS0101",
    "not a spec of this version",
    "A spec is a YAML mapping that starts with `netspec: 1`, the version of the language. Without it netspec\n"
    "cannot know what the words mean, so it does not try.",
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
    "A key of the spec, a field of an op or a parameter of a block has no default, and was not given.",
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
    "Nothing is ever ignored: a key that netspec does not know is an error, since it was meant to do something.\n"
    "The nearest known key is named.",
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
    "Every field says what it takes: a whole number, a finite number, a word of a list. Nothing is converted\n"
    "silently: no text becomes a number, no `true` becomes 1, and `.nan` and `.inf` are no sizes.",
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
    "An item names an op (`netspec ops` lists them) or a block of the same file. The nearest known name is given.",
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
    "An item of `layers` is a bare name (`relu`), or one mapping: an op with its fields, and beside it the reserved\n"
    "keys `name`, `from`, `repeat`, `when`, `else`, `share`, `trainable`. A group has `layers` in place of the op.",
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
    "A name becomes an identifier in generated code, so it is letters, digits and underscores and does not start\n"
    "with a digit or an underscore. `input` and `output` are taken, and so is what netspec itself calls an unnamed\n"
    "layer: its op and a number, as `conv2`.",
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
    "a name that stands twice",
    "Within one scope (the network, a block, a repetition) each name stands for one layer.",
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
    "`from`, `share` and `until` look for a layer in their own scope and outwards as far as the enclosing block;\n"
    "a dotted path goes inside (`stage2.1`).",
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
    "a name that is not there yet",
    "Data flows downwards: `from` finds earlier layers only, never a later one and never itself.",
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
    "a block that contains itself",
    "A block that calls itself, directly or through others, has no end.",
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
    "a file outside the tree",
    "Paths are relative to the file that names them and stay below the root: the nearest folder upwards that holds\n"
    "`pyproject.toml`, `.git` or `netspec.toml`, else the folder of the spec. Specs of the zoo stay in the zoo.",
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
    "`blocks: {include: …}` takes files that hold `netspec` and `blocks` alone, each once; `network` takes whole\n"
    "specs. A file that includes itself, directly or through others, has no end.",
)
BLOCK_CLASH = Code(
    "NS0114",
    "two blocks of one name, or a block named like an op",
    "A word in `layers` must mean one thing. Rename one of the two.",
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
    "With several `inputs` no one of them is the first item's input by itself: it states its `from`.",
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
    "A merge takes a list of branches, each a list of items (`[]` is the identity), or `from: [a, b]`; never both.",
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
    "a layer whose output nothing uses",
    "The layer is calculated, and no other layer and no output takes it. Usually a `from` skips it by mistake.",
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
    "a network that cannot stand here",
    "An embedded network takes the current tensor in place of its own input: sizes may differ, channels and the\n"
    "number of axes may not.",
)
TOO_LARGE = Code(
    "NS0119",
    "too large a network",
    "Repeats within repeats, or blocks within blocks, made more layers than netspec is willing to hold, or stand\n"
    "deeper inside each other than it is willing to follow. A `repeat` is probably not what it was meant to be.",
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
    "a plain value where fields belong",
    "Where one field of an op is obvious it may be written plainly (`dense: 10`); others need their names.",
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
    "an input that nothing uses",
    "An input of the network is taken by no layer, so that whoever feeds it feeds nothing. Remove it from\n"
    "`inputs`, or name it in a `from`.",
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
    "a repeat that is no count",
    "`repeat` says how many times an item stands in a row: a whole number from 0, or an expression that gives\n"
    "one. Repeated 0 times, the item is left out.",
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
    "A block that declares `inputs: [x, skip]` is given as many with `from: [a, b]`, in order.",
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
    "A name in `from`, `share` or `until` is a word, or words joined by dots, where `*` stands for every repetition.",
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
    "`repeat` passes one tensor on: the output of a repetition is the input of the next. An item that takes\n"
    "several inputs says nothing of where the others come from, the second time, so it cannot be repeated as it\n"
    "stands. Repeat a group that starts from the first input, and name the other inputs inside it, or write the\n"
    "items one after the other.",
    """\
netspec: 1
name: example
input: [8]
layers:
  - dense: 8
    name: a
  - dense: 8
    name: b
  - add:
    from: [b, a]
    repeat: 3
""",
)
INPUT_LAYOUT = Code(
    "NS0126",
    "an input that looks channels last, or as if it had a batch",
    "The shape of an input is channels first, and the batch has no axis: `[3, 224, 224]` is an image of three\n"
    "channels. `[224, 224, 3]` is a legal shape, an image of 224 channels that is 3 wide, and hardly what is meant;\n"
    "so is `[32, 3, 224, 224]`, a volume of 32 channels that is 3 deep. In Keras models and in many files the\n"
    "channels come last; netspec brings the Keras model that it builds into that order itself.",
    """\
netspec: 1
name: example
input: [28, 28, 1]
layers: [flatten, {dense: 10}, softmax]
""",
)
MOMENTUM = Code(
    "NS0127",
    "a momentum that forgets most of what was measured",
    "The `momentum` of a `batch_norm` is the share of the running statistics that a step keeps, as in Keras: mostly\n"
    "0.9 or 0.99. PyTorch's `momentum` is the share of the new batch: its 0.1 is 0.9 here. Below 0.5\n"
    "most of what was measured is forgotten in each step, which is legal and hardly meant.",
    """\
netspec: 1
name: example
input: [3, 8, 8]
layers:
  - batch_norm: {momentum: 0.1}
""",
)
