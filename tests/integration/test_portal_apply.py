"""Asking for a deposit back over the seller's pages, as people do it and as they get it wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client

from kuaitui.kit import kept_forms
from kuaitui.refunds.queries import applications_of_shop
from kuaitui.refunds.states import State
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.given import nothing_moves, yuan
from tests.support.refunds_given import MIDDLE, SMALL, TABLES, World, application, world

pytestmark = pytest.mark.django_db

MONEY_TABLES = tuple(table for table in TABLES if not table.startswith("refunds_"))
STEP_ONE = {"choice": "whole", "amount": "", "reason": "closing_shop", "note": ""}


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def refund(of: World | given.Shop, step: str = "") -> str:
    shop = of.shop if isinstance(of, World) else of
    return f"/shops/{shop.shop_id}/deposits/{shop.account_id}/refund{step}"


def hidden_fields(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


def to_check(client: Client, of: World, **typed: str) -> dict[str, str]:
    """Fill the first two steps; gives back what the last page would send."""
    first = client.post(refund(of), {**STEP_ONE, **typed})
    assert first["Location"] == refund(of, "/destination"), first.text
    second = client.post(first["Location"], {"destination": typed.get("destination", "")})
    assert second["Location"] == refund(of, "/check"), second.text
    return hidden_fields(client.get(second["Location"]).text)


def applications(of: World) -> list[str]:
    found = applications_of_shop(shop_key=of.shop.shop_key, now=given.NOW)
    return [one.application_id for one in found]


def test_a_seller_asks_for_everything_back_along_the_original_route() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    assert refund(made) in client.get(f"/shops/{made.shop.shop_id}/").text
    sent = client.post(refund(made, "/check"), to_check(client, made), follow=True)

    (application_id,) = applications(made)
    assert sent.redirect_chain[-1][0].endswith(f"/refunds/{application_id}/submitted")
    assert application_id in sent.text
    assert made.deposit.frozen == yuan(MIDDLE)


def test_a_part_goes_to_the_account_the_seller_chose() -> None:
    made = world(MIDDLE, route_open=False)
    chosen = given.destination(made.shop)
    client = portal_given.browser(made.shop.shop_key)

    fields = to_check(
        client, made, choice="part", amount="¥9,000.50", destination=chosen.destination_id
    )
    client.post(refund(made, "/check"), fields)

    (made.application_id,) = applications(made)
    assert made.view.amount == yuan("9000.50")
    assert made.view.plan.legs[0].destination_id == chosen.destination_id


def test_an_amount_typed_in_full_width_is_the_same_amount() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    fields = to_check(client, made, choice="part", amount="￥９，０００．５０")
    client.post(refund(made, "/check"), fields)

    (made.application_id,) = applications(made)
    assert made.view.amount == yuan("9000.50")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter the amount you want back"),
        ("0", "more than zero"),
        ("0.00", "more than zero"),
        ("-5", "Enter an amount in figures"),
        ("1.234", "more decimals"),
        ("ten", "Enter an amount in figures"),
        ("1e3", "Enter an amount in figures"),
        ("$5", "Enter an amount in figures"),
        ("１００。５", "Enter an amount in figures"),
        ("１００²", "Enter an amount in figures"),
        ("１．２３４", "more decimals"),
        ("10000.01", "more than can be refunded"),
        ("9" * 45, "larger than this system can hold"),
        ("9" * 70, "at most 60 characters"),
        ("=1+1", "Enter an amount in figures"),
        ("5\0", "Null characters"),
    ],
)
def test_a_wrong_amount_is_refused_beside_its_field_and_nothing_moves(
    typed: str, words: str
) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = client.post(
            refund(made), {**STEP_ONE, "choice": "part", "amount": typed, "note": "my words"}
        )

    assert page.status_code == 422
    assert words in page.text
    assert 'aria-invalid="true"' in page.text
    assert 'href="#id_amount"' in page.text
    assert "my words" in page.text
    if typed and "\0" not in typed:
        assert f'value="{typed}"' in page.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("choice", "", "Choose how much you want back"),
        ("choice", "double", "not one of the available choices"),
        ("reason", "", "Choose a reason"),
        ("note", "x" * 501, "at most 500 characters"),
    ],
)
def test_an_incomplete_form_is_refused_and_kept(field: str, value: str, words: str) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = client.post(refund(made), {**STEP_ONE, "note": "my words", field: value})

    assert page.status_code == 422
    assert words in page.text
    assert field == "note" or "my words" in page.text


def test_everything_is_not_offered_while_an_order_is_open() -> None:
    made = world(MIDDLE, open_orders=1)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(refund(made)).text
    conditions = client.get(f"/shops/{made.shop.shop_id}/eligibility", follow=True).text

    assert re.search(r'value="whole"[^>]* disabled', page)
    assert "O-open-1" in conditions


def test_what_was_typed_is_there_again_after_coming_back() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)

    client.post(refund(made), {**STEP_ONE, "choice": "part", "amount": "1234.5", "note": "so long"})
    page = client.get(refund(made)).text

    assert 'value="1234.50"' in page
    assert "so long" in page
    assert re.search(r'value="part"[^>]* checked', page)


def test_a_double_click_makes_one_application_and_shows_it_twice() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    fields = to_check(client, made)

    first = client.post(refund(made, "/check"), fields)
    second = client.post(refund(made, "/check"), fields)

    assert first["Location"] == second["Location"]
    assert len(applications(made)) == 1


def test_a_late_second_click_shows_the_first_result_even_after_it_was_paid() -> None:
    made = world(SMALL)
    client = portal_given.browser(made.shop.shop_key)
    fields = to_check(client, made)
    first = client.post(refund(made, "/check"), fields)
    (made.application_id,) = applications(made)
    made.deliver()
    made.channel_pays()
    assert made.state is State.PAID

    with nothing_moves(*TABLES):
        again = client.post(refund(made, "/check"), fields)

    assert again["Location"] == first["Location"]


def test_a_second_tab_leads_to_the_application_of_the_first() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    first_tab = to_check(client, made)
    second_tab = to_check(client, made)
    assert first_tab["request_key"] != second_tab["request_key"]
    client.post(refund(made, "/check"), first_tab)

    with nothing_moves(*TABLES):
        answer = client.post(refund(made, "/check"), second_tab, follow=True)

    assert applications(made)[0] in answer.redirect_chain[-1][0]
    assert "You have asked already" in answer.text


def test_what_has_changed_since_the_last_page_is_shown_before_anything_is_sent() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    fields = to_check(client, made)
    made.deduct("¥640")

    with nothing_moves(*TABLES):
        page = client.post(refund(made, "/check"), fields)

    assert page.status_code == 409
    assert "Something has changed since you looked" in page.text
    assert "9,360.00" in page.text
    assert client.post(refund(made, "/check"), hidden_fields(page.text)).status_code == 302
    assert made.deposit.frozen == yuan("9360")


@pytest.mark.parametrize("changed", [{"amount": "1"}, {"seen": ""}, {"choice": "excess"}])
def test_a_form_that_was_tampered_with_is_shown_again(changed: dict[str, str]) -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    fields = to_check(client, made, choice="part", amount="9000")

    with nothing_moves(*TABLES):
        page = client.post(refund(made, "/check"), {**fields, **changed})

    assert page.status_code == 409


def test_a_destination_is_needed_once_the_original_route_has_closed() -> None:
    made = world(MIDDLE, route_open=False)
    client = portal_given.browser(made.shop.shop_key)
    given.destination(made.shop)
    client.post(refund(made), STEP_ONE)

    with nothing_moves(*TABLES):
        page = client.post(refund(made, "/destination"), {"destination": ""})

    assert page.status_code == 422
    assert "Choose an account for it" in page.text


@pytest.mark.parametrize("whose", ["another shop's", "nobody's"])
def test_an_account_of_somebody_else_is_refused(whose: str) -> None:
    made = world(MIDDLE, route_open=False)
    foreign = given.destination(world(MIDDLE).shop).destination_id
    client = portal_given.browser(made.shop.shop_key)
    client.post(refund(made), STEP_ONE)

    with nothing_moves(*TABLES):
        chosen = foreign if whose == "another shop's" else "dst_none"
        page = client.post(refund(made, "/destination"), {"destination": chosen})

    assert page.status_code == 404
    assert 'class="field-error"' in page.text


@pytest.mark.parametrize("step", ["", "/destination", "/check"])
def test_the_deposit_of_another_shop_looks_like_none(step: str) -> None:
    made, foreign = world(MIDDLE), world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    mixed = refund(made, step).replace(made.shop.account_id, foreign.shop.account_id)
    unknown = refund(made, step).replace(made.shop.account_id, "dep_unknown")

    with nothing_moves(*TABLES):
        answers = [client.post(address, STEP_ONE) for address in (mixed, unknown)]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_nothing_typed_is_lost_when_the_log_in_expires_in_mid_form() -> None:
    made = world(MIDDLE)
    client = portal_given.browser(made.shop.shop_key)
    marks = hidden_fields(client.get(refund(made)).text)
    typed = {**STEP_ONE, "choice": "part", "amount": "1234.56", "note": "our <b>last</b> words"}
    user = portal_given.User.objects.get(pk=client.session["_auth_user_id"])
    client.logout()

    with nothing_moves(*TABLES):
        asked = client.post(refund(made), {**typed, **marks})
        client.force_login(user, portal_given.BACKEND)
        page = client.get(refund(made))

    assert asked.status_code == 401
    assert "Your log-in has expired" in asked.text
    assert 'value="1234.56"' in page.text
    assert "our &lt;b&gt;last&lt;/b&gt; words" in page.text
    assert "What you typed is still here" in page.text
    assert kept_forms.MARK_FIELD in marks


def test_what_a_seller_wrote_is_never_run() -> None:
    made = application(State.IN_REVIEW)
    fresh = world(MIDDLE)
    client = portal_given.browser(fresh.shop.shop_key)
    fields = to_check(client, fresh, note="<script>alert(1)</script>{{ 7|add:7 }}")
    client.post(refund(fresh, "/check"), fields)

    page = client.get(f"/shops/{fresh.shop.shop_id}/refunds/{applications(fresh)[0]}").text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }}" in page
    assert "<script>alert" not in page
    assert made.application_id not in page


def test_where_no_channel_pays_the_account_the_seller_is_told_in_plain_words(settings: Any) -> None:
    made = World(given.shop(MIDDLE, route_open=False))
    entry = settings.KUAITUI_CHANNELS[given.CHANNEL]
    settings.KUAITUI_CHANNELS = {"other": {**entry, "adapter": "simulator"}}
    client = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*MONEY_TABLES):
        page = client.post(refund(made), STEP_ONE, follow=True).text

    assert "无法打到这类账户" in page or "cannot be sent to such an account" in page


def test_each_way_says_when_it_is_expected_or_that_no_day_is_known(settings: Any) -> None:
    made = world(MIDDLE, route_open=False)
    chosen = given.destination(made.shop)
    client = portal_given.browser(made.shop.shop_key)
    to_check(client, made, destination=chosen.destination_id)
    unknown = "names no day on which money arrives"

    assert unknown in client.get(refund(made, "/check")).text

    ours = {"account_number": "1", "account_name": "1", "bank_code": "1"}
    bank = {"adapter": "bank", **ours, "arrival_days": [1, 2]}
    settings.KUAITUI_CHANNELS = {**settings.KUAITUI_CHANNELS, "bank": bank}
    settings.KUAITUI_PAYERS = {"bank_account": "bank"}
    page = client.get(refund(made, "/check")).text

    assert unknown not in page
    assert "Expected between" in page
