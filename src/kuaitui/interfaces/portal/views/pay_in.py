"""Paying in: how much and how, the code or the link, what became of it, and the receipt."""

from __future__ import annotations

import datetime as dt
import secrets
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kuaitui.deposits import operations, queries
from kuaitui.deposits.errors import PayInAlreadyOpen, PayInEnded, PayInWayUnavailable
from kuaitui.deposits.queries import PayInOrderView
from kuaitui.deposits.rules import missing_amount
from kuaitui.deposits.states import PayInState
from kuaitui.deposits.types import DepositSummary, PayInChoice
from kuaitui.interfaces.portal.forms import PAY_IN_FIELDS, PayInForm, show_refusal
from kuaitui.interfaces.portal.payment_words import words_of
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.ways_in import channels, pace, payer_of, way_named, ways_in
from kuaitui.interfaces.portal.words import DEPOSIT_NAMES
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of


@permission("deposit.pay")
@require_http_methods(["GET", "HEAD", "POST"])
def pay_in(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:
    """How much, and how. An order that already waits is shown instead of a second one."""
    account = queries.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    if request.method != "POST":
        if waiting := queries.open_pay_in(account_id=account_id):
            return redirect("pay_in_order", shop_id, waiting.order_id)
        kept = kept_forms.take(request)
        return _form_page(request, account, PayInForm(kept) if kept else _fresh_form(account))
    form = PayInForm(request.POST)
    if not form.is_valid():
        return _form_page(request, account, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        order_id = _start(request, account, form)
    except PayInAlreadyOpen as refusal:
        messages.info(request, gettext(refusal.message))
        return redirect("pay_in_order", shop_id, str(refusal.details["order"]))
    except Refusal as refusal:
        show_refusal(form, refusal, PAY_IN_FIELDS)
        return _form_page(request, account, form, status=HTTPStatus(status_of(refusal)))
    return redirect("pay_in_order", shop_id, order_id)


@permission("deposit.view")
@require_safe
def pay_in_order(request: ShopRequest, shop_id: str, order_id: str) -> HttpResponseBase:  # noqa: ARG001
    """One order. A browser that asks again for the same moment gets nothing to redraw."""
    now = read_clock()
    order = queries.pay_in_order(order_id=order_id, shop_key=request.shop.key)
    can_be_met = order.can_be_met(now=now)
    mark = f"{order.state}-{order.is_called_off}-{can_be_met}-{order.lot_id}"
    if request.headers.get("HX-Request") and request.GET.get("seen") == mark:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return show(request, "portal/pay_in_order.html", _order_context(order, mark, now))


@permission("deposit.pay")
@require_POST
def look_again(request: ShopRequest, shop_id: str, order_id: str) -> HttpResponseBase:
    """The payer says that it is paid: let the channel be asked at once."""
    operations.look_again(
        order_id=order_id, shop_key=request.shop.key, pace=pace(), now=read_clock()
    )
    address = reverse("pay_in_order", args=[shop_id, order_id])
    return HttpResponseRedirect(f"{address}?looked=1")


@permission("deposit.pay")
@require_POST
def call_off(request: ShopRequest, shop_id: str, order_id: str) -> HttpResponseBase:
    """Let nobody pay it any more; paid already, it shows that."""
    try:
        operations.call_off_pay_in(
            order_id=order_id,
            shop_key=request.shop.key,
            actor=request.viewer.actor,
            now=read_clock(),
        )
    except PayInEnded as refusal:
        messages.info(request, gettext(refusal.message))
    return redirect("pay_in_order", shop_id, order_id)


@permission("deposit.view")
@require_safe
def receipt(request: ShopRequest, shop_id: str, lot_id: str) -> HttpResponseBase:  # noqa: ARG001
    """The paper that proves one payment."""
    found = queries.receipt(shop_key=request.shop.key, lot_id=lot_id)
    context = {
        "receipt": found,
        "lot": found.lot,
        "name": DEPOSIT_NAMES[found.deposit_kind],
        "now": read_clock(),
    }
    return show(request, "portal/receipt.html", context)


def _start(request: ShopRequest, account: DepositSummary, form: PayInForm) -> str:
    way = way_named(form.cleaned_data["way"])
    if way is None:
        raise PayInWayUnavailable
    return operations.start_pay_in(
        account_id=account.account_id,
        shop_key=request.shop.key,
        choice=PayInChoice(form.cleaned_data["choice"]),
        amount=form.amount_asked(account.currency),
        channel=way.channel,
        method=way.method,
        request_key=form.cleaned_data["request_key"],
        payer=payer_of(request),
        channels=channels(),
        pace=pace(),
        actor=request.viewer.actor,
        now=read_clock(),
    )


def _fresh_form(account: DepositSummary) -> PayInForm:
    is_short = missing_amount(account).is_positive
    ways = ways_in()
    initial = {
        "choice": PayInChoice.MISSING if is_short else PayInChoice.OTHER,
        "way": ways[0].value if ways else "",
        "request_key": secrets.token_urlsafe(24),
    }
    return PayInForm(initial=initial)


def _form_page(
    request: ShopRequest,
    account: DepositSummary,
    form: PayInForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponseBase:
    context = {
        "account": account,
        "name": DEPOSIT_NAMES[account.kind],
        "form": form,
        "missing": missing_amount(account),
        "is_first": account.paid_in.is_zero,
        "ways": ways_in(),
        "was_kept": form.is_bound and request.method != "POST",
    }
    return show(request, "portal/pay_in.html", context, status=status)


def _order_context(order: PayInOrderView, mark: str, now: dt.datetime) -> dict[str, object]:
    can_be_met = order.can_be_met(now=now) and not order.is_set_aside
    is_over = order.expires_at <= now
    suspense = (
        queries.suspense_of_order(order_id=order.order_id)
        if order.state is PayInState.IN_SUSPENSE
        else None
    )
    return {
        "order": order,
        "name": DEPOSIT_NAMES[order.deposit_kind],
        "words": words_of(order, suspense=suspense, can_be_met=can_be_met, is_over=is_over),
        "can_be_met": can_be_met,
        "can_call_off": order.is_open and not order.is_called_off and not is_over,
        "can_start_anew": not order.is_open
        and order.state not in {PayInState.PAID, PayInState.IN_SUSPENSE},
        "arrived": order.lot_id != "",
        "mark": mark,
        "moves_by_itself": order.is_open and not order.is_set_aside,
        "now": now,
    }
