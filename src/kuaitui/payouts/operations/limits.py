"""How much may go out through a channel: the last wall behind a mistake further up."""

from __future__ import annotations

import datetime as dt
import zlib

from django.db import connection, transaction
from django.db.models import Sum

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import LimitNotPositive
from kuaitui.payouts.events import PayoutDelayed
from kuaitui.payouts.models import ChannelLimit, PayoutLeg

DAY = dt.timedelta(days=1)
RETRY_AFTER = dt.timedelta(minutes=10)
LEG_LIMIT = "leg_limit"
DAY_LIMIT = "day_limit"
LIMIT_LOCKS = 0x6B74_6C69  # "ktli": the first half of the advisory locks, the channel is the second


@transaction.atomic(durable=True)
def set_channel_limit(
    *,
    channel: str,
    currency: str,
    leg_max: Money | None,
    day_max: Money | None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Say how much may go out through a channel at once and in any 24 hours. None: no limit.

    Raises:
        LimitNotPositive: a limit is nothing or less; to stop sending there is the kill switch.
        CurrencyMismatch: a limit in another currency.
    """
    for limit in (leg_max, day_max):
        if limit is not None and limit <= Money.zero(currency):
            raise LimitNotPositive(channel=channel)
    ChannelLimit.objects.update_or_create(
        channel=channel,
        currency=currency,
        defaults={
            "leg_max_minor": leg_max.minor if leg_max else None,
            "day_max_minor": day_max.minor if day_max else None,
            "set_by": actor.id,
            "set_at": now,
        },
    )
    record(
        actor=actor,
        action="payout.limit_set",
        object_id=f"channel:{channel}",
        details={
            "currency": currency,
            "leg_max_minor": leg_max.minor if leg_max else None,
            "day_max_minor": day_max.minor if day_max else None,
        },
        now=now,
    )


@requires_transaction
def is_within_limits(leg: PayoutLeg, *, now: dt.datetime) -> bool:
    """Whether a leg may be sent for the first time; if not, it is put off or aside, and told.

    Above the limit for one leg it waits for people; above the limit of the day it waits its turn.
    """
    limit = ChannelLimit.objects.filter(channel=leg.channel, currency=leg.currency).first()
    if limit is None:
        return True
    if limit.leg_max_minor is not None and leg.amount_minor > limit.leg_max_minor:
        leg.set_aside_at, leg.set_aside_reason = now, LEG_LIMIT
        _put_off(leg, LEG_LIMIT, now)
        return False
    if limit.day_max_minor is not None and _sent_today(leg, now) > limit.day_max_minor:
        leg.next_check_at = now + RETRY_AFTER
        _put_off(leg, DAY_LIMIT, now)
        return False
    return True


def _sent_today(leg: PayoutLeg, now: dt.datetime) -> int:
    """What went out through the channel in 24 hours, with this leg.

    Claims on a limited channel come one after the other here, or two could both be the last one.
    """
    with connection.cursor() as cursor:
        lock = zlib.crc32(f"{leg.channel}/{leg.currency}".encode()) - 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LIMIT_LOCKS, lock])
    sent = PayoutLeg.objects.filter(
        channel=leg.channel, currency=leg.currency, first_sent_at__gt=now - DAY
    )
    return (sent.aggregate(sum=Sum("amount_minor"))["sum"] or 0) + leg.amount_minor


def _put_off(leg: PayoutLeg, reason: str, now: dt.datetime) -> None:
    is_new = leg.delayed_at is None
    leg.delayed_at = leg.delayed_at or now
    leg.save()
    if is_new:
        payout = leg.payout
        publish(
            PayoutDelayed(
                payout.application_id, payout.public_id, leg.public_id, leg.state, reason, now
            ),
            now=now,
        )
