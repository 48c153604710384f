"""Deposits keep their promises, through their operations."""

from __future__ import annotations

import datetime as dt

import pytest

from kuaitui.channels.port import PayeeKind
from kuaitui.deposits import operations, queries
from kuaitui.deposits.errors import (
    AccountNumberMissing,
    AccountNumberMistyped,
    AccountNumberNotDigits,
    AccountNumberTooLong,
    AccountNumberTooShort,
    BankCodeMistyped,
    BankNameMissing,
    DeductionEmpty,
    DeductionItemUnexplained,
    DeductionReasonMissing,
    DeductionReferenceReused,
    DepositAccountUnknown,
    DepositAmountNotPositive,
    DepositCurrencyWrong,
    DestinationUnverified,
    HolderNameMissing,
    HoldReused,
    InsufficientDeposit,
    LotExhausted,
    PaidInTheFuture,
    PayInReferenceReused,
    RequiredAmountNegative,
)
from kuaitui.deposits.operations import ShareKey
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, DepositKind, StatementKind
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.kernel.money import Money
from kuaitui.kit.encryption import SealBroken
from kuaitui.ledger.operations import post_journal
from kuaitui.ledger.types import Account, Journal, Line
from tests.support import given
from tests.support.given import NOW, yuan

pytestmark = pytest.mark.django_db


def pay(account_id: str, amount: Money, reference: str = "P1", **changes):
    payment = {
        "account_id": account_id,
        "amount": amount,
        "channel": given.CHANNEL,
        "channel_reference": reference,
        "paid_at": NOW - given.DAY,
        "refundable_until": NOW + given.DAY,
        "actor": given.clerk(),
        "now": NOW,
    }
    return operations.record_pay_in(**{**payment, **changes})


def deduct(account_id: str, *amounts: str, reference: str = "D1", **changes):
    items = tuple(
        DeductionItem(f"late delivery {place}", 1, yuan(amount), (f"O{place}",))
        for place, amount in enumerate(amounts)
    )
    decision = {
        "account_id": account_id,
        "items": items,
        "purpose": DeductionPurpose.COMPENSATION,
        "reason": "Orders were sent late.",
        "clause": "Delivery rule 3.2",
        "reference": reference,
        "actor": given.reviewer(),
        "now": NOW,
    }
    return operations.decide_deduction(**{**decision, **changes})


def send(account_id: str, amount: Money, leg_id: str) -> None:
    """What payouts posts when a leg is sent."""
    _post(account_id, "leg_sent", leg_id, Account.FROZEN, Account.IN_TRANSIT, amount)


def settle(account_id: str, amount: Money, leg_id: str) -> None:
    _post(account_id, "leg_settled", leg_id, Account.IN_TRANSIT, Account.AT_CHANNEL, amount)
    operations.settle_shares([ShareKey(account_id, leg_id)], now=NOW)


def _post(account_id, kind, reference, debit, credit, amount) -> None:
    book_id = queries.deposit(account_id).book_id
    post_journal(Journal(book_id, kind, reference, NOW, (Line(debit, credit, amount),)), now=NOW)


def figures(account_id: str) -> dict[str, Money]:
    found = queries.deposit(account_id)
    names = ("paid_in", "deducted", "refunded", "in_transit", "frozen", "available", "owed")
    sums = {name: getattr(found, name) for name in names}
    left = sums["paid_in"] - sums["deducted"] - sums["refunded"]
    assert left == sums["in_transit"] + sums["frozen"] + sums["available"]
    assert queries.differences() == []
    return {name: sum_ for name, sum_ in sums.items() if not sum_.is_zero}


# Opening


def test_opening_the_same_deposit_again_returns_the_first():
    shop = given.shop(required="¥500")

    with given.nothing_moves():
        again = operations.open_deposit_account(
            shop_key=shop.shop_key, kind=DepositKind.SHOP, required=yuan("900"),
            actor=given.clerk(), now=NOW,
        )  # fmt: skip

    assert again == shop.account_id
    assert queries.deposit(again).required == yuan("500")


