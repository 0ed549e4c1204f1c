"""SQL text to statements: comments, quotes and dollar quotes, and the lists in them. PostgreSQL's lexical rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from perfmod.patterns import pattern
from perfmod.values import dataclass

# What psql, pg_dump and migration tools add to SQL.
COPY_DATA = pattern(
    r"^COPY\s[^;]{0,1500}?\bFROM\s+stdin\b[^;]{0,1000};[^\n]*\n.*?(?:^\\\.[ \t\r]*$|\Z)", re.I | re.M | re.S
)
PSQL = pattern(r"^\\[^\n]*", re.M)
DOWN = pattern(
    r"^[ \t]*--[ \t]*(?:\+goose[ \t]+down|migrate:down|\+migrate[ \t]+down|-+[ \t]*create above / drop below)",
    re.I | re.M,
)

TOKEN = pattern(
    r"""(?P<comment>--[^\n]*)
      | (?P<block>/\*)
      | (?P<string>\b[eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*')
      | (?P<quoted>"(?:""|[^"])*")
      | (?P<dollar>(?<![\w$])\$(?P<tag>[A-Za-z_]\w*)?\$)
      | (?P<end>;)""",
    re.X | re.S,
)
NESTED = pattern(r"/\*|\*/")
LONGEST = 63  # bytes of a name, in PostgreSQL as it is built everywhere
IDENTIFIER = r'(?:"(?:""|[^"])+"|[^\W\d][\w$]*)'
NAME = rf"{IDENTIFIER}(?:\s*\.\s*{IDENTIFIER})?"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `code` and `mask` are as long as each other; the mask hides what stands in strings."""

    line: int
    code: str  #: without comments
    mask: str  #: the same, strings and dollar-quoted bodies blank
    bodies: tuple[str, ...] = ()  #: what stands in dollar quotes


def statements(sql: str) -> Iterator[Statement]:
    """The statements of a file, in order."""
    sql = blank(COPY_DATA, blank(PSQL, sql) if not COPY_DATA.search(sql) else sql)
    sql = blank(PSQL, sql)
    down = DOWN.search(sql)
    sql = sql[: down.start()] if down else sql
    code: list[str] = []
    mask: list[str] = []
    bodies: list[str] = []
    start = position = 0
    line = 1

    def finish(end: int) -> Iterator[Statement]:
        nonlocal line, start
        text = "".join(code)
        lead = len(text) - len(text.lstrip())
        if text.strip():
            yield Statement(
                line + sql.count("\n", start, start + lead), text[lead:], "".join(mask)[lead:], tuple(bodies)
            )
        line += sql.count("\n", start, end)
        start = end
        for pieces in (code, mask, bodies):
            pieces.clear()

    while (token := TOKEN.search(sql, position)) is not None:
        plain = sql[position : token.start()]
        code.append(plain)
        mask.append(plain)
        end = token.end()
        text = token[0]
        if token["end"]:
            yield from finish(end)
        elif token["comment"] or token["block"]:
            end = end if token["comment"] else end_of_comment(sql, end)
            hidden = hide(sql[token.start() : end])
            code.append(hidden)
            mask.append(hidden)
        elif token["dollar"]:
            close = sql.find(text, end)
            body_end = close if close >= 0 else len(sql)
            bodies.append(sql[end:body_end])
            end = min(len(sql), body_end + len(text))
            code.append(sql[token.start() : end])
            mask.append(hide(sql[token.start() : end]))
        else:
            code.append(text)
            mask.append(hide(text) if token["string"] else text)
        position = end
    code.append(sql[position:])
    mask.append(sql[position:])
    yield from finish(len(sql))


def blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with what matches turned into spaces, lines kept."""
    return pattern.sub(lambda match: hide(match[0]), text)


def hide(text: str) -> str:
    return "".join("\n" if letter == "\n" else " " for letter in text)


def end_of_comment(sql: str, position: int) -> int:
    """Where a block comment ends that begins before `position`: they nest."""
    depth = 1
    for match in NESTED.finditer(sql, position):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(sql)


def parenthesised(code: str, mask: str, position: int) -> tuple[int, int] | None:
    """The inside of the next pair of parentheses at or after `position`."""
    depth, start = 0, -1
    for match in re.finditer(r'"(?:""|[^"])*"|[()]', mask[position:]):
        if match[0] == "(":
            depth += 1
            if depth == 1:
                start = position + match.end()
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return start, position + match.start()
    return None


def split_list(code: str, mask: str) -> list[str]:
    """The parts between commas that stand in no parentheses, brackets or strings."""
    parts, depth, start = [], 0, 0
    for match in re.finditer(r'"(?:""|[^"])*"|[()\[\],]', mask):
        if match[0] in "([":
            depth += 1
        elif match[0] in ")]":
            depth -= 1
        elif match[0] == "," and depth == 0:
            parts.append(code[start : match.start()])
            start = match.end()
    parts = [part.strip() for part in [*parts, code[start:]]]
    return parts if any(parts) else []


def identifier(text: str) -> str:
    """The name that an identifier stands for: unquoted ones are folded to lower case (ASCII only), long ones cut."""
    if text.startswith('"'):
        name = text[1:-1].replace('""', '"')
    else:
        name = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return name.encode()[:LONGEST].decode(errors="ignore")


def qualified(text: str) -> tuple[str | None, str]:
    """(schema, name) of a possibly qualified name."""
    parts = [identifier(part) for part in re.findall(IDENTIFIER, text)]
    return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])
