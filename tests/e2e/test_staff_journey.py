"""Staff decide a case with four eyes, watch the payout and stop the machine; with and without JS."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kuaitui.accounts.operations import issue_one_time_link
from kuaitui.accounts.types import Role
from kuaitui.payouts.queries import kill_switches
from kuaitui.refunds.states import State
from tests.support import given
from tests.support.clock import standing_at
from tests.support.console_given import CLERK, staff
from tests.support.pages import DESK, Watched
from tests.support.refunds_given import LARGE, MIDDLE, application

pytestmark = pytest.mark.django_db(transaction=True)

WITH_AND_WITHOUT = pytest.mark.parametrize(
    "has_javascript", [True, False], ids=["javascript", "no-javascript"]
)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def come_in(watched: Watched, role: Role) -> Page:
    """Log in by a one-time link, as the demo's visitors do."""
    token = issue_one_time_link(
        user_id=staff(role).public_id, lifetime=dt.timedelta(hours=1), actor=CLERK, now=given.NOW
    )
    page = watched.context.new_page()
    page.goto(f"/link/{token}")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="工作台")).to_be_visible()
    # Nobody listens to single keys before.
    page.wait_for_load_state()
    return page


def leave(page: Page) -> None:
    page.get_by_role("button", name="退出登录").click()


@WITH_AND_WITHOUT
def test_a_large_refund_goes_through_four_eyes(
    chromium: Browser, address: str, has_javascript: bool
) -> None:
    made = application(State.IN_REVIEW, LARGE)
    with Watched(chromium, address, viewport=DESK, java_script_enabled=has_javascript) as watched:
        page = come_in(watched, Role.REVIEWER)
        page.get_by_role("link", name=f"Shop {made.shop.shop_id}").click()
        page.get_by_role("link", name="批准", exact=True).click()
        page.get_by_label("给同事的备注").fill("订单与纠纷均已核对")
        page.get_by_role("button", name="批准退还 ¥60,000.00").click()
        expect(page.get_by_text("待复核").first).to_be_visible()
        leave(page)

        page = come_in(watched, Role.APPROVER)
        page.get_by_role("link", name=f"Shop {made.shop.shop_id}").click()
        page.get_by_role("link", name="复核批准").click()
        page.get_by_label("再次输入金额").fill("6000")
        page.get_by_role("button", name="确认退还 ¥60,000.00").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_label("再次输入金额")).to_have_value("6000")
        assert made.state is State.AWAITING_SECOND_APPROVAL
        page.get_by_label("再次输入金额").fill("60000")
        page.get_by_role("button", name="确认退还 ¥60,000.00").click()
        expect(page.get_by_text("打款中").first).to_be_visible()
        assert made.state is State.PAYING
        assert watched.complaints == []


@WITH_AND_WITHOUT
def test_a_rejection_is_seen_with_the_sellers_eyes_first(
    chromium: Browser, address: str, has_javascript: bool
) -> None:
    made = application(State.IN_REVIEW)
    with Watched(chromium, address, viewport=DESK, java_script_enabled=has_javascript) as watched:
        page = come_in(watched, Role.REVIEWER)
        page.get_by_role("link", name=f"Shop {made.shop.shop_id}").click()
        page.get_by_role("link", name="驳回").click()
        page.get_by_role("button", name="预览").click()
        expect(page.get_by_role("alert")).to_contain_text("请至少选择一个原因")
        page.get_by_role("checkbox", name="交易未完成").check()
        page.get_by_label("说明").fill("订单 O-7 仍在售后中。")
        page.get_by_role("button", name="预览").click()
        expect(page.get_by_role("heading", name="卖家将看到")).to_be_visible()
        expect(page.locator(".as-seller")).to_contain_text("订单 O-7 仍在售后中。")
        assert made.state is State.IN_REVIEW
        page.get_by_role("button", name="确认驳回").click()
        expect(page.get_by_text("已驳回，并已通知卖家。")).to_be_visible()
        assert made.state is State.REJECTED
        assert watched.complaints == []


