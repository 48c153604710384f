"""By when each part of a refund is expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kuaitui.channels.port import Arrival
from kuaitui.channels.port import Route as ChannelRoute
from kuaitui.deposits.queries import ways_out
from kuaitui.deposits.types import Destination, PlannedLeg, Route, RoutePlan
from kuaitui.payouts.queries import LegProgress, PayoutProgress, last_sent_back
from kuaitui.payouts.states import LegState
from kuaitui.policy.terms import Terms
from kuaitui.refunds import rules
from kuaitui.refunds.types import Eta, ExpectedPart, Standing

_SETTLED = frozenset({LegState.PAID, LegState.RETURNED, LegState.FAILED, LegState.CANCELLED})


def expected_parts(
    plan: RoutePlan | None,
    destination: Destination | None,
    *,
    shop_key: int,
    promised: Eta,
    terms: Terms,
    now: dt.datetime,
    payout: PayoutProgress | None = None,
) -> tuple[ExpectedPart, ...]:
    """The parts of a plan with the days between which they are expected.

    A part that was handed over is counted from then; another from now to the last day of the
    review, but not before it may be sent: all of them wait until a new account may be used, and one
    that goes back waits for the channel's interval after the last refund of its payment. So no part
    is promised for a day that is over.
    """
    if plan is None:
        return ()
    handed_over = _handed_over(payout)
    waiting = [leg for leg in plan.legs if leg.lot_id not in handed_over]
    spaced_from = _spaced_from(waiting, shop_key)
    is_used = destination is not None and plan.needs_destination
    usable_from = [destination.usable_from] if destination is not None and is_used else []
    parts = []
    for leg in plan.legs:
        if leg.lot_id in handed_over:
            parts.append(_on_its_way(leg, handed_over[leg.lot_id], terms=terms, now=now))
        else:
            waits = [*usable_from, *spaced_from.get(leg.lot_id, [])]
            parts.append(_to_be_sent(leg, waits, promised=promised, terms=terms, now=now))
    return tuple(parts)


def _spaced_from(legs: Sequence[PlannedLeg], shop_key: int) -> Mapping[str, list[dt.datetime]]:
    """From when the payments that these go back along take one more refund, by lot, if they wait."""
    channels = ways_out().channels
    intervals = {
        leg.lot_id: channels[leg.channel].refund_interval
        for leg in legs
        if leg.route is Route.ORIGINAL and leg.channel in channels
    }
    lot_ids = [lot_id for lot_id, interval in intervals.items() if interval]
    if not lot_ids:
        return {}
    last_sent = last_sent_back(shop_key=shop_key, lot_ids=lot_ids)
    return {lot_id: [sent_at + intervals[lot_id]] for lot_id, sent_at in last_sent.items()}


def _to_be_sent(
    leg: PlannedLeg,
    waits: Sequence[dt.datetime],
    *,
    promised: Eta,
    terms: Terms,
    now: dt.datetime,
) -> ExpectedPart:
    """A part that is sent by the end of its review, but not before any moment it waits for."""
    planned_by = rules.end_of_day(promised.review_by, terms=terms)
    arrival = _arrival(leg)
    part = rules.expected_part(leg, arrival, sent_from=max([now, *waits]), sent_by=planned_by)
    review_ends_at = rules.midnight_after(promised.review_by, terms=terms)
    by = rules.handed_over_by(max([review_ends_at, *waits]), now=now)
    part = replace(part, way_back=rules.way_back(leg, now=now, handed_over_by=by))
    planned_from = max([planned_by, *waits])
    planned = rules.expected_part(leg, arrival, sent_from=planned_from, sent_by=planned_from)
    if part.arrives_by and planned.arrives_by and part.arrives_by > planned.arrives_by:
        return replace(part, standing=Standing.LATE)
    return part


def _on_its_way(
    leg: PlannedLeg, progress: LegProgress, *, terms: Terms, now: dt.datetime
) -> ExpectedPart:
    sent_at = progress.sent_at
    assert sent_at is not None  # only such parts are on their way
    part = replace(
        rules.expected_part(leg, _arrival(leg), sent_from=sent_at, sent_by=sent_at), is_sent=True
    )
    if progress.state in _SETTLED:
        return replace(part, standing=Standing.SETTLED)
    if part.arrives_by is not None and part.arrives_by < now.astimezone(terms.zone).date():
        return replace(part, standing=Standing.OVERDUE)
    return part


def _arrival(leg: PlannedLeg) -> Arrival | None:
    capabilities = ways_out().channels.get(leg.channel)
    return capabilities.arrival(ChannelRoute(leg.route.value)) if capabilities else None


def _handed_over(payout: PayoutProgress | None) -> Mapping[str, LegProgress]:
    legs = payout.legs if payout else ()
    return {leg.lot_id: leg for leg in legs if leg.left_at and not leg.is_replaced}
