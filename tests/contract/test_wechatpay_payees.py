"""A seller's WeChat as a payee: named by WeChat, paid by 商家转账, confirmed in WeChat."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from kuaitui.channels.port import NotIdentifiedBecause, PayeeKind, PayeeNotIdentified
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.process import settings_entry
from kuaitui.deposits.models import DestinationRow
from kuaitui.deposits.queries import destinations, payee_details
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import operations
from kuaitui.payouts.queries import payout_of_application
from kuaitui.payouts.states import LegState
from kuaitui.refunds.states import State
from tests.support import given, payouts_given, portal_given
from tests.support.clock import standing_at
from tests.support.refunds_given import World
from tests.support.wechatpay import WechatPayProcess

pytestmark = pytest.mark.django_db(transaction=True)
NAME = given.CHANNEL
OPENID = "oSellerOfThisShop0077"
PAGE = re.compile(r'href="([^"]*/connect/oauth2/authorize[^"]*)"')


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WechatPayProcess]:
    process = WechatPayProcess(tmp_path_factory.mktemp("wechatpay"))
    yield process
    process.stop()


@pytest.fixture
def director(process: WechatPayProcess) -> Iterator[WechatPayDirector]:
    director = process.director()
    director.fund(20_000_00)
    director.set(who_looks=OPENID, who_looks_is_guest="")
    yield director
    director.close()


@pytest.fixture(autouse=True)
def channels(process: WechatPayProcess, settings: Any) -> Channels:
    settings.KUAITUI_CHANNELS = {NAME: dict(settings_entry(process.options))}
    settings.KUAITUI_PAYERS = {PayeeKind.WECHAT_USER.value: NAME}
    settings.ALLOWED_HOSTS = ["testserver"]
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)


def page_of(shop: given.Shop) -> str:
    return f"/shops/{shop.shop_id}/accounts/new/wechat"


def come_back(browser: Client, page: str) -> str:
    """The seller presses the button, WeChat sends them back; the address they come back to."""
    (asked,) = PAGE.findall(browser.get(page).text)
    sent_back = httpx.get(unescape(asked))
    assert sent_back.status_code == 302
    return str(sent_back.headers["Location"]).removeprefix("http://testserver")


def named(browser: Client, page: str) -> None:
    assert browser.get(come_back(browser, page)).status_code == 302


def step(made: World, channels: Channels) -> LegState | None:
    (leg,) = payout_of_application(made.application_id).legs
    state = operations.carry_out_leg(
        leg_id=leg.leg_id, channels=channels, pace=payouts_given.PACE, clock=lambda: made.now
    )
    made.deliver()
    return state


def test_a_seller_named_by_wechat_is_paid_there_once_they_confirm(
    channels: Channels, director: WechatPayDirector
) -> None:
    director.set(**{f"name:{OPENID}": given.OWNER})
    now = read_clock()
    made = World(given.shop("¥10,000", route_open=False, now=now), now=now)
    browser = portal_given.browser(made.shop.shop_key)

    named(browser, page_of(made.shop))
    entered = browser.post(page_of(made.shop), {"holder_name": given.OWNER}, follow=True)
    made.pay_to_newest_account()

    assert "Your WeChat is entered." in entered.text
    (account,) = destinations(shop_key=made.shop.shop_key)
    assert payee_details(account.destination_id).account_number == OPENID
    assert step(made, channels) is LegState.NEEDS_ACTION
    progress = browser.get(f"/shops/{made.shop.shop_id}/refunds/{made.application_id}").text
    (confirm,) = re.findall(r'href="([^"]*/sim/confirm/[^"]*)"', progress)
    assert [paid["times_paid"] for paid in director.paid().values()] == [0]

    assert httpx.post(unescape(confirm)).status_code == 200
    made.now += dt.timedelta(hours=1)
    assert step(made, channels) is LegState.PAID

    (paid,) = director.paid().values()
    assert paid["times_paid"] == 1
    assert made.state is State.PAID
    assert made.deposit.held.is_zero


def test_an_openid_is_sealed_from_the_session_on_and_no_page_or_log_shows_it(
    process: WechatPayProcess, director: WechatPayDirector, caplog: pytest.LogCaptureFixture
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    caplog.set_level(logging.DEBUG)

    back = come_back(browser, page_of(shop))
    browser.get(back)
    kept = str(dict(browser.session))
    form = browser.get(page_of(shop)).text
    browser.post(page_of(shop), {"holder_name": given.OWNER})

    row = DestinationRow.objects.get(shop_key=shop.shop_key)
    assert row.kind == PayeeKind.WECHAT_USER
    secret = (process.keys / "app_secret").read_text()
    for text in (kept, form, str(vars(row)), caplog.text):
        assert OPENID not in text
        assert secret not in text


def test_a_code_is_good_once_and_for_five_minutes(
    channels: Channels, director: WechatPayDirector
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    channel = channels.identifying(NAME)
    back = httpx.URL(come_back(browser, page_of(shop)))
    browser.get(str(back))

    again = channel.identify(back.params["code"], deadline_s=5)
    late = httpx.URL(come_back(portal_given.browser(shop.shop_key), page_of(shop)))
    director.advance(seconds=301)
    too_late = channel.identify(late.params["code"], deadline_s=5)

    assert again == PayeeNotIdentified(NotIdentifiedBecause.EXPIRED, "errcode_40163")
    assert too_late == PayeeNotIdentified(NotIdentifiedBecause.EXPIRED, "errcode_42003")


def test_a_guest_is_told_how_to_become_a_user_and_nobody_is_named(
    director: WechatPayDirector,
) -> None:
    director.set(who_looks_is_guest="1")
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)

    with given.nothing_moves():
        told = browser.get(come_back(browser, page_of(shop)), follow=True).text
        refused = browser.post(page_of(shop), {"holder_name": given.OWNER})

    assert "Use full service" in told
    assert refused.status_code == 302
    assert not destinations(shop_key=shop.shop_key)


def test_a_wrong_secret_is_our_error_and_the_seller_is_sent_to_people(
    settings: Any, director: WechatPayDirector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "secret"
    file.write_text("0" * 32)
    settings.KUAITUI_CHANNELS[NAME]["user_identification"]["app_secret_file"] = str(file)
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)

    told = browser.get(come_back(browser, page_of(shop)), follow=True).text

    assert "that is not up to you" in told
    assert "errcode_40125" in caplog.text


def test_wechat_away_changes_nothing_and_says_so(
    settings: Any, director: WechatPayDirector
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    back = come_back(browser, page_of(shop))
    settings.KUAITUI_CHANNELS[NAME]["user_identification"]["base_url"] = "http://127.0.0.1:9"

    with given.nothing_moves():
        told = browser.get(back, follow=True).text

    assert "WeChat did not answer just now" in told


def test_an_answer_to_another_session_or_shop_names_nobody(director: WechatPayDirector) -> None:
    shop, other = given.shop(), given.shop()
    stranger = portal_given.browser(shop.shop_key)
    seller = portal_given.browser(shop.shop_key, other.shop_key)
    of_stranger = come_back(stranger, page_of(shop))
    seller.get(page_of(shop))

    with given.nothing_moves():
        by_link = seller.get(of_stranger, follow=True).text
        without = seller.get(f"{page_of(shop)}?state=", follow=True).text
        named(seller, page_of(shop))
        elsewhere = seller.get(page_of(other)).text

    assert "Please begin again" in by_link
    assert "Please begin again" in without
    assert "Let WeChat say who I am" in elsewhere
    assert "WeChat has told us who you are" in seller.get(page_of(shop)).text


def test_what_was_typed_survives_until_wechat_has_said_it_again(
    director: WechatPayDirector,
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    named(browser, page_of(shop))
    marks = re.search(r'name="shown_to" value="([^"]*)"', browser.get(page_of(shop)).text)
    assert marks
    session = browser.session
    del session["identity_named"]
    session.save()

    with given.nothing_moves():
        browser.post(page_of(shop), {"holder_name": "王 小 明", "shown_to": marks[1]})
    named(browser, page_of(shop))

    assert 'value="王 小 明"' in browser.get(page_of(shop)).text


def test_whom_wechat_named_half_an_hour_ago_is_named_again(
    director: WechatPayDirector,
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    now = read_clock()
    with standing_at(now):
        named(browser, page_of(shop))

    with standing_at(now + dt.timedelta(minutes=29)):
        in_time = browser.get(page_of(shop)).text
    with standing_at(now + dt.timedelta(minutes=30)):
        too_late = browser.get(page_of(shop)).text

    assert "WeChat has told us who you are" in in_time
    assert "Let WeChat say who I am" in too_late


def test_coming_back_twice_with_the_same_answer_leaves_the_first(
    director: WechatPayDirector,
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    back = come_back(browser, page_of(shop))
    browser.get(back)

    again = browser.get(back, follow=True).text

    assert "Please begin again" not in again
    assert "WeChat has told us who you are" in again


def test_the_simulated_official_account_is_as_strict_as_the_real_one(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    (asked,) = PAGE.findall(browser.get(page_of(shop)).text)
    page = httpx.URL(unescape(asked))
    code = httpx.URL(come_back(browser, page_of(shop))).params["code"]
    other_order = dict(reversed(page.params.multi_items()))
    secret = (process.keys / "app_secret").read_text()
    ask = {"appid": page.params["appid"], "secret": secret, "code": code, "grant_type": "password"}

    assert httpx.get(page.copy_with(params=other_order)).status_code == 400
    answer = httpx.get(f"{process.base_url}/sns/oauth2/access_token", params=ask).json()
    assert answer["errcode"] == 40002


def test_a_form_that_is_sent_twice_is_entered_once_and_answered_the_same(
    director: WechatPayDirector,
) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    named(browser, page_of(shop))
    form = {"holder_name": given.OWNER}

    first = browser.post(page_of(shop), form, follow=True).text
    with given.nothing_moves():
        second = browser.post(page_of(shop), form, follow=True).text

    assert "Your WeChat is entered." in first
    assert "Your WeChat is entered." in second
    assert len(destinations(shop_key=shop.shop_key)) == 1


def test_the_way_back_survives_the_way_to_wechat(director: WechatPayDirector) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    home = f"/shops/{shop.shop_id}/"

    back = come_back(browser, f"{page_of(shop)}?back={home}refunds/")
    form = browser.get(back, follow=True).text

    assert f'class="back" href="{home}refunds/"' in form
    assert f'name="back" value="{home}refunds/"' in form


def test_wechat_is_offered_only_where_one_channel_says_who_its_users_are(settings: Any) -> None:
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    bank_page = page_of(shop).removesuffix("/wechat")
    entry = settings.KUAITUI_CHANNELS[NAME]
    assert page_of(shop) in browser.get(bank_page).text

    without = {name: value for name, value in entry.items() if name != "user_identification"}
    for channels, payers in (({NAME: without}, {}), ({NAME: entry, "second": entry}, {})):
        settings.KUAITUI_CHANNELS, settings.KUAITUI_PAYERS = channels, payers
        assert page_of(shop) not in browser.get(bank_page).text
        assert browser.get(page_of(shop)).status_code == 404
