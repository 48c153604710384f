"""The conditions: what is met, what is not, since when, until when, and what to do."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from kuaitui.deposits import queries as deposits
from kuaitui.deposits.errors import NoWayOut, PartTooLarge, PartTooSmall
from kuaitui.deposits.types import DepositSummary
from kuaitui.interfaces.portal.cards import is_all_back, set_aside_for_deductions, under_way
from kuaitui.interfaces.portal.refusals import in_words
from kuaitui.interfaces.portal.rendering import show, today_of
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.words import DEPOSIT_NAMES
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.web import permission
from kuaitui.notifications import operations as notification_operations
from kuaitui.notifications.queries import reminder_of
from kuaitui.policy.types import RefundKind
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.types import AmountChoice


@permission("deposit.view")
@require_safe
def first_eligibility(request: ShopRequest, shop_id: str) -> HttpResponseBase:
    """The conditions of the shop's first deposit."""
    return redirect("eligibility", shop_id, _first(request).account_id)


@permission("deposit.view")
@require_safe
def eligibility(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Every condition of a refund of this deposit, with its evidence and its rule."""
    now = read_clock()
    account = deposits.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    wants_excess = request.GET.get("kind") == RefundKind.EXCESS
    kind = RefundKind.EXCESS if wants_excess else RefundKind.FULL_EXIT
    assessment = refunds.assess_deposit(account_id=account_id, kind=kind, now=now)
    preview, no_way_out = None, ""
    if assessment.is_eligible:
        choice = AmountChoice.EXCESS if wants_excess else AmountChoice.WHOLE
        try:
            preview = refunds.preview_refund(
                account_id=account_id, choice=choice, amount=None, destination_id="", now=now
            )
        except (NoWayOut, PartTooSmall, PartTooLarge) as refusal:
            no_way_out = in_words(refusal)
    for_deductions = set_aside_for_deductions(account)
    excess = refunds.assess_deposit(account_id=account_id, kind=RefundKind.EXCESS, now=now)
    reminder = reminder_of(account_id=account_id)
    context = {
        "account": account,
        "name": DEPOSIT_NAMES[account.kind],
        "preview": preview,
        "no_way_out": no_way_out,
        "assessment": assessment,
        "is_all_back": is_all_back(account),
        "under_way": under_way(account, for_deductions=for_deductions),
        "for_deductions": for_deductions,
        "open_id": refunds.open_application(account_id=account_id),
        "wants_excess": wants_excess,
        "excess": excess,
        "reminder": reminder,
        "can_be_reminded": _is_later(assessment.earliest_on, today_of(request, now=now)),
    }
    return show(request, "portal/eligibility.html", context, place="home")


@permission("reminder.set")
@require_POST
def reminder(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:
    """Be told on the day, or no longer."""
    now = read_clock()
    account = deposits.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    if "cancel" in request.POST:
        notification_operations.cancel_reminder(
            shop_key=request.shop.key,
            account_id=account.account_id,
            actor=request.viewer.actor,
            now=now,
        )
        messages.info(request, gettext("The reminder is off."))
    else:
        _remind(request, account.account_id, now)
    return HttpResponseRedirect(reverse("eligibility", args=[shop_id, account_id]))


def _remind(request: ShopRequest, account_id: str, now: dt.datetime) -> None:
    try:
        remind_on = dt.date.fromisoformat(request.POST.get("on", ""))
    except ValueError:
        messages.error(request, gettext("That is no date. Nothing was set."))
        return
    try:
        notification_operations.set_reminder(
            shop_key=request.shop.key,
            account_id=account_id,
            remind_on=remind_on,
            today=today_of(request, now=now),
            actor=request.viewer.actor,
            now=now,
        )
    except Refusal as refusal:
        messages.error(request, gettext(refusal.message))
        return
    messages.success(request, gettext("You will be told on the day."))


def _first(request: ShopRequest) -> DepositSummary:
    accounts = deposits.deposits_of_shop(shop_key=request.shop.key)
    if not accounts:
        raise Http404
    return accounts[0]


def _is_later(on: dt.date | None, today: dt.date) -> bool:
    return on is not None and on > today
