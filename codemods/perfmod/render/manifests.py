"""Moves a package between the sections of package.json, and of the lockfile where one must follow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from perfmod.model import MovePackage, Replace, Span
from perfmod.project.web.packages import folders_above, parent_of
from perfmod.render import CannotRender
from perfmod.source.members import Object, move_members
from perfmod.source.yaml import Mapping, documents
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project
    from perfmod.source.text import Text

# What to run after moving the package by hand, by lockfile.
COMMANDS = {
    "pnpm-lock.yaml": "pnpm install --lockfile-only",
    "package-lock.json": "npm install --package-lock-only",
    "npm-shrinkwrap.json": "npm install --package-lock-only",
    "bun.lock": "bun install",
    "bun.lockb": "bun install",
}
# npm sorts the scalars of an entry by name, behind these.
LEADING = ("name", "version", "resolved", "integrity")


@dataclass(frozen=True, slots=True)
class Move:
    """Packages that move within one package.json."""

    manifest: str
    packages: frozenset[str]
    source: str
    target: str


def move_package(intent: MovePackage, project: Project) -> list[Replace]:
    """The edits of one move by itself. Raises CannotRender."""
    return move_packages([intent], project)


def move_packages(intents: Iterable[MovePackage], project: Project) -> list[Replace]:
    """The edits of several moves together: they share commas, sections and lockfiles. Raises CannotRender."""
    edits: list[Replace] = []
    by_lockfile: dict[str, list[Move]] = {}
    for move in joined(intents):
        edits += edit_manifest(move, project)
        manifest = project.packages.manifest(parent_of(move.manifest))
        assert manifest is not None
        for lockfile in project.packages.lockfiles(manifest):
            by_lockfile.setdefault(lockfile, []).append(move)
    for lockfile, moves in by_lockfile.items():
        edits += edit_lockfile(lockfile, moves, project)
    return edits


def files_of_move(intent: MovePackage, project: Project) -> frozenset[str]:
    """The files that a move is about."""
    manifest = project.packages.manifest(parent_of(intent.manifest))
    return frozenset([intent.manifest, *(project.packages.lockfiles(manifest) if manifest else ())])


def joined(intents: Iterable[MovePackage]) -> list[Move]:
    """One move for each package.json and pair of sections."""
    packages: dict[tuple[str, str, str], set[str]] = {}
    for intent in intents:
        packages.setdefault((intent.manifest, intent.source, intent.target), set()).add(intent.package)
    return [Move(path, frozenset(names), source, target) for (path, source, target), names in packages.items()]


def edit_manifest(move: Move, project: Project) -> list[Replace]:
    text = project.text(move.manifest)
    block = Object.read(text) if text is not None else None
    edits = move_members(block, move.packages, move.source, move.target) if block is not None else None
    if edits is None:
        raise CannotRender(f"the package can't be moved: {move.source} of {move.manifest} has an unusual shape")
    return edits


def edit_lockfile(path: str, moves: Sequence[Move], project: Project) -> list[Replace]:
    name = path.rpartition("/")[2]
    if name == "yarn.lock":
        return []  # does not tell the sections apart
    text = project.text(path)
    if name == "bun.lockb" or text is None:
        raise cannot(path, moves, "is binary" if name == "bun.lockb" else "can't be read")
    if name == "pnpm-lock.yaml":
        return edit_pnpm(text, moves)
    return edit_bun(text, moves) if name == "bun.lock" else edit_npm(text, moves)


def cannot(path: str, moves: Sequence[Move], why: str) -> CannotRender:
    """The refusal, with what to do by hand."""
    folder, _, name = path.rpartition("/")
    where = f" in {folder}" if folder else ""
    steps = "; ".join(f"move {', '.join(sorted(m.packages))} to {m.target} of {m.manifest}" for m in moves)
    return CannotRender(f"the lockfile can't be edited: {path} {why}; {steps}, then run `{COMMANDS[name]}`{where}")


def member_folder(lockfile: str, move: Move, top: str) -> str:
    """The folder of a package as its lockfile writes it."""
    folder = parent_of(move.manifest)
    base = parent_of(lockfile)
    return folder[len(base) :].lstrip("/") or top


# pnpm: three lines under importers.<folder> change their section


def edit_pnpm(text: Text, moves: Sequence[Move]) -> list[Replace]:
    edits: list[Replace] = []
    for move in moves:
        importer = None
        for document in documents(text):
            version = document.scalar("lockfileVersion")
            if version is not None and version.partition(".")[0] != "9":
                raise cannot(text.path, moves, f"has version {version}")
            found = (document.get("importers") or document).get(member_folder(text.path, move, "."))
            if found is not None and (section := found.get(move.source)) and move.packages <= section.pairs.keys():
                importer = found
        if importer is None:
            raise cannot(text.path, moves, "does not hold the package where it should")
        edits += move_entries(importer, move)
    return edits


def move_entries(importer: Mapping, move: Move) -> list[Replace]:
    """Moves whole entries between two block mappings of an importer, in pnpm's order."""
    text, source, target = importer.text, importer.get(move.source), importer.get(move.target)
    assert source is not None
    emptied = source.pairs.keys() == move.packages
    if emptied and target is None:
        start, _ = importer.lines(move.source)
        key = importer.pairs[move.source].child_by_field_name("key")
        assert key is not None
        renamed = Replace(Span(text.path, key.start_byte, key.end_byte), move.target)
        if list(importer.pairs)[-1] == move.source or "optionalDependencies" not in importer.pairs:
            return [renamed]
    names = sorted(move.packages)
    entries = {name: text.slice(*source.lines(name)) for name in names}
    entries = {name: entry if entry.endswith("\n") else entry + text.newline for name, entry in entries.items()}
    gone = [importer.lines(move.source)] if emptied else [source.lines(name) for name in names]
    edits = [Replace(Span(text.path, start, end), "") for start, end in gone]
    if target is None:
        start, end = importer.lines(move.source)
        header = text.slice(start, text.utf8.index(b"\n", start) + 1).replace(move.source, move.target)
        place = importer.lines("optionalDependencies")[1] if "optionalDependencies" in importer.pairs else end
        edits.append(Replace(Span(text.path, place, place), header + "".join(entries.values())))
        return edits
    by_place: dict[int, str] = {}
    for name in names:
        later = next((key for key in target.pairs if key > name), None)
        place = target.lines(later)[0] if later is not None else target.lines(list(target.pairs)[-1])[1]
        by_place[place] = by_place.get(place, "") + entries[name]
    return edits + [Replace(Span(text.path, place, place), entry) for place, entry in by_place.items()]


