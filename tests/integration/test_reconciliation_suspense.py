"""Money that a bill names and nobody knows ends in suspense, once, and two people say whose it is."""

from __future__ import annotations

import pytest

from kuaitui.channels.port import Succeeded, Unknown
from kuaitui.deposits import operations as deposits
from kuaitui.deposits import queries as deposit_queries
from kuaitui.deposits.queries import SuspenseCase
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import FoundBy, Resolution, SuspenseReason
from kuaitui.reconciliation import queries
from kuaitui.reconciliation.types import BreakState, Closing, DayState
from tests.support import given, pay_ins_given
from tests.support import send_backs_given as sbg
from tests.support.given import CHANNEL, NOW, yuan
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    ONE_DAY,
    TABLES,
    TRADES,
    at,
    bill,
    breaks,
    bring,
    compare,
    compare_with,
    line,
)

pytestmark = pytest.mark.django_db
NEEDED = frozenset({FUNDS, TRADES})
MONEY = ("deposits_suspense", "ledger_journal", "kit_outbox")


def the_case() -> SuspenseCase:
    (case,) = deposit_queries.suspense_cases()
    return case


def report() -> DayState:
    return queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED).state


def told_by_both_bills(reference: str = "P-strange", amount: str = "¥300") -> None:
    bring(bill(line("pay_in", reference, amount), kind=TRADES), kind=TRADES)
    compare(kind=TRADES)
    compare_with(line("pay_in", reference, amount, at=at(12, 1).isoformat()))


def test_a_payment_nobody_knows_is_set_aside_placed_by_two_and_the_day_is_proven() -> None:
    told_by_both_bills()

    case = the_case()
    assert (case.why, case.found_by) == (SuspenseReason.NEVER_HEARD_OF, FoundBy.BILL)
    assert (case.reference, case.number) == ("P-strange", "order-P-strange")
    assert (case.amount, case.paid_at) == (yuan("¥300"), at(12))
    assert report() is DayState.PROVEN
    shop = given.shop((), paid_days_ago=0)
    deposits.propose_resolution(
        suspense_id=case.suspense_id, version=case.version, resolution=Resolution.ATTRIBUTE,
        account_id=shop.account_id, reason="they sent the receipt", actor=given.reviewer(), now=NOW,
    )  # fmt: skip
    placed = deposits.confirm_resolution(
        suspense_id=case.suspense_id, version=case.version + 1, actor=given.approver(), now=NOW
    )
    for kind in NEEDED:
        compare(kind=kind)

    assert placed is SuspenseState.ATTRIBUTED
    assert report() is DayState.PROVEN
    assert deposit_queries.deposit(shop.account_id).paid_in == yuan("¥300")


def test_found_by_both_bills_it_is_one_case_and_no_break_is_left_to_people() -> None:
    told_by_both_bills()

    found = queries.breaks_of_day(channel=CHANNEL, day=DAY)
    assert [(one.bill, one.state, one.closing) for one in found] == [
        (TRADES, BreakState.CLOSED, Closing.MATCHED_LATER)
    ]
    assert found[0].closed_because == f"set aside in suspense as {the_case().suspense_id}"


def test_comparing_again_sets_nothing_aside_again() -> None:
    told_by_both_bills()

    with given.nothing_moves(*TABLES, *MONEY):
        compare()
        compare(kind=TRADES)


def test_a_payment_of_an_order_that_waits_is_asked_about_and_its_break_stays_until_the_answer() -> (
    None
):
    made = pay_ins_given.waiting()
    told = line("pay_in", "P-ours", "¥300", number=made.order.number)

    compare_with(told)

    assert deposit_queries.suspense_cases() == ()
    assert breaks() == {"P-ours": "missing_in_ledger"}
    assert pay_ins_given.next_check_at(made.order_id) == NOW


@pytest.mark.parametrize(
    "lines",
    [
        [line("other", "P-strange", "¥300")],
        [line("pay_in", "P-strange", "¥300"), line("pay_in", "P-strange", "¥300")],
        [line("pay_in", "P-strange", "¥300"), line("other", "P-strange", "¥5")],
    ],
    ids=["a line nobody mapped", "told twice", "told with another movement"],
)
def test_what_is_not_plainly_one_payment_waits_for_people(lines) -> None:
    compare_with(*lines)

    assert deposit_queries.suspense_cases() == ()
    assert breaks() == {"P-strange": "missing_in_ledger"}


