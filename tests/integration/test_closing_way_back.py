"""A way back that closes while people review is told to the seller before, and to staff in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from kuaitui.accounts.types import Role
from kuaitui.deposits.errors import DestinationRequired
from kuaitui.deposits.types import Route
from kuaitui.refunds.queries import QueueFilters, queue
from kuaitui.refunds.states import State
from kuaitui.refunds.types import WayBack
from tests.integration.test_console_pages import case_page, shown
from tests.integration.test_portal_apply import refund, to_check
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import DAY, NOW, nothing_moves, yuan
from tests.support.refunds_given import (
    LARGE,
    MIDDLE,
    OTHER_CARD,
    SMALL,
    TABLES,
    World,
    application,
    world,
)

pytestmark = pytest.mark.django_db

SHORT = 364  # days ago paid in: its way back closes within the days a review may take
LONG = 200
CLOSES_AT = NOW + DAY


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW):
        yield


def check_page(made: World, *, language: str = "en") -> str:
    browser = portal_given.browser(made.shop.shop_key, language=language)
    to_check(browser, made)
    return browser.get(refund(made, "/check")).text


def progress_page(made: World) -> str:
    browser = portal_given.browser(made.shop.shop_key)
    return browser.get(f"/shops/{made.shop.shop_id}/refunds/{made.application_id}").text


def test_before_confirming_the_seller_reads_what_may_need_an_account_and_by_when() -> None:
    page = check_page(world(MIDDLE, paid_days_ago=SHORT))

    assert "An account may be needed after all" in page
    assert "¥10,000.00 can go back the way it came only until 24 Nov 2026, 10:00" in page
    assert "the review may take until" in page
    assert "Sent later than that, it goes to an account in the owner’s name." in page
    assert "Enter an account now" in page


def test_the_seller_reads_it_in_chinese_too() -> None:
    page = check_page(world(MIDDLE, paid_days_ago=SHORT), language="zh-hans")

    assert "可能还是需要收款账户" in page
    assert "¥10,000.00 只能在 2026年11月24日 10:00 之前原路退回" in page


def test_nothing_is_said_of_a_way_back_that_stays_open_long_enough() -> None:
    page = check_page(world(MIDDLE, paid_days_ago=LONG))

    assert "It can go back the way it came until" in page
    assert "may be needed" not in page
    assert "Sent later than that" not in page


def test_nothing_is_said_of_what_needs_no_review() -> None:
    page = check_page(world(SMALL, paid_days_ago=SHORT))

    assert "no review is needed" in page
    assert "may be needed" not in page


def test_only_the_part_that_closes_is_named_and_an_account_there_is_not_asked_for_again() -> None:
    made = world((MIDDLE, "¥3,000"), paid_days_ago=SHORT)
    given.pay_in(made.shop.account_id, "¥2,000", paid_at=NOW - LONG * DAY)
    given.destination(made.shop)

    page = check_page(made)

    assert "¥13,000.00 can go back the way it came only until 24 Nov 2026, 10:00" in page
    assert "Enter an account now" not in page


def test_staff_see_it_on_the_case_and_on_top_of_the_work_list() -> None:
    waits_longer = application(State.IN_REVIEW, MIDDLE, paid_days_ago=LONG)
    made = application(State.IN_REVIEW, MIDDLE, paid_days_ago=SHORT)
    reviewer = desk(Role.REVIEWER)

    case = reviewer.get(case_page(made)).text
    work = reviewer.get("/console/")

    assert "¥10,000.00 can go back the way it came only until 24 Nov 2026, 10:00" in case
    assert "decide before, or ask the seller for one in time" in case
    assert "only until" not in reviewer.get(case_page(waits_longer)).text
    assert shown(work) == [made.application_id, waits_longer.application_id]
    assert work.text.count("Its way back closes") == 1
    assert "24 hours left" in work.text


def test_whoever_gives_the_second_approval_sees_it_first_too() -> None:
    waits_longer = application(State.AWAITING_SECOND_APPROVAL, LARGE, paid_days_ago=LONG)
    made = application(State.AWAITING_SECOND_APPROVAL, LARGE, paid_days_ago=SHORT)

    work = desk(Role.APPROVER).get("/console/")

    assert shown(work) == [made.application_id, waits_longer.application_id]


def test_the_queue_narrows_to_what_closes() -> None:
    application(State.IN_REVIEW, MIDDLE, paid_days_ago=LONG)
    application(State.PAYING, MIDDLE, paid_days_ago=SHORT)
    made = application(State.IN_REVIEW, MIDDLE, paid_days_ago=SHORT)

    found = desk(Role.REVIEWER).get("/console/applications?risk=closing")

    assert shown(found) == [made.application_id]


@pytest.mark.parametrize("waited", [dt.timedelta(0), 1 * DAY, 3 * DAY, 20 * DAY, 60 * DAY])
def test_the_database_finds_the_same_cases_that_pages_mark(waited: dt.timedelta) -> None:
    for paid_days_ago in (300, 330, 344, 345, 350, 358, 360, 361, 362, 363, 364):
        application(State.IN_REVIEW, MIDDLE, paid_days_ago=paid_days_ago)
    application(State.IN_REVIEW, MIDDLE, route_open=False)
    now = NOW + waited

    found = queue(filters=QueueFilters(way_back_closes=True), limit=50, now=now).rows
    every = queue(filters=QueueFilters(), limit=50, now=now).rows

    assert found == tuple(row for row in every if row.way_back_closes_at is not None)
    assert len(found) < len(every)


def test_a_way_back_that_closed_in_review_is_told_to_both_and_nothing_moves() -> None:
    made = application(State.IN_REVIEW, MIDDLE, paid_days_ago=SHORT)
    approval = made.approval
    made.now = CLOSES_AT

    with standing_at(made.now):
        progress, case = progress_page(made), desk(Role.REVIEWER).get(case_page(made)).text
    with nothing_moves(*TABLES), pytest.raises(DestinationRequired):
        made.approve(version=approval.version, approval_hash=approval.approval_hash)

    (part,) = made.view.parts
    assert part.way_back is WayBack.CLOSED
    assert "It could go back the way it came until 24 Nov 2026, 10:00." in progress
    assert "Expected between" not in progress
    assert "A part can no longer go back the way it came" in case
    assert "Ask the seller for an account" in case
    assert made.deposit.frozen == yuan(MIDDLE)


def test_a_review_that_is_late_is_still_told_of_what_closes_within_a_day() -> None:
    made = application(State.IN_REVIEW, MIDDLE, paid_days_ago=365 - 40)
    until = NOW + 40 * DAY
    seen = []

    for hours in (25, 23):
        made.now = until - dt.timedelta(hours=hours)
        assert made.view.is_late
        seen.append(made.view.parts[0].way_back)

    assert seen == [WayBack.OPEN, WayBack.CLOSING]


def answer_page(made: World) -> str:
    return f"/shops/{made.shop.shop_id}/refunds/{made.application_id}/answer"


def asked(**shop: int) -> World:
    """A case in which the reviewer asks the seller for an account."""
    return application(State.MORE_INFORMATION, MIDDLE, **shop)


def test_with_the_answer_comes_an_account_and_the_case_is_paid_to_it() -> None:
    made = asked(paid_days_ago=SHORT)
    card = given.destination(made.shop)
    made.now = CLOSES_AT
    browser = portal_given.browser(made.shop.shop_key)

    with standing_at(made.now):
        offered = browser.get(answer_page(made)).text
        browser.post(answer_page(made), {"text": "Here.", "destination": card.destination_id})

    assert card.destination_id in offered
    assert "It is used only for what cannot go back the way it came." in offered
    (leg,) = made.view.plan.legs
    assert (leg.route, leg.destination_id) == (Route.DESIGNATED, card.destination_id)
    made.approve()
    made.deliver()
    made.channel_pays()
    assert made.state is State.PAID
    assert made.deposit.refunded == yuan(MIDDLE)


def test_an_account_named_in_time_changes_nothing_while_the_way_back_is_open() -> None:
    made = asked(paid_days_ago=SHORT)
    given.destination(made.shop)
    cooling = given.destination(made.shop, number=OTHER_CARD)
    before = made.view.plan

    made.answer(destination_id=cooling.destination_id)
    made.approve()
    made.confirm()

    assert cooling.is_cooling_down(now=made.now)
    assert made.view.plan == before
    assert made.view.cooling_down_until is None
    assert made.state is State.PAYING


def test_an_account_is_not_asked_for_where_the_way_back_stays_open() -> None:
    made = asked(paid_days_ago=LONG)
    card = given.destination(made.shop)

    page = portal_given.browser(made.shop.shop_key).get(answer_page(made)).text

    assert card.destination_id not in page
    assert "Add an account" not in page


def test_an_account_of_another_shop_is_refused_and_nothing_moves() -> None:
    made, other = asked(paid_days_ago=SHORT), world(MIDDLE)
    theirs = given.destination(other.shop)
    browser = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = browser.post(
            answer_page(made), {"text": "Here.", "destination": theirs.destination_id}
        )

    assert page.status_code == 422
    assert made.state is State.MORE_INFORMATION
