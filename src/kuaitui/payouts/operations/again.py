"""What its channel has and wants to be handed once more (WeChat Pay: 原单重试)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.models import PayoutAttempt, PayoutLeg
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptOutcome


@requires_transaction
def wanted_again(legs: Sequence[PayoutLeg], *, since: dt.datetime) -> frozenset[int]:
    """Of locked legs, the ids of those whose last call was answered so since then. One query for all.

    After a call without an answer the channel is asked first; and after an answer of long ago, for it
    may have dropped the order meanwhile, and forgotten its number.
    """
    accepted = [leg.id for leg in legs if leg.state == LegState.ACCEPTED]
    if not accepted:
        return frozenset()
    last = (
        PayoutAttempt.objects.filter(leg__in=accepted)
        .order_by("leg_id", "-attempt_no")
        .distinct("leg_id")
        .values_list("leg_id", "outcome", "finished_at")
    )
    return frozenset(
        leg_id
        for leg_id, word, told_at in last
        if word == AttemptOutcome.WANTS_AGAIN and told_at is not None and told_at >= since
    )
