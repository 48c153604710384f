"""What the staff sees of payouts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Sum

from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import LegUnknown
from kuaitui.payouts.models import ChannelSwitch, PayoutAttempt, PayoutLeg, SendBack
from kuaitui.payouts.queries.calls import latest_calls
from kuaitui.payouts.queries.due import due_count, due_since
from kuaitui.payouts.queries.holds import current_hold
from kuaitui.payouts.queries.values import (
    AttemptRecord,
    ChannelCount,
    KillSwitch,
    LegInMonitor,
    PayoutsOverview,
)
from kuaitui.payouts.states import LIVE, LegState
from kuaitui.payouts.types import WaitsFor

LEGS_MAX = 200


def overview(*, now: dt.datetime) -> PayoutsOverview:
    """The payouts monitor at a glance."""
    unknown = PayoutLeg.objects.filter(state__in=[LegState.UNKNOWN, LegState.SENDING])
    return PayoutsOverview(
        counts=_counts(),
        switches=kill_switches(),
        hold=current_hold(),
        overdue_count=_overdue(),
        oldest_unknown_since=unknown.aggregate(oldest=Min("last_sent_at"))["oldest"],
        set_aside_count=_set_aside(),
        due_count=due_count(now=now),
        due_since=due_since(now=now),
    )


def kill_switches() -> tuple[KillSwitch, ...]:
    """Every switch that was ever turned, and how it stands."""
    return tuple(
        KillSwitch(
            row.channel,
            row.is_stopped,
            row.reason,
            row.set_by,
            row.set_at,
            row.release_proposed_by,
            row.release_reason,
        )
        for row in ChannelSwitch.objects.order_by("channel")
    )


def legs_in_monitor(
    *,
    states: Iterable[LegState] = (),
    channel: str = "",
    only_needing_people: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> tuple[LegInMonitor, ...]:
    """Legs by state and channel, the longest in its state first.

    `only_needing_people` leaves those that were set aside, are delayed, wait for a person at the
    channel, or failed or came back and were not sent again.
    """
    rows = PayoutLeg.objects.all()
    wanted = [state.value for state in states]
    if wanted:
        rows = rows.filter(state__in=wanted)
    if channel:
        rows = rows.filter(channel=channel)
    if only_needing_people:
        rows = _needing_people()
    page = rows.select_related("payout").order_by("since", "id")
    return tuple(_to_monitor(row) for row in _counted(page)[offset : offset + min(limit, LEGS_MAX)])


def legs_set_aside(*, limit: int = 100) -> tuple[LegInMonitor, ...]:
    """Legs out of the machine until a person has looked, the longest waiting first."""
    rows = PayoutLeg.objects.select_related("payout").filter(set_aside_at__isnull=False)
    page = _counted(rows).order_by("set_aside_at", "id")
    return tuple(_to_monitor(row) for row in page[: min(limit, LEGS_MAX)])


def leg(leg_id: str) -> LegInMonitor:
    """One leg as the staff sees it.

    Raises:
        LegUnknown: there is none.
    """
    rows = PayoutLeg.objects.select_related("payout").filter(public_id=leg_id)
    for row in _counted(rows):
        return _to_monitor(row)
    raise LegUnknown(leg=leg_id)


def attempts(leg_id: str) -> tuple[AttemptRecord, ...]:
    """The calls made about a leg, of very many the last, in their order.

    Raises:
        LegUnknown: there is no such leg.
    """
    row = PayoutLeg.objects.filter(public_id=leg_id).first()
    if row is None:
        raise LegUnknown(leg=leg_id)
    return latest_calls(row.attempts.all())


def _overdue() -> int:
    """What was tried so long ago without a clear result that people must look."""
    late = {"state__in": [state.value for state in LIVE], "delayed_at__isnull": False}
    return PayoutLeg.objects.filter(**late).count() + SendBack.objects.filter(**late).count()


def _set_aside() -> int:
    aside = {"set_aside_at__isnull": False}
    return PayoutLeg.objects.filter(**aside).count() + SendBack.objects.filter(**aside).count()


def _needing_people() -> QuerySet[PayoutLeg]:
    newer = PayoutLeg.objects.filter(replaces=OuterRef("pk"))
    ended = Q(state__in=[LegState.FAILED, LegState.RETURNED], close_out=None) & ~Exists(newer)
    waiting = Q(state=LegState.NEEDS_ACTION) | Q(set_aside_at__isnull=False)
    delayed = Q(delayed_at__isnull=False, state__in=[state.value for state in LIVE])
    short = Q(waits_for__in=[WaitsFor.BALANCE_FLOOR, WaitsFor.BALANCE_UNKNOWN])
    return PayoutLeg.objects.filter(ended | waiting | delayed | short)


def _counted(rows: QuerySet[PayoutLeg]) -> QuerySet[PayoutLeg]:
    live = PayoutAttempt.objects.filter(leg=OuterRef("pk"), outcome=None)
    return rows.annotate(attempts_count=Count("attempts"), is_in_flight=Exists(live))


def _to_monitor(row: Any) -> LegInMonitor:  # noqa: ANN401 - a leg with two annotations
    return LegInMonitor(
        leg_id=row.public_id,
        payout_id=row.payout.public_id,
        application_id=row.payout.application_id,
        account_id=row.payout.account_id,
        channel=row.channel,
        channel_number=row.channel_number,
        amount=Money(row.amount_minor, row.currency),
        route=row.route,
        tail=row.tail,
        state=LegState(row.state),
        since=row.since,
        next_check_at=row.next_check_at,
        attempts_count=row.attempts_count,
        is_in_flight=row.is_in_flight,
        is_delayed=row.delayed_at is not None and LegState(row.state) in LIVE,
        set_aside_at=row.set_aside_at,
        set_aside_reason=row.set_aside_reason,
        waits_for=row.waits_for,
        code=row.code,
    )


def _counts() -> tuple[ChannelCount, ...]:
    rows = (
        PayoutLeg.objects.values("channel", "state", "currency")
        .annotate(legs=Count("id"), minor=Sum("amount_minor"), oldest=Min("since"))
        .order_by("channel", "state", "currency")
    )
    return tuple(
        ChannelCount(
            channel=row["channel"],
            state=LegState(row["state"]),
            legs_count=row["legs"],
            amount=Money(row["minor"], row["currency"]),
            oldest_since=row["oldest"],
        )
        for row in rows
    )
