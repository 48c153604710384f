"""By when each part of a refund is expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from kuaitui.channels.port import Arrival
from kuaitui.channels.port import Route as ChannelRoute
from kuaitui.deposits.queries import ways_out
from kuaitui.deposits.types import Destination, PlannedLeg, Route, RoutePlan
from kuaitui.payouts.queries import PayoutProgress
from kuaitui.policy.terms import Terms
from kuaitui.refunds import rules
from kuaitui.refunds.types import Eta, ExpectedPart


def expected_parts(
    plan: RoutePlan | None,
    destination: Destination | None,
    *,
    applied_at: dt.datetime,
    promised: Eta,
    terms: Terms,
    payout: PayoutProgress | None = None,
) -> tuple[ExpectedPart, ...]:
    """The parts of a plan with the days between which they are expected.

    A part that was handed over is counted from then; another from the day of the application to the
    last day of the review, but not before its account may be used.
    """
    sent = _sent(payout)
    review_ends_at = rules.end_of_day(promised.review_by, terms=terms)
    parts = []
    for leg in plan.legs if plan else ():
        sent_from, sent_by = applied_at, review_ends_at
        if leg.route is Route.DESIGNATED and destination is not None:
            sent_from = max(sent_from, destination.usable_from)
        if handed_over_at := sent.get(leg.lot_id):
            sent_from = sent_by = handed_over_at
        parts.append(rules.expected_part(leg, _arrival(leg), sent_from=sent_from, sent_by=sent_by))
    return tuple(parts)


def _arrival(leg: PlannedLeg) -> Arrival | None:
    capabilities = ways_out().channels.get(leg.channel)
    return capabilities.arrival(ChannelRoute(leg.route.value)) if capabilities else None


def _sent(payout: PayoutProgress | None) -> Mapping[str, dt.datetime]:
    legs = payout.legs if payout else ()
    return {leg.lot_id: leg.sent_at for leg in legs if leg.sent_at and not leg.is_replaced}
