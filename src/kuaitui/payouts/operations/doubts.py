"""From when on our books alone do not say whether a number was paid."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits.queries import ways_out
from kuaitui.payouts.models import PayoutLeg, SendBack
from kuaitui.payouts.operations.batch_gate import sent_in_this_release_at
from kuaitui.payouts.states import LegState


def in_doubt_since(
    *, held_at: dt.datetime | None, last_sent_at: dt.datetime | None, must_be_known: bool
) -> dt.datetime | None:
    """From when on the channel's word about a number is needed before anything rests on our books.

    From the last hold on; and of what `must_be_known`, from its last send on. A number that the channel
    did not know was given up by us, not by it. Sending it again is safe whatever became of it while
    the channel remembers numbers. But later it could be paid anew; and what cannot go any more is
    failed, so that the money goes out under another number.
    """
    moments = (held_at, last_sent_at if must_be_known else None)
    return max((moment for moment in moments if moment is not None), default=None)


def may_be_forgotten(sent: PayoutLeg | SendBack, *, now: dt.datetime) -> bool:
    """Whether its channel may no longer know an earlier send of what waits to be sent once more.

    The channel remembers numbers for so long and not longer (`resend_window`): later the same number
    could be paid anew.
    """
    since = sent.first_sent_at
    if isinstance(sent, PayoutLeg) and sent.needs_batch:
        since = sent_in_this_release_at(sent)
    if sent.state != LegState.READY or since is None:
        return False
    declared = ways_out().channels.get(sent.channel)
    return declared is not None and now - since >= declared.resend_window
