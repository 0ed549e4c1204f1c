"""Reading files that may be anything: what is no regular file is never waited for, what leaves the root never read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from perfmod.model import Skipped

MAXIMUM_SIZE = 2_000_000  # bytes

# Windows knows neither; there pipes are no files, and links are looked for by name.
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
OPENING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
LEAVES = "a link that leaves the root"


def read_file(root: Path | str, path: str) -> bytes | Skipped | None:
    """The bytes of a discovered file; Skipped with the reason where it can't be used; None where it does not count.

    Links that leave the root, devices and pipes, and files over 2 MB don't count.
    """
    name = f"{root}/{path}"
    try:
        try:
            if not NO_LINKS and os.path.islink(name):
                raise OSError(errno.ELOOP, "a link")
            descriptor = os.open(name, OPENING | NO_LINKS)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK):  # what systems answer where the last name is a link
                raise
            if not Path(name).resolve(strict=True).is_relative_to(root):
                return Skipped(path, LEAVES)
            descriptor = os.open(name, OPENING)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            if status.st_size > MAXIMUM_SIZE:
                return Skipped(path, f"larger than {MAXIMUM_SIZE // 1_000_000} MB")
            return read_descriptor(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, IsADirectoryError):
        return None  # deleted in the work tree, still in git's index; or a submodule
    except (OSError, RuntimeError) as error:
        if isinstance(error, PermissionError) and os.path.isdir(name):
            return None  # what Windows answers for a submodule
        return Skipped(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")


def read_regular(path: Path, limit: int | None = None) -> bytes:
    """The bytes of a file that is not one of a checkout's sources. Raises OSError, also for a pipe, a device, and for
    one that is larger than `limit`."""
    descriptor = os.open(path, OPENING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a file", os.fspath(path))
        if limit is not None and status.st_size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit // 1_000_000} MB", os.fspath(path))
        return read_descriptor(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def read_descriptor(descriptor: int, size: int) -> bytes:
    """What an open file holds. Cheaper than a file object: one system call where the size is right."""
    data = os.read(descriptor, size + 1)
    if len(data) != size:  # it grew, shrank or never had a size
        parts = [data]
        while parts[-1]:
            parts.append(os.read(descriptor, 65_536))
        data = b"".join(parts)
    return data


class Folders:
    """Which folders of a root a link takes elsewhere. Git's list may name files in them all the same."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._outside: dict[str, bool] = {"": False}

    def lead_out(self, path: str) -> bool:
        """Whether the folder of a file lies outside the root."""
        folder = path.rpartition("/")[0]
        known = self._outside.get(folder)
        return self._found_out(folder) if known is None else known

    def _found_out(self, folder: str) -> bool:
        unknown = [folder]
        while (above := unknown[-1].rpartition("/")[0]) not in self._outside:
            unknown.append(above)
        outside = self._outside[above]
        for each in reversed(unknown):
            name = f"{self._root}/{each}"
            # what is no link lies where the folder above it lies; on Windows a junction is none
            if outside or not NO_LINKS or each.rpartition("/")[2] in ("", ".", "..") or os.path.islink(name):
                outside = not Path(os.path.realpath(name)).is_relative_to(self._root)
            self._outside[each] = outside
        return outside
