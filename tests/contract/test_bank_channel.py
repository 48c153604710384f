"""The bank channel against a bank that nobody here wrote: mock-bank, a real process."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kuaitui.channels.bank import BankChannel
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    LineKind,
    NotFound,
    NotSent,
    PayoutInstruction,
    QueryOutcome,
    RejectedConfig,
    Returned,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    Succeeded,
    Unknown,
)
from tests.support.bank_given import (
    ANOTHER_ACCOUNT,
    PAYEE,
    HeldInbox,
    MockBank,
    channel,
    instruction,
)

DEADLINE_S = 20.0
DAY = dt.timedelta(days=1)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockBank]:
    process = MockBank(tmp_path_factory.mktemp("bank"))
    yield process
    process.stop()


class Desk:
    """Our side: the channel, and the inbox that its mailbox is emptied into."""

    def __init__(self, process: MockBank) -> None:
        process.reset()
        process.come_to_a_working_day()
        self.bank = process
        self.inbox = HeldInbox()
        self.channel: BankChannel = channel(self.inbox, base_url=process.base_url)

    def payment(self, amount: str = "12.34") -> PayoutInstruction:
        number = f"leg{next(_numbers):026d}"
        return instruction(number, amount, execute_on=self.bank.today())

    def submit(self, payment: PayoutInstruction) -> object:
        return self.channel.submit(payment, deadline_s=DEADLINE_S)

    def collect(self, only: str = "") -> None:
        """Take in what lies in the mailbox, or the messages of one kind."""
        read = self.channel.fetch_mailbox(deadline_s=DEADLINE_S)
        assert not isinstance(read, NotSent | Unknown), read
        self.inbox.said.clear()
        self.inbox.days.clear()
        self.inbox.refused.clear()
        for content in read.contents:
            if only.encode() in content:
                self.inbox.take(self.channel, content)

    def ask(self, payment: PayoutInstruction, *, only: str = "") -> QueryOutcome:
        self.collect(only)
        return self.channel.query(payment, deadline_s=DEADLINE_S)


@pytest.fixture
def desk(process: MockBank) -> Desk:
    return Desk(process)


def test_an_accepted_payment_is_booked_on_its_day(desk: Desk) -> None:
    payment = desk.payment()

    assert isinstance(desk.submit(payment), Accepted)

    outcome = desk.ask(payment)
    assert isinstance(outcome, Succeeded)
    assert outcome.reference.startswith("MB-PMT")
    assert outcome.settled_at.astimezone(dt.UTC).date() in {
        desk.bank.today(),
        desk.bank.today() - DAY,
    }
    assert desk.bank.paid() == [(payment.number, payment.amount.minor)]


def test_a_closed_account_is_a_definite_failure_and_nothing_leaves(desk: Desk) -> None:
    payment = replace(desk.payment(), target=replace(PAYEE, account_number=ANOTHER_ACCOUNT))
    desk.submit(payment)

    assert desk.ask(payment) == FailedDefinite("AC04")
    assert desk.bank.paid() == []


def test_missing_money_can_pass_and_a_later_release_pays(desk: Desk) -> None:
    desk.bank.patch(behaviour="insufficient-funds", balance=1)
    payment = desk.payment()
    desk.submit(payment)
    assert desk.ask(payment) == FailedDefinite("AM04", same_key_retry_ok=True)

    desk.bank.patch(behaviour="accept", balance=10**9)
    again = instruction(payment.number, execute_on=desk.bank.today(), release_no=2)
    desk.submit(again)

    assert isinstance(desk.ask(again), Succeeded), "the refusal of the first release is history"
    assert desk.bank.paid() == [(payment.number, payment.amount.minor)]


def test_a_silent_bank_speaks_by_its_statement(desk: Desk) -> None:
    """No status report, and no debit notice either: the statement decides."""
    desk.bank.behave("silent")
    payment = desk.payment()
    desk.submit(payment)
    assert desk.ask(payment, only="camt.053") == Unknown("no_word_yet")

    desk.bank.advance(1)

    assert isinstance(desk.ask(payment, only="camt.053"), Succeeded)


def test_a_payment_that_comes_back_days_later_is_returned(desk: Desk) -> None:
    desk.bank.behave("return-later", days=2, reason="AC04")
    payment = desk.payment()
    desk.submit(payment)
    assert isinstance(desk.ask(payment), Succeeded)

    desk.bank.advance(5)

    outcome = desk.ask(payment)
    assert isinstance(outcome, Returned)
    assert outcome.code == "AC04"


def test_the_same_payment_twice_leaves_once(desk: Desk) -> None:
    payment = desk.payment()
    desk.submit(payment)

    assert desk.submit(payment) == Unknown("http_422")

    assert isinstance(desk.ask(payment), Succeeded), "the refusal of the second is no failure"
    assert desk.bank.paid() == [(payment.number, payment.amount.minor)]


def test_a_repeated_file_says_only_that_the_bank_has_the_first(desk: Desk) -> None:
    desk.bank.behave("silent")
    payment = desk.payment()
    desk.submit(payment)
    desk.bank.behave("duplicate-file")
    desk.submit(payment)

    assert isinstance(desk.ask(payment, only="pain.002"), Accepted)


def test_a_refused_file_fails_its_payment_until_a_later_release(desk: Desk) -> None:
    desk.bank.behave("reject-file")
    payment = desk.payment()

    assert desk.submit(payment) == Unknown("http_422")

    assert desk.ask(payment) == FailedDefinite("FF01", same_key_retry_ok=True)
    assert desk.bank.paid() == []


def test_after_the_cut_off_and_over_a_holiday_it_is_executed_on_the_next_business_day(
    desk: Desk,
) -> None:
    today = desk.bank.today()
    free = next(day for day in (today + DAY * n for n in range(1, 9)) if day.weekday() < 5)
    desk.bank.holidays(free)
    zone = desk.channel._settings.zone
    after_the_cut_off = dt.datetime.combine(free - DAY, dt.time(16), zone)
    ours = channel(is_business_day=lambda on: on.weekday() < 5 and on != free)
    execute_on = ours.execution_day(after_the_cut_off)
    assert execute_on > free
    payment = instruction(f"leg{next(_numbers):026d}", execute_on=execute_on)

    desk.submit(payment)

    assert isinstance(desk.ask(payment), Accepted)
    desk.bank.advance((execute_on - today).days - 1)
    assert isinstance(desk.ask(payment), Accepted)
    desk.bank.advance(1)
    assert isinstance(desk.ask(payment), Succeeded)


def test_a_statement_with_a_hole_is_refused_and_proves_nothing_missing(desk: Desk) -> None:
    desk.bank.behave("statement-gap")
    payment = desk.payment()
    desk.submit(payment)
    desk.bank.advance(9)

    desk.collect()

    assert "totals_differ" in {refused.reason for refused in desk.inbox.refused}
    assert desk.bank.today() - 9 * DAY not in desk.inbox.days


def test_what_stands_on_no_statement_is_not_found_and_may_be_sent_again(desk: Desk) -> None:
    payment = desk.payment()
    desk.bank.advance(1)
    assert desk.ask(payment) == Unknown("no_word_yet")

    desk.bank.advance(8)

    assert desk.ask(payment) == NotFound()


def test_statements_of_other_accounts_are_refused(desk: Desk) -> None:
    desk.bank.advance(1)
    desk.collect()

    assert {refused.reason for refused in desk.inbox.refused} == {"another_account"}
    assert len(desk.inbox.refused) >= 2, "mock-bank keeps four accounts"


def test_the_days_statement_is_a_bill_of_funds(desk: Desk) -> None:
    """Every movement, in lines that reconciliation can match by our numbers."""
    desk.bank.behave("return-later", days=1, reason="AC04")
    payment, day = desk.payment(), desk.bank.today()
    desk.submit(payment)
    waiting = desk.channel.fetch_statement(StatementKind.FUNDS, day, deadline_s=DEADLINE_S)
    assert waiting == StatementNotReady()

    desk.bank.advance(1)

    fetched = desk.channel.fetch_statement(StatementKind.FUNDS, day, deadline_s=DEADLINE_S)
    assert isinstance(fetched, StatementFetched)
    statement = desk.channel.read_statement(StatementKind.FUNDS, fetched.content)
    assert statement.day == day
    assert [(line.kind, line.number, line.amount) for line in statement.lines] == [
        (LineKind.PAYOUT, payment.number, payment.amount)
    ]
    desk.bank.advance(7)
    kinds = [
        line.kind
        for on in (day + DAY * n for n in range(1, 6))
        if isinstance(
            found := desk.channel.fetch_statement(StatementKind.FUNDS, on, deadline_s=DEADLINE_S),
            StatementFetched,
        )
        for line in desk.channel.read_statement(StatementKind.FUNDS, found.content).lines
    ]
    assert kinds == [LineKind.RETURN]


def test_a_bank_that_cannot_be_reached_was_not_sent_to() -> None:
    assert isinstance(channel().submit(instruction(), deadline_s=2), NotSent)


@pytest.mark.parametrize(
    ("credentials", "outcome"), [("kuaitui:right", Accepted), ("kuaitui:wrong", RejectedConfig)]
)
def test_a_bank_that_refuses_us_is_told_from_one_that_refuses_a_payment(
    tmp_path: Path, credentials: str, outcome: type
) -> None:
    bank = MockBank(tmp_path, "--auth", "kuaitui:right", auth=("kuaitui", "right"))
    try:
        ours = channel(base_url=bank.base_url, credentials=credentials)

        assert isinstance(ours.submit(instruction(), deadline_s=DEADLINE_S), outcome)
    finally:
        bank.stop()
