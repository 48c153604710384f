"""Deciding: who may, on what exactly, and what it does to the money."""

from __future__ import annotations

import datetime as dt

import pytest

from kuaitui.channels.port import FailedDefinite, Succeeded, Unknown
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.errors import DestinationRequired, DestinationUnverified, InsufficientDeposit
from kuaitui.facts.operations import record_reports
from kuaitui.facts.types import OrderStatus
from kuaitui.kernel.errors import Refusal
from kuaitui.payouts.queries import payout_of_application
from kuaitui.refunds import operations
from kuaitui.refunds.errors import (
    AmountRetypedWrong,
    AppealDeciderRejected,
    AppealedAlready,
    ApplicationAlreadyOpen,
    ApprovalOutdated,
    ApproverIsInvolved,
    DestinationUnchanged,
    NotEligible,
    ReasonMissing,
    RejectedBefore,
    SecondApproverIsFirst,
    StaleVersion,
    StateDoesNotAllow,
    TextMissing,
    TooLateToAnswer,
    TooLateToAppeal,
    TooLateToWithdraw,
)
from kuaitui.refunds.states import FACTS, SellerAct, StaffAct, State
from kuaitui.refunds.types import AmountChoice, RejectReason
from tests.support import given
from tests.support.given import DAY, NOW, yuan
from tests.support.refunds_given import (
    LARGE,
    MIDDLE,
    OTHER_CARD,
    SMALL,
    TABLES,
    World,
    application,
    large,
    world,
)

pytestmark = pytest.mark.django_db


def an_order_opens(made: World) -> None:
    order = given.order(made.shop.shop_id, "O-late", OrderStatus.SHIPPED, NOW - DAY)
    record_reports([order], source="given", now=NOW)


# The rule


@pytest.mark.parametrize(
    ("deposit", "goes"),
    [("¥5,000", State.PAYING), ("¥5,000.01", State.IN_REVIEW)],
)
def test_the_rule_approves_up_to_its_limit(deposit: str, goes: State) -> None:
    made = world(deposit)
    made.submit()

    made.check()

    assert made.state is goes


def test_the_rule_does_not_approve_what_goes_to_a_destination() -> None:
    assert application(State.IN_REVIEW, SMALL, route_open=False).state is State.IN_REVIEW


def test_the_rule_does_not_approve_when_something_opened_after_submission() -> None:
    made = application(State.SUBMITTED, SMALL)
    an_order_opens(made)

    made.check()

    assert made.state is State.IN_REVIEW
    assert "trade.order_open" in made.view.timeline[-1].details["blockers"]


def test_the_rule_leaves_to_people_whoever_named_a_destination_that_is_no_longer_needed() -> None:
    made = application(State.SUBMITTED, SMALL, route_open=False)
    given.pay_in(made.shop.account_id, SMALL, paid_at=NOW - DAY)

    made.check()

    assert made.state is State.IN_REVIEW
    assert made.approval.destination is None
    assert made.approve() is State.PAYING


def test_checking_again_changes_nothing() -> None:
    made = application(State.IN_REVIEW)

    with given.nothing_moves(*TABLES):
        made.check()


# The first approval


def test_an_approval_begins_the_payout_of_exactly_what_was_shown() -> None:
    made = application(State.IN_REVIEW)
    shown = made.approval

    made.approve()

    assert made.state is State.PAYING
    legs = payout_of_application(made.application_id).legs
    assert [leg.amount for leg in legs] == [leg.amount for leg in shown.plan.legs]
    (decision,) = made.case.decisions
    assert (decision.kind, decision.approval_hash) == ("approve", shown.approval_hash)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [({"version": 1}, StaleVersion), ({"approval_hash": "0" * 64}, ApprovalOutdated)],
)
def test_an_approval_of_something_else_is_refused(
    changes: dict[str, object], refusal: type[Refusal]
) -> None:
    made = application(State.IN_REVIEW)

    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        made.approve(**changes)

    made.approve()


def test_a_page_opened_before_another_decision_cannot_decide() -> None:
    made = application(State.IN_REVIEW)
    opened = made.approval
    made.ask()
    made.answer()

    with given.nothing_moves(*TABLES), pytest.raises(StaleVersion):
        made.approve(version=opened.version, approval_hash=opened.approval_hash)


