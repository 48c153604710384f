"""What banks wrote, as the adapter asks for it and as the staff sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from kuaitui.channels.bank import BankStatus, BankWord
from kuaitui.kernel.money import Money
from kuaitui.payouts.models import BankMessage, BankMessageWord, BankStatementDay

MESSAGES_MAX = 200
WORDS_MAX = 500


class StoredInbox:
    """The bank's messages from our tables. Only what counts: from the mailbox, or confirmed."""

    def words(self, *, channel: str, number: str) -> Sequence[BankWord]:
        """Everything ever said of a number."""
        rows = BankMessageWord.objects.filter(
            channel=channel, number=number, message__confirmed_at__isnull=False
        )
        return [_to_word(row) for row in rows.order_by("id")]

    def statement_days(
        self, *, channel: str, first_on: dt.date, last_on: dt.date
    ) -> frozenset[dt.date]:
        """Days of that span of which a whole statement was taken in."""
        rows = BankStatementDay.objects.filter(
            channel=channel, day__range=(first_on, last_on), message__confirmed_at__isnull=False
        )
        return frozenset(rows.values_list("day", flat=True))


@dataclass(frozen=True, slots=True)
class MessageInList:
    """One message as the staff sees it."""

    message_no: int
    channel: str
    kind: str
    source: str
    received_at: dt.datetime
    words_count: int
    refused_because: str
    refused_where: str
    confirmed_by: str
    confirmed_at: dt.datetime | None

    @property
    def waits_for_confirmation(self) -> bool:
        """Whether a second person must look before it counts."""
        return self.confirmed_at is None and not self.refused_because


def bank_messages(*, channel: str = "", limit: int = 50) -> tuple[MessageInList, ...]:
    """Messages of banks, the newest first."""
    rows = BankMessage.objects.defer("content").order_by("-received_at", "-id")
    if channel:
        rows = rows.filter(channel=channel)
    return tuple(_to_message(row) for row in rows[: min(limit, MESSAGES_MAX)])


def bank_message(message_no: int) -> MessageInList | None:
    """One message, or nothing."""
    row = BankMessage.objects.defer("content").filter(pk=message_no).first()
    return _to_message(row) if row is not None else None


def words_of_message(message_no: int) -> tuple[BankWord, ...]:
    """What a message says, for whoever confirms it."""
    rows = BankMessageWord.objects.filter(message_id=message_no).order_by("id")
    return tuple(_to_word(row) for row in rows[:WORDS_MAX])


def _to_word(row: BankMessageWord) -> BankWord:
    amount = None if row.amount_minor is None else Money(row.amount_minor, row.currency)
    return BankWord(
        number=row.number,
        status=BankStatus(row.status),
        occurred_at=row.occurred_at,
        amount=amount,
        code=row.code,
        reference=row.reference,
        instruction_id=row.instruction_id,
        file_id=row.file_id,
    )


def _to_message(row: BankMessage) -> MessageInList:
    return MessageInList(
        message_no=row.pk,
        channel=row.channel,
        kind=row.kind,
        source=row.source,
        received_at=row.received_at,
        words_count=row.words_count,
        refused_because=row.refused_because,
        refused_where=row.refused_where,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )
