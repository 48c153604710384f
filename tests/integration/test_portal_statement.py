"""The sum that explains itself, the statement, payee accounts and reminders."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator

import pytest

from kuaitui.deposits.queries import deposit, destinations
from kuaitui.interfaces.portal.cards import deposit_card
from kuaitui.kernel.money import Money
from kuaitui.kit.csv_cells import neutral_cell
from kuaitui.notifications.queries import reminder_of
from kuaitui.refunds.states import State
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.given import nothing_moves
from tests.support.refunds_given import LARGE, MIDDLE, TABLES, application, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


@pytest.mark.parametrize(
    "state", [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]
)
@pytest.mark.parametrize("deduction", ["", "¥640"])
def test_the_sum_on_the_card_adds_up_to_the_last_fen(state: State, deduction: str) -> None:
    made = application(state, LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE)
    if deduction:
        made.deduct(deduction)

    card = deposit_card(deposit(made.shop.account_id), shop_id=made.shop.shop_id, now=made.now)

    signed = [line.amount.minor * (-1 if line.sign else 1) for line in card.lines]
    assert sum(signed) == card.refundable.minor


def test_a_deduction_shows_its_calculation_and_where_it_comes_from() -> None:
    made = world(MIDDLE)
    made.deduct("¥640")
    client = portal_given.browser(made.shop.shop_key)

    home = client.get(f"/shops/{made.shop.shop_id}/").text
    page = client.get(f"/shops/{made.shop.shop_id}/deductions").text

    assert f'href="/shops/{made.shop.shop_id}/deductions"' in home
    for told in ("late delivery", "O1", "Delivery rule 3.2", "¥640.00", "Orders were sent late."):
        assert told in page


def test_a_deduction_larger_than_the_deposit_says_what_is_still_to_be_paid() -> None:
    made = world("¥100")
    made.deduct("¥640")
    client = portal_given.browser(made.shop.shop_key)

    home = client.get(f"/shops/{made.shop.shop_id}/").text

    assert "¥540.00 still to be paid" in home


def test_every_movement_is_told_with_its_balance_and_its_source() -> None:
    made = application(State.PAID)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(f"/shops/{made.shop.shop_id}/statement").text

    for told in ("Deposit paid in", "Set aside for an application", "Sent off"):
        assert told in page
    assert "+¥10,000.00" in page
    assert "−¥10,000.00" in page
    assert f"/refunds/{made.application_id}" in page


def test_a_long_statement_is_read_page_by_page_and_downloaded_whole() -> None:
    made = world(tuple(f"¥{100 + number}" for number in range(35)))
    client = portal_given.browser(made.shop.shop_key)
    home = f"/shops/{made.shop.shop_id}"

    first = client.get(f"{home}/statement")
    after = first.context["next"]
    second = client.get(f"{home}/statement?after={after}")
    file = client.get(f"{home}/deposits/{made.shop.account_id}/statement.csv")

    assert len(first.context["movements"]) == 30
    assert len(second.context["movements"]) == 5
    assert "Previous" not in first.text
    assert "Previous" in second.text
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert len(rows) == 36
    assert {row[3] for row in rows[1:]} == {"CNY"}
    assert (
        sum(Money.parse(row[2], "CNY").minor for row in rows[1:])
        == deposit(made.shop.account_id).paid_in.minor
    )


def test_a_broken_place_in_the_statement_shows_something_true() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(f"/shops/{made.shop.shop_id}/statement?after=x&deposit=dep_none")

    assert page.status_code == 200
    assert "Deposit paid in" in page.text
    assert "Previous" not in page.text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "＝1", "＠x"])
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    assert neutral_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "rfa_1", "缴纳保证金", "a=b"])
def test_an_ordinary_cell_stays_as_it_is(text: str) -> None:
    assert neutral_cell(text) == text


ACCOUNT = {
    "holder_name": "王小明",
    "bank_name": "招商银行",
    "account_number": "6222-0202 0000 1234 562",
}


def test_a_payee_account_is_entered_as_people_write_it_and_shown_by_its_end() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    page = client.post(f"/shops/{made.shop.shop_id}/accounts/new", ACCOUNT, follow=True)

    (entered,) = destinations(shop_key=made.shop.shop_key)
    assert entered.tail4 == "4562"
    assert "4562" in page.text
    assert "6222" not in page.text
    assert "王小明" not in page.text.split("Logged in as")[0]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("account_number", "", "Enter the account number"),
        ("account_number", "12ab", "digits only"),
        ("account_number", "123", "too short"),
        ("account_number", "1" * 31, "too long"),
        ("account_number", "6222 0202 0000 1234 566", "cannot be right"),
        ("holder_name", " ", "Enter the name of the account holder"),
        ("holder_name", "王" * 121, "too long"),
        ("bank_name", "", "Enter the name of the bank"),
    ],
)
def test_a_mistyped_account_is_refused_beside_its_field(field: str, value: str, words: str) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = client.post(f"/shops/{made.shop.shop_id}/accounts/new", {**ACCOUNT, field: value})

    assert page.status_code == 422
    assert words in page.text
    assert f'id="id_{field}_error"' in page.text
    for other in set(ACCOUNT) - {field}:
        assert f'value="{ACCOUNT[other]}"' in page.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/shops/other/", "x"])
def test_after_an_account_nobody_is_led_elsewhere(back: str) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    answer = client.post(f"/shops/{made.shop.shop_id}/accounts/new", {**ACCOUNT, "back": back})

    assert answer["Location"] == f"/shops/{made.shop.shop_id}/mine"


def test_a_reminder_is_set_and_taken_back() -> None:
    made = world(MIDDLE, open_orders=1)
    client = portal_given.browser(made.shop.shop_key)
    address = f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/reminder"

    client.post(address, {"on": "2026-12-14"})
    set_for = reminder_of(account_id=made.shop.account_id)
    client.post(address, {"cancel": "1"})

    assert set_for is not None
    assert set_for.remind_on == dt.date(2026, 12, 14)
    assert reminder_of(account_id=made.shop.account_id) is None


@pytest.mark.parametrize(
    "on", ["", "tomorrow", "2026-11-23", "2020-01-01", "9999-12-31", "2027-02-29"]
)
def test_a_reminder_for_no_day_to_come_is_refused(on: str) -> None:
    made = world(MIDDLE, open_orders=1)
    client = portal_given.browser(made.shop.shop_key)
    address = f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/reminder"

    with nothing_moves(*TABLES, "notifications_reminder"):
        page = client.post(address, {"on": on}, follow=True)

    assert 'class="notice notice-bad"' in page.text


def test_the_language_can_be_changed_on_every_page() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    home = f"/shops/{made.shop.shop_id}/"

    client.post("/language", {"language": "zh-hans", "next": home})

    assert "可退金额" in client.get(home).text
