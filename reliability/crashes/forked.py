"""What forked processes do. All that they need was imported before they were forked."""

from __future__ import annotations

import os

from granian import Granian
from granian.constants import Interfaces

from reliability.crashes.plans import CrashPlan

THREADS = 4


def work(log_file: str, plan: CrashPlan | None) -> None:
    """Be `kuaitui worker`, until told to stop or struck."""
    from kuaitui.interfaces.worker.process import Worker  # noqa: PLC0415 - see newborn

    _write_to(log_file)
    if plan is not None:
        plan.install()
    Worker(threads=THREADS).run()


def serve(log_file: str, port: int) -> None:
    """Be `kuaitui serve` with traps in it, as the first of a group of processes."""
    os.setsid()
    _write_to(log_file)
    Granian(
        "reliability.crashes.web:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
    ).serve()


def _write_to(log_file: str) -> None:
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
