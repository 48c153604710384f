"""A deduction is announced, its seller is heard, another person decides, a third hears the appeal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kuaitui.audit.queries import events_of
from kuaitui.deductions import errors, operations, queries, rules
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import Reply
from kuaitui.deposits import queries as deposits
from kuaitui.deposits.errors import (
    DeductionEmpty,
    DeductionItemUnexplained,
    DeductionReasonMissing,
    DeductionTooLong,
    DepositAccountUnknown,
    DepositCurrencyWrong,
)
from kuaitui.deposits.operations import freeze_deposit, release_deposit
from kuaitui.deposits.types import DeductionItem, DeductionPurpose
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.ledger import queries as ledger
from kuaitui.refunds.queries import differences as refund_differences
from kuaitui.refunds.queries import terms_in_force
from tests.support import given
from tests.support.deductions_given import (
    ANNOUNCER,
    DAY,
    DECIDER,
    ITEMS,
    THIRD,
    Made,
    announce,
    announced,
    appealed,
    taken,
)
from tests.support.given import NOW, yuan

pytestmark = pytest.mark.django_db
TABLES = ("deductions_case", "deductions_case_line")


@pytest.fixture(autouse=True)
def everything_adds_up():
    """Whatever happened in a test: books, lots, holds and cases tell the same story."""
    yield
    assert not ledger.differences()
    assert not deposits.differences()
    assert not refund_differences()
    assert not queries.differences()


# Announcing


def test_what_is_announced_is_set_aside_and_not_taken() -> None:
    made = announced("¥500")

    assert made.figures == ("0", "100", "400", "0")
    assert made.case.state is CaseState.ANNOUNCED
    assert [one.item for one in made.case.items] == list(ITEMS)
    assert (made.case.amount, made.case.taken) == (yuan("100"), yuan("0"))
    assert (made.case.can_reply, made.case.can_be_taken) == (True, False)


def test_the_dates_are_whole_days_of_the_marketplace() -> None:
    case = announced().case

    # NOW is the morning of a day in Shanghai; seven whole days for the seller follow it.
    days = [(moment - NOW) / DAY for moment in (case.reply_until, case.lapses_at)]
    assert 7 < days[0] <= 8
    assert days[1] - days[0] == pytest.approx(30)
    assert case.reply_until.astimezone(dt.timezone(dt.timedelta(hours=8))).time() == dt.time()
    assert case.reply_until < case.decide_by <= case.lapses_at


def test_more_than_the_deposit_holds_is_set_aside_as_far_as_it_reaches() -> None:
    made = announced("¥30")

    assert made.figures == ("0", "30", "0", "0")
    assert (made.case.amount, made.case.set_aside) == (yuan("100"), yuan("30"))


def test_nothing_is_set_aside_of_an_empty_deposit() -> None:
    made = announced("¥30")
    second = Made(made.shop, announce(made.shop, reference="K-2"), NOW)

    assert second.case.set_aside == yuan("0")
    second.later(DAY).drop()
    assert made.figures == ("0", "30", "0", "0")


def test_the_same_announcement_twice_is_one_case() -> None:
    made = announced()

    with given.nothing_moves(*TABLES):
        assert announce(made.shop) == made.case_id
    with given.nothing_moves(*TABLES), pytest.raises(errors.CaseReferenceReused):
        announce(made.shop, items=ITEMS[:1])


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"items": ()}, DeductionEmpty),
        ({"items": (DeductionItem(" ", 1, yuan("1"), ("O",)),)}, DeductionItemUnexplained),
        ({"items": (DeductionItem("late", 1, Money(1, "USD"), ("O",)),)}, DepositCurrencyWrong),
        ({"reason": " "}, DeductionReasonMissing),
        ({"clause": ""}, DeductionReasonMissing),
        ({"reference": " "}, errors.CaseReferenceMissing),
        ({"account_id": "dep_0"}, DepositAccountUnknown),
    ],
)
def test_what_does_not_explain_itself_is_not_announced(
    changes: dict[str, object], refusal: type[Refusal]
) -> None:
    shop = given.shop()

    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        announce(shop, **changes)


def test_the_same_number_with_other_words_or_items_is_another_announcement() -> None:
    made = announced()
    other = (DeductionItem("All of it", 1, yuan("100"), ("O-1",)),)

    for changes in ({"items": other}, {"reason": "Another."}, {"clause": "Rule 9"}):
        with given.nothing_moves(*TABLES), pytest.raises(errors.CaseReferenceReused):
            announce(made.shop, **changes)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": "x" * 501}, DeductionTooLong),
        ({"clause": "x" * 201}, DeductionTooLong),
        ({"items": (DeductionItem("x" * 201, 1, yuan("1"), ("O",)),)}, DeductionTooLong),
        ({"items": (DeductionItem("x", 2**31, yuan("1"), ("O",)),)}, DeductionTooLong),
        ({"items": (DeductionItem("x", 1, yuan("1"), ("O",) * 1001),)}, DeductionTooLong),
        ({"items": (DeductionItem("x", 1, yuan("1"), ("O",)),) * 1001}, DeductionTooLong),
        ({"reference": "x" * 81}, errors.CaseTextTooLong),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    changes: dict[str, object], refusal: type[Refusal]
) -> None:
    shop = given.shop()

    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        announce(shop, **changes)


# Replying


@pytest.mark.parametrize(
    ("reply", "text"),
    [(Reply.OBJECTS, "The courier was late."), (Reply.ACCEPTS, ""), (Reply.ACCEPTS, "Sorry.")],
)
def test_a_seller_replies_once_and_the_decision_may_follow(reply: Reply, text: str) -> None:
    made = announced().later(DAY)

    made.reply(reply, text)

    assert (made.case.reply, made.case.reply_text) == (reply, text)
    assert (made.case.can_reply, made.case.can_be_taken) == (False, True)
    assert made.figures == ("0", "100", "400", "0")
    with given.nothing_moves(*TABLES), pytest.raises(errors.RepliedAlready):
        made.reply()


def test_an_objection_says_why() -> None:
    with pytest.raises(errors.CaseTextMissing):
        announced().reply(Reply.OBJECTS, " ")
    with pytest.raises(errors.CaseTextTooLong):
        announced().reply(Reply.OBJECTS, "x" * 1001)


def test_a_reply_comes_in_time_or_not_at_all() -> None:
    made = announced().heard()

    with given.nothing_moves(*TABLES), pytest.raises(errors.TooLateToReply):
        made.reply()
    made.later(-dt.timedelta(microseconds=1)).reply()


def test_another_shop_sees_no_case_here() -> None:
    made, other = announced(), given.shop()

    with pytest.raises(errors.CaseUnknown):
        queries.case(made.case_id, now=NOW, shop_key=other.shop_key)
    for act in (Made.reply, Made.appeal):
        with given.nothing_moves(*TABLES), pytest.raises(errors.CaseUnknown):
            act(Made(other, made.case_id, NOW))
    assert queries.cases_of_shop(shop_key=other.shop_key, now=NOW) == ()
    assert len(queries.cases_of_shop(shop_key=made.shop.shop_key, now=NOW)) == 1


# Deciding


def test_nothing_is_taken_before_the_seller_was_heard() -> None:
    made = announced().later(DAY)

    with given.nothing_moves(*TABLES), pytest.raises(errors.NotYetHeard):
        made.take()
    with given.nothing_moves(*TABLES), pytest.raises(errors.NotYetHeard):
        made.heard().later(-dt.timedelta(microseconds=1)).take()
    made.heard().take()

    assert made.case.state is CaseState.TAKEN


def test_whoever_announced_it_or_spoke_for_the_shop_does_not_take() -> None:
    made = announced().later(DAY)
    made.reply()

    for involved in (ANNOUNCER, made.shop.seller):
        with given.nothing_moves(*TABLES), pytest.raises(errors.DeciderInvolved):
            made.take(actor=involved)


def test_what_is_taken_is_a_deduction_with_its_calculation() -> None:
    made = announced().later(DAY)
    made.reply()

    deduction_id = made.take()

    (deduction,) = deposits.deductions(account_id=made.shop.account_id)
    assert deduction.deduction_id == deduction_id == made.case.deduction_id
    assert deduction.items == ITEMS
    assert (deduction.reason, deduction.clause) == (made.case.reason, made.case.clause)
    assert made.figures == ("100", "0", "400", "0")
    assert made.case.can_appeal
    assert queries.case_of_deduction(deduction_id, now=NOW) == made.case


def test_only_the_items_that_stand_are_taken() -> None:
    made = taken(numbers=[2])

    assert made.figures == ("40", "0", "460", "0")
    assert [one.is_taken for one in made.case.items] == [False, True]
    assert made.case.taken == yuan("40")


def test_more_than_the_deposit_holds_is_owed() -> None:
    assert taken("¥30").figures == ("30", "0", "0", "70")


def test_an_open_application_keeps_what_no_case_needs() -> None:
    """What an application set aside is taken only for what the case's own money does not cover."""
    made = announced("¥500")
    freeze_deposit(account_id=made.shop.account_id, amount=yuan("400"), reference="x", now=NOW)

    made.heard().take()

    assert made.figures == ("100", "400", "0", "0")
    # The hold was made by hand here; an application stands behind every other one.

    release_deposit(account_id=made.shop.account_id, reference="x", now=NOW)


