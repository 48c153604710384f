"""The steps every operation is made of: lock, guard, advance."""

from __future__ import annotations

import datetime as dt

from kuaitui.audit.operations import record
from kuaitui.deductions.errors import (
    CaseMovedOn,
    CaseTextMissing,
    CaseTextTooLong,
    CaseUnknown,
)
from kuaitui.deductions.events import DeductionCaseMoved
from kuaitui.deductions.models import DeductionCase
from kuaitui.deductions.queries.cases import items_of
from kuaitui.deductions.rules import TEXT_LENGTH_MAX
from kuaitui.deductions.states import CaseState, may_move
from kuaitui.deductions.types import CaseCode
from kuaitui.deposits.types import DeductionItem
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction


@requires_transaction
def lock_case(case_id: str, *, shop_key: int | None = None) -> DeductionCase:
    """A case, held against everybody else. Another shop's looks like none.

    Raises:
        CaseUnknown: there is none, or it is another shop's.
    """
    row = DeductionCase.objects.select_for_update().filter(public_id=case_id).first()
    if row is None or shop_key not in (None, row.shop_key):
        raise CaseUnknown(case=case_id)
    return row


@requires_transaction
def lock_shown(case_id: str, *, version: int, state: CaseState) -> DeductionCase:
    """A case, if it is still what a person saw.

    Raises:
        CaseUnknown: there is no such case.
        CaseMovedOn: it is another than was shown.
    """
    row = lock_case(case_id)
    if (row.version, row.state) != (version, state.value):
        raise CaseMovedOn(case=case_id, state=row.state)
    return row


def require_text(text: str) -> str:
    """The text, trimmed.

    Raises:
        CaseTextMissing: nothing was written.
        CaseTextTooLong: more than fits.
    """
    trimmed = text.strip()
    if not trimmed:
        raise CaseTextMissing
    if len(trimmed) > TEXT_LENGTH_MAX:
        raise CaseTextTooLong(length=len(trimmed), length_max=TEXT_LENGTH_MAX)
    return trimmed


def numbered(row: DeductionCase) -> dict[int, DeductionItem]:
    """The items of a case by their numbers."""
    return items_of(row.lines.all(), row.currency)


@requires_transaction
def advance(
    row: DeductionCase,
    *,
    to: CaseState,
    code: CaseCode,
    amount: Money,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Save the row as its next version, in state `to`, with its trail and its news."""
    ensure(may_move(CaseState(row.state), to), f"a case may go from {row.state} to {to}")
    row.state = to.value
    row.version += 1
    row.save()
    tell(row, code=code, amount=amount, actor=actor, now=now)


@requires_transaction
def tell(
    row: DeductionCase, *, code: CaseCode, amount: Money, actor: Actor, now: dt.datetime
) -> None:
    """Write the trail, which holds codes and figures only, and publish the news."""
    record(
        actor=actor,
        action=f"deduction.{code}",
        object_id=row.public_id,
        shop_key=row.shop_key,
        details={"amount_minor": amount.minor, "version": row.version},
        now=now,
    )
    moved = DeductionCaseMoved(
        row.public_id, row.account_id, row.shop_key, row.version, code.value,
        amount.minor, amount.currency, now,
    )  # fmt: skip
    publish(moved, now=now)
