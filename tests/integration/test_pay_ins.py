"""A seller pays the deposit in: what is asked, what the channel says, where the money goes."""

from __future__ import annotations

import pytest

from kuaitui.audit.queries import events_of
from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    NotSent,
    PayInClosed,
    PayInMethod,
    PayInOutcome,
    PayInWaiting,
    RejectedConfig,
    Unknown,
)
from kuaitui.channels.registry import ChannelUnknown
from kuaitui.deposits import errors, operations, queries
from kuaitui.deposits.models import DepositAccount, PayInOrderRow
from kuaitui.deposits.operations import PayerDetails
from kuaitui.deposits.states import PayInState, SuspenseState
from kuaitui.deposits.types import FoundBy, PayInCall, PayInChoice, SuspenseReason
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support.given import DAY, nothing_moves, yuan

FLOOR = pig.CAPABILITIES.not_found_floor
pytestmark = pytest.mark.django_db


def close_account(made: pig.World) -> None:
    DepositAccount.objects.filter(public_id=made.shop.account_id).update(is_open=False)


def only_case() -> queries.SuspenseCase:
    (case,) = queries.suspense_cases(states=frozenset(SuspenseState))
    return case


def at_channel(book_id: int) -> Money:
    return ledger.balances(book_id).of(Account.AT_CHANNEL)


# Starting


def test_what_is_missing_is_asked_under_a_number_that_the_narrowest_channel_takes() -> None:
    made = pig.world("¥200", required="¥500")

    made.start()

    assert made.order.amount == yuan("¥300")
    assert made.state is PayInState.CREATED
    assert made.order.number.isalnum()
    assert len(made.order.number) <= 32
    assert PayInOrderRow.objects.get().return_url.endswith(f"/pay-ins/{made.order_id}")


def test_what_is_still_owed_is_part_of_what_is_missing() -> None:
    made = pig.world("¥200", required="¥500")
    from kuaitui.deposits.types import DeductionItem, DeductionPurpose

    operations.decide_deduction(
        account_id=made.shop.account_id,
        items=(DeductionItem("late", 1, yuan("¥260"), ("O1",)),),
        purpose=DeductionPurpose.PENALTY,
        reason="late",
        clause="3.2",
        reference="d1",
        actor=given.reviewer(),
        now=made.now,
    )

    made.start()

    assert made.order.amount == yuan("¥560")
    made.channel_says(made.opened())
    made.channel_says(made.payment())
    assert queries.deposit(made.shop.account_id).shortfall.is_zero


@pytest.mark.parametrize(
    ("choice", "amount", "expected"),
    [
        (PayInChoice.REQUIRED, None, "¥500"),
        (PayInChoice.OTHER, yuan("¥0.01"), "¥0.01"),
        (PayInChoice.OTHER, yuan("¥10,000,000"), "¥10,000,000"),
    ],
)
def test_a_seller_may_choose_how_much(choice, amount, expected) -> None:
    made = pig.world()

    made.start(choice=choice, amount=amount)

    assert made.order.amount == yuan(expected)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": Money(0, "CNY")}, errors.DepositAmountNotPositive),
        ({"amount": Money(-100, "CNY")}, errors.DepositAmountNotPositive),
        ({"amount": yuan("¥10,000,000.01")}, errors.PayInAmountTooLarge),
        ({"amount": Money(100, "USD")}, errors.DepositCurrencyWrong),
        ({"amount": None}, errors.PayInAmountMissing),
        ({"channel": "barter"}, ChannelUnknown),
        ({"account_id": "dep_nobody"}, errors.DepositAccountUnknown),
        ({"shop_key": 10**9}, errors.DepositAccountUnknown),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_nothing_moves(
    changes: dict[str, object], refusal: type[Refusal]
) -> None:
    made = pig.world()
    asked = {"choice": PayInChoice.OTHER, "amount": yuan("¥1"), **changes}

    with nothing_moves(*pig.TABLES), pytest.raises(refusal):
        made.start(**asked)


def test_a_closed_deposit_takes_no_order() -> None:
    made = pig.world()
    close_account(made)

    with nothing_moves(*pig.TABLES), pytest.raises(errors.DepositAccountClosed):
        made.start()


def test_a_full_deposit_lacks_nothing() -> None:
    made = pig.world("¥500", required="¥500")

    with nothing_moves(*pig.TABLES), pytest.raises(errors.PayInNothingMissing):
        made.start()


