"""What a fund bill says lay on the account becomes the channel's balance, and the newest word counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pytest

from kuaitui.channels.port import Statement, StatementKind, Unknown
from kuaitui.payouts import operations as payouts_operations
from kuaitui.payouts import queries as payouts
from kuaitui.payouts.models import ChannelBalance
from kuaitui.payouts.queries import KnownBalance
from kuaitui.payouts.types import BalanceSource
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.types import Source
from tests.support import given, payouts_given
from tests.support.given import CHANNEL, NOW, yuan
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    ONE_DAY,
    TABLES,
    TRADES,
    ZONE,
    Paper,
    at,
    bill,
    compare,
    line,
)

pytestmark = pytest.mark.django_db


@dataclass
class Closing(Paper):
    """A channel whose bills say what lay on the account at the end of the day."""

    balance: str = "¥5,000"

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        statement = super().read_statement(kind, content)
        return replace(statement, closing_balance=yuan(self.balance))


def closed_at(balance: str, *, day: dt.date = DAY, kind: StatementKind = FUNDS) -> None:
    """A bill that ends with this balance comes in and is compared."""
    operations.bring_file(
        channel=CHANNEL, reader=Closing(balance=balance), bill=kind, day=day,
        content=bill(line("fee", "F1", "¥6"), day=day, kind=kind), file_name="",
        source=Source.IMPORTED, actor=given.clerk(), now=NOW,
    )  # fmt: skip
    compare(day=day, kind=kind)


def known() -> KnownBalance:
    (found,) = payouts.balances()
    return found


def end_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day + ONE_DAY, dt.time(), ZONE)


def test_the_closing_balance_of_a_fund_bill_is_the_channels_balance_as_of_its_midnight() -> None:
    closed_at("¥5,000")

    assert (known().balance, known().as_of, known().source) == (
        yuan("¥5,000"), end_of(DAY), BalanceSource.STATEMENT,
    )  # fmt: skip
    assert known().left == yuan("¥5,000")


def test_comparing_again_notes_it_no_second_time() -> None:
    closed_at("¥5,000")

    with given.nothing_moves(*TABLES, "payouts_balance"):
        compare()


def test_a_bill_that_comes_late_does_not_take_the_place_of_a_newer_balance() -> None:
    closed_at("¥5,000")

    closed_at("¥90,000", day=DAY - ONE_DAY)

    assert (known().balance, known().as_of) == (yuan("¥5,000"), end_of(DAY))
    assert ChannelBalance.objects.count() == 2


def test_what_a_person_saw_later_counts_more_than_the_bill() -> None:
    payouts_operations.note_balance(
        channel=CHANNEL, balance=yuan("¥70"), as_of=NOW, source=BalanceSource.PERSON,
        actor=given.approver(), now=NOW,
    )  # fmt: skip

    closed_at("¥5,000")

    assert known().balance == yuan("¥70")


def test_a_trade_bill_says_nothing_of_the_account() -> None:
    closed_at("¥5,000", kind=TRADES)

    assert payouts.balances() == ()


def test_a_file_that_only_waits_says_nothing_of_the_account() -> None:
    closed_at("¥5,000")

    operations.bring_file(
        channel=CHANNEL, reader=Closing(balance="¥1"), bill=FUNDS, day=DAY,
        content=bill(line("fee", "F2", "¥7")), file_name="", source=Source.IMPORTED,
        actor=given.clerk(), now=NOW,
    )  # fmt: skip
    compare()

    assert known().balance == yuan("¥5,000")


def test_a_bill_that_is_read_otherwise_corrects_the_balance_of_its_midnight() -> None:
    closed_at("¥5,000")
    (kept,) = [file.file_id for file in queries.files_kept()]

    read = operations.read_again(file_id=kept, reader=Closing(balance="¥4,000"), now=NOW)
    compare()

    assert (read.is_changed, read.changes_count) == (True, 0)
    assert known().balance == yuan("¥4,000")


def test_what_was_sent_before_midnight_and_booked_after_it_is_taken_off() -> None:
    on_its_way = payouts_given.payout("¥300", now=at(20))
    payouts_given.attempt(on_its_way, Unknown("deadline"), now=at(23))
    booked_later = payouts_given.payout("¥200", application_id="rfa_2", now=at(20))
    payouts_given.attempt(booked_later, payouts_given.succeeded(end_of(DAY)), now=at(23, 30))
    booked_before = payouts_given.payout("¥100", application_id="rfa_3", now=at(20))
    payouts_given.attempt(booked_before, payouts_given.succeeded(at(22)), now=at(21))

    closed_at("¥5,000")

    assert known().sent_since == yuan("¥300")
    payouts_given.attempt(
        on_its_way, payouts_given.succeeded(end_of(DAY) + dt.timedelta(hours=1)), now=NOW
    )
    assert known().sent_since == yuan("¥300")
    assert known().left == yuan("¥4,700")
