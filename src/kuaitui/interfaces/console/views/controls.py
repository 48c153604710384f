"""Hold, limits and balances: what keeps payouts from leaving, each moved by two people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.accounts.rules import Permission, may
from kuaitui.interfaces.console.forms import BalanceForm, FindingForm, HoldForm, LimitForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.kit.channel_names import channel_choices
from kuaitui.kit.web import permission, status_of
from kuaitui.payouts import operations
from kuaitui.payouts.queries import balances, current_hold, limits
from kuaitui.payouts.types import BalanceSource, LimitScope


@permission("payout.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """Everything that limits payouts now, and what waits for a second person."""
    return _page(request)


@permission("payout.hold")
@require_POST
def hold(request: StaffRequest) -> HttpResponse:
    """Let nothing be sent until the channels were asked about everything."""
    form = HoldForm(request.POST)
    return _do(
        request,
        form,
        lambda: operations.hold_sending(
            reason=form.cleaned_data["reason"], actor=request.viewer.actor, now=read_clock()
        ),
        done=_("Payouts are on hold. The channels are asked about everything that is open."),
    )


@permission("payout.hold")
@require_POST
def propose_release(request: StaffRequest) -> HttpResponse:
    """Say what was found after a restore."""
    form = FindingForm(request.POST)
    return _do(
        request,
        form,
        lambda: operations.propose_release(
            finding=form.cleaned_data["reason"], actor=request.viewer.actor, now=read_clock()
        ),
        done=_("The release is proposed. A second person confirms it."),
    )


@permission("payout.hold")
@require_POST
def confirm_release(request: StaffRequest) -> HttpResponse:
    """Let payouts go on, as somebody else proposed."""
    return _do(
        request,
        None,
        lambda: operations.confirm_release(actor=request.viewer.actor, now=read_clock()),
        done=_("Payouts go on."),
    )


@permission("payout.hold")
@require_POST
def propose_limit(request: StaffRequest) -> HttpResponse:
    """Propose a limit, or that there be none."""
    form = _limit_form(request)

    def act() -> None:
        currency = form.cleaned_data["currency"].upper()
        typed = form.cleaned_data["amount"]
        operations.propose_limit(
            scope=LimitScope(form.cleaned_data["scope"]),
            channel=form.cleaned_data["channel"],
            currency=currency,
            amount=Money.parse(typed, currency) if typed else None,
            actor=request.viewer.actor,
            now=read_clock(),
        )

    done = _("The limit is proposed. It counts once a second person confirms it.")
    return _do(request, form, act, done=done)


@permission("payout.hold")
@require_POST
def confirm_limit(request: StaffRequest, limit_id: int) -> HttpResponse:
    """Confirm a limit exactly as it was shown."""

    def act() -> None:
        typed, currency = request.POST.get("amount", ""), request.POST.get("currency", "")[:3]
        operations.confirm_limit(
            limit_id=limit_id,
            amount=Money.parse(typed, currency) if typed else None,
            actor=request.viewer.actor,
            now=read_clock(),
        )

    return _do(request, None, act, done=_("The limit counts from now on."))


@permission("payout.hold")
@require_POST
def note_balance(request: StaffRequest) -> HttpResponse:
    """Note what lies at a channel now."""
    form = _balance_form(request)

    def act() -> None:
        now = read_clock()
        operations.note_balance(
            channel=form.cleaned_data["channel"],
            balance=Money.parse(
                form.cleaned_data["balance"], form.cleaned_data["currency"].upper()
            ),
            as_of=now,
            source=BalanceSource.PERSON,
            actor=request.viewer.actor,
            now=now,
        )

    return _do(request, form, act, done=_("The balance is noted."))


Form = FindingForm | HoldForm | LimitForm | BalanceForm


def _do(
    request: StaffRequest, form: Form | None, act: Callable[[], None], *, done: str
) -> HttpResponse:
    """Do it and come back, or show the page again with what was wrong."""
    if form is not None and not form.is_valid():
        return _page(request, wrong=form, status=422)
    try:
        act()
    except Refusal as refusal:
        return _page(request, wrong=form, refusal=refusal, status=status_of(refusal))
    messages.success(request, done)
    return HttpResponseRedirect(reverse("console:controls"))


def _page(
    request: StaffRequest,
    *,
    wrong: Form | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    now: dt.datetime = read_clock()
    found, held = limits(), current_hold()
    people = {who for one in found for who in (one.proposed_by, one.confirmed_by)}
    people |= {held.begun_by, held.proposed_by} if held else set()
    context = {
        "section": "payouts",
        "now": now,
        "hold": held,
        "names": display_names(user_ids=people),
        "limits": [one for one in found if one.is_in_force],
        "proposals": [one for one in found if not one.is_in_force],
        "balances": balances(),
        "wrong": wrong,
        "refusal": refusal,
        "finding_form": wrong if isinstance(wrong, FindingForm) else FindingForm(),
        "hold_form": wrong if isinstance(wrong, HoldForm) else HoldForm(),
        "limit_form": wrong if isinstance(wrong, LimitForm) else _limit_form(),
        "balance_form": wrong if isinstance(wrong, BalanceForm) else _balance_form(),
        "me": request.viewer.actor.id,
        "may_hold": may(request.viewer, Permission.PAYOUT_HOLD, None),
    }
    return render(request, "console/payouts/controls.html", context, status=status)


def _limit_form(request: StaffRequest | None = None) -> LimitForm:
    form = LimitForm(request.POST if request else None, auto_id="limit_%s")
    form.fields["channel"].choices = channel_choices(settings.KUAITUI_CHANNELS)  # type: ignore[attr-defined]
    return form


def _balance_form(request: StaffRequest | None = None) -> BalanceForm:
    form = BalanceForm(request.POST if request else None, auto_id="balance_%s")
    form.fields["channel"].choices = channel_choices(settings.KUAITUI_CHANNELS)  # type: ignore[attr-defined]
    return form
