"""Payments with which the machine cannot go on: name an account, call back, give up, stop trying.

Nothing here calls the channel. A worker does, when what it takes is decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kuaitui.interfaces.console.intervention_forms import CallBackForm, HandOverForm
from kuaitui.interfaces.console.people import names_of
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
from kuaitui.payouts import operations
from kuaitui.payouts.queries import accounts_for_hand_over, leg, openings

READ_AND_WRITE: Final = ["GET", "HEAD", "POST"]


@permission("payout.intervene")
@require_http_methods(READ_AND_WRITE)
def hand_over(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Propose to which account a stuck refund goes."""
    found, now = leg(leg_id), read_clock()
    accounts = accounts_for_hand_over(found.leg_id, now=now)
    form = HandOverForm(_typed(request), accounts=accounts)

    def act() -> None:
        operations.propose_hand_over(
            leg_id=leg_id,
            destination_id=form.cleaned_data["destination"],
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=now,
        )

    words = {
        "heading": _("Send a stuck refund to a bank account"),
        "meaning": _(
            "The channel could not pay it back the way it came and holds the money. It sends it to this "
            "account instead, under the same number: once. Nothing happens before a second person "
            "confirms."
        ),
        "button": _("Propose"),
        "done": _("It is proposed. A second person confirms it."),
    }
    return _decide(request, leg_id, form, act, words, has_accounts=bool(accounts))


@permission("payout.confirm")
@require_http_methods(READ_AND_WRITE)
def confirm_hand_over(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Confirm exactly the account that the page shows."""

    def act() -> None:
        operations.confirm_hand_over(
            leg_id=leg_id,
            destination_id=request.POST.get("destination", "")[:40],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    words = {
        "heading": _("Confirm the account of a stuck refund"),
        "meaning": _(
            "The channel is told this account at once. From then on it cannot be changed here."
        ),
        "button": _("Send it to this account"),
        "done": _("It is confirmed. The channel is told now."),
    }
    return _decide(request, leg_id, None, act, words)


@permission("payout.intervene")
@require_http_methods(READ_AND_WRITE)
def call_back(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Ask the channel to call back what its payee has not confirmed."""
    form = CallBackForm(_typed(request))

    def act() -> None:
        operations.call_back(
            leg_id=leg_id,
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    words = {
        "heading": _("Call a payment back"),
        "meaning": _(
            "The channel is asked to cancel it. If the payee confirms first, it is paid. If the channel "
            "cancels it, the money lies in the deposit again and the seller names another account."
        ),
        "button": _("Call it back"),
        "done": _("The channel is asked now. Load the page in a moment."),
    }
    return _decide(request, leg_id, form, act, words)


@permission("payout.intervene")
@require_http_methods(READ_AND_WRITE)
def give_up(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Propose to say that a payment was never made."""
    form = CallBackForm(_typed(request))

    def act() -> None:
        operations.propose_give_up(
            leg_id=leg_id,
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    words = {
        "heading": _("Say that it was never paid"),
        "meaning": _(
            "The channel does not know this number, and it may not be sent again. Ask the channel’s own "
            "people and look at its bills first, and write what they said. When a second person has "
            "confirmed, the money lies in the deposit again and the seller names another account."
        ),
        "button": _("Propose"),
        "done": _("It is proposed. A second person confirms it."),
    }
    return _decide(request, leg_id, form, act, words)


@permission("payout.confirm")
@require_http_methods(READ_AND_WRITE)
def confirm_give_up(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Confirm that a payment was never made."""

    def act() -> None:
        operations.confirm_give_up(leg_id=leg_id, actor=request.viewer.actor, now=read_clock())

    words = {
        "heading": _("Confirm that it was never paid"),
        "meaning": _(
            "The money is set aside in the deposit again, and goes to another account under a new "
            "number. If the channel pays this number all the same, it is paid twice."
        ),
        "button": _("It was never paid"),
        "done": _("It is confirmed. The seller is asked for another account."),
    }
    return _decide(request, leg_id, None, act, words)


@permission("payout.intervene")
@require_http_methods(READ_AND_WRITE)
def stop_trying(request: StaffRequest, leg_id: str) -> HttpResponse:
    """End what its channel refuses again and again."""
    form = CallBackForm(_typed(request))

    def act() -> None:
        operations.stop_trying(
            leg_id=leg_id,
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    words = {
        "heading": _("Stop trying this way"),
        "meaning": _(
            "Nothing was paid. The money is set aside in the deposit again and the seller is asked for "
            "another account. Choose this only when the cause lies with the payee’s account: what is "
            "wrong with our settings or our balance, the seller cannot mend."
        ),
        "button": _("Stop trying"),
        "done": _("It is not tried any more. The seller is asked for another account."),
    }
    return _decide(request, leg_id, form, act, words)


@permission("payout.intervene")
@require_POST
def withdraw(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Take back what was decided."""
    operations.withdraw_intervention(leg_id=leg_id, actor=request.viewer.actor, now=read_clock())
    messages.success(request, _("It is taken back."))
    return HttpResponseRedirect(reverse("console:leg", args=[leg_id]))


def _typed(request: StaffRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else kept_forms.take(request)


def _decide(
    request: StaffRequest,
    leg_id: str,
    form: forms.Form | None,
    act: Callable[[], None],
    words: dict[str, str],
    **more: object,
) -> HttpResponse:
    """Do it and go back to the leg, or show the page with what was wrong."""
    found = leg(leg_id)
    refusal = None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            act()
        except Refusal as told:
            refusal = told
        else:
            messages.success(request, words["done"])
            return HttpResponseRedirect(reverse("console:leg", args=[leg_id]))
    opened = openings(leg_id, now=read_clock())
    context = {
        "section": "payouts",
        "leg": found,
        "form": form,
        "openings": opened,
        "names": names_of(opened),
        "words": words,
        "refusal": refusal,
        **more,
    }
    status = status_of(refusal) if refusal else 422 if request.method == "POST" else 200
    return render(request, "console/payouts/intervene.html", context, status=status)
