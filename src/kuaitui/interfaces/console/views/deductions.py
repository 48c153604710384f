"""Deduction cases: the list, one case, and what people do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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
from kuaitui.accounts.types import Viewer
from kuaitui.deductions import operations
from kuaitui.deductions.queries import CaseView, case, case_counts, cases
from kuaitui.deductions.states import CaseState
from kuaitui.deposits.queries import deposit, set_aside_of
from kuaitui.deposits.types import DeductionPurpose, HoldKind
from kuaitui.facts.queries import find_shop_by_key, list_shops
from kuaitui.interfaces.console import deduction_words as words
from kuaitui.interfaces.console.deduction_forms import AnnounceForm, CaseForm, ItemsForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.tables import Tab
from kuaitui.interfaces.console.words import Word
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of

Typed = dict[str, Any]
CaseAct = Callable[[CaseView, Typed, Actor, dt.datetime], object]
both = require_http_methods(["GET", "HEAD", "POST"])
DONE: Final = frozenset(CaseState) - {CaseState.ANNOUNCED, CaseState.APPEALED}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do about a case: who may, when it is possible, with which form, and the doing."""

    name: str
    permission: Permission
    label: str | Promise
    form: type[CaseForm]
    is_possible: Callable[[CaseView], bool]
    involved: Callable[[CaseView], tuple[str, ...]]
    """Who had a part in the case and so may not do this."""
    do: CaseAct
    done: str | Promise
    tone: str = ""


