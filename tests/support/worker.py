"""Real processes for tests: the worker as `kuaitui worker`, on the test's own database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from kuaitui.kit.crashpoints import VARIABLE
from tests.support.simulator import KEY


def database_url() -> str:
    """The test database, as a process of its own must name it."""
    settings = connection.settings_dict
    return make_conninfo(
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        host=settings["HOST"],
        port=settings["PORT"] or None,
    )


class WorkerProcess:
    """One worker; `crash_at` names the point at which it dies by SIGKILL."""

    def __init__(
        self, log: Path, *, simulator_url: str, crash_at: str = "", floor_s: float = 600.0
    ) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "KUAITUI_SIMULATOR_KEY": KEY,
            "KUAITUI_SIMULATOR_URL": simulator_url,
            "KUAITUI_PAYOUT_PACE": "brisk",
            # Faults are the rule here: sending must not stop by itself because of them.
            "KUAITUI_TRIP_SENDS_MIN": "1000000",
            "KUAITUI_PAYOUT_MARKS": str(log.parent / "payout_marks"),
            "KUAITUI_SIMULATOR_NOT_FOUND_FLOOR_S": str(floor_s),
            **({VARIABLE: crash_at} if crash_at else {}),
        }
        self._path = log
        self._log = log.open("ab")
        self._log_began = log.stat().st_size
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kuaitui.interfaces.cli", "worker", "--threads", "4"],
            env=environment,
            stdout=self._log,
            stderr=self._log,
        )

    def has_started(self) -> bool:
        """Whether it works already, and would end gently."""
        return b"worker.started" in self._path.read_bytes()[self._log_began :]

    def wait(self, timeout_s: float = 90.0) -> int:
        """Until it ends by itself."""
        try:
            return self.process.wait(timeout_s)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as bad luck would."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self) -> int:
        """SIGTERM, and wait."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(90)
        finally:
            self.kill()
