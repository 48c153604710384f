"""The pages of batches and banks' messages can be read and used by everybody, on any screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page

from kuaitui.accounts.types import Role
from kuaitui.payouts import operations, queries
from kuaitui.payouts.types import LimitScope
from tests.support import batches_given as bg
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.pages import DESK, Watched, cut_off_rows, hidden_focus, overflow_px, violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def made(settings: Any) -> dict[Role, list[str]]:
    """A batch in every state, messages in every state, and legs that wait."""
    bg.bank_in_settings(settings)
    channel = bg.bank(settings)
    sent = bg.waiting()
    released = bg.released(channel)
    bg.carry_out(settings, sent)
    bg.bring(settings, bg.result(sent, "BOOKED"))
    waiting = bg.bring(settings, bg.result(sent, "RETURNED", reason="AC04"), confirm=False)
    refused = bg.bring(settings, "nonsense")
    bg.waiting("¥2,345.67")
    built = operations.build_batch(channel=channel, actor=given.reviewer(), now=given.NOW)
    bg.waiting("¥5,000")
    pg.limit(LimitScope.CHANNEL_LEG, "¥1,000", channel=bg.BANK)
    pg.limit(LimitScope.CHANNEL_DAY, "¥1,500", channel=bg.BANK)
    assert queries.batches()
    everybody = [
        "/console/batches", f"/console/batches/{released}", f"/console/batches/{built}",
        "/console/bank-messages", f"/console/bank-messages/{waiting.message_no}",
        f"/console/bank-messages/{refused.message_no}",
    ]  # fmt: skip
    acts = ["/console/batches/build/bank", "/console/bank-messages/bring"]
    return {Role.REVIEWER: [*everybody, *acts], Role.APPROVER: everybody}


def look(page: Page, *, scheme: str, width: int) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({**DESK, "width": width})
    wide = overflow_px(page)
    found = [f"{page.url} is {wide} px too wide at {width}"] if wide > 0 else []
    return [*found, *cut_off_rows(page), *violations(page)]


def session_of(client: Client) -> str:
    return str(client.cookies["kuaitui_session"].value)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.APPROVER])
def test_every_page_passes_axe_in_both_schemes_and_fits(
    chromium: Browser, address: str, role: Role, settings: Any
) -> None:
    pages = made(settings)[role]
    with Watched(chromium, address, viewport=DESK) as watched:
        watched.log_in(session_of(desk(role)))
        page = watched.context.new_page()
        found = []
        for where in pages:
            page.goto(where)
            found += look(page, scheme="light", width=1280)
            found += look(page, scheme="dark", width=360)
        assert found == []
        assert watched.complaints == []
        page.goto(pages[2])
        assert hidden_focus(page, presses=20) == []
