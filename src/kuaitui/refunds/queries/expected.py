"""By when each part of a refund is expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from kuaitui.channels.port import Arrival
from kuaitui.channels.port import Route as ChannelRoute
from kuaitui.deposits.queries import ways_out
from kuaitui.deposits.types import Destination, PlannedLeg, Route, RoutePlan
from kuaitui.payouts.queries import LegProgress, PayoutProgress
from kuaitui.payouts.states import LegState
from kuaitui.policy.terms import Terms
from kuaitui.refunds import rules
from kuaitui.refunds.types import Eta, ExpectedPart, Standing

_SETTLED = frozenset({LegState.PAID, LegState.RETURNED, LegState.FAILED, LegState.CANCELLED})


def expected_parts(
    plan: RoutePlan | None,
    destination: Destination | None,
    *,
    promised: Eta,
    terms: Terms,
    now: dt.datetime,
    payout: PayoutProgress | None = None,
) -> tuple[ExpectedPart, ...]:
    """The parts of a plan with the days between which they are expected.

    A part that was handed over is counted from then; another from now to the last day of the
    review, but not before its account may be used. So no part is promised for a day that is over.
    """
    handed_over = _handed_over(payout)
    parts = []
    for leg in plan.legs if plan else ():
        if leg.lot_id in handed_over:
            parts.append(_on_its_way(leg, handed_over[leg.lot_id], terms=terms, now=now))
        else:
            parts.append(_to_be_sent(leg, destination, promised=promised, terms=terms, now=now))
    return tuple(parts)


def _to_be_sent(
    leg: PlannedLeg,
    destination: Destination | None,
    *,
    promised: Eta,
    terms: Terms,
    now: dt.datetime,
) -> ExpectedPart:
    planned_by = rules.end_of_day(promised.review_by, terms=terms)
    # Nothing waits on its way back; a new account waits until it may be used.
    waits = leg.route is Route.DESIGNATED and destination is not None
    usable_from = destination.usable_from if waits and destination is not None else now
    arrival = _arrival(leg)
    part = rules.expected_part(leg, arrival, sent_from=max(now, usable_from), sent_by=planned_by)
    review_ends_at = rules.midnight_after(promised.review_by, terms=terms)
    by = rules.handed_over_by(max(review_ends_at, usable_from), now=now)
    part = replace(part, way_back=rules.way_back(leg, now=now, handed_over_by=by))
    planned = rules.expected_part(
        leg, arrival, sent_from=usable_from if waits else planned_by, sent_by=planned_by
    )
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
    return {leg.lot_id: leg for leg in legs if leg.sent_at and not leg.is_replaced}
