"""Decisions over the staff's pages: each binds to what was shown, and happens once."""

from __future__ import annotations

import pytest
from django.test import Client

from kuaitui.accounts.models import User
from kuaitui.accounts.types import Role
from kuaitui.deposits.queries import destination
from kuaitui.kernel.money import Money
from kuaitui.refunds.states import State
from tests.support import given, refunds_given
from tests.support.clock import standing_at
from tests.support.console_given import PASSWORD, actor, desk, staff
from tests.support.given import NOW
from tests.support.refunds_given import LARGE, MIDDLE, TABLES, application

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


def page_of(made, act):
    return f"/console/applications/{made.application_id}/{act}"


def fields_of(response):
    """The hidden fields a browser would send back."""
    form = response.context["form"]
    return {name: str(form[name].value() or "") for name in form.fields if form[name].is_hidden}


def decide(client, made, act, **typed):
    address = page_of(made, act)
    return client.post(address, {**fields_of(client.get(address)), **typed})


def nothing_moves():
    return given.nothing_moves(*TABLES)


def test_a_reviewer_approves_and_the_payout_begins():
    made = application(State.IN_REVIEW)

    response = decide(desk(Role.REVIEWER), made, "approve", note="checked")

    assert response["Location"] == f"/console/applications/{made.application_id}"
    assert made.state is State.PAYING


def test_a_large_refund_needs_a_second_person_who_types_the_amount():
    made = application(State.IN_REVIEW, LARGE)

    decide(desk(Role.REVIEWER), made, "approve")
    assert made.state is State.AWAITING_SECOND_APPROVAL
    decide(desk(Role.APPROVER), made, "confirm", amount_retyped="60,000.00")

    assert made.state is State.PAYING
    assert [decision.kind for decision in made.case.decisions] == ["approve", "confirm"]


@pytest.mark.parametrize("typed", ["", "6", "60,000.01", "abc", "-60000", "６００００"])
def test_a_second_approval_with_another_amount_is_refused_and_kept(typed):
    made = application(State.AWAITING_SECOND_APPROVAL, LARGE)
    client = desk(Role.APPROVER)

    with nothing_moves():
        response = decide(client, made, "confirm", amount_retyped=typed)

    assert response.status_code == 422
    assert f'value="{typed}"' in response.text or not typed
    assert made.state is State.AWAITING_SECOND_APPROVAL


def test_whoever_approved_first_cannot_confirm_even_in_the_other_role():
    person = staff(Role.REVIEWER)
    made = application(State.IN_REVIEW, LARGE)
    decide(desk(person), made, "approve")
    User.objects.filter(pk=person.pk).update(role=Role.APPROVER)
    client = desk(User.objects.get(pk=person.pk))

    with nothing_moves():
        response = decide(client, made, "confirm", amount_retyped="60000")

    assert response.status_code == 403
    assert "somebody else than the first" in response.text


def test_the_second_person_sees_the_facts_before_the_first_ones_view():
    made = application(State.IN_REVIEW, LARGE)
    decide(desk(Role.REVIEWER), made, "approve", note="All is well, trust me.")

    page = desk(Role.APPROVER).get(page_of(made, "confirm")).text

    assert page.index("No open violation") < page.index("Type the amount again")
    assert page.index("Type the amount again") < page.index("All is well, trust me.")


def test_a_double_click_decides_once_and_shows_the_first_result():
    made = application(State.IN_REVIEW)
    client = desk(Role.REVIEWER)
    fields = fields_of(client.get(page_of(made, "approve")))

    first = client.post(page_of(made, "approve"), fields)
    with nothing_moves():
        second = client.post(page_of(made, "approve"), fields)

    assert first["Location"] == second["Location"]
    assert [decision.kind for decision in made.case.decisions] == ["approve"]


def test_of_two_reviewers_the_second_is_told_and_shown_the_case_as_it_is():
    made = application(State.IN_REVIEW)
    first, second = desk(Role.REVIEWER), desk(Role.REVIEWER)
    seen = fields_of(second.get(page_of(made, "reject")))
    decide(first, made, "ask", text="Who owns this account?")

    with nothing_moves():
        response = second.post(
            page_of(made, "reject"),
            {**seen, "reasons": "other", "text": "No.", "step": "reject"},
        )

    assert response.status_code == 409
    assert made.state is State.MORE_INFORMATION


