"""NS00: the file and its YAML."""

from netspec.diagnostics.code import Code

FILE_MISSING = Code(
    "NS0001",
    "the file does not exist",
    "netspec reads a spec from a file, and there is no file at this path. Paths in a spec are relative to the"
    " folder of the file that contains them; paths on the command line are relative to the current folder."
    " Correct the path, or create the file; `netspec new NAME` starts one from the zoo.",
)

FILE_UNREADABLE = Code(
    "NS0002",
    "the file cannot be read",
    "There is something at this path, but it cannot be read: a folder, a named pipe, a device, or a file or"
    " folder that the system does not let you open. netspec reads only regular files, so a check never waits for"
    " input that does not come. Name a file, or fix its permissions.",
)

NOT_UTF8 = Code(
    "NS0003",
    "the file is not UTF-8",
    "A spec is text in UTF-8, with or without a byte order mark. These bytes are in another encoding, or not"
    " text. netspec does not guess an encoding, because a wrong guess silently changes words. Save the file as"
    " UTF-8.",
)

FILE_TOO_LARGE = Code(
    "NS0004",
    "the file is too large",
    "A spec describes a network; weights are stored in other files. No network needs a description of ten"
    " megabytes, so a larger file is probably a mistake and is not read. `repeat` and blocks make a spec"
    " shorter.",
)

FILE_EMPTY = Code(
    "NS0005",
    "the file is empty",
    "The file is empty or contains only comments. A spec contains at least the version of the language, a name,"
    " an input and layers.",
    example="# nothing here yet\n",
)

NOT_YAML = Code(
    "NS0006",
    "the text is not YAML",
    "A spec is YAML, and this text is not valid YAML. The cause is often shortly before the place shown: a"
    " missing comma, quote or colon. If a value contains one of the characters `: # { } [ ] , & * ! | > % @`,"
    " put it in quotes.",
    example="netspec: 1\nname: tiny: net\ninput: [4]\nlayers: [relu]\n",
)

TAB = Code(
    "NS0007",
    "a tab in the indentation",
    "YAML allows only spaces for indentation, because the width of a tab depends on the editor. Replace the tab"
    " with spaces; most editors can do this for the whole file.",
    example="netspec: 1\nname: tabbed\ninput: [4]\nlayers:\n\t- relu\n",
)

BRACKET = Code(
    "NS0008",
    "an unmatched bracket",
    "Every `{` needs a `}` and every `[` a `]`, in the right order. Until the closing bracket, YAML reads the"
    " following lines as part of the value, so the error appears further down.",
    example="netspec: 1\nname: open\ninput: [4\nlayers:\n  - relu\n",
)

QUOTE = Code(
    "NS0009",
    "a quote is not closed",
    "A value that starts with a quote continues to the next quote of the same kind, also over line ends."
    " Without it, the rest of the file becomes part of the value. Close the quote on the same line. Inside"
    " single quotes, write an apostrophe twice.",
    example='netspec: 1\nname: "open\ninput: [4]\nlayers: [relu]\n',
)

DUPLICATE_KEY = Code(
    "NS0010",
    "a duplicate key",
    "Two equal keys in one mapping contradict each other. Many YAML readers silently keep the last one, which"
    " hides the mistake; netspec reports it. Remove or rename one of them.",
    example="netspec: 1\nname: twice\nname: again\ninput: [4]\nlayers: [relu]\n",
)

KEY_NOT_WORD = Code(
    "NS0011",
    "a key is not a word",
    "Keys are names, and a name is a word. A number, a boolean, an empty value, a list or a mapping is not a"
    " name. If the name really looks like that, put it in quotes.",
    example="netspec: 1\nname: numbered\nparams: {3: 4}\ninput: [4]\nlayers: [relu]\n",
)

MERGE_KEY = Code(
    "NS0012",
    "a merge key",
    "In some YAML readers `<<` merges one mapping into another. The YAML standard dropped it in 2009, and"
    " readers disagree on which value wins. In a spec, `defaults` set fields for a whole file, and blocks hold"
    " layers that are used several times.",
    example="netspec: 1\nname: merged\ninput: [3, 8, 8]\nlayers:\n"
    "  - conv: &first {filters: 4, kernel: 3}\n  - conv: {<<: *first, stride: 2}\n",
)

TAG = Code(
    "NS0013",
    "a tag",
    "A tag (`!name`, `!!python/object`) asks the reader to build something other than plain data, or even to"
    " run code. A spec contains only data: numbers, words, booleans, lists and mappings. Remove the tag. Quotes"
    " turn a value into a word.",
    example="netspec: 1\nname: !!str tagged\ninput: [4]\nlayers: [relu]\n",
)

SEVERAL_DOCUMENTS = Code(
    "NS0014",
    "several documents in one file",
    "A line `---` starts another YAML document. One file is one spec, so that a path identifies a network;"
    " netspec would have to ignore what follows the line. Move it to its own file.",
    example="netspec: 1\nname: first\ninput: [4]\nlayers: [relu]\n---\nnetspec: 1\nname: second\n",
)