def test_many_deposits_are_opened_and_paid_at_once_like_one_by_one():
    keys = [given.shop().shop_key + 1000 + place for place in range(3)]
    requests = [operations.OpenDeposit(key, DepositKind.PROMOTION, yuan("5")) for key in keys]

    ids = operations.open_deposit_accounts(requests, actor=given.clerk(), now=NOW)
    lots = operations.record_pay_ins(
        [
            operations.Payment(
                account_id, yuan("70"), given.CHANNEL, f"many-{account_id}", NOW, None
            )
            for account_id in ids
        ],
        actor=given.clerk(),
        now=NOW,
    )

    found = [queries.deposit(account_id) for account_id in ids]
    assert [item.shop_key for item in found] == keys
    assert [item.lots[0].lot_id for item in found] == lots
    assert all(
        figures(account_id) == {"paid_in": yuan("70"), "available": yuan("70")}
        for account_id in ids
    )
    pay(ids[0], yuan("1"), "one-more")
    assert queries.deposit(ids[0]).paid_in == yuan("71")


def test_a_negative_requirement_is_refused():
    shop = given.shop()

    with given.nothing_moves(), pytest.raises(RequiredAmountNegative):
        operations.set_required(
            account_id=shop.account_id, required=Money(-1, "CNY"), actor=given.clerk(), now=NOW
        )


def test_excess_and_shortfall_follow_the_requirement():
    shop = given.shop("¥800", required="¥500")
    assert queries.deposit(shop.account_id).excess == yuan("300")

    operations.set_required(
        account_id=shop.account_id, required=yuan("1000"), actor=given.clerk(), now=NOW
    )

    assert queries.deposit(shop.account_id).excess == yuan("0")
    assert queries.deposit(shop.account_id).shortfall == yuan("200")


# Pay-in


def test_a_payment_opens_one_lot_and_is_available():
    shop = given.shop("¥10")

    lot = pay(shop.account_id, yuan("3000"), "P1")

    assert lot.is_new
    assert figures(shop.account_id) == {"paid_in": yuan("3010"), "available": yuan("3010")}
    assert queries.deposit(shop.account_id).lots[-1].lot_id == lot.lot_id


def test_the_same_payment_twice_is_counted_once():
    shop = given.shop("¥10")
    first = pay(shop.account_id, yuan("3000"), "P1")

    with given.nothing_moves():
        again = pay(shop.account_id, yuan("3000"), "P1")

    assert again.lot_id == first.lot_id
    assert not again.is_new


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": Money(0, "CNY")}, DepositAmountNotPositive),
        ({"amount": Money(-1, "CNY")}, DepositAmountNotPositive),
        ({"amount": Money(100, "USD")}, DepositCurrencyWrong),
        ({"paid_at": NOW + dt.timedelta(seconds=1)}, PaidInTheFuture),
        ({"account_id": "dep_nobody"}, DepositAccountUnknown),
        ({"reference": "P1"}, PayInReferenceReused),
    ],
)
def test_a_payment_that_cannot_be_is_refused(changes: dict[str, object], refusal: type[Refusal]):
    shop = given.shop()
    pay(shop.account_id, yuan("1"), "P1")
    good = {"account_id": shop.account_id, "amount": yuan("5"), "reference": "P2"}

    with given.nothing_moves("deposits_channel_payment"), pytest.raises(refusal):
        pay(**{**good, **changes})

    assert pay(**good).is_new


def test_a_payment_recorded_for_one_deposit_is_refused_for_another():
    first, second = given.shop(), given.shop()
    pay(first.account_id, yuan("5"), "P1")

    with given.nothing_moves("deposits_channel_payment"), pytest.raises(PayInReferenceReused):
        pay(second.account_id, yuan("5"), "P1")


# Holds


def test_freezing_moves_available_to_frozen_and_releasing_moves_it_back():
    shop = given.shop("¥100")

    operations.freeze_deposit(
        account_id=shop.account_id, amount=yuan("60"), reference="rfa_1", now=NOW
    )
    assert figures(shop.account_id) == {
        "paid_in": yuan("100"), "frozen": yuan("60"), "available": yuan("40"),
    }  # fmt: skip

    released = operations.release_deposit(account_id=shop.account_id, reference="rfa_1", now=NOW)
    assert released == yuan("60")
    assert figures(shop.account_id) == {"paid_in": yuan("100"), "available": yuan("100")}


