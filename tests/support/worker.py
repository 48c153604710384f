"""Real processes for tests: the worker as `kuaitui worker` runs it, on the test's own database.

They are forked by a process that has loaded everything once. Loading it anew for each worker would
be most of the time of a test that kills dozens.
"""

from __future__ import annotations

import functools
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from kuaitui.kit.crashpoints import VARIABLE
from tests.support.simulator import KEY
from tests.support.waiting import PATIENCE_S


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


@functools.cache
def _births(database: str) -> ForkServerContext:
    """Who forks workers of this database; one for the life of the test process."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.support.newborn"])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", database)
        forkserver.ensure_running()
    return context


class WorkerProcess:
    """One worker; `crash_at` names the point at which it dies by SIGKILL."""

    def __init__(
        self, log: Path, *, simulator_url: str, crash_at: str = "", floor_s: float = 600.0
    ) -> None:
        variables = {
            "KUAITUI_SIMULATOR_KEY": KEY,
            "KUAITUI_SIMULATOR_URL": simulator_url,
            "KUAITUI_PAYOUT_PACE": "brisk",
            # Faults are the rule here: sending must not stop by itself because of them.
            "KUAITUI_TRIP_SENDS_MIN": "1000000",
            "KUAITUI_PAYOUT_MARKS": str(log.parent / "payout_marks"),
            "KUAITUI_SIMULATOR_NOT_FOUND_FLOOR_S": str(floor_s),
            **({VARIABLE: crash_at} if crash_at else {}),
        }
        self._log = log
        log.touch()
        self._log_began = log.stat().st_size
        births = _births(database_url())
        # Imported late: the module sets Django up, which only a configured process may do.
        from tests.support.newborn import work

        self._process = births.Process(target=work, args=(str(log), variables), daemon=True)
        self._process.start()

    def has_started(self) -> bool:
        """Whether it works already, and would end gently."""
        return b"worker.started" in self._log.read_bytes()[self._log_began :]

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Until it ends by itself."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            self.kill()
            raise TimeoutError(f"the worker goes on after {timeout_s} s")
        return self._process.exitcode

    def kill(self) -> None:
        """SIGKILL, as bad luck would."""
        self._process.kill()
        self._process.join()

    def stop(self) -> int:
        """SIGTERM, and wait."""
        self._process.terminate()
        return self.wait()
