"""A seller reads where all of a refund is and goes, also when one part of it came back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kuaitui.accounts.types import Role
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotSent,
    Outcome,
    Returned,
    Succeeded,
)
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.queries import LegProgress
from kuaitui.payouts.states import LegState
from kuaitui.refunds.states import State
from tests.support import given, payouts_given, portal_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import DAY, NOW
from tests.support.refunds_given import OTHER_CARD, World

pytestmark = pytest.mark.django_db
WHERE_TO = re.compile(r"Where to</dt>\s*<dd[^>]*>(.*?)</dd>", re.DOTALL)
WHERE_IS = re.compile(r"Where is the money\?</dt>\s*<dd[^>]*>(.*?)</dd>", re.DOTALL)
WHY = re.compile(r"Why it came back</h2>(.*?)</div>", re.DOTALL)
MARKUP = re.compile(r"(?:<[^>]+>|\s)+")
PAID, SET_ASIDE = "Paid out to your account", "In your deposit, set aside for this application"
WAY_BACK = "Back the way it came: Simulated bank ¥2,000.00"
FIRST, SECOND = "招商银行, ending in 4562", "招商银行, ending in 0003"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW):
        yield


def approved(*deposits: str) -> World:
    """A payment that can go back and others that cannot are about to be sent."""
    made = World(given.shop(deposits, route_open=False))
    given.pay_in(made.shop.account_id, "¥2,000", paid_at=NOW - 3 * DAY)
    chosen = given.destination(made.shop)
    made.submit(destination_id=chosen.destination_id)
    made.check()
    made.approve_whole()
    return made


def designated(made: World) -> LegProgress:
    """The first part that goes to an account."""
    return next(leg for leg in made.view.payout.legs if leg.destination_id)


def returned(*deposits: str) -> World:
    """The same paid, and the first part that went to an account came back."""
    made = approved(*deposits)
    made.channel_pays()
    made.now += 2 * DAY
    returned_leg = designated(made).leg_id
    made.channel_answers(Returned("SIM0001", "ACCOUNT_CLOSED", made.now), leg_id=returned_leg)
    assert made.state is State.RETURNED
    return made


def repaired(*deposits: str) -> World:
    """The same, with another account named and approved."""
    made = returned(*deposits)
    made.repair()
    made.approve()
    made.confirm()
    assert made.state is State.PAYING
    return made


def address(made: World) -> str:
    return f"/shops/{made.shop.shop_id}/refunds/{made.application_id}"


def read(made: World, part: re.Pattern[str]) -> str:
    found = part.search(portal_given.browser(made.shop.shop_key).get(address(made)).text)
    assert found is not None
    return MARKUP.sub(" ", found[1]).strip()


def where_to(made: World) -> str:
    return read(made, WHERE_TO)


def where_it_is(made: World) -> str:
    return read(made, WHERE_IS)


def test_a_part_that_came_back_is_told_apart_from_what_was_paid() -> None:
    made = returned("¥3,000")

    assert where_it_is(made) == f"¥2,000.00 {PAID} ¥3,000.00 {SET_ASIDE}"
    made.repair()
    made.approve()
    assert where_it_is(made) == f"¥2,000.00 {PAID} ¥3,000.00 {SET_ASIDE}"
    made.confirm()
    assert where_it_is(made) == f"¥2,000.00 {PAID} ¥3,000.00 Set aside for you, not yet sent"
    made.channel_pays()
    assert where_it_is(made) == PAID


def test_what_nobody_named_an_account_for_is_in_the_deposit_and_the_rest_stays_paid() -> None:
    made = returned("¥3,000")

    close_out(made)

    assert where_it_is(made) == f"¥2,000.00 {PAID} ¥3,000.00 In your deposit, available"


def close_out(made: World) -> None:
    made.let_repair_time_pass()
    made.propose_close_out()
    made.confirm_close_out()


def test_a_part_that_was_given_up_went_nowhere() -> None:
    made = repaired("¥3,000", "¥4,000")
    made.channel_pays()
    comes_back(made, "designated", "4562")

    close_out(made)

    assert where_to(made) == f"{WAY_BACK} {SECOND} ¥3,000.00"
    assert where_it_is(made) == f"¥5,000.00 {PAID} ¥4,000.00 In your deposit, available"


def test_a_part_that_was_never_paid_is_in_the_deposit() -> None:
    made = approved("¥3,000")
    made.channel_answers(FailedDefinite("ACCOUNT_CLOSED"), leg_id=designated(made).leg_id)
    made.channel_pays()

    assert where_it_is(made) == f"¥2,000.00 {PAID} ¥3,000.00 {SET_ASIDE}"


def test_what_was_called_off_before_it_was_sent_is_available() -> None:
    made = approved("¥3,000")

    made.withdraw()
    made.deliver()

    assert where_it_is(made) == "In your deposit, available"


def test_what_waits_for_its_payee_is_with_the_channel() -> None:
    made = approved("¥3,000")

    made.channel_answers(
        NeedsAction(NeededAction.USER_CONFIRM, "SIM0002"), leg_id=designated(made).leg_id
    )

    assert "¥3,000.00 With the payment channel, waiting for your confirmation" in where_it_is(made)


def test_whoever_names_another_account_reads_how_much_goes_there() -> None:
    made = returned("¥3,000")

    page = portal_given.browser(made.shop.shop_key).get(f"{address(made)}/destination").text

    assert "To be paid to another account: ¥3,000.00" in page


def test_before_a_repair_it_says_what_was_planned() -> None:
    assert where_to(returned("¥3,000")) == f"{WAY_BACK} {FIRST} ¥3,000.00"


def test_a_repair_leaves_the_part_that_went_back_where_it_was() -> None:
    made = repaired("¥3,000")

    assert where_to(made) == f"{WAY_BACK} {SECOND} ¥3,000.00"
    made.channel_pays()
    assert made.state is State.PAID
    assert where_to(made) == f"{WAY_BACK} {SECOND} ¥3,000.00"


def test_what_arrived_at_the_first_account_is_still_said_to_be_there() -> None:
    made = repaired("¥3,000", "¥4,000")

    assert where_to(made) == f"{WAY_BACK} {FIRST} ¥4,000.00 {SECOND} ¥3,000.00"


def comes_back(made: World, route: str, tail: str = "") -> None:
    """The bank gives the paid part back that went this way."""
    (leg,) = [
        leg
        for leg in made.view.payout.standing_legs
        if (leg.route, leg.tail) == (route, tail) and leg.state is LegState.PAID
    ]
    made.now += 2 * DAY
    made.channel_answers(Returned("SIM0001", "ACCOUNT_CLOSED", made.now), leg_id=leg.leg_id)
    assert made.state is State.RETURNED


def why(made: World) -> str:
    return read(made, WHY)


def may_be_named(made: World) -> dict[str, bool]:
    """The accounts that the page offers, by their last digits, and whether each can be chosen."""
    page = portal_given.browser(made.shop.shop_key).get(f"{address(made)}/destination").text
    offered = re.findall(
        r'name="destination" value="[^"]+"( disabled)?>.*?ending in (\d+)', page, re.DOTALL
    )
    return {tail: not disabled for disabled, tail in offered}


def test_an_account_that_was_good_can_be_named_for_what_comes_back_from_another() -> None:
    made = repaired("¥3,000", "¥4,000")
    made.channel_pays()

    comes_back(made, "designated", "4562")

    assert why(made).startswith("招商银行 did not accept it for the account ending in 4562.")
    assert may_be_named(made) == {"0003": True, "4562": False}
    made.repair(destination_id=made.view.destination.destination_id)
    assert made.state is State.DESTINATION_REPAIRED
    assert may_be_named(made) == {"0003": True, "4562": False}


def test_an_account_that_the_reviewer_refused_is_not_said_to_have_given_money_back() -> None:
    made = returned("¥3,000")
    made.repair()

    made.refuse_repair()

    assert why(made).startswith("招商银行 did not accept it for the account ending in 4562.")
    assert may_be_named(made) == {"0003": True, "4562": False}


def test_a_payment_that_does_not_take_its_refund_is_no_fault_of_the_account_named() -> None:
    made = returned("¥3,000")
    made.repair()
    made.approve()
    made.confirm()
    made.channel_pays()

    comes_back(made, "original")

    assert why(made).startswith("The account it came from can no longer take it.")
    assert may_be_named(made) == {"0003": True, "4562": True}


def test_staff_read_how_much_of_a_refund_goes_out_again() -> None:
    made = returned("¥3,000")
    made.repair()

    page = desk(Role.REVIEWER).get(f"/console/applications/{made.application_id}").text

    assert "Of this, to send again</dt><dd><strong>¥3,000.00</strong></dd>" in page
    made.approve()
    made.confirm()
    page = desk(Role.REVIEWER).get(f"/console/applications/{made.application_id}").text
    assert "Of this, to send again" not in page


def stuck() -> World:
    """The part that goes back is stuck at its channel; the others are paid."""
    made = approved("¥3,000")
    for leg in made.view.payout.legs:
        is_back = not leg.destination_id
        outcome = (
            NeedsAction(NeededAction.ABNORMAL_REFUND, "REFUND0001")
            if is_back
            else Succeeded("SIM0001", made.now)
        )
        made.channel_answers(outcome, leg_id=leg.leg_id)
    return made


def hand_over(made: World, outcome: Outcome | None) -> None:
    """Two people let the stuck part go to another account of the shop, and the channel is told."""
    (leg,) = (leg for leg in made.view.payout.legs if not leg.destination_id)
    account = given.destination(made.shop, number=OTHER_CARD).destination_id
    made.now += 4 * DAY  # a further account cools down first
    about = {"leg_id": leg.leg_id, "destination_id": account, "now": made.now}
    payouts.propose_hand_over(
        **about, reason="The card it came from is closed.", actor=given.reviewer()
    )
    payouts.confirm_hand_over(**about, actor=given.approver())
    if outcome is not None:
        made.channel_answers(outcome, leg_id=leg.leg_id)


@pytest.fixture
def handing_over(settings) -> Iterator[None]:
    with payouts_given.confirming_channel(settings):
        yield


@pytest.mark.usefixtures("handing_over")
@pytest.mark.parametrize("outcome", [Accepted("REFUND0001"), Succeeded("REFUND0001", NOW)])
def test_a_stuck_part_that_was_handed_over_is_said_to_go_to_that_account(outcome: Outcome) -> None:
    made = stuck()
    assert WAY_BACK in where_to(made)

    hand_over(made, outcome)

    assert f"{SECOND} ¥2,000.00" in where_to(made)
    assert f"{FIRST} ¥3,000.00" in where_to(made)
    assert "Back the way it came" not in where_to(made)


@pytest.mark.usefixtures("handing_over")
@pytest.mark.parametrize("outcome", [None, NotSent("connect_error")])
def test_a_stuck_part_that_went_on_by_itself_went_back_as_planned(outcome: Outcome | None) -> None:
    made = stuck()
    hand_over(made, outcome)
    (leg,) = (leg for leg in made.view.payout.legs if not leg.destination_id)

    payouts.hold_sending(reason="ask, do not tell", actor=given.approver(), now=made.now)
    made.now += DAY
    made.channel_answers(Succeeded("REFUND0001", made.now), leg_id=leg.leg_id)

    assert made.state is State.PAID
    assert WAY_BACK in where_to(made)
