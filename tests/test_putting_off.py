"""Modules that are put off are there when they are needed, and are not imported when they are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_module_is_imported_at_its_first_use() -> None:
    program = (
        "import sys, perfmod.putting_off\n"
        "import inspect\n"
        "assert 'ast' not in sys.modules, 'it is imported'\n"
        "import inspect as again\n"
        "from inspect import signature\n"
        "assert signature is inspect.signature is again.signature\n"
        "assert inspect.isfunction(put := inspect.cleandoc) and inspect.getmodule(put).__name__ == 'inspect'\n"
        "try:\n    inspect.nonsense\n"
        "except AttributeError as error:\n    print(error)\n"
    )
    assert run(program) == "module 'inspect' has no attribute 'nonsense'"


def test_a_package_is_imported_at_the_first_use_of_its_function() -> None:
    program = (
        "import sys, perfmod.putting_off\n"
        "from importlib.resources import files as found\n"
        "import tree_sitter_python\n"
        "assert 'tempfile' not in sys.modules, 'it is imported'\n"
        "import importlib.resources\n"
        "assert found('perfmod').joinpath('cli.py').is_file() and 'tempfile' in sys.modules\n"
        "assert importlib.resources.files('perfmod') == found('perfmod')\n"
        "import importlib.resources.abc\n"
        "from importlib.resources import as_file\n"
        "print(len(tree_sitter_python.TAGS_QUERY) > 100)\n"
    )
    assert run(program) == "True"


def test_a_module_of_a_package_can_be_imported_before_the_package() -> None:
    assert run("import perfmod.putting_off, importlib.resources.abc as abc\nprint(abc.Traversable.__name__)") == (
        "Traversable"
    )


def test_a_module_that_was_imported_before_its_package_stays_a_member_of_it() -> None:
    program = (
        "import perfmod.putting_off, importlib.resources.abc\n"
        "assert importlib.resources.files('perfmod').is_dir()\n"
        "print(importlib.resources.abc.Traversable.__name__)\n"
    )
    assert run(program) == "Traversable"


def test_a_clean_check_imports_neither_click_nor_a_parser(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import asyncio\n")
    program = (
        "import sys\nfrom perfmod.cli import exit_code_of\n"
        f"assert exit_code_of(['check', '--isolated', '--no-cache', {str(tmp_path)!r}]) == 0\n"
        "print(sorted({'click', 'rich', 'libcst', 'tree_sitter'} & set(sys.modules)))\n"
    )
    assert run(program).splitlines()[-1] == "[]"


def test_git_is_asked_without_the_encodings_of_the_system() -> None:
    program = (
        "import sys, perfmod.putting_off, subprocess\n"
        "assert type(sys.modules['locale']).__name__ == 'PutOff', 'it is imported'\n"
        "said = subprocess.run([sys.executable, '-c', 'print(chr(228))'], stdout=subprocess.PIPE, text=True).stdout\n"
        "import locale\n"
        "from locale import getpreferredencoding\n"
        "assert locale.getpreferredencoding is getpreferredencoding\n"
        "print(ascii(said))\n"
    )
    assert run(program) == ascii("\xe4\n")
