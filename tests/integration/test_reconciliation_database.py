"""Somebody with a database console tries to break what must always be true of bills and breaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from kuaitui.reconciliation import operations
from kuaitui.reconciliation.models import RepeatedItem
from kuaitui.reconciliation.types import Remedy
from tests.support import given
from tests.support.given import NOW
from tests.support.raw_sql import refuse
from tests.support.reconciliation_given import (
    DAY,
    ONE_DAY,
    TABLES,
    bill,
    bring,
    compare_with,
    line,
    the_break,
)

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]


@pytest.fixture
def refused(raw_sql: RawSql) -> Callable[..., None]:
    return partial(refuse, raw_sql, (*TABLES, "reconciliation_bill_day"))


@pytest.fixture(autouse=True)
def _one_break() -> None:
    compare_with(line("other", "P1", "¥300"), line("fee", "F1", "¥1"))


def propose(remedy: Remedy = Remedy.EXPLAIN) -> None:
    operations.propose_closing(
        break_id=the_break().break_id, version=the_break().version, remedy=remedy,
        reason="found in the post", actor=given.reviewer(), now=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        "file",
        "reading",
        "line",
        "repeated_item",
        "file_decision",
        "bill_day",
        "break",
        "break_step",
    ],
)
def test_nothing_leaves(refused, table: str) -> None:
    refused(f"DELETE FROM reconciliation_{table}", breaks="keeps its rows")
    refused(f"TRUNCATE reconciliation_{table} CASCADE", breaks="keeps its rows")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reconciliation_file SET content = 'x'",
        "UPDATE reconciliation_file SET day = day + 1",
        "UPDATE reconciliation_reading SET lines_count = 9",
        "UPDATE reconciliation_reading SET state = 'refused', reason = 'x'",
        "UPDATE reconciliation_line SET amount_minor = 1",
        "UPDATE reconciliation_repeated_item SET key = 'x'",
        "UPDATE reconciliation_file_decision SET is_taken = false",
        "UPDATE reconciliation_break_step SET note = 'x'",
    ],
)
def test_what_came_and_what_was_decided_is_not_rewritten(refused, statement: str) -> None:
    refused(statement, breaks="keeps its rows")


FILE = (
    "INSERT INTO reconciliation_file (public_id, channel, bill, day, version, sha256, content,"
    " file_name, source, brought_by, brought_at)"
    " SELECT 'bil_x', channel, bill, day, {version}, {sha256}, {content}, '', {source}, 'x', now()"
    " FROM reconciliation_file"
)
FRESH = "encode(sha256('other'::bytea), 'hex')"


@pytest.mark.parametrize(
    ("values", "breaks"),
    [
        ({"sha256": "sha256", "content": "content"}, "a_file_is_kept_once"),
        ({"version": "version"}, "files_of_a_day_are_numbered"),
        ({"sha256": "repeat('0', 64)"}, "a_file_is_its_hash"),
        ({"source": "'found'"}, "file_source_is_known"),
    ],
)
def test_a_file_is_kept_once_and_is_its_hash(refused, values: dict[str, str], breaks: str) -> None:
    usual = {"version": "9", "sha256": FRESH, "content": "'other'::bytea", "source": "'imported'"}

    refused(FILE.format(**usual | values), breaks=breaks)


LINE = (
    "INSERT INTO reconciliation_line (reading_id, line_no, kind, event, key, number, reference,"
    " amount_minor, currency, occurred_at, state)"
    " SELECT reading_id, {line_no}, {kind}, {event}, 'k', '', '', {amount}, 'CNY', now(), ''"
    " FROM reconciliation_line WHERE line_no = 1"
)


@pytest.mark.parametrize(
    ("values", "breaks"),
    [
        ({}, "lines of reading"),
        ({"line_no": "1", "kind": "kind"}, "duplicate key"),
        ({"line_no": "0"}, "line_number_is_positive"),
        ({"amount": "0"}, "line_amount_is_positive"),
        ({"kind": "'gift'"}, "line_kind_is_known"),
        ({"event": "'gift'"}, "a_line_is_of_our_events_or_of_none"),
    ],
)
def test_a_reading_gets_no_further_line(refused, values: dict[str, str], breaks: str) -> None:
    usual = {"line_no": "9", "kind": "'fee'", "event": "''", "amount": "1"}

    refused(LINE.format(**usual | values), breaks=breaks)


def test_a_reading_gets_no_second_set_of_lines(refused) -> None:
    again = LINE.format(line_no="line_no + 2", kind="kind", event="event", amount="1")

    refused(again.replace(" WHERE line_no = 1", ""), breaks="lines of reading")


READING = (
    "INSERT INTO reconciliation_reading (file_id, parser, read_at, state, reason, line_no,"
    " lines_count, lines_sha256, closing_minor, closing_currency)"
    " SELECT id, {parser}, now(), {state}, '', 0, {count}, '', {closing}, {currency}"
    " FROM reconciliation_file"
)


@pytest.mark.parametrize(
    ("values", "breaks"),
    [
        ({"count": "1"}, "says 1 lines and has others"),
        ({"state": "'refused'"}, "a_refusal_has_its_reason"),
        ({"state": "'empty'", "count": "1"}, "only_what_was_read_has_lines"),
        ({"state": "'half'"}, "reading_state_is_known"),
        ({"closing": "1"}, "a_closing_balance_has_its_currency"),
        ({"currency": "'CNY'"}, "a_closing_balance_has_its_currency"),
        (
            {"closing": "1", "currency": "'CNY'", "state": "'empty'"},
            "a_closing_balance_has_its_currency",
        ),
        ({"parser": "(SELECT parser FROM reconciliation_reading)"}, "a_parser_reads_a_file_once"),
    ],
)
def test_a_reading_is_whole(refused, values: dict[str, str], breaks: str) -> None:
    usual = {"parser": "'other'", "state": "'read'", "count": "0"}
    usual |= {"closing": "NULL", "currency": "''"}

    refused(READING.format(**usual | values), breaks=breaks)


def test_a_day_is_compared_by_a_sound_file_of_its_own_that_was_taken(refused) -> None:
    bring(b"not a bill", day=DAY - ONE_DAY)
    bring(bill(line("pay_in", "P2", "¥1")))  # waits: the day has its bill
    rule = "a_day_is_compared_by_a_sound_file_that_was_taken"
    other = (
        "(SELECT max(reading.id) FROM reconciliation_reading AS reading JOIN reconciliation_file"
    )
    other += " AS file ON file.id = reading.file_id WHERE {condition})"

    for condition in ("reading.state = 'refused'", "file.version = 2"):
        reading = other.format(condition=condition)
        refused(f"UPDATE reconciliation_bill_day SET reading_id = {reading}", breaks=rule)
    refused(
        "UPDATE reconciliation_bill_day SET day = day - 9 WHERE reading_id IS NOT NULL",
        breaks="a_day_stays_the_day_it_is",
    )
    refused(
        "INSERT INTO reconciliation_bill_day (channel, bill, day, reading_id, tries, problem)"
        " SELECT channel, 'trades', day, reading_id, 0, '' FROM reconciliation_bill_day"
        " WHERE reading_id IS NOT NULL",
        breaks=rule,
    )
    refused(
        "UPDATE reconciliation_bill_day SET compared_at = now() WHERE reading_id IS NULL",
        breaks="only_a_read_bill_is_compared",
    )


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("key = 'other'", "a_break_keeps_its_name"),
        ("channel = 'other'", "a_break_keeps_its_name"),
        ("found_at = now()", "a_break_keeps_its_name"),
        ("kind = 'odd'", "break_words_are_known"),
        ("ours_minor = -1", "break_amounts_are_not_negative"),
        ("state = 'proposed'", "a_break_is_proposed_by_somebody"),
        ("proposed_by = 'x'", "a_proposal_has_its_reason"),
        ("state = 'closed'", "a_closed_break_says_how"),
        ("closing = 'matched_later'", "a_closed_break_says_how"),
        ("confirmed_by = 'x'", "a_break_is_confirmed_by_somebody_else"),
    ],
)
def test_an_open_break_changes_by_the_rules_only(refused, change: str, breaks: str) -> None:
    refused(f"UPDATE reconciliation_break SET {change}", breaks=breaks)


CLOSE = (
    "UPDATE reconciliation_break SET state = 'closed', closing = 'by_two', closed_at = now(),"
    " closed_because = 'x', confirmed_by = "
)


def test_a_break_is_closed_by_two_people_as_proposed(refused) -> None:
    refused(
        CLOSE + "'b', proposed_by = 'a', proposed_at = now(), reason = 'x', remedy = 'explain'",
        breaks="a_break_is_proposed_before_it_is_confirmed",
    )
    propose()

    refused(CLOSE + "proposed_by", breaks="a_break_is_confirmed_by_somebody_else")
    refused(CLOSE + "''", breaks="a_break_is_confirmed_by_somebody_else")
    refused(CLOSE + "'b', reason = 'another'", breaks="a_proposal_stands_as_it_was_made")
    refused(CLOSE + "'b', proposed_by = 'c'", breaks="a_proposal_stands_as_it_was_made")
    refused(CLOSE + "'b', theirs_minor = 1", breaks="a_proposal_stands_as_it_was_made")
    refused(
        "UPDATE reconciliation_break SET remedy = 'book_seller_debt'",
        breaks="a_proposal_stands_as_it_was_made",
    )


def test_a_closed_break_stays_closed(refused, raw_sql: RawSql) -> None:
    propose()
    raw_sql(CLOSE + "'b'")

    refused("UPDATE reconciliation_break SET closed_because = 'y'", breaks="stays_closed")
    refused(
        "UPDATE reconciliation_break SET state = 'open', closing = '', closed_at = NULL,"
        " closed_because = '', confirmed_by = ''",
        breaks="stays_closed",
    )


def test_an_item_has_one_open_break_and_it_begins_open(refused) -> None:
    names = (
        "public_id, channel, bill, event, key, day, kind, ours_minor, theirs_minor, currency, book_id,"
        " evidence, found_at, version, is_dangerous, remedy, proposed_by, reason, confirmed_by,"
        " state, closing, closed_because, closed_at"
    )
    kept = names.split(" state,", maxsplit=1)[0].replace("public_id", "'brk_x'")
    copy = f"INSERT INTO reconciliation_break ({names}) SELECT {kept} {{end}} FROM reconciliation_break"

    refused(copy.format(end="'open', '', '', NULL"), breaks="an_item_has_one_open_break")
    refused(copy.format(end="'closed', 'matched_later', 'x', now()"), breaks="a_break_begins_open")


def test_a_correction_is_posted_before_its_break_is_closed(refused, raw_sql: RawSql) -> None:
    propose()
    raw_sql("UPDATE reconciliation_break SET state = 'open', proposed_by = '', proposed_at = NULL,"
            " remedy = '', reason = ''")  # fmt: skip
    raw_sql("UPDATE reconciliation_break SET state = 'proposed', proposed_by = 'a',"
            " proposed_at = now(), remedy = 'book_channel_cost', reason = 'x'")  # fmt: skip

    refused(CLOSE + "'b'", breaks="a_correction_is_posted")


def test_what_a_bill_tells_in_several_lines_is_noted_with_the_lines() -> None:
    bring(
        bill(
            line("refund", "K1", "¥1"), line("refund", "K1", "¥2"), line("return", "K1", "¥3"),
            line("fee", "F1", "¥1"), line("fee", "F1", "¥1"), day=DAY - ONE_DAY,
        ),
        day=DAY - ONE_DAY,
    )  # fmt: skip

    noted = RepeatedItem.objects.values_list("event", "key")
    assert list(noted) == [("out", "K1")]
