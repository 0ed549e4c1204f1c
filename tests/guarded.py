"""perfmod in a process of its own, which ends at once where it does what a checkout must not cause.

Forbidden: to write outside the root, to start anything but git, to run or import code of the root, to contact anybody.
Time and memory have limits too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORBIDDEN = 77
SECONDS = 30  # of processor time; about 2 on an idle machine
MEGABYTES = 1_000
CHANGING = {
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
    "os.remove": 1,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.truncate": 1,
    "os.utime": 1,
    "os.setxattr": 1,
}
STARTING = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "pty.spawn", "ctypes.dlopen")
CONTACTING = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostby", "urllib.")


@dataclass(frozen=True)
class Ran:
    """What came of a run."""

    code: int
    out: str
    err: str


def run(root: Path, *arguments: str | Path, path: str = "", seconds: int = SECONDS) -> Ran:
    """perfmod, as from its console script, with the root as the working directory. Fails where a limit is crossed.

    `path`: folders that come first on PATH.
    """
    words = [os.fspath(argument) for argument in arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [sys.executable, __file__, os.fspath(root), *words],
        cwd=root,
        env=environment,
        capture_output=True,
        check=False,
        timeout=seconds * 10,
        preexec_fn=lambda: limit(seconds),
    )
    ran = Ran(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
    assert ran.code in (0, 1, 2), f"{ran.code}: {ran.err[-2000:]}"
    assert "Traceback" not in ran.err
    return ran


def limit(seconds: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))


def forbid(root: str) -> None:
    """From now on this process ends where it does what it must not."""

    def is_inside(path: Any) -> bool:
        text = os.fsdecode(path)
        return text == os.devnull or (os.path.realpath(os.path.dirname(text) or ".") + "/").startswith(root + "/")

    def complaint(event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return f"writes {path!r}" if writes and not isinstance(path, int) and not is_inside(path) else None
        if event in CHANGING:
            outside = [path for path in arguments[: CHANGING[event]] if not isinstance(path, int)]
            outside = [path for path in outside if not is_inside(path)]
            return f"{event} {outside[0]!r}" if outside else None
        if event == "subprocess.Popen":
            return None if os.path.basename(os.fsdecode(arguments[0])) == "git" else f"starts {arguments[1]!r}"
        if event == "exec":
            name = getattr(arguments[0], "co_filename", "")
            is_own = not name.startswith("<") and os.path.realpath(name).startswith(root + "/")
            return f"runs {name}" if is_own else None
        if event.startswith(CONTACTING):
            return f"{event} {arguments!r}"
        return f"{event} {arguments!r}" if event.startswith(STARTING) else None

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        said = complaint(event, arguments)
        if said is not None:
            os.write(2, f"forbidden: {said}\n".encode(errors="replace"))
            os._exit(FORBIDDEN)

    sys.addaudithook(hook)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.join(os.path.dirname(here), "codemods"), *(p for p in sys.path if p != here)]
    from perfmod.cli import main

    forbid(os.path.realpath(sys.argv[1]))
    main(sys.argv[2:])
