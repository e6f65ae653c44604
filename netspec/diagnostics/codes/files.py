"""NS00: the file and its YAML."""

from netspec.diagnostics.code import Code

FILE_MISSING = Code(
    "NS0001",
    "there is no such file",
    "A spec is read from a file, and nothing stands at this path. Paths in a spec count from the folder"
    " of the file that names them; paths on the command line count from the folder you are in. Correct the"
    " path, or create the file; `netspec new NAME` starts one from the zoo.",
)

FILE_UNREADABLE = Code(
    "NS0002",
    "the file cannot be read",
    "Something stands at this path, but it cannot be read: a folder, a named pipe, a device, or a file or"
    " folder that the system does not let you open. netspec reads only plain files, so that a check never"
    " waits for input that does not come. Name a file, or fix its permissions.",
)

NOT_UTF8 = Code(
    "NS0003",
    "the file is not UTF-8",
    "A spec is text in UTF-8, with or without a byte order mark. These bytes are something else: another"
    " encoding, or no text at all. netspec does not guess an encoding, because a wrong guess changes words"
    " silently. Save the file as UTF-8.",
)

FILE_TOO_LARGE = Code(
    "NS0004",
    "the file is too large",
    "A spec describes a network; its weights live elsewhere. No network needs ten megabytes of"
    " description, so a larger file is taken for a mistake and is not read. Use `repeat` and blocks to say"
    " less.",
)

FILE_EMPTY = Code(
    "NS0005",
    "the file is empty",
    "The file holds nothing, or only comments. A spec holds at least the version of the"
    " language, an input and layers.",
    example="# nothing here yet\n",
)

NOT_YAML = Code(
    "NS0006",
    "the text is not YAML",
    "A spec is YAML, and the YAML stops making sense here. The cause often stands a little before the"
    " place shown: a comma, a quote or a colon that is missing. A value that holds one of the characters"
    " `: # { } [ ] , & * ! | > % @` is safest in quotes.",
    example="netspec: 1\nname: tiny: net\ninput: [4]\nlayers: [relu]\n",
)

TAB = Code(
    "NS0007",
    "a tab indents",
    "YAML indents with spaces only, because a tab is as wide as each editor likes. Replace the tab by"
    " spaces; most editors do it for the whole file at once.",
    example="netspec: 1\nname: tabbed\ninput: [4]\nlayers:\n\t- relu\n",
)

BRACKET = Code(
    "NS0008",
    "a bracket has no partner",
    "Every `{` needs its `}` and every `[` its `]`, in the right order. Until the partner comes, YAML"
    " reads the following lines as part of the bracket, so the trouble shows only further down.",
    example="netspec: 1\nname: open\ninput: [4\nlayers:\n  - relu\n",
)

QUOTE = Code(
    "NS0009",
    "a quote is not closed",
    "A value that starts with a quote runs to the next quote of the same kind, over line ends too."
    " Without it the rest of the file is swallowed. Close the quote on the same line; inside single quotes"
    " an apostrophe is doubled.",
    example='netspec: 1\nname: "open\ninput: [4]\nlayers: [relu]\n',
)

DUPLICATE_KEY = Code(
    "NS0010",
    "a key stands twice",
    "Two equal keys in one mapping contradict each other. Many readers keep the last one and say nothing,"
    " which hides the mistake; netspec keeps none of them silently. Remove one, or rename it.",
    example="netspec: 1\nname: twice\nname: again\ninput: [4]\nlayers: [relu]\n",
)

KEY_NOT_WORD = Code(
    "NS0011",
    "a key is not a word",
    "Keys are names, and a name is a word. A number, a boolean, nothing at all, a list or a mapping is no"
    " name. If the name really looks like that, put it in quotes.",
    example="netspec: 1\nname: numbered\nparams: {3: 4}\ninput: [4]\nlayers: [relu]\n",
)

MERGE_KEY = Code(
    "NS0012",
    "a merge key",
    "`<<` merges one mapping into another in some YAML readers; it left the YAML standard in 2009, and"
    " readers differ on which value wins. In a spec, `defaults` give fields once for a whole file, and"
    " blocks give layers once.",
    example="netspec: 1\nname: merged\ninput: [3, 8, 8]\nlayers:\n"
    "  - conv: &first {filters: 4, kernel: 3}\n  - conv: {<<: *first, stride: 2}\n",
)

