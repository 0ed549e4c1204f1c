"""perfmod fleet as a user runs it: real repositories, a real Dask cluster, processes that are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import fleets
import psutil
import pytest
from fleets import BOT, CLEAN, checkout, git

from perfmod.fleet.results import files_of

START = [sys.executable, "-m", "perfmod", "fleet"]
slow = pytest.mark.slow


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """git without a configuration of this machine, and no colours."""
    for name, value in {**fleets.NOBODY, "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)


def start(folder: Path, *arguments: str, before: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", f"{before}; from perfmod.cli import main; main()", "fleet"] if before else START
    options = () if {"--dashboard", "--help"} & set(arguments) else ("--dashboard", "127.0.0.1:0")
    return subprocess.Popen(
        [*command, *arguments, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, *arguments: str, before: str = "") -> tuple[int, str, str]:
    process = start(folder, *arguments, before=before)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def test_a_fleet_from_the_command_line(tmp_path: Path) -> None:
    fleets.three(tmp_path / "src")
    (tmp_path / "repos.txt").write_text("src/acme/bot\nsrc/acme/rates main\nsrc/gone\nsrc/tidy\n")
    code, out, err = run(tmp_path, "check", "repos.txt", "--jobs", "2", "--history", "history.jsonl")
    assert code == 2, err
    assert out.splitlines() == [
        "repository  files  findings  safe  unsafe  manual  fixable",
        "rates           3         2     2       0       0        2",
        "bot             2         1     1       0       0        1",
        "",
        "rule             repositories  findings  safe  unsafe  manual",
        "retry-requests              1         1     1       0       0",
        "supervise-tasks             2         2     2       0       0",
        f"failed: gone: no such folder: {tmp_path}/src/gone",
        "",
        "3 findings in 2 of 4 repositories, 1 failed, 6 files; 3 fixable.",
    ]
    assert "perfmod: 4 repositories; Dask's dashboard: http://127.0.0.1:" in err
    assert f"perfmod: the report is {tmp_path}/perfmod-fleet/index.html" in err and "Traceback" not in err
    work = tmp_path / "perfmod-fleet"
    before = files_of(work)
    assert {name for name in before if name.startswith("results/rates/")} == {
        f"results/rates/{name}" for name in ("findings.json", "left.txt", "page.html", "record.json")
    }
    assert json.loads(before["summary.json"])["summary"]["failed"] == 1
    assert not (tmp_path / "src/acme/rates/.git/perfmod").exists()
    (tmp_path / "repos.txt").write_text("src/acme/bot\nsrc/acme/rates main\nsrc/tidy\n")
    code, out, err = run(
        tmp_path, "check", "repos.txt", "--jobs", "1", "--history", "history.jsonl", "--output-format", "json"
    )
    assert (code, json.loads(out)["summary"]["repositories"]) == (1, 3)
    assert "3 of them known from before" in err
    after = files_of(work)
    assert {name: data for name, data in after.items() if name.startswith("results/")} == {
        name: data for name, data in before.items() if name.startswith("results/")
    }
    assert b"Findings over 2 runs" in after["index.html"]
    assert [json.loads(line)["unchanged"] for line in (tmp_path / "history.jsonl").open()] == [0, 3]


@pytest.mark.slow
def test_apply_prints_commands_and_nothing_else_on_standard_output(tmp_path: Path) -> None:
    fleets.three(tmp_path / "src")
    bot = tmp_path / "src/acme/bot"
    git(bot, "remote", "add", "origin", "https://me:secret@github.com/acme/bot.git")
    code, out, err = run(tmp_path, "apply", "src", "--branch", "perfmod/fixes", "--jobs", "1", "-q")
    assert code == 0, err
    assert [line for line in out.splitlines() if line and not line.startswith("#")] == [
        f"git -C {bot} push origin refs/heads/perfmod/fixes:refs/heads/perfmod/fixes",
        "gh pr create --repo github.com/acme/bot --head perfmod/fixes --base main --title 'perfmod: 1 fix' "
        f"--body-file {tmp_path}/perfmod-fleet/results/acme-bot/pull-request.md",
    ]
    assert "Fixed 3 findings on 2 branches, 0 left; 3 repositories." in err
    assert subprocess.run(["sh", "-n", tmp_path / "perfmod-fleet/pull-requests.sh"]).returncode == 0
    assert "perfmod/fixes" in git(bot, "branch", "--list", "perfmod/fixes")
    for name, data in files_of(tmp_path / "perfmod-fleet").items():
        assert b"secret" not in data, name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "gone"), "no such file or folder: gone"),
        (
            ("check", "src", "--select", "supervise-task"),
            "unknown rule `supervise-task`; did you mean `supervise-tasks`?",
        ),
        (("check", "src", "--config", "gone.toml"), "cannot read the configuration gone.toml"),
        (("check", "src", "--config", "x", "--isolated"), "--config and --isolated exclude each other"),
        (
            ("check", "src", "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"),
            "--jobs says how many processes to start",
        ),
        (("apply", "src"), "Missing option '--branch' (see `perfmod fleet apply --help`)"),
        (("apply", "src", "--branch", "a..b"), "--branch: git takes no `a..b` as the name of a branch"),
        (("apply", "src", "--branch", "--force"), "--branch: git takes no `--force` as the name of a branch"),
        (("check", "src", "--work", "src/tidy/tidy.py"), "name another folder with --work"),
        (("check", "src", "--history", "src/tidy/tidy.py"), "line 1 tells of no run of a fleet"),
        (("check", "src", "--output-format", "xml"), "unknown value `xml`"),
        (("diff",), "Missing argument 'REPOS'"),
        (("chek", "src"), "No such command 'chek'"),
    ],
)
def test_what_is_asked_for_wrongly_is_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    checkout(tmp_path / "src/tidy", {"tidy.py": CLEAN})
    code, out, err = run(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("perfmod: error: ") and said in err and err.count("\n") == 1


def test_without_dask_it_says_what_to_install_and_help_needs_none(tmp_path: Path) -> None:
    checkout(tmp_path / "src/tidy", {"tidy.py": CLEAN})
    missing = "import sys; sys.modules['distributed'] = sys.modules['dask'] = sys.modules['psutil'] = None"
    code, _, err = run(tmp_path, "check", "src", before=missing)
    assert code == 2 and err.startswith("perfmod: error: a fleet needs Dask (")
    assert err.endswith(" is missing): pip install 'perfmod[fleet]'\n")
    code, out, _ = run(tmp_path, "check", "--help", before=missing)
    assert code == 0 and "--time-limit SECONDS" in out


def many(folder: Path, number: int) -> Path:
    """A fleet of so many repositories with findings."""
    for n in range(number):
        pad = "".join(f"def padding_{n}_{m}():\n    return {m}\n\n\n" for m in range(200))
        checkout(folder / f"bot-{n:02}", {**BOT, "bot/padding.py": pad})
    return folder


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The Dask workers of a run that have a child at work."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.Error):
            if "perfmod.fleet.child" in child.cmdline():
                parent = child.parent()
                if parent is not None and parent.pid != process.pid:
                    found.append(parent)
    return found


def wait_for_workers(process: subprocess.Popen[str], number: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 120
    while len(workers := workers_of(process)) < number:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return workers


@slow
def test_workers_that_are_killed_cost_nothing_but_time(tmp_path: Path) -> None:
    many(tmp_path / "src", 24)
    code, _, err = run(tmp_path, "diff", "src", "--jobs", "1", "--work", "calm")
    assert code == 1, err
    process = start(tmp_path, "diff", "src", "--jobs", "2", "--work", "killed")
    killed = 0
    while process.poll() is None and killed < 3:
        with suppress(psutil.Error, IndexError, AssertionError):
            wait_for_workers(process, 1)[0].kill()
            killed += 1
            time.sleep(0.7)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1 and killed > 1, err
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "calm")
    names = [line.partition(",")[0] for line in (tmp_path / "killed/timings.csv").read_text().splitlines()[1:]]
    assert sorted(names) == [f"bot-{n:02}" for n in range(24)]
    assert "Traceback" not in err


@slow
def test_workers_that_are_killed_while_they_start_come_back_too(tmp_path: Path) -> None:
    many(tmp_path / "src", 6)
    process = start(tmp_path, "check", "src", "--jobs", "1")
    wait_for_workers(process, 1)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        for each in psutil.Process(process.pid).children():
            with suppress(psutil.Error):
                if "--multiprocessing-fork" in each.cmdline():
                    each.kill()
        time.sleep(0.3)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert "6 findings in 6 of 6 repositories" in out


@slow
def test_ctrl_c_stops_at_once_and_the_next_run_goes_on(tmp_path: Path) -> None:
    many(tmp_path / "src", 12)
    process = start(tmp_path, "check", "src", "--jobs", "2")
    results = tmp_path / "perfmod-fleet/results"
    deadline = time.monotonic() + 120
    while len(list(results.glob("*/record.json"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    everyone = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: all processes of the run get it
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "are done, and the same command goes on from there" in err and "Traceback" not in err
    psutil.wait_procs(everyone, timeout=20)
    assert not [each for each in everyone if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    known = len(list(results.glob("*/record.json")))
    assert 2 <= known < 12
    code, _, err = run(tmp_path, "check", "src", "--jobs", "2")
    assert code == 1 and f"{known} of them known from before" in err


@slow
def test_a_fleet_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    many(tmp_path / "src", 12)
    process = start(tmp_path, "check", "src", "--jobs", "2")
    wait_for_workers(process, 2)
    everyone = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(everyone, timeout=60)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


@slow
def test_a_repository_that_hangs_is_tried_once_elsewhere_and_the_others_go_on(tmp_path: Path) -> None:
    many(tmp_path / "src", 6)
    tried: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            with suppress(OSError):
                while True:
                    connection, (_, peer) = server.accept()
                    tried.append(worker_behind(peer))
                    held.append(connection)

        held: list[socket.socket] = []
        Thread(target=listen, daemon=True).start()
        lines = [f"git://127.0.0.1:{port}/acme/hangs", *(f"src/bot-{n:02}" for n in range(6))]
        (tmp_path / "repos.txt").write_text("\n".join(lines))
        code, out, err = run(tmp_path, "check", "repos.txt", "--jobs", "2", "--time-limit", "5")
    assert code == 2, err
    assert "failed: acme-hangs: not done after 5 s: see --time-limit" in out
    assert "6 findings in 6 of 7 repositories, 1 failed" in out
    assert len(tried) == 2 and len(set(tried)) == 2


def worker_behind(peer: int) -> int:
    """The process id of the Dask worker whose git has this end of a connection."""
    for connection in psutil.net_connections("tcp"):
        if connection.laddr.port == peer and connection.pid:
            names = [(p.pid, p.cmdline()) for p in psutil.Process(connection.pid).parents()]
            for number, (_, words) in enumerate(names):
                if "perfmod.fleet.child" in words:
                    return names[number + 1][0]
    return -1


@slow
def test_it_listens_on_loopback_alone_and_imports_nothing_from_where_it_is_started(tmp_path: Path) -> None:
    many(tmp_path / "src", 8)
    for module in ("pickle", "signal", "queue", "psutil", "random", "struct", "multiprocessing", "distributed", "yaml"):
        (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w')\n")
    command = [str(Path(sys.executable).parent / "perfmod"), "fleet", "check", "src", "--jobs", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for_workers(process, 2)
    heard = set()
    for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
        with suppress(psutil.Error):
            heard |= {c.laddr.ip for c in each.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert heard == {"127.0.0.1"}
    assert not (tmp_path / "owned").exists()


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two workers, as processes of their own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = str(Path(sys.executable).parent / "dask")
    commands = [
        [dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
        [dask, "worker", address, "--nworkers", "2", "--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard"],
    ]
    with (folder / "dask.log").open("w") as log:
        processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
        try:
            yield address
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait(60)


@slow
def test_a_cluster_says_what_one_machine_says(tmp_path: Path) -> None:
    many(tmp_path / "src", 6)
    fleets.three(tmp_path / "src")
    names = [path.parent.relative_to(tmp_path) for path in (tmp_path / "src").rglob(".git")]
    lines = [*map(str, names), f"file://{tmp_path}/src/tidy main", "src/gone"]
    (tmp_path / "repos.txt").write_text("\n".join(sorted(lines)))
    code, out, err = run(tmp_path, "diff", "repos.txt", "--jobs", "2", "--work", "local", "-q")
    assert code == 2, err
    with cluster(tmp_path) as address:
        remote = run(tmp_path, "diff", "repos.txt", "--scheduler", address, "--work", "remote", "-q")
    assert remote == (code, out, err)
    assert files_of(tmp_path / "remote") == files_of(tmp_path / "local")


@slow
def test_a_cluster_that_ends_in_the_middle_is_one_line_and_what_is_done_stays(tmp_path: Path) -> None:
    many(tmp_path / "src", 30)
    with cluster(tmp_path) as address:
        process = start(tmp_path, "check", "src", "--scheduler", address)
        results = tmp_path / "perfmod-fleet/results"
        deadline = time.monotonic() + 120
        while len(list(results.glob("*/record.json"))) < 2:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        for each in psutil.process_iter(["cmdline"]):
            words = each.info["cmdline"] or []
            if "scheduler" in words and address.rpartition(":")[2] in words:
                each.kill()
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    last = err.splitlines()[-1]
    assert last == "perfmod: error: the Dask cluster is gone; the same command goes on where this one stopped"
    assert "Traceback" not in err
    assert 2 <= len(list(results.glob("*/record.json"))) < 30


@slow
def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    checkout(tmp_path / "src/tidy", {"tidy.py": CLEAN})
    code, out, err = run(tmp_path, "check", "src", "--scheduler", "tcp://127.0.0.1:1")
    assert (code, out) == (2, "")
    assert err.startswith("perfmod: error: no Dask scheduler answers at tcp://127.0.0.1:1: ") and err.count("\n") == 1


@slow
def test_a_second_attempt_does_not_wait_for_workers_that_have_left(tmp_path: Path) -> None:
    """Both workers die at once, again and again, while one of them works on the only repository."""
    many(tmp_path / "src", 1)
    (tmp_path / "repos.txt").write_text("src/bot-00\nsrc/gone\n")
    process = start(tmp_path, "check", "repos.txt", "--jobs", "2")
    wait_for_workers(process, 1)
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with suppress(psutil.Error):
            for each in psutil.Process(process.pid).children():
                if "spawn_main" in " ".join(each.cmdline()):
                    each.kill()
        time.sleep(0.5)
    out, err = process.communicate(timeout=120)
    assert "internal error" not in err and process.returncode == 2, err
    assert "failed: src-gone" in out or "failed: gone" in out, out
