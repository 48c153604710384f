"""`kuaitui serve`: the web pages."""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kernel.errors import Refusal, RefusalKind

BACKLOG = 256
STOP_WITHIN_S = 30
ANSWERS_WITHIN_S = 60.0
PROBE_PAUSE_S = 0.1


class AddressTaken(Refusal):
    """Another program listens on this address. Stop it, or choose another --port."""

    code = "serve.address_taken"
    kind = RefusalKind.UNAVAILABLE


class PlainHttpLeavesTheMachine(Refusal):
    """Without TLS the pages are for this machine only. Use --host 127.0.0.1, or put a TLS proxy in
    front and set KUAITUI_BEHIND_PROXY=1 instead of --plain-http.
    """

    code = "serve.plain_http_leaves_the_machine"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)"
    )
    parser.add_argument("--port", type=int, default=8000, help="(default 8000)")
    parser.add_argument(
        "--workers", type=int, default=1, choices=range(1, 33), metavar="N", help="processes"
    )
    parser.add_argument(
        "--threads", type=int, default=4, choices=range(1, 65), metavar="N", help="a process"
    )
    parser.add_argument(
        "--plain-http",
        action="store_true",
        help="without TLS: for this machine only",
    )
    parser.add_argument("--no-migrate", action="store_true", help="take the schema as it is")


def run(arguments: argparse.Namespace) -> int:
    """Serve until asked to stop.

    Raises:
        PlainHttpLeavesTheMachine: plain HTTP on an address that others can reach.
        AddressTaken: somebody listens there already.
    """
    if arguments.plain_http:
        os.environ["KUAITUI_PLAIN_HTTP"] = "1"
    is_plain = os.environ.get("KUAITUI_PLAIN_HTTP") == "1"
    if is_plain and not _stays_here(arguments.host):
        raise PlainHttpLeavesTheMachine(host=arguments.host)
    _require_free(arguments.host, arguments.port)
    if not arguments.no_migrate and not _prepare():
        return 1
    server = Granian(
        "kuaitui.config.wsgi:application",
        address=arguments.host,
        port=arguments.port,
        interface=Interfaces.WSGI,
        workers=arguments.workers,
        blocking_threads=arguments.threads,
        backlog=BACKLOG,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
    )
    announcement = (arguments.host, arguments.port, is_plain)
    threading.Thread(target=_say_when_it_answers, args=announcement, daemon=True).start()
    server.serve()
    return 0


def _stays_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_free(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            raise AddressTaken(host=host, port=port) from None


def _prepare() -> bool:
    """Start the database and migrate in a process of its own, so that this one stays small."""
    command = [str(Path(sys.executable).with_name("kuaitui")), "database", "migrate"]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own command


def _say_when_it_answers(host: str, port: int, is_plain: bool) -> None:  # noqa: FBT001
    """Print the address, once the pages answer there."""
    began, pause = read_stopwatch_s(), threading.Event()
    while not _answers(host, port):
        if read_stopwatch_s() - began > ANSWERS_WITHIN_S:
            print(f"No answer on {host}:{port} within {ANSWERS_WITHIN_S:.0f} s.", file=sys.stderr)
            return
        pause.wait(PROBE_PAUSE_S)
    print(f"Serving http://{host}:{port}/", flush=True)
    if not is_plain and os.environ.get("KUAITUI_BEHIND_PROXY") != "1":
        print(
            "Pages are shown over TLS only: put a proxy in front (KUAITUI_BEHIND_PROXY=1), or try"
            " them on this machine with --plain-http.",
            flush=True,
        )


def _answers(host: str, port: int) -> bool:
    """Whether anything at all comes back: a refusal for a strange host name is an answer too."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/livez")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
