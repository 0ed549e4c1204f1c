"""Bytes to text and back."""

from __future__ import annotations

import codecs

import pytest

from perfmod.source.text import Text, Unreadable

ROUND_TRIPS = {
    "utf-8": "é = 1\r\n".encode(),
    "a byte order mark": codecs.BOM_UTF8 + "é = 1\n".encode(),
    "latin-1 with a cookie": "# -*- coding: latin-1 -*-\né = 1\n".encode("latin-1"),
    "a cookie in the second line": b"#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n",
    "form feeds and tabs": b"\x0c\nif x:\n\ty = 1\x0c\n",
    "no newline at the end": b"x = 1",
    "lone carriage returns": b"x = 1\ry = 2\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("raw", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_an_unchanged_text_gives_the_same_bytes(raw: bytes) -> None:
    text = Text.decode("a.py", raw)
    assert text.encode(text.utf8) == raw


def test_utf_16_is_read_where_typescript_is_written_in_it() -> None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        raw = mark + "type A = 'é'\r\n".encode(encoding)
        text = Text.decode("a.ts", raw)
        assert text.utf8.decode() == "type A = 'é'\r\n"
        assert text.encode(text.utf8) == raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (codecs.BOM_UTF16_LE + "x = 1".encode("utf-16-le"), "UTF-16"),
        (b"x = '\xff'", "not valid utf-8"),
        (b"# coding: nonsense\n", "not valid nonsense"),
        (b"# coding: utf-8\nx = '\xff'", "not valid utf-8"),
        (b"x = 1\0", "NUL"),
    ],
)
def test_what_is_no_python_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        Text.decode("a.py", raw)


def test_a_cookie_below_code_is_none() -> None:
    assert Text.decode("a.py", b"x = 1\n# coding: latin-1\n").encoding == "utf-8"


def test_positions_count_characters_from_one() -> None:
    text = Text.decode("a.py", "é = 1\r\n  ü()\n".encode())
    assert text.position(text.utf8.index(b"=")) == (1, 3)
    assert text.position(text.utf8.index("ü".encode())) == (2, 3)
    assert [text.line(number) for number in (1, 2, 3)] == ["é = 1", "  ü()", ""]
    assert text.newline == "\r\n"


def test_a_letter_that_the_encoding_lacks_is_an_error() -> None:
    text = Text.decode("a.py", b"# coding: latin-1\n")
    with pytest.raises(UnicodeEncodeError):
        text.encode("# coding: latin-1\nx = '€'\n".encode())
