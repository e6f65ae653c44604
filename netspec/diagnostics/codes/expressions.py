"""NS02: parameters and ${…}."""

from netspec.diagnostics.code import Code

EXPRESSION_SYNTAX = Code(
    "NS0201",
    "an expression cannot be read",
    "An expression in `${…}` is arithmetic as in Python: + - * / // % **, comparisons, `and`, `or`, `not`, `a"
    " if c else b`, `list[i]`, and the functions min, max, ceil, floor, round and len. Here something is missing"
    " or misplaced.",
    example="netspec: 1\nname: unfinished\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${width *}\n",
)

EXPRESSION_ALONE = Code(
    "NS0202",
    "a $ that is not a whole expression",
    "A value is either `$name`, which passes a parameter on, or one `${…}`, which calculates. A value cannot"
    " contain an expression as a part of a longer text, and netspec never joins texts. Put the whole calculation"
    " inside the braces.",
    example="netspec: 1\nname: mixed\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: 1${width}\n",
)

UNKNOWN_PARAMETER = Code(
    "NS0203",
    "an unknown name in an expression",
    "An expression can use the parameters of its file and of its block, `in` (the tensor that the item takes),"
    " `block.in` inside a block, and `index` inside a repeat. It cannot use names of the caller. Declare the"
    " name under `params`, or correct it.",
    example="netspec: 1\nname: unknown\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${widht * 2}\n",
)

NOT_ARITHMETIC = Code(
    "NS0204",
    "more than arithmetic",
    "Expressions calculate with numbers and choose between values. They have no lists, no function definitions,"
    " no formatted text and no other parts of a programming language, so it is safe to check any spec. A list"
    " can be a parameter; a choice is `a if c else b`.",
    example='netspec: 1\nname: clever\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: "${[8, 16][0]}"\n',
)

ATTRIBUTE = Code(
    "NS0205",
    "an attribute that does not exist",
    "Only tensors have attributes, which are their sizes: `channels` and the names of the spatial axes. `in` is the"
    " tensor that the item takes, `block.in` the input of the block, and `skip.height` is the height of the layer"
    " named `skip`. `stage.index` is the number of the repetition of the repeat `stage`, and `unit.count` the number"
    " of calls of the block `unit` so far. Parameters are plain values without attributes.",
    example="netspec: 1\nname: reaching\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${width.__class__}\n",
)

CALL = Code(
    "NS0206",
    "an unknown function",
    "The functions are `min`, `max`, `ceil`, `floor`, `round` and `len`, with positional arguments only. Expressions"
    " have no other functions, so they can do nothing but calculate.",
    example="netspec: 1\nname: calling\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${sqrt(width)}\n",
)

DIVISION_BY_ZERO = Code(
    "NS0207",
    "a division by zero",
    "The divisor of `/`, `//` or `%` is 0 for the given values. Usually a parameter is 0, or a floor division"
    " before gave 0. `max(1, …)` keeps a divisor above 0.",
    example="netspec: 1\nname: divided\nparams: {ratio: 0}\ninput: [4]\nlayers:\n  - dense: ${in.channels // ratio}\n",
)

RESULT_TOO_LARGE = Code(
    "NS0208",
    "a result is too large",
    "Whole numbers must stay below 2⁶³ in every step of a calculation, so a mistake in an exponent cannot"
    " exhaust the machine. No size or count of a real network is that large.",
    example="netspec: 1\nname: endless\nparams: {width: 8}\ninput: [4]\nlayers:\n  - dense: ${width ** 99}\n",
)

EXPRESSION_TYPE = Code(
    "NS0209",
    "values that cannot be calculated together",
    "Arithmetic and ordering work only on numbers. Words and booleans can be compared for equality and chosen"
    " between. Lists can be indexed, counted with `len`, and passed to `min` and `max`. A boolean is not a"
    " number: write `1 if c else 0`. The operands of `and`, `or` and `not`, and what stands after `if`, are booleans:"
    " `width != 0` is one, `width` is not.",
    example="netspec: 1\nname: unlike\nparams: {widths: [8, 16]}\ninput: [4]\nlayers:\n  - dense: ${widths + 1}\n",
)

INDEX_RANGE = Code(
    "NS0210",
    "an index outside its list",
    "A list of n values has the indices 0 to n − 1, or −n to −1 from its end. Often a repeat has more"
    " repetitions than the list has values; `repeat: ${len(list)}` keeps the two equal.",
    example="netspec: 1\nname: outside\nparams: {widths: [8, 16]}\ninput: [4]\nlayers:\n  - dense: ${widths[2]}\n",
)

NOT_A_NUMBER = Code(
    "NS0211",
    "a result that is not a finite number",
    "The result is infinite or not a real number: an overflow, a root of a negative number, or a calculation"
    " with `.inf` or `.nan`. No part of a network can have such a value.",
    example="netspec: 1\nname: imaginary\nparams: {width: -8}\ninput: [4]\nlayers:\n  - dense: ${width ** 0.5}\n",
)

EXPRESSION_TOO_LONG = Code(
    "NS0212",
    "an expression is too long",
    "An expression has at most 1,000 characters and at most 50 levels of nesting. Split a longer one into"
    " several parameters, or calculate the value outside the spec.",
    example="netspec: 1\nname: nested\ninput: [4]\nlayers:\n  - dense: ${" + "-" * 60 + "8}\n",
)

NO_SUCH_AXIS = Code(
    "NS0213",
    "the tensor does not have this axis",
    "`in` has `channels`, unless it holds indices of a vocabulary, and its spatial axes by name: `time` for a"
    " sequence, `height` and `width` for an image, `depth`, `height` and `width` for a volume. A vector has only"
    " channels.",
    example="netspec: 1\nname: flat\ninput: [4]\nlayers:\n  - dense: ${in.height * 2}\n",
)

UNKNOWN_SIZE = Code(
    "NS0214",
    "a value that is unknown here",
    "`index` exists inside a `repeat`, `block.in` inside a block, and `in` where an item takes a tensor. A block sees"
    " no repeat and no layer of its caller. An"
    " open size of the input is known only when the network runs, but layers must be known before that."
    " Calculate without it, or pass the value as a parameter.",
    example="netspec: 1\nname: outside\ninput: [4]\nlayers:\n  - dense: ${index + 1}\n",
)