@pytest.mark.parametrize(
    ("numbers", "refusal"),
    [([], errors.NothingChosen), ([3], errors.ItemUnknown), ([0], errors.ItemUnknown)],
)
def test_items_are_those_of_the_case(numbers: list[int], refusal: type[Refusal]) -> None:
    made = announced().heard()

    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        made.take(numbers)


def test_a_decision_says_why_and_is_about_what_was_shown() -> None:
    made = announced().later(DAY)
    shown = made.case.version
    made.reply()

    with given.nothing_moves(*TABLES), pytest.raises(errors.CaseMovedOn):
        made.take(version=shown)
    with given.nothing_moves(*TABLES), pytest.raises(errors.CaseTextMissing):
        made.take(text=" ")


@pytest.mark.parametrize("actor", [ANNOUNCER, DECIDER])
def test_what_is_dropped_is_free_again(actor: Actor) -> None:
    made = announced().later(DAY)

    made.drop(actor=actor)

    assert made.case.state is CaseState.DROPPED
    assert made.figures == ("0", "0", "500", "0")
    for act in (Made.reply, Made.take, Made.drop):
        with given.nothing_moves(*TABLES), pytest.raises(errors.CaseMovedOn):
            act(made)
    with pytest.raises(errors.NothingToAppeal):
        made.appeal()


