"""Whether a folder lies outside the root is what its real path says, however many links lead there."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perfmod import reading
from perfmod.reading import Folders

NAMES = st.sampled_from(["a", "b", "..", "."])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


def made(top: Path, folders: list[str], links: list[tuple[str, str]]) -> None:
    for folder in folders:
        (top / folder).mkdir(parents=True, exist_ok=True)
    for place, target in links:
        if not os.path.lexists(top / place) and (top / place).parent.is_dir():
            (top / place).symlink_to(target)


@settings(max_examples=200, deadline=None)
@example(folders=["b"], links=[("b/b", "../..")], asked=["b/a/../b"])
@given(
    folders=st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join), max_size=5),
    links=st.lists(
        st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join), PATHS), max_size=5
    ),
    asked=st.lists(st.lists(st.sampled_from(["a", "b", "c", "..", "."]), max_size=6).map("/".join), max_size=12),
)
def test_links_are_followed(folders: list[str], links: list[tuple[str, str]], asked: list[str]) -> None:
    with TemporaryDirectory() as place:
        top = Path(os.path.realpath(place)) / "a/b/root"  # so that `..` may come back
        top.mkdir(parents=True)
        made(top, folders, [*links, ("up", ".."), ("back", "../root"), ("loop", "loop")])
        ours = Folders(top)
        for folder in (*asked, "up", "up/root", "up/root/a", "back/a", "loop/a"):
            if not os.path.isdir(top / folder):  # there is no file in it, wherever it would lie
                continue
            real = Path(os.path.realpath(top / folder))
            assert ours.lead_out(f"{folder}/file.py".lstrip("/")) == (not real.is_relative_to(top)), folder


def test_a_folder_may_lie_deep(tmp_path: Path) -> None:
    assert not Folders(tmp_path).lead_out("d/" * 1500 + "file.py")


def test_a_junction_leads_out_as_a_link_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has folders that lie elsewhere and are no links."""
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (root / "junction").symlink_to(elsewhere)
    monkeypatch.setattr(reading, "NO_LINKS", 0)
    monkeypatch.setattr(os.path, "islink", lambda _: False)
    assert Folders(root).lead_out("junction/a.py")
