"""Decisions about a case, each on its own page: read, fill in, send once.

A decision carries the version and, for approvals, the hash of what was shown. If either is another
by the time it arrives, nothing is done and the page shows the case as it is now.
"""

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
from django.views.decorators.http import require_http_methods

from kuaitui.accounts.queries import display_names
from kuaitui.deposits.operations import verify_destination
from kuaitui.interfaces.console import words
from kuaitui.interfaces.console.forms import (
    AppealForm,
    ApproveForm,
    ConfirmForm,
    DecisionForm,
    QuestionForm,
    ReasonForm,
    RejectForm,
    VerifyForm,
)
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.views.cases import (
    case_context,
    is_open_to_closing,
    needs_verification,
    notices_of,
)
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
from kuaitui.refunds import operations as refunds
from kuaitui.refunds.errors import StaleVersion, StateDoesNotAllow
from kuaitui.refunds.queries import Case, case, terms_in_force
from kuaitui.refunds.states import StaffAct
from kuaitui.refunds.types import RejectReason

Typed = dict[str, Any]
both = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Page:
    """One sort of decision: its form, its template, when it is possible, and the doing."""

    template: str
    form: type[forms.Form]
    act: StaffAct | None
    do: Callable[[Case, Typed, Actor, dt.datetime], None]
    done: str | Promise
    decision_kinds: frozenset[str] = frozenset()
    needs_approval: bool = False

    def is_possible(self, found: Case, now: dt.datetime) -> bool:
        """Whether the present state of the case lets this be decided."""
        if self.act is None:
            return needs_verification(found)
        if self.act not in found.application.staff_acts or not is_open_to_closing(
            found, self.act, now
        ):
            return False
        return not self.needs_approval or (
            found.approval is not None and not found.approval_obstacle
        )


