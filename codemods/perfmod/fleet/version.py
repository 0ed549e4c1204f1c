"""Which perfmod this is, to the byte: outcomes of another one are not used again, and workers must have the same."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import perfmod


@cache
def version() -> str:
    """The version and what the package's code comes to: equal on two machines that have the same code."""
    package = Path(perfmod.__file__).parent
    whole = sha256()
    for path in sorted(package.rglob("*.py")):
        whole.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{perfmod.__version__}+{whole.hexdigest()[:12]}"
