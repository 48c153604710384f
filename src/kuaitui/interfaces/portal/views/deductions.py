"""Deductions: what is announced, what was taken, why, and what the seller can say to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from kuaitui.deductions import operations
from kuaitui.deductions import queries as cases
from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.types import Reply
from kuaitui.deposits import queries as deposits
from kuaitui.interfaces.portal.deduction_money import whereabouts
from kuaitui.interfaces.portal.deduction_words import REPLIES, words_of
from kuaitui.interfaces.portal.forms import ReplyForm, TextForm, show_refusal
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.words import DEDUCTION_PURPOSES
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission

both = require_http_methods(["GET", "HEAD", "POST"])
_FIELDS: Final = {"deduction.text_missing": "text", "deduction.text_too_long": "text"}


@permission("deposit.view")
@require_safe
def deductions(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """What is announced, and every deduction from the deposits of the shop, the newest first."""
    now = read_clock()
    found = cases.cases_of_shop(shop_key=request.shop.key, now=now)
    decided = {one.deduction_id: one.case_id for one in found if one.deduction_id}
    taken = [
        (deduction, DEDUCTION_PURPOSES[deduction.purpose], decided.get(deduction.deduction_id, ""))
        for account in deposits.deposits_of_shop(shop_key=request.shop.key)
        for deduction in deposits.deductions(account_id=account.account_id)
    ]
    taken.sort(key=lambda one: one[0].decided_at, reverse=True)
    context = {"deductions": taken, "cases": [(one, words_of(one)) for one in found]}
    return show(request, "portal/deductions.html", context, place="mine")


@permission("deposit.view")
@require_safe
def case_page(request: ShopRequest, shop_id: str, case_id: str) -> HttpResponseBase:  # noqa: ARG001
    """One case: what is to be deducted and why, what was said, what was decided, what can be done."""
    found = cases.case(case_id, now=read_clock(), shop_key=request.shop.key)
    return show(request, "portal/deduction.html", _context(found), place="mine")


@permission("deduction.reply")
@both
def reply(request: ShopRequest, shop_id: str, case_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Agree, or object and say why, before anything is taken."""

    def act(form: forms.Form, now: dt.datetime) -> None:
        operations.reply_to_deduction(
            case_id=case_id,
            shop_key=request.shop.key,
            reply=Reply(form.cleaned_data["reply"]),
            text=form.cleaned_data["text"],
            actor=request.viewer.actor,
            now=now,
        )

    done = gettext("Thank you. What you said is read before anything is decided.")
    return _act(request, case_id, ReplyForm, "portal/deduction_reply.html", act, done)


@permission("deduction.reply")
@both
def appeal(request: ShopRequest, shop_id: str, case_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Ask somebody who was not involved to look at a deduction again."""

    def act(form: forms.Form, now: dt.datetime) -> None:
        operations.appeal_deduction(
            case_id=case_id,
            shop_key=request.shop.key,
            text=form.cleaned_data["text"],
            actor=request.viewer.actor,
            now=now,
        )

    done = gettext("Your appeal is in. Somebody else than before decides.")
    return _act(request, case_id, TextForm, "portal/deduction_appeal.html", act, done)


def _act(
    request: ShopRequest,
    case_id: str,
    form_class: type[forms.Form],
    template: str,
    act: Callable[[forms.Form, dt.datetime], None],
    done: str,
) -> HttpResponseBase:
    """Show the page of an act, or do it; one that is no longer possible leads to how things stand."""
    found = cases.case(case_id, now=read_clock(), shop_key=request.shop.key)
    is_sent = request.method == "POST"
    form = form_class(request.POST if is_sent else kept_forms.take(request))
    if is_sent and form.is_valid():
        try:
            act(form, read_clock())
        except Refusal as refusal:
            if refusal.kind is RefusalKind.CONFLICT:
                messages.warning(request, gettext(refusal.message))
                return redirect("deduction", request.shop.id, case_id)
            show_refusal(form, refusal, _FIELDS)
        else:
            messages.success(request, done)
            return redirect("deduction", request.shop.id, case_id)
    is_possible = found.can_reply if form_class is ReplyForm else found.can_appeal
    if not is_sent and not is_possible:
        return redirect("deduction", request.shop.id, case_id)
    context = {**_context(found), "form": form, "was_kept": form.is_bound and not is_sent}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_sent else HTTPStatus.OK
    return show(request, template, context, place="mine", status=status)


def _context(found: CaseView) -> dict[str, object]:
    return {
        "case": found,
        "words": words_of(found),
        "where": whereabouts(found),
        "purpose": DEDUCTION_PURPOSES[found.purpose],
        "reply": REPLIES[found.reply] if found.reply else "",
    }
