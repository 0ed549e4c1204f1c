"""t-strings (PEP 750): no crash, and a word, where a parser can't read them; programs that are the same afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from perfmod.cli import exit_code_of

HEAD = "import asyncio\n\n\nasync def send(*a):\n    print('sent', *[v for t in a for v in t.values])\n\n\n"
BODIES = {
    "around": "asyncio.create_task(send(t'{x}'))\n    x = t'{x}' t'{x!r}'\n",
    "around, raw": "asyncio.create_task(send(t'{x}'))\n    x = tr'{x}\\d'\n",
    "inside": "asyncio.create_task(send(t'{x}' t'{x!r}'))\n",
    "inside, raw": "asyncio.create_task(send(tr'{x}\\d'))\n",
}
PROGRAM = (
    HEAD
    + """async def main(x, width):
    asyncio.create_task(send(t"{x!r:>{width}} {width=}"))
    kept = t"{asyncio.create_task(send(t"kept {x}")).get_name()[:4]} {x}"
    seen = t"{f"{asyncio.create_task(send(t"seen"))}"[:5]}"
    await asyncio.sleep(0)
    for template in (kept, seen):
        print(template.strings, template.values, [each.expression for each in template.interpolations])

"""
)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_what_libcst_does_not_read(tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str) -> None:
    program = f"{HEAD}async def main(x):\n    {body}"
    main = tmp_path / "app/main.py"
    main.parent.mkdir()
    (tmp_path / "app/__init__.py").touch()
    main.write_text(program)
    code = exit_code_of(["apply", "--isolated", str(tmp_path)])
    said = "".join(capfd.readouterr())
    is_proved = sys.version_info >= (3, 14) and "send(t'{x}'))" in body  # by `ast`; LibCST reads the statement itself
    assert code == (0 if is_proved else 1), said
    assert (main.read_text() != program) is is_proved
    assert is_proved or "LibCST" in said
    if is_proved:
        compile(main.read_text(), "main.py", "exec")


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs t-strings")
def test_the_program_does_the_same(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").touch()
    (tmp_path / "app/main.py").write_text(PROGRAM)
    before = output(tmp_path)
    assert exit_code_of(["apply", "--isolated", str(tmp_path)]) == 1
    assert (tmp_path / "app/main.py").read_text().count("create_background_task") == 2
    assert output(tmp_path) == before


def output(root: Path) -> str:
    command = [sys.executable, "-c", "import asyncio, app.main; asyncio.run(app.main.main('x', 3))"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
