"""What sellers do about an application, and what its page tells them in each state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override

import kuaitui.refunds
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    Route,
    Succeeded,
)
from kuaitui.interfaces.portal import words
from kuaitui.interfaces.portal.story import next_of, steps_of
from kuaitui.payouts.states import LegState
from kuaitui.refunds.operations import record_delay
from kuaitui.refunds.states import MoneyPlace, NextActor, SellerAct, State
from kuaitui.refunds.types import Reason, RejectReason
from tests.support import given, payouts_given, portal_given
from tests.support.clock import standing_at
from tests.support.given import nothing_moves, yuan
from tests.support.refunds_given import LARGE, MIDDLE, OTHER_CARD, TABLES, World, application

pytestmark = pytest.mark.django_db

SETTLED = [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW):
        yield


def brought_to(state: State, *, deposit: str | tuple[str, ...] = "", **shop: object) -> World:
    usual = LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE
    return application(state, deposit or usual, **shop)


def address(of: World, act: str = "") -> str:
    return f"/shops/{of.shop.shop_id}/refunds/{of.application_id}{act}"


def test_everything_an_application_can_say_has_words() -> None:
    source = "\n".join(
        path.read_text() for path in Path(kuaitui.refunds.__file__).parent.rglob("*.py")
    )
    codes = set(re.findall(r'(?:code=|_note_once\(row, |word = |else )"([a-z_]+)"', source))

    assert codes >= {"submitted", "paid", "returned", "payout_failed", "leg_sent", "delayed"}
    assert codes - words.EVENTS_INSIDE <= set(words.EVENTS)
    for said, enumeration in [
        (words.STATES, State),
        (words.LEG_STATES, LegState),
        (words.REASONS, Reason),
        (words.REJECT_REASONS, RejectReason),
        (words.MONEY_PLACES, MoneyPlace),
        (words.NEXT_ACTORS, NextActor),
    ]:
        assert set(said) == set(enumeration)


@pytest.mark.parametrize("state", SETTLED)
def test_each_state_answers_the_four_questions(state: State) -> None:
    made = brought_to(state)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    assert f'data-state="{state}"' in page
    for question in ("Where is the money?", "Who is next?", "By when?", "What can I do?"):
        assert question in page
    # The payout of this story waits for a worker: nothing of it was sent yet.
    is_unsent = state is State.PAYING
    place = words.MONEY_PLACES[made.view.state_facts.money]
    actor = words.NEXT_ACTORS[made.view.state_facts.next_actor]
    assert str(words.NOT_YET_SENT if is_unsent else place) in page
    assert str(words.THE_MARKETPLACE if is_unsent else actor) in page


@pytest.mark.parametrize("state", SETTLED)
def test_only_what_is_possible_is_offered(state: State) -> None:
    made = brought_to(state)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    possible = made.view.seller_acts
    for act, path in [
        (SellerAct.WITHDRAW, "/withdraw"),
        (SellerAct.PROVIDE_INFORMATION, "/answer"),
        (SellerAct.APPEAL, "/appeal"),
        (SellerAct.REPAIR_DESTINATION, "/destination"),
    ]:
        assert (f'href="{address(made, path)}"' in page) == (act in possible)
        expected = 200 if act in possible else 302
        assert client.get(address(made, path)).status_code == expected


def test_a_withdrawn_application_frees_the_money() -> None:
    made = brought_to(State.IN_REVIEW)
    client = portal_given.browser(made.shop.shop_key)

    page = client.post(address(made, "/withdraw"), follow=True)

    assert made.state is State.WITHDRAWN
    assert made.deposit.available == yuan(MIDDLE)
    assert "The money is available in your deposit again" in page.text


def test_withdrawing_twice_says_how_things_stand_and_moves_nothing() -> None:
    made = brought_to(State.IN_REVIEW)
    client = portal_given.browser(made.shop.shop_key)
    client.post(address(made, "/withdraw"))

    with nothing_moves(*TABLES):
        page = client.post(address(made, "/withdraw"), follow=True)

    assert page.redirect_chain[-1][0] == address(made)
    assert page.status_code == 200


def test_money_on_its_way_cannot_be_called_back() -> None:
    made = brought_to(State.PAID)
    client = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = client.post(address(made, "/withdraw"), follow=True)

    assert 'class="notice notice-act"' in page.text
    assert made.state is State.PAID


def test_an_answer_lets_the_review_go_on() -> None:
    made = brought_to(State.MORE_INFORMATION)
    client = portal_given.browser(made.shop.shop_key)
    assert "Who owns this account?" in client.get(address(made)).text

    page = client.post(address(made, "/answer"), {"text": "My company does."}, follow=True)

    assert made.state is State.IN_REVIEW
    assert "My company does." in page.text


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
@pytest.mark.parametrize(
    ("state", "act"), [(State.MORE_INFORMATION, "/answer"), (State.REJECTED, "/appeal")]
)
def test_too_few_or_too_many_words_are_refused_and_kept(state: State, act: str, text: str) -> None:
    made = brought_to(state)
    client = portal_given.browser(made.shop.shop_key)

    with nothing_moves(*TABLES):
        page = client.post(address(made, act), {"text": text})

    assert page.status_code == 422
    assert 'id="id_text_error"' in page.text
    assert text.strip() in page.text


def test_a_rejection_tells_its_reasons_and_can_be_appealed() -> None:
    made = brought_to(State.REJECTED)
    client = portal_given.browser(made.shop.shop_key)
    page = client.get(address(made)).text
    assert "Orders, after-sales or disputes are not finished" in page
    assert "Order O-7 is open." in page

    client.post(address(made, "/appeal"), {"text": "O-7 was a test order."})

    assert made.state is State.APPEALED


def test_money_the_bank_sent_back_goes_to_another_account() -> None:
    made = brought_to(State.RETURNED, route_open=False)
    other = given.destination(made.shop, number=OTHER_CARD)
    client = portal_given.browser(made.shop.shop_key)
    page = client.get(address(made)).text
    assert "Why it came back" in page
    titles = [str(step.title) for step in steps_of(made.view)]
    assert titles.index("Money came back") + 1 == titles.index("Name another account")

    client.post(address(made, "/destination"), {"destination": other.destination_id})

    assert made.state is State.DESTINATION_REPAIRED
    assert made.view.destination is not None
    assert made.view.destination.destination_id == other.destination_id


def test_who_named_another_account_is_asked_for_nothing_and_may_still_change_it() -> None:
    made = brought_to(State.DESTINATION_REPAIRED)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    assert "Nothing is needed from you; you can still name another account" in page
    (button,) = re.findall(rf'<a class="([^"]*)" href="{address(made, "/destination")}"', page)
    assert "button-primary" not in button


@pytest.mark.parametrize(
    ("language", "until", "why"),
    [("en", "Please do so by", "Why it was closed"), ("zh-hans", "前更换", "关闭原因")],
)
def test_a_return_says_until_when_and_a_close_out_says_why(
    language: str, until: str, why: str
) -> None:
    made = brought_to(State.RETURNED)
    client = portal_given.browser(made.shop.shop_key, language=language)
    page = client.get(address(made)).text
    assert until in page

    made.let_repair_time_pass()
    made.propose_close_out()
    assert "No other account was named in time." not in client.get(address(made)).text
    made.confirm_close_out()

    page = client.get(address(made)).text
    assert why in page
    assert "No other account was named in time." in page


def test_the_account_the_bank_refused_cannot_be_chosen_again() -> None:
    made = brought_to(State.RETURNED, route_open=False)
    client = portal_given.browser(made.shop.shop_key)
    refused = made.view.destination
    assert refused is not None

    with nothing_moves(*TABLES):
        chosen = {"destination": refused.destination_id}
        page = client.post(address(made, "/destination"), chosen)

    assert page.status_code == 422
    assert "The bank refused this account" in page.text


def test_paying_there_is_offered_once_another_account_can_be_chosen() -> None:
    made = brought_to(State.RETURNED, route_open=False)
    client = portal_given.browser(made.shop.shop_key)

    with_the_refused_only = client.get(address(made, "/destination")).text
    given.destination(made.shop, number=OTHER_CARD)
    with_another = client.get(address(made, "/destination")).text

    assert "Pay it there" not in with_the_refused_only
    assert "Add an account" in with_the_refused_only
    assert "Pay it there" in with_another


def test_an_unanswered_bank_is_asked_and_nobody_is_invited_to_apply_again() -> None:
    made = brought_to(State.PAYING)
    made.channel_answers(given_unknown())
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    assert "We are verifying the payment. Please do not apply again." in page
    assert f"/deposits/{made.shop.account_id}/refund" not in page


def test_nothing_is_said_to_be_with_the_bank_before_it_was_sent() -> None:
    made = brought_to(State.PAYING)
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    assert "Nothing has been sent yet." in page
    assert "Set aside for you, not yet sent" in page
    assert "Your money is on its way" not in page
    assert "On its way to you" not in page


def test_what_its_channel_would_not_take_is_not_said_to_be_with_the_bank() -> None:
    made = brought_to(State.PAYING)
    for _ in range(2):
        made.channel_answers(FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True))
        made.now += payouts_given.PACE.alarm_after
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    assert "Nothing has been sent yet." in page
    assert "It takes longer; the marketplace is looking at it" in page
    assert "Set aside for you, not yet sent" in page
    assert "On its way to you" not in page
    assert "we are asking" not in page


def home_of(made: World) -> str:
    return (
        portal_given.browser(made.shop.shop_key)
        .get(f"/shops/{made.shop.shop_id}", follow=True)
        .text
    )


def test_nobody_is_asked_to_pay_in_what_is_just_being_paid_back() -> None:
    made = brought_to(State.PAYING)
    made.channel_answers(Accepted("SIM0001"))

    page = home_of(made)

    assert made.deposit.in_transit.is_positive
    assert "to be paid in" not in page
    made.now += given.DAY
    made.channel_pays()
    assert made.state is State.PAID
    assert "All of it is back with you" in home_of(made)


def test_all_of_it_is_back_only_when_no_part_is_on_its_way() -> None:
    made = brought_to(State.PAYING, deposit=(MIDDLE, MIDDLE))
    first, second = made.view.payout.legs
    made.channel_answers(Succeeded("SIM0001", made.now), leg_id=first.leg_id)
    made.channel_answers(Accepted("SIM0002"), leg_id=second.leg_id)

    client = portal_given.browser(made.shop.shop_key)
    page = client.get(f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/eligibility")

    assert "All of it is back with you" not in page.text
    assert "Application under way" in page.text


def test_what_was_asked_and_what_an_appeal_came_to_is_read_by_the_seller() -> None:
    made = brought_to(State.MORE_INFORMATION)
    made.answer()
    client = portal_given.browser(made.shop.shop_key)
    assert "Who owns this account?" in client.get(address(made)).text

    made.reject()
    made.appeal()
    made.decide_appeal(granted=False, text="The order was a real one.")

    page = client.get(address(made)).text
    assert "The order was a real one." in page
    assert "You can appeal" not in page
    assert "You can apply again later." in page
    assert "See what to do" not in home_of(made)


def test_a_rejection_that_can_be_appealed_is_a_thing_to_do_until_something_newer_is_asked() -> None:
    made = brought_to(State.REJECTED)
    assert "See what to do" in home_of(made)

    made.submit()

    assert "See what to do" not in home_of(made)


def test_a_deduction_of_everything_is_told_as_what_it_is_and_not_as_an_appeal() -> None:
    made = brought_to(State.IN_REVIEW)
    made.deduct("¥10,000")
    made.deliver()
    assert made.state is State.REJECTED
    client = portal_given.browser(made.shop.shop_key)

    page = client.get(address(made)).text

    assert "A deduction took all that the deposit held." in page
    assert "appeal" not in page
    assert "ded_" not in page, "a number that tells nobody anything"


@pytest.mark.parametrize("kind", ["", "?kind=excess"])
def test_the_conditions_stand_where_no_channel_can_pay_it_out(settings: Any, kind: str) -> None:
    only_back = replace(
        payouts_given.CAPABILITIES,
        routes=frozenset({Route.ORIGINAL}),
        payee_kinds=frozenset(),
    )
    with payouts_given.confirming_channel(settings, only_back):
        shop = given.shop(MIDDLE, route_open=False)
        client = portal_given.browser(shop.shop_key)
        answer = client.get(f"/shops/{shop.shop_id}/deposits/{shop.account_id}/eligibility{kind}")

    assert answer.status_code == 200
    assert "there is no way to pay it out now" in answer.text
    assert "Ask for the deposit back" not in answer.text


def test_an_act_called_as_a_page_says_that_nothing_was_done() -> None:
    made = brought_to(State.PAYING)
    client = portal_given.browser(made.shop.shop_key)

    answer = client.get(f"/shops/{made.shop.shop_id}/deposits/{made.shop.account_id}/reminder")

    assert answer.status_code == 405
    assert "Nothing has been done yet" in answer.text


def test_the_lists_say_no_sooner_than_the_page_that_the_bank_has_it() -> None:
    made = brought_to(State.PAYING)
    client = portal_given.browser(made.shop.shop_key)
    lists = [f"/shops/{made.shop.shop_id}", f"/shops/{made.shop.shop_id}/refunds"]

    before = [client.get(page, follow=True).text for page in lists]
    made.channel_answers(Accepted("SIM0001"))
    after = [client.get(page, follow=True).text for page in lists]

    assert all("Being prepared" in page and "Being paid out" not in page for page in before)
    assert all("Being paid out" in page and "Being prepared" not in page for page in after)


def test_that_the_bank_got_it_is_told_once() -> None:
    made = brought_to(State.PAYING)
    made.channel_answers(Accepted("SIM0001"))
    application = made.view

    titles = [str(step.title) for step in steps_of(application)]
    with override("zh-hans"):
        in_chinese = [str(step.title) for step in steps_of(application)]

    assert titles[-3:] == ["Sent off", "Being processed", "Paid out"]
    assert len(set(in_chinese)) == len(in_chinese)


def test_a_payment_in_parts_says_how_many_have_left() -> None:
    made = brought_to(State.PAYING, deposit=(MIDDLE, MIDDLE))
    assert made.view.payout is not None
    first, _second = made.view.payout.legs
    client = portal_given.browser(made.shop.shop_key)

    made.channel_answers(Accepted("SIM0001"), leg_id=first.leg_id)
    page = client.get(address(made)).text
    in_chinese = portal_given.browser(made.shop.shop_key, language="zh-hans").get(address(made))
    made.channel_answers(Accepted("SIM0002"))

    assert "1 of 2 parts has left" in page
    assert '<span class="nowrap">¥10,000.00</span> On its way to you' in page
    assert '<span class="nowrap">¥10,000.00</span> Set aside for you, not yet sent' in page
    assert "Your money is on its way" not in page
    assert "共 2 笔，已发出 1 笔" in in_chinese.text
    assert "Your money is on its way" in client.get(address(made)).text


def test_a_refund_that_is_stuck_is_with_the_marketplace_and_not_with_the_bank() -> None:
    made = brought_to(State.PAYING)
    client = portal_given.browser(made.shop.shop_key)

    made.channel_answers(NeedsAction(NeededAction.ABNORMAL_REFUND, "SIM0001"))
    page = client.get(address(made)).text

    assert "The marketplace is looking after your payment" in page
    assert "At the payment channel, not yet paid to you" in page
    assert next_of(made.view) == words.THE_MARKETPLACE
    assert "Your money is on its way" not in page


def test_until_when_money_can_go_back_is_told_only_before_it_goes() -> None:
    made = brought_to(State.IN_REVIEW)
    client = portal_given.browser(made.shop.shop_key)
    assert "It can go back the way it came until" in client.get(address(made)).text

    made.approve()
    assert "It can go back the way it came until" in client.get(address(made)).text
    made.channel_answers(NeedsAction(NeededAction.ABNORMAL_REFUND, "SIM0001"))

    assert "It can go back the way it came until" not in client.get(address(made)).text


def test_a_payment_that_goes_out_again_is_not_with_the_bank_yet() -> None:
    made = brought_to(State.DESTINATION_REPAIRED)
    client = portal_given.browser(made.shop.shop_key)

    made.approve()
    made.confirm()
    page = client.get(address(made)).text

    assert made.state is State.PAYING
    assert "It is approved and goes out again, to the account you named." in page
    assert "Your money is on its way" not in page


@pytest.mark.parametrize(
    ("is_sent", "reason", "words_told"),
    [
        (True, "unknown", "Nobody has told us yet whether it was paid; we are asking"),
        (True, "set_aside", "It takes longer; the marketplace is looking at it"),
        (False, "leg_limit", "It takes longer; the marketplace is looking at it"),
    ],
)
def test_the_bank_is_said_not_to_answer_only_where_it_was_asked(
    is_sent: bool, reason: str, words_told: str
) -> None:
    made = brought_to(State.PAYING)
    assert made.view.payout is not None
    (leg,) = made.view.payout.legs
    if is_sent:
        made.channel_answers(Accepted("SIM0001"))

    record_delay(application_id=made.application_id, leg_id=leg.leg_id, reason=reason, now=made.now)

    told = {words.EVENTS["delayed"], words.HELD} & {step.title for step in steps_of(made.view)}
    assert {str(title) for title in told} == {words_told}


def given_unknown() -> object:
    from kuaitui.channels.port import Unknown

    return Unknown("READ_TIMEOUT")


def test_a_page_that_asks_again_gets_nothing_while_nothing_changes() -> None:
    made = brought_to(State.SUBMITTED)
    client = portal_given.browser(made.shop.shop_key)
    again = re.search(r'hx-get="([^"]+)"', client.get(address(made)).text)
    assert again is not None
    htmx = {"HX-Request": "true"}

    assert client.get(again[1], headers=htmx).status_code == 204
    made.check()
    assert client.get(again[1], headers=htmx).status_code == 200


@pytest.mark.parametrize(
    "act", ["", "/submitted", "/withdraw", "/answer", "/appeal", "/destination"]
)
def test_the_application_of_another_shop_looks_like_none(act: str) -> None:
    made, foreign = brought_to(State.IN_REVIEW), brought_to(State.IN_REVIEW)
    client = portal_given.browser(made.shop.shop_key)
    mixed = address(made, act).replace(made.application_id, foreign.application_id)

    with nothing_moves(*TABLES):
        shown, sent = client.get(mixed), client.post(mixed, {"text": "x"})

    assert shown.status_code == 404
    assert sent.status_code in {404, 405}
