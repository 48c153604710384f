"""What a forked worker does. Imported once by the process that forks them, with everything loaded."""

from __future__ import annotations

import os

import django

django.setup()

from kuaitui.interfaces.worker.process import Worker  # noqa: E402 - Django must be set up before
from reliability.crashes.plans import CrashPlan  # noqa: E402

THREADS = 4


def work(log_file: str, plan: CrashPlan | None) -> None:
    """Be `kuaitui worker`, until told to stop or struck."""
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if plan is not None:
        plan.install()
    Worker(threads=THREADS).run()