def remind_at(made: Made) -> dt.datetime:
    return made.case.reply_until - 2 * DAY


def test_who_has_not_replied_is_reminded_once_while_there_is_time() -> None:
    made = announced()
    before, moment = made.case, remind_at(made)

    assert operations.sweep_due(now=moment - dt.timedelta(microseconds=1)) == 0
    assert operations.sweep_due(now=moment) == 1
    assert operations.sweep_due(now=moment + DAY) == 0

    assert made.case.version == before.version + 1
    assert replace(made.case, version=before.version) == before
    assert events_of(made.case_id)[-1].action == "deduction.reply_reminded"
    replace(made, now=moment + DAY).reply()


def test_a_reminder_that_is_late_is_none() -> None:
    made = announced()

    assert operations.sweep_due(now=made.case.reply_until) == 0
    assert operations.sweep_due(now=made.case.reply_until) == 0

    assert [event.action for event in events_of(made.case_id)] == ["deduction.announced"]
    made.heard().take()


@pytest.mark.parametrize("act", [Made.reply, Made.drop])
def test_who_has_replied_or_need_not_is_not_reminded(act: Callable[[Made], None]) -> None:
    made = announced()
    act(made.later(DAY))

    assert operations.sweep_due(now=remind_at(made)) == 0


def test_a_short_time_to_reply_needs_no_reminder() -> None:
    def dates(days: int) -> rules.Deadlines:
        terms = terms_in_force()
        reply = replace(terms.review.deduction_reply_time, count=days)
        review = replace(terms.review, deduction_reply_time=reply)
        return rules.deadlines(replace(terms, review=review), now=NOW)

    assert dates(3).remind_at is None
    found = dates(4)
    assert found.remind_at == found.reply_until - 2 * DAY


