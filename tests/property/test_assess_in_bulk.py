"""All deposits at once and one at a time: the same answer, whatever was reported."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kuaitui.deposits.operations import decide_deduction
from kuaitui.deposits.types import DeductionItem, DeductionPurpose
from kuaitui.facts.operations import record_reports
from kuaitui.policy.bulk import codes_of_mask
from kuaitui.policy.types import DEBT_OPEN, RefundKind
from kuaitui.refunds.queries import assess_deposit, assess_in_bulk
from kuaitui.refunds.queries import in_bulk as module
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice
from tests.support import given as world
from tests.support import refunds_given
from tests.support.fact_reports import any_report


@pytest.mark.django_db
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), kind=st.sampled_from(RefundKind), day=st.integers(-3, 40))
def test_every_deposit_is_assessed_in_bulk_as_it_is_by_itself(
    data: st.DataObject, kind: RefundKind, day: int
) -> None:
    shops = [world.shop(data.draw(st.sampled_from(["¥10,000", "¥300"]))) for _ in range(3)]
    for shop in shops:
        record_reports(
            data.draw(st.lists(any_report(shop.shop_id), max_size=6)), source="test", now=world.NOW
        )
    now = world.NOW + dt.timedelta(days=day)

    in_bulk = found_in_bulk(kind, now)

    for shop in shops:
        assert in_bulk[shop.account_id] == found_alone(shop, kind, now)


@pytest.mark.django_db
def test_what_a_deduction_left_owing_counts_in_bulk_too() -> None:
    shop = world.shop("¥300")
    before = found_in_bulk(RefundKind.FULL_EXIT, world.NOW)[shop.account_id]
    decide_deduction(
        account_id=shop.account_id,
        items=(DeductionItem("Compensation", 1, world.yuan("¥500"), ("O-last",)),),
        purpose=DeductionPurpose.COMPENSATION,
        reason="A dispute was lost",
        clause="3.2",
        reference="D1",
        actor=world.reviewer(),
        now=world.NOW,
    )

    after = found_in_bulk(RefundKind.FULL_EXIT, world.NOW)[shop.account_id]

    assert DEBT_OPEN not in before[1]
    assert DEBT_OPEN in after[1]
    assert after == found_alone(shop, RefundKind.FULL_EXIT, world.NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.PAYING, State.RETURNED, State.PAID])
@pytest.mark.parametrize("kind", RefundKind)
def test_what_a_payout_carries_counts_once_in_bulk_and_alone(
    state: State, kind: RefundKind
) -> None:
    """Paid out, nothing of it lies here; ready to be sent, or come back, all of it does, set aside."""
    made = refunds_given.World(world.shop("¥3,000"))
    made.submit(choice=AmountChoice.EXCESS)
    made.check()
    made.approve_whole()
    if state is not State.PAYING:
        made.channel_pays()
    if state is State.RETURNED:
        made.bank_returns()
    assert made.state is state
    now = made.now

    alone = found_alone(made.shop, kind, now)

    assert found_in_bulk(kind, now)[made.shop.account_id] == alone
    assert made.deposit.available == world.yuan("¥500")
    if kind is RefundKind.FULL_EXIT:
        assert alone[2] == 50_000


Found = tuple[bool, tuple[str, ...], int, dt.date | None]


def found_in_bulk(kind: RefundKind, now: dt.datetime) -> dict[str, Found]:
    return {
        found.account_id: (
            found.is_eligible,
            codes_of_mask(found.failed),
            found.refundable_minor,
            found.earliest_on,
        )
        for found in assess_in_bulk(kind=kind, now=now)
    }


def found_alone(shop: world.Shop, kind: RefundKind, now: dt.datetime) -> Found:
    single = assess_deposit(account_id=shop.account_id, kind=kind, now=now)
    codes = tuple(finding.code for finding in single.blockers)
    return single.is_eligible, codes, single.refundable_minor, single.earliest_on


@pytest.mark.django_db
def test_ranges_of_shops_make_up_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    shops = [world.shop() for _ in range(5)]
    monkeypatch.setattr(module, "SHOPS_AT_ONCE", 2)

    def assessed(**bounds: int) -> list[str]:
        found = assess_in_bulk(kind=RefundKind.FULL_EXIT, now=world.NOW, **bounds)
        return [each.account_id for each in found]

    middle = shops[2].shop_key
    parts = assessed(up_to_shop_key=middle) + assessed(after_shop_key=middle)

    assert sorted(parts) == sorted(assessed())
    assert {shop.account_id for shop in shops} <= set(parts)
    assert len(parts) == len(set(parts))
