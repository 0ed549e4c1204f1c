"""The bases of a class are read from bytes only where they are what parsing would say."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.calls.definitions import inherits_logging_handler, plain_bases

PLAIN = {
    "no base": ("class Sink:\n    pass\n", []),
    "empty": ("class Sink( ):\n    pass\n", []),
    "one line": ("from app.base import Base\n\n\nclass Sink(Base):\n    pass\n", ["app.base.Base"]),
    "relative": ("import os\nfrom .base import Other, Base\n\nclass Sink(Base): ...\n", [".base.Base"]),
    "in brackets": (
        "from app.base import (\n    Other,\n    Base,\n)\n\nclass Sink(Base, Other):\n    pass\n",
        ["app.base.Base", "app.base.Other"],
    ),
    "a handler": ("from logging import Handler\r\n\r\nclass Sink(Handler):\r\n    pass\r\n", ["logging.Handler"]),
}
PARSED = {
    "another name": "from logging import Handler as Base\n\nclass Sink(Base):\n    pass\n",
    "dotted": "import logging\n\nclass Sink(logging.Handler):\n    pass\n",
    "of the same file": "import logging\n\nclass Base(logging.Handler): ...\n\nclass Sink(Base):\n    pass\n",
    "assigned": "import logging\n\nBase = logging.Handler\n\nclass Sink(Base):\n    pass\n",
    "imported twice": (
        "try:\n    from fast import Base\nexcept ImportError:\n    from logging import Handler as Base\n\n"
        "class Sink(Base):\n    pass\n"
    ),
    "under a condition": "if FAST:\n    from logging import Handler\n\nclass Sink(Handler):\n    pass\n",
    "star": "from logging import *\n\nclass Sink(Handler):\n    pass\n",
    "set again": "from app.base import Base\nimport logging\nBase = logging.Handler\n\nclass Sink(Base):\n    pass\n",
    "comment in brackets": (
        "from logging import (  # ours\n    Filter,\n    Handler,\n)\n\nclass Sink(Handler):\n    pass\n"
    ),
    "defined twice": "from logging import Handler\n\nclass Sink: ...\n\nclass Sink(Handler):\n    pass\n",
    "on two lines": "from logging import Handler\n\nclass Sink(\n    Handler\n):\n    pass\n",
    "generic": "from logging import Handler\nfrom x import G\n\nclass Sink(Handler, G[T]):\n    pass\n",
}


def project(root: Path, sink: str) -> Project:
    texts = {"pyproject.toml": "[project]\nname = 'app'\n", "app/__init__.py": "", "app/sink.py": sink}
    texts |= {"app/main.py": "from app.sink import Sink\n", "app/base.py": "class Base: ...\nclass Other: ...\n"}
    for path, text in texts.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(text.encode())
    return Project(root, sorted(texts), Facts())


@pytest.mark.parametrize("name", PLAIN)
def test_plain_bases_are_read(tmp_path: Path, name: str) -> None:
    sink, bases = PLAIN[name]
    found = plain_bases(project(tmp_path, sink), "app/main.py", "app.sink.Sink")
    assert found == [("app/sink.py", base) for base in bases]


@pytest.mark.parametrize("name", PARSED)
def test_all_others_are_parsed(tmp_path: Path, name: str) -> None:
    here = project(tmp_path, PARSED[name])
    assert plain_bases(here, "app/main.py", "app.sink.Sink") is None
    unknown = name in ("star", "imported twice", "set again")
    assert inherits_logging_handler(here, "app/main.py", ("app.sink.Sink",)) is not unknown


def test_a_chain_of_plain_classes_ends_at_a_handler(tmp_path: Path) -> None:
    here = project(tmp_path, PLAIN["a handler"][0])
    assert inherits_logging_handler(here, "app/main.py", ("app.sink.Sink",))
    assert not inherits_logging_handler(project(tmp_path, PLAIN["relative"][0]), "app/main.py", ("app.sink.Sink",))