def test_nothing_is_approved_while_a_finding_does_not_pass() -> None:
    made = application(State.IN_REVIEW)
    an_order_opens(made)
    case = made.case
    assert case.approval_obstacle == "refund.not_eligible"
    assert any("O-late" in difference.path for difference in case.differences)

    with given.nothing_moves(*TABLES), pytest.raises(NotEligible):
        made.approve()


def test_a_destination_nobody_vouched_for_cannot_be_paid() -> None:
    made = world(MIDDLE, route_open=False)
    entered = given.destination(made.shop, is_verified=False)
    made.submit(destination_id=entered.destination_id)
    made.check()
    assert made.case.approval_obstacle == "destination.unverified"

    with given.nothing_moves(*TABLES), pytest.raises(DestinationUnverified):
        made.approve()

    deposits.verify_destination(destination_id=entered.destination_id, actor=made.reviewer, now=NOW)
    assert made.approve() is State.PAYING


def test_even_a_first_approval_of_two_needs_a_verified_destination() -> None:
    made = world(LARGE, route_open=False)
    entered = given.destination(made.shop, is_verified=False)
    made.submit(destination_id=entered.destination_id)
    made.check()

    with given.nothing_moves(*TABLES), pytest.raises(DestinationUnverified):
        made.approve()


def test_whoever_made_the_application_or_chose_its_destination_cannot_approve_it() -> None:
    made = application(State.IN_REVIEW, route_open=False)

    with given.nothing_moves(*TABLES), pytest.raises(ApproverIsInvolved):
        made.approve(actor=made.seller)


def test_an_approval_is_refused_after_the_original_route_closed() -> None:
    made = application(State.IN_REVIEW)
    shown = made.approval
    made.now += 200 * DAY

    with given.nothing_moves(*TABLES), pytest.raises(DestinationRequired):
        made.approve(version=shown.version, approval_hash=shown.approval_hash)
    made.ask(question="The way back has closed. Which account shall it go to?")
    chosen = given.destination(made.shop, now=made.now)
    made.answer(destination_id=chosen.destination_id)

    assert made.approve() is State.PAYING
    assert made.view.plan.needs_destination


# The second approval


def test_the_second_approval_is_somebody_elses() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)

    with given.nothing_moves(*TABLES), pytest.raises(SecondApproverIsFirst):
        made.confirm(actor=made.reviewer)
    with given.nothing_moves(*TABLES), pytest.raises(ApproverIsInvolved):
        made.confirm(actor=made.seller)

    assert made.confirm() is State.PAYING


@pytest.mark.parametrize(
    ("deposit", "goes"),
    [("¥49,999.99", State.PAYING), ("¥50,000", State.AWAITING_SECOND_APPROVAL)],
)
def test_the_tier_decides_who_must_approve(deposit: str, goes: State) -> None:
    made = application(State.IN_REVIEW, deposit)

    assert made.approve() is goes


def test_the_checker_types_the_amount() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)

    with given.nothing_moves(*TABLES), pytest.raises(AmountRetypedWrong):
        made.confirm(amount_retyped=yuan("60,000.01"))

    made.confirm()


def test_nothing_is_confirmed_while_a_finding_does_not_pass() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)
    an_order_opens(made)

    with given.nothing_moves(*TABLES), pytest.raises(NotEligible):
        made.confirm()

    made.send_back()
    assert made.state is State.IN_REVIEW


def test_a_case_sent_back_needs_both_approvals_again() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)
    first = made.approval

    made.send_back()

    assert made.state is State.IN_REVIEW
    assert made.approval.approval_hash != first.approval_hash
    made.approve(actor=made.approver)
    with pytest.raises(SecondApproverIsFirst):
        made.confirm(actor=made.approver)
    assert made.confirm(actor=made.reviewer) is State.PAYING


def test_a_fresh_destination_needs_two_people_and_the_payment_waits_for_it_to_cool_down() -> None:
    made = world(SMALL, route_open=False)
    given.destination(made.shop)
    fresh = given.destination(made.shop, number=OTHER_CARD)
    made.submit(destination_id=fresh.destination_id)
    made.check()
    assert made.approve() is State.AWAITING_SECOND_APPROVAL

    assert made.confirm() is State.APPROVED
    assert made.view.cooling_down_until == fresh.usable_from
    assert operations.sweep_due(now=fresh.usable_from - dt.timedelta(seconds=1)) == 0
    assert operations.sweep_due(now=fresh.usable_from) == 1

    assert made.state is State.PAYING


