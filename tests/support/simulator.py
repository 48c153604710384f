"""A simulated channel as a real process of its own, for tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.process import SimulatorOptions
from kuaitui.kernel.clock import read_clock

KEY = "a key for tests"


class SimulatorProcess:
    """`kuaitui simulate-channel NAME` on a free port; `start` after `stop` keeps book and port."""

    name = "simulator"

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.book = directory / "simulator.sqlite3"
        self.keys = directory / "keys"
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self._port = "0"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "kuaitui.interfaces.cli", "simulate-channel", self.name]
        places = ["--port", self._port, "--book", str(self.book), "--keys", str(self.keys)]
        self._process = subprocess.Popen(
            [*command, *places, *self._arguments],
            env={**os.environ, "KUAITUI_SIMULATOR_KEY": KEY},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert match, f"the simulator did not start: {line!r}"
        self._port = match[1]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def options(self) -> SimulatorOptions:
        """Of what its entry in the channel settings is made."""
        return SimulatorOptions(
            port=int(self._port),
            book=self.book,
            key_file=self.book,
            keys=self.keys,
            clock=read_clock,
        )

    def director(self) -> Director:
        return Director(self.base_url, KEY.encode())

    def channel(self, **settings: float) -> SimulatorChannel:
        return SimulatorChannel(SimulatorSettings(self.base_url, KEY.encode(), **settings))

    def stop(self, *, kill: bool = False) -> None:
        process = self._process
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()
        self._process = None