def test_a_case_that_changed_in_review_keeps_what_was_typed_and_shows_the_new_version():
    made = application(State.IN_REVIEW)
    client = desk(Role.REVIEWER)
    seen = fields_of(client.get(page_of(made, "ask")))
    made.ask()
    made.answer()

    with nothing_moves():
        response = client.post(page_of(made, "ask"), {**seen, "text": "And who owns it?"})

    assert response.status_code == 409
    assert "changed this case since you opened it" in response.text
    assert "And who owns it?" in response.text
    assert fields_of(response)["version"] == str(made.view.version)
    again = client.post(page_of(made, "ask"), {**fields_of(response), "text": "And who owns it?"})
    assert again.status_code == 302
    assert made.state is State.MORE_INFORMATION


def test_an_approval_of_something_else_is_refused():
    made = application(State.IN_REVIEW)
    client = desk(Role.REVIEWER)
    seen = fields_of(client.get(page_of(made, "approve")))

    with nothing_moves():
        response = client.post(page_of(made, "approve"), {**seen, "approval_hash": "0" * 64})

    assert response.status_code == 409
    assert "no longer what you saw" in response.text


def test_a_rejection_is_previewed_as_the_seller_will_see_it_and_then_done():
    made = application(State.IN_REVIEW)
    client = desk(Role.REVIEWER)
    typed = {"reasons": ["trade_not_complete", "other"], "text": "Order O-7 is still open."}

    with nothing_moves():
        preview = decide(client, made, "reject", **typed, step="preview")
    assert "What the seller will see" in preview.text
    assert "You can appeal until" in preview.text
    assert made.state is State.IN_REVIEW
    done = client.post(page_of(made, "reject"), {**fields_of(preview), **typed, "step": "reject"})

    assert done.status_code == 302
    assert made.state is State.REJECTED
    assert made.view.rejection.text == typed["text"]
    assert set(made.view.rejection.reasons) == set(typed["reasons"])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"text": "No."}, "Choose at least one reason."),
        ({"reasons": "other"}, "Say why"),
        ({"reasons": "other", "text": "   "}, "Say why"),
        ({"reasons": "other", "text": "x" * 501}, "at most 500"),
        ({"reasons": "made_up", "text": "No."}, "made_up"),
    ],
)
def test_a_rejection_without_reasons_and_words_is_refused_and_kept(typed, words):
    made = application(State.IN_REVIEW)

    client = desk(Role.REVIEWER)
    with nothing_moves():
        response = decide(client, made, "reject", **typed, step="reject")

    assert response.status_code == 422
    assert words in response.text
    assert typed.get("text", "").strip() in response.text


def test_a_question_goes_to_the_seller_and_back():
    made = application(State.IN_REVIEW)

    decide(desk(Role.REVIEWER), made, "ask", text="Who owns this account?")

    assert made.state is State.MORE_INFORMATION
    assert made.view.question.text == "Who owns this account?"


def test_the_second_person_sends_back_with_words():
    made = application(State.AWAITING_SECOND_APPROVAL, LARGE)

    decide(desk(Role.APPROVER), made, "send-back", text="Look at O-7 again.")

    assert made.state is State.IN_REVIEW


@pytest.mark.parametrize(("granted", "state"), [("yes", State.IN_REVIEW), ("no", State.REJECTED)])
def test_an_appeal_is_decided(granted, state):
    made = application(State.APPEALED)

    decide(desk(Role.APPROVER), made, "appeal", granted=granted, text="O-7 was a test order.")

    assert made.state is state


def test_an_appeal_is_not_heard_by_whoever_rejected():
    person = staff(Role.REVIEWER)
    made = application(State.IN_REVIEW)
    made.reviewer = actor(person)
    made.reject()
    made.appeal()

    client = desk(person)
    with nothing_moves():
        response = decide(client, made, "appeal", granted="no", text="Still no.")

    assert response.status_code == 403
    assert made.state is State.APPEALED


def test_a_new_account_after_a_return_is_refused_with_words():
    made = application(State.DESTINATION_REPAIRED)

    decide(desk(Role.REVIEWER), made, "refuse-account", text="Not the same person.")

    assert made.state is State.RETURNED


def test_two_people_close_out_what_nobody_repaired():
    made = application(State.RETURNED)
    first, second = desk(Role.REVIEWER), desk(Role.APPROVER)
    case = f"/console/applications/{made.application_id}"
    assert f'href="{case}/close-out"' not in first.get(case).text
    made.let_repair_time_pass()
    with standing_at(made.now):
        assert f'href="{case}/close-out"' in first.get(case).text
        assert f'href="{case}/confirm-close-out"' not in second.get(case).text

        decide(first, made, "close-out", text="Nobody answers the telephone.")
        assert made.state is State.RETURNED
        assert (
            "Nobody answers the telephone." in second.get(page_of(made, "confirm-close-out")).text
        )
        decide(second, made, "confirm-close-out")

    assert made.state is State.CLOSED_OUT
    assert made.deposit.available == given.yuan(MIDDLE)


