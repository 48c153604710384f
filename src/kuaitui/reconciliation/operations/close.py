"""Closing a break by two people: one proposes with a reason, another confirms."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.errors import InsufficientBalance
from kuaitui.ledger.operations import post_journal
from kuaitui.ledger.types import Journal, Line
from kuaitui.reconciliation.errors import (
    BookTooShort,
    BreakClosed,
    BreakNotProposed,
    BreakProposed,
    BreakUnknown,
    ClosingReasonMissing,
    ConfirmedByProposer,
    ProposalChanged,
    RemedyDoesNotFit,
)
from kuaitui.reconciliation.models import BreakRow
from kuaitui.reconciliation.operations.steps import add_step
from kuaitui.reconciliation.rules import correction_for, remedies_for
from kuaitui.reconciliation.types import (
    BreakState,
    Closing,
    DifferenceKind,
    Event,
    Remedy,
)

CORRECTION: Final = "reconciliation.correction"
REASON_LENGTH_MAX: Final = 500


@transaction.atomic(durable=True)
def propose_closing(
    *, break_id: str, version: int, remedy: Remedy, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Propose how to close a break. Nothing is posted before somebody else confirms it.

    `version` is the break as the proposer saw it.

    Raises:
        BreakUnknown, BreakClosed, BreakProposed: it cannot be proposed about.
        ProposalChanged: its facts have changed since.
        RemedyDoesNotFit: this kind of break is not closed in this way.
        ClosingReasonMissing: say why.
    """
    row = _lock_open(break_id)
    if row.state == BreakState.PROPOSED:
        raise BreakProposed(found=break_id)
    if row.version != version:
        raise ProposalChanged(found=break_id)
    if remedy not in _remedies(row):
        raise RemedyDoesNotFit(found=break_id, remedy=remedy)
    if not reason.strip():
        raise ClosingReasonMissing(found=break_id)
    row.state, row.remedy, row.reason = (
        BreakState.PROPOSED, remedy, reason.strip()[:REASON_LENGTH_MAX],
    )  # fmt: skip
    row.proposed_by, row.proposed_at = actor.id, now
    row.version += 1
    row.save()
    _note(row, "proposed", actor, row.reason, now)


@transaction.atomic(durable=True)
def take_proposal_back(*, break_id: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Withdraw a proposal, or send it back: the break is open again.

    Raises:
        BreakUnknown, BreakClosed, BreakNotProposed: there is no proposal.
        ClosingReasonMissing: say why.
    """
    row = _lock_open(break_id)
    if row.state != BreakState.PROPOSED:
        raise BreakNotProposed(found=break_id)
    if not reason.strip():
        raise ClosingReasonMissing(found=break_id)
    row.state, row.remedy, row.reason = BreakState.OPEN, "", ""
    row.proposed_by, row.proposed_at = "", None
    row.version += 1
    row.save()
    _note(row, "taken_back", actor, reason.strip(), now)


@transaction.atomic(durable=True)
def confirm_closing(*, break_id: str, version: int, actor: Actor, now: dt.datetime) -> None:
    """Confirm what somebody else proposed: the correction is posted once, and the break is closed.

    The journal bears the break's id, so confirming twice cannot post twice.

    Raises:
        BreakUnknown, BreakClosed, BreakNotProposed: there is nothing to confirm.
        ConfirmedByProposer: the proposer may not.
        ProposalChanged: proposal or facts changed since the page was shown.
        BookTooShort: the book does not hold what the correction takes.
    """
    row = _lock_open(break_id)
    if row.state != BreakState.PROPOSED:
        raise BreakNotProposed(found=break_id)
    if row.proposed_by == actor.id:
        raise ConfirmedByProposer(found=break_id)
    if row.version != version:
        raise ProposalChanged(found=break_id)
    _post(row, now)
    row.state, row.closing = BreakState.CLOSED, Closing.BY_TWO
    row.confirmed_by, row.closed_at, row.closed_because = actor.id, now, row.reason[:200]
    row.save()
    _note(row, "closed", actor, row.reason, now)


@requires_transaction
def _post(row: BreakRow, now: dt.datetime) -> None:
    correction = correction_for(
        Remedy(row.remedy),
        book_id=row.book_id,
        ours_minor=row.ours_minor,
        theirs_minor=row.theirs_minor,
        currency=row.currency,
    )
    if correction is None:
        return
    journal = Journal(
        book_id=correction.book_id,
        kind=CORRECTION,
        reference=row.public_id,
        occurred_at=now,
        lines=(Line(correction.debit, correction.credit, correction.amount),),
    )
    try:
        post_journal(journal, now=now)
    except InsufficientBalance as short:
        raise BookTooShort(found=row.public_id) from short


def _remedies(row: BreakRow) -> tuple[Remedy, ...]:
    return remedies_for(
        DifferenceKind(row.kind),
        Event(row.event),
        ours_minor=row.ours_minor,
        theirs_minor=row.theirs_minor,
        book_id=row.book_id,
    )


def _lock_open(break_id: str) -> BreakRow:
    row = BreakRow.objects.select_for_update().filter(public_id=break_id).first()
    if row is None:
        raise BreakUnknown(found=break_id)
    if row.state == BreakState.CLOSED:
        raise BreakClosed(found=break_id)
    return row


def _note(row: BreakRow, what: str, actor: Actor, note: str, now: dt.datetime) -> None:
    add_step(row, what, actor=actor, note=note, now=now)
    record(
        actor=actor,
        action=f"reconciliation.break_{what}",
        object_id=row.public_id,
        details={"kind": row.kind, "remedy": row.remedy, "ours_minor": row.ours_minor,
                 "theirs_minor": row.theirs_minor},
        now=now,
    )  # fmt: skip
