"""Git, asked so that nothing which a checkout's own configuration names is run, and nobody is contacted."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import IO

from perfmod.errors import PerfmodError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# The configuration may name a program as the file system monitor; a diff that writes the index runs a hook.
START = ("git", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "diff.autoRefreshIndex=false")
# A partial clone would fetch what it lacks, from where and with which program its configuration says.
ALONE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_OPTIONAL_LOCKS": "0"}
# Submodules have configurations of their own; whoever asks about a file in one asks there.
STATUS = ("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
FILTERING = ("status", "diff")  # they ask filters what a changed file stands for
PIPE = 1 << 20  # bytes
SECONDS = 120  # a pipe in the place of a .gitignore would let git wait for ever
PARTIAL = "this partial clone lacks what git needs for that, and perfmod contacts nobody: run `git {}` first"


class GitFailed(Exception):
    """Git could not answer; the message says why."""


def git(folder: Path, *arguments: str) -> str:
    """What git prints. Raises GitFailed."""
    verb = arguments[0]
    done = run_git(folder, ["--literal-pathspecs", *arguments], without_filters(folder) if verb in FILTERING else {})
    if done.returncode == 0:
        return os.fsdecode(done.stdout)
    said = os.fsdecode(done.stderr)
    is_partial = "promisor" in said or "lazy fetch" in said
    raise GitFailed(PARTIAL.format(verb) if is_partial else said.strip().partition("\n")[0])


def git_commit(folder: Path, *arguments: str) -> None:
    """`git commit`, which runs the hooks of the checkout; they may do what the user's own commits do."""
    command = ["git", "-c", "core.fsmonitor=false", "--literal-pathspecs", "commit", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode != 0:
        raise GitFailed(os.fsdecode(done.stderr).strip().partition("\n")[0])


def run_git(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git alone. Raises GitFailed where it can't be run, PerfmodError where it takes too long."""
    environment = {**os.environ, **ALONE, **(environment or {})}
    try:
        return subprocess.run(
            [*START, *arguments], cwd=folder, capture_output=True, check=False, env=environment, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise no_answer(folder, arguments) from None
    except OSError as error:
        raise GitFailed(f"git: {error.strerror or error}") from error


class Asking:
    """Git alone, at work while this process does something else. Raises GitFailed where it can't be run."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self._folder = folder
        self._arguments = arguments
        self._said: bytes | None = None
        self._begun: list[bytes] = []
        environment = {**os.environ, **ALONE}
        try:
            self._process = subprocess.Popen(
                [*START, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
        except OSError as error:
            raise GitFailed(f"git: {error.strerror or error}") from error
        widen(self._process.stdout)

    def has_ended(self, patience: float = 0) -> bool:
        """Whether all of the answer is here; what has come is taken, so that git need not wait with the rest.

        Waits so many seconds for each part. On Windows, where nobody can know, it has.
        """
        pipe = self._process.stdout
        if pipe is None or pipe.closed or os.name == "nt":
            return True
        while select.select([pipe], [], [], patience)[0]:
            part = os.read(pipe.fileno(), PIPE)
            if not part:
                return True
            self._begun.append(part)
        return False

    def answer(self) -> bytes | None:
        """What it printed; None where it failed. Raises PerfmodError where it takes too long."""
        if self._process.returncode is not None:
            return self._said
        try:
            said, _ = self._process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise no_answer(self._folder, self._arguments) from None
        self._said = b"".join((*self._begun, said)) if self._process.returncode == 0 else None
        self._begun.clear()
        return self._said


def widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a megabyte, where the system can: git waits while it is full, and the usual ones hold 64 kB."""
    if pipe is None or not hasattr(fcntl, "F_SETPIPE_SZ"):
        return
    with suppress(OSError):  # all pipes of a user may be too large together
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def no_answer(folder: Path, arguments: Sequence[str]) -> PerfmodError:
    words = " ".join(arguments[:2])
    return PerfmodError(
        f"{folder}: `git {words}` gave no answer within {SECONDS} seconds; see whether it does by itself"
    )


@cache
def without_filters(folder: Path) -> dict[str, str]:
    """The environment in which git runs none of the filter programs that a checkout's own configuration names.

    Those of the user's own configuration stay: without them, files of Git LFS would count as edited.
    """
    asked = ["config", "--includes", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\."]
    words = os.fsdecode(run_git(folder, asked).stdout).split("\0")
    own = sorted({key for scope, key in pairwise(words) if scope in ("local", "worktree")})
    names = dict.fromkeys(key.removeprefix("filter.").rpartition(".")[0] for key in own)
    off = [(f"filter.{name}.{verb}", "") for name in names for verb in ("clean", "process")]
    off += [(f"filter.{name}.required", "false") for name in names]
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    environment = {"GIT_CONFIG_COUNT": str(first + len(off))} if off else {}
    for number, (key, value) in enumerate(off, first):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment
