"""Bills are fetched when their hour has come, by command or by the worker, from a real channel."""

from __future__ import annotations

import datetime as dt
import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.db import connection

from kuaitui.channels.port import (
    RejectedConfig,
    StatementAbsent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    StatementOutcome,
    Unknown,
)
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.channels.simulator.bills import ZONE as SIMULATED_ZONE
from kuaitui.channels.simulator.director import Director
from kuaitui.interfaces.cli import reconcile, verify
from kuaitui.interfaces.cli.diagnosis.bills import bills as diagnose
from kuaitui.interfaces.cli.diagnosis.finding import Verdict
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.errors import BillDayNotOver
from kuaitui.reconciliation.models import BillDay
from kuaitui.reconciliation.types import DayState
from tests.support import given
from tests.support.given import CHANNEL, NOW
from tests.support.payouts_given import CAPABILITIES
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    ONE_DAY,
    TABLES,
    TODAY,
    TRADES,
    ZONE,
    Paper,
    at,
    bill,
    line,
)
from tests.support.simulator import KEY, SimulatorProcess

pytestmark = pytest.mark.django_db
PLAN = operations.Plan(zone=ZONE)
NEEDED = frozenset(StatementKind)
MORNING = at(11, day=TODAY)


@dataclass
class PaperChannel(Paper):
    """Paper with a channel's capabilities; what it answers is up to the test."""

    capabilities: object = replace(CAPABILITIES, statement_kinds=NEEDED)
    answer: Callable[[StatementKind, dt.date], StatementOutcome] | None = None
    asked: int = 0

    def fetch_statement(
        self, kind: StatementKind, day: dt.date, *, deadline_s: float
    ) -> StatementOutcome:
        self.asked += 1
        assert self.answer is not None
        return self.answer(kind, day)


def answering(outcome: StatementOutcome | Callable[..., StatementOutcome]) -> PaperChannel:
    answer = outcome if callable(outcome) else lambda _kind, _day: outcome
    return PaperChannel(answer=answer)


def turn(channel: PaperChannel, now: dt.datetime) -> int:
    return operations.fetch_due(channels=Channels({CHANNEL: channel}), plan=PLAN, clock=lambda: now)


def whole_bill(kind: StatementKind, day: dt.date) -> StatementOutcome:
    if day != DAY:
        return StatementEmpty()
    return StatementFetched(bill(line("pay_in", "P1", "¥300"), day=day, kind=kind), "bill.json")


def late_events() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kit_outbox WHERE event = 'reconciliation.BillLate'")
        return int(cursor.fetchone()[0])


def test_yesterdays_bills_are_fetched_once_when_their_hour_has_come() -> None:
    shop = given.shop((), paid_days_ago=0)
    given.pay_in(shop.account_id, "¥300", reference="P1", paid_at=at(12))
    channel = answering(whole_bill)

    turn(channel, at(9, 59, day=TODAY))
    assert queries.files_of_day(channel=CHANNEL, day=DAY) == ()
    for minute in (0, 1, 30):
        turn(channel, at(10, minute, day=TODAY))

    report = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert report.state is DayState.PROVEN
    before_ten, after_ten = 2, 2
    assert channel.asked == before_ten + after_ten


@pytest.mark.parametrize(
    "outcome", [StatementNotReady(), Unknown("timeout"), RejectedConfig("NO_PERMISSION")]
)
def test_a_bill_that_does_not_come_is_asked_for_again_and_told_once(outcome) -> None:
    channel = answering(outcome)
    turn(channel, at(10, day=TODAY))
    asked = channel.asked

    turn(channel, at(10, 5, day=TODAY))
    assert channel.asked == asked
    turn(channel, at(10, 21, day=TODAY))
    assert channel.asked == 2 * asked
    assert late_events() == 0
    for minute in (0, 30, 59):
        turn(channel, at(14, minute, day=TODAY))

    assert late_events() == asked
    report = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert (report.state, report.is_late) == (DayState.NOT_HERE, True)
    assert all(one.problem for one in report.bills)


def test_of_a_day_without_anything_a_bill_that_is_not_there_is_none_and_nobody_is_alarmed() -> None:
    channel = answering(StatementAbsent())
    for hour in (10, 12):
        turn(channel, at(hour, 59, day=TODAY))
    assert queries.files_of_day(channel=CHANNEL, day=DAY) == ()

    for hour in (13, 14):
        turn(channel, at(hour, 30, day=TODAY))

    report = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert (report.state, report.is_late) == (DayState.PROVEN, False)
    assert late_events() == 0


def test_a_bill_that_is_not_there_of_a_day_on_which_money_moved_is_late() -> None:
    shop = given.shop((), paid_days_ago=0)
    given.pay_in(shop.account_id, "¥300", reference="P1", paid_at=at(12))
    channel = answering(StatementAbsent())

    for hour in (11, 13, 14):
        turn(channel, at(hour, 30, day=TODAY))

    report = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert (report.state, report.is_late) == (DayState.NOT_HERE, True)
    assert late_events() == channel.asked // 3
    assert {one.problem for one in report.bills} == {"not_ready"}


