"""A camt.053 as a bill of funds: every movement of our account on one day, as lines.

Pure, like the other readers; the same checks, so a statement with a hole in it is no bill.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from kuaitui.channels.bank.amounts import read_moment
from kuaitui.channels.bank.markup import Element, parse
from kuaitui.channels.bank.reports import (
    NOT_PROVIDED,
    Reading,
    checked_statement,
    closing_minor,
    days_of,
    entry_word,
    is_booked,
    is_ours_or_back,
    of_our_account,
    went_out,
)
from kuaitui.channels.bank.words import MessageRefused
from kuaitui.channels.port import LineKind, Statement, StatementLine, StatementRefused
from kuaitui.kernel.money import Money

_LINE = re.compile(r"line (\d+)")


def read_funds(content: bytes, reading: Reading) -> Statement:
    """Read one day's statement.

    Raises:
        StatementRefused: it is not a whole, sound statement of our account and of one day.
    """
    try:
        return _read(content, reading)
    except MessageRefused as refused:
        found = _LINE.match(refused.where)
        line_no = int(found[1]) if found else 0
        raise StatementRefused(refused.reason, line_no=line_no) from None


def _read(content: bytes, reading: Reading) -> Statement:
    document = parse(content)
    if document.definition != "camt.053":
        raise MessageRefused("not_one_statement", where="line 1")
    statements = of_our_account(document.root, "Stmt", reading)
    if len(statements) != 1:
        raise MessageRefused("not_one_statement", where="line 1")
    statement = checked_statement(statements[0], reading)
    days = list(days_of(statement, reading))
    if len(days) != 1:
        raise MessageRefused("not_one_day", where=statement.where)
    written_at = read_moment(statement.say("CreDtTm"), reading.zone, where=statement.where)
    lines = tuple(
        _line(no, entry, part, written_at, reading)
        for no, (entry, part) in enumerate(_parts(statement), start=1)
    )
    closing = Money(closing_minor(statement, reading), reading.currency)
    return Statement(reading.account_number, days[0], lines, closing)


def _parts(statement: Element) -> Iterator[tuple[Element, Element]]:
    """Every movement: the parts of an entry, or the entry itself where it has none."""
    for entry in statement.all("Ntry"):
        if is_booked(entry):
            for part in list(entry.all("NtryDtls/TxDtls")) or [entry]:
                yield entry, part


def _line(
    line_no: int, entry: Element, part: Element, written_at: dt.datetime, reading: Reading
) -> StatementLine:
    number = part.say("Refs/EndToEndId")
    named = number not in {"", NOT_PROVIDED}
    word = entry_word(entry, part, number, written_at, reading)
    assert word.amount is not None  # every booked entry has its amount
    return StatementLine(
        line_no=line_no,
        kind=_kind(entry, part, is_named=named),
        number=number if named else "",
        reference=word.reference,
        amount=word.amount,
        occurred_at=word.occurred_at,
        state="BOOK",
    )


def _kind(entry: Element, part: Element, *, is_named: bool) -> LineKind:
    is_out = went_out(entry, part)
    if not is_named or not is_ours_or_back(entry, part):
        return LineKind.STRANGE if is_out else LineKind.OTHER
    return LineKind.PAYOUT if is_out else LineKind.RETURN
