"""What waits for staff: counts with clocks, and the queue with filters and stable paging."""

from __future__ import annotations

import datetime as dt

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, JSONObject

from kuaitui.deposits.types import Route, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.refunds import rules
from kuaitui.refunds.errors import CursorBroken
from kuaitui.refunds.models import OPEN_STATES, Decision, RefundApplication
from kuaitui.refunds.queries.rows import is_late
from kuaitui.refunds.queries.values import (
    QueueCount,
    QueueFilters,
    QueuePage,
    QueueRow,
    WorkList,
)
from kuaitui.refunds.states import BEFORE_A_PAYOUT, OPEN, State
from kuaitui.refunds.types import WayBack

QUEUE_MAX = 200
# In these the seller acts next: no promise of ours runs out.
_SELLER_WAITS = [
    State.MORE_INFORMATION.value,
    State.REJECTED.value,
    State.RETURNED.value,
    State.DRAFT.value,
]


class _JsonPath(TextField):  # type: ignore[type-arg] # no class of Django's is generic
    """The type of a path into a document."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002 - PostgreSQL only
        """What PostgreSQL calls it."""
        return "jsonpath"


_WAY_BACK_CLOSES = '$[*] ? (@.route == "original" && @.refundable_until < $handed_over_by)'


def work_list(*, viewer_id: str, now: dt.datetime) -> WorkList:
    """How much waits in each state, since when, and how much of it is late."""
    late = _late(now)
    found = (
        RefundApplication.objects.filter(state__in=OPEN_STATES)
        .values("state")
        .annotate(count=Count("id"), late=Count("id", filter=late), oldest=Min("state_since"))
    )
    by_state = {row["state"]: row for row in found}
    counts = tuple(
        QueueCount(
            state=state,
            count=by_state[state.value]["count"] if state.value in by_state else 0,
            late_count=by_state[state.value]["late"] if state.value in by_state else 0,
            oldest_since=by_state[state.value]["oldest"] if state.value in by_state else None,
        )
        for state in State
        if state in OPEN
    )
    return WorkList(
        counts=counts,
        to_confirm_count=_confirmable(viewer_id).count(),
        late_count=sum(item.late_count for item in counts),
    )


def queue(
    *, filters: QueueFilters, after: str | None = None, limit: int = 50, now: dt.datetime
) -> QueuePage:
    """Applications in the order of their submission, the oldest first, a page at a time.

    The order never changes while one pages: it is by submission, and `after` names the last line.

    Raises:
        CursorBroken: `after` is not a line of a queue.
    """
    rows = _filtered(filters, now)
    if after:
        last = (
            RefundApplication.objects.filter(public_id=after).values("submitted_at", "id").first()
        )
        if last is None or last["submitted_at"] is None:
            raise CursorBroken(after=after)
        rows = rows.filter(
            Q(submitted_at__gt=last["submitted_at"])
            | Q(submitted_at=last["submitted_at"], id__gt=last["id"])
        )
    size = min(max(limit, 1), QUEUE_MAX)
    found = list(rows.order_by("submitted_at", "id")[: size + 1])
    page = tuple(_to_row(row, now) for row in found[:size])
    return QueuePage(page, page[-1].application_id if len(found) > size else None)


def _filtered(filters: QueueFilters, now: dt.datetime) -> QuerySet[RefundApplication]:
    rows = RefundApplication.objects.filter(submitted_at__isnull=False)
    if filters.confirmable_by:
        rows = _confirmable(filters.confirmable_by)
    if filters.states:
        rows = rows.filter(state__in=[state.value for state in filters.states])
    if filters.is_late:
        rows = rows.filter(_late(now))
    if filters.amount_from is not None:
        rows = rows.filter(
            amount_minor__gte=filters.amount_from.minor, currency=filters.amount_from.currency
        )
    if filters.submitted_before is not None:
        rows = rows.filter(submitted_at__lt=filters.submitted_before)
    if filters.requires_second_approval:
        rows = rows.filter(
            Q(second_approval_forced=True)
            | Q(repairs__gt=0)
            | Q(amount_minor__gte=F("second_approval_from_minor"))
        )
    rows = _by_way(rows, filters, now)
    if filters.shop_key is not None:
        rows = rows.filter(shop_key=filters.shop_key)
    if filters.application_id:
        rows = rows.filter(public_id=filters.application_id)
    return rows


def _by_way(
    rows: QuerySet[RefundApplication], filters: QueueFilters, now: dt.datetime
) -> QuerySet[RefundApplication]:
    if filters.needs_destination:
        rows = rows.filter(route_plan__contains=[{"route": Route.DESIGNATED.value}])
    if filters.way_back_closes:
        rows = rows.filter(_way_back_closes(now), state__in=sorted(BEFORE_A_PAYOUT))
    return rows


def _way_back_closes(now: dt.datetime) -> Func:
    """In the database what `_way_back_closes_at` is in Python, but for what the seller waits.

    A plan keeps its moments as UTC in ISO 8601: they sort as they are written.
    """
    handed_over_by = Case(
        When(review_due_at__gt=now, then=F("review_due_at")),
        default=Value(now + rules.LATE_HAND_OVER_WITHIN),
    )
    return Func(
        F("route_plan"),
        Cast(Value(_WAY_BACK_CLOSES), _JsonPath()),
        JSONObject(handed_over_by=handed_over_by),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )


def _late(now: dt.datetime) -> Q:
    return Q(due_at__lte=now) & Q(state__in=OPEN_STATES) & ~Q(state__in=_SELLER_WAITS)


def _confirmable(actor_id: str) -> QuerySet[RefundApplication]:
    """Second approvals a person may give: not of what they approved first, made or directed."""
    own = Decision.objects.filter(
        application=OuterRef("pk"), kind=Decision.Kind.APPROVE, actor_id=actor_id,
        approval_hash=OuterRef("approval_hash"),
    )  # fmt: skip
    return (
        RefundApplication.objects.filter(state=State.AWAITING_SECOND_APPROVAL)
        .exclude(created_by=actor_id)
        .exclude(destination_set_by=actor_id)
        .exclude(Exists(own))
    )


def _way_back_closes_at(row: RefundApplication, now: dt.datetime) -> dt.datetime | None:
    if row.state not in BEFORE_A_PAYOUT or row.review_due_at is None:
        return None
    waited = now - row.state_since if row.state == State.MORE_INFORMATION else dt.timedelta(0)
    handed_over_by = rules.handed_over_by(row.review_due_at + waited, now=now)
    closing = [
        leg.refundable_until
        for leg in RoutePlan.from_json(row.route_plan).legs
        if leg.refundable_until is not None
        and rules.way_back(leg, now=now, handed_over_by=handed_over_by) is not WayBack.OPEN
    ]
    return min(closing, default=None)


def _to_row(row: RefundApplication, now: dt.datetime) -> QueueRow:
    amount = Money(row.amount_minor or 0, row.currency)
    return QueueRow(
        application_id=row.public_id,
        shop_key=row.shop_key,
        state=State(row.state),
        amount=amount,
        kind=row.kind,
        submitted_at=row.submitted_at or row.created_at,
        state_since=row.state_since,
        due_at=row.due_at,
        is_late=is_late(row, now=now),
        requires_second_approval=rules.requires_second_approval(
            amount=amount,
            second_approval_from=Money(row.second_approval_from_minor or 0, row.currency),
            is_forced=row.second_approval_forced,
            repairs=row.repairs,
        ),
        needs_destination=any(leg["route"] == Route.DESIGNATED for leg in row.route_plan),
        way_back_closes_at=_way_back_closes_at(row, now),
    )
