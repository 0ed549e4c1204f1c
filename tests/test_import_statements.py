"""Import statements are found from their word as they are found by the pattern alone."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from perfmod.project.layout.import_roots import IMPORT, import_statements

PIECES = st.sampled_from(
    [
        "import",
        "from",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "a",
        "a.b",
        ".",
        "..",
        "(",
        ")",
        ",",
        "as",
        "#",
        "importing",
        "*",
        ";",
        '"',
    ]
)


@settings(max_examples=2_000)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_all_are_found_and_nothing_else(text: str) -> None:
    data = b"\n" + text.encode()
    assert list(import_statements(data)) == IMPORT.findall(data)


def test_a_line_may_be_long() -> None:
    begun = time.process_time()
    assert list(import_statements(b"\nx" + b" import" * 200_000)) == []
    assert time.process_time() - begun < 1
