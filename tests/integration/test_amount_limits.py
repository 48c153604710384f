"""What a channel takes at once is known when a refund is planned, and told before anybody confirms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from kuaitui.accounts.types import Role
from kuaitui.channels.port import AmountLimits, Channel, ChannelCapabilities, PayeeKind, Succeeded
from kuaitui.channels.port.capabilities import NO_LIMITS
from kuaitui.channels.registry import adapter_added
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.errors import PartTooLarge, PartTooSmall
from kuaitui.deposits.types import Destination, Route
from kuaitui.refunds.states import State
from tests.integration.test_portal_apply import STEP_ONE, refund, to_check
from tests.support import console_given, given, payouts_given, portal_given
from tests.support.clock import standing_at
from tests.support.given import NOW, nothing_moves, yuan
from tests.support.refunds_given import MIDDLE, TABLES, World, application, world

pytestmark = pytest.mark.django_db

WALLET = "wallet"
CEILING = AmountLimits(largest=yuan("¥2,000"))
FLOOR = AmountLimits(smallest=yuan("¥0.10"))
TOLD = ("¥10,000.00 would go to such an account", "at most ¥2,000.00 can be sent there at once")
PAYS_ACCOUNTS = replace(payouts_given.CAPABILITIES, payee_kinds=frozenset(PayeeKind))
Declare = Callable[..., None]

_adapters = count(1)


@pytest.fixture
def declare(settings: Any) -> Iterator[Declare]:
    """Bank accounts are paid by one channel, Alipay accounts by another, with these limits."""
    with ExitStack() as stack, standing_at(NOW):

        def declared(*, bank: AmountLimits = NO_LIMITS, wallet: AmountLimits) -> None:
            limits = {given.CHANNEL: bank, WALLET: wallet}

            def build(name: str, document: object, *, clock: object) -> Channel:
                can: ChannelCapabilities = replace(PAYS_ACCOUNTS, limits_designated=limits[name])
                return payouts_given.ScriptedChannel(lambda *_: Succeeded("SIM1", NOW), name, can)

            adapter = f"limited{next(_adapters)}"
            stack.enter_context(adapter_added(adapter, build))
            settings.KUAITUI_CHANNELS = {name: {"adapter": adapter} for name in limits}
            settings.KUAITUI_PAYERS = {"bank_account": given.CHANNEL, "alipay_account": WALLET}

        yield declared


def alipay_account(of: World) -> Destination:
    return deposits.add_alipay_account(
        shop_key=of.shop.shop_key,
        holder_name=given.OWNER,
        account_number="xiaoming@sim.invalid",
        actor=of.seller,
        now=NOW,
    )


def test_the_page_refuses_an_account_with_its_ceiling_and_takes_one_without(
    declare: Declare,
) -> None:
    declare(wallet=CEILING)
    made = world(MIDDLE, route_open=False)
    wallet, card = alipay_account(made), given.destination(made.shop)
    browser = portal_given.browser(made.shop.shop_key)
    browser.post(refund(made), STEP_ONE)

    with nothing_moves(*TABLES):
        refused = browser.post(refund(made, "/destination"), {"destination": wallet.destination_id})
    taken = browser.post(
        refund(made, "/destination"), {"destination": card.destination_id}, follow=True
    )

    assert refused.status_code == 422
    assert all(words in refused.text for words in TOLD)
    assert "Choose another account" in refused.text
    assert 'href="#id_destination"' in refused.text
    assert taken.redirect_chain[-1][0] == refund(made, "/check")
    assert card.tail4 in taken.text


def test_the_seller_reads_it_in_chinese_too(declare: Declare) -> None:
    declare(wallet=CEILING)
    made = world(MIDDLE, route_open=False)
    wallet = alipay_account(made)
    browser = portal_given.browser(made.shop.shop_key, language="zh-hans")
    browser.post(refund(made), STEP_ONE)

    refused = browser.post(refund(made, "/destination"), {"destination": wallet.destination_id})

    assert "¥10,000.00" in refused.text
    assert "每次最多" in refused.text


@pytest.mark.parametrize(
    ("limits", "typed", "words"),
    [
        (CEILING, {"choice": "whole"}, TOLD),
        (
            FLOOR,
            {"choice": "part", "amount": "0.05"},
            ("¥0.05 would go to such an account", "less than ¥0.10 cannot be sent there"),
        ),
    ],
)
def test_what_no_account_could_take_is_refused_at_the_first_step(
    declare: Declare, limits: AmountLimits, typed: dict[str, str], words: tuple[str, ...]
) -> None:
    declare(bank=limits, wallet=limits)
    made = world(MIDDLE, route_open=False)
    browser = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = browser.post(refund(made), {**STEP_ONE, **typed})

    assert page.status_code == 422
    assert all(word in page.text for word in words)


def test_a_ceiling_that_came_between_the_steps_leads_back_to_the_account(declare: Declare) -> None:
    declare(wallet=NO_LIMITS)
    made = world(MIDDLE, route_open=False)
    wallet = alipay_account(made)
    browser = portal_given.browser(made.shop.shop_key)
    sent = to_check(browser, made, destination=wallet.destination_id)
    declare(wallet=CEILING)

    with nothing_moves(*TABLES):
        looked = browser.get(refund(made, "/check"), follow=True)
        confirmed = browser.post(refund(made, "/check"), sent, follow=True)

    for page in (looked, confirmed):
        assert page.redirect_chain[-1][0] == refund(made, "/destination")
        assert all(words in page.text for words in TOLD)


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        (CEILING, PartTooLarge),
        (AmountLimits(smallest=yuan(MIDDLE) + yuan("¥0.01")), PartTooSmall),
    ],
)
def test_an_application_beyond_the_limits_is_refused_and_nothing_moves(
    declare: Declare, limits: AmountLimits, refusal: type[PartTooLarge | PartTooSmall]
) -> None:
    declare(wallet=limits)
    made = world(MIDDLE, route_open=False)
    wallet = alipay_account(made)

    with nothing_moves(*TABLES), pytest.raises(refusal) as refused:
        made.submit(destination_id=wallet.destination_id)

    assert refused.value.details["amount"] == yuan(MIDDLE)


def test_what_goes_back_the_way_it_came_is_not_held_to_the_accounts_ceiling(
    declare: Declare,
) -> None:
    declare(bank=CEILING, wallet=CEILING)
    made = world(MIDDLE)

    made.submit()

    (part,) = made.view.plan.legs
    assert (part.route, part.amount) == (Route.ORIGINAL, yuan(MIDDLE))


def test_money_that_came_back_is_not_sent_to_an_account_that_cannot_take_it(
    declare: Declare,
) -> None:
    declare(wallet=CEILING)
    made = application(State.PAYING)
    made.channel_fails()
    assert made.state is State.RETURNED
    wallet = alipay_account(made)
    browser = portal_given.browser(made.shop.shop_key)
    page = f"/shops/{made.shop.shop_id}/refunds/{made.application_id}/destination"

    with nothing_moves(*TABLES):
        refused = browser.post(page, {"destination": wallet.destination_id})

    assert refused.status_code == 422
    assert all(words in refused.text for words in TOLD)
    assert made.state is State.RETURNED


def test_staff_read_why_a_case_cannot_be_approved_and_nothing_moves(declare: Declare) -> None:
    declare(wallet=NO_LIMITS)
    made = application(State.IN_REVIEW, route_open=False)
    shown = made.approval
    declare(bank=CEILING, wallet=NO_LIMITS)

    with nothing_moves(*TABLES), pytest.raises(PartTooLarge):
        made.approve(version=shown.version, approval_hash=shown.approval_hash)
    page = (
        console_given.desk(Role.REVIEWER).get(f"/console/applications/{made.application_id}").text
    )

    assert made.case.approval_obstacle == "deposit.part_too_large"
    assert "A part is too large for this account" in page


def test_a_deduction_that_leaves_too_little_for_the_account_leaves_the_case_to_people(
    declare: Declare,
) -> None:
    declare(bank=FLOOR, wallet=FLOOR)
    made = application(State.IN_REVIEW, route_open=False)

    made.deduct("¥9,999.95")
    made.deliver()

    assert made.state is State.IN_REVIEW
    assert made.view.amount == yuan("¥0.05")
    assert made.case.approval_obstacle == "deposit.part_too_small"
    assert made.deposit.frozen == yuan("¥0.05")


def test_an_answer_with_an_account_that_cannot_take_it_is_refused(declare: Declare) -> None:
    declare(wallet=CEILING)
    made = application(State.MORE_INFORMATION, route_open=False)
    wallet = alipay_account(made)
    browser = portal_given.browser(made.shop.shop_key)
    page = f"/shops/{made.shop.shop_id}/refunds/{made.application_id}/answer"

    with nothing_moves(*TABLES):
        refused = browser.post(page, {"text": "Here.", "destination": wallet.destination_id})

    assert refused.status_code == 422
    assert all(words in refused.text for words in TOLD)
    assert made.state is State.MORE_INFORMATION
