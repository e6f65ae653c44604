"""The entry points of backends are those that `importlib.metadata` finds, whichever form their folders have."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from netspec.backend import discovery
from netspec.backend import registered as module
from netspec.backend.registered import GROUP, maker, package, registered

A = f"[console_scripts]\nx = x:run\n\n# c\n[{GROUP}]\n# d = e:f\na=a_backend:made\n  b  =  b.more:made\n[z]\nc = c:d\n"
LAYOUTS: Mapping[str, tuple[bool, Mapping[str, str]]] = {
    "plain": (True, {"one/a_b-1.dist-info/entry_points.txt": A, "one/c-1.dist-info/METADATA": "Name: c\n"}),
    "without backends": (True, {"one/a-1.dist-info/entry_points.txt": "[console_scripts]\na = a:b\n"}),
    "of the same name, the first counts": (
        True,
        {
            "one/A.b-1.dist-info/entry_points.txt": A,
            "two/a_b-2.egg-info/entry_points.txt": f"[{GROUP}]\nother = other:made\n",
        },
    ),
    "a file in place of a folder": (True, {"one/a-1.egg-info": A, "two/b-1.dist-info/entry_points.txt": A}),
    "a name twice": (
        False,
        {
            "one/a-1.dist-info/entry_points.txt": A,
            "two/b-1.dist-info/entry_points.txt": f"[{GROUP}]\na = b:c\n",
        },
    ),
    "with extras": (False, {"one/a-1.dist-info/entry_points.txt": f"[{GROUP}]\na = a.b:c [more]\n"}),
    "a module": (False, {"one/a-1.dist-info/entry_points.txt": f"[{GROUP}]\na = json\n"}),
    "an egg": (False, {"one.egg/EGG-INFO/entry_points.txt": A, "one.egg/EGG-INFO/PKG-INFO": "Name: one\n"}),
    "an archive": (False, {"one.whl": "one-1.dist-info/entry_points.txt"}),
}


@pytest.mark.parametrize(("is_plain", "files"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_same_are_found(
    is_plain: bool, files: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".whl":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(text, A)
                archive.writestr(str(Path(text).with_name("METADATA")), "Name: one\n")
        else:
            path.write_text(text)
    folders = dict.fromkeys(name.partition("/")[0] for name in files)
    monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in [*folders, "nowhere"]])
    assert registered() == {each.name: each.value for each in entry_points(group=GROUP)}
    try:
        found = dict(module._read())
    except module._Other:
        found = None
    assert (found is not None) == is_plain


def test_an_entry_of_the_path_that_is_no_text_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python ignores such an entry of `sys.path`, so programs have them."""
    here = registered()
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    assert registered() == {each.name: each.value for each in entry_points(group=GROUP)} == here
    with pytest.raises(module._Other):
        dict(module._read())


def test_all_backends_are_found_in_one_search(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[dict[str, str]] = []

    def search() -> dict[str, str]:
        searched.append(registered())
        return searched[-1]

    monkeypatch.setattr(discovery, "registered", search)
    assert [each.name for each in discovery.backends()] == sorted(registered())
    assert len(searched) == 1


def test_those_of_this_installation_are_plain() -> None:
    assert dict(module._read()) == {each.name: each.value for each in entry_points(group=GROUP)}


def test_another_finder_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        @staticmethod
        def find_distributions(context: object) -> list[object]:
            return []

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    with pytest.raises(module._Other):
        dict(module._read())
    assert registered() == {each.name: each.value for each in entry_points(group=GROUP)}


def test_the_maker_is_that_of_the_entry_point() -> None:
    for each in entry_points(group=GROUP):
        assert maker(each.name, each.value) is each.load()
        dist = package(each.name)
        assert dist is not None
        assert each.dist is not None
        assert dist.name == each.dist.name
    assert maker("a", "os.path:join [extra]") is maker("a", "os.path:join")
    assert package("nobody") is None
