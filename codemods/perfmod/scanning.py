"""The scan stage: bytes -> facts, one file at a time, in worker processes where that pays."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from perfmod.discovery import LANGUAGES, language_of
from perfmod.model import Fact, Skipped
from perfmod.reading import LEAVES, Folders, read_file
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.cache import Cache
    from perfmod.rule import Rule, Scanner
    from perfmod.workers import Work

Given = TypeVar("Given")
Found = TypeVar("Found")

# Worker processes cost about 10 ms; below this many files they don't pay.
FILES_PER_WORKER = 400


@dataclass(frozen=True, slots=True)
class ParseError:
    """A file that holds a trigger and does not parse."""

    path: str
    offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """What came of one file that held a trigger."""

    path: str
    digest: bytes  #: of the bytes that were read: rendering and writing make sure that it is still the same file
    facts: tuple[Fact, ...] = ()
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True)
class Heavy:
    """A large file to parse. These come when all others are done, the largest first, so that nobody waits long."""

    path: str
    size: int  #: bytes
    scanners: tuple[int, ...]  #: those that fit, as places in the list of all
    told: tuple[Fact, ...]


HEAVY = 50_000  # bytes: about 8 ms of parsing
#: A file that holds this is looked at even if no rule has business there: an ignore comment may be out of date.
TRIGGER = b"perfmod:"


def digest(data: bytes) -> bytes:
    return digest_of((data,))


def digest_of(parts: Iterable[bytes]) -> bytes:
    """The digest of what they are together."""
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b  # the same; brings OpenSSL with it, 5 ms

    whole = blake2b(digest_size=16)
    for part in parts:
        whole.update(part)
    return whole.digest()


def scan(
    root: Path,
    files: Sequence[str],
    rules: Sequence[Rule],
    jobs: int | None = None,
    cache: Cache | None = None,
    overlay: Mapping[str, bytes] | None = None,
) -> Iterator[Scanned]:
    """The facts of every file that holds a trigger, in any order.

    `overlay` holds the bytes of files that are not to be read from the disk.
    """
    overlay = overlay or {}
    scanners = scanners_of(rules)
    if cache is None:
        yield from scan_afresh(root, files, scanners, jobs, overlay)
        return
    known, unknown = cache.known([path for path in files if path not in overlay] if overlay else files)
    unknown += [path for path in files if path in overlay]
    scanned = {found.path: found for found in scan_afresh(root, unknown, scanners, jobs, overlay)}
    for path in unknown:
        if path not in overlay:
            cache.put(path, scanned.get(path))
    yield from known.values()
    yield from scanned.values()


def scan_afresh(
    root: Path, files: Sequence[str], scanners: list[Scanner], jobs: int | None, overlay: Mapping[str, bytes]
) -> Iterator[Scanned]:
    most = jobs or os.cpu_count() or 1
    heavy: list[Heavy] = []
    workers = min(most, len(files) // FILES_PER_WORKER)
    for found in spread(partial(scan_files, root, scanners, overlay), files, workers, share=16):
        if isinstance(found, Heavy):
            heavy.append(found)
        else:
            yield found
    heavy.sort(key=lambda file: -file.size)
    yield from spread(partial(scan_heavy, root, scanners, overlay), heavy, min(most, len(heavy)), share=len(heavy))


def forks_for(items: int, least: int, jobs: int | None) -> int:
    """How many forked processes work at so many items, of which each gets `least` or more; 1 where none can fork."""
    most = (jobs or os.cpu_count() or 1) if hasattr(os, "fork") else 1
    return max(1, min(most, items // least))


def spread(work: Work[Given, Found], items: Sequence[Given], workers: int, *, share: int) -> Iterator[Found]:
    """What `work` finds in the items: with several workers, each takes about so many shares of them."""
    if workers <= 1:
        yield from work(items)
        return
    import perfmod.source.tree  # noqa: F401  a forked worker then has it already
    from perfmod.workers import MOST, in_processes

    size = max(1, ceil(len(items) / MOST), min(200, len(items) // (workers * share)))
    yield from in_processes(work, [items[start : start + size] for start in range(0, len(items), size)], workers)


def files_to_scan(files: Sequence[str], rules: Iterable[Rule]) -> list[str]:
    """The files of a language that some rule reads."""
    return files_of_languages(files, {language for scanner in scanners_of(rules) for language in scanner.languages})


def files_of_languages(files: Sequence[str], languages: Collection[str]) -> list[str]:
    suffixes = tuple(f".{suffix}" for suffix, language in LANGUAGES.items() if language in languages)
    return [path for path in files if path.endswith(suffixes)]


def scanners_of(rules: Iterable[Rule]) -> list[Scanner]:
    """The rules and what they need, each once."""
    found: dict[type, Scanner] = {}
    for rule in rules:
        for scanner in (rule, *rule.scanners):
            found.setdefault(type(scanner), scanner)
    return list(found.values())


def scan_files(
    root: Path, scanners: Sequence[Scanner], overlay: Mapping[str, bytes], files: Iterable[str]
) -> Iterator[Scanned | Heavy]:
    from perfmod.sieve import Sieve

    sieves: dict[str | None, Sieve] = {}
    folders, top = Folders(root), os.fspath(root)
    for path in files:
        data = overlay[path] if path in overlay else read_file(top, path)
        if data is None:
            continue
        if isinstance(data, Skipped):
            yield Scanned(path, b"", skipped=data)
            continue
        language = language_of(path)
        sieve = sieves.get(language)
        if sieve is None:
            sieve = sieves[language] = Sieve([s for s in scanners if language in s.languages])
        fitting, told = sieve.sift(path, data)
        if fitting is None and not told:
            continue
        if path not in overlay and folders.lead_out(path):
            yield Scanned(path, b"", skipped=Skipped(path, LEAVES))
        elif fitting is None:
            yield Scanned(path, digest(data), told)
        elif len(data) >= HEAVY:
            yield Heavy(path, len(data), tuple(map(scanners.index, fitting)), told)
        else:
            scanned = scan_file(path, data, fitting)
            yield replace(scanned, facts=(*scanned.facts, *told)) if told else scanned


def scan_heavy(
    root: Path, scanners: Sequence[Scanner], overlay: Mapping[str, bytes], files: Iterable[Heavy]
) -> Iterator[Scanned]:
    for file in files:
        data = overlay[file.path] if file.path in overlay else read_file(root, file.path)
        if isinstance(data, Skipped):
            yield Scanned(file.path, b"", skipped=data)
        elif data is not None:
            scanned = scan_file(file.path, data, [scanners[place] for place in file.scanners])
            yield replace(scanned, facts=(*scanned.facts, *file.told))


def scan_file(path: str, data: bytes, scanners: Sequence[Scanner]) -> Scanned:
    from perfmod.source.text import Text, Unreadable

    try:
        text = Text.decode(path, data)
    except Unreadable as error:
        return Scanned(path, b"", (ParseError(path, 0, str(error)),) if scanners else ())
    return Scanned(path, digest(data), tuple(facts_of(text, scanners)))


def facts_of(text: Any, scanners: Sequence[Scanner]) -> list[Fact]:
    from perfmod.source.tree import TooMuch

    try:
        return facts_within_limits(text, scanners)
    except TooMuch as error:
        return [ParseError(text.path, 0, str(error))]
    except RecursionError:
        return [ParseError(text.path, 0, "it is nested too deeply")]


def facts_within_limits(text: Any, scanners: Sequence[Scanner]) -> list[Fact]:
    """The facts of one file. Raises TooMuch for one that no person wrote."""
    from perfmod.source.tree import GRAMMARS, Source

    language = language_of(text.path) or ""
    source = Source(text, language, scanned=True)
    if language in GRAMMARS:
        problem = source.error
        if problem is not None and not scanners:
            return []
        if problem is not None:
            line, column = text.position(problem.start_byte)
            return [ParseError(text.path, problem.start_byte, f"syntax error at line {line}, column {column}")]
    facts = [fact for scanner in scanners for fact in sites_of(scanner, source)]
    has_comments = language in GRAMMARS or language in ("vue", "svelte")
    if has_comments and (facts or not scanners or TRIGGER in text.utf8) and may_be_reviewed(text.utf8):
        from perfmod.suppression import scan_comments

        facts.extend(scan_comments(source))
    return facts


def may_be_reviewed(utf8: bytes) -> bool:
    """Whether some comment may say that a finding was reviewed, to perfmod or to another linter."""
    return any(mark in utf8 for mark in (TRIGGER, b"ruff:", b"eslint-")) or b"noqa" in utf8.lower()


def sites_of(scanner: Scanner, source: Any) -> Iterator[Fact]:
    from perfmod.source.tree import SITES, TooMuch

    for number, fact in enumerate(scanner.scan(source)):
        if number == SITES:
            raise TooMuch(f"it holds more than {SITES:,} places that one rule looks at")
        yield fact
