"""A fleet of git repositories from real packages: each is split where its folders are about as large as a service."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from evaluation.checkouts import LARGE, PACKAGES, download, run

LARGEST = 120  # Python files of a repository; a folder with more is split into its own folders
SMALLEST = 3
NAME = ("-c", "user.name=fleet-bench", "-c", "user.email=fleet-bench@localhost", "-c", "commit.gpgsign=false")


def make_fleet(cache: Path, wanted: int) -> Path:
    """A folder with `wanted` repositories, made once. Every package gives its share, so that no one of them rules."""
    fleet = cache / f"fleet-{wanted}"
    if (fleet / ".complete").exists():
        return fleet
    shutil.rmtree(fleet, ignore_errors=True)
    packages = [download(name, cache) for name in sorted({**PACKAGES, **LARGE})]
    waiting = [(package.name, package.folder, pieces_of(package.folder)) for package in packages]
    made = 0
    while waiting and made < wanted:
        for name, top, coming in list(waiting):
            piece = next(coming, None)
            if piece is None:
                waiting.remove((name, top, coming))
            elif made < wanted:
                make_repository(piece, top, fleet / name)
                made += 1
    if made < wanted:
        raise SystemExit(f"fleet-bench: the packages give only {made} repositories")
    (fleet / ".complete").touch()
    return fleet


def pieces_of(package: Path) -> Iterator[tuple[Path, bool]]:
    for folder in sorted(path for path in package.iterdir() if path.is_dir() and path.name != ".git"):
        yield from pieces(folder)


def pieces(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Folders that become repositories: whole, or only the files that stand in them (False)."""
    count = sum(1 for _ in python_files(folder))
    if count <= LARGEST:
        if count >= SMALLEST:
            yield folder, True
        return
    if sum(path.suffix == ".py" for path in folder.iterdir() if path.is_file()) >= SMALLEST:
        yield folder, False
    for below in sorted(
        path for path in folder.iterdir() if path.is_dir() and path.name not in (".git", "__pycache__")
    ):
        yield from pieces(below)


def python_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.py") if ".git" not in path.relative_to(folder).parts)


def make_repository(piece: tuple[Path, bool], top: Path, place: Path) -> None:
    """The folder under its own path, so that the repository keeps the import root that its code was written for."""
    folder, is_whole = piece
    relative = folder.relative_to(top)
    target = place / ("-".join(relative.parts) or "top")
    inner = target / relative
    if is_whole:
        shutil.copytree(folder, inner, ignore=shutil.ignore_patterns(".git", "__pycache__"), symlinks=True)
    else:
        inner.mkdir(parents=True)
        for path in folder.iterdir():
            if path.is_file() and not path.is_symlink():
                shutil.copy(path, inner)
    for arguments in (
        ("init", "--quiet", "-b", "main"),
        ("add", "--all", "--force"),
        ("commit", "-qm", "As published"),
    ):
        run(("git", *NAME, *arguments), target, accept=(0,))


def checkouts_of(fleet: Path) -> list[Path]:
    return sorted(Path(folder) for folder, names, _ in os.walk(fleet) if ".git" in names)


def copy_fleet(fleet: Path, place: Path) -> Path:
    """The same repositories, for a run that writes into them."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(fleet, place, symlinks=True)
    return place
