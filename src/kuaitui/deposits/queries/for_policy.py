"""A deposit as the policy reads it."""

from __future__ import annotations

from kuaitui.deposits.types import DepositSummary
from kuaitui.kernel.money import Money
from kuaitui.policy import types as policy


def deposit_for_policy(summary: DepositSummary, *, own_hold: Money | None = None) -> policy.Deposit:
    """What still lies here, payment by payment, and what is frozen for others.

    An application does not count what is set aside for itself: that is `own_hold`.
    """
    # Part of a hold may be on its way already; that is frozen no more.
    frozen = summary.frozen if own_hold is None else summary.frozen - min(own_hold, summary.frozen)
    return policy.Deposit(
        kind=policy.DepositKind(summary.kind.value),
        currency=summary.currency,
        required_minor=summary.required.minor,
        frozen_minor=frozen.minor,
        lots=tuple(
            policy.Lot(
                id=lot.lot_id,
                amount_minor=lot.remaining.minor,
                paid_at=lot.paid_at,
                channel=lot.channel,
                refundable_until=lot.refundable_until,
            )
            for lot in summary.lots
            if lot.remaining.is_positive
        ),
    )