def test_freezing_and_releasing_again_under_the_same_reference_changes_nothing():
    shop = given.shop("¥100")
    hold = {"account_id": shop.account_id, "amount": yuan("60"), "reference": "rfa_1", "now": NOW}
    operations.freeze_deposit(**hold)

    with given.nothing_moves():
        operations.freeze_deposit(**hold)
    with given.nothing_moves(), pytest.raises(HoldReused):
        operations.freeze_deposit(**{**hold, "amount": yuan("61")})
    operations.release_deposit(account_id=shop.account_id, reference="rfa_1", now=NOW)
    with given.nothing_moves(), pytest.raises(HoldReused):
        operations.freeze_deposit(**hold)
    with given.nothing_moves():
        assert operations.release_deposit(
            account_id=shop.account_id, reference="rfa_1", now=NOW
        ) == yuan("0")


def test_after_a_release_the_next_occasion_freezes_anew():
    shop = given.shop("¥100")
    hold = {"account_id": shop.account_id, "reference": "rfa_1", "now": NOW}
    operations.freeze_deposit(**hold, amount=yuan("60"))
    operations.release_deposit(**hold)

    operations.freeze_deposit(**hold, amount=yuan("50"), occasion=2)

    assert figures(shop.account_id)["frozen"] == yuan("50")


def test_more_than_is_available_cannot_be_frozen():
    shop = given.shop("¥100")
    operations.freeze_deposit(
        account_id=shop.account_id, amount=yuan("60"), reference="rfa_1", now=NOW
    )

    with given.nothing_moves(), pytest.raises(InsufficientDeposit):
        operations.freeze_deposit(
            account_id=shop.account_id, amount=yuan("40.01"), reference="rfa_2", now=NOW
        )


# Shares of legs


def frozen_with_legs(*amounts: str) -> tuple[given.Shop, list[str]]:
    """A shop whose whole deposit is frozen and carried by one leg for each payment."""
    shop = given.shop(amounts)
    found = queries.deposit(shop.account_id)
    operations.freeze_deposit(
        account_id=shop.account_id, amount=found.available, reference="rfa_1", now=NOW
    )
    legs = []
    for lot in found.lots:
        legs.append(f"leg_{lot.lot_id}")
        operations.reserve_share(
            account_id=shop.account_id, leg_id=legs[-1], lot_id=lot.lot_id, amount=lot.amount,
            reference="rfa_1", now=NOW,
        )  # fmt: skip
    return shop, legs


def test_a_leg_that_settles_turns_its_share_into_a_refund_and_back_when_returned():
    shop, (leg,) = frozen_with_legs("¥100")
    send(shop.account_id, yuan("100"), leg)
    settle(shop.account_id, yuan("100"), leg)
    assert figures(shop.account_id) == {"paid_in": yuan("100"), "refunded": yuan("100")}

    _post(shop.account_id, "leg_returned", leg, Account.AT_CHANNEL, Account.FROZEN, yuan("100"))
    operations.return_shares([ShareKey(shop.account_id, leg)], now=NOW)

    assert figures(shop.account_id) == {"paid_in": yuan("100"), "frozen": yuan("100")}
    assert queries.hold(account_id=shop.account_id, reference="rfa_1").open == yuan("100")


def test_every_step_of_a_share_may_come_twice():
    shop, (leg,) = frozen_with_legs("¥100")
    step = {"account_id": shop.account_id, "leg_id": leg, "now": NOW}
    send(shop.account_id, yuan("100"), leg)
    settle(shop.account_id, yuan("100"), leg)

    with given.nothing_moves():
        operations.settle_shares([ShareKey(shop.account_id, leg)], now=NOW)
    with given.nothing_moves(), pytest.raises(InvariantViolated):
        operations.release_share(**step)


def test_a_lot_cannot_carry_more_than_it_has():
    shop = given.shop(("¥100", "¥50"))
    first, second = queries.deposit(shop.account_id).lots
    operations.freeze_deposit(
        account_id=shop.account_id, amount=yuan("120"), reference="rfa_1", now=NOW
    )
    share = {"account_id": shop.account_id, "reference": "rfa_1", "now": NOW}
    operations.reserve_share(**share, leg_id="leg_1", lot_id=first.lot_id, amount=yuan("90"))

    with given.nothing_moves(), pytest.raises(LotExhausted):
        operations.reserve_share(**share, leg_id="leg_2", lot_id=first.lot_id, amount=yuan("10.01"))
    with given.nothing_moves(), pytest.raises(LotExhausted):
        operations.reserve_share(
            **share, leg_id="leg_2", lot_id=second.lot_id, amount=yuan("30.01")
        )
    operations.reserve_share(**share, leg_id="leg_2", lot_id=second.lot_id, amount=yuan("30"))


