"""Those who judge after real crashes can see: each wrong that they look for is made once, by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from reliability.crashes import auditing, auditing_pay_ins

from kuaitui.deposits import operations as deposits
from kuaitui.deposits.operations import FoundPayment
from kuaitui.deposits.types import FoundBy
from kuaitui.payouts import queries
from kuaitui.payouts.queries import payout_of_application
from kuaitui.refunds.states import State
from tests.support import given, refunds_given
from tests.support import pay_ins_given as pig
from tests.support.given import NOW, yuan
from tests.support.worker import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def by_hand(statement: str, *values: object) -> None:
    """Done to the tables past everything that would refuse it."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        assert cursor.rowcount > 0, "nothing was done"
        cursor.execute("SET session_replication_role = origin")


@dataclass
class PaidOut:
    """An application that was paid, as its applicant and the channel know it."""

    made: refunds_given.World = field(default_factory=lambda: refunds_given.application(State.PAID))
    number: str = ""
    theirs: dict[str, Any] = field(default_factory=dict)
    promises: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        payout = payout_of_application(self.made.application_id)
        assert payout is not None
        self.number = queries.leg(payout.legs[0].leg_id).channel_number
        minor = payout.legs[0].amount.minor
        self.theirs = {self.number: {"times_paid": 1, "with_payee_minor": minor}}
        self.promises = {self.made.application_id: (self.made.shop.account_id, minor)}

    def found(self) -> str:
        return "\n".join(auditing.findings(database_url(), self.theirs, self.promises))


@dataclass
class PaidIn:
    """An order that was paid and one payment in suspense, as seller and channel know them."""

    made: pig.World = field(default_factory=pig.paid)
    payments: list[dict[str, Any]] = field(default_factory=list)
    promises: dict[str, tuple[str, int]] = field(default_factory=dict)
    receipts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stranger = FoundPayment(given.CHANNEL, "STRANGE1", "", yuan("¥7"), NOW, None)
        assert deposits.note_found_payment(found=stranger, found_by=FoundBy.BILL, now=NOW)
        order = self.made.order
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT channel_reference, public_id FROM deposits_lot WHERE public_id = %s",
                [order.lot_id],
            )
            (reference, lot_id) = cursor.fetchone()
        self.payments = [
            {"reference": reference, "amount_minor": order.amount.minor},
            {"reference": "STRANGE1", "amount_minor": 700},
        ]
        self.promises = {order.order_id: (self.made.shop.account_id, order.amount.minor)}
        self.receipts = {lot_id: order.amount.minor}

    def found(self) -> str:
        told = self.payments, self.promises, self.receipts
        return "\n".join(auditing_pay_ins.findings(database_url(), *told))


@pytest.fixture
def out() -> PaidOut:
    made = PaidOut()
    assert made.found() == ""
    return made


@pytest.fixture
def into() -> PaidIn:
    made = PaidIn()
    assert made.found() == ""
    return made


# Money out


def test_a_number_of_nobodys_is_found(out: PaidOut) -> None:
    out.theirs["KT-nobody"] = {"times_paid": 1, "with_payee_minor": 1}

    assert "the channel paid KT-nobody, which no leg carries" in out.found()


@pytest.mark.parametrize("times", [0, 2])
def test_a_leg_that_was_paid_never_or_twice_is_found(out: PaidOut, times: int) -> None:
    out.theirs[out.number]["times_paid"] = times

    assert f"{out.number} was paid {times} times" in out.found()


def test_a_fen_too_much_is_found_at_the_leg_and_in_the_books(out: PaidOut) -> None:
    out.theirs[out.number]["with_payee_minor"] += 1

    assert f"{out.number}: 1000001 went out instead of 1000000" in out.found()
    assert "the books hold" in out.found()


def test_a_promise_that_was_lost_is_found(out: PaidOut) -> None:
    out.promises["rfa_lost"] = (out.made.shop.account_id, 1)

    assert "rfa_lost was confirmed and is not there" in out.found()


def test_an_application_of_nobodys_is_found(out: PaidOut) -> None:
    out.promises.clear()

    assert "is there and was never asked for" in out.found()


@pytest.mark.parametrize(
    "change", ["state = 'paying'", "amount_minor = amount_minor - 1", "account_id = 'dpa_other'"]
)
def test_an_application_that_is_not_what_was_promised_is_found(out: PaidOut, change: str) -> None:
    by_hand(f"UPDATE refunds_application SET {change}")

    assert f"{out.made.application_id} is" in out.found()
    assert "instead of paid" in out.found()


