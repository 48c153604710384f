"""The audit trail: appended with the act, chained, and broken links are seen."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from kuaitui.audit.operations import record
from kuaitui.audit.queries import differences, events_of
from kuaitui.kernel.actor import Actor, ActorKind

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
REVIEWER = Actor(ActorKind.STAFF, "usr_reviewer")

pytestmark = pytest.mark.django_db


def record_three(shop_key: int | None = 7) -> None:
    for number in range(3):
        record(
            actor=REVIEWER,
            action="refund.approved",
            object_id=f"rfa_{number}",
            shop_key=shop_key,
            details={"amount_minor": number},
            now=NOW + dt.timedelta(seconds=number),
        )


def test_an_act_can_be_read_back() -> None:
    record_three()

    (event,) = events_of("rfa_2")

    assert (event.actor_id, event.action, event.event_no) == ("usr_reviewer", "refund.approved", 3)
    assert event.details == {"amount_minor": 2}


def test_an_untouched_trail_has_no_differences() -> None:
    record_three()
    record_three(shop_key=None)

    assert differences() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET content = '{}'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        pytest.param("UPDATE audit_stream SET events_count = 0", id="only_events_move_the_head"),
        "DELETE FROM audit_stream",
        "UPDATE audit_event SET action = 'other'",
    ],
)
def test_database_refuses_to_rewrite_the_trail(statement: str) -> None:
    record_three()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert differences() == []


@pytest.mark.parametrize(
    ("tampering", "breaks_at"),
    [
        (
            "UPDATE audit_event SET content = replace(content, 'rfa_1', 'rfa_9') WHERE event_no = 2",
            2,
        ),
        ("DELETE FROM audit_event WHERE event_no = 2", 3),
        ("DELETE FROM audit_event WHERE event_no = 3", 3),
        ("UPDATE audit_event SET at = at + interval '1 day' WHERE event_no = 1", 1),
        ("UPDATE audit_event SET event_no = 4 WHERE event_no = 3", 3),
    ],
)
def test_whoever_goes_around_the_database_rules_is_seen(tampering: str, breaks_at: int) -> None:
    record_three()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(tampering)
        cursor.execute("SET LOCAL session_replication_role = origin")

    assert differences() == [f"audit stream shop:7: the chain breaks at event {breaks_at}"]


def test_the_number_and_hash_come_from_the_database_whatever_the_writer_says() -> None:
    # The trigger events_are_chained makes both.
    record_three()

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_event (stream_id, event_no, at, content, hash) SELECT 'shop:7', 99, at,"
            " content, 'x' FROM audit_event WHERE event_no = 3"
        )

    assert differences() == []
