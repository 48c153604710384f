"""Kept bills are read again by the parser of today: the bytes are the truth, the lines follow."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connection

from kuaitui.channels.port import (
    ChannelCapabilities,
    LineKind,
    Statement,
    StatementKind,
    StatementLine,
    StatementRefused,
)
from kuaitui.channels.registry import Channels
from kuaitui.interfaces.cli import read_again as command
from kuaitui.interfaces.cli import reconcile
from kuaitui.kit.models import OutboxRow
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.errors import FileDamaged, FileUnknown
from kuaitui.reconciliation.models import BillDay, StatementReading
from kuaitui.reconciliation.types import BreakState, Closing, ReadAgain, ReadingState, Source
from tests.support import given, payouts_given
from tests.support.given import CHANNEL, NOW
from tests.support.payouts_given import CAPABILITIES
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    ONE_DAY,
    TABLES,
    TRADES,
    Paper,
    at,
    bill,
    breaks,
    compare,
    line,
    the_break,
)

pytestmark = pytest.mark.django_db
GIVES_BILLS = replace(CAPABILITIES, statement_kinds=frozenset(StatementKind))


@dataclass
class PaperChannel(Paper):
    """Paper that says which bills it gives."""

    capabilities: ChannelCapabilities = GIVES_BILLS


@dataclass
class Narrow(Paper):
    """A parser that took every payout for a fee, and cut off what the channel says of a line."""

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        statement = super().read_statement(kind, content)
        return replace(statement, lines=tuple(map(_misread, statement.lines)))


@dataclass
class Strict(Paper):
    """A parser that reads no bill with a payout."""

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        statement = super().read_statement(kind, content)
        for one in statement.lines:
            if one.kind is LineKind.PAYOUT:
                raise StatementRefused("payouts are not known", line_no=one.line_no)
        return statement


def _misread(one: StatementLine) -> StatementLine:
    return replace(one, kind=LineKind.FEE) if one.kind is LineKind.PAYOUT else one


def paid_to_account() -> str:
    """A payout to an account, paid yesterday; returns its number."""
    world = payouts_given.payout(route_open=False)
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    return payouts.leg(world.leg_id).channel_number


def brought(content: bytes, reader: Paper, *, kind: StatementKind = FUNDS) -> str:
    """A bill that came when `reader` was the parser of the day, and was compared."""
    file_id = operations.bring_file(
        channel=CHANNEL, reader=reader, bill=kind, day=DAY, content=content, file_name="paper.json",
        source=Source.IMPORTED, actor=given.clerk(), now=NOW,
    ).file_id  # fmt: skip
    compare(kind=kind)
    return file_id


def again(file_id: str, reader: Paper | None = None) -> ReadAgain:
    return operations.read_again(file_id=file_id, reader=reader or Paper(), now=NOW)


def paid_bill() -> bytes:
    return bill(line("payout", paid_to_account(), "¥10,000"), line("fee", "F1", "¥6"))


def audited(action: str) -> dict[str, Any]:
    """The one event of this kind in the audit chain."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM audit_event WHERE stream_id = 'platform'")
        events = [json.loads(content) for (content,) in cursor.fetchall()]
    (found,) = [event for event in events if event["action"] == action]
    return found


def test_the_same_parser_reads_the_same_and_moves_nothing() -> None:
    file_id = brought(paid_bill(), Paper())

    with given.nothing_moves(*TABLES):
        read = again(file_id)

    assert (read.is_changed, read.lines_before, read.lines_count, read.changes) == (
        False, 2, 2, (),
    )  # fmt: skip
    assert BillDay.objects.get(bill=FUNDS, day=DAY).compared_at is not None


