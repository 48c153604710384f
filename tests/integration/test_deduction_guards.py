"""Somebody with a database console tries to break what must always be true of deduction cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from kuaitui.deductions.states import TRANSITIONS, CaseState, may_move
from kuaitui.deposits.operations import give_back_deduction, release_deposit, take_deduction
from tests.support.deductions_given import (
    DAY,
    DECIDER,
    ITEMS,
    THIRD,
    Made,
    announced,
    appealed,
    taken,
)
from tests.support.given import yuan
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
TABLES = (
    "deductions_case", "deductions_case_line", "deposits_hold", "deposits_deduction",
    "deposits_deduction_return", "ledger_journal",
)  # fmt: skip
Refused = Callable[..., None]
TAKEN = (
    "state = 'taken', decided_by = 'usr_x', decided_at = reply_until, decision_text = 'x',"
    " taken = '{1,2}',"
    " deduction_id = 'ded_1', appeal_until = lapses_at, remind_at = NULL, version = version + 1"
)


DROPPED = (
    "state = 'dropped', decided_by = 'usr_x', decided_at = reply_until, remind_at = NULL,"
    " version = version + 1"
)


@pytest.fixture
def refused(raw_sql: Callable[..., None]) -> Refused:
    """A change to every case that the database refuses, naming what it breaks."""

    def try_it(change: str, *, breaks: str) -> None:
        refuse(raw_sql, TABLES, f"UPDATE deductions_case SET {change}", breaks=breaks)

    return try_it


def replied() -> Made:
    made = announced().later(DAY)
    made.reply()
    return made


def test_the_database_knows_the_same_steps() -> None:
    with connection.cursor() as cursor:
        for source in CaseState:
            for target in CaseState:
                cursor.execute("SELECT deductions_may_move(%s, %s)", [source, target])
                (moves,) = cursor.fetchone()
                stays = source is target is CaseState.ANNOUNCED
                assert moves == (target in TRANSITIONS[source] or stays), (source, target)
                assert may_move(source, target) or not moves


@pytest.mark.parametrize("table", ["deductions_case", "deductions_case_line"])
def test_nothing_leaves(raw_sql: Callable[..., None], table: str) -> None:
    announced()

    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        refuse(raw_sql, TABLES, statement, breaks="keeps what it holds")


def test_an_item_is_not_rewritten(raw_sql: Callable[..., None]) -> None:
    announced()

    statement = "UPDATE deductions_case_line SET unit_minor = 1"
    refuse(raw_sql, TABLES, statement, breaks="keeps what it holds")


@pytest.mark.parametrize(
    "change",
    ["reason = 'x'", "amount_minor = 1", "set_aside_minor = 0", "reply_until = now()",
     "lapses_at = lapses_at + interval '1 day'", "announced_by = 'x'", "shop_key = 0",
     "policy_digest = 'x'"],
)  # fmt: skip
def test_what_was_announced_stays(refused: Refused, change: str) -> None:
    announced()

    refused(f"{change}, version = version + 1", breaks="what_a_case_says_stays")


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (taken, "decision_text = 'x'"),
        (taken, "reply_text = 'x'"),
        (appealed, "decided_by = 'x'"),
        (appealed, "taken = '{1}'"),
    ],
)
def test_what_was_decided_stays(refused: Refused, make: Callable[[], Made], change: str) -> None:
    made = make()
    following = {"taken": "appealed", "appealed": "upheld"}[made.case.state]

    refused(
        f"{change}, state = '{following}', version = version + 1", breaks="what_a_case_says_stays"
    )


def test_a_reply_is_not_replaced(refused: Refused) -> None:
    replied()

    refused("reply_text = 'I agree', version = version + 1", breaks="a_seller_replies_once")


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("remind_at = reply_until, version = version + 1", "only_who_can_reply_is_reminded"),
        (
            "decide_by = decide_by + interval '1 day', version = version + 1",
            "a_promised_day_stays_until_the_reply",
        ),
        (TAKEN.replace("{1,2}", "{1,2,2}"), "what_was_taken_are_items_of_the_case"),
        (TAKEN.replace("{1,2}", "{1,2,9}"), "what_was_taken_are_items_of_the_case"),
        (f"{DROPPED}, decision_text = 'x'", "nothing_stays_set_aside_for_what_is_decided"),
        ("version = version + 2", "every_change_of_a_case_is_a_version"),
        ("reply = 'accepts', replied_by = 'x', version = version + 1", "case_is_replied_in_full"),
        (
            "reply = 'objects', replied_by = 'x', replied_at = announced_at, version = version + 1",
            "case_is_replied_in_full",
        ),
        (
            "reply = 'accepts', replied_by = 'x', replied_at = reply_until, version = version + 1",
            "case_is_replied_in_full",
        ),
        ("state = 'appealed', version = version + 1", "a_case_takes_legal_steps"),
        (TAKEN, "what_was_taken_is_a_deduction"),
    ],
)
def test_a_case_goes_its_way_and_no_other(refused: Refused, change: str, breaks: str) -> None:
    announced()

    refused(change, breaks=breaks)


def test_what_was_taken_is_a_deduction_of_that_very_sum(refused: Refused) -> None:
    """Another case's deduction, or one of another sum, is none of this case."""
    other = taken()
    announced()

    refused(
        TAKEN.replace("ded_1", other.case.deduction_id) + " WHERE state = 'announced'",
        breaks="what_was_taken_is_a_deduction",
    )


