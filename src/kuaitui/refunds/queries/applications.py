"""Applications as their sellers follow them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kuaitui.deposits.queries import destination
from kuaitui.deposits.types import Destination, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import PayoutUnknown
from kuaitui.payouts.queries import (
    PayoutProgress,
    payout_of_application,
    payouts_of_applications,
)
from kuaitui.refunds import rules
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.queries.closing import closable_from, close_out_of
from kuaitui.refunds.queries.dates import dates_of
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.queries.rows import decisions_of, events_of, find_row, is_late
from kuaitui.refunds.queries.values import ApplicationSummary, ApplicationView
from kuaitui.refunds.states import BEFORE_A_PAYOUT, FACTS, SellerAct, State
from kuaitui.refunds.types import (
    AmountChoice,
    DecisionView,
    Question,
    Reason,
    Rejection,
    RejectReason,
    TimelineEvent,
)

APPLICATIONS_MAX = 100


def application(*, application_id: str, shop_key: int, now: dt.datetime) -> ApplicationView:
    """One application of a shop: where the money is, who acts by when, and what the seller can do.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
    """
    return view(find_row(application_id, shop_key=shop_key), now=now)


def application_of_request(*, account_id: str, request_key: str) -> str | None:
    """The application a form was sent as, if it was: a late second click shows the first result."""
    rows = RefundApplication.objects.filter(account_id=account_id, request_key=request_key)
    return rows.values_list("public_id", flat=True).first()


def applications_of_shop(
    *, shop_key: int, now: dt.datetime, limit: int = 20
) -> tuple[ApplicationSummary, ...]:
    """The applications of a shop, the newest first. Two queries, however many there are."""
    rows = list(
        RefundApplication.objects.filter(shop_key=shop_key, submitted_at__isnull=False).order_by(
            "-id"
        )[: min(limit, APPLICATIONS_MAX)]
    )
    payouts = payouts_of_applications([row.public_id for row in rows])
    return tuple(_summary(row, payouts.get(row.public_id), now=now) for row in rows)


def _summary(
    row: RefundApplication, payout: PayoutProgress | None, *, now: dt.datetime
) -> ApplicationSummary:
    return ApplicationSummary(
        application_id=row.public_id,
        account_id=row.account_id,
        shop_key=row.shop_key,
        state=State(row.state),
        amount=Money(row.amount_minor or 0, row.currency),
        submitted_at=row.submitted_at or row.created_at,
        state_since=row.state_since,
        due_at=row.due_at,
        paid_at=row.paid_at,
        is_late=is_late(row, now=now),
        payout=payout,
    )


def view(row: RefundApplication, *, now: dt.datetime) -> ApplicationView:
    """Everything a seller may see of a submitted application."""
    state = State(row.state)
    terms = terms_of(row)
    timeline = events_of(row)
    decisions = decisions_of(row)
    payout = _payout(row)
    chosen = _destination(row.destination_id)
    amount = Money(row.amount_minor or 0, row.currency)
    dates = dates_of(row, terms=terms, destination=chosen, payout=payout, now=now)
    return ApplicationView(
        application_id=row.public_id,
        account_id=row.account_id,
        shop_key=row.shop_key,
        state=state,
        state_facts=FACTS[state],
        version=row.version,
        choice=AmountChoice(row.choice),
        kind=row.kind,
        amount=amount,
        requested=Money(row.requested_minor or 0, row.currency),
        reason=Reason(row.reason),
        note=row.note,
        plan=RoutePlan.from_json(row.route_plan),
        destination=chosen,
        previous_destination=_destination(row.previous_destination_id),
        submitted_at=row.submitted_at or row.created_at,
        state_since=row.state_since,
        due_at=row.due_at,
        due_on=dates.due_on,
        is_late=is_late(row, now=now),
        promised=dates.promised,
        eta=dates.eta,
        parts=dates.parts,
        closing=rules.closing_way_back(dates.parts) if state in BEFORE_A_PAYOUT else None,
        seller_acts=seller_acts(row, payout, now=now),
        staff_acts=FACTS[state].staff_acts,
        timeline=timeline,
        question=_question(row, decisions, timeline),
        rejection=_rejection(row, decisions, now),
        appeal_text=_last_text(timeline, "appealed"),
        close_out=close_out_of(row),
        may_be_closed_out_from=closable_from(row) if state is State.RETURNED else None,
        payout=payout,
        needs_no_review=dates.needs_no_review,
        requires_second_approval=rules.requires_second_approval(
            amount=amount,
            second_approval_from=Money(row.second_approval_from_minor or 0, row.currency),
            is_forced=row.second_approval_forced,
            repairs=row.repairs,
        ),
        cooling_down_until=_cooling_down_until(row, chosen, now),
        return_code=_last_detail(timeline, "code")
        if row.repairs or state is State.RETURNED
        else "",
        paid_at=row.paid_at,
        policy_pack=terms.pack,
        policy_version=terms.version,
        policy_title=terms.title,
    )


def seller_acts(
    row: RefundApplication, payout: PayoutProgress | None, *, now: dt.datetime
) -> frozenset[SellerAct]:
    """What the seller can do right now: what the state allows, less what time has closed."""
    acts = FACTS[State(row.state)].seller_acts
    closed: set[SellerAct] = set()
    if payout is not None and payout.is_sent:
        closed.add(SellerAct.WITHDRAW)
    if row.appeals or row.due_at is None or now >= row.due_at:
        closed.add(SellerAct.APPEAL)
    return acts - closed


def _payout(row: RefundApplication) -> PayoutProgress | None:
    try:
        return payout_of_application(row.public_id)
    except PayoutUnknown:
        return None


def _destination(destination_id: str) -> Destination | None:
    return destination(destination_id) if destination_id else None


def _cooling_down_until(
    row: RefundApplication, chosen: Destination | None, now: dt.datetime
) -> dt.datetime | None:
    is_used = not row.repairs and RoutePlan.from_json(row.route_plan).needs_destination
    if chosen is None or not is_used or not chosen.is_cooling_down(now=now):
        return None
    return chosen.usable_from


def _question(
    row: RefundApplication, decisions: Sequence[DecisionView], timeline: Sequence[TimelineEvent]
) -> Question | None:
    asked = _last_decision(decisions, Decision.Kind.REQUEST_INFORMATION)
    if asked is None:
        return None
    answers = (
        str(event.details.get("text", ""))
        for event in timeline
        if event.code == "information_provided" and event.number > asked.number
    )
    is_open = row.state == State.MORE_INFORMATION
    return Question(
        text=asked.text,
        asked_at=asked.decided_at,
        due_at=row.due_at if is_open else None,
        answer=next(answers, None),
    )


def _rejection(
    row: RefundApplication, decisions: Sequence[DecisionView], now: dt.datetime
) -> Rejection | None:
    rejected = _last_decision(decisions, Decision.Kind.REJECT)
    if rejected is None or row.state not in {State.REJECTED, State.APPEALED}:
        return None
    is_final = row.state != State.REJECTED or row.appeals > 0
    until = None if is_final else row.due_at
    reasons = tuple(RejectReason(reason) for reason in rejected.reasons)
    return Rejection(
        reasons=reasons,
        # Of a deduction that took everything the decision notes the number, which tells nobody anything.
        text="" if reasons == (RejectReason.DEPOSIT_DEDUCTED,) else rejected.text,
        decided_at=rejected.decided_at,
        appeal_until=until,
        can_appeal=until is not None and now < until,
    )


def _last_decision(decisions: Sequence[DecisionView], kind: str) -> DecisionView | None:
    return next((item for item in reversed(decisions) if item.kind == kind), None)


def _last_text(timeline: Sequence[TimelineEvent], code: str) -> str:
    texts = (
        str(event.details.get("text", "")) for event in reversed(timeline) if event.code == code
    )
    return next(texts, "")


def _last_detail(timeline: Sequence[TimelineEvent], name: str) -> str:
    found = (
        str(event.details[name])
        for event in reversed(timeline)
        if event.code in {"returned", "payout_failed"} and name in event.details
    )
    return next(found, "")