def test_a_leg_that_was_settled_twice_is_found(out: PaidOut) -> None:
    by_hand(
        "INSERT INTO ledger_journal SELECT (jsonb_populate_record(j, '{\"book_id\": 0}')).*"
        " FROM ledger_journal j WHERE kind = 'payout.leg_settled'"
    )

    assert "was settled 2 times" in out.found()


def test_two_sends_without_a_question_between_them_are_found(out: PaidOut) -> None:
    by_hand("UPDATE payouts_attempt SET outcome = 'unknown' WHERE kind = 'send'")
    by_hand(
        "INSERT INTO payouts_attempt (leg_id, attempt_no, kind, fence, started_at, finished_at,"
        " outcome, cause) SELECT leg_id, attempt_no + 1, kind, fence, started_at, finished_at,"
        " 'accepted', cause FROM payouts_attempt WHERE kind = 'send'"
    )

    assert "sent without asking" in out.found()


def test_an_account_below_zero_is_found(out: PaidOut) -> None:
    by_hand("UPDATE ledger_journal SET amounts = ARRAY[99999999] WHERE kind = 'payout.leg_settled'")

    assert "stands at -" in out.found()


# Money in


def test_a_payment_that_is_nowhere_is_found(into: PaidIn) -> None:
    into.payments.append({"reference": "LOST1", "amount_minor": 1})

    assert "payment LOST1 is in 0 places" in into.found()
    assert auditing_pay_ins.unplaced(database_url(), into.payments) == ["LOST1"]


def test_a_payment_in_a_deposit_and_in_suspense_is_found(into: PaidIn) -> None:
    reference = into.payments[0]["reference"]
    by_hand("UPDATE deposits_suspense SET reference = %s", reference)

    assert f"payment {reference} is in 2 places" in into.found()


@pytest.mark.parametrize(("table", "place"), [("lot", "lot"), ("suspense", "suspense")])
def test_a_fen_too_much_in_either_place_is_found(into: PaidIn, table: str, place: str) -> None:
    by_hand(
        f"UPDATE deposits_{table} SET amount_minor = amount_minor + 1"
        f" WHERE {'channel_' * (table == 'lot')}reference NOT LIKE 'given%%'"
    )

    assert f"{place} " in into.found()
    assert ", paid was" in into.found()


def test_a_lot_that_no_payment_stands_behind_is_found(into: PaidIn) -> None:
    by_hand("DELETE FROM deposits_channel_payment WHERE reference NOT LIKE 'given%%'")

    assert "is in 1 places" not in into.found()
    by_hand(
        "UPDATE deposits_lot SET channel_reference = 'MADE-UP'"
        " WHERE channel_reference NOT LIKE 'given%%'"
    )
    assert "lot without a payment MADE-UP holds" in into.found()


def test_an_order_that_was_lost_is_found(into: PaidIn) -> None:
    into.promises["pio_lost"] = (into.made.shop.account_id, 1)

    assert "pio_lost was confirmed and is not there" in into.found()


def test_an_order_of_nobodys_is_found(into: PaidIn) -> None:
    into.promises.clear()

    assert "is there and was never asked for" in into.found()


def test_an_order_of_another_amount_is_found(into: PaidIn) -> None:
    by_hand("UPDATE deposits_pay_in_order SET amount_minor = 1, paid_minor = 1")

    assert f"{into.made.order_id} is" in into.found()


def test_an_order_that_was_set_aside_is_found(into: PaidIn) -> None:
    by_hand("UPDATE deposits_pay_in_order SET set_aside_at = now()")

    assert f"{into.made.order_id} was set aside" in into.found()


def test_an_order_that_nobody_knows_of_is_waited_for(into: PaidIn) -> None:
    by_hand("UPDATE deposits_pay_in_order SET state = 'unknown', next_check_at = now()")

    waited_for = auditing_pay_ins.unplaced(database_url(), into.payments)

    assert waited_for == [into.made.order_id]


def test_a_receipt_that_says_another_amount_is_found(into: PaidIn) -> None:
    into.receipts = {lot_id: minor + 1 for lot_id, minor in into.receipts.items()}

    assert "the receipt of" in into.found()
