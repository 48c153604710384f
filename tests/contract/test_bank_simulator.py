"""The simulated bank: a real process that books on business days and says so in its own messages."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kuaitui.channels.bank import BankChannel, BankSettings
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotSent,
    PayoutInstruction,
    QueryOutcome,
    RejectedConfig,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.channels.simulator.bank.book import OPENING_MINOR
from kuaitui.channels.simulator.faults import Fault, Rule
from tests.support.bank_given import HeldInbox, instruction, weekday
from tests.support.simulator import SimulatorProcess

DEADLINE_S = 20.0
HOUR_S, DAY_S = 3600.0, 86400.0
MONDAY_MORNING = "2026-11-23T09:00:00+08:00"
MONDAY = dt.date(2026, 11, 23)
_numbers = itertools.count(1)


class BankProcess(SimulatorProcess):
    name = "bank"


@functools.cache
def printed_settings() -> dict[str, object]:
    """The entry as it is printed, by which the adapter is connected."""
    command = [sys.executable, "-m", "kuaitui.interfaces.cli", "simulate-channel", "bank"]
    with tempfile.TemporaryDirectory() as keys:
        said = subprocess.run(
            [*command, "--keys", keys, "--print-settings"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    entry = json.loads(said.stdout)["bank"]
    assert entry.pop("adapter") == "bank"
    return entry


class Desk:
    """Our side of one bank that opens on a Monday morning."""

    def __init__(self, folder: Path) -> None:
        self.bank = BankProcess(folder, "--clock", MONDAY_MORNING)
        self.director = self.bank.director()
        self.inbox = HeldInbox()
        self.channel = self.connect()

    def connect(self, **changes: object) -> BankChannel:
        credentials = str(self.bank.keys / "credentials")
        places = {"base_url": self.bank.base_url, "credentials_file": credentials}
        settings = BankSettings.parse({**printed_settings(), **places, **changes})
        return BankChannel(settings, inbox=self.inbox, is_business_day=weekday)

    def submit(self, payment: PayoutInstruction) -> object:
        return self.channel.submit(payment, deadline_s=DEADLINE_S)

    def ask(self, payment: PayoutInstruction) -> QueryOutcome:
        read = self.channel.fetch_mailbox(deadline_s=DEADLINE_S)
        assert not isinstance(read, NotSent | Unknown), read
        self.inbox.said.clear()
        for content in read.contents:
            self.inbox.take(self.channel, content)
        assert self.inbox.refused == [], "our reader takes every message"
        return self.channel.query(payment, deadline_s=DEADLINE_S)

    def balance(self) -> int:
        return self.director.book()["balance_minor"]

    def times_paid(self, payment: PayoutInstruction) -> int:
        return self.director.paid().get(payment.number, {"times_paid": 0})["times_paid"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.director.close()
    desk.bank.stop()


def payment(amount: str = "12.34", execute_on: dt.date = MONDAY) -> PayoutInstruction:
    return instruction(f"leg{next(_numbers):026d}", amount, execute_on=execute_on)


def test_a_payment_is_accepted_then_booked_then_stated(desk: Desk) -> None:
    mine = payment()

    assert isinstance(desk.submit(mine), Accepted)
    accepted = desk.ask(mine)
    desk.director.advance(seconds=2 * HOUR_S)
    booked = desk.ask(mine)
    desk.director.advance(seconds=10 * HOUR_S)

    assert isinstance(accepted, Accepted)
    assert isinstance(booked, Succeeded)
    assert booked.settled_at.astimezone(dt.UTC).date() == MONDAY
    stated = desk.ask(mine)
    assert isinstance(stated, Succeeded)
    assert stated.reference == booked.reference
    assert MONDAY in desk.inbox.days
    assert desk.balance() == OPENING_MINOR - 1234
    assert desk.times_paid(mine) == 1


def test_a_payment_for_saturday_is_booked_on_monday(desk: Desk) -> None:
    saturday = MONDAY + dt.timedelta(days=5)
    mine = payment(execute_on=saturday)
    desk.submit(mine)

    desk.director.advance(seconds=6 * DAY_S)
    on_sunday = desk.ask(mine)
    desk.director.advance(seconds=DAY_S + 2 * HOUR_S)

    assert isinstance(on_sunday, Accepted)
    assert isinstance(desk.ask(mine), Succeeded)


def test_a_closed_account_is_refused_and_nothing_moves(desk: Desk) -> None:
    mine = payment()
    desk.director.misbehave(Rule(Fault.REFUSE, number=mine.number, code="AC04"))

    desk.submit(mine)
    desk.director.advance(seconds=DAY_S)

    assert desk.ask(mine) == FailedDefinite("AC04")
    assert desk.times_paid(mine) == 0
    assert desk.balance() == OPENING_MINOR


def test_money_comes_back_days_later(desk: Desk) -> None:
    mine = payment()
    desk.director.misbehave(
        Rule(Fault.RETURN_LATER, number=mine.number, seconds=2 * DAY_S, code="AC04")
    )
    desk.submit(mine)

    desk.director.advance(seconds=2 * HOUR_S)
    paid = desk.ask(mine)
    desk.director.advance(seconds=3 * DAY_S)

    assert isinstance(paid, Succeeded)
    back = desk.ask(mine)
    assert isinstance(back, Returned)
    assert back.code == "AC04"
    assert desk.balance() == OPENING_MINOR


def test_the_same_file_twice_pays_once(desk: Desk) -> None:
    mine = payment()

    desk.submit(mine)
    again = desk.submit(mine)
    desk.director.advance(seconds=DAY_S)

    assert again == Unknown("http_422")
    assert desk.times_paid(mine) == 1
    assert isinstance(desk.ask(mine), Succeeded)


@pytest.mark.parametrize("fault", [Fault.DROP_ANSWER, Fault.ERROR_AFTER])
def test_an_answer_that_is_lost_is_unknown_and_the_mailbox_tells(desk: Desk, fault: Fault) -> None:
    mine = payment()
    desk.director.misbehave(Rule(fault, number=mine.number))

    assert isinstance(desk.submit(mine), Unknown)
    assert isinstance(desk.ask(mine), Accepted)


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.ERROR_BEFORE, Fault.BUSY_BEFORE])
def test_what_never_got_in_is_unknown_and_never_paid(desk: Desk, fault: Fault) -> None:
    mine = payment()
    desk.director.misbehave(Rule(fault, number=mine.number))

    assert isinstance(desk.submit(mine), Unknown)
    desk.director.advance(seconds=DAY_S)

    assert desk.ask(mine) == Unknown("no_word_yet")
    assert desk.times_paid(mine) == 0


def test_a_silent_bank_lets_its_notices_speak(desk: Desk) -> None:
    mine = payment()
    desk.director.misbehave(Rule(Fault.NOTIFY_NEVER, number=mine.number))
    desk.submit(mine)

    before = desk.ask(mine)
    desk.director.advance(seconds=2 * HOUR_S)

    assert before == Unknown("no_word_yet")
    assert isinstance(desk.ask(mine), Succeeded)


def test_nobody_without_the_password_is_listened_to(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("marketplace:guess")
    stranger = desk.connect(credentials_file=str(tmp_path / "wrong"))

    assert stranger.submit(payment(), deadline_s=DEADLINE_S) == RejectedConfig("http_401")
    assert desk.director.book()["payments"] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<", b"<a/>", b'<!DOCTYPE x [<!ENTITY e "e">]><a>&e;</a>', b"\xff\xfe", b"x" * 70_000],
)
def test_what_is_no_payment_file_is_refused_and_recorded_nowhere(desk: Desk, body: bytes) -> None:
    user, _, password = (desk.bank.keys / "credentials").read_text().partition(":")

    answer = httpx.post(f"{desk.bank.base_url}/payments", content=body, auth=(user, password))

    assert answer.status_code in {400, 413}
    assert desk.director.book()["payments"] == []


def test_its_book_outlives_the_process(desk: Desk) -> None:
    mine = payment()
    desk.submit(mine)
    desk.bank.stop(kill=True)
    desk.bank.start()

    desk.director.advance(seconds=2 * HOUR_S)

    assert isinstance(desk.ask(mine), Succeeded)
    assert desk.times_paid(mine) == 1
