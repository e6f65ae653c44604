"""NS04: expectations that a spec states."""

from netspec.diagnostics.code import Code

UNMET = Code(
    "NS0401",
    "an expectation that is not met",
    "`expect` states exact properties of the network: its output, the shapes of named layers, its parameters"
    " and MACs. If one does not hold, either the layers or the expectation is wrong; netspec cannot know which."
    " `params` counts all weights, including frozen ones, but not running statistics. `trainable` counts the"
    " parameters that training changes. `macs` counts the products in convolutions and dense layers, without"
    " biases.",
    """\
netspec: 1
name: example
input: [784]
layers:
  - dense: 10
expect:
  params: 7_840
""",
)
BUDGET = Code(
    "NS0402",
    "a limit that is exceeded",
    "`max_params`, `max_macs` and `max_memory` are upper limits. k, M and G mean 10³, 10⁶ and 10⁹; memory also"
    " accepts kB, MB and GB. The memory is that of inference for one sample in float32: the weights and the"
    " largest pair of tensors that are alive at the same time.",
    """\
netspec: 1
name: example
input: [784]
layers:
  - dense: 10
expect:
  max_params: 5k
""",
)
UNKNOWN_KEY = Code(
    "NS0403",
    "an unknown expectation",
    "`expect` has the keys `output`, `layers`, `params`, `trainable`, `macs`, `max_params`, `max_macs` and"
    " `max_memory`. netspec would not verify any other key.",
    """\
netspec: 1
name: example
input: [784]
layers:
  - dense: 10
expect:
  parameters: 7_850
""",
)
MALFORMED = Code(
    "NS0404",
    "an expectation that cannot be read",
    "A shape is a list of whole numbers, channels first. `params`, `trainable` and `macs` are whole numbers. A"
    " limit is a number, which can end in k, M or G (for memory also kB, MB or GB).",
    """\
netspec: 1
name: example
input: [784]
layers:
  - dense: 10
expect:
  output: ten
""",
)
UNKNOWN_LAYER = Code(
    "NS0405",
    "an expectation for a layer or output that does not exist",
    "`expect: layers:` names layers, blocks, repeats and named groups by their paths. The name of a repeat or"
    " block stands for its last output. `expect: output:` names outputs: `output`, and the heads.",
    """\
netspec: 1
name: example
input: [784]
layers:
  - dense: 128
    name: hidden
  - dense: 10
expect:
  layers: {hiden: [128]}
""",
)
NOT_HELD = Code(
    "NS0406",
    "expectations that are not checked",
    "`expect` describes the spec as written. With `--set` the network is a different one, so netspec does not"
    " check `expect`, and this warning says so.",
)
