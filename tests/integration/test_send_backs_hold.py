"""After a restore no payment goes back out of suspense before its channel was asked about it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    Outcome,
    PayoutInstruction,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.deposits.states import SuspenseState
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import LostWindowUnasked
from kuaitui.payouts.models import SendBackAttempt
from kuaitui.payouts.queries import LastSend, due_send_backs
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, HoldCause, SendOf
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support import payouts_given as pg
from tests.support import send_backs_given as sbg
from tests.support.given import nothing_moves
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
FLOOR = pig.CAPABILITIES.not_found_floor
TABLES = (*sbg.TABLES, "payouts_hold", "payouts_incarnation")
MOVE = "UPDATE payouts_send_back SET {}"
SEND = (
    "UPDATE payouts_send_back SET state = 'sending', fence = fence + 1, sends = sends + 1,"
    " first_sent_at = now(), last_sent_at = now(); INSERT INTO payouts_send_back_attempt"
    " (send_back_id, attempt_no, kind, fence, started_at, cause) SELECT id, 1 + (SELECT count(*)"
    " FROM payouts_send_back_attempt WHERE send_back_id = going.id), 'send', fence, now(), ''"
    " FROM payouts_send_back AS going"
)
RELEASE = "UPDATE payouts_hold SET released_by = 'b', released_at = now()"


@pytest.fixture
def made() -> sbg.World:
    return sbg.ordered()


def hold(made: sbg.World) -> None:
    """A moment later the database is restored."""
    made.now += pg.SECOND
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=made.now)


def release(at: dt.datetime) -> None:
    about = {"now": at}
    operations.propose_release(finding="All answered.", actor=given.reviewer(), **about)
    operations.confirm_release(actor=given.approver(), **about)


def mark_of(made: sbg.World) -> LastSend:
    """What an installation notes of the last send."""
    last = SendBackAttempt.objects.latest("id")
    return LastSend(last.id, made.send_back_id, last.started_at, None, SendOf.SEND_BACK)


# The mark outside of the database


def test_a_database_that_does_not_know_the_last_payment_sent_back_begins_a_hold(
    made: sbg.World,
) -> None:
    made.channel_says(Accepted("R"))
    known = mark_of(made)
    lost = LastSend(known.attempt_id + 1, known.sent_id, known.started_at, None, known.of)
    assert not operations.hold_if_restored(last_send=known, now=made.now)

    assert operations.hold_if_restored(last_send=lost, now=made.now)

    held = queries.current_hold()
    assert held is not None
    assert held.cause is HoldCause.MARK


def test_a_call_about_a_leg_is_not_taken_for_one_about_a_payment_sent_back() -> None:
    world = pg.payout()
    taken = pg.claim(world)
    leg = LastSend(taken.attempt_id, world.leg_id, taken.started_at, None)
    lost = LastSend(taken.attempt_id, world.leg_id, taken.started_at, None, SendOf.SEND_BACK)
    assert not operations.hold_if_restored(last_send=leg, now=pg.NOW)

    assert operations.hold_if_restored(last_send=lost, now=pg.NOW)


@pytest.mark.django_db(transaction=True)
def test_a_send_is_noted_before_it_leaves_and_a_question_is_not(
    made: sbg.World, tmp_path: Path
) -> None:
    watch = RestoreWatch(tmp_path)
    watch.look(now=made.now, stopwatch_s=0)
    noted: list[list[Path]] = []

    def answer(_kind: AttemptKind, _: PayoutInstruction) -> Outcome:
        noted.append(sorted(tmp_path.iterdir()))
        return Accepted("R")

    channel = pg.ScriptedChannel(answer)
    channels = Channels({given.CHANNEL: channel})
    for turn in range(2):
        operations.carry_out_send_back(
            send_back_id=made.send_back_id,
            channels=channels,
            pace=sbg.PACE,
            clock=lambda turn=turn: made.now + turn * pg.MINUTE,
            note_send=watch.note,
        )

    assert [kind for kind, _ in channel.calls] == [AttemptKind.SEND, AttemptKind.QUERY]
    ((file,), *_) = noted
    assert json.loads(file.read_text())["sent_id"] == made.send_back_id
    assert json.loads(file.read_text())["attempt_id"] == mark_of(made).attempt_id - 1
    operations.hold_if_restored(last_send=None, now=made.now)
    RestoreWatch(tmp_path).look(now=made.now, stopwatch_s=0)
    assert queries.current_hold() is None, "the database knows what was noted"


def test_sends_of_legs_and_of_payments_sent_back_are_noted_apart(
    made: sbg.World, tmp_path: Path
) -> None:
    made.channel_says(Accepted("R"))
    world = pg.payout()
    taken = pg.claim(world)
    watch = RestoreWatch(tmp_path)
    watch.look(now=made.now, stopwatch_s=0)
    watch.note(mark_of(made))
    watch.note(LastSend(taken.attempt_id, world.leg_id, taken.started_at, None))
    assert len(list(tmp_path.iterdir())) == 2

    RestoreWatch(tmp_path).look(now=made.now, stopwatch_s=0)
    assert queries.current_hold() is None

    lost = LastSend(10**6, made.send_back_id, made.now, None, SendOf.SEND_BACK)
    watch.note(lost)
    RestoreWatch(tmp_path).look(now=made.now, stopwatch_s=0)
    assert queries.current_hold() is not None


def test_a_mark_of_before_sends_back_were_noted_is_read_as_a_legs(tmp_path: Path) -> None:
    world = pg.payout()
    taken = pg.claim(world)
    watch = RestoreWatch(tmp_path)
    watch.look(now=pg.NOW, stopwatch_s=0)
    watch.note(LastSend(taken.attempt_id, world.leg_id, taken.started_at, None))
    (file,) = tmp_path.iterdir()
    document = json.loads(file.read_text())
    del document["of"]
    document["leg_id"] = document.pop("sent_id")
    file.write_text(json.dumps(document))

    RestoreWatch(tmp_path).look(now=pg.NOW, stopwatch_s=0)

    assert queries.current_hold() is None


# The hold


def test_what_another_worker_began_in_the_very_moment_of_the_hold_is_asked_about_too() -> None:
    """After a restore news waits: one thread begins what it orders, another one the hold."""
    made = sbg.ordered(now=given.NOW + given.DAY)

    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=made.now - pg.SECOND)

    taken = sbg.claim(made.send_back_id, now=made.now)
    assert taken is not None
    assert taken.kind is AttemptKind.QUERY


def test_what_waits_to_go_back_is_asked_about_at_once(made: sbg.World) -> None:
    made.channel_says(NotSent("connect_error"))
    assert due_send_backs(now=made.now) == []

    hold(made)

    assert due_send_backs(now=made.now) == [made.send_back_id]
    assert queries.current_hold().unasked_count == 1
    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID
    assert made.kinds() == ["send", "query"]
    assert made.case.state is SuspenseState.SENT_BACK
    assert made.book == (0, 0)
    assert queries.current_hold().unasked_count == 0


@pytest.mark.parametrize("answer", [Accepted("R"), FailedDefinite("NO_AUTH")])
def test_what_its_channel_knows_moves_on_and_is_not_sent(
    made: sbg.World, answer: Accepted | FailedDefinite
) -> None:
    hold(made)

    made.channel_says(answer)

    assert made.kinds() == ["query"]
    release(made.now)


@pytest.mark.parametrize("answer", [Unknown("deadline"), NotSent("no_route"), NotFound()])
def test_a_hold_is_not_released_while_a_payment_on_its_way_back_is_unasked(
    made: sbg.World, answer: Outcome
) -> None:
    hold(made)
    assert made.channel_says(answer) is LegState.READY, "too early to say"

    with nothing_moves(*TABLES), pytest.raises(LostWindowUnasked):
        release(made.now)

    assert queries.current_hold().unasked_count == 1


def test_what_its_channel_does_not_know_goes_back_after_the_release_under_the_same_number(
    made: sbg.World,
) -> None:
    number = made.view.number
    hold(made)
    made.now += FLOOR
    assert made.channel_says(NotFound()) is LegState.READY
    assert due_send_backs(now=made.now) == [], "no worker turns round and round in a hold"
    with nothing_moves(*TABLES):
        assert sbg.claim(made.send_back_id, now=made.now) is None

    release(made.now)

    assert due_send_backs(now=made.now) == [made.send_back_id]
    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID
    assert made.kinds() == ["query", "send"]
    assert made.view.number == number


@pytest.mark.parametrize("channel", [given.CHANNEL, "*"])
def test_what_a_kill_switch_keeps_back_is_not_due(made: sbg.World, channel: str) -> None:
    pg.stop(channel, now=made.now)
    assert due_send_backs(now=made.now) == []

    pg.resume(channel, now=made.now)

    assert due_send_backs(now=made.now) == [made.send_back_id]


# The database, whoever writes to it


@pytest.fixture
def refused(raw_sql: RawSql) -> Callable[..., None]:
    return partial(refuse, raw_sql, TABLES)


def test_the_database_keeps_a_hold_while_a_payment_on_its_way_back_is_unasked(
    refused: Callable[..., None], raw_sql: RawSql, made: sbg.World
) -> None:
    hold(made)
    raw_sql("UPDATE payouts_hold SET proposed_by = 'a', proposed_at = now(), finding = 'x'")
    refused(RELEASE, breaks="a_hold_is_released_when_no_send_back_is_unasked")
    made.channel_says(Accepted("R"))

    raw_sql(RELEASE)

    assert queries.current_hold() is None


@pytest.mark.usefixtures("made")
def test_another_incarnation_sends_nothing_back(
    refused: Callable[..., None], raw_sql: RawSql
) -> None:
    raw_sql("INSERT INTO payouts_incarnation (identity, seen_at) VALUES ('another', now())")

    refused(SEND, breaks="another_incarnation_sends_nothing")


@pytest.mark.parametrize("moment", ["now()", "NULL"])
def test_nobody_clears_a_send_back_but_its_channel(
    refused: Callable[..., None], made: sbg.World, moment: str
) -> None:
    hold(made)
    clear, name = MOVE.format(f"clear_since = {moment}"), "a_send_back_is_cleared_by_its_channel"
    refused(clear, breaks=name)

    made.channel_says(Unknown("deadline"))

    refused(clear, breaks=name)
