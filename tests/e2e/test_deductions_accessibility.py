"""Announcing, replying, deciding and appealing: the pages can be read by everybody, on any screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kuaitui.accounts.types import Role
from tests.support import portal_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.deductions_given import DAY, Made, announced, appealed, taken
from tests.support.given import NOW
from tests.support.pages import DESK, PHONE, Watched, cut_off_rows, overflow_px, violations

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("KUAITUI_SCREENSHOTS", "")
LOOKS = (("light", DESK, "zh-CN"), ("dark", PHONE, "en-US"))
ALL_LOOKS = tuple(
    (scheme, size, language)
    for scheme in ("light", "dark")
    for size in (DESK, PHONE)
    for language in ("zh-CN", "en-US")
)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW + DAY):
        yield


def heard() -> Made:
    made = announced().later(DAY)
    made.reply()
    return made


def look_at(chromium: Browser, address: str, cookie: str, paths: list[str]) -> None:
    """Each page in every look: nothing a screen reader misses, nothing cut off."""
    for scheme, size, language in ALL_LOOKS if SHOTS else LOOKS:
        with Watched(chromium, address, viewport=size, locale=language) as watched:
            watched.log_in(cookie)
            page = watched.context.new_page()
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for number, path in enumerate(paths):
                page.goto(path)
                assert violations(page) == []
                assert overflow_px(page) <= 0
                assert cut_off_rows(page) == []
                if SHOTS:
                    name = f"deductions-{path.split('/')[1]}-{number}-{language}-{scheme}"
                    page.screenshot(
                        path=Path(SHOTS) / f"{name}-{size['width']}.png", full_page=True
                    )


def test_the_staffs_pages(chromium: Browser, address: str) -> None:
    to_decide, in_appeal = heard(), appealed()
    done = appealed()
    done.answer([1])
    case = "/console/deductions"
    reviewer, approver = (
        str(desk(role).cookies["kuaitui_session"].value) for role in (Role.REVIEWER, Role.APPROVER)
    )

    look_at(
        chromium, address, reviewer,
        [case, f"{case}/announce", f"{case}/{in_appeal.case_id}/answer", f"{case}/{done.case_id}"],
    )  # fmt: skip
    look_at(
        chromium, address, approver,
        ["/console/", f"{case}/{to_decide.case_id}", f"{case}/{to_decide.case_id}/take",
         f"{case}/{to_decide.case_id}/drop"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "acts"), [(announced, ["/reply"]), (heard, []), (taken, ["/appeal"]), (appealed, [])]
)
def test_the_sellers_pages(chromium: Browser, address: str, make, acts: list[str]) -> None:
    made = make()
    shop = f"/shops/{made.shop.shop_id}"
    case = f"{shop}/deductions/{made.case_id}"
    client = portal_given.browser(made.shop.shop_key)

    look_at(
        chromium, address, str(client.cookies["kuaitui_session"].value),
        [f"{shop}/", f"{shop}/deductions", case, *(f"{case}{act}" for act in acts)],
    )  # fmt: skip