def test_what_a_narrower_parser_read_badly_is_mended_and_its_difference_closes() -> None:
    file_id = brought(paid_bill(), Narrow())
    found = the_break()
    assert found.kind == "missing_in_bill"

    read = again(file_id)
    matching = compare()

    (change,) = read.changes
    assert (change.line_no, read.lines_before, read.lines_count) == (1, 2, 2)
    assert change.before.startswith("fee ")
    assert change.after.startswith("payout ")
    assert matching.matched_later == (found.break_id,)
    closed = queries.found_break(found.break_id)
    assert (closed.state, closed.closing) == (BreakState.CLOSED, Closing.MATCHED_LATER)


def test_the_old_reading_stays_beside_the_new_one_for_whoever_asks() -> None:
    file_id = brought(paid_bill(), Narrow())
    (before,) = StatementReading.objects.all()
    lines_before = list(before.lines.values_list("line_no", "kind"))

    with given.nothing_moves_but_audit("reconciliation_file", "reconciliation_break"):
        again(file_id)

    kept, after = StatementReading.objects.order_by("id")
    assert (kept.lines_sha256, list(kept.lines.values_list("line_no", "kind"))) == (
        before.lines_sha256, lines_before,
    )  # fmt: skip
    assert BillDay.objects.get(bill=FUNDS, day=DAY).reading_id == after.pk
    told = audited("reconciliation.file_read_again")
    assert told["object"] == file_id
    assert (told["details"]["lines_sha256_before"], told["details"]["lines_sha256"]) == (
        before.lines_sha256, after.lines_sha256,
    )  # fmt: skip


def test_reading_again_twice_moves_nothing_the_second_time() -> None:
    file_id = brought(paid_bill(), Narrow())
    assert again(file_id).is_changed
    compare()

    with given.nothing_moves(*TABLES):
        assert not again(file_id).is_changed
        compare()

    assert breaks() == {}


def test_a_parser_that_reads_otherwise_without_another_version_is_told_apart() -> None:
    file_id = brought(paid_bill(), Narrow())
    for reader in (Paper(), Narrow(), Paper()):
        assert again(file_id, reader).is_changed

    names = list(StatementReading.objects.order_by("id").values_list("parser", flat=True))

    assert len(set(names)) == 4
    assert [name.endswith(" #2") for name in names] == [False, False, True, True]
    assert queries.reread(lambda _name: Paper()).differences == ()
    assert queries.reread(lambda _name: Narrow()).differences == ()


def test_a_file_that_was_refused_and_can_be_read_now_is_taken() -> None:
    file_id = brought(paid_bill(), Strict())
    assert BillDay.objects.get(bill=FUNDS, day=DAY).reading_id is None

    read = again(file_id)

    assert (read.state, read.is_compared, read.lines_before) == (ReadingState.READ, True, 0)
    compare()
    assert breaks() == {}


def test_a_file_that_can_no_longer_be_read_is_compared_as_it_was_read_before() -> None:
    file_id = brought(paid_bill(), Paper())
    before = BillDay.objects.get(bill=FUNDS, day=DAY).reading_id

    with given.nothing_moves_but_audit("reconciliation_line", "reconciliation_break"):
        read = again(file_id, Strict())

    assert (read.state, read.line_no, read.is_compared) == (ReadingState.REFUSED, 1, True)
    assert BillDay.objects.get(bill=FUNDS, day=DAY).reading_id == before


def test_a_file_that_waits_for_a_person_is_read_again_and_waits() -> None:
    content = paid_bill()
    brought(bill(line("other", "P-other", "¥1")), Paper())
    waiting = brought(content, Narrow())

    read = again(waiting)

    assert (read.is_changed, read.is_compared) == (True, False)
    assert "missing_in_bill" in breaks().values()


def damage(raw_sql) -> None:
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET session_replication_role = replica")
    raw_sql("ALTER TABLE reconciliation_file DROP CONSTRAINT a_file_is_its_hash")
    raw_sql("UPDATE reconciliation_file SET content = content || 'x'::bytea WHERE bill = 'funds'")
    raw_sql("SET session_replication_role = origin")