def _approve(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.approve_application(
        application_id=found.application.application_id,
        version=typed["version"],
        approval_hash=typed["approval_hash"],
        note=typed["note"],
        actor=actor,
        now=now,
    )


def _confirm(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.confirm_approval(
        application_id=found.application.application_id,
        version=typed["version"],
        approval_hash=typed["approval_hash"],
        amount_retyped=Money.parse(typed["amount_retyped"], found.application.amount.currency),
        actor=actor,
        now=now,
    )


def _send_back(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.send_back(
        application_id=found.application.application_id,
        version=typed["version"],
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _ask(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.request_information(
        application_id=found.application.application_id,
        version=typed["version"],
        question=typed["text"],
        actor=actor,
        now=now,
    )


def _reject(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.reject_application(
        application_id=found.application.application_id,
        version=typed["version"],
        reasons=tuple(RejectReason(reason) for reason in typed["reasons"]),
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _decide_appeal(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.decide_appeal(
        application_id=found.application.application_id,
        version=typed["version"],
        granted=typed["granted"] == "yes",
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _refuse_repair(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.refuse_repair(
        application_id=found.application.application_id,
        version=typed["version"],
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _propose_close_out(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.propose_close_out(
        application_id=found.application.application_id,
        version=typed["version"],
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _confirm_close_out(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    refunds.confirm_close_out(
        application_id=found.application.application_id,
        version=typed["version"],
        actor=actor,
        now=now,
    )


def _verify(found: Case, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    shown = found.application.destination
    if shown is None or shown.destination_id != typed["destination_id"]:
        raise StaleVersion(seen=typed["version"], now=found.application.version)
    verify_destination(destination_id=typed["destination_id"], actor=actor, now=now)


APPROVE: Final = Page(
    "approve", ApproveForm, StaffAct.APPROVE, _approve, gettext_lazy("Approved."),
    frozenset({"approve"}), needs_approval=True,
)  # fmt: skip
CONFIRM: Final = Page(
    "confirm", ConfirmForm, StaffAct.CONFIRM, _confirm, gettext_lazy("Second approval given."),
    frozenset({"confirm"}), needs_approval=True,
)  # fmt: skip
SEND_BACK: Final = Page(
    "send_back", ReasonForm, StaffAct.SEND_BACK, _send_back, gettext_lazy("Sent back to review."),
    frozenset({"send_back"}),
)  # fmt: skip
ASK: Final = Page(
    "ask", QuestionForm, StaffAct.REQUEST_INFORMATION, _ask, gettext_lazy("The seller was asked."),
    frozenset({"request_information"}),
)  # fmt: skip
REJECT: Final = Page(
    "reject", RejectForm, StaffAct.REJECT, _reject, gettext_lazy("Rejected. The seller was told."),
    frozenset({"reject"}),
)  # fmt: skip
APPEAL: Final = Page(
    "appeal", AppealForm, StaffAct.DECIDE_APPEAL, _decide_appeal,
    gettext_lazy("The appeal is decided."), frozenset({"grant_appeal", "dismiss_appeal"}),
)  # fmt: skip
REFUSE_REPAIR: Final = Page(
    "refuse_repair", ReasonForm, StaffAct.REFUSE_REPAIR, _refuse_repair,
    gettext_lazy("The account was refused. The seller can give another."),
    frozenset({"refuse_repair"}),
)  # fmt: skip
PROPOSE_CLOSE_OUT: Final = Page(
    "propose_close_out", ReasonForm, StaffAct.PROPOSE_CLOSE_OUT, _propose_close_out,
    gettext_lazy("Proposed. A colleague must confirm it."), frozenset({"propose_close_out"}),
)  # fmt: skip
CONFIRM_CLOSE_OUT: Final = Page(
    "confirm_close_out", DecisionForm, StaffAct.CONFIRM_CLOSE_OUT, _confirm_close_out,
    gettext_lazy("Closed out. The money is available in the deposit again."),
    frozenset({"confirm_close_out"}),
)  # fmt: skip
VERIFY: Final = Page("verify", VerifyForm, None, _verify, gettext_lazy("The account is checked."))


@permission("case.decide")
@both
def approve(request: StaffRequest, application_id: str) -> HttpResponse:
    """A reviewer says yes to exactly what the page shows."""
    return _decide(request, application_id, APPROVE)


@permission("case.approve_second")
@both
def confirm(request: StaffRequest, application_id: str) -> HttpResponse:
    """A second person looks afresh, and types the amount again."""
    return _decide(request, application_id, CONFIRM)


@permission("case.approve_second")
@both
def send_back(request: StaffRequest, application_id: str) -> HttpResponse:
    """The second person says no, with words for the colleague."""
    return _decide(request, application_id, SEND_BACK)


@permission("case.decide")
@both
def ask(request: StaffRequest, application_id: str) -> HttpResponse:
    """Ask the seller for more."""
    return _decide(request, application_id, ASK)


@permission("case.decide")
@both
def reject(request: StaffRequest, application_id: str) -> HttpResponse:
    """Reject with reasons, after a look at what the seller will see."""
    return _decide(request, application_id, REJECT)


@permission("case.decide_appeal")
@both
def appeal(request: StaffRequest, application_id: str) -> HttpResponse:
    """Hear an appeal."""
    return _decide(request, application_id, APPEAL)


@permission("case.decide")
@both
def refuse_repair(request: StaffRequest, application_id: str) -> HttpResponse:
    """Refuse the account a seller gave after a return."""
    return _decide(request, application_id, REFUSE_REPAIR)


@permission("case.decide")
@both
def propose_close_out(request: StaffRequest, application_id: str) -> HttpResponse:
    """Propose that what came back and nobody repaired goes back into the deposit."""
    return _decide(request, application_id, PROPOSE_CLOSE_OUT)


@permission("case.approve_second")
@both
def confirm_close_out(request: StaffRequest, application_id: str) -> HttpResponse:
    """A second person gives it back to the deposit, and the application ends."""
    return _decide(request, application_id, CONFIRM_CLOSE_OUT)


@permission("case.decide")
@both
def verify(request: StaffRequest, application_id: str) -> HttpResponse:
    """Say that an account belongs to the shop's owner."""
    return _decide(request, application_id, VERIFY)


def _decide(request: StaffRequest, application_id: str, page: Page) -> HttpResponse:
    now = read_clock()
    found = case(application_id=application_id, now=now)
    is_sent = request.method == "POST"
    typed = request.POST if is_sent else kept_forms.take(request)
    form = page.form(typed, initial=_initial(found))
    refusal: Refusal | None = None
    if is_sent and form.is_valid() and not _is_preview(request, page):
        try:
            page.do(found, form.cleaned_data, request.viewer.actor, now)
        except Refusal as caught:
            refusal = caught
        else:
            return _back(request, application_id, page)
        found = case(application_id=application_id, now=now)
        if isinstance(refusal, StaleVersion | StateDoesNotAllow) and _was_mine(
            request, found, page
        ):
            return _back(request, application_id, page)
        form = page.form(_renewed(request, found), initial=_initial(found))
        form.is_valid()
    context = case_context(found, now=now) | _more(request, found, page, form, now)
    is_possible = page.is_possible(found, now)
    context |= {"form": form, "refusal": refusal, "is_possible": is_possible}
    context["notices"] = [] if is_possible or refusal else notices_of(found)
    status = status_of(refusal) if refusal else 200 if form.is_valid() or not is_sent else 422
    return render(request, f"console/decide/{page.template}.html", context, status=status)


def _back(request: StaffRequest, application_id: str, page: Page) -> HttpResponse:
    messages.success(request, str(page.done))
    return HttpResponseRedirect(reverse("console:case", args=[application_id]))


def _was_mine(request: StaffRequest, found: Case, page: Page) -> bool:
    """Whether the same person has just decided the same: a double click, which shows the first."""
    last = found.decisions[-1] if found.decisions else None
    return (
        last is not None
        and last.kind in page.decision_kinds
        and last.actor_id == request.viewer.public_id
        and str(last.number - 1) == request.POST.get("version")
    )


def _initial(found: Case) -> dict[str, object]:
    application = found.application
    return {
        "version": application.version,
        "approval_hash": found.approval.approval_hash if found.approval else "",
        "destination_id": application.destination.destination_id if application.destination else "",
    }


def _renewed(request: StaffRequest, found: Case) -> dict[str, Any]:
    """What was typed, bound to the case as the page shows it now."""
    typed = request.POST.copy()
    for name, value in _initial(found).items():
        if name in typed:
            typed[name] = str(value)
    return typed


def _is_preview(request: StaffRequest, page: Page) -> bool:
    return page is REJECT and request.POST.get("step") != "reject"


def _more(
    request: StaffRequest, found: Case, page: Page, form: forms.Form, now: dt.datetime
) -> dict[str, object]:
    if page is REJECT and request.method == "POST" and form.is_valid():
        return {"preview": _as_seller_sees(form, now)}
    if page is CONFIRM_CLOSE_OUT and found.application.close_out is not None:
        proposer = found.application.close_out.proposed_by
        return {"proposer_name": display_names(user_ids={proposer}).get(proposer, "")}
    if page is CONFIRM:
        first = next((item for item in reversed(found.decisions) if item.kind == "approve"), None)
        names = display_names(user_ids={first.actor_id}) if first else {}
        return {
            "maker_name": names.get(first.actor_id, "") if first else _("by rule"),
            "maker_note": first.text if first else "",
        }
    return {}


def _as_seller_sees(form: forms.Form, now: dt.datetime) -> dict[str, object]:
    terms = terms_in_force()
    return {
        "reasons": [words.REJECT_REASONS[RejectReason(r)] for r in form.cleaned_data["reasons"]],
        "text": form.cleaned_data["text"],
        "appeal_until": terms.review.appeal_window.after(now.astimezone(terms.zone).date()),
    }