def test_nothing_is_released_that_a_leg_still_carries():
    shop, (leg,) = frozen_with_legs("¥100")
    release = {"account_id": shop.account_id, "reference": "rfa_1", "now": NOW}

    with given.nothing_moves(), pytest.raises(InvariantViolated):
        operations.release_deposit(**release)

    operations.release_share(account_id=shop.account_id, leg_id=leg, now=NOW)
    assert operations.release_deposit(**release) == yuan("100")


# Deductions


def test_a_deduction_takes_what_is_free_first_and_the_oldest_payment_first():
    shop = given.shop(("¥100", "¥50"))

    deduction = deduct(shop.account_id, "¥70", "¥50")

    assert figures(shop.account_id) == {
        "paid_in": yuan("150"), "deducted": yuan("120"), "available": yuan("30"),
    }  # fmt: skip
    assert [lot.deducted for lot in queries.deposit(shop.account_id).lots] == [
        yuan("100"),
        yuan("20"),
    ]
    assert deduction.from_available == yuan("120")


def test_a_deduction_beyond_what_is_free_takes_what_is_frozen_then_is_owed():
    shop = given.shop("¥100")
    operations.freeze_deposit(
        account_id=shop.account_id, amount=yuan("60"), reference="rfa_1", now=NOW
    )

    deduction = deduct(shop.account_id, "¥130")

    sources = (deduction.from_available, deduction.from_frozen, deduction.still_owed)
    assert sources == (yuan("40"), yuan("60"), yuan("30"))
    assert figures(shop.account_id) == {
        "paid_in": yuan("100"), "deducted": yuan("100"), "owed": yuan("30"),
    }  # fmt: skip
    assert queries.hold(account_id=shop.account_id, reference="rfa_1").open == yuan("0")


def test_a_deduction_does_not_touch_what_a_leg_carries():
    shop, (leg,) = frozen_with_legs("¥100")

    deduction = deduct(shop.account_id, "¥30")

    assert deduction.still_owed == yuan("30")
    send(shop.account_id, yuan("100"), leg)
    settle(shop.account_id, yuan("100"), leg)
    assert figures(shop.account_id)["refunded"] == yuan("100")


def test_what_is_owed_is_settled_by_the_next_payment():
    shop = given.shop("¥100")
    deduct(shop.account_id, "¥130")

    pay(shop.account_id, yuan("50"), "P2")

    assert figures(shop.account_id) == {
        "paid_in": yuan("150"), "deducted": yuan("130"), "available": yuan("20"),
    }  # fmt: skip


def test_what_is_owed_is_settled_when_money_becomes_free():
    shop, (leg,) = frozen_with_legs("¥100")
    deduct(shop.account_id, "¥30")

    operations.release_share(account_id=shop.account_id, leg_id=leg, now=NOW)
    operations.release_deposit(account_id=shop.account_id, reference="rfa_1", now=NOW)

    assert figures(shop.account_id) == {
        "paid_in": yuan("100"), "deducted": yuan("30"), "available": yuan("70"),
    }  # fmt: skip


def test_the_same_deduction_twice_is_taken_once():
    shop = given.shop("¥100")
    first = deduct(shop.account_id, "¥10")

    with given.nothing_moves("deposits_deduction_line"):
        assert deduct(shop.account_id, "¥10").deduction_id == first.deduction_id
    with given.nothing_moves(), pytest.raises(DeductionReferenceReused):
        deduct(shop.account_id, "¥11")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"items": ()}, DeductionEmpty),
        ({"items": (DeductionItem("", 1, yuan("1"), ("O1",)),)}, DeductionItemUnexplained),
        ({"items": (DeductionItem("late", 1, yuan("1"), ()),)}, DeductionItemUnexplained),
        ({"items": (DeductionItem("late", 0, yuan("1"), ("O1",)),)}, DepositAmountNotPositive),
        (
            {"items": (DeductionItem("late", -1, Money(-1, "CNY"), ("O1",)),)},
            DepositAmountNotPositive,
        ),
        ({"items": (DeductionItem("late", 1, Money(1, "USD"), ("O1",)),)}, DepositCurrencyWrong),
        ({"reason": " "}, DeductionReasonMissing),
        ({"clause": ""}, DeductionReasonMissing),
    ],
)
def test_a_deduction_that_does_not_explain_itself_is_refused(changes, refusal):
    shop = given.shop()

    with given.nothing_moves("deposits_deduction_line"), pytest.raises(refusal):
        deduct(shop.account_id, "¥1", **changes)

    deduct(shop.account_id, "¥1")


