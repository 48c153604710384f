"""Keeping what a seller typed."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.errors import DepositAccountUnknown
from kuaitui.deposits.operations import lock_deposit
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.refunds import rules
from kuaitui.refunds.errors import NoteTooLong
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.operations.steps import advance, write_event
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, Reason


@transaction.atomic(durable=True)
def save_draft(
    *,
    account_id: str,
    shop_key: int,
    choice: AmountChoice,
    amount: Money | None,
    reason: Reason | None,
    note: str,
    destination_id: str,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Keep what was typed so far. Nothing is checked but its size, no money moves.

    Raises:
        DepositAccountUnknown: there is no such deposit, or it is another shop's.
        NoteTooLong: the note is too long to keep.
    """
    if len(note) > rules.NOTE_LENGTH_MAX:
        raise NoteTooLong(length=len(note), length_max=rules.NOTE_LENGTH_MAX)
    summary = lock_deposit(account_id=account_id)
    if summary.shop_key != shop_key:
        raise DepositAccountUnknown(account=account_id)
    row = find_or_begin_draft(
        account_id=account_id, shop_key=shop_key, currency=summary.currency, actor=actor, now=now
    )
    row.choice = choice.value
    row.requested_minor = None if amount is None else amount.minor
    row.reason = reason.value if reason else ""
    row.note = note.strip()
    row.destination_id = destination_id
    advance(
        row, to=State.DRAFT, code="draft_saved", actor=actor, now=now, due_at=now + rules.DRAFT_KEPT
    )
    return row.public_id


@requires_transaction
def find_or_begin_draft(
    *, account_id: str, shop_key: int, currency: str, actor: Actor, now: dt.datetime
) -> RefundApplication:
    """The draft of a deposit, locked; a new one if there is none. The deposit is locked already."""
    row = (
        RefundApplication.objects.select_for_update()
        .filter(account_id=account_id, state=State.DRAFT)
        .first()
    )
    if row is not None:
        return row
    row = RefundApplication.objects.create(
        public_id=new_id(IdPrefix.REFUND_APPLICATION, now=now),
        shop_key=shop_key,
        account_id=account_id,
        currency=currency,
        choice=AmountChoice.WHOLE.value,
        created_by=actor.id,
        created_at=now,
        state_since=now,
        due_at=now + rules.DRAFT_KEPT,
    )
    write_event(row, code="draft_begun", source=State.DRAFT, actor=actor, now=now)
    return row
