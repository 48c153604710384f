"""The database refuses what must never be true of batches and bank messages, whoever writes."""

from __future__ import annotations

import pytest
from django.db import connection

from kuaitui.payouts import operations, queries
from kuaitui.payouts.models import BankMessage, PayoutBatch
from tests.support import batches_given as bg
from tests.support import given
from tests.support.given import NOW
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
TABLES = (
    "payouts_leg", "payouts_attempt", "payouts_batch", "payouts_batch_leg",
    "payouts_bank_message", "payouts_bank_word", "payouts_bank_statement_day",
)  # fmt: skip
RELEASE = (
    "UPDATE payouts_batch SET state = 'released', released_by = %s, released_at = now(),"
    " execute_on = '2026-11-23' WHERE public_id = %s"
)


@pytest.fixture(autouse=True)
def bank(settings):
    bg.bank_in_settings(settings)
    return bg.bank(settings)


@pytest.fixture
def world():
    return bg.waiting(approved_by=("usr_approver",))


@pytest.fixture
def open_batch(bank, world):
    return operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)


def test_the_database_computes_the_same_hash(open_batch):
    with connection.cursor() as cursor:
        cursor.execute("SELECT payouts_batch_hash(id) FROM payouts_batch")
        assert cursor.fetchone() == (queries.batch(open_batch).content_hash,)


def test_a_leg_that_needs_a_batch_is_not_sent_without_a_released_one(raw_sql, open_batch, world):
    refuse(
        raw_sql,
        TABLES,
        "UPDATE payouts_leg SET state = 'sending', fence = fence + 1, sends = sends + 1,"
        " first_sent_at = now(), last_sent_at = now() WHERE public_id = %s",
        [world.leg_id],
        breaks="a_batched_leg_is_sent_inside_a_released_batch",
    )


def test_a_leg_does_not_lose_its_need_of_a_batch_nor_its_approvers(raw_sql, world):
    for change in ("needs_batch = false", "approved_by = '[]'"):
        refuse(
            raw_sql,
            TABLES,
            f"UPDATE payouts_leg SET {change} WHERE public_id = %s",
            [world.leg_id],
            breaks="a_leg_keeps_its_number_and_request",
        )


def test_a_batch_is_released_by_a_second_person(raw_sql, open_batch):
    builder = queries.batch(open_batch).built_by
    for person in (builder, ""):
        refuse(
            raw_sql, TABLES, RELEASE, [person, open_batch],
            breaks="a_batch_is_released_by_a_second_person|says_who_when",
        )  # fmt: skip
    refuse(
        raw_sql,
        TABLES,
        RELEASE,
        ["usr_approver", open_batch],
        breaks="an_approver_does_not_release",
    )


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("legs_count = 2", "a_batch_stays_as_it_was_built"),
        ("total_minor = total_minor + 1", "a_batch_stays_as_it_was_built"),
        ("content_hash = 'x'", "a_batch_stays_as_it_was_built"),
        ("channel = 'another'", "a_batch_stays_as_it_was_built"),
        ("built_by = 'usr_x'", "a_batch_stays_as_it_was_built"),
        ("state = 'nonsense'", "batch_state_is_known"),
        ("state = 'released', released_by = 'usr_x'", "a_released_batch_says_who"),
        ("execute_on = '2026-11-23'", "a_released_batch_says_who"),
    ],
)
def test_a_batch_stays_as_it_was_built(raw_sql, open_batch, change, breaks):
    refuse(raw_sql, TABLES, f"UPDATE payouts_batch SET {change}", breaks=breaks)


def test_a_batch_is_decided_once(raw_sql, bank, world):
    bg.released(bank)

    refuse(
        raw_sql, TABLES, "UPDATE payouts_batch SET execute_on = '2030-01-01'", breaks="decided_once"
    )
    refuse(
        raw_sql,
        TABLES,
        "UPDATE payouts_batch SET state = 'open', released_by = '', released_at = NULL, execute_on = NULL",
        breaks="decided_once",
    )


def test_a_batch_without_one_of_its_legs_is_not_released(raw_sql, open_batch):
    raw_sql("UPDATE payouts_batch_leg SET left_at = now()")

    refuse(raw_sql, TABLES, RELEASE, ["usr_x", open_batch], breaks="a_released_batch_is_whole")


