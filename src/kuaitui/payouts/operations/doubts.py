"""From when on our books alone do not say whether a number was paid."""

from __future__ import annotations

import datetime as dt


def in_doubt_since(
    *, held_at: dt.datetime | None, last_sent_at: dt.datetime | None, cannot_go: bool
) -> dt.datetime | None:
    """From when on the channel's word about a number is needed before anything rests on our books.

    From the last hold on; and of what was sent and cannot go any more, from its last send on. A number
    that the channel did not know was given up by us, not by it. Sending it again is safe whatever
    became of it, but what cannot go is failed, and the money goes out anew under another number.
    """
    moments = (held_at, last_sent_at if cannot_go else None)
    return max((moment for moment in moments if moment is not None), default=None)
