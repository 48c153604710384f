"""The processes of one installation, started for a demo or a test and stopped together.

Each is a real process of its own, started by the console command an operator would use.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import TracebackType

import httpx

from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kit.embedded_postgres import EmbeddedPostgres

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0


class ProcessNotReady(Refusal):
    """A process of the demo did not start in time."""

    code = "demo.process_not_ready"
    kind = RefusalKind.UNAVAILABLE


@dataclass(slots=True)
class Installation:
    """A whole kuaitui on this machine: database, simulated channel, worker, web.

    Its data lie under `var`; nothing of the caller's environment but the path is used.
    """

    var: Path
    web_port: int = 0
    simulator_port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    institutions: tuple[str, ...] = ()
    """Channels to start and name in a file, in their order. Empty: the plain simulated channel."""
    ports: dict[str, int] = field(default_factory=dict)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _wait: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.var = self.var.absolute()
        self.var.mkdir(parents=True, exist_ok=True)
        self.web_port = self.web_port or free_port()
        self.simulator_port = self.simulator_port or free_port()
        self.ports = {name: self.ports.get(name, 0) or free_port() for name in self.institutions}
        self.simulator_port = self.ports.setdefault("simulator", self.simulator_port)

    def __enter__(self) -> Installation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def web_url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def simulator_url(self) -> str:
        """Where the simulated channel is."""
        return self.url_of("simulator")

    @property
    def simulator_key(self) -> Path:
        """The key file that the simulated channel and its clients share."""
        return self.var / "simulator_key"

    @property
    def channels_file(self) -> Path:
        """What the channels of this installation are, when there are several."""
        return self.var / "channels.json"

    @property
    def database(self) -> EmbeddedPostgres:
        """The database of this installation."""
        return EmbeddedPostgres(self.var / "postgres")

    def variables(self) -> dict[str, str]:
        """The environment of every process of this installation."""
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        return {
            **inherited,
            "KUAITUI_VAR": str(self.var),
            "KUAITUI_PLAIN_HTTP": "1",
            "KUAITUI_SIMULATOR_URL": self.simulator_url,
            **({"KUAITUI_CHANNELS_FILE": str(self.channels_file)} if self.institutions else {}),
            **self.environment,
        }

    def enter(self) -> None:
        """Let this very process belong to the installation, before Django reads its settings."""
        for name in [name for name in os.environ if name.startswith("KUAITUI_")] + ["DATABASE_URL"]:
            os.environ.pop(name, None)
        os.environ.update(self.variables())
        os.environ["KUAITUI_LOG_LEVEL"] = "CRITICAL"  # this process talks to people

    def start_database(self) -> None:
        """Start the database and bring its schema up to date."""
        self.database.start()
        self.database.ensure_database()
        self.run("database", "migrate")

    def start_simulator(self, *options: str) -> None:
        """Start the simulated channel and wait until it answers."""
        self._start("simulator", *self._simulation("simulator"), *options)
        self._await(self.simulator_url + "/_sim/book", "simulator")

    def name_channels(self) -> None:
        """Make the institutions' keys and write down all channels; before anything else starts."""
        entries: dict[str, object] = {}
        for name in self.institutions:
            entries.update(json.loads(self.run(*self._simulation(name), "--print-settings").stdout))
        self.channels_file.write_text(json.dumps(entries, indent=2))

    def start_institutions(self, **options: tuple[str, ...]) -> None:
        """Start every simulated institution, each with its own options, and wait for all."""
        for name in self.institutions:
            self._start(name, *self._simulation(name), *options.get(name, ()))
        for name in self.institutions:
            self._await(self.url_of(name) + "/_sim/book", name)

    def url_of(self, name: str) -> str:
        """Where a simulated channel is."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start_worker(self, *options: str) -> None:
        """Start one worker."""
        self._start("worker", "worker", *options)

    def start_web(self) -> None:
        """Start the pages; `await_web` says when they answer."""
        self._start("web", "serve", "--port", str(self.web_port), "--plain-http", "--no-migrate")

    def await_web(self) -> None:
        """Wait until the pages answer."""
        self._await(self.web_url + "/readyz", "web")

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command to its end and return what it said."""
        finished = subprocess.run(
            [console_script(), *arguments],
            env=self.variables(), capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if check and finished.returncode != 0:
            raise ProcessNotReady(command=" ".join(arguments), said=finished.stderr[-800:])
        return finished

    def kill(self, name: str) -> None:
        """SIGKILL one process, as bad luck would."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def pid_of(self, name: str) -> int:
        """The process id of one process."""
        return self._processes[name].pid

    def ended(self) -> list[str]:
        """Names of processes that ended by themselves."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def log_of(self, name: str) -> Path:
        """Where a process writes what it says."""
        return self.var / "log" / f"{name}.log"

    def stop(self) -> None:
        """Stop everything that was started here, gently first."""
        for process in reversed(self._processes.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(timeout=STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        self.database.stop()

    def _simulation(self, name: str) -> tuple[str, ...]:
        """The command of a simulated channel."""
        port = self.ports[name]
        notify = f"{self.web_url}/callbacks/{name}"
        return "simulate-channel", name, "--port", str(port), "--notify", notify

    def _start(self, name: str, *arguments: str) -> None:
        log = self.log_of(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._processes[name] = subprocess.Popen(
                [console_script(), *arguments],
                env=self.variables(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def _await(self, url: str, name: str) -> None:
        deadline = read_stopwatch_s() + READY_WITHIN_S
        while read_stopwatch_s() < deadline and not self.ended():
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(url, timeout=5, trust_env=False).status_code < 500:
                    return
            self._wait.wait(0.1)
        said = self.log_of(name).read_text(errors="replace")[-800:]
        raise ProcessNotReady(process=name, said=said)


def console_script() -> str:
    """The `kuaitui` command of this environment."""
    return str(Path(sys.executable).with_name("kuaitui"))


def free_port() -> int:
    """A port on the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
