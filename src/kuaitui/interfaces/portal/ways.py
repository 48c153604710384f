"""The ways a refund takes, in a seller's words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from django.utils.translation import gettext as _

from kuaitui.deposits import queries as deposits
from kuaitui.deposits.types import Destination, Route, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import LegProgress
from kuaitui.payouts.types import GIVEN_UP
from kuaitui.refunds.queries import ApplicationView
from kuaitui.refunds.types import ExpectedPart, Standing, WayBack

_Part: TypeAlias = tuple[str, Destination | None, Money]
"""The channel that it goes back along, or the account that it goes to; and how much."""


@dataclass(frozen=True, slots=True)
class Way:
    """An amount and where it goes: back along a channel, or to an account by its last digits."""

    is_original: bool
    channel: str
    amount: Money
    destination: Destination | None
    arrives_from: dt.date | None = None
    arrives_by: dt.date | None = None
    """None, as `arrives_from`: the channel does not say how long it takes."""
    standing: Standing = Standing.KEPT
    goes_back_until: dt.datetime | None = None
    """Until when what has not left yet can go back the way it came."""
    way_back: WayBack = WayBack.OPEN
    """Whether that is long enough, for the part that is worst off."""
    was_lost: bool = False
    """It never arrived, and two people said so: nobody refused it."""

    @property
    def tail(self) -> str:
        """The last digits of the account, if it is one."""
        return self.destination.tail4 if self.destination else ""


def ways_of(application: ApplicationView) -> list[Way]:
    """Where all the money of an application goes, with dates unless a part takes another way.

    A repair has a plan of its own. Parts that it does not plan anew count as they were sent, and one
    that its channel could not take back as it was handed over.
    """
    chosen = application.destination
    legs = application.payout.standing_legs if application.payout else ()
    handed_over = {leg.lot_id for leg in legs if leg.handed_over_to}
    if application.parts and not handed_over:
        return ways_with_dates(application.parts, chosen)
    planned = [leg for leg in application.plan.legs if leg.lot_id not in handed_over]
    lots = {leg.lot_id for leg in planned}
    sent = [leg for leg in legs if leg.lot_id not in lots and not leg.is_closed_out]
    as_planned = _parts_of(RoutePlan(tuple(planned)) if planned else None, chosen)
    return _summed([*map(_part_of, sent), *as_planned])


def came_back(application: ApplicationView) -> list[Way]:
    """The ways from which money came back, or which it did not go, and that waits for another."""
    legs = application.payout.repairable_legs if application.payout else ()
    refused = [_part_of(leg) for leg in legs if leg.code != GIVEN_UP]
    lost = [_part_of(leg) for leg in legs if leg.code == GIVEN_UP]
    return [*_summed(refused), *(replace(way, was_lost=True) for way in _summed(lost))]


def ways_out(plan: RoutePlan | None, destination: Destination | None) -> list[Way]:
    """One way for each channel the money goes back along, and one for the chosen account."""
    return _summed(_parts_of(plan, destination))


def total(ways: Sequence[Way]) -> Money | None:
    """What goes all these ways together."""
    amounts = [way.amount for way in ways]
    return sum(amounts[1:], amounts[0]) if amounts else None


def _part_of(leg: LegProgress) -> _Part:
    if leg.handed_over_to:
        return "", deposits.destination(leg.handed_over_to), leg.amount
    if leg.route == Route.ORIGINAL:
        return leg.channel, None, leg.amount
    return "", deposits.destination(leg.destination_id), leg.amount


def _parts_of(plan: RoutePlan | None, destination: Destination | None) -> list[_Part]:
    return [
        (leg.channel, None, leg.amount)
        if leg.route is Route.ORIGINAL
        else ("", destination, leg.amount)
        for leg in (plan.legs if plan else ())
    ]


def _summed(parts: Sequence[_Part]) -> list[Way]:
    sums: dict[tuple[str, str], Money] = {}
    payees: dict[str, Destination | None] = {}
    for channel, payee, amount in parts:
        payee_id = payee.destination_id if payee else ""
        payees[payee_id] = payee
        key = channel, payee_id
        sums[key] = sums[key] + amount if key in sums else amount
    return [
        Way(bool(channel), channel, amount, None if channel else payees[payee_id])
        for (channel, payee_id), amount in sums.items()
    ]


def ways_with_dates(parts: Sequence[ExpectedPart], destination: Destination | None) -> list[Way]:
    """The same ways, each with the days between which all of its parts are expected."""
    if not parts:
        return []
    plan = RoutePlan(tuple(part.leg for part in parts))
    return [
        _dated(way, [part for part in parts if _goes(part, way)])
        for way in ways_out(plan, destination)
    ]


def _goes(part: ExpectedPart, way: Way) -> bool:
    is_original = part.leg.route is Route.ORIGINAL
    return is_original == way.is_original and (not is_original or part.leg.channel == way.channel)


def _dated(way: Way, parts: Sequence[ExpectedPart]) -> Way:
    """A way has days only if each of its parts has; it closes when the first of them does.

    What has arrived is not counted any more, and the worst of the others speaks for the way.
    """
    parts = [part for part in parts if part.standing is not Standing.SETTLED]
    if not parts:
        return replace(way, standing=Standing.SETTLED)
    starts = [part.arrives_from for part in parts if part.arrives_from]
    ends = [part.arrives_by for part in parts if part.arrives_by]
    unsent = [part.leg for part in parts if not part.is_sent]
    closing = [leg.refundable_until for leg in unsent if leg.refundable_until]
    are_known = len(ends) == len(parts)
    return replace(
        way,
        standing=_worst(parts),
        arrives_from=min(starts) if are_known else None,
        arrives_by=max(ends) if are_known else None,
        goes_back_until=min(closing, default=None) if way.is_original else None,
        way_back=_worst_way_back(parts),
    )


def _worst(parts: Sequence[ExpectedPart]) -> Standing:
    standings = {part.standing for part in parts}
    return next((it for it in (Standing.LATE, Standing.OVERDUE) if it in standings), Standing.KEPT)


def _worst_way_back(parts: Sequence[ExpectedPart]) -> WayBack:
    found = {part.way_back for part in parts}
    return next((it for it in (WayBack.CLOSED, WayBack.CLOSING) if it in found), WayBack.OPEN)


def in_a_few_words(ways: list[Way]) -> str:
    """Where the money goes, to end the words of a button."""
    tails = [way.tail for way in ways if way.tail]
    if not tails:
        return _("back the way it came")
    if len(ways) == 1:
        return _("to the account ending in %(tail)s") % {"tail": tails[0]}
    return _("back the way it came and to the account ending in %(tail)s") % {"tail": tails[0]}
