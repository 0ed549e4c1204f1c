"""Each sentence of the specification about import roots and helper modules, as a small checkout."""

from pathlib import Path

import pytest

from perfmod.discovery import discover
from perfmod.model import Facts
from perfmod.project import Project
from perfmod.project.layout.layout import Helper, Layout, NoHelper

MAIN = 'if __name__ == "__main__":\n    main()\n'
OURS = "# perfmod: background_tasks template 1\n"


@pytest.fixture
def checkout(tmp_path: Path):
    def make(files: dict[str, str], *, name: str = "checkout") -> Layout:
        root = tmp_path / name
        for path, text in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return Layout(Project(root, discover(root, [root]).files, Facts()))

    return make


def helper(layout: Layout, path: str, **options: str) -> tuple[str, str] | str:
    """Where the helper goes and how it is imported, or the cause why there is none."""
    found = layout.helper(path, "background_tasks", **options)
    if isinstance(found, NoHelper):
        return found.reason.partition(":")[0]
    assert isinstance(found, Helper)
    return found.path, found.module


def test_own_imports_show_the_root(checkout):
    layout = checkout({"bot/main.py": "from bot.jobs import run\n", "bot/jobs.py": ""})
    assert helper(layout, "bot/jobs.py") == ("bot/background_tasks.py", "bot.background_tasks")
    assert helper(layout, "bot/main.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_backend_holds_the_code_but_imports_say_app(checkout):
    layout = checkout(
        {
            "backend/__init__.py": "",
            "backend/app/__init__.py": "",
            "backend/app/main.py": "from app.api.users import router\n",
            "backend/app/api/users.py": "router = 1\n",
        }
    )
    assert helper(layout, "backend/app/api/users.py") == ("backend/app/background_tasks.py", "app.background_tasks")


def test_a_script_above_the_package_uses_its_helper(checkout):
    files = {"backend/main.py": "from app.core import go\n" + MAIN, "backend/app/core.py": "def go(): ...\n"}
    assert helper(checkout(files), "backend/main.py") == ("backend/app/background_tasks.py", "app.background_tasks")


def test_src_layout(checkout):
    layout = checkout(
        {
            "pyproject.toml": "",
            "src/bot/__init__.py": "",
            "src/bot/a.py": "from bot.b import x\n",
            "src/bot/b.py": "x = 1\n",
            "tests/test_a.py": "from bot.a import x\nfrom tests.help import y\n",
            "tests/help.py": "y = 1\n",
        }
    )
    assert helper(layout, "src/bot/b.py") == ("src/bot/background_tasks.py", "bot.background_tasks")
    assert helper(layout, "tests/test_a.py") == ("src/bot/background_tasks.py", "bot.background_tasks")


def test_a_single_package_of_a_src_layout_is_evidence(checkout):
    layout = checkout({"pyproject.toml": "", "src/bot/__init__.py": "", "src/bot/a.py": ""})
    assert helper(layout, "src/bot/a.py") == ("src/bot/background_tasks.py", "bot.background_tasks")


def test_a_single_top_level_package_is_evidence(checkout):
    layout = checkout({"setup.py": "", "bot/__init__.py": "", "bot/jobs/x.py": "", "tests/__init__.py": ""})
    assert helper(layout, "bot/jobs/x.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_two_top_level_packages_are_not(checkout):
    layout = checkout({"bot/__init__.py": "", "bot/x.py": "", "web/__init__.py": ""})
    assert helper(layout, "bot/x.py") == "no import root"


def test_a_folder_without_init_is_not(checkout):
    assert helper(checkout({"bot/x.py": "import os\n"}), "bot/x.py") == "no import root"


def test_namespace_packages_are_packages(checkout):
    layout = checkout({"main.py": "import bot.sub.x\n", "bot/sub/x.py": "", "bot/sub/y.py": ""})
    assert helper(layout, "bot/sub/y.py") == ("bot/background_tasks.py", "bot.background_tasks")
    assert helper(layout, "main.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_a_namespace_of_several_distributables_is_not_written_into(checkout):
    layout = checkout(
        {
            "core/pyproject.toml": "",
            "core/acme/core/__init__.py": "from acme.core.x import y\n",
            "core/acme/core/x.py": "y = 1\n",
            "web/pyproject.toml": "",
            "web/acme/web/__init__.py": "from .app import z\n",
            "web/acme/web/app.py": "from acme.web.z import z\nfrom acme.core.x import y\n",
            "web/acme/web/z.py": "z = 1\n",
        }
    )
    assert helper(layout, "core/acme/core/x.py") == ("core/acme/core/background_tasks.py", "acme.core.background_tasks")
    assert helper(layout, "web/acme/web/z.py") == ("web/acme/web/background_tasks.py", "acme.web.background_tasks")


def test_distributables_have_their_own_roots(checkout):
    layout = checkout(
        {
            "api/requirements.txt": "",
            "api/app/main.py": "from app.x import y\n",
            "api/app/x.py": "y = 1\n",
            "worker/requirements.txt": "",
            "worker/app/main.py": "from worker.app.x import y\n",
            "worker/app/x.py": "y = 1\n",
        }
    )
    assert helper(layout, "api/app/x.py") == ("api/app/background_tasks.py", "app.background_tasks")
    assert helper(layout, "worker/app/x.py") == ("worker/background_tasks.py", "worker.background_tasks")


def test_what_the_nearest_distributable_leaves_open_the_checkout_may_say(checkout):
    layout = checkout({"main.py": "from bot.x import y\n", "bot/requirements.txt": "", "bot/x.py": "y = 1\n"})
    assert helper(layout, "bot/x.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_disagreement_is_manual(checkout):
    layout = checkout(
        {
            "backend/app/a.py": "from app.b import x\n",
            "backend/app/b.py": "x = 1\n",
            "scripts/seed.py": "from backend.app.b import x\n",
        }
    )
    found = layout.helper("backend/app/b.py", "background_tasks")
    assert isinstance(found, NoHelper)
    assert found.reason == ("import roots disagree: scripts/seed.py says backend.app.b, backend/app/a.py says app.b")


def test_a_package_whose_folder_holds_scripts_is_manual(checkout):
    layout = checkout(
        {
            "bot/main.py": "import config\nimport jobs\n" + MAIN,
            "bot/config.py": "TOKEN = 1\n",
            "bot/jobs.py": "",
            "tests/test_jobs.py": "from bot.jobs import run\n",
        }
    )
    assert helper(layout, "bot/jobs.py") == "import roots disagree"
    assert helper(layout, "bot/main.py") == "import roots disagree"


def test_init_breaks_a_tie(checkout):
    layout = checkout(
        {
            "one/bot/__init__.py": "",
            "one/bot/x.py": "y = 1\n",
            "two/bot/x.py": "y = 1\n",
            "tests/test_x.py": "from bot.x import y\n",
        }
    )
    assert helper(layout, "tests/test_x.py") == ("one/bot/background_tasks.py", "bot.background_tasks")


# Relative style


def test_relative_style_where_every_own_import_is_relative(checkout):
    layout = checkout(
        {
            "main.py": "from bot.jobs.a import x\n",
            "bot/jobs/a.py": "from .b import x\nfrom ..c import y\n",
            "bot/jobs/b.py": "from .a import x\nfrom bot.c import y\n",
            "bot/c.py": "from . import jobs\n",
        }
    )
    assert helper(layout, "bot/jobs/a.py") == ("bot/background_tasks.py", "..background_tasks")
    assert helper(layout, "bot/jobs/b.py") == ("bot/background_tasks.py", "bot.background_tasks")
    assert helper(layout, "bot/c.py") == ("bot/background_tasks.py", ".background_tasks")


def test_without_evidence_a_relative_import_goes_as_far_as_the_files_do(checkout):
    layout = checkout(
        {
            "backend/app/x.py": "from .y import z\n",
            "backend/app/y.py": "",
            "backend/app/sub/w.py": "from .v import z\n",
        }
    )
    assert helper(layout, "backend/app/x.py") == ("backend/app/background_tasks.py", ".background_tasks")
    assert helper(layout, "backend/app/sub/w.py") == ("backend/app/background_tasks.py", "..background_tasks")
    assert helper(layout, "backend/app/y.py") == "no import root"


def test_an_import_in_a_docstring_is_no_import(checkout):
    text = '"""Example:\n\nfrom bot.b import x\n"""\nfrom .b import x\n'
    layout = checkout({"bot/__init__.py": "", "bot/a.py": text, "bot/b.py": "x = 1\n"})
    assert helper(layout, "bot/a.py") == ("bot/background_tasks.py", ".background_tasks")


# Scripts


def test_a_flat_folder_of_scripts_that_import_each_other(checkout):
    layout = checkout({"bot/main.py": "import jobs\n" + MAIN, "bot/jobs.py": "", "bot/lone.py": MAIN})
    for path in ("bot/main.py", "bot/jobs.py", "bot/lone.py"):
        assert helper(layout, path) == ("bot/background_tasks.py", "background_tasks")


def test_a_lone_script_is_manual(checkout):
    assert helper(checkout({"main.py": "import asyncio\n" + MAIN}), "main.py") == "no import root"


def test_a_script_beside_the_package_uses_its_helper(checkout):
    layout = checkout({"scripts/seed.py": "from bot.x import y\n" + MAIN, "bot/x.py": "y = 1\n"})
    assert helper(layout, "scripts/seed.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_a_script_that_imports_only_when_called_does_not_import_the_package_yet(checkout):
    layout = checkout({"scripts/seed.py": "def main():\n    from bot.x import y\n", "bot/x.py": "y = 1\n"})
    assert helper(layout, "scripts/seed.py") == "no import root"


def test_a_script_inside_a_package_is_manual(checkout):
    layout = checkout(
        {
            "bot/__init__.py": "",
            "bot/main.py": "from bot.x import y\n" + MAIN,
            "bot/relative.py": "from .x import y\n" + MAIN,
            "bot/x.py": "y = 1\n",
            "bot/tool.py": "import asyncio\n" + MAIN,
            "bot/runs.py": "import asyncio\nasyncio.run(main())\n",
        }
    )
    assert helper(layout, "bot/tool.py") == "run as a script"
    assert helper(layout, "bot/runs.py") == "run as a script"
    assert helper(layout, "bot/main.py") == ("bot/background_tasks.py", "bot.background_tasks")
    assert helper(layout, "bot/relative.py") == ("bot/background_tasks.py", ".background_tasks")


def test_a_script_of_another_distributable_may_have_another_version(checkout):
    layout = checkout(
        {
            "core/pyproject.toml": "",
            "core/acme/__init__.py": "from acme.x import y\n",
            "core/acme/x.py": "y = 1\n",
            "examples/requirements.txt": "acme==1.0\n",
            "examples/show.py": "from acme.x import y\n" + MAIN,
        }
    )
    assert helper(layout, "examples/show.py") == "no import root"


def test_tests_use_the_package_that_they_import(checkout):
    layout = checkout(
        {
            "tests/__init__.py": "",
            "tests/conftest.py": "from bot.x import y\nfrom tests.help import z\n",
            "tests/help.py": "z = 1\n",
            "bot/x.py": "y = 1\n",
        }
    )
    assert helper(layout, "tests/conftest.py") == ("bot/background_tasks.py", "bot.background_tasks")


# What looks like an own import and is not


def test_a_folder_named_as_a_library_is_not_that_library(checkout):
    layout = checkout(
        {
            "requirements.txt": "openai>=1\n",
            "plugins/x/openai/__init__.py": "import openai\n",
            "plugins/x/openai/llm.py": "import openai\nfrom openai import AsyncOpenAI\n",
        }
    )
    assert helper(layout, "plugins/x/openai/llm.py") == "no import root"


def test_nor_where_the_library_is_not_declared(checkout):
    layout = checkout(
        {
            "plugins/x/openai/__init__.py": "",
            "plugins/x/openai/llm.py": "import openai\nfrom openai.types import Model\nfrom openai import Client\n",
        }
    )
    assert helper(layout, "plugins/x/openai/llm.py") == "no import root"


def test_a_module_does_not_import_itself(checkout):
    layout = checkout(
        {"bot/__init__.py": "", "bot/redis.py": "from redis import Redis\nfrom bot.x import y\n", "bot/x.py": "y = 1\n"}
    )
    assert helper(layout, "bot/x.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_the_standard_library_is_not_ours(checkout):
    layout = checkout({"bot/logging.py": "", "bot/a.py": "import logging\nfrom bot.logging import x\n"})
    assert helper(layout, "bot/a.py") == ("bot/background_tasks.py", "bot.background_tasks")
    layout = checkout({"platform/__init__.py": "", "platform/a.py": ""}, name="other")
    assert helper(layout, "platform/a.py") == "no import root"


def test_a_relative_import_never_leaves_its_root_package(checkout):
    layout = checkout(
        {
            "bot/main.py": "from bot.jobs.a import x\n",
            "bot/jobs/a.py": "from ..main import y\nimport util\n",
            "bot/jobs/util.py": "",
        }
    )
    assert helper(layout, "bot/jobs/a.py") == ("bot/background_tasks.py", "..background_tasks")


def test_an_installed_package(checkout):
    layout = checkout(
        {
            "bot/__init__.py": "",
            "bot/redis/__init__.py": "",
            "bot/redis/pool.py": "from redis.asyncio import Redis\nfrom bot.redis.x import y\n",
            "bot/redis/x.py": "y = 1\n",
            "bot-1.0.dist-info/METADATA": "Name: bot\nRequires-Dist: redis>=5\n\ntext",
        }
    )
    assert helper(layout, "bot/redis/x.py") == ("bot/background_tasks.py", "bot.background_tasks")


def test_the_checkout_itself_may_be_the_package(checkout):
    files = {"__init__.py": "", "main.py": "from bot.jobs.x import y\n", "jobs/x.py": "y = 1\n"}
    assert helper(checkout(files, name="bot"), "jobs/x.py") == ("background_tasks.py", "bot.background_tasks")
    assert helper(checkout(files, name="elsewhere"), "jobs/x.py") == "no import root"


# The name of the helper


@pytest.mark.parametrize(
    ("there", "stem"),
    [
        ({"bot/background_tasks.py": OURS}, "background_tasks"),
        ({"bot/background_tasks.py": "\ufeff" + OURS}, "background_tasks"),
        ({"bot/background_tasks.py": "x = 1\n"}, "background_tasks_perfmod"),
        ({"bot/Background_Tasks.py": "x = 1\n"}, "background_tasks_perfmod"),
        ({"bot/background_tasks/__init__.py": ""}, "background_tasks_perfmod"),
        ({"bot/background_tasks.pyx": ""}, "background_tasks_perfmod"),
        ({"bot/__init__.py": "background_tasks = set()\n"}, "background_tasks_perfmod"),
        ({"bot/__init__.py": "from bot.x import background_tasks\n"}, "background_tasks_perfmod"),
        ({"bot/__init__.py": "def f(background_tasks): ...\n"}, "background_tasks"),
    ],
)
def test_a_name_that_is_taken(checkout, there, stem):
    layout = checkout({"bot/main.py": "from bot.x import y\n", "bot/x.py": "y = 1\n", **there})
    assert helper(layout, "bot/x.py") == (f"bot/{stem}.py", f"bot.{stem}")


def test_both_names_taken(checkout):
    layout = checkout(
        {
            "bot/main.py": "from bot.x import y\n",
            "bot/x.py": "y = 1\n",
            "bot/background_tasks.py": "",
            "bot/background_tasks_perfmod.py": "",
        }
    )
    assert helper(layout, "bot/x.py") == "helper name taken"


def test_the_option_helper_module(checkout):
    files = {
        "bot/main.py": "from bot.x import y\n",
        "bot/x.py": "y = 1\n",
        "bot/core/z.py": "from ..x import y\n",
        "bot/taken.py": "",
        "lone/script.py": "",
    }
    layout = checkout(files)
    assert helper(layout, "bot/x.py", module="bot.task_utils") == ("bot/task_utils.py", "bot.task_utils")
    assert helper(layout, "bot/x.py", module="bot.core.tasks") == ("bot/core/tasks.py", "bot.core.tasks")
    assert helper(layout, "bot/core/z.py", module="bot.task_utils") == ("bot/task_utils.py", "..task_utils")
    assert helper(layout, "bot/x.py", module="bot.taken") == "helper-module"
    assert helper(layout, "bot/x.py", module="web.tasks") == "helper-module"
    assert helper(layout, "lone/script.py", module="bot.task_utils") == "no import root"


# Other modules


def test_how_a_file_imports_a_module_that_is_there(checkout):
    layout = checkout(
        {
            "main.py": "from bot.x import y\n",
            "bot/x.py": "y = 1\n",
            "bot/sub/a.py": "from ..x import y\n",
            "bot/sub/tools.py": "",
            "other/z.py": "",
        }
    )
    assert layout.import_of("main.py", "bot/sub/tools.py") == "bot.sub.tools"
    assert layout.import_of("bot/x.py", "bot/sub/tools.py") == "bot.sub.tools"
    assert layout.import_of("bot/sub/a.py", "bot/sub/tools.py") == ".tools"
    assert layout.import_of("bot/sub/a.py", "bot/x.py") == "..x"
    assert layout.import_of("bot/x.py", "other/z.py") is None
    assert layout.import_of("other/z.py", "bot/x.py") is None


def test_which_file_an_import_means(checkout):
    layout = checkout(
        {
            "bot/__init__.py": "",
            "bot/x.py": "from bot.sub.a import b\nfrom .y import z\nimport redis.client\n",
            "bot/y.py": "",
            "bot/sub/__init__.py": "",
            "bot/sub/a.py": "",
        }
    )
    assert layout.module_path("bot/x.py", "bot.sub.a") == "bot/sub/a.py"
    assert layout.module_path("bot/x.py", "bot.sub") == "bot/sub/__init__.py"
    assert layout.module_path("bot/x.py", ".y") == "bot/y.py"
    assert layout.module_path("bot/sub/a.py", "..y") == "bot/y.py"
    assert layout.module_path("bot/x.py", ".") == "bot/__init__.py"
    assert layout.module_path("bot/x.py", "redis.client") is None
    assert layout.module_path("bot/x.py", ".missing") is None
