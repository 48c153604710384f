"""A deposit as the policy reads it."""

from __future__ import annotations

from collections.abc import Iterator

from kuaitui.deposits.types import DepositSummary, Lot
from kuaitui.kernel.money import Money
from kuaitui.policy import types as policy


def deposit_for_policy(summary: DepositSummary, *, own_hold: Money | None = None) -> policy.Deposit:
    """What still lies here, payment by payment, and what is frozen for others.

    An application does not count what is set aside for itself: that is `own_hold`. What a leg carries
    lies here until it has left, and again once it came back.
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
                amount_minor=here.minor,
                paid_at=lot.paid_at,
                channel=lot.channel,
                refundable_until=lot.refundable_until,
            )
            for lot, here in _lying_here(summary)
            if here.is_positive
        ),
    )


def _lying_here(summary: DepositSummary) -> Iterator[tuple[Lot, Money]]:
    """What lies here of each payment; together, what is held. The oldest reserved left first."""
    away = summary.in_transit
    for lot in summary.lots:
        left = min(lot.reserved, away)
        away -= left
        yield lot, lot.remaining + lot.reserved - left
