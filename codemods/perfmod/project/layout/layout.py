"""Where a helper module goes, and how a Python file imports it or another module of the checkout."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from perfmod.project.layout.distributables import Distributables
from perfmod.project.layout.python_files import holds, join, parent
from perfmod.project.layout.root_packages import NoHelper, RootPackage, RootPackages
from perfmod.values import dataclass

if TYPE_CHECKING:
    from perfmod.project import Project

__all__ = ["Helper", "Layout", "NoHelper"]

#: What gives a name to something in a module.
BINDS = (
    rb"^(?:%(word)b[ \t]*[:=]|(?:async[ \t]+)?def[ \t]+%(word)b\b|class[ \t]+%(word)b\b|"
    rb"(?:from|import)\b[^\n]*\b%(word)b\b)"
)


@dataclass(frozen=True, slots=True)
class Helper:
    """A helper module as one file uses it."""

    path: str  #: of the helper, relative to the root
    module: str  #: as the file's import says it: absolute, or with leading dots


class Layout:
    """The import roots of a checkout. Found out per distributable, when they are first asked for."""

    def __init__(self, project: Project) -> None:
        self._distributables = Distributables(project)
        self._root_packages = RootPackages(self._distributables)

    def helper(self, path: str, name: str, *, module: str | None = None) -> Helper | NoHelper:
        """Where the helper module `name` goes for the file `path`. `module` is what the user wants it to be called."""
        file = self._distributables.inner(path)
        package = self._root_packages.of(file)
        if isinstance(package, NoHelper):
            return package
        if module is not None:
            return self._wanted(file, package, module, name)
        for stem in (name, f"{name}_perfmod"):
            if not self._is_taken(package.folder, stem, name):
                return self._helper(file, package, stem)
        return NoHelper(f"helper name taken: neither {name}.py nor {name}_perfmod.py is perfmod's")

    def module_path(self, path: str, module: str) -> str | None:
        """The file of `module` as an import of the file `path` says it, with its dots; None where it is not ours."""
        file = self._distributables.inner(path)
        name = module.lstrip(".")
        if name != module:
            folder = file
            for _ in range(len(module) - len(name)):
                folder = parent(folder)
            return self._module_file(folder, name) if folder else None
        imports = self._distributables.evidence(self._distributables.of(file)).imports(file)
        roots = {root.folder for root in imports.roots if root.top == name.partition(".")[0]}
        return self._module_file(roots.pop(), name) if len(roots) == 1 else None

    def _module_file(self, root: str, name: str) -> str | None:
        files = self._distributables.files
        place = files.resolve(root, name)[1] if name else root
        if name and place != join(root, name.replace(".", "/")):
            return None
        file = f"{place}/__init__.py" if place in files.packages else f"{place}.py"
        return self._distributables.outer(file)

    def import_of(self, path: str, module: str) -> str | None:
        """How the file `path` imports the existing file `module`; None where that is not sure to work."""
        file, place = (self._distributables.inner(p) for p in (path, module))
        place = place.removesuffix(".py").removesuffix("/__init__")
        package = self._root_packages.of(file)
        if isinstance(package, NoHelper):
            return None
        if package.name is None or self._is_relative(file, package):
            within = holds(package.folder, place) and package.folder != place
            return relative_import(file, place) if within else None
        root = package.root or ""
        dotted = place[len(root) :].strip("/").replace("/", ".")
        evidence = self._distributables.evidence(self._distributables.of(file))
        known = {other.top for other in evidence.roots() if other.folder == root} | {package.name.partition(".")[0]}
        if not holds(root, place) or ("." in dotted and dotted.partition(".")[0] not in known):
            return None
        return dotted if all(part.isidentifier() for part in dotted.split(".")) else None

    def _helper(self, file: str, package: RootPackage, stem: str) -> Helper:
        place = join(package.folder, stem)
        path = self._distributables.outer(place) + ".py"
        if package.name is None or self._is_relative(file, package):
            return Helper(path, relative_import(file, place))
        return Helper(path, join(package.name, stem).replace("/", "."))

    def _wanted(self, file: str, package: RootPackage, module: str, template: str) -> Helper | NoHelper:
        """The helper where the option helper-module wants it."""
        name, _, stem = module.rpartition(".")
        root = package.root
        if root is None and package.folder.rpartition("/")[2] == name.partition(".")[0]:
            root = parent(package.folder)
        if root is None:
            return NoHelper(f"no import root: {module} can't be placed")
        folder = join(root, name.replace(".", "/")) if name else root
        if folder not in self._distributables.files.folders:
            return NoHelper(f"helper-module: there is no package {name} here")
        if self._is_taken(folder, stem, template):
            return NoHelper(f"helper-module: {module} is there already, and not perfmod's")
        return self._helper(file, RootPackage(folder, name, root), stem)

    def _is_relative(self, file: str, package: RootPackage) -> bool:
        """Whether every import of its own package is relative in this file, and there is one."""
        imports = self._distributables.evidence(self._distributables.of(file)).imports(file)
        if imports.reach is None or not package.name or not holds(package.folder, parent(file)):
            return False
        return all(root.top != package.name.partition(".")[0] for root in imports.roots)

    def _is_taken(self, folder: str, stem: str, template: str) -> bool:
        """Whether a module of that name is someone else's, or its import would overwrite a name of the package."""
        place = join(folder, stem)
        raw = self._distributables.read(f"{place}.py")
        if raw is not None:
            return not raw.removeprefix(b"\xef\xbb\xbf").startswith(b"# perfmod: %s template" % template.encode())
        if place.casefold() in self._modules:
            return True
        init = self._distributables.read(f"{folder}/__init__.py") or b""
        word = re.escape(stem).encode()
        return re.search(BINDS % {b"word": word}, init, re.MULTILINE) is not None

    @cached_property
    def _modules(self) -> set[str]:
        """Modules and packages in lower case: some file systems do not tell `Tasks.py` from `tasks.py`."""
        files = self._distributables.files
        return {place.casefold() for place in files.modules | files.packages}


def relative_import(file: str, place: str) -> str:
    """The name of a module with leading dots, as a file of the same package says it."""
    folder, dots = parent(file), "."
    while not holds(folder, place) or folder == place:
        folder, dots = parent(folder), dots + "."
    return dots + place[len(folder) + 1 :].replace("/", ".")
