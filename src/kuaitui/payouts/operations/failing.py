"""A leg that fails without the channel's saying so at this moment. A step of other operations."""

from __future__ import annotations

import datetime as dt

from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import post_journal
from kuaitui.payouts.events import LegFailed
from kuaitui.payouts.models import Payout, PayoutLeg
from kuaitui.payouts.operations.postings import journal_of
from kuaitui.payouts.operations.writing import save_legs
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import PostingKind


@requires_transaction
def fail_leg(leg: PayoutLeg, code: str, *, now: dt.datetime) -> None:
    """End a locked leg as failed: its money is frozen, and its seller names another account.

    Posts *in transit → frozen* if it ever left. The database lets a leg fail so only while it waits
    to be sent, or when two people gave it up.
    """
    payout = leg.payout
    if leg.first_sent_at is not None:
        post_journal(journal_of(leg, PostingKind.FAILED, occurred_at=now), now=now)
    leg.state, leg.since, leg.waits_for = LegState.FAILED.value, now, ""
    leg.failed_at, leg.code = now, code
    leg.next_check_at = leg.lease_until = None
    leg.hand_over_sealed, leg.hand_over_key_id = None, ""
    save_legs([leg])
    Payout.objects.filter(pk=payout.pk).update(state=PayoutState.NEEDS_REPAIR)
    publish(
        LegFailed(
            payout.application_id,
            payout.public_id,
            leg.public_id,
            leg.amount_minor,
            leg.currency,
            code,
            now,
        ),
        now=now,
    )