def test_a_payment_that_waited_is_looked_at_again_when_a_finding_no_longer_passes() -> None:
    made = world(SMALL, route_open=False)
    given.destination(made.shop)
    fresh = given.destination(made.shop, number=OTHER_CARD)
    made.submit(destination_id=fresh.destination_id)
    made.check()
    made.approve()
    assert made.confirm() is State.APPROVED
    an_order_opens(made)

    assert operations.sweep_due(now=fresh.usable_from) == 1

    assert made.state is State.IN_REVIEW
    assert made.view.payout is None
    assert made.deposit.in_transit.is_zero


def test_an_approval_is_void_when_a_way_back_closes_before_the_payout_begins() -> None:
    made = world(SMALL, route_open=False)
    closes_soon = NOW - 365 * DAY + dt.timedelta(hours=12)
    given.pay_in(made.shop.account_id, "¥100", paid_at=closes_soon)
    given.destination(made.shop)
    fresh = given.destination(made.shop, number=OTHER_CARD)
    made.submit(destination_id=fresh.destination_id)
    made.check()
    made.approve()
    assert made.confirm() is State.APPROVED

    made.now = fresh.usable_from
    assert operations.sweep_due(now=made.now) == 1

    assert made.state is State.IN_REVIEW
    assert made.codes[-1] == "approval_voided"
    assert made.view.payout is None
    made.approve()
    assert made.confirm() is State.PAYING


# Deductions meanwhile


def test_a_deduction_meanwhile_voids_the_approval_and_lowers_the_amount() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)
    shown = made.approval
    made.deduct("¥10,000")

    with given.nothing_moves(*TABLES), pytest.raises(ApprovalOutdated):
        made.confirm(version=shown.version, approval_hash=shown.approval_hash)
    made.deliver()

    assert made.state is State.IN_REVIEW
    assert made.view.amount == yuan("50,000")
    assert made.view.requested == yuan(LARGE)
    assert made.deposit.frozen == yuan("50,000")
    made.approve()
    made.confirm()
    made.channel_pays()
    assert made.deposit.refunded == yuan("50,000")


@pytest.mark.parametrize(
    "state",
    [State.SUBMITTED, State.IN_REVIEW, State.MORE_INFORMATION, State.APPEALED],
)
def test_a_deduction_of_everything_ends_the_application_with_that_reason(state: State) -> None:
    made = application(state)
    made.deduct(MIDDLE)

    made.deliver()

    assert made.state is State.REJECTED
    assert made.view.rejection is not None
    assert made.view.rejection.reasons == (RejectReason.DEPOSIT_DEDUCTED,)
    assert made.deposit.held == yuan("0")


def test_a_deduction_does_not_touch_what_is_being_paid() -> None:
    made = application(State.PAYING)
    made.deduct("¥100")
    made.deliver()

    made.channel_pays()

    assert made.state is State.PAID
    assert made.deposit.refunded == yuan(MIDDLE)
    assert made.deposit.owed == yuan("100")


def test_old_news_of_a_deduction_does_not_touch_what_is_being_sent_again() -> None:
    made = application(State.PAYING, ("¥6,000", "¥4,000"))
    first, second = payout_of_application(made.application_id).legs
    made.channel_answers(Succeeded("SIM0001", NOW), leg_id=first.leg_id)
    made.channel_answers(FailedDefinite("ACCOUNT_CLOSED"), leg_id=second.leg_id)
    made.repair()
    made.approve()

    with given.nothing_moves(*TABLES):
        operations.reduce_application(
            application_id=made.application_id, deduction_id="ded_old", now=NOW
        )

    made.confirm()
    made.channel_pays()
    assert made.state is State.PAID
    assert made.deposit.refunded == yuan("10,000")


# Questions


