"""`netspec check FOLDER`: every spec is found, what is not ours is counted, and a near miss is a warning."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from netspec_cli.main import app
from tests.having import TRAINER, WRITER
from tests.test_files import AS_NOBODY

RUN = CliRunner()

BODY = "name: own\ninput: [4]\nlayers: [{dense: 4}]\n"
SPEC = f"netspec: 1\n{BODY}"
PARTS = "netspec: 1\nblocks: {unit: {layers: [relu]}}\n"
FLOW = '{"netspec": 1, "name": "own", "input": [4], "layers": [{"dense": 4}]}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder; a test that waits for a pipe fails instead of waiting for ever."""
    monkeypatch.chdir(tmp_path)

    def stop(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def summary(output: str) -> str:
    return output.rstrip("\n").rpartition("\n")[2]


def test_what_is_not_shown_is_not_left_out_of_the_count() -> None:
    Path("a.yaml").write_text(f"{SPEC}defaults:\n" + "  conv: {bias: false}\n" * 200)
    assert summary(RUN.invoke(app, ["check", "a.yaml"]).stdout) == "1 spec checked: at least 101 errors"


def test_every_run_says_what_was_what() -> None:
    Path("sub").mkdir()
    Path("a.yaml").write_text(SPEC)
    Path("sub/parts.yml").write_text(PARTS)
    Path("compose.yaml").write_text("services: {web: {image: nginx}}\n")
    Path("list.yaml").write_text("- layers\n- netspec\n")
    done = RUN.invoke(app, ["check", "."])
    assert (done.exit_code, done.stdout) == (
        0,
        "1 spec and 1 file of blocks checked: all hold; 2 other YAML files\n",
    )
    counts = {"specs": 1, "recipes": 0, "blocks": 1, "others": 2}
    counts |= dict.fromkeys(("linked_folders", "skipped_folders", "unreadable_folders"), 0)
    assert json.loads(RUN.invoke(app, ["check", ".", "--format", "json"]).stdout)["counts"] == counts
    assert RUN.invoke(app, ["check", "a.yaml"]).stdout == "1 spec checked: all hold\n"
    assert (
        RUN.invoke(app, ["check", "sub"]).stdout
        == "1 file of blocks checked: all hold; no other YAML files\n"
    )
    Path("sub/b.yaml").write_text(SPEC.replace("dense", "dens"))
    done = RUN.invoke(app, ["check", "."])
    assert (done.exit_code, summary(done.stdout)) == (
        1,
        "2 specs and 1 file of blocks checked: 1 error in 1 of them; 2 other YAML files",
    )
    Path("sub/b.yaml").write_text("netspec: 1\nspec: ../a.yaml\ntrain: {epochs: 3}\n")
    Path("sub/c.yaml").write_text("spec: ../a.yaml\ntrain: {epochs: 3}\n")
    assert "it has `spec` and `train`, but not the key `netspec`" in RUN.invoke(app, ["check", "."]).stdout
    assert summary(RUN.invoke(app, ["check", "."]).stdout).startswith(
        "1 spec, 1 recipe and 1 file of blocks checked: "
    )


SPECS: dict[str, tuple[str, bytes, bool]] = {
    "capitals": ("A.YAML", SPEC.encode(), True),
    "yml in capitals": ("A.YML", SPEC.encode(), True),
    "in one line": ("a.yaml", FLOW.encode(), True),
    "in one line, behind another key": (
        "a.yaml",
        FLOW.replace('"netspec": 1, ', "").replace("]}", '], "netspec": 1}').encode(),
        True,
    ),
    "behind a comment": ("a.yaml", b"# a comment: with a colon\n" + FLOW.encode(), True),
    "a key as ? and :": ("a.yaml", f"? netspec\n: 1\n{BODY}".encode(), True),
    "a mark of byte order": ("a.yaml", b"\xef\xbb\xbf" + SPEC.encode(), True),
    "quoted": ("a.yaml", SPEC.replace("netspec", "'netspec'").encode(), True),
    "a blank before the colon": ("a.yaml", SPEC.replace("netspec:", "netspec :").encode(), True),
    "lines of Windows": ("a.yaml", SPEC.replace("\n", "\r\n").encode(), True),
    "UTF-16": ("a.yaml", SPEC.encode("utf-16"), False),
    "UTF-16 without a mark": ("a.yaml", SPEC.encode("utf-16-le"), False),
    "UTF-16 in one line": ("a.yaml", FLOW.encode("utf-16-be"), False),
    "UTF-32": ("a.yaml", SPEC.encode("utf-32"), False),
    "a broken one": ("a.yaml", b"netspec: 1\nlayers: [\n", False),
    "a broken one in one line": ("a.yaml", b'{"netspec": 1, "layers": [\n', False),
    "a link to nothing": ("a.yaml", b"", False),
}


@pytest.mark.parametrize(("name", "content", "holds"), SPECS.values(), ids=SPECS)
def test_a_spec_below_a_folder_is_found(name: str, content: bytes, holds: bool) -> None:
    if content:
        Path(name).write_bytes(content)
    else:
        Path(name).symlink_to("nowhere")
    done = RUN.invoke(app, ["check", "."])
    assert done.exit_code == (0 if holds else 1), done.stdout
    assert summary(done.stdout).startswith("1 spec checked: ")
    assert summary(done.stdout).endswith("; no other YAML files")


NEAR: dict[str, tuple[str, int, int, str]] = {
    "a letter lost": (f"netspc: 1\n{BODY}", 1, 1, "its key is `netspc`, not `netspec`"),
    "two swapped": (f"{BODY}netpsec: 1\n", 4, 1, "its key is `netpsec`, not `netspec`"),
    "capitals": (f"NetSpec: 1\n{BODY}", 1, 1, "its key is `NetSpec`, not `netspec`"),
    "a line between": (f"net-spec: 1\n{BODY}", 1, 1, "its key is `net-spec`, not `netspec`"),
    "in one line": (FLOW.replace("netspec", "netspecs"), 1, 2, "its key is `netspecs`, not `netspec`"),
    "a file of blocks": (PARTS.replace("netspec", "netspek"), 1, 1, "its key is `netspek`, not `netspec`"),
    "broken further down": (f"netspc: 1\n{BODY}more: [\n", 1, 1, "its key is `netspc`, not `netspec`"),
    "no key": (BODY, 1, 1, "it has `layers` and an input, but not the key `netspec`"),
}


@pytest.mark.parametrize(("text", "line", "column", "says"), NEAR.values(), ids=NEAR)
def test_a_near_miss_is_a_warning(text: str, line: int, column: int, says: str) -> None:
    Path("a.yaml").write_text(SPEC)
    Path("near.yaml").write_text(text)
    done = RUN.invoke(app, ["check", ".", "--format", "json"])
    assert done.exit_code == 0
    _, near = json.loads(done.stdout)["files"]
    (found,) = near["diagnostics"]
    assert (near["ok"], found["code"], found["severity"]) == (True, "NS0026", "warning")
    assert (found["file"], found["line"], found["column"]) == ("near.yaml", line, column)
    assert says in found["message"]
    text = RUN.invoke(app, ["check", "."]).stdout
    assert summary(text) == "1 spec checked: all hold, 1 warning; 1 other YAML file"
    # Alone, it leaves nothing to check, and the warning must not be lost.
    Path("a.yaml").unlink()
    done = RUN.invoke(app, ["check", "."])
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr
    assert "no spec below ." in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "layers: [a, b]\n",
        "layers: 3\nspec: 1\n",
        "data: |\n  netspec: 1\n  layers: []\n",
        "netspc: 1\nname: no layers\n",
        "a: {netspec: 1, layers: []}\n",
        "[netspec, layers]\n",
        "\x01\x02 netspec layers",
        "",
    ],
)
def test_what_belongs_to_others_is_counted_without_a_warning(text: str) -> None:
    Path("a.yaml").write_text(SPEC)
    Path("other.yaml").write_text(text)
    done = RUN.invoke(app, ["check", "."])
    assert (done.exit_code, done.stdout) == (0, "1 spec checked: all hold; 1 other YAML file\n")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [a_pipe, a_device])
