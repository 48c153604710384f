"""The processes that are killed, and how each comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import psycopg

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.demo.processes import Installation
from reliability.crashes.forked import serve, work
from reliability.crashes.plans import CrashPlan, Trap

# A busy machine may take this long to read a request that was written to its socket.
FLOOR_S = 10.0
BACK_WITHIN_S = 60.0


class Plant:
    """One whole installation under `folder`: database and channel here, pages and workers forked."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(
            folder,
            environment={
                "KUAITUI_PAYOUT_PACE": "brisk",
                # Faults are the rule here: sending must not stop by itself because of them.
                "KUAITUI_TRIP_SENDS_MIN": "1000000",
                "KUAITUI_SIMULATOR_NOT_FOUND_FLOOR_S": str(FLOOR_S),
                "KUAITUI_TRAPS": str(folder / "traps"),
                "KUAITUI_LOG_LEVEL": "ERROR",
                "DJANGO_SETTINGS_MODULE": "kuaitui.config.settings",
            },
        )
        self.trap = Trap(folder / "traps")
        self.log = folder / "worker.log"
        self._web: ForkServerProcess | None = None
        self._context = get_context("forkserver")

    def start(self) -> None:
        """Bring up database, channel and web, and let this process belong to the installation."""
        self.installation.start_database()
        self.installation.start_simulator()
        self.installation.enter()
        self._context.set_forkserver_preload(["reliability.crashes.newborn"])
        self.start_web()
        self.await_web()
        self.director = Director(
            self.installation.simulator_url, shared_key(self.installation.simulator_key)
        )
        self.director.set(forgets_numbers="1")

    def stop(self) -> None:
        """Leave no process behind."""
        self.kill_web_at_once()
        self.installation.stop()

    # Workers

    def bear_worker(self, plan: CrashPlan | None = None) -> ForkServerProcess:
        """A worker, struck by its plan or by nobody."""
        worker = self._context.Process(target=work, args=(str(self.log), plan), daemon=True)
        worker.start()
        return worker

    # Web

    def start_web(self) -> None:
        """Start the pages."""
        log_file, port = str(self.installation.var / "web.log"), self.installation.web_port
        self._web = self._context.Process(target=serve, args=(log_file, port))
        self._web.start()

    def web_workers(self) -> list[int]:
        """The processes that answer requests: children of the one that was started."""
        assert self._web is not None
        children = Path(f"/proc/{self._web.pid}/task/{self._web.pid}/children").read_text()
        return [
            int(pid)
            for pid in children.split()
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def kill_web_worker(self) -> bool:
        """SIGKILL whoever answers requests now; whether there was anybody."""
        for pid in self.web_workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def kill_web_at_once(self) -> None:
        """SIGKILL the pages with all that belongs to them."""
        if self._web is not None:
            assert self._web.pid is not None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._web.pid, signal.SIGKILL)
            self._web.kill()  # before it had a group of its own
            self._web.join()
            self._web = None

    def await_web(self) -> None:
        """Wait until the pages answer; started anew if they ended for good."""
        deadline = time.monotonic() + BACK_WITHIN_S
        while time.monotonic() < deadline:
            if self._web is None or not self._web.is_alive():
                self.start_web()
            with contextlib.suppress(httpx.HTTPError):
                url = f"{self.installation.web_url}/readyz"
                if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                    return
            time.sleep(0.05)
        raise TimeoutError("the pages did not come back")

    # Database

    def crash_database(self) -> None:
        """SIGKILL the server itself, and start it on the same data."""
        database = self.installation.database
        pid = database.server_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        self.await_database()

    def await_database(self) -> None:
        """Wait until the database answers; started anew if it ended."""
        database = self.installation.database
        deadline = time.monotonic() + BACK_WITHIN_S
        while time.monotonic() < deadline:
            if not database.is_running():
                database.start()
            try:
                with psycopg.connect(database.url(), connect_timeout=5) as connection:
                    connection.execute("SELECT 1")
                    return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise TimeoutError("the database did not come back")
