"""Whether a file may hold a read: told from its bytes, before anything is imported that parses."""

from __future__ import annotations

from perfmod.needles import places
from perfmod.patterns import pattern

#: a mode in which nothing is read
WRITING = rb"(?:mode\s*=\s*)?[\"'][rbtU]*[wax+][rbtU+]*[\"']"
#: what a call that reads begins with, and what has to stand there; a search for plain bytes is ten times as fast
CALLS = (
    (
        b"open",
        pattern(
            rb"(?:(?<![\w.])open\s*\((?!%b)|(?<=\.)(?<!os\.)(?<!aiofiles\.)(?<!\bImage\.)open\s*\((?!%b))"
            % (rb"[^()\n]*,\s*" + WRITING, WRITING)
        ),
    ),
    (
        b"read_",
        pattern(
            rb"\bread_(?:text|bytes|binary|csv|json|excel|parquet|pickle|feather|table|fwf|orc|xml|stata|sas|yaml)\s*\("
        ),
    ),
    (b"open_", pattern(rb"\bopen_(?:text|binary)\s*\(")),
    (b"get_data", pattern(rb"\bget_data\s*\(")),
    (b"loadtxt", pattern(rb"\bloadtxt\s*\(")),
    (b"genfromtxt", pattern(rb"\bgenfromtxt\s*\(")),
    (b"fromfile", pattern(rb"\bfromfile\s*\(")),
    (b"getlines", pattern(rb"\bgetlines\s*\(")),
    (b".load", pattern(rb"(?:(?<=\bnp)|(?<=\bnumpy)|(?<=\btoml)|(?<=\bjoblib)|(?<=\btorch))\.load\s*\(")),
)
TESTS = pattern(r"(?:^|/)(?:_?tests?|testing|testdata|pytest)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py\Z")


def may_read(data: bytes) -> bool:
    """Whether a Python file may hold a read."""
    return any(call.match(data, start) for word, call in CALLS for start in places(data, word))


def is_test(path: str) -> bool:
    return TESTS.search(path) is not None