def test_nobody_closes_out_before_the_time_or_an_own_proposal():
    made = application(State.RETURNED)
    somebody = staff(Role.REVIEWER)
    early = desk(Role.REVIEWER).get(page_of(made, "close-out"))
    assert not early.context["is_possible"]
    made.let_repair_time_pass()
    with standing_at(made.now):
        decide(desk(somebody), made, "close-out", text="Nobody answers.")
        User.objects.filter(pk=somebody.pk).update(role=Role.APPROVER)

        with nothing_moves():
            response = decide(desk(somebody), made, "confirm-close-out")

    assert response.status_code == 403
    assert "somebody else than the one who proposed it" in response.text


def test_an_account_is_checked_before_the_refund_can_be_approved():
    made = refunds_given.world(MIDDLE, route_open=False)
    chosen = given.destination(made.shop, is_verified=False)
    made.submit(destination_id=chosen.destination_id)
    made.check()
    client = desk(Role.REVIEWER)
    case = client.get(f"/console/applications/{made.application_id}").text
    assert "The account is not checked yet" in case
    assert "/approve" not in case
    assert given.OWNER in client.get(page_of(made, "check-account")).text

    decide(client, made, "check-account")

    assert made.case.application.destination.is_verified
    assert "/approve" in client.get(f"/console/applications/{made.application_id}").text


def test_nobody_vouches_for_an_account_that_the_page_did_not_show():
    made = refunds_given.world(MIDDLE, route_open=False)
    chosen = given.destination(made.shop, is_verified=False)
    other = given.destination(given.shop(), is_verified=False)
    made.submit(destination_id=chosen.destination_id)
    made.check()
    client = desk(Role.REVIEWER)

    with nothing_moves():
        response = decide(client, made, "check-account", destination_id=other.destination_id)

    assert response.status_code == 409
    assert not destination(other.destination_id).is_verified
    decide(client, made, "check-account")
    assert made.case.application.destination.is_verified


@pytest.mark.parametrize(
    ("act", "role"),
    [("approve", Role.REVIEWER), ("confirm", Role.APPROVER), ("appeal", Role.REVIEWER)],
)
def test_a_decision_that_the_state_does_not_allow_shows_no_form(act, role):
    made = application(State.PAID)
    client = desk(role)

    with nothing_moves():
        page = client.get(page_of(made, act))
        answer = client.post(
            page_of(made, act),
            {"version": made.view.version, "approval_hash": "x", "amount_retyped": "1"},
        )

    assert "The case has moved on" in page.text
    assert 'method="post" class="stack"' not in page.text
    assert answer.status_code in {409, 422}


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "1.5"])
def test_a_decision_without_its_version_is_refused(version):
    made = application(State.IN_REVIEW)
    client = desk(Role.REVIEWER)
    seen = fields_of(client.get(page_of(made, "approve")))

    with nothing_moves():
        response = client.post(page_of(made, "approve"), {**seen, "version": version})

    assert response.status_code == 422


def test_what_was_typed_survives_an_expired_log_in():
    person = staff(Role.REVIEWER, password=PASSWORD)
    made = application(State.IN_REVIEW)
    client = Client(headers={"accept-language": "en"})
    client.post("/login", {"username": person.username, "password": PASSWORD})
    page = client.get(page_of(made, "reject"))
    fields = {
        **fields_of(page),
        "shown_to": page.text.split('name="shown_to" value="')[1].split('"')[0],
    }
    client.cookies.pop("kuaitui_session")  # the session ran out

    asked = client.post(
        page_of(made, "reject"),
        {**fields, "reasons": "other", "text": "A long letter.", "step": "reject"},
    )
    assert asked.status_code == 401
    back = client.post("/login", {"username": person.username, "password": PASSWORD})

    assert back["Location"] == page_of(made, "reject")
    shown = client.get(back["Location"]).text
    assert "A long letter." in shown
    assert made.state is State.IN_REVIEW  # shown again, never sent by itself


def test_money_shown_is_money_decided():
    made = application(State.IN_REVIEW, ("¥4,000", "¥6,000"))

    page = desk(Role.REVIEWER).get(page_of(made, "approve"))

    assert page.context["approval"].amount == Money(1_000_000, "CNY")
    assert "Approve ¥10,000.00" in page.text
