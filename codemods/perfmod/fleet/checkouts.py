"""What the fleet asks of git: which commit, a clone of it, commits brought back. Runs in a process made for it.

No program that a repository could name is run: no hook, no filter of its own configuration, no transport helper.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from perfmod.fleet.repositories import SCHEMES, Repository, is_repository
from perfmod.git import ALONE, GitFailed, without_filters
from perfmod.store import describe

CONFIGURATION = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "advice.detachedHead": "false",
}
ENVIRONMENT = {
    **ALONE,
    "GIT_TERMINAL_PROMPT": "0",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_EDITOR": ":",
}
CONTACTING = ("ls-remote", "fetch")
PARTS = ".perfmod-fleet"  # in the folder of clones: what is gone after the run
MARK = "perfmod-fleet"  # in the git directory of a clone that stays
# A fleet that is started from a git hook must not work on the repository of the hook.
OF_ANOTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX")


def harden() -> None:
    """Set the environment of this process so that git, also deeper in perfmod, runs and asks nothing."""
    for name in OF_ANOTHER:
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT)
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    for number, (key, value) in enumerate(CONFIGURATION.items(), first):
        os.environ |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    os.environ["GIT_CONFIG_COUNT"] = str(first + len(CONFIGURATION))


def git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    """What git prints. Raises GitFailed with the line that says why."""
    environment = {**os.environ, "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES)} if arguments[0] in CONTACTING else None
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, input=given, capture_output=True, check=False, env=environment
        )
    except OSError as error:
        raise GitFailed(describe(error)) from error
    if done.returncode != 0:
        raise GitFailed(why(os.fsdecode(done.stderr)) or f"git {arguments[0]} exited with {done.returncode}")
    return done.stdout


def why(said: str) -> str:
    """The line of git's standard error that counts: what a server says first, then what git makes of it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote: Repository not found"))]
    return (fatal or lines or [""])[0]


def line(folder: Path, *arguments: str) -> str:
    return os.fsdecode(git(folder, *arguments)).strip()


