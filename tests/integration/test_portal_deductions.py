"""What a seller sees of a deduction, and can say to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from kuaitui.deductions.operations import sweep_due
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import Reply
from kuaitui.kit import outbox
from kuaitui.notifications.queries import notices_of
from kuaitui.notifications.types import NoticeCode
from tests.support import portal_given
from tests.support.clock import standing_at
from tests.support.deductions_given import DAY, Made, announce, announced, appealed, taken
from tests.support.given import NOW, nothing_moves

pytestmark = pytest.mark.django_db
TABLES = ("deductions_case", "deductions_case_line")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW + DAY):
        yield


def browser(made: Made, language: str = "en") -> Client:
    return portal_given.browser(made.shop.shop_key, language=language)


def address(made: Made, act: str = "") -> str:
    return f"/shops/{made.shop.shop_id}/deductions/{made.case_id}{act}"


def page(made: Made, path: str) -> str:
    return browser(made).get(f"/shops/{made.shop.shop_id}/{path}").content.decode()


def test_the_first_page_says_that_something_is_to_be_deducted_and_until_when_to_reply() -> None:
    made = announced()

    home = page(made, "")

    assert "The marketplace wants to deduct ¥100.00" in home
    assert address(made) in home
    assert "for a deduction that was announced; nothing is taken yet" in home


def test_the_sum_of_the_deposit_still_adds_up() -> None:
    made = announced()

    home = page(made, "")

    assert 'data-refundable-minor="40000"' in home
    assert "On the way back to you" not in home


def test_the_conditions_name_what_is_set_aside() -> None:
    made = announced()

    assert "¥100.00 is set aside for a deduction" in page(
        made, f"deposits/{made.shop.account_id}/eligibility"
    )


def test_its_page_shows_reason_rule_items_and_evidence() -> None:
    made = announced()

    shown = browser(made).get(address(made)).content.decode()

    for words in (
        "Orders were sent late", "Delivery rule 3.2", "3 × ¥20.00", "O-1, O-2, O-3", "Wrong goods",
        "¥100.00", "You can reply",
    ):  # fmt: skip
        assert words in shown


def test_a_seller_objects_once_and_the_page_says_what_comes_next() -> None:
    made = announced().later(DAY)
    client = browser(made)
    assert client.get(address(made, "/reply")).status_code == 200

    answer = client.post(
        address(made, "/reply"), {"reply": "objects", "text": "The courier was late."}
    )

    assert answer.headers["Location"] == address(made)
    assert made.case.reply is Reply.OBJECTS
    shown = client.get(address(made)).content.decode()
    assert "The marketplace is deciding on this deduction" in shown
    assert "The courier was late." in shown
    assert client.get(address(made, "/reply")).headers["Location"] == address(made)


def test_whoever_agrees_need_not_say_more() -> None:
    made = announced()

    browser(made).post(address(made, "/reply"), {"reply": "accepts", "text": ""})

    assert made.case.reply is Reply.ACCEPTS


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"text": "x"}, "Choose one."),
        ({"reply": "objects", "text": ""}, "Write a few words"),
        ({"reply": "maybe", "text": "x"}, "Select a valid choice"),
    ],
)
def test_what_is_missing_is_said_beside_it(typed: dict[str, str], said: str) -> None:
    made = announced()

    client = browser(made)
    with nothing_moves(*TABLES):
        answer = client.post(address(made, "/reply"), typed)

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_late_reply_leads_to_how_things_stand() -> None:
    made = announced()
    client = browser(made)

    with standing_at(made.case.reply_until):
        answer = client.post(address(made, "/reply"), {"reply": "accepts", "text": ""}, follow=True)

    assert "The time to reply is over." in answer.content.decode()
    assert made.case.reply is None


def test_a_seller_appeals_once() -> None:
    made = taken()
    client = browser(made)
    assert "¥100.00" in client.get(address(made, "/appeal")).content.decode()

    answer = client.post(address(made, "/appeal"), {"text": "Here is the receipt."})

    assert answer.headers["Location"] == address(made)
    assert made.case.state is CaseState.APPEALED
    assert client.get(address(made, "/appeal")).status_code == 302


def test_what_was_given_back_is_shown_with_the_words_for_it() -> None:
    made = appealed()
    made.answer([1])

    shown = browser(made).get(address(made)).content.decode()
    listed = page(made, "deductions")

    assert "A part of it was given back" in shown
    assert "¥60.00 is in your deposit again." in shown
    assert "¥40.00 stays deducted." in shown
    assert "No appeal is possible any more." in shown
    assert "¥60.00 of it was given back after your appeal" in listed
    assert "¥60.00 given back" in listed


def test_what_the_deposit_does_not_cover_is_said_before_and_after() -> None:
    made = announced("¥30")
    before = browser(made).get(address(made)).content.decode()
    assert "¥30.00 is set aside in your deposit, and still yours." in before
    assert "If ¥70.00 is still missing when it is decided, it would be owed." in before

    made.heard().take([1])
    after = browser(made).get(address(made)).content.decode()
    assert "¥30.00 was taken from your deposit." in after
    assert "On that day the deposit did not cover ¥30.00 of it." in after

    late = made.heard()
    late.appeal()
    late.answer([1])
    back = browser(made).get(address(made)).content.decode()
    assert "Your appeal was granted: all of it was given back" in back
    assert "¥30.00 is in your deposit again." in back
    assert "¥30.00 made less what you owed." in back


def test_where_nothing_was_free_nothing_is_said_to_be_set_aside() -> None:
    first = announced("¥100")
    made = Made(first.shop, announce(first.shop, reference="K-2"), NOW)
    shown = browser(made).get(address(made)).content.decode()
    assert "Nothing could be set aside" in shown

    made.later(DAY).drop()
    dropped = browser(made).get(address(made)).content.decode()
    assert "Nothing was set aside for it, so nothing changes in your deposit." in dropped
    first.later(DAY).drop()
    free = browser(first).get(address(first)).content.decode()
    assert "¥100.00 that was set aside for it is free again." in free


def test_what_is_taken_in_part_frees_the_rest_and_the_first_page_says_until_when_to_appeal() -> (
    None
):
    made = taken(numbers=[2])

    shown, home = browser(made).get(address(made)).content.decode(), page(made, "")

    assert "¥40.00 was taken from your deposit." in shown
    assert "¥60.00 that was set aside for it is free again." in shown
    assert "¥40.00 was deducted" in home
    assert "If you do not agree, you can appeal until" in home
    assert "¥40.00 deducted" in page(made, "deductions")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("reply_until", "The time to reply is over."),
        ("decide_by", "We are late with the decision, and it comes first."),
        ("lapses_at", "Nothing is deducted: it was not decided in time"),
    ],
)
def test_its_page_says_how_far_it_is(at: str, said: str) -> None:
    made = announced()

    with standing_at(getattr(made.case, at)):
        shown = browser(made).get(address(made)).content.decode()

    assert said in shown


def test_an_appeal_that_nobody_answers_is_explained_before_and_after() -> None:
    made = appealed()
    lapses_at = made.case.answer_lapses_at
    assert lapses_at is not None
    assert "all of it is given back." in browser(made).get(address(made)).content.decode()
    over = "All of it is given back: your appeal was not answered in time"

    with standing_at(lapses_at):
        assert over in browser(made).get(address(made)).content.decode()
        sweep_due(now=lapses_at)
        outbox.deliver_due(now=lapses_at)
        ended = browser(made).get(address(made)).content.decode()

    assert "All of it was given back: your appeal was not answered in time" in ended
    assert "¥100.00 is in your deposit again." in ended
    newest = notices_of(shop_key=made.shop.shop_key)[0]
    assert newest.code is NoticeCode.DEDUCTION_APPEAL_LAPSED


def test_when_the_time_to_appeal_is_over_no_appeal_is_offered() -> None:
    made = taken()
    over, answer_late = made.case.appeal_until, appealed()
    assert over is not None
    with standing_at(over):
        shown = browser(made).get(address(made)).content.decode()
        assert "If you do not agree" not in page(made, "")
    assert "Nobody: the time to appeal is over" in shown
    assert "No appeal is possible any more." in shown
    assert "you can appeal" not in shown

    with standing_at(answer_late.case.answer_by):
        late = browser(answer_late).get(address(answer_late)).content.decode()
    assert "We are late with your appeal, and it comes first." in late


def test_the_statement_names_each_movement_and_leads_to_the_case() -> None:
    made = appealed()
    made.answer([1])

    statement = page(made, f"statement?deposit={made.shop.account_id}")

    for words in (
        "Set aside for a deduction that was announced", "No longer set aside for a deduction",
        "Given back after your appeal", "Deducted", address(made),
    ):  # fmt: skip
        assert words in statement


def test_who_has_not_replied_is_told_that_time_runs_out() -> None:
    made = announced()
    moment = made.case.reply_until - 2 * DAY
    sweep_due(now=moment)
    outbox.deliver_due(now=moment)

    (newest, _) = notices_of(shop_key=made.shop.shop_key)[:2]
    assert (newest.code, newest.object_id) == (NoticeCode.DEDUCTION_REMINDED, made.case_id)
    messages = page(made, "messages")
    assert "The time to reply to a deduction ends soon" in messages


def test_every_step_is_told_to_the_shop_once() -> None:
    made = appealed()
    made.answer([])
    outbox.deliver_due(now=NOW + 9 * DAY)

    told = [
        notice.code
        for notice in notices_of(shop_key=made.shop.shop_key)
        if notice.object_id == made.case_id
    ]

    assert told == [
        NoticeCode.DEDUCTION_UPHELD,
        NoticeCode.DEDUCTION_APPEALED,
        NoticeCode.DEDUCTION_TAKEN,
        NoticeCode.DEDUCTION_ANNOUNCED,
    ]
    codes = [notice.code for notice in notices_of(shop_key=made.shop.shop_key)]
    assert NoticeCode.DEDUCTED not in codes
    assert address(made) in page(made, "messages")


def test_the_pages_speak_chinese() -> None:
    made = announced()
    client = browser(made, "zh-hans")

    for path in (address(made), address(made, "/reply"), f"/shops/{made.shop.shop_id}/"):
        assert "扣除" in client.get(path).content.decode()
