"""A real PostgreSQL without root, for the slow tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    pgserver = pytest.importorskip("pgserver")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders go when many runs overlap
        server = pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def database_url(server: str) -> str:
    """The URL of a new, empty database."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS checkout WITH (FORCE)")
        admin.execute("CREATE DATABASE checkout")
    return server.replace("/postgres?", "/checkout?")


@pytest.fixture
def database(database_url: str) -> Iterator[Any]:
    """A connection to it."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