@pytest.mark.parametrize(
    ("decided_by", "decided_at"),
    [
        ("announced_by", "reply_until"),
        ("replied_by", "reply_until"),
        ("'usr_x'", "reply_until - interval '1 second'"),
        ("'usr_x'", "lapses_at"),
    ],
)
def test_nothing_is_taken_by_whoever_announced_it_or_before_its_time_or_after(
    refused: Refused, decided_by: str, decided_at: str
) -> None:
    """Even if there is the deduction for it: the money was taken, the case is not decided."""
    made = announced().later(DAY)
    if decided_by == "replied_by":
        made.reply()
    release_deposit(account_id=made.shop.account_id, reference=made.case_id, now=made.now)
    deduction = take_deduction(
        account_id=made.shop.account_id,
        items=ITEMS,
        purpose=made.case.purpose,
        reason="x",
        clause="x",
        reference=made.case_id,
        actor=DECIDER,
        now=made.now,
    )

    refused(
        TAKEN.replace("ded_1", deduction.deduction_id)
        .replace("'usr_x'", decided_by)
        .replace("decided_at = reply_until", f"decided_at = {decided_at}"),
        breaks="taken_after_a_hearing_in_time_by_another_person",
    )


@pytest.mark.parametrize("who", ["announced_by", "replied_by", "decided_by", "appealed_by"])
def test_an_appeal_is_not_decided_by_whoever_was_part_of_it(refused: Refused, who: str) -> None:
    made = announced().heard() if who == "appealed_by" else replied()
    made.take()
    made.appeal()

    refused(
        f"state = 'upheld', answered_by = {who}, answered_at = now(), answer_text = 'x',"
        " version = version + 1",
        breaks="an_appeal_is_decided_by_a_third_person",
    )


@pytest.mark.parametrize("changes", ["", ", appealed_by = 'x', appeal_text = 'x'"])
def test_an_appeal_has_a_day_and_says_something(refused: Refused, changes: str) -> None:
    taken()

    refused(
        f"state = 'appealed', answer_by = now(), version = version + 1 {changes}",
        breaks="case_is_appealed_in_time",
    )


