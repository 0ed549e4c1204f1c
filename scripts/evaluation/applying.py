"""What `perfmod apply` and `perfmod diff` make of a checkout: whole, importable, stable, and accepted by git."""

import ast
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evaluation.checkouts import JSON, Checkout, Command, ToolError, Tools, files, parse, perfmod_command, run
from evaluation.reports import Checks


def check_apply(checkout: Checkout, tools: Tools, rule: str) -> Checks:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / checkout.name
        shutil.copytree(checkout.folder, folder, symlinks=True)
        apply = perfmod_command(tools, rule, "apply", "--unsafe-fixes", "--allow-dirty", JSON)
        try:
            return list(apply_twice(apply, Checkout(checkout.name, folder, checkout.installed), checkout.folder))
        except (ToolError, ValueError) as error:
            return [(False, f"perfmod apply runs: {error}")]


def apply_twice(apply: Command, copy: Checkout, original: Path) -> Iterator[tuple[bool, str]]:
    before = hashes(copy.folder)
    first, after = run(apply, copy.folder), hashes(copy.folder)
    second, again = run(apply, copy.folder), hashes(copy.folder)
    changed = sorted(path for path in after if path.endswith(".py") and after[path] != before.get(path))

    findings = json.loads(first.stdout)["findings"]
    fixable = [each for each in findings if each["safety"] != "manual" and not each["suppressed"]]
    unfixed = [f"{each['path']}:{each['line']}" for each in fixable if not each["applied"]]
    broken = [path for path in changed if parse(original / path) and not parse(copy.folder / path)]
    lost = sorted(before.keys() - after.keys())
    unresolved = [line for path in changed for line in unresolved_imports(copy, original, path)]
    moved = sorted(path for path in again.keys() | after.keys() if again.get(path) != after.get(path))
    codes = f"{first.returncode} and {second.returncode}"
    yield not unfixed, said(f"all {len(fixable)} fixes are applied, in {len(changed)} files", unfixed)
    yield not broken and not lost, said("every changed file still parses, none is lost", broken + lost)
    yield not unresolved, said("every inserted import resolves to a file of the checkout", unresolved)
    yield not moved and first.returncode == second.returncode, said(f"a second run changes nothing ({codes})", moved)


def hashes(folder: Path) -> dict[str, str]:
    paths = [path for path in files(folder, "*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def unresolved_imports(copy: Checkout, original: Path, path: str) -> Iterator[str]:
    old, new = parse(original / path), parse(copy.folder / path)
    present = set(imports(old)) if old else set()
    roots = [copy.folder] if copy.installed else import_roots(copy.folder, path, present)
    for module, name in sorted(set(imports(new)) - present) if new else ():
        if not resolves(module, name, (copy.folder / path).parent, roots):
            yield f"{path}: from {module} import {name}"


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) of every import, without the standard library; relative modules keep their dots."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, str]] = []
        if isinstance(node, ast.ImportFrom):
            pairs = [("." * node.level + (node.module or ""), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            pairs = [(alias.name, "") for alias in node.names]
        yield from (pair for pair in pairs if pair[0].split(".")[0] not in sys.stdlib_module_names)


def import_roots(root: Path, path: str, present: set[tuple[str, str]]) -> list[Path]:
    """The folders above a file from which its own imports resolve, or all of them where it has none."""
    above = [root / parent for parent in Path(path).parents]
    absolute = [module.replace(".", "/") for module, _ in present if module[:1] != "."]
    proved = [at for at in above if any((at / each).is_dir() or (at / f"{each}.py").exists() for each in absolute)]
    return proved or above


def resolves(module: str, name: str, here: Path, roots: list[Path]) -> bool:
    """The module is a file below a root, and that file binds the name."""
    dots = len(module) - len(module.lstrip("."))
    starts = [here.joinpath(*[".."] * (dots - 1))] if dots else roots
    targets = [start.joinpath(*filter(None, module.split("."))) for start in starts]
    places = [place for at in targets for place in (at.parent / f"{at.name}.py", at / "__init__.py", at / f"{name}.py")]
    return any(place.is_file() and (not name or place.stem == name or binds(place, name)) for place in places)


def binds(path: Path, name: str) -> bool:
    nodes = ast.walk(parse(path) or ast.Module([], []))
    return any(name in (getattr(node, "asname", None), getattr(node, "name", None)) for node in nodes)


def write_diff(checkout: Checkout, tools: Tools, rule: str, folder: Path) -> Checks:
    """Writes the patch in bytes, because files end their lines and are encoded in many ways."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder.resolve() / f"{checkout.name}-{rule}.patch"
    diff = perfmod_command(tools, rule, "diff", "--unsafe-fixes", "--output-format=patch")
    done = subprocess.run(diff, cwd=checkout.folder, capture_output=True)
    place.write_bytes(done.stdout)
    accepts = ("git", "apply", "--check", place)
    fits = not done.stdout or subprocess.run(accepts, cwd=checkout.folder, capture_output=True).returncode == 0
    return [(done.returncode in (0, 1) and fits, "git accepts the patch of perfmod diff")]


def said(sentence: str, faults: list[str]) -> str:
    return f"{sentence}; not so: {', '.join(faults[:5])}" if faults else sentence
