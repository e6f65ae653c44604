"""Finds out how netspec was installed, so that a hint has the right command to install missing packages."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

DISTRIBUTION = "netspec-compiler"
"""The name of the distribution. `netspec` is another project on the public index."""


def install(extra: str) -> str:
    """The command that installs netspec with one of its extras, from the same source as this netspec."""
    return f"pip install {source(extra)}"


def reinstall(package: Distribution | None) -> str:
    """The command that reinstalls the distribution of a backend; None means netspec itself."""
    own = package is None or package.name == DISTRIBUTION
    return f"pip install --force-reinstall {source() if own or package is None else quote(package.name)}"


def source(extra: str = "") -> str:
    """The argument for pip: the folder or file that this netspec was installed from, else the name on the index."""
    package = _installed()
    what = quote(origin(package) + (f"[{extra}]" if extra else ""))
    return f"-e {what}" if _is_editable(package) else what


def origin(package: Distribution | None) -> str:
    """The source tree or the wheel of an installation, if it still exists; else the name on the index."""
    if package is None:
        tree = Path(__file__).resolve().parents[1]
        return str(tree) if (tree / "pyproject.toml").is_file() else DISTRIBUTION
    from urllib.request import url2pathname  # which loads HTTP and TLS

    url = urlsplit(str(_direct(package).get("url", "")))
    path = Path(url2pathname(url.path))
    return str(path) if url.scheme == "file" and path.exists() else DISTRIBUTION


def _installed() -> Distribution | None:
    try:
        return distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return None  # a source tree on the path


def _is_editable(package: Distribution | None) -> bool:
    about = {} if package is None else _direct(package).get("dir_info", {})
    return isinstance(about, dict) and bool(about.get("editable"))


def _direct(package: Distribution) -> dict[str, object]:
    """The record of pip for an installation that did not come from an index (PEP 610)."""
    try:
        facts = json.loads(package.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