def test_a_file_whose_bytes_are_not_those_that_came_is_refused_and_people_are_told(raw_sql) -> None:
    file_id = brought(paid_bill(), Narrow())
    damage(raw_sql)

    with given.nothing_moves_but_news(*TABLES), pytest.raises(FileDamaged):
        again(file_id)

    assert audited("reconciliation.file_damaged")["object"] == file_id
    (news,) = OutboxRow.objects.filter(event="reconciliation.BillDamaged")
    assert news.payload["file_id"] == file_id


def test_no_such_file_is_a_refusal() -> None:
    with given.nothing_moves(*TABLES), pytest.raises(FileUnknown):
        again("bil_none")


# ---------------------------------------------------------------- the command


def run(capsys, **changes: object) -> tuple[int, str]:
    names = ["channel", "day", "file", "kind"]
    asked = dict.fromkeys(names) | {"json": False, "read_again": command.EVERY_FILE} | changes
    capsys.readouterr()
    code = command.run(Namespace(**asked), Channels({CHANNEL: PaperChannel()}))
    return code, capsys.readouterr().out


def test_the_command_shows_line_by_line_what_is_read_otherwise(capsys) -> None:
    file_id = brought(paid_bill(), Narrow())
    brought(bill(line("fee", "F1", "¥6"), kind=TRADES), Paper(), kind=TRADES)
    found = the_break()

    code, out = run(capsys, day=DAY, channel=CHANNEL)

    assert code == 0
    said = out.splitlines()
    assert said[0] == f"{DAY} {CHANNEL} funds {file_id}: 1 lines read otherwise, 2 lines in all"
    assert said[1].startswith("  line 1: fee ")
    assert said[2] == f"  difference settled: {found.break_id}"
    assert said[3].endswith(": the same, 1 lines")
    assert said[4] == "2 bills read again, 1 otherwise, 0 for people."
    assert run(capsys)[1].splitlines()[-1] == "2 bills read again, 0 otherwise, 0 for people."


def test_the_command_fails_on_a_difference_that_a_better_parser_shows(capsys) -> None:
    brought(bill(line("payout", "nobody-knows", "¥500")), Narrow())
    assert breaks() == {}

    code, out = run(capsys, json=True)

    (said,) = json.loads(out)
    assert (code, said["found"]) == (1, [the_break().break_id])
    assert [switch.is_stopped for switch in payouts.kill_switches()] == [True]


def test_the_command_goes_on_after_a_damaged_file(capsys, raw_sql) -> None:
    damaged = brought(paid_bill(), Narrow())
    sound = brought(bill(line("fee", "F1", "¥6"), kind=TRADES), Paper(), kind=TRADES)
    damage(raw_sql)

    code, out = run(capsys)

    assert code == 1
    said = out.splitlines()
    assert said[0].startswith(f"{DAY} {CHANNEL} funds {damaged}: The bytes of this file are not")
    assert said[1].endswith(f"{sound}: the same, 1 lines")


def test_the_command_reads_one_file_one_kind_or_nothing(capsys) -> None:
    one = brought(paid_bill(), Paper())
    brought(bill(line("fee", "F1", "¥6"), kind=TRADES), Paper(), kind=TRADES)

    for asked, count in (
        ({"read_again": one}, 1),
        ({"kind": TRADES}, 1),
        ({"day": DAY - ONE_DAY}, 0),
        ({"channel": CHANNEL}, 2),
    ):
        last = run(capsys, **asked)[1].splitlines()[-1]
        assert last == f"{count} bills read again, 0 otherwise, 0 for people."


def test_a_file_is_either_imported_or_read_again() -> None:
    asked = {"channel": CHANNEL, "kind": FUNDS, "file": "bill.json", "read_again": "all"}

    with given.nothing_moves(*TABLES), pytest.raises(reconcile.FileReadOnce):
        reconcile.run(Namespace(day=None, json=False, report=False, **asked))
