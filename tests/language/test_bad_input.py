"""Bad input, each with its own diagnostic at its own place, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netspec.check import check_file, check_text
from netspec.diagnostics.render import as_text
from netspec.loading import graph_of_file
from tests.language.author import FILE, hold_refusals, hold_words, place_of, spec, unmarked

BAD: dict[str, tuple[str, str, str]] = {
    "a bracket that is not closed": ("layers: «[»relu\n", "NS0008", "`[` is opened here and never closed"),
    "a tab": ("layers:\n«\t»- relu\n", "NS0007", "replace the tab with spaces"),
    "a duplicate key": ("layers: [relu]\n«layers»: [tanh]\n", "NS0010", "it appears first on line 4"),
    "an alias bomb": (
        "layers: [relu]\na: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcd", "bcde", strict=True))
        + "f: [«*e», *e, *e]\n",
        "NS0020",
        "more than 200,000 values",
    ),
    "deep nesting": (
        "layers: " + "[" * 99 + "«[»" + "[" * 99 + "]" * 199,
        "NS0019",
        "more than 100 levels deep",
    ),
    "an unknown op": ("layers: [{«covn»: {filters: 3, kernel: 1}}]", "NS0105", "did you mean `conv`?"),
    "an op of PyTorch's": ("layers: [flatten, {«Linear»: 3}]", "NS0105", "write `dense`"),
    "an op of Keras'": ("layers: [{«MaxPooling2D»: 2}]", "NS0105", "write `max_pool`"),
    "an unknown key of the spec": ("layers: [relu]\n«expects»: {}", "NS0103", "write `expect`"),
    "an unknown key of an op": (
        "layers: [{conv: {filters: 3, kernel: 1, «strid»: 2}}]",
        "NS0103",
        "`stride`?",
    ),
    "an unknown key of an item": ("layers: [{relu: , «form»: input}]", "NS0103", "did you mean `from`?"),
    "an unknown block": (
        "blocks: {unit: {layers: [relu]}}\nlayers: [«unti»]",
        "NS0105",
        "did you mean `unit`?",
    ),
    "an unknown parameter": ("params: {size: 3}\nlayers: [dense: $«sise»]", "NS0203", "did you mean `size`?"),
    "an unknown parameter of a block": (
        "blocks: {unit: {params: {size: 3}, layers: [relu]}}\nlayers: [{unit: {«sise»: 3}}]",
        "NS0103",
        "did you mean `size`?",
    ),
    "an unknown name": (
        "layers: [{relu: , name: first}, {relu: , from: «fist»}]",
        "NS0109",
        "did you mean `first`?",
    ),
    "a missing field": ("layers: [{«conv»: {filters: 3}}]", "NS0102", "`conv` needs `kernel`"),
    "a missing parameter": (
        "blocks: {unit: {params: {n: }, layers: [dense: $n]}}\nlayers: [«unit»]",
        "NS0102",
        "needs `n`",
    ),
    "a missing key": ("«netspec»: 1\nname: a\ninput: [3]", "NS0102", "a spec needs `layers`"),
    "a wrong type": (
        "layers: [{conv: {filters: «many», kernel: 1}}]",
        "NS0104",
        "takes a whole number, not the text `many`",
    ),
    "a list for a number": (
        "layers: [{conv: {filters: «[3]», kernel: 1}}]",
        "NS0104",
        "takes a whole number, not `[3]`",
    ),
    "a mapping for a number": ("layers: [{dense: {units: «{a: 1}»}}]", "NS0104", "not a mapping"),
    "a word that is none of those": (
        "layers: [{max_pool: {kernel: 2, rounding: «cell»}}]",
        "NS0104",
        "floor, ceil",
    ),
    "a number in quotes": ("layers: [{dense: «'10'»}]", "NS0104", "takes a whole number, not the text `10`"),
    "a negative stride": (
        "layers: [{conv: {filters: 3, kernel: 1, stride: «-2»}}]",
        "NS0104",
        "at least 1, not −2",
    ),
    "a stride of zero on one axis": (
        "layers: [{conv: {filters: 3, kernel: 1, stride: [1, «0»]}}]",
        "NS0104",
        "at least 1, not 0",
    ),
    "a negative padding": (
        "layers: [{conv: {filters: 3, kernel: 1, padding: «-1»}}]",
        "NS0104",
        "a whole number from 0",
    ),
    "a kernel that does not fit": (
        "layers: [{conv: {filters: 3, kernel: «9»}}]",
        "NS0301",
        "9×9 on a padded input of 8×8",
    ),
    "a kernel for too many axes": (
        "layers: [{conv: {filters: 3, kernel: «[3, 3, 3]»}}]",
        "NS0305",
        "2 spatial axes",
    ),
    "an add of different shapes": ("layers: [{«add»: [[], [{max_pool: 2}]]}]", "NS0302", "4@8×8 and 4@4×4"),
    "a from that points forward": (
        "layers: [{relu: , from: «b»}, {tanh: , name: b}]",
        "NS0110",
        "not defined yet",
    ),
    "a from that points at itself": ("layers: [{relu: , from: «b», name: b}]", "NS0110", "this item itself"),
    "a block that contains itself": (
        "blocks: {u: {layers: [relu, «u»]}}\nlayers: [u]",
        "NS0111",
        "contains itself",
    ),
    "blocks that contain each other": (
        "blocks: {u: {layers: [v]}, v: {layers: [{add: [[], [«u»]]}]}}\nlayers: [u]",
        "NS0111",
        "through `v`",
    ),
    "a division by zero": ('params: {n: 0}\nlayers: [dense: "${8 // «n»}"]', "NS0207", "`n` is 0 here"),
    "a tower of powers": ('layers: [dense: "${«9 ** 9 ** 9»}"]', "NS0208", "below 2⁶³"),
    "a list without end": (
        'params: {w: [1]}\nlayers: [dense: "${len(«w» * 10 ** 9)}"]',
        "NS0209",
        "`w` is a list",
    ),
    "a reach for __class__": (
        'params: {n: 1}\nlayers: [dense: "${«n.__class__»}"]',
        "NS0205",
        "has no attributes",
    ),
    "a reach for the system": ("layers: [dense: \"${«__import__»('os')}\"]", "NS0206", "not a function"),
    "a lambda": ('layers: [dense: "${(lambda«:» 1)()}"]', "NS0201", "cannot be read"),
    "a comprehension": ('layers: [dense: "${len([x «f»or x in [1]])}"]', "NS0201", "cannot be read"),
    "a bare expression in braces": ("layers: [{dense: «${1 + 1}»}]", "NS0015", 'write `"${1 + 1}"`'),
    "a name that carries code": (
        "layers: [{relu: , name: «\"x'); import os; ('»\"}]".replace("('»\"}", "('\"»}"),
        "NS0107",
        "cannot be a name",
    ),
    "a name of the spec that carries code": (
        "netspec: 1\nname: «'A: pass'»\ninput: [3]\nlayers: [relu]",
        "NS0107",
        "cannot be a name",
    ),
    "a dunder": ("layers: [{relu: , name: «__init__»}]", "NS0107", "a letter, followed by"),
    "NaN": ("layers: [{leaky_relu: «.nan»}]", "NS0104", ""),
    "NaN for a size": ("layers: [{dense: «.nan»}]", "NS0104", "takes a whole number"),
    "NaN that is a word": ("layers: [{dropout: «NaN»}]", "NS0104", "the text `NaN`"),
    "inf": ("layers: [{softmax: «.inf»}]", "NS0104", "a finite number"),
    "an infinite epsilon": ("layers: [{batch_norm: {epsilon: «.inf»}}]", "NS0104", "a finite number"),
    "NaN for a momentum": ("layers: [{batch_norm: {momentum: «.nan»}}]", "NS0104", ""),
    "NaN for a rate": ("layers: [{dropout: «.nan»}]", "NS0104", ""),
    "NaN in an initialiser": (
        "layers: [{dense: {units: 3, init: «{normal: {std: .nan}}»}}]",
        "NS0104",
        "a finite number",
    ),
    "a spread below 0": (
        "layers: [{dense: {units: 3, init: «{normal: -1}»}}]",
        "NS0104",
        "`std` must be at least 0",
    ),
    "bounds the wrong way round": (
        "layers: [{dense: {units: 3, init: «{uniform: {low: 1, high: 0}}»}}]",
        "NS0104",
        "`low` is larger than `high`",
    ),
    "an offset without a size": (
        "layers: [{crop: {amount: 1, offset: «1»}}]",
        "NS0314",
        "is only for `size`",
    ),
    "a value of a mirror image": (
        "layers: [{pad: {amount: 1, mode: reflect, value: «2.0»}}]",
        "NS0314",
        "is only for `mode: constant`",
    ),
    "a boolean for a size": ("layers: [{dense: «true»}]", "NS0104", "takes a whole number, not `true`"),
    "a boolean for a rate": ("layers: [{dropout: «true»}]", "NS0104", "takes a number, not `true`"),
    "a boolean for a kernel": ("layers: [{conv: {filters: 3, kernel: «true»}}]", "NS0104", ""),
    "a boolean for a padding": ("layers: [{conv: {filters: 3, kernel: 1, padding: «true»}}]", "NS0104", ""),
    "a number for a boolean": (
        "layers: [{dense: {units: 3, bias: «1»}}]",
        "NS0104",
        "is `true` or `false`, not 1",
    ),
    "a word for a boolean": ("layers: [{dense: {units: 3, bias: «yes»}}]", "NS0104", "not the text `yes`"),
    "too large a number": ("layers: [{dense: «99999999999999999999»}]", "NS0023", "20 digits"),
    "another version": ("netspec: «2»\nname: a\ninput: [3]\nlayers: [relu]", "NS0101", "version 1"),
    "too many layers": (
        "layers: [{layers: [{relu: , repeat: «1000»}], repeat: 1000}]",
        "NS0119",
        "smaller `repeat`",
    ),
    "a tag": ("layers: [«!!python/object:os.system relu»]", "NS0013", "remove the tag"),
    "a merge key": ("a: &a {b: 1}\nlayers: [{dense: {«<<»: *a}}]", "NS0012", "mappings are not merged"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_has_its_own_diagnostic(kind: str) -> None:
    text, code, words = BAD[kind]
    hold_refusals(text, (code, words))


def test_a_failed_expectation_is_told_at_its_value() -> None:
    text, places = unmarked("layers: [dense: 3]\nexpect: {output: «[4]»}")
    _, diagnostics = check_text(text, FILE)
    assert [(each.code.id, place_of(each)) for each in diagnostics] == [("NS0401", places[0])]
    hold_words("[3, 8, 8]", diagnostics[0])


FILES: dict[str, tuple[bytes, str, str]] = {
    "an empty file": (b"", "NS0005", "the file is empty"),
    "a file of blanks": (b"\n\n  \n# nothing\n", "NS0005", "starts with `netspec: 1`"),
    "no YAML at all": (b"%PDF-1.7 \n 1 0 obj", "NS0006", ""),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "NS0003", "0x89"),
    "latin-1": (
        "netspec: 1\nname: a\ndescription: caf\xe9\n".encode("latin-1"),
        "NS0003",
        "save the file as UTF-8",
    ),
    "UTF-16": ("netspec: 1\n".encode("utf-16"), "NS0003", "UTF-16"),
    "UTF-32": ("netspec: 1\n".encode("utf-32"), "NS0003", "UTF-32"),
    "a null": (b"netspec: 1\nname: a\x00b\n", "NS0024", "U+0000"),
    "JSON of something else": (b'{"a": [1, 2]}', "NS0101", "`netspec: 1`"),
    "a list": (b"- netspec: 1\n", "NS0101", "a spec must be a mapping"),
    "a word": (b"netspec\n", "NS0101", "a spec must be a mapping"),
    "50 MB": (b"#" * 50_000_000, "NS0004", "50.0 MB"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_spec_is_told_so(kind: str, tmp_path: Path) -> None:
    content, code, words = FILES[kind]
    path = tmp_path / "spec.yaml"
    path.write_bytes(content)
    graph, diagnostics = check_file(path)
    assert graph is None
    assert [each.code.id for each in diagnostics] == [code], as_text(diagnostics)
    hold_words(words, diagnostics[0])


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "link.yaml")
    for name, code in {
        "nobody.yaml": "NS0001",
        ".": "NS0002",
        "pipe.yaml": "NS0002",
        "link.yaml": "NS0002",
        "a\0b": "NS0002",
        "x" * 5000: "NS0002",
        "spec.yaml/inner.yaml": "NS0001",
    }.items():
        graph, diagnostics = check_file(tmp_path / name)
        assert graph is None
        assert [each.code.id for each in diagnostics] == [code], as_text(diagnostics)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(spec("layers: [relu]"), encoding="utf-8")
    path.chmod(0)
    assert [each.code.id for each in check_file(path)[1]] == ["NS0002"]


def test_all_mistakes_of_a_file_are_told_in_order_each_once() -> None:
    hold_refusals(
        """
        netspec: 1
        name: «two words»
        «descripton: many mistakes
        params: {n: 3, «in»: 4}
        input: [3, 16, 16]
        defaults:
          conv: {padding: same, «biass»: false}
        blocks:
          unit:
            params: {filters: , stride: 1}
            layers:
              - max_pool: {kernel: «0»}
              - dense: $«filtres»
          lost:
            layers: [«relv»]
        layers:
          - unit: {filters: 4}
            repeat: 10
          - unit: {«filter»: 4}
          - batch_norm: {momentum: «2»}
            name: norm
          - add:
            from: [norm, unit1]
          - dense: «ten»
          - relu:
            from: «nrom»
          - concat:
              - []
              - - «softmx»
          - dropout: «1.5»
        heads:
          aux: {from: «nobody», layers: [{conv: {filters: 3, kernel: 3}}, dense: «0»]}
        """.replace("«descripton: many", "«descripton»: many"),
        *[
            *[("NS0107", "two words"), ("NS0103", "`description`?"), ("NS0107", "in"), ("NS0103", "`bias`?")],
            *[
                ("NS0104", "at least 1"),
                ("NS0203", "did you mean `filters`?"),
                ("NS0105", "did you mean `relu`?"),
            ],
            *[("NS0103", "write `filters`"), ("NS0104", "at most 1"), ("NS0104", "the text `ten`")],
            *[
                ("NS0109", "did you mean `norm`?"),
                ("NS0105", "`softmax`?"),
                ("NS0104", "less than 1, not 1.5"),
            ],
            *[("NS0109", "nobody"), ("NS0104", "at least 1, not 0")],
        ],
    )


def test_what_is_fed_by_something_broken_is_quiet() -> None:
    hold_refusals(
        """
        layers:
          - conv: {filters: 4, kernel: «9»}
            name: a
          - max_pool: 2
            repeat: 10
          - dense: "${in.channels // 2}"
          - add: [[], [{dense: 7}]]
          - {flatten: , when: "${in.height > 1}"}
          - {conv: {filters: 4, kernel: 3}, share: a}
        heads: {h: {from: a, layers: [{max_pool: 99}]}}
        expect: {output: [1, 2, 3], params: 5, layers: {a: [3]}}
        """,
        ("NS0301", "9×9"),
    )


def test_independent_misfits_are_all_told() -> None:
    hold_refusals(
        """
        layers:
          - add:
              - - conv: {filters: 4, kernel: «9»}
              - - max_pool: «10»
              - - {conv: {filters: 4, kernel: 3, groups: «3»}, from: input}
          - {conv: {filters: 3, kernel: «11»}, from: input}
        """,
        ("NS0301", "9×9"),
        ("NS0301", "10×10"),
        ("NS0306", "4 input channels cannot be divided into 3 groups"),
        ("NS0301", "11×11"),
    )


@pytest.mark.parametrize("depth", [20, 45, 60, 500])
def test_nothing_overruns_the_stack(depth: int, tmp_path: Path) -> None:
    groups = "- layers:\n".join("    " * level for level in range(depth + 1)) + "- relu\n"
    blocks = ", ".join(f"b{level}: {{layers: [b{level + 1}]}}" for level in range(depth))
    calls = f"blocks: {{{blocks}, b{depth}: {{layers: [relu]}}}}\nlayers: [b0]"
    branches = "layers: " + "[{add: [[], " * depth + "[relu]" + "]}]" * depth
    sums = 'layers: [dense: "${' + "(" * depth + "1" + ")" * depth + '}"]'
    for text in ("layers:\n" + groups, calls, branches, sums, "expect: " + "[" * depth + "]" * depth):
        graph, diagnostics = check_text(spec(text), FILE)
        assert graph is not None or diagnostics
    for level in range(depth):
        (tmp_path / f"n{level}.yaml").write_text(
            spec(f"layers: [network: n{level + 1}.yaml]"), encoding="utf-8"
        )
    (tmp_path / f"n{depth}.yaml").write_text(spec("layers: [relu]"), encoding="utf-8")
    graph, diagnostics = check_file(tmp_path / "n0.yaml")
    assert graph is not None or {each.code.id for each in diagnostics} == {"NS0119"}


@pytest.mark.parametrize("leaf", ["relu", ""])
def test_nothing_grows_without_end(leaf: str) -> None:
    doubled = ", ".join(f"b{level}: {{layers: [b{level + 1}, b{level + 1}]}}" for level in range(40))
    texts = [
        f"blocks: {{{doubled}, b40: {{layers: [{leaf}]}}}}\nlayers: [b0]",
        f"layers: [{{layers: [{{layers: [{{layers: [{leaf}], repeat: 9999}}], repeat: 9999}}], repeat: 9999}}]",
        f"layers: [{{layers: [{leaf}], repeat: 999999999999}}]",
    ]
    for text in texts:
        _, diagnostics = check_text(spec(text), FILE)
        assert [each.code.id for each in diagnostics] == ["NS0119"], as_text(diagnostics)


def test_load_raises_what_check_says(tmp_path: Path) -> None:
    from netspec import SpecError, load
    from netspec.diagnostics import Problems

    path = tmp_path / "spec.yaml"
    path.write_text(spec("layers: [reul, {conv: 3}]"), encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        load(path)
    assert list(raised.value.diagnostics) == check_file(path)[1]
    assert graph_of_file(path, Problems()) is None


ADVICE = [
    ("params: {n: 3}\nlayers: [dense: «n»]", "NS0104", "write `dense: $n` for the parameter"),
    ("layers: [dense: «'10'»]", "NS0104", "write `dense: 10`"),
    ("layers: [dense: «[10]»]", "NS0104", "write `10`"),
    ("layers: [dense: «2.5»]", "NS0104", "write `dense: 2` or `dense: 3`"),
    ("layers: [{max_pool: {kernel: 2, stride: «0»}}]", "NS0104", "write `stride: 1`"),
    ("layers: [{dense: {units: 3, bias: «no»}}]", "NS0104", "write `bias: false`"),
    ("layers: [{dense: 3, trainable: «0»}]", "NS0104", "write `trainable: false`"),
    ("layers: [{batch_norm: {momentum: «.nan»}}]", "NS0104", "takes a finite number, not .nan"),
    ("layers: [«3»]", "NS0106", "`- dense: 3`"),
    (
        "blocks: {u: {layers: [{relu: , name: deep}]}}\nlayers: [u, {tanh: , from: «deep»}]",
        "NS0109",
        "`u1.deep`",
    ),
    ("params: {«n»: }\nlayers: [dense: $n]", "NS0102", "`--set n=…`"),
    ("layers: [{avg_pool: {«size»: 2}}]", "NS0103", "write `kernel`"),
    ("layers: [{conv: {filters: 4, kernel: «7x7»}}]", "NS0104", "write `kernel: 7`"),
    ("layers:\n  - conv:\n      filters: 4\n      kernel: «(3, 5)»", "NS0104", "write `kernel: [3, 5]`"),
    (
        "layers: [{conv: {filters: 4, kernel: 3, «in_channels»: 4}}]",
        "NS0103",
        "remove it: netspec computes it",
    ),
    ("layers: [{conv: {filters: 4, kernel: 3, padding: «SAME»}}]", "NS0104", "write `padding: same`"),
    ("layers: [{conv: {filters: 4, kernel: 3, activation: «ReLU»}}]", "NS0104", "write `activation: relu`"),
    (
        "layers: [{conv: {filters: 4, kernel: 3, activation: «batch_norm»}}]",
        "NS0104",
        "put `- batch_norm` after this item",
    ),
    (
        "layers: [{conv: {filters: 4, kernel: 3, activation: {leaky_relu: {«alpha»: 1}}}}]",
        "NS0103",
        "write `slope`",
    ),
    ("layers: [{conv: {filters: 4, kernel: 3, init: {normal: {«stddev»: 1}}}}]", "NS0104", "write `std`"),
    ("layers: [{«type»: conv, filters: 4, kernel: 3}]", "NS0106", "write `- conv: {filters: …, kernel: …}`"),
    ("layers: [{«class_name»: Conv2D, config: {filters: 4}}]", "NS0106", "write `- conv: {…}`"),
    ("layers: [{«type»: relu}]", "NS0105", "write `- relu`: the op is the key of an item"),
    ("layers: [relu, {concat: [«relu», input]}]", "NS0116", "write `[relu]`"),
    ("layers: [{relu: , «bottom»: input}]", "NS0103", "write `from`"),
    ("layers: [{relu: , from: «-1»}]", "NS0124", "layers have names, not numbers"),
    ("layers: [«conv 3x3»]", "NS0105", "write `conv: {kernel: …, filters: …}`"),
    ("layers: ['«Conv2d(4, 8, 3)»']".replace("'«", "«'").replace("»'", "'»"), "NS0105", "a spec is data"),
    ("layers: [{dropout: «50%»}]", "NS0104", "write `dropout: 0.5`"),
    ("layers: [{dropout: «50»}]", "NS0104", "write `dropout: 0.5` for 50 %"),
    (
        "params: {n: 4}\nlayers: [{dense: «'$n * 2'»}]".replace("«'", "'«").replace("'»", "»'"),
        "NS0202",
        "write `${n * 2}`",
    ),
    ("layers: [{dense: «8 * 2»}]", "NS0104", 'write `dense: "${8 * 2}"`'),
    ("layers: [{adaptive_avg_pool: {size: «9»}}]", "NS0314", "use `size: 8`, or make the map larger"),
    ("layers: [adaptive_max_pool: «[4, 12]»]", "NS0314", "use `adaptive_max_pool: [4, 8]`"),
    ("layers: [{adaptive_avg_pool: {size: «[4, 4, 4]»}}]", "NS0305", "or a list of 2"),
    ("layers: [{space_to_depth: {order: «darknet», block: 4}}]", "NS0306", "needs a multiple of 16 channels"),
    (
        "netspec: 1\nname: a\ninput: [4, 8]\nlayers: [{space_to_depth: {order: «darknet»}}]",
        "NS0303",
        "fit any number of axes",
    ),
    ("layers: [{depth_to_space: {order: «darknet»}}]", "NS0104", "write `order: dcr`"),
    ("layers: [{depth_to_space: {block: 2, «mode»: DCR}}]", "NS0103", "write `order`"),
    ("layers: [{resize: {size: 5, antialias: «true»}}]", "NS0314", "remove it"),
    ("layers: [{resize: {size: 5, mode: area, align_corners: «true»}}]", "NS0314", "remove it"),
    (
        "layers: [{resize: {size: 5, mode: cubic, align_corners: true, antialias: «true»}}]",
        "NS0314",
        "remove one of the two",
    ),
    (
        "netspec: 1\nname: a\ninput: [4, 8]\nlayers: [{resize: {size: 5, mode: «bicubic»}}]",
        "NS0303",
        "`cubic` fits",
    ),
    ("layers: [{resize: {size: 5, mode: «lanczos3»}}]", "NS0104", "has no interpolation of this kind"),
    ("layers: [«resize»]", "NS0314", "write `resize: {size: …}`"),
    (
        "layers: [{conv: {filters: 2, kernel: 1, init: «{values: [[[[1]]]]}»}}]",
        "NS0314",
        "give lists in each other of 2 and 4 and 1 and 1 values",
    ),
    ("layers: [{dense: {units: 2, init: {«values»: 3}}}]", "NS0104", "one number for all is `constant: 0.5`"),
    ("layers: [{crop: {channels: «[2, 2]»}}]", "NS0314", "one channel must be left"),
    ("layers: [{pad: {channels: «4», mode: reflect}}]", "NS0314", "`mode: replicate`"),
    ("layers: [{pad: {channels: «[1, 2, 3]»}}]", "NS0104", "write `[0, 16]`"),
    ("netspec: 1\nname: a\ninput: [4]\nlayers: [«pad»: 1]", "NS0303", "move it before the layer"),
    ("layers: [{upsample: {size: «2»}}]", "NS0314", "for a factor write `factor: …`"),
    ("netspec: 1\nname: a\ninput: «784»\nlayers: [relu]", "NS0104", "write `[784]`"),
    ("netspec: 1\nname: a\ninput: [4]\nlayers: «relu»", "NS0104", "write `[relu]`"),
    ("layers: [relu]\n«epochs»: 3", "NS0103", "write it in the recipe, `train: {…}`"),
    ("layers: [{relu: , trainable: «frozen»}]", "NS0104", "or `true` or `false`"),
    ("params: {deep: true}\nlayers: [{relu: , when: «deep»}]", "NS0104", 'write `when: "${deep}"`'),
    ("layers: [{network: {spec: «zoo:resnet-18»}}]", "NS0113", "did you mean `zoo:resnet18`?"),
    ("layers: [{network: «resnet18»}]", "NS0112", "write `zoo:resnet18` for the spec of the zoo"),
    ("params: «[a, b]»\nlayers: [relu]", "NS0104", "write `{a: , b: }`"),
    ("layers: [relu]\nheads: «[relu]»", "NS0104", "`heads: {aux: {layers: […]}}`"),
    ("layers: [relu]\ndefaults: {«conv»: same}", "NS0104", "`conv: {padding: …}`"),
    ('params: {w: [1, 2]}\nlayers: [dense: "${w«.»0}"]', "NS0201", "`[0]`"),
    ("layers: [{conv: {filters: 4, kernel: 3, padding: «[]»}}]", "NS0305", "a list of 2"),
    ("layers: [{permute: «[c, w, h]»}]", "NS0303", "write `[channels, width, height]`"),
    ("layers: [{batch_norm: «4»}]", "NS0120", "name the field that it is for: `epsilon`"),
    (
        "layers: [{«multiply»: [[], [global_avg_pool, dense: 3]]}]",
        "NS0302",
        "end its branch with `dense: 4`",
    ),
    ("layers: [{conv: {filters: 4, kernel: 3, padding: «[1, 1, 1, 1]»}}]", "NS0305", "`[[1, 1], [1, 1]]`"),
    (
        "layers: [{upsample: {factor: 2, «size»: 16}}]".replace("«size»", "size").replace(
            "upsample", "«upsample»"
        ),
        "NS0314",
        "keep one of the two",
    ),
    ("layers: [{max_pool: «9»}]", "NS0301", "use `max_pool: 8`, or `max_pool: {kernel: 9, padding: same}`"),
]


@pytest.mark.parametrize(("text", "code", "words"), ADVICE)
def test_help_says_the_smallest_change(text: str, code: str, words: str) -> None:
    hold_refusals(text, (code, words))


def test_a_size_that_names_a_parameter_is_told_how_to_pass_it_on() -> None:
    text = "netspec: 1\nname: a\nparams: {size: 8}\ninput: [3, «size», 8]\nlayers: [relu]"
    hold_refusals(text, ("NS0104", "write `$size` for the parameter"))


LENET = """\
netspec: 1
name: lenet5
description: too small an image
input: [1, 28, 28]

layers:
  - conv: {filters: 6, kernel: 5, activation: tanh}
  - avg_pool: 2

  - conv: {filters: 16, kernel: 5, activation: tanh}

  # The image is too small for a third convolution.
  - avg_pool: 2
  - conv: {filters: 120, kernel: 5}
  - dense: 10
"""

SHOWN = """\
error[NS0301]: the kernel does not fit: 5×5 on a padded input of 4×4
  --> specs/lenet5.yaml:14:34
   |
14 |   - conv: {filters: 120, kernel: 5}
   |                                  ^
   = note: the input is 16@4×4 (from line 13), padding 0, so o = ⌊(4 + 2·0 − 5)/1⌋ + 1 = 0   [relationship 6]
   = help: use `kernel: 4`, or `padding: same`"""


def test_a_person_sees_what_the_design_shows() -> None:
    _, diagnostics = check_text(LENET, "specs/lenet5.yaml")
    assert as_text(diagnostics, {"specs/lenet5.yaml": LENET}) == SHOWN
