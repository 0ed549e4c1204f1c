"""Tables from what runs: a PostgreSQL server, or PostgREST's own description of its API. Only where an option asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from perfmod.errors import PerfmodError
from perfmod.project.schema.definition import Definition, Origin, Table

TIMEOUT = 15  # seconds
# information_schema leaves out materialized views, and what the user may not read.
COLUMNS = """
SELECT n.nspname, c.relname, a.attname, s.avg_width
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
  AND NOT s.inherited
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY n.nspname, c.relname, a.attnum
"""


def live_definitions(database_url: str | None, openapi: str | None) -> list[Definition]:
    """What the named sources say. Raises PerfmodError where they can't be read."""
    found = list(from_database(database_url)) if database_url else []
    return [*found, *(from_openapi(openapi) if openapi else ())]


def from_database(url: str) -> Iterator[Definition]:
    """Every table and view of a PostgreSQL database, read in a read-only session."""
    try:
        psycopg: Any = import_module("psycopg")
    except ImportError:
        raise PerfmodError("--database-url needs psycopg: install perfmod[postgres]") from None
    try:
        options = "-c default_transaction_read_only=on"
        with psycopg.connect(url, connect_timeout=TIMEOUT, options=options) as connection:
            rows = connection.execute(COLUMNS).fetchall()
    except psycopg.Error as error:
        raise PerfmodError(f"--database-url: {' '.join(str(error).split())}") from None
    columns: dict[Table, dict[str, int]] = {}
    for schema, table, column, width in rows:
        columns.setdefault(Table(table, schema), {})[column] = width or 0
    for table, widths in columns.items():
        yield live(table, "database", widths)


def from_openapi(source: str) -> Iterator[Definition]:
    """Every table and view that PostgREST's description names: a file, or the root URL of the API."""
    import json

    try:
        if source.startswith(("http://", "https://")):
            from urllib.request import urlopen  # it brings HTTP and TLS with it

            with urlopen(source, timeout=TIMEOUT) as answer:
                text = answer.read()
        else:
            text = Path(source).read_bytes()
        document = json.loads(text)
    except (OSError, ValueError) as error:
        raise PerfmodError(f"--openapi {source.partition('?')[0]}: {error}") from None
    described = schemas(document)
    if not described:
        raise PerfmodError(f"--openapi {source.partition('?')[0]}: no table is described there")
    for name, schema in described.items():
        properties = schema.get("properties") if isinstance(schema, dict) else None
        if isinstance(properties, dict) and properties:
            yield live(Table(name), "openapi", dict.fromkeys(properties, 0))


def schemas(document: Any) -> dict[str, Any]:
    """The schemas of a Swagger 2 or OpenAPI 3 document."""
    if not isinstance(document, dict):
        return {}
    components = document.get("components")
    found = document.get("definitions") or (components.get("schemas") if isinstance(components, dict) else None)
    return found if isinstance(found, dict) else {}


def live(table: Table, origin: Origin, widths: Mapping[str, int]) -> Definition:
    return Definition(table, origin, "", 0, tuple(widths), tree=origin, widths=widths)