# bun: one line in workspaces


def edit_bun(text: Text, moves: Sequence[Move]) -> list[Replace]:
    edits: list[Replace] = []
    lock = Object.read(text)
    for move in moves:
        block = lock.get("workspaces", member_folder(text.path, move, "")) if lock is not None else None
        moved = move_members(block, move.packages, move.source, move.target) if block is not None else None
        if moved is None:
            raise cannot(text.path, moves, "does not hold the package where it should")
        edits += moved
    return edits


# npm: the block of the workspace, and "dev": true on what production no longer needs


def edit_npm(text: Text, moves: Sequence[Move]) -> list[Replace]:
    lock = Object.read(text)
    version = lock.value("lockfileVersion") if lock is not None else None
    if lock is None or version not in (2, 3):
        raise cannot(text.path, moves, f"has version {version}")
    packages = read_packages(text, moves)
    edits: list[Replace] = []
    for move in moves:
        block = lock.get("packages", member_folder(text.path, move, ""))
        moved = move_members(block, move.packages, move.source, move.target) if block is not None else None
        if moved is None:
            raise cannot(text.path, moves, "does not hold the package where it should")
        edits += moved
    for path in newly_for_development(packages, moves, text.path):
        trees = [lock.get("packages", path)]
        if version == 2:
            trees.append(lock.get(*legacy_keys(path)))
        for entry in trees:
            if entry is None or not entry.pairs:
                raise cannot(text.path, moves, f"has no plain entry for {path}")
            edits.append(entry.insert(place_of_flag(entry), ['"dev": true']))
    return edits