@WITH_AND_WITHOUT
def test_sending_is_stopped_and_released(
    chromium: Browser, address: str, has_javascript: bool
) -> None:
    application(State.PAYING)
    with Watched(chromium, address, viewport=DESK, java_script_enabled=has_javascript) as watched:
        page = come_in(watched, Role.APPROVER)
        page.get_by_role("link", name="打款监控").click()
        page.get_by_role("link", name="停止发送").first.click()
        assert kill_switches() == ()
        page.get_by_label("原因").fill("银行系统维护")
        page.get_by_role("button", name="立即停止发送").click()
        expect(page.get_by_text("已停止发送。")).to_be_visible()
        page.get_by_role("link", name="工作台").click()
        expect(page.get_by_text("银行系统维护")).to_be_visible()
        page.get_by_role("link", name="打款监控").first.click()
        page.get_by_role("link", name="恢复发送").click()
        page.get_by_label("原因").fill("维护结束")
        page.get_by_role("button", name="提出恢复").click()
        expect(page.get_by_text("已提出恢复，待另一人确认。")).to_be_visible()
        assert kill_switches()[0].is_stopped
        assert watched.complaints == []
    with Watched(chromium, address, viewport=DESK, java_script_enabled=has_javascript) as watched:
        page = come_in(watched, Role.APPROVER)
        page.get_by_role("link", name="打款监控").first.click()
        page.get_by_role("link", name="恢复发送").click()
        expect(page.get_by_text("维护结束")).to_be_visible()
        page.get_by_role("button", name="立即恢复发送").click()
        expect(page.get_by_text("已恢复发送。")).to_be_visible()
        assert not kill_switches()[0].is_stopped
        assert watched.complaints == []


def test_a_day_of_work_needs_no_mouse(chromium: Browser, address: str) -> None:
    first, second = application(State.IN_REVIEW), application(State.IN_REVIEW)
    with Watched(chromium, address, viewport=DESK) as watched:
        page = come_in(watched, Role.REVIEWER)

        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        expect(page.get_by_role("link", name=f"Shop {first.shop.shop_id}")).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator(".crumbs")).to_contain_text(second.application_id)
        page.wait_for_load_state()
        page.keyboard.press("a")
        expect(page.get_by_role("button", name="批准退还 ¥10,000.00")).to_be_visible()
        page.get_by_label("给同事的备注").focus()
        page.keyboard.type("jkamr")  # letters typed into a field are letters
        expect(page.get_by_label("给同事的备注")).to_have_value("jkamr")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("已批准。")).to_be_visible()
        assert second.state is State.PAYING
        assert watched.complaints == []


def test_single_keys_can_be_switched_off_and_stay_off(chromium: Browser, address: str) -> None:
    made = application(State.IN_REVIEW)
    with Watched(chromium, address, viewport=DESK) as watched:
        page = come_in(watched, Role.REVIEWER)
        page.get_by_role("button", name="单键快捷键").click()

        page.goto(f"/console/applications/{made.application_id}")
        page.keyboard.press("r")

        assert page.url.endswith(made.application_id)
        page.get_by_role("button", name="单键快捷键").click()
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("r")
        expect(page).to_have_url(re.compile("/reject$"))


def test_an_auditor_sees_everything_and_is_offered_nothing(chromium: Browser, address: str) -> None:
    review, paying = application(State.IN_REVIEW), application(State.PAYING, MIDDLE)
    with Watched(chromium, address, viewport=DESK) as watched:
        page = come_in(watched, Role.AUDITOR)
        addresses = [
            f"/console/applications/{review.application_id}",
            f"/console/applications/{paying.application_id}",
            "/console/payouts?state=waiting",
        ]
        for where in addresses:
            page.goto(where)
            offered = page.locator("main").get_by_role("button")
            assert offered.count() == 0, where
            assert page.locator(".case-acts a").count() == 0
