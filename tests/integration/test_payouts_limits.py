"""How much may go out, how fast, and who says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import psycopg
import pytest
from django.db import DatabaseError, transaction

from kuaitui.channels.port import FailedDefinite, NotSent, Succeeded, Unknown
from kuaitui.kernel.money import CurrencyMismatch, Money
from kuaitui.kit.models import OutboxRow
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    LimitChanged,
    LimitNeedsAnother,
    LimitNotPositive,
    LimitNotProposed,
    ReleaseNeedsAnother,
    ReleaseNotProposed,
    SendingNotStopped,
)
from kuaitui.payouts.queries.limits import limits_on
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import (
    ALL_CHANNELS,
    AttemptKind,
    BalanceSource,
    LimitScope,
    Pace,
    TripRates,
)
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW, yuan
from tests.support.payouts_given import MINUTE, PACE, World, attempt, claim, limit, payout

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
TABLES = ("payouts_leg", "payouts_attempt", "payouts_limit", "payouts_channel_switch")
OPERATOR = "usr_somebody"
SEND = AttemptKind.SEND


def not_claimed(world: World, *, now: dt.datetime = NOW) -> str:
    """The leg is not taken; returns what it waits for."""
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=now) is None
    assert world.state is LegState.READY
    assert world.kinds() == []
    return queries.leg(world.leg_id).waits_for


def told() -> list[str]:
    rows = OutboxRow.objects.filter(event="payouts.PayoutDelayed").order_by("id")
    return [row.payload["reason"] for row in rows]


# ---------------------------------------------------------------- what waits for people


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(LimitScope.PAYOUT, "payout_limit"), (LimitScope.CHANNEL_LEG, "leg_limit")],
)
def test_what_is_above_a_limit_of_one_waits_for_people(scope: LimitScope, reason: str) -> None:
    world = payout("¥5,000.01")
    limit(scope, "5,000")

    assert not_claimed(world) == reason

    assert queries.leg(world.leg_id).set_aside_reason == reason
    assert told() == [reason]
    limit(scope, "6,000")
    operations.release_leg(
        leg_id=world.leg_id, actor=given.approver(), reason="Raised for this one.", now=NOW
    )
    assert claim(world).kind is SEND
    assert queries.leg(world.leg_id).waits_for == ""


@pytest.mark.parametrize("scope", LimitScope)
def test_what_is_at_a_limit_is_sent(scope: LimitScope) -> None:
    world = payout("¥5,000", approved_by=[OPERATOR])
    balance("10,000")
    limit(scope, "5,000")

    assert claim(world).kind is SEND


# ---------------------------------------------------------------- what waits for its turn


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (LimitScope.SHOP_DAY, "shop_day_limit"),
        (LimitScope.OPERATOR_DAY, "operator_day_limit"),
        (LimitScope.CHANNEL_DAY, "day_limit"),
    ],
)
def test_what_is_above_a_limit_of_a_day_waits_for_its_turn(scope: LimitScope, reason: str) -> None:
    first = payout("¥3,000", deposit_=("¥5,000", "¥5,000"), approved_by=[OPERATOR])
    second = pg.payout_of(
        first.shop, "¥2,000.01", application_id="rfa_2", approved_by=[OPERATOR], from_lot=1
    )
    limit(scope, "5,000")
    claim(first)

    assert not_claimed(second) == reason

    assert told() == [reason]
    assert second.leg_id not in queries.due_legs(now=NOW + 9 * MINUTE)
    assert not_claimed(second, now=NOW + 10 * MINUTE) == reason
    assert told() == [reason], "the same reason is told once"
    assert claim(second, now=NOW + given.DAY).kind is SEND


def test_a_day_of_one_shop_or_person_is_no_day_of_another() -> None:
    first, second = (
        payout("¥3,000", application_id=f"rfa_{who}", approved_by=[who]) for who in ("a", "b")
    )
    limit(LimitScope.SHOP_DAY, "3,000")
    limit(LimitScope.OPERATOR_DAY, "3,000")

    claim(first)
    claim(second)


def test_approvals_by_rule_use_up_the_day_of_no_person_but_of_the_rule() -> None:
    limit(LimitScope.OPERATOR_DAY, "1")
    limit(LimitScope.RULE_DAY, "5,000")
    first, second = payout("¥3,000"), payout("¥2,000.01", application_id="rfa_2")

    assert claim(first).kind is SEND

    assert not_claimed(second) == "rule_day_limit"
    assert claim(second, now=NOW + given.DAY).kind is SEND


def test_what_people_approved_is_no_matter_of_the_rule() -> None:
    limit(LimitScope.RULE_DAY, "1")

    assert claim(payout("¥3,000", approved_by=[OPERATOR])).kind is SEND


@pytest.mark.parametrize(
    ("scope", "reason", "approved_by"),
    [
        (LimitScope.SHOP_DAY, "above_shop_day", [OPERATOR]),
        (LimitScope.OPERATOR_DAY, "above_operator_day", [OPERATOR]),
        (LimitScope.RULE_DAY, "above_rule_day", []),
        (LimitScope.CHANNEL_DAY, "above_day", [OPERATOR]),
    ],
)
def test_what_is_larger_than_a_whole_day_waits_for_people_not_for_ever(
    scope: LimitScope, reason: str, approved_by: list[str]
) -> None:
    world = payout("¥5,000.01", approved_by=approved_by)
    limit(scope, "5,000")

    assert not_claimed(world) == reason

    assert [one.set_aside_reason for one in queries.legs_set_aside()] == [reason]
    assert world.leg_id not in queries.due_legs(now=NOW + given.DAY)
    assert told() == [reason]
    limit(scope, "6,000")
    operations.release_leg(
        leg_id=world.leg_id, actor=given.approver(), reason="Raised for this one.", now=NOW
    )
    assert claim(world).kind is SEND


def test_a_limit_never_stops_asking_nor_a_resend() -> None:
    world = payout("¥5,000", approved_by=[OPERATOR])
    attempt(world, NotSent("connect_error"))
    for scope in LimitScope:
        limit(scope, "1")

    attempt(world, Unknown("deadline"), now=NOW + 2 * MINUTE)
    assert attempt(world, pg.succeeded(), now=NOW + 4 * MINUTE) is LegState.PAID


def test_an_alarm_still_comes_after_a_leg_has_waited_for_its_turn() -> None:
    world = payout("¥5,000")
    claim(payout("¥1", application_id="rfa_2"))
    limit(LimitScope.CHANNEL_DAY, "5,000")
    not_claimed(world)
    limit(LimitScope.CHANNEL_DAY, "")
    later = NOW + given.DAY

    attempt(world, Unknown("deadline"), now=later)
    attempt(world, Unknown("deadline"), now=later + PACE.alarm_after)

    assert told() == ["day_limit", "unknown"]


# ---------------------------------------------------------------- the floor


def balance(amount: str, *, as_of: dt.datetime = NOW - MINUTE, now: dt.datetime = NOW) -> None:
    operations.note_balance(
        channel=given.CHANNEL,
        balance=yuan(amount),
        as_of=as_of,
        source=BalanceSource.PERSON,
        actor=given.approver(),
        now=now,
    )


def test_a_send_that_would_go_below_the_floor_waits_until_there_is_more() -> None:
    first, second = payout("¥3,000"), payout("¥2,000.01", application_id="rfa_2")
    limit(LimitScope.CHANNEL_FLOOR, "5,000")
    assert not_claimed(first) == "balance_unknown"
    balance("10,000")
    later = NOW + 10 * MINUTE
    claim(first, now=later)

    assert not_claimed(second, now=later) == "balance_floor"
    assert told() == ["balance_unknown", "balance_floor"]
    people = {one.leg_id for one in queries.legs_in_monitor(only_needing_people=True)}
    assert people == {second.leg_id}

    topped_up = later + 10 * MINUTE
    balance("10,000", as_of=topped_up, now=topped_up)
    assert claim(second, now=topped_up).kind is SEND


def test_what_certainly_failed_is_still_at_the_channel() -> None:
    balance("10,000")
    attempt(payout("¥3,000"), FailedDefinite("ACCOUNT_CLOSED"))
    attempt(payout("¥4,000", application_id="rfa_2"), Unknown("deadline"))

    (known,) = queries.balances()

    assert (known.balance, known.sent_since, known.left) == (
        yuan("10,000"), yuan("4,000"), yuan("6,000"),
    )  # fmt: skip


# ---------------------------------------------------------------- one after the other


def test_refunds_of_one_payment_are_a_minute_apart() -> None:
    """WeChat Pay takes partial refunds of one payment a minute apart, whoever asked for them."""
    first = payout("¥3,000")
    attempt(first, pg.succeeded())
    second = pg.payout_of(first.shop, "¥2,000", application_id="rfa_2")
    other = payout("¥2,000", application_id="rfa_3")
    soon = NOW + dt.timedelta(seconds=59)

    def take(world: World, now: dt.datetime) -> AttemptKind | None:
        taken = operations.claim_leg(
            leg_id=world.leg_id, pace=PACE, now=now, refund_interval=MINUTE
        )
        return taken.kind if taken else None

    assert take(second, soon) is None
    assert pg.next_check_at(second) == NOW + MINUTE
    assert take(other, soon) is SEND
    assert take(second, NOW + MINUTE) is SEND


def test_payouts_to_an_account_need_not_wait_for_each_other() -> None:
    first = payout("¥3,000", route_open=False)
    attempt(first, pg.succeeded())
    (leg,) = first.legs
    second = pg.payout_of(
        first.shop, "¥2,000", application_id="rfa_2", destination_id=leg.destination_id
    )

    taken = operations.claim_leg(leg_id=second.leg_id, pace=Pace(), now=NOW, refund_interval=MINUTE)

    assert taken is not None


# ---------------------------------------------------------------- two people


def propose(amount: Money | None = None, **changes: object) -> int:
    proposal = {
        "scope": LimitScope.CHANNEL_DAY, "channel": given.CHANNEL, "currency": "CNY",
        "amount": amount or yuan("5,000"), "actor": given.reviewer(), "now": NOW, **changes,
    }  # fmt: skip
    return operations.propose_limit(**proposal)


def in_force() -> dict[LimitScope, int]:
    return limits_on(channel=given.CHANNEL, currency="CNY")


def test_a_limit_counts_once_a_second_person_confirms_what_was_shown() -> None:
    first, second = given.reviewer(), given.approver()
    number = propose(actor=first)
    assert in_force() == {}

    shown = {"limit_id": number, "amount": yuan("5,000"), "now": NOW}
    with given.nothing_moves(*TABLES):
        with pytest.raises(LimitNeedsAnother):
            operations.confirm_limit(**shown, actor=first)
        with pytest.raises(LimitChanged):
            operations.confirm_limit(**{**shown, "amount": yuan("50,000")}, actor=second)
        with pytest.raises(LimitNotProposed):
            operations.confirm_limit(**{**shown, "limit_id": number + 1}, actor=second)
    operations.confirm_limit(**shown, actor=second)

    assert in_force() == {LimitScope.CHANNEL_DAY: 500_000}
    with given.nothing_moves(*TABLES), pytest.raises(LimitNotProposed):
        operations.confirm_limit(**shown, actor=second)


def test_a_later_proposal_takes_the_place_of_the_one_before() -> None:
    number = propose()
    assert propose(yuan("7,000")) == number

    (proposal,) = queries.limits()
    assert (proposal.amount, proposal.is_in_force) == (yuan("7,000"), False)


def test_the_newest_confirmed_limit_counts_and_can_be_lifted() -> None:
    limit(LimitScope.CHANNEL_DAY, "5,000")
    limit(LimitScope.CHANNEL_DAY, "3,000")
    assert in_force() == {LimitScope.CHANNEL_DAY: 300_000}
    propose(yuan("9,000"))
    assert in_force() == {LimitScope.CHANNEL_DAY: 300_000}
    limit(LimitScope.CHANNEL_DAY, "")
    assert in_force() == {}


def test_a_limit_of_nothing_or_of_another_currency_is_refused() -> None:
    with given.nothing_moves(*TABLES):
        with pytest.raises(LimitNotPositive):
            propose(Money(0, "CNY") - Money(1, "CNY"))
        with pytest.raises(CurrencyMismatch):
            propose(Money(1, "USD"))


def test_sending_is_stopped_by_one_and_released_by_two() -> None:
    world = payout()
    first, second = given.reviewer(), given.approver()
    where = {"channel": given.CHANNEL, "now": NOW}
    with pytest.raises(SendingNotStopped):
        operations.propose_resume(reason="x", actor=first, **where)
    pg.stop()

    with given.nothing_moves(*TABLES), pytest.raises(ReleaseNotProposed):
        operations.confirm_resume(actor=second, **where)
    operations.propose_resume(reason="Looked at it.", actor=first, **where)
    with given.nothing_moves(*TABLES), pytest.raises(ReleaseNeedsAnother):
        operations.confirm_resume(actor=first, **where)
    assert queries.due_legs(now=NOW) == []
    operations.confirm_resume(actor=second, **where)

    assert claim(world).kind is SEND


def test_a_second_stop_voids_a_proposal_to_release() -> None:
    pg.stop()
    operations.propose_resume(
        channel=given.CHANNEL, reason="Fine.", actor=given.reviewer(), now=NOW
    )

    pg.stop()

    with pytest.raises(ReleaseNotProposed):
        operations.confirm_resume(channel=given.CHANNEL, actor=given.approver(), now=NOW)


# ---------------------------------------------------------------- stopping by itself

RATES = TripRates(sends_min=4, unknown_percent=50, failed_percent=75)


def sends(*outcomes: object) -> None:
    for number, outcome in enumerate(outcomes):
        attempt(payout(application_id=f"rfa_{number}"), outcome)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcomes", "stopped"),
    [
        ((Unknown("x"), Unknown("x"), Succeeded("S", NOW), Succeeded("S", NOW)), True),
        ((Unknown("x"), Succeeded("S", NOW), Succeeded("S", NOW), Succeeded("S", NOW)), False),
        ((FailedDefinite("F"),) * 3 + (Succeeded("S", NOW),), True),
        ((FailedDefinite("F"),) * 2 + (Succeeded("S", NOW),) * 2, False),
        ((Unknown("x"),) * 3, False),
    ],
)
def test_too_many_bad_sends_stop_a_channel_by_itself(
    outcomes: tuple[object, ...], stopped: bool
) -> None:
    sends(*outcomes)

    found = operations.trip_on_rates(rates=RATES, now=NOW + MINUTE)

    assert found == ((given.CHANNEL,) if stopped else ())
    assert any(switch.is_stopped for switch in queries.kill_switches()) is stopped
    assert operations.trip_on_rates(rates=RATES, now=NOW + MINUTE) == ()


def test_a_send_counts_once_however_many_switches_were_ever_turned() -> None:
    for channel in (given.CHANNEL, ALL_CHANNELS):
        pg.stop(channel, now=NOW - given.DAY)
        pg.resume(channel, now=NOW - given.DAY)
    sends(*[Unknown("x")] * 2)

    assert operations.trip_on_rates(rates=RATES, now=NOW + MINUTE) == ()


def test_no_older_switch_of_all_stops_a_channel_again_that_people_released() -> None:
    pg.stop(ALL_CHANNELS, now=NOW - given.DAY)
    pg.resume(ALL_CHANNELS, now=NOW - given.DAY)
    sends(*[Unknown("x")] * 4)
    later = NOW + MINUTE
    assert operations.trip_on_rates(rates=RATES, now=later)

    pg.resume(now=later)

    assert operations.trip_on_rates(rates=RATES, now=later) == ()


def test_what_was_sent_before_people_released_a_channel_does_not_stop_it_again() -> None:
    sends(*[Unknown("x")] * 4)
    later = NOW + MINUTE
    assert operations.trip_on_rates(rates=RATES, now=later)

    pg.resume(now=later)

    assert operations.trip_on_rates(rates=RATES, now=later) == ()


# ---------------------------------------------------------------- the database


def refused(raw_sql: RawSql, statement: str) -> str:
    def run() -> None:
        with transaction.atomic():
            raw_sql(statement)

    with given.nothing_moves(*TABLES), pytest.raises(DatabaseError) as refusal:
        run()
    cause = refusal.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name or str(cause)


def add_limit(raw_sql: RawSql, **changes: str) -> str:
    row = {
        "scope": "'channel_day'", "channel": "'simulator'", "currency": "'CNY'",
        "amount_minor": "5", "proposed_by": "'a'", "proposed_at": "now()", **changes,
    }  # fmt: skip
    return refused(
        raw_sql, f"INSERT INTO payouts_limit ({', '.join(row)}) VALUES ({', '.join(row.values())})"
    )


def test_the_database_knows_what_a_limit_is(raw_sql: RawSql) -> None:
    assert add_limit(raw_sql, scope="'whim'", channel="'*'") == "limit_scope_is_known"
    assert add_limit(raw_sql, amount_minor="0") == "limit_amount_is_positive"
    assert add_limit(raw_sql, channel="'*'") == "a_limit_is_of_a_channel_or_of_all"
    assert add_limit(raw_sql, scope="'payout'") == "a_limit_is_of_a_channel_or_of_all"
    confirmed = {"confirmed_by": "'b'", "confirmed_at": "now()"}
    assert add_limit(raw_sql, **confirmed) == "a_limit_begins_as_a_proposal"
    propose()
    assert add_limit(raw_sql) == "a_limit_has_one_open_proposal"


def test_the_database_has_a_limit_confirmed_by_somebody_else(raw_sql: RawSql) -> None:
    propose()
    confirm = "UPDATE payouts_limit SET confirmed_at = now(), confirmed_by = "
    second = "a_limit_is_confirmed_by_a_second_person"
    assert refused(raw_sql, confirm + "proposed_by") == second
    assert refused(raw_sql, confirm + "''") == second
    confirmed = "what_is_confirmed_was_proposed"
    assert refused(raw_sql, confirm + "'b', amount_minor = 9") == confirmed
    assert refused(raw_sql, confirm + "'b', proposed_by = 'x'") == confirmed
    change = "UPDATE payouts_limit SET currency = 'USD'"
    assert refused(raw_sql, change) == "a_proposal_stays_the_limit_it_is_of"
    raw_sql(confirm + "'b'")
    assert (
        refused(raw_sql, "UPDATE payouts_limit SET amount_minor = 9") == "a_confirmed_limit_stays"
    )


def test_the_database_has_sending_released_by_somebody_else(raw_sql: RawSql) -> None:
    pg.stop()
    release = "UPDATE payouts_channel_switch SET is_stopped = false, set_by = "
    proposed = "release_proposed_by = 'a', release_proposed_at = now(), release_reason = 'x'"
    was_proposed = "a_release_of_sending_was_proposed"
    assert refused(raw_sql, f"{release} 'b'") == was_proposed
    assert refused(raw_sql, f"{release} 'b', {proposed}") == was_proposed
    insert = (
        "INSERT INTO payouts_channel_switch (channel, is_stopped, reason, set_by, set_at)"
        " VALUES ('other', false, 'x', 'b', now())"
    )
    assert refused(raw_sql, insert) == was_proposed
    raw_sql(f"UPDATE payouts_channel_switch SET {proposed}")
    assert refused(raw_sql, f"{release} 'a'") == "sending_is_released_by_a_second_person"
    raw_sql(f"{release} 'b'")


def test_what_a_leg_waits_for_is_known_and_ends_with_its_waiting(raw_sql: RawSql) -> None:
    world = payout()
    name = "what_a_leg_waits_for_is_known"
    assert refused(raw_sql, "UPDATE payouts_leg SET waits_for = 'godot'") == name
    attempt(world, Unknown("deadline"))
    assert refused(raw_sql, "UPDATE payouts_leg SET waits_for = 'day_limit'") == name
    change = "UPDATE payouts_leg SET approved_by = '[\"x\"]'"
    assert refused(raw_sql, change) == "a_leg_keeps_its_number_and_request"


@pytest.mark.parametrize(
    ("source", "as_of", "name"),
    [
        ("'rumour'", "now()", "balance_source_is_known"),
        ("'person'", "now() + interval '1 day'", "a_balance_is_not_of_the_future"),
    ],
)
def test_the_database_knows_what_a_balance_is(
    raw_sql: RawSql, source: str, as_of: str, name: str
) -> None:
    statement = (
        "INSERT INTO payouts_balance (channel, currency, balance_minor, as_of, source, told_by,"
        f" recorded_at) VALUES ('simulator', 'CNY', 1, {as_of}, {source}, 'a', now())"
    )
    assert refused(raw_sql, statement) == name


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM payouts_limit",
        "TRUNCATE payouts_limit",
        "DELETE FROM payouts_channel_switch",
        "TRUNCATE payouts_channel_switch",
        "UPDATE payouts_balance SET balance_minor = 1",
        "DELETE FROM payouts_balance",
        "TRUNCATE payouts_balance",
    ],
)
def test_limits_switches_and_balances_stay(raw_sql: RawSql, statement: str) -> None:
    assert "keeps its rows" in refused(raw_sql, statement)
