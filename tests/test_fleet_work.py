"""perfmod fleet: what is done about one repository, in the process that a worker gives it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fleets
import pytest
from fleets import BARE_TASK, BOT, CLEAN, checkout, git

from perfmod.fleet import sandbox
from perfmod.fleet.job import Job, Limits, Outcome, Record
from perfmod.fleet.repositories import Repository, name_of
from perfmod.fleet.version import version
from perfmod.options import Typed

TODAY = "2026-05-01"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """git without a configuration of this machine."""
    for name, value in fleets.NOBODY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def own_children() -> Iterator[None]:
    """Children of other tests have another environment."""
    end_idle()
    yield
    end_idle()


def end_idle() -> None:
    while sandbox.idle:
        sandbox.idle.pop().end()


def job(tmp_path: Path, location: Path | str, command: str = "check", **changes: object) -> Job:
    made = Job(
        Repository(name_of(str(location).rpartition("/")[2]), str(location)),
        Typed(command),  # type: ignore[arg-type]
        None,
        str(tmp_path / "clones"),
        Limits(60, 2_000_000_000),
        TODAY,
        version(),
        branch="perfmod" if command == "apply" else None,
    )
    repository = replace(made.repository, ref=changes.pop("ref", None))  # type: ignore[arg-type]
    return replace(made, repository=repository, **changes)  # type: ignore[arg-type]


def do(tmp_path: Path, location: Path | str, command: str = "check", **changes: object) -> Outcome:
    return sandbox.in_child(job(tmp_path, location, command, **changes))


def done(outcome: Outcome) -> Record:
    assert outcome.record is not None
    assert outcome.status == "done", outcome.record.reason
    return outcome.record


def reason(outcome: Outcome) -> str:
    assert outcome.status == "failed" and outcome.record is not None and outcome.record.reason is not None
    return outcome.record.reason


def test_a_checkout_is_read_as_it_stands(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", {**BOT, "tidy.py": CLEAN})
    outcome = do(tmp_path, bot)
    record = done(outcome)
    assert record.commit == git(bot, "rev-parse", "HEAD") and record.files == 3
    assert record.findings == {"supervise-tasks": {"safe": 1}} and record.fixable == 1
    assert set(outcome.files) == {"findings.json", "left.txt", "page.html"}
    assert json.loads(outcome.files["findings.json"])["findings"][0]["line"] == 9
    assert b"<h1>bot</h1>" in outcome.files["page.html"]
    assert outcome.effort.seconds > 0 and outcome.effort.memory > 10_000_000
    (bot / "more.py").write_text(BARE_TASK)
    edited = done(do(tmp_path, bot))
    assert edited.commit is None and edited.key is None and edited.total == 2
    assert git(bot, "status", "--porcelain") == "?? more.py"


def test_the_patch_is_what_git_apply_takes(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    outcome = do(tmp_path, bot, "diff")
    (tmp_path / "changes.patch").write_bytes(outcome.files["changes.patch"])
    git(bot, "apply", str(tmp_path / "changes.patch"))
    assert "create_background_task" in (bot / "bot/main.py").read_text()
    assert done(outcome).changes == 2


def test_what_is_known_is_not_done_again_until_something_changes(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    known = done(do(tmp_path, bot)).key
    assert known is not None
    assert do(tmp_path, bot, known=known).status == "unchanged"
    assert do(tmp_path, bot, "diff", known=known).status == "done"
    assert do(tmp_path, bot, known=known, typed=Typed("check", select=("load-once",))).status == "done"
    (bot / "perfmod.toml").write_text('ignore = ["supervise-tasks"]\n')
    assert done(do(tmp_path, bot, known=known)).total == 0
    fleets.commit(bot, {})
    again = done(do(tmp_path, bot, known=known))
    assert again.total == 0 and again.key not in (None, known)


def test_a_configuration_that_a_checkout_extends_is_part_of_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_text('select = ["supervise-tasks"]\n')
    bot = checkout(tmp_path / "bot", {**BOT, "perfmod.toml": 'extend = "../shared.toml"\n'})
    known = done(do(tmp_path, bot)).key
    assert do(tmp_path, bot, known=known).status == "unchanged"
    (tmp_path / "shared.toml").write_text('select = ["load-once"]\n')
    assert done(do(tmp_path, bot, known=known)).total == 0
    assert "which lies outside of it" in reason(do(tmp_path, f"file://{bot}"))


def test_an_ignore_comment_that_expires_ends_what_is_known(tmp_path: Path) -> None:
    text = BARE_TASK.rstrip() + "  # perfmod: ignore[supervise-tasks] until=2026-05-31\n"
    record = done(do(tmp_path, checkout(tmp_path / "bot", {"bot.py": text})))
    assert (record.total, record.suppressed, record.until) == (0, 1, "2026-05-31")


def test_an_address_is_cloned_shallow_and_fetched_the_next_time(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    fleets.commit(bot, {"tidy.py": CLEAN})
    first = done(do(tmp_path, f"file://{bot}"))
    clone = tmp_path / "clones" / "bot"
    assert first.total == 1 and git(clone, "rev-list", "--count", "HEAD") == "1"
    assert do(tmp_path, f"file://{bot}", known=first.key).status == "unchanged"
    fleets.commit(bot, {"bot/main.py": CLEAN})
    (clone / ".git/index.lock").write_text("")  # of a run that was killed
    (clone / "left.py").write_text(BARE_TASK)
    second = done(do(tmp_path, f"file://{bot}", known=first.key))
    assert second.total == 0 and second.commit == git(bot, "rev-parse", "HEAD")
    do(tmp_path, f"file://{bot}", keep_clone=False)
    assert os.listdir(tmp_path / "clones") == [".perfmod-fleet"]


def test_nothing_of_anybody_else_is_written_into_or_removed(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    own = checkout(tmp_path / "clones" / "bot", {"own.py": CLEAN})
    git(own, "remote", "add", "origin", f"file://{bot}")
    (own / "more.py").write_text("an edit that nobody has committed")
    assert "no fleet made it" in reason(do(tmp_path, f"file://{bot}"))
    assert (own / "more.py").exists()
    assert done(do(tmp_path, bot, ref="main")).total == 1  # needs no such folder
    own.rename(tmp_path / "kept")
    done(do(tmp_path, f"file://{bot}"))
    other = checkout(tmp_path / "other" / "bot", BOT)
    assert done(do(tmp_path, f"file://{other}")).total == 1
    git(own, "branch", "perfmod")
    assert "has branches of another repository" in reason(do(tmp_path, f"file://{bot}"))


def test_a_ref_is_a_branch_a_tag_or_a_commit_of_an_address_or_a_checkout(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    commit = git(bot, "rev-parse", "HEAD")
    git(bot, "tag", "--annotate", "--message", "v1", "v1")
    git(bot, "branch", "old")
    fleets.commit(bot, {"bot/main.py": CLEAN})
    (bot / "bot/main.py").write_text("an edit that nobody has committed")
    for location in (bot, f"file://{bot}"):
        for ref in ("v1", "old", commit):
            record = done(do(tmp_path, location, ref=ref))
            assert (record.total, record.commit) == (1, commit), (location, ref)
        assert done(do(tmp_path, location, ref="main")).total == 0
        assert reason(do(tmp_path, location, ref="gone")) == "the repository has no `gone`"
    assert (bot / "bot/main.py").read_text() == "an edit that nobody has committed"
    assert sorted(os.listdir(tmp_path / "clones")) == [".perfmod-fleet", "bot"]


def test_what_is_no_checkout(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "bot.py").write_text(BARE_TASK)
    record = done(do(tmp_path, tmp_path / "plain"))
    assert (record.total, record.commit, record.key) == (1, None, None)
    assert reason(do(tmp_path, tmp_path / "gone")) == f"no such folder: {tmp_path}/gone"
    assert reason(do(tmp_path, tmp_path / "plain", "apply")) == f"{tmp_path}/plain is no git checkout"
    assert "does not appear to be a git repository" in reason(do(tmp_path, f"file://{tmp_path}/gone"))


def test_a_configuration_that_is_wrong_fails_its_repository(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", {**BOT, "perfmod.toml": "selekt = []\n"})
    assert "unknown key `selekt`; did you mean `select`?" in reason(do(tmp_path, bot))
    assert done(do(tmp_path, bot, typed=Typed("check", isolated=True))).total == 1


def test_apply_commits_on_a_branch_and_leaves_the_work_tree_alone(tmp_path: Path) -> None:
    fleet = fleets.three(tmp_path / "fleet")
    rates = fleet / "acme" / "rates"
    git(rates, "remote", "add", "origin", "https://me:secret@example.org/acme/rates.git")
    (rates / "rates" / "jobs.py").write_text("an edit that nobody has committed")
    head = git(rates, "rev-parse", "HEAD")
    outcome = do(tmp_path, rates, "apply")
    record = done(outcome)
    assert record.branch is not None and record.branch.base == "main"
    assert record.branch.remote == "https://***@example.org/acme/rates.git"
    log = git(rates, "log", "--format=%an <%ae> %s", f"{head}..perfmod").splitlines()
    assert log == [
        "Fleet Test <fleet@example.org> perfmod: supervise-tasks: 1 fix in 1 file",
        "Fleet Test <fleet@example.org> perfmod: retry-requests: 1 fix in 1 file",
    ]
    assert git(rates, "rev-parse", "HEAD", "main").split() == [head, head]
    assert git(rates, "status", "--porcelain") == "M rates/jobs.py"
    assert "create_background_task" in git(rates, "show", "perfmod:rates/jobs.py")
    assert b"perfmod: " in outcome.files["pull-request.md"] and "secret" not in repr(outcome)
    git(rates, "fsck", "--strict")
    assert os.listdir(tmp_path / "clones" / ".perfmod-fleet") == []


def test_apply_again(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    first = done(do(tmp_path, bot, "apply"))
    assert first.branch is not None
    tip = first.branch.commit
    assert do(tmp_path, bot, "apply", known=first.key, known_tip=tip).status == "unchanged"
    time.sleep(1.1)  # so that another commit would have another date
    killed = done(do(tmp_path, bot, "apply"))  # as if the first had died before it could say what it did
    assert killed.branch is not None and killed.branch.commit == tip
    git(bot, "branch", "-D", "perfmod")
    assert do(tmp_path, bot, "apply", known=first.key, known_tip=tip).status == "done"
    git(bot, "branch", "--force", "perfmod", "main")
    assert "there is a branch perfmod already" in reason(do(tmp_path, bot, "apply"))
    tidy = done(do(tmp_path, checkout(tmp_path / "tidy", {"tidy.py": CLEAN}), "apply"))
    assert tidy.branch is None and git(tmp_path / "tidy", "branch", "--format=%(refname:short)") == "main"


@pytest.mark.parametrize("kind", ["address", "bare", "shallow", "work tree", "sha256"])
def test_apply_wherever_the_repository_is(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    if kind == "sha256":
        git(tmp_path, "init", "--quiet", "--object-format=sha256", "source")
    fleets.commit(checkout(source, BOT), {"tidy.py": CLEAN})
    location: Path | str = tmp_path / "bot"
    if kind == "address":
        location = f"file://{source}"
    elif kind == "bare":
        git(tmp_path, "clone", "--quiet", "--bare", str(source), "bot")
    elif kind == "shallow":
        git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{source}", "bot")
    elif kind == "work tree":
        git(source, "worktree", "add", "--quiet", "--detach", str(location))
    else:
        location = source
    if kind in ("address", "bare", "shallow"):  # which know nobody
        said = reason(do(tmp_path, location, "apply"))
        assert said.startswith("git can't commit the fixes of supervise-tasks: "), said
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(someone(tmp_path)))
        end_idle()
    record = done(do(tmp_path, location, "apply"))
    assert record.branch is not None
    folder = Path(record.branch.folder)
    assert "create_background_task" in git(folder, "show", "perfmod:bot/main.py")
    git(folder, "fsck", "--strict")


def someone(folder: Path) -> Path:
    """A user's configuration of git."""
    (folder / "gitconfig").write_text("[user]\n  name = Fleet Test\n  email = fleet@example.org\n")
    return folder / "gitconfig"


