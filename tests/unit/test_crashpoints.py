"""Crash points do nothing unless the environment asks, and then exactly what it asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from kuaitui.kit.crashpoints import POINTS, VARIABLE, reach, watched


def run_through(point: str, *, times: int, crash_at: str) -> int:
    script = f"from kuaitui.kit.crashpoints import reach\nfor _ in range({times}): reach({point!r})"
    return subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, VARIABLE: crash_at}, check=False
    ).returncode


def test_without_the_variable_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    for point in POINTS:
        reach(point)


@pytest.mark.parametrize(
    ("crash_at", "times", "returncode"),
    [
        (POINTS[0], 1, -signal.SIGKILL),
        (POINTS[1], 1, 0),
        (f"{POINTS[0]}#2", 1, 0),
        (f"{POINTS[0]}#2", 2, -signal.SIGKILL),
    ],
)
def test_the_process_dies_at_the_named_point(crash_at: str, times: int, returncode: int) -> None:
    assert run_through(POINTS[0], times=times, crash_at=crash_at) == returncode


def test_a_point_nobody_listed_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, POINTS[0])

    with pytest.raises(ValueError, match="no crash point"):
        reach("payouts.never_heard_of")


def test_whoever_watches_hears_of_every_point_and_may_stop_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    heard: list[str] = []

    def stop_at_the_second(name: str) -> None:
        heard.append(name)
        if name == POINTS[1]:
            raise InterruptedError

    with watched(stop_at_the_second):
        reach(POINTS[0])
        with pytest.raises(InterruptedError):
            reach(POINTS[1])
    reach(POINTS[2])

    assert heard == list(POINTS[:2])
