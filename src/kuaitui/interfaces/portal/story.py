"""An application as its seller follows it: what happened, what is going on, what comes."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from kuaitui.channels.port import NeededAction
from kuaitui.interfaces.portal import words
from kuaitui.interfaces.portal.words import StateWords, Words
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import LegProgress, PayoutProgress
from kuaitui.payouts.states import LegState
from kuaitui.refunds.queries import ApplicationSummary, ApplicationView
from kuaitui.refunds.states import MoneyPlace, NextActor, SellerAct, State
from kuaitui.refunds.types import RejectReason, Standing, TimelineEvent


@dataclass(frozen=True, slots=True)
class Step:
    """One step from the first to the last; `state` is how it is drawn."""

    state: str
    title: Words
    at: dt.datetime | None = None
    by: dt.date | None = None
    is_later: bool = False
    """The day it was planned for cannot be kept; a day that is over is no promise."""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LegLine:
    """One part of the payment, at the bank."""

    leg: LegProgress
    tone: str
    word: Words


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place where money of an application is; how much of it, if not all."""

    place: Words
    amount: Money | None = None


class Stage(enum.Enum):
    """How far the payment of an application has come, while it is being paid."""

    PREPARED = "nothing was ever sent"
    PREPARED_AGAIN = "what was sent came back, and what takes its place has not left"
    IN_PART = "some parts have left"
    STUCK = "a part waits for somebody at the marketplace"
    SENT = "all of it has left"


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
    told_last: Words = ""
    for event in application.timeline:
        if event.code in words.EVENTS_INSIDE:
            continue
        title = _title_of(event, application)
        # A payment in parts is told once, not part by part: the parts have a list of their own.
        if title == told_last:
            continue
        told_last = title
        told = str(event.details.get("text", "")) if event.code in _TOLD else ""
        yield Step(
            _PAST_LOOKS.get(event.code, "done"),
            title,
            at=event.at,
            notes=(told,) if told else (),
        )


def _title_of(event: TimelineEvent, application: ApplicationView) -> Words:
    is_held = event.code == "delayed" and not _was_with_the_bank(event, application)
    return words.HELD if is_held else words.EVENTS[event.code]


def _was_with_the_bank(delay: TimelineEvent, application: ApplicationView) -> bool:
    """Whether the bank is who did not answer: it had the part, and nobody took it aside."""
    legs = application.payout.legs if application.payout else ()
    sent_at = {leg.leg_id: leg.sent_at for leg in legs}.get(str(delay.details.get("leg")))
    is_sent = sent_at is not None and sent_at <= delay.at
    return is_sent and delay.details.get("reason") not in _HELD_BY


