"""The seller's pages can be read and used by everybody, on any screen, in both schemes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Browser, Page

from kuaitui.channels.port import Unknown
from kuaitui.kit import outbox
from kuaitui.refunds.states import State
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.pages import (
    ALL_BUT_COLOURS,
    ALL_RULES,
    DESK,
    OF_COLOURS,
    PHONE,
    Watched,
    hidden_focus,
    overflow_px,
    too_small,
    violations,
)
from tests.support.refunds_given import LARGE, MIDDLE, World, application, world

pytestmark = pytest.mark.django_db(transaction=True)

STATES = [
    State.IN_REVIEW, State.MORE_INFORMATION, State.AWAITING_SECOND_APPROVAL, State.PAYING,
    State.PAID, State.RETURNED, State.REJECTED, State.WITHDRAWN,
]  # fmt: skip
ACTS = {
    State.IN_REVIEW: ("/submitted", "/withdraw"),
    State.MORE_INFORMATION: ("/answer",),
    State.RETURNED: ("/destination",),
    State.REJECTED: ("/appeal",),
}


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def shop_pages(made: World) -> list[str]:
    home = f"/shops/{made.shop.shop_id}/"
    deposit = f"{home}deposits/{made.shop.account_id}/"
    return [
        home, f"{deposit}eligibility", f"{deposit}eligibility?kind=excess", f"{deposit}refund",
        *(f"{home}{page}" for page in ("refunds/", "statement", "deductions", "messages")),
        *(f"{home}{page}" for page in ("mine", "accounts/new")),
    ]  # fmt: skip


def state_pages(made: World, state: State) -> list[str]:
    page = f"/shops/{made.shop.shop_id}/refunds/{made.application_id}"
    return [page, *(f"{page}{act}" for act in ACTS.get(state, ()))]


def every_page() -> tuple[list[str], list[int]]:
    """A marketplace with something of everything: addresses, and the shops they belong to."""
    blocked, old = world(MIDDLE, open_orders=2), world((MIDDLE, "¥3,000"), route_open=False)
    given.destination(old.shop)
    blocked.deduct("¥640")
    addresses = [*shop_pages(blocked), *shop_pages(old)]
    shops = [blocked.shop.shop_key, old.shop.shop_key]
    for state in STATES:
        deposit = LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE
        made = application(state, deposit)
        if state is State.PAYING:
            made.channel_answers(Unknown("READ_TIMEOUT"))
        addresses += [f"/shops/{made.shop.shop_id}/", *state_pages(made, state)]
        shops.append(made.shop.shop_key)
    while outbox.deliver_due(now=given.NOW):
        pass
    return [*addresses, "/", "/login", "/link/none", "/nowhere"], shops


def look(
    page: Page, *, scheme: str, width: int, rules: Mapping[str, object] = ALL_RULES
) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({**PHONE, "width": width})
    wide = overflow_px(page)
    found = [f"{page.url} is {wide} px too wide at {width}"] if wide > 0 else []
    return found + violations(page, rules=rules)


@pytest.mark.parametrize(
    ("language", "looks"),
    [
        ("zh-CN", (("light", ALL_RULES), ("dark", OF_COLOURS))),
        ("en-GB", (("light", ALL_BUT_COLOURS),)),
    ],
    ids=["zh-CN", "en-GB"],
)
def test_every_page_passes_axe_on_every_width(
    chromium: Browser,
    address: str,
    language: str,
    looks: tuple[tuple[str, Mapping[str, object]], ...],
) -> None:
    addresses, shops = every_page()
    client = portal_given.browser(*shops)
    with Watched(chromium, address, locale=language) as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        problems: list[str] = []

        for path in addresses:
            page.goto(path)
            for scheme, rules in looks:
                problems += look(page, scheme=scheme, width=360, rules=rules)
            page.set_viewport_size({**PHONE, "width": 320})
            problems += [f"{path} is too wide at 320"] if overflow_px(page) > 0 else []
            problems += [f"{path} too small: {name}" for name in too_small(page)]
            page.set_viewport_size(DESK)
            problems += [f"{path} is too wide at 1280"] if overflow_px(page) > 0 else []

        assert problems == []
        assert watched.complaints == []


def test_a_refused_form_passes_axe(chromium: Browser, address: str) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address) as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/refund")
        page.locator(".buttonbar button").click()
        page.wait_for_selector("#problems")

        assert look(page, scheme="light", width=360) == []
        assert look(page, scheme="dark", width=360, rules=OF_COLOURS) == []


@pytest.mark.parametrize("page_name", ["", "deposits/{account}/eligibility", "accounts/new"])
def test_nothing_lies_over_what_has_focus(chromium: Browser, address: str, page_name: str) -> None:
    made = world(MIDDLE, open_orders=2)
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address) as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        covered: list[str] = []

        for height in (400, 460, 520, 580, 640):  # a phone held sideways, with a keyboard up, whole
            page.set_viewport_size({"width": 360, "height": height})
            page.goto(
                f"/shops/{made.shop.shop_id}/{page_name.format(account=made.shop.account_id)}"
            )
            covered += hidden_focus(page, presses=16)

        assert covered == []


def test_a_chosen_card_is_seen_where_colours_are_forced(chromium: Browser, address: str) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address, forced_colors="active") as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/refund")
        card = page.locator(".choice").first
        before = card.evaluate("(e) => getComputedStyle(e).outlineStyle")
        card.locator("input").check()

        assert before == "none"
        assert card.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def test_paper_shows_the_statement_and_no_buttons(chromium: Browser, address: str) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    with Watched(chromium, address) as watched:
        watched.log_in(client.session.session_key)
        page = watched.context.new_page()
        page.goto(f"/shops/{made.shop.shop_id}/statement")
        page.emulate_media(media="print")

        assert page.locator(".movement").first.is_visible()
        assert not page.locator(".places").is_visible()
        assert not page.locator(".bar-tools").is_visible()
