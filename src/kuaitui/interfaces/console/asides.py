"""What the machine has set aside for a person, of every sort, as one list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse

from kuaitui.deposits.queries import PayInOrderView, pay_ins_set_aside
from kuaitui.interfaces.console.aside_words import Words, why_aside
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import (
    LegInMonitor,
    SendBackView,
    legs_set_aside,
    send_backs_set_aside,
)


@dataclass(frozen=True, slots=True)
class Aside:
    """One thing that waits for a person."""

    thing_id: str
    href: str
    """Its own page, if it has one."""
    is_out: bool
    channel: str
    number: str
    amount: Money
    since: dt.datetime
    reason: str
    why: Words
    check: Words
    release_href: str


def asides() -> list[Aside]:
    """Everything set aside, the longest waiting first."""
    found = [_of_leg(one) for one in legs_set_aside()]
    found += [_of_send_back(one) for one in send_backs_set_aside()]
    found += [aside_of_order(one) for one in pay_ins_set_aside()]
    return sorted(found, key=lambda one: one.since)


def _of_leg(leg: LegInMonitor) -> Aside:
    return _aside(
        leg, leg.leg_id, number=leg.channel_number, page="console:leg", release="console:put_back"
    )


def _of_send_back(back: SendBackView) -> Aside:
    return _aside(
        back,
        back.suspense_id,
        number=back.number,
        page="console:suspense_case",
        release="console:suspense_let_go_on",
    )


def aside_of_order(order: PayInOrderView) -> Aside:
    """A payment order that was set aside."""
    return _aside(order, order.order_id, number=order.number, release="console:release_order")


def _aside(
    thing: LegInMonitor | SendBackView | PayInOrderView,
    thing_id: str,
    *,
    number: str,
    release: str,
    page: str = "",
) -> Aside:
    why, check = why_aside(thing.set_aside_reason)
    return Aside(
        thing_id=thing_id,
        href=reverse(page, args=[thing_id]) if page else "",
        is_out=not isinstance(thing, PayInOrderView),
        channel=thing.channel,
        number=number,
        amount=thing.amount,
        since=thing.set_aside_at or thing.since,
        reason=thing.set_aside_reason,
        why=why,
        check=check,
        release_href=reverse(release, args=[thing_id]),
    )
