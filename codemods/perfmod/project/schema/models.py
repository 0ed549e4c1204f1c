"""Tables from object-relational mappers: Prisma schemas and Drizzle's pgTable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tree_sitter import Node

from perfmod.patterns import pattern
from perfmod.project.schema.definition import Definition, Table
from perfmod.project.web.modules import ScriptModules
from perfmod.source.script.names import binding_of, imported_from, plain, string_value
from perfmod.source.tree import Source

if TYPE_CHECKING:
    from perfmod.project import Project

POSTGRES = pattern(r"\bprovider\s*=\s*\"(?:postgresql|postgres|cockroachdb)\"")
MODEL = pattern(r"^[ \t]*(?P<kind>model|view)\s+(?P<name>\w+)\s*\{(?P<body>.*?)^[ \t]*\}", re.M | re.S)
FIELD = pattern(r"[ \t]*(?P<name>\w+)[ \t]+(?P<type>\w+)(?P<many>\[\])?\??[ \t]*(?P<rest>[^\n]*)")
MAP = pattern(r"(?<!@)@map\(\s*(?:name:\s*)?\"([^\"]+)\"")
TABLE_MAP = pattern(r"@@map\(\s*(?:name:\s*)?\"([^\"]+)\"")
TABLE_SCHEMA = pattern(r"@@schema\(\s*\"([^\"]+)\"")
COMMENT = pattern(r"//[^\n]*")
PG_TABLE = pattern(rb"\b(pgTable)\s*\(")
COLUMN_KEY = pattern(r"[a-z_][a-z0-9_]*\Z")


def prisma_definitions(project: Project) -> Iterator[Definition]:
    """The tables of every Prisma schema for PostgreSQL."""
    paths = [path for path in project.files if path.endswith(".prisma")]
    texts = {path: read.utf8.decode() for path in paths if (read := project.text(path)) is not None}
    if not any(POSTGRES.search(text) for text in texts.values()):
        return
    models = {match["name"] for text in texts.values() for match in MODEL.finditer(text)}
    for path, text in texts.items():
        for match in MODEL.finditer(text):
            body = COMMENT.sub("", match["body"])
            name, schema = TABLE_MAP.search(body), TABLE_SCHEMA.search(body)
            table = Table(name[1] if name else match["name"], schema[1] if schema else "public")
            columns = tuple(prisma_columns(body, models))
            yield Definition(table, "prisma", path, text.count("\n", 0, match.start("name")) + 1, columns, path)


def prisma_columns(body: str, models: set[str]) -> Iterator[str]:
    """The columns of a model: relation fields are none."""
    for line in body.splitlines():
        field = FIELD.match(line)
        if field is None or field["type"] in models or (field["type"] == "Unsupported" and "(" not in line):
            continue
        renamed = MAP.search(field["rest"])
        yield renamed[1] if renamed else field["name"]


def drizzle_definitions(files: Sequence[str], modules: ScriptModules) -> Iterator[Definition]:
    """The tables that `pgTable('name', {...})` declares in these files."""
    for path in files:
        source = modules.source(path)
        for name in source.find(PG_TABLE) if source is not None else ():
            found = drizzle_table(source, name) if source is not None else None
            if found is not None:
                yield found


def drizzle_table(source: Source, name: Node) -> Definition | None:
    """The table of one pgTable call of drizzle's own function."""
    call = name.parent
    bound = binding_of(source, name) if name.type == "identifier" else None
    origin = imported_from(source, bound) if bound is not None and bound.kind == "import" else None
    if call is None or call.type != "call_expression" or origin is None or not origin[0].startswith("drizzle-orm"):
        return None
    given = call.child_by_field_name("arguments")
    arguments = [child for child in given.named_children if child.type != "comment"] if given is not None else []
    table = string_value(source, arguments[0]) if arguments else None
    if table is None or len(arguments) < 2:
        return None
    line = call.start_point[0] + 1
    columns: list[str] = []
    problem = None if arguments[1].type == "object" else "its columns are computed"
    for pair in arguments[1].named_children if problem is None else ():
        if pair.type == "comment":
            continue
        column = drizzle_column(source, pair)
        if column is None:
            problem = f"can't read `{source.code(pair).splitlines()[0]}`"
            break
        columns.append(column)
    return Definition(Table(table), "drizzle", source.path, line, tuple(columns), source.path, problem)


def drizzle_column(source: Source, pair: Node) -> str | None:
    """The column of one property: the string in its first call, else the key where it is in small letters."""
    key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
    if key is None or value is None:
        return None
    call = plain(value)
    while call.type == "call_expression" and (function := call.child_by_field_name("function")) is not None:
        inner = function.child_by_field_name("object") if function.type == "member_expression" else None
        if inner is None or plain(inner).type != "call_expression":
            break
        call = plain(inner)
    given = call.child_by_field_name("arguments") if call.type == "call_expression" else None
    if given is None:
        return None
    first = next((child for child in given.named_children if child.type != "comment"), None)
    named = string_value(source, first) if first is not None else None
    if named is not None:
        return named
    text = source.code(key).strip("'\"")
    return text if (first is None or first.type == "object") and COLUMN_KEY.match(text) else None
