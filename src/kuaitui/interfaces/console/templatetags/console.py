"""Words, clocks and marks of the staff's pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from kuaitui.accounts.rules import may
from kuaitui.accounts.types import Role, Viewer
from kuaitui.channels.port import NeededAction
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import Route, StatementKind
from kuaitui.interfaces.console import suspense_words, words
from kuaitui.interfaces.console.aside_words import why_aside
from kuaitui.interfaces.console.bank_words import BANK_REASONS
from kuaitui.interfaces.console.calls import CallRun, runs_of
from kuaitui.interfaces.console.cause_words import CAUSES
from kuaitui.interfaces.console.clocks import Clock, clock, spell
from kuaitui.interfaces.console.words import Risk, Word
from kuaitui.kit.channel_names import name_of_channel
from kuaitui.payouts.queries import AttemptRecord
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import ALL_CHANNELS, AttemptKind, AttemptOutcome, LimitScope
from kuaitui.policy.types import RefundKind, Standing
from kuaitui.refunds.states import State
from kuaitui.refunds.types import Reason, RejectReason

register = template.Library()


@register.filter
def role_word(role: Role) -> str | Promise:
    """What this role is called."""
    return words.ROLES[role]


@register.filter
def allowed(viewer: Viewer, permission: str) -> bool:
    """Whether this person may do that, whatever shop it is about."""
    return may(viewer, permission, None)


@register.filter
def state_word(state: State) -> Word:
    """What a state of an application is called."""
    return words.STATES[state]


@register.filter
def leg_word(state: LegState) -> Word:
    """What a state of a payout's leg is called."""
    return words.LEG_STATES[state]


@register.filter
def attempt_word(kind: AttemptKind) -> str | Promise:
    """What sort of call it was."""
    return words.ATTEMPT_KINDS[kind]


@register.filter
def action_word(action: NeededAction) -> str | Promise:
    """For what a channel waits for a person."""
    return words.NEEDED_ACTIONS[action][0]


@register.filter
def action_meaning(action: NeededAction) -> str | Promise:
    """What that means."""
    return words.NEEDED_ACTIONS[action][1]


@register.filter
def runs(calls: Iterable[AttemptRecord]) -> list[CallRun]:
    """The calls about a payment, those in a row that came to the same as one."""
    return runs_of(calls)


@register.filter
def outcome_word(outcome: AttemptOutcome) -> Word:
    """What a call came to."""
    return words.ATTEMPT_OUTCOMES[outcome]


@register.filter
def reject_word(reason: str) -> str | Promise:
    """Why an application is rejected."""
    return words.REJECT_REASONS[RejectReason(reason)]


@register.filter
def evidence_word(kind: str) -> str | Promise:
    """What sort of thing a finding points at."""
    return words.EVIDENCE.get(kind, kind)


@register.filter(name="clock")
def clock_filter(due_at: dt.datetime | None, now: dt.datetime) -> Clock | None:
    """The clock of a deadline."""
    return clock(due_at, now)


@register.filter
def deadline(due_at: dt.datetime) -> str:
    """A deadline in figures. One at midnight ends the day before, as the seller was told it.

    `2026-12-03 24:00` is what a seller reads as “by 3 December”.
    """
    local = timezone.localtime(due_at)
    if local.time() != dt.time():
        return f"{local:%Y-%m-%d %H:%M}"
    return f"{local.date() - dt.timedelta(days=1):%Y-%m-%d} 24:00"


@register.filter
def age(since: dt.datetime | None, now: dt.datetime) -> str:
    """How long ago, in its largest unit."""
    return spell(now - since) if since else ""


@register.filter
def kind_word(kind: str) -> str | Promise:
    """What is asked back."""
    return words.KINDS[RefundKind(kind)]


@register.filter
def reason_word(reason: Reason) -> str | Promise:
    """Why the seller asks."""
    return words.REASONS[reason]


@register.filter
def standing_word(standing: str) -> str | Promise:
    """How the marketplace regards the shop."""
    return words.STANDINGS[Standing(standing)]


@register.filter
def suspense_word(state: SuspenseState) -> Word:
    """How a payment without a place stands."""
    return suspense_words.STATES[state]


@register.filter
def movement_word(kind: StatementKind) -> str | Promise:
    """What happened to the money."""
    return words.MOVEMENTS[kind]


@register.filter
def route_word(route: str) -> str | Promise:
    """Which way the money goes."""
    return words.ROUTES[Route(route)]


@register.filter
def fact_word(status: str) -> str | Promise:
    """A status the marketplace reports."""
    return words.FACTS.get(status, status)


@register.filter
def risk_word(risk: Risk) -> str | Promise:
    """Why one should look closer."""
    return words.RISKS[risk]


@register.filter
def channel_word(channel: str) -> str | Promise:
    """A channel's name; the star is all of them."""
    return _("All channels") if channel == ALL_CHANNELS else name_of_channel(channel)


@register.filter
def limit_word(scope: LimitScope) -> str | Promise:
    """What a limit is a limit of."""
    return words.LIMIT_SCOPES[scope]


@register.filter
def named(user_id: str, names: dict[str, str]) -> str:
    """Somebody's name; of whom none is known, the id."""
    return names.get(user_id, user_id)


@register.filter
def code_word(code: str) -> str | Promise:
    """What a channel waits for in words, a known reason with its code, other codes as they are."""
    known = {action.value: word for action, (word, _meaning) in words.NEEDED_ACTIONS.items()}
    reason = BANK_REASONS.get(code) or CAUSES.get(code)
    if reason is not None:
        return _("%(reason)s (%(code)s)") % {"reason": reason, "code": code}
    return known.get(code, code)


@register.filter
def aside_why(reason: str) -> str | Promise:
    """Why something was set aside."""
    return why_aside(reason)[0]


@register.filter
def aside_check(reason: str) -> str | Promise:
    """What to look at before it goes on."""
    return why_aside(reason)[1]


@register.filter
def wait_word(reason: str) -> str | Promise:
    """Why a part is not sent; what no word is written for is shown as it is."""
    known = {waits_for.value: word for waits_for, word in words.WAITS_FOR.items()}
    return known.get(reason, reason)
