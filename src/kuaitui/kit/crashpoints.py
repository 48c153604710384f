"""Named points at which tests kill the process, to prove that nothing is lost there.

In production `reach` does nothing. With `KUAITUI_CRASH_AT=name` in the environment the process dies
by SIGKILL when it comes to that point, with `name#3` when it comes there for the third time. Whoever
drives the code from within the process may `watch` the points instead, and raise there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

Watcher = Callable[[str], None]

VARIABLE: Final = "KUAITUI_CRASH_AT"
# Every point there is. A test dies at each of them; a name not listed here is a bug.
POINTS: Final = (
    "outbox.claimed",
    "outbox.handled",
    "payouts.begin.uncommitted",
    "payouts.claim.uncommitted",
    "payouts.claim.committed",
    "channel.request_written",
    "payouts.call.answered",
    "payouts.record.posted",
    "payouts.record.uncommitted",
    "payouts.record.committed",
    "refunds.submit.uncommitted",
    "refunds.approve.uncommitted",
    "refunds.close_out.uncommitted",
    "send_backs.begin.uncommitted",
    "send_backs.claim.uncommitted",
    "send_backs.claim.committed",
    "send_backs.call.answered",
    "send_backs.record.uncommitted",
    "pay_ins.claim.uncommitted",
    "pay_ins.claim.committed",
    "pay_ins.call.answered",
    "pay_ins.record.uncommitted",
)
_hits = 0
_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Call it with the name of every point that is reached, for the life of this process."""
    _watchers.append(watcher)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Call it with the name of every point that is reached inside."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def reach(name: str) -> None:
    """Die here, if the environment says so; tell whoever watches."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None and not _watchers:
        return
    if name not in POINTS:
        raise ValueError(f"{name} is no crash point")
    for watcher in tuple(_watchers):
        watcher(name)
    if wanted is None:
        return
    target, _, count = wanted.partition("#")
    if target != name:
        return
    global _hits  # noqa: PLW0603 - a count for the life of the process is what is meant
    _hits += 1
    if _hits == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