def read_packages(text: Text, moves: Sequence[Move]) -> dict[str, Any]:
    """The entries of package-lock.json. Raises CannotRender where they are not what npm writes."""
    try:
        packages = json.loads(text.utf8)["packages"]
        entries = packages.values()
        sections = ("dependencies", "peerDependencies", "optionalDependencies", "peerDependenciesMeta")
        usual = all(isinstance(entry.get(name, {}), dict) for entry in entries for name in sections) and all(
            isinstance(meta, dict) for entry in entries for meta in entry.get("peerDependenciesMeta", {}).values()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        usual = False
    if not usual or any(entry.get("link") and not isinstance(entry.get("resolved"), str) for entry in entries):
        raise cannot(text.path, moves, "has an unusual shape")
    return dict(packages)


def legacy_keys(path: str) -> list[str]:
    """Where version 2 keeps a package a second time: nested `dependencies`."""
    names = path.removeprefix("node_modules/").split("/node_modules/")
    return [key for name in names for key in ("dependencies", name)]


def place_of_flag(entry: Object) -> int:
    """Where npm writes the member `dev`: among the scalars, by name."""
    for index, key in enumerate(entry.keys):
        node = entry.value_node(key)
        if node is None or node.type == "object" or (key not in LEADING and key > "dev"):
            return index
    return len(entry.keys)


def newly_for_development(packages: dict[str, Any], moves: Sequence[Move], lockfile: str) -> list[str]:
    """The entries that production needs before the moves and not after them, sorted."""
    moved = {(member_folder(lockfile, move, ""), name) for move in moves for name in move.packages}
    before = reachable(packages, set())
    after, surely = reachable(packages, moved), reachable(packages, moved, optional=False)
    if reachable(packages, set(), optional=False) & (after - surely):
        raise cannot(lockfile, moves, "holds packages that would become optional")
    flagged = sorted(before - after)
    if any(packages[path].keys() & {"dev", "devOptional", "optional", "peer", "inBundle", "link"} for path in flagged):
        raise cannot(lockfile, moves, "holds packages with several flags")
    return flagged


def reachable(packages: dict[str, Any], without: set[tuple[str, str]], *, optional: bool = True) -> set[str]:
    """The entries that production needs, without some edges (folder and name) of workspaces."""
    sections = ("dependencies", "peerDependencies", *(["optionalDependencies"] if optional else []))
    todo = [path for path in packages if "node_modules/" not in path]
    found = set(todo)
    while todo:
        path = todo.pop()
        entry = packages[path]
        if entry.get("link"):
            targets = [entry["resolved"]] if entry.get("resolved") in packages else []
        else:
            names = [name for section in sections for name in entry.get(section, {})]
            optional_peers = {n for n, meta in entry.get("peerDependenciesMeta", {}).items() if meta.get("optional")}
            names = [n for n in names if (optional or n not in optional_peers) and (path, n) not in without]
            targets = [resolved for name in names if (resolved := resolve(packages, path, name)) is not None]
        for target in targets:
            if target not in found:
                found.add(target)
                todo.append(target)
    return found


def resolve(packages: dict[str, Any], path: str, name: str) -> str | None:
    """The entry that a package at `path` gets when it asks for `name`, as node looks it up."""
    for folder in (path, *folders_above(path)) if path else ("",):
        candidate = f"{folder}/node_modules/{name}" if folder else f"node_modules/{name}"
        if candidate in packages:
            return candidate
    return None