def test_the_same_request_twice_is_one_order() -> None:
    made = pig.world()
    first = made.start(request_key="a double click")

    with nothing_moves(*pig.TABLES):
        again = made.start(request_key="a double click")

    assert again == first


def test_the_same_request_with_another_amount_is_refused() -> None:
    made = pig.world()
    made.start(request_key="k", choice=PayInChoice.OTHER, amount=yuan("¥1"))

    with nothing_moves(*pig.TABLES), pytest.raises(errors.PayInKeyReused):
        made.start(request_key="k", choice=PayInChoice.OTHER, amount=yuan("¥2"))


def test_a_second_order_waits_until_the_first_has_ended() -> None:
    made = pig.world()
    first = made.start()

    with nothing_moves(*pig.TABLES), pytest.raises(errors.PayInAlreadyOpen) as refused:
        made.start()

    assert refused.value.details["order"] == first


# What the channel says


def test_a_paid_order_opens_a_lot_that_goes_back_within_the_channels_window() -> None:
    made = pig.waiting()

    assert made.channel_says(made.payment(reference="WX1")) is PayInState.PAID

    lot = queries.deposit(made.shop.account_id).lots[-1]
    assert (lot.amount, lot.channel_reference) == (yuan("¥300"), "WX1")
    assert lot.refundable_until == lot.paid_at + 365 * DAY
    assert made.order.lot_id == lot.lot_id
    assert queries.deposit(made.shop.account_id).shortfall.is_zero
    assert pig.next_check_at(made.order_id) is None


def test_the_payers_address_is_forgotten_when_the_order_ends() -> None:
    assert PayInOrderRow.objects.get(public_id=pig.waiting().order_id).payer_ip != ""
    assert PayInOrderRow.objects.get(public_id=pig.paid().order_id).payer_ip == ""


@pytest.mark.parametrize("lost", [Unknown("deadline"), None])
def test_an_opening_without_an_answer_is_asked_about_and_opened_again_with_the_same_number(
    lost: Unknown | None,
) -> None:
    made = pig.world()
    made.start()
    claim = made.claim()
    assert claim is not None
    if lost is None:
        made.now = claim.lease_until
    else:
        assert made.record(claim, lost) is PayInState.UNKNOWN

    made.channel_says(NotFound())
    assert made.state is PayInState.CREATED
    made.channel_says(made.opened())

    assert made.state is PayInState.WAITING
    assert made.calls == [PayInCall.OPEN, PayInCall.QUERY, PayInCall.OPEN]


def test_a_code_that_got_lost_on_its_way_is_fetched_again() -> None:
    made = pig.world()
    made.start()
    made.channel_says(Unknown("deadline"))

    made.channel_says(PayInWaiting())
    assert not made.order.can_be_met(now=made.now)
    made.channel_says(made.opened())

    assert made.order.can_be_met(now=made.now)
    assert made.calls[-2:] == [PayInCall.QUERY, PayInCall.OPEN]


def test_a_payment_behind_a_lost_answer_is_found_by_asking() -> None:
    made = pig.world()
    made.start()
    made.channel_says(Unknown("deadline"))

    assert made.channel_says(made.payment()) is PayInState.PAID

    assert made.paid_in == yuan("¥500")


@pytest.mark.parametrize(
    "outcome",
    [NotSent("connect_error"), RejectedConfig("NO_RIGHT"), FailedDefinite("BUSY", True)],
)
def test_an_opening_that_had_no_effect_is_tried_again(outcome) -> None:
    made = pig.world()
    made.start()

    assert made.channel_says(outcome) is PayInState.CREATED
    assert made.channel_says(made.opened()) is PayInState.WAITING

    assert made.calls == [PayInCall.OPEN, PayInCall.OPEN]


def test_an_order_the_channel_refuses_for_good_has_failed() -> None:
    made = pig.world()
    made.start()

    assert made.channel_says(FailedDefinite("MERCHANT_CLOSED")) is PayInState.FAILED

    assert made.order.code == "MERCHANT_CLOSED"
    made.start()
    assert made.state is PayInState.CREATED


def test_a_refusal_after_a_doubtful_opening_is_asked_about_first() -> None:
    made = pig.world()
    made.start()
    made.channel_says(Unknown("deadline"))
    made.channel_says(PayInWaiting())

    assert made.channel_says(FailedDefinite("ORDER_PAID")) is PayInState.UNKNOWN
    assert made.channel_says(made.payment()) is PayInState.PAID


