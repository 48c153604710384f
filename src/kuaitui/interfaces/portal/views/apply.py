"""Asking for a deposit back in three steps: how much and why, where to, check and send.

What was entered is kept as a draft after each step. What is sent is what the last page showed: if
it has changed in between, the page is shown again and says so.
"""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from kuaitui.deposits import queries as deposits
from kuaitui.deposits.errors import DestinationRequired, NoWayOut, PartTooLarge, PartTooSmall
from kuaitui.deposits.types import DepositSummary, Route
from kuaitui.interfaces.portal.forms import (
    AMOUNT_FIELDS,
    ApplyForm,
    ChooseDestinationForm,
    SendForm,
    show_refusal,
)
from kuaitui.interfaces.portal.refusals import in_words
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.ways import in_a_few_words, ways_out, ways_with_dates
from kuaitui.interfaces.portal.words import DEPOSIT_NAMES, REASONS
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
from kuaitui.policy.types import RefundKind
from kuaitui.refunds import operations as refund_operations
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.errors import ApplicationAlreadyOpen
from kuaitui.refunds.types import AmountChoice, Draft, Reason, RefundPreview

DESTINATION_CHOICE_FIELDS = {
    "destination.required": "destination",
    "destination.unknown": "destination",
    "refund.destination_of_another_shop": "destination",
    "deposit.no_way_out": "destination",
    "deposit.part_too_small": "destination",
    "deposit.part_too_large": "destination",
}


