"""Rules in words, from their docstrings and option dataclasses."""

from __future__ import annotations


def list_rules(output_format: str) -> str:
    return ""


def explain_rule(rule: str, view: object) -> str:
    return ""
