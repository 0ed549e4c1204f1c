"""perfmod fleet: which repositories REPOS names, and what is kept of the runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import fleets
import pytest

from perfmod.errors import PerfmodError
from perfmod.fleet.history import add_to_history, read_history, run_of
from perfmod.fleet.job import Branch, Outcome, Record
from perfmod.fleet.page import page
from perfmod.fleet.page.trend import trend
from perfmod.fleet.progress import Progress, clock
from perfmod.fleet.pull_requests import as_script
from perfmod.fleet.repositories import read_repositories, redacted
from perfmod.fleet.results import WorkFolder
from perfmod.fleet.summary import as_csv, as_json, as_text, exit_code

NOWHERE = Path("/nowhere")


def listed(tmp_path: Path, text: str) -> list[tuple[str, str, str | None]]:
    (tmp_path / "repos.txt").write_text(text)
    return [(r.name, r.location, r.ref) for r in read_repositories(str(tmp_path / "repos.txt"), NOWHERE)]


def test_a_line_is_a_path_or_an_address_and_maybe_a_ref(tmp_path: Path) -> None:
    text = """\
# our services

services/web              # relative to this file
"with blanks/api" release-2
https://git.example.org/acme/bot.git v1.2
git@git.example.org:acme/deep/tool.git
ssh://git@git.example.org:2222/acme/jobs
"""
    assert listed(tmp_path, text) == [
        ("web", f"{tmp_path}/services/web", None),
        ("api", f"{tmp_path}/with blanks/api", "release-2"),
        ("acme-bot", "https://git.example.org/acme/bot.git", "v1.2"),
        ("acme-deep-tool", "git@git.example.org:acme/deep/tool.git", None),
        ("acme-jobs", "ssh://git@git.example.org:2222/acme/jobs", None),
    ]


def test_a_repository_is_listed_once_and_names_differ(tmp_path: Path) -> None:
    found = listed(tmp_path, "a/web\nb/Web\nc/other\na/web\na/web v2\n")
    names = [name for name, _, _ in found]
    assert len(found) == 4 and len({name.casefold() for name in names}) == 4
    assert names[2] == "other" and names[0].startswith("web-") and names[1].startswith("Web-")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ext::sh -c 'touch owned'", "at most a ref"),
        ("ext::run", "not `ext::run`"),
        ("fd::17", "not `fd::17`"),
        ("ftp://example.org/x", "not `ftp://example.org/x`"),
        ("'ext::sh -c touch% owned'", "addresses are read over"),
        ("--upload-pack=x", "can't begin with a dash"),
        ("https://example.org/x --upload-pack=x", "`--upload-pack=x` is no name"),
        ("https://example.org/x +main", "no name"),
        ("https://example.org/x main:refs/heads/x", "no name"),
        ("https://example.org/x a..b", "no name"),
        ("https://example.org/x HEAD~1", "no name"),
        ("https://example.org/x @{-1}", "no name"),
        ("'unfinished", "repos.txt:1: No closing quotation"),
        ("a b c", "repos.txt:1: expected a path"),
        ("# nothing", "lists no repository"),
        ("ftp://me:secret@example.org/x", "not `ftp://***@example.org/x`"),
    ],
)
def test_what_git_could_take_for_something_else_is_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(PerfmodError) as error:
        listed(tmp_path, line + "\n")
    assert said in str(error.value) and "secret" not in str(error.value)


def test_a_folder_is_searched_for_checkouts(tmp_path: Path) -> None:
    fleets.three(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "tidy")
    (tmp_path / "round").symlink_to(tmp_path)
    fleets.checkout(tmp_path / "work" / "clones" / "x", {"x.py": ""})
    fleets.checkout(tmp_path / "acme" / "bot" / "vendored", {"x.py": ""})
    fleets.git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "tidy"), str(tmp_path / "mirror.git"))
    found = read_repositories(str(tmp_path), tmp_path / "work")
    assert [r.name for r in found] == ["acme-bot", "acme-rates", "mirror", "tidy"]
    assert [r.name for r in read_repositories(str(tmp_path / "tidy"), NOWHERE)] == ["tidy"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(PerfmodError, match="no git checkout in"):
        read_repositories(str(tmp_path / "empty"), NOWHERE)
    with pytest.raises(PerfmodError, match="no such file or folder"):
        read_repositories(str(tmp_path / "gone"), NOWHERE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://token@example.org/x", "https://***@example.org/x"),
        ("cannot reach https://me:p@ss@example.org/x: no", "cannot reach https://***@example.org/x: no"),
        ("ssh://git@example.org/x", "ssh://git@example.org/x"),
        ("ssh://git:pw@example.org/x", "ssh://git:***@example.org/x"),
        ("git@example.org:x", "git@example.org:x"),
        ("https://example.org/x?private_token=abc", "https://example.org/x?***"),
        ("https://example.org/a@b", "https://example.org/a@b"),
    ],
)
def test_credentials_are_not_shown(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_credentials_are_not_in_what_a_log_prints_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "repos.txt").write_text("https://token@example.org/acme/x\n")
    (repository,) = read_repositories(str(tmp_path / "repos.txt"), NOWHERE)
    assert "token" not in repr(repository) and "token" not in repository.shown and "token" not in repository.name


DONE = Record(
    "bot",
    "/src/bot",
    None,
    "done",
    commit="c" * 40,
    key="k",
    files=3,
    findings={"supervise-tasks": {"safe": 2, "manual": 1}, "load-once": {"unsafe": 1}},
    fixable=2,
    left={"no reason": 2},
)
CLEAN = Record("tidy", "/src/tidy", None, "done", files=1)
FAILED = Record("=gone", "https://***@example.org/x", "v1", "failed", reason="@no such host")


def test_the_counts_over_all() -> None:
    document = json.loads(as_json("check", [DONE, CLEAN, FAILED]))
    assert document["summary"] == {
        "repositories": 3,
        "failed": 1,
        "with_findings": 1,
        "files": 4,
        "findings": 4,
        "fixable": 2,
        "applied": 0,
        "branches": 0,
    }
    assert document["rules"]["supervise-tasks"] == {"manual": 1, "safe": 2}
    assert [each["name"] for each in document["repositories"]] == ["bot", "tidy", "=gone"]
    assert [exit_code(records) for records in ([CLEAN], [CLEAN, DONE], [CLEAN, DONE, FAILED])] == [0, 1, 2]


def test_the_csv_has_a_column_for_each_rule_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([DONE, CLEAN, FAILED]), newline="")))
    assert [(row["name"], row["findings"], row["supervise-tasks"], row["load-once"]) for row in rows] == [
        ("bot", "4", "3", "1"),
        ("tidy", "0", "0", "0"),
        ("'=gone", "0", "0", "0"),
    ]
    assert rows[2]["reason"] == "'@no such host"


def test_the_table() -> None:
    assert as_text("check", [DONE, CLEAN, FAILED], color=False, verbose=False).splitlines() == [
        "repository  files  findings  safe  unsafe  manual  fixable",
        "bot             3         4     2       1       1        2",
        "",
        "rule             repositories  findings  safe  unsafe  manual",
        "load-once                   1         1     0       1       0",
        "supervise-tasks             1         3     2       0       1",
        "failed: =gone: @no such host",
        "",
        "4 findings in 1 of 3 repositories, 1 failed, 4 files; 2 fixable.",
        "  2 left: no reason",
    ]
    assert (
        as_text("check", [CLEAN], color=False, verbose=False) == "0 findings in 0 of 1 repository, 1 file; 0 fixable.\n"
    )


def test_the_page_names_every_repository_and_runs_nothing_of_theirs() -> None:
    hostile = Record("x", "</script><script>alert(1)</script>", None, "failed", reason='"><img src=x onerror=alert(2)>')
    text = page("check", [DONE, CLEAN, hostile], [])
    assert '<a href="results/bot/page.html">bot</a>' in text and 'href="results/tidy/page.html"' in text
    assert "<script>alert" not in text and "<img" not in text
    assert text.count("<tr data-") == 3


def test_a_history_grows_by_a_line_for_each_run(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert read_history(path) == []
    for day in (1, 2):
        run = run_of("check", [DONE] * day, date=f"2026-01-0{day}T00:00:00Z", seconds=1.25, unchanged=0)
        add_to_history(path, run)
    runs = read_history(path)
    assert [(run.date[:10], run.findings, run.rules["load-once"]) for run in runs] == [
        ("2026-01-01", 4, 1),
        ("2026-01-02", 8, 2),
    ]
    drawn = trend(runs)
    assert "Findings over 2 runs" in drawn and drawn.count("<polyline") == 3
    assert "2026-01-02T00:00 supervise-tasks: 6" in drawn
    assert trend([]) == ""


def test_a_line_that_was_cut_off_is_left_out_and_the_next_stands_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    run = run_of("check", [DONE], date="2026-01-01T00:00:00Z", seconds=1, unchanged=0)
    add_to_history(path, run)
    path.write_bytes(path.read_bytes() + b'{"date": "2026-')
    assert read_history(path) == [run]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"date": "x"}', "1"])
def test_a_file_that_is_no_history_is_refused_before_the_run(tmp_path: Path, line: str) -> None:
    (tmp_path / "history").write_text(line + "\n")
    with pytest.raises(PerfmodError, match="line 1 tells of no run"):
        read_history(tmp_path / "history")
    with pytest.raises(PerfmodError, match="there is no folder"):
        read_history(tmp_path / "gone" / "history")


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        (
            "git@github.com:acme/bot.git",
            [
                "git -C /src/bot push origin refs/heads/fix:refs/heads/fix",
                "gh pr create --repo github.com/acme/bot --head fix --base main --title 'perfmod: 2 fixes' "
                "--body-file /w/results/bot/pull-request.md",
            ],
        ),
        (
            "https://gitlab.example.org/acme/bot.git",
            [
                "git -C /src/bot push -omerge_request.create -omerge_request.target=main "
                "'-omerge_request.title=perfmod: 2 fixes' origin refs/heads/fix:refs/heads/fix"
            ],
        ),
        ("/srv/git/bot.git", ["git -C /src/bot push origin refs/heads/fix:refs/heads/fix"]),
        (None, ["# it has no remote called origin; the branch is in /src/bot"]),
    ],
)
def test_how_pull_requests_are_opened(remote: str | None, expected: list[str]) -> None:
    branch = Branch("fix", "c" * 40, "/src/bot", remote, "main")
    record = Record("bot", "/src/bot", None, "done", applied=2, branch=branch)
    lines = as_script([record, CLEAN], Path("/w")).splitlines()
    assert lines[2:] == ["# bot: 2 fixes on fix", *expected]
    assert as_script([CLEAN], Path("/w")) == ""


def test_an_outcome_is_kept_whole(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path / "work")
    with folder.locked():
        folder.save(Outcome("done", DONE, {"findings.json": b"{}", "changes.patch": b""}))
        folder.save(Outcome("done", DONE, {"findings.json": b"[]"}))
        assert folder.record("bot") == DONE
        assert sorted(p.name for p in (tmp_path / "work/results/bot").iterdir()) == ["findings.json", "record.json"]
        with pytest.raises(PerfmodError, match="another perfmod fleet is at work"), WorkFolder(folder.path).locked():
            pass
        (tmp_path / "work/results/bot/record.json").write_text('{"name": "bot", "unknown": 1}')
        assert folder.record("bot") is None
    (tmp_path / "file").write_text("")
    with pytest.raises(PerfmodError, match="name another folder with --work"), WorkFolder(tmp_path / "file").locked():
        pass
    with pytest.raises(PerfmodError, match="name a folder for the fleet alone"), WorkFolder(tmp_path).locked():
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "work"]


def test_progress_says_how_many_how_fast_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(4, quiet=False) as progress:
        for status in ("done", "failed", "unchanged"):
            progress.count(status)
        assert progress.describe().startswith(", 1 failed, 1 unchanged, ") and progress.describe().endswith(" left")
    assert [clock(seconds) for seconds in (0.4, 41, 7541)] == ["0:00", "0:41", "2:05:41"]
