"""package.json files: which one owns a file, what it declares, its workspace, its bundler and its lockfiles."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from perfmod.discovery import language_of
from perfmod.patterns import pattern
from perfmod.source.tree import Source
from perfmod.values import dataclass, field

if TYPE_CHECKING:
    from perfmod.project import Project

Bundler: TypeAlias = Literal["vite", "webpack", "next", "react-scripts"]

LOCKFILES = ("pnpm-lock.yaml", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "bun.lock", "bun.lockb")
SECTIONS = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "bundledDependencies",
    "bundleDependencies",
)
# Read in this order: what the build script runs, a configuration file, a dependency.
BUILDS: dict[Bundler, re.Pattern[str]] = {
    "vite": pattern(r"(?<![\w-])(?:rolldown-|electron-)?vite(?:\.js)?\s+(?:\S+\s+){0,50}?build\b"),
    "next": pattern(r"\bnext\s+build\b"),
    "react-scripts": pattern(r"\b(?:react-scripts|craco|react-app-rewired)\s+build\b"),
    "webpack": pattern(r"(?<![\w-])webpack(?:-cli)?(?![\w-])(?!\s+serve)"),
}
CONFIGURATION: dict[Bundler, re.Pattern[str]] = {
    "vite": pattern(r"vite\.config\.[cm]?[jt]s\Z"),
    "next": pattern(r"next\.config\.[cm]?[jt]s\Z"),
    "react-scripts": pattern(r"(?:craco\.config|config-overrides)\.[cm]?[jt]s\Z"),
    "webpack": pattern(r"webpack(?:[.-][\w.-]+)?\.[cm]?[jt]s\Z"),
}
DEPENDENCY: dict[Bundler, tuple[str, ...]] = {
    "vite": ("vite", "rolldown-vite"),
    "next": ("next",),
    "react-scripts": ("react-scripts",),
    "webpack": ("webpack",),
}
BUILD_SCRIPT = pattern(r"\A(?:build|prod|deploy|export|release|bundle)|:(?:build|prod)|build\Z")
MODE = pattern(r"\bbuild\b[^&|;]{0,300}--mode[ =]['\"]?([\w.-]+)")
DEVELOPMENT = pattern(r"\bNODE_ENV=['\"]?(?:dev|development)\b[^&|;]{0,300}\b(?:build|webpack)\b")
IMPORT_META_TYPES = pattern(rb"vite/client|interface\s+ImportMeta\b|\bimport\.meta\.env\b")
LAST = "\U0010ffff"  # sorts behind every name of a file
TSCONFIG = pattern(r"(?:\A|/)tsconfig[^/]*\.json\Z")
NODE_TYPES = pattern(rb"\bprocess\.env\b|types=[\"'](?:node|react-scripts|next)[\"']")


@dataclass(frozen=True)
class Manifest:
    """One package.json."""

    path: str
    data: dict[str, Any] = field(compare=False)

    @property
    def folder(self) -> str:
        return parent_of(self.path)

    @property
    def name(self) -> str:
        return str(self.data.get("name") or "")

    def section(self, name: str) -> dict[str, Any]:
        """A dependency section, as a mapping."""
        found = self.data.get(name)
        if isinstance(found, list):
            return {str(package): "" for package in found}
        return found if isinstance(found, dict) else {}

    def sections_of(self, package: str) -> list[str]:
        """The sections that declare a package."""
        return [name for name in SECTIONS if package in self.section(name)]

    @property
    def scripts(self) -> dict[str, str]:
        found = self.data.get("scripts")
        return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}

    @property
    def build_modes(self) -> list[str]:
        """The modes under which scripts build: `vite build --mode staging`."""
        return [mode for script in self.scripts.values() for mode in MODE.findall(script)]

    @property
    def development_builds(self) -> list[str]:
        """Scripts that build with NODE_ENV=development."""
        return [name for name, script in self.scripts.items() if DEVELOPMENT.search(script)]


class Packages:
    """The package.json files of a checkout. What is asked for is read; the rest is not."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._manifests: dict[str, Manifest | None] = {}
        self._beside: dict[str, list[str]] | None = None
        # asked for each import of a console, and answered once for each package
        self.bundler = cache(self._bundler)
        self.builds_library = cache(self._builds_library)
        self.knows_guard = cache(self._knows_guard)
        self._owner_of_folder = cache(self._owner)

    def manifest(self, folder: str) -> Manifest | None:
        """The package.json of exactly this folder."""
        if folder not in self._manifests:
            path = f"{folder}/package.json" if folder else "package.json"
            text = self._project.text(path) if path in self._project.paths else None
            try:
                data = json.loads(text.utf8) if text else None
            except (ValueError, RecursionError):
                data = None
            self._manifests[folder] = Manifest(path, data) if isinstance(data, dict) else None
        return self._manifests[folder]

    def above(self, path: str) -> Iterator[Manifest]:
        """The package.json files that a file stands under, the nearest first."""
        for folder in folders_above(path):
            found = self.manifest(folder)
            if found is not None:
                yield found

    def owner(self, path: str) -> Manifest | None:
        """The package that a file belongs to. A bare `{"type": "module"}` is not one."""
        return self._owner_of_folder(parent_of(path))

    def _owner(self, folder: str) -> Manifest | None:
        manifests = list(self.above(f"{folder}/x" if folder else "x"))
        real = (m for m in manifests if m.name or m.scripts or any(m.section(name) for name in SECTIONS))
        return next(real, manifests[0] if manifests else None)

    def declaring(self, path: str, package: str) -> Manifest | None:
        """The nearest package.json above a file that declares a package."""
        return next((manifest for manifest in self.above(path) if manifest.sections_of(package)), None)

    @cached_property
    def all(self) -> list[Manifest]:
        folders = (parent_of(path) for path in self._project.files if path.rpartition("/")[2] == "package.json")
        return [manifest for manifest in map(self.manifest, folders) if manifest is not None]

    def files_beside(self, manifest: Manifest) -> Sequence[str]:
        """The names of the files in the folder of a package.json."""
        if self._beside is None:
            self._beside = {}
            for path in self._project.files:
                folder, _, name = path.rpartition("/")
                self._beside.setdefault(folder, []).append(name)
        return self._beside.get(manifest.folder, [])

    def _bundler(self, manifest: Manifest) -> Bundler | None:
        """What builds this package, where the evidence names exactly one."""
        scripts = " ; ".join(script for name, script in manifest.scripts.items() if BUILD_SCRIPT.search(name))
        names = self.files_beside(manifest)
        declared = {package for section in SECTIONS[:4] for package in manifest.section(section)}
        evidence: tuple[list[Bundler], ...] = (
            [bundler for bundler, pattern in BUILDS.items() if pattern.search(scripts)],
            [bundler for bundler, pattern in CONFIGURATION.items() if any(map(pattern.match, names))],
            [bundler for bundler, packages in DEPENDENCY.items() if declared.intersection(packages)],
        )
        for found in evidence:
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def configuration(self, manifest: Manifest) -> list[str]:
        """The bundler configuration files of a package."""
        patterns = CONFIGURATION.values()
        names = [name for name in self.files_beside(manifest) if any(pattern.match(name) for pattern in patterns)]
        return [f"{manifest.folder}/{name}" if manifest.folder else name for name in names]

    def _builds_library(self, manifest: Manifest) -> bool:
        """Whether vite builds this as a library."""
        for path in self.configuration(manifest):
            text = self._project.text(path)
            if text is not None and b"lib" in text.utf8:
                source = Source(text, language_of(path) or "typescript")
                for node in source.find(re.compile(rb"\b(lib)\b")):
                    block = node.parent.parent.parent if node.parent and node.parent.parent else None
                    if (
                        node.type == "property_identifier"
                        and block is not None
                        and source.code(block).startswith("build")
                    ):
                        return True
        return False

    def _knows_guard(self, manifest: Manifest, bundler: Bundler) -> bool:
        """Whether TypeScript of this package accepts the name that the guard uses."""
        if bundler in ("next", "react-scripts"):
            return True
        if bundler == "webpack" and any(
            "@types/node" in m.section(s) for m in self.above(manifest.path) for s in SECTIONS
        ):
            return True
        wanted = IMPORT_META_TYPES if bundler == "vite" else NODE_TYPES
        return any(wanted.search(self._project.raw(path) or b"") for path in self._typed_files(manifest))

    def _typed_files(self, manifest: Manifest) -> Iterator[str]:
        """The files that could hold the evidence, the likely ones first."""
        prefix = manifest.folder + "/" if manifest.folder else ""
        files = self._project.files
        own = files[bisect_left(files, prefix) : bisect_left(files, prefix + LAST)]
        names = [path for path in own if path.endswith(".d.ts") or TSCONFIG.search(path)]
        for folder in folders_above(manifest.folder + "/x" if manifest.folder else "x"):
            base = f"{folder}/" if folder else ""
            names += [
                path for path in (f"{base}tsconfig.json", f"{base}tsconfig.base.json") if path in self._project.paths
            ]
        yield from names
        yield from (path for path in own if language_of(path) in ("typescript", "tsx") and path not in names)

    def workspace_root(self, manifest: Manifest) -> Manifest:
        """The package whose workspaces this one is listed in, else itself."""
        for folder in folders_above(manifest.folder) if manifest.folder else ():
            above = self.manifest(folder)
            if above is not None and self._lists(above, manifest.folder):
                return above
        return manifest

    def _lists(self, root: Manifest, folder: str) -> bool:
        patterns = self._workspace_patterns(root)
        inside = folder[len(root.folder) :].lstrip("/")
        wanted = any(glob(p).fullmatch(inside) for p in patterns if not p.startswith("!"))
        return wanted and not any(glob(p[1:]).fullmatch(inside) for p in patterns if p.startswith("!"))

    def _workspace_patterns(self, root: Manifest) -> list[str]:
        found = root.data.get("workspaces")
        if isinstance(found, dict):
            found = found.get("packages")
        patterns = list(found) if isinstance(found, list) else []
        path = f"{root.folder}/pnpm-workspace.yaml" if root.folder else "pnpm-workspace.yaml"
        text = self._project.text(path) if path in self._project.paths else None
        if text is not None:
            from perfmod.source.yaml import strings_under

            patterns += strings_under(text, "packages")
        return [str(pattern).removeprefix("./").rstrip("/") for pattern in patterns]

    def lockfiles(self, manifest: Manifest) -> list[str]:
        """The lockfiles that speak of a package: those beside it, else those of its workspace."""
        for owner in dict.fromkeys((manifest.path, self.workspace_root(manifest).path)):
            folder = parent_of(owner)
            paths = [f"{folder}/{name}" if folder else name for name in LOCKFILES]
            found = [path for path in paths if path in self._project.paths]
            if found:
                return found
        return []


def parent_of(path: str) -> str:
    return path.rpartition("/")[0]


def folders_above(path: str) -> Iterator[str]:
    """The folders that hold a path, the nearest first, the root last."""
    while path:
        path = parent_of(path)
        yield path


def glob(pattern: str) -> re.Pattern[str]:
    """A workspace pattern as a regular expression: `*` stays within a folder, `**` does not."""
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern.removeprefix("./").rstrip("/"))
    kinds = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(kinds.get(part, re.escape(part)) for part in parts))