# Taken aside by the machine, or not taken by the channel: it never went on its way.
_HELD_BY = frozenset({"set_aside", "failed_retryable", "not_sent", "rejected_config"})
_TOLD = frozenset(
    {
        "information_requested",
        "information_provided",
        "appealed",
        "appeal_granted",
        "appeal_dismissed",
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
    is_later = application.is_late or (
        application.eta.standing is not Standing.KEPT
        and application.state_facts.next_actor is not NextActor.SELLER
    )
    by = None if is_later else application.due_on
    return Step(look, _present_title(application), by=by, is_later=is_later)


def _present_title(application: ApplicationView) -> Words:
    if is_being_asked(application):
        return words.BEING_ASKED
    # What the bank did is told among what happened; the present is what is to be done.
    if application.state is State.RETURNED:
        return words.SELLER_ACTS[SellerAct.REPAIR_DESTINATION]
    is_with_the_bank = stage_of(application) is Stage.SENT
    return words.AT_WORK if is_with_the_bank else words_of(application).heading


def _future(application: ApplicationView) -> list[Words]:
    bank: list[Words] = [words.SENT_OFF, words.PAID_OUT]
    second = [words.CONFIRMED] if application.requires_second_approval else []
    match application.state:
        case State.PAYING:
            has_left = stage_of(application) not in {Stage.PREPARED, Stage.PREPARED_AGAIN}
            return [words.PAID_OUT] if has_left else bank
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
    legs = application.payout.standing_legs if application.payout else ()
    return [LegLine(leg, *_word_of(leg)) for leg in legs]


def _word_of(leg: LegProgress) -> tuple[str, Words]:
    if leg.is_closed_out:
        return words.LEG_CLOSED_OUT
    action = leg.needed_action
    return words.NEEDED_ACTIONS[action] if action else words.LEG_STATES[leg.state]


def is_being_asked(application: ApplicationView) -> bool:
    """Whether the bank took an order and nobody knows yet what became of it."""
    return any(line.leg.state is LegState.UNKNOWN for line in legs_of(application))


def stage_of(application: ApplicationView | ApplicationSummary) -> Stage | None:
    """How far its payment has come; None where it is not being paid."""
    payout = application.payout
    if application.state is not State.PAYING or payout is None:
        return None
    if any(leg.needed_action in _FOR_STAFF for leg in payout.standing_legs):
        return Stage.STUCK
    sent_count, legs_count = _sent_of(payout)
    if not sent_count:
        goes_again = any(leg.is_replaced and leg.sent_at for leg in payout.legs)
        return Stage.PREPARED_AGAIN if goes_again else Stage.PREPARED
    return Stage.SENT if sent_count == legs_count else Stage.IN_PART


_FOR_STAFF = frozenset({NeededAction.ABNORMAL_REFUND, NeededAction.MISSING_BANK_DETAILS})


def _sent_of(payout: PayoutProgress) -> tuple[int, int]:
    legs = [leg for leg in payout.standing_legs if not leg.is_closed_out]
    return sum(leg.left_at is not None for leg in legs), len(legs)


def words_of(application: ApplicationView | ApplicationSummary) -> StateWords:
    """What its state is called. Nothing is said to be with the bank before it was sent."""
    if application.state is State.REJECTED:
        return _words_of_rejected(application)
    match stage_of(application), application.payout:
        case Stage.PREPARED, _:
            return words.BEING_PREPARED
        case Stage.PREPARED_AGAIN, _:
            return words.BEING_PREPARED_AGAIN
        case Stage.STUCK, _:
            return words.STUCK
        case Stage.IN_PART, PayoutProgress() as payout:
            return words.sent_in_part(*_sent_of(payout))
        case _:
            return words.state_of(application.state)


def _words_of_rejected(application: ApplicationView | ApplicationSummary) -> StateWords:
    rejection = application.rejection if isinstance(application, ApplicationView) else None
    if rejection is not None and rejection.reasons == (RejectReason.DEPOSIT_DEDUCTED,):
        return words.DEDUCTED_AWAY
    can_appeal = application.due_at is not None
    return words.state_of(State.REJECTED) if can_appeal else words.REJECTED_FOR_GOOD


def money_of(application: ApplicationView) -> list[Whereabouts]:
    """Where its money is: in one place, or part by part in several."""
    legs = application.payout.standing_legs if application.payout else ()
    sums: dict[str, Money] = {}
    for leg in legs:
        place = str(_place_of(leg))
        sums[place] = sums[place] + leg.amount if place in sums else leg.amount
    if len(sums) > 1:
        return [Whereabouts(place, amount) for place, amount in sums.items()]
    whole = next(iter(sums), None) or words.MONEY_PLACES[application.state_facts.money]
    return [Whereabouts(whole)]


def _place_of(leg: LegProgress) -> Words:
    if leg.needed_action in _FOR_STAFF:
        return words.STUCK_ON_THE_WAY
    if leg.needed_action is NeededAction.USER_CONFIRM:
        return words.AT_CHANNEL_UNCONFIRMED
    if leg.state is LegState.READY:
        return words.NOT_YET_SENT
    if leg.is_closed_out:
        return words.MONEY_PLACES[MoneyPlace.DEPOSIT_AVAILABLE]
    return words.MONEY_PLACES[_PLACES.get(leg.state, MoneyPlace.WITH_CHANNEL)]


_PLACES = {
    LegState.PAID: MoneyPlace.SELLER_ACCOUNT,
    LegState.RETURNED: MoneyPlace.DEPOSIT_FROZEN,
    LegState.FAILED: MoneyPlace.DEPOSIT_FROZEN,
    LegState.CANCELLED: MoneyPlace.DEPOSIT_AVAILABLE,
}


def next_of(application: ApplicationView) -> Words:
    """Who is to act. What has not left, or is stuck, waits for the marketplace and no bank."""
    if stage_of(application) in {None, Stage.SENT}:
        return words.NEXT_ACTORS[application.state_facts.next_actor]
    return words.THE_MARKETPLACE


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
    days = f"{application.eta.standing}{application.eta.arrives_by}"
    return f"{application.version}-{application.state}-{int(application.is_late)}-{days}-{legs}"
