"""Generated checkouts: the same tree for the same number of files, on every machine."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

FILES_PER_FOLDER = 40
WORDS = "account batch cursor delivery engine filter gateway handler index journal ledger message notice order".split()

PYTHON_FUNCTION = '''

def {verb}_{noun}({noun}, limit={limit}):
    """Return the {noun} entries that fit {other}."""
    found = []
    for number, entry in enumerate({noun}):
        if number > limit or entry is None:
            break
        found.append(normalise(entry, name="{noun}", scale={limit}))
    logger.debug("{verb} {noun}: %s of %s", len(found), limit)
    return found
'''
PYTHON_TASK = """

async def announce_{noun}({noun}):
    asyncio.create_task(publish({noun}))
"""
PYTHON_AWAITED = """

async def gather_{noun}({noun}):
    task = asyncio.create_task(publish({noun}))
    return await task
"""
TYPESCRIPT_FUNCTION = """
export function {verb}{Noun}({noun}: Record<string, number>[], limit = {limit}) {{
  const found = {noun}.filter((entry) => entry.{other} < limit)
  return found.map((entry) => ({{ ...entry, label: `{noun} ${{entry.{other}}}` }}))
}}
"""
TYPESCRIPT_QUERY = """
export async function load{Noun}(id: string) {{
  const {{ data, error }} = await supabase.from('{noun}s').select('*').eq('id', id).single()
  if (error) throw error
  return data.{other}
}}
"""


def generate(folder: Path, count: int, *, typescript: float = 0.0, dense: float = 0.004) -> Path:
    """A tree of `count` files, a share of them TypeScript; `dense` is the share of files that let a task go."""
    if (folder / ".complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(count):
        chance = random.Random(number)  # the text of a file does not depend on the size of the tree
        is_typescript = chance.random() < typescript
        place = folder / "app" / f"part{number // FILES_PER_FOLDER // 50:02}" / f"area{number // FILES_PER_FOLDER:04}"
        if number % FILES_PER_FOLDER == 0:
            place.mkdir(parents=True)
            (place / "__init__.py").touch()
        text = typescript_text(chance, dense) if is_typescript else python_text(chance, dense)
        (place / f"module{number:06}.{'ts' if is_typescript else 'py'}").write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n', encoding="utf-8")
    (folder / ".complete").touch()
    return folder


def python_text(chance: random.Random, dense: float) -> str:
    parts = [
        "import asyncio\nimport logging\n\nfrom app.text import normalise\n\nlogger = logging.getLogger(__name__)\n"
    ]
    parts += [PYTHON_FUNCTION.format(**words(chance)) for _ in range(chance.randint(3, 12))]
    if chance.random() < dense:
        parts.append(PYTHON_TASK.format(**words(chance)))
    elif chance.random() < 4 * dense:
        parts.append(PYTHON_AWAITED.format(**words(chance)))
    return "".join(parts)


def typescript_text(chance: random.Random, dense: float) -> str:
    parts = ["import { supabase } from '../client'\n"]
    parts += [TYPESCRIPT_FUNCTION.format(**words(chance)) for _ in range(chance.randint(3, 12))]
    if chance.random() < 4 * dense:
        parts.append(TYPESCRIPT_QUERY.format(**words(chance)))
    return "".join(parts)


def words(chance: random.Random) -> dict[str, object]:
    noun, other = chance.sample(WORDS, 2)
    verb = chance.choice(("collect", "prepare", "select", "order", "merge"))
    return {"noun": noun, "Noun": noun.title(), "other": other, "verb": verb, "limit": chance.randint(2, 99)}


def join(folder: Path, parts: Iterable[Path]) -> Path:
    """One tree of several packages."""
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        for part in parts:
            shutil.copytree(part, folder / part.name.replace("-", "_"), ignore=shutil.ignore_patterns(".git"))
        (folder / ".complete").touch()
    return folder


def count_files(folder: Path, *suffixes: str) -> int:
    return sum(1 for path in folder.rglob("*") if path.suffix in suffixes)
