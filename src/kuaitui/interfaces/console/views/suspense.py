"""Payments without a place: the list, one case, and what two people decide about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.accounts.rules import Permission, may
from kuaitui.deposits import operations
from kuaitui.deposits.queries import (
    SuspenseCase,
    pay_ins_of_another_amount,
    suspense_case,
    suspense_cases,
    suspense_counts,
)
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import Resolution
from kuaitui.facts.queries import list_shops
from kuaitui.interfaces.console import suspense_words as words
from kuaitui.interfaces.console.forms import DecideSuspenseForm, FindingForm, ProposeSuspenseForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.tables import Tab
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
from kuaitui.payouts.operations import release_send_back, request_send_back_query_now
from kuaitui.payouts.queries import send_backs_of
from kuaitui.payouts.states import ASKABLE

Typed = dict[str, Any]
LOOK_BACK: Final = dt.timedelta(days=30)
DONE: Final = frozenset({SuspenseState.ATTRIBUTED, SuspenseState.SENT_BACK})
TABS: Final = (SuspenseState.OPEN, SuspenseState.PROPOSED, SuspenseState.TO_SEND_BACK)
both = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do about a case: in which state, with which form, and the doing."""

    name: str
    state: SuspenseState
    form: type[forms.Form]
    do: Callable[[SuspenseCase, Typed, Actor, dt.datetime], None]
    done: str | Promise