def test_an_order_nobody_pays_is_closed_at_the_channel_when_its_time_is_over() -> None:
    made = pig.waiting()
    made.now += pig.PACE.valid_for

    assert made.channel_says(PayInClosed()) is PayInState.EXPIRED

    assert made.calls[-1] is PayInCall.CLOSE


def test_an_order_that_was_never_opened_ends_without_a_call() -> None:
    made = pig.world()
    made.start()
    made.now += pig.PACE.valid_for

    assert made.claim() is None

    assert made.state is PayInState.EXPIRED
    assert made.calls == []


def test_an_order_that_may_still_arrive_there_does_not_end_yet() -> None:
    made = pig.world()
    made.start()
    made.now = made.order.expires_at - pig.MINUTE
    made.channel_says(Unknown("deadline"))
    made.now = made.order.expires_at

    assert made.channel_says(NotFound()) is PayInState.UNKNOWN
    made.now += pig.CAPABILITIES.not_found_floor
    assert made.channel_says(NotFound()) is PayInState.EXPIRED


def test_a_seller_calls_an_order_off() -> None:
    made = pig.waiting()
    act = {"order_id": made.order_id, "shop_key": made.shop.shop_key, "actor": made.shop.seller}

    operations.call_off_pay_in(**act, now=made.now)
    with nothing_moves(*pig.TABLES):
        operations.call_off_pay_in(**act, now=made.now)

    assert not made.order.can_be_met(now=made.now)
    assert made.channel_says(PayInClosed()) is PayInState.CLOSED
    with nothing_moves(*pig.TABLES), pytest.raises(errors.PayInEnded):
        operations.call_off_pay_in(**act, now=made.now)


def test_somebody_who_pays_faster_than_the_order_is_called_off_has_paid() -> None:
    made = pig.waiting()
    operations.call_off_pay_in(
        order_id=made.order_id,
        shop_key=made.shop.shop_key,
        actor=made.shop.seller,
        now=made.now,
    )

    assert made.channel_says(made.payment()) is PayInState.PAID

    assert made.calls[-1] is PayInCall.CLOSE


def test_a_worker_that_lost_its_lease_records_nothing() -> None:
    made = pig.waiting()
    made.wait()
    late = made.claim()
    assert late is not None
    made.now = late.lease_until
    made.channel_says(PayInWaiting())

    with nothing_moves(*pig.TABLES):
        assert made.record(late, made.payment()) is None


def test_two_workers_do_not_have_one_order() -> None:
    made = pig.waiting()
    made.wait()
    assert made.claim() is not None

    assert made.claim() is None


def test_a_paid_answer_without_an_amount_is_no_answer() -> None:
    made = pig.waiting()

    made.channel_says(made.payment(Money(0, "CNY")))

    assert made.state is PayInState.WAITING
    assert made.paid_in == yuan("¥200")


def test_a_payment_dated_by_a_fast_clock_counts_from_now() -> None:
    made = pig.waiting()
    made.wait()
    claim = made.claim()
    assert claim is not None
    from dataclasses import replace

    made.record(claim, replace(made.payment(), paid_at=made.now + DAY))

    assert queries.deposit(made.shop.account_id).lots[-1].paid_at == made.now


# Money that does not fit


def test_another_amount_is_still_a_lot_and_a_person_is_told() -> None:
    made = pig.waiting()

    assert made.channel_says(made.payment(yuan("¥1"))) is PayInState.PAID_OTHER_AMOUNT

    assert made.paid_in == yuan("¥201")
    (told,) = queries.pay_ins_of_another_amount(since=made.now)
    assert (told.order_id, told.paid) == (made.order_id, yuan("¥1"))
    assert queries.suspense_cases() == ()


def test_a_second_payment_of_one_order_lies_in_suspense() -> None:
    made = pig.paid()
    made.hint()

    assert made.channel_says(made.payment()) is PayInState.PAID

    case = only_case()
    assert (case.why, case.amount) == (SuspenseReason.PAID_TWICE, yuan("¥300"))
    assert case.order_id == made.order_id
    assert made.paid_in == yuan("¥500")


def test_a_second_payment_told_of_while_the_first_is_being_recorded_is_asked_about() -> None:
    made = pig.waiting()
    made.wait()
    claim = made.claim()
    assert claim is not None
    first = made.payment()
    made.hint()
    made.record(claim, first)

    assert made.channel_says(made.payment()) is PayInState.PAID

    assert only_case().why is SuspenseReason.PAID_TWICE