@permission("refund.apply")
@require_safe
def first_apply(request: ShopRequest, shop_id: str) -> HttpResponseBase:
    """Ask for the shop's first deposit."""
    accounts = deposits.deposits_of_shop(shop_key=request.shop.key)
    if not accounts:
        raise Http404
    return redirect("apply", shop_id, accounts[0].account_id)


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:
    """Step one: how much, and why."""
    now = read_clock()
    account = deposits.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    if open_id := refunds.open_application(account_id=account_id):
        return _to_the_open_one(request, open_id)
    if request.method != "POST":
        kept = kept_forms.take(request)
        form = ApplyForm(kept) if kept else ApplyForm(initial=_typed_so_far(account_id))
        return _apply_page(request, account, form, now, was_kept=kept is not None)
    form = ApplyForm(request.POST)
    if not form.is_valid():
        return _apply_page(request, account, form, now, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        _save(request, account, form, now)
    except Refusal as refusal:
        show_refusal(form, refusal, AMOUNT_FIELDS)
        return _apply_page(request, account, form, now, status=HTTPStatus(status_of(refusal)))
    return redirect("apply_destination", shop_id, account_id)


def _save(request: ShopRequest, account: DepositSummary, form: ApplyForm, now: dt.datetime) -> None:
    choice = AmountChoice(form.cleaned_data["choice"])
    amount = form.amount_asked(account.currency)
    refunds.preview_refund(
        account_id=account.account_id, choice=choice, amount=amount, destination_id="", now=now
    )
    draft = refunds.draft_of(account_id=account.account_id)
    refund_operations.save_draft(
        account_id=account.account_id,
        shop_key=request.shop.key,
        choice=choice,
        amount=amount,
        reason=Reason(form.cleaned_data["reason"]),
        note=form.cleaned_data["note"],
        destination_id=draft.destination_id if draft else "",
        actor=request.viewer.actor,
        now=now,
    )


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def apply_destination(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:
    """Step two: where the money goes."""
    now = read_clock()
    account = deposits.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    draft = refunds.draft_of(account_id=account_id)
    if open_id := refunds.open_application(account_id=account_id):
        return _to_the_open_one(request, open_id)
    if draft is None:
        return redirect("apply", shop_id, account_id)
    typed = request.POST if request.method == "POST" else kept_forms.take(request)
    form = ChooseDestinationForm(typed, initial={"destination": draft.destination_id})
    status = HTTPStatus.OK
    if request.method == "POST" and form.is_valid():
        try:
            _choose(request, account_id, draft, form.cleaned_data["destination"], now)
        except Refusal as refusal:
            show_refusal(form, refusal, DESTINATION_CHOICE_FIELDS)
            status = HTTPStatus(status_of(refusal))
        else:
            return redirect("apply_check", shop_id, account_id)
    return _destination_page(request, account, draft, form, now, status=status)


def _choose(
    request: ShopRequest, account_id: str, draft: Draft, destination_id: str, now: dt.datetime
) -> None:
    preview = refunds.preview_refund(
        account_id=account_id,
        choice=draft.choice,
        amount=draft.amount,
        destination_id=destination_id,
        now=now,
    )
    if preview.plan is None:
        raise DestinationRequired
    refund_operations.save_draft(
        account_id=account_id,
        shop_key=request.shop.key,
        choice=draft.choice,
        amount=draft.amount,
        reason=draft.reason or Reason.OTHER,
        note=draft.note,
        destination_id=destination_id,
        actor=request.viewer.actor,
        now=now,
    )


def _destination_page(
    request: ShopRequest,
    account: DepositSummary,
    draft: Draft,
    form: ChooseDestinationForm,
    now: dt.datetime,
    *,
    status: HTTPStatus,
) -> HttpResponseBase:
    try:
        # Whatever account was chosen before: here another one can be.
        preview = _preview(account.account_id, draft, "", now)
    except (PartTooSmall, PartTooLarge) as refusal:
        messages.warning(request, in_words(refusal))
        return redirect("apply", request.shop.id, account.account_id)
    if preview is None:
        return _amount_has_changed(request, account)
    # Split as if some account were chosen, to show which part needs one.
    split = refunds.split_of(account, amount=preview.amount, now=now)
    context = {
        "account": account,
        "form": form,
        "was_kept": form.is_bound and request.method != "POST",
        "preview": preview,
        "ways": [way for way in ways_out(split, None) if way.is_original],
        "designated": split.by_route(Route.DESIGNATED),
        "choices": deposits.destinations(shop_key=request.shop.key),
        "now": now,
    }
    return show(request, "portal/apply_destination.html", context, status=status)


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def apply_check(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:
    """Step three: look at everything once more, and send."""
    now = read_clock()
    account = deposits.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    try:
        return (
            _send(request, account, now)
            if request.method == "POST"
            else _look(request, account, now)
        )
    except (PartTooSmall, PartTooLarge) as refusal:
        messages.warning(request, in_words(refusal))
        return redirect("apply_destination", shop_id, account_id)


def _look(request: ShopRequest, account: DepositSummary, now: dt.datetime) -> HttpResponseBase:
    """Show what would be sent."""
    if open_id := refunds.open_application(account_id=account.account_id):
        return _to_the_open_one(request, open_id)
    draft = refunds.draft_of(account_id=account.account_id)
    if draft is None or draft.reason is None:
        return redirect("apply", request.shop.id, account.account_id)
    kept = kept_forms.take(request)
    form = SendForm.of_draft(draft, request_key=kept.get("request_key", "") if kept else "")
    return _check_page(request, account, form, now)


def _send(request: ShopRequest, account: DepositSummary, now: dt.datetime) -> HttpResponseBase:
    """Send what the page showed; sent before, show what became of it."""
    form = SendForm(request.POST)
    if not form.is_valid():
        return redirect("apply", request.shop.id, account.account_id)
    key = form.cleaned_data["request_key"]
    if first := refunds.application_of_request(account_id=account.account_id, request_key=key):
        return redirect("submitted", request.shop.id, first)
    if open_id := refunds.open_application(account_id=account.account_id):
        return _to_the_open_one(request, open_id)
    preview = _preview_of(account, form, now)
    if preview is None:
        return _amount_has_changed(request, account)
    if preview.plan is None or _seen(preview) != form.cleaned_data["seen"]:
        return _check_page(request, account, form, now, has_changed=True)
    try:
        sent = refund_operations.submit_application(
            account_id=account.account_id,
            shop_key=request.shop.key,
            choice=form.cleaned_data["choice"],
            amount=form.amount_asked(account.currency),
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            destination_id=form.cleaned_data["destination"],
            request_key=key,
            amount_seen=preview.amount,
            actor=request.viewer.actor,
            now=now,
        )
    except ApplicationAlreadyOpen as refusal:
        return _to_the_open_one(request, str(refusal.details["application"]))
    except Refusal as refusal:
        return _check_page(request, account, form, now, refusal=refusal)
    return redirect("submitted", request.shop.id, sent.application_id)


def _check_page(
    request: ShopRequest,
    account: DepositSummary,
    form: SendForm,
    now: dt.datetime,
    *,
    has_changed: bool = False,
    refusal: Refusal | None = None,
) -> HttpResponseBase:
    preview = _preview_of(account, form, now)
    if preview is None:
        return _amount_has_changed(request, account)
    if preview.plan is None:
        return redirect("apply_destination", request.shop.id, account.account_id)
    ways = ways_with_dates(preview.parts, preview.destination)
    context = {
        "account": account,
        "name": DEPOSIT_NAMES[account.kind],
        "fields": form.as_shown(seen=_seen(preview)),
        "reason": REASONS[form.cleaned_data["reason"]][0],
        "note": form.cleaned_data["note"],
        "preview": preview,
        "ways": ways,
        "where": in_a_few_words(ways),
        "has_account": bool(deposits.destinations(shop_key=request.shop.key)),
        "has_changed": has_changed,
        "refusal": in_words(refusal) if refusal else "",
    }
    status = HTTPStatus.CONFLICT if has_changed else HTTPStatus.OK
    status = HTTPStatus(status_of(refusal)) if refusal else status
    return show(request, "portal/apply_check.html", context, status=status)


def _apply_page(
    request: ShopRequest,
    account: DepositSummary,
    form: ApplyForm,
    now: dt.datetime,
    *,
    was_kept: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponseBase:
    whole = refunds.assess_deposit(
        account_id=account.account_id, kind=RefundKind.FULL_EXIT, now=now
    )
    excess = refunds.assess_deposit(account_id=account.account_id, kind=RefundKind.EXCESS, now=now)
    can_excess = excess.is_eligible and excess.refundable.is_positive
    if not (whole.is_eligible or can_excess):
        return redirect("eligibility", request.shop.id, account.account_id)
    context = {
        "account": account,
        "name": DEPOSIT_NAMES[account.kind],
        "form": form,
        "whole": whole,
        "excess": excess,
        "can_excess": can_excess,
        "reasons": REASONS.items(),
        "was_kept": was_kept,
    }
    return show(request, "portal/apply.html", context, status=status)


def _typed_so_far(account_id: str) -> dict[str, object]:
    draft = refunds.draft_of(account_id=account_id)
    if draft is None:
        return {}
    amount = f"{draft.amount.to_decimal():f}" if draft.amount else ""
    return {
        "choice": draft.choice, "amount": amount, "reason": draft.reason, "note": draft.note,
    }  # fmt: skip


def _preview(
    account_id: str, draft: Draft, destination_id: str, now: dt.datetime
) -> RefundPreview | None:
    """What the draft comes to now; nothing if it can no longer be asked."""
    return _preview_or_none(account_id, draft.choice, draft.amount, destination_id, now)


def _preview_of(account: DepositSummary, form: SendForm, now: dt.datetime) -> RefundPreview | None:
    amount = form.amount_asked(account.currency)
    return _preview_or_none(
        account.account_id, form.choice_made, amount, form.cleaned_data["destination"], now
    )


def _preview_or_none(
    account_id: str,
    choice: AmountChoice,
    amount: Money | None,
    destination_id: str,
    now: dt.datetime,
) -> RefundPreview | None:
    try:
        return refunds.preview_refund(
            account_id=account_id,
            choice=choice,
            amount=amount,
            destination_id=destination_id,
            now=now,
        )
    except NoWayOut:
        # Going back to the amount would not help: the seller is told in plain words.
        raise
    except Refusal:
        return None


def _seen(preview: RefundPreview) -> str:
    """What the page shows, in short: the amount and every way it goes."""
    legs = preview.plan.legs if preview.plan else ()
    ways = sorted(f"{leg.route}:{leg.amount.minor}:{leg.destination_id}" for leg in legs)
    return "|".join([str(preview.amount.minor), preview.amount.currency, *ways])


def _amount_has_changed(request: ShopRequest, account: DepositSummary) -> HttpResponseBase:
    messages.warning(
        request, gettext("The deposit has changed in the meantime. Look at the amount again.")
    )
    return redirect("apply", request.shop.id, account.account_id)


def _to_the_open_one(request: ShopRequest, application_id: str) -> HttpResponseBase:
    messages.info(request, gettext("You have asked already. This is how it stands."))
    return redirect("progress", request.shop.id, application_id)
