"""One date for a refund: the same before and after sending, for the whole and for its parts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from kuaitui.channels.port import Accepted, Arrival
from kuaitui.deposits.types import Route
from kuaitui.payouts.queries import payout_of_application
from kuaitui.policy.calendar import is_working_day
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.queries import preview_refund
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, Standing
from tests.support import batches_given as bg
from tests.support import given, payouts_given, portal_given
from tests.support.clock import standing_at
from tests.support.given import DAY, NOW
from tests.support.refunds_given import MIDDLE, OTHER_CARD, SMALL, World, application, world

pytestmark = pytest.mark.django_db
BANK = "bank"
STATES = [
    State.SUBMITTED, State.IN_REVIEW, State.MORE_INFORMATION, State.REJECTED, State.APPEALED,
    State.PAYING, State.WITHDRAWN,
]  # fmt: skip


@pytest.fixture(autouse=True)
def a_slow_bank(settings: Any) -> Iterator[None]:
    """Accounts are paid by a bank that takes longer than the policy allows for an arrival."""
    ours = {"account_number": "1", "account_name": "1", "bank_code": "1"}
    entry = {"adapter": BANK, **ours, "arrival_days": [1, 12]}
    settings.KUAITUI_CHANNELS = {**settings.KUAITUI_CHANNELS, BANK: entry}
    settings.KUAITUI_PAYERS = {"bank_account": BANK}
    with standing_at(NOW):
        yield


def brought_to(state: State) -> World:
    """An application whose money goes to an account, in a state."""
    if state is not State.PAYING:
        return application(state, MIDDLE, route_open=False)
    shop = given.shop(MIDDLE, route_open=False)
    chosen = given.destination(shop)
    made = World(shop, now=chosen.usable_from)
    made.submit(destination_id=chosen.destination_id)
    made.check()
    made.approve()
    if made.state is State.AWAITING_SECOND_APPROVAL:
        made.confirm()
    made.deliver()
    assert made.state is State.PAYING
    return made


def today_of(made: World) -> dt.date:
    return made.now.astimezone(dt.timezone(dt.timedelta(hours=8))).date()


def hand_over(made: World) -> None:
    """The worker has handed every part over; nobody has said yet what became of it."""
    legs = payout_of_application(made.application_id).legs
    if any(leg.channel == BANK for leg in legs):
        bg.released(bg.bank(settings), now=made.now)
    made.channel_answers(Accepted(""))


def page(made: World, ending: str = "") -> str:
    client = portal_given.browser(made.shop.shop_key)
    with standing_at(made.now):
        address = f"/shops/{made.shop.shop_id}/refunds/{made.application_id}{ending}"
        return client.get(address).text


def days_on(text: str) -> list[dt.date]:
    found = re.findall(r"(\d{1,2}) (\w+) (\d{4})", text)
    return [
        dt.datetime.strptime(" ".join((one[0], one[1][:3], one[2])), "%d %b %Y").date()  # noqa: DTZ007 - days have no zone
        for one in found
    ]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("waited", [0, 5, 40])
def test_no_part_is_ever_expected_after_the_whole(state: State, waited: int) -> None:
    made = brought_to(state)
    made.now += waited * DAY

    seen = made.view

    (part,) = seen.parts
    assert part.arrives_by is not None
    assert part.arrives_by <= seen.eta.arrives_by
    if state is State.PAYING and not seen.is_late:
        assert part.arrives_by <= (seen.due_on or dt.date.min)


def test_the_clock_of_a_payout_runs_until_its_last_part_is_expected() -> None:
    made = brought_to(State.PAYING)
    (part,) = made.view.parts
    row = RefundApplication.objects.get(public_id=made.application_id)

    assert row.due_at is not None
    assert part.arrives_by is not None
    assert (row.due_at - dt.timedelta(seconds=1)).date() == part.arrives_by
    made.now = row.due_at - dt.timedelta(seconds=1)
    assert not made.view.is_late
    made.now = row.due_at
    assert made.view.is_late


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.APPEALED, State.PAYING])
def test_what_is_not_sent_in_time_is_called_late_and_no_day_that_is_over_is_promised(
    state: State,
) -> None:
    made = brought_to(state)
    made.now += 40 * DAY

    seen = made.view

    (part,) = seen.parts
    assert part.standing is seen.eta.standing is Standing.LATE
    assert part.arrives_from is not None
    assert today_of(made) < part.arrives_from
    assert today_of(made) < seen.eta.arrives_by
    shown = page(made)
    assert "Later than planned" in shown
    assert "If the marketplace acts today: in your account by" in shown
    assert "it is not sent yet" in shown
    promises = re.findall(r"(?:in your account by|sends it today, it is)[^<]*", shown)
    assert len(promises) == 2
    assert "Expected between" not in shown
    assert all(day > today_of(made) for text in promises for day in days_on(text))


def test_what_was_sent_and_has_not_arrived_in_time_names_no_new_day() -> None:
    made = brought_to(State.PAYING)
    hand_over(made)
    made.now += 40 * DAY

    seen = made.view

    assert [part.standing for part in seen.parts] == [Standing.OVERDUE]
    assert seen.eta.standing is Standing.OVERDUE
    shown = page(made)
    assert "No new day is known" in shown
    assert "Expected between" not in shown
    assert "in your account by" not in shown


def test_what_was_sent_late_is_told_with_the_day_that_holds_now() -> None:
    made = brought_to(State.PAYING)
    due_at = made.view.due_at
    assert due_at is not None
    made.now = due_at + DAY
    hand_over(made)

    seen = made.view

    assert seen.eta.standing is Standing.MOVED
    assert seen.eta.arrives_by == seen.parts[0].arrives_by
    assert "now in your account by" in page(made)


def test_of_a_part_that_came_back_nothing_is_expected() -> None:
    made = application(State.RETURNED, MIDDLE)

    assert [part.standing for part in made.view.parts] == [Standing.SETTLED]
    assert "Expected" not in page(made)
    assert "names no day on which money arrives" not in page(made)


def test_the_time_a_seller_takes_to_answer_is_no_delay() -> None:
    made = brought_to(State.MORE_INFORMATION)
    made.now += 5 * DAY
    waiting = made.view.eta

    made.answer()

    assert waiting.standing is made.view.eta.standing is Standing.KEPT
    assert made.view.eta == waiting


@pytest.mark.parametrize("waited", [dt.timedelta(hours=6), dt.timedelta(days=2, hours=16)])
def test_after_an_answer_the_review_ends_with_a_working_day_as_it_was_promised(
    waited: dt.timedelta,
) -> None:
    made = brought_to(State.MORE_INFORMATION)
    made.now += waited
    promised = made.view.promised.review_by

    made.answer()

    due_at = made.view.due_at
    assert due_at is not None
    local = due_at.astimezone(ZoneInfo("Asia/Shanghai"))
    assert local.time() == dt.time()
    assert local.date() - dt.timedelta(days=1) == promised == made.view.due_on
    assert is_working_day(promised)
    made.now = due_at - dt.timedelta(seconds=1)
    assert not made.view.is_late


def test_a_page_right_after_sending_says_what_the_page_before_it_said() -> None:
    made = world(SMALL)
    shown = preview_refund(
        account_id=made.shop.account_id,
        choice=AmountChoice.WHOLE,
        amount=None,
        destination_id="",
        now=made.now,
    )
    assert shown.by_rule

    made.submit()

    before = made.view
    assert before.state is State.SUBMITTED
    assert before.needs_no_review
    assert before.eta == shown.eta
    assert before.due_on == shown.eta.review_by
    for ending in ("/submitted", ""):
        told = page(made, ending).split("It can go back")[0]
        assert max(days_on(told)) == shown.eta.arrives_by
    assert "no review is needed" in page(made, "/submitted")
    assert "Checked and reviewed" not in page(made, "/submitted")
    made.check()
    assert made.state is State.PAYING
    assert made.view.needs_no_review
    assert made.view.eta == shown.eta


def test_a_page_after_sending_names_the_review_where_a_person_will_look() -> None:
    made = application(State.SUBMITTED, MIDDLE)

    assert not made.view.needs_no_review
    assert "Checked and reviewed" in page(made, "/submitted")


def test_what_the_rule_approved_once_is_reviewed_when_it_came_back() -> None:
    made = application(State.RETURNED, SMALL)
    made.repair()

    assert not made.view.needs_no_review
    assert made.view.eta.standing is Standing.KEPT


SHANGHAI = ZoneInfo("Asia/Shanghai")
AT_ONCE = Arrival(0, 0, SHANGHAI, in_working_days=False)
LATE_IN_THE_EVENING = NOW + dt.timedelta(hours=13, minutes=30)  # 23:30 there


def channel_at_once(settings: Any, **changes: Any) -> AbstractContextManager[None]:
    """Payments come through a channel by which refunds arrive the same day."""
    settings.KUAITUI_PAYERS = {}
    declared = replace(payouts_given.CONFIRMING, arrival_original=AT_ONCE, **changes)
    return payouts_given.confirming_channel(settings, declared)


@pytest.mark.parametrize(("interval", "days"), [(0, 0), (20, 0), (40, 1)])
def test_a_second_refund_of_a_payment_is_not_expected_before_its_interval_is_over(
    settings: Any, interval: int, days: int
) -> None:
    a_part = {"choice": AmountChoice.PART, "amount": given.yuan("¥100")}
    with channel_at_once(settings, refund_interval=dt.timedelta(minutes=interval)):
        made = world(SMALL)
        made.now = LATE_IN_THE_EVENING
        made.submit(**a_part)
        made.deliver()
        made.channel_pays()
        assert made.state is State.PAID

        shown = preview_refund(
            account_id=made.shop.account_id, destination_id="", now=made.now, **a_part
        )
        made.submit(**a_part)

        (part,) = shown.parts
        assert part.arrives_from == part.arrives_by == today_of(made) + days * DAY
        assert part.standing is Standing.KEPT
        assert part.arrives_by <= shown.eta.arrives_by
        assert made.view.parts == shown.parts


def test_what_goes_back_is_not_expected_before_the_account_beside_it_may_be_used(
    settings: Any,
) -> None:
    with channel_at_once(settings):
        shop = given.shop("¥5,000")
        given.pay_in(shop.account_id, "¥5,000", paid_at=NOW - 400 * DAY, route_open=False)
        given.destination(shop)
        cooling = given.destination(shop, number=OTHER_CARD)
        made = World(shop)
        made.submit(destination_id=cooling.destination_id)

        back, _out = made.view.parts

        assert back.leg.route is Route.ORIGINAL
        assert back.arrives_from is not None
        assert back.arrives_from >= cooling.usable_from.astimezone(SHANGHAI).date() > NOW.date()


def test_what_goes_back_is_called_late_too(settings: Any) -> None:
    with channel_at_once(settings):
        made = application(State.IN_REVIEW, MIDDLE)
        assert [part.standing for part in made.view.parts] == [Standing.KEPT]

        made.now += 40 * DAY

        assert [part.standing for part in made.view.parts] == [Standing.LATE]
