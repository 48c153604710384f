"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 300.0
"""So long that a loaded machine fails no test. What never comes is found all the same."""


def await_(condition: Callable[[], bool], what: Callable[[], str] | str) -> None:
    """Wait until it is so; `what` says what did not happen."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what if isinstance(what, str) else what())
        time.sleep(0.1)
