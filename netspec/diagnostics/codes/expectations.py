"""NS04: what a spec expects of itself."""

from netspec.diagnostics.code import Code

UNMET = Code(
    "NS0401",
    "an expectation that does not hold",
    "`expect` states what the author believes of the network: its output, the shapes of named layers, its\n"
    "parameters and multiply-accumulates, exactly. One that does not hold is a mistake in the layers or in the\n"
    "belief, and netspec cannot know which. `params` are all weights, frozen ones included, running statistics\n"
    "not; `trainable` those that learn; `macs` the products of convolutions and dense layers, no bias.",
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
    "a budget that is exceeded",
    "`max_params`, `max_macs` and `max_memory` are upper bounds; k, M and G are 10³, 10⁶ and 10⁹, and memory\n"
    "may be written in kB, MB and GB. Memory is that of inference for one sample: the weights, and the largest\n"
    "two tensors alive at once, as float32.",
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
    "`expect` knows `output`, `layers`, `params`, `trainable`, `macs`, `max_params`, `max_macs` and `max_memory`.\n"
    "Another key would be a promise that nobody keeps.",
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
    "A shape is a list of whole numbers, channels first; `params`, `trainable` and `macs` are whole numbers; a\n"
    "budget is a number, which may end in k, M or G (for memory kB, MB or GB).",
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
    "an expectation of something that is not there",
    "`expect: layers:` names layers, blocks, repeats and named groups by their paths; the name of a repeat or\n"
    "block is its last output. `expect: output:` names outputs: `output`, and the heads.",
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
    "expectations that were not held to",
    "`expect` speaks of the spec as it is written. With `--set` it is another network, so what the spec\n"
    "expects is reported as not held to, and never as failed.",
)
