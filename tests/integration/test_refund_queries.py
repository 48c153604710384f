"""What sellers and staff are shown of applications."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import payout_of_application
from kuaitui.refunds import operations, queries
from kuaitui.refunds.errors import ApplicationUnknown, CursorBroken
from kuaitui.refunds.queries import QueueFilters
from kuaitui.refunds.states import FACTS, NextActor, State
from kuaitui.refunds.types import AmountChoice, Reason
from tests.support import given
from tests.support.given import DAY, NOW, yuan
from tests.support.refunds_given import LARGE, MIDDLE, SMALL, World, application, large, world

pytestmark = pytest.mark.django_db


def ids(page: queries.QueuePage) -> list[str]:
    return [row.application_id for row in page.rows]


def test_the_work_list_counts_each_open_state_with_its_clock() -> None:
    first = application(State.IN_REVIEW)
    application(State.IN_REVIEW)
    application(State.MORE_INFORMATION)
    application(State.PAID)
    due_at = first.view.due_at

    work = queries.work_list(viewer_id="usr_x", now=NOW)
    by_state = {item.state: item for item in work.counts}

    assert by_state[State.IN_REVIEW].count == 2
    assert by_state[State.IN_REVIEW].oldest_since == NOW
    assert by_state[State.MORE_INFORMATION].count == 1
    assert State.PAID not in by_state
    assert work.late_count == 0
    late = queries.work_list(viewer_id="usr_x", now=due_at)
    assert {item.state: item.late_count for item in late.counts if item.late_count} == {
        State.IN_REVIEW: 2
    }


def test_a_second_approver_is_not_shown_their_own_cases() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)

    def shown_to(person: str) -> list[str]:
        page = queries.queue(filters=QueueFilters(confirmable_by=person), now=NOW)
        assert queries.work_list(viewer_id=person, now=NOW).to_confirm_count == len(page.rows)
        return ids(page)

    assert shown_to(made.approver.id) == [made.application_id]
    assert shown_to(made.reviewer.id) == []
    assert shown_to(made.seller.id) == []


def test_the_queue_pages_without_losing_or_repeating_while_cases_move() -> None:
    made = [application(State.IN_REVIEW) for _ in range(7)]
    seen: list[str] = []
    after = None

    while True:
        page = queries.queue(filters=QueueFilters(), after=after, limit=3, now=NOW)
        seen.extend(ids(page))
        made[len(seen) - 1].reject()
        after = page.next
        if after is None:
            break

    assert seen == [item.application_id for item in made]


def test_a_broken_cursor_is_refused() -> None:
    with pytest.raises(CursorBroken):
        queries.queue(filters=QueueFilters(), after="rfa_nobody", now=NOW)


def test_filters_narrow_the_queue() -> None:
    small = application(State.IN_REVIEW, SMALL, route_open=False)
    middle = application(State.IN_REVIEW, MIDDLE)
    big = large(State.AWAITING_SECOND_APPROVAL)

    def found(**filters: object) -> list[str]:
        return ids(queries.queue(filters=QueueFilters(**filters), now=NOW))

    assert found(states=frozenset({State.IN_REVIEW})) == [
        small.application_id, middle.application_id,
    ]  # fmt: skip
    assert found(amount_from=yuan(MIDDLE)) == [middle.application_id, big.application_id]
    assert found(amount_from=Money(1, "USD")) == []
    assert found(shop_key=middle.shop.shop_key) == [middle.application_id]
    assert found(application_id=big.application_id) == [big.application_id]
    assert found(requires_second_approval=True) == [big.application_id]
    assert found(needs_destination=True) == [small.application_id]
    assert found(is_late=True) == []
    assert found(submitted_before=NOW) == []


def test_a_case_shows_facts_as_they_were_and_as_they_are() -> None:
    made = application(State.IN_REVIEW, route_open=False)
    assert made.case.differences == ()

    given.pay_in(made.shop.account_id, "¥5", reference="later")

    case = made.case
    assert [difference.path.split(".")[0] for difference in case.differences] == ["deposit"]
    assert case.facts_then != case.facts_now
    assert case.assessment_now.is_eligible
    assert case.approval is not None
    assert case.approval.destination == made.view.destination
    assert case.shops_sharing_destination == 0


def test_another_shops_account_number_is_told_to_the_reviewer() -> None:
    first = application(State.IN_REVIEW, route_open=False)

    second = application(State.IN_REVIEW, route_open=False)

    assert second.case.shops_sharing_destination == 1
    assert first.case.shops_sharing_destination == 1


@pytest.mark.parametrize(
    "state", [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]
)
def test_every_state_is_shown_with_its_four_answers(state: State) -> None:
    made = application(state, LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE)
    view = made.view

    assert view.state_facts == FACTS[state]
    assert view.timeline[0].code == "submitted"
    assert [event.number for event in view.timeline] == sorted(e.number for e in view.timeline)
    waits = view.state_facts.next_actor is not NextActor.NOBODY
    if view.due_at is not None:
        assert waits
        assert view.due_on is not None
    assert made.case.application == view
    (line, *_) = queries.applications_of_shop(shop_key=made.shop.shop_key, now=made.now)
    assert (line.application_id, line.state) == (made.application_id, state)


def test_an_application_that_is_late_says_so() -> None:
    made = application(State.IN_REVIEW)
    due_at = made.view.due_at
    made.now = due_at - dt.timedelta(microseconds=1)
    assert not made.view.is_late

    made.now = due_at

    assert made.view.is_late


def test_waiting_for_the_seller_is_nobodys_delay() -> None:
    made = application(State.MORE_INFORMATION)
    made.now = made.view.due_at + DAY

    assert not made.view.is_late


def test_a_shops_applications_are_its_own_and_the_newest_comes_first() -> None:
    made = application(State.WITHDRAWN)
    first = made.application_id
    made.submit(choice=AmountChoice.PART, amount=yuan("1"))
    application(State.IN_REVIEW)

    found = queries.applications_of_shop(shop_key=made.shop.shop_key, now=NOW)

    assert [item.application_id for item in found] == [made.application_id, first]


def test_a_draft_is_not_an_application_yet() -> None:
    made = world(MIDDLE)
    draft_id = operations.save_draft(
        account_id=made.shop.account_id, shop_key=made.shop.shop_key, choice=AmountChoice.WHOLE,
        amount=None, reason=Reason.OTHER, note="", destination_id="", actor=made.seller, now=NOW,
    )  # fmt: skip

    assert queries.applications_of_shop(shop_key=made.shop.shop_key, now=NOW) == ()
    assert ids(queries.queue(filters=QueueFilters(), now=NOW)) == []
    with pytest.raises(ApplicationUnknown):
        queries.case(application_id=draft_id, now=NOW)


def test_a_page_of_the_queue_costs_one_query_whatever_its_length() -> None:
    made: list[World] = [application(State.IN_REVIEW) for _ in range(4)]

    with CaptureQueriesContext(connection) as spent:
        page = queries.queue(filters=QueueFilters(), now=NOW)

    assert len(page.rows) == len(made)
    assert len(spent) == 1


def test_a_shops_list_costs_the_same_two_queries_however_many_were_paid() -> None:
    made = application(State.PAYING, MIDDLE)
    shop = {"shop_key": made.shop.shop_key, "now": NOW}
    made.channel_pays()

    with CaptureQueriesContext(connection) as spent_on_one:
        (only,) = queries.applications_of_shop(**shop)
    refund_another(made.shop)
    refund_another(made.shop)
    with CaptureQueriesContext(connection) as spent_on_three:
        found = queries.applications_of_shop(**shop)

    assert only.payout is not None
    assert [one.payout for one in found] == [
        payout_of_application(one.application_id) for one in found
    ]
    assert len(found) == 3
    assert len(spent_on_one) == len(spent_on_three) == 2


def refund_another(shop: given.Shop) -> None:
    given.pay_in(shop.account_id, MIDDLE)
    made = World(shop)
    made.submit()
    made.check()
    made.approve()
    made.channel_pays()
