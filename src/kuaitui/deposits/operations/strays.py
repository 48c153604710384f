"""Numbers that a channel spoke of and that no order of ours has: ask what lies behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import structlog
from django.db import connection, transaction

from kuaitui.channels.port import PayInMethod, PayInOrder, PayInOutcome, PayInPaid, Unknown
from kuaitui.channels.registry import Channels
from kuaitui.deposits.models import ChannelPayment, StrayNumber
from kuaitui.deposits.operations.suspense import FoundPayment, put_into_suspense
from kuaitui.deposits.rules import NOTHING_SAID, answer_of, refundable_until
from kuaitui.deposits.types import FoundBy, PayInAnswer, PayInPace, SuspenseReason
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money

log = structlog.get_logger(__name__)
CHECKS_MAX: Final = 10
CHANNEL_GONE: Final = Unknown("channel_unknown")
# A query names a number; the amount is the channel's to say and is not compared.
ANY_AMOUNT: Final = Money(1, "CNY")
DEFINITE: Final = frozenset({PayInAnswer.PAID, PayInAnswer.CLOSED, PayInAnswer.FAILED})


def ask_about_stray(
    *,
    channel: str,
    number: str,
    channels: Channels,
    pace: PayInPace,
    clock: Callable[[], dt.datetime],
) -> PayInAnswer:
    """Ask a channel about a number that is not ours; money behind it goes into suspense.

    A query changes nothing at the channel, so two workers may ask at once. A channel that the
    settings no longer name answers nothing, and is given up like one that never does.
    """
    ensure(not connection.in_atomic_block, "no transaction is open while a channel is called")
    asked_at = clock()
    if channel not in channels.names:
        return record_stray(
            channel=channel, number=number, outcome=CHANNEL_GONE, until=None,
            floor=dt.timedelta(0), pace=pace, asked_at=asked_at, now=asked_at,
        )  # fmt: skip
    asked = PayInOrder(
        number=number,
        amount=ANY_AMOUNT,
        method=PayInMethod.QR_CODE,
        description="",
        expires_at=asked_at,
    )
    outcome = channels.collecting(channel).query_pay_in(
        asked, deadline_s=pace.call_deadline.total_seconds()
    )
    capabilities = channels.get(channel).capabilities
    now = clock()
    until = (
        refundable_until(capabilities, paid_at=min(outcome.paid_at, now))
        if isinstance(outcome, PayInPaid)
        else None
    )
    return record_stray(
        channel=channel, number=number, outcome=outcome, until=until,
        floor=capabilities.not_found_floor, pace=pace, asked_at=asked_at, now=now,
    )  # fmt: skip


@transaction.atomic(durable=True)
def record_stray(
    *,
    channel: str,
    number: str,
    outcome: PayInOutcome,
    until: dt.datetime | None,
    floor: dt.timedelta,
    pace: PayInPace,
    asked_at: dt.datetime,
    now: dt.datetime,
) -> PayInAnswer:
    """Write down what the channel says of a stray number. Idempotent per payment.

    A channel that says nothing is asked until it does: money may lie behind the number. `floor`: so
    long after it spoke of the number it may not find it. If it spoke of it once more after `asked_at`,
    the answer may be older than that.
    """
    word, _cause = answer_of(outcome)
    stray = StrayNumber.objects.select_for_update().get(channel=channel, number=number)
    stray.outcome = word.value
    is_hinted = stray.next_check_at is not None and stray.next_check_at > asked_at
    is_hidden = word is PayInAnswer.NOT_FOUND and now - stray.heard_at < floor
    if is_hinted:
        stray.next_check_at = now
    elif is_hidden or (word in NOTHING_SAID and outcome != CHANNEL_GONE):
        stray.next_check_at = now + pace.check_delays[-1]
    else:
        stray.checks += 1
        is_done = word in DEFINITE or stray.checks >= CHECKS_MAX
        stray.next_check_at = None if is_done else now + pace.delay_after(stray.checks)
    stray.save()
    if isinstance(outcome, PayInPaid) and outcome.amount.is_positive:
        known = ChannelPayment.objects.filter(channel=channel, reference=outcome.reference)
        if not known.exists():
            found = FoundPayment(
                channel=channel,
                reference=outcome.reference,
                number=number,
                amount=outcome.amount,
                paid_at=min(outcome.paid_at, now),
                refundable_until=until,
            )
            put_into_suspense(
                found,
                order=None,
                why=SuspenseReason.NEVER_HEARD_OF,
                found_by=FoundBy(stray.found_by),
                now=now,
            )
    log.warning("pay_in.stray.asked", channel=channel, number=number, outcome=word.value)
    return word
