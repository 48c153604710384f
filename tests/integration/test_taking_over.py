"""A deposit that was there before is taken over whole and once, or nothing of it is."""

from __future__ import annotations

import pytest

from kuaitui.deposits import errors, operations
from kuaitui.deposits.operations import EarlierPayment, FoundPayment, take_over_deposit
from kuaitui.deposits.queries import deposit, suspense_case
from kuaitui.deposits.types import DepositKind, FoundBy, Resolution
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import deliver_due, undelivered_count
from kuaitui.notifications import queries as notices
from tests.support import given
from tests.support.given import DAY, NOW, nothing_moves, yuan

pytestmark = pytest.mark.django_db
TABLES = ("deposits_account", "deposits_lot", "deposits_channel_payment", "deposits_suspense")
REFERENCE = "4200001"


def payment(**changes: object) -> EarlierPayment:
    known = {
        "amount": yuan("¥200"),
        "channel": given.CHANNEL,
        "reference": REFERENCE,
        "paid_at": NOW - 9 * DAY,
        "refundable_until": NOW + 300 * DAY,
    }
    return EarlierPayment(**{**known, **changes})


def take_over(shop: given.Shop, **changes: object) -> bool:
    request = {
        "shop_key": shop.shop_key,
        "kind": DepositKind.SHOP,
        "required": yuan("¥800"),
        "payment": payment(),
        "actor": given.clerk(),
        "now": NOW,
    }
    return take_over_deposit(**{**request, **changes})


def in_suspense() -> str:
    """A bill told of the payment before the file did."""
    found = FoundPayment(given.CHANNEL, REFERENCE, "", yuan("¥200"), NOW - 9 * DAY, None)
    case_id = operations.note_found_payment(found=found, found_by=FoundBy.BILL, now=NOW)
    assert case_id is not None
    return case_id


def attribute(case_id: str, shop: given.Shop) -> None:
    operations.propose_resolution(
        suspense_id=case_id, version=suspense_case(case_id).version,
        resolution=Resolution.ATTRIBUTE, account_id=shop.account_id, reason="theirs",
        actor=given.reviewer(), now=NOW,
    )  # fmt: skip
    operations.confirm_resolution(
        suspense_id=case_id, version=suspense_case(case_id).version, actor=given.approver(), now=NOW
    )


def test_a_payment_is_taken_over_once_however_often_it_comes() -> None:
    shop = given.shop("¥300", required="¥500")

    assert take_over(shop)
    with nothing_moves(*TABLES):
        assert not take_over(shop)

    held = deposit(shop.account_id)
    assert (held.required, held.paid_in) == (yuan("¥800"), yuan("¥500"))


def test_the_shop_is_not_told_of_what_it_paid_itself() -> None:
    shop = given.shop("¥300", required="¥500")
    take_over(shop)
    while undelivered_count():
        assert deliver_due(now=NOW) > 0

    told = [notice.amount for notice in notices.notices_of(shop_key=shop.shop_key)]
    assert told == [yuan("¥300")], "the payment of before, which came as news"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"payment": payment(amount=yuan("¥0"))}, errors.DepositAmountNotPositive),
        ({"payment": payment(paid_at=NOW + DAY)}, errors.PaidInTheFuture),
        ({"payment": payment(amount=Money(500, "USD"))}, errors.DepositCurrencyWrong),
        ({"required": Money(-1, "CNY")}, errors.RequiredAmountNegative),
    ],
    ids=["nothing", "from the future", "another currency", "less than nothing"],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_refused_changes_nothing_not_even_what_is_required(
    changes: dict[str, object], refusal: type[Exception], is_there: bool
) -> None:
    shop = given.shop("¥300", required="¥500")
    kind = DepositKind.SHOP if is_there else DepositKind.CAMPAIGN

    with nothing_moves(*TABLES), pytest.raises(refusal):
        take_over(shop, kind=kind, **changes)


def test_a_payment_of_another_deposit_is_refused() -> None:
    shop, other = given.shop("¥300"), given.shop("¥300")
    take_over(other)

    with nothing_moves(*TABLES), pytest.raises(errors.PayInReferenceReused):
        take_over(shop)


def test_a_payment_that_a_bill_put_into_suspense_has_its_place_there() -> None:
    shop = given.shop("¥300", required="¥500")
    case_id = in_suspense()

    with nothing_moves(*TABLES), pytest.raises(errors.PaymentInSuspenseAlready):
        take_over(shop)

    attribute(case_id, shop)
    assert not take_over(shop), "two people have put it here"
    assert deposit(shop.account_id).paid_in == yuan("¥500")


def test_dying_before_the_end_takes_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = given.shop("¥300", required="¥500")

    class Death(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Death

    monkeypatch.setattr("kuaitui.deposits.operations.pay_in.set_off_debt", die)
    with nothing_moves(*TABLES), pytest.raises(Death):
        take_over(shop, kind=DepositKind.CAMPAIGN)

    monkeypatch.undo()
    assert take_over(shop, kind=DepositKind.CAMPAIGN)
