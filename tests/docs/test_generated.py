"""The generated pages are fresh, and every link from one page to another leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import DOCS, NOTICE, PAGES, page
from netspec.ops import OPS


@pytest.mark.parametrize("name", PAGES)
def test_is_fresh(name: str, request: pytest.FixtureRequest) -> None:
    text = page(name)
    if request.config.getoption("--update-golden", default=False):
        (DOCS / name).write_text(text, encoding="utf-8")
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == text, f"docs/{name} is stale: run `python docs/generate.py`"
    assert NOTICE in text


@pytest.mark.parametrize("name", ["ops.md", "backends.md"])
def test_a_list_names_every_op(name: str) -> None:
    text = page(name)
    assert NOTICE in text
    assert all(f"`{keyword}`" in text for keyword in OPS), name


def test_no_op_is_missing_somewhere() -> None:
    assert "| missing |" not in page("backends.md")


KEPT = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        assert target.startswith("https://") or (path.parent / target).exists(), f"{path.name}: {target}"
    anchors = {
        re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in anchors, f"{path.name}: #{anchor}"


def test_the_index_has_every_page() -> None:
    index = page("index.md")
    assert all(f"({path.name})" in index for path in KEPT if path.name != "index.md")
