"""Closing a break by two people, with a reason, and with a journal where money is touched."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from django.db import connection

from kuaitui.kernel.actor import Actor
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.errors import (
    BookTooShort,
    BreakClosed,
    BreakNotProposed,
    BreakProposed,
    BreakUnknown,
    ClosingReasonMissing,
    ConfirmedByProposer,
    ProposalChanged,
    RemedyDoesNotFit,
)
from kuaitui.reconciliation.types import BreakState, Closing, Remedy
from tests.support import given, payouts_given
from tests.support.given import NOW
from tests.support.reconciliation_given import (
    DAY,
    TABLES,
    at,
    bill,
    breaks,
    bring,
    compare,
    compare_with,
    line,
    the_break,
)

pytestmark = pytest.mark.django_db


@dataclass
class Case:
    """One break, and two people."""

    maker: Actor = field(default_factory=given.reviewer)
    checker: Actor = field(default_factory=given.approver)

    def __post_init__(self) -> None:
        self.break_id = the_break().break_id

    def propose(self, remedy: Remedy = Remedy.EXPLAIN, **changes: object) -> None:
        values = {"version": the_break().version, "reason": "seen at the bank", "actor": self.maker}
        operations.propose_closing(
            break_id=self.break_id, remedy=remedy, now=NOW, **values | changes
        )

    def confirm(self, **changes: object) -> None:
        values = {"version": the_break().version, "actor": self.checker}
        operations.confirm_closing(break_id=self.break_id, now=NOW, **values | changes)


def unknown_movement() -> Case:
    compare_with(line("other", "P1", "¥300"))
    return Case()


def overpaid(
    told: str = "¥4,000.50", *, deposit: str = "¥10,000", amount: str = "¥4,000"
) -> tuple[Case, payouts_given.World]:
    """The channel took more for a refund than we asked for, out of a deposit that holds more."""
    world = payouts_given.payout(amount, deposit_=deposit)
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    number = payouts.leg(world.leg_id).channel_number
    compare_with(line("refund", number, told))
    return Case(), world


def paid_twice(*, deposit: str = "¥10,000") -> tuple[Case, payouts_given.World]:
    world = payouts_given.payout("¥4,000", deposit_=deposit)
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    number = payouts.leg(world.leg_id).channel_number
    compare_with(line("refund", number, "¥4,000"), line("refund", number, "¥4,000"))
    return Case(), world


def last_audit() -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT content FROM audit_event WHERE stream_id = 'platform' ORDER BY event_no DESC LIMIT 1"
        )
        return json.loads(cursor.fetchone()[0])


def test_one_proposes_another_confirms_and_it_stays_closed() -> None:
    case = unknown_movement()

    case.propose()
    with given.nothing_moves_but_audit("ledger_book"):
        case.confirm()

    closed = queries.found_break(case.break_id)
    assert (closed.state, closed.closing) == (BreakState.CLOSED, Closing.BY_TWO)
    assert (closed.proposed_by, closed.confirmed_by) == (case.maker.id, case.checker.id)
    assert [step.what for step in queries.steps_of(case.break_id)] == [
        "found",
        "proposed",
        "closed",
    ]
    assert last_audit()["action"] == "reconciliation.break_closed"
    compare()
    assert breaks() == {}


def test_other_amounts_of_a_closed_break_are_another_break() -> None:
    case = unknown_movement()
    case.propose()
    case.confirm()
    again = bring(bill(line("other", "P1", "¥301")))
    operations.decide_file(
        file_id=again.file_id, is_taken=True, reason="issued again", actor=case.maker, now=NOW
    )

    compare()

    assert the_break().break_id != case.break_id


def test_what_the_channel_took_too_much_becomes_a_cost_once() -> None:
    case, world = overpaid()
    assert the_break().remedies == (Remedy.BOOK_CHANNEL_COST, Remedy.EXPLAIN)
    correction = the_break().correction(Remedy.BOOK_CHANNEL_COST)
    assert correction is not None
    assert (correction.debit, correction.credit) == (Account.CHANNEL_FEE, Account.AT_CHANNEL)
    before = ledger.balances(world.book_id)

    case.propose(Remedy.BOOK_CHANNEL_COST)
    assert ledger.balances(world.book_id) == before
    case.confirm()

    after = ledger.balances(world.book_id)
    assert after.of(Account.CHANNEL_FEE) == given.yuan("¥0.50")
    assert after.of(Account.AT_CHANNEL) == before.of(Account.AT_CHANNEL) - given.yuan("¥0.50")
    assert after.of(Account.AVAILABLE) == before.of(Account.AVAILABLE)
    (entry,) = [one for one in ledger.entries(world.book_id) if one.reference == case.break_id]
    assert entry.kind == "reconciliation.correction"
    with pytest.raises(BreakClosed), given.nothing_moves(*TABLES):
        operations.confirm_closing(
            break_id=case.break_id, version=9, actor=given.approver(), now=NOW
        )
    compare()
    assert breaks() == {}


def test_what_was_paid_twice_is_owed_back_and_every_other_proof_still_holds() -> None:
    from kuaitui.deposits.queries import differences as deposit_differences
    from kuaitui.payouts.queries import differences as payout_differences

    case, world = paid_twice()

    case.propose(Remedy.BOOK_SELLER_DEBT)
    case.confirm()

    assert ledger.balances(world.book_id).of(Account.RECEIVABLE) == given.yuan("¥4,000")
    assert ledger.differences() == deposit_differences() == payout_differences() == []


def test_a_book_that_holds_too_little_refuses_the_correction() -> None:
    case, _ = paid_twice(deposit="¥4,000")
    case.propose(Remedy.BOOK_SELLER_DEBT)

    with pytest.raises(BookTooShort), given.nothing_moves(*TABLES):
        case.confirm()

    assert the_break().state is BreakState.PROPOSED


def test_nothing_is_posted_for_money_that_belongs_to_no_deposit() -> None:
    case = unknown_movement()

    for remedy in (Remedy.BOOK_CHANNEL_COST, Remedy.BOOK_SELLER_DEBT):
        with pytest.raises(RemedyDoesNotFit), given.nothing_moves(*TABLES):
            case.propose(remedy)


def test_the_proposer_does_not_confirm() -> None:
    case = unknown_movement()
    case.propose()

    with pytest.raises(ConfirmedByProposer), given.nothing_moves(*TABLES):
        case.confirm(actor=case.maker)


def test_only_what_was_proposed_is_confirmed() -> None:
    case = unknown_movement()

    with pytest.raises(BreakNotProposed), given.nothing_moves(*TABLES):
        case.confirm()


def test_a_proposal_gives_its_reason_and_is_made_on_what_was_seen() -> None:
    case = unknown_movement()

    with pytest.raises(ClosingReasonMissing), given.nothing_moves(*TABLES):
        case.propose(reason="  ")
    with pytest.raises(ProposalChanged), given.nothing_moves(*TABLES):
        case.propose(version=7)
    case.propose()
    with pytest.raises(BreakProposed), given.nothing_moves(*TABLES):
        case.propose()
    with pytest.raises(ProposalChanged), given.nothing_moves(*TABLES):
        case.confirm(version=1)
    with pytest.raises(BreakUnknown), given.nothing_moves(*TABLES):
        operations.confirm_closing(break_id="brk_none", version=1, actor=case.checker, now=NOW)


def test_a_proposal_that_is_taken_back_leaves_the_break_open() -> None:
    case = unknown_movement()
    with pytest.raises(BreakNotProposed), given.nothing_moves(*TABLES):
        operations.take_proposal_back(
            break_id=case.break_id, reason="x", actor=case.checker, now=NOW
        )
    case.propose()
    with pytest.raises(ClosingReasonMissing), given.nothing_moves(*TABLES):
        operations.take_proposal_back(break_id=case.break_id, reason="", actor=case.maker, now=NOW)

    operations.take_proposal_back(
        break_id=case.break_id, reason="not so", actor=case.checker, now=NOW
    )

    assert (the_break().state, the_break().proposed_by) == (BreakState.OPEN, "")
    case.propose()
    case.confirm()


def test_a_proposal_falls_when_the_facts_change() -> None:
    case, world = overpaid()
    case.propose(Remedy.BOOK_CHANNEL_COST)
    number = payouts.leg(world.leg_id).channel_number
    again = bring(bill(line("refund", number, "¥4,001")))
    operations.decide_file(
        file_id=again.file_id, is_taken=True, reason="issued again", actor=case.maker, now=NOW
    )

    compare()

    assert (the_break().state, the_break().theirs) == (BreakState.OPEN, given.yuan("¥4,001"))
    with pytest.raises(BreakNotProposed), given.nothing_moves(*TABLES):
        case.confirm()
    assert the_break().day == DAY


def test_a_proposed_break_that_settles_itself_posts_nothing() -> None:
    case = unknown_movement()
    case.propose()
    shop = given.shop((), paid_days_ago=0)
    given.pay_in(shop.account_id, "¥300", reference="P1", paid_at=at(12))

    compare()

    assert queries.found_break(case.break_id).closing is Closing.MATCHED_LATER
