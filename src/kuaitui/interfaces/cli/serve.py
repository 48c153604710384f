"""`kuaitui serve`: the web pages."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

BACKLOG = 256
STOP_WITHIN_S = 30


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
    """Serve until asked to stop."""
    if arguments.plain_http:
        os.environ["KUAITUI_PLAIN_HTTP"] = "1"
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
    print(f"Serving http://{arguments.host}:{arguments.port}/", flush=True)
    server.serve()
    return 0


def _prepare() -> bool:
    """Start the database and migrate in a process of its own, so that this one stays small."""
    command = [str(Path(sys.executable).with_name("kuaitui")), "database", "migrate"]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own command
