"""A seller's deposit comes back, on a phone, with and without JavaScript."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from kuaitui.accounts.operations import issue_one_time_link
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.given import yuan
from tests.support.pages import Watched
from tests.support.refunds_given import MIDDLE, SMALL, World, world

pytestmark = pytest.mark.django_db(transaction=True)


def link_for(made: World) -> str:
    user = portal_given.seller(made.shop.shop_key)
    token = issue_one_time_link(
        user_id=user.public_id, lifetime=dt.timedelta(hours=1), actor=given.clerk(), now=given.NOW
    )
    return f"/link/{token}"


def ask_for_everything(page: Page) -> None:
    page.get_by_role("link", name="申请退还保证金").click()
    page.get_by_role("radio", name=re.compile("^全部")).check()
    page.get_by_role("radio", name=re.compile("不再经营店铺")).check()
    page.get_by_role("button", name="下一步：退到哪里").click()
    page.get_by_role("button", name="下一步：核对").click()


@pytest.mark.parametrize("has_javascript", [True, False], ids=["javascript", "no-javascript"])
def test_a_deposit_comes_back(chromium: Browser, address: str, has_javascript: bool) -> None:
    with (
        standing_at(given.NOW),
        Watched(chromium, address, java_script_enabled=has_javascript) as watched,
    ):
        made = world(SMALL)
        page = watched.context.new_page()

        page.goto(link_for(made))
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_text("可退金额").first).to_be_visible()
        ask_for_everything(page)
        page.get_by_role("button", name=re.compile("确认退还 ¥1,000.00")).click()
        expect(page.get_by_role("heading", name="申请已提交")).to_be_visible()

        made.application_id = re.search(r"rfa_\w+", page.url)[0]
        assert made.deposit.frozen == yuan(SMALL)
        made.deliver()
        made.channel_pays()

        page.get_by_role("link", name="查看进度").click()
        expect(page.get_by_role("heading", name="款项已付出")).to_be_visible()
        expect(page.get_by_text("SIM0001")).to_be_visible()
        page.get_by_role("link", name="账单").click()
        expect(page.get_by_text("缴纳保证金")).to_be_visible()
        assert watched.complaints == []


@pytest.mark.parametrize("has_javascript", [True, False], ids=["javascript", "no-javascript"])
def test_a_refused_form_says_where_and_keeps_everything(
    chromium: Browser, address: str, has_javascript: bool
) -> None:
    with (
        standing_at(given.NOW),
        Watched(chromium, address, java_script_enabled=has_javascript) as watched,
    ):
        made = world(MIDDLE)
        page = watched.context.new_page()
        page.goto(link_for(made))
        page.get_by_role("button", name="登录").click()
        page.get_by_role("link", name="申请退还保证金").click()

        page.get_by_role("radio", name=re.compile("其他金额")).check()
        page.get_by_label("自选金额").fill("99999")
        page.get_by_role("radio", name=re.compile("其他原因")).check()
        page.get_by_label("补充说明").fill("搬家了")
        page.get_by_role("button", name="下一步").click()

        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("金额超过了可退金额")
        if has_javascript:
            expect(summary).to_be_focused()
        summary.get_by_role("link").click()
        expect(page.get_by_label("自选金额")).to_be_focused()
        expect(page.get_by_label("自选金额")).to_have_value("99999")
        expect(page.get_by_label("补充说明")).to_have_value("搬家了")
        expect(page.get_by_role("radio", name=re.compile("其他金额"))).to_be_checked()


def test_a_log_in_that_ends_in_mid_form_loses_nothing(chromium: Browser, address: str) -> None:
    with standing_at(given.NOW), Watched(chromium, address) as watched:
        made = world(MIDDLE)
        user = portal_given.seller(made.shop.shop_key)
        user.set_password("blue-kettle-thunder-77")
        user.save()
        client = portal_given.Client()
        client.force_login(user, portal_given.BACKEND)
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/refund")
        page.get_by_role("radio", name=re.compile("其他金额")).check()
        page.get_by_label("自选金额").fill("1234.56")
        page.get_by_role("radio", name=re.compile("其他原因")).check()
        page.get_by_label("补充说明").fill("写了很久的话")

        client.session.flush()
        page.get_by_role("button", name="下一步").click()
        expect(page.get_by_text("您填写的内容都还在")).to_be_visible()
        page.get_by_label("账号").fill(user.username)
        page.get_by_label("密码").fill("blue-kettle-thunder-77")
        page.get_by_role("button", name="登录").click()

        expect(page.get_by_label("自选金额")).to_have_value("1234.56")
        expect(page.get_by_label("补充说明")).to_have_value("写了很久的话")
        page.get_by_role("button", name="下一步").click()
        expect(page.get_by_role("heading", name="退到哪里？")).to_be_visible()


def test_a_double_click_sends_once(chromium: Browser, address: str) -> None:
    with standing_at(given.NOW), Watched(chromium, address) as watched:
        made = world(MIDDLE)
        page = watched.context.new_page()
        page.goto(link_for(made))
        page.get_by_role("button", name="登录").click()
        ask_for_everything(page)

        page.get_by_role("button", name=re.compile("确认退还")).dblclick()

        expect(page.get_by_role("heading", name="申请已提交")).to_be_visible()
        assert made.deposit.frozen == yuan(MIDDLE)
