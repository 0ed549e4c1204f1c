"""The cache of facts changes how long a run takes, and nothing else."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfmod import judging, scanning
from perfmod.cache import SEAL, FactUnpickler, sealed
from perfmod.config import Settings
from perfmod.model import Result
from perfmod.pipeline import Request, run
from perfmod.rules.supervise_tasks import TaskOptions

FIXTURES = Path(__file__).parent.parent / "fixtures"
BASIC = FIXTURES / "supervise-tasks/basic/before"
LONG_AGO = 1_000_000_000


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    shutil.copytree(BASIC, root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for file in root.rglob("*.py"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    return root


def request(root: Path) -> Request:
    return Request("check", root, (root,), Settings(select=("supervise-tasks",)), cache=True)


def results(root: Path) -> tuple[Result, ...]:
    return run(request(root)).results


def count_parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are read and parsed from now on."""
    parsed: list[str] = []
    scan_file = scanning.scan_file

    def counting(path: str, *rest: object) -> object:
        parsed.append(path)
        return scan_file(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(scanning, "scan_file", counting)
    return parsed


def test_a_second_run_parses_nothing_and_says_the_same(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = count_parsed(monkeypatch)
    first = results(checkout)
    assert first
    assert parsed == ["app/main.py"]
    assert results(checkout) == first
    assert len(parsed) == 1
    assert run(replace(request(checkout), cache=False)).results == first


def test_a_changed_file_is_read_again(checkout: Path) -> None:
    assert results(checkout)
    main = checkout / "app/main.py"
    main.write_text(main.read_text().replace("    asyncio.create_task", "    await asyncio.create_task"))
    assert not results(checkout)
    assert not results(checkout)


def test_a_file_that_has_just_changed_is_not_remembered(checkout: Path) -> None:
    main = checkout / "app/main.py"
    main.write_text(main.read_text())
    stamp = main.stat()
    assert results(checkout)
    main.write_text("#" * stamp.st_size)
    os.utime(main, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert not results(checkout)


def test_other_options_and_rules_have_caches_of_their_own(checkout: Path) -> None:
    results(checkout)
    held = Settings(select=("supervise-tasks",), rules={"supervise-tasks": TaskOptions(report_held=True)})
    run(replace(request(checkout), settings=held))
    assert len(list((checkout / ".git/perfmod").glob("facts-*"))) == 2


def test_a_broken_or_forged_cache_is_none(checkout: Path, tmp_path: Path) -> None:
    first = results(checkout)
    (cache,) = (checkout / ".git/perfmod").glob("facts-*")
    whole = cache.read_bytes()

    class Forged:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.system, (f"touch {tmp_path / 'ran'}",))

    key, names, stamps, said, verdict = pickle.loads(whole[SEAL:])
    broken = [
        ("key", {}),
        (key, names, stamps[:-8], said, verdict),
        (key, names, stamps[:-1], said, verdict),
        (key, names.replace("\0", ""), stamps, said, verdict),
        (key, names.encode(), stamps, said, verdict),
        (key, names, stamps, [], None),
        (key, names, stamps, {}, "verdict"),
        (key, "", b"", said, verdict),
        (key, names, [2**70] * (len(stamps) // 8), said, verdict),
    ]
    unreadable = (b"no pickle", whole[SEAL:-20], pickle.dumps(Forged()), *map(pickle.dumps, broken))
    for content in (b"", whole[:-20], whole[SEAL:], *map(sealed, unreadable)):
        cache.write_bytes(content)
        assert results(checkout) == first
    assert not (tmp_path / "ran").exists()


def test_a_damaged_cache_is_none(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = results(checkout)
    (cache,) = (checkout / ".git/perfmod").glob("facts-*")
    whole = cache.read_bytes()
    parsed = count_parsed(monkeypatch)
    for place in range(0, len(whole), max(1, len(whole) // 50)):
        cache.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        parsed.clear()
        assert results(checkout) == first
        assert parsed == ["app/main.py"]


def test_only_types_of_perfmod_are_read() -> None:
    unpickler = FactUnpickler.__new__(FactUnpickler)
    for module, name in [
        ("os", "system"),
        ("builtins", "eval"),
        ("perfmod.cache", "os.system"),
        ("perfmod.cache", "os"),
    ]:
        with pytest.raises(pickle.UnpicklingError):
            FactUnpickler.find_class(unpickler, module, name)


def test_nothing_is_written_into_the_work_tree_or_outside_git(checkout: Path) -> None:
    results(checkout)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, text=True, check=True)
    assert ".perfmod" not in status.stdout
    assert "facts" not in status.stdout
    shutil.rmtree(checkout / ".git")
    before = sorted(checkout.rglob("*"))
    results(checkout)
    assert sorted(checkout.rglob("*")) == before


def test_a_named_folder_is_used_and_hides_itself_from_git(checkout: Path) -> None:
    folder = checkout / "cache"
    run(replace(request(checkout), cache_folder=folder))
    assert list(folder.glob("facts-*"))
    assert (folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_jobs_change_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    monkeypatch.setattr(scanning, "FILES_PER_WORKER", 1)
    for number in range(30):
        shutil.copy(checkout / "app/main.py", checkout / f"app/main{number}.py")
    alone = run(replace(request(checkout), cache=False, jobs=1)).results
    assert len(alone) == 31
    assert run(replace(request(checkout), cache=False, jobs=jobs)).results == alone


# What judging said is recalled while nothing that it looked at has changed


@pytest.fixture
def dealdesk(tmp_path: Path) -> Path:
    """A whole checkout with findings of every rule, last written long ago."""
    root = tmp_path / "dealdesk"
    shutil.copytree(FIXTURES / "dealdesk/before", root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for path in root.rglob("*"):
        if ".git" not in path.parts and path.is_file():
            os.utime(path, (LONG_AGO, LONG_AGO))
    return root


def all_rules(root: Path, *, cache: bool = True, jobs: int | None = None) -> tuple[object, ...]:
    report = run(Request("check", root, (root,), cache=cache, jobs=jobs))
    return report.results, report.notes, report.skipped, report.files, report.exit_code


def count_judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    judged: list[int] = []
    judge = judging.judge

    def counting(*arguments: Any) -> Any:
        judged.append(1)
        return judge(*arguments)

    monkeypatch.setattr(judging, "judge", counting)
    return judged


def test_all_rules_say_the_same_from_the_cache(dealdesk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = count_judged(monkeypatch)
    afresh = all_rules(dealdesk, cache=False)
    assert afresh[0]
    assert [all_rules(dealdesk) for _ in range(3)] == [afresh] * 3
    assert len(judged) == 2


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_all_rules_say_the_same_with_any_number_of_jobs(
    dealdesk: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    afresh = all_rules(dealdesk, cache=False, jobs=1)
    monkeypatch.setattr(scanning, "FILES_PER_WORKER", 1)
    assert all_rules(dealdesk, cache=False, jobs=jobs) == afresh


def touch_nothing(_root: Path) -> None:
    pass


def add_package(root: Path) -> None:
    (root / "helpers").mkdir()
    (root / "helpers/__init__.py").touch()


def add_ignored_helper(root: Path) -> None:
    """A name that judging looks for, though discovery does not list it."""
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/exclude").write_text("background_tasks.py\n")
    for folder in {path.parent for path in root.rglob("*.py")}:
        (folder / "background_tasks.py").write_text("taken = True\n")


def change_manifests(root: Path) -> None:
    for manifest in root.rglob("package.json"):
        manifest.write_text('{"name": "web"}\n')


def change_configuration(root: Path) -> None:
    for path in (*root.rglob("requirements*.txt"), *root.rglob("pyproject.toml")):
        path.unlink()


def remove_modules(root: Path) -> None:
    for path in sorted(root.rglob("*.py"))[::3]:
        path.unlink()


CHANGES = (touch_nothing, add_package, add_ignored_helper, change_manifests, change_configuration, remove_modules)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_changes_in_the_checkout_is_judged_again(dealdesk: Path, change: Callable[[Path], None]) -> None:
    all_rules(dealdesk)
    all_rules(dealdesk)
    change(dealdesk)
    afresh = all_rules(dealdesk, cache=False)
    assert all_rules(dealdesk) == afresh
    assert all_rules(dealdesk) == afresh


def test_a_rule_that_asks_outside_is_always_judged(dealdesk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = count_judged(monkeypatch)
    monkeypatch.setattr(judging, "asks_outside", lambda rule: True)
    assert all_rules(dealdesk) == all_rules(dealdesk)
    assert len(judged) == 2


def test_a_killed_run_leaves_a_usable_cache(dealdesk: Path) -> None:
    command = [sys.executable, "-m", "perfmod", "check", "."]
    afresh = all_rules(dealdesk, cache=False)
    for delay in (0.05, 0.15, 0.25, 0.35):
        process = subprocess.Popen(command, cwd=dealdesk, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert all_rules(dealdesk) == afresh


def test_runs_at_the_same_time_say_the_same(dealdesk: Path) -> None:
    command = [sys.executable, "-m", "perfmod", "check", "--output-format=json", "."]
    for _ in range(2):
        running = [subprocess.Popen(command, cwd=dealdesk, stdout=subprocess.PIPE) for _ in range(4)]
        said = {process.communicate()[0] for process in running}
        assert len(said) == 1
    assert all_rules(dealdesk) == all_rules(dealdesk, cache=False)
    assert not list((dealdesk / ".git/perfmod").glob(".facts-*"))


def test_a_worker_that_is_killed_loses_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "FILES_PER_WORKER", 1)
    for number in range(30):
        shutil.copy(checkout / "app/main.py", checkout / f"app/main{number}.py")
    alone = run(replace(request(checkout), cache=False, jobs=1)).results
    parent, work = os.getpid(), scanning.scan_files

    def dying(*arguments: Any) -> Any:
        if os.getpid() != parent:
            os._exit(9)
        return work(*arguments)

    monkeypatch.setattr(scanning, "scan_files", dying)
    assert run(replace(request(checkout), cache=False, jobs=3)).results == alone
