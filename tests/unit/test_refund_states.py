"""The one definition of states holds together."""

from __future__ import annotations

import pytest

from kuaitui.refunds.states import (
    BOUND,
    FACTS,
    OPEN,
    TRANSITIONS,
    MoneyPlace,
    NextActor,
    SellerAct,
    State,
    may_move,
)
from tests.support.state_document import DOCUMENT, document

ENDED = frozenset(State) - OPEN - {State.DRAFT}


def reachable(source: State) -> frozenset[State]:
    seen = {source}
    while more := {target for state in seen for target in TRANSITIONS[state]} - seen:
        seen |= more
    return frozenset(seen)


def test_every_state_says_where_the_money_is_and_who_acts() -> None:
    assert set(FACTS) == set(TRANSITIONS) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_path_can_end(state: State) -> None:
    assert reachable(state) & ENDED


def test_every_state_is_reachable_from_a_draft() -> None:
    assert reachable(State.DRAFT) == frozenset(State)


@pytest.mark.parametrize("state", State)
def test_open_applications_hold_the_money_and_ended_ones_do_not(state: State) -> None:
    is_held = FACTS[state].money in {MoneyPlace.DEPOSIT_FROZEN, MoneyPlace.WITH_CHANNEL}

    assert is_held == (state in OPEN)


def test_an_approval_stands_only_from_the_first_approver_to_the_bank() -> None:
    assert {
        State.AWAITING_SECOND_APPROVAL,
        State.APPROVED,
        State.PAYING,
        State.PAID,
    } == BOUND


def test_no_state_pays_without_having_been_approved() -> None:
    assert {s for s in State if State.PAYING in TRANSITIONS[s]} == {State.APPROVED}
    approving = {s for s in State if State.APPROVED in TRANSITIONS[s]}
    assert approving == {State.CHECKING, State.IN_REVIEW, State.AWAITING_SECOND_APPROVAL}


@pytest.mark.parametrize("state", State)
def test_whoever_acts_next_has_something_to_do(state: State) -> None:
    facts = FACTS[state]
    match facts.next_actor:
        case NextActor.SELLER:
            assert facts.seller_acts
        case NextActor.REVIEWER | NextActor.SECOND_APPROVER:
            assert facts.staff_acts
        case _:
            assert not facts.staff_acts


@pytest.mark.parametrize("state", State)
def test_a_seller_can_withdraw_only_where_a_withdrawal_leads_somewhere(state: State) -> None:
    assert (SellerAct.WITHDRAW in FACTS[state].seller_acts) == (
        State.WITHDRAWN in TRANSITIONS[state]
    )


def test_staying_is_always_a_legal_move() -> None:
    assert all(may_move(state, state) for state in State)
    assert not may_move(State.PAID, State.IN_REVIEW)


def test_the_page_about_states_is_in_step() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")

    assert written == document(), "run: python -m tests.support.state_document"
