"""Bills of the simulated WeChat Pay: their form, their days, and what can be wrong with them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from decimal import Decimal

import pytest

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.store import ChannelRefuses
from tests.support.wechatpay_world import DAY_S, HOUR_S, MINUTE_S, START, World, with_fault

DAY = START.date()
NO_FAULTS = Faults(())


@pytest.fixture
def world() -> Iterator[World]:
    """A day with two payments and a refund, seen on the next day at noon."""
    world = World()
    first = world.paid(50_000)
    world.paid(1)
    world.refund(first, 12_345, number="R1")
    world.book.advance(DAY_S)
    yield world
    world.book.close()


def read(world: World, kind: str, faults: Faults = NO_FAULTS) -> list[list[str]]:
    """Lines of cells without their backticks: columns, lines, columns of totals, totals."""
    made = world.bills.make(kind, DAY, faults)
    lines = world.bills.fetch(made["token"]).decode().split("\r\n")
    assert lines.pop() == ""
    for line in (*lines[1:-2], lines[-1]):
        assert all(cell.startswith("`") for cell in line.split(","))
    return [[cell.removeprefix("`") for cell in line.split(",")] for line in lines]


def by_name(bill: list[list[str]], line_no: int) -> dict[str, str]:
    return dict(zip(bill[0], bill[line_no], strict=True))


def test_a_trade_bill_says_every_payment_and_refund_in_yuan(world: World) -> None:
    bill = read(world, "trades")

    paid, least, refunded = (by_name(bill, number) for number in (1, 2, 3))
    assert len(bill) == 6
    assert (paid["交易状态"], paid["订单金额"], paid["退款金额"]) == ("SUCCESS", "500.00", "0.00")
    assert paid["交易时间"] == "2026-03-02 12:00:00"
    assert least["应结订单金额"] == "0.01"
    assert (refunded["交易状态"], refunded["退款金额"]) == ("REFUND", "123.45")
    assert (refunded["商户退款单号"], refunded["退款状态"]) == ("R1", "SUCCESS")
    assert refunded["微信订单号"] == paid["微信订单号"]
    totals = dict(zip(bill[-2], bill[-1], strict=True))
    assert (totals["总交易单数"], totals["订单总金额"], totals["退款总金额"]) == (
        "3",
        "500.01",
        "123.45",
    )


def test_a_fund_bill_says_every_movement_with_the_balance_after_it(world: World) -> None:
    world.book.fund(-100)  # today's, and so not in the bill of yesterday
    bill = read(world, "funds")

    lines = [by_name(bill, number) for number in (1, 2, 3)]
    assert [line["收支类型"] for line in lines] == ["收入", "收入", "支出"]
    assert [line["账户结余(元)"] for line in lines] == ["500.00", "500.01", "376.56"]
    assert (lines[2]["业务类型"], lines[2]["业务凭证号"]) == ("退款", "R1")
    totals = dict(zip(bill[-2], bill[-1], strict=True))
    assert (totals["收入金额"], totals["支出金额"], totals["资金流水总笔数"]) == (
        "500.01",
        "123.45",
        "3",
    )


def test_transfers_are_in_the_fund_bill_only(world: World) -> None:
    world.transfer(15_000, number="T1")
    world.transfer(15_000, number="T2")
    world.transfers.cancel("T2")
    world.book.advance(DAY_S)
    day = DAY + dt.timedelta(days=1)

    made = world.bills.make("funds", day, NO_FAULTS)
    lines = world.bills.fetch(made["token"]).decode().split("\r\n")

    assert [line.split(",`")[-1] for line in lines[1:4]] == ["T1", "T2", "T2"]
    assert [line.split(",`")[5] for line in lines[1:4]] == ["支出", "支出", "收入"]
    with pytest.raises(ChannelRefuses) as refusal:
        world.bills.make("trades", day, NO_FAULTS)
    assert refusal.value.code == "NO_STATEMENT_EXIST"


def test_what_people_write_ends_no_cell() -> None:
    world = World()
    world.trades.pay(world.opened(description="a,`b\r\nc"))
    world.book.advance(DAY_S)

    assert by_name(read(world, "trades"), 1)["商品名称"] == "a  b  c"
    world.book.close()


def test_a_bill_is_made_on_the_next_morning() -> None:
    world = World()
    world.paid()

    codes = []
    for hours in (0, 12, 8, 1):  # noon, midnight, 8:00, 9:00
        world.book.advance(hours * HOUR_S)
        try:
            world.bills.make("trades", DAY, NO_FAULTS)
            codes.append("made")
        except ChannelRefuses as refusal:
            codes.append(refusal.code)

    assert codes == ["INVALID_REQUEST", "STATEMENT_CREATING", "STATEMENT_CREATING", "made"]
    world.book.close()


def test_a_bill_is_kept_for_three_months_and_its_address_for_five_minutes(world: World) -> None:
    made = world.bills.make("trades", DAY, NO_FAULTS)
    world.book.advance(5 * MINUTE_S)
    content = world.bills.fetch(made["token"])
    world.book.advance(1)

    assert made["hash_value"] == hashlib.sha1(content).hexdigest()
    with pytest.raises(ChannelRefuses):
        world.bills.fetch(made["token"])
    world.book.advance(92 * DAY_S)
    with pytest.raises(ChannelRefuses):
        world.bills.make("trades", DAY, NO_FAULTS)


def amounts(bill: list[list[str]], column: str) -> list[Decimal]:
    position = bill[0].index(column)
    return [Decimal(line[position]) for line in bill[1:-2]]


@pytest.mark.parametrize(("kind", "column"), [("trades", "订单金额"), ("funds", "收支金额(元)")])
def test_each_fault_of_a_bill_shows(world: World, kind: str, column: str) -> None:
    right = read(world, kind)

    missing = read(world, kind, with_fault(Fault.LINE_MISSING))
    extra = read(world, kind, with_fault(Fault.LINE_EXTRA))
    changed = read(world, kind, with_fault(Fault.LINE_CHANGED))
    decimals = read(world, kind, with_fault(Fault.LINE_DECIMALS))
    totals = read(world, kind, with_fault(Fault.TOTALS_WRONG))
    hashed = world.bills.make(kind, DAY, with_fault(Fault.HASH_WRONG))

    assert missing[1:-2] == right[2:-2]
    assert extra[1:-3] == right[1:-2]
    assert amounts(changed, column)[0] - amounts(right, column)[0] == Decimal("0.01")
    assert amounts(decimals, column)[0] - amounts(right, column)[0] == Decimal("0.001")
    assert totals[1:-2] == right[1:-2]
    assert totals[-1] != right[-1]
    content = world.bills.fetch(hashed["token"])
    assert hashed["hash_value"] != hashlib.sha1(content).hexdigest()
    with pytest.raises(ChannelRefuses) as late:
        world.bills.make(kind, DAY, with_fault(Fault.BILL_LATE))
    assert late.value.code == "STATEMENT_CREATING"


def test_totals_follow_a_line_that_was_changed_so_that_only_reconciling_finds_it(
    world: World,
) -> None:
    for fault in (Fault.LINE_MISSING, Fault.LINE_EXTRA, Fault.LINE_CHANGED):
        bill = read(world, "trades", with_fault(fault))

        totals = dict(zip(bill[-2], bill[-1], strict=True))
        assert Decimal(totals["订单总金额"]) == sum(amounts(bill, "订单金额"))
        assert Decimal(totals["退款总金额"]) == sum(amounts(bill, "退款金额"))
        assert int(totals["总交易单数"]) == len(bill) - 3
