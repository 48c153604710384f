"""Any report on a shop, for property tests: few instants and few ids, so that reports meet."""

from __future__ import annotations

import dataclasses
import datetime as dt

from hypothesis import strategies as st

from kuaitui.facts.types import (
    AfterSaleReport,
    AfterSaleStatus,
    BalanceReport,
    DebtKind,
    DebtReport,
    DebtStatus,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    OrderReport,
    OrderStatus,
    Report,
    RestrictionKind,
    RestrictionReport,
    ShopKind,
    ShopReport,
    Standing,
    ViolationReport,
    ViolationStatus,
)
from kuaitui.kernel.money import Money
from tests.support.facts_given import NOW

INSTANTS = st.integers(-2, 1).map(lambda day: NOW + dt.timedelta(days=day))
BEGINNINGS = st.sampled_from([NOW - dt.timedelta(days=30), NOW, NOW + dt.timedelta(days=1)])
ENDS = st.none() | st.integers(-1, 5).map(lambda day: NOW + dt.timedelta(days=day))
IDS = st.sampled_from(["1", "2", "3"])
AMOUNTS = st.sampled_from([Money(100, "CNY"), Money(200, "CNY")])


def any_report(shop_id: str) -> st.SearchStrategy[Report]:
    """Any report on one shop that can be taken."""
    return st.one_of(
        orders_that_meet(shop_id),
        _orders(shop_id),
        _after_sales(shop_id),
        _disputes(shop_id),
        _violations(shop_id),
        _restrictions(shop_id),
        _debts(shop_id),
        st.builds(
            ListingsReport,
            shop_id=st.just(shop_id),
            listings_on_sale=st.integers(0, 2),
            status_at=INSTANTS,
        ),
        st.builds(
            BalanceReport,
            shop_id=st.just(shop_id),
            withdrawable_balance=AMOUNTS,
            status_at=INSTANTS,
        ),
        st.builds(
            ShopReport,
            shop_id=st.just(shop_id),
            standing=st.sampled_from(Standing),
            status_at=INSTANTS,
            kind=st.sampled_from(ShopKind),
            opened_at=BEGINNINGS,
            closing_notice_at=ENDS,
            closed_at=ENDS,
        ),
    )


def about(report: Report, shop_id: str) -> Report:
    """The same report on another shop."""
    return dataclasses.replace(report, shop_id=shop_id)


def orders_that_meet(shop_id: str) -> st.SearchStrategy[Report]:
    """Reports on two orders, mostly finished, at two instants: nearly any two of them compete."""
    return st.builds(
        OrderReport,
        shop_id=st.just(shop_id),
        order_id=st.sampled_from(["1", "2"]),
        status=st.sampled_from([OrderStatus.PAID, OrderStatus.COMPLETED, OrderStatus.CLOSED]),
        status_at=st.sampled_from([NOW - dt.timedelta(days=2), NOW - dt.timedelta(days=1)]),
        amount=AMOUNTS,
    )


def _orders(shop_id: str) -> st.SearchStrategy[Report]:
    return st.builds(
        OrderReport,
        shop_id=st.just(shop_id),
        order_id=IDS,
        status=st.sampled_from(OrderStatus),
        status_at=INSTANTS,
        amount=AMOUNTS,
    )


def _after_sales(shop_id: str) -> st.SearchStrategy[Report]:
    def build(status: AfterSaleStatus) -> st.SearchStrategy[Report]:
        return st.builds(
            AfterSaleReport,
            shop_id=st.just(shop_id),
            after_sale_id=IDS,
            order_id=IDS,
            status=st.just(status),
            status_at=INSTANTS,
            opened_at=BEGINNINGS,
            closed_at=ENDS if status is AfterSaleStatus.CLOSED else st.none(),
        )

    return st.sampled_from(AfterSaleStatus).flatmap(build)


def _disputes(shop_id: str) -> st.SearchStrategy[Report]:
    def build(status: DisputeStatus) -> st.SearchStrategy[Report]:
        return st.builds(
            DisputeReport,
            shop_id=st.just(shop_id),
            dispute_id=IDS,
            status=st.just(status),
            status_at=INSTANTS,
            opened_at=BEGINNINGS,
            closed_at=ENDS if status is DisputeStatus.CLOSED else st.none(),
        )

    return st.sampled_from(DisputeStatus).flatmap(build)


def _violations(shop_id: str) -> st.SearchStrategy[Report]:
    def build(status: ViolationStatus) -> st.SearchStrategy[Report]:
        return st.builds(
            ViolationReport,
            shop_id=st.just(shop_id),
            violation_id=IDS,
            status=st.just(status),
            status_at=INSTANTS,
            occurred_at=BEGINNINGS,
            settled_at=ENDS if status is ViolationStatus.SETTLED else st.none(),
        )

    return st.sampled_from(ViolationStatus).flatmap(build)


def _restrictions(shop_id: str) -> st.SearchStrategy[Report]:
    return st.builds(
        RestrictionReport,
        shop_id=st.just(shop_id),
        restriction_id=IDS,
        kind=st.sampled_from(RestrictionKind),
        status_at=INSTANTS,
        from_at=st.just(NOW - dt.timedelta(days=30)),
        to_at=ENDS,
    )


def _debts(shop_id: str) -> st.SearchStrategy[Report]:
    return st.builds(
        DebtReport,
        shop_id=st.just(shop_id),
        debt_id=IDS,
        kind=st.sampled_from(DebtKind),
        amount=AMOUNTS,
        status=st.sampled_from(DebtStatus),
        status_at=INSTANTS,
    )
