"""Run by scripts/schema: the JSON schema of perfmod.toml and [tool.perfmod]."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from perfmod.config import Settings
from perfmod.explain import default_of, docs_of_fields, docstring_of, title_of
from perfmod.rule import OWN_RULES, load_rule, rule_ids

FILE = Path(__file__).resolve().parent.parent / "docs" / "perfmod.schema.json"
EXTEND = {"type": "string", "description": "a configuration file whose settings hold where this one says nothing"}


def schema() -> dict[str, Any]:
    properties = table(Settings, skip=("rules",))["properties"]
    for name in ("select", "ignore"):
        properties[name]["items"] = {"$ref": "#/$defs/rule"}
    properties["per-file-ignores"]["additionalProperties"]["items"] = {"$ref": "#/$defs/rule"}
    tables = {rule: {**table(load_rule(rule).Options), "description": title(rule)} for rule in rule_ids()}
    properties["rules"] = {
        "type": "object",
        "description": "the options of rules",
        "properties": tables,
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "perfmod.toml, or [tool.perfmod] of pyproject.toml",
        "type": "object",
        "properties": {"extend": EXTEND, **properties},
        "additionalProperties": False,
        "$defs": {"rule": {"enum": [*rule_ids(), *OWN_RULES]}},
    }


def title(rule: str) -> str:
    return title_of(docstring_of(load_rule(rule)))


def table(kind: type, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """A dataclass as a table of TOML."""
    hints, docs = get_type_hints(kind), docs_of_fields(kind)
    properties = {}
    for field in fields(kind):
        if field.name not in skip:
            default = default_of(field)
            said = {} if default is None else {"default": default}
            properties[field.name.replace("_", "-")] = {
                "description": docs.get(field.name, ""),
                **type_of(hints[field.name]),
                **said,
            }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def type_of(hint: Any) -> dict[str, Any]:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return type_of(next(arm for arm in get_args(hint) if arm is not type(None)))
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is tuple:
        return {"type": "array", "items": type_of(get_args(hint)[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": type_of(get_args(hint)[1])}
    return {"type": {str: "string", bool: "boolean", int: "integer", float: "number"}[hint]}


def main() -> int:
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    stale = not FILE.exists() or FILE.read_text("utf-8") != text
    if "--check" not in sys.argv:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text, "utf-8")
        return 0
    if stale:
        print("docs/perfmod.schema.json is stale: run scripts/schema", file=sys.stderr)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
