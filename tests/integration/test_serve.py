"""`kuaitui serve` as a process of its own, on a database of its own."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from kuaitui.demo.processes import console_script, free_port
from kuaitui.kit.embedded_postgres import EmbeddedPostgres
from tests.support.database_plugin import HASTY_SETTINGS

ANSWER_S = 60


class Serve:
    """One running `kuaitui serve` and what it prints."""

    started: ClassVar[list[Serve]] = []

    def __init__(self, var: Path, *options: str, **environment: str) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [console_script(), "serve", *options],
            env={**inherited, "KUAITUI_VAR": str(var), **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.started.append(self)
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def await_line(self, part: str) -> str:
        deadline = time.monotonic() + ANSWER_S
        seen = ""
        while time.monotonic() < deadline:
            line = self.lines.get(timeout=ANSWER_S)
            seen += line
            if part in line:
                return line
        raise AssertionError(f"{part!r} was not printed: {seen}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=40)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self.lines.put(line)


@pytest.fixture(autouse=True)
def none_outlives_its_test() -> Iterator[None]:
    yield
    while Serve.started:
        process = Serve.started.pop().process
        process.kill()  # nothing to a process that has ended
        process.wait()


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    # Not pytest's own folder: that one is closed to the account the server may run as.
    with tempfile.TemporaryDirectory(prefix="kuaitui-serve-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        server = EmbeddedPostgres(directory / "postgres", settings=HASTY_SETTINGS)
        server.start()  # with hasty settings; `serve` finds it running
        server.ensure_database()
        yield directory
        server.stop(immediate=True)


def test_serve_migrates_answers_and_ends_gently(var) -> None:
    port = free_port()
    serve = Serve(var, "--port", str(port), "--plain-http")
    address = serve.await_line("Serving").split()[-1]

    login = httpx.get(f"{address}login", trust_env=False)
    ready = httpx.get(f"{address}readyz", trust_env=False)
    style = httpx.get(f"{address}static/design/kuaitui.css", trust_env=False)

    assert address == f"http://127.0.0.1:{port}/"
    assert login.status_code == 200
    assert "<form" in login.text
    assert ready.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
    assert serve.end() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)


def test_a_request_under_way_is_finished_before_the_end(var) -> None:
    port = free_port()
    serve = Serve(var, "--port", str(port), "--plain-http", "--no-migrate")
    serve.await_line("Serving")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        # Connections are taken in their order: one that came later has its answer, so the
        # first one no longer waits to be accepted, where an ending server would reset it.
        assert httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).status_code == 200
        serve.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        client.sendall(b"Connection: close\r\n\r\n")
        client.settimeout(10)
        answer = client.recv(100)

    assert answer.startswith(b"HTTP/1.1 200")
    assert serve.process.wait(timeout=40) == 0


def test_without_plain_http_pages_ask_for_tls(var) -> None:
    serve = Serve(var, "--port", str(free_port()), "--no-migrate")
    address = serve.await_line("Serving").split()[-1]

    answer = httpx.get(f"{address}login", trust_env=False)

    assert answer.status_code == 301
    assert answer.headers["location"].startswith("https://")
    assert "--plain-http" in serve.await_line("TLS")
    assert serve.end() == 0


def test_plain_http_is_refused_where_others_can_reach_it(var) -> None:
    serve = Serve(var, "--host", "0.0.0.0", "--port", str(free_port()), "--plain-http")

    serve.await_line("serve.plain_http_leaves_the_machine")

    assert serve.process.wait(timeout=20) == 2


def test_a_taken_port_is_said_before_anything_is_started(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        serve = Serve(tmp_path, "--port", str(port), "--plain-http")
        serve.await_line("serve.address_taken")

        assert serve.process.wait(timeout=20) == 2
    assert not (tmp_path / "postgres").exists()
