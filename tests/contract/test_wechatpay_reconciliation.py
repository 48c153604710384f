"""A transfer that waits for its payee, by the simulated WeChat Pay's own bills of several days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kuaitui.channels.port import (
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    StatementFetched,
    StatementKind,
)
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.process import settings_entry
from kuaitui.channels.simulator.wechatpay.times import BEIJING
from kuaitui.channels.wechatpay import WeChatPayChannel, WeChatPaySettings
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from kuaitui.payouts import queries as payouts
from kuaitui.payouts.states import LegState
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.types import Source
from tests.support import given, payouts_given
from tests.support.given import CHANNEL
from tests.support.reconciliation_given import ONE_DAY, breaks
from tests.support.wechatpay import WechatPayProcess

pytestmark = pytest.mark.django_db
DEADLINE_S = 5.0
HOUR_S = 3600
FUNDS = StatementKind.FUNDS


@dataclass
class Transfer:
    """A leg of ours that WeChat Pay took on the first day at noon, and what it says of it."""

    channel: WeChatPayChannel
    director: WechatPayDirector
    world: payouts_given.World
    instruction: PayoutInstruction
    first_day: dt.date

    @property
    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.director.book()["now"], dt.UTC)

    def ask(self) -> None:
        """Ask, and record the answer as a worker does."""
        outcome = self.channel.query(self.instruction, deadline_s=DEADLINE_S)
        payouts_given.attempt(self.world, outcome, now=self.now)

    def bring(self, day: dt.date) -> bytes:
        fetched = self.channel.fetch_statement(FUNDS, day, deadline_s=DEADLINE_S)
        assert isinstance(fetched, StatementFetched)
        operations.bring_file(
            channel=CHANNEL, reader=self.channel, bill=FUNDS, day=day, content=fetched.content,
            file_name=fetched.file_name, source=Source.FETCHED, actor=given.clerk(), now=self.now,
        )  # fmt: skip
        return fetched.content

    def compare(self, day: dt.date) -> dict[str, str]:
        now = self.now
        operations.compare_bill(
            channel=CHANNEL, bill=FUNDS, day=day, zone=BEIJING,
            today=now.astimezone(BEIJING).date(), now=now,
        )  # fmt: skip
        return breaks()

    def wait(self, *, hours: int) -> None:
        self.director.advance(seconds=hours * HOUR_S)


@pytest.fixture
def transfer(tmp_path: Any) -> Iterator[Transfer]:
    noon = read_clock().astimezone(BEIJING).replace(hour=12, minute=0, second=0, microsecond=0)
    begins = noon - 6 * ONE_DAY
    process = WechatPayProcess(tmp_path, "--clock", begins.isoformat())
    entry = {
        name: text for name, text in settings_entry(process.options).items() if name != "adapter"
    }
    channel = WeChatPayChannel(WeChatPaySettings.parse(entry), clock=read_clock)
    director = process.director()
    director.fund(2_000_00)
    world = payouts_given.payout("¥200", deposit_="¥200", route_open=False, now=begins)
    number = payouts.leg(world.leg_id).channel_number
    payee = PayeeAccount("王小明", "", "oPayee0001", PayeeKind.WECHAT_USER)
    instruction = PayoutInstruction(number, Money(200_00, "CNY"), payee)
    made = Transfer(channel, director, world, instruction, begins.date())
    outcome = channel.submit(instruction, deadline_s=DEADLINE_S)
    payouts_given.attempt(world, outcome, now=made.now)
    assert world.state is LegState.NEEDS_ACTION
    yield made
    director.close()
    process.stop()


def number_of(transfer: Transfer) -> str:
    return transfer.instruction.number


def test_the_fund_bill_says_what_lay_on_the_account_when_the_day_was_over(
    transfer: Transfer,
) -> None:
    transfer.wait(hours=22)
    transfer.director.fund(77_00)

    content = transfer.bring(transfer.first_day)
    transfer.compare(transfer.first_day)

    read = transfer.channel.read_statement(FUNDS, content)
    assert read.closing_balance == Money(2_000_00 - 200_00, "CNY")
    (known,) = payouts.balances()
    midnight = dt.datetime.combine(transfer.first_day + ONE_DAY, dt.time(), BEIJING)
    assert (known.balance, known.as_of) == (read.closing_balance, midnight)


def test_a_transfer_nobody_confirms_is_taken_given_back_and_no_difference(
    transfer: Transfer,
) -> None:
    first, second = transfer.first_day, transfer.first_day + ONE_DAY
    transfer.wait(hours=22)
    transfer.bring(first)
    assert transfer.compare(first) == {number_of(transfer): "timing"}

    transfer.wait(hours=3)
    transfer.ask()
    assert transfer.world.state is LegState.FAILED
    assert transfer.compare(first) == {number_of(transfer): "timing"}
    assert operations.stop_for_breaks(now=transfer.now) == ()
    transfer.wait(hours=21)
    transfer.bring(second)

    assert transfer.compare(second) == {}
    (settled,) = queries.breaks_of_day(channel=CHANNEL, day=first)
    assert settled.closed_because == f"went out and came back, on the bill of {first}"


def test_a_transfer_confirmed_on_another_day_is_a_matter_of_timing(transfer: Transfer) -> None:
    first, second = transfer.first_day, transfer.first_day + ONE_DAY
    transfer.wait(hours=22)
    transfer.bring(first)
    assert transfer.compare(first) == {number_of(transfer): "timing"}

    transfer.director.confirm(number_of(transfer))
    transfer.ask()
    assert transfer.world.state is LegState.PAID

    assert transfer.compare(first) == {}
    operations.bring_empty(
        channel=CHANNEL, bill=FUNDS, day=second, actor=given.clerk(), now=transfer.now + ONE_DAY
    )
    assert transfer.compare(second) == {}


def test_money_of_a_failed_transfer_that_never_came_back_stops_sending(
    transfer: Transfer,
) -> None:
    transfer.wait(hours=25)
    transfer.ask()
    transfer.bring(transfer.first_day)
    assert transfer.compare(transfer.first_day) == {number_of(transfer): "timing"}

    transfer.wait(hours=3 * 24)

    assert transfer.compare(transfer.first_day) == {number_of(transfer): "state"}
    assert operations.stop_for_breaks(now=transfer.now) == (CHANNEL,)
