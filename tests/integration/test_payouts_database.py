"""The database refuses what must never be true of payouts, whoever writes to it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from kuaitui.channels.port import Accepted, FailedDefinite, NotSent, Unknown
from kuaitui.payouts.states import TRANSITIONS, LegState, may_move
from kuaitui.payouts.types import PostingKind
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.payouts_given import World, attempt, claim, payout

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]


def refused(raw_sql: RawSql, statement: str, parameters: tuple[object, ...] = ()) -> str:
    """Run a statement that must be refused; returns the name of what refused it."""

    def run_to_the_end() -> None:
        with transaction.atomic():
            raw_sql(statement, parameters)
            raw_sql("SET CONSTRAINTS ALL IMMEDIATE")

    tables = ("payouts_payout", "payouts_leg", "payouts_attempt")
    with given.nothing_moves(*tables), pytest.raises(DatabaseError) as refusal:
        run_to_the_end()
    cause = refusal.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name or str(cause)


def force(raw_sql: RawSql, leg_id: str, state: LegState) -> None:
    """Put a leg into a state past all triggers, complete enough for the plain constraints."""
    ends = state in {LegState.FAILED, LegState.RETURNED, LegState.CANCELLED}
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql(
        "UPDATE payouts_leg SET state = %s, settled_at = now(), first_sent_at = now(),"
        " last_sent_at = now(), lease_until = NULL, next_check_at = CASE WHEN %s THEN NULL ELSE now() END"
        " WHERE public_id = %s",
        (state.value, ends, leg_id),
    )
    raw_sql("SET LOCAL session_replication_role = origin")


def sent() -> World:
    world = payout()
    attempt(world, Unknown("deadline"))
    return world


def add_attempt(raw_sql: RawSql, world: World, **changes: object) -> str:
    """Try to add an attempt as a worker would, with something changed."""
    columns = {"attempt_no": 1, "kind": "send", "fence": 1, "outcome": None, **changes}
    return refused(
        raw_sql,
        "INSERT INTO payouts_attempt (leg_id, attempt_no, kind, fence, outcome, finished_at, started_at,"
        " cause) SELECT id, %s, %s, %s, %s, CASE WHEN %s::text IS NULL THEN NULL ELSE now() END, now(), ''"
        " FROM payouts_leg WHERE public_id = %s",
        (
            columns["attempt_no"],
            columns["kind"],
            columns["fence"],
            columns["outcome"],
            columns["outcome"],
            world.leg_id,
        ),
    )


def test_the_database_knows_the_same_transitions() -> None:
    with connection.cursor() as cursor:
        for source, target in itertools.product(LegState, LegState):
            cursor.execute("SELECT payouts_leg_may_move(%s, %s)", [source.value, target.value])
            assert cursor.fetchone() == (may_move(source, target),), f"{source} → {target}"


@pytest.mark.parametrize("source", LegState)
def test_a_leg_moves_by_the_table_only(raw_sql: RawSql, source: LegState) -> None:
    world = payout()
    force(raw_sql, world.leg_id, source)

    for target in set(LegState) - TRANSITIONS[source] - {source}:
        name = refused(
            raw_sql,
            "UPDATE payouts_leg SET state = %s WHERE public_id = %s",
            (target.value, world.leg_id),
        )
        assert name == "a_leg_moves_by_the_table", f"{source} → {target}: {name}"


@pytest.mark.parametrize(
    "change",
    [
        "channel_number = 'another'",
        "channel = 'another'",
        "amount_minor = amount_minor + 1",
        "currency = 'USD'",
        "request_sealed = 'x'",
        "request_key_id = 'k9'",
        "approval_hash = 'forged'",
        "destination_id = 'dst_x'",
        "route = 'designated'",
        "lot_id = 'lot_x'",
        "tail = '0000'",
        "public_id = 'leg_x'",
        "book_id = book_id + 1",
        "created_at = now()",
    ],
)
def test_a_leg_keeps_its_number_and_request(raw_sql: RawSql, change: str) -> None:
    payout()

    assert (
        refused(raw_sql, f"UPDATE payouts_leg SET {change}") == "a_leg_keeps_its_number_and_request"
    )


@pytest.mark.parametrize("fence", [0, 3, -1])
def test_a_fence_only_grows_by_one(raw_sql: RawSql, fence: int) -> None:
    world = sent()

    statement = "UPDATE payouts_leg SET fence = %s WHERE public_id = %s"
    assert refused(raw_sql, statement, (fence, world.leg_id)) == "a_fence_grows_by_one"


def test_a_leg_is_not_marked_as_sending_without_a_claim(raw_sql: RawSql) -> None:
    payout()

    statement = (
        "UPDATE payouts_leg SET state = 'sending', first_sent_at = now(), last_sent_at = now()"
    )
    assert refused(raw_sql, statement) == "a_send_is_claimed"


def test_the_first_send_happened_once(raw_sql: RawSql) -> None:
    sent()

    statement = "UPDATE payouts_leg SET first_sent_at = now()"
    assert refused(raw_sql, statement) == "a_leg_is_sent_first_once"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("state = 'paid', settled_at = now()", "a_leg_is_paid_on_the_channels_word"),
        (
            "state = 'returned', settled_at = now(), next_check_at = NULL",
            "a_leg_returns_on_the_channels_word",
        ),
        ("state = 'failed', next_check_at = NULL", "a_leg_fails_on_the_channels_word"),
        ("state = 'ready'", "a_leg_is_sent_again_only_when_no_send_took_effect"),
    ],
)
def test_what_became_of_a_sent_leg_is_the_channels_word(
    raw_sql: RawSql, change: str, name: str
) -> None:
    sent()

    assert refused(raw_sql, f"UPDATE payouts_leg SET {change}") == name


def test_accepted_does_not_make_a_leg_sendable_again(raw_sql: RawSql) -> None:
    world = payout()
    attempt(world, Accepted("SIM1"))

    assert (
        refused(raw_sql, "UPDATE payouts_leg SET state = 'ready'")
        == "a_leg_is_sent_again_only_when_no_send_took_effect"
    )


def test_a_sent_leg_is_not_called_off(raw_sql: RawSql) -> None:
    world = payout()
    attempt(world, NotSent("connect_error"))

    statement = "UPDATE payouts_leg SET state = 'cancelled', next_check_at = NULL"
    assert refused(raw_sql, statement) == "a_sent_leg_is_not_called_off"


def test_a_live_leg_is_never_forgotten(raw_sql: RawSql) -> None:
    sent()

    statement = "UPDATE payouts_leg SET next_check_at = NULL"
    assert refused(raw_sql, statement) == "no_live_leg_is_forgotten"


def test_an_ended_leg_is_not_checked(raw_sql: RawSql) -> None:
    attempt(payout(), FailedDefinite("ACCOUNT_CLOSED"))

    statement = "UPDATE payouts_leg SET next_check_at = now()"
    assert refused(raw_sql, statement) == "a_leg_that_ended_is_not_checked"


# ---------------------------------------------------------------- attempts


def test_a_send_over_an_open_send_is_refused(raw_sql: RawSql) -> None:
    """The heart of it: a worker that forgets to ask cannot send."""
    world = sent()
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql("UPDATE payouts_leg SET state = 'sending', fence = 2")
    raw_sql("SET LOCAL session_replication_role = origin")

    name = add_attempt(raw_sql, world, attempt_no=2, fence=2)
    assert name == "a_send_without_outcome_is_asked_about_first"


def test_a_send_after_a_dead_worker_is_refused_too(raw_sql: RawSql) -> None:
    world = payout()
    claim(world)
    raw_sql("UPDATE payouts_attempt SET outcome = 'unknown', finished_at = now()")
    raw_sql("UPDATE payouts_leg SET fence = 2")

    name = add_attempt(raw_sql, world, attempt_no=2, fence=2)
    assert name == "a_send_without_outcome_is_asked_about_first"


def test_a_second_live_attempt_is_refused(raw_sql: RawSql) -> None:
    world = payout()
    claim(world)
    raw_sql("UPDATE payouts_leg SET fence = 2")

    name = add_attempt(raw_sql, world, attempt_no=2, kind="query", fence=2)
    assert name == "a_leg_has_one_live_attempt"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"outcome": "succeeded"}, "an_attempt_begins_before_its_outcome"),
        ({"kind": "query", "fence": 1}, "an_attempt_carries_a_fresh_fence"),
        ({"kind": "query", "fence": 3}, "an_attempt_carries_a_fresh_fence"),
        ({"kind": "query", "fence": 2, "attempt_no": 3}, "attempts_have_no_gaps"),
        ({"kind": "query", "fence": 2, "attempt_no": 1}, "attempts_have_no_gaps"),
        ({"kind": "send", "fence": 2, "attempt_no": 2}, "only_a_claimed_leg_is_sent"),
        ({"kind": "peek", "fence": 2, "attempt_no": 2}, "attempt_kind_is_known"),
    ],
)
def test_an_attempt_follows_the_protocol(
    raw_sql: RawSql, changes: dict[str, object], name: str
) -> None:
    world = sent()
    raw_sql("UPDATE payouts_leg SET fence = 2")

    assert add_attempt(raw_sql, world, **changes) == name


@pytest.mark.parametrize(
    "change",
    ["outcome = 'not_sent'", "outcome = NULL, finished_at = NULL", "kind = 'query'", "fence = 9",
     "started_at = now()", "attempt_no = 7", "cause = 'another'"],
)  # fmt: skip
def test_an_attempt_is_completed_once_and_never_rewritten(raw_sql: RawSql, change: str) -> None:
    sent()

    assert (
        refused(raw_sql, f"UPDATE payouts_attempt SET {change}") == "an_attempt_is_completed_once"
    )


def test_an_attempt_ends_with_its_outcome(raw_sql: RawSql) -> None:
    claim(payout())

    for change, name in (
        ("outcome = 'unknown'", "an_attempt_ends_with_its_outcome"),
        ("finished_at = now()", "an_attempt_ends_with_its_outcome"),
        ("outcome = 'maybe', finished_at = now()", "attempt_outcome_is_known"),
        ("outcome = 'not_found', finished_at = now()", "only_a_query_finds_nothing"),
    ):
        assert refused(raw_sql, f"UPDATE payouts_attempt SET {change}") == name


@pytest.mark.parametrize("table", ["payouts_payout", "payouts_leg", "payouts_attempt"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nothing_of_a_payout_ever_leaves(raw_sql: RawSql, table: str, statement: str) -> None:
    claim(payout())
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")

    assert "keeps its rows" in refused(raw_sql, statement.format(table))


# ---------------------------------------------------------------- payouts and their legs


def copy_leg(raw_sql: RawSql, leg_id: str, **changes: object) -> str:
    """Try to add a leg like another one, with something changed."""
    document = {
        "public_id": "leg_copy",
        "channel_number": "legcopy",
        "lot_id": "lot_copy",
        **changes,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_jsonb(leg) - 'id' FROM payouts_leg AS leg WHERE public_id = %s", [leg_id]
        )
        cursor.execute(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
            " WHERE table_name = 'payouts_leg' AND column_name <> 'id'"
        )
        (columns,) = cursor.fetchone()
    return refused(
        raw_sql,
        f"INSERT INTO payouts_leg ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::payouts_leg,"
        " (SELECT to_jsonb(leg) FROM payouts_leg AS leg WHERE public_id = %s) || %s::jsonb)",
        (leg_id, json.dumps(document)),
    )


def test_legs_add_up_to_the_payout(raw_sql: RawSql) -> None:
    world = payout()

    assert copy_leg(raw_sql, world.leg_id) == "legs_add_up_to_the_payout"


def test_a_payout_without_legs_is_refused(raw_sql: RawSql) -> None:
    payout()

    statement = (
        "INSERT INTO payouts_payout (public_id, application_id, account_id, shop_key, book_id,"
        " amount_minor, currency, approval_hash, state, begun_at)"
        " SELECT 'pay_x', 'rfa_x', account_id, shop_key, book_id, 1, currency, 'x', state, begun_at"
        " FROM payouts_payout"
    )
    assert refused(raw_sql, statement) == "legs_add_up_to_the_payout"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"state": "paid"}, "a_leg_begins_ready"),
        ({"fence": 4}, "a_leg_begins_ready"),
        ({"book_id": 0}, "a_leg_stays_in_its_payouts_book"),
        ({"currency": "USD"}, "a_leg_stays_in_its_payouts_book"),
        ({"approval_hash": ""}, "a_leg_rests_on_an_approval"),
        ({"amount_minor": 0}, "leg_amount_is_positive"),
        ({"amount_minor": -1}, "leg_amount_is_positive"),
    ],
)
def test_a_leg_begins_by_the_rules(raw_sql: RawSql, changes: dict[str, object], name: str) -> None:
    world = payout()

    assert copy_leg(raw_sql, world.leg_id, **changes) == name


def test_a_number_names_one_leg_of_a_channel(raw_sql: RawSql) -> None:
    world = payout()
    number = pg.queries.leg(world.leg_id).channel_number

    assert (
        copy_leg(raw_sql, world.leg_id, channel_number=number) == "a_channel_number_names_one_leg"
    )


def test_a_lot_has_one_live_leg(raw_sql: RawSql) -> None:
    world = payout()
    lot_id = pg.deposit(world.shop.account_id).lots[0].lot_id

    assert copy_leg(raw_sql, world.leg_id, lot_id=lot_id) == "a_lot_has_one_live_leg"


def leg_key(leg_id: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM payouts_leg WHERE public_id = %s", [leg_id])
        return int(cursor.fetchone()[0])


def test_only_a_failed_or_returned_leg_is_replaced(raw_sql: RawSql) -> None:
    world = sent()

    assert (
        copy_leg(
            raw_sql, world.leg_id,
            state="ready", fence=0, sends=0, first_sent_at=None, replaces_id=leg_key(world.leg_id),
        )
        == "only_a_failed_or_returned_leg_is_replaced"
    )  # fmt: skip


def test_a_replacement_pays_the_same(raw_sql: RawSql) -> None:
    world = payout()
    attempt(world, FailedDefinite("ACCOUNT_CLOSED"))

    assert (
        copy_leg(
            raw_sql, world.leg_id, state="ready", fence=0, sends=0, first_sent_at=None,
            next_check_at=NOW.isoformat(), replaces_id=leg_key(world.leg_id), amount_minor=1,
        )
        == "a_replacement_pays_the_same"
    )  # fmt: skip


CLOSE_OUT = "INSERT INTO payouts_close_out SELECT id, now() FROM payouts_leg WHERE public_id = %s"


@pytest.mark.parametrize("state", sorted(set(LegState) - {LegState.FAILED, LegState.RETURNED}))
def test_only_what_came_back_is_closed_out(raw_sql: RawSql, state: LegState) -> None:
    world = sent()
    force(raw_sql, world.leg_id, state)

    assert refused(raw_sql, CLOSE_OUT, (world.leg_id,)) == "only_what_came_back_is_closed_out"


def test_nothing_is_closed_out_while_a_leg_may_be_paid(raw_sql: RawSql) -> None:
    world = payout()
    attempt(world, FailedDefinite("ACCOUNT_CLOSED"))
    failed = world.leg_id
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql(
        "INSERT INTO payouts_leg SELECT (r).* FROM (SELECT jsonb_populate_record(leg,"
        " jsonb_build_object('id', leg.id + 1000, 'public_id', 'leg_other', 'state', 'ready',"
        " 'lot_id', 'lot_other', 'channel_number', 'other', 'next_check_at', now())) AS r"
        " FROM payouts_leg AS leg WHERE public_id = %s) AS copied",
        (failed,),
    )
    raw_sql("SET LOCAL session_replication_role = origin")

    name = "nothing_is_closed_out_while_a_leg_may_be_paid"
    assert refused(raw_sql, CLOSE_OUT, (failed,)) == name


def test_a_closed_out_leg_is_not_replaced(raw_sql: RawSql) -> None:
    world = payout()
    attempt(world, FailedDefinite("ACCOUNT_CLOSED"))
    raw_sql(CLOSE_OUT, (world.leg_id,))

    assert (
        copy_leg(
            raw_sql, world.leg_id, state="ready", fence=0, sends=0, first_sent_at=None,
            next_check_at=NOW.isoformat(), replaces_id=leg_key(world.leg_id),
        )
        == "a_closed_out_leg_is_not_replaced"
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM payouts_close_out", "UPDATE payouts_close_out SET closed_out_at = now()"],
)
def test_close_outs_never_change(raw_sql: RawSql, statement: str) -> None:
    assert "is refused" in refused(raw_sql, statement)


@pytest.mark.parametrize(
    "change",
    ["amount_minor = amount_minor + 1", "application_id = 'rfa_x'", "approval_hash = 'forged'",
     "account_id = 'dep_x'", "book_id = 0", "public_id = 'pay_x'"],
)  # fmt: skip
def test_a_payout_stays_as_it_was_approved(raw_sql: RawSql, change: str) -> None:
    payout()

    assert refused(raw_sql, f"UPDATE payouts_payout SET {change}") == "a_payout_stays_as_approved"


def test_each_posting_of_a_leg_is_one_journal(raw_sql: RawSql) -> None:
    world = payout("¥4,000")
    pg.deposits.freeze_deposit(
        account_id=world.shop.account_id, amount=given.yuan("6,000"), reference="other", now=NOW
    )
    claim(world)

    name = refused(
        raw_sql,
        "INSERT INTO ledger_journal (book_id, kind, reference, occurred_at, recorded_at, debits,"
        " credits, amounts) SELECT book_id, kind, reference, now(), now(), debits, credits, amounts"
        " FROM ledger_journal WHERE kind = %s AND reference = %s",
        (PostingKind.SENT.value, world.leg_id),
    )
    assert name == "a_reference_is_posted_once"
