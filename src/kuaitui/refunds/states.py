"""The states of an application, the ways between them, and what each means for everybody.

This is the one definition: operations ask it, the database's table of transitions is tested against
it (migration 0002), and the diagram in docs/reference/application-states.md is written from it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final


class State(enum.StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    MORE_INFORMATION = "more_information"
    AWAITING_SECOND_APPROVAL = "awaiting_second_approval"
    APPROVED = "approved"
    PAYING = "paying"
    PAID = "paid"
    RETURNED = "returned"
    DESTINATION_REPAIRED = "destination_repaired"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    APPEALED = "appealed"
    EXPIRED = "expired"
    CLOSED_OUT = "closed_out"


class MoneyPlace(enum.StrEnum):
    """Where the money is now."""

    DEPOSIT_AVAILABLE = "deposit_available"
    DEPOSIT_FROZEN = "deposit_frozen"
    WITH_CHANNEL = "with_channel"
    SELLER_ACCOUNT = "seller_account"


class NextActor(enum.StrEnum):
    """Who acts next."""

    SELLER = "seller"
    KUAITUI = "kuaitui"
    REVIEWER = "reviewer"
    SECOND_APPROVER = "second_approver"
    CHANNEL = "channel"
    NOBODY = "nobody"


class Deadline(enum.StrEnum):
    """What sets the time by which that happens; the policy gives the number of days."""

    REVIEW = "review"
    MORE_INFORMATION = "more_information"
    APPEAL = "appeal"
    ARRIVAL = "arrival"
    DRAFT = "draft"
    REPAIR = "repair"
    NONE = "none"


class SellerAct(enum.StrEnum):
    """What the seller can do."""

    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    PROVIDE_INFORMATION = "provide_information"
    APPEAL = "appeal"
    REPAIR_DESTINATION = "repair_destination"
    APPLY_AGAIN = "apply_again"


class StaffAct(enum.StrEnum):
    """What staff can do."""

    APPROVE = "approve"
    CONFIRM = "confirm"
    SEND_BACK = "send_back"
    REJECT = "reject"
    REQUEST_INFORMATION = "request_information"
    DECIDE_APPEAL = "decide_appeal"
    REFUSE_REPAIR = "refuse_repair"
    PROPOSE_CLOSE_OUT = "propose_close_out"
    CONFIRM_CLOSE_OUT = "confirm_close_out"


@dataclass(frozen=True, slots=True)
class StateFacts:
    """The four answers of a state: where is the money, who acts, by when, what can I do."""

    money: MoneyPlace
    next_actor: NextActor
    deadline: Deadline
    seller_acts: frozenset[SellerAct] = field(default_factory=frozenset)
    staff_acts: frozenset[StaffAct] = field(default_factory=frozenset)


_S = State

TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.EXPIRED}),
    _S.SUBMITTED: frozenset({_S.CHECKING, _S.WITHDRAWN, _S.REJECTED}),
    _S.CHECKING: frozenset({_S.APPROVED, _S.IN_REVIEW}),
    _S.IN_REVIEW: frozenset(
        {
            _S.MORE_INFORMATION,
            _S.AWAITING_SECOND_APPROVAL,
            _S.APPROVED,
            _S.REJECTED,
            _S.WITHDRAWN,
        }
    ),
    _S.MORE_INFORMATION: frozenset({_S.IN_REVIEW, _S.WITHDRAWN, _S.EXPIRED, _S.REJECTED}),
    _S.AWAITING_SECOND_APPROVAL: frozenset(
        {
            _S.APPROVED,
            _S.IN_REVIEW,
            _S.DESTINATION_REPAIRED,
            _S.REJECTED,
            _S.WITHDRAWN,
        }
    ),
    # Back to a repair: another part came back while the second person confirmed this one.
    _S.APPROVED: frozenset(
        {_S.PAYING, _S.IN_REVIEW, _S.DESTINATION_REPAIRED, _S.REJECTED, _S.WITHDRAWN}
    ),
    _S.PAYING: frozenset({_S.PAID, _S.RETURNED, _S.WITHDRAWN}),
    # A bank may give money back weeks after it took it.
    _S.PAID: frozenset({_S.RETURNED}),
    _S.RETURNED: frozenset({_S.DESTINATION_REPAIRED, _S.CLOSED_OUT}),
    _S.DESTINATION_REPAIRED: frozenset({_S.AWAITING_SECOND_APPROVAL, _S.RETURNED}),
    _S.WITHDRAWN: frozenset(),
    _S.REJECTED: frozenset({_S.APPEALED}),
    _S.APPEALED: frozenset({_S.IN_REVIEW, _S.REJECTED, _S.WITHDRAWN}),
    _S.EXPIRED: frozenset(),
    # Another part, paid before the rest was closed out, may come back as well.
    _S.CLOSED_OUT: frozenset({_S.RETURNED}),
}

# From the application's first day until its money left or came free: one of these per deposit.
OPEN: Final = frozenset(
    {
        _S.SUBMITTED,
        _S.CHECKING,
        _S.IN_REVIEW,
        _S.MORE_INFORMATION,
        _S.AWAITING_SECOND_APPROVAL,
        _S.APPROVED,
        _S.PAYING,
        _S.RETURNED,
        _S.DESTINATION_REPAIRED,
        _S.APPEALED,
    }
)
# No payout has begun: what is set aside is what is asked for. From then on legs carry the money.
BEFORE_A_PAYOUT: Final = OPEN - {_S.PAYING, _S.RETURNED, _S.DESTINATION_REPAIRED}
# An approval stands in these, and only in these.
BOUND: Final = frozenset({_S.AWAITING_SECOND_APPROVAL, _S.APPROVED, _S.PAYING, _S.PAID})

FACTS: Final[dict[State, StateFacts]] = {
    _S.DRAFT: StateFacts(
        MoneyPlace.DEPOSIT_AVAILABLE,
        NextActor.SELLER,
        Deadline.DRAFT,
        frozenset({SellerAct.EDIT, SellerAct.SUBMIT}),
    ),
    _S.SUBMITTED: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.KUAITUI,
        Deadline.REVIEW,
        frozenset({SellerAct.WITHDRAW}),
    ),
    _S.CHECKING: StateFacts(MoneyPlace.DEPOSIT_FROZEN, NextActor.KUAITUI, Deadline.REVIEW),
    _S.IN_REVIEW: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.REVIEWER,
        Deadline.REVIEW,
        frozenset({SellerAct.WITHDRAW}),
        frozenset({StaffAct.APPROVE, StaffAct.REJECT, StaffAct.REQUEST_INFORMATION}),
    ),
    _S.MORE_INFORMATION: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.SELLER,
        Deadline.MORE_INFORMATION,
        frozenset({SellerAct.PROVIDE_INFORMATION, SellerAct.WITHDRAW}),
    ),
    _S.AWAITING_SECOND_APPROVAL: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.SECOND_APPROVER,
        Deadline.REVIEW,
        frozenset({SellerAct.WITHDRAW}),
        frozenset({StaffAct.CONFIRM, StaffAct.SEND_BACK}),
    ),
    _S.APPROVED: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.KUAITUI,
        Deadline.ARRIVAL,
        frozenset({SellerAct.WITHDRAW}),
    ),
    _S.PAYING: StateFacts(
        MoneyPlace.WITH_CHANNEL,
        NextActor.CHANNEL,
        Deadline.ARRIVAL,
        frozenset({SellerAct.WITHDRAW}),
    ),
    _S.PAID: StateFacts(
        MoneyPlace.SELLER_ACCOUNT,
        NextActor.NOBODY,
        Deadline.NONE,
        frozenset({SellerAct.APPLY_AGAIN}),
    ),
    _S.RETURNED: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.SELLER,
        Deadline.REPAIR,
        frozenset({SellerAct.REPAIR_DESTINATION}),
        frozenset({StaffAct.PROPOSE_CLOSE_OUT, StaffAct.CONFIRM_CLOSE_OUT}),
    ),
    _S.DESTINATION_REPAIRED: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.REVIEWER,
        Deadline.REVIEW,
        frozenset({SellerAct.REPAIR_DESTINATION}),
        frozenset({StaffAct.APPROVE, StaffAct.REFUSE_REPAIR}),
    ),
    _S.WITHDRAWN: StateFacts(
        MoneyPlace.DEPOSIT_AVAILABLE,
        NextActor.NOBODY,
        Deadline.NONE,
        frozenset({SellerAct.APPLY_AGAIN}),
    ),
    _S.REJECTED: StateFacts(
        MoneyPlace.DEPOSIT_AVAILABLE,
        NextActor.SELLER,
        Deadline.APPEAL,
        frozenset({SellerAct.APPEAL, SellerAct.APPLY_AGAIN}),
    ),
    _S.APPEALED: StateFacts(
        MoneyPlace.DEPOSIT_FROZEN,
        NextActor.REVIEWER,
        Deadline.REVIEW,
        frozenset({SellerAct.WITHDRAW}),
        frozenset({StaffAct.DECIDE_APPEAL}),
    ),
    _S.EXPIRED: StateFacts(
        MoneyPlace.DEPOSIT_AVAILABLE,
        NextActor.NOBODY,
        Deadline.NONE,
        frozenset({SellerAct.APPLY_AGAIN}),
    ),
    _S.CLOSED_OUT: StateFacts(
        MoneyPlace.DEPOSIT_AVAILABLE,
        NextActor.NOBODY,
        Deadline.NONE,
        frozenset({SellerAct.APPLY_AGAIN}),
    ),
}


def may_move(source: State, target: State) -> bool:
    """Whether an application may go from one state to another, or stay where it is."""
    return source is target or target in TRANSITIONS[source]


def mermaid() -> str:
    """The diagram of the states, as Mermaid text."""
    arrows = [
        f"    {source} --> {target}"
        for source, targets in TRANSITIONS.items()
        for target in State
        if target in targets
    ]
    ends = [f"    {state} --> [*]" for state in State if state not in OPEN | {_S.DRAFT}]
    return "\n".join(["stateDiagram-v2", "    [*] --> draft", *arrows, *ends])
