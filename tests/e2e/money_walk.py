"""One deposit, from the missing part to proven books, walked in a browser over real processes.

`python -m tests.e2e.money_walk FOLDER` starts an installation of its own with simulated WeChat Pay
and bank, lets a seller and staff act on its pages, and puts a picture of each station into FOLDER.

The story: a shop paid ¥3,000 by WeChat Pay 400 days ago and must hold ¥5,000. It pays the missing
¥2,000 by QR code. Later it leaves and asks for everything: ¥2,000 can go back the way it came,
¥3,000 cannot any more and goes to the bank, in a batch that two people release. The bank gives the
¥3,000 back; the seller names another account. At last the day's bills are compared with the books.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from playwright.sync_api import Browser, Page, expect, sync_playwright

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.demo.processes import Installation
from kuaitui.kernel.clock import read_clock
from tests.support.browser import ARGUMENTS, find_chromium

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 860}
REASON = "资金账单已列示该笔，微信支付确认交易账单漏行并将补发，工单 KF-20261126-01。"
PASSWORD = "blue kettle thunder 77"
DAY = dt.timedelta(days=1)
WAIT_MS = 60_000
HOUR_S = 3600.0
HOURS_MAX = 24 * 8


class Stage:
    """The installation, who directs its channels, and where the pictures go."""

    def __init__(self, installation: Installation, folder: Path, browser: Browser) -> None:
        self.installation, self.folder, self.browser = installation, folder, browser
        key = shared_key(installation.simulator_key)
        self.wechatpay = WechatPayDirector(installation.url_of("wechatpay"), key)
        self.bank = Director(installation.url_of("bank"), key)
        self.pictures: list[str] = []

    def person(self, username: str, *, at_desk: bool = False) -> Page:
        """Somebody at a screen of their own, logged in."""
        context = self.browser.new_context(
            viewport=DESK if at_desk else PHONE,
            locale="zh-CN",
            base_url=self.installation.web_url,
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("账号").fill(username)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page).not_to_have_url(re.compile("/login"))
        return page

    def picture(self, page: Page, name: str) -> None:
        """A picture of the whole page, as on a screen that is high enough for it."""
        page.wait_for_load_state("networkidle")
        size = page.viewport_size
        assert size is not None
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({**size, "height": max(height, size["height"])})
        path = self.folder / f"{name}.png"
        page.screenshot(path=path, animations="disabled")
        page.set_viewport_size(size)
        self.pictures.append(path.name)


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Everything up, everything down at the end."""
    with tempfile.TemporaryDirectory(prefix="kuaitui-walk-") as name:
        var = Path(name)
        var.chmod(0o755)
        installation = Installation(
            var,
            institutions=("wechatpay", "bank"),
            environment={
                "KUAITUI_PAYERS": "bank_account=bank",
                "KUAITUI_PAYOUT_PACE": "brisk",
                "DJANGO_SETTINGS_MODULE": "kuaitui.config.settings",
                "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
            },
        )
        with installation, sync_playwright() as playwright:
            installation.name_channels()
            installation.start_database()
            noon = f"{walked_day().isoformat()}T11:00:00+08:00"
            installation.start_institutions(wechatpay=("--clock", noon), bank=("--clock", noon))
            installation.start_worker()
            installation.start_web()
            installation.enter()
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=list(ARGUMENTS)
            )
            installation.await_web()
            yield Stage(installation, folder, browser)
            browser.close()


def walked_day() -> dt.date:
    """The channels' day: so long ago that its bills are there at whatever hour this runs."""
    return read_clock().astimezone(ZoneInfo("Asia/Shanghai")).date() - 2 * DAY