BARE_EXPRESSION = Code(
    "NS0015",
    "a ${…} without quotes inside { } or [ ]",
    "Inside braces and brackets, YAML reads the brace of `${…}` as its own, so the line means something else"
    " than it seems to. Put the expression in quotes there. Outside braces and brackets it needs no quotes, and"
    " `$name` never does.",
    example="netspec: 1\nname: bare\nparams: {width: 8}\ninput: [3, 8, 8]\n"
    "layers:\n  - conv: {filters: ${width * 2}, kernel: 3}\n",
)

KEYS_BESIDE_NAME = Code(
    "NS0016",
    "keys beside a bare name",
    "`- relu` is a bare name: the whole item is one word, and a word has no keys. Add a colon after it; the"
    " item is then a mapping, which can have keys such as `name` or `from` beside the op.",
    example="netspec: 1\nname: beside\ninput: [4]\nlayers:\n  - relu\n    name: first\n",
)

INDENTATION = Code(
    "NS0017",
    "the indentation does not match",
    "In YAML the indentation shows the structure: the keys of one mapping, and the dashes of one list, start in"
    " the same column. This line starts between two levels. Move it to the level that you mean.",
    example="netspec: 1\nname: crooked\ninput: [4]\nlayers:\n    - relu\n  - tanh\n",
)

MISSING_SPACE = Code(
    "NS0018",
    "a space is missing after a colon",
    "`key: value` needs a space after the colon. Without it, `key:value` is one long word.",
    example="netspec: 1\nname: tight\ninput: [3, 8, 8]\nlayers:\n  - conv: {filters:4, kernel: 3}\n",
)

TOO_DEEP = Code(
    "NS0019",
    "too deeply nested",
    "Lists and mappings are nested more than a hundred levels deep, including aliases. Hand-written networks"
    " are not; a generator is probably wrong. Give parts a name under `blocks` instead.",
    example="netspec: 1\nname: deep\ninput: [4]\nlayers: " + "[" * 110 + "]" * 110 + "\n",
)

TOO_MANY_VALUES = Code(
    "NS0020",
    "too many values",
    "The file contains more than 200,000 values. Usually the cause is an alias that is repeated inside repeated"
    " aliases, so that a few lines expand to a huge value. `repeat` and blocks describe repeated layers without"
    " expanding.",
    example="netspec: 1\nname: bomb\ninput: [4]\nparams:\n  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    + "".join(
        f"  {new}: &{new} [" + ", ".join([f"*{old}"] * 10) + "]\n"
        for old, new in zip("abcde", "bcdef", strict=True)
    )
    + "layers: [relu]\n",
)

ALIAS_OF_ITSELF = Code(
    "NS0021",
    "an alias contains itself",
    "The alias is inside the value that it refers to, so the value would be infinite.",
    example="netspec: 1\nname: circle\ninput: [4]\nlayers: &all\n  - relu\n  - layers: *all\n",
)

UNKNOWN_ALIAS = Code(
    "NS0022",
    "an alias without its anchor",
    "`*name` repeats the value that `&name` marked earlier in the same file, but there is no such mark. If you"
    " mean a text that starts with `*`, put it in quotes.",
    example="netspec: 1\nname: lost\ninput: *shape\nlayers: [relu]\n",
)

NUMBER_TOO_LARGE = Code(
    "NS0023",
    "a number is too large or too small",
    "Whole numbers go up to 2⁶³ − 1, about nine quintillion; no size or count of a network is that large. Other"
    " numbers are float64: above 1.8e308 they would be infinite, and far below 1e-308 they would be 0. If the"
    " value is a text made of digits, put it in quotes.",
    example="netspec: 1\nname: huge\ninput: [4]\nlayers:\n  - dense: 99999999999999999999\n",
)

CONTROL_CHARACTER = Code(
    "NS0024",
    "a character that does not belong in a text file",
    "The file contains a control character, half of a surrogate pair, or a similar character that YAML forbids"
    " and that an editor does not show. The copy is damaged, or the file is not text. Delete the character.",
    example="netspec: 1\nname: bell\x07\ninput: [4]\nlayers: [relu]\n",
)

MORE_PROBLEMS = Code(
    "NS0025",
    "more problems than are shown",
    "A report shows the first hundred problems of a spec, and says how many more netspec found before it"
    " stopped. Usually they have one cause, such as a wrong indentation or a word that is used everywhere.",
)

NEAR_MISS = Code(
    "NS0026",
    "a file that looks like a spec is not checked",
    "In a folder, a YAML file is a spec if it has the key `netspec`. This file has layers or blocks, but the"
    " key is missing or misspelt, so `netspec check FOLDER` does not check it. Write `netspec: 1` as its first"
    " line. If the file belongs to another tool, you can ignore the warning.",
)

WEIGHTS_MAP = Code(
    "NS0027",
    "a map of weights is wrong",
    "`netspec weights import SPEC FILE --map MAP` reads which tensor of the file is which weight of the network: a"
    " line for each weight, `ours: theirs`, or a list of two biases that are added. Every weight has its line, every"
    " tensor exists, has the right shape and is used once. `--map-template MAP` writes a map in which the tensors"
    " that are certain are filled in.",
)
