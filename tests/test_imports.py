"""Adding and dropping imports: where they go, and that nothing else changes."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from perfmod.model import AddImport, DropImport
from perfmod.render import CannotRender, apply_edits
from perfmod.render.imports import import_edits

HELPER = "from bot.background_tasks import create_background_task\n"


def edited(
    source: str,
    *,
    add: str | None = "create_background_task",
    module: str = "bot.background_tasks",
    alias: str | None = None,
    drop: str = "",
) -> str:
    utf8 = source.encode()
    adds = [AddImport("x.py", module, add, alias)] if add else []
    drops = [DropImport("x.py", name) for name in drop.split()]
    return apply_edits(utf8, import_edits(utf8, "x.py", adds, drops)).decode()


def dropped(source: str, name: str = "asyncio") -> str:
    return edited(source, add=None, drop=name)


# Where a new import goes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", HELPER, id="an empty file"),
        pytest.param("x = 1\n", f"{HELPER}\nx = 1\n", id="no import at all"),
        pytest.param("# why\nx = 1\n", f"{HELPER}\n# why\nx = 1\n", id="a comment that belongs to the code"),
        pytest.param(
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nx = 1\n",
            f"#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n{HELPER}\nx = 1\n",
            id="shebang and coding lines",
        ),
        pytest.param("# Licence\n\nx = 1\n", f"# Licence\n\n{HELPER}\nx = 1\n", id="a licence"),
        pytest.param("# only\n# comments", f"# only\n# comments\n\n{HELPER[:-1]}", id="only comments, no line end"),
        pytest.param('"""Doc."""\n\nx = 1\n', f'"""Doc."""\n\n{HELPER}\nx = 1\n', id="a docstring"),
        pytest.param('"""Doc."""; x = 1\ny = 2\n', f'"""Doc."""; x = 1\n\n{HELPER}\ny = 2\n', id="a docstring; code"),
        pytest.param(
            '"""Doc."""\nfrom __future__ import annotations\nx = 1\n',
            f'"""Doc."""\nfrom __future__ import annotations\n\n{HELPER}\nx = 1\n',
            id="after __future__",
        ),
        pytest.param(
            "import os\nfrom bot.a import b\nfrom bot.c import d\nimport zlib\n",
            f"import os\nfrom bot.a import b\nfrom bot.c import d\n{HELPER}import zlib\n",
            id="after the last import of the same root package",
        ),
        pytest.param(
            "import bot.a\n\nx = 1\nimport os\n",
            f"import bot.a\n{HELPER}\nx = 1\nimport os\n",
            id="import of the root package",
        ),
        pytest.param(
            "import os\nimport sys\n\nx = 1\n", f"import os\nimport sys\n\n{HELPER}\nx = 1\n", id="a section of its own"
        ),
        pytest.param(
            "import os\nimport httpx\n\nx = 1\n",
            f"import os\nimport httpx\n{HELPER}\nx = 1\n",
            id="sections are not set off",
        ),
        pytest.param(
            "import os\n\nimport httpx\n\n\ndef f(): ...\n",
            f"import os\n\nimport httpx\n\n{HELPER}\n\ndef f(): ...\n",
            id="sections are set off",
        ),
        pytest.param(
            "import sys\nsys.path.insert(0, '..')\nimport config\n\nx = 1\n",
            f"import sys\nsys.path.insert(0, '..')\nimport config\n\n{HELPER}\nx = 1\n",
            id="after sys.path",
        ),
        pytest.param(
            "import sys\nsys.path.insert(0, '..')\n\nx = 1\n",
            f"import sys\nsys.path.insert(0, '..')\n\n{HELPER}\nx = 1\n",
            id="after sys.path, no import below",
        ),
        pytest.param(
            "import sys\n\ndef setup():\n    sys.path.append('..')\n\nsetup()\nfrom bot.x import y\n\nz = 1\n",
            f"import sys\n\ndef setup():\n    sys.path.append('..')\n\nsetup()\nfrom bot.x import y\n{HELPER}\nz = 1\n",
            id="after sys.path in a function",
        ),
        pytest.param(
            "import os\n\ntry:\n    import uvloop\nexcept ImportError:\n    uvloop = None\n\nx = 1\n",
            f"import os\n\ntry:\n    import uvloop\nexcept ImportError:\n    uvloop = None\n\n{HELPER}\nx = 1\n",
            id="after try: import uvloop",
        ),
        pytest.param(
            "try:\n    from bot.x import y\nexcept ImportError:\n    y = 1\nimport os\n\nz = 1\n",
            f"try:\n    from bot.x import y\nexcept ImportError:\n    y = 1\n\n{HELPER}\nimport os\n\nz = 1\n",
            id="not inside a try",
        ),
        pytest.param(
            "import os\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from bot.x import y\n\nz = 1\n",
            f"import os\nfrom typing import TYPE_CHECKING\n\n{HELPER}\n"
            "if TYPE_CHECKING:\n    from bot.x import y\n\nz = 1\n",
            id="not in TYPE_CHECKING",
        ),
        pytest.param(
            "import os\n\ndef f(): ...\n\nfrom other import routes\n",
            f"import os\n\n{HELPER}\ndef f(): ...\n\nfrom other import routes\n",
            id="not below the definitions, where imports close a circle",
        ),
        pytest.param(
            "import sys\nsys.path.append('..')\nimport os\n\ndef f(): ...\n\nfrom other import routes\n",
            f"import sys\nsys.path.append('..')\nimport os\n\n{HELPER}\ndef f(): ...\n\nfrom other import routes\n",
            id="nor where sys.path is dealt with above",
        ),
        pytest.param(
            "def patch(): ...\n\npatch()\nimport os\n\nx = 1\n",
            f"def patch(): ...\n\npatch()\nimport os\n\n{HELPER}\nx = 1\n",
            id="after the only imports, though code runs before them",
        ),
        pytest.param(
            "from bot.a import (\n    b,\n    c,\n)  # both\nx = 1\n",
            f"from bot.a import (\n    b,\n    c,\n)  # both\n{HELPER}x = 1\n",
            id="after parentheses",
        ),
        pytest.param(
            "from bot.a import b, \\\n    c\nx = 1\n",
            f"from bot.a import b, \\\n    c\n{HELPER}x = 1\n",
            id="after a backslash",
        ),
        pytest.param(
            "import bot.a; x = (\n    1,\n)\ny = 2\n",
            f"import bot.a; x = (\n    1,\n)\n{HELPER}y = 2\n",
            id="after what ; joins",
        ),
        pytest.param("import bot.a", f"import bot.a\n{HELPER[:-1]}", id="no line end"),
        pytest.param(
            "import bot.a\r\n\r\nx = 1\r\n", "import bot.a\r\n" + HELPER[:-1] + "\r\n\r\nx = 1\r\n", id="CRLF"
        ),
        pytest.param("import bot.a\n\x0c\nx = 1\n", f"import bot.a\n{HELPER}\x0c\nx = 1\n", id="form feed"),
        pytest.param(
            "import bot.a\ncreate_background_task(f())\nimport bot.b\n",
            f"import bot.a\n{HELPER}create_background_task(f())\nimport bot.b\n",
            id="above its first use at import time",
        ),
        pytest.param(
            "import bot.a\ndef f():\n    create_background_task(f())\nimport bot.b\n",
            f"import bot.a\n{HELPER}def f():\n    create_background_task(f())\nimport bot.b\n",
            id="a use in a function",
        ),
        pytest.param(
            "def f(x=create_background_task): ...\nfrom bot import b\n",
            f"{HELPER}\ndef f(x=create_background_task): ...\nfrom bot import b\n",
            id="a default is a use at import time",
        ),
    ],
)
def test_place(before, after):
    assert edited(before) == after


def test_a_relative_import_joins_the_relative_imports():
    before = "import os\nfrom .a import b\n\nfrom bot.x import y\n"
    after = "import os\nfrom .a import b\nfrom .background_tasks import create_background_task\n\nfrom bot.x import y\n"
    assert edited(before, module=".background_tasks") == after


def test_an_alias():
    assert edited("import bot\n", alias="_spawn") == (
        "import bot\nfrom bot.background_tasks import create_background_task as _spawn\n"
    )


def test_two_names_of_a_module_share_a_line():
    utf8 = b"import bot\n"
    adds = [AddImport("x.py", "bot.tasks", name) for name in ("b", "a")] + [AddImport("x.py", "bot.retry", "c")]
    edits = import_edits(utf8, "x.py", adds, [])
    assert apply_edits(utf8, edits) == b"import bot\nfrom bot.retry import c\nfrom bot.tasks import a, b\n"


# An import that is there


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("create_background_task", "create_background_task"),
        ("apple, zebra", "apple, create_background_task, zebra"),
        ("zebra, apple", "zebra, apple, create_background_task"),
        ("apple  # why", "apple, create_background_task  # why"),
        ("(apple, zebra)", "(apple, create_background_task, zebra)"),
        ("(apple, zoo,)", "(apple, create_background_task, zoo,)"),
        ("(apple, bear,)", "(apple, bear, create_background_task,)"),
        ("(\n    apple,\n    zebra,\n)", "(\n    apple,\n    create_background_task,\n    zebra,\n)"),
        (
            "(\n    zebra,  # z\n    apple,  # a\n)",
            "(\n    zebra,  # z\n    apple,  # a\n    create_background_task,\n)",
        ),
        ("(\n    apple  # a\n)", "(\n    apple,  # a\n    create_background_task,\n)"),
        ("(\n\tapple,\n\tbear)", "(\n\tapple,\n\tbear,\n\tcreate_background_task)"),
        ("apple, \\\n    bear", "apple, \\\n    bear, create_background_task"),
        ("Apple, bear", "Apple, bear, create_background_task"),
        ("create_background_task as c", "create_background_task, create_background_task as c"),
    ],
)
def test_an_import_of_the_helper_is_extended(before, after):
    module = "from bot.background_tasks import "
    assert edited(f"{module}{before}\nx = 1\n") == f"{module}{after}\nx = 1\n"


def test_an_import_below_the_first_use_is_not_extended():
    before = "import bot\ncreate_background_task(f())\nfrom bot.background_tasks import drain\n"
    assert edited(before) == before.replace("import bot\n", "import bot\n" + HELPER, 1)


def test_a_star_import_is_not_extended():
    before = "from bot.background_tasks import *\n"
    assert edited(before) == before + HELPER


# Dropping


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import asyncio\nimport sys\n", "import sys\n"),
        ("import asyncio, sys\n", "import sys\n"),
        ("import sys, asyncio\n", "import sys\n"),
        ("import os, asyncio, sys\n", "import os, sys\n"),
        ("import asyncio; import sys\n", "import sys\n"),
        ("import sys; import asyncio\n", "import sys\n"),
        ("import sys; import asyncio;\n", "import sys;\n"),
        ("import sys; import asyncio; x = 1\n", "import sys; x = 1\n"),
        ("import asyncio;\nx = 1\n", "x = 1\n"),
        ("import asyncio\r\nimport sys\r\n", "import sys\r\n"),
        ("import sys\nimport asyncio", "import sys\n"),
        ("import asyncio\n# asyncio is gone\n", "# asyncio is gone\n"),
        ("import asyncio\nfrom sqlalchemy.ext.asyncio import x\n", "from sqlalchemy.ext.asyncio import x\n"),
        ("import asyncio\nfrom asyncio import sleep\n", "from asyncio import sleep\n"),
        ("import asyncio\n@pytest.mark.asyncio\ndef f(): ...\n", "@pytest.mark.asyncio\ndef f(): ...\n"),
        ('"""Doc."""\n\nimport asyncio\n\nx = 1\n', '"""Doc."""\n\nx = 1\n'),
        ("import asyncio\n\n\nclass A: ...\n", "class A: ...\n"),
        ("x = 1\n\nimport asyncio\n\n\nclass A: ...\n", "x = 1\n\n\nclass A: ...\n"),
    ],
)
def test_an_import_that_nothing_needs_is_dropped(before, after):
    assert dropped(before) == after


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("from asyncio import create_task, sleep\n", "from asyncio import sleep\n", "create_task"),
        ("from asyncio import sleep, create_task\n", "from asyncio import sleep\n", "create_task"),
        ("from x import (\n    a,\n  create_task,\n    b,\n)\n", "from x import (\n    a,\n    b,\n)\n", "create_task"),
        ("from asyncio import (\n    a,\n    create_task\n)\n", "from asyncio import (\n    a\n)\n", "create_task"),
        ("from asyncio import (\n    create_task,\n    b,\n)\n", "from asyncio import (\n    b,\n)\n", "create_task"),
        ("from asyncio import create_task, ensure_future\nx = 1\n", "x = 1\n", "create_task ensure_future"),
        ("from asyncio import a, create_task, ensure_future\n", "from asyncio import a\n", "create_task ensure_future"),
        ("from asyncio import create_task, ensure_future, a\n", "from asyncio import a\n", "create_task ensure_future"),
        ("import asyncio as aio\nimport asyncio\nasyncio.run()\n", "import asyncio\nasyncio.run()\n", "aio"),
        ("from asyncio import create_task as ct\nx = 1\n", "x = 1\n", "ct"),
        ("import asyncio.tasks as tasks, sys\n", "import sys\n", "tasks"),
    ],
)  # fmt: skip
def test_a_name_is_dropped_by_what_it_binds(before, after, name):
    assert dropped(before, name) == after


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasyncio.run(f())\n",
        "import asyncio  # noqa\n",
        "import asyncio  # for the tests\n",
        "from asyncio import (  # noqa: F401\n    asyncio,\n    b,\n)\n",
        'import asyncio\n__all__ = ["asyncio"]\n',
        'import asyncio\npatch("bot.x.asyncio.sleep")\n',
        'import asyncio\nx: "asyncio.Task"\n',
        "import asyncio\nx = []  # type: list[asyncio.Task]\n",
        'import asyncio\nx = f"{asyncio}"\n',
        "import asyncio\ndef f():\n    import asyncio\n",
        "try:\n    import asyncio\nexcept ImportError:\n    pass\n",
        "if x:\n    import asyncio\n",
        "import asyncio.tasks\n",
        "import asyncio\nimport asyncio\n",
        "import asyncio as asyncio\n",
        "from asyncio import *\n",
        "import asyncio\nf(asyncio=1)\n",
        "import asyncio\nglobal asyncio\n",
    ],
)
def test_an_import_is_kept(source):
    assert dropped(source) == source


def test_the_new_import_takes_the_place_of_the_old_one():
    assert edited("import asyncio\n\nx = 1\n", drop="asyncio") == f"{HELPER}\nx = 1\n"
    assert edited("import os\nimport asyncio\n\nx = 1\n", drop="asyncio") == f"import os\n\n{HELPER}\nx = 1\n"
    assert edited("import asyncio\nimport os\n\nx = 1\n", drop="asyncio") == f"import os\n\n{HELPER}\nx = 1\n"
    assert edited("import asyncio", drop="asyncio") == HELPER[:-1]


def test_a_file_with_old_mac_line_ends_is_left():
    with pytest.raises(CannotRender, match=r"^line ends"):
        edited("import asyncio\rx = 1\r")


# On real code


def imported(tree: ast.Module) -> Counter[tuple[str, str, str]]:
    """What every import takes, at any depth: module, name, and what it is bound to."""
    found: Counter[tuple[str, str, str]] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = "." * getattr(node, "level", 0) + (getattr(node, "module", "") or "")
            found.update((module, alias.name, alias.asname or alias.name) for alias in node.names)
    return found


def without_imports(tree: ast.Module) -> list[str]:
    return [ast.dump(node) for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]


def standard_library() -> list[Path]:
    folder = Path(ast.__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("asyncio/*.py"), *folder.glob("email/*.py")]
    return sorted(file for file in files if file.stat().st_size < 30_000)[:180]


@pytest.mark.parametrize("path", standard_library(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_on_the_standard_library(path):
    """All unused imports are dropped and one is added: every name that is used stays, and nothing else changes."""
    source = path.read_bytes()
    before = ast.parse(source)
    bound = {bind for *_, bind in imported(before)}
    add = AddImport("x.py", ".tasks" if "email" in path.parts else "bot.tasks", "spawn_it")
    after_bytes = apply_edits(source, import_edits(source, "x.py", [add], [DropImport("x.py", n) for n in bound]))
    after = ast.parse(after_bytes)
    gone = imported(before) - imported(after)
    assert imported(after) == imported(before) - gone + Counter([(add.module, add.name, add.name)])
    assert without_imports(after) == without_imports(before)
    names = {node.id for node in ast.walk(after) if isinstance(node, ast.Name)}
    assert not names & {bind for *_, bind in gone}
    assert import_edits(after_bytes, "x.py", [add], []) == []
