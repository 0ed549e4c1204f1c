"""The pre-commit hooks, with the real pre-commit; the GitHub Action, as far as its shell steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from schemas import validate

REPOSITORY = Path(__file__).parent.parent
PRE_COMMIT = (sys.executable, "-m", "pre_commit")
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())

FAULT = "import asyncio\n\nfrom app.jobs import work\n\n\nasync def main() -> None:\n    asyncio.create_task(work())\n"
MENDED = (
    "from app.jobs import work\nfrom app.background_tasks import create_background_task\n\n\n"
    'async def main() -> None:\n    create_background_task(work(), name="work")\n'
)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def checkout(folder: Path) -> Path:
    """A small git repository with one fault."""
    (folder / "app").mkdir(parents=True)
    (folder / "app/__init__.py").touch()
    (folder / "app/jobs.py").write_text("async def work() -> None:\n    pass\n")
    (folder / "app/main.py").write_text(FAULT)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    return folder


def test_hooks_fit_the_schema() -> None:
    validate(HOOKS, ".pre-commit-hooks.yml")
    assert [hook["id"] for hook in HOOKS] == ["perfmod-check", "perfmod-apply"]


@pytest.mark.slow
def test_hooks_run(tmp_path: Path) -> None:
    """`pre-commit try-repo` installs this repository as a user of the hooks would."""
    folder = checkout(tmp_path / "checkout")
    source = tmp_path / "perfmod"
    shutil.copytree(REPOSITORY / "codemods", source / "codemods", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(REPOSITORY / name, source)
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "perfmod")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache")}

    def hook(name: str) -> subprocess.CompletedProcess[str]:
        command = [*PRE_COMMIT, "try-repo", str(source), name, "--verbose"]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    checked = hook("perfmod-check")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "app/main.py:7:5 supervise-tasks [safe]" in checked.stdout
    assert (folder / "app/main.py").read_text() == FAULT

    applied = hook("perfmod-apply")
    assert applied.returncode == 1 and "files were modified by this hook" in applied.stdout, applied.stdout
    assert (folder / "app/main.py").read_text() == MENDED
    assert (folder / "app/background_tasks.py").is_file()

    git(folder, "add", "--all")
    for name in ("perfmod-check", "perfmod-apply"):
        again = hook(name)
        assert again.returncode == 0, again.stdout + again.stderr


# The action


def test_the_action_fits_the_schema() -> None:
    validate(ACTION, "GitHub Action")


def test_no_input_stands_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


class Runner:
    """What a runner does with a composite action: expressions, variables, outputs. Steps of other actions are noted."""

    def __init__(self, folder: Path, temporary: Path, **inputs: str) -> None:
        self.folder = folder
        self.inputs = {name: value.get("default", "") for name, value in ACTION["inputs"].items()}
        self.inputs |= {name.replace("_", "-"): value for name, value in inputs.items()}
        self.outputs: dict[str, dict[str, str]] = {}
        self.temporary = temporary
        self.summary = temporary / "summary.md"
        self.log = ""
        self.used: list[dict[str, Any]] = []
        self.code = 0

    def run(self) -> None:
        for step in ACTION["runs"]["steps"]:
            if "if" in step and not self.holds(step["if"]):
                continue
            if "uses" in step:
                self.used.append({"uses": step["uses"], **{k: self.value(v) for k, v in step["with"].items()}})
            elif not self.shell(step):
                return

    def shell(self, step: dict[str, Any]) -> bool:
        output = self.temporary / "output"
        output.write_text("")
        environment = {
            **os.environ,
            **{name: self.value(value) for name, value in step.get("env", {}).items()},
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTION_PATH": str(REPOSITORY),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
        folder = self.folder / self.value(step.get("working-directory", "."))
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        self.log += done.stdout + done.stderr
        self.code = done.returncode
        lines = output.read_text().splitlines()
        self.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
        return done.returncode == 0

    def value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: self.look_up(match[1]), text)

    def look_up(self, name: str) -> str:
        if name.startswith("inputs."):
            return self.inputs[name.removeprefix("inputs.")]
        _, step, _, output = name.split(".")
        return self.outputs.get(step, {}).get(output, "")

    def holds(self, condition: str) -> bool:
        """Whether all of `a == 'b'` and `a != 'b'` hold."""
        return all(
            (self.look_up(name) == wanted) == (sign == "==")
            for name, sign, wanted in re.findall(r"(\S+) (==|!=) '(.*?)'", condition)
        )


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A runner's folder where perfmod is installed already: as this very package."""
    binaries = tmp_path / "runner" / "perfmod" / "bin"
    binaries.mkdir(parents=True)
    script = f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}/codemods" exec "{sys.executable}" -m perfmod "$@"\n'
    (binaries / "perfmod").write_text(script)
    (binaries / "perfmod").chmod(0o755)
    return tmp_path / "runner"


@pytest.fixture(autouse=True)
def no_install(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "temporary" in request.fixturenames:
        steps = [step for step in ACTION["runs"]["steps"] if step["name"] != "Install perfmod"]
        monkeypatch.setitem(ACTION["runs"], "steps", steps)


def test_the_action_annotates_summarises_and_fails(tmp_path: Path, temporary: Path) -> None:
    runner = Runner(checkout(tmp_path / "checkout"), temporary)
    runner.run()
    assert runner.code == 1
    assert runner.log.startswith("::warning file=app/main.py,line=7,col=5,")
    assert runner.summary.read_text().startswith("## perfmod: 1 finding in 1 of ")
    (upload,) = runner.used
    assert upload["uses"].startswith("github/codeql-action/upload-sarif@")
    log = json.loads(Path(upload["sarif_file"]).read_text())
    validate(log, "sarif-2.1.0")
    assert len(log["runs"][0]["results"]) == 1


def test_the_inputs_of_the_action(tmp_path: Path, temporary: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    (folder / "a b").mkdir()
    (folder / "a b/clean.py").write_text("x = 1\n")
    runner = Runner(
        folder,
        temporary,
        paths="a b\n\napp\n",
        arguments="--select\nsupervise-tasks\n",
        annotate="false",
        summary="false",
        upload_sarif="false",
        fail="false",
    )
    runner.run()
    assert runner.code == 0 and runner.outputs["check"]["exit-code"] == "1"
    assert runner.log.startswith("app/main.py:7:5 supervise-tasks ")
    assert not runner.summary.exists() and runner.used == []


@pytest.mark.parametrize("hostile", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "--help; touch pwned"])
def test_inputs_are_never_run(tmp_path: Path, temporary: Path, hostile: str) -> None:
    folder = checkout(tmp_path / "checkout")
    runner = Runner(folder, temporary, paths=hostile, fail="false")
    runner.run()
    assert runner.code == 2 and "no such file or folder" in runner.log
    assert runner.used == [] and not list(tmp_path.rglob("pwned"))


def test_a_clean_checkout_passes(tmp_path: Path, temporary: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    (folder / "app/main.py").write_text("x = 1\n")
    runner = Runner(folder, temporary, working_directory="app")
    runner.run()
    assert runner.code == 0 and runner.outputs["check"]["exit-code"] == "0"
    assert len(runner.used) == 1  # an empty SARIF closes alerts


@pytest.mark.slow
def test_the_action_installs_perfmod(tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()
    runner = Runner(checkout(tmp_path / "checkout"), tmp_path / "runner", python=sys.executable)
    runner.run()
    assert runner.code == 1 and "::warning file=app/main.py,line=7" in runner.log