def local_commit(folder: Path) -> str | None:
    """The commit that stands for a work tree; None outside git, before the first commit, and with uncommitted edits."""
    if not (folder / ".git").exists():
        return None
    try:
        commit = line(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitFailed:
        return None
    environment = {**os.environ, **without_filters(folder)}
    status = subprocess.run(
        ["git", "status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all"],
        cwd=folder,
        capture_output=True,
        check=False,
        env=environment,
    )
    return commit if status.returncode == 0 and not status.stdout else None


def commit_of(repository: Repository) -> str:
    """The commit that a ref names, or HEAD. Asks the server of an address. Raises GitFailed where there is none."""
    ref = repository.ref or "HEAD"
    if not repository.is_remote:
        folder = Path(repository.location)
        if not is_repository(folder):
            raise GitFailed(f"{folder} is no git checkout")
        try:
            return line(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        except GitFailed:
            raise GitFailed(f"the repository has no `{ref}`") from None
    if is_commit(ref):
        return ref
    listed = line(Path.cwd(), "ls-remote", "--", repository.location, ref, f"{ref}^{{}}")
    known = {name: commit for commit, _, name in (each.partition("\t") for each in listed.splitlines())}
    for name in (ref, f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}"):
        if name in known:
            return known[name]
    raise GitFailed(f"the repository has no `{ref}`")


def is_commit(ref: str) -> bool:
    return len(ref) in (40, 64) and not set(ref) - set("0123456789abcdef")


def clone(repository: Repository, commit: str, clones: Path) -> Path:
    """A clone with the repository's ref in its work tree, detached; of one on this disk, with `commit`.

    That of an address stays, and is fetched into the next time. What a killed run left of it is made good.
    Raises GitFailed where something else stands in its place.
    """
    parts = clones / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    part = Path(mkdtemp(dir=parts)) / repository.name
    if not repository.is_remote:
        part.mkdir()
        borrow(part, Path(repository.location), commit)
        return part
    folder = clones / repository.name
    ref = repository.ref or "HEAD"
    if folder.exists() and is_own(folder, repository.location):
        for path in (folder / ".git").glob("*.lock"):
            path.unlink(missing_ok=True)
        fetch(folder, ref)
        return folder
    part.mkdir()
    git(part, "init", "--quiet", "--template=")
    git(part, "remote", "add", "--", "origin", repository.location)
    (part / ".git" / MARK).touch()
    fetch(part, ref)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def is_own(folder: Path, address: str) -> bool:
    """Whether a folder is a clone of this address that a fleet made; else it may be removed.

    Raises GitFailed where it may not: nobody's own checkout is written into or removed, nor commits that wait.
    """
    if not (folder / ".git" / MARK).is_file():
        raise GitFailed(f"{folder} is there already, and no fleet made it: name another folder with --clones")
    if origin_of(folder) == address:
        return True
    if line(folder, "for-each-ref", "refs/heads"):
        raise GitFailed(f"{folder} has branches of another repository: push and remove it, or see --clones")
    return False


def fetch(folder: Path, ref: str) -> None:
    """Fetch one commit of `origin`, and check it out."""
    git(folder, "fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--end-of-options", "origin", ref)
    check_out(folder, "FETCH_HEAD")


def borrow(folder: Path, source: Path, commit: str) -> None:
    """A clone that takes its objects from where they are, with no configuration but its own; check `commit` out."""
    git(
        folder, "init", "--quiet", "--template=", f"--object-format={line(source, 'rev-parse', '--show-object-format')}"
    )
    objects, shallow = (
        line(source, "rev-parse", "--path-format=absolute", "--git-path", n) for n in ("objects", "shallow")
    )
    (folder / ".git/objects/info").mkdir(exist_ok=True)
    (folder / ".git/objects/info/alternates").write_bytes(quoted(objects) + b"\n")
    if Path(shallow).exists():
        shutil.copyfile(shallow, folder / ".git/shallow")
    check_out(folder, commit)


def quoted(path: str) -> bytes:
    """A path as git reads it in its list of alternates."""
    raw = os.fsencode(path)
    if raw.startswith((b"#", b'"')) or b"\n" in raw:
        return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    return raw


def check_out(folder: Path, commit: str) -> None:
    git(folder, "checkout", "--quiet", "--force", "--detach", commit, "--")
    git(folder, "clean", "--quiet", "-ffdx")


def head_of(folder: Path) -> str:
    return line(folder, "rev-parse", "--verify", "HEAD^{commit}")


def origin_of(folder: Path) -> str | None:
    """The address of `origin`, as it was given; None where there is none."""
    if not is_repository(folder):
        return None
    with suppress(GitFailed):
        return line(folder, "config", "--local", "--get", "remote.origin.url")
    return None


def copy_identity(source: Path, target: Path) -> None:
    """Let the same person commit in a clone as in the checkout that it is of."""
    for key in ("user.name", "user.email"):
        with suppress(GitFailed):
            git(target, "config", key, line(source, "config", "--get", key))


def branch_of(folder: Path) -> str | None:
    """The branch that a checkout is on."""
    with suppress(GitFailed):
        return line(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    return None


def tip_of(folder: Path, branch: str) -> str | None:
    """The commit of a branch; None where there is no such branch."""
    with suppress(GitFailed):
        return line(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    return None


def carry(source: Path, target: Path, commit: str, base: str) -> None:
    """Bring the objects of `commit` that `base` does not have from one repository to another."""
    pack = git(source, "pack-objects", "--quiet", "--revs", "--stdout", given=f"{commit}\n^{base}\n".encode())
    git(target, "unpack-objects", "-q", given=pack)


def make_branch(folder: Path, branch: str, commit: str) -> None:
    """Raises GitFailed where there is such a branch already."""
    git(folder, "update-ref", "--create-reflog", f"refs/heads/{branch}", commit, "0" * len(commit))


def same_change(folder: Path, one: str, other: str, base: str) -> bool:
    """Whether two commits come to the same files, and both stand on `base`."""
    trees = [line(folder, "rev-parse", f"{commit}^{{tree}}") for commit in (one, other)]
    with suppress(GitFailed):
        git(folder, "merge-base", "--is-ancestor", base, other)
        return trees[0] == trees[1]
    return False


def is_branch_name(name: str) -> bool:
    """Whether a branch may be called that."""
    command: Sequence[str] = ["git", "check-ref-format", f"refs/heads/{name}"]
    return not name.startswith("-") and subprocess.run(command, capture_output=True, check=False).returncode == 0
