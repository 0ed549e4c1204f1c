"""Which repositories a fleet has: a file that lists them, or a folder that holds their checkouts."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from perfmod.errors import PerfmodError
from perfmod.patterns import pattern
from perfmod.values import dataclass, field

DEEPEST = 4  # folders below REPOS in which checkouts are looked for
LONGEST = 80  # characters of a name
# What git reads as an address: `https://...`, or `user@host:path` with nothing that could be a Windows drive.
URL = pattern(r"[a-zA-Z][a-zA-Z0-9+.-]*://|[^/\\:]{2,}:(?!\\)")
SCHEMES = ("https", "http", "ssh", "git", "file")
# A ref that git can't read as an option, a refspec or a range.
REF = pattern(r"(?![-+@/.])(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f:^~?*\[\\]+(?<![/.])")
USER = pattern(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]{0,30})://(?P<user>[^/\s]{1,300})@")
QUERY = pattern(r"(://(?:(?!://)[^\s?])*+)\?\S+")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the fleet."""

    name: str  #: no other of the fleet has it; fit for a folder
    location: str = field(repr=False)  #: an absolute path, or an address that git knows, with what credentials it holds
    ref: str | None = None  #: a branch, a tag or a commit; None: the work tree, or of an address what it calls HEAD

    @property
    def is_remote(self) -> bool:
        return is_address(self.location)

    @property
    def shown(self) -> str:
        """The location without credentials."""
        return redacted(self.location)


def is_address(location: str) -> bool:
    return bool(URL.match(location))


def redacted(text: str) -> str:
    """`text` with nothing in its addresses that could be a password or a token."""
    return QUERY.sub(r"\1?***", USER.sub(without_credentials, text))


def without_credentials(match: re.Match[str]) -> str:
    user, colon, _ = match["user"].partition(":")
    is_login = "ssh" in match["scheme"].lower()  # there a user is no secret, and part of the address
    shown = user + ":***" * bool(colon) if is_login else "***"
    return f"{match['scheme']}://{shown}@"


def read_repositories(repos: str, left_out: Path) -> list[Repository]:
    """The fleet that REPOS names, in its order. Raises PerfmodError where it is none.

    `left_out` is the work folder, which may hold clones.
    """
    path = Path(repos)
    if path.is_dir():
        found = in_folder(path.resolve(), left_out)
        if not found:
            raise PerfmodError(f"no git checkout in {repos}; a folder outside git can be listed in a file")
    else:
        found = list(in_file(path))
        if not found:
            raise PerfmodError(f"{repos} lists no repository: write a path or an address on each line")
    return with_own_names(found)


def in_folder(top: Path, left_out: Path) -> list[Repository]:
    """The checkouts and bare repositories in a folder, or the folder itself if it is one; each once, also by links."""
    found: list[Repository] = []
    seen = {left_out}
    level = [top]
    for _ in range(DEEPEST + 1):
        below: list[Path] = []
        for folder in level:
            resolved = folder.resolve()
            if resolved in seen:
                continue
            seen.add(resolved)
            if is_repository(folder):
                name = folder.relative_to(top).as_posix() if folder != top else top.name
                found.append(Repository(name_of(name), os.fspath(resolved)))
            else:
                below += folders_in(folder)
        level = below
    return sorted(found, key=lambda repository: repository.location)


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder; links last, so that what they lead to is known by its own name."""
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir()]
    except OSError:
        return []
    return sorted(paths, key=lambda path: (path.is_symlink(), path))


def is_repository(folder: Path) -> bool:
    return (folder / ".git").exists() or is_bare(folder)


def is_bare(folder: Path) -> bool:
    """Whether a folder is a git repository without a work tree."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def in_file(path: Path) -> Iterator[Repository]:
    """The repositories that a file lists: on each line a path or an address, and a ref where that is not HEAD."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise PerfmodError(f"no such file or folder: {path}") from None
    except OSError as error:
        raise PerfmodError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PerfmodError(f"cannot read {path}: it is not UTF-8") from None
    folder = path.resolve().parent
    for number, line in enumerate(lines, 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise PerfmodError(f"{path}:{number}: {error}") from None
        if words:
            yield read_line(words, folder, f"{path}:{number}")


def read_line(words: list[str], folder: Path, place: str) -> Repository:
    location, *rest = words
    if len(rest) > 1:
        raise PerfmodError(f"{place}: expected a path or an address, and at most a ref (quote what holds blanks)")
    ref = rest[0] if rest else None
    if ref is not None and not REF.fullmatch(ref):
        raise PerfmodError(f"{place}: `{ref}` is no name of a branch, a tag or a commit")
    if location.startswith("-"):
        raise PerfmodError(f"{place}: a location can't begin with a dash; write ./{location} for a path")
    if not is_address(location):
        path = folder / Path(location).expanduser()
        return Repository(name_of(path.name), os.path.normpath(path), ref)
    scheme, colons, _ = location.partition("://")
    if "::" in location.partition("/")[0] or (colons and scheme.lower() not in SCHEMES):
        raise PerfmodError(f"{place}: addresses are read over {', '.join(SCHEMES)}, not `{redacted(location)}`")
    return Repository(name_of(path_of(location)), location, ref)


def path_of(address: str) -> str:
    """The path of an address."""
    _, colons, rest = address.partition("://")
    return rest.partition("/")[2] if colons else address.partition(":")[2]


def name_of(path: str) -> str:
    """A name for a folder, from the path of a repository: `acme/web.git` is acme-web."""
    words = re.findall(r"[A-Za-z0-9_.]+", path.partition("?")[0].rstrip("/").removesuffix(".git"))
    return "-".join(words).strip(".-")[-LONGEST:].lstrip(".-") or "repository"


def with_own_names(found: Iterable[Repository]) -> list[Repository]:
    """The same, each once; those that share a name are told apart by what their location and ref come to."""
    once = list(dict.fromkeys(found))
    often = Counter(repository.name.casefold() for repository in once)
    return [
        replace(each, name=f"{each.name}-{print_of(each)}") if often[each.name.casefold()] > 1 else each
        for each in once
    ]


def print_of(repository: Repository) -> str:
    return sha256(repr((repository.location, repository.ref)).encode("utf-8", "surrogateescape")).hexdigest()[:8]