def test_a_payment_after_the_end_lies_in_suspense() -> None:
    made = pig.expired()
    made.hint()

    assert made.channel_says(made.payment()) is PayInState.IN_SUSPENSE

    assert only_case().why is SuspenseReason.PAID_AFTER_CLOSING
    assert made.paid_in == yuan("¥200")


def test_an_order_that_ended_is_asked_about_once_more_unasked() -> None:
    made = pig.expired()

    made.channel_says(made.payment())

    assert only_case().why is SuspenseReason.PAID_AFTER_CLOSING


def test_an_order_that_ended_is_not_asked_about_for_ever() -> None:
    made = pig.expired()

    for _ in pig.PACE.checks_after_end:
        made.channel_says(PayInClosed())

    assert pig.next_check_at(made.order_id) is None


NO_ANSWERS = [
    Unknown("deadline"),
    NotSent("connect_error"),
    RejectedConfig("NO_RIGHT"),
    FailedDefinite("BUSY", True),
]


@pytest.mark.parametrize("no_answer", NO_ANSWERS)
def test_a_second_payment_told_of_is_asked_about_until_the_channel_answers(no_answer) -> None:
    made = pig.waiting()
    made.channel_says(made.payment())
    made.hint()

    for _ in range(12):
        assert made.channel_says(no_answer) is PayInState.PAID
    made.channel_says(made.payment())

    assert only_case().why is SuspenseReason.PAID_TWICE
    assert pig.next_check_at(made.order_id) is None


def test_what_a_channel_told_of_is_asked_about_while_it_may_not_find_it_yet() -> None:
    made = pig.waiting()
    made.channel_says(made.payment())
    made.hint()

    made.channel_says(NotFound())
    made.channel_says(made.payment())

    assert only_case().why is SuspenseReason.PAID_TWICE


def test_what_a_channel_should_know_by_now_and_does_not_is_not_asked_about_for_ever() -> None:
    made = pig.waiting()
    made.channel_says(made.payment())
    made.now += FLOOR
    made.hint()

    made.channel_says(NotFound())

    assert pig.next_check_at(made.order_id) is None


@pytest.mark.parametrize("no_answer", NO_ANSWERS)
def test_a_look_at_an_ended_order_that_gets_no_answer_is_not_one_of_the_looks(no_answer) -> None:
    made = pig.expired()

    for _ in pig.PACE.checks_after_end:
        for _ in range(12):
            made.channel_says(no_answer)
            assert pig.next_check_at(made.order_id) == made.now + pig.PACE.check_delays[-1]
        made.channel_says(PayInClosed())

    assert pig.next_check_at(made.order_id) is None


def test_a_payment_into_a_closed_deposit_lies_in_suspense() -> None:
    made = pig.waiting()
    close_account(made)

    assert made.channel_says(made.payment()) is PayInState.IN_SUSPENSE

    assert only_case().why is SuspenseReason.ACCOUNT_CLOSED


def test_a_payment_in_another_currency_lies_in_suspense() -> None:
    made = pig.waiting()

    assert made.channel_says(made.payment(Money(500, "HKD"))) is PayInState.IN_SUSPENSE

    assert only_case().amount == Money(500, "HKD")
    assert ledger.balances(_book_of(only_case())).currency == "HKD"


def test_the_same_payment_told_again_changes_nothing() -> None:
    made = pig.waiting()
    payment = made.payment()
    made.channel_says(payment)
    made.hint()
    before = made.paid_in

    made.channel_says(payment)

    assert (made.paid_in, queries.suspense_cases()) == (before, ())


def test_a_payment_that_was_entered_before_the_channel_told_us_is_one_lot() -> None:
    made = pig.waiting()
    given.pay_in(made.shop.account_id, "¥300", reference="WX9")

    assert made.channel_says(made.payment(reference="WX9")) is PayInState.PAID

    assert made.paid_in == yuan("¥500")


def ask_about(made: pig.World, number: str, outcome: PayInOutcome) -> None:
    """Ask about a stray number when it is due, and write down what the channel says."""
    if not queries.due_strays(now=made.now):
        made.now += pig.PACE.check_delays[-1]
    assert queries.due_strays(now=made.now) == [(given.CHANNEL, number)]
    operations.record_stray(
        channel=given.CHANNEL, number=number, outcome=outcome, until=None, floor=FLOOR,
        pace=pig.PACE, asked_at=made.now, now=made.now,
    )  # fmt: skip


