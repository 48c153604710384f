"""A seller pays by code: real pages, a real worker, the simulated channel as the payer's app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from kuaitui.deposits.queries import suspense_counts
from tests.support import pay_ins_given as pig
from tests.support import portal_given
from tests.support.given import yuan
from tests.support.pages import Watched, overflow_px, too_small, violations
from tests.support.simulator import SimulatorProcess
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_MS = 60_000


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path)
    worker = WorkerProcess(tmp_path / "worker.log", simulator_url=process.base_url)
    yield process
    worker.stop()
    process.stop()


def test_a_seller_pays_what_is_missing_and_keeps_the_receipt(
    chromium: Browser, address: str, simulator: SimulatorProcess
) -> None:
    made = pig.world("¥200", required="¥500")
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address) as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/")
        with page.expect_navigation():
            page.get_by_role("link", name="补缴保证金").click()
        assert violations(page) == []
        page.get_by_role("button", name="下一步：付款").dblclick()

        code = page.get_by_role("img", name="付款二维码")
        expect(code).to_be_visible(timeout=PATIENCE_MS)
        assert (violations(page), overflow_px(page), too_small(page)) == ([], 0, [])
        number = re.search(r'data-number="(\w+)"', page.content())
        assert number is not None
        paid = httpx.post(f"{simulator.base_url}/sim/pay/{number[1]}")
        assert "Paid" in paid.text

        heading = page.get_by_role("heading", name="您的付款已到账")
        expect(heading).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("link", name="查看收据").click()
        expect(page.get_by_text("人民币叁佰元整")).to_be_visible()
        assert violations(page) == []
        assert watched.complaints == []

    assert made.paid_in == yuan("¥500")
    assert suspense_counts().waiting_count == 0