def test_a_deduction_shows_its_calculation_and_evidence():
    shop = given.shop()
    items = (
        DeductionItem("late delivery", 3, yuan("5"), ("O1", "O2", "O3")),
        DeductionItem("wrong goods", 1, yuan("20"), ("D7",)),
    )

    deduct(shop.account_id, items=items)

    (found,) = queries.deductions(account_id=shop.account_id)
    assert found.items == items
    assert found.amount == yuan("35")


# Destinations


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("", AccountNumberMissing),
        (" - - ", AccountNumberMissing),
        ("6222 O202 0000 1234 562", AccountNumberNotDigits),
        ("٣٢١٠٩٨٧٦٥٤", AccountNumberNotDigits),
        ("1234 567", AccountNumberTooShort),
        ("1" * 31, AccountNumberTooLong),
        ("6222 0202 0000 1234 563", AccountNumberMistyped),
        ("6222 0202 0000 2134 562", AccountNumberMistyped),
    ],
)
def test_a_wrong_account_number_says_what_is_wrong(number, refusal):
    shop = given.shop()

    with given.nothing_moves(), pytest.raises(refusal):
        given.destination(shop, number=number)

    given.destination(shop)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"holder_name": "  "}, HolderNameMissing),
        ({"holder_name": "\N{RIGHT-TO-LEFT OVERRIDE}"}, HolderNameMissing),
        ({"bank_name": ""}, BankNameMissing),
        ({"bank_name": "\N{ZERO WIDTH SPACE}"}, BankNameMissing),
    ],
)
def test_a_destination_needs_its_names(changes, refusal):
    shop = given.shop()
    entered = destination_form(shop)

    with given.nothing_moves(), pytest.raises(refusal):
        operations.add_destination(**{**entered, **changes})

    operations.add_destination(**entered)


def test_a_name_holds_nothing_that_cannot_be_seen():
    shop = given.shop()
    written = f"\N{RIGHT-TO-LEFT OVERRIDE}{given.OWNER}\N{ZERO WIDTH SPACE}\t\N{IDEOGRAPHIC SPACE}"

    entered = operations.add_destination(
        shop_key=shop.shop_key,
        holder_name=written,
        bank_name=given.BANK,
        account_number=given.CARD,
        actor=shop.seller,
        now=NOW,
    )

    assert entered.holder_name == given.OWNER


@pytest.mark.parametrize(
    "written",
    ["6222020200001234562", "6222-0202-0000-1234-562", "６２２２０２０２００００１２３４５６２"],
)
def test_the_same_number_written_differently_is_the_same_destination(written):
    shop = given.shop()
    first = given.destination(shop)

    with given.nothing_moves():
        again = given.destination(shop, number=written, is_verified=False)

    assert again.destination_id == first.destination_id


@pytest.mark.parametrize("written", ["3085 8400 0013", "308584000013", "cmbccnbs", "CMBCCNBSXXX"])
def test_what_a_bank_needs_besides_the_number_reaches_the_channel(written):
    shop = given.shop()

    entered = operations.add_destination(
        **destination_form(shop), bank_code=written, is_company=True
    )
    operations.verify_destination(
        destination_id=entered.destination_id, actor=given.reviewer(), now=NOW
    )

    details = queries.payee_details(entered.destination_id)
    assert details.bank_code == written.replace(" ", "").upper()
    assert details.is_company
    assert details.kind is PayeeKind.BANK_ACCOUNT


@pytest.mark.parametrize("written", ["12345678901", "1234567890123", "CMB", "CMBCCNBS1", "ＣＭＢ"])
def test_a_bank_code_that_is_none_is_refused(written):
    shop = given.shop()

    with given.nothing_moves(), pytest.raises(BankCodeMistyped):
        operations.add_destination(**destination_form(shop), bank_code=written)


