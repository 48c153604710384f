"""Which limits are in force, and how much of them is used."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import QuerySet, Sum

from kuaitui.kernel.money import Money
from kuaitui.payouts.models import ChannelBalance, PayoutLeg, PayoutLimit, SendBack
from kuaitui.payouts.queries.values import KnownBalance, Limit
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import ALL_CHANNELS, BalanceSource, LimitScope

DAY: Final = dt.timedelta(days=1)
LIMITS_MAX = 500
Sent = QuerySet[PayoutLeg] | QuerySet[SendBack]
_ON_THE_WAY: Final = (
    LegState.SENDING,
    LegState.UNKNOWN,
    LegState.ACCEPTED,
    LegState.NEEDS_ACTION,
)


def limits_on(*, channel: str, currency: str) -> dict[LimitScope, int]:
    """The limits in force on a channel, in minor units."""
    rows = (
        PayoutLimit.objects.filter(
            currency=currency, channel__in=[channel, ALL_CHANNELS], confirmed_at__isnull=False
        )
        .order_by("scope", "-id")
        .distinct("scope")
        .values_list("scope", "amount_minor")
    )
    return {LimitScope(scope): minor for scope, minor in rows if minor is not None}


def limits() -> tuple[Limit, ...]:
    """Every limit in force, and every proposal that waits for a second person."""
    confirmed = PayoutLimit.objects.filter(confirmed_at__isnull=False)
    newest = confirmed.order_by("scope", "channel", "currency", "-id").distinct(
        "scope", "channel", "currency"
    )
    waiting = PayoutLimit.objects.filter(confirmed_at=None).order_by("scope", "channel", "currency")
    in_force = [row for row in newest[:LIMITS_MAX] if row.amount_minor is not None]
    return tuple(_to_limit(row) for row in [*in_force, *waiting[:LIMITS_MAX]])


def balances() -> tuple[KnownBalance, ...]:
    """What was last told of each channel, and what we have sent since."""
    rows = ChannelBalance.objects.order_by("channel", "currency", "-as_of", "-id").distinct(
        "channel", "currency"
    )
    return tuple(
        KnownBalance(
            channel=row.channel,
            balance=Money(row.balance_minor, row.currency),
            sent_since=Money(_sent_since(row), row.currency),
            as_of=row.as_of,
            source=BalanceSource(row.source),
            told_by=row.told_by,
        )
        for row in rows
    )


def balance_left(*, channel: str, currency: str) -> int | None:
    """What should lie at a channel now, in minor units. None: nobody ever told.

    What came in since is not counted: the floor errs on the side of waiting.
    """
    row = (
        ChannelBalance.objects.filter(channel=channel, currency=currency)
        .order_by("-as_of", "-id")
        .first()
    )
    return None if row is None else row.balance_minor - _sent_since(row)


def sent_minor(leg: PayoutLeg, scope: LimitScope, *, since: dt.datetime) -> int:
    """What was sent for the first time since then under the same limit as a leg.

    Where several people approved a leg, the one with the most behind them counts.
    """
    sent = PayoutLeg.objects.filter(currency=leg.currency, first_sent_at__gt=since)
    match scope:
        case LimitScope.SHOP_DAY:
            sent = sent.filter(payout__shop_key=leg.payout.shop_key)
        case LimitScope.OPERATOR_DAY:
            return max(
                _sum_of(sent.filter(approved_by__contains=[person])) for person in leg.approved_by
            )
        case LimitScope.RULE_DAY:
            sent = sent.filter(approved_by=[])
        case LimitScope.CHANNEL_DAY:
            return sent_by_channel(channel=leg.channel, currency=leg.currency, since=since)
        case _:
            sent = sent.none()
    return _sum_of(sent)


def sent_by_channel(*, channel: str, currency: str, since: dt.datetime) -> int:
    """What left by a channel for the first time since then: legs, and payments sent back."""
    first = {"channel": channel, "currency": currency, "first_sent_at__gt": since}
    return _sum_of(PayoutLeg.objects.filter(**first)) + _sum_of(SendBack.objects.filter(**first))


def _sent_since(row: ChannelBalance) -> int:
    mine = {"channel": row.channel, "currency": row.currency}
    legs = _gone_since(row, PayoutLeg.objects.filter(**mine))
    return legs + _gone_since(row, SendBack.objects.filter(**mine))


def _gone_since(row: ChannelBalance, legs: Sent) -> int:
    sent = legs.filter(first_sent_at__gt=row.as_of).exclude(state=LegState.FAILED)
    if row.source != BalanceSource.STATEMENT:
        return _sum_of(sent)
    # A statement tells what was booked. What was sent before its end and booked after it (a batch
    # of the evening, a transfer that waits for its payee) is in the balance and goes out of it. A
    # channel that took the money at once has it taken off twice: that errs on the side of waiting.
    before = legs.filter(first_sent_at__lte=row.as_of)
    on_the_way = before.filter(state__in=_ON_THE_WAY)
    booked_since = before.filter(settled_at__gt=row.as_of)
    return _sum_of(sent) + _sum_of(on_the_way) + _sum_of(booked_since)


def _sum_of(legs: Sent) -> int:
    minor: int | None = legs.aggregate(sum=Sum("amount_minor"))["sum"]
    return minor or 0


def _to_limit(row: PayoutLimit) -> Limit:
    return Limit(
        limit_id=row.id,
        scope=LimitScope(row.scope),
        channel=row.channel,
        currency=row.currency,
        amount=None if row.amount_minor is None else Money(row.amount_minor, row.currency),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )
