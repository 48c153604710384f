"""A case: what is asked, the conditions then and now, the money, the story, the acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kuaitui.accounts.queries import display_names
from kuaitui.accounts.rules import Permission, may
from kuaitui.accounts.types import Viewer
from kuaitui.deductions.queries import announced_of
from kuaitui.deposits.queries import deposit, set_aside_of, statement
from kuaitui.deposits.types import DepositSummary, HoldKind, PlannedLeg, Route
from kuaitui.facts.queries import find_shop_by_key
from kuaitui.interfaces.console import words
from kuaitui.interfaces.console.changes import changes
from kuaitui.interfaces.console.evidence import conditions
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.words import Word
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from kuaitui.kit.web import permission
from kuaitui.refunds.queries import Case, case
from kuaitui.refunds.states import StaffAct, State
from kuaitui.refunds.types import TimelineEvent

STATEMENT_LINES: Final = 20
# Until somebody has decided, the facts are asked again. After that our own payout changes them.
COMPARED: Final = frozenset(
    {
        State.SUBMITTED,
        State.CHECKING,
        State.IN_REVIEW,
        State.MORE_INFORMATION,
        State.AWAITING_SECOND_APPROVAL,
        State.APPEALED,
    }
)
APPROVALS: Final = frozenset({StaffAct.APPROVE, StaffAct.CONFIRM})


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person may do about a case: its page, its button, its key."""

    permission: Permission
    route: str
    label: str | Promise
    tone: str = ""
    key: str = ""


ACTS: Final = {
    StaffAct.CONFIRM: Act(
        Permission.CASE_APPROVE_SECOND,
        "confirm",
        gettext_lazy("Give the second approval"),
        "primary",
        "a",
    ),
    StaffAct.SEND_BACK: Act(
        Permission.CASE_APPROVE_SECOND, "send_back", gettext_lazy("Send back to review"), "", "m"
    ),
    StaffAct.APPROVE: Act(
        Permission.CASE_DECIDE, "approve", gettext_lazy("Approve"), "primary", "a"
    ),
    StaffAct.REQUEST_INFORMATION: Act(
        Permission.CASE_DECIDE, "ask", gettext_lazy("Ask for more"), "", "m"
    ),
    StaffAct.REJECT: Act(Permission.CASE_DECIDE, "reject", gettext_lazy("Reject"), "danger", "r"),
    StaffAct.DECIDE_APPEAL: Act(
        Permission.CASE_DECIDE_APPEAL, "appeal", gettext_lazy("Decide the appeal"), "primary", "a"
    ),
    StaffAct.REFUSE_REPAIR: Act(
        Permission.CASE_DECIDE,
        "refuse_repair",
        gettext_lazy("Refuse the new account"),
        "danger",
        "r",
    ),
    StaffAct.PROPOSE_CLOSE_OUT: Act(
        Permission.CASE_DECIDE, "propose_close_out", gettext_lazy("Propose to close it out")
    ),
    StaffAct.CONFIRM_CLOSE_OUT: Act(
        Permission.CASE_APPROVE_SECOND,
        "confirm_close_out",
        gettext_lazy("Confirm the close-out"),
        "danger",
    ),
}


@permission("case.view")
@require_safe
def show(request: StaffRequest, application_id: str) -> HttpResponse:
    """The whole case on one page."""
    now = read_clock()
    found = case(application_id=application_id, now=now)
    context = case_context(found, now=now)
    context |= {
        "acts": acts_of(found, request.viewer, now=now),
        "notices": notices_of(found),
        "timeline": _timeline(found.application.timeline, found),
        "statement": statement(
            account_id=found.application.account_id, limit=STATEMENT_LINES
        ).lines,
        "legs": found.application.payout.legs if found.application.payout else (),
    }
    return render(request, "console/case.html", context)


def case_context(found: Case, *, now: dt.datetime) -> dict[str, object]:
    """What the pages of a case show of it."""
    application = found.application
    summary = deposit(application.account_id)
    plan = found.approval.plan if found.approval else application.plan
    for_deductions = sum(
        set_aside_of(account_id=application.account_id, kind=HoldKind.DEDUCTION).values(),
        Money.zero(summary.currency),
    )
    return {
        "section": "queue",
        "now": now,
        "case": found,
        "application": application,
        "approval": found.approval,
        "shop": find_shop_by_key(shop_key=application.shop_key),
        "deposit": summary,
        "for_applications": summary.frozen - for_deductions,
        "for_deductions": for_deductions,
        "announced": announced_of(account_id=application.account_id, now=now),
        "plan_legs": [_leg_line(leg, summary) for leg in plan.legs],
        "goes_back_too": any(leg.route is Route.ORIGINAL for leg in plan.legs),
        "goes_elsewhere": plan.needs_destination,
        "again": plan.total if found.approval and plan.total != application.amount else None,
        "sharing": found.shops_sharing_destination,
        **_compared(found),
    }


