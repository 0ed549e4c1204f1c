"""Holds what is read from the SQL files of checkouts against a real PostgreSQL (pgserver: it needs no root).

Each tree of migrations is applied to an empty database, with stand-ins for what Supabase and InsForge bring. Counts the
tables by verdict: `equal`; `refused`, where we don't claim to know the columns; `not made`, where PostgreSQL takes no
such table; `differs, but statements failed`, to be judged by a person. Exits 1 on any other difference.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pgserver
import psycopg
from judged_schemas import judge


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--verbose", action="store_true", help="also name what is refused and what was not made")
    options = parser.parse_args()
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        server = pgserver.get_server(folder)
        with psycopg.connect(server.get_uri(), autocommit=True) as database:
            for root in options.checkouts:
                total += judge_checkout(root, database, verbose=options.verbose)
        server.cleanup()
    print("all:", ", ".join(f"{count} {kind}" for kind, count in sorted(total.items())))
    return int(total["differs"] > 0)


def judge_checkout(root: Path, database: psycopg.Connection, *, verbose: bool) -> Counter[str]:
    """Judges one checkout and prints what a person has to look at."""
    judged = judge(root, database, platform=True)
    kinds = Counter(verdict.kind for verdict in judged.verdicts)
    print(f"{root.name}: " + (", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no tables"))
    quiet = ("equal",) if verbose else ("equal", "refused", "not made")
    for verdict in judged.verdicts:
        if verdict.kind not in quiet:
            found = verdict.found
            print(f"  {verdict.kind}: {found.table} at {found.place}: {found.problem or ''}")
            if found.problem is None:
                print(f"    read {', '.join(found.columns)}\n    made {', '.join(verdict.columns)}")
            for line in verdict.failed[:4]:
                print(f"    {line}")
    for tree, table in judged.unseen:
        print(f"  unseen: {table} of {tree}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