def test_a_batch_is_released_with_the_legs_it_was_built_of(raw_sql, bank, open_batch):
    bg.waiting("¥5,000")
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql(
        "INSERT INTO payouts_batch_leg (batch_id, leg_id, release_no)"
        " SELECT (SELECT max(id) FROM payouts_batch), max(id), 1 FROM payouts_leg"
    )

    refuse(
        raw_sql,
        TABLES,
        RELEASE,
        ["usr_x", open_batch],
        breaks="a_batch_is_released_as_it_was_built",
    )


def insert_batch(raw_sql, breaks, **changes):
    row = {
        "state": "open", "legs_count": 1, "total_minor": 1000000, "content_hash": "x", "built_by": "usr_x",
        **changes,
    }  # fmt: skip
    refuse(
        raw_sql,
        TABLES,
        "INSERT INTO payouts_batch (public_id, channel, currency, state, legs_count, total_minor,"
        " content_hash, built_by, built_at, released_by, cancelled_by)"
        " VALUES ('bat_raw', 'bank', 'CNY', %s, %s, %s, %s, %s, now(), '', '')",
        [row[name] for name in ("state", "legs_count", "total_minor", "content_hash", "built_by")],
        breaks=breaks,
    )


def test_a_batch_begins_open_with_legs_that_add_up(raw_sql, world):
    insert_batch(raw_sql, "legs_add_up_to_the_batch")
    insert_batch(raw_sql, "a_batch_begins_open", state="cancelled")
    insert_batch(raw_sql, "a_batch_holds_legs", legs_count=0)
    insert_batch(raw_sql, "a_batch_holds_legs", total_minor=0)
    insert_batch(raw_sql, "a_batch_is_released_by_a_second_person", built_by="")


def add_leg(raw_sql, leg_id, breaks, **changes):
    row = {"release_no": 1, "sent_at": None, **changes}
    refuse(
        raw_sql,
        TABLES,
        "INSERT INTO payouts_batch_leg (batch_id, leg_id, release_no, sent_at)"
        " SELECT (SELECT max(id) FROM payouts_batch), id, %s, %s FROM payouts_leg WHERE public_id = %s",
        [row["release_no"], row["sent_at"], leg_id],
        breaks=breaks,
    )


def test_a_batch_is_filled_while_open_with_what_waits_for_it(
    raw_sql, bank, open_batch, world, settings
):
    settings.KUAITUI_PAYERS = {}
    another = bg.waiting("¥5,000")

    add_leg(raw_sql, another.leg_id, "a_batch_gathers_what_waits_for_it")
    add_leg(raw_sql, world.leg_id, "a_leg_is_in_one_batch_at_a_time|a_leg_stands_in_a_batch_once")
    add_leg(raw_sql, world.leg_id, "a_batch_is_filled_while_it_is_built", sent_at=NOW)
    add_leg(raw_sql, world.leg_id, "release_no_is_positive", release_no=0)


def test_a_leg_is_in_one_batch_at_a_time(raw_sql, bank, open_batch, world):
    bg.waiting("¥5,000")
    operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    add_leg(raw_sql, world.leg_id, "a_leg_is_in_one_batch_at_a_time")


def test_a_released_batch_takes_no_more_legs(raw_sql, bank, world):
    bg.released(bank)
    more = bg.waiting("¥5,000")

    add_leg(raw_sql, more.leg_id, "a_batch_is_filled_while_it_is_built")


def test_a_batch_remembers_its_legs(raw_sql, bank, world, settings):
    bg.released(bank)
    bg.carry_out(settings, world)

    for change in ("leg_id = leg_id + 1", "release_no = 2", "sent_at = now()", "sent_at = NULL"):
        refuse(
            raw_sql,
            TABLES,
            f"UPDATE payouts_batch_leg SET {change}",
            breaks="a_batch_remembers_its_legs",
        )
    refuse(
        raw_sql,
        TABLES,
        "UPDATE payouts_batch_leg SET left_at = now()",
        breaks="a_sent_leg_leaves_on_the_banks_word",
    )


def test_nothing_is_noted_as_sent_before_the_release(raw_sql, open_batch):
    refuse(
        raw_sql,
        TABLES,
        "UPDATE payouts_batch_leg SET sent_at = now()",
        breaks="a_batch_is_sent_after_its_release",
    )


