"""The seller's pages, in every state of a deposit and of an application."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kuaitui.facts.operations import record_reports
from kuaitui.facts.types import OrderStatus
from kuaitui.refunds.states import State
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.refunds_given import LARGE, MIDDLE, application

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def pages_of(shop: given.Shop, application_id: str = "") -> list[str]:
    home = f"/shops/{shop.shop_id}/"
    deposit = f"{home}deposits/{shop.account_id}"
    pages = [home, f"{deposit}/eligibility", f"{deposit}/eligibility?kind=excess"]
    pages += [
        f"{home}{page}" for page in ("refunds/", "statement", "deductions", "mine", "accounts/new")
    ]
    return pages + ([f"{home}refunds/{application_id}"] if application_id else [])


def test_a_condition_names_only_what_can_be_looked_up() -> None:
    made = application(State.IN_REVIEW)
    order = given.order(made.shop.shop_id, "O-late", OrderStatus.SHIPPED, given.NOW - given.DAY)
    record_reports([order], source="given", now=given.NOW)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(pages_of(made.shop)[1]).text

    # All of the deposit is set aside, so what it points at is the deposit itself.
    assert "is frozen" in page
    assert re.findall(r'<span class="code">([^<]*)</span>', page) == ["O-late"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "state", [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]
)
def test_every_page_is_drawn_in_every_state(state: State, language: str) -> None:
    deposit = LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE
    made = application(state, deposit)
    client = portal_given.browser(made.shop.shop_key, language=language)

    for address in pages_of(made.shop, made.application_id):
        response = client.get(address)
        assert response.status_code == 200, address
        assert "<c-" not in response.text
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", response.text)


@pytest.mark.parametrize(
    ("language", "rules"),
    [
        ("zh-hans", "通用规则，2026-11-01 版"),
        ("en", "Reference policy, version 2026-11-01"),
    ],
)
def test_a_seller_reads_what_people_call_the_rules_and_no_code(language: str, rules: str) -> None:
    made = application(State.IN_REVIEW)
    client = portal_given.browser(made.shop.shop_key, language=language)

    conditions, page = (
        client.get(pages_of(made.shop, made.application_id)[at]).text for at in (1, -1)
    )

    assert rules in conditions
    assert rules in page
    assert not re.search(r"\breference[ ，,]*(version |2026)", conditions + page)


def test_the_conditions_ask_for_nothing_while_an_application_holds_the_money() -> None:
    made = application(State.IN_REVIEW)
    client = portal_given.browser(made.shop.shop_key)
    home, conditions = pages_of(made.shop)[:2]

    page = client.get(conditions).text

    assert "Application under way" in page
    assert f"refunds/{made.application_id}" in page
    assert "something has to be done first" not in page
    assert "will then be refundable" not in page
    assert " met</" not in client.get(home).text


def test_the_conditions_ask_for_nothing_once_all_of_it_is_back() -> None:
    made = application(State.PAID)
    client = portal_given.browser(made.shop.shop_key)
    home, conditions = pages_of(made.shop)[:2]

    page = client.get(conditions).text

    assert "All of it is back with you" in page
    assert "something has to be done first" not in page
    assert "eligibility" not in client.get(home).text