def test_nothing_of_a_repository_is_run(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", {**BOT, ".gitattributes": "*.py filter=own diff=own\n"})
    owned = tmp_path / "owned"
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\necho $0 $* >>{owned}\ncat\n")
    script.chmod(0o755)
    for hook in (
        "pre-commit",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "reference-transaction",
        "post-index-change",
    ):
        (bot / ".git" / "hooks").mkdir(exist_ok=True)
        (bot / ".git" / "hooks" / hook).symlink_to(script)
    for key in (
        *("core.fsmonitor", "filter.own.clean", "filter.own.smudge", "diff.own.command", "diff.own.textconv"),
        *("core.sshCommand", "core.editor", "gpg.program", "core.alternateRefsCommand", "credential.helper"),
        *("core.pager", "remote.origin.uploadpack", "diff.external", "core.gitProxy", "uploadpack.packObjectsHook"),
    ):
        git(bot, "config", key, str(script))
    git(bot, "config", "commit.gpgsign", "true")
    git(bot, "config", "filter.own.required", "true")
    os.utime(bot / "bot/main.py", (1, 1))  # so that git has to look at the file
    for command in ("check", "diff", "apply"):
        assert done(do(tmp_path, bot, command)).total == 1
    assert done(do(tmp_path, f"file://{bot}", "diff")).total == 1
    assert done(do(tmp_path, bot, ref="main")).total == 1
    assert not owned.exists(), owned.read_text()
    assert "create_background_task" in git(bot, "-c", "filter.own.smudge=cat", "show", "perfmod:bot/main.py")


def test_nothing_is_imported_from_where_a_fleet_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for module in ("pickle", "perfmod", "signal", "queue", "psutil", "json", "random"):
        (here / f"{module}.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w')\n")
    monkeypatch.chdir(here)
    assert done(do(tmp_path, checkout(tmp_path / "bot", BOT))).total == 1
    assert not (tmp_path / "owned").exists()


def test_a_server_that_never_answers_costs_its_time_limit(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"git://127.0.0.1:{server.getsockname()[1]}/acme/bot"
        started = time.monotonic()
        outcome = do(tmp_path, address, limits=Limits(1.5, 2_000_000_000))
        assert reason(outcome) == "not done after 1.5 s: see --time-limit"
        assert 1.5 <= time.monotonic() - started < 20
    assert done(do(tmp_path, checkout(tmp_path / "bot", BOT))).total == 1


def test_what_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    many = BARE_TASK + "".join(f"values_{n} = [{', '.join(map(str, range(40)))}]\n" for n in range(9000))
    big = checkout(tmp_path / "big", {f"big_{n}.py": many for n in range(3)})
    outcome = do(tmp_path, big, limits=Limits(60, 90_000_000))
    assert reason(outcome) == "took more than 90 MB of memory: see --memory"
    assert outcome.effort.memory > 90_000_000
    assert done(do(tmp_path, big)).total == 3


def test_a_process_that_crashes_is_told(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    done(do(tmp_path, bot))
    (child,) = sandbox.idle
    os.kill(child._process.pid, signal.SIGSEGV)
    child._process.wait()
    assert reason(do(tmp_path, bot)).startswith("its process was killed by SIGSEGV")
    assert done(do(tmp_path, bot)).total == 1


def test_a_child_ends_with_its_worker_also_in_the_middle_of_its_work(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"git://127.0.0.1:{server.getsockname()[1]}/acme/bot"
        code = (
            "import sys, pickle; from perfmod.fleet import sandbox; "
            "given = pickle.load(sys.stdin.buffer); child = sandbox.Child(); "
            "print(child._process.pid, flush=True); child.carry_out(given)"
        )
        worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert worker.stdin is not None and worker.stdout is not None
        import pickle

        worker.stdin.write(pickle.dumps(job(tmp_path, address)))
        worker.stdin.close()
        child = int(worker.stdout.readline())
        server.settimeout(60)
        connection, _ = server.accept()  # by the child's git, which now waits
        with connection:
            worker.kill()
            worker.wait()
            connection.settimeout(20)
            while connection.recv(1000):
                pass  # until git is gone
    deadline = time.monotonic() + 20
    while running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(child)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_with_another_perfmod_says_so(tmp_path: Path) -> None:
    bot = checkout(tmp_path / "bot", BOT)
    assert reason(do(tmp_path, bot, version="0.0.1+abc")) == (
        f"the worker has perfmod {version()}, but the fleet was started by 0.0.1+abc"
    )


def test_an_internal_error_fails_one_repository_and_leaves_its_traceback(tmp_path: Path) -> None:
    outcome = do(tmp_path, checkout(tmp_path / "bot", BOT), typed=None)
    assert reason(outcome).startswith("internal error, please report it: AttributeError at fleet/work.py:")
    assert b"Traceback" in outcome.files["failure.txt"]
