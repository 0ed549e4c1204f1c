"""`perfmod apply` on disks that are full, run as root of a mount namespace: python small_disks.py SOURCE PLACE STEP.

Prints a line of JSON for each disk: what was left free, the exit code, what was said, whether all files were as before,
and whether a second run with enough space left the same as an undisturbed one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "codemods")]

from test_kills import tree  # noqa: E402

from perfmod.cli import exit_code_of  # noqa: E402

PAGE = 4_096
PAGES = 4_000


def apply(root: Path) -> tuple[int, str]:
    said = io.TextIOWrapper(io.BytesIO())
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = exit_code_of(["apply", "--select", "supervise-tasks,gate-dev-tools", "-q", str(root)])
    said.flush()
    return code, said.buffer.getvalue().decode().strip()  # type: ignore[attr-defined]


class Disk:
    """A file system in memory with a copy of the checkout."""

    def __init__(self, source: Path, place: Path, options: str) -> None:
        self.place = place
        self.root = place / "root"
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], check=True)
        subprocess.run(["cp", "-a", source, self.root], check=True)

    def fill(self, left: int) -> None:
        """Leave so many pages free."""
        free = os.statvfs(self.place).f_bavail - left
        (self.place / "filler").write_bytes(b"x" * PAGE * free)

    def use_up_names(self, left: int) -> None:
        for number in range(os.statvfs(self.place).f_favail - left):
            (self.place / f"filler{number}").touch()

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.place], check=True)

    def free(self) -> None:
        for path in self.place.glob("filler*"):
            path.unlink()

    def remove(self) -> None:
        subprocess.run(["umount", self.place], check=True)


def main(source: Path, place: Path, step: int) -> None:
    whole = Disk(source, place, f"size={PAGES * PAGE}")
    old = tree(whole.root)
    apply(whole.root)
    expected = tree(whole.root)
    whole.remove()
    cases = [("pages", left) for left in range(0, 80, step)]
    cases += [("names", left) for left in range(0, 160, 2 * step)]
    for what, left in [*cases, ("read-only", 0)]:
        disk = Disk(source, place, f"size={PAGES * PAGE},nr_inodes=3000")
        if what == "pages":
            disk.fill(left)
        elif what == "names":
            disk.use_up_names(left)
        else:
            disk.remount("ro")
        code, said = apply(disk.root)
        now = tree(disk.root)
        if what == "read-only":
            disk.remount("rw")
        disk.free()
        apply(disk.root)
        line = {
            "what": what,
            "left": left,
            "code": code,
            "said": said,
            "is_old": now == old,
            "is_new": now == expected,
            "is_new_then": tree(disk.root) == expected,
        }
        print(json.dumps(line), flush=True)
        disk.remove()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