def cast() -> dict[str, str]:
    """The shop with its old payment and its verified account, the seller, and the staff."""
    import django

    django.setup()
    from kuaitui.accounts.operations import create_user, grant_shop
    from kuaitui.accounts.types import Role
    from kuaitui.deposits import operations as deposits
    from kuaitui.deposits.types import DepositKind
    from kuaitui.facts.operations import record_reports, register_shop
    from kuaitui.facts.types import OrderStatus, ShopKind
    from kuaitui.kernel.actor import Actor, ActorKind
    from tests.support.given import order, yuan

    now, clerk = read_clock(), Actor.system("walk")
    people = {
        name: create_user(
            username=name, display_name=words, role=role, password=PASSWORD, actor=clerk, now=now
        )
        for name, words, role in (
            ("seller", "王小明", Role.SELLER),
            ("reviewer", "林晓", Role.REVIEWER),
            ("approver", "周岚", Role.APPROVER),
            ("cashier", "陈序", Role.APPROVER),
        )
    }
    shop = register_shop(
        shop_id="ks100001", name="山野茶铺", kind=ShopKind.SOLE_TRADER, currency="CNY",
        zone="Asia/Shanghai", opened_at=now - 900 * DAY, now=now,
    )  # fmt: skip
    last = order("ks100001", "2026070112345", OrderStatus.COMPLETED, now - 150 * DAY)
    record_reports([last], source="walk", now=now)
    grant_shop(user_id=people["seller"], shop_key=shop.key, actor=clerk, now=now)
    paid_at = now - 400 * DAY
    account_id = deposits.open_deposit_account(
        shop_key=shop.key, kind=DepositKind.SHOP, required=yuan("5000"), actor=clerk, now=paid_at
    )
    deposits.record_pay_in(
        account_id=account_id, amount=yuan("3000"), channel="wechatpay",
        channel_reference="4200002345202510200123456789", paid_at=paid_at,
        refundable_until=paid_at + 365 * DAY, actor=clerk, now=now,
    )  # fmt: skip
    owner = Actor(ActorKind.SELLER, people["seller"])
    for bank, number, days in (
        ("工商银行", "6222020200001234562", 30),
        ("建设银行", "6217000000000010003", 20),
    ):
        added = deposits.add_destination(
            shop_key=shop.key, holder_name="王小明", bank_name=bank, account_number=number,
            actor=owner, now=now - days * DAY,
        )  # fmt: skip
        deposits.verify_destination(
            destination_id=added.destination_id, actor=clerk, now=now - (days - 1) * DAY
        )
    return {"account_id": account_id}


def pay_the_missing_part(stage: Stage, seller: Page) -> None:
    """Station one: ¥2,000 by QR code."""
    expect(seller.get_by_text("¥2,000.00").first).to_be_visible()
    stage.picture(seller, "01-shortfall")
    seller.get_by_role("link", name=re.compile("补缴|缴纳|补足")).first.click()
    seller.get_by_role("radio", name=re.compile("扫码|扫一扫")).first.check()
    stage.picture(seller, "02-how-to-pay")
    seller.get_by_role("button", name=re.compile("下一步")).click()
    expect(seller.locator(".pay-code svg")).to_be_visible()
    stage.picture(seller, "03-qr-code")
    number = seller.locator("[data-number]").get_attribute("data-number")
    assert number is not None
    stage.wechatpay.pay(number)
    expect(seller.get_by_role("link", name=re.compile("收据"))).to_be_visible()
    stage.picture(seller, "04-arrived")
    seller.get_by_role("link", name=re.compile("收据")).click()
    expect(seller.get_by_text("贰仟元整")).to_be_visible()
    stage.picture(seller, "05-receipt")


def ask_for_everything(stage: Stage, seller: Page, account_id: str) -> str:
    """Station two: the plan is seen before it is asked for."""
    seller.goto(f"/shops/ks100001/deposits/{account_id}/refund")
    seller.get_by_role("radio", name=re.compile("^全部")).check()
    seller.get_by_role("radio", name=re.compile("不再经营店铺")).check()
    seller.get_by_role("button", name=re.compile("下一步")).click()
    seller.get_by_role("radio", name=re.compile("4562")).check()
    stage.picture(seller, "06-where-to")
    seller.get_by_role("button", name=re.compile("下一步")).click()
    expect(seller.get_by_text("¥3,000.00").first).to_be_visible()
    stage.picture(seller, "07-check")
    seller.get_by_role("button", name=re.compile("确认退还")).click()
    expect(seller.get_by_role("heading", name="申请已提交")).to_be_visible()
    found = re.search(r"rfa_\w+", seller.url)
    assert found is not None
    return found[0]


def decide(
    stage: Stage, reviewer: Page, approver: Page, application_id: str, name: str, amount: str
) -> None:
    """One approves; the other confirms where a second person is needed."""
    case = f"/console/applications/{application_id}"
    await_page(reviewer, case, "[href$='/approve']")
    stage.picture(reviewer, f"{name}-case")
    reviewer.goto(f"{case}/approve")
    reviewer.locator("form:has([name=approval_hash]) button").last.click()
    reviewer.wait_for_load_state()
    approver.goto(case)
    if approver.locator("[href$='/confirm']").count():
        approver.goto(f"{case}/confirm")
        approver.locator("[name=amount_retyped]").fill(amount)
        approver.locator("form:has([name=approval_hash]) button").last.click()
        approver.wait_for_load_state()


def release_batch(stage: Stage, reviewer: Page, cashier: Page, name: str) -> None:
    """A batch for the bank: one builds it, another releases it."""
    await_page(reviewer, "/console/batches", "[href*='/batches/build/']")
    reviewer.locator("[href*='/batches/build/']").first.click()
    stage.picture(reviewer, f"{name}-dry-run")
    reviewer.locator("main form button").last.click()
    expect(reviewer).to_have_url(re.compile(r"/batches/\w+$"))
    address = reviewer.url
    cashier.goto(address)
    stage.picture(cashier, f"{name}-batch")
    cashier.locator("form[action$='/release'] input[type=checkbox]").check()
    cashier.locator("form[action$='/release'] button").click()
    expect(cashier.get_by_text("已放行").first).to_be_visible()


