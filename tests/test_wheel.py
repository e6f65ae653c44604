"""The built wheel, installed where there is no source tree and no framework: what a user gets."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.having import TRAINER, WRITER

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
POINTS = PROJECT["project"]["entry-points"]["netspec.backends"]
PACKAGES = {"netspec", "netspec_cli", *(point.partition(":")[0] for point in POINTS.values())}


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command that must end with `code`; return what it printed to stdout."""
    outside = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(command, cwd=cwd, env=outside, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source tree with the build tools that stand beside this interpreter."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts' folder of a new environment which holds the wheel and its base dependencies alone."""
    home = tmp_path_factory.mktemp("env")
    venv.create(home, with_pip=True)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    constraints = ROOT / ".ci" / "constraints.txt"
    run(scripts / "python", "-m", "pip", "install", "-qq", "-c", constraints, wheel, cwd=home)
    return scripts


def test_holds_the_five_packages_and_nothing_stray(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_holds_the_zoo_the_data_and_the_licences(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    specs = {
        f"netspec/zoo/{path.relative_to(ROOT / 'specs').as_posix()}"
        for path in (ROOT / "specs").rglob("*.yaml")
    }
    assert specs
    assert specs <= names
    assert "netspec/data/embedded/fashion_mnist_small.npz" in names
    assert "netspec/data/embedded/fashion_mnist_small.LICENSE" in names
    assert {"netspec/data/embedded/sonnets.txt", "netspec/data/embedded/characters.txt"} <= set(names)
    assert "netspec/zoo/recipes/resnet18.yaml" in names
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_checks_and_shows_the_zoo_from_anywhere(installed: Path, tmp_path: Path) -> None:
    run(installed / "netspec", "check", "zoo:lenet5", cwd=tmp_path)
    assert "61,706" in run(installed / "netspec", "shapes", "zoo:lenet5", cwd=tmp_path)


def test_says_which_backends_are_missing_and_how_to_install_them(
    installed: Path, wheel: Path, tmp_path: Path
) -> None:
    told = run(installed / "netspec", "backends", cwd=tmp_path)
    (wheel,) = wheel.parent.glob("netspec_compiler-*.whl")
    extras = PROJECT["project"]["optional-dependencies"]
    for extra in POINTS.keys() & extras.keys():
        assert f"'{wheel}[{extra}]'" in told, "what is installed from a file is completed from that file"


def test_writes_source_without_the_framework(installed: Path, tmp_path: Path) -> None:
    source = run(installed / "netspec", "compile", "zoo:lenet5", "--backend", WRITER, cwd=tmp_path)
    compile(source, "lenet5.py", "exec")


def test_a_missing_framework_is_a_plain_message(installed: Path, tmp_path: Path) -> None:
    run(installed / "netspec", "train", "zoo:lenet5", "--backend", TRAINER, cwd=tmp_path, code=2)


def test_imports_come_from_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import netspec; print(netspec.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
