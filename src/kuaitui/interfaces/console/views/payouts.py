"""The payouts monitor: what is on its way, what has no result yet, stop and release.

Nothing here sends. A part whose result is open can be asked after and in no way sent again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kuaitui.accounts.rules import Permission, may
from kuaitui.channels.registry import ChannelUnknown
from kuaitui.interfaces.console import words
from kuaitui.interfaces.console.asides import asides
from kuaitui.interfaces.console.clocks import spell
from kuaitui.interfaces.console.forms import ConfirmSwitchForm, FindingForm, SwitchForm
from kuaitui.interfaces.console.people import names_of
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.tables import Tab, Tile, page_number, pages
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of
from kuaitui.payouts.operations import (
    confirm_resume,
    propose_resume,
    release_leg,
    request_query_now,
    stop_sending,
)
from kuaitui.payouts.queries import (
    AttemptRecord,
    KillSwitch,
    PayoutsOverview,
    attempts,
    current_hold,
    kill_switches,
    leg,
    legs_in_monitor,
    openings,
    overview,
)
from kuaitui.payouts.states import ASKABLE, LegState
from kuaitui.payouts.types import ALL_CHANNELS, AttemptOutcome

LEGS_PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class View:
    """One tab of the monitor."""

    name: str
    word: object
    states: tuple[LegState, ...] = ()
    only_needing_people: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One way to turn a kill switch, in words and in deed."""

    name: str
    form: type[SwitchForm] | type[ConfirmSwitchForm]
    heading: object
    label: object
    tone: str
    consequence: object
    done: object
    act: Callable[[str, str, Actor, dt.datetime], None]