def let_the_bank_work(stage: Stage, done: Callable[[], bool]) -> None:
    """The bank's hours pass until it has done what is waited for."""
    for _ in range(HOURS_MAX):
        if done():
            return
        stage.bank.advance(seconds=HOUR_S)
        time.sleep(0.05)
    raise TimeoutError("the bank did not do it")


def close_the_day(stage: Stage, reviewer: Page, approver: Page) -> None:
    """Station five: the bills of the day, one without a line, and two people who close it."""
    day = walked_day().isoformat()
    lacking = Rule(Fault.LINE_MISSING, Operation.STATEMENT, number=f"trades:{day}")
    stage.wechatpay.misbehave(lacking)
    stage.wechatpay.advance(seconds=36 * HOUR_S)
    told = stage.installation.run("reconcile", "--channel", "wechatpay", "--day", day, check=False)
    assert told.returncode == 1, told.stderr
    reviewer.goto("/console/bills")
    stage.picture(reviewer, "16-bills")
    board = f"/console/bills/wechatpay/{day}"
    reviewer.goto(board)
    stage.picture(reviewer, "17-day")
    links = reviewer.locator("a[href*='/console/breaks/']")
    for number, address in enumerate([link.get_attribute("href") for link in links.all()]):
        reviewer.goto(f"{address}/propose")
        reviewer.get_by_role("textbox", name="原因").fill(REASON)
        if number == 0:
            stage.picture(reviewer, "18-propose")
        reviewer.locator("main form button").last.click()
        approver.goto(f"{address}/confirm")
        if number == 0:
            stage.picture(approver, "19-confirm")
        approver.locator("main form button").last.click()
    approver.goto(board)
    expect(approver.get_by_text("已核实").first).to_be_visible()
    stage.picture(approver, "20-proven")


def await_page(page: Page, address: str, selector: str) -> None:
    """Look at a page again and again until it shows something."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while True:
        page.goto(address)
        if page.locator(selector).count():
            return
        assert time.monotonic() < deadline, f"{address} does not show {selector}"
        time.sleep(0.3)


def walk(stage: Stage) -> dict[str, Any]:
    """All stations."""
    account_id = cast()["account_id"]
    seller = stage.person("seller")
    reviewer, approver, cashier = (
        stage.person(name, at_desk=True) for name in ("reviewer", "approver", "cashier")
    )
    pay_the_missing_part(stage, seller)
    application_id = ask_for_everything(stage, seller, account_id)
    decide(stage, reviewer, approver, application_id, "08", "5000")
    progress = f"/shops/ks100001/refunds/{application_id}"
    release_batch(stage, reviewer, cashier, "09")
    paid = stage.bank.paid
    let_the_bank_work(stage, lambda: any(one["times_paid"] for one in paid().values()))
    await_page(seller, progress, "[data-state=paid]")
    stage.picture(seller, "10-paid")

    (number,) = paid()
    stage.bank.return_now(number)
    let_the_bank_work(stage, lambda: any(one["times_returned"] for one in paid().values()))
    await_page(seller, progress, "[data-state=returned]")
    stage.picture(seller, "11-returned")
    seller.goto(f"{progress}/destination")
    seller.get_by_role("radio", name=re.compile("0003")).check()
    stage.picture(seller, "12-another-account")
    seller.locator("main form button").last.click()
    decide(stage, reviewer, approver, application_id, "13", "3000")
    release_batch(stage, reviewer, cashier, "14")
    let_the_bank_work(stage, lambda: sum(one["times_paid"] for one in paid().values()) == 2)
    await_page(seller, progress, "[data-state=paid]")
    stage.picture(seller, "15-paid-again")
    close_the_day(stage, reviewer, approver)
    return {"pictures": stage.pictures, "application_id": application_id}


def main() -> int:
    """Walk, and say what came of it."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with stage(folder) as on:
        try:
            told = walk(on)
        except BaseException:
            for number, context in enumerate(on.browser.contexts):
                for page in context.pages:
                    page.screenshot(path=folder / f"failed-{number}.png", full_page=True)
                    print(page.url, file=sys.stderr)
            print(on.installation.log_of("worker").read_text()[-3000:], file=sys.stderr)
            raise
        verified = on.installation.run("verify", "--json", check=False)
        told["is_true"] = json.loads(verified.stdout)["is_true"]
    print(json.dumps(told, ensure_ascii=False))
    return 0 if told["is_true"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