def _propose(found: SuspenseCase, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    operations.propose_resolution(
        suspense_id=found.suspense_id,
        version=typed["version"],
        resolution=Resolution(typed["resolution"]),
        account_id=typed["account_id"],
        reason=typed["reason"],
        refund_reference=typed["refund_reference"],
        actor=actor,
        now=now,
    )


def _decide_on(found: SuspenseCase, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    about = {"suspense_id": found.suspense_id, "version": typed["version"]}
    if typed["decision"] == "confirm":
        operations.confirm_resolution(**about, actor=actor, now=now)
    else:
        operations.refuse_resolution(**about, actor=actor, now=now)


PROPOSE: Final = Act(
    "propose", SuspenseState.OPEN, ProposeSuspenseForm, _propose,
    gettext_lazy("Proposed. Another person confirms it."),
)  # fmt: skip
DECIDE: Final = Act(
    "decide", SuspenseState.PROPOSED, DecideSuspenseForm, _decide_on, gettext_lazy("Decided.")
)
_FIELDS: Final = {
    "suspense.reason_missing": "reason",
    "suspense.needs_account": "account_id",
    "deposit.account_unknown": "account_id",
    "deposit.currency_wrong": "account_id",
    "suspense.reference_missing": "refund_reference",
    "suspense.reference_taken": "refund_reference",
}


@permission("suspense.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """Everything that waits for a place, the oldest first."""
    now = read_clock()
    chosen = request.GET.get("state", "")
    states = DONE if chosen == "done" else frozenset({s for s in TABS if s == chosen} or set(TABS))
    context = {
        "section": "suspense",
        "now": now,
        "tabs": _tabs(chosen),
        "cases": [(one, words.WHY[one.why]) for one in suspense_cases(states=states)],
        "orders": pay_ins_of_another_amount(since=now - LOOK_BACK),
    }
    return render(request, "console/suspense/list.html", context)


@permission("suspense.view")
@require_safe
def case_page(request: StaffRequest, suspense_id: str) -> HttpResponse:
    """One payment, where it came from and what was decided."""
    found = suspense_case(suspense_id)
    return render(request, "console/suspense/case.html", _context(request, found))


@permission("suspense.propose")
@both
def propose(request: StaffRequest, suspense_id: str) -> HttpResponse:
    """One person says what should become of it."""
    return _act(request, suspense_id, PROPOSE)


@permission("suspense.confirm")
@both
def decide(request: StaffRequest, suspense_id: str) -> HttpResponse:
    """Another person agrees, or does not."""
    return _act(request, suspense_id, DECIDE)


@permission("payout.hold")
@both
def let_go_on(request: StaffRequest, suspense_id: str) -> HttpResponse:
    """Put a send-back that was set aside back into the machine, after a look at why it was."""
    found = suspense_case(suspense_id)
    aside = next((one for one in send_backs_of(suspense_id) if one.set_aside_at), None)
    is_sent = request.method == "POST"
    form = FindingForm(request.POST if is_sent else kept_forms.take(request))
    if is_sent and aside is not None and form.is_valid():
        release_send_back(
            send_back_id=aside.send_back_id,
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=read_clock(),
        )
        messages.success(request, _("It goes on from where it stood."))
        return HttpResponseRedirect(reverse("console:suspense_case", args=[suspense_id]))
    context = _context(request, found) | {"form": form, "aside": aside}
    return render(
        request, "console/suspense/let_go_on.html", context, status=422 if is_sent else 200
    )


@permission("payout.query")
@require_POST
def ask_about(request: StaffRequest, suspense_id: str) -> HttpResponse:
    """Let the channel be asked at once about a payment sent back. A question, never a second refund."""
    found = suspense_case(suspense_id)
    asked = next((one for one in send_backs_of(found.suspense_id) if one.state in ASKABLE), None)
    if asked is not None and request_send_back_query_now(
        send_back_id=asked.send_back_id, actor=request.viewer.actor, now=read_clock()
    ):
        messages.success(request, _("The channel will be asked now. Load the page in a moment."))
    else:
        messages.info(request, _("There is nothing to ask about this payment."))
    return HttpResponseRedirect(reverse("console:suspense_case", args=[suspense_id]))


def _act(request: StaffRequest, suspense_id: str, act: Act) -> HttpResponse:
    found = suspense_case(suspense_id)
    is_sent = request.method == "POST"
    typed = request.POST if is_sent else kept_forms.take(request)
    initial = {
        "version": found.version,
        "account_id": found.order_account_id,
        "resolution": Resolution.ATTRIBUTE if found.order_account_id else Resolution.SEND_BACK,
    }
    form = act.form(typed, initial=initial)
    refusal: Refusal | None = None
    if is_sent and form.is_valid():
        try:
            act.do(found, form.cleaned_data, request.viewer.actor, read_clock())
        except Refusal as caught:
            refusal = caught
            if caught.code in _FIELDS:
                form.add_error(_FIELDS[caught.code], _(caught.message))
        else:
            messages.success(request, str(act.done))
            return HttpResponseRedirect(reverse("console:suspense_case", args=[suspense_id]))
        found = suspense_case(suspense_id)
    context = _context(request, found) | {"form": form, "refusal": refusal, "act": act.name}
    context["is_possible"] = found.state is act.state
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, f"console/suspense/{act.name}.html", context, status=status)


def _context(request: StaffRequest, found: SuspenseCase) -> dict[str, object]:
    people = [who for who in (found.proposed_by, found.decided_by) if who]
    names = display_names(user_ids=set(people)) if people else {}
    keys = frozenset(
        key for key in (found.order_shop_key, found.account_shop_key) if key is not None
    )
    shops = {one.key: one for one in list_shops(shop_keys=keys, limit=2)} if keys else {}
    return {
        "section": "suspense",
        "now": read_clock(),
        "case": found,
        "why": words.WHY[found.why],
        "why_meaning": words.WHY_MEANING[found.why],
        "found_by": words.FOUND_BY[found.found_by],
        "state": words.STATES[found.state],
        "resolution": words.RESOLUTIONS.get(found.resolution) if found.resolution else "",
        "order_shop": shops.get(found.order_shop_key or 0),
        "account_shop": shops.get(found.account_shop_key or 0),
        "proposed_by": names.get(found.proposed_by, ""),
        "decided_by": names.get(found.decided_by, ""),
        "is_mine": found.proposed_by == request.viewer.public_id,
        "send_backs": send_backs_of(found.suspense_id),
        "askable": ASKABLE,
        "may_query": may(request.viewer, Permission.PAYOUT_QUERY, None),
        "may_hold": may(request.viewer, Permission.PAYOUT_HOLD, None),
        "may_propose": may(request.viewer, Permission.SUSPENSE_PROPOSE, None),
        "may_confirm": may(request.viewer, Permission.SUSPENSE_CONFIRM, None),
    }


def _tabs(chosen: str) -> list[Tab]:
    counts = suspense_counts()
    numbers = {
        SuspenseState.OPEN: counts.open_count,
        SuspenseState.PROPOSED: counts.proposed_count,
        SuspenseState.TO_SEND_BACK: counts.to_send_back_count,
    }
    tabs = [Tab(_("All open"), "?", counts.waiting_count, chosen not in {*TABS, "done"})]
    tabs += [
        Tab(str(words.STATES[state].text), f"?state={state}", numbers[state], chosen == state)
        for state in TABS
    ]
    return [*tabs, Tab(_("Done"), "?state=done", "", chosen == "done")]