def _compared(found: Case) -> dict[str, object]:
    """Conditions and facts then and now, while somebody still decides on them."""
    is_compared = found.application.state in COMPARED
    now = found.assessment_now.to_json() if is_compared else found.assessment_then
    facts = found.facts_now if is_compared else found.facts_then
    seen = conditions(found.assessment_then, now, facts)
    return {
        "is_compared": is_compared,
        "conditions": [item for item in seen if item.is_changed or not item.is_met],
        "conditions_met": [item for item in seen if item.is_met and not item.is_changed],
        "changes": changes(found.differences, found.application.amount.currency)
        if is_compared
        else [],
    }


def acts_of(found: Case, viewer: Viewer, *, now: dt.datetime) -> list[dict[str, object]]:
    """What this person may do about the case in its present state."""
    acts = [
        act
        for name, act in ACTS.items()
        if name in found.application.staff_acts
        and may(viewer, act.permission, None)
        and not (name in APPROVALS and found.approval_obstacle)
        and is_open_to_closing(found, name, now)
    ]
    if needs_verification(found) and may(viewer, Permission.CASE_DECIDE, None):
        check = gettext_lazy("Check the account")
        acts = [Act(Permission.CASE_DECIDE, "verify", check, "primary", "v"), *acts]
    primary = next((act for act in acts if act.tone == "primary"), None)
    return [
        {
            "href": reverse(f"console:{act.route}", args=[found.application.application_id]),
            "label": act.label,
            "tone": "" if act.tone == "primary" and act is not primary else act.tone,
            "key": act.key,
        }
        for act in acts
    ]


def is_open_to_closing(found: Case, act: StaffAct, now: dt.datetime) -> bool:
    """Whether a close-out has come as far as this act; other acts do not wait for one."""
    application = found.application
    match act:
        case StaffAct.PROPOSE_CLOSE_OUT:
            begins = application.may_be_closed_out_from
            return application.close_out is None and begins is not None and now >= begins
        case StaffAct.CONFIRM_CLOSE_OUT:
            return application.close_out is not None and not application.close_out.is_done
        case _:
            return True


def needs_verification(found: Case) -> bool:
    """Whether somebody must first check that the account belongs to the shop's owner."""
    return found.approval_obstacle == "destination.unverified"


def notices_of(found: Case) -> list[dict[str, object]]:
    """What stands in the way, said before anybody tries."""
    texts = {
        "destination.unverified": (
            _("The account is not checked yet"),
            _("Check that it belongs to the shop’s owner; then the refund can be approved."),
        ),
        "refund.not_eligible": (
            _("The conditions are not met now"),
            _(
                "Something changed since the application. Ask the seller, or reject with the reason."
            ),
        ),
        "refund.approval_outdated": (
            _("What was approved has changed"),
            _("Amount, account or route is another now. The case must be reviewed again."),
        ),
        "destination.required": (
            _("A part can no longer go back the way it came"),
            _("Its channel does not take it back any more. Ask the seller for an account."),
        ),
        "deposit.part_too_small": (
            _("A part is too small for this account"),
            _("Its channel does not send so little. Ask the seller for another kind of account."),
        ),
        "deposit.part_too_large": (
            _("A part is too large for this account"),
            _(
                "Its channel does not send so much at once. Ask the seller for another kind of "
                "account, or have the channel’s ceiling raised and set here."
            ),
        ),
    }
    code = found.approval_obstacle
    if not code:
        return []
    title, text = texts.get(
        code, (_("This cannot be approved now"), _("The money has no way out at the moment."))
    )
    return [{"tone": "act", "title": title, "text": text}]


def _leg_line(leg: PlannedLeg, summary: DepositSummary) -> dict[str, object]:
    lot = next((lot for lot in summary.lots if lot.lot_id == leg.lot_id), None)
    return {
        "lot_id": leg.lot_id,
        "paid_at": lot.paid_at if lot else None,
        "is_original": leg.route is Route.ORIGINAL,
        "until": leg.refundable_until,
        "channel": leg.channel,
        "amount": leg.amount,
    }


def _timeline(events: Sequence[TimelineEvent], found: Case) -> list[dict[str, object]]:
    names = display_names(user_ids={event.actor_id for event in events})
    texts = {decision.number: decision.text for decision in found.decisions}
    reasons = {decision.number: decision.reasons for decision in found.decisions}
    return [
        {
            "word": words.TIMELINE.get(event.code, Word(event.code, "done")),
            "at": event.at,
            "who": names.get(event.actor_id, _("by rule") if event.actor_kind == "system" else ""),
            "text": texts.get(event.number) or event.details.get("text", ""),
            "reasons": reasons.get(event.number, ()),
        }
        for event in reversed(events)
    ]
