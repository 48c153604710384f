"""The staff's pages about deductions: announced, decided by another, appealed to a third."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from kuaitui.accounts.models import User
from kuaitui.accounts.types import Role
from kuaitui.deductions import queries
from kuaitui.deductions.operations import sweep_due
from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.states import CaseState
from kuaitui.deposits.operations import open_deposit_account
from kuaitui.deposits.queries import deposit
from kuaitui.deposits.types import DepositKind
from kuaitui.refunds.states import State
from tests.support import given
from tests.support.clock import standing_at
from tests.support.console_given import actor, desk, staff
from tests.support.deductions_given import DAY, Made, announce, announced, appealed
from tests.support.given import NOW, Shop, nothing_moves, yuan
from tests.support.refunds_given import application

pytestmark = pytest.mark.django_db
TABLES = ("deductions_case", "deductions_case_line")
WHY = "The courier's log shows it."


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW + DAY):
        yield


@pytest.fixture
def heard() -> Made:
    """A case whose seller has objected."""
    made = announced().later(DAY)
    made.reply()
    return made


def typed(shop: Shop, **changes: str) -> dict[str, str]:
    return {
        "account": shop.account_id,
        "reference": "K-9",
        "purpose": "compensation",
        "reason": "Three orders were sent late.",
        "clause": "Delivery rule 3.2",
        "description_1": "Sent late",
        "quantity_1": "3",
        "unit_1": "２０",
        "evidence_1": "O-1, O-2，O-3",
        "description_3": "Wrong goods",
        "unit_3": "40.50",
        "evidence_3": "D-7",
        **changes,
    }


def the_case() -> CaseView:
    (found,) = queries.cases(states=frozenset(CaseState), now=NOW + DAY)
    return found


def address(made: Made, act: str = "") -> str:
    return f"/console/deductions/{made.case_id}{act}"


def decision(made: Made, *numbers: int, text: str = WHY) -> dict[str, object]:
    return {"version": str(made.case.version), "numbers": list(map(str, numbers)), "text": text}


def test_a_reviewer_announces_item_by_item() -> None:
    shop = given.shop("¥500")
    client = desk(Role.REVIEWER)

    page = client.get(f"/console/deductions/announce?deposit={shop.account_id}")
    assert shop.account_id in page.content.decode()
    answer = client.post("/console/deductions/announce", typed(shop))

    found = the_case()
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/console/deductions/{found.case_id}"
    items = [(one.item.description, one.item.quantity, one.item.unit_amount) for one in found.items]
    assert items == [("Sent late", 3, yuan("20")), ("Wrong goods", 1, yuan("40.50"))]
    assert found.items[0].item.evidence == ("O-1", "O-2", "O-3")
    assert found.amount == found.set_aside == yuan("100.50")


def test_a_shop_with_one_deposit_may_be_named_instead() -> None:
    shop = given.shop("¥500")

    answer = desk(Role.REVIEWER).post(
        "/console/deductions/announce", typed(shop, account=shop.shop_id)
    )

    assert answer.status_code == 302
    assert the_case().account_id == shop.account_id


def test_a_shop_with_several_deposits_must_be_named_more_exactly() -> None:
    shop = given.shop("¥500")
    second = open_deposit_account(
        shop_key=shop.shop_key, kind=DepositKind.CAMPAIGN, required=yuan("1"),
        actor=given.clerk(), now=NOW,
    )  # fmt: skip

    answer = desk(Role.REVIEWER).post(
        "/console/deductions/announce", typed(shop, account=shop.shop_id)
    )

    assert answer.status_code == 422
    assert second in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": "no-such-shop"}, "No shop of this marketplace"),
        ({"account": "dep_00000000000000000000000000"}, "There is no such deposit"),
        ({"reference": ""}, "Enter the number of your case."),
        ({"reason": ""}, "Say what happened."),
        ({"clause": ""}, "Name the rule it rests on."),
        ({"unit_1": ""}, "Enter the amount."),
        ({"unit_1": "1.005"}, "decimals"),
        ({"unit_1": "0"}, "The amount must be more than zero."),
        ({"evidence_1": " "}, "Name at least one order or case."),
        ({"description_1": ""}, "Say what it is for."),
        ({"quantity_1": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_missing_is_said_beside_it_and_nothing_is_lost(
    changes: dict[str, str], said: str
) -> None:
    shop = given.shop("¥500")

    client = desk(Role.REVIEWER)
    with nothing_moves(*TABLES):
        answer = client.post("/console/deductions/announce", typed(shop, **changes))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "Wrong goods" in page


def test_without_an_item_nothing_is_announced() -> None:
    shop = given.shop("¥500")
    empty = {f"{name}_{row}": "" for name in ("description", "unit", "evidence") for row in (1, 3)}

    answer = desk(Role.REVIEWER).post("/console/deductions/announce", typed(shop, **empty))

    assert answer.status_code == 422
    assert "Enter at least one item." in answer.content.decode()


def test_the_same_number_again_does_not_say_that_the_seller_was_told() -> None:
    shop, reviewer = given.shop(), desk(Role.REVIEWER)
    first = reviewer.post("/console/deductions/announce", typed(shop), follow=True)
    assert "Announced. The seller has been told" in first.content.decode()

    with standing_at(NOW + 2 * DAY):
        again = reviewer.post("/console/deductions/announce", typed(shop), follow=True)

    assert "This number was announced before." in again.content.decode()


def test_the_same_number_again_leads_to_the_case_or_is_refused() -> None:
    shop, client = given.shop("¥500"), desk(Role.REVIEWER)
    first = client.post("/console/deductions/announce", typed(shop))

    again = client.post("/console/deductions/announce", typed(shop))
    other = client.post("/console/deductions/announce", typed(shop, unit_1="21"))

    assert again.headers["Location"] == first.headers["Location"]
    assert other.status_code == 409
    assert "announced another deduction" in other.content.decode()


def test_the_lists_say_who_is_next(heard: Made) -> None:
    waiting = announced()
    in_appeal = appealed()
    client = desk(Role.AUDITOR)

    def listed(query: str) -> str:
        return client.get(f"/console/deductions{query}").content.decode()

    assert heard.case_id in listed("")
    assert waiting.case_id not in listed("")
    assert waiting.case_id in listed("?state=waiting")
    assert in_appeal.case_id in listed("?state=appealed")
    assert "Nothing here" in listed("?state=done")


def test_another_person_takes_the_items_that_stand(heard: Made) -> None:
    client = desk(Role.APPROVER)
    page = client.get(address(heard, "/take")).content.decode()
    assert page.count(" checked") == 2
    assert "The courier was late." in page

    answer = client.post(address(heard, "/take"), decision(heard, 2))

    assert answer.status_code == 302
    assert heard.case.state is CaseState.TAKEN
    assert heard.case.taken == yuan("40")
    done = client.get(address(heard)).content.decode()
    assert "not taken" in done
    assert WHY.replace("'", "&#x27;") in done
    assert "陈核" in done


def test_nothing_is_taken_before_the_seller_was_heard() -> None:
    made = announced()

    client = desk(Role.APPROVER)
    page = client.get(address(made, "/take")).content.decode()
    with nothing_moves(*TABLES):
        answer = client.post(address(made, "/take"), decision(made, 1))

    assert "In its present state this cannot be decided." in page
    assert answer.status_code == 409


@pytest.mark.parametrize("numbers", [[], [7]])
def test_what_is_chosen_are_items_of_the_case(heard: Made, numbers: list[int]) -> None:
    client = desk(Role.APPROVER)
    with nothing_moves(*TABLES):
        answer = client.post(address(heard, "/take"), decision(heard, *numbers))

    assert answer.status_code == 422


def test_whoever_announced_it_reads_that_somebody_else_decides() -> None:
    """An approver who was a reviewer yesterday."""
    who: User = staff(Role.APPROVER)
    shop = given.shop("¥500")
    made = Made(shop, announce(shop, actor=actor(who)), NOW).later(DAY)
    made.reply()
    client = desk(who)

    assert "Take items" not in client.get(address(made)).content.decode()
    page = client.get(address(made, "/take")).content.decode()
    assert "You announced this deduction." in page
    with nothing_moves(*TABLES):
        answer = client.post(address(made, "/take"), decision(made, 1))
    assert answer.status_code == 403


def test_a_case_is_dropped_with_words_for_the_seller(heard: Made) -> None:
    client = desk(Role.REVIEWER)
    assert "Take nothing" in client.get(address(heard)).content.decode()

    assert client.post(address(heard, "/drop"), decision(heard, text="")).status_code == 422
    answer = client.post(address(heard, "/drop"), decision(heard))

    assert answer.status_code == 302
    assert heard.case.state is CaseState.DROPPED
    assert deposit(heard.shop.account_id).available == yuan("500")


def test_a_third_person_gives_back_what_the_appeal_bears() -> None:
    made = appealed()
    client: Client = desk(Role.REVIEWER)
    page = client.get(address(made, "/answer")).content.decode()
    assert " checked" not in page

    answer = client.post(address(made, "/answer"), decision(made, 1))

    assert answer.status_code == 302
    assert made.case.given_back == yuan("60")
    assert "given back" in client.get(address(made)).content.decode()


def test_an_appeal_of_which_nothing_is_given_back_stands() -> None:
    made = appealed()

    desk(Role.APPROVER).post(address(made, "/answer"), decision(made))

    assert made.case.state is CaseState.UPHELD


def test_a_decision_on_what_has_moved_on_is_refused(heard: Made) -> None:
    shown = decision(heard, 1)
    heard.drop()

    answer = desk(Role.APPROVER).post(address(heard, "/take"), shown)

    assert answer.status_code == 409
    assert "moved on" in answer.content.decode()


def test_the_work_list_calls_for_what_waits(heard: Made) -> None:
    for role in (Role.REVIEWER, Role.APPROVER):
        page = desk(role).get("/console/").content.decode()
        assert "Of 1 deduction the seller has replied" in page
        assert "was appealed" not in page


def test_who_reviews_a_refund_sees_what_is_announced_of_the_deposit() -> None:
    applied = application(State.IN_REVIEW)
    page, reviewer = reverse("console:case", args=[applied.application_id]), desk(Role.REVIEWER)
    assert "is announced for this deposit" not in reviewer.get(page).content.decode()

    case_id = announce(applied.shop)

    seen = reviewer.get(page).content.decode()
    assert "100.00 is announced for this deposit" in seen
    assert "0.00 is set aside for it: no more was free." in seen
    assert f"/console/deductions/{case_id}" in seen


def test_before_more_is_taken_than_there_is_the_page_says_where_it_comes_from() -> None:
    applied = application(State.IN_REVIEW)
    made = Made(applied.shop, announce(applied.shop), NOW)
    page = address(made, "/take")

    with standing_at(made.case.reply_until):
        seen = desk(Role.APPROVER).get(page).content.decode()
    assert "The deposit does not cover all items" in seen
    assert "of open applications, as far as it has not been sent." in seen

    with standing_at(NOW + 2 * DAY):
        enough = announced()
        enough.reply()
        covered = desk(Role.APPROVER).get(address(enough, "/take")).content.decode()
    assert "The deposit does not cover all items" not in covered


def test_staff_read_that_an_appeal_was_not_answered_in_time() -> None:
    made = appealed()
    lapses_at = made.case.answer_lapses_at
    assert lapses_at is not None
    with standing_at(lapses_at):
        due = desk(Role.REVIEWER).get(address(made)).content.decode()
        assert "Decide the appeal" not in due
        sweep_due(now=lapses_at)
        ended = desk(Role.REVIEWER).get(address(made)).content.decode()

    assert "Nobody answered the appeal in time" in ended


def test_the_pages_speak_chinese(heard: Made) -> None:
    client = desk(Role.APPROVER, language="zh-hans")

    for page in ("/console/deductions", address(heard), address(heard, "/take")):
        assert "扣除" in client.get(page).content.decode()
