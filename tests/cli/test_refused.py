"""A wrong command is worth 2, whatever is wrong with it; a spec that is wrong is worth 1; each with one sentence."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from netspec.api import build
from netspec.backend import (
    Backend,
    Builds,
    Judges,
    Learns,
    Limit,
    NoDevice,
    Runs,
    Status,
    Timed,
    Trains,
    Writes,
    backend,
    backends,
)
from netspec.backend import refused as refused_by
from netspec.loading import load
from netspec.proof.comparison import compare
from netspec.weights import initialise
from netspec_cli.main import COMMANDS, app
from tests.having import (
    FILER,
    LEARNER,
    LEARNERS,
    ORACLE,
    TIMED,
    TRAINER,
    TRAINERS,
    WRITER,
    WRITERS,
    having,
    needs,
    ready,
)

SPEC = """\
netspec: 1
name: small
params: {units: 4}
input: [1, 8, 8]
layers: [{conv: {filters: 2, kernel: 3}}, relu, flatten, {dense: $units}]
"""
TRAINED = """\
netspec: 1
name: small
input: [1, 28, 28]
layers: [flatten, {dense: 10}, softmax]
train: {data: fashion-mnist-small, epochs: 1, batch: 10}
"""
ON_A_SPEC = {
    "shapes": "",
    "compile": f"-b {WRITER}",
    "convert": "--pass still",
    "draw": "",
    "compare": f"--backends {LEARNER}",
    "bench": f"--backends {TIMED}",
    "train": f"-b {TRAINER}",
}
"""The commands that take one spec, with what each cannot do without."""

WRONG_COMMANDS = {
    "check": "Missing argument 'PATH'",
    "check empty": "no spec below empty",
    "check zoo:nope": "the zoo has no spec 'nope'",
    "check small.yaml --format xml": "Invalid value for '--format': 'xml' is not one of",
    "check small.yaml other.yaml --set units=3": "other.yaml: the spec has no parameter 'units'",
    "check small.yaml blocks.yaml --set units=3": "blocks.yaml: a file of blocks has no parameters, so 'units'",
    "shapes lenet5": "there is no file lenet5; did you mean zoo:lenet5?",
    "shapes specs/resnet50.yaml": "did you mean zoo:resnet50?",
    "compile small.yaml": "Missing option '--backend' / '-b'",
    f"compile small.yaml -b {ORACLE}": f"{ORACLE} cannot write source; ",
    "compile small.yaml -b nope": "no backend is called 'nope'",
    f"compile small.yaml -b {WRITER} -o -": "- is not the name of a file: for the standard output, leave -o out",
    f"compile small.yaml -b {WRITER} -o /dev/stdout --force": "for the standard output, leave -o out",
    "convert small.yaml -o -": "for the standard output, leave -o out",
    f"compile small.yaml -b {WRITER} --pass nope": "no pass is called 'nope'",
    f"compile small.yaml -b {WRITER} --pass cut": "--pass cut needs the last layer",
    f"compile small.yaml -b {WRITER} --pass cut=": "--pass cut needs the last layer",
    f"compile small.yaml -b {WRITER} --pass cut=nope": "no layer is called `nope`",
    f"compile small.yaml -b {WRITER} -o empty": "cannot write empty",
    f"compile small.yaml -b {WRITER} -o x{FILER.suffix}": f"text, and -b {FILER.name} writes {FILER.suffix} files",
    f"compile small.yaml -b {WRITER} -o X{FILER.suffix.upper()}": "is text, and -b",
    f"compile small.yaml -b {WRITER} -o x.npz": f"source of {WRITER} is text, and .npz files hold weights",
    f"convert small.yaml -o x{FILER.suffix}": "a spec is text, and -b",
    f"schema -o x{FILER.suffix}": "the schema is text, and -b",
    "convert small.yaml --pass still --weights none.safetensors -o new.yaml": "none.safetensors",
    "convert small.yaml --pass still --weights none.safetensors": "--weights writes a file next to the new spec",
    "draw small.yaml -o x.png": "a drawing must be .svg or .html",
    "ops nope": "no op is called `nope`",
    "schema -o empty": "cannot write empty",
    "explain NS9999": "there is no code `NS9999`",
    "new": "give the new network a name",
    "new 3x": "`3x` is not a valid name",
    "new fresh --from none.yaml": "there is no file none.yaml",
    "new fresh --from empty": "empty is a folder",
    "new fresh --list": "--list lists the zoo and does not write fresh.yaml",
    "new fresh --format json": "--format is only for --list",
    "backends more": "unexpected extra argument",
    "arith nope": "No such command 'nope'",
    "arith conv -i 5": "Missing option '--kernel'",
    "arith conv -i 5 -k a": "--kernel: 'a' is not a whole number",
    f"compare small.yaml --backends {LEARNER},nope": "no backend is called 'nope'",
    f"compare small.yaml --backends {LEARNER},{LEARNER}": f"--backends contains {LEARNER} twice",
    f"compare small.yaml --backends {ORACLE}": "a comparison needs two backends",
    "compare small.yaml --backends ,": "--backends is empty",
    f"compare small.yaml --backends {LEARNER} --rate 0": "must be a number above 0, not 0.0",
    f"compare small.yaml --backends {LEARNER} --batch 0": "Invalid value for '--batch'",
    f"compare small.yaml --backends {LEARNER} --inject nope=1": "no layer is called `nope`",
    f"compare small.yaml --backends {LEARNER} --inject conv1=x": "`conv1=x` is not LAYER=EPS",
    f"bench small.yaml --backends {TIMED},{TIMED}": f"--backends contains {TIMED} twice",
    f"bench small.yaml --backends {TIMED} --steps 0": "Invalid value for '--steps'",
    "train small.yaml": "name a backend with --backend; `netspec backends` lists them",
    f"train -b {LEARNER}": "name a SPEC to train, or a run to go on with: --resume FOLDER",
    "train small.yaml --resume empty": "--resume goes on with a run as it is: leave out SPEC",
    "train --resume empty": "empty/run.json cannot be read: it does not exist",
    "runs": "runs is not a folder",
    "runs empty": "empty does not contain a run",
    "weights": "Usage: netspec weights",
    "weights show none.npz": "none.npz cannot be read: it does not exist",
    "weights show small.yaml": "small.yaml cannot be read: the end of its name says no format",
    "weights show empty": "empty is a folder without the weights of a run",
    "weights diff small.yaml": "Missing argument 'B'",
    "weights convert none.npz -o x.npz": "none.npz cannot be read: it does not exist",
    "weights convert none.npz -o x.onnx": "x.onnx: the end of its name says no format; netspec writes",
    "weights convert none.npz -o x.npz --as torch": "--as is for the weights of a network",
    "weights import small.yaml none.npz --as nope": "no framework called 'nope'",
    "weights import small.yaml none.npz -o x.npz": "weights of netspec are .safetensors files",
    "weights import small.yaml none.npz --by order --map m.yaml": "leave out --by",
    "train small.yaml -b nope": "no backend is called 'nope'",
    "chek small.yaml": "No such command 'chek'. Did you mean 'check'",
}
SETS = {
    "units": "--set units: write --set NAME=VALUE",
    "=3": "--set =3: write --set NAME=VALUE",
    "units=": "--set units=: there is no value after the `=`",
    "units=~": "--set units=~: there is no value after the `=`",
    "units=[1": (
        "--set units=[1: a comma or a closing bracket is missing before this\n"
        "  --set units=[1\n"
        "              ^"
    ),
    "units=!!int 3": (
        "--set units=!!int 3: `!!int` is a tag, but a spec is plain data\n"
        "  --set units=!!int 3\n"
        "              ^"
    ),
    "units={a: 1, a: 2}": "--set units={a: 1, a: 2}: the key `a` appears twice",
    "units={a: 1}": "the parameter 'units' takes a finite number, a boolean, a word or a list of them",
    "unit=3": "the spec has no parameter 'unit'; did you mean `units`? (it has units)",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec, a spec without parameters, a file of blocks and an empty folder, to work in."""
    for name, text in {
        "small": SPEC,
        "other": SPEC.replace("params: {units: 4}\n", "").replace("$units", "4"),
        "blocks": "netspec: 1\nblocks: {b: {layers: [relu]}}\n",
        "wrong": SPEC.replace("kernel: 3", "kernel: 9"),
    }.items():
        (tmp_path / f"{name}.yaml").write_text(SPEC if name == "small" else text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(words: list[str], code: int, message: str) -> None:
    """Run a command; it ends with this code, says this on stderr, nothing on stdout, and writes nothing."""
    before = sorted(Path().rglob("*"))
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (code, ""), result.output + repr(result.exception)
    assert message in result.stderr
    assert "Value error" not in result.stderr
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(("command", "message"), WRONG_COMMANDS.items(), ids=WRONG_COMMANDS)
def test_a_wrong_command_is_worth_2(command: str, message: str) -> None:
    refused(shlex.split(command), 2, message)


@pytest.mark.parametrize("name", ON_A_SPEC)
@pytest.mark.parametrize(
    ("spec", "message"),
    {
        "none.yaml": "there is no file none.yaml",
        "empty": "empty is a folder; name one spec",
        "blocks.yaml": "blocks.yaml contains only blocks for other specs to include, no network",
        "zoo:nope": "the zoo has no spec 'nope'",
    }.items(),
)
def test_what_is_no_spec_is_worth_2(name: str, spec: str, message: str) -> None:
    refused([name, spec, *ON_A_SPEC[name].split()], 2, message)


@pytest.mark.parametrize("name", ON_A_SPEC)
def test_a_wrong_spec_is_worth_1(name: str) -> None:
    refused([name, "wrong.yaml", *ON_A_SPEC[name].split()], 1, "error[NS0301]: the kernel does not fit")


@pytest.mark.parametrize("name", ["check", "shapes", "train"])
@pytest.mark.parametrize(("option", "message"), SETS.items(), ids=SETS)
def test_set_speaks_of_the_option(name: str, option: str, message: str) -> None:
    refused([name, "small.yaml", *ON_A_SPEC.get(name, "").split(), "--set", option], 2, message)


@pytest.mark.parametrize("name", ["check", *ON_A_SPEC])
def test_set_twice_is_refused_in_every_command(name: str) -> None:
    words = [name, "small.yaml", *ON_A_SPEC.get(name, "").split(), "--set", "units=3", "--set", "units=5"]
    refused(words, 2, "--set units=5: units is set twice")


# What a backend refuses of a spec that is right.

UNUSED = SPEC.replace("layers: [", "layers: [{conv: {filters: 2, kernel: 5}}, ").replace(
    "{conv: {filters: 2, kernel: 3}}", "{conv: {filters: 2, kernel: 3}, from: input}"
)


@pytest.mark.parametrize("command", ["check", "compile"])
def test_a_backend_refuses_a_network_in_the_same_words(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("unused.yaml").write_text(UNUSED, encoding="utf-8")
    limit = Limit("Layers called conv1.", lambda graph: [("conv1", "`conv1` is beyond it")])
    monkeypatch.setattr(type(backend(WRITER)), "limits", (limit,))
    result = CliRunner().invoke(app, [command, "unused.yaml", "-b", WRITER])
    told = result.stdout + result.stderr
    assert result.exit_code == 1
    assert f"error[NS0601]: {WRITER} cannot represent `small`: `conv1` is beyond it" in told
    assert "--> unused.yaml:5:" in told
    assert "it has weights: a backend can refuse such weights" in told


def test_a_spec_that_a_backend_takes_holds() -> None:
    Path("unused.yaml").write_text(UNUSED, encoding="utf-8")
    assert CliRunner().invoke(app, ["check", "unused.yaml"]).exit_code == 0
    for name in WRITERS:
        takes = not refused_by(backend(name), load("unused.yaml"))
        assert CliRunner().invoke(app, ["check", "unused.yaml", "-b", name]).exit_code == (0 if takes else 1)
    every = [word for name in WRITERS for word in ("--backend", name)]
    assert CliRunner().invoke(app, ["check", "small.yaml", "blocks.yaml", *every]).exit_code == 0


def test_the_backend_of_a_check_is_a_registered_one() -> None:
    refused(["check", "small.yaml", "-b", "nope"], 2, "no backend is called 'nope'")


# Frameworks and devices.


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No framework is installed."""
    for each in backends():
        if each.frameworks:
            missing(each, monkeypatch)


def missing(each: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a backend say that its framework is not installed."""
    told = Status("missing", f"{each.name} needs a framework", f"pip install {each.name}")
    monkeypatch.setattr(type(each), "status", lambda self: told)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("compare small.yaml --backends", LEARNERS),
        ("bench small.yaml --backends", having(Timed)),
        ("train small.yaml -b", TRAINERS),
    ],
)
@pytest.mark.usefixtures("bare")
def test_a_missing_framework_is_worth_2(command: str, names: list[str]) -> None:
    for name in names:
        told = f"the backend {name} is missing: {name} needs a framework\n  fix: pip install {name}\n"
        refused([*command.split(), name], 2, told)