def test_what_never_answers_is_not_opened(make: Callable[[Path], None]) -> None:
    Path("a.yaml").write_text(SPEC)
    make(Path("odd.yaml"))
    done = RUN.invoke(app, ["check", "."])
    assert done.exit_code == 0
    assert (
        f"`odd.yaml` is not checked: it is {make.__name__.replace('_', ' ')}".replace("pipe", "named pipe")
        in done.stdout
    )
    assert summary(done.stdout) == "1 spec checked: all hold, 1 warning; 1 other YAML file"
    done = RUN.invoke(app, ["check", "odd.yaml"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "odd.yaml cannot be read: it is a" in done.stderr
    Path("b.yaml").write_text(
        "netspec: 1\nname: b\ninput: [4]\nblocks: {include: odd.yaml}\nlayers: [relu]\n"
    )
    done = RUN.invoke(app, ["check", "b.yaml"])
    assert done.exit_code == 1
    # The link to the device leads out of the tree.
    assert ("`odd.yaml` cannot be read: it is a" in done.stdout) == (make is a_pipe)


def test_linked_folders_are_counted() -> None:
    Path("a.yaml").write_text(SPEC)
    Path("loop").symlink_to(".")
    done = RUN.invoke(app, ["check", "."])
    assert done.stdout == "1 spec checked: all hold; no other YAML files; 1 linked folder not followed\n"


def test_folders_that_are_not_searched_are_counted() -> None:
    Path("a.yaml").write_text(SPEC)
    for name in (".git/hooks", "venv/lib", "models/node_modules", "models/site-packages", "__pycache__"):
        Path(name).mkdir(parents=True)
        Path(name, "b.yaml").write_text(SPEC)
    done = RUN.invoke(app, ["check", "."])
    assert done.stdout == (
        "1 spec checked: all hold; no other YAML files; 5 hidden or installed folders not searched\n"
    )
    counts = json.loads(RUN.invoke(app, ["check", ".", "--format", "json"]).stdout)["counts"]
    assert (counts["linked_folders"], counts["skipped_folders"]) == (0, 5)


PROGRAM = f"""
import sys
sys.path[:0] = sys.argv[1].split(":")
import netspec_cli.check, netspec_cli.main, netspec.training.match, netspec.diagnostics.render.text
from netspec_cli.main import run
sys.argv = ["netspec", "check", sys.argv[2]]
try: run()  # all that a check imports, while it may be read
except SystemExit: pass
print("--", flush=True)
sys.argv = ["netspec", "check", *sys.argv[2:], "."]
{AS_NOBODY}
run()
"""


def test_what_may_not_be_read_is_not_passed_over() -> None:
    """Run without the rights of root, who may read everything."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for closed in ("closed", "searchable"):
            (folder / closed).mkdir()
            (folder / closed / "b.yaml").write_text(SPEC)
        (folder / "a.yaml").write_text(SPEC)
        (folder / "c.yaml").write_text(SPEC)
        (folder / "c.yaml").chmod(0)
        (folder / "closed").chmod(0)
        (folder / "searchable").chmod(0o111)
        path = ":".join(each for each in [os.environ.get("PYTHONPATH", ""), *sys.path] if each)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, path, "a.yaml"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        (folder / "closed").chmod(0o755)
        (folder / "searchable").chmod(0o755)
    report = done.stdout.partition("--\n")[2]
    assert done.returncode == 1, done.stderr
    assert "error[NS0002]: the folder `closed` cannot be read: permission denied" in report
    assert "error[NS0002]: the folder `searchable` cannot be read: permission denied" in report
    assert "error[NS0002]: `c.yaml` cannot be read: permission denied" in report
    assert summary(report) == "2 specs checked, 2 folders cannot be read: 3 errors; no other YAML files"


LONG = ["x" * 5000, "/".join(["d"] * 3000), "x" * 300 + ".yaml"]


@pytest.mark.parametrize("path", LONG, ids=["a name", "many folders", "a file"])
def test_a_path_that_is_too_long(path: str) -> None:
    commands = [
        ["check", path],
        ["shapes", path],
        ["compile", path, "-b", WRITER],
        ["train", path, "-b", TRAINER],
        ["new", "x", "--from", path],
        ["bench", path],
        ["compare", path],
    ]
    for words in commands:
        done = RUN.invoke(app, words)
        assert (done.exit_code, done.stdout) == (2, ""), words[0]
        assert done.stderr.endswith("cannot be read: its path is too long\n"), done.stderr
    Path("a.yaml").write_text(
        f"netspec: 1\nname: a\ninput: [4]\nblocks: {{include: {path}}}\n"
        f"layers: [{{network: {path}}}, {{network: {{spec: {path}}}}}]\n"
    )
    done = RUN.invoke(app, ["check", "a.yaml"])
    assert done.exit_code == 1
    assert done.stdout.count("its path is too long") == 3
    assert "bug" not in done.stdout


@pytest.mark.parametrize("text", ['"a\\0b"', '"a\\uD800b"', "../../../../../../etc/passwd"])
def test_a_path_that_no_file_can_have(text: str) -> None:
    Path("a.yaml").write_text(
        f"netspec: 1\nname: a\ninput: [4]\nblocks: {{include: {text}}}\nlayers: [relu]\n"
    )
    done = RUN.invoke(app, ["check", "a.yaml"])
    assert done.exit_code == 1
    assert summary(done.stdout) == "1 spec checked: 1 error"
    done = RUN.invoke(app, ["new", "x", "--from", "a.yaml"])
    assert (done.exit_code, "NS0" in done.stderr) == (1, True), done.exception


def test_a_name_that_is_no_text(here: Path) -> None:
    path = os.fsdecode(os.fsencode(here) + b"/\xff.yaml")
    Path(path).write_text(SPEC)
    for format in ("text", "json", "github", "sarif", "junit"):
        done = RUN.invoke(app, ["check", ".", "--format", format])
        assert (done.exit_code, done.exception) == (0, None), format
    Path(path).write_text(SPEC.replace("dense", "dens"))
    for format in ("text", "json", "github", "sarif", "junit"):
        assert RUN.invoke(app, ["check", path, "--format", format]).exit_code == 1, format