def test_what_nobody_decides_lapses() -> None:
    made = announced()
    lapses_at = made.case.lapses_at

    assert operations.sweep_due(now=lapses_at - dt.timedelta(microseconds=1)) == 0
    assert operations.sweep_due(now=lapses_at) == 1
    assert operations.sweep_due(now=lapses_at + DAY) == 0

    assert made.case.state is CaseState.LAPSED
    assert made.figures == ("0", "0", "500", "0")


def test_what_is_about_to_lapse_is_not_taken_any_more() -> None:
    made = announced()
    late = replace(made, now=made.case.lapses_at)

    assert not late.case.can_be_taken
    with given.nothing_moves(*TABLES), pytest.raises(errors.TooLateToTake):
        late.take()
    late.later(-dt.timedelta(microseconds=1)).take()


def test_one_case_that_cannot_lapse_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = announced(), announced()
    release = operations.sweep.end_untaken

    def fail_for_the_first(row, **kwargs):
        if row.public_id == first.case_id:
            raise RuntimeError("out of order")
        release(row, **kwargs)

    monkeypatch.setattr(operations.sweep, "end_untaken", fail_for_the_first)

    with pytest.raises(ExceptionGroup):
        operations.sweep_due(now=first.case.lapses_at)

    assert (first.case.state, second.case.state) == (CaseState.ANNOUNCED, CaseState.LAPSED)


def test_what_was_decided_does_not_lapse() -> None:
    made = taken()

    assert operations.sweep_due(now=made.case.lapses_at) == 0


# Appealing


def test_an_appeal_is_heard_by_a_third_person() -> None:
    made = appealed()

    for involved in (ANNOUNCER, DECIDER, made.shop.seller):
        with given.nothing_moves(*TABLES), pytest.raises(errors.AppealDeciderInvolved):
            made.answer([1], actor=involved)
    made.answer([1], actor=THIRD)

    assert made.case.state is CaseState.GIVEN_BACK
    assert made.case.given_back == yuan("60")
    assert made.figures == ("40", "0", "460", "0")


def test_an_appeal_that_nobody_answers_is_granted() -> None:
    made = appealed(numbers=[1])
    lapses_at = made.case.answer_lapses_at
    assert lapses_at is not None
    assert made.case.answer_by is not None
    assert made.case.answer_by <= lapses_at
    late = replace(made, now=lapses_at)

    assert operations.sweep_due(now=lapses_at - dt.timedelta(microseconds=1)) == 0
    assert not late.case.can_be_answered
    with given.nothing_moves(*TABLES), pytest.raises(errors.TooLateToAnswer):
        late.answer([])
    assert operations.sweep_due(now=lapses_at) == 1
    assert operations.sweep_due(now=lapses_at + DAY) == 0

    assert (made.case.state, made.case.answer_text) == (CaseState.GIVEN_BACK, "")
    assert made.case.given_back == made.case.taken == yuan("60")
    assert made.figures == ("0", "0", "500", "0")
    assert events_of(made.case_id)[-1].action == "deduction.appeal_lapsed"


