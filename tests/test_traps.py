"""Checkouts that try to run something, or to be fetched from somewhere: nothing runs, nobody is contacted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import guarded
import pytest
from test_hostile import JOB, LOAD, LOCK, PACKAGE, everything, put

pytestmark = pytest.mark.slow
RUNS = (
    ["check"],
    ["check", "--since", "HEAD"],
    ["check", "--staged"],
    ["diff"],
    ["apply"],
    ["apply", "--allow-dirty"],
)


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """Exists once a trap has been sprung."""
    return tmp_path / "ran"


@pytest.fixture
def trap(tmp_path: Path, ran: Path) -> Path:
    program = tmp_path / "trap"
    program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{ran}'\nexit 1\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "root", {"app/__init__.py": "", "app/main.py": JOB})
    return commit(tmp_path / "root")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> Path:
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def everything_runs(root: Path, ran: Path, *, path: str = "") -> list[guarded.Ran]:
    said = [guarded.run(root, *arguments, ".", path=path) for arguments in RUNS]
    assert not ran.exists(), ran.read_text()
    return said


# Programs that git would run


def ssh(root: Path, trap: Path) -> None:
    git(root, "config", "remote.origin.url", "ssh://example.org/x")
    git(root, "config", "core.sshCommand", str(trap))


def transport_helper(root: Path, trap: Path) -> None:
    (trap.parent / "git-remote-trap").symlink_to(trap)
    git(root, "config", "remote.origin.url", "trap::x")
    git(root, "config", "protocol.trap.allow", "always")


def vcs_helper(root: Path, trap: Path) -> None:
    transport_helper(root, trap)
    git(root, "config", "remote.origin.vcs", "trap")


def shell(root: Path, trap: Path) -> None:
    git(root, "config", "remote.origin.url", f"ext::{trap} x")
    git(root, "config", "protocol.ext.allow", "always")


def upload_pack(root: Path, trap: Path) -> None:
    git(root, "config", "remote.origin.url", str(root))
    git(root, "config", "remote.origin.uploadpack", str(trap))


WAYS = (ssh, transport_helper, vcs_helper, shell, upload_pack)


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_a_partial_clone_fetches_nothing(root: Path, ran: Path, trap: Path, way: Callable[[Path, Path], None]) -> None:
    """Git asks the remote for objects that it lacks, with the program that the configuration names."""
    for key, value in (("core.repositoryformatversion", "1"), ("extensions.partialClone", "origin")):
        git(root, "config", key, value)
    git(root, "config", "remote.origin.promisor", "true")
    way(root, trap)
    for name in ("HEAD:app/main.py", "HEAD:app"):
        blob = git(root, "rev-parse", name)
        (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
        put(root, {"app/main.py": JOB + "# edited\n"})
        said = everything_runs(root, ran, path=str(trap.parent))
        assert "perfmod contacts nobody: run `git diff` first" in said[1].err
        assert said[1].code == 2 and len(said[1].err.splitlines()) == 1
        assert said[3].code == 1


def test_the_programs_of_a_submodule(root: Path, ran: Path, trap: Path) -> None:
    """Git runs itself in a submodule, without the environment of the first one."""
    put(root, {"sub/main.py": JOB, "sub/.gitattributes": "*.py filter=evil diff=evil\n"})
    put(root, {f"app/part{number}.py": JOB for number in range(101)})  # more than git is asked about one by one
    commit(root / "sub")
    commit(root)
    for key in ("filter.evil.clean", "filter.evil.process", "core.fsmonitor", "diff.evil.textconv"):
        git(root / "sub", "config", key, str(trap))
    put(root, {"sub/main.py": JOB + "# edited\n"})
    os.utime(root / "sub/main.py", (1, 1))
    said = everything_runs(root, ran)
    assert said[4].code == 0


def test_hooks_and_programs_of_git(root: Path, ran: Path, trap: Path) -> None:
    for hook in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman", "reference-transaction"):
        (root / ".git/hooks" / hook).unlink(missing_ok=True)
        (root / ".git/hooks" / hook).symlink_to(trap)
    for key in ("core.editor", "core.pager", "core.askPass", "core.gitProxy", "gpg.program", "diff.external"):
        git(root, "config", key, str(trap))
    git(root, "config", "credential.helper", f"!{trap}")
    git(root, "config", "status.submoduleSummary", "true")
    os.utime(root / "app/main.py", (1, 1))  # so that git would like to write its index
    everything_runs(root, ran)


# Git directories that are elsewhere


def test_a_git_file_that_names_the_repository_of_another(tmp_path: Path, ran: Path, trap: Path) -> None:
    """Git lets perfmod keep its state there, as for a linked work tree; nothing else of it changes."""
    put(tmp_path / "victim", {"app/main.py": JOB, "secret.py": JOB})
    victim = commit(tmp_path / "victim")
    root = tmp_path / "root"
    put(root, {"app/__init__.py": "", "app/main.py": JOB, ".git": f"gitdir: {victim}/.git\n"})
    before = everything(victim)
    for command in ("check", "diff"):
        assert guarded.run(root, command, ".").code == 1
        assert everything(victim) == before
    code = subprocess.run(
        [sys.executable, "-m", "perfmod", "apply", root], cwd=tmp_path, capture_output=True
    ).returncode
    assert code in (0, 1, 2)
    after = {path: data for path, data in everything(victim).items() if path.parent.name != "perfmod"}
    assert after == before


@pytest.mark.parametrize("place", ["..", "/", "{victim}"])
def test_a_work_tree_that_is_elsewhere(tmp_path: Path, root: Path, place: str) -> None:
    put(tmp_path / "victim", {"app/main.py": JOB, "secret.py": JOB})
    git(root, "config", "core.worktree", place.format(victim=tmp_path / "victim"))
    before = everything(tmp_path / "victim")
    for command in ("check", "diff", "apply"):
        ran = guarded.run(root, command, "--allow-dirty", "--output-format", "json", ".")
        assert {finding["path"] for finding in json.loads(ran.out or '{"findings": []}')["findings"]} <= {"app/main.py"}
    assert everything(tmp_path / "victim") == before


# Code and configuration of the checkout


def test_nothing_of_the_checkout_is_run(root: Path, ran: Path, trap: Path) -> None:
    """Whatever Python, node, npm or a build tool would run by itself lies in wait."""
    evil = f"open({str(ran)!r}, 'a').write(__file__)\n"
    modules = "sitecustomize usercustomize conftest setup click rich libcst tree_sitter pathspec json perfmod tomllib"
    script = f"require('fs').writeFileSync({json.dumps(str(ran))}, 'x');\n"
    put(
        root,
        {f"{name}.py": evil + JOB for name in modules.split()}
        | {"app/__init__.py": evil, "app/main.py": evil + JOB, "evil.pth": f"import os; {evil}"}
        | {
            "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n"
            "[project.entry-points.perfmod]\nrules = 'setup'\n[tool.pytest.ini_options]\naddopts = '-p conftest'\n",
            "web/package.json": PACKAGE.replace(
                '"build": "vite build"',
                f'"build": "vite build", "preinstall": "{trap}", "postinstall": "{trap}", "prepare": "{trap}"',
            ),
            "web/pnpm-lock.yaml": LOCK,
            "web/.npmrc": f"script-shell={trap}\n",
            "web/.pnpmfile.cjs": script,
            "web/src/main.ts": LOAD + "db.from('t').select('*');\n",
            "web/vite.config.ts": script,
            "web/tsconfig.json": '{"compilerOptions": {"plugins": [{"name": "./evil.js"}]}}',
            "web/evil.js": script,
            "web/node_modules/typescript/package.json": '{"name": "typescript", "version": "5.9.0"}',
            "web/node_modules/typescript/lib/typescript.js": script,
            "web/node_modules/.bin/tsc": script,
            "migrations/1.sql": f"\\! {trap}\ncreate table t (a int);\n",
            ".envrc": f"{trap}\n",
            ".pre-commit-config.yaml": f"repos: [{{repo: local, hooks: [{{id: x, entry: {trap}, language: system}}]}}]",
            "Dockerfile": f"FROM scratch\nRUN {trap}\n",
        },
    )
    commit(root)
    for arguments in RUNS:
        guarded.run(root, *arguments, ".")
        assert not ran.exists(), ran.read_text()
    console_script = [Path(sys.executable).with_name("perfmod"), "check", "-j", "2", "."]
    assert subprocess.run(console_script, cwd=root, capture_output=True, check=False).returncode == 1
    assert not ran.exists(), ran.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "verify = 'touch {ran}'",
        "commit = true",
        "tsc = true",
        "narrow = true",
        "[rules.select-columns]\ntsc = true",
        "[rules.select-columns]\nnarrow = true",
        "[rules.select-columns]\ndatabase-url = 'postgresql://127.0.0.1:1/x'",
        "[rules.select-columns]\nopenapi = 'http://127.0.0.1:1/'",
        "extend = 'http://127.0.0.1:1/perfmod.toml'",
        "baseline = 'http://127.0.0.1:1/baseline.json'",
        "plugins = ['app.main']",
        "rules-path = 'app'",
        "cache-dir = '/tmp'",
    ],
)
def test_settings_that_ask_for_what_only_the_command_line_may(root: Path, ran: Path, text: str) -> None:
    put(root, {"perfmod.toml": text.format(ran=ran) + "\n", "web/src/main.ts": "db.from('t').select('*');\n"})
    for command in ("check", "apply"):
        answer = guarded.run(root, command, ".")
        assert answer.code == 2
        assert len(answer.err.splitlines()) == 1
    assert not ran.exists()
    assert (root / "app/main.py").read_text() == JOB


def test_a_baseline_is_written_below_the_root_only(tmp_path: Path, root: Path) -> None:
    """Where the configuration, and not the user, says where it is."""
    put(root, {"perfmod.toml": "baseline = '../outside.json'\n"})
    answer = guarded.run(root, "check", "--write-baseline", ".")
    assert answer.code == 2
    assert not (tmp_path / "outside.json").exists()
