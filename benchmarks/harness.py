"""What every benchmark shares: one durable server, subjects in turn, medians, a written result."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import cpu_used_by_others
from kuaitui.kit.embedded_postgres import EmbeddedPostgres, binary

QUIET_SHARE_MAX = 0.16  # of the machine, used by others during one sample
TRIES_MAX = 3

Subject = Callable[[], float]


class Server:
    """The embedded PostgreSQL with durable settings, and the ways to load it."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.postgres = postgres

    def database(self, name: str) -> str:
        """Make an empty database unless there is one; returns its URL."""
        self.postgres.ensure_database(name)
        return self.postgres.url(name)

    def migrated_database(self, name: str) -> str:
        """Make a database with kuaitui's own schema; returns its URL."""
        url = self.database(name)
        run_python("kuaitui.config.manage", "migrate", "--verbosity=0", database_url=url)
        return url

    def pgbench(self, url: str, *arguments: str, clients: int = 1, seconds: float = 5) -> float:
        """Transactions per second of one pgbench run with prepared statements."""
        threads = min(clients, os.cpu_count() or 1)
        said = subprocess.run(
            [str(binary("pgbench")), "--no-vacuum", "--protocol=prepared", f"--client={clients}",
             f"--jobs={threads}", f"--time={max(1, round(seconds))}", *arguments, url],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        for line in said.stdout.splitlines():
            if line.startswith("tps = "):
                return float(line.split()[2])
        raise RuntimeError(f"pgbench gave no figure: {said.stdout} {said.stderr}")

    def prepare_pgbench(self, url: str, *, scale: int) -> None:
        """Fill the database with pgbench's own tables."""
        command = [str(binary("pgbench")), "-i", "-q", f"--scale={scale}", url]
        subprocess.run(command, check=True, capture_output=True)


@dataclass
class Row:
    """One subject and what was measured of it, in the order of the rounds."""

    subject: str
    samples: list[float] = field(default_factory=list)
    others_cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the samples."""
        return statistics.median(self.samples)


@dataclass
class Table:
    """Subjects measured in turn, in one unit."""

    title: str
    unit: str
    rows: dict[str, Row]

    def ratio(self, subject: str, base: str) -> float:
        """The median over rounds of subject : base, each pair from the same round."""
        pairs = zip(self.rows[subject].samples, self.rows[base].samples, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


@dataclass(frozen=True)
class Goal:
    """A figure with the floor or ceiling it has to keep."""

    statement: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the value keeps its bounds."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)


class Bench:
    """One run: how long to measure, and what came of it."""

    def __init__(self, *, rounds: int = 5, seconds: float = 5, scale: float = 1) -> None:
        self.rounds = rounds
        self.seconds = seconds
        self.scale = scale  # below 1: smaller populations, to try the benchmark itself
        self.tables: list[Table] = []
        self.goals: list[Goal] = []
        self.notes: list[str] = []

    @contextlib.contextmanager
    def server(self, **settings: str) -> Iterator[Server]:
        """A fresh server with durable settings, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="kuaitui-bench-") as name:
            directory = Path(name)
            directory.chmod(0o755)
            postgres = EmbeddedPostgres(directory / "postgres", settings=settings)
            postgres.start()
            self._server = postgres
            try:
                yield Server(postgres)
            finally:
                postgres.stop(immediate=True)

    def measure(
        self, title: str, subjects: Mapping[str, Subject], *, unit: str, rounds: int | None = None
    ) -> Table:
        """Let the subjects take turns for some rounds; a sample others disturbed is taken again."""
        table = Table(title, unit, {name: Row(name) for name in subjects})
        names = list(subjects)
        for number in range(rounds or self.rounds):
            for name in names if number % 2 == 0 else reversed(names):
                value, others = self._quiet_sample(subjects[name])
                table.rows[name].samples.append(value)
                table.rows[name].others_cpu.append(others)
                print(f"  {title} | {name}: {value:,.1f} {unit} (others {others:.0%})", flush=True)
        self.tables.append(table)
        return table

    def goal(
        self,
        statement: str,
        value: float,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Hold a figure against its floor or ceiling."""
        self.goals.append(Goal(statement, value, at_least, at_most))

    def note(self, text: str) -> None:
        """Say something the reader of the figures should know."""
        self.notes.append(text)

    def _quiet_sample(self, subject: Subject) -> tuple[float, float]:
        tries = []
        for _ in range(TRIES_MAX):
            with cpu_used_by_others(self._postmaster()) as others:
                value = subject()
            tries.append((others.share, value))
            if others.share <= QUIET_SHARE_MAX:
                break
        share, value = min(tries)
        return value, share

    def _postmaster(self) -> int | None:
        server = getattr(self, "_server", None)
        return None if server is None else server.server_pid()


def run_python(
    module: str, *arguments: str, database_url: str, environment: Mapping[str, str] | None = None
) -> str:
    """Run one of our modules in a process of its own; returns what it printed."""
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        env=python_environment(database_url, environment),
        check=False, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if finished.returncode != 0:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with {finished.returncode}")
    return finished.stdout


def run_pythons(
    module: str, *arguments: str, database_url: str, processes: int,
    environment: Mapping[str, str] | None = None,
) -> list[dict[str, float]]:  # fmt: skip
    """Run a module in several processes at once; returns the JSON each printed last."""
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *arguments],
            env=python_environment(database_url, environment), stdout=subprocess.PIPE, text=True,
        )
        for _ in range(processes)
    ]  # fmt: skip
    said = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError(f"{module} {' '.join(arguments)} failed")
    return [json.loads(text.splitlines()[-1]) for text in said]


def python_environment(
    database_url: str, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a process that works on one of the benchmark's databases."""
    return {
        **os.environ, "DATABASE_URL": database_url, "KUAITUI_PLAIN_HTTP": "1",
        "DJANGO_SETTINGS_MODULE": "kuaitui.config.settings", "KUAITUI_SECRET_KEY": "benchmark" * 8,
        "KUAITUI_LOG_LEVEL": "WARNING", **(environment or {}),
    }  # fmt: skip


def sorted_by_need(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The wanted names in their usual order, or all of them."""
    unknown = set(wanted) - set(names)
    if unknown:
        raise SystemExit(f"There is no benchmark named {', '.join(sorted(unknown))}.")
    return [name for name in names if not wanted or name in wanted]