def test_a_bill_that_came_late_is_compared_and_no_longer_late() -> None:
    turn(answering(StatementNotReady()), at(15, day=TODAY))

    turn(answering(StatementEmpty()), at(16, day=TODAY))

    report = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert (report.state, report.is_late) == (DayState.PROVEN, False)


def test_days_missed_while_no_worker_ran_are_fetched_too() -> None:
    turn(answering(StatementEmpty()), MORNING)

    turn(answering(StatementEmpty()), MORNING + 3 * ONE_DAY)

    days = BillDay.objects.filter(reading__isnull=False).values_list("day", flat=True)
    assert set(days) == {DAY + number * ONE_DAY for number in range(4)}


def test_recent_days_are_compared_again_since_postings_go_on() -> None:
    turn(answering(StatementEmpty()), MORNING)
    shop = given.shop((), paid_days_ago=0)
    given.pay_in(shop.account_id, "¥300", paid_at=at(12))

    turn(answering(StatementEmpty()), MORNING + dt.timedelta(minutes=30))
    assert queries.open_breaks() == ()
    turn(answering(StatementEmpty()), MORNING + dt.timedelta(minutes=61))

    assert len(queries.open_breaks()) == 2


def test_a_dangerous_difference_stops_sending_within_the_same_turn() -> None:
    def twice(kind: StatementKind, day: dt.date) -> StatementFetched:
        return StatementFetched(bill(line("payout", "X", "¥5"), day=day, kind=kind), "b")

    turn(answering(twice), MORNING)

    assert [switch.is_stopped for switch in payouts.kill_switches()] == [True]


def test_one_bad_bill_does_not_keep_the_others_from_coming() -> None:
    def one_is_bad(kind: StatementKind, day: dt.date) -> StatementOutcome:
        return StatementFetched(b"junk", "b") if kind is FUNDS else StatementEmpty()

    turn(answering(one_is_bad), MORNING)

    report = queries.day_report(channel=CHANNEL, day=DAY, needed=NEEDED)
    assert report.state is DayState.REFUSED
    assert BillDay.objects.get(bill=TRADES, day=DAY).compared_at is not None


def test_a_day_that_is_not_over_has_no_bill() -> None:
    channels = Channels({CHANNEL: answering(StatementEmpty())})

    with pytest.raises(BillDayNotOver), given.nothing_moves(*TABLES):
        operations.fetch_bill(
            channel=CHANNEL, channels=channels, bill=FUNDS, day=TODAY, plan=PLAN, now=NOW
        )


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"))
    yield process
    process.stop()


@pytest.fixture
def simulator(process: SimulatorProcess, tmp_path: Path, settings) -> Iterator[Director]:
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    key_file.chmod(0o600)
    settings.KUAITUI_CHANNELS = {CHANNEL: {"base_url": process.base_url, "key_file": str(key_file)}}
    director = process.director()
    yield director
    director.close()


def command(capsys, **changes: object) -> tuple[int, str]:
    asked = dict.fromkeys(["channel", "day", "file", "kind", "read_again"]) | {
        "json": False,
        "report": False,
    }
    asked |= changes
    capsys.readouterr()
    code = reconcile.run(Namespace(**asked))
    return code, capsys.readouterr().out


@pytest.fixture(autouse=True)
def _keep_the_tests_database(monkeypatch) -> None:
    monkeypatch.setattr(reconcile, "start_database", lambda: "")
    monkeypatch.setattr(verify, "start_database", lambda: "")


def simulated_today(director: Director) -> dt.date:
    return dt.datetime.fromtimestamp(director.book()["now"], SIMULATED_ZONE).date()


def test_the_command_proves_a_day_in_one_line(simulator: Director, capsys) -> None:
    now = read_clock()
    day = simulated_today(simulator)
    shop = given.shop((), paid_days_ago=0, now=now)
    simulator.collect("REF1", amount_minor=341_120_000)
    given.pay_in(shop.account_id, "¥3,411,200", reference="REF1", paid_at=now, now=now)
    simulator.advance(seconds=86_400)

    channel = build_channels(_channels(), clock=read_clock).stating(CHANNEL)
    for kind in StatementKind:
        fetched = channel.fetch_statement(kind, day, deadline_s=5)
        assert isinstance(fetched, StatementFetched)
        operations.bring_file(
            channel=CHANNEL, reader=channel, bill=kind, day=day, content=fetched.content,
            file_name="", source="fetched", actor=given.clerk(), now=now,
        )  # fmt: skip
        operations.compare_bill(
            channel=CHANNEL, bill=kind, day=day, zone=ZONE, today=day + ONE_DAY, now=now
        )
    report = queries.day_report(channel=CHANNEL, day=day, needed=NEEDED)

    assert reconcile.one_line(report) == (
        f"{day} simulator: proven, 2 lines, ¥3,411,200.00 in, ¥0.00 out, 0 differences"
    )


