"""An application as its seller follows it: what happened, what is going on, what comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from kuaitui.interfaces.portal import words
from kuaitui.interfaces.portal.words import StateWords, Words
from kuaitui.payouts.queries import LegProgress
from kuaitui.payouts.states import LegState
from kuaitui.refunds.queries import ApplicationView
from kuaitui.refunds.states import NextActor, SellerAct, State


@dataclass(frozen=True, slots=True)
class Step:
    """One step from the first to the last; `state` is how it is drawn."""

    state: str
    title: Words
    at: dt.datetime | None = None
    by: dt.date | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LegLine:
    """One part of the payment, at the bank."""

    leg: LegProgress
    tone: str
    word: Words


# The order in which buttons are offered, and whether one is the thing to do now.
ACTS_IN_ORDER = (
    SellerAct.PROVIDE_INFORMATION,
    SellerAct.REPAIR_DESTINATION,
    SellerAct.APPEAL,
    SellerAct.APPLY_AGAIN,
    SellerAct.WITHDRAW,
)
_DONE_IN = frozenset({State.PAID, State.WITHDRAWN, State.EXPIRED, State.REJECTED, State.CLOSED_OUT})


def steps_of(application: ApplicationView) -> list[Step]:
    """The past line by line, the present, and what is still to come."""
    steps = list(_past(application))
    if application.state in _DONE_IN:
        return steps
    steps.append(_present(application))
    steps += [Step("upcoming", title) for title in _future(application)]
    return steps


def _past(application: ApplicationView) -> Iterator[Step]:
    told_last = ""
    for event in application.timeline:
        # A payment in parts is told once, not part by part: the parts have a list of their own.
        if event.code in words.EVENTS_INSIDE or event.code == told_last:
            continue
        told_last = event.code
        told = str(event.details.get("text", "")) if event.code in _TOLD else ""
        yield Step(
            _PAST_LOOKS.get(event.code, "done"),
            words.EVENTS[event.code],
            at=event.at,
            notes=(told,) if told else (),
        )


_TOLD = frozenset(
    {
        "information_requested",
        "information_provided",
        "appealed",
        "repair_refused",
        "closed_out",
    }
)
_PAST_LOOKS = {
    "delayed": "asked",
    "rejected": "failed",
    "returned": "failed",
    "payout_failed": "failed",
    "repair_refused": "failed",
    "repair_reminded": "asked",
    "closed_out": "failed",
    "appeal_dismissed": "failed",
    "expired": "failed",
}


def _present(application: ApplicationView) -> Step:
    look = "late" if application.is_late else "current"
    look = "act" if application.state_facts.next_actor is NextActor.SELLER else look
    heading = words.BEING_ASKED if is_being_asked(application) else words_of(application).heading
    return Step(look, heading, by=application.due_on)


def _future(application: ApplicationView) -> list[Words]:
    bank: list[Words] = [words.AT_THE_BANK, words.PAID_OUT]
    second = [words.CONFIRMED] if application.requires_second_approval else []
    match application.state:
        case State.PAYING:
            is_sent = application.payout is not None and application.payout.is_sent
            return [words.PAID_OUT] if is_sent else bank
        case State.APPROVED | State.AWAITING_SECOND_APPROVAL:
            return bank
        case State.IN_REVIEW | State.APPEALED | State.DESTINATION_REPAIRED:
            return [*second, *bank]
        case State.RETURNED:
            return [words.NEW_ACCOUNT, *second, *bank]
        case _:
            return [words.REVIEWED, *second, *bank]


def legs_of(application: ApplicationView) -> list[LegLine]:
    """The parts of the payment that count, none that another took the place of."""
    legs = application.payout.legs if application.payout else ()
    return [LegLine(leg, *_word_of(leg)) for leg in legs if not leg.is_replaced]


def _word_of(leg: LegProgress) -> tuple[str, Words]:
    if leg.is_closed_out:
        return words.LEG_CLOSED_OUT
    action = leg.needed_action
    return words.NEEDED_ACTIONS[action] if action else words.LEG_STATES[leg.state]


def is_being_asked(application: ApplicationView) -> bool:
    """Whether the bank took an order and nobody knows yet what became of it."""
    return any(line.leg.state is LegState.UNKNOWN for line in legs_of(application))


def is_being_prepared(application: ApplicationView) -> bool:
    """Whether it is to be paid and no part of it has left: it can still be withdrawn."""
    payout = application.payout
    return application.state is State.PAYING and payout is not None and not payout.is_sent


def words_of(application: ApplicationView) -> StateWords:
    """What its state is called. Nothing is said to be with the bank before it was sent."""
    if is_being_prepared(application):
        return words.BEING_PREPARED
    return words.state_of(application.state)


def acts_of(application: ApplicationView) -> list[SellerAct]:
    """What the seller can do now, the most urgent first."""
    closed = {SellerAct.APPLY_AGAIN} if application.state is State.PAID else set()
    return [act for act in ACTS_IN_ORDER if act in application.seller_acts - closed]


def mark_of(application: ApplicationView) -> str:
    """Changes whenever the page would look different."""
    legs = "".join(
        f"{line.leg.state[:2]}{line.leg.needed_action or ''}{line.leg.bank_reference}"
        for line in legs_of(application)
    )
    return f"{application.version}-{application.state}-{int(application.is_late)}-{legs}"
