"""NS02: parameters and ${…}."""

from netspec.diagnostics.code import Code

EXPRESSION_SYNTAX = Code(
    "NS0201",
    "an expression cannot be read",
    "What stands in `${…}` is arithmetic as in Python: + - * / // % **, comparisons, `and`, `or`, `not`,"
    " `a if c else b`, `list[i]`, and the functions min, max, ceil, floor, round and len. Here something"
    " is missing or out of place.",
    example="netspec: 1\nname: unfinished\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${width *}\n",
)

EXPRESSION_ALONE = Code(
    "NS0202",
    "a $ that is no whole expression",
    "A value is either `$name`, which passes a parameter on, or one `${…}`, which calculates; it is never"
    " a text with such a part in it. So a calculated value is a number or what a parameter holds, and no"
    " text is ever put together. Put the whole calculation inside the braces.",
    example="netspec: 1\nname: mixed\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: 1${width}\n",
)

UNKNOWN_PARAMETER = Code(
    "NS0203",
    "an unknown name in an expression",
    "An expression sees the parameters of its file and of its block, `in` (the tensor that the item"
    " receives), `block.in` inside a block, and `index` under a repeat; nothing of the caller. Declare the"
    " name under `params`, or correct it.",
    example="netspec: 1\nname: unknown\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${widht * 2}\n",
)

NOT_ARITHMETIC = Code(
    "NS0204",
    "more than arithmetic",
    "Expressions calculate with numbers and choose between values. Lists, functions, texts with holes,"
    " and all the rest of a programming language stay outside, so that a spec is data that anyone may"
    " check safely. A list can be a parameter; a choice is `a if c else b`.",
    example='netspec: 1\nname: clever\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: "${[8, 16][0]}"\n',
)

ATTRIBUTE = Code(
    "NS0205",
    "a dot where none belongs",
    "Only `in` and `block.in` have parts: `in.channels` and the names of the spatial axes. Parameters are"
    " plain values, and nothing reaches behind them, least of all into Python.",
    example="netspec: 1\nname: reaching\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${width.__class__}\n",
)

CALL = Code(
    "NS0206",
    "no such function",
    "The functions are `min`, `max`, `ceil`, `floor`, `round` and `len`, with values in plain order."
    " There are no others: an expression that could call anything could do anything.",
    example="netspec: 1\nname: calling\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${sqrt(width)}\n",
)

DIVISION_BY_ZERO = Code(
    "NS0207",
    "a division by zero",
    "The divisor of `/`, `//` or `%` is 0 with the values given. Mostly a parameter is 0, or a whole"
    " division gave 0 before. `max(1, …)` keeps a divisor from vanishing.",
    example="netspec: 1\nname: divided\nparams: {ratio: 0}\ninput: [4]\nlayers:\n  - dense: ${in.channels // ratio}\n",
)

RESULT_TOO_LARGE = Code(
    "NS0208",
    "a result is too large",
    "Whole numbers stay below 2⁶³ at every step, so that a slip in an exponent costs nothing. No size or"
    " count of a network comes near.",
    example="netspec: 1\nname: endless\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${width ** 99}\n",
)

EXPRESSION_TYPE = Code(
    "NS0209",
    "values that cannot be calculated together",
    "Arithmetic and order are for numbers. Words and booleans can be compared for equality and chosen"
    " between; lists can be indexed, counted, and searched for their least and largest. A boolean is no"
    " number: write `1 if c else 0`.",
    example="netspec: 1\nname: unlike\nparams: {widths: [8, 16]}\ninput: [4]\nlayers:\n  - dense: ${widths + 1}\n",
)

INDEX_RANGE = Code(
    "NS0210",
    "an index outside its list",
    "A list of n values has the places 0 to n − 1, or −n to −1 counted from its end. Often a repeat runs"
    " more often than the list is long; `repeat: ${len(list)}` keeps the two together.",
    example="netspec: 1\nname: outside\nparams: {widths: [8, 16]}\ninput: [4]\nlayers:\n  - dense: ${widths[2]}\n",
)

NOT_A_NUMBER = Code(
    "NS0211",
    "a result that is no number",
    "The result is infinite, or not a real number: an overflow, a root of a negative number, or a"
    " calculation with `.inf` or `.nan`. Nothing in a network can be built from it.",
    example="netspec: 1\nname: imaginary\nparams: {width: -8}\ninput: [4]\nlayers:\n  - dense: ${width ** 0.5}\n",
)

EXPRESSION_TOO_LONG = Code(
    "NS0212",
    "an expression is too long",
    "An expression has at most a thousand characters and is nested at most fifty deep. A longer one"
    " belongs into several parameters, or the spec is not the place to calculate it.",
    example="netspec: 1\nname: nested\ninput: [4]\nlayers:\n  - dense: ${" + "-" * 60 + "8}\n",
)

NO_SUCH_AXIS = Code(
    "NS0213",
    "the tensor has no such axis",
    "`in` has `channels`, unless it holds integers of a vocabulary, and its spatial axes by name: `time`"
    " for a sequence, `height` and `width` for an image, `depth`, `height` and `width` for a volume. A"
    " vector has channels alone.",
    example="netspec: 1\nname: flat\ninput: [4]\nlayers:\n  - dense: ${in.height * 2}\n",
)

UNKNOWN_SIZE = Code(
    "NS0214",
    "a value that is not known here",
    "`index` exists under a `repeat`, `block.in` inside a block, and `in` where a tensor arrives. A size of the"
    " input that is left open is known only when the network runs, and what a layer is made of must be known before."
    " Calculate without it, or pass what is needed on as a parameter.",
    example="netspec: 1\nname: alone\ninput: [4]\nlayers:\n  - dense: ${index + 1}\n",
)
