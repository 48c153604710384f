"""Whether what came back may be closed out, and who has proposed it."""

from __future__ import annotations

import datetime as dt

from kuaitui.refunds import rules
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import State
from kuaitui.refunds.types import CloseOut


def closable_from(row: RefundApplication) -> dt.datetime:
    """When the seller's time to choose another account is over."""
    if row.due_at is not None:
        return row.due_at
    terms = terms_of(row)
    return rules.end_of_period(terms.review.repair_time, start=row.state_since, terms=terms)


def proposal_of(row: RefundApplication) -> Decision | None:
    """The proposal to close out that stands: nothing has changed since it was made."""
    return row.decisions.filter(kind=Decision.Kind.PROPOSE_CLOSE_OUT, number=row.version).first()


def close_out_of(row: RefundApplication) -> CloseOut | None:
    """The close-out that is proposed and stands, or that was done."""
    match State(row.state):
        case State.RETURNED:
            proposal = proposal_of(row)
        case State.CLOSED_OUT:
            proposals = row.decisions.filter(kind=Decision.Kind.PROPOSE_CLOSE_OUT)
            proposal = proposals.order_by("-number").first()
        case _:
            proposal = None
    if proposal is None:
        return None
    return CloseOut(
        text=proposal.text,
        proposed_by=proposal.actor_id,
        proposed_at=proposal.decided_at,
        is_done=row.state == State.CLOSED_OUT,
    )
