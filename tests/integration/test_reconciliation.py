"""Bills against books: what agrees, what opens a break, what closes one by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import pytest

from kuaitui.channels.port import (
    FailedDefinite,
    LineKind,
    Statement,
    StatementKind,
    Unknown,
)
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.types import FoundBy, Resolution
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.errors import BillTooLarge, ClosingReasonMissing, FileNotWaiting
from kuaitui.reconciliation.types import (
    BreakState,
    Closing,
    DayState,
    DifferenceKind,
    Event,
    ReadingState,
    Source,
)
from tests.support import given, payouts_given
from tests.support.given import CHANNEL, NOW
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    ONE_DAY,
    TABLES,
    TODAY,
    TRADES,
    Paper,
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
NEEDED = frozenset({FUNDS, TRADES})


def paid_in(
    reference: str = "P1", amount: str = "¥10,000", *, when: dt.datetime | None = None
) -> str:
    """A payment that a channel confirmed yesterday; returns its reference."""
    shop = given.shop((), paid_days_ago=0)
    given.pay_in(shop.account_id, amount, reference=reference, paid_at=when or at(12))
    return reference


def paid_out(amount: str = "¥10,000", *, when: dt.datetime | None = None) -> payouts_given.World:
    """A leg that the channel paid yesterday."""
    world = payouts_given.payout(amount, deposit_=amount)
    payouts_given.attempt(world, payouts_given.succeeded(when or at(12)))
    return world


def number_of(world: payouts_given.World) -> str:
    return payouts.leg(world.leg_id).channel_number


def given_back(world: payouts_given.World, when: dt.datetime) -> None:
    later = NOW + ONE_DAY
    payouts_given.attempt(world, payouts_given.returned(when), now=later)


def report(day: dt.date = DAY) -> DayState:
    return queries.day_report(channel=CHANNEL, day=day, needed=NEEDED).state


def test_what_both_sides_tell_alike_is_no_break() -> None:
    payment, leg = paid_in(), paid_out()
    given_back(leg, at(15))
    number = number_of(leg)

    matching = compare_with(
        line("pay_in", payment, "¥10,000"),
        line("refund", number, "¥10,000"),
        line("return", number, "¥10,000"),
        line("fee", "F1", "¥6"),
        line("transfer", "T1", "¥99"),
    )

    assert matching.compared_count == 5
    assert breaks() == {}


def test_a_day_is_proven_when_both_bills_agree() -> None:
    payment = paid_in()

    compare_with(line("pay_in", payment, "¥10,000"))
    assert report() is DayState.NOT_HERE
    bring(bill(line("pay_in", payment, "¥10,000"), kind=TRADES), kind=TRADES)
    assert report() is DayState.NOT_HERE
    compare(kind=TRADES)

    assert report() is DayState.PROVEN
    found = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert found.lines_count == 2
    assert [flow.came_in for flow in found.flows] == [given.yuan("¥10,000")]


@dataclass
class RowsWithFees(Paper):
    """A channel whose rows tell a payment and its fee in one, as WeChat Pay's trade bill does."""

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        statement = super().read_statement(kind, content)
        kinds = {LineKind.PAY_IN: LineKind.FEE, LineKind.REFUND: LineKind.FEE_RETURN}
        fees = [
            replace(one, kind=kinds[one.kind], amount=given.yuan("¥6")) for one in statement.lines
        ]
        told = [line for pair in zip(statement.lines, fees, strict=True) for line in pair]
        return replace(statement, lines=tuple(told))


def test_a_row_that_tells_a_payment_and_its_fee_is_two_lines_and_no_difference() -> None:
    payments, number = [paid_in("P1"), paid_in("P2")], number_of(paid_out())
    rows = [
        *(line("pay_in", one, "¥10,000") for one in payments),
        line("refund", number, "¥10,000"),
    ]

    brought = operations.bring_file(
        channel=CHANNEL, reader=RowsWithFees(), bill=FUNDS, day=DAY, content=bill(*rows),
        file_name="", source=Source.IMPORTED, actor=given.clerk(), now=NOW,
    )  # fmt: skip
    compare()

    assert (brought.lines_count, breaks()) == (6, {})
    (flow,) = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED).flows
    assert (flow.came_in, flow.went_out, flow.fees) == (
        given.yuan("¥20,000"), given.yuan("¥10,000"), given.yuan("¥6"),
    )  # fmt: skip
    assert queries.reread(lambda _name: RowsWithFees()).differences == ()


