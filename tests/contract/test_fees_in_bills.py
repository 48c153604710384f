"""A channel that takes fees: its book, its bills and our reconciliation tell the same of them."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kuaitui.channels.alipay import AlipayChannel, AlipaySettings
from kuaitui.channels.port import (
    LineKind,
    OriginalPayment,
    PayInMethod,
    PayInOrder,
    PayoutInstruction,
    StatementFetched,
    StatementKind,
    Succeeded,
)
from kuaitui.channels.simulator.alipay import process as alipay
from kuaitui.channels.simulator.wechatpay import process as wechatpay
from kuaitui.channels.simulator.wechatpay.times import BEIJING
from kuaitui.channels.wechatpay import WeChatPayChannel, WeChatPaySettings
from kuaitui.interfaces.cli.main import main
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from kuaitui.payouts import queries as payouts
from kuaitui.payouts.states import LegState
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.types import DayState, Source
from tests.support import given, payouts_given
from tests.support.alipay_simulator import AlipayProcess
from tests.support.given import CHANNEL
from tests.support.reconciliation_given import ONE_DAY, breaks
from tests.support.wechatpay import WechatPayProcess

DEADLINE_S = 5.0
PAID = Money(500_00, "CNY")
REFUNDED = ("123.45", "100.00")
TAKEN_MINOR = 3_00  # 0.6 % of what was paid
GIVEN_BACK_MINOR = [74, 60]  # in proportion, and never more in all than was taken
FEES_MINOR = TAKEN_MINOR - sum(GIVEN_BACK_MINOR)
NEEDED = frozenset(StatementKind)


@dataclass
class Institution:
    """A simulated institution that takes 0.6 %, with the adapter that speaks to it."""

    process: Any
    director: Any
    channel: Any
    begins: dt.datetime

    @property
    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.director.book()["now"], dt.UTC)


def _wechat(entry: dict[str, Any]) -> WeChatPayChannel:
    return WeChatPayChannel(WeChatPaySettings.parse(entry), clock=read_clock)


def _alipay(entry: dict[str, Any]) -> AlipayChannel:
    return AlipayChannel(AlipaySettings.parse(entry), clock=read_clock)


KINDS: dict[str, tuple[Any, Any, Callable[[dict[str, Any]], Any]]] = {
    "wechatpay": (WechatPayProcess, wechatpay, _wechat),
    "alipay": (AlipayProcess, alipay, _alipay),
}


@pytest.fixture(params=sorted(KINDS))
def institution(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Institution]:
    make, module, adapter = KINDS[request.param]
    noon = read_clock().astimezone(BEIJING).replace(hour=12, minute=0, second=0, microsecond=0)
    begins = noon - 2 * ONE_DAY
    process = make(tmp_path, "--clock", begins.isoformat(), "--fee-rate", "0.6")
    entry = {
        name: value
        for name, value in module.settings_entry(process.options).items()
        if name != "adapter"
    }
    director = process.director()
    director.fund(1_000_00)
    yield Institution(process, director, adapter(entry), begins)
    director.close()
    process.stop()


def a_day_of_payments(at: Institution) -> None:
    """A deposit is paid in, and two parts of it go back along the payment."""
    order = PayInOrder(
        number="KTP00000000000000001", amount=PAID, method=PayInMethod.QR_CODE,
        description="店铺保证金", expires_at=read_clock() + 400 * ONE_DAY, payer_ip="203.0.113.7",
    )  # fmt: skip
    at.channel.open_pay_in(order, deadline_s=DEADLINE_S)
    reference = at.director.pay(order.number)
    shop = given.shop((), paid_days_ago=0, now=at.now)
    given.pay_in(shop.account_id, "500", reference=reference, paid_at=at.now, now=at.now)
    for number, amount in enumerate(REFUNDED):
        at.director.advance(seconds=61)
        world = payouts_given.payout_of(shop, amount, application_id=f"rfa_{number}", now=at.now)
        leg = payouts.leg(world.leg_id)
        instruction = PayoutInstruction(
            leg.channel_number, leg.amount, OriginalPayment(reference, PAID)
        )
        at.channel.submit(instruction, deadline_s=DEADLINE_S)
        outcome = at.channel.query(instruction, deadline_s=DEADLINE_S)
        assert isinstance(outcome, Succeeded)
        assert payouts_given.attempt(world, outcome, now=at.now) is LegState.PAID


def bring_and_compare(at: Institution, day: dt.date) -> dict[StatementKind, Any]:
    read = {}
    for kind in StatementKind:
        fetched = at.channel.fetch_statement(kind, day, deadline_s=DEADLINE_S)
        assert isinstance(fetched, StatementFetched)
        read[kind] = at.channel.read_statement(kind, fetched.content)
        brought = operations.bring_file(
            channel=CHANNEL, reader=at.channel, bill=kind, day=day, content=fetched.content,
            file_name=fetched.file_name, source=Source.FETCHED, actor=given.clerk(), now=at.now,
        )  # fmt: skip
        assert brought.is_taken, brought.reason
        operations.compare_bill(
            channel=CHANNEL, bill=kind, day=day, zone=BEIJING, today=day + 2 * ONE_DAY, now=at.now
        )
    return read


@pytest.mark.django_db
def test_a_day_with_fees_is_proven_and_says_what_they_came_to(institution: Institution) -> None:
    day = institution.begins.date()
    a_day_of_payments(institution)
    institution.director.advance(seconds=86_400)

    bills = bring_and_compare(institution, day)

    assert breaks() == {}
    assert operations.stop_for_breaks(now=institution.now) == ()
    report = queries.day_report(channel=CHANNEL, day=day, needed=NEEDED)
    assert report.state is DayState.PROVEN
    (flow,) = report.flows
    assert (flow.came_in.minor, flow.went_out.minor, flow.fees.minor) == (
        500_00,
        223_45,
        FEES_MINOR,
    )
    told = [
        (line.kind, line.amount.minor)
        for line in bills[StatementKind.FUNDS].lines
        if line.kind in {LineKind.FEE, LineKind.FEE_RETURN}
    ]
    assert told == [
        (LineKind.FEE, TAKEN_MINOR),
        *((LineKind.FEE_RETURN, minor) for minor in GIVEN_BACK_MINOR),
    ]
    balances = institution.director.book()["balances"]
    assert (sum(balances.values()), balances["fees"]) == (0, FEES_MINOR)
    closing = bills[StatementKind.FUNDS].closing_balance
    assert closing.minor == balances["merchant"] == 1_000_00 + 500_00 - 223_45 - FEES_MINOR
    (known,) = payouts.balances()
    assert known.balance == closing


@pytest.mark.django_db
def test_the_trade_bill_has_each_fee_beside_its_payment_and_refund(
    institution: Institution,
) -> None:
    day = institution.begins.date()
    a_day_of_payments(institution)
    institution.director.advance(seconds=86_400)

    fetched = institution.channel.fetch_statement(StatementKind.TRADES, day, deadline_s=DEADLINE_S)
    told = institution.channel.read_statement(StatementKind.TRADES, fetched.content).lines

    if isinstance(institution.channel, WeChatPayChannel):
        fees = [
            (one.kind, one.amount.minor)
            for one in told
            if one.kind in {LineKind.FEE, LineKind.FEE_RETURN}
        ]
        assert fees == [
            (LineKind.FEE, TAKEN_MINOR),
            *((LineKind.FEE_RETURN, minor) for minor in GIVEN_BACK_MINOR),
        ]
    else:
        assert alipay_fees(fetched.content) == ["-3.00", "0.74", "0.60"]
    assert sum(one.amount.minor for one in told if one.kind is LineKind.REFUND) == 223_45


def alipay_fees(content: bytes) -> list[str]:
    """The column 服务费（元）, which our reading leaves to the fund bill."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(one for one in archive.namelist() if "汇总" not in one)
        rows = archive.read(name).decode("gbk").splitlines()
    head = next(row for row in rows if row.startswith("支付宝交易号")).split(",")
    at = head.index("服务费（元）")
    return [cells[at] for row in rows if len(cells := row.split(",")) == len(head)][1:]


@pytest.mark.parametrize("rate", ["x", "100", "-1", "nan", "0,6"])
def test_what_is_no_rate_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["simulate-channel", "wechatpay", f"--fee-rate={rate}", "--print-settings"])

    assert end.value.code == 2
    assert "--fee-rate" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bank", "simulator"])
def test_a_channel_without_fees_refuses_a_rate(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["simulate-channel", name, "--fee-rate", "0.6", "--print-settings"])

    assert end.value.code == 2
    assert "takes no fees" in capsys.readouterr().err
