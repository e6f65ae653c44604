"""No spec whatever raises, hangs or is refused without a reason: the limits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from netspec.check import check_file, check_text
from netspec.diagnostics.render import as_text

HEAD = "netspec: 1\nname: x\ninput: [4]\n"


def groups(depth: int) -> str:
    return f"{HEAD}layers: {'[{layers: ' * depth}[relu]{'}]' * depth}\n"


def calls(depth: int, inside: str = "[b{}]", last: str = "relu") -> str:
    """Blocks that call each other, `depth` of them."""
    blocks = "".join(f"  b{n}:\n    layers: {inside.format(n + 1, n + 1)}\n" for n in range(depth))
    return f"{HEAD}blocks:\n{blocks}  b{depth}:\n    layers: ['{last}']\nlayers: [b0]\n"


LIMITS: list[tuple[str, str, set[str]]] = [
    ("groups", groups(40), set()),
    ("deep groups", groups(49), set()),
    ("calls", calls(50), set()),
    ("deep calls", calls(100), {"NS0119"}),
    ("very deep calls", calls(5000), {"NS0119"}),
    ("doubling", calls(30, "[{{add: [[b{}], [b{}]]}}]"), {"NS0119"}),
    (
        "repeats in repeats",
        HEAD + "layers:\n- layers:\n  - relu:\n    repeat: 99999\n  repeat: 99999\n",
        {"NS0119"},
    ),
    (
        "empty repeats",
        HEAD + "layers:\n- layers:\n  - layers: []\n    repeat: 99999\n  repeat: 99999\n",
        {"NS0119"},
    ),
    (
        "a block with the name of an op, called with branches",
        HEAD + "blocks: {multiply: {layers: [relu]}}\nlayers:\n- multiply: [[{v: {f, []}}], [{n, []}]]\n",
        {"NS0011", "NS0114", "NS0120"},
    ),
    ("endless repeat", HEAD + "layers:\n- relu:\n  repeat: 9000000000000000000\n", {"NS0119"}),
    ("many errors", HEAD + "layers:\n" + "".join(f"- foo{n}\n" for n in range(3000)), {"NS0105", "NS0025"}),
    (
        "vast sizes",
        HEAD.replace("4", "9223372036854775807") + "layers: [dense: 9223372036854775807]\n",
        {"NS0315"},
    ),
    (
        "a pool of more taps than can be counted",
        HEAD.replace("[4]", "[3, 32, 32]")
        + "layers:\n  - max_pool: {kernel: 1000000000, padding: 500000000, stride: 1}\n"
        + "  - avg_pool: {kernel: 2147483648, padding: 2147483647, stride: 2147483648, dilation: 2}\n",
        set(),
    ),
    (
        "groups that do not divide",
        HEAD.replace("[4]", "[2305843009213693951, 1]")
        + "layers:\n  - conv: {filters: 2305843009213693951, kernel: 1, groups: 1000000007}\n",
        {"NS0306"},
    ),
    (
        "heads that do not divide",
        HEAD.replace("[4]", "[1000000000039, 2]") + "layers: [attention: 1000007]\n",
        {"NS0325"},
    ),
    ("a path that is none", HEAD + 'blocks: {include: "\\0"}\nlayers: [relu]\n', {"NS0112"}),
]


@pytest.mark.parametrize(("text", "codes"), [each[1:] for each in LIMITS], ids=[each[0] for each in LIMITS])
def test_limits_are_told_and_soon(text: str, codes: set[str]) -> None:
    started = time.perf_counter()
    graph, diagnostics = check_text(text, "f.yaml")
    assert {each.code.id for each in diagnostics} == codes
    assert (graph is None) is bool(codes)
    assert time.perf_counter() - started < 30


def test_the_deepest_that_is_taken_leaves_python_room() -> None:
    deepest = calls(28, "[{{add: [[b{}], []]}}]", last="relu") + ""
    text = deepest.replace("['relu']", '[{dense: "${' + "(1 + " * 22 + "in.channels - 22" + ")" * 22 + '}"}]')
    graph, diagnostics = check_text(text, "f.yaml")
    assert not diagnostics
    assert graph is not None


@pytest.mark.parametrize(
    "path", ["\\0", "x" * 5000, "a/" * 3000, ".", "loop.yaml", "../../x.yaml", "/etc/passwd", "zoo:no"]
)
@pytest.mark.parametrize(
    "use", ["blocks: {{include: {path}}}\nlayers: [relu]\n", "layers:\n- network: {{spec: {path}}}\n"]
)
def test_paths_that_lead_nowhere(tmp_path: Path, path: str, use: str) -> None:
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    main = tmp_path / "main.yaml"
    main.write_text(HEAD + use.format(path=f'"{path}"'), encoding="utf-8")
    graph, diagnostics = check_file(main)
    assert graph is None
    assert {each.code.id for each in diagnostics} <= {"NS0112", "NS0113", "NS0001", "NS0002"}
    assert as_text(diagnostics).encode()


@pytest.mark.parametrize("what", ["blocks", "network"])
def test_files_that_lead_to_files_without_end(tmp_path: Path, what: str) -> None:
    for number in range(1200):
        follow = f"p{number + 1}.yaml"
        text = (
            f"netspec: 1\nblocks: {{include: {follow}}}\n"
            if what == "blocks"
            else f"{HEAD}layers:\n- network: {{spec: {follow}}}\n"
        )
        (tmp_path / f"p{number}.yaml").write_text(text, encoding="utf-8")
    main = tmp_path / "main.yaml"
    use = (
        "blocks: {include: p0.yaml}\nlayers: [relu]\n"
        if what == "blocks"
        else "layers:\n- network: {spec: p0.yaml}\n"
    )
    main.write_text(HEAD + use, encoding="utf-8")
    _, diagnostics = check_file(main)
    assert {each.code.id for each in diagnostics} <= {"NS0113", "NS0119"}
    assert diagnostics


CALLS = "blocks:\n  b0: {layers: [relu]}\n" + "".join(
    f"  b{n + 1}: {{layers: [b{n}, b{n}]}}\n" for n in range(14)
)
TOO_LARGE = {
    "calls": (CALLS + "layers: [b14]\n", "call fewer blocks"),
    "calls of what is left out": (
        CALLS.replace("[relu]", "[{relu: , when: false}]") + "layers: [b14]\n",
        "call fewer",
    ),
    "calls in a short repeat": (CALLS + "layers: [{layers: [b14], repeat: 2}]\n", "call fewer blocks"),
    "a long repeat in a block": (
        "blocks: {b: {layers: [{relu: , repeat: 99999}]}}\nlayers: [b]\n",
        "smaller `repeat`",
    ),
    "repeats": (
        "layers: [{layers: [{layers: [{relu: , repeat: 30}], repeat: 30}], repeat: 30}]\n",
        "smaller `repeat`",
    ),
    "a long list": (f"layers: [{'relu, ' * 10_000}relu]\n", "at most 10,000 items"),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_the_advice_about_a_network_that_is_too_large_names_what_makes_it_large(kind: str) -> None:
    text, advice = TOO_LARGE[kind]
    graph, diagnostics = check_text("netspec: 1\nname: net\ninput: [3]\n" + text, "n.yaml")
    assert graph is None
    (found,) = diagnostics
    assert found.code.id == "NS0119"
    assert advice in (found.help or "")
