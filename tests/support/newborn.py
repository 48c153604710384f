"""What a forked worker does. Imported once by the process that forks them, with everything loaded."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping

import django
from django.conf import settings

django.setup()

from kuaitui.config import settings as written  # noqa: E402 - Django must be set up before
from kuaitui.interfaces.worker.process import Worker  # noqa: E402

THREADS = 4
OURS = "KUAITUI_"


def work(log_file: str, variables: Mapping[str, str]) -> None:
    """Be `kuaitui worker` with these variables, until told to stop or struck."""
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(variables)
    importlib.reload(written)
    for name in (name for name in dir(written) if name.startswith(OURS)):
        setattr(settings, name, getattr(written, name))
    Worker(threads=THREADS).run()
