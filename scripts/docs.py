"""Run by scripts/docs: a page for each rule, and their index."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from perfmod.explain import document_of, options_of, sections_of, title_of, toml
from perfmod.model import Change
from perfmod.reports.markdown import NO_MENTION, code, escaped
from perfmod.reports.patch import patch_of
from perfmod.rule import OWN_RULES, load_rule, rule_ids

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "rules"
FIXTURES = ROOT / "fixtures"
MADE = "<!-- Made by scripts/docs: change the rule's docstring or its fixture `basic`, then run it again. -->"


def pages() -> dict[str, str]:
    """The text of every file in docs/rules, by name."""
    rules = (*rule_ids(), *OWN_RULES)
    return {"README.md": index(rules)} | {f"{rule}.md": page(rule) for rule in rules}


def index(rules: tuple[str, ...]) -> str:
    lines = [MADE, "", "# Rules", "", "| rule | what it is about | languages |", "| --- | --- | --- |"]
    for rule in rules:
        languages = "every" if rule in OWN_RULES else ", ".join(load_rule(rule).languages)
        lines.append(f"| [{rule}]({rule}.md) | {sentence(title_of(document_of(rule)))} | {languages} |")
    return "\n".join([*lines, ""])


def page(rule: str) -> str:
    document = document_of(rule)
    lines = [MADE, "", f"# {rule}", "", sentence(title_of(document)), ""]
    for name, body in sections_of(document):
        lines += [f"## {name}", "", *paragraphs(body), ""]
    if rule not in OWN_RULES:
        lines += [*options(rule), *example(rule)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def paragraphs(body: str) -> Iterator[str]:
    """A section: what is indented is code, all else are sentences."""
    for paragraph in re.split(r"\n[ \t]*\n", body):
        if all(line.startswith("    ") for line in paragraph.splitlines()):
            yield paragraph
        elif re.match(r"\s*[-*] ", paragraph):
            yield "\n".join(
                f"- {sentence(' '.join(item.split()))}" for item in re.split(r"(?m)^\s*[-*] ", paragraph)[1:]
            )
        else:
            yield sentence(" ".join(paragraph.split()))
        yield ""


def sentence(text: str) -> str:
    """Markdown of a text in which only backticks mean something."""
    return escaped(text).replace(NO_MENTION, "@")


def options(rule: str) -> Iterator[str]:
    if not (known := options_of(load_rule(rule))):
        return
    yield from (
        "## Options",
        "",
        f"In `[rules.{rule}]` of perfmod.toml, or `[tool.perfmod.rules.{rule}]` of pyproject.toml:",
    )
    yield from ("", "| option | type | default | meaning |", "| --- | --- | --- | --- |")
    for option in known:
        default = "unset" if option.default is None else code(toml(option.default))
        yield f"| {code(option.name)} | {sentence(option.type)} | {default} | {sentence(option.doc)} |"
    yield ""


def example(rule: str) -> Iterator[str]:
    """The `basic` fixture as what perfmod prints and a diff; helper modules are only named."""
    case = FIXTURES / rule / "basic"
    if not case.is_dir():
        return
    option = " --unsafe-fixes" if (case / "unsafe").exists() else ""
    yield from ("## Example", "", "`perfmod check --output-format concise` says:", "")
    yield from (fenced("text", (case / "findings.txt").read_text()), "", f"`perfmod apply{option}` changes:", "")
    after = sorted(path for path in (case / "after").rglob("*") if path.is_file())
    changes = [change_of(case, path) for path in after]
    yield fenced("diff", "".join(patch_of(c).decode("utf-8", "replace") for c in changes if c.before is not None))
    for change in changes:
        if change.before is None:
            place = f"../../fixtures/{rule}/basic/after/{change.path}"
            yield from ("", f"and creates [{change.path}]({place}).")
    yield ""


def change_of(case: Path, after: Path) -> Change:
    name = after.relative_to(case / "after").as_posix()
    before = case / "before" / name
    return Change(name, before.read_bytes() if before.exists() else None, after.read_bytes())


def fenced(language: str, text: str) -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    body = text.removesuffix("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def stale(made: dict[str, str]) -> list[str]:
    """The names of files that are not as they should be, or should not be there."""
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: scripts/docs [--check]", file=sys.stderr)
        return 2
    made = pages()
    names = stale(made)
    if arguments:
        for name in names:
            print(f"docs/rules/{name} is stale: run scripts/docs", file=sys.stderr)
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in made:
            (FOLDER / name).write_text(made[name], "utf-8")
        else:
            (FOLDER / name).unlink()
        print(f"{'wrote' if name in made else 'removed'} docs/rules/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