def test_the_review_clock_stands_still_while_the_seller_answers() -> None:
    made = application(State.IN_REVIEW)
    due_at = made.view.due_at
    made.ask()
    assert made.view.question is not None
    assert made.view.question.answer is None
    made.now += 3 * DAY

    made.answer()

    assert made.state is State.IN_REVIEW
    # A Wednesday and three days: nobody works on Saturday, so it is the Monday after.
    assert made.view.due_at == due_at + 5 * DAY
    assert made.view.question.answer == "My company does."


def test_an_answer_after_its_time_is_refused_and_the_application_expires() -> None:
    made = application(State.MORE_INFORMATION)
    made.now = made.view.due_at

    with given.nothing_moves(*TABLES), pytest.raises(TooLateToAnswer):
        made.answer()
    assert operations.sweep_due(now=made.now) == 1

    assert made.state is State.EXPIRED
    assert made.deposit.available == yuan(MIDDLE)
    with given.nothing_moves(*TABLES):
        assert operations.sweep_due(now=made.now) == 0


@pytest.mark.parametrize("text", ["", "   "])
def test_questions_and_answers_say_something(text: str) -> None:
    made = application(State.IN_REVIEW)
    with given.nothing_moves(*TABLES), pytest.raises(TextMissing):
        made.ask(question=text)
    made.ask()
    with given.nothing_moves(*TABLES), pytest.raises(TextMissing):
        made.answer(text=text)


# Rejections and appeals


def test_a_rejection_says_why_and_frees_the_money() -> None:
    made = application(State.REJECTED)

    rejection = made.view.rejection
    assert rejection is not None
    assert rejection.reasons == (RejectReason.TRADE_NOT_COMPLETE,)
    assert rejection.can_appeal
    assert made.deposit.available == yuan(MIDDLE)
    assert made.submit().is_new


@pytest.mark.parametrize(
    ("changes", "refusal"), [({"reasons": ()}, ReasonMissing), ({"text": " "}, TextMissing)]
)
def test_a_rejection_without_a_reason_is_refused(
    changes: dict[str, object], refusal: type[Refusal]
) -> None:
    made = application(State.IN_REVIEW)

    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        made.reject(**changes)

    made.reject()


def test_an_appeal_freezes_the_money_again_and_can_be_granted_by_somebody_else() -> None:
    made = application(State.APPEALED)
    assert made.deposit.frozen == yuan(MIDDLE)
    with given.nothing_moves(*TABLES), pytest.raises(AppealDeciderRejected):
        made.decide_appeal(granted=True, actor=made.reviewer)

    made.decide_appeal(granted=True)
    made.approve()
    made.channel_pays()

    assert made.state is State.PAID


def test_after_a_granted_appeal_whoever_rejected_does_not_reject_again() -> None:
    made = application(State.APPEALED)
    made.decide_appeal(granted=True)

    with given.nothing_moves(*TABLES), pytest.raises(RejectedBefore):
        made.reject()

    made.reject(actor=given.reviewer())
    assert made.state is State.REJECTED


def test_a_dismissed_appeal_is_the_last_word_and_frees_the_money() -> None:
    made = application(State.APPEALED)

    made.decide_appeal(granted=False)

    assert made.state is State.REJECTED
    assert made.view.rejection is not None
    assert not made.view.rejection.can_appeal
    assert SellerAct.APPEAL not in made.view.seller_acts
    assert made.deposit.available == yuan(MIDDLE)
    with given.nothing_moves(*TABLES), pytest.raises(AppealedAlready):
        made.appeal()


def test_an_appeal_after_its_time_is_refused() -> None:
    made = application(State.REJECTED)
    until = made.view.rejection.appeal_until
    made.now = until

    with given.nothing_moves(*TABLES), pytest.raises(TooLateToAppeal):
        made.appeal()
    assert operations.sweep_due(now=until) == 1

    assert made.codes[-1] == "appeal_window_closed"
    made.now = until - DAY
    with given.nothing_moves(*TABLES), pytest.raises(TooLateToAppeal):
        made.appeal()


def test_an_appeal_is_refused_while_a_newer_application_is_open_or_the_money_is_gone() -> None:
    made = application(State.REJECTED)
    rejected = made.application_id
    made.submit(choice=AmountChoice.PART, amount=yuan("1"))
    newer = made.application_id
    with given.nothing_moves(*TABLES), pytest.raises(ApplicationAlreadyOpen):
        made.appeal(application_id=rejected)
    made.withdraw(application_id=newer)
    made.deduct("¥1")

    with given.nothing_moves(*TABLES), pytest.raises(InsufficientDeposit):
        made.appeal(application_id=rejected)


