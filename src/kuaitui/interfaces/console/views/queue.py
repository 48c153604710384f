"""The queue: every application, narrowed by state, age, amount and risk, a page at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kuaitui.interfaces.console import words
from kuaitui.interfaces.console.forms import QueueForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.rows import lines
from kuaitui.interfaces.console.tables import Tab, trail
from kuaitui.interfaces.console.words import Risk
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import permission
from kuaitui.refunds.queries import QueueFilters, queue, work_list
from kuaitui.refunds.states import OPEN, State

ROWS_PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Section:
    """A tab of the queue: the states behind one word."""

    name: str
    word: object
    states: frozenset[State]


SECTIONS: Final = (
    Section("", gettext_lazy("All open"), OPEN),
    Section(
        "review",
        gettext_lazy("To review"),
        frozenset({State.IN_REVIEW, State.APPEALED, State.DESTINATION_REPAIRED}),
    ),
    Section(
        "second",
        gettext_lazy("Awaits second approval"),
        frozenset({State.AWAITING_SECOND_APPROVAL}),
    ),
    Section("asked", gettext_lazy("Seller was asked"), frozenset({State.MORE_INFORMATION})),
    Section("payout", gettext_lazy("Payout"), frozenset({State.APPROVED, State.PAYING})),
    Section("returned", gettext_lazy("Returned"), frozenset({State.RETURNED})),
    Section(
        "done",
        gettext_lazy("Done"),
        frozenset({State.PAID, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.CLOSED_OUT}),
    ),
)


@permission("case.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """Applications that fit, the oldest first."""
    now = read_clock()
    form = QueueForm(request.GET)
    name = request.GET.get("state", "")
    filters = _filters(form, name, now) if form.is_valid() else QueueFilters(states=_states(name))
    page = queue(
        filters=filters, after=request.GET.get("after") or None, limit=ROWS_PER_PAGE, now=now
    )
    newer, older = trail(request, page.next)
    context = {
        "section": "queue",
        "now": now,
        "form": form,
        "tabs": _tabs(request, name, now),
        "rows": lines(page.rows),
        "heading": _("Applications"),
        "is_filtered": any(request.GET.get(field) for field in form.fields),
        "state_name": name,
        "newer": newer,
        "older": older,
    }
    return render(request, "console/queue.html", context, status=200 if form.is_valid() else 422)


def _filters(form: QueueForm, name: str, now: dt.datetime) -> QueueFilters:
    typed = form.cleaned_data
    days = typed["age"] if typed["age"].isdigit() else ""
    return QueueFilters(
        states=_states(name),
        is_late=typed["age"] == "late",
        submitted_before=now - dt.timedelta(days=int(days)) if days else None,
        amount_from=typed["amount_from"],
        shop_key=typed["shop"],
        requires_second_approval=typed["risk"] == Risk.LARGE,
        needs_destination=typed["risk"] == Risk.DESIGNATED,
        way_back_closes=typed["risk"] == Risk.CLOSING,
    )


def _states(name: str) -> frozenset[State]:
    if name in set(State):
        return frozenset({State(name)})
    return next((section.states for section in SECTIONS if section.name == name), OPEN)


def _tabs(request: StaffRequest, name: str, now: dt.datetime) -> list[Tab]:
    counts = {
        count.state: count.count
        for count in work_list(viewer_id=request.viewer.public_id, now=now).counts
    }
    tabs = [
        Tab(
            label=str(section.word),
            href=f"?state={section.name}" if section.name else "?",
            # What is done grows for ever; nobody needs its number, and counting it would cost.
            count="" if section.name == "done" else sum(counts.get(s, 0) for s in section.states),
            is_current=section.name == name,
        )
        for section in SECTIONS
    ]
    if name in set(State):
        tabs.append(Tab(str(words.STATES[State(name)]), f"?state={name}", is_current=True))
    return tabs
