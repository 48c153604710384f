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
    why, check = why_aside(leg.set_aside_reason)
    return Aside(
        thing_id=leg.leg_id,
        href=reverse("console:leg", args=[leg.leg_id]),
        is_out=True,
        channel=leg.channel,
        number=leg.channel_number,
        amount=leg.amount,
        since=leg.set_aside_at or leg.since,
        reason=leg.set_aside_reason,
        why=why,
        check=check,
        release_href=reverse("console:put_back", args=[leg.leg_id]),
    )


def _of_send_back(back: SendBackView) -> Aside:
    why, check = why_aside(back.set_aside_reason)
    return Aside(
        thing_id=back.suspense_id,
        href=reverse("console:suspense_case", args=[back.suspense_id]),
        is_out=True,
        channel=back.channel,
        number=back.number,
        amount=back.amount,
        since=back.set_aside_at or back.since,
        reason=back.set_aside_reason,
        why=why,
        check=check,
        release_href=reverse("console:suspense_let_go_on", args=[back.suspense_id]),
    )


def aside_of_order(order: PayInOrderView) -> Aside:
    """A payment order that was set aside."""
    why, check = why_aside(order.set_aside_reason)
    return Aside(
        thing_id=order.order_id,
        href="",
        is_out=False,
        channel=order.channel,
        number=order.number,
        amount=order.amount,
        since=order.set_aside_at or order.since,
        reason=order.set_aside_reason,
        why=why,
        check=check,
        release_href=reverse("console:release_order", args=[order.order_id]),
    )
