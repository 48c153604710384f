"""The limits of a channel, before a payment in suspense leaves by it for the first time."""

from __future__ import annotations

import datetime as dt

import structlog

from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.models import SendBack
from kuaitui.payouts.operations.gates import RETRY_AFTER, UNTIL_PEOPLE_ACT, take_turns
from kuaitui.payouts.queries.limits import DAY, balance_left, limits_on, sent_by_channel
from kuaitui.payouts.types import LimitScope, WaitsFor

log = structlog.get_logger(__name__)


@requires_transaction
def is_within_channel_limits(row: SendBack, *, now: dt.datetime) -> bool:
    """Whether a payment may go back now; if not, it is put off or aside, and the case says why.

    The limits of a payout, a shop and an approver are not asked: it is nobody's deposit, and two
    people ordered this very payment.
    """
    limits = limits_on(channel=row.channel, currency=row.currency)
    reason = _above_what(row, limits, now)
    if reason is None:
        return True
    row.code = reason.value
    if reason in UNTIL_PEOPLE_ACT:
        row.set_aside_at, row.set_aside_reason = now, reason.value
        log.error("send_back.set_aside", send_back_id=row.public_id, reason=reason.value)
    else:
        row.next_check_at = now + RETRY_AFTER
    row.save()
    return False


def _above_what(row: SendBack, limits: dict[LimitScope, int], now: dt.datetime) -> WaitsFor | None:
    """The first limit that it breaks, those that need people first."""
    amount = row.amount_minor
    day = limits.get(LimitScope.CHANNEL_DAY)
    if amount > limits.get(LimitScope.CHANNEL_LEG, amount):
        return WaitsFor.LEG_LIMIT
    if day is not None and amount > day:
        return WaitsFor.ABOVE_DAY
    floor = limits.get(LimitScope.CHANNEL_FLOOR)
    if day is None and floor is None:
        return None
    take_turns([f"{row.channel}/{row.currency}"])
    if day is not None:
        sent = sent_by_channel(channel=row.channel, currency=row.currency, since=now - DAY)
        if sent + amount > day:
            return WaitsFor.DAY_LIMIT
    if floor is None:
        return None
    left = balance_left(channel=row.channel, currency=row.currency)
    if left is None:
        return WaitsFor.BALANCE_UNKNOWN
    return WaitsFor.BALANCE_FLOOR if left - amount < floor else None
