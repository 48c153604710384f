"""The staff's pages can be read and used by everybody, on any screen, in both schemes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from kuaitui.accounts.types import Role
from kuaitui.channels.port import FailedDefinite, Unknown
from kuaitui.facts.operations import record_reports
from kuaitui.facts.types import OrderReport, OrderStatus
from kuaitui.payouts.operations import stop_sending
from kuaitui.refunds.states import State
from tests.support import given
from tests.support.clock import standing_at
from tests.support.console_given import CLERK, desk
from tests.support.pages import DESK, Watched, cut_off_rows, hidden_focus, overflow_px, violations
from tests.support.refunds_given import LARGE, MIDDLE, World, application

pytestmark = pytest.mark.django_db(transaction=True)

STATES = [
    State.IN_REVIEW, State.MORE_INFORMATION, State.AWAITING_SECOND_APPROVAL, State.PAYING,
    State.PAID, State.REJECTED, State.APPEALED,
]  # fmt: skip
ACTS = {
    State.IN_REVIEW: {Role.REVIEWER: ("approve", "ask", "reject")},
    State.AWAITING_SECOND_APPROVAL: {Role.APPROVER: ("confirm", "send-back")},
    State.APPEALED: {Role.REVIEWER: ("appeal",)},
    State.DESTINATION_REPAIRED: {Role.REVIEWER: ("refuse-account",)},
    State.PAID: {Role.REVIEWER: ("approve",)},
}


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def marketplace() -> dict[State, World]:
    """A case in every state, one of them changed since, and payouts that wait for people."""
    made = {
        state: application(state, LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE)
        for state in STATES
    }
    made[State.PAYING].channel_answers(Unknown("READ_TIMEOUT"))
    application(State.PAYING).channel_answers(FailedDefinite("ACCOUNT_CLOSED"))
    changed = OrderReport(
        shop_id=application(State.IN_REVIEW).shop.shop_id,
        order_id="O-new",
        status=OrderStatus.SHIPPED,
        status_at=given.NOW,
        amount=given.yuan("129"),
    )
    record_reports([changed], source="test", now=given.NOW)
    # Last, because its story reaches two days further than the others'.
    made[State.DESTINATION_REPAIRED] = application(State.DESTINATION_REPAIRED)
    stop_sending(channel="simulator", reason="银行系统维护", actor=CLERK, now=given.NOW)
    return made


def addresses(made: dict[State, World], role: Role) -> list[str]:
    cases = {state: f"/console/applications/{one.application_id}" for state, one in made.items()}
    acts = [
        f"{cases[state]}/{act}" for state, by_role in ACTS.items() for act in by_role.get(role, ())
    ]
    leg = made[State.PAYING].view.payout.legs[0].leg_id
    lists = [
        "/console/", "/console/applications", "/console/applications?amount_from=abc&shop=x",
        "/console/applications?risk=designated", "/console/payouts", "/console/payouts?state=unknown",
        f"/console/payouts/{leg}", "/console/payouts/controls",
    ]  # fmt: skip
    approvers = [
        "/console/payouts/stop", "/console/payouts/resume?channel=simulator", "/console/audit",
        "/console/audit?shop=x",
    ]  # fmt: skip
    return [*lists, *cases.values(), *acts, *(approvers if role is Role.APPROVER else [])]


def look(page: Page, *, scheme: str, width: int) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({**DESK, "width": width})
    wide = overflow_px(page)
    found = [f"{page.url} is {wide} px too wide at {width}"] if wide > 0 else []
    return [*found, *cut_off_rows(page), *violations(page)]


def session_of(client: Client) -> str:
    return str(client.cookies["kuaitui_session"].value)


@pytest.mark.parametrize(("role", "language"), [(Role.REVIEWER, "zh-CN"), (Role.APPROVER, "en-GB")])
def test_every_page_passes_axe_in_both_schemes_and_fits(
    chromium: Browser, address: str, role: Role, language: str
) -> None:
    made = marketplace()
    with Watched(chromium, address, viewport=DESK, locale=language) as watched:
        watched.log_in(session_of(desk(role)))
        page = watched.context.new_page()
        found = []
        for where in addresses(made, role):
            page.goto(where)
            found += look(page, scheme="light", width=1280)
            found += look(page, scheme="dark", width=360)
        assert found == []
        assert watched.complaints == []


def test_the_preview_of_a_rejection_passes_axe(chromium: Browser, address: str) -> None:
    made = application(State.IN_REVIEW)
    with Watched(chromium, address, viewport=DESK) as watched:
        watched.log_in(session_of(desk(Role.REVIEWER)))
        page = watched.context.new_page()
        page.goto(f"/console/applications/{made.application_id}/reject")
        page.get_by_role("checkbox").first.check()
        page.get_by_label("说明").fill("订单仍在售后中。")
        with page.expect_navigation():
            page.get_by_role("button", name="预览").click()
        assert look(page, scheme="light", width=1280) == []
        assert look(page, scheme="dark", width=768) == []


def test_a_phone_shows_in_which_place_and_under_which_tab_one_is(
    chromium: Browser, address: str
) -> None:
    with Watched(chromium, address) as watched:
        watched.log_in(session_of(desk(Role.AUDITOR)))
        page = watched.context.new_page()
        for where in ["bills", "applications?state=done", "payouts?state=paid"]:
            page.goto(f"/console/{where}")
            for here in page.locator("[aria-current=page]").all():
                expect(here).to_be_in_viewport(ratio=0.95)


def test_nothing_covers_what_has_focus(chromium: Browser, address: str) -> None:
    made = application(State.IN_REVIEW)
    with Watched(chromium, address, viewport=DESK) as watched:
        watched.log_in(session_of(desk(Role.REVIEWER)))
        page = watched.context.new_page()
        for where in ["", f"applications/{made.application_id}", "applications"]:
            page.goto(f"/console/{where}")
            assert hidden_focus(page, presses=25) == []
