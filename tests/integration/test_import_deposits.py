"""`kuaitui import deposits`: what sellers paid before, once for ever, and rows that cannot be."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.support.cli_import import ImportWorld, _import_template, import_world

__all__ = ["_import_template", "import_world"]

HEADER = (
    "shop_id,kind,currency,required_minor,paid_minor,channel,channel_reference,paid_at,"
    "refundable_until\n"
)
PAID = "2025-10-20T09:30:00+08:00"
GOOD = f"S1,shop,CNY,500000,300000,wechatpay,4200001,{PAID},2026-10-20T09:30:00+08:00\n"
UNPAID = "S2,shop,CNY,100000,,,,,\n"
LOTS = """
SELECT shop_id, a.kind, required_minor, channel, channel_reference, amount_minor,
       refundable_until IS NOT NULL
FROM deposits_account AS a JOIN facts_shop AS s ON s.id = a.shop_key
LEFT JOIN deposits_lot AS l ON l.account_id = a.id ORDER BY 1, 5
"""
TOLD = "SELECT count(*) FROM kit_outbox WHERE event LIKE '%PaidIn%'"
HELD = """
SELECT sum(minor)::bigint FROM (SELECT unnest(amounts) AS minor, unnest(debits) AS account
FROM ledger_journal) AS lines WHERE account = 1
"""


REFUSED = [
    ("S9,shop,CNY,1,,,,,\n", "shop"),
    ("=S1,shop,CNY,1,,,,,\n", "like a formula"),
    ("S1,rent,CNY,1,,,,,\n", "the kind 'rent' is unknown"),
    ("S1,shop,XXX,1,,,,,\n", "the currency 'XXX' is not supported"),
    ("S1,shop,USD,1,,,,,\n", "currency"),
    ("S1,shop,CNY,-1,,,,,\n", "required_minor '-1' is negative"),
    ("S1,shop,CNY,1.5,,,,,\n", "not a whole number of minor units"),
    (f"S1,shop,CNY,1,5,,,{PAID},\n", "a payment needs channel, channel_reference too"),
    (f"S1,shop,CNY,1,0,wechatpay,4200009,{PAID},\n", "amount"),
    ("S1,shop,CNY,1,5,wechatpay,4200009,2025-10-20,\n", "has no offset"),
    ("S1,shop,CNY,1,5,wechatpay,4200009,2099-10-20T00:00:00Z,\n", "in the future"),
    (f"S1,shop,CNY,1,5,{'w' * 41},4200009,{PAID},\n", "longer than 40 characters"),
    (GOOD.replace("300000", "300001"), "payment"),
    ("S1,shop,CNY\n", "it has 3 fields, the first line has 9"),
]


@pytest.fixture
def world(import_world: ImportWorld) -> ImportWorld:
    orders = import_world.write(
        "orders.csv",
        "shop_id,order_id,status,status_at,amount_minor\n"
        "S1,O1,completed,2026-01-01T12:00:00+08:00,9900\n"
        "S2,O2,completed,2026-01-01T12:00:00+08:00,9900\n",
    )
    assert import_world.run(orders, "--mapping", "kuaitui-csv").returncode == 0
    return import_world


def bring(world: ImportWorld, content: str) -> Any:
    return world.run_import("deposits", world.write("deposits.csv", HEADER + content))


def refused(world: ImportWorld) -> list[tuple[str, str]]:
    with (world.directory / "deposits.csv.refused.csv").open() as file:
        return [(row["line"], row["reason"]) for row in csv.DictReader(file)]


def test_deposits_and_their_payments_are_there_and_nobody_is_told(world: ImportWorld) -> None:
    done = bring(world, GOOD + UNPAID)

    assert done.returncode == 0, done.stderr
    assert "2 rows, 1 new payments, 0 refused" in done.stderr
    assert world.ask(LOTS) == [
        ("S1", "shop", 500000, "wechatpay", "4200001", 300000, True),
        ("S2", "shop", 100000, None, None, None, False),
    ]
    assert world.ask(HELD) == [(300000,)]
    assert world.ask(TOLD) == [(0,)]


def test_the_same_file_again_records_nothing_and_a_later_one_what_is_new(
    world: ImportWorld,
) -> None:
    bring(world, GOOD + UNPAID)
    before = world.ask(LOTS)

    again = bring(world, GOOD + UNPAID)
    assert (again.returncode, world.ask(LOTS)) == (0, before)
    assert "0 new payments" in again.stderr

    later = bring(world, GOOD.replace("500000", "600000") + GOOD.replace("4200001", "4200002"))
    assert later.returncode == 0
    assert [row[2:5] for row in world.ask(LOTS)][:2] == [
        (500000, "wechatpay", "4200001"),
        (500000, "wechatpay", "4200002"),
    ], "what the file says last holds"
    assert world.ask(HELD) == [(600000,)]


def test_rows_that_cannot_be_are_refused_with_their_lines_and_the_others_are_taken(
    world: ImportWorld,
) -> None:
    done = bring(world, GOOD + "".join(row for row, _ in REFUSED) + UNPAID)

    assert done.returncode == 1
    for number, (line, why) in enumerate(refused(world)):
        assert line == str(number + 3)
        assert REFUSED[number][1] in why
    assert len(refused(world)) == len(REFUSED)
    assert [(*held[:3], held[5]) for held in world.ask(LOTS)] == [
        ("S1", "shop", 500000, 300000),
        ("S2", "shop", 100000, None),
    ], "a refused row changes nothing"


def test_a_file_without_its_columns_is_not_begun(world: ImportWorld) -> None:
    done = world.run_import("deposits", world.write("deposits.csv", "shop_id,kind\nS1,shop\n"))

    assert done.returncode == 2
    assert "the columns currency, required_minor are missing" in done.stderr
    assert world.ask("SELECT count(*) FROM deposits_account") == [(0,)]


def test_orders_need_a_mapping(world: ImportWorld) -> None:
    done = world.run_import("orders", world.directory / "orders.csv")

    assert done.returncode == 2
    assert "--mapping is needed: one of" in done.stderr
