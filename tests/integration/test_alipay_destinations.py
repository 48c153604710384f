"""Alipay accounts of a shop's owner: read, sealed, masked, offered only where they can be paid."""

from __future__ import annotations

import logging

import pytest

from kuaitui.accounts.types import Role
from kuaitui.channels.port import PayeeKind
from kuaitui.deposits import operations, queries
from kuaitui.deposits.errors import AlipayAccountMissing, AlipayAccountMistyped
from kuaitui.deposits.models import DestinationRow
from kuaitui.deposits.rules import DESTINATION_COOL_DOWN, parse_alipay_account, tail_of
from kuaitui.kit.encryption import keyring
from kuaitui.refunds.errors import DestinationOfAnotherShop
from tests.support import given, portal_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.refunds_given import World

pytestmark = pytest.mark.django_db(transaction=True)
MAIL = "xiaoming.wang@sim.invalid"
MOBILE = "13800138000"


@pytest.fixture(autouse=True)
def now():
    with standing_at(given.NOW):
        yield


def page_of(shop):
    return f"/shops/{shop.shop_id}/accounts/new/alipay"


def add(shop, account_number=MAIL):
    return operations.add_alipay_account(
        shop_key=shop.shop_key, holder_name=given.OWNER, account_number=account_number,
        actor=shop.seller, now=given.NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("138 0013 8000", MOBILE),
        ("+86 138-0013-8000", MOBILE),
        ("１３８００１３８０００", MOBILE),
        (" Xiaoming.Wang@Sim.Invalid ", MAIL),
    ],
)
def test_a_log_in_name_is_read_as_people_type_it(typed, read):
    assert parse_alipay_account(typed) == read


@pytest.mark.parametrize("typed", ["2088000000000042", "12345", "a@b", "a b@sim.invalid", "@x.cn"])
def test_what_is_no_log_in_name_is_refused_and_nothing_moves(typed):
    shop = given.shop()

    with given.nothing_moves(), pytest.raises(AlipayAccountMistyped):
        add(shop, typed)
    with given.nothing_moves(), pytest.raises(AlipayAccountMissing):
        add(shop, "  ")

    assert add(shop).kind is PayeeKind.ALIPAY_ACCOUNT


@pytest.mark.parametrize(
    ("number", "shown"),
    [(MOBILE, "8000"), (MAIL, "wang"), ("abc@sim.invalid", "c"), ("a@sim.invalid", "a")],
)
def test_at_most_four_signs_of_an_account_are_shown(number, shown):
    assert tail_of(number, kind=PayeeKind.ALIPAY_ACCOUNT) == shown


def test_a_log_in_name_is_sealed_and_the_channel_alone_sees_it():
    shop = given.shop()
    added = add(shop)
    row = DestinationRow.objects.get(public_id=added.destination_id)
    assert MAIL.encode() not in bytes(row.number_sealed)
    assert MAIL not in repr(added)

    operations.verify_destination(
        destination_id=added.destination_id, actor=given.reviewer(), now=given.NOW
    )

    details = queries.payee_details(added.destination_id)
    assert (details.kind, details.account_number) == (PayeeKind.ALIPAY_ACCOUNT, MAIL)
    assert MAIL not in repr(details)
    assert keyring().blind(MAIL, purpose="account_number") == row.number_blind


def test_an_alipay_account_after_a_bank_account_cools_down_and_the_same_one_is_known():
    shop = given.shop()
    given.destination(shop)

    second = add(shop, MOBILE)

    assert second.usable_from == given.NOW + DESTINATION_COOL_DOWN
    with given.nothing_moves():
        assert add(shop, "+86 138 0013 8000").destination_id == second.destination_id


def test_the_account_of_another_shop_cannot_be_chosen():
    made = World(given.shop(route_open=False))
    strange = add(given.shop())

    with given.nothing_moves(), pytest.raises(DestinationOfAnotherShop):
        made.submit(destination_id=strange.destination_id)


def test_a_seller_enters_an_account_and_no_page_or_log_shows_it(caplog):
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    form = {"holder_name": given.OWNER, "account_number": MAIL}
    caplog.set_level(logging.DEBUG)

    answer = browser.post(page_of(shop), form, follow=True)

    assert "ending in wang" in answer.text
    assert MAIL not in answer.text
    assert MAIL not in caplog.text


@pytest.mark.parametrize(
    ("language", "of_seller", "of_staff"),
    [
        ("zh-hans", "支付宝账号 •••• wang", "支付宝 •••• wang"),
        ("en", "Alipay account •••• wang", "Alipay •••• wang"),
    ],
)
def test_an_alipay_account_is_called_so_in_the_readers_language(language, of_seller, of_staff):
    made = World(given.shop(route_open=False))
    made.submit(destination_id=add(made.shop).destination_id)
    application = made.application_id

    seller = portal_given.browser(made.shop.shop_key, language=language)
    case = desk(Role.REVIEWER, language=language).get(f"/console/applications/{application}").text

    for page in ("mine", f"refunds/{application}"):
        assert of_seller in seller.get(f"/shops/{made.shop.shop_id}/{page}").text
    assert case.count(of_staff) == 2
    assert MAIL not in case


def test_the_way_back_from_an_account_leads_to_where_it_was_asked_for():
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    home = f"/shops/{shop.shop_id}/"

    asked, plain = (
        browser.get(page_of(shop) + back).text for back in (f"?back={home}refunds/", "")
    )
    led_away = browser.get(f"{page_of(shop)}?back=https://elsewhere.invalid/").text

    assert f'class="back" href="{home}refunds/"' in asked
    assert all(f'class="back" href="{home}mine"' in page for page in (plain, led_away))


def test_a_refused_account_stays_typed_and_nothing_moves():
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    form = {"holder_name": given.OWNER, "account_number": "xiaoming.wang"}

    with given.nothing_moves():
        answer = browser.post(page_of(shop), form)

    assert answer.status_code == 422
    assert "neither a mobile number nor a mail address" in answer.text
    assert 'value="xiaoming.wang"' in answer.text


def test_it_is_offered_only_where_a_channel_pays_such_accounts(settings):
    shop = given.shop()
    browser = portal_given.browser(shop.shop_key)
    bank_page = page_of(shop).removesuffix("/alipay")
    assert page_of(shop) in browser.get(bank_page).text

    settings.KUAITUI_CHANNELS = {}

    assert page_of(shop) not in browser.get(bank_page).text
    with given.nothing_moves():
        form = {"holder_name": given.OWNER, "account_number": MAIL}
        assert browser.post(page_of(shop), form).status_code == 404
