"""A payout through a bank that nobody here wrote: batch, release, send, messages, books."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from kuaitui.channels.bank import BankChannel
from kuaitui.channels.port import StatementKind
from kuaitui.interfaces.worker.mailboxes import fetch_all, mailboxes
from kuaitui.ledger.types import Account
from kuaitui.payouts import queries
from kuaitui.payouts.models import BankMessage
from kuaitui.payouts.states import LegState
from kuaitui.reconciliation.operations import Plan, compare_bill, fetch_bill
from kuaitui.reconciliation.queries import day_report
from kuaitui.reconciliation.types import DayState
from tests.support import batches_given as bg
from tests.support import given
from tests.support.bank_given import MockBank
from tests.support.clock import standing_at
from tests.support.given import NOW

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
TABLES = ("payouts_leg", "payouts_bank_message", "payouts_bank_word", "payouts_bank_statement_day")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockBank]:
    process = MockBank(tmp_path_factory.mktemp("bank"))
    yield process
    process.stop()


@pytest.fixture
def bank(process: MockBank, settings) -> BankChannel:
    process.reset()
    bg.bank_in_settings(settings, transport="http", base_url=process.base_url)
    return bg.bank(settings)


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


def collect(settings) -> bool:
    return fetch_all(mailboxes(bg.channels(settings)))


def test_a_payout_is_booked_and_the_books_agree_with_the_bank(process, bank, settings):
    world = bg.waiting()
    bg.released(bank)

    assert bg.carry_out(settings, world) is LegState.ACCEPTED
    assert collect(settings)
    assert queries.due_legs(now=NOW) == [world.leg_id]
    assert bg.carry_out(settings, world) is LegState.PAID

    assert world.held() == {}
    leg = queries.leg(world.leg_id)
    assert process.paid() == [(leg.channel_number, leg.amount.minor)]


def test_a_payout_that_comes_back_is_frozen_again(process, bank, settings):
    process.behave("return-later", days=1, reason="AC04")
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    collect(settings)
    bg.carry_out(settings, world)

    process.advance(4)
    collect(settings)

    assert bg.carry_out(settings, world) is LegState.RETURNED
    assert world.held() == {Account.FROZEN: "10,000", Account.AT_CHANNEL: "10,000"}


def test_an_empty_account_pays_in_the_next_batch_under_the_same_number(process, bank, settings):
    process.patch(behaviour="insufficient-funds", balance=1)
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    collect(settings)
    assert bg.carry_out(settings, world) is LegState.READY
    assert process.paid() == []

    process.patch(behaviour="accept", balance=10**9)
    bg.released(bank)
    assert bg.carry_out(settings, world) is LegState.ACCEPTED
    collect(settings)

    assert bg.carry_out(settings, world) is LegState.PAID
    leg = queries.leg(world.leg_id)
    assert process.paid() == [(leg.channel_number, leg.amount.minor)]


def test_a_mailbox_read_again_moves_nothing(process, bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    process.advance(1)
    collect(settings)

    with given.nothing_moves(*TABLES):
        assert not collect(settings)

    refused = BankMessage.objects.filter(refused_because="another_account").count()
    assert refused >= 2, "the mailbox of mock-bank holds other accounts' statements too"


def test_a_mailbox_that_cannot_be_read_is_no_news(bank, settings):
    entry = settings.KUAITUI_CHANNELS["bank"]
    settings.KUAITUI_CHANNELS = {"bank": {**entry, "base_url": "http://127.0.0.1:9"}}

    with given.nothing_moves(*TABLES):
        assert not collect(settings)


def test_the_day_is_proven_by_the_banks_own_statement(tmp_path, settings):
    process = MockBank(tmp_path)
    try:
        bg.bank_in_settings(settings, transport="http", base_url=process.base_url)
        world, day = bg.waiting(), process.today()
        bg.released(bg.bank(settings))
        bg.carry_out(settings, world)
        collect(settings)
        bg.carry_out(settings, world)
        process.advance(1)

        fetched = fetch_bill(
            channel=bg.BANK,
            channels=bg.channels(settings),
            bill=StatementKind.FUNDS,
            day=day,
            plan=Plan(zone=SHANGHAI),
            now=NOW + given.DAY,
        )
        compare_bill(
            channel=bg.BANK,
            bill=StatementKind.FUNDS,
            day=day,
            zone=SHANGHAI,
            today=day + given.DAY,
            now=NOW + given.DAY,
        )

        assert fetched.problem == ""
        report = day_report(channel=bg.BANK, day=day, needed=[StatementKind.FUNDS])
        assert (report.state, report.breaks_count) == (DayState.PROVEN, 0)
    finally:
        process.stop()
