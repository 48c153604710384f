"""What the queries answer with, where it holds more than the words of refunds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from kuaitui.deposits.types import Destination, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import PayoutProgress
from kuaitui.policy.types import Assessment, Text
from kuaitui.refunds.states import SellerAct, StaffAct, State, StateFacts
from kuaitui.refunds.types import (
    AmountChoice,
    CloseOut,
    ClosingWayBack,
    DecisionView,
    Difference,
    Eta,
    ExpectedPart,
    Question,
    Reason,
    Rejection,
    TimelineEvent,
)


@dataclass(frozen=True, slots=True)
class ApplicationSummary:
    """An application in one line."""

    application_id: str
    account_id: str
    shop_key: int
    state: State
    amount: Money
    submitted_at: dt.datetime
    state_since: dt.datetime
    due_at: dt.datetime | None
    paid_at: dt.datetime | None
    is_late: bool
    payout: PayoutProgress | None


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """Everything a seller may see of an application, and what staff see first."""

    application_id: str
    account_id: str
    shop_key: int
    state: State
    state_facts: StateFacts
    version: int
    choice: AmountChoice
    kind: str
    amount: Money
    requested: Money
    reason: Reason
    note: str
    plan: RoutePlan
    destination: Destination | None
    previous_destination: Destination | None
    submitted_at: dt.datetime
    state_since: dt.datetime
    due_at: dt.datetime | None
    """By when the next actor acts."""
    due_on: dt.date | None
    """The same as the last day, as people write it."""
    is_late: bool
    promised: Eta
    """What was told on the day of the application, moved on by what the seller took to answer."""
    eta: Eta
    """What holds now. No part is expected after it."""
    parts: tuple[ExpectedPart, ...]
    """The parts of the plan, with their days. Empty when they were replaced by a repair."""
    closing: ClosingWayBack | None
    """Until a payout begins."""
    seller_acts: frozenset[SellerAct]
    staff_acts: frozenset[StaffAct]
    timeline: tuple[TimelineEvent, ...]
    question: Question | None
    rejection: Rejection | None
    appeal_text: str
    close_out: CloseOut | None
    """Proposed and still standing, or done. The seller reads its words once it is done."""
    may_be_closed_out_from: dt.datetime | None
    """From when staff may propose it, while money waits for another account."""
    payout: PayoutProgress | None
    needs_no_review: bool
    """The rule approved it, or will within seconds."""
    requires_second_approval: bool
    cooling_down_until: dt.datetime | None
    return_code: str
    paid_at: dt.datetime | None
    policy_pack: str
    policy_version: str
    policy_title: Text
    """What people call the pack it was made under."""


@dataclass(frozen=True, slots=True)
class ApprovalPreview:
    """What an approver approves: pass `version` and `approval_hash` back with the decision."""

    version: int
    approval_hash: str
    amount: Money
    plan: RoutePlan
    destination: Destination | None
    requires_second_approval: bool
    is_repair: bool


@dataclass(frozen=True, slots=True)
class Case:
    """An application with everything staff decide on: facts as they were and as they are."""

    application: ApplicationView
    facts_then: Mapping[str, object]
    assessment_then: Mapping[str, object]
    facts_now: Mapping[str, object]
    assessment_now: Assessment
    differences: tuple[Difference, ...]
    decisions: tuple[DecisionView, ...]
    approval: ApprovalPreview | None
    """None in states where nobody approves, or when there is no way out: see `approval_obstacle`."""
    approval_obstacle: str
    """The code of the refusal that an approval would meet now; empty if none."""
    shops_sharing_destination: int


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How many applications stand in a state, and since when the oldest."""

    state: State
    count: int
    late_count: int
    oldest_since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class WorkList:
    """What waits for staff."""

    counts: tuple[QueueCount, ...]
    to_confirm_count: int
    """Second approvals that this person may give."""
    late_count: int


@dataclass(frozen=True, slots=True)
class QueueFilters:
    """Which applications a queue shows. Empty fields do not filter."""

    states: frozenset[State] = frozenset()
    is_late: bool = False
    amount_from: Money | None = None
    submitted_before: dt.datetime | None = None
    requires_second_approval: bool = False
    needs_destination: bool = False
    """Some of the money cannot go back the way it came."""
    way_back_closes: bool = False
    """Some of the money can go back the way it came only if it is sent before the review must end."""
    shop_key: int | None = None
    application_id: str = ""
    confirmable_by: str = ""
    """Only second approvals that this person may give: not their own cases."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue."""

    application_id: str
    shop_key: int
    state: State
    amount: Money
    kind: str
    submitted_at: dt.datetime
    state_since: dt.datetime
    due_at: dt.datetime | None
    is_late: bool
    requires_second_approval: bool
    needs_destination: bool
    way_back_closes_at: dt.datetime | None
    """When a part can no longer go back the way it came, if that may be before it is sent."""

    @property
    def act_by(self) -> dt.datetime | None:
        """The earlier of the two: when it is due, and when its way back closes."""
        moments = [at for at in (self.due_at, self.way_back_closes_at) if at is not None]
        return min(moments, default=None)


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue; `next` asks for the one after it."""

    rows: tuple[QueueRow, ...]
    next: str | None
