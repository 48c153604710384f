"""From when on our books alone do not say whether a number was paid."""

from __future__ import annotations

import datetime as dt


def in_doubt_since(
    *,
    held_at: dt.datetime | None,
    first_sent_at: dt.datetime | None,
    way_open_until: dt.datetime | None,
    now: dt.datetime,
) -> dt.datetime | None:
    """From when on the channel's word about a number is needed before anything rests on our books.

    From the last hold on; and of what was sent already, from the end of its way back on. A number that
    the channel did not know was given up by us, not by it. Sending it again is safe whatever became of
    it, but once its way has closed the money goes out anew under another number.
    """
    has_closed = way_open_until is not None and way_open_until <= now
    moments = (held_at, way_open_until if has_closed and first_sent_at is not None else None)
    return max((moment for moment in moments if moment is not None), default=None)
