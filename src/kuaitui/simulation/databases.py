"""A fresh database for every history: a copy of one that was migrated once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import LiteralString

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import conninfo, sql

from kuaitui.kit.embedded_postgres import EmbeddedPostgres

# A history is thrown away: nothing of it needs to survive a power failure. What does is tested with
# real processes and durable settings.
HASTY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "20",
}
_numbers = count(1)


@contextmanager
def temporary_server() -> Iterator[str]:
    """A PostgreSQL of its own for the time inside; yields its address."""
    directory = Path(tempfile.mkdtemp(prefix="kuaitui-simulation-"))
    directory.chmod(0o755)  # the server's own account must get through
    server = EmbeddedPostgres(directory / "postgres", settings=HASTY_SETTINGS)
    try:
        server.start()
        server.ensure_database()
        yield server.url()
    finally:
        server.stop(immediate=True)
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a database as it was at a moment."""

    of: str
    name: str


class Databases:
    """Databases of histories on one server. Django's connection is pointed at one after the other."""

    def __init__(self, server_url: str) -> None:
        self._url = server_url
        self._template = f"kuaitui_simulation_{os.getpid()}"
        self._is_prepared = False
        self._made: list[str] = []

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """An empty, migrated database for the time inside."""
        if not self._is_prepared:
            self._prepare()
        name = self._copy_of(self._template)
        try:
            with _connected_to(name):
                yield
        finally:
            while self._made:
                self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._made.pop())

    def back_up(self) -> Backup:
        """Copy the database of the history under way as it is now."""
        name = str(connection.settings_dict["NAME"])
        connection.close()
        return Backup(name, self._copy_of(name))

    def restore(self, backup: Backup, *, under_its_name: bool) -> None:
        """Put the history's database back to a copy: in its place, or beside it under a new name."""
        connection.close()
        self._run("DROP DATABASE {} WITH (FORCE)", backup.of)
        if under_its_name:
            self._run("ALTER DATABASE {} RENAME TO {}", backup.name, backup.of)
        else:
            connection.settings_dict["NAME"] = backup.name

    def close(self) -> None:
        """Leave nothing behind."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._template)
        self._is_prepared = False

    def _copy_of(self, name: str) -> str:
        copy = f"{self._template}_{next(_numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", copy, name)
        self._made.append(copy)
        return copy

    def _prepare(self) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._template)
        self._run("CREATE DATABASE {}", self._template)
        with _connected_to(self._template):
            call_command("migrate", verbosity=0)
        self._is_prepared = True

    def _run(self, statement: LiteralString, *names: str) -> None:
        url = conninfo.make_conninfo(self._url, dbname="postgres")
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
