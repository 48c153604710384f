"""Money that a bill names and nobody knows is set aside, so that two people say whose it is."""

from __future__ import annotations

import datetime as dt
from typing import Final

from kuaitui.channels.port import StatementKind
from kuaitui.deposits.operations import FoundPayment, note_found_payment
from kuaitui.deposits.types import FoundBy
from kuaitui.reconciliation.queries.unknown_payments import UnknownPayment, unknown_payments

NUMBER_LENGTH_MAX: Final = 64
"""No order of ours has a longer number; what a bill has more is left out."""


def set_payments_aside(*, channel: str, bill: StatementKind, now: dt.datetime) -> tuple[str, ...]:
    """Bring every unknown payment of a channel's bills into suspense; the ids of the cases.

    A payment of an order of ours that is still unpaid is asked about instead, and the answer places
    it. Each payment has its own transaction, and one case however many bills name it.
    """
    cases = [
        note_found_payment(found=_found(channel, one), found_by=FoundBy.BILL, now=now)
        for one in unknown_payments(channel=channel, bill=bill)
    ]
    return tuple(case for case in cases if case is not None)


def _found(channel: str, payment: UnknownPayment) -> FoundPayment:
    """No bill says until when a payment can go back the way it came, so none is promised."""
    return FoundPayment(
        channel=channel,
        reference=payment.reference,
        number=payment.number[:NUMBER_LENGTH_MAX],
        amount=payment.amount,
        paid_at=payment.paid_at,
        refundable_until=None,
    )
