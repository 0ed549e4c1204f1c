"""Whether a file may hold a read: told from its bytes, before anything is imported that parses."""

from __future__ import annotations

import re

WORDS = re.compile(
    rb"(?<![\w.])open\s*\(|\b(?:io|codecs|gzip|bz2|lzma|tokenize)\.open\s*\(|(?<!os)(?<!aiofiles)(?<!\bImage)\.open\s*\(|"
    rb"\bread_(?:text|bytes|binary|csv|json|excel|parquet|pickle|feather|table|fwf|orc|xml|stata|sas|yaml)\s*\(|"
    rb"\b(?:open_text|open_binary|get_data|loadtxt|genfromtxt|fromfile|getlines)\s*\(|"
    rb"\b(?:np|numpy|toml|joblib|torch)\.load\s*\("
)
TESTS = re.compile(r"(?:^|/)(?:_?tests?|testing|testdata|pytest)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py\Z")


def may_read(data: bytes) -> bool:
    """Whether a Python file may hold a read."""
    return WORDS.search(data) is not None


def is_test(path: str) -> bool:
    return TESTS.search(path) is not None