@pytest.mark.parametrize(("command", "what"), [("compare", "give gradients"), ("bench", "be timed")])
@pytest.mark.usefixtures("bare")
def test_without_names_something_must_be_installed(command: str, what: str) -> None:
    refused([command, "small.yaml"], 2, f"netspec: no installed backend can {what}\n  fix: pip install ")


@pytest.mark.parametrize("command", ["compare", "bench"])
def test_what_is_there_can_be_named_by_itself(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there, lacking, *_ = ready(Learns, Timed, count=2)
    missing(backend(lacking), monkeypatch)
    words = [command, "small.yaml", "--backends", f"{there},{lacking}"]
    refused(words, 2, f"\n  or without it: --backends {there}\n")


@pytest.mark.parametrize("name", [name for name in having(Runs) if backend(name).frameworks])
def test_a_framework_that_fails_to_import_can_be_left_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of some, a backend does not know it before it runs, because the import takes seconds."""
    needs(name)
    framework = backend(name).frameworks[0]
    others = [each for each in ready(Learns) if each != name][:1]
    with shadowed(framework, f"netspec_{name}", monkeypatch):
        result = CliRunner().invoke(app, ["compare", "small.yaml", "--backends", ",".join([*others, name])])
    assert (result.exit_code, result.stdout) == (2, "")
    assert " fails to import: ImportError: libfoo.so is missing\n  fix: pip install " in result.stderr
    assert result.stderr.endswith("".join(f"\n  or without it: --backends {each}\n" for each in others))


@pytest.mark.skipif(os.name == "nt", reason="there no process sends itself Ctrl-C")
@pytest.mark.parametrize("name", [name for name in having(Runs) if backend(name).frameworks])
def test_ctrl_c_waits_for_the_end_of_an_import(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """C++ code that imports Python modules ends the process, or goes on with half of them."""
    needs(name)
    graph = load("small.yaml")
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(1000): pass\n"
    text += "open('whole', 'w').close()\ncuda = __version__ = None\n"
    with (
        shadowed(backend(name).frameworks[0], f"netspec_{name}", monkeypatch, text),
        pytest.raises(KeyboardInterrupt),
    ):
        compare(graph, [name], "float32")
    assert Path("whole").exists()


FAILS = "raise ImportError('libfoo.so is missing')\n"


@contextmanager
def shadowed(
    framework: str, package: str, monkeypatch: pytest.MonkeyPatch, text: str = FAILS
) -> Iterator[None]:
    """Put another module in the place of a framework, imported or not, and let a package import it again meanwhile."""

    def taken() -> dict[str, ModuleType]:
        own = [name for name in sys.modules if name.partition(".")[0] in (framework, package)]
        return {name: sys.modules.pop(name) for name in own}

    Path(f"{framework}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    before = taken()
    try:
        yield
    finally:
        taken()
        sys.modules.update(before)


def test_what_is_broken_is_not_left_out_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    there, other, *_ = ready(Learns, count=2)
    told = Status("broken", f"{other} fails to import", f"pip install {other}")
    monkeypatch.setattr(type(backend(other)), "status", lambda self: told)
    result = CliRunner().invoke(app, ["compare", "small.yaml", "--steps", "0"])
    assert (result.exit_code, f": {there} and the oracle" in result.stdout) == (0, True)
    note = f"note: the backend {other} does not take part, because it is broken: {other} fails to import\n"
    assert result.stderr.startswith(note)


@pytest.mark.usefixtures("bare")
def test_what_needs_no_framework_runs_without() -> None:
    for each in backends():
        if isinstance(each, Writes):
            assert CliRunner().invoke(app, ["compile", "small.yaml", "-b", each.name]).exit_code == 0


WITH_DEVICE: dict[type[Backend], str] = {
    Runs: "compare small.yaml --backends {} --dtype float32 --steps 0 --device",
    Trains: "train small.yaml -b {} --device",
}

NO_DEVICE = "does not have a device called `{0}`|the device `{0}` (is not here|cannot be used): ."


@pytest.mark.parametrize(
    "device", ["nope", "cuda:99", "gpu:99", "cpu:7", "cpu:x", "cpu:", "mps", "auto:0", ""]
)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        (each.name, command)
        for each in backends()
        for capability, command in WITH_DEVICE.items()
        if isinstance(each, capability) and not isinstance(each, Judges)  # an oracle is on the CPU
    ],
)
def test_a_missing_device_is_worth_2(name: str, command: str, device: str) -> None:
    """TensorFlow, asked for a GPU that is not here, would calculate on the CPU in silence."""
    if (status := backend(name).status()).state != "ok":
        pytest.skip(status.detail)
    if "train" in command:
        Path("small.yaml").write_text(TRAINED, encoding="utf-8")
    result = CliRunner().invoke(app, [*command.format(name).split(), device])
    assert (result.exit_code, result.stdout) == (2, ""), result.output + repr(result.exception)
    assert re.search(NO_DEVICE.format(device), result.stderr)
    assert len(result.stderr) < 160, "a framework's text for its developers"
    assert not Path("runs").exists()


@pytest.mark.parametrize("device", ["nope", "cuda:99", "meta", "cpu:7"])
@pytest.mark.parametrize("name", [each.name for each in backends() if isinstance(each, Builds)])
def test_no_model_is_built_on_a_missing_device(name: str, device: str) -> None:
    if (status := backend(name).status()).state != "ok":
        pytest.skip(status.detail)
    with pytest.raises(NoDevice, match=NO_DEVICE.format(device)):
        build(load("small.yaml"), name, device=device)


@pytest.mark.parametrize("device", ["nope", "cuda:99", "cpu:7"])
@pytest.mark.parametrize("each", [each for each in backends() if isinstance(each, Timed)])
def test_nothing_is_timed_on_a_missing_device(each: Timed, device: str) -> None:
    if (status := each.status()).state != "ok":
        pytest.skip(status.detail)
    graph = load("small.yaml")
    with pytest.raises(NoDevice, match=NO_DEVICE.format(device)):
        each.workload(graph, initialise(graph), {}, {}, device).prepare()


# What the machine cannot do.


@pytest.mark.parametrize(
    "command", [f"compare huge.yaml --backends {LEARNER}", f"bench huge.yaml --backends {TIMED}"]
)
def test_what_does_not_fit_into_memory_is_a_sentence(command: str) -> None:
    ready(Learns, Timed)
    Path("huge.yaml").write_text(SPEC.replace("filters: 2", "filters: 99999999999999"), encoding="utf-8")
    refused(command.split(), 2, "netspec: not enough memory: unable to allocate 6.39 PiB")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "netspec: not enough memory\n"),
        (OSError(28, "No space left on device"), "netspec: No space left on device\n"),
        (PermissionError(13, "Permission denied", "a.yaml"), "netspec: a.yaml: Permission denied\n"),
        (OSError("what no number stands for"), "netspec: what no number stands for\n"),
    ],
)
@pytest.mark.parametrize("name", ["check", "shapes", "draw"])
def test_what_the_system_refuses_is_a_sentence(
    name: str, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it comes from: no error of the system is a bug of netspec."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("netspec.language.document.library.read_file", fail)
    result = CliRunner().invoke(app, [name, "small.yaml"])
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)


# Help.


BELOW = (
    *("arith conv", "arith pool", "arith transpose"),
    *("weights show", "weights diff", "weights convert", "weights import"),
)
"""The commands of commands."""


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *COMMANDS, *BELOW])
def test_help_is_the_same_everywhere(command: str, option: str) -> None:
    result: Any = CliRunner().invoke(app, [*command.split(), option], prog_name="netspec")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: netspec {command}".rstrip())
    assert result.stdout.isascii()
    assert "<" not in result.stdout, "options take words, not Python's types"
    assert "-h, --help" in result.stdout
    assert "completion" not in result.stdout
