"""The staff's pages: what they show, to whom, and how lists narrow and page."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from kuaitui.accounts.types import Role
from kuaitui.channels.port import Unknown
from kuaitui.facts.operations import record_reports
from kuaitui.facts.types import OrderReport, OrderStatus
from kuaitui.interfaces.console import words
from kuaitui.interfaces.console.templatetags.console import deadline
from kuaitui.interfaces.console.views import queue
from kuaitui.payouts.operations import stop_sending
from kuaitui.policy.types import CODES
from kuaitui.refunds.states import State
from tests.support import given, refunds_given
from tests.support.clock import standing_at
from tests.support.console_given import CLERK, desk
from tests.support.given import DAY, NOW, yuan
from tests.support.refunds_given import LARGE, MIDDLE, application

LATER = NOW + 3 * DAY
SUBMITTED_STATES = [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]
STAFF = [Role.REVIEWER, Role.APPROVER, Role.AUDITOR]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


def case_page(made):
    return f"/console/applications/{made.application_id}"


def shown(response):
    return re.findall(r'href="/console/applications/(rfa_\w+)"', response.text)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "state", [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]
)
def test_every_page_is_drawn_in_every_state(state, language):
    made = application(state, LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE)
    case = case_page(made)

    for role in STAFF:
        client = desk(role, language=language)
        for address in ["/console/", "/console/applications", case, "/console/payouts"]:
            response = client.get(address)
            assert response.status_code == 200, address
            assert "<c-" not in response.text
            assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", response.text)


def test_every_state_reason_and_condition_has_a_word():
    assert set(words.STATES) == set(State)
    assert set(words.CONDITIONS) == set(CODES)


def test_every_code_of_a_timeline_has_a_word():
    roads = [State.PAID, State.REJECTED, State.DESTINATION_REPAIRED, State.EXPIRED, State.APPEALED]

    told = {code for state in roads for code in application(state).codes}

    assert told <= set(words.TIMELINE)


def test_a_reviewer_sees_what_waits_for_review_and_an_approver_what_waits_for_approval():
    review, second = (
        application(State.IN_REVIEW),
        application(State.AWAITING_SECOND_APPROVAL, LARGE),
    )

    assert shown(desk(Role.REVIEWER).get("/console/")) == [review.application_id]
    assert shown(desk(Role.APPROVER).get("/console/")) == [second.application_id]
    assert shown(desk(Role.AUDITOR).get("/console/")) == []


def test_a_late_case_is_shown_as_late_to_everybody():
    made = application(State.IN_REVIEW)

    with standing_at(NOW + 60 * DAY):
        page = desk(Role.AUDITOR).get("/console/")

    assert shown(page) == [made.application_id]
    assert "late" in page.text


def test_a_deadline_is_the_day_that_the_seller_was_told():
    made = application(State.IN_REVIEW)
    assert made.view.due_on is not None
    last_day = f"{made.view.due_on:%Y-%m-%d} 24:00"
    client = desk(Role.REVIEWER)

    page = client.get(f"/console/applications/{made.application_id}").text

    assert last_day in page
    assert last_day in client.get("/console/applications").text
    assert deadline(NOW) == f"{timezone.localtime(NOW):%Y-%m-%d %H:%M}"


def test_a_payout_without_a_result_raises_an_alert():
    made = application(State.PAYING)
    made.channel_answers(Unknown("timeout"))
    assert "no definite result" not in desk(Role.REVIEWER).get("/console/").text

    with standing_at(NOW + 3 * given.DAY):
        page = desk(Role.REVIEWER).get("/console/")

    assert "no definite result" in page.text


def test_a_stopped_channel_raises_an_alert_with_its_reason():
    stop_sending(channel="*", reason="Bank holiday", actor=CLERK, now=NOW)

    assert "Bank holiday" in desk(Role.REVIEWER).get("/console/").text


def test_the_queue_narrows_by_state():
    review, paid = application(State.IN_REVIEW), application(State.PAID)
    client = desk(Role.REVIEWER)

    assert shown(client.get("/console/applications")) == [review.application_id]
    assert shown(client.get("/console/applications?state=review")) == [review.application_id]
    assert shown(client.get("/console/applications?state=done")) == [paid.application_id]
    assert shown(client.get("/console/applications?state=paid")) == [paid.application_id]
    assert shown(client.get("/console/applications?state=second")) == []
    assert shown(client.get("/console/applications?state=nonsense")) == [review.application_id]


def test_the_queue_narrows_by_amount_shop_age_and_risk():
    small = application(State.IN_REVIEW, "¥6,000")
    large = application(State.IN_REVIEW, LARGE)
    elsewhere = application(State.IN_REVIEW, route_open=False)
    client = desk(Role.REVIEWER)

    def found(query):
        return set(shown(client.get(f"/console/applications?{query}")))

    everything = {small.application_id, large.application_id, elsewhere.application_id}
    assert found("") == everything
    assert found("amount_from=60,000") == {large.application_id}
    assert found("amount_from=60000.01") == set()
    assert found(f"shop={small.shop.shop_id}") == {small.application_id}
    assert found("risk=large") == {large.application_id}
    assert found("risk=designated") == {elsewhere.application_id}
    assert found("age=1") == set()
    with standing_at(LATER):
        assert found("age=1") == everything
        assert found("age=3") == set()
    with standing_at(NOW + 60 * DAY):
        assert found("age=late") == everything


@pytest.mark.parametrize(
    ("query", "words_"),
    [
        ("amount_from=abc", "Enter an amount in figures"),
        ("amount_from=-5", "Enter an amount in figures"),
        ("amount_from=1.005", "more decimals"),
        ("amount_from=99999999999999999", "larger than this system"),
        ("shop=nobody", "No shop of this marketplace"),
        ("age=yesterday", "Select a valid choice"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named_and_kept(query, words_):
    made = application(State.IN_REVIEW)

    page = desk(Role.REVIEWER).get(f"/console/applications?{query}")

    assert page.status_code == 422
    assert words_ in page.text
    assert shown(page) == [made.application_id]


def test_the_queue_pages_by_key_and_back(monkeypatch):
    monkeypatch.setattr(queue, "ROWS_PER_PAGE", 2)
    made = [application(State.IN_REVIEW).application_id for _ in range(5)]
    client = desk(Role.REVIEWER)

    def follow(page, rel):
        link = re.search(rf'href="([^"]+)" rel="{rel}"', page.text)
        return client.get("/console/applications" + link[1].replace("&amp;", "&")) if link else None

    first = client.get("/console/applications")
    second = follow(first, "next")
    third = follow(second, "next")

    assert [shown(first), shown(second), shown(third)] == [made[:2], made[2:4], made[4:]]
    assert follow(third, "next") is None
    assert shown(follow(third, "prev")) == made[2:4]
    assert shown(follow(follow(third, "prev"), "prev")) == made[:2]
    assert follow(first, "prev") is None


def test_a_row_that_goes_does_not_shift_the_next_page(monkeypatch):
    monkeypatch.setattr(queue, "ROWS_PER_PAGE", 2)
    made = [application(State.IN_REVIEW) for _ in range(4)]
    client = desk(Role.REVIEWER)
    after = made[1].application_id

    made[0].withdraw()

    rest = shown(client.get(f"/console/applications?after={after}"))
    assert rest == [made[2].application_id, made[3].application_id]


@pytest.mark.parametrize("after", ["nonsense", "rfa_x", "%00", "' OR 1=1"])
def test_a_page_that_cannot_be_found_is_refused_in_words(after):
    page = desk(Role.REVIEWER).get(f"/console/applications?after={after}")

    assert page.status_code == (400 if after == "%00" else 422)


@pytest.mark.parametrize("application_id", ["rfa_unknown", "x" * 300, "%00"])
def test_an_unknown_case_is_not_found(application_id):
    assert desk(Role.REVIEWER).get(f"/console/applications/{application_id}").status_code == 404


def test_a_case_marks_what_changed_since_the_application():
    made = application(State.IN_REVIEW)
    before = desk(Role.REVIEWER).get(case_page(made)).text
    assert "/approve" in before
    assert "compare-changed" not in before
    order = OrderReport(
        shop_id=made.shop.shop_id,
        order_id="O-new",
        status=OrderStatus.SHIPPED,
        status_at=NOW,
        amount=yuan("129"),
    )

    record_reports([order], source="test", now=NOW)

    after = desk(Role.REVIEWER).get(case_page(made)).text
    assert "compare-changed" in after
    assert "O-new" in after
    assert "¥129.00" in after
    assert "The conditions are not met now" in after
    assert "/approve" not in after  # not offered, because it would be refused


def test_a_case_shows_the_account_masked_and_never_its_number():
    made = application(State.IN_REVIEW, route_open=False)

    page = desk(Role.REVIEWER).get(case_page(made)).text

    assert "**" in page or "*小明" in page
    assert given.OWNER not in page
    assert given.CARD.replace(" ", "") not in page.replace(" ", "")
    assert given.CARD.replace(" ", "")[-4:] in page


@pytest.mark.parametrize(
    ("state", "deposit", "acts"),
    [
        (State.IN_REVIEW, MIDDLE, {Role.REVIEWER: {"approve", "ask", "reject"}}),
        (State.AWAITING_SECOND_APPROVAL, LARGE, {Role.APPROVER: {"confirm", "send-back"}}),
        (State.APPEALED, MIDDLE, {Role.REVIEWER: {"appeal"}, Role.APPROVER: {"appeal"}}),
        (State.DESTINATION_REPAIRED, MIDDLE, {Role.REVIEWER: {"approve", "refuse-account"}}),
        (State.PAYING, MIDDLE, {}),
        (State.PAID, MIDDLE, {}),
    ],
)
def test_each_role_is_offered_its_acts_and_no_others(state, deposit, acts):
    made = application(state, deposit)

    for role in STAFF:
        page = desk(role).get(case_page(made)).text
        offered = set(re.findall(rf'href="{case_page(made)}/([\w-]+)"', page))
        assert offered == acts.get(role, set()), role


def test_the_story_names_people_and_reasons():
    made = application(State.REJECTED)

    page = desk(Role.AUDITOR).get(case_page(made)).text

    assert "Trade is not complete" in page
    assert "Order O-7 is open." in page


def test_hostile_words_of_a_seller_stay_words():
    made = refunds_given.world()
    made.submit(note="<script>alert(1)</script>")
    made.check()

    page = desk(Role.REVIEWER).get(case_page(made)).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
