"""Which way each part of a refund goes, by what the channels of the installation can do."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from kuaitui.channels.port import Accepted, FailedDefinite, Succeeded
from kuaitui.deposits.errors import NoWayOut
from kuaitui.deposits.types import Route
from kuaitui.payouts.queries import leg, parts_of_lots, payout_of_application
from kuaitui.payouts.states import LegState
from kuaitui.refunds.queries import preview_refund
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice
from tests.support import batches_given as bg
from tests.support import given
from tests.support.given import DAY, NOW
from tests.support.refunds_given import TABLES, World

pytestmark = pytest.mark.django_db
BANK = "bank"


@pytest.fixture
def two_channels(settings: Any) -> None:
    """Payments come through one channel; bank accounts are paid through another."""
    entry = settings.KUAITUI_CHANNELS[given.CHANNEL]
    settings.KUAITUI_CHANNELS = {given.CHANNEL: entry, BANK: {**entry, "adapter": "simulator"}}
    settings.KUAITUI_PAYERS = {"bank_account": BANK}


def half_expired() -> World:
    """Two payments of ¥5,000: the way back of the older one has closed."""
    shop = given.shop("¥5,000")
    given.pay_in(shop.account_id, "¥5,000", paid_at=NOW - 400 * DAY, route_open=False)
    return World(shop)


def paying(made: World, **entries: object) -> World:
    account = given.destination(made.shop)
    made.submit(destination_id=account.destination_id, **entries)
    made.deliver()
    made.approve_whole()
    made.deliver()
    assert made.state is State.PAYING
    return made


@pytest.mark.usefixtures("two_channels")
def test_each_part_goes_through_the_channel_that_can_send_it() -> None:
    made = paying(half_expired())

    back, out = payout_of_application(made.application_id).legs

    assert (back.route, back.channel) == (Route.ORIGINAL, given.CHANNEL)
    assert (out.route, out.channel) == (Route.DESIGNATED, BANK)
    assert back.amount == out.amount == given.yuan("¥5,000")


@pytest.mark.usefixtures("two_channels")
def test_only_the_part_that_failed_is_sent_again_and_the_case_keeps_its_place() -> None:
    made = paying(half_expired())
    submitted_at = made.view.submitted_at
    back, out = payout_of_application(made.application_id).legs
    made.channel_answers(Succeeded("SIM0001", made.now), leg_id=back.leg_id)
    made.channel_answers(FailedDefinite("ACCOUNT_CLOSED"), leg_id=out.leg_id)
    assert made.state is State.RETURNED

    made.repair()
    made.approve()
    made.confirm()
    made.deliver()

    first, failed, again = payout_of_application(made.application_id).legs
    assert (first.state, failed.state, again.state) == (
        LegState.PAID,
        LegState.FAILED,
        LegState.READY,
    )
    assert (again.lot_id, again.amount, again.channel) == (out.lot_id, out.amount, BANK)
    assert leg(again.leg_id).channel_number != leg(failed.leg_id).channel_number
    assert made.view.submitted_at == submitted_at

    made.channel_answers(Succeeded("SIM0002", made.now), leg_id=again.leg_id)
    assert made.state is State.PAID


@pytest.mark.usefixtures("two_channels")
def test_a_part_that_failed_on_its_way_back_is_sent_through_the_bank() -> None:
    made = paying(World(given.shop("¥5,000")))
    made.channel_fails()

    made.repair()
    made.approve()
    made.confirm()

    failed, again = payout_of_application(made.application_id).legs
    assert (failed.route, failed.channel) == (Route.ORIGINAL, given.CHANNEL)
    assert (again.route, again.channel) == (Route.DESIGNATED, BANK)


def test_where_no_channel_can_pay_the_account_the_seller_is_told_and_nothing_moves(
    settings: Any,
) -> None:
    entry = settings.KUAITUI_CHANNELS[given.CHANNEL]
    made = World(given.shop("¥5,000", route_open=False))
    account = given.destination(made.shop)
    settings.KUAITUI_CHANNELS = {BANK: {**entry, "adapter": "simulator"}}

    with given.nothing_moves(*TABLES), pytest.raises(NoWayOut):
        made.submit(destination_id=account.destination_id)

    settings.KUAITUI_PAYERS = {"bank_account": BANK}
    made.submit(destination_id=account.destination_id)
    assert made.state is State.SUBMITTED


def test_refunds_of_one_payment_are_counted_also_over_applications() -> None:
    made = World(given.shop("¥5,000"))
    (lot,) = made.deposit.lots
    for parts in (1, 2):
        made = paying(made, choice=AmountChoice.PART, amount=given.yuan("¥1,000"))
        made.channel_pays()
        assert parts_of_lots(book_id=made.deposit.book_id) == {lot.lot_id: parts}


@pytest.fixture
def a_bank_with_days(two_channels: None, settings: Any) -> None:
    """Bank accounts are paid by a bank that says how long it takes; the other channel says nothing."""
    ours = {"account_number": "1", "account_name": "1", "bank_code": "1"}
    entry = {"adapter": "bank", **ours, "arrival_days": [1, 2]}
    settings.KUAITUI_CHANNELS = {**settings.KUAITUI_CHANNELS, BANK: entry}


@pytest.mark.usefixtures("a_bank_with_days")
def test_every_part_has_the_days_its_channel_declares_the_same_before_and_after_sending() -> None:
    made = half_expired()
    account = given.destination(made.shop)
    shown = preview_refund(
        account_id=made.shop.account_id,
        choice=AmountChoice.WHOLE,
        amount=None,
        destination_id=account.destination_id,
        now=made.now,
    )

    made.submit(destination_id=account.destination_id)

    back, out = shown.parts
    assert (back.leg.channel, back.arrives_from, back.arrives_by) == (given.CHANNEL, None, None)
    assert out.leg.channel == BANK
    assert out.arrives_from is not None
    assert out.arrives_by is not None
    assert account.usable_from.date() < out.arrives_from <= out.arrives_by <= shown.eta.arrives_by
    assert made.view.parts == shown.parts
    assert made.view.eta == shown.eta


@pytest.mark.usefixtures("a_bank_with_days")
def test_a_part_that_was_handed_over_is_expected_from_then() -> None:
    made = paying(half_expired())
    back, out = payout_of_application(made.application_id).legs
    planned = made.view.parts[1]
    bg.released(bg.bank(settings), now=made.now)
    made.channel_answers(Accepted(""), leg_id=out.leg_id)

    sent = made.view.parts[1]

    assert back.channel == made.view.parts[0].leg.channel
    assert sent.leg == planned.leg
    assert sent.arrives_from is not None
    assert made.now.date() < sent.arrives_from
    assert sent.arrives_by != planned.arrives_by