def _take(found: CaseView, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    operations.take_items(
        case_id=found.case_id,
        version=typed["version"],
        numbers=typed["numbers"],
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _drop(found: CaseView, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    operations.drop_deduction(
        case_id=found.case_id, version=typed["version"], text=typed["text"], actor=actor, now=now
    )


def _answer(found: CaseView, typed: Typed, actor: Actor, now: dt.datetime) -> None:
    operations.answer_appeal(
        case_id=found.case_id,
        version=typed["version"],
        numbers=typed["numbers"],
        text=typed["text"],
        actor=actor,
        now=now,
    )


def _nobody(_found: CaseView) -> tuple[str, ...]:
    return ()


TAKE: Final = Act(
    "take", Permission.DEDUCTION_DECIDE, gettext_lazy("Take items"), ItemsForm,
    lambda found: found.can_be_taken, lambda found: (found.announced_by, found.replied_by), _take,
    gettext_lazy("Taken. The seller has been told, with your words and until when to appeal."),
    "primary",
)  # fmt: skip
DROP: Final = Act(
    "drop", Permission.DEDUCTION_DROP, gettext_lazy("Take nothing"), CaseForm,
    lambda found: found.state is CaseState.ANNOUNCED, _nobody, _drop,
    gettext_lazy("Nothing is taken. What was set aside is free again."),
)  # fmt: skip
ANSWER: Final = Act(
    "answer", Permission.DEDUCTION_ANSWER, gettext_lazy("Decide the appeal"), ItemsForm,
    lambda found: found.can_be_answered,
    lambda found: (found.announced_by, found.replied_by, found.decided_by, found.appealed_by), _answer,
    gettext_lazy("Decided. The seller has been told."), "primary",
)  # fmt: skip
ACTS: Final = (TAKE, DROP, ANSWER)
_FIELDS: Final = {
    "deduction.text_missing": "text",
    "deduction.text_too_long": "text",
    "deduction.nothing_chosen": "numbers",
    "deduction.item_unknown": "numbers",
    "deduction.reference_missing": "reference",
    "deduction.reference_reused": "reference",
    "deposit.account_unknown": "account",
    "deposit.account_closed": "account",
}


@permission("deduction.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """What waits for whom: what can be decided first, the one due first on top."""
    now = read_clock()
    chosen = request.GET.get("state", "")
    found = _chosen(chosen, now)
    keys = frozenset(one.shop_key for one in found)
    shops = {one.key: one for one in list_shops(shop_keys=keys, limit=len(keys))} if keys else {}
    context = {
        "section": "deductions",
        "now": now,
        "tabs": _tabs(chosen, now),
        "cases": [(one, shops.get(one.shop_key), _state(one)) for one in found],
        "may_announce": may(request.viewer, Permission.DEDUCTION_ANNOUNCE, None),
    }
    return render(request, "console/deductions/list.html", context)


@permission("deduction.view")
@require_safe
def case_page(request: StaffRequest, case_id: str) -> HttpResponse:
    """One case, from its announcement to its end."""
    found = case(case_id, now=read_clock())
    context = _context(found)
    context |= {"acts": _acts(found, request.viewer), "waits_for": _waits_for(found)}
    return render(request, "console/deductions/case.html", context)


@permission("deduction.announce")
@both
def announce(request: StaffRequest) -> HttpResponse:
    """Tell a seller what is to be deducted."""
    is_sent = request.method == "POST"
    typed = request.POST if is_sent else kept_forms.take(request)
    form = AnnounceForm(typed, initial={"account": request.GET.get("deposit", "")})
    refusal: Refusal | None = None
    now = read_clock()
    if is_sent and form.is_valid() and form.deposit is not None:
        try:
            case_id = operations.announce_deduction(
                account_id=form.deposit.account_id,
                items=form.items,
                purpose=DeductionPurpose(form.cleaned_data["purpose"]),
                reason=form.cleaned_data["reason"],
                clause=form.cleaned_data["clause"],
                reference=form.cleaned_data["reference"],
                actor=request.viewer.actor,
                now=now,
            )
        except Refusal as caught:
            refusal = _beside(form, caught)
        else:
            if case(case_id, now=now).announced_at == now:
                messages.success(request, _("Announced. The seller has been told, and can reply."))
            else:
                messages.info(
                    request,
                    _("This number was announced before. Nothing new was told to the seller."),
                )
            return HttpResponseRedirect(reverse("console:deduction", args=[case_id]))
    context = {"section": "deductions", "form": form, "refusal": refusal}
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, "console/deductions/announce.html", context, status=status)


@permission("deduction.decide")
@both
def take(request: StaffRequest, case_id: str) -> HttpResponse:
    """Take items, as another person than whoever announced them."""
    return _act(request, case_id, TAKE)


@permission("deduction.drop")
@both
def drop(request: StaffRequest, case_id: str) -> HttpResponse:
    """Take nothing."""
    return _act(request, case_id, DROP)


@permission("deduction.answer")
@both
def answer(request: StaffRequest, case_id: str) -> HttpResponse:
    """Decide an appeal, as a third person."""
    return _act(request, case_id, ANSWER)


def _act(request: StaffRequest, case_id: str, act: Act) -> HttpResponse:
    found = case(case_id, now=read_clock())
    is_sent = request.method == "POST"
    typed = request.POST if is_sent else kept_forms.take(request)
    form = _form(act, found, typed)
    refusal: Refusal | None = None
    if is_sent and form.is_valid():
        try:
            act.do(found, form.cleaned_data, request.viewer.actor, read_clock())
        except Refusal as caught:
            refusal = _beside(form, caught)
        else:
            messages.success(request, str(act.done))
            return HttpResponseRedirect(reverse("console:deduction", args=[case_id]))
        found = case(case_id, now=read_clock())
    context = _context(found) | {"form": form, "refusal": refusal, "act": act}
    context["is_involved"] = request.viewer.public_id in act.involved(found)
    context["is_possible"] = act.is_possible(found)
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, f"console/deductions/{act.name}.html", context, status=status)


def _form(act: Act, found: CaseView, typed: Mapping[str, Any] | None) -> CaseForm:
    """Before anybody has chosen: to take is proposed of all items, to give back of none."""
    initial = {"version": found.version}
    if issubclass(act.form, ItemsForm):
        numbers = [one.number for one in found.items] if act is TAKE else []
        return act.form(typed, initial={**initial, "numbers": numbers}, case=found)
    return act.form(typed, initial=initial)


def _beside(form: Any, refusal: Refusal) -> Refusal:  # noqa: ANN401 - any form
    """A refusal that is about one field stands beside it too."""
    if refusal.code in _FIELDS and _FIELDS[refusal.code] in form.fields:
        form.add_error(_FIELDS[refusal.code], _(refusal.message))
    return refusal


def _context(found: CaseView) -> dict[str, object]:
    people = {found.announced_by, found.replied_by, found.decided_by} - {""}
    people |= {found.appealed_by, found.answered_by} - {""}
    names = display_names(user_ids=people)
    return {
        "section": "deductions",
        "now": read_clock(),
        "case": found,
        "shop": find_shop_by_key(shop_key=found.shop_key),
        **_reach(found),
        "state": _state(found),
        "purpose": words.PURPOSES[found.purpose],
        "reply": words.REPLIES[found.reply] if found.reply else "",
        "announced_by": names.get(found.announced_by, found.announced_by),
        "decided_by": names.get(found.decided_by, found.decided_by),
        "replied_by": names.get(found.replied_by, found.replied_by),
        "appealed_by": names.get(found.appealed_by, found.appealed_by),
        "answered_by": names.get(found.answered_by, found.answered_by),
    }


def _reach(found: CaseView) -> dict[str, object]:
    """How much there is for it: free or set aside for it, and in applications of the same deposit."""
    summary = deposit(found.account_id)
    aside = set_aside_of(account_id=found.account_id, kind=HoldKind.DEDUCTION)
    for_this = aside.get(found.case_id, Money.zero(summary.currency))
    in_applications = summary.frozen - sum(aside.values(), Money.zero(summary.currency))
    return {"reach": summary.available + for_this, "in_applications": in_applications}


def _state(found: CaseView) -> Word:
    return words.HEARD if found.can_be_taken else words.STATES[found.state]


def _acts(found: CaseView, viewer: Viewer) -> list[tuple[Act, str]]:
    return [
        (act, reverse(f"console:{act.name}_deduction", args=[found.case_id]))
        for act in ACTS
        if act.is_possible(found)
        and may(viewer, act.permission, None)
        and viewer.public_id not in act.involved(found)
    ]


def _waits_for(found: CaseView) -> str:
    """Who is next, for those who can do nothing about it."""
    if found.can_reply:
        return _("The seller can reply. Nothing is taken before that, or before the time is over.")
    if found.can_be_taken:
        return _("An approver who did not announce it decides.")
    if found.can_be_answered:
        return _("Somebody who had no part in it decides the appeal.")
    return ""


def _chosen(chosen: str, now: dt.datetime) -> tuple[CaseView, ...]:
    announced = frozenset({CaseState.ANNOUNCED})
    match chosen:
        case "waiting":
            return cases(states=announced, heard=False, now=now)
        case "appealed":
            return cases(states=frozenset({CaseState.APPEALED}), now=now)
        case "done":
            return cases(states=DONE, now=now)
        case _:
            return cases(states=announced, heard=True, now=now)


def _tabs(chosen: str, now: dt.datetime) -> list[Tab]:
    counts = case_counts(now=now)
    named = ("waiting", "appealed", "done")
    return [
        Tab(_("To decide"), "?", counts.to_decide, chosen not in named),
        Tab(_("Waits for the seller"), "?state=waiting", counts.awaiting_reply, chosen == named[0]),
        Tab(_("Appeals"), "?state=appealed", counts.appealed, chosen == named[1]),
        Tab(_("Done"), "?state=done", "", chosen == named[2]),
    ]