def _channels():
    from django.conf import settings

    return settings.KUAITUI_CHANNELS


def test_the_command_fetches_yesterday_and_ends_well(simulator: Director, capsys) -> None:
    code, out = command(capsys)

    yesterday = read_clock().astimezone(ZONE).date() - ONE_DAY
    assert (code, out) == (0, f"{yesterday} simulator: proven, 0 lines, 0 differences\n")


def test_the_command_imports_a_file_and_fails_on_what_differs(
    simulator: Director, capsys, tmp_path: Path
) -> None:
    day = read_clock().astimezone(ZONE).date() - ONE_DAY
    file = tmp_path / "bill.json"
    file.write_bytes(bill(line("payout", "X1", "¥5"), day=day))

    code, out = command(capsys, channel=CHANNEL, file=file, kind=FUNDS, day=day)

    assert code == 1
    assert out.startswith(f"{day} simulator: open differences 1, ¥5.00\n")
    assert "missing_in_ledger out X1: ours ¥0.00, theirs ¥5.00" in out
    code, out = command(capsys, channel=CHANNEL, file=file, kind=FUNDS, day=day, json=True)
    (said,) = json.loads(out)
    assert (code, said["open_breaks"], said["state"]) == (1, 1, "open_breaks")


def test_the_command_says_why_a_file_is_refused_and_nothing_moves(
    simulator: Director, capsys, tmp_path: Path
) -> None:
    day = read_clock().astimezone(ZONE).date() - ONE_DAY
    file = tmp_path / "bill.json"
    file.write_bytes(bill(line("payout", "X1", "¥5"), line("fee", "F", "¥1", amount="`1"), day=day))

    with given.nothing_moves_but_audit("reconciliation_break", "reconciliation_line"):
        code, out = command(capsys, channel=CHANNEL, file=file, kind=FUNDS, day=day)

    assert code == 1
    assert "bill refused" in out
    assert "funds: refused: line 2: amount" in out


def test_a_file_is_imported_with_its_kind(capsys, tmp_path: Path) -> None:
    with pytest.raises(reconcile.FileNeedsItsKind), given.nothing_moves(*TABLES):
        command(capsys, file=tmp_path / "bill.json")


def verified(capsys, **changes: object) -> tuple[int, list[str]]:
    capsys.readouterr()
    code = verify.run(Namespace(**{"json": True, "all": False} | changes))
    found = json.loads(capsys.readouterr().out)["differences"]
    return code, found["bills read as they were read"]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE reconciliation_file SET content = '{}'", "its bytes are not those that came"),
        ("UPDATE reconciliation_line SET amount_minor = 1 WHERE line_no = 2", "its lines are not"),
        ("UPDATE reconciliation_line SET state = 'x' WHERE line_no = 2", "its lines are not"),
        ("DELETE FROM reconciliation_line WHERE line_no = 2", "its lines are not"),
        ("UPDATE reconciliation_reading SET lines_sha256 = ''", "its lines are not"),
    ],
)
def test_verify_finds_a_bill_that_was_changed_behind_the_databases_back(
    simulator: Director, capsys, raw_sql, statement: str, says: str
) -> None:
    channel = build_channels(_channels(), clock=read_clock).stating(CHANNEL)
    operations.bring_file(
        channel=CHANNEL, reader=channel, bill=FUNDS, day=DAY, source="imported", file_name="",
        content=bill(line("pay_in", "P1", "¥1"), line("fee", "F1", "¥2")),
        actor=given.clerk(), now=NOW,
    )  # fmt: skip
    assert verified(capsys)[1] == []

    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET session_replication_role = replica")
    raw_sql("ALTER TABLE reconciliation_file DROP CONSTRAINT a_file_is_its_hash")
    raw_sql(statement)
    raw_sql("SET session_replication_role = origin")

    code, found = verified(capsys, all=True)
    assert code == 1
    assert says in found[0]


def test_the_doctor_tells_the_age_of_the_last_proven_day(settings) -> None:
    settings.KUAITUI_CHANNELS = {"simulator": settings.KUAITUI_CHANNELS["simulator"]}
    (none,) = diagnose(NOW)
    assert none.verdict is Verdict.WARN
    for kind in StatementKind:
        operations.bring_empty(channel=CHANNEL, bill=kind, day=DAY, actor=given.clerk(), now=NOW)
        operations.compare_bill(
            channel=CHANNEL, bill=kind, day=DAY, zone=ZONE, today=TODAY, now=NOW
        )

    (fresh,) = diagnose(NOW)
    (old,) = diagnose(NOW + 5 * ONE_DAY)

    assert (fresh.verdict, old.verdict) == (Verdict.OK, Verdict.WARN)
    assert DAY.isoformat() in fresh.what
