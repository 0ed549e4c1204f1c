"""Where a file loads a debug console."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.source.consoles.facts import ConsoleAddress, ConsoleImport, ConsoleInBundler
from perfmod.source.consoles.gating import gate
from perfmod.source.embedded import elements, scripts
from perfmod.source.script.imports import Import, imports, is_shipped, outside_effect, package_of
from perfmod.source.script.reach import place_of
from perfmod.source.tree import GRAMMARS, Source, ancestors

BUNDLER_FILE = pattern(r"(?:\A|/)(?:(?:vite|webpack|rollup|rspack|next|craco)[\w.-]*|config-overrides)\.[cm]?[jt]s\Z")


def console_name(specifier: str, packages: frozenset[str]) -> str | None:
    """The console package that a specifier loads. eruda has plugins of its own name: eruda-code, eruda-dom."""
    package = package_of(specifier)
    return package if package in packages or package.startswith("eruda-") else None


def needles(packages: frozenset[str]) -> re.Pattern[bytes]:
    words = b"|".join(re.escape(name.encode()) for name in sorted(packages, reverse=True))
    return re.compile(rb"[\"'`](?:" + words + rb")[^\"'`\n]*[\"'`]")


def addresses(packages: frozenset[str]) -> re.Pattern[bytes]:
    words = b"|".join(re.escape(name.encode()) for name in sorted(packages, reverse=True))
    return re.compile(rb"//(?=[^\s/])[^\s\"'`<>]{1,200}/((?:" + words + rb"))(?=[@/.\"'`]|$)[^\s\"'`<>]*")


def console_facts(
    source: Source, packages: frozenset[str]
) -> Iterator[ConsoleImport | ConsoleAddress | ConsoleInBundler]:
    """Everything that one file says about consoles."""
    is_console: Callable[[str], bool] = lambda s: console_name(s, packages) is not None  # noqa: E731
    if source.language == "html" or source.language not in GRAMMARS:
        yield from script_elements(source, packages)
        for script in scripts(source.text, source):
            for found in imports(script, needles(packages), is_console):
                yield fact_of(found, packages, is_console, embedded=True, alone=False)
        return
    if BUNDLER_FILE.search(source.path):
        for node in source.find(needles(packages)):
            string = string_at(node)
            if string is not None and string.parent is not None and string.parent.type != "import_statement":
                yield ConsoleInBundler(source.path, package_of(source.code(string)[1:-1]))
    if not is_shipped(source.path):
        return
    all_found = list(imports(source, needles(packages), is_console))
    alone = any(found.kind == "static" for found in all_found) and does_nothing_else(source, all_found, is_console)
    for found in all_found:
        yield fact_of(found, packages, is_console, embedded=False, alone=alone)
    for match in addresses(packages).finditer(source.utf8):
        held = source.root.descendant_for_byte_range(match.start(), match.end())
        string = string_at(held) if held is not None else None
        if string is not None:
            yield ConsoleAddress(source.path, source.span(string), match[1].decode(), place_of(source, string))


def fact_of(
    found: Import, packages: frozenset[str], is_console: Callable[[str], bool], *, embedded: bool, alone: bool
) -> ConsoleImport:
    source = found.source
    package = console_name(found.specifier, packages) or found.specifier
    gating = gate(found, is_console)
    return ConsoleImport(
        source.path, source.span(found.node), package, found.kind, found.place, gating, alone, embedded
    )


def script_elements(source: Source, packages: frozenset[str]) -> Iterator[ConsoleAddress]:
    for element, attributes, _ in elements(source.text):
        match = addresses(packages).search(b"//" + attributes.get("src", "").encode().lstrip(b"/"))
        if match is not None:
            yield ConsoleAddress(source.path, source.span(element), match[1].decode(), None)


def string_at(node: Node) -> Node | None:
    """The string that a node is, or is part of. Comments and JSX text are none."""
    kinds = ("string", "template_string")
    return next((n for n in (node, *ancestors(node)) if n.type in kinds), None) if "comment" not in node.type else None


def does_nothing_else(source: Source, found: list[Import], is_console: Callable[[str], bool]) -> bool:
    """Whether a module only starts consoles: no other import, no other statement with an effect."""
    own = {statement.node.start_byte for statement in found}
    names = frozenset(name.local for statement in found for name in statement.names)
    for statement in source.root.named_children:
        if statement.type == "comment" or statement.start_byte in own:
            continue
        value = statement.child_by_field_name("value")
        handed_on = statement.type == "export_statement" and value is not None and value.type == "identifier"
        plain = statement.type in ("expression_statement", "lexical_declaration", "empty_statement")
        if not handed_on and (not plain or outside_effect(source, statement, names, is_console) is not None):
            return False
    return True