def test_a_later_bill_that_tells_it_once_more_is_a_duplicate_that_people_see() -> None:
    compare_with(line("pay_in", "P-strange", "¥300"))
    assert breaks() == {}

    later = NOW + ONE_DAY
    compare_with(line("pay_in", "P-strange", "¥300"), day=DAY + ONE_DAY, now=later)

    assert breaks() == {"P-strange": "duplicate"}
    assert the_case().amount == yuan("¥300")


def test_a_crash_before_it_is_set_aside_is_made_good_by_the_next_comparison(monkeypatch) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(
            "kuaitui.reconciliation.operations.compare.set_payments_aside", lambda **_: ()
        )
        compare_with(line("pay_in", "P-strange", "¥300"))
    assert breaks() == {"P-strange": "missing_in_ledger"}

    compare()

    assert breaks() == {}
    assert the_case().reference == "P-strange"


def ordered_back() -> sbg.World:
    """A payment out of suspense that left on the day of the bill; its outcome is still unknown."""
    made = sbg.ordered(now=at(9))
    made.channel_says(Unknown("deadline"))
    return made


def test_a_refund_on_the_bill_finds_the_payment_that_went_back_and_the_day_is_proven() -> None:
    made = ordered_back()
    made.channel_says(Succeeded("R", at(10)))

    compare_with(line("refund", made.view.number, "¥300"))

    assert made.view.number not in breaks()


def test_a_refund_that_the_bill_lacks_is_a_difference() -> None:
    made = ordered_back()
    made.channel_says(Succeeded("R", at(10)))

    compare_with()

    assert breaks()[made.view.number] == "missing_in_bill"


def test_a_refund_whose_answer_was_lost_is_known_by_its_number_and_settles_when_it_is_posted() -> (
    None
):
    made = ordered_back()
    compare_with(line("refund", made.view.number, "¥300"))
    assert breaks()[made.view.number] == "state"

    made.channel_says(Succeeded("R", at(10)))
    compare()

    assert made.view.number not in breaks()


def test_a_refund_with_another_amount_on_the_bill_is_a_difference() -> None:
    made = ordered_back()
    made.channel_says(Succeeded("R", at(10)))

    compare_with(line("refund", made.view.number, "¥299"))

    assert breaks()[made.view.number] == "amount"


def along(made: sbg.World, amount: str = "¥300") -> dict[str, object]:
    """A refund as Alipay's fund bill tells it: by the payment, with no number of ours."""
    return line("refund", "", amount, number="", reference=made.case.reference)


def test_a_refund_told_only_by_its_payment_is_the_payment_that_went_back() -> None:
    made = ordered_back()
    made.channel_says(Succeeded("R", at(10)))

    compare_with(along(made))

    assert made.view.number not in breaks()
    assert made.case.reference not in breaks()


def test_a_refund_told_only_by_its_payment_whose_answer_was_lost_stops_nobody() -> None:
    made = ordered_back()

    compare_with(along(made))
    assert breaks()[made.view.number] == "state"
    assert made.case.reference not in breaks()

    made.channel_says(Succeeded("R", at(10)))
    compare()
    assert made.view.number not in breaks()


def test_a_refund_made_by_hand_and_told_by_its_payment_is_that_refund() -> None:
    made = pay_ins_given.paid()
    made.hint()
    made.channel_says(made.payment(reference="PAID-TWICE"))
    (case,) = deposit_queries.suspense_cases()
    about = {"suspense_id": case.suspense_id, "now": at(10)}
    deposits.propose_resolution(
        **about, version=case.version, resolution=Resolution.BY_HAND, account_id="",
        refund_reference="BY-HAND-1", reason="refunded in the console", actor=given.reviewer(),
    )  # fmt: skip
    deposits.confirm_resolution(**about, version=case.version + 1, actor=given.approver())

    compare_with(line("refund", "", "¥300", number="", reference=case.reference))

    assert "BY-HAND-1" not in breaks()
    assert case.reference not in breaks()


def test_a_payment_that_went_back_and_a_second_refund_along_it_is_paid_twice() -> None:
    made = ordered_back()
    made.channel_says(Succeeded("R", at(10)))

    compare_with(along(made), along(made))

    assert breaks()[made.view.number] == "duplicate"
