"""Deduction cases, as sellers and staff see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from kuaitui.deductions import rules
from kuaitui.deductions.errors import CaseUnknown
from kuaitui.deductions.models import DeductionCase, DeductionCaseLine
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import CaseItem, Reply
from kuaitui.deposits.types import DeductionItem, DeductionPurpose
from kuaitui.kernel.money import Money

CASES_MAX = 100
_DUE = {
    frozenset({CaseState.ANNOUNCED}): "decide_by",
    frozenset({CaseState.APPEALED}): "answer_by",
}


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case: what was announced, what its seller said, what was decided, and what can be done.

    `can_…` and `is_late` are as of the moment it was asked for.
    """

    case_id: str
    account_id: str
    shop_key: int
    version: int
    state: CaseState
    reference: str
    purpose: DeductionPurpose
    reason: str
    clause: str
    amount: Money
    set_aside: Money
    items: tuple[CaseItem, ...]
    announced_by: str
    announced_at: dt.datetime
    reply_until: dt.datetime
    decide_by: dt.datetime
    lapses_at: dt.datetime
    reply: Reply | None
    reply_text: str
    replied_by: str
    replied_at: dt.datetime | None
    decision_text: str
    decided_by: str
    decided_at: dt.datetime | None
    deduction_id: str
    appeal_until: dt.datetime | None
    appeal_text: str
    appealed_by: str
    appealed_at: dt.datetime | None
    answer_by: dt.datetime | None
    answer_lapses_at: dt.datetime | None
    answer_text: str
    answered_by: str
    answered_at: dt.datetime | None
    can_reply: bool
    can_be_taken: bool
    can_appeal: bool
    can_be_answered: bool
    is_late: bool

    @property
    def taken(self) -> Money:
        """What the items come to that were taken."""
        return self._sum(one for one in self.items if one.is_taken)

    @property
    def given_back(self) -> Money:
        """What the items come to that were given back."""
        return self._sum(one for one in self.items if one.is_given_back)

    @property
    def kept(self) -> Money:
        """What of it stays deducted."""
        return self.taken - self.given_back

    def _sum(self, items: Iterable[CaseItem]) -> Money:
        return rules.sum_of([one.item for one in items], self.amount.currency)


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """How many cases wait for whom."""

    awaiting_reply: int
    to_decide: int
    appealed: int


def case(case_id: str, *, now: dt.datetime, shop_key: int | None = None) -> CaseView:
    """One case.

    Raises:
        CaseUnknown: there is none, or it is another shop's; the two look alike.
    """
    row = DeductionCase.objects.prefetch_related("lines").filter(public_id=case_id).first()
    if row is None or shop_key not in (None, row.shop_key):
        raise CaseUnknown(case=case_id)
    return _to_view(row, now)


def cases(
    *, states: frozenset[CaseState], now: dt.datetime, heard: bool | None = None
) -> tuple[CaseView, ...]:
    """Cases in these states: open ones as they fall due, others the newest first.

    `heard` narrows what is announced to what can be decided, or to what waits for its seller.
    """
    rows = DeductionCase.objects.filter(state__in=[state.value for state in states])
    if heard is not None:
        rows = rows.filter(_heard(now) if heard else ~_heard(now))
    return _views(rows.order_by(_DUE.get(states, "-decided_at"), "id"), now)


def cases_of_shop(*, shop_key: int, now: dt.datetime) -> tuple[CaseView, ...]:
    """Every case of a shop, the newest first."""
    rows = DeductionCase.objects.filter(shop_key=shop_key)
    return _views(rows.order_by("-announced_at", "-id"), now)


def announced_of(*, account_id: str, now: dt.datetime) -> tuple[CaseView, ...]:
    """What is announced of a deposit and not decided, the oldest first."""
    rows = DeductionCase.objects.filter(account_id=account_id, state=CaseState.ANNOUNCED)
    return _views(rows.order_by("announced_at", "id"), now)


def case_of_deduction(deduction_id: str, *, now: dt.datetime) -> CaseView | None:
    """The case that a deduction was decided in; none if the marketplace decided it elsewhere."""
    rows = DeductionCase.objects.filter(deduction_id=deduction_id)
    return next(iter(_views(rows, now)), None)


def case_counts(*, now: dt.datetime) -> CaseCounts:
    """How much waits, and for whom."""
    announced = Q(state=CaseState.ANNOUNCED)
    counts = DeductionCase.objects.aggregate(
        awaiting_reply=Count("id", filter=announced & ~_heard(now)),
        to_decide=Count("id", filter=announced & _heard(now)),
        appealed=Count("id", filter=Q(state=CaseState.APPEALED)),
    )
    return CaseCounts(**counts)


def items_of(lines: Iterable[DeductionCaseLine], currency: str) -> dict[int, DeductionItem]:
    """Lines as items, by their numbers."""
    return {
        line.number: DeductionItem(
            description=line.description,
            quantity=line.quantity,
            unit_amount=Money(line.unit_minor, currency),
            evidence=tuple(line.evidence),
        )
        for line in sorted(lines, key=lambda line: line.number)
    }


def _heard(now: dt.datetime) -> Q:
    return Q(replied_at__isnull=False) | Q(reply_until__lte=now)


def _views(rows: QuerySet[DeductionCase], now: dt.datetime) -> tuple[CaseView, ...]:
    return tuple(_to_view(row, now) for row in rows.prefetch_related("lines")[:CASES_MAX])


def _to_view(row: DeductionCase, now: dt.datetime) -> CaseView:
    state = CaseState(row.state)
    is_announced = state is CaseState.ANNOUNCED
    is_heard = rules.is_heard(replied_at=row.replied_at, reply_until=row.reply_until, now=now)
    due = row.decide_by if is_announced else row.answer_by if state is CaseState.APPEALED else None
    return CaseView(
        case_id=row.public_id,
        account_id=row.account_id,
        shop_key=row.shop_key,
        version=row.version,
        state=state,
        reference=row.reference,
        purpose=DeductionPurpose(row.purpose),
        reason=row.reason,
        clause=row.clause,
        amount=Money(row.amount_minor, row.currency),
        set_aside=Money(row.set_aside_minor, row.currency),
        items=tuple(
            CaseItem(number, item, number in row.taken, number in row.given_back)
            for number, item in items_of(row.lines.all(), row.currency).items()
        ),
        announced_by=row.announced_by,
        announced_at=row.announced_at,
        reply_until=row.reply_until,
        decide_by=row.decide_by,
        lapses_at=row.lapses_at,
        reply=Reply(row.reply) if row.reply else None,
        reply_text=row.reply_text,
        replied_by=row.replied_by,
        replied_at=row.replied_at,
        decision_text=row.decision_text,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        deduction_id=row.deduction_id,
        appeal_until=row.appeal_until,
        appeal_text=row.appeal_text,
        appealed_by=row.appealed_by,
        appealed_at=row.appealed_at,
        answer_by=row.answer_by,
        answer_lapses_at=row.answer_lapses_at,
        answer_text=row.answer_text,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        can_reply=is_announced and not is_heard,
        can_be_taken=is_announced and is_heard and now < row.lapses_at,
        can_appeal=state is CaseState.TAKEN
        and row.appeal_until is not None
        and now < row.appeal_until,
        can_be_answered=state is CaseState.APPEALED
        and row.answer_lapses_at is not None
        and now < row.answer_lapses_at,
        is_late=due is not None and now >= due,
    )
