"""Named points at which tests kill the process, to prove that nothing is lost there.

In production `reach` does nothing. With `KUAITUI_CRASH_AT=name` in the environment the process dies
by SIGKILL when it comes to that point, with `name#3` when it comes there for the third time.
"""

from __future__ import annotations

import os
import signal
from typing import Final

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
)
_hits = 0


def reach(name: str) -> None:
    """Die here, if the environment says so."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    if name not in POINTS:
        raise ValueError(f"{name} is no crash point")
    target, _, count = wanted.partition("#")
    if target != name:
        return
    global _hits  # noqa: PLW0603 - a count for the life of the process is what is meant
    _hits += 1
    if _hits == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
