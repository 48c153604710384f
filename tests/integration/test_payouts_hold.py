"""After a restore nothing is sent until the channels were asked about everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    Outcome,
    RejectedConfig,
    Unknown,
)
from kuaitui.interfaces.worker.restore import RestoreWatch, SendMark
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    LostWindowUnasked,
    PayoutBeingAskedBack,
    ReasonMissing,
    ReleaseNeedsAnother,
    ReleaseNotProposed,
    SendingNotHeld,
)
from kuaitui.payouts.queries import LastSend, due_legs
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, HoldCause
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.payouts_given import FLOOR, MINUTE, PACE, World, attempt, claim, payout

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
TABLES = ("payouts_leg", "payouts_attempt", "payouts_hold", "payouts_incarnation")
HELD = NOW + pg.SECOND
LATER = HELD + FLOOR


def hold(at: dt.datetime = HELD) -> None:
    operations.hold_sending(reason="Restored last night's backup.", actor=given.reviewer(), now=at)


def release(at: dt.datetime = LATER) -> None:
    operations.propose_release(
        finding="All channels have answered.", actor=given.reviewer(), now=at
    )
    operations.confirm_release(actor=given.approver(), now=at)


def asked_back(world: World, outcome: Outcome, *, now: dt.datetime = HELD) -> LegState | None:
    taken = claim(world, now=now)
    assert taken.kind is AttemptKind.QUERY
    return pg.record(taken, outcome, now=now)


def calls_for_people() -> list[tuple[str, str]]:
    rows = OutboxRow.objects.filter(event__endswith="PayoutDelayed")
    return [(row.payload["leg_id"], row.payload["leg_state"]) for row in rows]


def test_a_leg_that_is_asked_about_without_an_end_calls_people_once() -> None:
    world = payout()
    hold()
    asked_back(world, Unknown("deadline"))
    assert calls_for_people() == []

    asked_back(world, Unknown("deadline"), now=HELD + PACE.alarm_after)
    asked_back(world, Unknown("deadline"), now=pg.next_check_at(world))

    assert calls_for_people() == [(world.leg_id, "ready")]


def test_a_leg_that_was_asked_about_in_vain_and_is_clear_at_last_calls_nobody() -> None:
    world = payout()
    hold()
    asked_back(world, Unknown("deadline"))

    asked_back(world, NotFound(), now=HELD + PACE.alarm_after)

    assert calls_for_people() == []


def test_a_database_that_never_sent_begins_without_a_hold() -> None:
    assert not operations.hold_if_restored(last_send=None, now=NOW)
    assert queries.current_hold() is None

    world = payout()
    assert attempt(world, pg.succeeded()) is LegState.PAID
    assert not operations.hold_if_restored(last_send=None, now=NOW)


def test_a_database_on_another_server_or_history_begins_a_hold(raw_sql: RawSql) -> None:
    world = payout()
    raw_sql("INSERT INTO payouts_incarnation (identity, seen_at) VALUES ('another', now())")

    assert operations.hold_if_restored(last_send=None, now=HELD)

    held = queries.current_hold()
    assert held is not None
    assert (held.cause, held.unasked_count) == (HoldCause.INCARNATION, 1)
    assert claim(world, now=HELD).kind is AttemptKind.QUERY
    assert not operations.hold_if_restored(last_send=None, now=NOW)


def test_a_database_that_does_not_know_the_last_send_begins_a_hold() -> None:
    world = payout()
    taken = claim(world)
    known = LastSend(taken.attempt_id, world.leg_id, NOW, None)
    lost = LastSend(taken.attempt_id + 1, world.leg_id, NOW, None)
    assert not operations.hold_if_restored(last_send=known, now=NOW)

    assert operations.hold_if_restored(last_send=lost, now=NOW)

    held = queries.current_hold()
    assert held is not None
    assert held.cause is HoldCause.MARK


def test_a_send_of_before_the_hold_is_answered_by_the_hold() -> None:
    lost = LastSend(7, "leg_lost", NOW, None)
    assert operations.hold_if_restored(last_send=lost, now=HELD)
    release()

    assert not operations.hold_if_restored(last_send=lost, now=LATER)
    after = LastSend(8, "leg_lost", LATER, HELD)
    assert operations.hold_if_restored(last_send=after, now=LATER)


@pytest.mark.parametrize(
    ("outcome", "state", "held"),
    [
        (Accepted("SIM0001"), LegState.ACCEPTED, {Account.IN_TRANSIT: "10,000"}),
        (
            NeedsAction(NeededAction.USER_CONFIRM, "SIM0001"),
            LegState.NEEDS_ACTION,
            {Account.IN_TRANSIT: "10,000"},
        ),
        (pg.succeeded(), LegState.PAID, {}),
        (pg.returned(), LegState.RETURNED, {Account.FROZEN: "10,000"}),
        (FailedDefinite("ACCOUNT_CLOSED"), LegState.FAILED, {Account.FROZEN: "10,000"}),
    ],
)
def test_a_leg_that_its_channel_knows_moves_on_and_is_not_sent(
    outcome: Outcome, state: LegState, held: dict[Account, str]
) -> None:
    world = payout()
    hold()

    assert asked_back(world, outcome) is state

    assert world.kinds() == [AttemptKind.QUERY]
    at_channel = {} if state is LegState.PAID else {Account.AT_CHANNEL: "10,000"}
    assert world.held() == {**held, **at_channel}
    assert queries.differences() == []
    assert queries.current_hold().unasked_count == 0
    release(HELD)
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=HELD) is None


def test_a_leg_that_its_channel_does_not_know_is_sent_once_it_is_released() -> None:
    world = payout()
    hold()
    assert asked_back(world, NotFound()) is LegState.READY
    assert queries.current_hold().unasked_count == 1, "a lost send may still arrive"

    assert asked_back(world, NotFound(), now=LATER) is LegState.READY
    assert queries.current_hold().unasked_count == 0
    assert due_legs(now=LATER + FLOOR) == []
    with given.nothing_moves(*TABLES):
        assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=LATER) is None

    release()
    assert due_legs(now=LATER) == [world.leg_id]
    assert attempt(world, pg.succeeded(), now=LATER) is LegState.PAID
    assert world.kinds() == [AttemptKind.QUERY, AttemptKind.QUERY, AttemptKind.SEND]


@pytest.mark.parametrize(
    "outcome", [Unknown("deadline"), NotSent("no_route"), RejectedConfig("SIGNATURE_WRONG")]
)
def test_a_channel_that_gives_no_word_keeps_the_hold(outcome: Outcome) -> None:
    world = payout()
    hold()

    assert asked_back(world, outcome, now=LATER) is LegState.READY

    with given.nothing_moves(*TABLES), pytest.raises(LostWindowUnasked):
        release(LATER)
    assert pg.next_check_at(world) > LATER


def test_what_another_worker_began_in_that_very_moment_is_asked_about_too() -> None:
    """After a restore news waits: one worker begins a payout of it while another begins the hold."""
    world = pg.payout(now=NOW + 2 * MINUTE)

    operations.hold_sending(reason="a restore", actor=given.reviewer(), now=NOW)

    hold = queries.current_hold()
    assert hold is not None
    assert hold.unasked_count == 1
    assert pg.claim(world, now=NOW + 3 * MINUTE).kind is AttemptKind.QUERY


def test_what_was_sent_before_is_asked_about_too() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    hold(NOW + MINUTE)
    with pytest.raises(LostWindowUnasked):
        release(NOW + MINUTE)

    attempt(world, pg.succeeded(), now=NOW + MINUTE)

    release(NOW + MINUTE)


def test_a_hold_is_released_by_two_people_who_say_what_they_found() -> None:
    first, second = given.reviewer(), given.approver()
    found = {"finding": "All channels have answered.", "now": NOW}
    with pytest.raises(SendingNotHeld):
        operations.propose_release(actor=first, **found)
    with pytest.raises(ReasonMissing):
        operations.hold_sending(reason=" ", actor=first, now=NOW)
    hold()

    with given.nothing_moves(*TABLES):
        with pytest.raises(ReleaseNotProposed):
            operations.confirm_release(actor=second, now=NOW)
        with pytest.raises(ReasonMissing):
            operations.propose_release(finding=" ", actor=first, now=NOW)
    operations.propose_release(actor=first, **found)
    with given.nothing_moves(*TABLES), pytest.raises(ReleaseNeedsAnother):
        operations.confirm_release(actor=first, now=NOW)
    operations.confirm_release(actor=second, now=NOW)

    assert queries.current_hold() is None


def test_the_same_money_paid_again_comes_to_the_same_number() -> None:
    """In the history that was lost an application was paid; now somebody applies again."""
    lost = payout(application_id="rfa_lost")
    number = queries.leg(lost.leg_id).channel_number
    with transaction.atomic():
        operations.cancel_payout(application_id="rfa_lost", now=NOW)
        given.deposits.release_deposit(
            account_id=lost.shop.account_id, reference="rfa_lost", now=NOW
        )
    hold()

    again = pg.payout_of(lost.shop, application_id="rfa_again")

    assert queries.leg(again.leg_id).channel_number == number
    assert asked_back(again, pg.succeeded()) is LegState.PAID


def test_a_payment_that_was_lost_and_is_reported_again_comes_to_the_same_number() -> None:
    """It opens another lot, and goes to an account: no channel would refuse a second payment."""
    shop = given.shop(())
    backup = transaction.savepoint()
    lost_lot = given.pay_in(shop.account_id, "¥500", reference="told-again", route_open=False)
    card = given.destination(shop).destination_id
    lost = pg.payout_of(shop, "¥500", application_id="rfa_lost", destination_id=card)
    number = queries.leg(lost.leg_id).channel_number
    transaction.savepoint_rollback(backup)
    hold()

    lot = given.pay_in(shop.account_id, "¥500", reference="told-again", route_open=False)
    card = given.destination(shop).destination_id
    again = pg.payout_of(shop, "¥500", application_id="rfa_again", destination_id=card)

    assert lot != lost_lot
    assert queries.leg(again.leg_id).channel_number == number
    assert asked_back(again, pg.succeeded()) is LegState.PAID


def test_money_that_came_in_after_the_restore_is_sent_without_a_question() -> None:
    hold(NOW - 10 * given.DAY)
    release(NOW - 9 * given.DAY)
    shop = given.shop("¥500", paid_days_ago=1)

    assert claim(pg.payout_of(shop, "¥500")).kind is AttemptKind.SEND


def test_a_payout_that_may_have_been_sent_is_not_called_off() -> None:
    world = payout()
    hold()

    with given.nothing_moves(*TABLES), pytest.raises(PayoutBeingAskedBack), transaction.atomic():
        operations.cancel_payout(application_id=world.application_id, now=NOW)

    asked_back(world, NotFound(), now=LATER)
    with transaction.atomic():
        operations.cancel_payout(application_id=world.application_id, now=LATER)
    assert world.state is LegState.CANCELLED


# The database, whoever writes to it


def refused(raw_sql: RawSql, statement: str, parameters: tuple[object, ...] = ()) -> str:
    def run() -> None:
        with transaction.atomic():
            raw_sql(statement, parameters)

    with given.nothing_moves(*TABLES), pytest.raises(DatabaseError) as refusal:
        run()
    cause = refusal.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name or str(cause)


def raw_send(raw_sql: RawSql, world: World) -> str:
    """Claim and send by hand, as old code or a person at a console would."""
    claim_ = (
        "UPDATE payouts_leg SET state = 'sending', fence = fence + 1, sends = sends + 1,"
        " first_sent_at = now(), last_sent_at = now() WHERE public_id = %s; "
    )
    send = (
        "INSERT INTO payouts_attempt (leg_id, attempt_no, kind, fence, started_at, cause)"
        " SELECT id, 1 + (SELECT count(*) FROM payouts_attempt WHERE leg_id = leg.id), 'send', fence,"
        " now(), '' FROM payouts_leg AS leg WHERE public_id = %s"
    )
    return refused(raw_sql, claim_ + send, (world.leg_id, world.leg_id))


def test_the_database_sends_nothing_while_held_or_unasked_or_elsewhere(raw_sql: RawSql) -> None:
    world, other = payout(), payout(application_id="rfa_other")
    hold()
    assert raw_send(raw_sql, world) == "nothing_is_sent_while_held"

    asked_back(world, NotFound(), now=LATER)
    raw_sql("UPDATE payouts_leg SET set_aside_at = now() WHERE public_id = %s", (other.leg_id,))
    release()
    assert raw_send(raw_sql, other) == "after_a_restore_a_leg_is_asked_about_before_it_is_sent"

    raw_sql("INSERT INTO payouts_incarnation (identity, seen_at) VALUES ('another', now())")
    assert raw_send(raw_sql, world) == "another_incarnation_sends_nothing"


def test_the_database_keeps_holds_and_their_two_people(raw_sql: RawSql) -> None:
    world = payout()
    hold()
    propose = "proposed_by = 'a', proposed_at = now(), finding = 'x'"
    for change, name in {
        "reason = 'other'": "a_hold_keeps_its_reason",
        "begun_at = now()": "a_hold_keeps_its_reason",
        "cause = 'mark'": "a_hold_keeps_its_reason",
        "proposed_by = 'a', proposed_at = now()": "a_release_is_proposed_with_a_finding",
        "released_by = 'b', released_at = now()": "a_hold_is_released_when_nothing_is_unasked",
        f"{propose}, released_by = 'b', released_at = now()": "a_release_confirms_what_was_proposed",
    }.items():
        assert refused(raw_sql, f"UPDATE payouts_hold SET {change}") == name, change
    for statement in ("DELETE FROM payouts_hold", "TRUNCATE payouts_hold"):
        assert "keeps its rows" in refused(raw_sql, statement)
    for statement in (
        "UPDATE payouts_incarnation SET identity = 'x'",
        "DELETE FROM payouts_incarnation",
        "TRUNCATE payouts_incarnation",
    ):
        assert "keeps its rows" in refused(raw_sql, statement)

    asked_back(world, NotFound(), now=LATER)
    second = "a_hold_is_released_by_a_second_person"
    one_person = "UPDATE payouts_hold SET released_by = 'a', released_at = now()"
    assert refused(raw_sql, one_person) == second
    raw_sql(f"UPDATE payouts_hold SET {propose}")
    assert refused(raw_sql, one_person) == second
    raw_sql("UPDATE payouts_hold SET released_by = 'b', released_at = now()")
    assert refused(raw_sql, "UPDATE payouts_hold SET finding = 'y'") == "a_hold_ends_once"


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({}, "one_hold_at_a_time"),
        ({"cause": "whim"}, "hold_cause_is_known"),
        ({"reason": ""}, "a_hold_says_why"),
        ({"released_at": "2026-11-23", "released_by": "b"}, "a_hold_begins_in_force"),
    ],
)
def test_the_database_knows_what_a_hold_is(
    raw_sql: RawSql, columns: dict[str, str], name: str
) -> None:
    hold()
    row = {
        "cause": "person", "reason": "why", "begun_by": "a", "begun_at": "2026-11-23", **columns,
    }  # fmt: skip

    places = ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO payouts_hold ({', '.join(row)}) VALUES ({places})"
    assert refused(raw_sql, statement, tuple(row.values())) == name


@pytest.mark.parametrize("moment", ["now()", "NULL"])
def test_nobody_clears_a_leg_but_its_channel(raw_sql: RawSql, moment: str) -> None:
    world = payout()
    hold()
    clear = f"UPDATE payouts_leg SET clear_since = {moment} WHERE public_id = %s"
    assert refused(raw_sql, clear, (world.leg_id,)) == "a_leg_is_cleared_by_its_channel"

    asked_back(world, Unknown("deadline"), now=LATER)
    assert refused(raw_sql, clear, (world.leg_id,)) == "a_leg_is_cleared_by_its_channel"


@pytest.mark.parametrize("state", ["accepted", "needs_action"])
def test_a_ready_leg_moves_on_by_the_channels_word(raw_sql: RawSql, state: str) -> None:
    world = payout()
    hold()
    asked_back(world, NotFound(), now=LATER)

    name = refused(
        raw_sql,
        "UPDATE payouts_leg SET state = %s, first_sent_at = now(), last_sent_at = now()"
        " WHERE public_id = %s",
        (state, world.leg_id),
    )

    assert name == "a_ready_leg_moves_on_by_the_channels_word"


# The mark outside of the database


def test_a_mark_keeps_the_latest_send_of_the_latest_history(tmp_path: Path) -> None:
    mark = SendMark(tmp_path / "mark")
    assert mark.read() is None
    first = LastSend(7, "leg_7", NOW, None)
    second = LastSend(8, "leg_8", NOW + MINUTE, None)
    after_a_hold = LastSend(3, "leg_3", LATER, NOW)

    mark.note(second)
    mark.note(first)
    assert mark.read() == second
    mark.note(after_a_hold)
    mark.note(second)
    assert mark.read() == after_a_hold


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"attempt_id": 1}', b"\0" * 1024])
def test_a_mark_that_cannot_be_read_begins_a_hold(tmp_path: Path, content: bytes) -> None:
    payout()
    watch = RestoreWatch(tmp_path)
    watch.look(now=NOW, stopwatch_s=0)
    watch.note(LastSend(1, "leg_1", NOW, None))
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)

    RestoreWatch(tmp_path).look(now=NOW, stopwatch_s=0)

    held = queries.current_hold()
    assert held is not None
    assert held.cause is HoldCause.MARK


def test_the_incarnation_names_server_history_and_database() -> None:
    server, timeline, database = queries.incarnation_now().split("/")

    assert server.isdigit()
    assert len(timeline) == 8
    assert database == connection.settings_dict["NAME"]
