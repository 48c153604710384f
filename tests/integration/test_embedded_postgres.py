"""The embedded database: one server on one data directory, whatever happened before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kuaitui.kit.embedded_postgres import EmbeddedDatabaseUnavailable, EmbeddedPostgres


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    # Not pytest's own folder: it is closed to the account the server runs as.
    with tempfile.TemporaryDirectory(prefix="kuaitui-embedded-") as directory:
        Path(directory).chmod(0o755)
        server = EmbeddedPostgres(Path(directory), settings={"fsync": "off"})
        yield server
        server.stop(immediate=True)


def test_a_started_server_answers_on_its_socket_only(server: EmbeddedPostgres) -> None:
    server.start()

    with psycopg.connect(server.url("postgres")) as connection:
        addresses = connection.execute("SHOW listen_addresses").fetchone()
        version = connection.info.server_version

    assert addresses == ("",)
    assert version >= 180000
    assert server.sockets.stat().st_mode & 0o077 == 0
    assert server.password_file.stat().st_mode & 0o077 == 0


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    password = server.password_file.read_text()

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url("postgres").replace(password, "guess"))


def test_starting_twice_at_the_same_time_gives_one_server(server: EmbeddedPostgres) -> None:
    threads = [threading.Thread(target=server.start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    first = server.server_pid()
    server.start()

    assert server.is_running()
    assert server.server_pid() == first


def test_a_killed_server_starts_again_with_its_data(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = server.server_pid()
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    while server.is_running():
        time.sleep(0.01)
    server.start()

    assert server.server_pid() != pid
    with psycopg.connect(server.url("postgres")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_stale_socket_and_pid_of_another_process_do_not_block_the_start(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getppid()}\n{server.data}\n")
    (server.sockets / ".s.PGSQL.5432").touch()

    assert not server.is_running()
    server.start()

    assert server.is_running()


def test_foreign_files_in_the_data_directory_are_left_alone_and_named(
    server: EmbeddedPostgres,
) -> None:
    server.data.mkdir(parents=True)
    precious = server.data / "precious.txt"
    precious.write_text("mine")

    with pytest.raises(EmbeddedDatabaseUnavailable) as refusal:
        server.start()

    assert str(server.data) in str(refusal.value)
    assert precious.read_text() == "mine"


def test_a_full_disk_is_named_and_nothing_is_made(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kuaitui.kit.embedded_postgres.FREE_BYTES_MIN", 2**60)

    with pytest.raises(EmbeddedDatabaseUnavailable) as refusal:
        server.start()

    assert "full" in str(refusal.value)
    assert not (server.data / "PG_VERSION").exists()


def test_a_server_outlives_the_process_that_started_it(server: EmbeddedPostgres) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from kuaitui.kit.embedded_postgres import EmbeddedPostgres;"
        "EmbeddedPostgres(Path(sys.argv[1])).start()"
    )
    subprocess.run([sys.executable, "-c", program, str(server.directory)], check=True)

    assert server.is_running()
    server.stop()
    assert not server.is_running()


def test_a_long_path_gets_a_short_socket_directory(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 6)

    assert len(str(EmbeddedPostgres(deep).sockets)) < 90
