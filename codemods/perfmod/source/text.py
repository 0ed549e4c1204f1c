"""Bytes to text and back: byte order marks, PEP 263 cookies, UTF-16. A file is decoded once."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate, count
from operator import add

from perfmod.patterns import pattern
from perfmod.values import dataclass

# PEP 263: the cookie stands in a comment of one of the first two lines; the first may only be a comment or blank.
COOKIE = pattern(rb"\A(?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Decoding them takes the square of the length.
FOR_HOST_NAMES = frozenset({"idna", "punycode"})


class Unreadable(Exception):
    """The bytes of a file are no text. The message says why, in words for the user."""


@dataclass(frozen=True)
class Text:
    """The text of one file: `utf8` is what is parsed and what spans count in."""

    path: str
    utf8: bytes
    encoding: str = "utf-8"
    mark: bytes = b""  #: the byte order mark that the file begins with

    @classmethod
    def decode(cls, path: str, raw: bytes) -> Text:
        """The text of a file's bytes. Raises Unreadable where they are binary or not in the declared encoding."""
        mark, encoding = next(((m, e) for m, e in MARKS if raw.startswith(m)), (b"", "utf-8"))
        body = raw[len(mark) :]
        if path.endswith((".py", ".pyi")):
            if encoding != "utf-8":
                raise Unreadable("UTF-16, which Python does not read")
            if not mark and (cookie := COOKIE.match(body)):
                encoding = cookie[1].decode("ascii")
        try:
            name = codecs.lookup(encoding).name
            if name in FOR_HOST_NAMES:
                raise LookupError("an encoding of host names")
            text = body.decode(name)
        except (LookupError, UnicodeError) as error:
            raise Unreadable(f"not valid {encoding} text ({error})") from None
        if "\0" in text:
            raise Unreadable("holds NUL bytes: a binary file, or UTF-16 without a byte order mark")
        utf8 = body if name == "utf-8" else text.encode("utf-8", "surrogatepass")
        if name != "utf-8" and text.encode(name) != body:
            raise Unreadable(f"does not survive a round trip through {encoding}")
        return cls(path, utf8, name, mark)

    def encode(self, utf8: bytes) -> bytes:
        """The bytes on disk of a new text of this file. Raises UnicodeEncodeError where its encoding lacks a letter."""
        return self.mark + (utf8 if self.encoding == "utf-8" else utf8.decode().encode(self.encoding))

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = map(len, self.utf8.split(b"\n")[:-1])  # a third of the time of going through the line ends
        return [0, *map(add, accumulate(lengths), count(1))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset, both from 1; columns count characters."""
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return line, len(self.utf8[start:offset].decode("utf-8", "replace")) + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1) without its line end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.utf8)
        return self.utf8[start:end].decode("utf-8", "replace").rstrip("\r\n")

    @property
    def line_count(self) -> int:
        return len(self._line_starts)

    @property
    def newline(self) -> str:
        """The line end that the file uses: that of its first line."""
        first = self.utf8.find(b"\n")
        return "\r\n" if first > 0 and self.utf8[first - 1] == 0x0D else "\n"

    def slice(self, start: int, end: int) -> str:
        return self.utf8[start:end].decode()
