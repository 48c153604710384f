"""A seller is paid to their WeChat: named by the simulated WeChat Pay, asked to confirm in WeChat.

The bridge that WeChat puts into its pages is played by a few lines: nothing else has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kuaitui.channels.port import PayeeKind
from kuaitui.channels.registry import build_channels
from kuaitui.channels.simulator.wechatpay.process import settings_entry
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import operations
from kuaitui.payouts.queries import payout_of_application
from kuaitui.payouts.states import LegState
from tests.support import given, payouts_given, portal_given
from tests.support.pages import Watched, overflow_px, too_small, violations
from tests.support.refunds_given import World
from tests.support.wechatpay import WechatPayProcess

pytestmark = pytest.mark.django_db(transaction=True)
NAME = given.CHANNEL
IN_WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Mobile MicroMessenger/8.0.50"
BRIDGE = """window.WeixinJSBridge = {
    invoke(name, request, told) {
        window.asked = [name, request];
        told({ err_msg: `${name}:${window.says}` });
    },
};"""


@pytest.fixture
def process(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Iterator[WechatPayProcess]:
    process = WechatPayProcess(tmp_path_factory.mktemp("wechatpay"))
    director = process.director()
    director.fund(20_000_00)
    # As with the real WeChat Pay: there is no page of its own to confirm on.
    entry = {
        name: value
        for name, value in settings_entry(process.options).items()
        if name != "confirm_page"
    }
    settings.KUAITUI_CHANNELS = {NAME: entry}
    settings.KUAITUI_PAYERS = {PayeeKind.WECHAT_USER.value: NAME}
    yield process
    director.close()
    process.stop()


def send(made: World, settings: Any) -> None:
    """From the account to a transfer that waits for its payee."""
    made.pay_to_newest_account()
    (leg,) = payout_of_application(made.application_id).legs
    channels = build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)
    state = operations.carry_out_leg(
        leg_id=leg.leg_id, channels=channels, pace=payouts_given.PACE, clock=read_clock
    )
    assert state is LegState.NEEDS_ACTION
    made.now = read_clock()
    made.deliver()


def sound(page: Page) -> None:
    assert (violations(page), overflow_px(page), too_small(page)) == ([], 0, [])


def test_a_seller_is_paid_to_their_wechat(
    chromium: Browser, address: str, process: WechatPayProcess, settings: Any
) -> None:
    now = read_clock()
    made = World(given.shop("¥1,000", route_open=False, now=now), now=now)
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address, user_agent=IN_WECHAT) as watched:
        watched.log_in(client.session.session_key)
        watched.context.add_init_script(BRIDGE)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/accounts/new")
        page.get_by_role("link", name="改为收款到我的微信").click()
        expect(page.get_by_role("heading", name="收款到我的微信")).to_be_visible()
        sound(page)
        page.get_by_role("link", name="由微信确认我的身份").click()
        expect(page.get_by_role("heading", name="微信已确认您的身份")).to_be_visible()
        assert "code=" not in page.url
        sound(page)
        page.get_by_label("户名").fill(given.OWNER)
        page.get_by_role("button", name="添加我的微信").click()
        expect(page.get_by_text("您的微信已添加")).to_be_visible()

        send(made, settings)
        page.goto(f"/shops/{made.shop.shop_id}/refunds/{made.application_id}")
        sound(page)
        button = page.get_by_role("button", name="确认收款")
        refused = page.get_by_role("alert")
        page.evaluate("window.says = 'fail'")
        button.click()
        expect(refused).to_contain_text("微信没有打开确认收款的页面")
        sound(page)
        name, request = page.evaluate("window.asked")
        assert name == "requestMerchantTransfer"
        assert set(request) == {"mchId", "appId", "package"}
        assert request["appId"] == settings.KUAITUI_CHANNELS[NAME]["appid"]
        page.evaluate("window.says = 'cancel'")
        button.click()
        expect(refused).to_be_hidden()
        page.evaluate("delete window.WeixinJSBridge")
        button.click()
        expect(refused).to_be_visible()
        assert [told for told in watched.complaints if process.base_url not in told] == []


def test_outside_of_wechat_both_pages_are_codes_to_scan(
    chromium: Browser, address: str, process: WechatPayProcess, settings: Any
) -> None:
    now = read_clock()
    made = World(given.shop("¥1,000", route_open=False, now=now), now=now)
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address) as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/accounts/new/wechat")
        code = page.get_by_role("img", name="本页面的二维码")
        expect(code).to_be_visible()
        sound(page)
        page.get_by_role("link", name="由微信确认我的身份").click()
        page.get_by_label("户名").fill(given.OWNER)
        page.get_by_role("button", name="添加我的微信").click()
        expect(page.get_by_text("您的微信已添加")).to_be_visible()

        send(made, settings)
        page.goto(f"/shops/{made.shop.shop_id}/refunds/{made.application_id}")
        expect(code).to_be_visible()
        expect(page.get_by_role("button", name="确认收款")).to_have_count(0)
        sound(page)
