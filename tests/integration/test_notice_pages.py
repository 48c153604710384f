"""The page that tells a shop what happened, and the bell that says that something is new."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kuaitui.interfaces.portal.notice_words import NOTICES
from kuaitui.interfaces.portal.views.notices import PAGE_NOTICES
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.notifications.operations import write_notice
from kuaitui.notifications.queries import unread_count
from kuaitui.notifications.types import NoticeCode
from kuaitui.refunds.states import State
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.refunds_given import MIDDLE, application

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def told(shop_key: int, count: int) -> None:
    for number in range(count):
        write_notice(
            shop_key=shop_key,
            code=NoticeCode.PAID_IN,
            object_id=new_id(IdPrefix.DEPOSIT_LOT, now=given.NOW),
            cause=f"lot {number}",
            amount=Money(100 + number, "CNY"),
            at=given.NOW,
        )


def unread_on(page: str) -> int:
    found = re.search(r"Messages, (\d+) not read", page)
    return int(found[1]) if found else 0


def test_every_notice_has_words() -> None:
    assert set(NOTICES) == set(NoticeCode)


def test_what_was_paid_out_is_told_with_its_amount_and_leads_to_its_page() -> None:
    made = application(State.PAID, MIDDLE)
    made.deliver()
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(f"/shops/{made.shop.shop_id}/messages").text

    assert "Your money has been paid out" in page
    assert f"{made.view.amount.to_decimal():,.2f}" in page
    assert f'href="/shops/{made.shop.shop_id}/refunds/{made.application_id}"' in page
    assert "Conditions checked" not in page, "what only matters inside is told to nobody"


def test_the_bell_counts_what_is_new_until_the_page_was_looked_at() -> None:
    shop = given.shop()
    told(shop.shop_key, 3)
    client = portal_given.browser(shop.shop_key)
    home, messages = f"/shops/{shop.shop_id}/", f"/shops/{shop.shop_id}/messages"
    assert unread_on(client.get(home).text) == 3

    client.head(messages)
    assert unread_count(shop_key=shop.shop_key) == 3, "nobody has seen anything yet"
    first, second = client.get(messages).text, client.get(messages).text

    assert (first.count("told-new"), second.count("told-new")) == (3, 0)
    assert unread_on(client.get(home).text) == 0


def test_nobody_sees_or_reads_what_another_shop_was_told() -> None:
    mine, other = given.shop(), given.shop()
    told(other.shop_key, 2)
    client = portal_given.browser(mine.shop_key)

    page = client.get(f"/shops/{mine.shop_id}/messages").text

    assert "No messages yet" in page
    assert unread_on(page) == 0
    assert unread_count(shop_key=other.shop_key) == 2


def test_older_messages_stand_on_pages_of_their_own() -> None:
    shop = given.shop()
    told(shop.shop_key, PAGE_NOTICES + 2)
    client = portal_given.browser(shop.shop_key)
    messages = f"/shops/{shop.shop_id}/messages"

    first = client.get(messages).text
    assert unread_count(shop_key=shop.shop_key) == 2, "only what was shown is read"
    (older,) = re.findall(r'href="(\?before=[^"]+)" rel="next"', first)
    second = client.get(messages + older).text

    assert [page.count('<li class="told') for page in (first, second)] == [PAGE_NOTICES, 2]
    assert "¥1.01" in second
    assert 'rel="next"' not in second
    assert unread_count(shop_key=shop.shop_key) == 0


@pytest.mark.parametrize("before", ["ntc_none", "1 OR 1=1", f"ntc_{26 * '0'}"])
def test_a_page_of_messages_that_is_none_leads_to_the_first(before: str) -> None:
    shop = given.shop()
    told(shop.shop_key, 1)

    answer = portal_given.browser(shop.shop_key).get(
        f"/shops/{shop.shop_id}/messages?before={before}"
    )

    assert (answer.status_code, answer["Location"]) == (302, f"/shops/{shop.shop_id}/messages")


def test_many_messages_are_said_to_be_many() -> None:
    shop = given.shop()
    told(shop.shop_key, 101)

    assert ">99+<" in portal_given.browser(shop.shop_key).get(f"/shops/{shop.shop_id}/").text
