"""What a leg must pass before it is sent for the first time. All of it inside the claim."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable
from typing import Final

from django.db import connection
from django.db.models import Max

from kuaitui.channels.port import Route
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.events import PayoutDelayed
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.operations.batch_gate import leave_unsent
from kuaitui.payouts.queries.limits import DAY, balance_left, limits_on, sent_minor
from kuaitui.payouts.types import LimitScope, WaitsFor

RULE: Final = "rule"
RETRY_AFTER: Final = dt.timedelta(minutes=10)
LIMIT_LOCKS = 0x6B74_6C69  # "ktli": the first half of the advisory locks, the limit is the second
# Above these a leg waits for people; above the others it waits for its turn.
FOR_PEOPLE: Final = {
    LimitScope.PAYOUT: WaitsFor.PAYOUT_LIMIT,
    LimitScope.CHANNEL_LEG: WaitsFor.LEG_LIMIT,
}
FOR_A_DAY: Final = {
    LimitScope.SHOP_DAY: WaitsFor.SHOP_DAY_LIMIT,
    LimitScope.OPERATOR_DAY: WaitsFor.OPERATOR_DAY_LIMIT,
    LimitScope.RULE_DAY: WaitsFor.RULE_DAY_LIMIT,
    LimitScope.CHANNEL_DAY: WaitsFor.DAY_LIMIT,
}
# A leg that is larger than a whole day would wait for its turn for ever: it waits for people.
FOR_EVER: Final = {
    LimitScope.SHOP_DAY: WaitsFor.ABOVE_SHOP_DAY,
    LimitScope.OPERATOR_DAY: WaitsFor.ABOVE_OPERATOR_DAY,
    LimitScope.RULE_DAY: WaitsFor.ABOVE_RULE_DAY,
    LimitScope.CHANNEL_DAY: WaitsFor.ABOVE_DAY,
}
UNTIL_PEOPLE_ACT: Final = frozenset({*FOR_PEOPLE.values(), *FOR_EVER.values()})


def is_limited(*, channel: str, currency: str) -> bool:
    """Whether any limit is in force on what is sent first through a channel."""
    return bool(limits_on(channel=channel, currency=currency))


@requires_transaction
def is_within_limits(leg: PayoutLeg, *, now: dt.datetime) -> bool:
    """Whether a leg may be sent for the first time; if not, it is put off or aside, and told."""
    limits = limits_on(channel=leg.channel, currency=leg.currency)
    # A person's day is not used up by the rule, nor the rule's by people.
    limits.pop(LimitScope.RULE_DAY if leg.approved_by else LimitScope.OPERATOR_DAY, None)
    if not limits:
        return True
    reason = _above_what(leg, limits, now)
    if reason is None:
        return True
    if reason in UNTIL_PEOPLE_ACT:
        leg.set_aside_at, leg.set_aside_reason = now, reason.value
    else:
        leg.next_check_at = now + RETRY_AFTER
    _tell(leg, reason, now)
    leave_unsent(leg, now=now)
    return False


@requires_transaction
def is_spaced(leg: PayoutLeg, *, interval: dt.timedelta, now: dt.datetime) -> bool:
    """Whether the last other refund along the same payment is long enough ago; if not, it waits.

    Source: reference §0 fact 3 (WeChat Pay: a minute, Alipay: three seconds).
    """
    if not interval or leg.route != Route.ORIGINAL:
        return True
    others = PayoutLeg.objects.filter(
        book_id=leg.book_id, lot_id=leg.lot_id, route=Route.ORIGINAL, channel=leg.channel
    ).exclude(pk=leg.pk)
    last = others.aggregate(last=Max("last_sent_at"))["last"]
    if last is None or now - last >= interval:
        return True
    leg.next_check_at = last + interval
    leg.save(update_fields=["next_check_at"])
    return False


def _above_what(leg: PayoutLeg, limits: dict[LimitScope, int], now: dt.datetime) -> WaitsFor | None:
    """The first limit that the leg breaks, those that need people first."""
    sums = {LimitScope.PAYOUT: leg.payout.amount_minor, LimitScope.CHANNEL_LEG: leg.amount_minor}
    for scope, reason in FOR_PEOPLE.items():
        if scope in limits and sums[scope] > limits[scope]:
            return reason
    for scope, reason in FOR_EVER.items():
        if scope in limits and leg.amount_minor > limits[scope]:
            return reason
    _wait_for_others(leg, limits)
    for scope, reason in FOR_A_DAY.items():
        if scope in limits and _with_this(leg, scope, now) > limits[scope]:
            return reason
    if LimitScope.CHANNEL_FLOOR in limits:
        left = balance_left(channel=leg.channel, currency=leg.currency)
        if left is None:
            return WaitsFor.BALANCE_UNKNOWN
        if left - leg.amount_minor < limits[LimitScope.CHANNEL_FLOOR]:
            return WaitsFor.BALANCE_FLOOR
    return None


def _with_this(leg: PayoutLeg, scope: LimitScope, now: dt.datetime) -> int:
    return sent_minor(leg, scope, since=now - DAY) + leg.amount_minor


def _wait_for_others(leg: PayoutLeg, limits: dict[LimitScope, int]) -> None:
    """Claims under the same limit come one after the other, or two could both be the last one.

    The locks are taken in the order of their numbers, so no two claims wait for each other.
    """
    subjects = {
        LimitScope.SHOP_DAY: str(leg.payout.shop_key),
        LimitScope.RULE_DAY: RULE,
        LimitScope.CHANNEL_DAY: leg.channel,
        LimitScope.CHANNEL_FLOOR: leg.channel,
    }
    keys = {f"{subject}/{leg.currency}" for scope, subject in subjects.items() if scope in limits}
    if LimitScope.OPERATOR_DAY in limits:
        keys |= {f"{person}/{leg.currency}" for person in leg.approved_by}
    take_turns(keys)


@requires_transaction
def take_turns(keys: Iterable[str]) -> None:
    """Wait for whoever claims under one of these keys, and let nobody else until we are done."""
    with connection.cursor() as cursor:
        for lock in sorted(zlib.crc32(key.encode()) - 2**31 for key in keys):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LIMIT_LOCKS, lock])


def _tell(leg: PayoutLeg, reason: WaitsFor, now: dt.datetime) -> None:
    is_news = leg.waits_for != reason
    leg.waits_for = reason.value
    leg.save()
    if is_news:
        payout = leg.payout
        publish(
            PayoutDelayed(
                payout.application_id, payout.public_id, leg.public_id, leg.state, reason.value, now
            ),
            now=now,
        )