def test_the_same_number_for_a_company_is_another_destination():
    shop = given.shop()
    first = operations.add_destination(**destination_form(shop))

    other = operations.add_destination(**destination_form(shop), is_company=True)

    assert other.destination_id != first.destination_id
    assert other.fingerprint != first.fingerprint


def destination_form(shop):
    return {
        "shop_key": shop.shop_key, "holder_name": given.OWNER, "bank_name": given.BANK,
        "account_number": given.CARD, "actor": shop.seller, "now": NOW,
    }  # fmt: skip


def test_people_see_the_tail_only_and_the_channel_sees_the_number_once_it_is_verified():
    shop = given.shop()
    entered = given.destination(shop, is_verified=False)
    number = given.CARD.replace(" ", "")
    assert entered.tail4 == number[-4:]
    assert number not in repr(entered)
    with pytest.raises(DestinationUnverified):
        queries.payee_details(entered.destination_id)

    operations.verify_destination(
        destination_id=entered.destination_id, actor=given.reviewer(), now=NOW
    )

    details = queries.payee_details(entered.destination_id)
    assert details.account_number == number
    assert number not in repr(details)


def test_the_first_destination_is_usable_at_once_and_a_further_one_cools_down():
    shop = given.shop()

    first = given.destination(shop)
    second = given.destination(shop, number="6217 0000 0000 0010 003")

    assert not first.is_cooling_down(now=NOW)
    assert second.is_cooling_down(now=NOW + dt.timedelta(hours=71, minutes=59))
    assert not second.is_cooling_down(now=NOW + dt.timedelta(hours=72))


def test_another_shop_with_the_same_account_is_found_without_opening_any():
    first, second = given.shop(), given.shop()
    mine = given.destination(first)
    assert queries.shops_sharing_destination(mine.destination_id) == 0

    given.destination(second)

    assert queries.shops_sharing_destination(mine.destination_id) == 1


def test_a_sealed_number_moved_to_another_destination_does_not_open(raw_sql):
    shop = given.shop()
    mine = given.destination(shop)
    other = given.destination(shop, number="6217 0000 0000 0010 003")

    raw_sql(
        "UPDATE deposits_destination SET number_sealed = (SELECT number_sealed FROM"
        " deposits_destination WHERE public_id = %s) WHERE public_id = %s",
        [mine.destination_id, other.destination_id],
    )

    with pytest.raises(SealBroken):
        queries.payee_details(other.destination_id)


# Statement


def test_the_statement_tells_every_movement_with_the_balance_after_it():
    shop = given.shop("¥100")
    operations.freeze_deposit(
        account_id=shop.account_id, amount=yuan("60"), reference="rfa_1", now=NOW
    )
    deduct(shop.account_id, "¥50")

    lines = queries.statement(account_id=shop.account_id).lines

    told = [(line.kind, line.amount, line.available, line.frozen) for line in reversed(lines)]
    assert told == [
        (StatementKind.PAID_IN, yuan("100"), yuan("100"), yuan("0")),
        (StatementKind.FROZEN, yuan("60"), yuan("40"), yuan("60")),
        (StatementKind.DEDUCTED, yuan("40"), yuan("0"), yuan("60")),
        (StatementKind.DEDUCTED, yuan("10"), yuan("0"), yuan("50")),
    ]


def test_the_statement_pages_without_losing_or_repeating_a_line():
    shop = given.shop("¥1")
    for number in range(2, 8):
        pay(shop.account_id, yuan(str(number)), f"P{number}")
    whole = queries.statement(account_id=shop.account_id).lines

    seen, after = [], None
    while True:
        page = queries.statement(account_id=shop.account_id, after=after, limit=3)
        seen.extend(page.lines)
        after = page.next
        if after is None:
            break

    assert tuple(seen) == whole
    assert whole[0].available == queries.deposit(shop.account_id).available
    assert len(whole) == 7


def test_a_deposit_of_another_shop_looks_like_none():
    mine, other = given.shop(), given.shop()

    with pytest.raises(DepositAccountUnknown):
        queries.account_of_shop(shop_key=mine.shop_key, account_id=other.account_id)