def test_a_number_that_both_bills_lack_is_counted_once_in_the_money_in_doubt() -> None:
    paid_in("¥10,000")

    compare_with(line("fee", "F1", "¥6"))
    bring(bill(line("fee", "F1", "¥6"), kind=TRADES), kind=TRADES)
    compare(kind=TRADES)

    found = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert found.breaks_count == 2
    assert found.breaks == (given.yuan("¥10,000"),)


def test_an_event_told_in_parts_agrees_when_the_parts_add_up() -> None:
    number = number_of(paid_out("¥10,000"))

    compare_with(line("refund", number, "¥4,000"), line("refund", number, "¥6,000"))

    assert breaks() == {}


CASES: dict[str, tuple[list[tuple[str, str]], DifferenceKind, bool]] = {
    "not on the bill": ([], DifferenceKind.MISSING_IN_BILL, False),
    "another amount": ([("refund", "¥9,999.99")], DifferenceKind.AMOUNT, True),
    "paid twice": ([("refund", "¥10,000"), ("refund", "¥10,000")], DifferenceKind.DUPLICATE, True),
    "came back unseen": (
        [("refund", "¥10,000"), ("return", "¥10,000")],
        DifferenceKind.RETURN,
        False,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_leg_that_the_bill_tells_otherwise_is_a_break(name: str) -> None:
    lines, kind, is_dangerous = CASES[name]
    number = number_of(paid_out())

    compare_with(line("pay_in", "P-other", "¥1"), *(line(k, number, a) for k, a in lines))

    found = {one.key: one for one in queries.open_breaks()}[number]
    assert (found.kind, found.is_dangerous) == (kind, is_dangerous)
    assert found.evidence["ours"]["word"] == "paid"
    assert found.day == DAY


def test_money_out_under_a_number_we_do_not_know_stops_sending_and_asking_goes_on() -> None:
    world = payouts_given.payout()

    compare_with(line("payout", "nobody-knows", "¥500"))
    assert operations.stop_for_breaks(now=NOW) == (CHANNEL,)

    (switch,) = payouts.kill_switches()
    assert switch.is_stopped
    assert the_break().break_id in switch.reason
    with pytest.raises(AssertionError):
        payouts_given.claim(world)
    assert operations.stop_for_breaks(now=NOW) == ()


def test_a_break_stops_a_channel_once_so_that_people_can_release_it() -> None:
    compare_with(line("payout", "nobody-knows", "¥500"))
    operations.stop_for_breaks(now=NOW)
    payouts_given.resume(CHANNEL)

    compare()
    operations.stop_for_breaks(now=NOW)

    assert [switch.is_stopped for switch in payouts.kill_switches()] == [False]


def test_a_line_nobody_mapped_is_a_break_that_a_later_posting_closes() -> None:
    compare_with(line("other", "P9", "¥300"))
    found = the_break()
    assert (found.kind, found.is_dangerous) == (DifferenceKind.MISSING_IN_LEDGER, False)

    paid_in("P9", "¥300")
    assert compare().matched_later == (found.break_id,)

    closed = queries.found_break(found.break_id)
    assert (closed.state, closed.closing) == (BreakState.CLOSED, Closing.MATCHED_LATER)
    assert closed.closed_because == f"posted since, as the bill of {DAY} has it"


def test_a_missing_line_is_closed_by_the_bill_that_has_it() -> None:
    payment = paid_in()
    compare_with(line("pay_in", "P-other", "¥1"))
    found = queries.breaks_of_day(channel=CHANNEL, day=DAY)[-1]
    assert breaks()[payment] == "missing_in_bill"
    later = NOW + 2 * ONE_DAY

    compare_with(line("pay_in", payment, "¥10,000"), day=DAY + ONE_DAY, now=later)

    assert payment not in breaks()
    closed = {one.key: one for one in queries.breaks_of_day(channel=CHANNEL, day=DAY)}[payment]
    assert closed.closed_because == f"on the bill of {DAY + ONE_DAY}"
    assert found.key in {payment, "P-other"}


def test_near_midnight_it_is_timing_until_the_neighbours_bill_is_here() -> None:
    kept, lost = paid_in("P-kept", when=at(23, 30)), paid_in("P-lost", when=at(23, 31))
    compare_with(line("pay_in", "P-other", "¥1"))
    assert {breaks()[kept], breaks()[lost]} == {"timing"}

    next_day = NOW + ONE_DAY
    compare_with(line("pay_in", kept, "¥10,000"), day=TODAY, now=next_day)

    assert kept not in breaks()
    assert breaks()[lost] == "missing_in_bill"
    aged = next(one for one in queries.open_breaks() if one.key == lost)
    assert [step.what for step in queries.steps_of(aged.break_id)] == ["found", "aged"]


def test_timing_ages_out_when_no_other_bill_comes() -> None:
    payment = paid_in(when=at(23, 30))
    compare_with(line("pay_in", "P-other", "¥1"))

    compare(now=NOW + 2 * ONE_DAY)

    assert breaks()[payment] == "missing_in_bill"


def test_a_line_on_the_neighbouring_day_is_no_break() -> None:
    payment = paid_in(when=at(23, 59, day=DAY - ONE_DAY))

    compare_with(line("pay_in", payment, "¥10,000"))
    compare_with(line("pay_in", "P-other", "¥1"), day=DAY - ONE_DAY)

    assert payment not in breaks()


def test_a_second_payment_on_another_day_is_a_duplicate() -> None:
    number = number_of(paid_out(when=at(12, day=DAY - ONE_DAY)))
    compare_with(line("refund", number, "¥10,000"), day=DAY - ONE_DAY)
    assert breaks() == {}

    compare_with(line("refund", number, "¥10,000"))

    assert breaks() == {number: "duplicate"}
    assert the_break().day == DAY


def test_a_second_payment_is_found_also_when_the_later_bill_came_first() -> None:
    number = number_of(paid_out(when=at(23, 50, day=DAY - ONE_DAY)))
    compare_with(line("refund", number, "¥10,000"))
    assert breaks() == {}

    compare_with(line("refund", number, "¥10,000"), day=DAY - ONE_DAY)

    assert breaks() == {number: "duplicate"}


def test_a_leg_still_under_way_is_a_state_that_the_channels_answer_closes() -> None:
    world = payouts_given.payout()
    payouts_given.attempt(world, Unknown("timeout"))
    compare_with(line("refund", number_of(world), "¥10,000"))
    found = the_break()
    assert (found.kind, found.is_dangerous) == (DifferenceKind.STATE, False)

    later = payouts_given.next_check_at(world)
    payouts_given.attempt(world, payouts_given.succeeded(at(12)), now=later)
    compare()

    assert queries.found_break(found.break_id).closing is Closing.MATCHED_LATER


def test_a_leg_we_call_failed_and_the_bill_calls_paid_is_dangerous() -> None:
    world = payouts_given.payout()
    payouts_given.attempt(world, FailedDefinite("ACCOUNT_CLOSED"))

    compare_with(line("refund", number_of(world), "¥10,000"))

    assert (the_break().kind, the_break().is_dangerous) == (DifferenceKind.STATE, True)


def test_a_failed_leg_that_went_out_and_came_back_is_no_break() -> None:
    world = payouts_given.payout()
    payouts_given.attempt(world, FailedDefinite("ACCOUNT_CLOSED"))
    number = number_of(world)

    compare_with(line("refund", number, "¥10,000"), line("return", number, "¥10,000"))

    assert breaks() == {}


def test_a_line_that_tells_only_the_banks_number_belongs_to_its_leg() -> None:
    paid_out()

    compare_with(line("refund", "", "¥10,000", number="", reference="SIM0001"))

    assert breaks() == {}


def two_refunds_of_one_payment() -> tuple[str, str]:
    """Two partial refunds that bear the one number of the payment they go back along."""
    first = payouts_given.payout("¥3,000")
    payouts_given.attempt(first, payouts_given.succeeded(at(9)))
    second = payouts_given.payout_of(first.shop, "¥4,000", application_id="rfa_2")
    payouts_given.attempt(second, payouts_given.succeeded(at(15)))
    return number_of(first), number_of(second)


def unnamed(amount: str) -> dict[str, Any]:
    return line("refund", "", amount, number="", reference="SIM0001")


def test_refunds_of_one_payment_share_its_number_and_each_has_its_line() -> None:
    two_refunds_of_one_payment()

    compare_with(unnamed("¥4,000"), unnamed("¥3,000"))

    assert breaks() == {}


def test_of_refunds_that_share_a_number_the_one_without_its_line_is_missing() -> None:
    first, _ = two_refunds_of_one_payment()

    compare_with(unnamed("¥4,000"))
    assert breaks() == {first: "missing_in_bill"}

    compare_with(unnamed("¥3,000"), day=DAY + ONE_DAY, now=NOW + 2 * ONE_DAY)
    assert breaks() == {}


def test_of_refunds_that_share_a_number_the_one_paid_twice_is_named() -> None:
    _, second = two_refunds_of_one_payment()

    compare_with(unnamed("¥3,000"), unnamed("¥4,000"), unnamed("¥4,000"))

    assert breaks() == {second: "duplicate"}


def test_another_currency_is_another_amount() -> None:
    payment = paid_in()

    compare_with(line("pay_in", payment, "¥10,000", currency="EUR"))

    assert breaks() == {payment: "amount"}


def test_a_payout_to_an_account_is_not_missing_on_the_trade_bill() -> None:
    world = payouts_given.payout(route_open=False)
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    bring(
        bill(
            line(
                "pay_in",
                "P-other",
                "¥1",
            ),
            kind=TRADES,
        ),
        kind=TRADES,
    )
    compare(kind=TRADES)

    assert number_of(world) not in breaks()


def test_comparing_again_changes_nothing() -> None:
    number = number_of(paid_out())
    compare_with(line("refund", number, "¥9"))
    before = the_break()

    with given.nothing_moves(*TABLES):
        assert compare() == compare()

    assert the_break() == before


def test_the_same_file_twice_is_one_file_and_moves_nothing() -> None:
    content = bill(line("pay_in", paid_in(), "¥10,000"))
    first = bring(content)

    with given.nothing_moves(*TABLES):
        again = bring(content)

    assert (first.is_new, again.is_new) == (True, False)
    assert first.file_id == again.file_id


def test_another_file_for_the_day_waits_for_a_person() -> None:
    payment = paid_in()
    compare_with(line("other", "P-other", "¥1"))
    second = bring(bill(line("pay_in", payment, "¥10,000")))
    assert (second.is_new, second.is_taken) == (True, False)
    compare()
    assert breaks()[payment] == "missing_in_bill"

    operations.decide_file(
        file_id=second.file_id, is_taken=True, reason="issued again",
        actor=given.reviewer(), now=NOW,
    )  # fmt: skip
    compare()

    assert breaks() == {}
    with pytest.raises(FileNotWaiting), given.nothing_moves(*TABLES):
        operations.decide_file(
            file_id=second.file_id, is_taken=False, reason="again", actor=given.reviewer(), now=NOW
        )


def test_a_file_is_not_decided_without_a_reason() -> None:
    compare_with(line("other", "P-other", "¥1"))
    second = bring(bill(line("pay_in", "P-new", "¥1")))

    with pytest.raises(ClosingReasonMissing), given.nothing_moves(*TABLES):
        operations.decide_file(
            file_id=second.file_id, is_taken=True, reason=" ", actor=given.reviewer(), now=NOW
        )
    assert report() is DayState.OPEN_BREAKS


BAD: dict[str, tuple[Any, int]] = {
    "wrong hash": (lambda: bill(line("pay_in", "P1", "¥1"), lines_sha256="0" * 64), 0),
    "a line missing": (lambda: bill(line("pay_in", "P1", "¥1"), lines_count=2), 0),
    "another account": (lambda: bill(line("pay_in", "P1", "¥1"), account="other"), 0),
    "another day": (lambda: bill(line("pay_in", "P1", "¥1"), day=DAY - ONE_DAY), 0),
    "three decimals": (lambda: bill(line("pay_in", "P1", "¥1", amount="1.005")), 1),
    "backtick": (lambda: bill(line("pay_in", "P1", "¥1", amount="`1.00")), 1),
    "broken encoding": (lambda: bill(line("pay_in", "P1", "¥1")) + b"\xff", 0),
    "nothing at all": (lambda: b"", 0),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bill_is_kept_with_its_reason_and_moves_nothing(name: str) -> None:
    make, line_no = BAD[name]
    content = make()
    moving = [table for table in TABLES if table.split("_")[1] not in {"file", "reading"}]

    with given.nothing_moves_but_audit(*moving):
        brought = bring(content)
        compare()

    assert (brought.state, brought.line_no, brought.is_taken) == (
        ReadingState.REFUSED, line_no, False,
    )  # fmt: skip
    assert brought.reason
    (kept,) = queries.files_of_day(channel=CHANNEL, day=DAY)
    assert (kept.reason, kept.line_no) == (brought.reason, line_no)
    assert report() is DayState.REFUSED


def test_a_sound_bill_after_a_refused_one_is_taken() -> None:
    bring(b"not a bill")

    assert bring(bill(line("pay_in", paid_in(), "¥10,000"))).is_taken


def test_a_file_larger_than_any_bill_is_not_even_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kuaitui.reconciliation.operations.bring.FILE_BYTES_MAX", 100)

    with pytest.raises(BillTooLarge), given.nothing_moves(*TABLES):
        bring(bill(line("pay_in", "P1", "¥1")))


def test_an_empty_day_is_proven_and_what_we_posted_on_it_is_missing() -> None:
    for kind in NEEDED:
        operations.bring_empty(channel=CHANNEL, bill=kind, day=DAY, actor=given.clerk(), now=NOW)
        compare(kind=kind)
    assert report() is DayState.PROVEN

    paid_in("P7")
    compare()

    assert (the_break().kind, the_break().event) == (DifferenceKind.MISSING_IN_BILL, Event.PAY_IN)
    assert report() is DayState.OPEN_BREAKS


def test_a_bill_that_shares_nothing_with_the_books_is_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kuaitui.reconciliation.errors import TooManyDifferences

    monkeypatch.setattr("kuaitui.reconciliation.operations.compare.DIFFERENCES_MAX", 2)
    bring(bill(*(line("payout", f"N{number}", "¥1") for number in range(3))))

    with pytest.raises(TooManyDifferences), given.nothing_moves(*TABLES):
        compare()


def test_money_in_suspense_is_known_and_so_is_what_was_sent_back_out_of_it() -> None:
    suspense_id = deposits.note_found_payment(
        found=deposits.FoundPayment(
            channel=CHANNEL, reference="P-strange", number="", amount=given.yuan("¥300"),
            paid_at=at(9), refundable_until=None,
        ),
        found_by=FoundBy.BILL,
        now=NOW,
    )  # fmt: skip
    assert suspense_id is not None
    compare_with(line("pay_in", "P-strange", "¥300"), line("refund", "by-hand", "¥300"))
    assert breaks() == {"by-hand": "missing_in_ledger"}

    maker, checker = given.reviewer(), given.approver()
    deposits.propose_resolution(
        suspense_id=suspense_id, version=0, resolution=Resolution.BY_HAND, account_id="",
        reason="nobody's", refund_reference="by-hand", actor=maker, now=NOW,
    )  # fmt: skip
    deposits.confirm_resolution(suspense_id=suspense_id, version=1, actor=checker, now=NOW)
    compare()

    assert breaks() == {}
