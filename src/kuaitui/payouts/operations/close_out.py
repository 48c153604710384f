"""The end of what came back and was never sent again."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits.operations import release_share
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import (
    MoreCameBack,
    PayoutBeingAskedBack,
    PayoutMayStillPay,
    PayoutUnknown,
)
from kuaitui.payouts.models import LegCloseOut, Payout, PayoutLeg
from kuaitui.payouts.queries.holds import current_hold_began
from kuaitui.payouts.rules import payout_state
from kuaitui.payouts.states import LIVE, REPAIRABLE, LegState, PayoutState


@requires_transaction
def close_out_payout(*, application_id: str, proposed_at: dt.datetime, now: dt.datetime) -> Money:
    """Give up every leg that failed or came back; returns what they carried.

    Their parts of the lots are free again; the caller releases the frozen money. Legs that are
    paid stay paid, and are watched as before. Again gives up nothing and returns zero.

    Raises:
        PayoutUnknown: there is no payout for this application.
        PayoutMayStillPay: a leg waits to be sent, or nobody knows yet whether it was paid.
        MoreCameBack: a leg came back only after it was proposed; nobody has decided about that one.
        PayoutBeingAskedBack: sending is on hold after a restore: a repair may have been forgotten.
    """
    payout = Payout.objects.select_for_update().filter(application_id=application_id).first()
    if payout is None:
        raise PayoutUnknown(application=application_id)
    legs = list(
        PayoutLeg.objects.select_for_update(of=("self",))
        .filter(payout=payout, replaced_by=None, close_out=None)
        .order_by("id")
    )
    if any(LegState(leg.state) in LIVE for leg in legs):
        raise PayoutMayStillPay(application=application_id)
    if current_hold_began() is not None:
        raise PayoutBeingAskedBack(application=application_id)
    given_up = [leg for leg in legs if LegState(leg.state) in REPAIRABLE]
    if any(leg.since > proposed_at for leg in given_up):
        raise MoreCameBack(application=application_id)
    for leg in given_up:
        release_share(account_id=payout.account_id, leg_id=leg.public_id, now=now)
        LegCloseOut.objects.create(leg=leg, closed_out_at=now)
    _derive_payout(payout, [leg for leg in legs if leg not in given_up])
    return Money(sum(leg.amount_minor for leg in given_up), payout.currency)


def _derive_payout(payout: Payout, standing: list[PayoutLeg]) -> None:
    payout.state = payout_state(LegState(leg.state) for leg in standing)
    if payout.state == PayoutState.PAID:
        settled = [leg.settled_at for leg in standing if leg.settled_at is not None]
        payout.paid_at = payout.paid_at or max(settled)
    payout.save(update_fields=["state", "paid_at"])
