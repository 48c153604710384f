"""`kuaitui import` as a person runs it: a process of its own, on a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

# One for each worker of the run: they share the server, and each makes its own.
TEMPLATE = f"kuaitui_import_template_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
TIMEOUT_S = 120
_numbers = count(1)


@dataclass(frozen=True)
class ImportWorld:
    """A migrated, empty database and a directory to stand in."""

    url: str
    directory: Path

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line."""
        program = "from kuaitui.interfaces.cli.main import main; main()"
        return [sys.executable, "-c", program, "import", *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the command finds this world's database."""
        return {**os.environ, "DATABASE_URL": self.url, "KUAITUI_VAR": str(self.directory / "var")}

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Import orders to the end."""
        return self.run_import("orders", *arguments)

    def run_import(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Import to the end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start importing orders, and do not wait."""
        return subprocess.Popen(
            self.command("orders", *arguments),
            env=self.environment,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def write(self, name: str, content: str | bytes) -> Path:
        """A file in the directory."""
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def _import_template() -> str:
    """A database with all migrations applied, to copy from."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    subprocess.run(
        [sys.executable, "-m", "kuaitui.config.manage", "migrate", "-v0"],
        env={**os.environ, "DATABASE_URL": _at(url, TEMPLATE)},
        check=True,
        timeout=TIMEOUT_S,
    )
    return url


@pytest.fixture
def import_world(_import_template: str, tmp_path: Path) -> Iterator[ImportWorld]:
    """A world nobody has imported anything into."""
    name = f"kuaitui_import_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(_import_template, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield ImportWorld(_at(_import_template, name), tmp_path)
    with psycopg.connect(_import_template, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _at(url: str, database: str) -> str:
    return conninfo.make_conninfo(url, dbname=database)