# Withdrawals


@pytest.mark.parametrize(
    "state",
    [
        State.SUBMITTED,
        State.IN_REVIEW,
        State.MORE_INFORMATION,
        State.AWAITING_SECOND_APPROVAL,
        State.APPEALED,
        State.PAYING,
    ],
)
def test_a_seller_can_withdraw_until_the_first_leg_is_sent(state: State) -> None:
    made = application(state, LARGE)
    assert SellerAct.WITHDRAW in made.view.seller_acts

    made.withdraw()

    assert made.state is State.WITHDRAWN
    assert made.deposit.available == yuan(LARGE)
    with given.nothing_moves(*TABLES):
        made.withdraw()


def test_nothing_is_withdrawn_once_a_leg_was_sent() -> None:
    made = application(State.PAYING)
    made.channel_answers(Unknown("timeout"))
    assert SellerAct.WITHDRAW not in made.view.seller_acts

    with given.nothing_moves(*TABLES), pytest.raises(TooLateToWithdraw):
        made.withdraw()


def test_nothing_is_withdrawn_while_what_came_back_is_being_sent_again() -> None:
    made = application(State.DESTINATION_REPAIRED)
    made.approve()
    assert SellerAct.WITHDRAW not in made.view.seller_acts

    with given.nothing_moves(*TABLES), pytest.raises(TooLateToWithdraw):
        made.withdraw()


# Money that came back


def test_money_that_came_back_names_why_and_waits_for_the_seller() -> None:
    made = application(State.RETURNED)

    assert made.view.return_code == "ACCOUNT_CLOSED"
    assert made.view.seller_acts == {SellerAct.REPAIR_DESTINATION}
    assert made.deposit.frozen == yuan(MIDDLE)


def test_a_leg_that_certainly_failed_is_repaired_the_same_way() -> None:
    made = application(State.PAYING, route_open=False)

    made.channel_fails()

    assert made.state is State.RETURNED
    assert made.codes[-1] == "payout_failed"
    made.repair()
    made.approve()
    made.confirm()
    made.channel_pays()
    assert made.state is State.PAID


def test_the_account_the_bank_refused_cannot_be_chosen_again() -> None:
    made = application(State.RETURNED, route_open=False)
    refused = made.view.destination

    with given.nothing_moves(*TABLES), pytest.raises(DestinationUnchanged):
        made.repair(destination_id=refused.destination_id)


def test_every_repair_needs_two_people_whatever_the_amount() -> None:
    made = application(State.DESTINATION_REPAIRED, SMALL)

    assert made.approve() is State.AWAITING_SECOND_APPROVAL
    with given.nothing_moves(*TABLES), pytest.raises(SecondApproverIsFirst):
        made.confirm(actor=made.reviewer)
    assert made.confirm() is State.PAYING


def test_a_repair_shows_the_old_account_beside_the_new() -> None:
    made = application(State.DESTINATION_REPAIRED, route_open=False)

    assert made.view.previous_destination is not None
    assert made.view.previous_destination.tail4 == given.CARD.replace(" ", "")[-4:]
    assert made.view.destination is not None
    assert made.view.destination.tail4 == OTHER_CARD.replace(" ", "")[-4:]


def test_changing_the_repair_voids_the_first_approval() -> None:
    made = application(State.DESTINATION_REPAIRED)
    shown = made.approval

    made.repair("6225 8800 0000 0077 778")

    with given.nothing_moves(*TABLES), pytest.raises(StaleVersion):
        made.approve(version=shown.version, approval_hash=shown.approval_hash)
    with given.nothing_moves(*TABLES), pytest.raises(ApprovalOutdated):
        made.approve(approval_hash=shown.approval_hash)


def test_a_refused_repair_goes_back_to_the_seller() -> None:
    made = application(State.DESTINATION_REPAIRED)

    made.refuse_repair()

    assert made.state is State.RETURNED
    made.repair("6225 8800 0000 0077 778")
    assert made.state is State.DESTINATION_REPAIRED


