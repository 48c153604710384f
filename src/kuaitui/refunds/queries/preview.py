"""What would happen if the seller applied now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kuaitui.deposits.errors import DestinationRequired, InsufficientDeposit
from kuaitui.deposits.queries import deposit, destination, plan_route, split_route
from kuaitui.deposits.types import DepositSummary, Destination, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import parts_of_lots
from kuaitui.policy.terms import Terms
from kuaitui.policy.types import RefundKind
from kuaitui.refunds import rules
from kuaitui.refunds.errors import DestinationOfAnotherShop
from kuaitui.refunds.models import OPEN_STATES, RefundApplication
from kuaitui.refunds.queries.assessing import Look, look
from kuaitui.refunds.queries.expected import expected_parts
from kuaitui.refunds.queries.policy import terms_in_force
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, RefundPreview


@dataclass(frozen=True, slots=True)
class Proposal:
    """An application in the making: checked amount, way out, and who must look."""

    kind: RefundKind
    amount: Money
    amount_max: Money
    look: Look
    plan: RoutePlan | None
    destination: Destination | None
    is_forced: bool
    """A destination that is cooling down needs two people, whatever the amount."""


def preview_refund(
    *,
    account_id: str,
    choice: AmountChoice,
    amount: Money | None,
    destination_id: str,
    now: dt.datetime,
) -> RefundPreview:
    """What would happen: how much, whether, which way, by when, and who must approve.

    Says so when the deposit is not eligible; refuses only what cannot be asked at all.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        AmountMissing, AmountCurrencyWrong, AmountNotPositive, AmountAboveRefundable: the amount.
        NothingRefundable: there is nothing to ask for.
        DestinationOfAnotherShop: the destination is not this shop's.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here can pay such an account, or this amount.
    """
    terms = terms_in_force()
    summary = deposit(account_id)
    proposal = propose(
        summary, terms, choice=choice, amount=amount, destination_id=destination_id, now=now
    )
    by_rule = rules.may_approve_by_rule(
        amount=proposal.amount,
        limit=rules.auto_approval_limit(terms.review, proposal.amount.currency),
        is_eligible=proposal.look.assessment.is_eligible,
        plan=proposal.plan,
        is_forced=proposal.is_forced,
    )
    promised = rules.eta(terms, now=now, by_rule=by_rule)
    parts = expected_parts(
        proposal.plan,
        proposal.destination,
        shop_key=summary.shop_key,
        promised=promised,
        terms=terms,
        now=now,
    )
    return RefundPreview(
        account_id=account_id,
        choice=choice,
        kind=proposal.kind,
        assessment=proposal.look.assessment,
        amount=proposal.amount,
        amount_max=proposal.amount_max,
        plan=proposal.plan,
        needs_destination=proposal.plan is None or proposal.plan.needs_destination,
        destination=proposal.destination,
        eta=rules.not_before_the_parts(promised, parts),
        parts=parts,
        closing=rules.closing_way_back(parts),
        by_rule=by_rule,
        requires_second_approval=rules.requires_second_approval(
            amount=proposal.amount,
            second_approval_from=rules.second_approval_tier(terms.review, proposal.amount.currency),
            is_forced=proposal.is_forced,
            repairs=0,
        ),
        open_application_id=open_application(account_id=account_id),
        policy_pack=terms.pack,
        policy_version=terms.version,
    )


def propose(
    summary: DepositSummary,
    terms: Terms,
    *,
    choice: AmountChoice,
    amount: Money | None,
    destination_id: str,
    now: dt.datetime,
) -> Proposal:
    """Check what is asked against what is there. The plan is missing when it needs a destination.

    Raises:
        AmountMissing, AmountCurrencyWrong, AmountNotPositive, AmountAboveRefundable: the amount.
        NothingRefundable: there is nothing to ask for.
        DestinationOfAnotherShop: the destination is not this shop's.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here can pay such an account, or this amount.
    """
    kind = rules.refund_kind(choice, amount=amount, excess=summary.excess)
    seen = look(summary, terms=terms, kind=kind, now=now)
    refundable = min(seen.assessment.refundable, summary.available)
    asked = rules.asked_amount(choice, amount=amount, refundable=refundable)
    chosen = _destination_of(summary.shop_key, destination_id)
    plan = _plan(summary, asked, destination_id, now)
    used = chosen if plan is not None and plan.needs_destination else None
    return Proposal(
        kind=kind,
        amount=asked,
        amount_max=refundable,
        look=seen,
        plan=plan,
        destination=used,
        is_forced=used is not None and used.is_cooling_down(now=now),
    )


def split_of(summary: DepositSummary, *, amount: Money, now: dt.datetime) -> RoutePlan:
    """How an amount would be split if some bank account were chosen: which part needs one.

    Raises:
        InsufficientDeposit: less than `amount` is left of the lots.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here pays any account, or this amount.
    """
    return split_route(
        summary.lots, amount=amount, parts=parts_of_lots(book_id=summary.book_id), now=now
    )


def open_application(*, account_id: str) -> str | None:
    """The application under way for a deposit, if there is one."""
    row = (
        RefundApplication.objects.filter(account_id=account_id, state__in=OPEN_STATES)
        .order_by("-id")
        .first()
    )
    return row.public_id if row else None


def has_left(*, account_id: str) -> bool:
    """Whether its seller asked for all of a deposit and got it."""
    paid = RefundApplication.objects.filter(account_id=account_id, state=State.PAID)
    return paid.filter(choice=AmountChoice.WHOLE).exists()


def _plan(
    summary: DepositSummary, amount: Money, destination_id: str, now: dt.datetime
) -> RoutePlan | None:
    try:
        return plan_route(
            summary.lots,
            amount=amount,
            destination_id=destination_id,
            parts=parts_of_lots(book_id=summary.book_id),
            now=now,
        )
    except (DestinationRequired, InsufficientDeposit):
        return None


def _destination_of(shop_key: int, destination_id: str) -> Destination | None:
    if not destination_id:
        return None
    found = destination(destination_id)
    if found.shop_key != shop_key:
        raise DestinationOfAnotherShop(destination=destination_id)
    return found
