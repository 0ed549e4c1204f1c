"""Rules in words: what their docstrings and their option dataclasses say."""

from __future__ import annotations

import ast
import inspect
import json
import re
import types
from dataclasses import MISSING, Field, fields
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from perfmod.config import check_rules
from perfmod.rule import IGNORE_COMMENT, OWN_RULES, PARSE_ERROR, Rule, load_rule, rule_ids

if TYPE_CHECKING:
    from perfmod.reports import View

HEADINGS = ("What it finds", "Why it matters", "What it changes", "When the fix is unsafe", "Leaves alone")
ABOUT_PARSE_ERROR = """A file that a rule would look at does not parse.

What it finds:
    Files that hold code which a selected rule looks for, but that are no valid text or have a syntax error.

Why it matters:
    perfmod can't tell what such a file does, so it neither checks nor changes it.

Leaves alone:
    All files, always. `--ignore parse-error` hides these findings.
"""
ABOUT_IGNORE_COMMENT = """An ignore comment of perfmod's own is out of date, misspelt, or gives no reason.

What it finds:
    `perfmod: ignore[rule]` and `perfmod: file-ignore[rule]` where the rule ran and finds nothing, where the rule does
    not exist, where the day of `until=YYYY-MM-DD` has passed, and, with `require-reason`, where no reason stands.

Why it matters:
    A comment that silences nothing will silence the next fault that somebody writes there, and nobody will know.

What it changes:
    Removes the comment, or the rules in its brackets that are of no use there; corrects the name of a rule.

Leaves alone:
    Comments for rules that did not run, files that do not parse, and the comments of other linters.
"""
ABOUT = {PARSE_ERROR: ABOUT_PARSE_ERROR, IGNORE_COMMENT: ABOUT_IGNORE_COMMENT}


class Option(NamedTuple):
    """One option of a rule, as the configuration file names it."""

    name: str
    type: str
    default: Any
    doc: str


def list_rules(output_format: str) -> str:
    """Every rule with its title, languages and options."""
    rules = {rule_id: load_rule(rule_id) for rule_id in rule_ids()}
    if output_format == "json":
        return json.dumps([as_json(*rule) for rule in rules.items()], ensure_ascii=False, indent=2) + "\n"
    width = max(map(len, rules), default=0)
    lines = []
    for rule_id, rule in rules.items():
        lines.append(f"{rule_id:{width}}  {title_of(docstring_of(rule))}")
        named = ", ".join(option.name for option in options_of(rule)) or "none"
        lines.append(f"{'':{width}}  {', '.join(rule.languages)}; options: {named}")
    return "".join(line + "\n" for line in lines)


def explain_rule(rule_id: str, view: View) -> str:
    """The documentation of one rule."""
    check_rules((rule_id,), also=OWN_RULES)
    rule = None if rule_id in OWN_RULES else load_rule(rule_id)
    document = document_of(rule_id)
    parts = [f"{heading(rule_id, view)}: {title_of(document)}\n"]
    parts += [f"{heading(name, view)}\n{indent(body, '    ')}\n" for name, body in sections_of(document)]
    if rule is not None:
        parts.append(f"Languages: {', '.join(rule.languages)}\n")
        if options := options_of(rule):
            described = "\n".join(map(describe, options))
            parts.append(f"{heading('Options', view)}, in [rules.{rule_id}] of perfmod.toml\n{described}\n")
    return "\n".join(parts)


def as_json(rule_id: str, rule: type[Rule]) -> dict[str, Any]:
    document = docstring_of(rule)
    return {
        "id": rule_id,
        "title": title_of(document),
        "languages": list(rule.languages),
        "sections": dict(sections_of(document)),
        "options": [option._asdict() for option in options_of(rule)],
    }


def document_of(rule_id: str) -> str:
    """The documentation of a rule, or of what the pipeline itself finds."""
    return ABOUT[rule_id] if rule_id in OWN_RULES else docstring_of(load_rule(rule_id))


def docstring_of(rule: type[Rule]) -> str:
    return inspect.getdoc(rule) or ""


def title_of(document: str) -> str:
    return document.partition("\n")[0]


def sections_of(document: str) -> list[tuple[str, str]]:
    """The headings of a docstring and what stands below each."""
    pattern = re.compile(rf"^({'|'.join(HEADINGS)}):?[ \t]*$", re.MULTILINE)
    _, *pieces = pattern.split(document)
    return [(name, dedent(body.strip("\n")).rstrip()) for name, body in zip(pieces[::2], pieces[1::2], strict=True)]


def options_of(rule: type[Rule]) -> list[Option]:
    """The options of a rule, from the fields of its dataclass."""
    hints = get_type_hints(rule.Options)
    docs = docs_of_fields(rule.Options)
    return [
        Option(field.name.replace("_", "-"), in_words(hints[field.name]), default_of(field), docs.get(field.name, ""))
        for field in fields(rule.Options)
    ]


def default_of(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return list(field.default) if isinstance(field.default, tuple) else field.default
    return None if field.default_factory is MISSING else field.default_factory()


def docs_of_fields(kind: type) -> dict[str, str]:
    """What is written about each field: the string below it, or the `#:` comment above or beside it."""
    try:
        source = dedent(inspect.getsource(kind))
    except OSError:
        return {}
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    lines = source.splitlines()
    docs = {}
    for statement, below in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            doc = comment_of(lines, statement)
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                doc = str(below.value.value)
            docs[statement.target.id] = " ".join(doc.split())
    return docs


def comment_of(lines: list[str], statement: ast.AnnAssign) -> str:
    _, beside, comment = lines[(statement.end_lineno or statement.lineno) - 1].partition("  #: ")
    if beside:
        return comment
    above = []
    for line in reversed(lines[: statement.lineno - 1]):
        if not line.strip().startswith("#:"):
            break
        above.append(line.strip().removeprefix("#:"))
    return " ".join(reversed(above))


def in_words(hint: Any) -> str:
    """A type as someone who writes TOML would say it."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(in_words(arm) for arm in get_args(hint) if arm is not type(None))
    if get_origin(hint) is Literal:
        return " | ".join(f'"{choice}"' for choice in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {in_words(get_args(hint)[0])}s"
    return {str: "string", bool: "true or false", int: "whole number", float: "number"}.get(hint, str(hint))


def describe(option: Option) -> str:
    from textwrap import fill

    default = "unset" if option.default is None else toml(option.default)
    head = f"    {option.name} ({option.type}; default: {default})"
    return head + "\n" + fill(option.doc, 100, initial_indent=" " * 8, subsequent_indent=" " * 8)


def toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def heading(text: str, view: View) -> str:
    from perfmod.reports.colors import BOLD, paint

    return paint(text, BOLD) if view.color else text
