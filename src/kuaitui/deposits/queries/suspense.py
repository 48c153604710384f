"""Payments without a place, as the people see them who decide."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min

from kuaitui.deposits.errors import SuspenseUnknown
from kuaitui.deposits.models import SuspenseRow
from kuaitui.deposits.states import UNRESOLVED, SuspenseState
from kuaitui.deposits.types import FoundBy, Resolution, SuspenseReason
from kuaitui.kernel.money import Money

CASES_MAX = 100
UNRESOLVED_STATES = [state.value for state in UNRESOLVED]


@dataclass(frozen=True, slots=True)
class SuspenseCase:
    """One payment without a place, and what was decided about it."""

    suspense_id: str
    book_id: int
    version: int
    channel: str
    reference: str
    number: str
    order_id: str
    order_account_id: str
    order_shop_key: int | None
    amount: Money
    why: SuspenseReason
    found_by: FoundBy
    paid_at: dt.datetime
    found_at: dt.datetime
    refundable_until: dt.datetime | None
    state: SuspenseState
    resolution: Resolution | None
    account_id: str
    account_shop_key: int | None
    reason: str
    proposed_by: str
    proposed_at: dt.datetime | None
    decided_by: str
    decided_at: dt.datetime | None
    lot_id: str
    refund_reference: str
    sent_back_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SuspenseCounts:
    """How much waits for whom."""

    open_count: int
    proposed_count: int
    to_send_back_count: int
    oldest_found_at: dt.datetime | None

    @property
    def waiting_count(self) -> int:
        """Everything that is not yet where it belongs."""
        return self.open_count + self.proposed_count + self.to_send_back_count


def suspense_cases(
    *, states: frozenset[SuspenseState] = UNRESOLVED, limit: int = CASES_MAX
) -> tuple[SuspenseCase, ...]:
    """Cases in these states, the oldest first."""
    rows = (
        SuspenseRow.objects.select_related("order__account", "account")
        .filter(state__in=[state.value for state in states])
        .order_by("found_at", "id")
    )
    return tuple(_to_case(row) for row in rows[: min(limit, CASES_MAX)])


def suspense_case(suspense_id: str) -> SuspenseCase:
    """One case.

    Raises:
        SuspenseUnknown: there is none.
    """
    row = (
        SuspenseRow.objects.select_related("order__account", "account")
        .filter(public_id=suspense_id)
        .first()
    )
    if row is None:
        raise SuspenseUnknown(suspense=suspense_id)
    return _to_case(row)


def suspense_of_shop(*, shop_key: int, limit: int = 20) -> tuple[SuspenseCase, ...]:
    """What is kept apart of a shop's payments, the oldest first."""
    rows = SuspenseRow.objects.select_related("order__account", "account").filter(
        order__shop_key=shop_key, state__in=UNRESOLVED_STATES
    )
    return tuple(_to_case(row) for row in rows.order_by("found_at")[: min(limit, CASES_MAX)])


def suspense_counts() -> SuspenseCounts:
    """How many cases wait, and since when."""
    rows = (
        SuspenseRow.objects.filter(state__in=UNRESOLVED_STATES)
        .values("state")
        .annotate(count=Count("id"), oldest=Min("found_at"))
    )
    counts = {row["state"]: row["count"] for row in rows}
    return SuspenseCounts(
        open_count=counts.get(SuspenseState.OPEN, 0),
        proposed_count=counts.get(SuspenseState.PROPOSED, 0),
        to_send_back_count=counts.get(SuspenseState.TO_SEND_BACK, 0),
        oldest_found_at=min((row["oldest"] for row in rows), default=None),
    )


def _to_case(row: SuspenseRow) -> SuspenseCase:
    return SuspenseCase(
        suspense_id=row.public_id,
        book_id=row.book_id,
        version=row.version,
        channel=row.channel,
        reference=row.reference,
        number=row.number,
        order_id=row.order.public_id if row.order else "",
        order_account_id=row.order.account.public_id if row.order else "",
        order_shop_key=row.order.shop_key if row.order else None,
        amount=Money(row.amount_minor, row.currency),
        why=SuspenseReason(row.why),
        found_by=FoundBy(row.found_by),
        paid_at=row.paid_at,
        found_at=row.found_at,
        refundable_until=row.refundable_until,
        state=SuspenseState(row.state),
        resolution=Resolution(row.resolution) if row.resolution else None,
        account_id=row.account.public_id if row.account else "",
        account_shop_key=row.account.shop_key if row.account else None,
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        lot_id=row.lot_id,
        refund_reference=row.refund_reference,
        sent_back_at=row.sent_back_at,
    )
