"""What the machine has set aside for a person: parts of payouts, and payments coming in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kuaitui.accounts.rules import Permission, may
from kuaitui.deposits.operations import release_pay_in
from kuaitui.deposits.queries import PayInOrderView, pay_in_for_staff, pay_ins_set_aside
from kuaitui.interfaces.console.aside_words import Words, why_aside
from kuaitui.interfaces.console.forms import FindingForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
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


@permission("payout.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """Everything set aside, the longest waiting first."""
    found = [_of_leg(one) for one in legs_set_aside()]
    found += [_of_send_back(one) for one in send_backs_set_aside()]
    found += [_of_order(one) for one in pay_ins_set_aside()]
    context = {
        "section": "payouts",
        "now": read_clock(),
        "found": sorted(found, key=lambda one: one.since),
        "may_hold": may(request.viewer, Permission.PAYOUT_HOLD, None),
    }
    return render(request, "console/payouts/set_aside.html", context)


@permission("payout.hold")
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: StaffRequest, order_id: str) -> HttpResponse:
    """Let a payment order go on, after a look at why it was set aside."""
    order = pay_in_for_staff(order_id)
    is_sent = request.method == "POST"
    form = FindingForm(request.POST if is_sent else kept_forms.take(request))
    refusal: Refusal | None = None
    if is_sent and form.is_valid():
        try:
            release_pay_in(
                order_id=order_id,
                reason=form.cleaned_data["reason"],
                actor=request.viewer.actor,
                now=read_clock(),
            )
        except Refusal as caught:
            refusal = caught
        else:
            messages.success(request, _("This order goes on from where it stood."))
            return HttpResponseRedirect(reverse("console:set_aside"))
    context = {
        "section": "payouts",
        "now": read_clock(),
        "order": order,
        "aside": _of_order(order) if order.set_aside_at else None,
        "form": form,
        "refusal": refusal,
    }
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, "console/payouts/release_order.html", context, status=status)


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


def _of_order(order: PayInOrderView) -> Aside:
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