def _stop(channel: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    stop_sending(channel=channel, reason=reason, actor=actor, now=now)


def _propose(channel: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    propose_resume(channel=channel, reason=reason, actor=actor, now=now)


def _confirm(channel: str, _reason: str, actor: Actor, now: dt.datetime) -> None:
    confirm_resume(channel=channel, actor=actor, now=now)


STOP: Final = Turn(
    "stop",
    SwitchForm,
    gettext_lazy("Stop sending"),
    gettext_lazy("Stop sending now"),
    "danger",
    gettext_lazy(
        "No new money leaves from now on. What has left is asked after as ever. "
        "Sellers see that their payout takes longer."
    ),
    gettext_lazy("Sending is stopped."),
    _stop,
)
PROPOSE: Final = Turn(
    "propose",
    SwitchForm,
    gettext_lazy("Propose to release sending"),
    gettext_lazy("Propose the release"),
    "primary",
    gettext_lazy("Sending stays stopped until a second person confirms."),
    gettext_lazy("The release is proposed. A second person confirms it."),
    _propose,
)
CONFIRM: Final = Turn(
    "confirm",
    ConfirmSwitchForm,
    gettext_lazy("Release sending"),
    gettext_lazy("Release sending now"),
    "primary",
    gettext_lazy("Everything that waits is sent, the longest waiting first."),
    gettext_lazy("Sending runs."),
    _confirm,
)
TABS: Final = (
    View("people", words.NEEDS_PEOPLE, only_needing_people=True),
    View("unknown", words.LEG_STATES[LegState.UNKNOWN], (LegState.UNKNOWN, LegState.SENDING)),
    View("waiting", words.LEG_STATES[LegState.READY], (LegState.READY,)),
    View(
        "channel", words.LEG_STATES[LegState.ACCEPTED], (LegState.ACCEPTED, LegState.NEEDS_ACTION)
    ),
    View("back", words.CAME_BACK, (LegState.RETURNED, LegState.FAILED)),
    View("paid", words.LEG_STATES[LegState.PAID], (LegState.PAID,)),
)


@permission("payout.view")
@require_safe
def monitor(request: StaffRequest) -> HttpResponse:
    """Everything on its way, the oldest unknown first."""
    now = read_clock()
    found = overview(now=now)
    view = next((tab for tab in TABS if tab.name == request.GET.get("state")), TABS[0])
    page = page_number(request)
    legs = legs_in_monitor(
        states=view.states,
        only_needing_people=view.only_needing_people,
        limit=LEGS_PER_PAGE + 1,
        offset=(page - 1) * LEGS_PER_PAGE,
    )
    newer, older = pages(request, page, has_more=len(legs) > LEGS_PER_PAGE)
    context = {
        "section": "payouts",
        "now": now,
        "tiles": _tiles(found, now),
        "switches": _switches(found),
        "hold": current_hold(),
        "tabs": [_tab(tab, view, found) for tab in TABS],
        "legs": legs[:LEGS_PER_PAGE],
        "askable": ASKABLE,
        "newer": newer,
        "older": older,
        **_rights(request),
    }
    return render(request, "console/payouts/monitor.html", context)


@permission("payout.view")
@require_safe
def leg_page(request: StaffRequest, leg_id: str) -> HttpResponse:
    """One part with every call ever made about it."""
    found, opened = leg(leg_id), openings(leg_id, now=read_clock())
    decided, calls = opened.intervention, attempts(leg_id)
    context = {
        "section": "payouts",
        "now": read_clock(),
        "leg": found,
        "attempts": calls,
        "is_wanted_again": found.state is LegState.ACCEPTED and _is_wanted_again(calls),
        "openings": opened,
        "names": names_of(opened),
        "is_excluded": decided is not None and decided.excludes(request.viewer.actor.id),
        "askable": ASKABLE,
        **_rights(request),
    }
    return render(request, "console/payouts/leg.html", context)


def _is_wanted_again(calls: Sequence[AttemptRecord]) -> bool:
    answers = [call.outcome for call in calls if call.outcome is not None]
    return answers[-1:] == [AttemptOutcome.WANTS_AGAIN]


@permission("payout.query")
@require_POST
def ask_channel(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Let the channel be asked at once. A question, never a second payment."""
    if request_query_now(leg_id=leg_id, actor=request.viewer.actor, now=read_clock()):
        messages.success(request, _("The channel will be asked now. Load the page in a moment."))
    else:
        messages.info(request, _("There is nothing to ask about this part."))
    return HttpResponseRedirect(reverse("console:leg", args=[leg_id]))


@permission("payout.hold")
@require_http_methods(["GET", "HEAD", "POST"])
def put_back(request: StaffRequest, leg_id: str) -> HttpResponse:
    """Put a part that was set aside back into the machine, after a look at why it was."""
    found = leg(leg_id)
    typed = request.POST if request.method == "POST" else kept_forms.take(request)
    form = FindingForm(typed)
    if request.method == "POST" and form.is_valid():
        release_leg(
            leg_id=leg_id,
            actor=request.viewer.actor,
            reason=form.cleaned_data["reason"],
            now=read_clock(),
        )
        messages.success(request, _("This part goes on from where it stood."))
        return HttpResponseRedirect(reverse("console:leg", args=[leg_id]))
    context = {"section": "payouts", "leg": found, "form": form}
    status = 422 if request.method == "POST" else 200
    return render(request, "console/payouts/put_back.html", context, status=status)


@permission("payout.hold")
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: StaffRequest) -> HttpResponse:
    """Stop sending, after a look at what that means."""
    return _turn(request, STOP)


@permission("payout.hold")
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: StaffRequest) -> HttpResponse:
    """Release sending: one person says why it may go on, another confirms it."""
    channel = _channel_of(request)
    switch = next((one for one in kill_switches() if one.channel == channel), None)
    proposer = switch.release_proposed_by if switch else ""
    is_mine = proposer in {"", request.viewer.actor.id}
    # What was on the page is done, not what has become possible since.
    step = request.POST.get("step", "")
    is_proposal = is_mine if request.method != "POST" else step != CONFIRM.name
    return _turn(request, PROPOSE if is_proposal else CONFIRM, switch)


def _turn(request: StaffRequest, turn: Turn, switch: KillSwitch | None = None) -> HttpResponse:
    now = read_clock()
    channel = _channel_of(request)
    typed = request.POST if request.method == "POST" else kept_forms.take(request)
    form = turn.form(typed, initial={"channel": channel, "step": turn.name})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            turn.act(channel, form.cleaned_data.get("reason", ""), request.viewer.actor, now)
        except Refusal as found:
            refusal = found
        else:
            messages.success(request, str(turn.done))
            return HttpResponseRedirect(reverse("console:payouts"))
    context: dict[str, object] = {"turn": turn, "section": "payouts", "switch": switch}
    context |= _turn_counts(channel, now)
    context |= {"form": form, "channel": channel, "refusal": refusal}
    status = status_of(refusal) if refusal else 422 if request.method == "POST" else 200
    return render(request, "console/payouts/switch.html", context, status=status)


def _channel_of(request: HttpRequest) -> str:
    asked = request.POST if request.method == "POST" else request.GET
    channel = asked.get("channel", ALL_CHANNELS)
    if channel not in _channels():
        raise ChannelUnknown(channel=channel[:40])
    return channel


def _turn_counts(channel: str, now: dt.datetime) -> dict[str, int]:
    counts = [
        count for count in overview(now=now).counts if channel in {ALL_CHANNELS, count.channel}
    ]
    waiting = sum(count.legs_count for count in counts if count.state is LegState.READY)
    begun = {LegState.SENDING, LegState.UNKNOWN, LegState.ACCEPTED, LegState.NEEDS_ACTION}
    return {
        "waiting_count": waiting,
        "open_count": sum(count.legs_count for count in counts if count.state in begun),
    }


def _rights(request: StaffRequest) -> dict[str, bool]:
    return {
        "may_query": may(request.viewer, Permission.PAYOUT_QUERY, None),
        "may_hold": may(request.viewer, Permission.PAYOUT_HOLD, None),
        "may_intervene": may(request.viewer, Permission.PAYOUT_INTERVENE, None),
        "may_confirm": may(request.viewer, Permission.PAYOUT_CONFIRM, None),
    }


def _channels() -> tuple[str, ...]:
    return (ALL_CHANNELS, *settings.KUAITUI_CHANNELS)


def _switches(found: PayoutsOverview) -> list[KillSwitch | dict[str, object]]:
    turned = {switch.channel: switch for switch in found.switches}
    return [
        turned.get(channel, {"channel": channel, "is_stopped": False}) for channel in _channels()
    ]


def _count(found: PayoutsOverview, *states: LegState) -> int:
    return sum(count.legs_count for count in found.counts if count.state in states)


def _tiles(found: PayoutsOverview, now: dt.datetime) -> list[Tile]:
    address = reverse("console:payouts")
    unknown = _count(found, LegState.UNKNOWN, LegState.SENDING)
    oldest = found.oldest_unknown_since
    aside_count = len(asides())
    return [
        Tile(
            _("Result unknown"),
            unknown,
            f"{address}?state=unknown",
            "act" if unknown else "",
            _("oldest %(age)s") % {"age": spell(now - oldest)} if oldest else "",
        ),
        Tile(
            _("Set aside for a person"),
            aside_count,
            reverse("console:set_aside"),
            "act" if aside_count else "",
        ),
        Tile(_("At the channel"), _count(found, LegState.ACCEPTED), f"{address}?state=channel"),
        Tile(
            _("Ready to send"),
            _count(found, LegState.READY),
            f"{address}?state=waiting",
            "",
            _("%(count)d to send or ask about now") % {"count": found.due_count},
        ),
        Tile(
            _("Came back or failed"),
            _count(found, LegState.RETURNED, LegState.FAILED),
            f"{address}?state=back",
        ),
    ]


def _tab(tab: View, chosen: View, found: PayoutsOverview) -> Tab:
    count = "" if tab.only_needing_people else _count(found, *tab.states)
    return Tab(str(tab.word), f"?state={tab.name}", count=count, is_current=tab is chosen)