TAG = Code(
    "NS0013",
    "a tag",
    "A tag (`!name`, `!!python/object`) asks the reader to build something other than plain data, in the"
    " worst case to run code. A spec is data alone: numbers, words, booleans, lists and mappings. Remove"
    " the tag; quotes make a value a word.",
    example="netspec: 1\nname: !!str tagged\ninput: [4]\nlayers: [relu]\n",
)

SEVERAL_DOCUMENTS = Code(
    "NS0014",
    "several documents in one file",
    "A line `---` starts a further YAML document. One file is one spec, so that a path names a network;"
    " what stands after the line would have to be ignored. Move it to a file of its own.",
    example="netspec: 1\nname: first\ninput: [4]\nlayers: [relu]\n---\nnetspec: 1\nname: second\n",
)

BARE_EXPRESSION = Code(
    "NS0015",
    "a ${…} without quotes inside { } or [ ]",
    "Inside braces and brackets YAML takes the brace of `${…}` for one of its own, and the line no longer"
    " means what it looks like. Put the expression in quotes there. Outside braces and brackets it needs"
    " none; neither does `$name`.",
    example="netspec: 1\nname: bare\nparams: {width: 8}\ninput: [3, 8, 8]\n"
    "layers:\n  - conv: {filters: ${width * 2}, kernel: 3}\n",
)

KEYS_BESIDE_NAME = Code(
    "NS0016",
    "keys beside a bare name",
    "`- relu` is a bare name: the whole item is one word, and a word has no keys. With a colon behind it,"
    " it becomes a mapping that takes keys such as `name` or `from` beside the op.",
    example="netspec: 1\nname: beside\ninput: [4]\nlayers:\n  - relu\n    name: first\n",
)

INDENTATION = Code(
    "NS0017",
    "the indentation does not fit",
    "In YAML the indentation says what belongs to what: the keys of one mapping, and the dashes of one"
    " list, stand exactly below each other. This line stands between two levels. Move it to the level that"
    " you mean.",
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
    "Lists and mappings stand inside each other more than a hundred levels deep, aliases counted in. No"
    " network is written like that; a generator has probably run away. Give parts a name under `blocks`"
    " instead.",
    example="netspec: 1\nname: deep\ninput: [4]\nlayers: " + "[" * 110 + "]" * 110 + "\n",
)

TOO_MANY_VALUES = Code(
    "NS0020",
    "too many values",
    "The file stands for more than 200,000 values. Mostly that is an alias that is repeated inside"
    " repeated aliases, which grows without end from a few lines. `repeat` and blocks say the same without"
    " growing.",
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
    "The alias stands inside the very value that it names, so the value would have no end.",
    example="netspec: 1\nname: circle\ninput: [4]\nlayers: &all\n  - relu\n  - layers: *all\n",
)

UNKNOWN_ALIAS = Code(
    "NS0022",
    "an alias without its anchor",
    "`*name` repeats the value that `&name` marked earlier in the same file, and nothing is marked with"
    " this name. If a plain text that starts with `*` is meant, put it in quotes.",
    example="netspec: 1\nname: lost\ninput: *shape\nlayers: [relu]\n",
)

NUMBER_TOO_LARGE = Code(
    "NS0023",
    "a number is too large or too small",
    "Whole numbers go up to 2⁶³ − 1, about nine quintillion, which no size or count of a network reaches."
    " Other numbers are those of float64: beyond 1.8e308 they would be infinite, and much below 1e-308 they"
    " would be 0. If it is a text made of digits, put it in quotes.",
    example="netspec: 1\nname: huge\ninput: [4]\nlayers:\n  - dense: 99999999999999999999\n",
)

CONTROL_CHARACTER = Code(
    "NS0024",
    "a character that no text file holds",
    "The file holds a control character, half of a surrogate pair, or the like: something that YAML"
    " forbids and that an editor does not show. It comes from a damaged copy, or the file is no text."
    " Delete the character.",
    example="netspec: 1\nname: bell\x07\ninput: [4]\nlayers: [relu]\n",
)

MORE_PROBLEMS = Code(
    "NS0025",
    "more problems than are shown",
    "A report is for reading: it shows the first hundred problems of a spec and says how many more were met until"
    " it stopped. Mostly they have one cause, as a wrong indentation or a word that is used everywhere.",
)

NEAR_MISS = Code(
    "NS0026",
    "a file that looks like a spec is not checked",
    "Below a folder, a YAML file is a spec if it has the key `netspec`. This file has layers or blocks but not"
    " that key, or misspells it, so `netspec check FOLDER` passes over it, and its report says nothing about"
    " the network in it. Write `netspec: 1` as its first line. If the file belongs to another tool, the"
    " warning changes nothing.",
)
