"""The call graph: what a call can be resolved to, and what it can't."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.calls.callers import Calls
from perfmod.project.calls.members import Definition
from perfmod.source.python.types import Target


def calls(root: Path, files: dict[str, str]) -> Calls:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(dedent(content))
    return Calls(Project(root, sorted(files), Facts()))


def callers(made: Calls, path: str, name: str) -> list[tuple[str, str, str]]:
    """Who uses a function: the file, the function there, and how."""
    function = made.function(Definition(path, name, "function"))
    assert function is not None
    return [(site.path, site.function.name, site.use) for site in made.callers(function)]


LOADER = {"app/__init__.py": "", "app/loader.py": "def load():\n    return 1\n"}


@pytest.mark.parametrize(
    ("code", "use"),
    [
        ("from app.loader import load\ndef go():\n    load()\n", "call"),
        ("from app.loader import load as other\ndef go():\n    other()\n", "call"),
        ("from app import loader\ndef go():\n    loader.load()\n", "call"),
        ("import app.loader\ndef go():\n    app.loader.load()\n", "call"),
        ("import app.loader as l\ndef go():\n    l.load()\n", "call"),
        ("from .loader import load\ndef go():\n    load()\n", "call"),
        ("from . import loader\ndef go():\n    loader.load()\n", "call"),
        ("from app.loader import *\ndef go():\n    load()\n", "call"),
        ("def go():\n    from app.loader import load\n    load()\n", "call"),
        ("from app.loader import load\nimport asyncio\nasync def go():\n    await asyncio.to_thread(load)\n", "thread"),
        ("from app.loader import load\ndef go(loop):\n    loop.run_in_executor(None, lambda: load())\n", "thread"),
        ("from app.loader import load\nfrom functools import partial\nimport asyncio\nasync def go():\n"
         "    await asyncio.to_thread(partial(load))\n", "thread"),
        ("from app.loader import load\ndef go(app):\n    app.add_url_rule('/', view_func=load)\n", "handler"),
        ("from app.loader import load\ndef go(app):\n    app.on_startup.append(load)\n", "start"),
        ("from app.loader import load\ndef go():\n    return load\n", "value"),
        ("def load():\n    pass\ndef go():\n    load()\n", None),
        ("from other import load\ndef go():\n    load()\n", None),
        ("def go(load):\n    load()\n", None),
        ("class A:\n    def load(self):\n        pass\n    def go(self):\n        self.load()\n", None),
    ],
)  # fmt: skip
def test_a_function_is_used(tmp_path: Path, code: str, use: str | None) -> None:
    made = calls(tmp_path, {**LOADER, "app/main.py": code})
    assert callers(made, "app/loader.py", "load") == ([("app/main.py", "go", use)] if use else [])


def test_a_function_that_a_package_passes_on(tmp_path: Path) -> None:
    made = calls(
        tmp_path,
        {
            "app/__init__.py": "from .inner import read_it\n",
            "app/inner/__init__.py": "from app.loader import load as read_it\n",
            "app/loader.py": LOADER["app/loader.py"],
            "main.py": "import app\nfrom app import read_it\ndef go():\n    read_it()\n",
        },
    )
    assert made.locate(Target("main.py", "app.read_it", imported=True)) == Definition(
        "app/loader.py", "load", "function"
    )


SERVICE = """
    class Base:
        def load(self):
            return 1

    class Service(Base):
        def other(self):
            return self.load()

    class Own(Service):
        def load(self):
            return super().load()

    shared = Service()
    """


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from app.service import Service\ndef go():\n    Service().load()\n", True),
        ("from app.service import Service\ndef go():\n    s = Service()\n    s.load()\n", True),
        ("from app.service import Service\ndef go(s: Service):\n    s.load()\n", True),
        ("from app.service import Service\ndef go(s: 'Service | None'):\n    s.load()\n", True),
        ("from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
         "    from app.service import Service\ndef go(s: Service):\n    s.load()\n", True),
        ("from app.service import shared\ndef go():\n    shared.load()\n", True),
        ("from app import service\ndef go():\n    service.shared.load()\n", True),
        ("from app.service import Service\nclass Bot:\n    def __init__(self):\n        self.s = Service()\n"
         "    def go(self):\n        self.s.load()\n", True),
        ("from app.service import Service\nclass Bot:\n    s: Service\n    def go(self):\n"
         "        self.s.load()\n", True),
        ("from app.service import Service\ndef make() -> Service: ...\ndef go():\n    make().load()\n", True),
        ("from app.service import Own\ndef go():\n    Own().load()\n", False),
        ("def go(s):\n    s.load()\n", False),
        ("import json\ndef go(f):\n    json.load(f)\n", False),
        ("from app.service import Service\ndef go(all):\n    all[0].load()\n", False),
    ],
)  # fmt: skip
def test_a_method_is_used(tmp_path: Path, code: str, found: bool) -> None:
    made = calls(tmp_path, {"app/__init__.py": "", "app/service.py": SERVICE, "app/main.py": code})
    used = [site for site in callers(made, "app/service.py", "Base.load") if site[0] == "app/main.py"]
    assert [name.rpartition(".")[2] for _, name, _ in used] == (["go"] if found else [])


def test_methods_through_self_and_super(tmp_path: Path) -> None:
    made = calls(tmp_path, {"app/__init__.py": "", "app/service.py": SERVICE})
    assert callers(made, "app/service.py", "Base.load") == [
        ("app/service.py", "Service.other", "call"),
        ("app/service.py", "Own.load", "call"),
    ]


def test_a_constructor_is_used_by_those_who_make_one(tmp_path: Path) -> None:
    code = """
        class Base:
            def __init__(self):
                self.text = ""

        class Plain(Base):
            pass

        class Signed(Base):
            def __init__(self):
                super().__init__()

        def one():
            return Base()

        def two():
            return Plain()

        def three():
            return Signed()
        """
    made = calls(tmp_path, {"app.py": code})
    assert sorted(name for _, name, _ in callers(made, "app.py", "Base.__init__")) == ["Signed.__init__", "one", "two"]
    assert [name for _, name, _ in callers(made, "app.py", "Signed.__init__")] == ["three"]


def test_a_property_is_called_where_it_is_looked_up(tmp_path: Path) -> None:
    code = "class A:\n    @property\n    def text(self):\n        return 1\n\ndef go(a: A):\n    return a.text\n"
    assert callers(calls(tmp_path, {"app.py": code}), "app.py", "A.text") == [("app.py", "go", "call")]


def test_circles_of_imports_end(tmp_path: Path) -> None:
    made = calls(tmp_path, {"a.py": "from b import load\n", "b.py": "from a import load\n"})
    assert made.locate(Target("a.py", "b.load", imported=True)) is None


def test_a_method_may_be_used_through_the_method_that_it_overrides(tmp_path: Path) -> None:
    code = """
        class Problem:
            def template(self):
                raise NotImplementedError

        class Chess(Problem):
            def template(self):
                return 1

            def other(self):
                return super().template()

        def find(name) -> Problem | None:
            return None

        def show(name):
            return find(name).template()
        """
    made = calls(tmp_path, {"app.py": code})
    assert callers(made, "app.py", "Chess.template") == [("app.py", "show", "call")]


@pytest.mark.parametrize(
    "spelling",
    [
        "from app.loader import \\\n    load\n",
        "from app.loader import other, \\\n    load\n",
        "from app.loader import (  # all of it\n    other,\n    load,\n)\n",
        "from app.loader import(load)\n",
        "from.loader import load\n",
        "import app; from app.loader import load\n",
        "import app\ntry: from app.loader import load\nfinally: pass\n",
        "from app.passed_on import load\n",
        "from . import load\n",
        "from app import load\n",
        "from app import *\n",
    ],
)
def test_an_import_is_seen_however_it_is_spelled(tmp_path: Path, spelling: str) -> None:
    passed_on = {"app/__init__.py": "from .loader import load\n", "app/passed_on.py": "from .loader import load\n"}
    made = calls(tmp_path, {**LOADER, **passed_on, "app/main.py": f"{spelling}def go():\n    load()\n"})
    assert ("app/main.py", "go", "call") in callers(made, "app/loader.py", "load")


@pytest.mark.parametrize(
    "code",
    [
        "def go(client: Client):\n    client.load()\n",
        "def go(client: 'Client | None' = None):\n    client.load()\n",
        "def go():\n    client = Client()\n    client.load()\n",
        "def go():\n    Client().load()\n",
        "def go():\n    with Client() as client:\n        client.load()\n",
        "def make() -> Client: ...\ndef go():\n    made = make()\n    made.load()\n",
        "def make() -> Client: ...\ndef go():\n    make().load()\n",
        "class Own(Client):\n    pass\ndef go(own: Own):\n    own.load()\n",
    ],
)
def test_a_method_is_used_on_what_is_said_to_be_of_its_class(tmp_path: Path, code: str) -> None:
    defined = {"app/__init__.py": "", "app/client.py": "class Client:\n    def load(self):\n        return 1\n"}
    made = calls(tmp_path, {**defined, "app/main.py": f"from app.client import Client\n{code}"})
    assert ("app/main.py", "go", "call") in callers(made, "app/client.py", "Client.load")
