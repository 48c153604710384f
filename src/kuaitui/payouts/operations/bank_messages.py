"""Taking in what a bank wrote: kept as bytes, read, and the numbers it speaks of asked about.

The same bytes twice are one message and move nothing. A message that is refused is kept too, with
the reason. Nothing here moves a leg: the next question does, and it reads the inbox.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.channels.bank import (
    BankChannel,
    BankWord,
    FileWord,
    MessageKind,
    MessageRefused,
    split_instruction_id,
)
from kuaitui.channels.bank import (
    BankMessage as ReadMessage,
)
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import wake
from kuaitui.payouts.errors import (
    ConfirmedByItsBringer,
    MessageEmpty,
    MessageSettled,
    MessageUnknown,
)
from kuaitui.payouts.models import (
    BankMessage,
    BankMessageWord,
    BankStatementDay,
    BatchLeg,
    PayoutLeg,
)
from kuaitui.payouts.queries.batches import file_id
from kuaitui.payouts.states import ASKABLE

MAILBOX: Final = "mailbox"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a message's bytes."""

    message_no: int
    is_new: bool
    words_count: int
    refused_because: str
    refused_where: str


def not_taken_in(*, channel: BankChannel, contents: Sequence[bytes]) -> list[bytes]:
    """Those of a mailbox's messages that were never stored; a mailbox shows the old ones too."""
    by_hash = {hashlib.sha256(content).hexdigest(): content for content in contents}
    known = BankMessage.objects.filter(channel=channel.name, content_hash__in=by_hash)
    seen = set(known.values_list("content_hash", flat=True))
    return [content for digest, content in by_hash.items() if digest not in seen]


def take_in_from_mailbox(*, channel: BankChannel, content: bytes, now: dt.datetime) -> TakenIn:
    """Keep a message that came from the bank's own mailbox; it counts at once. Repeating is safe."""
    return _take_in(channel, content, source=MAILBOX, actor=None, now=now)


def bring_message(
    *, channel: BankChannel, content: bytes, actor: Actor, now: dt.datetime
) -> TakenIn:
    """Keep a file that a person brought; it counts when another person confirms it.

    Raises:
        MessageEmpty: there is nothing in it.
    """
    if not content:
        raise MessageEmpty(channel=channel.name)
    return _take_in(channel, content, source=actor.id, actor=actor, now=now)


@transaction.atomic(durable=True)
def confirm_message(*, message_no: int, actor: Actor, now: dt.datetime) -> None:
    """Let a brought message count: from here on the numbers it names are asked about.

    Raises:
        MessageUnknown: there is none.
        MessageSettled: it was refused or confirmed before.
        ConfirmedByItsBringer: another person must look.
    """
    row = BankMessage.objects.select_for_update().defer("content").filter(pk=message_no).first()
    if row is None:
        raise MessageUnknown(message=message_no)
    if row.refused_because or row.confirmed_at is not None:
        raise MessageSettled(message=message_no)
    if row.source == actor.id:
        raise ConfirmedByItsBringer(message=message_no)
    row.confirmed_by, row.confirmed_at = actor.id, now
    row.save(update_fields=["confirmed_by", "confirmed_at"])
    _ask_about(row.channel, row.words.values_list("number", flat=True), now)
    _audit(row, "payout.bank_message_confirmed", actor, now)


def _take_in(
    channel: BankChannel, content: bytes, *, source: str, actor: Actor | None, now: dt.datetime
) -> TakenIn:
    digest = hashlib.sha256(content).hexdigest()
    known = BankMessage.objects.defer("content").filter(channel=channel.name, content_hash=digest)
    if (row := known.first()) is not None:
        return _taken(row, is_new=False)
    message, refused = None, None
    try:
        message = _known(channel.name, channel.read_message(content))
    except MessageRefused as refusal:
        refused = refusal
    return _keep(channel.name, content, message, refused, source=source, actor=actor, now=now)


