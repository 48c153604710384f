"""What a worker remembers outside of the database, to notice when the database was restored.

See docs/runbooks/after-a-restore.md for what this can see and what it cannot.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from pathlib import Path
from typing import Final

from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.payouts.operations import hold_if_restored
from kuaitui.payouts.queries import LastSend, incarnation_now
from kuaitui.payouts.types import SendOf

MARK_BYTES_MAX: Final = 1024
LOOK_EVERY_S: Final = 1.0
LONG_AGO: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
# A mark that cannot be read is taken for one of a send that no database knows.
UNREADABLE: Final = LastSend(0, "unreadable", LONG_AGO, None)


class SendMark:
    """The last send of this installation, of one sort, in one small file beside the data.

    It is written before the send leaves. The workers of one host share it. It is not forced to the
    disk: a host that loses power loses the last seconds of it, and its use is against losing hours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, send: LastSend) -> None:
        """Keep a send, unless a later one is kept already."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            kept = _parse(os.pread(descriptor, MARK_BYTES_MAX, 0))
            if kept is None or _order(send) > _order(kept):
                os.pwrite(descriptor, _written(send), 0)
        finally:
            os.close(descriptor)

    def read(self) -> LastSend | None:
        """The last send kept, if there is any."""
        try:
            return _parse(self._path.read_bytes())
        except FileNotFoundError:
            return None


class RestoreWatch:
    """Looks, about once a second, whether the database is still the one that sent last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._looked_at_s = float("-inf")
        self._marks: dict[SendOf, SendMark] = {}

    def look(self, *, now: dt.datetime, stopwatch_s: float) -> None:
        """Begin a hold if the database was restored."""
        if stopwatch_s - self._looked_at_s < LOOK_EVERY_S:
            return
        identity = incarnation_now()
        marks = {of: SendMark(self._directory / _file_name(identity, of)) for of in SendOf}
        for mark in marks.values():
            hold_if_restored(last_send=mark.read(), now=now)
        self._marks, self._looked_at_s = marks, stopwatch_s

    def note(self, send: LastSend) -> None:
        """Keep a send that is about to leave."""
        if not self._marks:
            raise InvariantViolated("a worker looks for a restore before it sends")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._marks[send.of].note(send)


def _file_name(incarnation: str, of: SendOf) -> str:
    """One file for each server and database: a trial beside the real one is another story.

    And one for each sort of send, for their attempts are not counted together.
    """
    server, _, database = incarnation.split("/", 2)
    sort = "" if of is SendOf.LEG else f".{of.value}"
    return f"{server}-{database.encode().hex()}{sort}.json"


def _order(send: LastSend) -> tuple[dt.datetime, int]:
    return send.held_at or LONG_AGO, send.attempt_id


def _written(send: LastSend) -> bytes:
    document = {
        "attempt_id": send.attempt_id,
        "sent_id": send.sent_id,
        "started_at": send.started_at.isoformat(),
        "held_at": send.held_at.isoformat() if send.held_at else None,
        "of": send.of.value,
    }
    return json.dumps(document).encode().ljust(MARK_BYTES_MAX)


def _parse(content: bytes) -> LastSend | None:
    if not content.strip():
        return None
    try:
        document = json.loads(content)
        held_at = document["held_at"]
        return LastSend(
            attempt_id=int(document["attempt_id"]),
            # Marks that were written when only sends of legs were kept name their leg.
            sent_id=str(document["sent_id"] if "of" in document else document["leg_id"]),
            started_at=dt.datetime.fromisoformat(document["started_at"]),
            held_at=dt.datetime.fromisoformat(held_at) if held_at else None,
            of=SendOf(document.get("of", SendOf.LEG)),
        )
    except (ValueError, KeyError, TypeError):
        return UNREADABLE
