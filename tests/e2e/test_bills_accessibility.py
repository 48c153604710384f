"""The bench where bills are compared can be read by everybody, on any screen, in both schemes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from kuaitui.accounts.types import Role
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations
from kuaitui.reconciliation.queries import open_breaks
from kuaitui.reconciliation.types import DifferenceKind, Remedy
from tests.support import given, payouts_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import CHANNEL, NOW
from tests.support.pages import DESK, Watched, overflow_px, violations
from tests.support.reconciliation_given import (
    DAY,
    ONE_DAY,
    TRADES,
    at,
    bill,
    bring,
    compare,
    compare_with,
    line,
)

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("KUAITUI_SCREENSHOTS", "")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW):
        yield


def bench() -> list[str]:
    """Days in every state and breaks of several kinds; the addresses of all pages."""
    for kind in ("trades", "funds"):
        operations.bring_empty(
            channel=CHANNEL, bill=kind, day=DAY - 2 * ONE_DAY, actor=given.clerk(), now=NOW
        )
        operations.compare_bill(
            channel=CHANNEL, bill=kind, day=DAY - 2 * ONE_DAY, zone=at(1).tzinfo, today=DAY, now=NOW
        )
    bring(b"not a bill", day=DAY - ONE_DAY)
    world = payouts_given.payout("¥4,000", deposit_="¥10,000")
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    number = payouts.leg(world.leg_id).channel_number
    compare_with(
        line("refund", number, "¥4,000.50", state="SUCCESS"),
        line("pay_in", "4200002345202611230000000001", "¥300"),
        line("fee", "4200002345202611230000000001", "¥1.80"),
        line("payout", "KT-unknown-number", "¥500"),
    )
    operations.stop_for_breaks(now=NOW)
    waiting = bring(bill(line("pay_in", "P9", "¥1")))
    bring(bill(line("pay_in", "P9", "¥1"), kind=TRADES), kind=TRADES)
    compare(kind=TRADES)
    (found,) = [one for one in open_breaks() if one.kind is DifferenceKind.AMOUNT]
    operations.propose_closing(
        break_id=found.break_id, version=1, remedy=Remedy.BOOK_CHANNEL_COST,
        reason="渠道客服确认：手续费由渠道扣收", actor=given.reviewer(), now=NOW,
    )  # fmt: skip
    other = next(one for one in open_breaks() if one.key == "KT-unknown-number")
    return [
        "/console/bills",
        f"/console/bills/{CHANNEL}/{DAY}",
        "/console/bills/import",
        f"/console/bills/files/{waiting.file_id}",
        f"/console/breaks/{found.break_id}",
        f"/console/breaks/{found.break_id}/confirm",
        f"/console/breaks/{found.break_id}/take-back",
        f"/console/breaks/{other.break_id}",
        f"/console/breaks/{other.break_id}/propose",
    ]


def test_every_page_of_the_bench_is_accessible_and_fits(
    chromium: Browser, address: str, settings: Any
) -> None:
    # As many channels as a marketplace has: each is a column of the days.
    entry = {**settings.KUAITUI_CHANNELS[CHANNEL], "adapter": "simulator"}
    settings.KUAITUI_CHANNELS = dict.fromkeys([CHANNEL, "wechatpay", "bank"], entry)
    pages = bench()
    keys = {
        role: desk(role).cookies["kuaitui_session"].value for role in (Role.REVIEWER, Role.APPROVER)
    }
    problems: list[str] = []
    for scheme, width, language in (
        ("light", 1280, "zh-CN"),
        ("dark", 768, "en-US"),
        ("light", 360, "zh-CN"),
        ("dark", 360, "en-US"),
    ):
        options = {"viewport": DESK | {"width": width}, "color_scheme": scheme, "locale": language}
        with Watched(chromium, address, **options) as watched:
            page = watched.context.new_page()
            for number, path in enumerate(pages):
                role = Role.REVIEWER if path.endswith("/propose") else Role.APPROVER
                watched.log_in(keys[role])
                answer = page.goto(path)
                assert answer is not None
                assert answer.status == 200, path
                problems += violations(page)
                problems += [f"{path} is {overflow_px(page)} px too wide"] * (overflow_px(page) > 0)
                if SHOTS:
                    page.screenshot(
                        path=Path(SHOTS) / f"{number}-{width}-{scheme}-{language}.png",
                        full_page=True,
                    )
            problems += watched.complaints

    assert problems == []