@transaction.atomic(durable=True)
def _keep(
    channel: str,
    content: bytes,
    message: ReadMessage | None,
    refused: MessageRefused | None,
    *,
    source: str,
    actor: Actor | None,
    now: dt.datetime,
) -> TakenIn:
    words = _resolved(channel, message) if message is not None else []
    row, is_new = BankMessage.objects.get_or_create(
        channel=channel,
        content_hash=hashlib.sha256(content).hexdigest(),
        defaults={
            "content": content,
            "source": source,
            "received_at": now,
            "kind": message.kind.value if message else "",
            "message_id": message.message_id if message else "",
            "words_count": len(words),
            "refused_because": refused.reason if refused else "",
            "refused_where": refused.where[:120] if refused else "",
            "confirmed_at": now if source == MAILBOX and not refused else None,
        },
    )
    if not is_new:
        return _taken(row, is_new=False)
    BankMessageWord.objects.bulk_create([_to_row(row, word) for word in words], batch_size=1000)
    BankStatementDay.objects.bulk_create(
        BankStatementDay(message=row, channel=channel, day=day)
        for day in (message.statement_days if message else ())
    )
    if row.confirmed_at is not None:
        _ask_about(channel, [word.number for word in words], now)
    if actor is not None:
        _audit(row, "payout.bank_message_brought", actor, now)
    say = log.warning if refused else log.info
    say("payout.bank_message.taken_in", message_no=row.pk, channel=channel, kind=row.kind,
        words=row.words_count, refused_because=row.refused_because)  # fmt: skip
    return _taken(row, is_new=True)


def _known(channel: str, message: ReadMessage) -> ReadMessage:
    """A message, if it may be ours: every row of a table of results names a payment of this channel.

    A bank's own messages may tell of other payments too: their account and totals are checked.
    """
    if message.kind is not MessageKind.RESULTS_CSV:
        return message
    numbers = {word.number for word in message.words}
    legs = PayoutLeg.objects.filter(channel=channel, channel_number__in=numbers)
    known = set(legs.values_list("channel_number", flat=True))
    for word in message.words:
        if word.number not in known:
            raise MessageRefused("number_of_nobody", where=word.instruction_id)
    return message


def _resolved(channel: str, message: ReadMessage) -> list[BankWord]:
    """The words with the release they speak of, where the bank named only the file."""
    in_files = _places_by_file(channel, message)
    words = [
        replace(word, instruction_id=in_files.get((word.file_id, word.number), ""))
        if not word.instruction_id
        else word
        for word in message.words
    ]
    for of_file in message.file_words:
        words += _of_every_leg(of_file, in_files)
    return words


def _of_every_leg(said: FileWord, in_files: dict[tuple[str, str], str]) -> list[BankWord]:
    numbers = [(number, of) for (file, number), of in in_files.items() if file == said.file_id]
    if not numbers and (parts := split_instruction_id(said.file_id)) is not None:
        numbers = [(parts[0], said.file_id)]
    return [
        BankWord(
            number=number,
            status=said.status,
            occurred_at=said.occurred_at,
            code=said.code,
            instruction_id=of,
            file_id=said.file_id,
        )
        for number, of in numbers
    ]


def _places_by_file(channel: str, message: ReadMessage) -> dict[tuple[str, str], str]:
    """By file and number: the instruction id that it left with in that batch."""
    named = {word.file_id for word in message.words} | {of.file_id for of in message.file_words}
    batch_ids = {f"{name[:3]}_{name[3:]}" for name in named if name.startswith("bat")}
    places = BatchLeg.objects.filter(
        batch__channel=channel, batch__public_id__in=batch_ids, sent_at__isnull=False
    ).values_list("batch__public_id", "leg__channel_number", "release_no")
    return {
        (file_id(batch_id), number): f"{number}{release_no:02d}"
        for batch_id, number, release_no in places
    }


def _to_row(message: BankMessage, word: BankWord) -> BankMessageWord:
    return BankMessageWord(
        message=message,
        channel=message.channel,
        number=word.number[:64],
        status=word.status.value,
        # A date without a time stands for the day's end, which may not have come yet.
        occurred_at=min(word.occurred_at, message.received_at),
        amount_minor=word.amount.minor if word.amount else None,
        currency=word.amount.currency if word.amount else "",
        code=word.code,
        reference=word.reference,
        instruction_id=word.instruction_id[:64],
        file_id=word.file_id[:64],
    )


def _ask_about(channel: str, numbers: Iterable[str], now: dt.datetime) -> None:
    """A message is a hint, as a notification is: the next question comes at once."""
    legs = PayoutLeg.objects.filter(channel=channel, channel_number__in=set(numbers))
    if legs.filter(state__in=ASKABLE).update(next_check_at=now):
        wake()


def _audit(row: BankMessage, action: str, actor: Actor, now: dt.datetime) -> None:
    record(
        actor=actor,
        action=action,
        object_id=f"bank_message:{row.pk}",
        details={
            "channel": row.channel,
            "content_hash": row.content_hash,
            "words": row.words_count,
            "refused_because": row.refused_because,
        },
        now=now,
    )


def _taken(row: BankMessage, *, is_new: bool) -> TakenIn:
    return TakenIn(row.pk, is_new, row.words_count, row.refused_because, row.refused_where)
