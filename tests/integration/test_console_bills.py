"""The bench where bills are compared: board, day, break, proposal, confirmation, import."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from kuaitui.accounts.types import Role
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.models import BillDay
from kuaitui.reconciliation.types import BreakState, ReadingState
from tests.support import given, payouts_given
from tests.support.clock import standing_at
from tests.support.console_given import desk, staff
from tests.support.given import CHANNEL, NOW
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    TABLES,
    at,
    bill,
    bring,
    compare_with,
    line,
    the_break,
    the_file,
)

pytestmark = pytest.mark.django_db
REASON = "Asked the hotline: booked by hand"


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


@pytest.fixture
def overpaid() -> payouts_given.World:
    """The channel took 50 fen more than we asked for."""
    world = payouts_given.payout("¥4,000", deposit_="¥10,000")
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    compare_with(line("refund", payouts.leg(world.leg_id).channel_number, "¥4,000.50"))
    operations.stop_for_breaks(now=NOW)
    return world


def address(act: str = "") -> str:
    return f"/console/breaks/{the_break().break_id}{act}"


def propose(client, **changes: object):
    values = {"version": the_break().version, "remedy": "book_channel_cost", "reason": REASON}
    return client.post(address("/propose"), values | changes)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_board_shows_days_channels_and_what_is_open(overpaid, language) -> None:
    page = desk(Role.AUDITOR, language=language).get("/console/bills")

    assert page.status_code == 200
    assert address() in page.text
    assert f"/console/bills/{CHANNEL}/{DAY}" in page.text
    assert "¥4,000.50" in page.text
    assert ("Amounts differ" if language == "en" else "金额不符") in page.text


def test_a_day_shows_its_bills_breaks_and_files(overpaid) -> None:
    page = desk(Role.AUDITOR).get(f"/console/bills/{CHANNEL}/{DAY}")

    assert the_break().key in page.text
    assert the_file().sha256[:16] in page.text
    assert "Import a bill" not in page.text


def test_the_work_list_tells_of_open_differences_and_late_bills(overpaid) -> None:
    BillDay.objects.create(channel=CHANNEL, bill="trades", day=DAY, late_at=NOW)

    page = desk(Role.REVIEWER).get("/console/")

    assert "1 difference is open." in page.text
    assert "1 bill should be here and is not." in page.text


@pytest.mark.parametrize("path", [f"{CHANNEL}/yesterday", f"{CHANNEL}/0001-01-01", f"none/{DAY}"])
def test_there_is_no_page_of_a_day_or_channel_that_is_none(path) -> None:
    assert desk(Role.AUDITOR).get(f"/console/bills/{path}").status_code == 404


def test_a_break_shows_both_sides_and_that_sending_was_stopped(overpaid) -> None:
    page = desk(Role.AUDITOR).get(address())

    for shown in ("¥4,000.00", "¥4,000.50", overpaid.leg_id, "was stopped because of it"):
        assert shown in page.text
    assert "Propose how to close it" not in page.text


def test_a_break_says_who_is_next_and_calls_everything_by_a_word(overpaid) -> None:
    page = desk(Role.APPROVER).get(address()).text

    assert "A reviewer proposes what becomes of it; an approver confirms." in page
    assert "· the system" in page
    assert "reconciliation." not in page
    assert not re.search(r"· (paid|accepted|unknown|returned)\b", page)
    assert "A reviewer proposes" not in desk(Role.REVIEWER).get(address()).text


def test_one_proposes_and_another_confirms_on_the_pages(overpaid) -> None:
    shown = desk(Role.REVIEWER).get(address("/propose")).text
    assert "Posts CNY 0.50 from “at the channel” to “channel cost”." in shown
    maker = desk(Role.REVIEWER)
    with given.nothing_moves_but_audit("ledger_book"):
        assert propose(maker).status_code == 302

    checker = desk(Role.APPROVER)
    assert REASON in checker.get(address("/confirm")).text
    answer = checker.post(address("/confirm"), {"version": the_break().version}, follow=True)

    assert "Closed by two people" in checker.get(f"/console/bills/{CHANNEL}/{DAY}").text
    assert answer.status_code == 200
    assert queries.open_breaks() == ()
    balance = ledger.balances(overpaid.book_id).of(Account.CHANNEL_FEE)
    assert balance == given.yuan("¥0.50")


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"reason": " "}, 422), ({"remedy": "burn"}, 422), ({"version": 9}, 409)],
)
def test_a_proposal_that_lacks_something_changes_nothing(overpaid, changes, status) -> None:
    maker = desk(Role.REVIEWER)

    with given.nothing_moves(*TABLES):
        page = propose(maker, **changes)

    assert page.status_code == status
    assert the_break().state is BreakState.OPEN


def test_what_was_not_seen_is_not_confirmed(overpaid) -> None:
    checker = desk(Role.APPROVER)
    with given.nothing_moves(*TABLES):
        assert checker.post(address("/confirm"), {"version": 1}).status_code == 409
    propose(desk(Role.REVIEWER))

    with given.nothing_moves(*TABLES):
        assert checker.post(address("/confirm"), {"version": 1}).status_code == 409


def test_a_proposal_can_be_taken_back(overpaid) -> None:
    propose(desk(Role.REVIEWER))
    checker = desk(Role.APPROVER)

    assert checker.post(address("/take-back"), {"reason": ""}).status_code == 422
    assert checker.post(address("/take-back"), {"reason": "not so"}).status_code == 302

    assert the_break().state is BreakState.OPEN


def upload(client, content: bytes, **changes: object):
    values = {"channel": CHANNEL, "bill": FUNDS.value, "day": DAY.isoformat()}
    file = SimpleUploadedFile("bill.json", content)
    return client.post("/console/bills/import", values | {"file": file} | changes)


def test_a_bill_is_imported_and_compared() -> None:
    client = desk(Role.REVIEWER)

    answer = upload(client, bill(line("other", "P1", "¥300")))

    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/console/bills/{CHANNEL}/{DAY}",
    )
    assert the_break().key == "P1"
    with given.nothing_moves(*TABLES):
        again = upload(client, bill(line("other", "P1", "¥300")))
    assert again.status_code == 302


def test_a_refused_bill_says_its_line_and_moves_nothing() -> None:
    bad = bill(line("pay_in", "P1", "¥300"), line("fee", "F1", "¥1", amount="1.005"))

    with given.nothing_moves_but_audit("reconciliation_break", "reconciliation_line"):
        page = upload(desk(Role.REVIEWER), bad)

    assert page.status_code == 422
    assert "line 2:" in page.text
    assert the_file().state is ReadingState.REFUSED
    assert "line 2:" in desk(Role.AUDITOR).get(f"/console/bills/{CHANNEL}/{DAY}").text


@pytest.mark.parametrize(
    "changes",
    [
        {"day": "yesterday"},
        {"bill": "lunch"},
        {"channel": "none"},
        {"file": ""},
        {"day": "2026-11-23"},
    ],
)
def test_an_import_that_lacks_something_keeps_nothing(changes) -> None:
    client = desk(Role.REVIEWER)

    with given.nothing_moves(*TABLES):
        page = upload(client, bill(line("pay_in", "P1", "¥1")), **changes)

    assert page.status_code == 422


def test_another_file_of_a_day_is_decided_with_a_reason() -> None:
    compare_with(line("other", "P1", "¥300"))
    other = bring(bill(line("other", "P2", "¥200")))
    client, path = desk(staff(Role.APPROVER)), f"/console/bills/files/{other.file_id}"
    assert path in client.get(f"/console/bills/{CHANNEL}/{DAY}").text
    with given.nothing_moves(*TABLES):
        assert client.post(path, {"choice": "take", "reason": ""}).status_code == 422

    assert client.post(path, {"choice": "take", "reason": "issued again"}).status_code == 302

    assert [found.key for found in queries.open_breaks()] == ["P2"]
    assert client.post(path, {"choice": "take", "reason": "again"}).status_code == 409