def heard_of(number: str) -> pig.World:
    made = pig.waiting()
    assert operations.note_pay_in_hint(channel=given.CHANNEL, number=number, now=made.now) is False
    return made


def test_a_number_that_is_not_ours_is_asked_about_and_its_money_lies_in_suspense() -> None:
    made = heard_of("nobodys1")
    assert queries.due_strays(now=made.now) == [(given.CHANNEL, "nobodys1")]

    ask_about(made, "nobodys1", made.payment(yuan("¥7"), reference="WX7"))

    case = only_case()
    assert (case.why, case.found_by) == (SuspenseReason.NEVER_HEARD_OF, FoundBy.NOTIFICATION)
    assert at_channel(_book_of(case)) == yuan("¥7")
    assert queries.due_strays(now=made.now + DAY) == []


def test_a_strange_number_told_of_again_is_asked_about_again() -> None:
    made = heard_of("nobodys1")
    for reference in ("WX7", "WX7", "WX8"):
        operations.note_pay_in_hint(channel=given.CHANNEL, number="nobodys1", now=made.now)
        ask_about(made, "nobodys1", made.payment(yuan("¥7"), reference=reference))

    assert {case.reference for case in queries.suspense_cases()} == {"WX7", "WX8"}


def test_a_strange_number_told_of_while_it_is_asked_about_is_asked_about_again() -> None:
    made = heard_of("nobodys1")
    asked_at, made.now = made.now, made.now + pig.MINUTE
    operations.note_pay_in_hint(channel=given.CHANNEL, number="nobodys1", now=made.now)

    operations.record_stray(
        channel=given.CHANNEL, number="nobodys1", outcome=made.payment(yuan("¥7")), until=None,
        floor=FLOOR, pace=pig.PACE, asked_at=asked_at, now=made.now,
    )  # fmt: skip

    assert queries.due_strays(now=made.now) == [(given.CHANNEL, "nobodys1")]


def test_a_number_behind_which_is_nothing_is_asked_about_a_few_times() -> None:
    made = heard_of("nobodys2")
    looks_below_the_floor = FLOOR // pig.PACE.check_delays[-1]

    for _ in range(looks_below_the_floor + 10):
        ask_about(made, "nobodys2", NotFound())

    assert queries.due_strays(now=made.now + DAY) == []
    assert queries.suspense_cases() == ()


@pytest.mark.parametrize("no_answer", NO_ANSWERS)
def test_a_number_that_is_not_ours_is_asked_about_until_the_channel_answers(no_answer) -> None:
    made = heard_of("nobodys3")

    for _ in range(20):
        ask_about(made, "nobodys3", no_answer)

    assert queries.due_strays(now=made.now + DAY) != []


def found(made: pig.World, *, number: str, reference: str) -> operations.FoundPayment:
    return operations.FoundPayment(
        channel=given.CHANNEL,
        reference=reference,
        number=number,
        amount=yuan("¥300"),
        paid_at=made.now,
        refundable_until=None,
    )


def test_a_bill_that_names_an_unpaid_order_makes_us_ask() -> None:
    made = pig.waiting()
    made.wait()
    made.channel_says(PayInWaiting())
    payment = found(made, number=made.order.number, reference="WX3")

    assert operations.note_found_payment(found=payment, found_by=FoundBy.BILL, now=made.now) is None

    assert pig.next_check_at(made.order_id) == made.now
    assert made.paid_in == yuan("¥200")


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_bill_that_names_money_we_do_not_know_puts_it_into_suspense_once(is_ours) -> None:
    made = pig.paid()
    number = made.order.number if is_ours else "somebodys1"
    payment = found(made, number=number, reference="WX4")

    first = operations.note_found_payment(found=payment, found_by=FoundBy.BILL, now=made.now)
    with nothing_moves(*pig.TABLES):
        again = operations.note_found_payment(found=payment, found_by=FoundBy.BILL, now=made.now)

    assert first == again == only_case().suspense_id
    expected = SuspenseReason.PAID_TWICE if is_ours else SuspenseReason.NEVER_HEARD_OF
    assert only_case().why is expected


