"""Somebody with a database console tries to break what must always be true of applications."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction

from kuaitui.refunds.states import TRANSITIONS, State
from tests.support.raw_sql import refuse
from tests.support.refunds_given import MIDDLE, SMALL, TABLES, World, application, large, world

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
Refused = Callable[..., None]


@pytest.fixture
def refused(raw_sql: RawSql) -> Refused:
    """A statement that the database refuses, naming what it breaks, and that changes nothing."""
    return partial(refuse, raw_sql, TABLES)


def row_id(made: World) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM refunds_application WHERE public_id = %s", [made.application_id]
        )
        return int(cursor.fetchone()[0])


def move(made: World, changes: str, *, to: str | None = None) -> tuple[str, list[object]]:
    """A statement that moves an application on with its line in the timeline, as our code would."""
    state = to or made.state.value
    statement = (
        f"WITH moved AS (UPDATE refunds_application SET version = version + 1, state = %s {changes}"
        " WHERE public_id = %s RETURNING id, version, state)"
        " INSERT INTO refunds_event (application_id, number, at, actor_kind, actor_id, code,"
        " from_state, to_state, details)"
        " SELECT id, version, now(), 'staff', 'intruder', 'x', %s, state, '{}' FROM moved"
    )
    return statement, [state, made.application_id, made.state.value]


def decide(made: World, kind: str, actor_id: str, approval_hash: str) -> tuple[str, list[object]]:
    statement = (
        "INSERT INTO refunds_decision (application_id, number, kind, actor_kind, actor_id, decided_at,"
        " approval_hash, reasons, text) VALUES (%s, 900, %s, %s, %s, now(), %s, '[]', 'x')"
    )
    actor_kind = "system" if kind == "approve_by_rule" else "staff"
    return statement, [row_id(made), kind, actor_kind, actor_id, approval_hash]


def test_the_table_of_transitions_is_the_one_definition() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT from_state, to_state FROM refunds_transition")
        kept = set(cursor.fetchall())

    assert kept == {
        (source.value, target.value)
        for source, targets in TRANSITIONS.items()
        for target in targets
    }


@pytest.mark.parametrize("state", [State.SUBMITTED, State.IN_REVIEW, State.PAYING, State.PAID])
def test_an_application_takes_legal_steps_only(refused: Refused, state: State) -> None:
    made = application(state)
    illegal = [target for target in State if target not in {*TRANSITIONS[state], state}]

    for target in illegal:
        bound = ", approval_hash = 'h'" if target in {"approved", "paying", "paid"} else ""
        statement, parameters = move(
            made, bound or ", approval_hash = '', paid_at = now()", to=target.value
        )
        refused(statement, parameters, breaks=f"cannot go from {state} to {target}")


def test_an_application_begins_as_a_draft(refused: Refused) -> None:
    made = application(State.WITHDRAWN)

    refused(
        "INSERT INTO refunds_application SELECT (r).* FROM (SELECT jsonb_populate_record(a,"
        " jsonb_build_object('id', a.id + 1000, 'public_id', 'rfa_intruder', 'state', 'submitted',"
        " 'version', 1, 'request_key', 'intruder')) AS r FROM refunds_application AS a"
        " WHERE public_id = %s) AS copied",
        [made.application_id],
        breaks="begins as a draft",
    )


def test_a_second_open_application_is_refused(refused: Refused) -> None:
    made = application(State.WITHDRAWN)
    withdrawn = made.application_id
    made.submit()

    refused(
        "ALTER TABLE refunds_application DISABLE TRIGGER applications_take_legal_steps;"
        "ALTER TABLE refunds_application DISABLE TRIGGER every_change_is_in_the_timeline;"
        "UPDATE refunds_application SET state = 'in_review' WHERE public_id = %s",
        [withdrawn],
        breaks="one_open_application_per_deposit_account",
    )


def test_a_form_is_submitted_once(refused: Refused) -> None:
    made = application(State.WITHDRAWN)
    first = made.application_id
    made.submit()

    refused(
        "ALTER TABLE refunds_application DISABLE TRIGGER applications_take_legal_steps;"
        "UPDATE refunds_application SET request_key ="
        " (SELECT request_key FROM refunds_application WHERE public_id = %s) WHERE public_id = %s",
        [first, made.application_id],
        breaks="a_form_is_submitted_once",
    )


def test_every_change_is_a_version_with_its_line_in_the_timeline(refused: Refused) -> None:
    made = application(State.IN_REVIEW)
    by_id = "WHERE public_id = %s"

    refused(
        f"UPDATE refunds_application SET due_at = now() {by_id}",
        [made.application_id],
        breaks="makes the next version",
    )
    refused(
        f"UPDATE refunds_application SET due_at = now(), version = version + 2 {by_id}",
        [made.application_id],
        breaks="makes the next version",
    )
    refused(
        f"UPDATE refunds_application SET due_at = now(), version = version + 1 {by_id}",
        [made.application_id],
        breaks="has no line in its timeline",
    )


@pytest.mark.parametrize(
    "change",
    [
        ", amount_minor = amount_minor + 1",
        ", requested_minor = 1",
        ", kind = 'excess'",
        ", choice = 'part'",
        ", note = 'other'",
        ", request_key = 'other'",
        ", submitted_at = now()",
        ", auto_approval_limit_minor = 999999999",
        ", second_approval_from_minor = 999999999",
        ", repairs = repairs - 1",
    ],
)
def test_what_was_submitted_is_not_rewritten(refused: Refused, change: str) -> None:
    made = application(State.IN_REVIEW)

    refused(*move(made, change), breaks="what was submitted is not rewritten")


@pytest.mark.parametrize(
    "change",
    [
        ", account_id = 'dep_other'",
        ", shop_key = shop_key + 1",
        ", created_by = 'other'",
        ", currency = 'USD'",
    ],
)
def test_an_application_stays_with_its_shop_and_deposit(refused: Refused, change: str) -> None:
    made = application(State.IN_REVIEW)

    refused(*move(made, change), breaks="stays with its shop and deposit")


@pytest.mark.parametrize(
    "change",
    [
        ", amount_minor = amount_minor - 1",
        ", destination_id = 'dst_intruder'",
        ", route_plan = '[1]'",
        ", revision = revision + 1",
    ],
)
def test_nothing_an_approval_binds_changes_under_it(refused: Refused, change: str) -> None:
    made = application(State.PAYING)

    refused(*move(made, change), breaks="an approval binds what it approved")


def test_an_approval_stands_while_and_only_while_it_binds(refused: Refused) -> None:
    in_review = application(State.IN_REVIEW)
    paying = application(State.PAYING)
    constraint = "an_approval_stands_while_and_only_while_it_binds"

    refused(*move(in_review, ", approval_hash = 'h'"), breaks=constraint)
    refused(*move(paying, ", approval_hash = ''"), breaks=constraint)


def test_money_moves_on_a_full_approval_only(refused: Refused) -> None:
    nobody = application(State.IN_REVIEW)
    refused(
        *move(nobody, ", approval_hash = 'h'", to="approved"),
        breaks="approval is not enough: 0 of 1",
    )
    one_of_two = large(State.AWAITING_SECOND_APPROVAL)
    refused(*move(one_of_two, "", to="approved"), breaks="approval is not enough: 1 of 2")
    repaired = application(State.DESTINATION_REPAIRED)
    repaired.approve()
    refused(*move(repaired, "", to="approved"), breaks="approval is not enough: 1 of 2")


@pytest.mark.parametrize("deposit", [MIDDLE])
def test_the_rule_cannot_approve_above_its_limit(
    refused: Refused, raw_sql: RawSql, deposit: str
) -> None:
    made = application(State.IN_REVIEW, deposit)
    raw_sql(*decide(made, "approve_by_rule", "approve_by_rule", "h"))

    refused(
        *move(made, ", approval_hash = 'h'", to="approved"), breaks="approval is not enough: 0 of 1"
    )


def test_the_rule_cannot_approve_a_destination(refused: Refused, raw_sql: RawSql) -> None:
    made = application(State.IN_REVIEW, SMALL, route_open=False)
    raw_sql(*decide(made, "approve_by_rule", "approve_by_rule", "h"))

    refused(
        *move(made, ", approval_hash = 'h'", to="approved"), breaks="approval is not enough: 0 of 1"
    )


def test_the_checker_is_not_the_maker(refused: Refused) -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)
    approval_hash = made.case.decisions[-1].approval_hash
    name = "by somebody else"

    refused(*decide(made, "confirm", made.reviewer.id, approval_hash), breaks=name)
    refused(*decide(made, "confirm", made.approver.id, "of something else"), breaks=name)


@pytest.mark.parametrize("kind", ["approve", "confirm"])
def test_nobody_approves_what_they_made_or_directed(refused: Refused, kind: str) -> None:
    made = application(State.IN_REVIEW, route_open=False)

    refused(*decide(made, kind, made.seller.id, "h"), breaks="cannot approve it")


def test_an_appeal_is_decided_by_somebody_else(refused: Refused) -> None:
    made = application(State.APPEALED)

    refused(*decide(made, "dismiss_appeal", made.reviewer.id, ""), breaks="somebody else")


def test_a_decision_says_what_it_binds_or_why(refused: Refused) -> None:
    made = application(State.IN_REVIEW)

    refused(
        *decide(made, "approve", made.reviewer.id, ""), breaks="an_approval_names_what_it_binds"
    )
    refused(*decide(made, "reject", made.reviewer.id, ""), breaks="a_rejection_has_a_reason")


@pytest.mark.parametrize(
    "table", ["refunds_event", "refunds_snapshot", "refunds_decision", "refunds_policy_version"]
)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_was_written_down_stays(refused: Refused, table: str, statement: str) -> None:
    application(State.PAYING)

    refused(statement.format(table), [], breaks="append-only")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE refunds_event SET code = 'x'",
        "UPDATE refunds_snapshot SET facts = '{}'",
        "UPDATE refunds_decision SET actor_id = 'x'",
        "UPDATE refunds_policy_version SET source = ''",
        "UPDATE refunds_transition SET to_state = 'paid'",
        "DELETE FROM refunds_application",
        "DELETE FROM refunds_transition",
    ],
)
def test_history_is_not_rewritten(refused: Refused, statement: str) -> None:
    application(State.PAYING)

    refused(statement, [], breaks="append-only")


def test_the_snapshot_is_what_was_seen_at_submission() -> None:
    made = application(State.PAID)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT facts, assessment FROM refunds_snapshot WHERE application_id = %s",
            [row_id(made)],
        )
        facts, assessment = cursor.fetchone()

    assert json.loads(facts)["shop"]["id"] == made.shop.shop_id
    assert json.loads(assessment)["policy"]["pack"] == made.view.policy_pack


def test_a_draft_holds_no_money_and_two_drafts_are_refused(refused: Refused) -> None:
    made = world(MIDDLE)
    insert = (
        "INSERT INTO refunds_application (public_id, shop_key, account_id, currency, state, version,"
        " revision, choice, kind, reason, note, destination_id, destination_set_by,"
        " previous_destination_id, route_plan, created_by, created_at, state_since,"
        " second_approval_forced, approval_hash, hold_occasion, repairs, appeals, reopened)"
        " SELECT 'rfa_' || n, 1, %s, 'CNY', 'draft', 1, 1, 'whole', '', '', '', '', '', '', '[]', 'x',"
        " now(), now(), false, '', 0, 0, 0, false FROM generate_series(1, 2) AS n"
    )

    refused(insert, [made.shop.account_id], breaks="one_draft_per_deposit_account")


def test_two_people_close_out_one_after_the_other(refused: Refused, raw_sql: RawSql) -> None:
    made = application(State.RETURNED)
    made.let_repair_time_pass()
    closing = ", approval_hash = '', remind_at = NULL"
    statement, parameters = move(made, closing, to="closed_out")
    refused(statement, parameters, breaks="closed out by two people")
    made.propose_close_out()
    statement, parameters = move(made, closing, to="closed_out")
    refused(statement, parameters, breaks="closed out by two people")

    version = made.view.version
    for actor_id, number in [(made.reviewer.id, version + 1), ("intruder", version + 2)]:
        with transaction.atomic():
            confirmed, values = decide(made, "confirm_close_out", actor_id, "")
            raw_sql(confirmed.replace("900", str(number)), values)
            refused(statement, parameters, breaks="closed out by two people")
            transaction.set_rollback(True)


def test_a_close_out_has_a_reason(refused: Refused) -> None:
    made = application(State.RETURNED)
    statement, parameters = decide(made, "propose_close_out", "somebody", "")

    refused(statement.replace("'x')", "'')"), parameters, breaks="a_close_out_has_a_reason")


@pytest.mark.parametrize("state", [State.PAID, State.DESTINATION_REPAIRED])
def test_only_money_that_came_back_is_reminded_of(refused: Refused, state: State) -> None:
    made = application(state)
    statement, parameters = move(made, ", remind_at = now()")

    refused(statement, parameters, breaks="only_money_that_came_back_is_reminded_of")