def test_a_return_may_come_while_a_newer_application_is_open() -> None:
    made = world(MIDDLE)
    made.submit(choice=AmountChoice.PART, amount=yuan("1,000"))
    made.check()
    made.channel_pays()
    older = made.application_id
    made.submit(choice=AmountChoice.PART, amount=yuan("9,000"))
    newer = made.application_id

    made.application_id = older
    made.bank_returns()

    assert made.state is State.RETURNED
    made.application_id = newer
    assert made.state is State.IN_REVIEW
    assert made.deposit.frozen == yuan(MIDDLE)


def test_news_of_a_payout_may_come_twice() -> None:
    made = application(State.PAID)
    payout = payout_of_application(made.application_id)
    leg_id = payout.legs[0].leg_id

    with given.nothing_moves(*TABLES):
        operations.record_paid(application_id=made.application_id, occurred_at=NOW, now=NOW)
        operations.record_leg_sent(
            application_id=made.application_id, leg_id=leg_id,
            occurred_at=payout.legs[0].sent_at, now=NOW,
        )  # fmt: skip
        operations.record_leg_back(
            application_id=made.application_id, leg_id=leg_id, code="X", was_paid=True, now=NOW
        )


# Every act, in every state


@pytest.mark.parametrize(
    "state",
    [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}],
)
def test_a_state_refuses_every_act_it_does_not_name(state: State) -> None:
    made = application(state, LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE)
    facts = FACTS[state]
    hashed = {"version": made.view.version, "approval_hash": "0" * 64}
    acts = {
        SellerAct.PROVIDE_INFORMATION: made.answer,
        SellerAct.APPEAL: made.appeal,
        SellerAct.REPAIR_DESTINATION: lambda: made.repair(given.CARD),
        StaffAct.APPROVE: lambda: operations.approve_application(
            application_id=made.application_id, note="", actor=made.reviewer, now=made.now, **hashed
        ),
        StaffAct.CONFIRM: lambda: operations.confirm_approval(
            application_id=made.application_id, amount_retyped=None, actor=made.approver,
            now=made.now, **hashed,
        ),
        StaffAct.SEND_BACK: made.send_back,
        StaffAct.REJECT: made.reject,
        StaffAct.REQUEST_INFORMATION: made.ask,
        StaffAct.DECIDE_APPEAL: lambda: made.decide_appeal(granted=True),
        StaffAct.REFUSE_REPAIR: made.refuse_repair,
        StaffAct.PROPOSE_CLOSE_OUT: made.propose_close_out,
        StaffAct.CONFIRM_CLOSE_OUT: made.confirm_close_out,
    }  # fmt: skip
    if state is not State.WITHDRAWN:
        acts[SellerAct.WITHDRAW] = made.withdraw
    given.destination(made.shop)

    for act, perform in acts.items():
        if act not in facts.seller_acts | facts.staff_acts:
            with given.nothing_moves(*TABLES), pytest.raises(StateDoesNotAllow):
                perform()


def test_one_application_that_cannot_be_swept_stops_no_other(raw_sql) -> None:
    broken = application(State.MORE_INFORMATION)
    made = application(State.MORE_INFORMATION)
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql("DELETE FROM deposits_hold WHERE reference = %s", [broken.application_id])
    raw_sql("SET LOCAL session_replication_role = origin")
    raw_sql("SET CONSTRAINTS ALL DEFERRED")

    with pytest.raises(ExceptionGroup) as failed:
        operations.sweep_due(now=NOW + 30 * DAY)

    assert [note for e in failed.value.exceptions for note in e.__notes__] == [
        broken.application_id
    ]
    assert made.state is State.EXPIRED


def test_a_repair_is_confirmed_by_the_amount_that_goes_out_again() -> None:
    made = application(State.PAYING, ("¥2,000", "¥3,000"))
    small, large = payout_of_application(made.application_id).legs
    made.channel_answers(Succeeded("SIM1", made.now), leg_id=small.leg_id)
    made.channel_answers(FailedDefinite("ACCOUNT_CLOSED"), leg_id=large.leg_id)
    made.repair()
    made.approve()

    assert made.approval.amount == large.amount
    with given.nothing_moves(*TABLES), pytest.raises(AmountRetypedWrong):
        made.confirm(amount_retyped=made.view.amount)
    assert made.confirm(amount_retyped=large.amount) is State.PAYING
