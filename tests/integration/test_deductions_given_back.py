"""What was deducted comes back to the deposit: once, to the lots it came from, and never too much."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from kuaitui.deposits import operations, queries
from kuaitui.deposits.errors import (
    DeductionGivenBackAlready,
    DeductionUnknown,
    DepositAmountNotPositive,
    DepositCurrencyWrong,
    GivenBackTooMuch,
)
from kuaitui.deposits.types import (
    Deduction,
    DeductionItem,
    DeductionPurpose,
    HoldKind,
    StatementKind,
)
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from tests.support import given
from tests.support.given import NOW, yuan
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db


def deduct(
    account_id: str,
    amount: str,
    *,
    reference: str = "D1",
    purpose: DeductionPurpose = DeductionPurpose.COMPENSATION,
) -> Deduction:
    return operations.decide_deduction(
        account_id=account_id,
        items=(DeductionItem("Sent late.", 1, yuan(amount), ("O1",)),),
        purpose=purpose,
        reason="Orders were sent late.",
        clause="Delivery rule 3.2",
        reference=reference,
        actor=given.reviewer(),
        now=NOW,
    )


def give_back(deduction: Deduction, amount: Money | None = None) -> Money:
    with transaction.atomic(durable=True):
        return operations.give_back_deduction(
            deduction_id=deduction.deduction_id,
            amount=amount or deduction.amount,
            actor=given.approver(),
            now=NOW,
        )


def set_aside(account_id: str, amount: str, reference: str, kind: HoldKind) -> None:
    operations.freeze_deposit(
        account_id=account_id, amount=yuan(amount), reference=reference, kind=kind, now=NOW
    )


def figures(account_id: str) -> tuple[str, ...]:
    """Deducted, frozen, available, owed; the lots explain the book."""
    found = queries.deposit(account_id)
    assert queries.differences() == []
    assert ledger.differences() == []
    sums = (found.deducted, found.frozen, found.available, found.owed)
    return tuple(f"{sum_.to_decimal():,.0f}" for sum_ in sums)


def still_taken(account_id: str) -> list[str]:
    return [f"{lot.deducted.to_decimal():,.0f}" for lot in queries.deposit(account_id).lots]


@pytest.mark.parametrize("purpose", list(DeductionPurpose))
def test_what_is_given_back_is_free_again(purpose: DeductionPurpose) -> None:
    shop = given.shop("¥100")
    deduction = deduct(shop.account_id, "¥70", purpose=purpose)

    assert give_back(deduction) == yuan("70")

    assert figures(shop.account_id) == ("0", "0", "100", "0")
    balances = ledger.balances(queries.deposit(shop.account_id).book_id)
    assert balances.of(Account.COMPENSATION_PAYABLE).is_zero
    assert balances.of(Account.PENALTY_INCOME).is_zero
    (found,) = queries.deductions(account_id=shop.account_id)
    assert found.given_back == yuan("70")
    newest = queries.statement(account_id=shop.account_id).lines[0]
    assert (newest.kind, newest.change) == (StatementKind.GIVEN_BACK, yuan("70"))
    assert newest.reference == deduction.deduction_id


def test_a_part_comes_back_to_the_newest_payment_it_was_taken_from() -> None:
    shop = given.shop(("¥100", "¥50", "¥50"))
    deduction = deduct(shop.account_id, "¥130")
    assert still_taken(shop.account_id) == ["100", "30", "0"]

    give_back(deduction, yuan("40"))

    assert still_taken(shop.account_id) == ["90", "0", "0"]
    assert figures(shop.account_id) == ("90", "0", "110", "0")


def test_it_makes_a_debt_less_before_anything_is_free() -> None:
    shop = given.shop("¥100")
    deduction = deduct(shop.account_id, "¥130")
    assert figures(shop.account_id) == ("100", "0", "0", "30")

    assert give_back(deduction, yuan("40")) == yuan("10")

    assert figures(shop.account_id) == ("90", "0", "10", "0")
    kinds = {line.kind for line in queries.statement(account_id=shop.account_id).lines}
    assert StatementKind.OWED_LESS in kinds


def test_what_had_been_owed_comes_back_to_the_payment_that_settled_it() -> None:
    shop = given.shop("¥100")
    deduction = deduct(shop.account_id, "¥130")
    given.pay_in(shop.account_id, "¥50")
    assert figures(shop.account_id) == ("130", "0", "20", "0")

    give_back(deduction)

    assert figures(shop.account_id) == ("0", "0", "150", "0")
    assert still_taken(shop.account_id) == ["0", "0"]


def test_another_deductions_debt_takes_what_comes_back_first() -> None:
    shop = given.shop("¥100")
    first = deduct(shop.account_id, "¥100")
    deduct(shop.account_id, "¥30", reference="D2")

    assert give_back(first) == yuan("70")

    assert figures(shop.account_id) == ("30", "0", "70", "0")


def test_something_is_given_back_once() -> None:
    shop = given.shop("¥100")
    deduction = deduct(shop.account_id, "¥70")
    give_back(deduction, yuan("10"))

    with given.nothing_moves(), pytest.raises(DeductionGivenBackAlready):
        give_back(deduction, yuan("10"))


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        (yuan("70.01"), GivenBackTooMuch),
        (Money(0, "CNY"), DepositAmountNotPositive),
        (Money(-1, "CNY"), DepositAmountNotPositive),
        (Money(1, "USD"), DepositCurrencyWrong),
    ],
)
def test_what_cannot_come_back_is_refused(amount: Money, refusal: type[Refusal]) -> None:
    deduction = deduct(given.shop("¥100").account_id, "¥70")

    with given.nothing_moves(), pytest.raises(refusal), transaction.atomic(durable=True):
        operations.give_back_deduction(
            deduction_id=deduction.deduction_id, amount=amount, actor=given.approver(), now=NOW
        )


def test_a_deduction_nobody_knows_gives_nothing_back() -> None:
    with pytest.raises(DeductionUnknown), transaction.atomic(durable=True):
        operations.give_back_deduction(
            deduction_id="ded_0", amount=yuan("1"), actor=given.approver(), now=NOW
        )


def test_what_is_set_aside_for_another_deduction_waits_for_that_one() -> None:
    shop = given.shop("¥100")
    set_aside(shop.account_id, "¥60", "dcs_1", HoldKind.DEDUCTION)
    set_aside(shop.account_id, "¥30", "rfa_1", HoldKind.APPLICATION)

    deduction = deduct(shop.account_id, "¥80")

    sources = (deduction.from_available, deduction.from_frozen, deduction.still_owed)
    assert sources == (yuan("10"), yuan("30"), yuan("40"))
    assert queries.set_aside(HoldKind.DEDUCTION) == {"dcs_1": 6000}
    assert queries.set_aside_of(account_id=shop.account_id, kind=HoldKind.DEDUCTION) == {
        "dcs_1": yuan("60")
    }
    assert queries.set_aside(HoldKind.APPLICATION) == {}


def test_what_is_no_longer_set_aside_pays_what_another_deduction_left_owing() -> None:
    shop = given.shop("¥100")
    set_aside(shop.account_id, "¥60", "dcs_1", HoldKind.DEDUCTION)
    deduct(shop.account_id, "¥80")

    with transaction.atomic(durable=True):
        operations.release_deposit(account_id=shop.account_id, reference="dcs_1", now=NOW)

    assert figures(shop.account_id) == ("80", "0", "20", "0")


def test_what_is_set_aside_for_a_deduction_is_taken_for_it_before_it_pays_another_debt() -> None:
    """Deposit 100, 60 set aside. Another deduction takes the free 40 and leaves 40 owing."""
    shop = given.shop("¥100")
    set_aside(shop.account_id, "¥60", "case", HoldKind.DEDUCTION)
    deduct(shop.account_id, "¥80", reference="another")

    with transaction.atomic(durable=True):
        found = operations.take_deduction(
            account_id=shop.account_id,
            items=(DeductionItem("Sent late.", 1, yuan("50"), ("O1",)),),
            purpose=DeductionPurpose.COMPENSATION,
            reason="Orders were sent late.",
            clause="Delivery rule 3.2",
            reference="case",
            actor=given.reviewer(),
            now=NOW,
            set_aside_under="case",
        )

    assert (found.from_available, found.still_owed) == (yuan("50"), yuan("0"))
    # The 10 that are left of it pay the other debt.
    assert figures(shop.account_id) == ("100", "0", "0", "30")


def test_the_excess_is_what_the_policy_calls_so_while_something_is_set_aside() -> None:
    shop = given.shop("¥1,500")
    operations.set_required(
        account_id=shop.account_id, required=yuan("1000"), actor=given.reviewer(), now=NOW
    )

    set_aside(shop.account_id, "¥500", "case", HoldKind.DEDUCTION)
    assert queries.deposit(shop.account_id).excess == yuan("500")
    set_aside(shop.account_id, "¥800", "another", HoldKind.DEDUCTION)
    assert queries.deposit(shop.account_id).excess == yuan("200")


def test_a_giving_without_its_return_is_refused(raw_sql: Callable[..., None]) -> None:
    shop = given.shop(("¥100", "¥100"))
    deduction = deduct(shop.account_id, "¥150")
    insert = (
        "INSERT INTO deposits_lot_giving (account_id, lot_number, reference, amount_minor)"
        " SELECT account_id, 2, public_id, 100 FROM deposits_deduction"
    )
    tables = ("deposits_lot", "deposits_lot_giving")

    refuse(raw_sql, tables, insert, breaks="a_giving_is_part_of_a_return")
    give_back(deduction, yuan("50"))
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET CONSTRAINTS ALL DEFERRED")
    another = insert.replace(" 2,", " 1,")
    refuse(raw_sql, tables, another, breaks="a_giving_is_part_of_a_return")