def test_a_bill_that_names_what_we_know_moves_nothing() -> None:
    made = pig.paid()
    reference = made.order.channel_reference

    with nothing_moves(*pig.TABLES):
        told = operations.note_found_payment(
            found=found(made, number=made.order.number, reference=reference),
            found_by=FoundBy.BILL,
            now=made.now,
        )

    assert told is None


# Asking again


def test_a_hint_brings_the_question_forward_and_claims_nothing() -> None:
    made = pig.waiting()
    assert queries.due_pay_ins(now=made.now) == []

    assert made.hint() is True

    assert queries.due_pay_ins(now=made.now) == [made.order_id]
    assert made.state is PayInState.WAITING


def test_whoever_presses_look_again_is_heard_but_not_faster_than_the_pace() -> None:
    made = pig.waiting()
    ask = {"order_id": made.order_id, "shop_key": made.shop.shop_key, "pace": pig.PACE}

    assert operations.look_again(**ask, now=made.now) is False
    made.now += pig.PACE.look_again_after
    assert operations.look_again(**ask, now=made.now) is True

    assert queries.due_pay_ins(now=made.now) == [made.order_id]


@pytest.mark.parametrize("act", ["look", "call_off", "read"])
def test_the_order_of_another_shop_looks_like_none(act: str) -> None:
    made, stranger = pig.waiting(), pig.world()
    about = {"order_id": made.order_id, "shop_key": stranger.shop.shop_key}
    acts = {
        "look": lambda: operations.look_again(**about, pace=pig.PACE, now=made.now),
        "call_off": lambda: operations.call_off_pay_in(
            **about, actor=stranger.shop.seller, now=made.now
        ),
        "read": lambda: queries.pay_in_order(**about),
    }

    with nothing_moves(*pig.TABLES), pytest.raises(errors.PayInUnknown):
        acts[act]()


def test_an_order_set_aside_is_left_alone_and_shown_to_people() -> None:
    made = pig.waiting()
    operations.set_pay_in_aside(order_id=made.order_id, reason="InvariantViolated", now=made.now)
    made.wait()

    assert made.claim() is None

    (found,) = queries.pay_ins_set_aside()
    assert (found.order_id, found.set_aside_reason) == (made.order_id, "InvariantViolated")


def test_an_order_put_back_goes_on_where_it_stood_and_the_trail_says_who_and_why() -> None:
    made = pig.waiting()
    operations.set_pay_in_aside(order_id=made.order_id, reason="DataError", now=made.now)
    approver = given.approver()

    for _again in range(2):
        operations.release_pay_in(
            order_id=made.order_id, reason="The answer fits now.", actor=approver, now=made.now
        )

    assert made.channel_says(made.payment()) is PayInState.PAID
    trail = {event.action: event for event in events_of(made.order_id)}
    assert trail["deposit.pay_in_set_aside"].details == {"reason": "DataError"}
    assert trail["deposit.pay_in_released"].details == {"reason": "The answer fits now."}
    assert trail["deposit.pay_in_released"].actor_id == approver.id


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": "  "}, errors.PayInFindingMissing),
        ({"order_id": "pin_nobody"}, errors.PayInUnknown),
    ],
)
def test_an_order_is_not_put_back_without_a_finding(
    changes: dict[str, str], refusal: type[Refusal]
) -> None:
    made = pig.waiting()
    operations.set_pay_in_aside(order_id=made.order_id, reason="DataError", now=made.now)
    about = {"order_id": made.order_id, "reason": "Mended.", **changes}

    with nothing_moves(*pig.TABLES), pytest.raises(refusal):
        operations.release_pay_in(**about, actor=given.approver(), now=made.now)


def test_people_are_told_once_that_an_order_was_set_aside() -> None:
    made = pig.waiting()
    for _again in range(2):
        operations.set_pay_in_aside(order_id=made.order_id, reason="DataError", now=made.now)

    told = OutboxRow.objects.filter(event="deposits.PayInNeedsPerson")
    assert [row.payload["why"] for row in told] == ["set_aside"]


def _book_of(case: queries.SuspenseCase) -> int:
    from kuaitui.deposits.models import SuspenseRow

    return SuspenseRow.objects.get(public_id=case.suspense_id).book_id


def test_a_request_without_a_page_to_return_to_names_none() -> None:
    made = pig.world()

    made.start(payer=PayerDetails(), method=PayInMethod.LINK)

    assert PayInOrderRow.objects.get(public_id=made.order_id).return_url == ""