def test_what_was_given_back_came_back(refused: Refused) -> None:
    appealed()

    refused(
        "state = 'given_back', answered_by = 'usr_x', answered_at = now(), answer_text = 'x',"
        " given_back = '{1}', version = version + 1",
        breaks="what_was_given_back_came_back",
    )


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("amount_minor + 1", "a_case_is_the_sum_of_its_items"),
        ("amount_minor", "what_a_case_sets_aside_is_set_aside"),
    ],
)
def test_an_announcement_adds_up(raw_sql: Callable[..., None], change: str, breaks: str) -> None:
    made = announced()
    statement = (
        "WITH again AS (INSERT INTO deductions_case (public_id, account_id, shop_key, currency,"
        " reference, purpose, reason, clause, amount_minor, set_aside_minor, policy_digest,"
        " announced_by, announced_at, reply_until, lapses_at, state, version, decide_by, reply,"
        " reply_text, replied_by, decision_text, decided_by, taken, deduction_id, appeal_text,"
        " appealed_by, answer_text, answered_by, given_back)"
        " SELECT 'dcs_2', account_id, shop_key, currency, 'K-2', purpose, reason, clause,"
        f" {change}, set_aside_minor, policy_digest, announced_by, announced_at, reply_until,"
        " lapses_at, 'announced', 1, decide_by, '', '', '', '', '', '{}', '', '', '', '', '', '{}'"
        " FROM deductions_case WHERE public_id = %s RETURNING id)"
        " INSERT INTO deductions_case_line (case_id, number, description, quantity, unit_minor,"
        " evidence) SELECT again.id, number, description, quantity, unit_minor, evidence"
        " FROM deductions_case_line, again"
    )
    refuse(raw_sql, TABLES, statement, [made.case_id], breaks=breaks)


@pytest.mark.parametrize(
    "change",
    [
        DROPPED,
        "state = 'dropped', remind_at = NULL, version = version + 1",
        "state = 'lapsed', decided_by = 'x', remind_at = NULL, version = version + 1",
    ],
)
def test_somebody_decides_at_some_time_and_says_why(refused: Refused, change: str) -> None:
    made = announced()
    release_deposit(account_id=made.shop.account_id, reference=made.case_id, now=made.now)

    refused(change, breaks="case_is_decided_or_not")


def test_there_is_time_to_appeal(refused: Refused) -> None:
    made = announced().heard()
    deduction = take_deduction(
        account_id=made.shop.account_id,
        items=ITEMS,
        purpose=made.case.purpose,
        reason="x",
        clause="x",
        reference=made.case_id,
        actor=DECIDER,
        now=made.now,
        set_aside_under=made.case_id,
    )

    change = TAKEN.replace("ded_1", deduction.deduction_id)
    refused(
        change.replace("appeal_until = lapses_at", "appeal_until = reply_until"),
        breaks="taken_after_a_hearing_in_time_by_another_person",
    )


def test_what_was_given_back_does_not_stand(refused: Refused) -> None:
    made = appealed()
    with transaction.atomic():
        give_back_deduction(
            deduction_id=made.case.deduction_id, amount=yuan("60"), actor=THIRD, now=made.now
        )

    refused(
        "state = 'upheld', answered_by = 'usr_x', answered_at = now(), answer_text = 'x',"
        " version = version + 1",
        breaks="what_stands_was_not_given_back",
    )


@pytest.mark.parametrize(
    "change",
    [
        "answered_by = 'usr_x'",
        "answered_at = answer_lapses_at - interval '1 second'",
        "given_back = '{1}'",
    ],
)
def test_only_what_nobody_answered_in_time_is_given_back_without_a_word(
    refused: Refused, change: str
) -> None:
    made = appealed()
    part = "60" if "{1}" in change else "100"
    with transaction.atomic():
        give_back_deduction(
            deduction_id=made.case.deduction_id, amount=yuan(part), actor=THIRD, now=made.now
        )
    column = change.partition(" ")[0]
    others = [
        one
        for one in (
            "answered_by = 'deductions.sweep_due'",
            "answered_at = answer_lapses_at",
            "given_back = '{1,2}'",
        )
        if not one.startswith(column)
    ]

    refused(
        f"state = 'given_back', version = version + 1, {change}, {', '.join(others)}",
        breaks="an_appeal_is_decided_by_a_third_person",
    )
