"""One break with both sides' evidence: one person proposes how to close it, another confirms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.accounts.rules import Permission, may
from kuaitui.interfaces.console import bill_words
from kuaitui.interfaces.console.bill_forms import ProposeForm, SayWhyForm
from kuaitui.interfaces.console.forms import DecisionForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.ids import IdPrefix, is_id
from kuaitui.kernel.money import Money
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
from kuaitui.reconciliation.operations import (
    confirm_closing,
    propose_closing,
    take_proposal_back,
)
from kuaitui.reconciliation.queries import BreakRecord, found_break, steps_of
from kuaitui.reconciliation.types import BreakState, Remedy

METHODS: Final = ["GET", "HEAD", "POST"]
PROPOSED: Final = gettext_lazy("Proposed. Another person confirms it.")
CONFIRMED: Final = gettext_lazy("Confirmed. It is closed.")
TAKEN_BACK: Final = gettext_lazy("Taken back. It is open again.")


@permission("reconciliation.view")
@require_safe
def show(request: StaffRequest, break_id: str) -> HttpResponse:
    """The evidence of both sides, what it means, and what has been done about it."""
    found = found_break(break_id)
    steps = steps_of(break_id)
    context = {
        **_context(found),
        "now": read_clock(),
        "steps": [(step, _name(step.by)) for step in steps],
        "may_propose": found.state is BreakState.OPEN
        and may(request.viewer, Permission.RECONCILIATION_PROPOSE, None),
        "may_confirm": found.state is BreakState.PROPOSED
        and may(request.viewer, Permission.RECONCILIATION_CONFIRM, None)
        and found.proposed_by != request.viewer.public_id,
        "may_take_back": found.state is BreakState.PROPOSED
        and may(request.viewer, Permission.RECONCILIATION_BRING, None),
    }
    return render(request, "console/bills/break.html", context)


@permission("reconciliation.propose")
@require_http_methods(METHODS)
def propose(request: StaffRequest, break_id: str) -> HttpResponse:
    """Propose how to close it. Nothing is posted yet."""
    found = found_break(break_id)

    def act(form: Any) -> None:  # noqa: ANN401 - the form of this page
        propose_closing(
            break_id=break_id,
            version=form.cleaned_data["version"],
            remedy=form.chosen_remedy,
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    initial = {"version": found.version, "remedy": found.remedies[0].value}
    return _decide(
        request,
        found,
        "propose",
        ProposeForm,
        initial,
        act,
        PROPOSED,
    )


@permission("reconciliation.confirm")
@require_http_methods(METHODS)
def confirm(request: StaffRequest, break_id: str) -> HttpResponse:
    """Confirm exactly what the page shows."""
    found = found_break(break_id)

    def act(form: Any) -> None:  # noqa: ANN401 - the form of this page
        confirm_closing(
            break_id=break_id,
            version=form.cleaned_data["version"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    initial = {"version": found.version}
    return _decide(
        request,
        found,
        "confirm",
        DecisionForm,
        initial,
        act,
        CONFIRMED,
    )


@permission("reconciliation.bring")
@require_http_methods(METHODS)
def take_back(request: StaffRequest, break_id: str) -> HttpResponse:
    """Withdraw a proposal, or send somebody else's back."""
    found = found_break(break_id)

    def act(form: Any) -> None:  # noqa: ANN401 - the form of this page
        take_proposal_back(
            break_id=break_id,
            reason=form.cleaned_data["reason"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    return _decide(
        request,
        found,
        "take_back",
        SayWhyForm,
        {},
        act,
        TAKEN_BACK,
    )


def _decide(
    request: StaffRequest,
    found: BreakRecord,
    page: str,
    form_class: type[forms.Form],
    initial: Mapping[str, object],
    act: Callable[[forms.Form], None],
    done: Promise,
) -> HttpResponse:
    is_sent = request.method == "POST"
    form = form_class(request.POST if is_sent else kept_forms.take(request), initial=dict(initial))
    refusal = None
    if is_sent and form.is_valid():
        try:
            act(form)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, str(done))
            return HttpResponseRedirect(reverse("console:break", args=[found.break_id]))
    context = {**_context(found), "form": form, "refusal": refusal}
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, f"console/bills/{page}.html", context, status=status)


def _context(found: BreakRecord) -> dict[str, object]:
    ours = found.evidence.get("ours")
    return {
        "section": "bills",
        "found": found,
        "ours": ours,
        "answered": ours and Money(ours["answered_minor"], found.ours.currency),
        "lines": [
            (line, Money(line["minor"], line["currency"])) for line in found.evidence["lines"]
        ],
        "remedies": [
            (remedy, bill_words.REMEDIES[remedy], _help(found, remedy)) for remedy in found.remedies
        ],
        "correction": found.correction(found.remedy) if found.remedy else None,
        "proposed_by": _name(found.proposed_by),
        "confirmed_by": _name(found.confirmed_by),
    }


def _help(found: BreakRecord, remedy: Remedy) -> str:
    """What a remedy does, with its journal in words."""
    text = str(bill_words.REMEDY_HELP[remedy])
    correction = found.correction(remedy)
    if correction is None:
        return text
    return _("%(text)s Posts %(amount)s from “%(credit)s” to “%(debit)s”.") % {
        "text": text,
        "amount": str(correction.amount),
        "credit": bill_words.ACCOUNTS[correction.credit],
        "debit": bill_words.ACCOUNTS[correction.debit],
    }


def _name(person: str) -> str:
    """A person's name; whatever of the system did it is the system."""
    if person and not is_id(person, IdPrefix.USER):
        return _("the system")
    return display_names(user_ids={person}).get(person, person) if person else ""
