"""Facts as reported and as they stand: what is taken, what is refused, what nobody can rewrite."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from kuaitui.facts.errors import (
    CurrencyDiffers,
    ReportUnusable,
    ShopIdUnusable,
    ShopUnknown,
    TooManyReports,
    ZoneUnknown,
)
from kuaitui.facts.operations import REPORTS_MAX, record_reports, register_shop
from kuaitui.facts.queries import (
    fact_counts,
    facts_for_assessment,
    find_shop,
    find_shop_by_key,
    list_shops,
)
from kuaitui.facts.queries.assessing import DEBTS_MAX, EVIDENCE_MAX
from kuaitui.facts.types import (
    DebtKind,
    DebtReport,
    DebtStatus,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    OrderStatus,
    Report,
    RestrictionKind,
    RestrictionReport,
    ShopKind,
    ShopReport,
    Standing,
)
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import CurrencyUnknown, Money
from kuaitui.policy.types import Deposit, DepositKind
from kuaitui.policy.types import OrderStatus as PolicyOrderStatus
from tests.support import facts_given
from tests.support.facts_given import NOW

DEPOSIT = Deposit(DepositKind.SHOP, "CNY", required_minor=0, frozen_minor=0, lots=())
TABLES = ("facts_order_report", "facts_report", "facts_intake", "facts_order", "facts_case")


def rows_of_all_tables() -> list[int]:
    with connection.cursor() as cursor:
        counts = []
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts.append(cursor.fetchone()[0])
    return counts


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts_order_report SET amount_minor = 0",
        "DELETE FROM facts_order_report",
        "TRUNCATE facts_order_report",
        "UPDATE facts_report SET content = '{}'",
        "DELETE FROM facts_report",
        "TRUNCATE facts_report",
        "DELETE FROM facts_order",
        "DELETE FROM facts_case",
        "DELETE FROM facts_restriction",
        "DELETE FROM facts_debt",
        "DELETE FROM facts_shop",
        "TRUNCATE facts_shop CASCADE",
        "DELETE FROM facts_summary",
        "UPDATE facts_summary SET open_orders = 0",
        "INSERT INTO facts_summary SELECT * FROM facts_summary",
    ],
)
def test_database_refuses_to_rewrite_what_was_reported(statement: str) -> None:
    shop = facts_given.shop()
    dispute = DisputeReport(
        shop_id=shop.id, dispute_id="D1", status=DisputeStatus.OPEN, status_at=NOW, opened_at=NOW
    )
    record_reports([facts_given.order(shop.id), dispute], source="test", now=NOW)
    before = rows_of_all_tables()

    with pytest.raises(DatabaseError, match="is refused"), transaction.atomic():
        connection.cursor().execute(statement)

    assert rows_of_all_tables() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE facts_order SET status = 7", "order_status_is_known"),
        ("UPDATE facts_order SET amount_minor = -1", "order_amount_is_not_negative"),
        ("UPDATE facts_shop SET standing = 'fine'", "shop_standing_is_known"),
        ("UPDATE facts_shop SET kind = 'stall'", "shop_kind_is_known"),
        ("UPDATE facts_shop SET listings_on_sale = -1", "listings_are_not_negative"),
        ("UPDATE facts_case SET closed_at = now()", "a_case_has_an_end_if_it_is_closed"),
        ("UPDATE facts_case SET status = 3", "a_case_has_an_end_if_it_is_closed"),
        ("UPDATE facts_case SET shop_key = 0", "a_case_belongs_to_a_shop"),
        (
            "UPDATE facts_restriction SET to_at = from_at - interval '1 s'",
            "a_restriction_does_not_end_before_it_begins",
        ),
        ("UPDATE facts_debt SET amount_minor = -1", "debt_amount_is_not_negative"),
    ],
)
def test_database_refuses_a_state_that_cannot_be(statement: str, constraint: str) -> None:
    shop = facts_given.shop()
    record_reports(
        [
            facts_given.order(shop.id),
            open_dispute(shop.id),
            debt(shop.id, "B1"),
            restriction(shop.id),
        ],
        source="test",
        now=NOW,
    )

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        connection.cursor().execute(statement + "; SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db
def test_the_summary_follows_orders_whoever_writes_them() -> None:
    shop = facts_given.shop()
    record_reports(
        [
            facts_given.order(shop.id, "O1", OrderStatus.COMPLETED, days_ago=50),
            facts_given.order(shop.id, "O2", OrderStatus.COMPLETED, days_ago=20),
            facts_given.order(shop.id, "O3", OrderStatus.PAID, days_ago=10),
        ],
        source="test",
        now=NOW,
    )

    with connection.cursor() as cursor:
        cursor.execute("UPDATE facts_order SET status = 6 WHERE order_id = 'O2'")
        cursor.execute("UPDATE facts_order SET status = 5 - status % 2 WHERE order_id = 'O3'")
        cursor.execute(
            "SELECT open_orders, last_completed_order_id FROM facts_summary WHERE shop_key = %s",
            [shop.key],
        )
        assert cursor.fetchone() == (0, "O3")
        cursor.execute("UPDATE facts_order SET status = 1 WHERE order_id = 'O3'")
        cursor.execute(
            "SELECT open_orders, last_completed_order_id FROM facts_summary WHERE shop_key = %s",
            [shop.key],
        )
        assert cursor.fetchone() == (1, "O1")


def refused_reports(shop_id: str) -> list[tuple[type[Refusal], Report]]:
    order = facts_given.order(shop_id)
    naive = NOW.replace(tzinfo=None)
    return [
        (ShopUnknown, facts_given.order("nobody")),
        (CurrencyDiffers, facts_given.order(shop_id, currency="USD")),
        (ReportUnusable, dataclasses.replace(order, order_id="")),
        (ReportUnusable, dataclasses.replace(order, order_id="9" * 101)),
        (ReportUnusable, dataclasses.replace(order, order_id="O\x00")),
        (ReportUnusable, dataclasses.replace(order, status_at=naive)),
        (ReportUnusable, dataclasses.replace(order, status_at=NOW.replace(year=1999))),
        (ReportUnusable, dataclasses.replace(order, amount=Money(-1, "CNY"))),
        (ReportUnusable, dataclasses.replace(open_dispute(shop_id), closed_at=NOW)),
        (
            ReportUnusable,
            dataclasses.replace(restriction(shop_id), to_at=NOW - dt.timedelta(days=400)),
        ),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("which", range(10))
def test_one_report_that_cannot_be_taken_refuses_all_and_moves_nothing(which: int) -> None:
    shop = facts_given.shop()
    refusal, report = refused_reports(shop.id)[which]
    before = rows_of_all_tables()

    with pytest.raises(refusal):
        record_reports([facts_given.order(shop.id, "good"), report], source="test", now=NOW)

    assert rows_of_all_tables() == before
    record_reports([facts_given.order(shop.id, "good")], source="test", now=NOW)
    assert rows_of_all_tables() != before


@pytest.mark.django_db
def test_more_reports_than_one_delivery_may_hold_are_refused() -> None:
    shop = facts_given.shop()
    before = rows_of_all_tables()

    with pytest.raises(TooManyReports):
        record_reports(
            (facts_given.order(shop.id, str(number)) for number in range(REPORTS_MAX + 1)),
            source="test",
            now=NOW,
        )

    assert rows_of_all_tables() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"shop_id": ""}, ShopIdUnusable),
        ({"shop_id": "a/b"}, ShopIdUnusable),
        ({"shop_id": ".."}, ShopIdUnusable),
        ({"shop_id": "a b"}, ShopIdUnusable),
        ({"shop_id": "x" * 101}, ShopIdUnusable),
        ({"zone": "Asia/Shangrila"}, ZoneUnknown),
        ({"zone": "../etc/passwd"}, ZoneUnknown),
        ({"currency": "XXX"}, CurrencyUnknown),
        ({"name": "x" * 201}, ReportUnusable),
        ({"opened_at": dt.datetime(2024, 1, 1)}, ReportUnusable),  # noqa: DTZ001
    ],
)
def test_a_shop_that_cannot_be_is_not_registered(
    changed: dict[str, object], refusal: type[Refusal]
) -> None:
    shop: dict[str, object] = {
        "shop_id": "S1", "name": "", "kind": ShopKind.INDIVIDUAL, "currency": "CNY",
        "zone": "Asia/Shanghai", "opened_at": NOW, "now": NOW,
    }  # fmt: skip

    with pytest.raises(refusal):
        register_shop(**{**shop, **changed})  # type: ignore[arg-type]

    assert list_shops() == ()
    assert register_shop(**shop).id == "S1"  # type: ignore[arg-type]


@pytest.mark.django_db
def test_registering_a_shop_again_leaves_it_as_it_is() -> None:
    first = facts_given.shop("S1")
    report = ShopReport(
        shop_id="S1",
        name="New name",
        standing=Standing.RESTRICTED,
        kind=ShopKind.ENTERPRISE,
        status_at=NOW,
        opened_at=NOW,
    )
    record_reports([report], source="test", now=NOW)

    again = facts_given.shop("S1")

    assert again.key == first.key
    assert (again.name, again.standing) == ("New name", Standing.RESTRICTED)


@pytest.mark.django_db
@pytest.mark.parametrize("shop_id", ["nobody", "", "a\x00b", "x" * 10_000, "'; DROP TABLE"])
def test_a_shop_nobody_knows_is_not_found(shop_id: str) -> None:
    with pytest.raises(ShopUnknown):
        find_shop(shop_id=shop_id)
    with pytest.raises(ShopUnknown):
        find_shop_by_key(shop_key=-1)
    with pytest.raises(ShopUnknown):
        facts_for_assessment(shop_key=-1, deposit=DEPOSIT, as_of=NOW)


@pytest.mark.django_db
def test_shops_are_listed_by_id_a_page_at_a_time() -> None:
    shops = [facts_given.shop(f"S{number}") for number in range(5)]

    first = list_shops(limit=2)
    rest = list_shops(after_shop_id=first[-1].id)
    some = list_shops(shop_keys=frozenset({shops[1].key, shops[3].key}))

    assert [shop.id for shop in (*first, *rest)] == ["S0", "S1", "S2", "S3", "S4"]
    assert [shop.id for shop in some] == ["S1", "S3"]


@pytest.mark.django_db
def test_evidence_is_limited_and_counted_and_debts_still_add_up() -> None:
    shop = facts_given.shop()
    record_reports(
        [
            *(
                facts_given.order(shop.id, f"O{number:04}", OrderStatus.PAID, days_ago=900 - number)
                for number in range(EVIDENCE_MAX + 30)
            ),
            *(
                facts_given.order(shop.id, f"P{number:04}", days_ago=900 - number / 10)
                for number in range(500)
            ),
            *(
                debt(shop.id, f"B{number}", amount_minor=number + 1)
                for number in range(DEBTS_MAX + 5)
            ),
        ],
        source="test",
        now=NOW,
    )

    facts = facts_for_assessment(shop_key=shop.key, deposit=DEPOSIT, as_of=NOW)
    counts = fact_counts(shop_key=shop.key, as_of=NOW)

    open_orders = [order for order in facts.orders if order.status is PolicyOrderStatus.PAID]
    finished = [order.id for order in facts.orders if order.status is PolicyOrderStatus.COMPLETED]
    owed_minor = sum(range(DEBTS_MAX + 6))
    assert [order.id for order in open_orders] == [
        f"O{number:04}" for number in range(EVIDENCE_MAX)
    ]
    assert finished == ["P0499"]
    assert counts.open_orders == EVIDENCE_MAX + 30
    assert sum(debt.amount_minor for debt in facts.debts) == owed_minor == counts.open_debt_minor
    assert len(facts.debts) == DEBTS_MAX + 1


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_about_the_same_shops_at_the_same_time_are_both_counted() -> None:
    shops = [facts_given.shop(f"S{number}") for number in range(8)]
    rounds = 10

    def deliver(sender: int) -> None:
        try:
            for number in range(rounds):
                orders = [
                    facts_given.order(shop.id, f"{sender}-{number}", OrderStatus.PAID)
                    for shop in (shops if sender % 2 else reversed(shops))
                ]
                disputes = [open_dispute(shop.id, f"{sender}-{number}") for shop in shops]
                record_reports([*orders, *disputes], source="test", now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(deliver, range(4)))

    for shop in shops:
        counts = fact_counts(shop_key=shop.key, as_of=NOW)
        assert (counts.open_orders, counts.open_disputes) == (4 * rounds, 4 * rounds)


@pytest.mark.django_db(transaction=True)
def test_an_older_report_that_overlaps_a_newer_one_does_not_win() -> None:
    shop = facts_given.shop()
    latest = ListingsReport(
        shop_id=shop.id, listings_on_sale=0, status_at=NOW + dt.timedelta(hours=2)
    )
    record_reports([latest], source="test", now=NOW)  # nothing below moves `latest_at`
    older = open_dispute(shop.id)
    newer = dataclasses.replace(
        older, status=DisputeStatus.CLOSED, status_at=NOW + dt.timedelta(hours=1), closed_at=NOW
    )

    def deliver_the_older() -> None:
        try:
            record_reports([older], source="test", now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as sender:
        with transaction.atomic():
            record_reports([newer], source="test", now=NOW)
            delivered = sender.submit(deliver_the_older)
            wait_until_somebody_waits_for_a_lock()
        delivered.result()

    assert fact_counts(shop_key=shop.key, as_of=NOW + dt.timedelta(days=1)).open_disputes == 0


def wait_until_somebody_waits_for_a_lock() -> None:
    for _ in range(1_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def open_dispute(shop_id: str, dispute_id: str = "D1") -> DisputeReport:
    return DisputeReport(
        shop_id=shop_id,
        dispute_id=dispute_id,
        status=DisputeStatus.OPEN,
        status_at=NOW,
        opened_at=NOW - dt.timedelta(days=3),
    )


def debt(shop_id: str, debt_id: str, *, amount_minor: int = 100) -> DebtReport:
    return DebtReport(
        shop_id=shop_id,
        debt_id=debt_id,
        kind=DebtKind.COMMISSION,
        amount=Money(amount_minor, "CNY"),
        status=DebtStatus.OPEN,
        status_at=NOW,
    )


def restriction(shop_id: str) -> RestrictionReport:
    return RestrictionReport(
        shop_id=shop_id,
        restriction_id="R1",
        kind=RestrictionKind.SALES,
        status_at=NOW,
        from_at=NOW - dt.timedelta(days=3),
    )