def test_an_appeal_is_answered_up_to_the_last_moment() -> None:
    made = appealed()
    assert made.case.answer_lapses_at is not None

    replace(made, now=made.case.answer_lapses_at - dt.timedelta(microseconds=1)).answer([])

    assert made.case.state is CaseState.UPHELD


def test_an_appeal_that_changes_nothing_is_the_last_word() -> None:
    made = appealed()

    made.answer([])

    assert made.case.state is CaseState.UPHELD
    assert made.figures == ("100", "0", "400", "0")
    with pytest.raises(errors.NothingToAppeal):
        made.appeal()
    with pytest.raises(errors.CaseMovedOn):
        made.answer([1])


def test_all_of_it_can_come_back_and_settles_what_is_owed_first() -> None:
    made = appealed("¥30")
    assert made.figures == ("30", "0", "0", "70")

    made.answer([1, 2])

    assert made.figures == ("0", "0", "30", "0")


def test_only_what_was_taken_comes_back() -> None:
    made = appealed(numbers=[2])

    with given.nothing_moves(*TABLES), pytest.raises(errors.ItemUnknown):
        made.answer([1])
    with given.nothing_moves(*TABLES), pytest.raises(errors.CaseTextMissing):
        made.answer([2], text="")


def test_an_appeal_comes_in_time_or_not_at_all() -> None:
    made = taken()
    until = made.case.appeal_until
    assert until is not None
    late = Made(made.shop, made.case_id, until)

    assert not late.case.can_appeal
    with given.nothing_moves(*TABLES), pytest.raises(errors.TooLateToAppealDeduction):
        late.appeal()
    late.later(-dt.timedelta(microseconds=1)).appeal()
    with pytest.raises(errors.NothingToAppeal):
        made.appeal()


# Lists and trail


def test_the_lists_say_who_is_to_do_something() -> None:
    announced()
    made = announced().later(DAY)
    made.reply()
    appealed()

    counts = queries.case_counts(now=NOW + DAY)

    assert (counts.awaiting_reply, counts.to_decide, counts.appealed) == (1, 1, 1)
    assert queries.case_counts(now=made.case.reply_until).awaiting_reply == 0
    states = frozenset({CaseState.ANNOUNCED})
    heard = queries.cases(states=states, heard=True, now=NOW + DAY)
    assert [one.case_id for one in heard] == [made.case_id]
    assert len(queries.cases(states=states, heard=False, now=NOW + DAY)) == 1
    assert len(queries.cases(states=frozenset(CaseState), now=NOW + DAY)) == 3


def test_a_case_that_waits_too_long_is_late() -> None:
    made = announced()

    assert not made.case.is_late
    assert queries.case(made.case_id, now=made.case.decide_by).is_late
    in_appeal = appealed()
    answer_by = in_appeal.case.answer_by
    assert answer_by is not None
    assert queries.case(in_appeal.case_id, now=answer_by).is_late


def test_every_step_is_in_the_trail_without_a_word_that_a_person_wrote() -> None:
    made = appealed()
    made.answer([2])

    events = events_of(made.case_id)

    actions = [event.action for event in events]
    assert sorted(actions) == [
        "deduction.announced", "deduction.appealed", "deduction.given_back", "deduction.replied",
        "deduction.taken",
    ]  # fmt: skip
    assert not any("courier" in str(event.details) for event in events)


def test_the_terms_of_the_announcement_stay_in_force_for_the_case(
    settings: Any,
) -> None:
    """A pack that changes meanwhile shortens no time that a seller was promised."""
    made = announced().later(DAY)
    made.reply()
    settings.KUAITUI_POLICY_PACK = "no such pack"

    made.take()
    made.appeal()

    assert made.case.answer_by is not None


def test_purposes_go_to_their_own_account() -> None:
    made = announced(purpose=DeductionPurpose.PENALTY).heard()

    made.take()

    (deduction,) = deposits.deductions(account_id=made.shop.account_id)
    assert deduction.purpose is DeductionPurpose.PENALTY