def test_a_release_has_its_own_count(raw_sql, bank, world, settings):
    bg.released(bank)
    bg.carry_out(settings, world)
    bg.bring(settings, bg.result(world, "REJECTED", reason="AM04"))
    bg.carry_out(settings, world)
    operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql("UPDATE payouts_batch_leg SET release_no = 1")
    raw_sql("SET LOCAL session_replication_role = origin")
    batch_id = PayoutBatch.objects.latest("id").pk

    raw_sql("SET LOCAL session_replication_role = replica")
    refuse(
        raw_sql,
        TABLES,
        "UPDATE payouts_batch_leg SET sent_at = now() WHERE batch_id = %s",
        [batch_id],
        breaks="a_release_has_its_own_count",
    )
    raw_sql("SET LOCAL session_replication_role = origin")


def insert_message(raw_sql, breaks, **changes):
    row = {
        "content_hash": None, "source": "usr_a", "confirmed_by": "", "confirmed_at": None,
        "refused_because": "", "words_count": 0, **changes,
    }  # fmt: skip
    refuse(
        raw_sql,
        TABLES,
        "INSERT INTO payouts_bank_message (channel, content, content_hash, source, received_at, kind,"
        " message_id, words_count, refused_because, refused_where, confirmed_by, confirmed_at)"
        " VALUES ('bank', 'abc', COALESCE(%s, encode(sha256('abc'), 'hex')), %s, now(), '', '', %s, %s, '',"
        " %s, %s)",
        [
            row[name]
            for name in (
                "content_hash", "source", "words_count", "refused_because", "confirmed_by", "confirmed_at",
            )
        ],
        breaks=breaks,
    )  # fmt: skip


def test_a_message_is_known_by_its_hash_and_waits_for_a_second_person(raw_sql):
    insert_message(raw_sql, "a_message_is_known_by_its_hash", content_hash="x")
    insert_message(raw_sql, "waits_for_a_second_person", confirmed_by="usr_b", confirmed_at=NOW)
    insert_message(raw_sql, "a_message_is_confirmed_by_a_second_person", confirmed_by="usr_b")
    insert_message(raw_sql, "a_refused_message_says_nothing", refused_because="x", words_count=1)


def test_a_message_stays_as_it_came_and_is_confirmed_once_by_another(
    raw_sql, bank, world, settings
):
    bg.released(bank)
    bg.carry_out(settings, world)
    bg.bring(settings, bg.result(world, "BOOKED"), confirm=False)
    source = BankMessage.objects.get().source

    for change, breaks in [
        ("content = 'x'", "a_message_is_known_by_its_hash"),
        ("source = 'usr_x'", "a_message_stays_as_it_came"),
        ("words_count = 7", "a_message_stays_as_it_came"),
        (f"confirmed_at = now(), confirmed_by = '{source}'", "confirmed_by_a_second_person"),
        ("confirmed_at = now()", "confirmed_by_a_second_person"),
    ]:
        refuse(raw_sql, TABLES, f"UPDATE payouts_bank_message SET {change}", breaks=breaks)
    refuse(
        raw_sql, TABLES, "UPDATE payouts_bank_word SET status = 'rejected'", breaks="keeps its rows"
    )
    refuse(
        raw_sql,
        TABLES,
        "INSERT INTO payouts_bank_message (channel, content, content_hash, source, received_at, kind,"
        " message_id, words_count, refused_because, refused_where, confirmed_by)"
        " SELECT channel, content, content_hash, source, received_at, '', '', 0, '', '', ''"
        " FROM payouts_bank_message",
        breaks="a_message_is_taken_in_once",
    )
    raw_sql("UPDATE payouts_bank_message SET confirmed_at = now(), confirmed_by = 'usr_other'")
    refuse(
        raw_sql,
        TABLES,
        "UPDATE payouts_bank_message SET confirmed_by = 'usr_third'",
        breaks="a_message_stays_as_it_came",
    )


@pytest.mark.parametrize(
    "table",
    ["payouts_batch", "payouts_batch_leg", "payouts_bank_message", "payouts_bank_word",
     "payouts_bank_statement_day"],
)  # fmt: skip
def test_nothing_leaves(raw_sql, open_batch, table):
    refuse(raw_sql, TABLES, f"DELETE FROM {table}", breaks="keeps its rows")
    refuse(raw_sql, TABLES, f"TRUNCATE {table} CASCADE", breaks="keeps its rows")
