"""Files that may change while the program runs: by their name, or because the checkout itself writes them."""

from __future__ import annotations

import re

from perfmod.project.calls.callers import Calls
from perfmod.project.reads.constants import ANYTHING, Constants, File
from perfmod.source.reads.sites import MAY_WRITE, writes, writes_surely
from perfmod.source.reads.values import Value
from perfmod.source.reads.words import is_test

#: folders of the operating system, of secrets that are rotated, of what is passing
FOLDERS = re.compile(r"/(?:proc|sys|dev|run|tmp|var|etc)(?:/|\Z)")
SUFFIXES = re.compile(
    r"\.(?:log|out|err|pid|lock|sock|db|sqlite3?|tmp|temp|part|swp|jsonl|ndjson|env|pem|key|crt|cer|token|cookies?|state|bak)\Z"
)
WORDS = frozenset(
    """log logs upload uploads uploaded download downloads downloaded tmp temp temporary secret secrets token tokens
    credential credentials cookie cookies session sessions state history output outputs status checkpoint checkpoints
    backup backups cache cached caches queue inbox outbox pending userdata workspace progress lock""".split()
)
#: in the name of a folder that is found out when the program runs
OWNED = re.compile(
    r"(?i)data|user|home|conf|state|storage|work|var|cache|te?mp|upload|media|save|profile|download|dest|out"
)
WHY_OUTSIDE = {
    "home": "it lies in the user's home",
    "temporary": "it is a temporary file",
}


class Changing:
    """Why a file may not stay what it is."""

    def __init__(self, calls: Calls, constants: Constants) -> None:
        self._calls = calls
        self._constants = constants
        self._written: dict[str, tuple[File, ...]] = {}

    def by_name(self, file: File) -> str | None:
        """Why the name of a file says that it may change; nothing is looked up."""
        for place in file.outside:
            if place in WHY_OUTSIDE:
                return WHY_OUTSIDE[place]
        if "<" in file.base:
            return "it is named somewhere else"
        if any(OWNED.search(place) for place in file.outside):
            return "it belongs to the user"
        if FOLDERS.match(file.text) or SUFFIXES.search(file.base) or file.text.startswith("~"):
            return "its name says that it changes"
        if WORDS.intersection(re.split(r"[\W_]+", file.text.lower())):
            return "its name says that it changes"
        return None

    def writer(self, file: File, value: Value) -> str | None:
        """A file of the checkout that may write `file`."""
        mentions = self._calls.mentions
        named = {part.text for part in value.walk() if part.kind == "named" and not part.text.islower()}
        candidates = {path for name in named for path in mentions.files(name)}
        *_, folder, base = ["", *file.text.rsplit("/", 2)]
        if is_telling(base):
            candidates.update(mentions.files_with(base))
        if is_telling(folder):
            # of these only the folder is known to be there: a call by the name of a helper says nothing
            candidates.update(p for p in mentions.files_in_folder(folder) if writes_surely(mentions.raw(p)))
        for path in sorted(candidates):
            if not is_test(path) and any(may_be(written, file) for written in self._writes(path)):
                return path
        return None

    def _writes(self, path: str) -> tuple[File, ...]:
        """The paths that a file may write."""
        if path not in self._written:
            names = self._calls.names(path) if MAY_WRITE.search(self._calls.mentions.raw(path)) else None
            found = writes(names.source) if names is not None else ()
            self._written[path] = tuple(
                file for write in found for file in self._constants.files(self._constants.filled(write.file))
            )
        return self._written[path]


def is_telling(name: str) -> bool:
    """Whether a search for files that spell this name finds but a few."""
    return len(name) > 3 and ANYTHING not in name and "<" not in name


def may_be(written: File, read: File) -> bool:
    """Whether a write of which not everything is known may hit the file that is read."""
    if "<" in written.text + read.text and ANYTHING not in written.base:
        return written.base == read.base
    if ANYTHING not in written.text:
        return same(written.text, read.text)
    folder, _, base = written.text.rpartition("/")
    if ANYTHING in base:
        return (
            ANYTHING not in folder and len(base) < 200 and bool(folder) and same(folder, read.text.rpartition("/")[0])
        )
    return base == read.base


def same(one: str, other: str) -> bool:
    """Whether two texts may be the same path: a relative one may lie below what the other begins with."""
    return (
        one == other
        or (not one.startswith("/") and other.endswith(f"/{one}"))
        or (not other.startswith("/") and one.endswith(f"/{other}"))
    )
